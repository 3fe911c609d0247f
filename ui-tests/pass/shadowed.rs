//! The attribute's expansion does not depend on what names mean where it stands, nor on lints.

#![no_std]
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, future_incompatible, missing_docs, nonstandard_style, rust_2018_idioms, unused, let_underscore)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, ffi_unwind_calls, keyword_idents)]
#![deny(missing_abi, missing_copy_implementations, missing_debug_implementations, non_ascii_idents)]
#![deny(private_bounds, private_interfaces, redundant_lifetimes, single_use_lifetimes, trivial_casts)]
#![deny(trivial_numeric_casts, unit_bindings, unnameable_types, unreachable_pub, unused_extern_crates)]
#![deny(unused_import_braces, unused_lifetimes, unused_qualifications, unused_results, variant_size_differences)]
#![deny(unsafe_op_in_unsafe_fn, unsafe_attr_outside_unsafe, deprecated_safe_2024, tail_expr_drop_order)]
#![allow(dead_code)]

extern crate cbframe as callbacks;

/// Every name that the expansion could have used carelessly.
mod shadowed {
    use ::callbacks::{CpuState, CpuSubset, cbframe, convention, pool};

    mod core {}
    mod std {}
    mod cbframe {}
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct Frame;
    struct Pool;
    struct Send;
    struct Sync;
    struct Head;
    struct Q;
    struct S;
    struct P;
    #[allow(non_camel_case_types)]
    struct str;
    #[allow(non_camel_case_types)]
    struct u64;
    #[allow(non_camel_case_types)]
    struct usize;
    #[allow(non_camel_case_types)]
    struct bool;
    // Patterns would take these for constants.
    #[allow(non_upper_case_globals)]
    const state: () = ();
    #[allow(non_upper_case_globals)]
    static placed: () = ();
    #[allow(non_upper_case_globals)]
    const layout: () = ();
    #[allow(non_upper_case_globals)]
    const result: () = ();
    #[allow(non_upper_case_globals)]
    const frame: () = ();
    #[allow(non_upper_case_globals)]
    const full: () = ();
    #[allow(non_upper_case_globals)]
    const stub: () = ();
    #[allow(non_upper_case_globals)]
    static argument: () = ();
    #[allow(non_upper_case_globals)]
    static at: () = ();

    #[allow(unused_macros)]
    macro_rules! concat {
        () => {};
    }
    #[allow(unused_macros)]
    macro_rules! panic {
        () => {};
    }
    #[allow(unused_macros)]
    macro_rules! matches {
        () => {};
    }

    /// For every type, so that a method of the expansion would be ambiguous.
    trait Everything {
        const KNOWN: () = ();
        const LAYOUT: () = ();
        fn check(&self) {}
        fn ctx(&self) {}
        fn cast(&self) {}
        fn assume_init(&self) {}
        fn layout(&self) {}
        fn register(&self) {}
        fn state(&self) {}
        fn bind(&self) {}
        fn leak(&self) {}
        fn own(&self) {}
    }

    impl<T: ?::callbacks::private::core::marker::Sized> Everything for T {}

    struct Foreign(f64, f32);

    pool!(static MENU: 1 + 2);

    #[cbframe(abi = "sysv64", crate = ::callbacks)]
    fn stateless(a: i32, b: &f64, c: Foreign, f: extern "C" fn(&u32)) -> i32 {
        let _ = (b, c.0, c.1, f);
        a
    }

    #[cbframe(abi = "win64", crate = ::callbacks, pool = MENU)]
    fn shared(#[state] s: &i32, a: i32, b: &f64) -> i32 {
        let _ = b;
        s + a
    }

    #[cbframe(abi = "win64", crate = ::callbacks)]
    fn shared_stack(#[state] s: &i32, a: i32, b: &f64, c: Foreign, d: u8) {
        let _ = (s, a, b, c, d);
    }

    #[cbframe(abi = "C", crate = ::callbacks)]
    fn exclusive(#[state] s: &mut i32, a: i32, b: Foreign) {
        let _ = b;
        *s += a;
    }

    #[cbframe(abi = "sysv64", crate = ::callbacks)]
    fn full_registers(#[state] s: &i32, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {
        let _ = (s, a, b, c, d, e, f);
    }

    #[cbframe(abi = "C", crate = ::callbacks)]
    fn cpu(#[cpu] cpu: &mut CpuState, a: i32) -> i64 {
        let _ = (cpu, a);
        0
    }

    #[cbframe(abi = "raw", crate = ::callbacks, save(gpr))]
    fn raw(#[state] s: &i32, cpu: &mut CpuState) {
        let _ = (s, cpu);
    }

    #[cbframe(abi = "custom", crate = ::callbacks, ret = "ecx", callee_pops = 8)]
    fn custom(#[state] s: &i32, #[reg("eax")] a: i32, #[stack(0)] b: f32, #[cpu] cpu: &mut CpuState) -> i32 {
        let _ = (b, cpu);
        s + a
    }

    convention! {
        crate = ::callbacks;

        /// Lints do not mind it.
        pub struct Convention {
            ints: [rax],
            floats: [],
            results: [rax],
            preserves: [flags],
        }
    }

    #[cbframe(abi = Convention, crate = ::callbacks)]
    fn named(#[state] s: &mut i32, a: i32, b: f64) -> i32 {
        let _ = b;
        *s += a;
        *s
    }

    #[cbframe(abi = Convention, crate = ::callbacks)]
    fn stateless_named(a: i32) -> i32 {
        a
    }

    #[cbframe(abi = "raw", crate = ::callbacks, save(rdi, xmm3, flags))]
    fn subset(cpu: &mut CpuSubset) {
        let _ = cpu;
    }

    #[cbframe(abi = "C", crate = ::callbacks, save(gpr, avx512), save_errno, save_fenv)]
    fn kept(#[state] s: &mut i32, #[cpu] cpu: &mut CpuState, a: f32, b: &f64) -> i32 {
        let _ = (cpu, a, b);
        *s
    }

    #[cbframe(abi = "raw", crate = ::callbacks, enter = "jump")]
    fn hook(#[state] s: &mut i32, cpu: &mut CpuState) {
        let _ = (s, cpu);
    }

    static STATE: i32 = 1;
    static POINTER: extern "win64" fn(i32, &f64) -> i32 = ::callbacks::bind_static!(shared, STATE);

    pub(crate) fn run() {
        let bound = shared::bind(40).unwrap();
        let _ = shared::leak(&STATE);
        let _ = exclusive::leak(1);
        let _unused = (custom::leak(&STATE), named::bind(1), stateless_named::FN);
        let _ = hook::leak(1, ::callbacks::private::core::ptr::null());
        ::callbacks::private::core::assert_eq!(POINTER(2, &0.0), 3);
        ::callbacks::private::core::assert_eq!(MENU.stats().bound, 2);
        let _ = bound.as_fn_of::<unsafe extern "win64" fn(i32, *const f64) -> i32>();
    }
}

fn main() {
    shadowed::run();
}
