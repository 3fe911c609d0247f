//! Calls in the other direction: registers are loaded from a state, an address is called, and what it leaves is stored.
//!
//! ```text
//!   at the call   esp ▸ [arguments …] [up to 60: alignment] [record: ebp, state]  up to the room  [frame of the thunk]
//!                                                           └ at a multiple of the room
//! ```
//!
//! A function may change every register: then nothing is left that tells where the thunk's frame is but the stack pointer. So the
//! record lies at a multiple of the room, a power of two, with fewer bytes of arguments below it, and is found by rounding the
//! stack pointer up, however many of them the function has popped. Functions of this architecture's conventions preserve ebp, so
//! for them that is all.

use core::arch::naked_asm;
#[cfg(feature = "alloc")]
use core::ptr;

use super::image::CpuImage;
use super::state::CpuState;
#[cfg(feature = "alloc")]
use crate::abi::{Abi, Layout, Parameter, extension};
use crate::abi::{Part, Register};

/// What there is to be done around a call: the bytes of a result in st(0), or [`How::WHOLE`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct How(u32);

impl How {
    /// eax, ecx, edx and xmm0 to xmm2 are passed, and eax, edx and xmm0 returned.
    const PLAIN: Self = Self(0);
    /// All registers are passed and returned, with flags, mxcsr and the x87 unit.
    const WHOLE: Self = Self(1);
}

/// How many bytes of arguments a call can have.
pub(in crate::arch) const MOST: usize = (1 << 16) - 64;

/// A call that is being put together.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Thunk {
    how: How,
}

impl Thunk {
    pub(in crate::arch) const fn new() -> Self {
        Self { how: How::PLAIN }
    }

    /// Every register counts, and every mode.
    pub(super) const fn whole() -> Self {
        Self { how: How::WHOLE }
    }

    /// An argument, or a piece of one, is in this register: one of those that are passed anyway.
    #[cfg(feature = "alloc")]
    pub(in crate::arch) const fn passes(&mut self, _: Part) {}

    /// The result, or a piece of it, is.
    #[cfg(feature = "alloc")]
    pub(in crate::arch) const fn returns(&mut self, part: Part) {
        if let Register::X87(_) = part.register {
            self.how = How(part.size as u32);
        }
    }

    /// Calls `address` with the registers in `image`, of which eip, esp and, but for [`How::WHOLE`], flags, mxcsr and the x87 unit
    /// do not count, and a copy of the words at `stack`. What the function leaves is in `image`.
    ///
    /// # Safety
    ///
    /// - Up to [`MOST`] bytes of words are readable at `stack`.
    /// - All has been told of what the function returns.
    /// - The function may be called with these arguments. It returns, or unwinds if `unwind`.
    #[inline]
    pub(in crate::arch) unsafe fn call(
        self,
        image: *mut CpuImage,
        address: *const (),
        (stack, words): (*const u32, usize),
        unwind: bool,
    ) {
        type Unwinding = unsafe extern "C-unwind" fn(*mut CpuState, *const u32, usize, How, *const ());
        type NoUnwind = unsafe extern "C" fn(*mut CpuState, *const u32, usize, How, *const ());

        const _: () = assert!(size_of::<How>() == 4);
        let thunk: Unwinding = if words <= (4096 - 64) / 4 { with_a_page } else { with_more };
        let state = CpuImage::state(image);
        // SAFETY: the caller's promise. The two pointer types differ in nothing but whether calls unwind.
        unsafe {
            if unwind {
                thunk(state, stack, words, self.how, address);
            } else {
                core::mem::transmute::<Unwinding, NoUnwind>(thunk)(state, stack, words, self.how, address);
            }
        }
    }
}

/// Writes an argument to the stack: narrow integers extended to 32 bits, as compilers' callers do.
///
/// # Safety
///
/// `from` is readable, and `to` writable, for the bytes of the type, rounded up to words where there are.
#[cfg(feature = "alloc")]
pub(in crate::arch) unsafe fn put_on_stack(_: Abi, parameter: &Parameter, from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let extended = match (extension(&parameter.ty), parameter.ty.size) {
            (2, 1) => from.cast::<i8>().read() as u32,
            (2, 2) => from.cast::<i16>().read_unaligned() as u32,
            (1, 1) => from.read().into(),
            (1, 2) => from.cast::<u16>().read_unaligned().into(),
            (_, size) => return ptr::copy_nonoverlapping(from, to, size),
        };
        to.cast::<u32>().write_unaligned(extended);
    }
}

