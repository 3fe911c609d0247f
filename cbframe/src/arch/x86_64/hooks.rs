//! Entries that are reached by a jump from the middle of a function: every register and flag is live, and 128 bytes below the
//! stack pointer are the function's own (psABI, section 3.2.2, "the red zone").
//!
//! ```text
//!                                                                                          rsp of the function ▾
//! at an entry     [ctx] [where it goes on] [red zone: 128]                                                     […]
//!           rsp ▸
//! ```
//!
//! The function's rsp may have any alignment. On the way out the word below the red zone holds where execution goes on, and
//! `ret 128` takes it from there: whatever a signal handler writes is below rsp at each instruction.

/// The bytes of code of one stub of the pool of hooks.
pub(crate) const JUMP_STUB_SIZE: usize = 32;

/// Defines the naked function `$name` of `$count` stubs over the tables `$slots` of slots and `$resumes` of the
/// addresses at which hooks go on.
///
/// As `__cbframe_stub_table`, but 32 bytes each; the first is at a multiple of 32. No flag is changed, and nothing is
/// written before the red zone is out of the way. What the unwinder finds is the function that has jumped here, at the
/// address at which it goes on; on Windows only once the entry has called the dispatcher.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_jump_stub_table {
    ($name:ident, $count:expr, $slots:path, $resumes:path) => {
        #[unsafe(naked)]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__TEXT,__cbframe_jump"))]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                ".balign 32",
                $crate::__cbframe_unwind!(dwarf ".cfi_startproc", ".cfi_signal_frame"),
                ".set .Lcbframe_slot, 0",
                ".rept {count}",
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa rsp, 0", ".cfi_undefined rip"),
                "endbr64",                                                       //  0
                "lea rsp, [rsp - 128]",                                          //  4
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 128"),
                "push qword ptr [rip + {resumes} + .Lcbframe_slot * 8]",         //  9
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 136", ".cfi_offset rip, -136"),
                "push qword ptr [rip + {slots} + .Lcbframe_slot * 16 + 8]",      // 15: ctx
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_offset 144"),
                "jmp qword ptr [rip + {slots} + .Lcbframe_slot * 16]",           // 21: entry
                ".balign 32, 0xcc",
                ".set .Lcbframe_slot, .Lcbframe_slot + 1",
                ".endr",
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"),
                count = const $count,
                slots = sym $slots,
                resumes = sym $resumes,
            )
        }
    };
}

