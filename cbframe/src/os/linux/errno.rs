//! Errors of system calls.

use core::ffi::c_int;
use core::fmt;

/// The number of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u16);

impl Errno {
    /// No such file.
    pub(crate) const NOENT: Self = Self(2);

    /// The result of a system call, which is an error in the range that the kernel has for them.
    pub(super) fn check(result: isize) -> Result<usize, Self> {
        match result {
            -4095..=-1 => Err(Self(result.unsigned_abs() as u16)),
            _ => Ok(result as usize),
        }
    }

    /// The name, of those that opening, reading and mapping a file can give (Linux, `errno-base.h` and `errno.h`).
    const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "EPERM",
            2 => "ENOENT",
            4 => "EINTR",
            5 => "EIO",
            6 => "ENXIO",
            9 => "EBADF",
            11 => "EAGAIN",
            12 => "ENOMEM",
            13 => "EACCES",
            14 => "EFAULT",
            17 => "EEXIST",
            19 => "ENODEV",
            20 => "ENOTDIR",
            22 => "EINVAL",
            23 => "ENFILE",
            24 => "EMFILE",
            36 => "ENAMETOOLONG",
            38 => "ENOSYS",
            40 => "ELOOP",
            95 => "EOPNOTSUPP",
            116 => "ESTALE",
            _ => return None,
        })
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}, error {}", self.0),
            None => write!(f, "error {}", self.0),
        }
    }
}

// Of glibc and musl; named only where a callback with `save_errno`, or a call with errno, is compiled, so that nothing else needs a
// C library.
unsafe extern "C" {
    safe fn __errno_location() -> *mut c_int;
}

/// C's errno.
#[inline(always)]
pub(crate) fn errno() -> c_int {
    // SAFETY: the address of the thread's own errno.
    unsafe { __errno_location().read() }
}

/// Sets C's errno.
#[inline(always)]
pub(crate) fn set_errno(errno: c_int) {
    // SAFETY: as above.
    unsafe { __errno_location().write(errno) }
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
