//! The vector registers beyond SSE: whether the CPU has them, and how an entry stores and loads them.
//!
//! Entries are compiled for any x86-64 and look when they are called. Where registers are not there, the group is absent
//! from the `CpuState`.

use core::arch::naked_asm;
use core::sync::atomic::AtomicU8;

use crate::__cbframe_unwind as unwind;

/// What there is, as far as the CPU has it and the operating system saves it: 0 nobody has looked, 1 xmm only, 2 ymm,
/// 3 zmm and opmasks of 64 bits.
///
/// Entries of other crates read it, and it may be in another shared library: see `__cbframe_read_vectors`.
pub static VECTORS: AtomicU8 = AtomicU8::new(0);

/// Loads [`VECTORS`] into ecx: on ELF through the global offset table, in which there is its address even if it lies in another
/// shared library, and not if it is 0.
#[cfg(not(any(windows, target_os = "uefi")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_read_vectors {
    () => {
        "mov rcx, [rip + {vectors}@GOTPCREL]
movzx ecx, byte ptr [rcx]"
    };
}

/// Where ecx is 0, nobody has looked: does that, and goes back to label 13.
#[cfg(not(any(windows, target_os = "uefi")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_find_vectors {
    () => {
        "test ecx, ecx
jnz 18f
call [rip + {find_vectors}@GOTPCREL]
jmp 13b
18:"
    };
}

/// Loads [`VECTORS`] into ecx: in PE files only functions of other libraries can be reached without a table of one's own.
#[cfg(any(windows, target_os = "uefi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_read_vectors {
    () => {
        "call {find_vectors} // which loads {vectors}"
    };
}

/// Nothing: `__cbframe_read_vectors` gave no 0.
#[cfg(any(windows, target_os = "uefi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_find_vectors {
    () => {
        ""
    };
}

/// rax = the address of [`VECTORS`], within this library.
#[cfg(not(any(windows, target_os = "uefi")))]
macro_rules! address_of_vectors {
    () => {
        "mov rax, [rip + {vectors}@GOTPCREL]"
    };
}

/// rax = the address of [`VECTORS`], within this library.
#[cfg(any(windows, target_os = "uefi"))]
macro_rules! address_of_vectors {
    () => {
        "lea rax, [rip + {vectors}]"
    };
}

