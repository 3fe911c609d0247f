//! Windows: functions of `kernel32`, which every program has, so that the `no_std` core links with no C library.

#[cfg(feature = "std")]
mod frames;
mod last_error;

pub(crate) use super::fixed::{Refusal, Region, map_again};
#[cfg(feature = "std")]
pub(crate) use frames::{function_at, function_of};
pub use last_error::SavedErrno;
#[cfg(feature = "alloc")]
pub(crate) use last_error::{errno, set_errno};

use core::arch::asm;
use core::ffi::c_void;
#[cfg(feature = "std")]
use core::ffi::{CStr, c_char, c_int};
use core::ops::Range;
use core::ptr;

#[link(name = "kernel32")]
unsafe extern "system" {
    safe fn GetStdHandle(which: u32) -> *mut c_void;
    fn WriteFile(file: *mut c_void, bytes: *const u8, count: u32, written: *mut u32, overlapped: *mut c_void) -> i32;
    safe fn GetCurrentThreadId() -> u32;
    #[cfg(debug_assertions)]
    safe fn GetCurrentProcessId() -> u32;
    fn GetCurrentThreadStackLimits(low: *mut usize, high: *mut usize);
    #[cfg(feature = "std")]
    safe fn IsThreadAFiber() -> i32;
    #[cfg(feature = "std")]
    safe fn FlushProcessWriteBuffers();
    #[cfg(feature = "std")]
    fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
    #[cfg(feature = "std")]
    fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *const ();
}

/// Why pools keep their size: a program's file is mapped as a whole, at addresses that are multiples of 64 KiB in the file as
/// well, which sections are not.
pub(super) const PROGRAM_IS_MAPPED_ONCE: &str = "Windows maps no part of a program's file once more";

/// Writes to standard error.
pub(super) fn write_stderr(mut bytes: &[u8]) {
    const STD_ERROR_HANDLE: u32 = -12_i32 as u32;
    while !bytes.is_empty() {
        let (count, mut written) = (u32::try_from(bytes.len()).unwrap_or(u32::MAX), 0);
        // SAFETY: the range is readable, and `written` a variable. A handle that is none is an error.
        let good = unsafe {
            WriteFile(GetStdHandle(STD_ERROR_HANDLE), bytes.as_ptr(), count, &raw mut written, ptr::null_mut())
        };
        if good == 0 || written == 0 {
            return;
        }
        bytes = &bytes[(written as usize).min(bytes.len())..];
    }
}

/// The system's number of the calling thread.
pub(super) fn current_thread() -> usize {
    GetCurrentThreadId() as usize
}

/// The number of this process.
#[cfg(debug_assertions)]
pub(crate) fn process() -> usize {
    GetCurrentProcessId() as usize
}

/// Ends the process as `std::process::abort` does, and MSVC's `abort`: with the status 0xc0000409.
pub(super) fn abort() -> ! {
    const FAST_FAIL_FATAL_APP_EXIT: u32 = 7;
    // SAFETY: `__fastfail`, which ends the process.
    unsafe { asm!("int 0x29", in("ecx") FAST_FAIL_FATAL_APP_EXIT, options(noreturn, nostack)) }
}

/// The stack that runs: the one that the calling thread was started with, or a fiber's.
pub(crate) fn stack() -> Option<Range<usize>> {
    let (mut low, mut high) = (0, 0);
    // SAFETY: both are variables.
    unsafe { GetCurrentThreadStackLimits(&raw mut low, &raw mut high) };
    Some(low..high)
}

// Of the C library that `std` is linked with, in which it is an inline function for MSVC.
#[cfg(feature = "std")]
#[cfg_attr(target_env = "msvc", link(name = "legacy_stdio_definitions"))]
unsafe extern "C" {
    /// Prints to at most `size` bytes; how many it would have been.
    pub(crate) fn vsnprintf(to: *mut c_char, size: usize, format: *const c_char, arguments: *mut c_void) -> c_int;
}

/// Whether what [`stack`] gives is the stack that the calling thread was started with, and not another that runs: there, the
/// first function of all is that of a thread.
#[cfg(feature = "std")]
pub(crate) fn stack_is_own() -> bool {
    if IsThreadAFiber() == 0 {
        return true;
    }
    let start = of_ntdll(c"RtlUserThreadStart").addr();
    start != 0 && frames::outermost_function() == function_of(start)
}

/// Whether the system puts barriers into other threads. (Wine before version 9 has a function for it that does nothing.)
#[cfg(feature = "std")]
pub(crate) fn register_membarrier() -> bool {
    of_ntdll(c"wine_get_version").is_null()
}

/// A function of the library that is in every process, if there is one of this name.
#[cfg(feature = "std")]
fn of_ntdll(name: &CStr) -> *const () {
    // SAFETY: both names end in a NUL.
    unsafe { GetProcAddress(GetModuleHandleA(c"ntdll.dll".as_ptr()), name.as_ptr()) }
}

/// Has each running thread of this process execute a full memory barrier; whether they have.
#[cfg(feature = "std")]
pub(crate) fn membarrier() -> bool {
    FlushProcessWriteBuffers();
    true
}
