//! Windows, or Wine.

mod host;
mod steps;

pub use steps::{Interrupted, functions, on_step, stepping, walk};

use std::ffi::{CStr, c_void};
use std::os::windows::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};

/// How the names of shared libraries end.
pub const LIBRARY: &str = "dll";

/// Whether the shared pool grows.
pub const POOLS_GROW: bool = false;

/// What cargo is told, besides, to build for the target.
pub const TARGET: &[&str] = &["--target", "x86_64-pc-windows-gnu"];

/// The compilers of the target.
pub const GCC: &str = "x86_64-w64-mingw32-gcc";
/// That of C++.
pub const GXX: &str = "x86_64-w64-mingw32-g++";
/// What tells the compilers the target, if they have several.
pub const FLAGS: &[&str] = &[];

/// What tells clang the target, if it is not that of the machine.
pub const CLANG_TARGET: Option<&str> = Some("--target=x86_64-pc-windows-gnu");

/// What the options of a shared library need besides `-shared`.
pub const SHARED: &[&str] = &["-static"];

unsafe extern "system" {
    fn LoadLibraryW(path: *const u16) -> *mut c_void;
    fn GetProcAddress(library: *mut c_void, name: *const std::ffi::c_char) -> *mut c_void;
    safe fn SetErrorMode(mode: u32) -> u32;
    safe fn GetCurrentThreadId() -> u32;
    safe fn SetLastError(error: u32);
    fn VirtualProtect(address: *mut c_void, size: usize, protection: u32, before: *mut u32) -> i32;
    fn WaitForSingleObject(handle: usize, milliseconds: u32) -> u32;
    fn GetExitCodeThread(handle: usize, code: *mut u32) -> i32;
    fn CloseHandle(handle: usize) -> i32;
}

unsafe extern "C" {
    safe fn _errno() -> *mut i32;
    fn _beginthreadex(
        security: *mut c_void,
        stack: u32,
        start: extern "C" fn(*mut c_void) -> u32,
        argument: *mut c_void,
        flags: u32,
        id: *mut u32,
    ) -> usize;
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

/// The number of the calling thread, as messages have it.
#[must_use]
pub fn thread() -> u64 {
    GetCurrentThreadId().into()
}

/// The thread's errno, and its last error.
pub fn set_errno(number: i32) {
    // SAFETY: the thread's own.
    unsafe { *_errno() = number };
    SetLastError(number as u32);
}

/// Has `code`, of two pages at most which nobody executes, written by `write`.
///
/// # Safety
///
/// `write` writes nothing but what is there.
///
/// # Panics
///
/// If the system refuses.
pub unsafe fn patch(code: *mut u8, write: impl FnOnce()) {
    const READ_WRITE: u32 = 4;
    let mut before = 0;
    // SAFETY: the caller's promise.
    unsafe { assert_ne!(VirtualProtect(code.cast(), 64, READ_WRITE, &raw mut before), 0) };
    write();
    // SAFETY: as above.
    unsafe { assert_ne!(VirtualProtect(code.cast(), 64, before, &raw mut before), 0) };
}

/// Starts a thread by the C library.
///
/// # Safety
///
/// `start` may be called with `argument` on another thread.
#[must_use]
pub unsafe fn start_thread(start: Start, argument: *mut c_void) -> Thread {
    // SAFETY: the types are those of the C library, but for what a thread returns.
    let thread = unsafe {
        let start = std::mem::transmute::<Start, extern "C" fn(*mut c_void) -> u32>(start);
        _beginthreadex(std::ptr::null_mut(), 0, start, argument, 0, std::ptr::null_mut())
    };
    assert_ne!(thread, 0);
    Thread(thread)
}

/// What a thread begins with; half of what it returns is its exit code.
pub type Start = unsafe extern "C" fn(*mut c_void) -> usize;

/// A thread of the C library.
pub struct Thread(usize);

impl Thread {
    /// Waits for its end; the lower half of what it returned.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn join(self) -> usize {
        let mut code = 0;
        // SAFETY: it is joined once.
        unsafe {
            assert_eq!(WaitForSingleObject(self.0, u32::MAX), 0);
            assert_ne!(GetExitCodeThread(self.0, &raw mut code), 0);
            CloseHandle(self.0);
        }
        code as usize
    }
}

/// A stack for a coroutine: null, for the system makes it.
#[must_use]
pub fn coroutine_stack(_size: usize) -> *mut c_void {
    std::ptr::null_mut()
}
