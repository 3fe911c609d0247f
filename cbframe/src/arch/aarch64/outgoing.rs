//! Calls in the other direction: registers are loaded from a state, an address is called, and what it leaves is stored.
//!
//! ```text
//!   at the call   sp ▸ [arguments …] [up to 8: alignment] [record: x29, state]  up to the room  [frame of the thunk]
//!                                                         └ at a multiple of the room
//! ```
//!
//! A function may change every register: then nothing is left that tells where the thunk's frame is but the stack pointer. So the
//! record lies at a multiple of the room, a power of two, with fewer bytes of arguments below it, and is found by rounding the
//! stack pointer up, by what runs after the call and by the unwinder. (x16 and x17 are nobody's behind a call.)

use core::arch::naked_asm;
#[cfg(feature = "alloc")]
use core::ptr;

use super::image::CpuImage;
use super::state::CpuState;
#[cfg(feature = "alloc")]
use crate::abi::{Abi, Layout, Parameter, extension};
use crate::abi::{Part, Register};

/// What there is to be done around a call, as bits.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct How(u32);

impl How {
    /// x0 to x8 and v0 to v7 are passed, and x0, x1 and v0 to v3 returned, as in the AAPCS64.
    pub(super) const PLAIN: Self = Self(0);
    /// All registers are passed and returned but x16 and x17, x18, which belongs to the platform, and x30.
    pub(super) const ALL: Self = Self(1);
    /// The same, and flags, FPCR and FPSR.
    pub(super) const WHOLE: Self = Self(1 | 1 << 1);
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

    /// An argument, or a piece of one, is in this register.
    pub(in crate::arch) const fn passes(&mut self, part: Part) {
        if !matches!(part.register, Register::Integer(..=8) | Register::Vector(..=7)) {
            self.how = How::ALL;
        }
    }

    /// The result, or a piece of it, is.
    pub(in crate::arch) const fn returns(&mut self, part: Part) {
        if !matches!(part.register, Register::Integer(..=1) | Register::Vector(..=3)) {
            self.how = How::ALL;
        }
    }

