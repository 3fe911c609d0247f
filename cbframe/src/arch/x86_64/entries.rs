//! Every instruction that runs between the C caller and compiled Rust.
//!
//! The templates are macros because naked functions must live in the crate whose functions they name: a slot
//! table that is exported, or a shim that is generic, would need relocations in `.text`.
//!
//! Rules for all of them: every target of an indirect branch begins with `endbr64`; no instruction before the
//! capture changes a register or a flag; the unwind directives are right at every instruction (rustc writes
//! none for naked functions), as far as `unwind` says.
//!
//! Behind its name an entry may have generic parameters, in brackets: `[<T: Bound>]`.

use crate::pool::{Record, report_stale_call};

/// Defines the naked function `$name` of `$count` stubs over the table of slots `$slots`.
///
/// Each stub is 16 bytes, at a multiple of 16: rustc aligns naked functions to 4 only, so the first stub is at
/// the function's address rounded up. In Mach-O files functions share a section, and a linker may move one by what its own
/// address is a multiple of: there, stubs have a section in which nothing else is, so that the function is the first stub.
///
/// One FDE serves all of them, as for a PLT: the CFA is `rsp + 8`, and 8 more once the `push`, which ends 10
/// bytes into the stub, has been executed.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stub_table {
    ($name:ident, $count:expr, $slots:path) => {
        #[unsafe(naked)]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__TEXT,__cbframe"))]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".balign 16",
                $crate::__cbframe_unwind!(dwarf ".cfi_startproc"),
                // DW_CFA_def_cfa_expression, 11 bytes: breg7 (rsp) 8; breg16 (rip) 0; lit15; and; lit10; ge;
                // lit3; shl; plus.
                $crate::__cbframe_unwind!(dwarf ".cfi_escape 0x0f,11,0x77,8,0x80,0,0x3f,0x1a,0x3a,0x2a,0x33,0x24,0x22"),
                ".set .Lcbframe_slot, 0",
                ".rept {count}",
                $crate::__cbframe_unwind!(; seh ".seh_proc .Lcbframe"),
                "endbr64",                                                       //  0
                "push qword ptr [rip + {slots} + .Lcbframe_slot * 16 + 8]",      //  4: ctx
                $crate::__cbframe_unwind!(; seh ".seh_stackalloc 8"),
                "jmp qword ptr [rip + {slots} + .Lcbframe_slot * 16]",           // 10: entry
                $crate::__cbframe_unwind!(; seh ".seh_endprologue", ".seh_endproc"),
                ".balign 16, 0xcc",
                ".set .Lcbframe_slot, .Lcbframe_slot + 1",
                ".endr",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"),
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
                $crate::__cbframe_unwind!(dwarf ".cfi_startproc"; seh ".seh_proc .Lcbframe"),
                "endbr64",
                "push qword ptr [rip + {slot} + 8]",
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 16"; seh ".seh_stackalloc 8"),
                "jmp qword ptr [rip + {slot}]",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"; seh ".seh_endprologue", ".seh_endproc"),
                ".balign 16",
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
                $crate::__cbframe_unwind!(dwarf ".cfi_startproc"),
                "endbr64",
                "jmp {shim}",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"),
                ".balign 16",
                shim = sym $shim,
            )
        }
    };
}

/// Defines the direct entry `$name`: ctx goes into the integer register with the number `$register`, which is
/// the one that `$shim` has its last parameter in.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_direct_entry {
    ($name:ident $([$($generics:tt)*])?, $register:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_startproc", ".cfi_def_cfa_offset 16";
                    seh ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "endbr64",
                ".if {register} == 7", "pop rdi", ".endif",
                ".if {register} == 6", "pop rsi", ".endif",
                ".if {register} == 2", "pop rdx", ".endif",
                ".if {register} == 1", "pop rcx", ".endif",
                ".if {register} == 8", "pop r8", ".endif",
                ".if {register} == 9", "pop r9", ".endif",
                // What has no directives on Windows has nothing on the stack.
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 8"; seh ".seh_endprologue", ".seh_endproc"),
                "jmp {shim}",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"),
                ".balign 16",
                register = const $register,
                shim = sym $shim,
            )
        }
    };
}

