//! Unix.

use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};

/// How the names of shared libraries end.
pub const LIBRARY: &str = "so";

/// The compilers of the target.
pub const GCC: &str = "gcc";
/// That of C++.
pub const GXX: &str = "g++";

/// What the options of a shared library need besides `-shared`.
pub const SHARED: &[&str] = &["-fPIC"];

/// Whether a process was ended by `abort`.
#[must_use]
pub fn is_aborted(status: ExitStatus) -> bool {
    status.signal() == Some(libc::SIGABRT)
}

/// Has this process leave no core file behind.
pub fn leave_no_dump() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `none` is a limit.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}

/// Runs a program of the machine that compiles, with nothing to read.
///
/// # Errors
///
/// If it cannot be started.
pub fn tool(command: &mut Command) -> std::io::Result<Output> {
    command.output()
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
    let name = CString::new(path.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the caller's promise; the name ends in a NUL.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
    assert!(!handle.is_null(), "{} cannot be loaded", path.display());
    // It stays mapped.
    std::fs::remove_file(path).expect("it was made a moment ago");
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
    unsafe { libc::dlsym(library, name.as_ptr()) }
}
