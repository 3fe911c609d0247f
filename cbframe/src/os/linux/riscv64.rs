//! System calls of RISC-V.

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
    // SAFETY: the kernel's convention: number in a7, arguments and result in these registers.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b,
            in("a2") c,
            in("a3") d,
            in("a4") e,
            in("a5") f,
            options(nostack),
        );
    }
    result
}

/// Ends the process by an instruction that none executes.
pub(super) fn trap() -> ! {
    // SAFETY: it does nothing else.
    unsafe { asm!("unimp", options(noreturn)) }
}
