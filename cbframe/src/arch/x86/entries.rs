//! Every instruction that runs between the C caller and compiled Rust.
//!
//! The templates are macros because naked functions must live in the crate whose functions they name: a slot table that is
//! exported, or a shim that is generic, would need relocations in `.text`.
//!
//! Rules for all of them: every address that is given out begins with `endbr32`; no instruction before the capture changes a
//! register but eax, whose value is on the stack, or a flag; the unwind directives are right at every instruction (rustc writes
//! none for naked functions); there are no relocations but those relative to the code itself.
//!
//! At an entry eax is the address of the slot, whose second word is ctx, and the caller's eax lies below the return address.
//! Every other register is as the caller left it: conventions use all that a function may change.
//!
//! Behind its name an entry may have generic parameters, in brackets: `[<T: Bound>]`.

use crate::pool::{Record, report_stale_call};

/// Defines the naked function `$name` of `$count` stubs over the table of slots `$slots`.
///
/// Each stub is 16 bytes, at a multiple of 16: rustc aligns naked functions to 4 only, so the first stub is at the function's
/// address rounded up. There is no addressing relative to the program counter, so what needs that is once behind all of them.
///
/// One FDE serves all stubs, as for a PLT: the CFA is `esp + 4`, and 4 more once the `push`, which ends 5 bytes into the stub,
/// has been executed.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stub_table {
    ($name:ident, $count:expr, $slots:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".balign 16",
                ".cfi_startproc",
                // DW_CFA_def_cfa_expression, 11 bytes: breg4 (esp) 4; breg8 (eip) 0; lit15; and; lit5; ge; lit2; shl; plus.
                ".cfi_escape 0x0f,11,0x74,4,0x78,0,0x3f,0x1a,0x35,0x2a,0x32,0x24,0x22",
                ".set .Lcbframe_slot, 0",
                ".rept {count}",
                "endbr32",                            //  0
                "pushl %eax",                         //  4
                "movl $(.Lcbframe_slot * 16), %eax",  //  5
                "jmp 2f",                             // 10
                ".balign 16, 0xcc",
                ".set .Lcbframe_slot, .Lcbframe_slot + 1",
                ".endr",
                ".cfi_endproc",
                ".cfi_startproc",
                ".cfi_def_cfa_offset 8",
                "2:",
                "pushl %ecx",
                ".cfi_def_cfa_offset 12",
                "call 3f",
                ".cfi_def_cfa_offset 16",
                "3:",
                "popl %ecx",
                ".cfi_def_cfa_offset 12",
                "leal {slots}-3b(%eax,%ecx), %eax", // Intel's syntax has no two symbols in one address
                "popl %ecx",
                ".cfi_def_cfa_offset 8",
                "jmp *(%eax)",
                ".cfi_endproc",
                count = const $count,
                slots = sym $slots,
                options(att_syntax),
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
                "endbr32",
                "pushl %eax",
                ".cfi_def_cfa_offset 8",
                "call 3f",
                ".cfi_def_cfa_offset 12",
                "3:",
                "popl %eax",
                ".cfi_def_cfa_offset 8",
                "leal {slot}-3b(%eax), %eax",
                "jmp *(%eax)",
                ".cfi_endproc",
                ".balign 16",
                slot = sym $slot,
                options(att_syntax),
            )
        }
    };
}

/// Defines the naked function `$name`: the address of the stateless `$shim`, with a landing pad.
///
/// Nobody is given it: rustc takes the stack to be aligned to 16 bytes, which older callers do not do.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_plain_entry {
    ($(#[$meta:meta])* $name:ident, $shim:path) => {
        $(#[$meta])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                "endbr32",
                "jmp {shim}",
                ".cfi_endproc",
                ".balign 16",
                shim = sym $shim,
            )
        }
    };
}

/// Names for offsets and bits of a `CpuState`, which asserts that they are these: as operands they would be constants that the
/// compiler checks anew for each callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_names {
    () => {
        "\
.set .Lcbframe_esp, 12
.set .Lcbframe_ebp, 16
.set .Lcbframe_esi, 20
.set .Lcbframe_edi, 24
.set .Lcbframe_mxcsr, 28
.set .Lcbframe_xmm, 32
.set .Lcbframe_st, 160
.set .Lcbframe_present, 176
.set .Lcbframe_registers, 180
.set .Lcbframe_eflags, 188
.set .Lcbframe_eax, 192
.set .Lcbframe_eip, 196
.set .Lcbframe_gpr, 1
.set .Lcbframe_flags, 2
.set .Lcbframe_sse, 4
.set .Lcbframe_x87, 8"
    };
}