/// Defines the stack entry `$name`: ctx stays where the stub pushed it, and `$shim` finds it, the caller's
/// return address and `$pad` bytes below them at the start of its stack arguments.
///
/// ```text
/// System V: what the shim takes for its first parameter, a struct of class MEMORY
///   rsp at its entry ▸ [return into the entry]
///                      [pad: 16 or 48 bytes] [ctx] [return address]  [arguments …]
///
/// Windows: six words behind the four positions that registers serve
///   rsp at its entry ▸ [return into the entry] [pad: 32 bytes, its home space]
///                      [ctx] [return address] [the caller's home space, 4 words]  [arguments …]
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stack_entry {
    ($name:ident $([$($generics:tt)*])?, $pad:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_startproc", ".cfi_def_cfa_offset 16";
                    seh ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "endbr64",
                "sub rsp, {pad}",
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_adjust_cfa_offset {pad}";
                    seh ".seh_stackalloc {pad}", ".seh_endprologue"
                ),
                "call {shim}",
                "add rsp, {pad} + 8",
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 8"),
                "ret",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
                ".balign 32",
                pad = const $pad,
                shim = sym $shim,
            )
        }
    };
}

/// Names for offsets and bits of a `CpuState`, which asserts that they are these: as operands they would be constants
/// that the compiler checks anew for each callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_names {
    () => {
        "\
.set .Lcbframe_xmm, 48
.set .Lcbframe_rax, 304
.set .Lcbframe_rbx, 312
.set .Lcbframe_rsp, 328
.set .Lcbframe_mxcsr, 384
.set .Lcbframe_present, 388
.set .Lcbframe_registers, 392
.set .Lcbframe_rflags, 408
.set .Lcbframe_ctx, 416
.set .Lcbframe_rip, 424
.set .Lcbframe_interrupted, 432
.set .Lcbframe_gpr, 1
.set .Lcbframe_flags, 2
.set .Lcbframe_sse, 4
.set .Lcbframe_x87, 8
.set .Lcbframe_avx, 16
.set .Lcbframe_avx512, 32
.set .Lcbframe_changed_xmm, 0x100
.set .Lcbframe_changed_flags, 0x200"
    };
}

/// `$instruction` for each general register in the const operand `$mask`, whose bits have the order of the fields of
/// `CpuState`: `\\r` is the register and `{state} + .Lcbframe_at` its field.
///
/// The assembler repeats, not the macro: expanding sixteen times as many tokens would double the time that a callback
/// takes to compile.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_integers {
    ($mask:literal, $instruction:literal) => {
        $crate::private::core::concat!(
            ".set .Lcbframe_at, 0\n",
            ".set .Lcbframe_bit, 0\n",
            ".irp r, rdi, rsi, rdx, rcx, r8, r9, rax, rbx, rbp, rsp, r10, r11, r12, r13, r14, r15\n",
            ".if .Lcbframe_bit == 6\n",
            ".set .Lcbframe_at, .Lcbframe_rax\n",
            ".endif\n",
            ".if ({",
            $mask,
            "} >> .Lcbframe_bit) & 1\n",
            $instruction,
            "\n.endif\n",
            ".set .Lcbframe_at, .Lcbframe_at + 8\n",
            ".set .Lcbframe_bit, .Lcbframe_bit + 1\n",
            ".endr\n",
        )
    };
}

/// `$instructions` for each vector register in the const operand `$mask`, from bit `$shift` on: `\\n` is its number.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_vectors {
    ($mask:literal, $shift:literal, $($instruction:literal),+) => {
        $crate::private::core::concat!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n",
            ".if ({",
            $mask,
            "} >> (\\n + ",
            $shift,
            ")) & 1\n",
            $($instruction, "\n",)+
            ".endif\n",
            ".endr\n",
        )
    };
}

