//! Every instruction that runs between the C caller and compiled Rust.
//!
//! The templates are macros because naked functions must live in the crate whose functions they name: a slot table that is
//! exported, or a shim that is generic, would need relocations in `.text`.
//!
//! Rules for all of them: every target of an indirect branch begins with `bti c`; no instruction before the capture changes a
//! register but x16 and x17, or a flag; the unwind directives are right at every instruction (rustc writes none for naked
//! functions).
//!
//! At an entry x16 is the address of the slot: ctx is its second word. x16 and x17 are IP0 and IP1, which any call may change
//! (AAPCS64, section 6.1.1), as linkers' veneers do. A branch to a register is one to a function for BTI only through these two.
//!
//! Behind its name an entry may have generic parameters, in brackets: `[<T: Bound>]`.

use crate::pool::{Record, report_stale_call};

/// Defines the naked function `$name` of `$count` stubs over the table of slots `$slots`.
///
/// Each stub is 16 bytes, at a multiple of 16: rustc aligns naked functions to 4 only, so the first stub is at the function's
/// address rounded up. Nothing is on the stack at any instruction, so the unwinder needs no directive.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stub_table {
    ($name:ident, $count:expr, $slots:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".balign 16",
                ".cfi_startproc",
                ".set .Lcbframe_slot, 0",
                ".rept {count}",
                "bti c",
                "movz w16, #(.Lcbframe_slot & 0xffff)",
                "movk w16, #(.Lcbframe_slot >> 16), lsl #16",
                "b 2f",
                ".set .Lcbframe_slot, .Lcbframe_slot + 1",
                ".endr",
                "2:",
                "adrp x17, {slots}",
                "add x17, x17, :lo12:{slots}",
                "add x16, x17, x16, lsl #4",
                "ldr x17, [x16]",
                "br x17",
                ".cfi_endproc",
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
                ".cfi_startproc",
                "bti c",
                "adrp x16, {slot}",
                "add x16, x16, :lo12:{slot}",
                "ldr x17, [x16]",
                "br x17",
                ".cfi_endproc",
                slot = sym $slot,
            )
        }
    };
}

