//! What C functions that are called ask of the test: `struct cbt_host` in `c/callers.h`.

use crate::call;

/// The answers.
#[derive(Debug)]
#[repr(C)]
pub struct Host {
    receive: unsafe extern "C" fn(*const *const u8, *const u32),
    reply: extern "C" fn() -> *const (),
}

/// Those of this process.
pub const HOST: Host = Host { receive, reply };

/// # Safety
///
/// There are as many of either as the signature has parameters, and the addresses are those of values.
unsafe extern "C" fn receive(arguments: *const *const u8, extended: *const u32) {
    // SAFETY: the caller's promise.
    unsafe {
        call::receive(std::slice::from_raw_parts(arguments, call::parameters()));
        call::receive_extended(extended);
    }
}

extern "C" fn reply() -> *const () {
    call::reply()
}