/// Defines the captured entry `$name`, which stores the registers that `$capture` (a [`Capture`]) names into a
/// [`CpuState`], calls `$dispatch(&mut CpuState, ctx)` and loads those that it says to load.
///
/// ```text
///   rsp ▸ [home space, Windows: 32] [vector registers, with avx] [wide vectors, x87 results: 512] [FXSAVE area: 512]
///         [CpuState: 432]             its last words: [rflags, with flags] [ctx] [return address]
///   Areas are left out that are not used: the FXSAVE area if the one below it is not either.
/// ```
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
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_startproc", ".cfi_def_cfa_offset 16";
                    seh ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "endbr64",
                ".if {groups} & .Lcbframe_flags",
                "pushfq",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset 8"; seh ".seh_stackalloc 8"),
                "lea rsp, [rsp - {frame} + 8]",
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_adjust_cfa_offset {frame} - 8";
                    seh ".seh_stackalloc {frame} - 8"
                ),
                ".else",
                "lea rsp, [rsp - {frame}]",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset {frame}"; seh ".seh_stackalloc {frame}"),
                ".endif",
                $crate::__cbframe_unwind!(; seh ".seh_endprologue"),
                $crate::__cbframe_integers!("save", "mov [rsp + {state} + .Lcbframe_at], \\r"),
                $crate::__cbframe_vectors!("save", "16", "movaps [rsp + {state} + .Lcbframe_xmm + 16 * \\n], xmm\\n"),
                ".if {ymm} | {zmm}",
                $crate::__cbframe_vectors!("ymm", "0", "vmovups [rsp + {wide} + 64 * \\n], ymm\\n"),
                $crate::__cbframe_vectors!("zmm", "0", "vmovups [rsp + {wide} + 64 * \\n], zmm\\n"),
                ".if !({groups} & .Lcbframe_avx)", // which stores them again, whole
                "vzeroupper", // else SSE instructions would be slow from here on
                ".endif",
                ".endif",
                ".if {groups} & .Lcbframe_avx",
                $crate::__cbframe_store_wide!(),
                ".elseif {present}",
                "mov dword ptr [rsp + {state} + .Lcbframe_present], {present}",
                ".endif",
                ".if {singles}",
                "mov dword ptr [rsp + {state} + .Lcbframe_registers], {singles}",
                ".endif",
                ".if {groups} & .Lcbframe_sse",
                "stmxcsr [rsp + {state} + .Lcbframe_mxcsr]",
                ".endif",
                ".if {groups} & .Lcbframe_x87",
                "fxsave64 [rsp + {fxsave}]",
                ".endif",
                ".if {groups} & .Lcbframe_gpr", // which has saved rax
                "lea rax, [rsp + {frame} + 8]",
                "mov [rsp + {state} + .Lcbframe_rsp], rax",
                ".endif",
                // Rust, like every compiler, expects the direction flag to be clear. `cld` makes some CPUs wait for four
                // cycles, so it is executed only if the flag is set: where it is not saved, `lodsq` tells by the
                // direction in which it moves rsi. (rsi and rax are stored if anybody wants them, but for Windows' rsi.)
                ".if {home}",
                "lea rcx, [rsp + {state}]",
                ".else",
                "lea rdi, [rsp + {state}]",
                ".endif",
                ".if {groups} & .Lcbframe_flags",
                "test dword ptr [rsp + {state} + .Lcbframe_rflags], 0x400",
                "jnz 12f",
                ".elseif {home}",
                "mov r11, rsi",
                "mov rsi, rcx",
                "lodsq",
                "cmp rsi, rcx",
                "mov rsi, r11",
                "jb 12f",
                ".else",
                "mov rsi, rdi",
                "lodsq",
                "cmp rsi, rdi",
                "jb 12f",
                ".endif",
                "3:",
                ".if {home}",
                "mov rdx, [rsp + {frame}]",
                ".else",
                "mov rsi, [rsp + {frame}]",
                ".endif",
                ".if {headed}",
                ".if {home}", "call qword ptr [rdx]", ".else", "call qword ptr [rsi]", ".endif",
                ".else",
                "call {dispatch}",
                ".endif",
                ".if {groups} & .Lcbframe_x87",
                "fxrstor64 [rsp + {fxsave}]",
                ".endif",
                // By halves where a lane may have been stored alone: a `movaps` could not be forwarded from that
                // store and would wait for it. Elsewhere `movaps` is half the work.
                ".if {groups} & .Lcbframe_avx",
                $crate::__cbframe_load_wide!(),
                ".else",
                ".if {groups} & .Lcbframe_sse",
                "test dword ptr [rsp + {state} + .Lcbframe_present], .Lcbframe_changed_xmm",
                "jnz 4f",
                ".endif",
                // Without the group, those that the convention preserves.
                $crate::__cbframe_vectors!("whole", "16", "movaps xmm\\n, [rsp + {state} + .Lcbframe_xmm + 16 * \\n]"),
                ".if {groups} & .Lcbframe_sse",
                "5:",
                ".endif",
                ".endif",
                $crate::__cbframe_vectors!(
                    "halves",
                    "16",
                    "movsd xmm\\n, [rsp + {state} + .Lcbframe_xmm + 16 * \\n]",
                    "movhps xmm\\n, [rsp + {state} + .Lcbframe_xmm + 8 + 16 * \\n]"
                ),
                ".if {groups} & .Lcbframe_sse",
                // Always: to look whether it is another waits for everything before it, as loading it does.
                "ldmxcsr [rsp + {state} + .Lcbframe_mxcsr]",
                ".endif",
                ".if {wide_result} == 32", "vmovups ymm0, [rsp + {wide}]", ".endif",
                ".if {wide_result} == 64", "vmovups zmm0, [rsp + {wide}]", ".endif",
                ".if {x87_result} == 2", "fld tbyte ptr [rsp + {wide} + 16]", ".endif",
                ".if {x87_result}", "fld tbyte ptr [rsp + {wide}]", ".endif",
                ".if {groups} & .Lcbframe_gpr",
                // Nearly always rsp is what it was: to load it would make everything after it wait.
                "lea rax, [rsp + {frame} + 8]",
                "cmp rax, [rsp + {state} + .Lcbframe_rsp]",
                "jne 8f",
                ".endif",
                ".if {groups} & .Lcbframe_flags",
                "test dword ptr [rsp + {state} + .Lcbframe_present], .Lcbframe_changed_flags",
                "jnz 6f",
                // Only the status flags differ: `popfq` takes more than twenty cycles. OF by an addition that
                // overflows if al was 1, then the others by `sahf`.
                "mov eax, [rsp + {state} + .Lcbframe_rflags]",
                "mov ecx, eax",
                "shl eax, 8",
                "shr ecx, 11",
                "and ecx, 1",
                "or eax, ecx",
                "add al, 127",
                "sahf",
                "7:",
                ".endif",
                $crate::__cbframe_integers!("load", "mov \\r, [rsp + {state} + .Lcbframe_at]"),
                "lea rsp, [rsp + {frame} + 8]",
                $crate::__cbframe_unwind!(dwarf ".cfi_remember_state", ".cfi_def_cfa_offset 8"),
                ".if {pops}", "ret {pops}", ".else", "ret", ".endif",
                $crate::__cbframe_unwind!(dwarf ".cfi_restore_state"),
                // Out of the way: what is rare.
                ".if {groups} & .Lcbframe_avx",
                $crate::__cbframe_store_wide_rarely!(),
                $crate::__cbframe_load_wide_rarely!(),
                ".elseif {groups} & .Lcbframe_sse",
                "4:",
                $crate::__cbframe_vectors!(
                    "whole",
                    "16",
                    "movsd xmm\\n, [rsp + {state} + .Lcbframe_xmm + 16 * \\n]",
                    "movhps xmm\\n, [rsp + {state} + .Lcbframe_xmm + 8 + 16 * \\n]"
                ),
                "jmp 5b",
                ".endif",
                "12:",
                "cld",
                ".if {groups} & .Lcbframe_flags",
                "or dword ptr [rsp + {state} + .Lcbframe_present], .Lcbframe_changed_flags", // `popfq` shall set it again
                ".endif",
                "jmp 3b",
                ".if {groups} & .Lcbframe_flags",
                "6:",
                "push [rsp + {state} + .Lcbframe_rflags]",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset 8"),
                "popfq",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset -8"),
                "jmp 7b",
                ".endif",
                ".if {groups} & .Lcbframe_gpr",
                // With another rsp: `ret` shall take rip from the word that it points to.
                "8:",
                "mov rax, [rsp + {state} + .Lcbframe_rip]",
                "mov rcx, [rsp + {state} + .Lcbframe_rsp]",
                "mov [rcx], rax",
                ".if {groups} & .Lcbframe_flags",
                "push [rsp + {state} + .Lcbframe_rflags]",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset 8"),
                "popfq",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset -8"),
                ".endif",
                $crate::__cbframe_integers!("load", "mov \\r, [rsp + {state} + .Lcbframe_at]"),
                "mov rsp, [rsp + {state} + .Lcbframe_rsp]",
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 8"),
                ".if {pops}", "ret {pops}", ".else", "ret", ".endif",
                ".endif",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
                ".balign 64",
                frame = const $capture.frame(),
                state = const $capture.state(),
                wide = const $capture.wide(),
                fxsave = const $capture.fxsave(),
                home = const $capture.home(),
                headed = const $capture.headed() as u8,
                pops = const $capture.pops(),
                save = const $capture.saved(),
                load = const $capture.loaded(),
                whole = const $capture.loaded_whole(),
                halves = const $capture.loaded_by_halves(),
                ymm = const $capture.ymm(),
                zmm = const $capture.zmm(),
                wide_result = const $capture.wide_result(),
                x87_result = const $capture.x87_result(),
                groups = const $capture.groups(),
                singles = const $capture.singles(),
                present = const $capture.present(),
                vectors = sym $crate::private::VECTORS,
                find_vectors = sym $crate::private::find_vectors,
                dispatch = sym $dispatch,
            )
        }
    };
}

