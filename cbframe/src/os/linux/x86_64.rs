//! System calls of x86-64.

use core::arch::asm;

/// Their numbers (`arch/x86/entry/syscalls/syscall_64.tbl`).
pub(super) mod number {
    pub(in crate::os::linux) const READ: usize = 0;
    pub(in crate::os::linux) const WRITE: usize = 1;
    pub(in crate::os::linux) const CLOSE: usize = 3;
    pub(in crate::os::linux) const LSEEK: usize = 8;
    pub(in crate::os::linux) const OPENAT: usize = 257;
    pub(in crate::os::linux) const MMAP: usize = 9;
    pub(in crate::os::linux) const MPROTECT: usize = 10;
    pub(in crate::os::linux) const MUNMAP: usize = 11;
    pub(in crate::os::linux) const MREMAP: usize = 25;
    pub(in crate::os::linux) const MADVISE: usize = 28;
    pub(in crate::os::linux) const GETPID: usize = 39;
    pub(in crate::os::linux) const GETTID: usize = 186;
    pub(in crate::os::linux) const TGKILL: usize = 234;
    #[cfg(feature = "std")]
    pub(in crate::os::linux) const MEMBARRIER: usize = 324;
}

/// By how much offsets in files that are mapped are divided.
pub(super) const MMAP_UNIT: usize = 1;

/// # Safety
///
/// What the system call with this number asks for.
pub(super) unsafe fn syscall_of_six(number: usize, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let result;
    // SAFETY: the kernel's convention: number in rax, arguments in these registers; rcx and r11 are clobbered.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            in("r9") f,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result
}

/// Ends the process by an instruction that none executes.
pub(super) fn trap() -> ! {
    // SAFETY: it does nothing else.
    unsafe { asm!("ud2", options(noreturn)) }
}