/// What the caller of a variadic function does besides: nothing.
///
/// # Safety
///
/// None: this mirrors those of other architectures.
#[cfg(feature = "alloc")]
pub(in crate::arch) unsafe fn prepare_variadic(_: *mut CpuState, _: &Layout<'_>) {}

/// Whether values of this layout are in registers that this CPU has not: Rust is compiled for those of SSE2.
#[cfg(feature = "alloc")]
pub(crate) fn lacks_registers(_: &Layout<'_>) -> bool {
    false
}

/// Whether such a call may be left by a panic for which there would be no way: there is one for all.
#[cfg(feature = "alloc")]
pub(crate) const fn unwinds_nowhere(_: &Layout<'_>) -> bool {
    false
}

/// Defines the thunk `$name`, for less than `$room` bytes of arguments. The CFA is found by a DWARF expression, whose bytes are
/// given: breg4 (esp) 0; const `$room` - 1; plus; const -`$room`; and; deref, which gives ebp; plus_uconst 8.
macro_rules! thunk {
    ($(#[$meta:meta])* $name:ident, $room:literal, $cfa:literal) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name(
            _: *mut CpuState, /* ebp + 8 */
            _: *const u32,    /* ebp + 12 */
            _: usize,         /* ebp + 16 */
            _: How,           /* ebp + 20 */
            _: *const (),     /* ebp + 24 */
        ) {
            naked_asm!(
                crate::__cbframe_names!(),
                ".cfi_startproc",
                "push ebp",
                ".cfi_def_cfa_offset 8",
                ".cfi_offset ebp, -8",
                "mov ebp, esp",
                ".cfi_def_cfa ebp, 8",
                "push ebx",
                "push esi",
                "push edi",
                ".cfi_offset ebx, -12",
                ".cfi_offset esi, -16",
                ".cfi_offset edi, -20",
                "sub esp, 8",
                "stmxcsr [ebp - 16]",
                "fnstcw [ebp - 20]",
                "lea eax, [esp - 8]",
                "and eax, -{room}",        // the record
                // A page after the other, so that none that guards the end of the stack is stepped over.
                "2:",
                "lea ecx, [esp - 4096]",
                "cmp ecx, eax",
                "jbe 3f",
                "mov esp, ecx",
                "or dword ptr [esp], 0",
                "jmp 2b",
                "3:",
                "mov esp, eax",
                "mov ebx, [ebp + 8]",      // the state
                "mov [eax], ebp",
                "mov [eax + 4], ebx",
                "mov ecx, [ebp + 16]",
                "shl ecx, 2",
                "sub eax, ecx",
                "and eax, -64",            // where the arguments begin: some are aligned to more than 16
                "4:",
                "lea ecx, [esp - 4096]",
                "cmp ecx, eax",
                "jbe 5f",
                "mov esp, ecx",
                "or dword ptr [esp], 0",
                "jmp 4b",
                "5:",
                "mov esp, eax",
                "mov edi, eax",
                "mov esi, [ebp + 12]",
                "mov ecx, [ebp + 16]",
                "rep movsd",
                "cmp dword ptr [ebp + 20], 1",
                "je 9f",
                "mov esi, [ebp + 24]",     // address
                "movups xmm0, [ebx + .Lcbframe_xmm]",
                "movups xmm1, [ebx + .Lcbframe_xmm + 16]",
                "movups xmm2, [ebx + .Lcbframe_xmm + 32]",
                "mov ecx, [ebx]",
                "mov edx, [ebx + 4]",
                "mov eax, [ebx + .Lcbframe_eax]",
                "call esi",
                "mov [ebx + .Lcbframe_eax], eax",
                "mov [ebx + 4], edx",
                "movups [ebx + .Lcbframe_xmm], xmm0",
                "mov eax, [ebp + 20]",
                "test eax, eax",
                "jz 8f",
                "cmp eax, 8",
                "jb 6f",
                "je 7f",
                "fstp tbyte ptr [ebx + .Lcbframe_st]",
                "jmp 8f",
                "6:",
                "fstp dword ptr [ebx + .Lcbframe_st]",
                "jmp 8f",
                "7:",
                "fstp qword ptr [ebx + .Lcbframe_st]",
                "8:",
                "mov ebx, [ebp - 4]",
                "mov esi, [ebp - 8]",
                "mov edi, [ebp - 12]",
                ".cfi_remember_state",
                "mov esp, ebp",
                "pop ebp",
                ".cfi_def_cfa esp, 4",
                ".cfi_restore ebp",
                "ret",
                ".cfi_restore_state",
                // Everything counts. No register is left for the address, nor memory below the stack pointer: it is returned to.
                "9:",
                $cfa,
                "call 12f",
                "pushfd",
                "push eax",
                "lea eax, [esp + {room} + 7]",
                "and eax, -{room}",        // the record
                "push ecx",
                "mov ecx, [eax + 4]",      // the state
                "mov [ecx + 4], edx",
                "mov [ecx + 8], ebx",
                "mov [ecx + .Lcbframe_ebp], ebp",
                "mov [ecx + .Lcbframe_esi], esi",
                "mov [ecx + .Lcbframe_edi], edi",
                "mov ebp, [eax]",
                ".cfi_remember_state",
                ".cfi_def_cfa ebp, 8",
                "pop dword ptr [ecx]",
                "pop dword ptr [ecx + .Lcbframe_eax]",
                "pop dword ptr [ecx + .Lcbframe_eflags]",
                "mov [ecx + .Lcbframe_esp], esp",
                "cld",
                "movups [ecx + .Lcbframe_xmm], xmm0",
                "movups [ecx + .Lcbframe_xmm + 16], xmm1",
                "movups [ecx + .Lcbframe_xmm + 32], xmm2",
                "movups [ecx + .Lcbframe_xmm + 48], xmm3",
                "movups [ecx + .Lcbframe_xmm + 64], xmm4",
                "movups [ecx + .Lcbframe_xmm + 80], xmm5",
                "movups [ecx + .Lcbframe_xmm + 96], xmm6",
                "movups [ecx + .Lcbframe_xmm + 112], xmm7",
                "stmxcsr [ecx + .Lcbframe_mxcsr]",
                "lea eax, [ecx - 512]",
                "and eax, -16",
                "fxsave [eax]",
                "fninit",
                "fldcw [ebp - 20]",
                "ldmxcsr [ebp - 16]",
                "jmp 8b",
                ".cfi_restore_state",
                "12:",
                "push dword ptr [ebp + 24]",
                "lea eax, [ebx - 512]",
                "and eax, -16",
                "fxrstor [eax]",
                "movups xmm0, [ebx + .Lcbframe_xmm]",
                "movups xmm1, [ebx + .Lcbframe_xmm + 16]",
                "movups xmm2, [ebx + .Lcbframe_xmm + 32]",
                "movups xmm3, [ebx + .Lcbframe_xmm + 48]",
                "movups xmm4, [ebx + .Lcbframe_xmm + 64]",
                "movups xmm5, [ebx + .Lcbframe_xmm + 80]",
                "movups xmm6, [ebx + .Lcbframe_xmm + 96]",
                "movups xmm7, [ebx + .Lcbframe_xmm + 112]",
                "ldmxcsr [ebx + .Lcbframe_mxcsr]",
                "mov eax, [ebx + .Lcbframe_eax]",
                "mov ecx, [ebx]",
                "mov edx, [ebx + 4]",
                "mov esi, [ebx + .Lcbframe_esi]",
                "mov edi, [ebx + .Lcbframe_edi]",
                "mov ebp, [ebx + .Lcbframe_ebp]",
                "push dword ptr [ebx + .Lcbframe_eflags]",
                "mov ebx, [ebx + 8]",
                "popfd",
                "ret",
                ".cfi_endproc",
                room = const $room,
            )
        }
    };
}

thunk! {
    /// For up to 4032 bytes of arguments.
    with_a_page, 0x1000,
    ".cfi_escape 0x0f, 13, 0x74, 0, 0x0a, 0xff, 0x0f, 0x22, 0x0b, 0x00, 0xf0, 0x1a, 0x06, 0x23, 0x08"
}

thunk! {
    /// For up to [`MOST`] bytes of arguments.
    with_more, 0x10000,
    ".cfi_escape 0x0f, 15, 0x74, 0, 0x0a, 0xff, 0xff, 0x22, 0x0d, 0x00, 0x00, 0xff, 0xff, 0x1a, 0x06, 0x23, 0x08"
}
