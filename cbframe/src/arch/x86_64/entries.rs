//! Every instruction that runs between the C caller and compiled Rust.
//!
//! The templates are macros because naked functions must live in the crate whose functions they name: a slot
//! table that is exported, or a shim that is generic, would need relocations in `.text`.
//!
//! Rules for all of them: every target of an indirect branch begins with `endbr64`; no instruction before the
//! capture changes a register or a flag; the unwind directives are right at every instruction (rustc writes
//! none for naked functions).

/// Defines the naked function `$name` of `$count` stubs over the table of slots `$slots`.
///
/// Each stub is 16 bytes, at a multiple of 16: rustc aligns naked functions to 4 only, so the first stub is at
/// the function's address rounded up.
///
/// One FDE serves all of them, as for a PLT: the CFA is `rsp + 8`, and 8 more once the `push`, which ends 10
/// bytes into the stub, has been executed.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_stub_table {
    ($name:ident, $count:expr, $slots:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".balign 16",
                ".cfi_startproc",
                // DW_CFA_def_cfa_expression, 11 bytes: breg7 (rsp) 8; breg16 (rip) 0; lit15; and; lit10; ge;
                // lit3; shl; plus.
                ".cfi_escape 0x0f,11,0x77,8,0x80,0,0x3f,0x1a,0x3a,0x2a,0x33,0x24,0x22",
                ".set .Lcbframe_slot, 0",
                ".rept {count}",
                "endbr64",                                                       //  0
                "push qword ptr [rip + {slots} + .Lcbframe_slot * 16 + 8]",      //  4: ctx
                "jmp qword ptr [rip + {slots} + .Lcbframe_slot * 16]",           // 10: entry
                ".balign 16, 0xcc",
                ".set .Lcbframe_slot, .Lcbframe_slot + 1",
                ".endr",
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
                "endbr64",
                "push qword ptr [rip + {slot} + 8]",
                ".cfi_def_cfa_offset 16",
                "jmp qword ptr [rip + {slot}]",
                ".cfi_endproc",
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
                ".cfi_startproc",
                "endbr64",
                "jmp {shim}",
                ".cfi_endproc",
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
    ($name:ident, $register:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                ".cfi_def_cfa_offset 16",
                "endbr64",
                ".if {register} == 7", "pop rdi", ".endif",
                ".if {register} == 6", "pop rsi", ".endif",
                ".if {register} == 2", "pop rdx", ".endif",
                ".if {register} == 1", "pop rcx", ".endif",
                ".if {register} == 8", "pop r8", ".endif",
                ".if {register} == 9", "pop r9", ".endif",
                ".cfi_def_cfa_offset 8",
                "jmp {shim}",
                ".cfi_endproc",
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
    ($name:ident $(<$head:ident: $bound:path>)?, $pad:expr, $shim:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name $(<$head: $bound>)? () {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                ".cfi_def_cfa_offset 16",
                "endbr64",
                "sub rsp, {pad}",
                ".cfi_adjust_cfa_offset {pad}",
                "call {shim}",
                "add rsp, {pad} + 8",
                ".cfi_def_cfa_offset 8",
                "ret",
                ".cfi_endproc",
                ".balign 32",
                pad = const $pad,
                shim = sym $shim,
            )
        }
    };
}

/// `$instruction` if the bit `$bit` of the const operand `$mask` is set.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_if {
    ($mask:literal, $bit:literal, $instruction:literal) => {
        $crate::private::core::concat!(".if ({", $mask, "} >> ", $bit, ") & 1\n", $instruction, "\n.endif\n")
    };
}

