//! Linux. System calls by number, so that the `no_std` core links with no C library; the numbers are with the architectures.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod again;
mod errno;
mod file;
mod memory;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "x86")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64 as machine;
#[cfg(target_arch = "riscv64")]
use riscv64 as machine;
#[cfg(target_arch = "x86")]
use x86 as machine;
#[cfg(target_arch = "x86_64")]
use x86_64 as machine;

#[cfg(feature = "std")]
pub(crate) use super::unwinder::{function_at, function_of};
pub(crate) use again::{Refusal, map_again};
use errno::Errno;
pub use errno::SavedErrno;
#[cfg(feature = "alloc")]
pub(crate) use errno::{errno, set_errno};
pub(crate) use memory::Region;

use machine::{MMAP_UNIT, number, syscall_of_six, trap};

const SIGABRT: usize = 6;
const EINTR: isize = 4;

/// # Safety
///
/// What the system call with this number asks for.
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize) -> isize {
    // SAFETY: the caller's promise; arguments that a call does not have are not looked at.
    unsafe { syscall_of_six(number, [a, b, c, 0, 0, 0]) }
}

/// Writes to standard error.
pub(super) fn write_stderr(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the range is readable; 2 is standard error.
        let written = unsafe { syscall(number::WRITE, 2, bytes.as_ptr() as usize, bytes.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => bytes = &bytes[written.min(bytes.len())..],
            Err(_) if written == -EINTR => {}
            _ => return,
        }
    }
}

/// The kernel's number of the calling thread.
pub(super) fn current_thread() -> usize {
    // SAFETY: `gettid` has no arguments and cannot fail.
    unsafe { syscall(number::GETTID, 0, 0, 0) as usize }
}

/// The number of this process.
pub(crate) fn process() -> usize {
    // SAFETY: `getpid` has no arguments and cannot fail.
    unsafe { syscall(number::GETPID, 0, 0, 0) as usize }
}

/// Ends the process by `SIGABRT`.
pub(super) fn abort() -> ! {
    // SAFETY: the calls send a signal to this thread; where it is blocked or returns, the trap is left.
    unsafe { syscall(number::TGKILL, process(), current_thread(), SIGABRT) };
    trap()
}

/// The stack that the calling thread was started with; `None` if that is not known.
#[cfg(not(feature = "std"))]
pub(crate) fn stack() -> Option<core::ops::Range<usize>> {
    None
}

/// The stack that the calling thread was started with; `None` if that is not known.
#[cfg(feature = "std")]
pub(crate) fn stack() -> Option<core::ops::Range<usize>> {
    use core::ffi::{c_int, c_void};
    use core::mem::MaybeUninit;

    /// At least as large, and as aligned, as those of glibc and musl.
    #[repr(C)]
    struct Attributes([usize; 16]);

    // Of the C library that `std` is linked with.
    unsafe extern "C" {
        fn pthread_self() -> usize;
        fn pthread_getattr_np(thread: usize, attributes: *mut Attributes) -> c_int;
        fn pthread_attr_getstack(attributes: *const Attributes, start: *mut *mut c_void, size: *mut usize) -> c_int;
        fn pthread_attr_destroy(attributes: *mut Attributes) -> c_int;
    }

    let mut attributes = MaybeUninit::uninit();
    let (mut start, mut size) = (core::ptr::null_mut(), 0);
    // SAFETY: the calling thread exists; the attributes are initialized by the first call, if that succeeds, and
    // destroyed by the last.
    let found = unsafe {
        pthread_getattr_np(pthread_self(), attributes.as_mut_ptr()) == 0 && {
            let found = pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut size) == 0;
            pthread_attr_destroy(attributes.as_mut_ptr());
            found
        }
    };
    found.then(|| start.addr()..start.addr() + size)
}

// Of the C library that `std` is linked with.
#[cfg(feature = "std")]
unsafe extern "C" {
    /// Prints to at most `size` bytes; how many it would have been.
    pub(crate) fn vsnprintf(
        to: *mut core::ffi::c_char,
        size: usize,
        format: *const core::ffi::c_char,
        arguments: *mut core::ffi::c_void,
    ) -> core::ffi::c_int;
}

/// Whether what [`stack`] gives is the stack that the calling thread was started with, and not another that runs.
#[cfg(feature = "std")]
pub(crate) fn stack_is_own() -> bool {
    true
}

/// Asks the kernel for barriers in other threads; whether it has them.
#[cfg(feature = "std")]
pub(crate) fn register_membarrier() -> bool {
    const REGISTER_PRIVATE_EXPEDITED: usize = 1 << 4;
    // SAFETY: it only changes what `membarrier` does.
    unsafe { syscall(number::MEMBARRIER, REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 }
}

/// Has each running thread of this process execute a full memory barrier; whether they have.
#[cfg(feature = "std")]
pub(crate) fn membarrier() -> bool {
    const PRIVATE_EXPEDITED: usize = 1 << 3;
    // SAFETY: barriers change nothing.
    unsafe { syscall(number::MEMBARRIER, PRIVATE_EXPEDITED, 0, 0) == 0 }
}
