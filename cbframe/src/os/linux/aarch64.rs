//! System calls of AArch64.

use core::arch::asm;

/// Their numbers (`include/uapi/asm-generic/unistd.h`).
pub(super) mod number {
    pub(in crate::os::linux) const READ: usize = 63;
    pub(in crate::os::linux) const WRITE: usize = 64;
    pub(in crate::os::linux) const CLOSE: usize = 57;
    pub(in crate::os::linux) const LSEEK: usize = 62;
    pub(in crate::os::linux) const OPENAT: usize = 56;
    pub(in crate::os::linux) const MMAP: usize = 222;
    pub(in crate::os::linux) const MPROTECT: usize = 226;
    pub(in crate::os::linux) const MUNMAP: usize = 215;
    pub(in crate::os::linux) const MREMAP: usize = 216;
    pub(in crate::os::linux) const MADVISE: usize = 233;
    pub(in crate::os::linux) const GETPID: usize = 172;
    pub(in crate::os::linux) const GETTID: usize = 178;
    pub(in crate::os::linux) const TGKILL: usize = 131;
    #[cfg(feature = "std")]
    pub(in crate::os::linux) const MEMBARRIER: usize = 283;
}

/// By how much offsets in files that are mapped are divided.
pub(super) const MMAP_UNIT: usize = 1;

/// # Safety
///
/// What the system call with this number asks for.
pub(super) unsafe fn syscall_of_six(number: usize, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let result;
    // SAFETY: the kernel's convention: number in x8, arguments and result in these registers.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            in("x5") f,
            options(nostack),
        );
    }
    result
}

/// Ends the process by an instruction that none executes.
pub(super) fn trap() -> ! {
    // SAFETY: it does nothing else.
    unsafe { asm!("brk #1", options(noreturn)) }
}
