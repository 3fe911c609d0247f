//! macOS, by functions of `libSystem`, with which every program is linked: the numbers of system calls are no interface there.
//!
//! No machine has run this: it is compiled, and what it is compiled to is looked at.

use core::ffi::{c_int, c_void};
use core::ops::Range;

pub(crate) use super::fixed::{Refusal, Region, map_again};
#[cfg(feature = "std")]
pub(crate) use super::unwinder::{function_at, function_of};

unsafe extern "C" {
    fn write(file: c_int, bytes: *const c_void, count: usize) -> isize;
    #[link_name = "abort"]
    safe fn libc_abort() -> !;
    #[cfg(debug_assertions)]
    safe fn getpid() -> c_int;
    fn pthread_threadid_np(thread: *mut c_void, id: *mut u64) -> c_int;
    safe fn pthread_self() -> *mut c_void;
    fn pthread_get_stackaddr_np(thread: *mut c_void) -> *mut c_void;
    fn pthread_get_stacksize_np(thread: *mut c_void) -> usize;
    safe fn __error() -> *mut c_int;
    /// Prints to at most `size` bytes; how many it would have been.
    #[cfg(feature = "std")]
    pub(crate) fn vsnprintf(
        to: *mut core::ffi::c_char,
        size: usize,
        format: *const core::ffi::c_char,
        arguments: *mut c_void,
    ) -> c_int;
}

/// Why pools keep their size: whether the system would let a signed program be mapped so is not known.
pub(super) const PROGRAM_IS_MAPPED_ONCE: &str = "cbframe maps no part of a program's file once more on macOS";

/// Writes to standard error.
pub(super) fn write_stderr(mut bytes: &[u8]) {
    const EINTR: c_int = 4;
    while !bytes.is_empty() {
        // SAFETY: the range is readable; 2 is standard error.
        let written = unsafe { write(2, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => bytes = &bytes[written.min(bytes.len())..],
            Err(_) if errno() == EINTR => {}
            _ => return,
        }
    }
}

/// The system's number of the calling thread.
pub(super) fn current_thread() -> usize {
    let mut id = 0;
    // SAFETY: null is the calling thread, and `id` a variable.
    unsafe { pthread_threadid_np(core::ptr::null_mut(), &raw mut id) };
    id as usize
}

/// The number of this process.
#[cfg(debug_assertions)]
pub(crate) fn process() -> usize {
    getpid() as usize
}

/// Ends the process by `SIGABRT`.
pub(super) fn abort() -> ! {
    libc_abort()
}

/// The stack that the calling thread was started with.
pub(crate) fn stack() -> Option<Range<usize>> {
    let thread = pthread_self();
    // SAFETY: the calling thread exists. The address is that of the stack's end, where it begins to be used.
    let (end, size) = unsafe { (pthread_get_stackaddr_np(thread).addr(), pthread_get_stacksize_np(thread)) };
    Some(end.checked_sub(size)?..end)
}

/// Whether what [`stack`] gives is the stack that the calling thread was started with, and not another that runs.
#[cfg(feature = "std")]
pub(crate) fn stack_is_own() -> bool {
    true
}

/// Whether the system puts barriers into other threads: it has no call for that.
#[cfg(feature = "std")]
pub(crate) fn register_membarrier() -> bool {
    false
}

/// Has no other thread execute a barrier.
#[cfg(feature = "std")]
pub(crate) fn membarrier() -> bool {
    false
}

/// C's errno.
#[inline(always)]
pub(crate) fn errno() -> c_int {
    // SAFETY: the address of the thread's own errno.
    unsafe { __error().read() }
}

/// Sets C's errno.
#[inline(always)]
pub(crate) fn set_errno(errno: c_int) {
    // SAFETY: as above.
    unsafe { __error().write(errno) }
}

/// C's errno as it was, which it will be again when this is dropped.
pub struct SavedErrno(c_int);

impl SavedErrno {
    /// Reads it.
    #[inline(always)]
    #[must_use = "dropping it writes errno"]
    pub fn read() -> Self {
        Self(errno())
    }
}

impl Drop for SavedErrno {
    #[inline(always)]
    fn drop(&mut self) {
        set_errno(self.0);
    }
}