/// `__cbframe_convention_entry`, which chooses the entry of a callback whose convention is data: the captured one, or an
/// entry before that for callers that do not align the stack.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_convention_entry {
    (generics [$($generics:tt)*] types [$($types:tt)*] $capture:expr) => {
        $crate::__cbframe_aligning_entry!(
            __cbframe_aligning_entry [<$($generics)*>], $capture, __cbframe_captured_entry::<$($types)*>
        );

        const fn __cbframe_convention_entry<$($generics)*>() -> unsafe extern "C" fn() {
            if $capture.aligns() { __cbframe_aligning_entry::<$($types)*> } else { __cbframe_captured_entry::<$($types)*> }
        }
    };
}

/// Defines the entry `$name` for callers whose stack pointer is a multiple of 8 only: it aligns it, and calls the captured
/// entry `$inner` of `$capture` with a copy of ctx and of the arguments on the stack.
///
/// ```text
///   rsp at the inner entry ▸ [ctx] [return into this] [arguments …]  ≤ 3 words  [rbp] [ctx] [return address] [arguments …]
/// ```
///
/// It changes rbp, which carries no argument, and flags, and restores rbp.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_aligning_entry {
    ($name:ident $([$($generics:tt)*])?, $capture:expr, $inner:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $($($generics)*)? () {
            $crate::private::core::arch::naked_asm!(
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_startproc", ".cfi_def_cfa_offset 16";
                    seh ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "endbr64",
                "push rbp",
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_adjust_cfa_offset 8", ".cfi_offset rbp, -24";
                    seh ".seh_pushreg rbp"
                ),
                "mov rbp, rsp",
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_def_cfa_register rbp";
                    seh ".seh_setframe rbp, 0", ".seh_endprologue"
                ),
                "and rsp, -16",
                ".if {words} & 1",
                "push rbp", // so that an even number of words follows
                ".endif",
                ".set .Lcbframe_word, {words}",
                ".rept {words}",
                ".set .Lcbframe_word, .Lcbframe_word - 1",
                "push qword ptr [rbp + 24 + 8 * .Lcbframe_word]",
                ".endr",
                "call 2f",
                "mov rsp, rbp",
                "pop rbp",
                // Windows takes this for functions of their own: rbp is the base of the frame in the first one only.
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_remember_state", ".cfi_restore rbp", ".cfi_def_cfa rsp, 16";
                    seh ".seh_endproc", ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "lea rsp, [rsp + 8]",
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 8"; seh ".seh_endprologue", ".seh_endproc"),
                ".if {pops}", "ret {pops}", ".else", "ret", ".endif",
                $crate::__cbframe_unwind!(dwarf ".cfi_restore_state"; seh ".seh_proc .Lcbframe"),
                "2:",
                "push qword ptr [rbp + 8]", // ctx, as a stub does
                $crate::__cbframe_unwind!(; seh ".seh_stackalloc 8"),
                "jmp {inner}",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"; seh ".seh_endprologue", ".seh_endproc"),
                ".balign 64",
                words = const $capture.moved_words(),
                pops = const $capture.pops(),
                inner = sym $inner,
            )
        }
    };
}

