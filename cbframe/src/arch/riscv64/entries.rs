//! Every instruction that runs between the C caller and compiled Rust.
//!
//! The templates are macros because naked functions must live in the crate whose functions they name: a slot table that is
//! exported, or a shim that is generic, would need relocations in `.text`.
//!
//! Rules for all of them: no instruction before the capture changes a register but t0 and t2; the unwind directives are right at
//! every instruction (rustc writes none for naked functions); where the size of an instruction counts, the assembler may not
//! compress it, nor the linker relax it.
//!
//! At an entry t0 is the address of the slot: ctx is its second word. t0 and t2 are temporaries, and carry nothing at a call.
//!
//! Naked functions are assembled without the target's features: `.option arch` names those that they need.
//!
//! Behind its name an entry may have generic parameters, in brackets: `[<T: Bound>]`.

use crate::pool::{Record, report_stale_call};

/// Defines the naked function `$name` of `$count` stubs over the table of slots `$slots`.
///
/// Each stub is 16 bytes, at a multiple of 16: rustc aligns naked functions to less, so the first stub is at the function's
/// address rounded up. Nothing is on the stack at any instruction, so the unwinder needs no directive.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stub_table {
    ($name:ident, $count:expr, $slots:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".option push",
                ".option norelax",
                ".option norvc",
                ".balign 16",
                ".cfi_startproc",
                ".set .Lcbframe_slot, 0",
                ".rept {count}",
                "7:",
                "auipc t0, %pcrel_hi({slots} + .Lcbframe_slot)",
                "addi t0, t0, %pcrel_lo(7b)",
                "ld t2, 0(t0)",
                "jr t2",
                ".set .Lcbframe_slot, .Lcbframe_slot + 16",
                ".endr",
                ".cfi_endproc",
                ".option pop",
                count = const $count,
                slots = sym $slots,
            )
        }
    };
}

/// Defines the naked function `$name`: a stub of its own over the single slot `$slot`.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_single_stub {
    ($(#[$meta:meta])* $name:ident, $slot:path) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".option push",
                ".option norelax",
                ".cfi_startproc",
                "7:",
                "auipc t0, %pcrel_hi({slot})",
                "addi t0, t0, %pcrel_lo(7b)",
                "ld t2, 0(t0)",
                "jr t2",
                ".cfi_endproc",
                ".option pop",
                slot = sym $slot,
            )
        }
    };
}

/// Defines the naked function `$name`: the address of the stateless `$shim`.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_plain_entry {
    ($(#[$meta:meta])* $name:ident, $shim:path) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                "tail {shim}",
                ".cfi_endproc",
                shim = sym $shim,
            )
        }
    };
}

/// Defines the direct entry `$name`: ctx goes into the general register with the number `$register`, which is the one that
/// `$shim` has its last parameter in.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_direct_entry {
    ($name:ident $([$($generics:tt)*])?, $register:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                "ld x{register}, 8(t0)",
                "tail {shim}",
                ".cfi_endproc",
                register = const $register,
                shim = sym $shim,
            )
        }
    };
}

/// Defines the stack entry `$name`: no register is left, so `$shim` has its last parameter, ctx, behind the `$words` words of
/// its other arguments on the stack. They are copied, since what lies behind them is the caller's.
///
/// ```text
///   sp at the shim ▸ [arguments …] [ctx] [0 or 1 word: alignment] [s0, ra] [arguments of the caller …]
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stack_entry {
    ($name:ident $([$($generics:tt)*])?, $words:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                "addi sp, sp, -16",
                ".cfi_def_cfa_offset 16",
                "sd s0, 0(sp)",
                ".cfi_offset s0, -16",
                "sd ra, 8(sp)",
                ".cfi_offset ra, -8",
                "addi s0, sp, 16",
                ".cfi_def_cfa s0, 0",
                "ld t2, 8(t0)", // ctx
                "addi sp, sp, -((({words} + 2) / 2) * 16)",
                ".set .Lcbframe_word, 0",
                ".rept {words}",
                "ld t0, .Lcbframe_word(s0)",
                "sd t0, .Lcbframe_word(sp)",
                ".set .Lcbframe_word, .Lcbframe_word + 8",
                ".endr",
                "sd t2, 8 * {words}(sp)",
                "call {shim}",
                "addi sp, s0, -16",
                ".cfi_def_cfa sp, 16",
                "ld ra, 8(sp)",
                ".cfi_restore ra",
                "ld s0, 0(sp)",
                ".cfi_restore s0",
                "addi sp, sp, 16",
                ".cfi_def_cfa_offset 0",
                "ret",
                ".cfi_endproc",
                words = const $words,
                shim = sym $shim,
            )
        }
    };
}

