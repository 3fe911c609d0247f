//! Calls in the other direction: registers are loaded from a state, an address is called, and what it leaves is stored.
//!
//! ```text
//!   at the call   sp ▸ [arguments …] [up to 8: alignment] [record: s0, state]  up to the room  [frame of the thunk]
//!                                                         └ at a multiple of the room
//! ```
//!
//! A function may change every register: then nothing is left that tells where the thunk's frame is but the stack pointer. So the
//! record lies at a multiple of the room, a power of two, with fewer bytes of arguments below it, and is found by rounding the
//! stack pointer up, by what runs after the call and by the unwinder. (t0 and t2 are nobody's behind a call.)

use core::arch::naked_asm;
#[cfg(feature = "alloc")]
use core::ptr;

use super::image::CpuImage;
use super::state::CpuState;
#[cfg(feature = "alloc")]
use crate::abi::{Abi, Layout, Parameter};
use crate::abi::{Part, Register};
#[cfg(feature = "alloc")]
use crate::arch::moves::is_extended;

/// What there is to be done around a call, as bits.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct How(u32);

impl How {
    /// a0 to a7 and fa0 to fa7 are passed, and a0, a1, fa0 and fa1 returned, as in LP64D.
    pub(super) const PLAIN: Self = Self(0);
    /// All registers are passed and returned but ra, gp, tp, t0 and t2.
    pub(super) const ALL: Self = Self(1);
    /// The same, and fcsr.
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
        if !matches!(part.register, Register::Integer(10..=17) | Register::Vector(10..=17)) {
            self.how = How::ALL;
        }
    }

    /// The result, or a piece of it, is.
    pub(in crate::arch) const fn returns(&mut self, part: Part) {
        if !matches!(part.register, Register::Integer(10..=11) | Register::Vector(10..=11)) {
            self.how = How::ALL;
        }
    }

    /// Calls `address` with the registers in `image`, of which pc, sp and, but for [`How::WHOLE`], fcsr do not count, and a copy of the words at `stack`. What the function leaves is in `image`.
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

