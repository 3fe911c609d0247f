//! Arguments behind `...` that C passes as something else.

use std::ffi::{c_char, c_int};

use cbframe::{CType, VaList, cbframe};

#[derive(CType)]
#[repr(u8)]
enum Small {
    A,
}

#[derive(CType)]
#[repr(transparent)]
struct Wrapped(u16);

struct Unknown;

#[cbframe(abi = "C")]
fn narrow(level: c_int, mut args: ...) {
    unsafe {
        args.arg::<f32>();
        args.arg::<i8>();
        args.arg::<c_char>();
        args.arg::<bool>();
        args.arg::<Small>();
        args.arg::<Wrapped>();
        args.arg::<Unknown>();
        args.arg::<[i32; 2]>();
        args.arg::<()>();
    }
}

fn kept(args: VaList<'_>) -> VaList<'static> {
    args
}

fn sent(args: VaList<'_>) {
    std::thread::scope(|scope| {
        scope.spawn(move || args);
    });
}

fn safe(mut args: VaList<'_>) -> c_int {
    args.arg::<c_int>()
}

fn main() {
    narrow::FN(1, 2);
}
