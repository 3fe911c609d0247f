//! System calls of 32-bit x86.

use core::arch::{asm, naked_asm};

/// Their numbers (`arch/x86/entry/syscalls/syscall_32.tbl`).
pub(super) mod number {
    pub(in crate::os::linux) const READ: usize = 3;
    pub(in crate::os::linux) const WRITE: usize = 4;
    pub(in crate::os::linux) const CLOSE: usize = 6;
    pub(in crate::os::linux) const LSEEK: usize = 19;
    pub(in crate::os::linux) const OPENAT: usize = 295;
    /// `mmap2`, whose offset is a number of pages.
    pub(in crate::os::linux) const MMAP: usize = 192;
    pub(in crate::os::linux) const MPROTECT: usize = 125;
    pub(in crate::os::linux) const MUNMAP: usize = 91;
    pub(in crate::os::linux) const MREMAP: usize = 163;
    pub(in crate::os::linux) const MADVISE: usize = 219;
    pub(in crate::os::linux) const GETPID: usize = 20;
    pub(in crate::os::linux) const GETTID: usize = 224;
    pub(in crate::os::linux) const TGKILL: usize = 270;
    #[cfg(feature = "std")]
    pub(in crate::os::linux) const MEMBARRIER: usize = 375;
}

/// By how much offsets in files that are mapped are divided.
pub(super) const MMAP_UNIT: usize = 4096;

/// # Safety
///
/// What the system call with this number asks for.
pub(super) unsafe fn syscall_of_six(number: usize, arguments: [usize; 6]) -> isize {
    /// Two of the kernel's registers are not `asm!`'s to give: ebx, esi, edi and ebp are saved here.
    #[unsafe(naked)]
    unsafe extern "fastcall" fn call(_number: usize, _arguments: *const [usize; 6]) -> isize {
        naked_asm!(
            ".cfi_startproc",
            "push ebp",
            ".cfi_def_cfa_offset 8",
            ".cfi_offset ebp, -8",
            "push ebx",
            ".cfi_def_cfa_offset 12",
            ".cfi_offset ebx, -12",
            "push esi",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset esi, -16",
            "push edi",
            ".cfi_def_cfa_offset 20",
            ".cfi_offset edi, -20",
            "mov eax, ecx",
            "mov ebx, [edx]",
            "mov ecx, [edx + 4]",
            "mov esi, [edx + 12]",
            "mov edi, [edx + 16]",
            "mov ebp, [edx + 20]",
            "mov edx, [edx + 8]",
            "int 0x80",
            "pop edi",
            ".cfi_def_cfa_offset 16",
            ".cfi_restore edi",
            "pop esi",
            ".cfi_def_cfa_offset 12",
            ".cfi_restore esi",
            "pop ebx",
            ".cfi_def_cfa_offset 8",
            ".cfi_restore ebx",
            "pop ebp",
            ".cfi_def_cfa_offset 4",
            ".cfi_restore ebp",
            "ret",
            ".cfi_endproc",
        )
    }
    // SAFETY: the kernel's convention: number in eax, arguments in ebx, ecx, edx, esi, edi and ebp, the result in eax; the caller's
    // promise.
    unsafe { call(number, &raw const arguments) }
}

/// Ends the process by an instruction that none executes.
pub(super) fn trap() -> ! {
    // SAFETY: it does nothing else.
    unsafe { asm!("ud2", options(noreturn)) }
}