    /// Calls `address` with the registers in `image`, of which pc, sp and, but for [`How::WHOLE`], flags, FPCR and FPSR do not
    /// count, and a copy of the words at `stack`. What the function leaves is in `image`.
    ///
    /// # Safety
    ///
    /// - Up to [`MOST`] bytes of words are readable at `stack`.
    /// - All has been told of what the function passes and returns.
    /// - The function may be called with these arguments. It returns, or unwinds if `unwind`.
    #[inline]
    pub(in crate::arch) unsafe fn call(
        self,
        image: *mut CpuImage,
        address: *const (),
        (stack, words): (*const u64, usize),
        unwind: bool,
    ) {
        type Unwinding = unsafe extern "C-unwind" fn(*mut CpuState, *const u64, usize, How, *const ());
        type NoUnwind = unsafe extern "C" fn(*mut CpuState, *const u64, usize, How, *const ());

        const _: () = assert!(size_of::<How>() == 4);
        let thunk: Unwinding = if words <= (4096 - 64) / 8 { with_a_page } else { with_more };
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
pub(in crate::arch) unsafe fn put_on_stack(abi: Abi, parameter: &Parameter, from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let extended = match (extension(&parameter.ty), parameter.ty.size, abi) {
            (2, 1, Abi::Aapcs64) => from.cast::<i8>().read() as u32,
            (2, 2, Abi::Aapcs64) => from.cast::<i16>().read_unaligned() as u32,
            (1, 1, Abi::Aapcs64) => from.read().into(),
            (1, 2, Abi::Aapcs64) => from.cast::<u16>().read_unaligned().into(),
            (_, size, _) => return ptr::copy_nonoverlapping(from, to, size),
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

/// Whether values of this layout are in registers that this CPU has not: every one has these.
#[cfg(feature = "alloc")]
pub(crate) fn lacks_registers(_: &Layout<'_>) -> bool {
    false
}

/// Whether such a call may be left by a panic for which there would be no way: there is one for all.
#[cfg(feature = "alloc")]
pub(crate) const fn unwinds_nowhere(_: &Layout<'_>) -> bool {
    false
}

/// `$instruction` for pairs of registers with their places in a state at x`$base`.
macro_rules! pairs {
    ($instruction:literal $base:literal x $($a:literal $b:literal)*) => {
        concat!($($instruction, " x", $a, ", x", $b, ", [", $base, ", #8 * ", $a, "]\n",)*)
    };
    ($instruction:literal $base:literal q $($a:literal $b:literal)*) => {
        concat!($($instruction, " q", $a, ", q", $b, ", [", $base, ", #.Lcbframe_v - 16 + 16 * ", $a, "]\n",)*)
    };
}

/// Defines the thunk `$name`, for less than `$room` bytes of arguments. The CFA is found by a DWARF expression, whose bytes are
/// given: breg31 (sp) 0; const `$room` - 1; plus; const -`$room`; and; deref, which gives x29; plus_uconst 176.
macro_rules! thunk {
    ($(#[$meta:meta])* $name:ident, $room:literal, $cfa:literal) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name(
            _: *mut CpuState, /* x0 */
            _: *const u64,    /* x1 */
            _: usize,         /* x2 */
            _: How,           /* w3 */
            _: *const (),     /* x4 */
        ) {
            naked_asm!(
                crate::__cbframe_names!(),
                ".cfi_startproc",
                "bti c",
                "stp x29, x30, [sp, #-176]!",
                ".cfi_def_cfa_offset 176",
                ".cfi_offset x29, -176",
                ".cfi_offset x30, -168",
                "mov x29, sp",
                ".cfi_def_cfa x29, 176",
                "stp x19, x20, [x29, #16]",
                "stp x21, x22, [x29, #32]",
                "stp x23, x24, [x29, #48]",
                "stp x25, x26, [x29, #64]",
                "stp x27, x28, [x29, #80]",
                "stp d8, d9, [x29, #96]",
                "stp d10, d11, [x29, #112]",
                "stp d12, d13, [x29, #128]",
                "stp d14, d15, [x29, #144]",
                ".cfi_offset x19, -160",
                ".cfi_offset x20, -152",
                ".cfi_offset x21, -144",
                ".cfi_offset x22, -136",
                ".cfi_offset x23, -128",
                ".cfi_offset x24, -120",
                ".cfi_offset x25, -112",
                ".cfi_offset x26, -104",
                ".cfi_offset x27, -96",
                ".cfi_offset x28, -88",
                ".cfi_offset d8, -80",
                ".cfi_offset d9, -72",
                ".cfi_offset d10, -64",
                ".cfi_offset d11, -56",
                ".cfi_offset d12, -48",
                ".cfi_offset d13, -40",
                ".cfi_offset d14, -32",
                ".cfi_offset d15, -24",
                "mrs x9, fpcr",
                "str x9, [x29, #160]",
                "str x3, [x29, #168]",     // how
                "sub x9, sp, #16",
                "and x9, x9, #-{room}",    // the record
                // A page after the other, so that none that guards the end of the stack is stepped over.
                "2:",
                "sub x10, sp, #4096",
                "cmp x10, x9",
                "b.ls 3f",
                "mov sp, x10",
                "str xzr, [sp]",
                "b 2b",
                "3:",
                "mov sp, x9",
                "stp x29, x0, [sp]",
                $cfa,
                "add x10, x2, #1",
                "lsr x10, x10, #1",
                "sub x9, x9, x10, lsl #4", // where the arguments begin
                "4:",
                "sub x10, sp, #4096",
                "cmp x10, x9",
                "b.ls 5f",
                "mov sp, x10",
                "str xzr, [sp]",
                "b 4b",
                "5:",
                "mov sp, x9",
                "cbz x2, 7f",
                "6:",
                "ldr x10, [x1], #8",
                "str x10, [x9], #8",
                "sub x2, x2, #1",
                "cbnz x2, 6b",
                "7:",
                "mov x16, x0",             // the state
                "mov x17, x4",             // address
                pairs!("ldp" "x16" q 0 1 2 3 4 5 6 7),
                "cbnz w3, 9f",
                "ldr x8, [x16, #8 * 8]",
                pairs!("ldp" "x16" x 0 1 2 3 4 5 6 7),
                "blr x17",
                // Room minus one is no immediate of `add`.
                "add x16, sp, #4095",
                ".if {room} > 4096",
                "add x16, x16, #({room} - 4096) / 4096, lsl #12",
                ".endif",
                "and x16, x16, #-{room}",  // the record
                "ldr x17, [x16, #8]",      // the state
                "stp x0, x1, [x17]",
                pairs!("stp" "x17" q 0 1 2 3),
                "ldr x29, [x16]",
                ".cfi_remember_state",
                ".cfi_def_cfa x29, 176",
                "8:",
                "ldp x19, x20, [x29, #16]",
                "ldp x21, x22, [x29, #32]",
                "ldp x23, x24, [x29, #48]",
                "ldp x25, x26, [x29, #64]",
                "ldp x27, x28, [x29, #80]",
                "ldp d8, d9, [x29, #96]",
                "ldp d10, d11, [x29, #112]",
                "ldp d12, d13, [x29, #128]",
                "ldp d14, d15, [x29, #144]",
                "mov sp, x29",
                ".cfi_def_cfa sp, 176",
                "ldp x29, x30, [sp], #176",
                ".cfi_def_cfa sp, 0",
                "ret",
                ".cfi_restore_state",
                // Out of the way: what is rare.
                "9:",
                pairs!("ldp" "x16" q 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
                "tbz w3, #1, 10f",
                "ldr x9, [x16, #.Lcbframe_fpcr - 16]",
                "msr fpcr, x9",
                "ldr x9, [x16, #.Lcbframe_fpsr - 16]",
                "msr fpsr, x9",
                "ldr x9, [x16, #.Lcbframe_nzcv - 16]",
                "msr nzcv, x9",
                "10:",
                pairs!("ldp" "x16" x 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 19 20 21 22 23 24 25 26 27 28),
                "ldr x29, [x16, #8 * 29]",
                "blr x17",
                "add x16, sp, #4095",
                ".if {room} > 4096",
                "add x16, x16, #({room} - 4096) / 4096, lsl #12",
                ".endif",
                "and x16, x16, #-{room}",
                "ldr x17, [x16, #8]",
                pairs!("stp" "x17" x 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 18 19 20 21 22 23 24 25 26 27 28 29),
                "str x30, [x17, #8 * 30]",
                pairs!(
                    "stp" "x17" q 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
                ),
                "ldr x29, [x16]",
                ".cfi_def_cfa x29, 176",
                "mov x9, sp",
                "str x9, [x17, #.Lcbframe_sp - 16]",
                "mrs x9, nzcv",
                "str x9, [x17, #.Lcbframe_nzcv - 16]",
                "mrs x9, fpsr",
                "str x9, [x17, #.Lcbframe_fpsr - 16]",
                "mrs x9, fpcr",
                "str x9, [x17, #.Lcbframe_fpcr - 16]",
                "ldr w9, [x29, #168]",
                "tbz w9, #1, 8b",
                "ldr x9, [x29, #160]",
                "msr fpcr, x9",
                "b 8b",
                ".cfi_endproc",
                room = const $room,
            )
        }
    };
}

thunk! {
    /// For up to 4032 bytes of arguments.
    with_a_page, 0x1000,
    ".cfi_escape 0x0f, 14, 0x8f, 0, 0x0a, 0xff, 0x0f, 0x22, 0x0b, 0x00, 0xf0, 0x1a, 0x06, 0x23, 0xb0, 0x01"
}

thunk! {
    /// For up to [`MOST`] bytes of arguments.
    with_more, 0x10000,
    ".cfi_escape 0x0f, 16, 0x8f, 0, 0x0a, 0xff, 0xff, 0x22, 0x0d, 0x00, 0x00, 0xff, 0xff, 0x1a, 0x06, 0x23, 0xb0, 0x01"
}