/// Loads the general registers but rsp; changes no flag.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_load_integers {
    () => {
        $crate::private::core::concat!(
            $crate::__cbframe_if!("load", "7", "mov rdi, [rsp + {state} + {rdi}]"),
            $crate::__cbframe_if!("load", "6", "mov rsi, [rsp + {state} + {rsi}]"),
            $crate::__cbframe_if!("load", "2", "mov rdx, [rsp + {state} + {rdx}]"),
            $crate::__cbframe_if!("load", "1", "mov rcx, [rsp + {state} + {rcx}]"),
            $crate::__cbframe_if!("load", "8", "mov r8, [rsp + {state} + {r8}]"),
            $crate::__cbframe_if!("load", "9", "mov r9, [rsp + {state} + {r9}]"),
            $crate::__cbframe_if!("load", "0", "mov rax, [rsp + {state} + {rax}]"),
            $crate::__cbframe_if!("load", "3", "mov rbx, [rsp + {state} + {rbx}]"),
            $crate::__cbframe_if!("load", "5", "mov rbp, [rsp + {state} + {rbp}]"),
            $crate::__cbframe_if!("load", "10", "mov r10, [rsp + {state} + {r10}]"),
            $crate::__cbframe_if!("load", "11", "mov r11, [rsp + {state} + {r11}]"),
            $crate::__cbframe_if!("load", "12", "mov r12, [rsp + {state} + {r12}]"),
            $crate::__cbframe_if!("load", "13", "mov r13, [rsp + {state} + {r13}]"),
            $crate::__cbframe_if!("load", "14", "mov r14, [rsp + {state} + {r14}]"),
            $crate::__cbframe_if!("load", "15", "mov r15, [rsp + {state} + {r15}]"),
        )
    };
}

/// Loads the vector register `$xmm` by halves from `$offset` in the array of them, if the bit `$bit` of the const
/// operand `$mask` is set.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_halves_if {
    ($mask:literal, $bit:literal, $xmm:literal, $offset:literal) => {
        $crate::private::core::concat!(
            ".if ({",
            $mask,
            "} >> ",
            $bit,
            ") & 1\n",
            "movsd ",
            $xmm,
            ", [rsp + {state} + {xmm} + ",
            $offset,
            "]\n",
            "movhps ",
            $xmm,
            ", [rsp + {state} + {xmm} + ",
            $offset,
            " + 8]\n",
            ".endif\n",
        )
    };
}

/// Loads the vector registers in the const operand `$mask` by halves; changes no flag.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_load_halves {
    ($mask:literal) => {
        $crate::private::core::concat!(
            $crate::__cbframe_halves_if!($mask, "16", "xmm0", "0"),
            $crate::__cbframe_halves_if!($mask, "17", "xmm1", "16"),
            $crate::__cbframe_halves_if!($mask, "18", "xmm2", "32"),
            $crate::__cbframe_halves_if!($mask, "19", "xmm3", "48"),
            $crate::__cbframe_halves_if!($mask, "20", "xmm4", "64"),
            $crate::__cbframe_halves_if!($mask, "21", "xmm5", "80"),
            $crate::__cbframe_halves_if!($mask, "22", "xmm6", "96"),
            $crate::__cbframe_halves_if!($mask, "23", "xmm7", "112"),
            $crate::__cbframe_halves_if!($mask, "24", "xmm8", "128"),
            $crate::__cbframe_halves_if!($mask, "25", "xmm9", "144"),
            $crate::__cbframe_halves_if!($mask, "26", "xmm10", "160"),
            $crate::__cbframe_halves_if!($mask, "27", "xmm11", "176"),
            $crate::__cbframe_halves_if!($mask, "28", "xmm12", "192"),
            $crate::__cbframe_halves_if!($mask, "29", "xmm13", "208"),
            $crate::__cbframe_halves_if!($mask, "30", "xmm14", "224"),
            $crate::__cbframe_halves_if!($mask, "31", "xmm15", "240"),
        )
    };
}