/// Defines the entry `$name` of a hook, which stores the registers that `$capture` (a [`Capture`] with `gpr`, `flags` and
/// `avx512`) names into a [`CpuState`], calls `$dispatch(&mut CpuState, ctx)`, loads all of them, and goes on.
///
/// ```text
///   rsp ▸ [home space, Windows: 32] [vector registers] [wide vectors: 512] [FXSAVE area: 512] [CpuState: 432]
///         [Windows: 32] [up to 8: alignment] [rax] [rflags] [ctx] [where it goes on] [red zone: 128]
/// ```
///
/// The state's word of ctx has a copy of the function's rsp, by which the unwinder finds its frame. Windows' finds it by what
/// lies behind the state as the processor pushes it when it interrupts a function: where that goes on, two words, and rsp.
///
/// [`Capture`]: super::Capture
/// [`CpuState`]: super::CpuState
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_jump_entry {
    ($name:ident, $capture:expr, $dispatch:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(
                $crate::__cbframe_names!(),
                $crate::__cbframe_unwind!(
                    dwarf ".cfi_startproc", ".cfi_signal_frame", ".cfi_def_cfa rsp, 144", ".cfi_offset rip, -136";
                    seh ".seh_proc .Lcbframe"
                ),
                "endbr64",
                "pushfq",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset 8"),
                "push rax",
                $crate::__cbframe_unwind!(dwarf ".cfi_adjust_cfa_offset 8"),
                "mov rax, rsp",
                $crate::__cbframe_unwind!(dwarf ".cfi_def_cfa_register rax"),
                "cld",
                "lea rsp, [rsp - {frame}]",
                "and rsp, -16",
                $crate::__cbframe_integers!("but_rax", "mov [rsp + {state} + .Lcbframe_at], \\r"),
                "mov rcx, [rax]",
                "mov [rsp + {state} + .Lcbframe_rax], rcx",
                "mov rcx, [rax + 8]",
                "mov [rsp + {state} + .Lcbframe_rflags], rcx",
                "mov rcx, [rax + 24]",
                "mov [rsp + {state} + .Lcbframe_rip], rcx",
                $crate::__cbframe_unwind!(; seh "mov [rsp + {state} + .Lcbframe_interrupted], rcx"),
                "lea rcx, [rax + 160]",
                "mov [rsp + {state} + .Lcbframe_rsp], rcx",
                "mov [rsp + {state} + .Lcbframe_ctx], rcx",
                $crate::__cbframe_unwind!(;
                    seh "mov [rsp + {state} + .Lcbframe_interrupted + 24], rcx",
                    ".seh_pushframe", ".seh_stackalloc {state} + .Lcbframe_interrupted", ".seh_endprologue"
                ),
                // DW_CFA_def_cfa_expression, 5 bytes: breg7 (rsp) and the offset of that word in three bytes; deref.
                ".set .Lcbframe_cfa, {state} + .Lcbframe_ctx",
                $crate::__cbframe_unwind!(dwarf ".cfi_escape 0x0f, 5, 0x77, (.Lcbframe_cfa & 127) | 128, ((.Lcbframe_cfa >> 7) & 127) | 128, .Lcbframe_cfa >> 14, 0x06"),
                "mov rbx, [rax + 16]", // ctx; rbx is stored
                $crate::__cbframe_unwind!(dwarf ".cfi_undefined rbx"),
                $crate::__cbframe_store_wide!(),
                "stmxcsr [rsp + {state} + .Lcbframe_mxcsr]",
                ".if {groups} & .Lcbframe_x87",
                "fxsave64 [rsp + {fxsave}]",
                ".endif",
                ".if {home}",
                "lea rcx, [rsp + {state}]",
                "mov rdx, rbx",
                ".else",
                "lea rdi, [rsp + {state}]",
                "mov rsi, rbx",
                ".endif",
                "mov rbx, [rsp + {state} + .Lcbframe_rbx]",
                $crate::__cbframe_unwind!(dwarf ".cfi_same_value rbx"),
                "call {dispatch}",
                ".if {groups} & .Lcbframe_x87",
                "fxrstor64 [rsp + {fxsave}]",
                ".endif",
                $crate::__cbframe_load_wide!(),
                "ldmxcsr [rsp + {state} + .Lcbframe_mxcsr]",
                "mov rcx, [rsp + {state} + .Lcbframe_rip]",
                "mov rax, [rsp + {state} + .Lcbframe_rsp]",
                "lea rax, [rax - 136]",
                "mov [rax], rcx",
                "mov [rsp + {state} + .Lcbframe_rsp], rax",
                "push [rsp + {state} + .Lcbframe_rflags]",
                // The frame is found relative to rsp, which is another for one instruction.
                $crate::__cbframe_unwind!(dwarf ".cfi_remember_state"),
                ".set .Lcbframe_cfa, {state} + .Lcbframe_ctx + 8",
                $crate::__cbframe_unwind!(dwarf ".cfi_escape 0x0f, 5, 0x77, (.Lcbframe_cfa & 127) | 128, ((.Lcbframe_cfa >> 7) & 127) | 128, .Lcbframe_cfa >> 14, 0x06"),
                "popfq",
                $crate::__cbframe_unwind!(dwarf ".cfi_restore_state"),
                $crate::__cbframe_integers!("but_rsp", "mov \\r, [rsp + {state} + .Lcbframe_at]"),
                "mov rsp, [rsp + {state} + .Lcbframe_rsp]",
                $crate::__cbframe_unwind!(dwarf ".cfi_remember_state", ".cfi_def_cfa rsp, 136"),
                "ret 128",
                $crate::__cbframe_unwind!(dwarf ".cfi_restore_state"),
                $crate::__cbframe_store_wide_rarely!(),
                $crate::__cbframe_load_wide_rarely!(),
                $crate::__cbframe_unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
                ".balign 64",
                frame = const $capture.jump_frame(),
                state = const $capture.state(),
                wide = const $capture.wide(),
                fxsave = const $capture.fxsave(),
                home = const $capture.home(),
                but_rax = const $capture.saved() & !(1 << 6),
                but_rsp = const $capture.loaded(),
                whole = const $capture.loaded_whole(),
                groups = const $capture.groups(),
                present = const $capture.present() | $crate::private::JUMP,
                vectors = sym $crate::private::VECTORS,
                find_vectors = sym $crate::private::find_vectors,
                dispatch = sym $dispatch,
            )
        }
    };
}
