//! Neither `std` nor an allocator: `main.c` is the program.

#![no_std]

use cbframe::cbframe;

#[cbframe(abi = "C", export = "bare_run")]
fn run() -> i32 {
    calls::run();
    0
}

unsafe extern "C" {
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    abort()
}