/// Names for offsets and bits of a `CpuState`, which asserts that they are these, and for offsets in the frame of a captured
/// entry, in which the state begins at 16. As operands they would be constants that the compiler checks anew for each callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_names {
    () => {
        "\
.set .Lcbframe_state, 16
.set .Lcbframe_frame, 624
.set .Lcbframe_sp, 16 + 8 * 2
.set .Lcbframe_f, 16 + 256
.set .Lcbframe_pc, 16 + 512
.set .Lcbframe_fcsr, 16 + 520
.set .Lcbframe_present, 16 + 528
.set .Lcbframe_registers, 16 + 536
.set .Lcbframe_spill, 16 + 544
.set .Lcbframe_gpr, 1
.set .Lcbframe_fpr, 2"
    };
}

/// `$instruction` for each register in the const operand `$mask`: `\\n` is its number.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_each {
    ($mask:literal, $instruction:literal) => {
        $crate::private::core::concat!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, ",
            "29, 30, 31\n",
            ".if ({",
            $mask,
            "} >> \\n) & 1\n",
            $instruction,
            "\n.endif\n",
            ".endr\n",
        )
    };
}

/// `$instruction` for each register of a whole group: `\\n` is its number. `rest`: the general ones but for ra and sp, which are
/// stored and loaded apart. `given`: those that are given back, without ra and sp, gp and tp, t0 and t2.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_all {
    (f $instruction:literal) => {
        $crate::__cbframe_all!(
            $instruction, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
        )
    };
    (rest $instruction:literal) => {
        $crate::__cbframe_all!(
            $instruction, "3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
        )
    };
    (given $instruction:literal) => {
        $crate::__cbframe_all!(
            $instruction, "6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
        )
    };
    ($instruction:literal, $numbers:literal) => {
        $crate::private::core::concat!(".irp n, ", $numbers, "\n", $instruction, "\n.endr\n")
    };
}

