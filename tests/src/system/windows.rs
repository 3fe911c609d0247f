//! Windows, or Wine.

use std::ffi::{CStr, c_void};
use std::os::windows::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};

use crate::host;

/// How the names of shared libraries end.
pub const LIBRARY: &str = "dll";

/// The compilers of the target.
pub const GCC: &str = "x86_64-w64-mingw32-gcc";
/// That of C++.
pub const GXX: &str = "x86_64-w64-mingw32-g++";

/// What the options of a shared library need besides `-shared`.
pub const SHARED: &[&str] = &["-static-libgcc"];

unsafe extern "system" {
    fn LoadLibraryW(path: *const u16) -> *mut c_void;
    fn GetProcAddress(library: *mut c_void, name: *const std::ffi::c_char) -> *mut c_void;
    safe fn SetErrorMode(mode: u32) -> u32;
}

/// Whether a process was ended by `abort` of Rust or MSVC (`STATUS_STACK_BUFFER_OVERRUN`).
#[must_use]
pub fn is_aborted(status: ExitStatus) -> bool {
    status.code() == Some(0xc000_0409_u32 as i32)
}

/// Has this process show no window, and start no debugger, when it dies.
pub fn leave_no_dump() {
    const ALL: u32 = 0x8003;
    SetErrorMode(ALL);
}

/// Runs a program of the machine that compiles, with nothing to read.
///
/// # Errors
///
/// If it cannot be started.
pub fn tool(command: &mut Command) -> std::io::Result<Output> {
    host::output(command)
}

/// Loads a shared library, for ever.
///
/// # Safety
///
/// It may be loaded: that is, its constructors may run.
///
/// # Panics
///
/// If that fails.
#[must_use]
pub unsafe fn load(path: &Path) -> *mut c_void {
    let path = std::path::absolute(path).expect("a path");
    let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the caller's promise; the name ends in a NUL.
    let handle = unsafe { LoadLibraryW(name.as_ptr()) };
    assert!(!handle.is_null(), "{} cannot be loaded: {}", path.display(), std::io::Error::last_os_error());
    handle
}

/// The address of something in a library, or null.
///
/// # Safety
///
/// The library is one from [`load`].
#[must_use]
pub unsafe fn symbol(library: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the caller's promise; the name ends in a NUL.
    unsafe { GetProcAddress(library, name.as_ptr()) }
}
