//! The last error of Windows' own functions, and the errno of C.

use core::ffi::c_int;

// `GetLastError` is the thread's; errno that of the C library which the program is linked with. Named only where a callback
// with `save_errno` is compiled, so that nothing else needs a C library.
unsafe extern "system" {
    safe fn GetLastError() -> u32;
    safe fn SetLastError(error: u32);
}

unsafe extern "C" {
    safe fn _errno() -> *mut c_int;
}

/// C's errno.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn errno() -> c_int {
    // SAFETY: the address of the thread's own errno.
    unsafe { _errno().read() }
}

/// Sets C's errno.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn set_errno(errno: c_int) {
    // SAFETY: as above.
    unsafe { _errno().write(errno) }
}

/// The last error and C's errno as they were, which they will be again when this is dropped.
pub struct SavedErrno {
    last_error: u32,
    errno: c_int,
}

impl SavedErrno {
    /// Reads them.
    #[inline(always)]
    #[must_use = "dropping it writes errno"]
    pub fn read() -> Self {
        let last_error = GetLastError();
        // SAFETY: the address of the thread's own errno.
        Self { last_error, errno: unsafe { _errno().read() } }
    }
}

impl Drop for SavedErrno {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { _errno().write(self.errno) };
        SetLastError(self.last_error);
    }
}