/// Defines the captured entry `$name`, which stores the registers that `$capture` (a [`Capture`]) names into a [`CpuState`],
/// calls `$dispatch(&mut CpuState, ctx)` and loads those that it says to load.
///
/// ```text
///   sp ▸ [s0, ra] [CpuState: 608, a0 to a7 once more at its end] [arguments of the caller …]
/// ```
///
/// What a0 to a7 held lies below the arguments on the stack, where a `va_list` has it. s0 points behind [s0, ra], as frame
/// pointers do.
///
/// On the way out t0 is where execution goes on: a jump through it is a return, for what predicts them.
///
/// [`Capture`]: super::Capture
/// [`CpuState`]: super::CpuState
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_captured_entry {
    ($name:ident $([$($generics:tt)*])?, $capture:expr, $dispatch:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                $crate::__cbframe_names!(),
                ".option push",
                ".option arch, +d",
                ".cfi_startproc",
                "addi sp, sp, -.Lcbframe_frame",
                ".cfi_def_cfa_offset 624",
                "sd s0, 0(sp)",
                ".cfi_offset s0, -624",
                "sd ra, 8(sp)",
                ".cfi_offset ra, -616",
                ".if {groups} & .Lcbframe_gpr",
                "sd zero, .Lcbframe_state(sp)",
                "sd ra, .Lcbframe_state + 8(sp)",
                $crate::__cbframe_all!(rest "sd x\\n, .Lcbframe_state + 8 * \\n(sp)"),
                "addi t2, sp, .Lcbframe_frame",
                "sd t2, .Lcbframe_sp(sp)",
                ".else",
                $crate::__cbframe_each!("save", "sd x\\n, .Lcbframe_state + 8 * \\n(sp)"),
                ".endif",
                ".if {spill}",
                $crate::__cbframe_all!("sd a\\n, .Lcbframe_spill + 8 * \\n(sp)", "0, 1, 2, 3, 4, 5, 6, 7"),
                ".endif",
                "addi s0, sp, .Lcbframe_state",
                ".if {groups} & .Lcbframe_fpr",
                $crate::__cbframe_all!(f "fsd f\\n, .Lcbframe_f + 8 * \\n(sp)"),
                "frcsr t2",
                "sd t2, .Lcbframe_fcsr(sp)",
                ".else",
                $crate::__cbframe_each!("save_f", "fsd f\\n, .Lcbframe_f + 8 * \\n(sp)"),
                ".endif",
                ".if {present}",
                "li t2, {present}",
                "sw t2, .Lcbframe_present(sp)",
                "sd ra, .Lcbframe_pc(sp)",
                ".endif",
                ".if {singles} | {singles_f}",
                "li t2, {singles}",
                "sw t2, .Lcbframe_registers(sp)",
                "li t2, {singles_f}",
                "sw t2, .Lcbframe_registers + 4(sp)",
                ".endif",
                "addi a0, sp, .Lcbframe_state",
                "ld a1, 8(t0)", // ctx
                "call {dispatch}",
                ".if {groups} & .Lcbframe_fpr",
                $crate::__cbframe_all!(f "fld f\\n, .Lcbframe_f + 8 * \\n(sp)"),
                // Nearly always it is what it was, and to set it may take long.
                "ld t0, .Lcbframe_fcsr(sp)",
                "frcsr t2",
                "beq t0, t2, 2f",
                "fscsr t0",
                "2:",
                ".else",
                $crate::__cbframe_each!("load_f", "fld f\\n, .Lcbframe_f + 8 * \\n(sp)"),
                ".endif",
                ".if {present}",
                "ld t0, .Lcbframe_pc(sp)",
                ".endif",
                ".if {groups} & .Lcbframe_gpr",
                ".cfi_register ra, t0",
                "ld ra, .Lcbframe_state + 8(sp)",
                $crate::__cbframe_all!(given "ld x\\n, .Lcbframe_state + 8 * \\n(sp)"),
                ".cfi_restore s0",
                "ld sp, .Lcbframe_sp(sp)",
                ".cfi_def_cfa_offset 0",
                "jr t0",
                ".else",
                "ld ra, 8(sp)",
                "ld s0, 0(sp)",
                $crate::__cbframe_each!("load", "ld x\\n, .Lcbframe_state + 8 * \\n(sp)"),
                ".cfi_restore s0",
                ".if {present}",
                ".cfi_register ra, t0",
                ".else",
                ".cfi_restore ra",
                ".endif",
                "addi sp, sp, .Lcbframe_frame",
                ".cfi_def_cfa_offset 0",
                ".if {present}",
                "jr t0",
                ".else",
                "ret",
                ".endif",
                ".endif",
                ".cfi_endproc",
                ".option pop",
                save = const $capture.saved(),
                save_f = const $capture.saved_floats(),
                load = const $capture.loaded(),
                load_f = const $capture.loaded_floats(),
                groups = const $capture.groups(),
                singles = const $capture.singles(),
                singles_f = const $capture.single_floats(),
                spill = const $capture.spills(),
                present = const $capture.present(),
                dispatch = sym $dispatch,
            )
        }
    };
}

/// `__cbframe_convention_entry`, the entry of a callback whose convention is data: the captured one.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_convention_entry {
    (generics [$($generics:tt)*] types [$($types:tt)*] $capture:expr) => {
        const fn __cbframe_convention_entry<$($generics)*>() -> unsafe extern "C" fn() {
            __cbframe_captured_entry::<$($types)*>
        }
    };
}

/// The entry of a freed slot: reports the call, with the slot's record for ctx, and aborts.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn stale_entry() {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "addi sp, sp, -16",
        ".cfi_def_cfa_offset 16",
        "sd s0, 0(sp)",
        ".cfi_offset s0, -16",
        "sd ra, 8(sp)",
        ".cfi_offset ra, -8",
        "addi s0, sp, 16",
        "ld a0, 8(t0)",
        "call {report}",
        "unimp",
        ".cfi_endproc",
        report = sym report,
    )
}

unsafe extern "C" fn report(record: *const Record) -> ! {
    // SAFETY: the ctx of a freed slot is its record.
    unsafe { report_stale_call(record) }
}

/// How many stubs [`distant_stubs`] has: a block of 64 KiB.
pub(crate) const DISTANT_STUBS: usize = 4096;

/// Stubs whose slots lie as far behind them as all of them are long: the same bytes for each stub, wherever they lie. They are
/// not called here, but where this block of the program's file is mapped again. The first is at a multiple of the page size, of
/// 4 KiB: the function's address rounded up.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn distant_stubs() {
    core::arch::naked_asm!(
        ".option push",
        ".option norelax",
        ".option norvc",
        ".balign 4096",
        ".rept {count}",
        "auipc t0, {count} * {size} / 4096", //  0: the slot
        "ld t2, 0(t0)",                      //  4: the entry
        "jr t2",                             //  8
        "unimp",                             // 12
        ".endr",
        ".option pop",
        count = const DISTANT_STUBS,
        size = const super::STUB_SIZE,
    )
}
