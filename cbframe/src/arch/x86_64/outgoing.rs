//! Calls in the other direction: registers are loaded from a state, an address is called, and what it leaves is stored.
//!
//! ```text
//!   at the call   rsp ▸ [arguments …] [up to 63: alignment] [record: rbp, state]  up to the room  [frame of the caller]
//!                                                           └ at a multiple of the room
//! ```
//!
//! A function may change every register, and pop its arguments: then nothing is left that tells where the caller's frame is
//! but the stack pointer. So the record lies at a multiple of the room, a power of two, with fewer bytes of arguments below
//! it, and is found by rounding the stack pointer up, by what runs after the call and by the unwinder. Windows' unwinder finds
//! the frame by rbp: so what may unwind there gets rbp as it is here, and has no argument in it.

use core::arch::naked_asm;

use super::image::CpuImage;
use super::state::CpuState;
use crate::__cbframe_unwind as unwind;

/// What there is to be done around a call, as bits.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct How(u32);

impl How {
    /// General and vector registers, as a function with a signature has them.
    pub(super) const PLAIN: Self = Self(0);
    /// Every register of a [`CpuImage`]: flags, mxcsr and the x87 unit too.
    pub(super) const WHOLE: Self = Self(1);
    /// r11, which holds the address otherwise, or rbp carries an argument.
    pub(super) const RARE: Self = Self(1 << 1);
    /// rbp is loaded, since it carries an argument, or counts as much as every other register.
    pub(super) const RBP: Self = Self(1 << 6);
    /// A result in `st(0)`.
    pub(super) const X87: Self = Self(1 << 2);
    /// A second one in `st(1)`.
    pub(super) const X87_PAIR: Self = Self(1 << 3);
    /// Arguments or a result in ymm registers; the first eight are loaded and the first is stored.
    pub(super) const YMM: Self = Self(1 << 4);
    /// Arguments or a result in zmm registers.
    pub(super) const ZMM: Self = Self(1 << 5);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether some vector register is wider than 16 bytes.
    pub(super) const fn is_wide(self) -> bool {
        self.0 & (Self::YMM.0 | Self::ZMM.0) != 0
    }
}

/// How many bytes of arguments a call can have: `ret` pops no more (Intel SDM volume 2, "RET").
pub(in crate::arch) const MOST: usize = (1 << 16) - 64;

/// Calls `address` with the registers in `image`, of which rip, rsp and, but for [`How::WHOLE`], flags, mxcsr and the x87
/// unit do not count, and a copy of the words at `stack` above the return address. What the function leaves is in `image`,
/// also how much of the stack it has popped.
///
/// # Safety
///
/// - Up to [`MOST`] bytes of words are readable at `stack`.
/// - `how` says of the function what there is to be said, and the CPU has the registers.
/// - The function may be called with these arguments. It returns, or unwinds if `unwind`.
#[inline]
pub(super) unsafe fn call(
    image: *mut CpuImage,
    address: *const (),
    (stack, words): (*const u64, usize),
    how: How,
    unwind: bool,
) {
    type Thunk = unsafe extern "sysv64-unwind" fn(*mut CpuState, *const u64, usize, How, *const ());
    type NoUnwind = unsafe extern "sysv64" fn(*mut CpuState, *const u64, usize, How, *const ());

    const _: () = assert!(size_of::<How>() == 4);
    let thunk: Thunk = if words <= (4096 - 64) / 8 { with_a_page } else { with_more };
    let state = CpuImage::state(image);
    // There is no unwinder under UEFI, and no personality routine, which rustc would name.
    const CAN_UNWIND: bool = cfg!(not(target_os = "uefi"));
    // SAFETY: the caller's promise. The two pointer types differ in nothing but whether calls unwind.
    unsafe {
        if CAN_UNWIND && unwind {
            thunk(state, stack, words, how, address);
        } else {
            core::mem::transmute::<Thunk, NoUnwind>(thunk)(state, stack, words, how, address);
        }
    }
}

/// How many bytes of arguments the last [`call`] with this image has popped.
pub(super) fn popped(image: &CpuImage) -> usize {
    let state: *const CpuState = &raw const **image;
    // SAFETY: `call` has stored the stack pointer as it was before in the word of ctx.
    let before = unsafe { state.byte_add(CpuState::CTX).cast::<u64>().read() };
    image.rsp.wrapping_sub(before) as usize
}

/// The offset from a state of what does not fit into it: see `capture`.
const WIDE: usize = super::capture::WIDE_BELOW;

