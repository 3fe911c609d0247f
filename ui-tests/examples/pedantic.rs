//! Expansions under Clippy's stricter lints: nothing to run, `cargo clippy --all-targets` is the test.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::allow_attributes_without_reason, clippy::as_conversions, clippy::default_numeric_fallback)]
#![deny(clippy::exhaustive_structs, clippy::indexing_slicing, clippy::missing_docs_in_private_items)]
#![deny(clippy::missing_inline_in_public_items, clippy::missing_trait_methods, clippy::multiple_inherent_impl)]
#![deny(clippy::multiple_unsafe_ops_per_block, clippy::panic, clippy::partial_pub_fields, clippy::pub_use)]
#![deny(clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks, clippy::unreachable)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::shadow_reuse, clippy::shadow_unrelated)]
#![deny(clippy::renamed_function_params, clippy::str_to_string)]

use core::sync::atomic::{AtomicI32, Ordering};
use std::process::abort;

use cbframe::{CType, CpuState, CpuSubset, Gpr, PoolFull, bind_static, cbframe, convention, pool};

pool!(static MENU: 4);

/// In one `xmm` register.
#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Point {
    /// Across.
    x: f32,
    /// Up.
    y: f32,
}

/// Calls so far.
static CALLS: AtomicI32 = AtomicI32::new(0);

/// Without state.
#[cbframe(abi = "sysv64")]
fn stateless(point: Point) -> f32 {
    point.x + point.y
}

/// With a panic policy.
#[cbframe(abi = "C", on_panic = abort())]
fn guarded(_: &i32) {}

/// With shared state.
#[cbframe(abi = "C", pool = MENU)]
fn shared(#[state] calls: &AtomicI32, more: i32) {
    calls.fetch_add(more, Ordering::Relaxed);
}

/// With exclusive state and more arguments than registers.
#[cbframe(abi = "win64", name = Exclusive)]
fn exclusive<'a>(#[state] sum: &mut i64, a: i64, b: &'a i64, c: Option<&i64>, d: (u8, u8)) -> &'a i64 {
    *sum += a + b + c.copied().unwrap_or_default() + i64::from(d.0);
    b
}

/// With the state of the CPU.
#[cbframe(abi = "C")]
fn probe(#[cpu] cpu: &mut CpuState, point: Point) -> Point {
    cpu.rax = 1;
    point
}

/// Without any signature.
#[cbframe(abi = "raw")]
fn raw(#[state] offset: &u64, cpu: &mut CpuState) {
    cpu.rax = cpu.rdi + offset;
}

/// With two registers and no others.
#[cbframe(abi = "raw", save(rdi, rax), save_errno)]
fn subset(cpu: &mut CpuSubset) {
    if let Some(word) = cpu.gpr(Gpr::Rdi) {
        cpu.set_gpr(Gpr::Rax, word.i32());
    }
}

/// With an environment of its own.
#[cbframe(abi = "C", save_fenv)]
fn half(x: f64) -> f64 {
    x / 2_f64
}

/// From the middle of a function.
#[cbframe(abi = "raw", enter = "jump")]
fn hook(#[state] passed: &AtomicI32, cpu: &mut CpuState) {
    passed.fetch_add(1_i32, Ordering::Relaxed);
    cpu.rax = 0;
}

/// In another place.
#[cbframe(abi = "C", export = "cbframe_example_exported")]
unsafe fn exported(at: *const i32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { *at }
}

/// With arguments where they are named.
#[cbframe(abi = "custom", ret = "eax", callee_pops = 8)]
fn custom(#[state] offset: &i32, #[reg("ecx")] more: i32, #[stack(0)] _: u64) -> i32 {
    offset + more
}

convention! {
    /// Of this crate's own.
    struct Fast {
        ints: [rax, rdx],
        floats: [xmm0],
        results: [rax],
        preserves: [rcx],
    }
}

/// In a convention of this crate's own.
#[cbframe(abi = Fast)]
fn fast(first: i32, _: f64) -> i32 {
    first
}

fn main() -> Result<(), PoolFull<i64>> {
    drop(shared::bind(&CALLS));
    bind_static!(shared, CALLS)(1_i32);
    Exclusive::leak(0_i64)?(1, &2, None, (3, 4));
    drop(raw::bind(1_u64));
    drop(custom::bind(1_i32));
    drop(hook::bind(&CALLS, std::ptr::null()));
    half::FN(1_f64);
    stateless::FN(Point { x: 0_f32, y: 0_f32 });
    guarded::FN(&1_i32);
    let functions = (probe::FN, exported::FN, fast::FN, subset::FN);
    assert_eq!(size_of_val(&functions), 32, "four pointers");
    Ok(())
}
