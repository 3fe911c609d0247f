//! Unix.

mod compilers;
mod steps;

pub use compilers::{CLANG_TARGET, FLAGS, GCC, GXX, TARGET};
#[cfg(not(any(target_arch = "aarch64", target_arch = "riscv64")))]
pub use steps::stepping;
pub use steps::{Interrupted, functions, on_step, walk};

use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};

/// How the names of shared libraries end.
pub const LIBRARY: &str = "so";

/// Whether the shared pool grows.
pub const POOLS_GROW: bool = true;

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

/// The number of the calling thread, as messages have it.
#[must_use]
pub fn thread() -> u64 {
    // SAFETY: it has no arguments and cannot fail.
    unsafe { libc::gettid() as u64 }
}

/// The thread's errno.
pub fn set_errno(number: i32) {
    // SAFETY: the thread's own.
    unsafe { *libc::__errno_location() = number };
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
    let page = code.map_addr(|address| address & !4095).cast();
    // SAFETY: the caller's promise.
    unsafe { assert_eq!(libc::mprotect(page, 8192, libc::PROT_READ | libc::PROT_WRITE), 0) };
    write();
    // SAFETY: as above.
    unsafe { assert_eq!(libc::mprotect(page, 8192, libc::PROT_READ | libc::PROT_EXEC), 0) };
}

/// Starts a thread by the C library.
///
/// # Safety
///
/// `start` may be called with `argument` on another thread.
#[must_use]
pub unsafe fn start_thread(start: Start, argument: *mut c_void) -> Thread {
    let mut thread = 0;
    // SAFETY: the types are those of the C library, but for what a thread returns.
    let error = unsafe {
        let start = std::mem::transmute::<Start, extern "C" fn(*mut c_void) -> *mut c_void>(start);
        libc::pthread_create(&raw mut thread, std::ptr::null(), start, argument)
    };
    assert_eq!(error, 0);
    Thread(thread)
}

/// What a thread begins with.
pub type Start = unsafe extern "C" fn(*mut c_void) -> usize;

/// A thread of the C library.
pub struct Thread(libc::pthread_t);

impl Thread {
    /// Waits for its end; what it returned.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn join(self) -> usize {
        let mut result = std::ptr::null_mut();
        // SAFETY: it is joined once.
        assert_eq!(unsafe { libc::pthread_join(self.0, &raw mut result) }, 0);
        result.addr()
    }
}

/// A stack for a coroutine, which stays mapped.
///
/// # Panics
///
/// If there is no memory.
#[must_use]
pub fn coroutine_stack(size: usize) -> *mut c_void {
    // SAFETY: a new mapping.
    let stack = unsafe {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0)
    };
    assert_ne!(stack, libc::MAP_FAILED);
    stack
}