/// Writes an argument to the stack: a narrow integer as a word, extended as in a register.
///
/// # Safety
///
/// `from` is readable, and `to` writable, for the bytes of the type, rounded up to words where there are.
#[cfg(feature = "alloc")]
pub(in crate::arch) unsafe fn put_on_stack(_: Abi, parameter: &Parameter, from: *const u8, to: *mut u8) {
    let size = parameter.ty.size;
    // SAFETY: the caller's promise.
    unsafe {
        if is_extended(&parameter.ty) {
            let mut word = [0; 8];
            ptr::copy_nonoverlapping(from, word.as_mut_ptr(), size);
            let unused = 64 - 8 * size as u32;
            to.cast::<i64>().write_unaligned((i64::from_le_bytes(word) << unused) >> unused);
        } else {
            ptr::copy_nonoverlapping(from, to, size);
        }
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

/// `$instruction` for these registers with their places in a state at x`$base`.
macro_rules! places {
    ($instruction:literal $base:literal x $numbers:literal) => {
        concat!(".irp n, ", $numbers, "\n", $instruction, " x\\n, 8 * \\n(", $base, ")\n.endr\n")
    };
    ($instruction:literal $base:literal f $numbers:literal) => {
        concat!(".irp n, ", $numbers, "\n", $instruction, " f\\n, .Lcbframe_f - 16 + 8 * \\n(", $base, ")\n.endr\n")
    };
}

/// `$instruction` for the registers that functions preserve, but for ra and s0, with their places below s0.
macro_rules! preserved {
    ($instruction:literal s) => {
        concat!(".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n", $instruction, "\n.endr\n")
    };
    ($instruction:literal fs) => {
        concat!(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n", $instruction, "\n.endr\n")
    };
}

/// Defines the thunk `$name`, for less than `$room` bytes of arguments. The CFA is found by a DWARF expression, whose bytes are
/// given: breg2 (sp) 0; const `$room` - 1; plus; const -`$room`; and; deref, which gives s0, the CFA.
///
/// ```text
///   s0 - 216 ▸ [how] [fcsr] [fs11 … fs0] [s11 … s1] [s0, ra] ◂ s0
/// ```
macro_rules! thunk {
    ($(#[$meta:meta])* $name:ident, $room:literal, $cfa:literal) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name(
            _: *mut CpuState, /* a0 */
            _: *const u64,    /* a1 */
            _: usize,         /* a2 */
            _: How,           /* a3 */
            _: *const (),     /* a4 */
        ) {
            naked_asm!(
                crate::__cbframe_names!(),
                ".option push",
                ".option arch, +d",
                ".cfi_startproc",
                "addi sp, sp, -224",
                ".cfi_def_cfa_offset 224",
                "sd ra, 216(sp)",
                ".cfi_offset ra, -8",
                "sd s0, 208(sp)",
                ".cfi_offset s0, -16",
                "addi s0, sp, 224",
                ".cfi_def_cfa s0, 0",
                preserved!("sd s\\n, -16 - 8 * \\n(s0)\n.cfi_offset s\\n, -16 - 8 * \\n" s),
                preserved!("fsd fs\\n, -112 - 8 * \\n(s0)\n.cfi_offset fs\\n, -112 - 8 * \\n" fs),
                "frcsr t0",
                "sd t0, -208(s0)",
                "sd a3, -216(s0)",        // how
                "addi t0, sp, -16",
                "li t1, -{room}",
                "and t0, t0, t1",         // the record
                "li t3, 4096",
                // A page after the other, so that none that guards the end of the stack is stepped over.
                "2:",
                "sub t1, sp, t3",
                "bleu t1, t0, 3f",
                "mv sp, t1",
                "sd zero, 0(sp)",
                "j 2b",
                "3:",
                "mv sp, t0",
                "sd s0, 0(sp)",
                "sd a0, 8(sp)",
                $cfa,
                "addi t1, a2, 1",
                "srli t1, t1, 1",
                "slli t1, t1, 4",
                "sub t0, t0, t1",         // where the arguments begin
                "4:",
                "sub t1, sp, t3",
                "bleu t1, t0, 5f",
                "mv sp, t1",
                "sd zero, 0(sp)",
                "j 4b",
                "5:",
                "mv sp, t0",
                "beqz a2, 7f",
                "6:",
                "ld t1, 0(a1)",
                "sd t1, 0(t0)",
                "addi a1, a1, 8",
                "addi t0, t0, 8",
                "addi a2, a2, -1",
                "bnez a2, 6b",
                "7:",
                "mv t0, a0",              // the state
                "mv t2, a4",              // address
                places!("fld" "t0" f "10, 11, 12, 13, 14, 15, 16, 17"),
                "bnez a3, 9f",
                places!("ld" "t0" x "10, 11, 12, 13, 14, 15, 16, 17"),
                "jalr ra, 0(t2)",
                "li t2, {room} - 1",
                "add t0, sp, t2",
                "li t2, -{room}",
                "and t0, t0, t2",         // the record
                "ld t2, 8(t0)",           // the state
                places!("sd" "t2" x "10, 11"),
                places!("fsd" "t2" f "10, 11"),
                "ld s0, 0(t0)",
                ".cfi_remember_state",
                ".cfi_def_cfa s0, 0",
                "8:",
                preserved!("ld s\\n, -16 - 8 * \\n(s0)" s),
                preserved!("fld fs\\n, -112 - 8 * \\n(s0)" fs),
                "addi sp, s0, -16",
                ".cfi_def_cfa sp, 16",
                "ld ra, 8(sp)",
                "ld s0, 0(sp)",
                "addi sp, sp, 16",
                ".cfi_def_cfa_offset 0",
                "ret",
                ".cfi_restore_state",
                // Out of the way: what is rare.
                "9:",
                places!("fld" "t0" f "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"),
                "andi a3, a3, 2",
                "beqz a3, 10f",
                "ld t1, .Lcbframe_fcsr - 16(t0)",
                "fscsr t1",
                "10:",
                places!(
                    "ld" "t0" x "6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
                ),
                "jalr ra, 0(t2)",
                "li t2, {room} - 1",
                "add t0, sp, t2",
                "li t2, -{room}",
                "and t0, t0, t2",
                "ld t2, 8(t0)",
                places!(
                    "sd" "t2" x "1, 2, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
                ),
                places!(
                    "fsd" "t2" f "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
                ),
                "ld s0, 0(t0)",
                ".cfi_def_cfa s0, 0",
                "ld t1, -216(s0)",
                "andi t1, t1, 2",
                "beqz t1, 8b",
                "frcsr t1",
                "sd t1, .Lcbframe_fcsr - 16(t2)",
                "ld t1, -208(s0)",
                "fscsr t1",
                "j 8b",
                ".cfi_endproc",
                ".option pop",
                room = const $room,
            )
        }
    };
}

thunk! {
    /// For up to 4032 bytes of arguments.
    with_a_page, 0x1000,
    ".cfi_escape 0x0f, 11, 0x72, 0, 0x0a, 0xff, 0x0f, 0x22, 0x0b, 0x00, 0xf0, 0x1a, 0x06"
}

thunk! {
    /// For up to [`MOST`] bytes of arguments.
    with_more, 0x10000,
    ".cfi_escape 0x0f, 13, 0x72, 0, 0x0a, 0xff, 0xff, 0x22, 0x0d, 0x00, 0x00, 0xff, 0xff, 0x1a, 0x06"
}
