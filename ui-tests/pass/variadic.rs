//! `...` in every ABI, in functions and closures.

use std::ffi::{c_char, c_int};

use cbframe::{CStrRef, CType, Frame, VaList, cbframe, frame};

macro_rules! in_every_abi {
    ($($name:ident $abi:literal)*) => { $(
        mod $name {
            use super::*;

            #[cbframe(abi = $abi)]
            pub fn sum(count: c_int, mut args: ...) -> c_int {
                (0..count).map(|_| unsafe { args.arg::<c_int>() }).sum()
            }

            #[cbframe(abi = $abi)]
            pub fn scaled(#[state] scale: &c_int, count: c_int, args: ...) -> c_int {
                scale * sum(count, args)
            }
        }
    )* };
}

in_every_abi! {
    c "C" c_unwind "C-unwind" system "system" system_unwind "system-unwind" sysv64 "sysv64"
    sysv64_unwind "sysv64-unwind" win64 "win64" win64_unwind "win64-unwind" efiapi "efiapi"
}

/// No parameter before it, no name, an attribute.
#[cbframe(abi = "C")]
fn none(#[allow(unused)] _: ...) {}

#[cbframe(abi = "C", export = "cbframe_ui_variadic", on_panic = 0)]
fn exported<'a>(_text: &'a c_char, mut _args: ...) -> c_int {
    1
}

/// As bindgen writes it.
type Handler = Option<unsafe extern "C" fn(c_int, *const c_char, ...)>;

#[derive(CType)]
#[repr(C)]
struct Handlers {
    handler: Handler,
}

#[cbframe(abi = "C")]
fn register(handlers: Handlers, other: unsafe extern "C" fn(c_int, ...)) -> Handler {
    let _ = other;
    handlers.handler
}

fn main() {
    let scale = 2;
    macro_rules! check {
        ($($name:ident)*) => { $(
            assert_eq!(unsafe { $name::sum::FN(3, 1, 20, 300) }, 321);
            let frame = $name::scaled::bind(&scale).unwrap();
            assert_eq!(unsafe { frame.as_fn()(3, 1, 20, 300) }, 642);
        )* };
    }
    check! { c c_unwind system system_unwind sysv64 sysv64_unwind win64 win64_unwind efiapi }
    unsafe { none::FN(1, 2.0) };
    assert_eq!(unsafe { exported::FN(&0, 2) }, 1);
    assert!(c::sum::LAYOUT.to_string().starts_with("sysv64 fn(count: i32, ...) -> i32"));

    let mut lines = Vec::new();
    let log = frame!(abi = "C", local, |level: c_int, format: CStrRef<'_>, args: ...| {
        lines.push(format!("{level}: {}", unsafe { args.format(format.as_ptr()) }));
    })
    .unwrap();
    unsafe { log.as_fn()(3, c"%s %d".into(), c"x".as_ptr(), 5) };
    drop(log);
    assert_eq!(lines, ["3: x 5"]);

    let add: Frame<'_, unsafe extern "win64" fn(c_int, ...) -> c_int> =
        frame!(abi = "win64", move |count: c_int, mut args: ...| -> c_int {
            scale + (0..count).map(|_| unsafe { args.arg::<c_int>() }).sum::<c_int>()
        })
        .unwrap();
    assert_eq!(unsafe { add.as_fn()(4, 10, 10, 10, 10) }, 42);
    let _: fn(VaList<'_>) = |args| drop(args);
}