/// `$instruction` for each general register in the const operand `$mask` but eax, esp and ebp, which are moved otherwise: `\\r` is
/// the register and `.Lcbframe_at` the offset of its field.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_integers {
    ($mask:literal, $instruction:literal) => {
        $crate::private::core::concat!(
            ".set .Lcbframe_at, 0\n",
            ".set .Lcbframe_bit, 1\n",
            ".irp r, ecx, edx, ebx, esp, ebp, esi, edi\n",
            ".if .Lcbframe_bit != 4 && .Lcbframe_bit != 5\n",
            ".if ({",
            $mask,
            "} >> .Lcbframe_bit) & 1\n",
            $instruction,
            "\n.endif\n",
            ".endif\n",
            ".set .Lcbframe_at, .Lcbframe_at + 4\n",
            ".set .Lcbframe_bit, .Lcbframe_bit + 1\n",
            ".endr\n",
        )
    };
}

/// `$instruction` for each vector register in the const operand `$mask`, from bit 16 on: `\\n` is its number.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_vectors {
    ($mask:literal, $instruction:literal) => {
        $crate::private::core::concat!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n",
            ".if ({",
            $mask,
            "} >> (\\n + 16)) & 1\n",
            $instruction,
            "\n.endif\n",
            ".endr\n",
        )
    };
}

/// Defines the captured entry `$name`, which stores the registers that `$capture` (a [`Capture`]) names into a [`CpuState`],
/// calls `$dispatch(&mut CpuState, ctx)` and loads those that it says to load.
///
/// ```text
///   esp ▸ [FXSAVE area, with x87: 512]  up to 12  [CpuState: 200]      [arguments of the caller …]
///         └ at a multiple of 16                   └ ebp                its last words: [eflags] [eax] [return address]
/// ```
///
/// The state lies below the arguments whatever the alignment of the stack is, so its vector registers are not aligned; what is
/// below it is. It is ebp that tells where it was.
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
                ".cfi_def_cfa_offset 8",
                "endbr32",
                ".if {groups} & .Lcbframe_flags",
                "pushfd",
                ".cfi_adjust_cfa_offset 4",
                "lea esp, [esp - .Lcbframe_eflags]",
                ".cfi_adjust_cfa_offset 188",
                ".else",
                "lea esp, [esp - .Lcbframe_eax]",
                ".cfi_adjust_cfa_offset 192",
                ".endif",
                "mov [esp + .Lcbframe_ebp], ebp",
                ".cfi_offset ebp, -184",
                "mov ebp, esp",
                ".cfi_def_cfa_register ebp",
                $crate::__cbframe_integers!("save", "mov [ebp + .Lcbframe_at], \\r"),
                $crate::__cbframe_vectors!("save", "movups [ebp + .Lcbframe_xmm + 16 * \\n], xmm\\n"),
                ".if {present}",
                "mov dword ptr [ebp + .Lcbframe_present], {present}",
                ".endif",
                ".if {singles}",
                "mov dword ptr [ebp + .Lcbframe_registers], {singles}",
                ".endif",
                ".if {groups} & .Lcbframe_sse",
                "stmxcsr [ebp + .Lcbframe_mxcsr]",
                ".endif",
                "mov edx, [eax + 4]", // ctx
                ".if {groups} & .Lcbframe_gpr", // which has saved ecx
                "lea ecx, [ebp + .Lcbframe_eip]",
                "mov [ebp + .Lcbframe_esp], ecx",
                ".endif",
                ".if {groups} & .Lcbframe_x87",
                "lea esp, [ebp - 512]",
                "and esp, -16",
                "fxsave [esp]",
                ".else",
                "and esp, -16",
                ".endif",
                "mov ecx, ebp",
                "cld", // as Rust, like every compiler, expects
                "call {dispatch}",
                ".if {groups} & .Lcbframe_x87",
                "fxrstor [esp]",
                ".endif",
                $crate::__cbframe_vectors!("load", "movups xmm\\n, [ebp + .Lcbframe_xmm + 16 * \\n]"),
                ".if {groups} & .Lcbframe_sse",
                "ldmxcsr [ebp + .Lcbframe_mxcsr]",
                ".endif",
                ".if {x87_result} == 4", "fld dword ptr [ebp + .Lcbframe_st]", ".endif",
                ".if {x87_result} == 8", "fld qword ptr [ebp + .Lcbframe_st]", ".endif",
                ".if {x87_result} == 10", "fld tbyte ptr [ebp + .Lcbframe_st]", ".endif",
                ".if {groups} & .Lcbframe_gpr",
                // The words that are on the stack on return are put to where that is now, not below the entry's own.
                "mov eax, [ebp + .Lcbframe_esp]",
                "mov ecx, [ebp + .Lcbframe_eax]",
                "mov edx, [ebp + .Lcbframe_eip]",
                ".if {groups} & .Lcbframe_flags",
                "mov esi, [ebp + .Lcbframe_eflags]",
                "mov [eax - 8], esi",
                ".endif",
                "mov [eax - 4], ecx",
                "mov [eax], edx",
                "mov ecx, [ebp]",
                "mov edx, [ebp + 4]",
                "mov ebx, [ebp + 8]",
                "mov esi, [ebp + .Lcbframe_esi]",
                "mov edi, [ebp + .Lcbframe_edi]",
                ".cfi_def_cfa eax, 4",
                "mov ebp, [ebp + .Lcbframe_ebp]",
                ".cfi_restore ebp",
                ".if {groups} & .Lcbframe_flags",
                "lea esp, [eax - 8]",
                ".cfi_def_cfa esp, 12",
                ".else",
                "lea esp, [eax - 4]",
                ".cfi_def_cfa esp, 8",
                ".endif",
                ".else",
                $crate::__cbframe_integers!("load", "mov \\r, [ebp + .Lcbframe_at]"),
                ".if {groups} & .Lcbframe_flags",
                "lea esp, [ebp + .Lcbframe_eflags]",
                ".else",
                "lea esp, [ebp + .Lcbframe_eax]",
                ".endif",
                "mov ebp, [ebp + .Lcbframe_ebp]",
                ".cfi_restore ebp",
                ".if {groups} & .Lcbframe_flags",
                ".cfi_def_cfa esp, 12",
                ".else",
                ".cfi_def_cfa esp, 8",
                ".endif",
                ".endif",
                ".if {groups} & .Lcbframe_flags",
                "popfd",
                ".cfi_def_cfa_offset 8",
                ".endif",
                "pop eax",
                ".cfi_def_cfa_offset 4",
                ".if {pops}", "ret {pops}", ".else", "ret", ".endif",
                ".cfi_endproc",
                ".balign 32",
                save = const $capture.saved(),
                load = const $capture.loaded(),
                groups = const $capture.groups(),
                singles = const $capture.singles(),
                present = const $capture.present(),
                x87_result = const $capture.x87_result(),
                pops = const $capture.pops(),
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
        ".cfi_def_cfa_offset 8",
        "endbr32",
        "push ebp",
        ".cfi_def_cfa_offset 12",
        ".cfi_offset ebp, -12",
        "mov ebp, esp",
        ".cfi_def_cfa_register ebp",
        "and esp, -16",
        "cld",
        "mov ecx, [eax + 4]",
        "call {report}",
        "ud2",
        ".cfi_endproc",
        report = sym report,
    )
}