/// Defines the naked function `$name`: the address of the stateless `$shim`, with a landing pad.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_plain_entry {
    ($(#[$meta:meta])* $name:ident, $shim:path) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                "bti c",
                "b {shim}",
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
                "bti c",
                "ldr x{register}, [x16, #8]",
                "b {shim}",
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
///   sp at the shim ▸ [arguments …] [ctx] [0 or 1 word: alignment] [x29, x30] [arguments of the caller …]
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stack_entry {
    ($name:ident $([$($generics:tt)*])?, $words:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                "bti c",
                "stp x29, x30, [sp, #-16]!",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset x29, -16",
                ".cfi_offset x30, -8",
                "mov x29, sp",
                ".cfi_def_cfa x29, 16",
                "ldr x17, [x16, #8]", // ctx
                "sub sp, sp, #((({words} + 2) / 2) * 16)",
                ".set .Lcbframe_word, 0",
                ".rept {words}",
                "ldr x16, [x29, #16 + 8 * .Lcbframe_word]",
                "str x16, [sp, #8 * .Lcbframe_word]",
                ".set .Lcbframe_word, .Lcbframe_word + 1",
                ".endr",
                "str x17, [sp, #8 * {words}]",
                "bl {shim}",
                "mov sp, x29",
                "ldp x29, x30, [sp], #16",
                ".cfi_def_cfa sp, 0",
                ".cfi_restore x29",
                ".cfi_restore x30",
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
.set .Lcbframe_frame, 832
.set .Lcbframe_sp, 16 + 248
.set .Lcbframe_v, 16 + 256
.set .Lcbframe_pc, 16 + 768
.set .Lcbframe_nzcv, 16 + 776
.set .Lcbframe_fpcr, 16 + 784
.set .Lcbframe_fpsr, 16 + 792
.set .Lcbframe_present, 16 + 800
.set .Lcbframe_registers, 16 + 808
.set .Lcbframe_gpr, 1
.set .Lcbframe_flags, 2
.set .Lcbframe_simd, 4"
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

/// `stp` or `ldp` for these pairs of registers of a whole group, at their places in the frame.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_pairs {
    ($instruction:literal q) => {
        $crate::__cbframe_pairs!(
            $instruction q 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        )
    };
    ($instruction:literal x $($a:literal $b:literal)*) => {
        $crate::private::core::concat!(
            $($instruction, " x", $a, ", x", $b, ", [sp, #.Lcbframe_state + 8 * ", $a, "]\n",)*
        )
    };
    ($instruction:literal q $($a:literal $b:literal)*) => {
        $crate::private::core::concat!(
            $($instruction, " q", $a, ", q", $b, ", [sp, #.Lcbframe_v + 16 * ", $a, "]\n",)*
        )
    };
}

/// Defines the captured entry `$name`, which stores the registers that `$capture` (a [`Capture`]) names into a [`CpuState`],
/// calls `$dispatch(&mut CpuState, ctx)` and loads those that it says to load.
///
/// ```text
///   sp ▸ [x29, x30] [CpuState: 816] [arguments of the caller …]
/// ```
///
/// With `gpr` the last words of the way out: x17 is where execution goes on and x16 the stack pointer, since what is below that
/// is no one's once it is set. `ret` to a register is not a branch that BTI asks a landing pad of.
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
                ".cfi_startproc",
                "bti c",
                "sub sp, sp, #.Lcbframe_frame",
                ".cfi_def_cfa_offset 832",
                "stp x29, x30, [sp]",
                ".cfi_offset x29, -832",
                ".cfi_offset x30, -824",
                ".if {groups} & .Lcbframe_gpr",
                $crate::__cbframe_pairs!("stp" x 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29),
                "str x30, [sp, #.Lcbframe_state + 8 * 30]",
                "add x17, sp, #.Lcbframe_frame",
                "str x17, [sp, #.Lcbframe_sp]",
                ".else",
                $crate::__cbframe_each!("save", "str x\\n, [sp, #.Lcbframe_state + 8 * \\n]"),
                ".endif",
                "mov x29, sp",
                ".if {groups} & .Lcbframe_simd",
                $crate::__cbframe_pairs!("stp" q),
                "mrs x17, fpcr",
                "str x17, [sp, #.Lcbframe_fpcr]",
                "mrs x17, fpsr",
                "str x17, [sp, #.Lcbframe_fpsr]",
                ".else",
                $crate::__cbframe_each!("save_v", "str q\\n, [sp, #.Lcbframe_v + 16 * \\n]"),
                ".endif",
                ".if {groups} & .Lcbframe_flags",
                "mrs x17, nzcv",
                "str x17, [sp, #.Lcbframe_nzcv]",
                ".endif",
                ".if {present}",
                "mov w17, #{present}",
                "str w17, [sp, #.Lcbframe_present]",
                "str x30, [sp, #.Lcbframe_pc]",
                ".endif",
                ".if {singles} | {singles_v}",
                "movz w17, #({singles} & 0xffff)",
                "movk w17, #({singles} >> 16), lsl #16",
                "str w17, [sp, #.Lcbframe_registers]",
                "movz w17, #({singles_v} & 0xffff)",
                "movk w17, #({singles_v} >> 16), lsl #16",
                "str w17, [sp, #.Lcbframe_registers + 4]",
                ".endif",
                "add x0, sp, #.Lcbframe_state",
                "ldr x1, [x16, #8]", // ctx
                "bl {dispatch}",
                ".if {groups} & .Lcbframe_simd",
                $crate::__cbframe_pairs!("ldp" q),
                // Nearly always the modes are what they were, and to set them may take long.
                "ldr x16, [sp, #.Lcbframe_fpcr]",
                "mrs x17, fpcr",
                "cmp x16, x17",
                "b.eq 2f",
                "msr fpcr, x16",
                "2:",
                "ldr x16, [sp, #.Lcbframe_fpsr]",
                "mrs x17, fpsr",
                "cmp x16, x17",
                "b.eq 3f",
                "msr fpsr, x16",
                "3:",
                ".else",
                $crate::__cbframe_each!("load_q", "ldr q\\n, [sp, #.Lcbframe_v + 16 * \\n]"),
                $crate::__cbframe_each!("load_d", "ldr d\\n, [sp, #.Lcbframe_v + 16 * \\n]"),
                ".endif",
                ".if {groups} & .Lcbframe_flags",
                "ldr x17, [sp, #.Lcbframe_nzcv]",
                "msr nzcv, x17",
                ".endif",
                ".if {present}",
                "ldr x17, [sp, #.Lcbframe_pc]",
                ".endif",
                ".if {groups} & .Lcbframe_gpr",
                "ldr x16, [sp, #.Lcbframe_sp]",
                // But for x16 and x17.
                $crate::__cbframe_pairs!("ldp" x 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 18 19 20 21 22 23 24 25 26 27 28 29),
                "ldr x30, [sp, #.Lcbframe_state + 8 * 30]",
                "mov sp, x16",
                ".cfi_def_cfa_offset 0",
                ".cfi_restore x29",
                ".cfi_register x30, x17",
                "ret x17",
                ".else",
                "ldp x29, x30, [sp]",
                $crate::__cbframe_each!("load", "ldr x\\n, [sp, #.Lcbframe_state + 8 * \\n]"),
                "add sp, sp, #.Lcbframe_frame",
                ".cfi_def_cfa_offset 0",
                ".cfi_restore x29",
                ".if {present}",
                ".cfi_register x30, x17",
                "ret x17",
                ".else",
                ".cfi_restore x30",
                "ret",
                ".endif",
                ".endif",
                ".cfi_endproc",
                save = const $capture.saved(),
                save_v = const $capture.saved_vectors(),
                load = const $capture.loaded(),
                load_q = const $capture.loaded_whole(),
                load_d = const $capture.loaded_low(),
                groups = const $capture.groups(),
                singles = const $capture.singles(),
                singles_v = const $capture.single_vectors(),
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
        "bti c",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, sp",
        "ldr x0, [x16, #8]",
        "bl {report}",
        "brk #1",
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
        ".balign 4096",
        ".rept {count}",
        "bti c",                              //  0
        "adr x16, . + {count} * {size} - 4",  //  4: the slot
        "ldr x17, . + {count} * {size} - 8",  //  8: the entry
        "br x17",                             // 12
        ".endr",
        count = const DISTANT_STUBS,
        size = const super::STUB_SIZE,
    )
}
