//! Expansions kept under `snapshots/callback_*.rs`. What the compiler says of wrong input is in `ui-tests`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::callback;
use crate::snapshot;

#[test]
fn stateless() {
    let expansion = callback(
        quote!(abi = "sysv64"),
        quote! {
            /// Documented.
            pub fn norm(p: Point, f: Option<extern "C" fn(&u8)>, _: &Foreign) -> f64 {
                p.x
            }
        },
    );
    snapshot::assert("callback_stateless", expansion);
}

#[test]
fn shared_sysv64() {
    let expansion = callback(
        quote!(abi = "sysv64"),
        quote! {
            fn compare<'a>(#[state] order: &Order<'_>, a: &'a Item, b: &'a Item) -> &'a Item {
                order.first(a, b)
            }
        },
    );
    snapshot::assert("callback_shared_sysv64", expansion);
}

#[test]
fn exclusive_win64() {
    let expansion = callback(
        quote!(abi = "win64"),
        quote! {
            fn push(#[state] list: &mut Vec<u64>, a: u64, b: u32, c: f64) {
                list.push(a);
            }
        },
    );
    snapshot::assert("callback_exclusive_win64", expansion);
}

#[test]
fn custom() {
    let expansion = callback(
        quote!(abi = "custom", ret = "ecx", callee_pops = 8),
        quote! {
            fn usercall(#[state] s: &S, #[reg("eax")] n: i32, #[reg("rsi")] this: *mut Obj, #[stack(0)] k: f32, #[stack(4)] l: f32) -> i32 {
                s.call(n, this, k, l)
            }
        },
    );
    snapshot::assert("callback_custom", expansion);
}

#[test]
fn named_convention() {
    let expansion = callback(
        quote!(abi = conventions::Regcall),
        quote! {
            fn scale(n: i32, x: f64) -> f64 {
                f64::from(n) * x
            }
        },
    );
    snapshot::assert("callback_convention", expansion);
}

#[test]
fn native_with_pool() {
    let expansion = callback(
        quote!(abi = "C", pool = crate::MENU, entry = "stack"),
        quote! {
            unsafe fn chosen(#[state] entry: &Entry) {
                entry.run();
            }
        },
    );
    snapshot::assert("callback_native_pool", expansion);
}

#[test]
fn captured() {
    let expansion = callback(
        quote!(abi = "win64"),
        quote! {
            fn probe(#[cpu] cpu: &mut CpuState, mut r#type: i32, b: f32) -> i64 {
                0
            }
        },
    );
    snapshot::assert("callback_captured", expansion);
}

#[test]
fn raw() {
    let expansion = callback(
        quote!(abi = "raw", save(gpr, x87)),
        quote! {
            fn square(#[state] calls: &AtomicU64, cpu: &mut CpuState) {
                cpu.rax = cpu.rdi;
            }
        },
    );
    snapshot::assert("callback_raw", expansion);
}

#[test]
fn options() {
    let expansion = callback(
        quote!(abi = "C", on_panic = -1, export = "on_event", name = Handle, crate = crate::ffi::callbacks),
        quote! {
            #[cfg(unix)]
            #[deprecated = "use another"]
            #[allow(clippy::needless_pass_by_value)]
            #[inline]
            pub(crate) fn event(code: i32) -> i32 {
                code
            }
        },
    );
    snapshot::assert("callback_options", expansion);
}

/// What is being typed parses all the same.
#[test]
fn unfinished_body() {
    let with = |body: TokenStream| callback(quote!(abi = "C"), quote!(fn f(x: i32) { #body })).to_string();
    assert_eq!(with(quote!(x.)), with(quote!(MARK)).replace("MARK", "x ."));
    syn::parse_str::<syn::File>(&with(quote!(MARK))).expect("items");
}

/// The function is there even if something is wrong with it.
#[test]
fn refused() {
    for (options, function) in [
        (quote!(abi = "D"), quote!(fn f(x: i32) { x. })),
        (quote!(abi "C"), quote!(fn f(x: i32) { x. })),
        (quote!(abi = "C", crate = a::<u8>), quote!(fn f(x: i32) { x. })),
        (quote!(abi = "C"), quote!(async fn f((x, y): (i32, i32)) { x. })),
        (quote!(abi = "C"), quote!(fn f(x: ) { x. })),
    ] {
        let expansion = callback(options, function.clone()).to_string();
        assert!(expansion.contains("compile_error !"), "{expansion}");
        assert!(expansion.ends_with(&function.to_string()), "{expansion}");
    }
    let expansion = callback(
        quote!(),
        quote!(
            fn f(#[state] s: &u8, #[cpu] c: &mut CpuState, #[other] x: u8) {}
        ),
    );
    assert!(expansion.to_string().ends_with("fn f (s : & u8 , c : & mut CpuState , # [other] x : u8) { }"));
}