unsafe extern "fastcall" fn report(record: *const Record) -> ! {
    // SAFETY: the ctx of a freed slot is its record.
    unsafe { report_stale_call(record) }
}

/// How many stubs [`distant_stubs`] has: a block of 64 KiB, but for what they share.
pub(crate) const DISTANT_STUBS: usize = 4094;

/// Stubs whose slots lie as far behind them as the block is long: the same bytes wherever they lie. They are not called here, but
/// where this block of the program's file is mapped again. The first is at a multiple of the page size: the function's address
/// rounded up.
///
/// What all of them share takes the room of the last two. No unwind directives: there are none where it is mapped, nor are they
/// needed. A stub leaves by a jump, so it is on no call stack; only a debugger that stops within one sees a caller that is not right.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn distant_stubs() {
    core::arch::naked_asm!(
        ".balign 4096",
        ".set .Lcbframe_slot, 0",
        ".rept {count}",
        "endbr32",
        "push eax",
        "mov eax, .Lcbframe_slot * 16",
        "jmp 2f",
        ".balign 16, 0xcc",
        ".set .Lcbframe_slot, .Lcbframe_slot + 1",
        ".endr",
        "2:",
        "push ecx",
        "call 3f",
        "3:",
        "pop ecx",
        "lea eax, [eax + ecx + 26]", // 3 is 26 bytes before the end of the block
        "pop ecx",
        "jmp dword ptr [eax]",
        ".balign 4096, 0xcc",
        count = const DISTANT_STUBS,
    )
}