/// Finds out what [`VECTORS`] is to be, unless somebody has; gives it in ecx. Changes rax, rcx and the flags, and no other
/// register: an entry calls it before it has stored the vector registers. (Intel SDM volume 1, sections 14.3 and 15.2: CPUID says what the CPU has, XCR0 what
/// the system has enabled. AVX-512 counts only with BW, which makes the opmasks 64 bits wide, as on every CPU
/// with AVX-512 but Knights Landing and Knights Mill.)
///
/// # Safety
///
/// The caller expects these registers to change.
#[unsafe(naked)]
pub unsafe extern "C" fn find_vectors() {
    naked_asm!(
        unwind!(dwarf ".cfi_startproc"; seh ".seh_proc .Lcbframe"),
        "endbr64",
        address_of_vectors!(),
        "movzx ecx, byte ptr [rax]",
        "test ecx, ecx",
        "jnz 3f",
        "push rbx",
        unwind!(dwarf ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset rbx, 0"; seh ".seh_pushreg rbx"),
        "push rdx",
        unwind!(dwarf ".cfi_adjust_cfa_offset 8"; seh ".seh_pushreg rdx"),
        "push rsi",
        unwind!(dwarf ".cfi_adjust_cfa_offset 8"; seh ".seh_pushreg rsi", ".seh_endprologue"),
        "mov esi, 1",
        "mov eax, 1",
        "xor ecx, ecx",
        "cpuid",
        "and ecx, 0x18000000", // OSXSAVE, AVX
        "cmp ecx, 0x18000000",
        "jne 2f",
        "xor ecx, ecx",
        "xgetbv",
        "mov edx, eax",
        "and edx, 0x06", // SSE, AVX
        "cmp edx, 0x06",
        "jne 2f",
        "mov esi, 2",
        "and eax, 0xe6", // opmask, ZMM_Hi256, Hi16_ZMM too
        "cmp eax, 0xe6",
        "jne 2f",
        "xor eax, eax",
        "cpuid",
        "cmp eax, 7",
        "jb 2f",
        "mov eax, 7",
        "xor ecx, ecx",
        "cpuid",
        "and ebx, 0x40010000", // AVX512F, AVX512BW
        "cmp ebx, 0x40010000",
        "jne 2f",
        "mov esi, 3",
        "2:",
        address_of_vectors!(),
        "mov [rax], sil",
        "mov ecx, esi",
        "pop rsi",
        unwind!(dwarf ".cfi_adjust_cfa_offset -8"),
        "pop rdx",
        unwind!(dwarf ".cfi_adjust_cfa_offset -8"),
        "pop rbx",
        unwind!(dwarf ".cfi_adjust_cfa_offset -8", ".cfi_restore rbx"),
        "3:",
        "ret",
        unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
        vectors = sym VECTORS,
    )
}

/// What [`VECTORS`] says, which is found out first if need be.
#[cfg(feature = "alloc")]
fn vectors() -> u8 {
    let known = VECTORS.load(core::sync::atomic::Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: a C function, which changes less than one may.
    unsafe { find_vectors() };
    VECTORS.load(core::sync::atomic::Ordering::Relaxed)
}

/// Whether there are ymm registers.
#[cfg(feature = "alloc")]
pub(super) fn has_ymm() -> bool {
    vectors() >= 2
}

/// Whether there are zmm registers.
#[cfg(feature = "alloc")]
pub(super) fn has_zmm() -> bool {
    vectors() >= 3
}

/// Stores the vector registers whole: all that there are, of the groups in the const operand `groups`, each below the
/// multiple of 64 at or below `[rsp + {wide}]`, register n `64 * (n + 1)` bytes and opmask n `64 * 33 - 8 * n` bytes; and
/// notes in the state which groups there are. Changes rax, rcx and the flags; goes on at label 16.
///
/// Ends with clean upper halves, without which SSE instructions would be slow in Rust.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_store_wide {
    () => {
        $crate::private::core::concat!(
            "13:\n",
            $crate::__cbframe_read_vectors!(),
            "
lea rax, [rsp + {wide}]
and rax, -64
cmp ecx, 2
jb 14f
.if {groups} & .Lcbframe_avx512
ja 17f
.endif
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
vmovaps [rax - 64 * (\\n + 1)], ymm\\n
.endr
mov dword ptr [rsp + {state} + .Lcbframe_present], {present} & ~.Lcbframe_avx512
15:
vzeroupper
16:"
        )
    };
}

/// The rare paths of [`__cbframe_store_wide`].
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_store_wide_rarely {
    () => {
        $crate::private::core::concat!(
            "14:\n",
            $crate::__cbframe_find_vectors!(),
            "
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
movaps [rsp + {state} + .Lcbframe_xmm + 16 * \\n], xmm\\n
.endr
mov dword ptr [rsp + {state} + .Lcbframe_present], {present} & ~(.Lcbframe_avx | .Lcbframe_avx512)
jmp 16b
.if {groups} & .Lcbframe_avx512
17:
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
vmovaps [rax - 64 * (\\n + 1)], zmm\\n
.endr
.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
vmovaps [rax - 64 * (\\n + 1)], zmm\\n
.endr
.irp n, 0, 1, 2, 3, 4, 5, 6, 7
kmovq [rax - 64 * 33 + 8 * \\n], k\\n
.endr
mov dword ptr [rsp + {state} + .Lcbframe_present], {present}
jmp 15b
.endif"
        )
    };
}

/// Loads what [`__cbframe_store_wide`] has stored, but for the registers below 16 that are not in `whole`. Changes rax and the
/// flags.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_load_wide {
    () => {
        "\
lea rax, [rsp + {wide}]
and rax, -64
test dword ptr [rsp + {state} + .Lcbframe_present], .Lcbframe_avx
jz 19f
.if {groups} & .Lcbframe_avx512
test dword ptr [rsp + {state} + .Lcbframe_present], .Lcbframe_avx512
jnz 20f
.endif
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
.if ({whole} >> (\\n + 16)) & 1
vmovaps ymm\\n, [rax - 64 * (\\n + 1)]
.endif
.endr
21:"
    };
}

/// The rare paths of [`__cbframe_load_wide`].
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_load_wide_rarely {
    () => {
        "\
19:
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
.if ({whole} >> (\\n + 16)) & 1
movsd xmm\\n, [rsp + {state} + .Lcbframe_xmm + 16 * \\n]
movhps xmm\\n, [rsp + {state} + .Lcbframe_xmm + 8 + 16 * \\n]
.endif
.endr
jmp 21b
.if {groups} & .Lcbframe_avx512
20:
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
.if ({whole} >> (\\n + 16)) & 1
vmovaps zmm\\n, [rax - 64 * (\\n + 1)]
.endif
.endr
.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
vmovaps zmm\\n, [rax - 64 * (\\n + 1)]
.endr
.irp n, 0, 1, 2, 3, 4, 5, 6, 7
kmovq k\\n, [rax - 64 * 33 + 8 * \\n]
.endr
jmp 21b
.endif"
    };
}