/// Defines the captured entry `$name`, which stores the registers that `$capture` (a [`Capture`]) names into a
/// [`CpuState`], calls `$dispatch(&mut CpuState, ctx)` and loads those that it says to load.
///
/// ```text
///   rsp ▸ [home space, Windows: 32] [FXSAVE area, with x87: 512] [CpuState: 416]
///                                     its last words: [rflags, with flags] [ctx] [return address]
/// ```
///
/// [`Capture`]: super::Capture
/// [`CpuState`]: super::CpuState
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_captured_entry {
    ($name:ident, $capture:expr, $dispatch:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".cfi_startproc",
                ".cfi_def_cfa_offset 16",
                "endbr64",
                // Rust, like every compiler, expects the direction flag to be clear. Where flags are saved, which lie right
                // below ctx, it is looked at below; that costs less than `cld`, which costs least up here.
                ".if {groups} & {FLAGS}",
                "pushfq",
                ".cfi_adjust_cfa_offset 8",
                "lea rsp, [rsp - {frame} + 8]",
                ".cfi_adjust_cfa_offset {frame} - 8",
                ".else",
                "cld",
                "lea rsp, [rsp - {frame}]",
                ".cfi_adjust_cfa_offset {frame}",
                ".endif",
                $crate::__cbframe_if!("save", "7", "mov [rsp + {state} + {rdi}], rdi"),
                $crate::__cbframe_if!("save", "6", "mov [rsp + {state} + {rsi}], rsi"),
                $crate::__cbframe_if!("save", "2", "mov [rsp + {state} + {rdx}], rdx"),
                $crate::__cbframe_if!("save", "1", "mov [rsp + {state} + {rcx}], rcx"),
                $crate::__cbframe_if!("save", "8", "mov [rsp + {state} + {r8}], r8"),
                $crate::__cbframe_if!("save", "9", "mov [rsp + {state} + {r9}], r9"),
                $crate::__cbframe_if!("save", "16", "movaps [rsp + {state} + {xmm}], xmm0"),
                $crate::__cbframe_if!("save", "17", "movaps [rsp + {state} + {xmm} + 16], xmm1"),
                $crate::__cbframe_if!("save", "18", "movaps [rsp + {state} + {xmm} + 32], xmm2"),
                $crate::__cbframe_if!("save", "19", "movaps [rsp + {state} + {xmm} + 48], xmm3"),
                $crate::__cbframe_if!("save", "20", "movaps [rsp + {state} + {xmm} + 64], xmm4"),
                $crate::__cbframe_if!("save", "21", "movaps [rsp + {state} + {xmm} + 80], xmm5"),
                $crate::__cbframe_if!("save", "22", "movaps [rsp + {state} + {xmm} + 96], xmm6"),
                $crate::__cbframe_if!("save", "23", "movaps [rsp + {state} + {xmm} + 112], xmm7"),
                $crate::__cbframe_if!("save", "24", "movaps [rsp + {state} + {xmm} + 128], xmm8"),
                $crate::__cbframe_if!("save", "25", "movaps [rsp + {state} + {xmm} + 144], xmm9"),
                $crate::__cbframe_if!("save", "26", "movaps [rsp + {state} + {xmm} + 160], xmm10"),
                $crate::__cbframe_if!("save", "27", "movaps [rsp + {state} + {xmm} + 176], xmm11"),
                $crate::__cbframe_if!("save", "28", "movaps [rsp + {state} + {xmm} + 192], xmm12"),
                $crate::__cbframe_if!("save", "29", "movaps [rsp + {state} + {xmm} + 208], xmm13"),
                $crate::__cbframe_if!("save", "30", "movaps [rsp + {state} + {xmm} + 224], xmm14"),
                $crate::__cbframe_if!("save", "31", "movaps [rsp + {state} + {xmm} + 240], xmm15"),
                $crate::__cbframe_if!("save", "0", "mov [rsp + {state} + {rax}], rax"),
                $crate::__cbframe_if!("save", "3", "mov [rsp + {state} + {rbx}], rbx"),
                $crate::__cbframe_if!("save", "5", "mov [rsp + {state} + {rbp}], rbp"),
                $crate::__cbframe_if!("save", "10", "mov [rsp + {state} + {r10}], r10"),
                $crate::__cbframe_if!("save", "11", "mov [rsp + {state} + {r11}], r11"),
                $crate::__cbframe_if!("save", "12", "mov [rsp + {state} + {r12}], r12"),
                $crate::__cbframe_if!("save", "13", "mov [rsp + {state} + {r13}], r13"),
                $crate::__cbframe_if!("save", "14", "mov [rsp + {state} + {r14}], r14"),
                $crate::__cbframe_if!("save", "15", "mov [rsp + {state} + {r15}], r15"),
                ".if {groups} & {SSE}",
                "stmxcsr [rsp + {state} + {mxcsr}]",
                ".endif",
                ".if {groups} & {X87}",
                "fxsave64 [rsp + {fxsave}]",
                ".endif",
                ".if {groups} & {GPR}", // which has saved rax
                "lea rax, [rsp + {frame} + 8]",
                "mov [rsp + {state} + {rsp}], rax",
                "mov dword ptr [rsp + {state} + {present}], {groups}",
                ".endif",
                ".if {groups} & {FLAGS}",
                "test dword ptr [rsp + {state} + {rflags}], 0x400",
                "jnz 12f",
                "3:",
                ".endif",
                ".if {home}",
                "lea rcx, [rsp + {state}]",
                "mov rdx, [rsp + {frame}]",
                ".else",
                "lea rdi, [rsp + {state}]",
                "mov rsi, [rsp + {frame}]",
                ".endif",
                "call {dispatch}",
                // Back. The word of ctx is scratch now.
                ".if {groups} & {X87}",
                "fxrstor64 [rsp + {fxsave}]",
                ".endif",
                ".if {groups} & {SSE}",
                "stmxcsr [rsp + {frame}]",
                "mov eax, [rsp + {state} + {mxcsr}]",
                "cmp eax, [rsp + {frame}]",
                "jne 9f", // loading it costs more than looking
                "2:",
                ".endif",
                // By halves where a lane may have been stored alone: a `movaps` could not be forwarded from that
                // store and would wait for it. Elsewhere `movaps` is half the work.
                ".if {groups} & {SSE}",
                "test dword ptr [rsp + {state} + {present}], {CHANGED_XMM}",
                "jnz 4f",
                ".endif",
                $crate::__cbframe_if!("whole", "16", "movaps xmm0, [rsp + {state} + {xmm}]"),
                $crate::__cbframe_if!("whole", "17", "movaps xmm1, [rsp + {state} + {xmm} + 16]"),
                $crate::__cbframe_if!("whole", "18", "movaps xmm2, [rsp + {state} + {xmm} + 32]"),
                $crate::__cbframe_if!("whole", "19", "movaps xmm3, [rsp + {state} + {xmm} + 48]"),
                $crate::__cbframe_if!("whole", "20", "movaps xmm4, [rsp + {state} + {xmm} + 64]"),
                $crate::__cbframe_if!("whole", "21", "movaps xmm5, [rsp + {state} + {xmm} + 80]"),
                $crate::__cbframe_if!("whole", "22", "movaps xmm6, [rsp + {state} + {xmm} + 96]"),
                $crate::__cbframe_if!("whole", "23", "movaps xmm7, [rsp + {state} + {xmm} + 112]"),
                $crate::__cbframe_if!("whole", "24", "movaps xmm8, [rsp + {state} + {xmm} + 128]"),
                $crate::__cbframe_if!("whole", "25", "movaps xmm9, [rsp + {state} + {xmm} + 144]"),
                $crate::__cbframe_if!("whole", "26", "movaps xmm10, [rsp + {state} + {xmm} + 160]"),
                $crate::__cbframe_if!("whole", "27", "movaps xmm11, [rsp + {state} + {xmm} + 176]"),
                $crate::__cbframe_if!("whole", "28", "movaps xmm12, [rsp + {state} + {xmm} + 192]"),
                $crate::__cbframe_if!("whole", "29", "movaps xmm13, [rsp + {state} + {xmm} + 208]"),
                $crate::__cbframe_if!("whole", "30", "movaps xmm14, [rsp + {state} + {xmm} + 224]"),
                $crate::__cbframe_if!("whole", "31", "movaps xmm15, [rsp + {state} + {xmm} + 240]"),
                ".if {groups} & {SSE}",
                "5:",
                ".endif",
                $crate::__cbframe_load_halves!("halves"),
                ".if {groups} & {GPR}",
                // Nearly always rsp is what it was: to load it would make everything after it wait.
                "lea rax, [rsp + {frame} + 8]",
                "cmp rax, [rsp + {state} + {rsp}]",
                "jne 8f",
                ".endif",
                ".if {groups} & {FLAGS}",
                "test dword ptr [rsp + {state} + {present}], {CHANGED_FLAGS}",
                "jnz 6f",
                // Only the status flags differ: `popfq` takes more than twenty cycles. OF by an addition that
                // overflows if al was 1, then the others by `sahf`.
                "mov eax, [rsp + {state} + {rflags}]",
                "mov ecx, eax",
                "shl eax, 8",
                "shr ecx, 11",
                "and ecx, 1",
                "or eax, ecx",
                "add al, 127",
                "sahf",
                "7:",
                ".endif",
                $crate::__cbframe_load_integers!(),
                "lea rsp, [rsp + {frame} + 8]",
                ".cfi_remember_state",
                ".cfi_def_cfa_offset 8",
                "ret",
                ".cfi_restore_state",
                // Out of the way: what is rare.
                ".if {groups} & {SSE}",
                "9:",
                "ldmxcsr [rsp + {state} + {mxcsr}]",
                "jmp 2b",
                "4:",
                $crate::__cbframe_load_halves!("whole"),
                "jmp 5b",
                ".endif",
                ".if {groups} & {FLAGS}",
                "12:",
                "cld",
                "or dword ptr [rsp + {state} + {present}], {CHANGED_FLAGS}", // `popfq` shall set it again
                "jmp 3b",
                "6:",
                "push [rsp + {state} + {rflags}]",
                ".cfi_adjust_cfa_offset 8",
                "popfq",
                ".cfi_adjust_cfa_offset -8",
                "jmp 7b",
                ".endif",
                ".if {groups} & {GPR}",
                // With another rsp: `ret` shall take rip from the word that it points to.
                "8:",
                "mov rax, [rsp + {state} + {rip}]",
                "mov rcx, [rsp + {state} + {rsp}]",
                "mov [rcx], rax",
                ".if {groups} & {FLAGS}",
                "push [rsp + {state} + {rflags}]",
                ".cfi_adjust_cfa_offset 8",
                "popfq",
                ".cfi_adjust_cfa_offset -8",
                ".endif",
                $crate::__cbframe_load_integers!(),
                "mov rsp, [rsp + {state} + {rsp}]",
                ".cfi_def_cfa_offset 8",
                "ret",
                ".endif",
                ".cfi_endproc",
                ".balign 64",
                frame = const $capture.frame(),
                state = const $capture.state(),
                fxsave = const $capture.fxsave(),
                home = const $capture.home(),
                save = const $capture.saved(),
                load = const $capture.loaded(),
                whole = const $capture.loaded_whole(),
                halves = const $capture.loaded_by_halves(),
                CHANGED_XMM = const $crate::private::CpuState::CHANGED_XMM,
                CHANGED_FLAGS = const $crate::private::CpuState::CHANGED_FLAGS,
                groups = const $capture.groups(),
                GPR = const $crate::private::Group::Gpr.bit(),
                FLAGS = const $crate::private::Group::Flags.bit(),
                SSE = const $crate::private::Group::Sse.bit(),
                X87 = const $crate::private::Group::X87.bit(),
                rax = const $crate::private::CpuState::OFFSETS.integers[0],
                rcx = const $crate::private::CpuState::OFFSETS.integers[1],
                rdx = const $crate::private::CpuState::OFFSETS.integers[2],
                rbx = const $crate::private::CpuState::OFFSETS.integers[3],
                rsp = const $crate::private::CpuState::OFFSETS.integers[4],
                rbp = const $crate::private::CpuState::OFFSETS.integers[5],
                rsi = const $crate::private::CpuState::OFFSETS.integers[6],
                rdi = const $crate::private::CpuState::OFFSETS.integers[7],
                r8 = const $crate::private::CpuState::OFFSETS.integers[8],
                r9 = const $crate::private::CpuState::OFFSETS.integers[9],
                r10 = const $crate::private::CpuState::OFFSETS.integers[10],
                r11 = const $crate::private::CpuState::OFFSETS.integers[11],
                r12 = const $crate::private::CpuState::OFFSETS.integers[12],
                r13 = const $crate::private::CpuState::OFFSETS.integers[13],
                r14 = const $crate::private::CpuState::OFFSETS.integers[14],
                r15 = const $crate::private::CpuState::OFFSETS.integers[15],
                rip = const $crate::private::CpuState::OFFSETS.rip,
                rflags = const $crate::private::CpuState::OFFSETS.rflags,
                mxcsr = const $crate::private::CpuState::OFFSETS.mxcsr,
                present = const $crate::private::CpuState::OFFSETS.present,
                xmm = const $crate::private::CpuState::OFFSETS.xmm,
                dispatch = sym $dispatch,
            )
        }
    };
}

/// The entry of a freed slot: reports the call, with the slot's record for ctx, and aborts.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn stale_entry() {
    core::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_def_cfa_offset 16",
        "endbr64",
        "cld",
        "mov rdi, [rsp]",
        "call {report}",
        "ud2",
        ".cfi_endproc",
        report = sym crate::pool::report_stale_call,
    )
}