/// The entry of a freed slot: reports the call, with the slot's record for ctx, and aborts.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn stale_entry() {
    core::arch::naked_asm!(
        crate::__cbframe_unwind!(
            dwarf ".cfi_startproc", ".cfi_def_cfa_offset 16";
            seh ".seh_proc .Lcbframe", ".seh_stackalloc 8", ".seh_endprologue"
        ),
        "endbr64",
        "cld",
        "mov rdi, [rsp]",
        "and rsp, -16", // it is aligned but for hooks
        "call {report}",
        "ud2",
        crate::__cbframe_unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
        report = sym report,
    )
}

unsafe extern "sysv64" fn report(record: *const Record) -> ! {
    // SAFETY: the ctx of a freed slot is its record.
    unsafe { report_stale_call(record) }
}

/// How many stubs [`distant_stubs`] has: a block of 64 KiB.
pub(crate) const DISTANT_STUBS: usize = 4096;

/// Stubs whose slots lie as far behind them as all of them are long: the same bytes for each stub, wherever they lie. They
/// are not called here, but where this block of the program's file is mapped again. The first is at a multiple of the
/// page size: the function's address rounded up.
///
/// No unwind directives: there are none where it is mapped, nor are they needed. A stub leaves by a jump, so it is on no
/// call stack; only a debugger that stops within one sees a caller that is not right.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn distant_stubs() {
    core::arch::naked_asm!(
        ".balign 4096",
        ".rept {count}",
        "endbr64",                                          //  0
        "push qword ptr [rip + {count} * {size} + 8 - 10]", //  4: ctx
        "jmp qword ptr [rip + {count} * {size} - 16]",      // 10: entry
        ".endr",
        count = const DISTANT_STUBS,
        size = const super::STUB_SIZE,
    )
}