/// Defines the thunk `$name`, for less than `$room` bytes of arguments. The CFA is found by a DWARF expression, whose bytes are
/// given: breg7 (rsp) 0; const `$room` - 1; plus; const -`$room`; and; deref, which gives rbp; plus_uconst 16.
macro_rules! thunk {
    ($(#[$meta:meta])* $name:ident, $room:literal, $cfa:literal) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "sysv64-unwind" fn $name(
            _: *mut CpuState, /* rdi */
            _: *const u64,    /* rsi */
            _: usize,         /* rdx */
            _: How,           /* ecx */
            _: *const (),     /* r8 */
        ) {
            naked_asm!(
                crate::__cbframe_names!(),
                ".set .Lcbframe_at, 0",
                ".irp r, rdi, rsi, rdx, rcx, r8, r9",
                ".set .Lcbframe_\\r, .Lcbframe_at",
                ".set .Lcbframe_at, .Lcbframe_at + 8",
                ".endr",
                ".set .Lcbframe_at, .Lcbframe_rax",
                ".irp r, rax, rbx, rbp, rsp, r10, r11, r12, r13, r14, r15",
                ".set .Lcbframe_\\r, .Lcbframe_at",
                ".set .Lcbframe_at, .Lcbframe_at + 8",
                ".endr",
                unwind!(dwarf ".cfi_startproc"; seh ".seh_proc .Lcbframe"),
                "endbr64",
                "push rbp",
                unwind!(dwarf ".cfi_def_cfa_offset 16", ".cfi_offset rbp, -16"; seh ".seh_pushreg rbp"),
                "mov rbp, rsp",
                unwind!(dwarf ".cfi_def_cfa_register rbp"),
                "push rbx",
                unwind!(dwarf ".cfi_offset rbx, -24"; seh ".seh_pushreg rbx"),
                "push r12",
                unwind!(dwarf ".cfi_offset r12, -32"; seh ".seh_pushreg r12"),
                "push r13",
                unwind!(dwarf ".cfi_offset r13, -40"; seh ".seh_pushreg r13"),
                "push r14",
                unwind!(dwarf ".cfi_offset r14, -48"; seh ".seh_pushreg r14"),
                "push r15",
                unwind!(dwarf ".cfi_offset r15, -56"; seh ".seh_pushreg r15"),
                "push r8",         // [rbp - 48]: address
                unwind!(; seh ".seh_stackalloc 8"),
                "push rcx",        // [rbp - 56]: how
                unwind!(; seh ".seh_stackalloc 8"),
                "sub rsp, 8",      // [rbp - 60]: mxcsr, [rbp - 64]: x87 control word
                unwind!(; seh ".seh_stackalloc 8", ".seh_setframe rbp, 64", ".seh_endprologue"),
                "mov rbx, rdi",    // the state
                "lea rax, [rsp - 16]",
                "and rax, -{room}", // the record
                // A page after the other, so that none that guards the end of the stack is stepped over.
                "2:",
                "lea rsp, [rsp - 4096]",
                "cmp rsp, rax",
                "jb 3f",
                "test [rsp], rsp",
                "jmp 2b",
                "3:",
                "mov [rax], rbp",
                "mov [rax + 8], rbx",
                "mov rsp, rax",
                unwind!(dwarf $cfa),
                "lea rcx, [rdx * 8 + 63]",
                "and rcx, -64",
                "sub rax, rcx",    // where the arguments begin
                "4:",
                "lea r9, [rsp - 4096]",
                "cmp r9, rax",
                "jbe 5f",
                "mov rsp, r9",
                "test [rsp], rsp",
                "jmp 4b",
                "5:",
                "mov rsp, rax",
                "mov rdi, rax",
                "mov rcx, rdx",
                "rep movsq",
                "mov [rbx + .Lcbframe_ctx], rsp",
                "mov r8d, [rbp - 56]",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                "movaps xmm\\n, [rbx + .Lcbframe_xmm + 16 * \\n]",
                ".endr",
                "test r8d, {ymm} | {zmm}",
                "jnz 11f",
                "6:",
                "test r8d, {whole} | {rare}",
                "jnz 8f",
                "mov r11, [rbp - 48]",
                ".irp r, rdi, rsi, rdx, rcx, r8, r9",
                "mov \\r, [rbx + .Lcbframe_\\r]",
                ".endr",
                ".irp r, rax, r10, r12, r13, r14, r15, rbx",
                "mov \\r, [rbx + .Lcbframe_\\r]",
                ".endr",
                "call r11",
                "7:",
                // What is popped lies above.
                "pushfq",
                "push rax",
                "push rcx",
                "lea rcx, [rsp + 24 + {room} - 1]",
                "and rcx, -{room}", // the record
                "mov rax, [rcx + 8]",
                "pop [rax + .Lcbframe_rcx]",
                "pop [rax + .Lcbframe_rax]",
                "pop [rax + .Lcbframe_rflags]",
                ".irp r, rdi, rsi, rdx, r8, r9, rbx, rbp, rsp, r10, r11, r12, r13, r14, r15",
                "mov [rax + .Lcbframe_\\r], \\r",
                ".endr",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                "movaps [rax + .Lcbframe_xmm + 16 * \\n], xmm\\n",
                ".endr",
                "mov rbp, [rcx]",
                unwind!(dwarf ".cfi_remember_state", ".cfi_def_cfa rbp, 16"),
                "mov ecx, [rbp - 56]",
                "test ecx, {ymm} | {zmm} | {x87} | {whole}",
                "jnz 14f",
                "10:",
                "lea rsp, [rbp - 40]",
                "pop r15",
                "pop r14",
                "pop r13",
                "pop r12",
                "pop rbx",
                "pop rbp",
                unwind!(dwarf ".cfi_def_cfa rsp, 8"),
                "ret",
                unwind!(dwarf ".cfi_restore_state"),
                // Out of the way: what is rare. With an argument in r11 or rbp, or every register: the address is in the word in which
                // `call` puts the return address when it has read it. (Windows has no red zone, but writes there only to raise
                // an exception of this very thread.)
                "8:",
                "test r8d, {load_rbp}",
                "jnz 13f",
                "mov [rbx + .Lcbframe_rbp], rbp",
                "13:",
                "test r8d, {whole}",
                "jz 9f",
                "stmxcsr [rbp - 60]",
                "fnstcw [rbp - 64]",
                "fxrstor64 [rbx - 512]",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                "movaps xmm\\n, [rbx + .Lcbframe_xmm + 16 * \\n]",
                ".endr",
                "ldmxcsr [rbx + .Lcbframe_mxcsr]",
                "push [rbx + .Lcbframe_rflags]",
                "popfq",
                "9:",
                "mov rax, [rbp - 48]",
                "mov [rsp - 8], rax",
                ".irp r, rdi, rsi, rdx, rcx, r8, r9",
                "mov \\r, [rbx + .Lcbframe_\\r]",
                ".endr",
                ".irp r, rax, rbp, r10, r11, r12, r13, r14, r15, rbx",
                "mov \\r, [rbx + .Lcbframe_\\r]",
                ".endr",
                "call [rsp - 8]",
                "jmp 7b",
                "11:",
                "test r8d, {zmm}",
                "jnz 12f",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7",
                "vmovups ymm\\n, [rbx - {wide} + 64 * \\n]",
                ".endr",
                "jmp 6b",
                "12:",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7",
                "vmovups zmm\\n, [rbx - {wide} + 64 * \\n]",
                ".endr",
                "jmp 6b",
                "14:",
                unwind!(dwarf ".cfi_def_cfa rbp, 16"),
                "cld",
                "test ecx, {zmm}",
                "jz 16f",
                "vmovups [rax - {wide}], zmm0",
                "vzeroupper",
                "jmp 17f",
                "16:",
                "test ecx, {ymm}",
                "jz 17f",
                "vmovups [rax - {wide}], ymm0",
                "vzeroupper",
                "17:",
                // Where ymm0 is, which is then no result: arguments may have been wide.
                "test ecx, {x87}",
                "jz 15f",
                "fstp tbyte ptr [rax - {wide}]",
                "test ecx, {x87_pair}",
                "jz 15f",
                "fstp tbyte ptr [rax - {wide} + 16]",
                "15:",
                "test ecx, {whole}",
                "jz 10b",
                "stmxcsr [rax + .Lcbframe_mxcsr]",
                "fxsave64 [rax - 512]",
                "fninit",
                "fldcw [rbp - 64]",
                "ldmxcsr [rbp - 60]",
                "jmp 10b",
                unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
                room = const $room,
                wide = const WIDE,
                whole = const How::WHOLE.0,
                rare = const How::RARE.0,
                load_rbp = const How::RBP.0,
                x87 = const How::X87.0,
                x87_pair = const How::X87_PAIR.0,
                ymm = const How::YMM.0,
                zmm = const How::ZMM.0,
            )
        }
    };
}

thunk! {
    /// For up to 4032 bytes of arguments.
    with_a_page, 0x1000,
    ".cfi_escape 0x0f, 13, 0x77, 0, 0x0a, 0xff, 0x0f, 0x22, 0x0b, 0x00, 0xf0, 0x1a, 0x06, 0x23, 16"
}

thunk! {
    /// For up to [`MOST`] bytes of arguments.
    with_more, 0x10000,
    ".cfi_escape 0x0f, 15, 0x77, 0, 0x0a, 0xff, 0xff, 0x22, 0x0d, 0x00, 0x00, 0xff, 0xff, 0x1a, 0x06, 0x23, 16"
}
