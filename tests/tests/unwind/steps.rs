//! The unwinder at every instruction: the trap flag raises a signal after each, whose handler unwinds from there.
//!
//! Stricter than a debugger, which has rules of its own for `ret` and for the beginnings of functions.

use std::arch::naked_asm;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg(target_arch = "x86_64")]
use cbframe::__cbframe_unwind as unwind;
use cbframe_tests::system::{self, Interrupted};

use crate::STEPPING;

/// The stack pointer of `stepping_caller` at its call.
static RSP: AtomicU64 = AtomicU64::new(0);
/// How many instructions were looked at.
static STEPS: AtomicUsize = AtomicUsize::new(0);
/// How many of them the caller was not found from, and the first of these.
static LOST: AtomicUsize = AtomicUsize::new(0);
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// Calls `target` with the trap flag set, and x = 41 as the first argument of both conventions.
///
/// Frame: [home space and stack arguments: 72] [return address]
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "sysv64-unwind" fn stepping_caller(target: *const ()) -> u64 {
    naked_asm!(
        unwind!(dwarf ".cfi_startproc"; seh ".seh_proc .Lstepping"),
        "sub rsp, 72",
        unwind!(dwarf ".cfi_def_cfa_offset 80"; seh ".seh_stackalloc 72", ".seh_endprologue"),
        "mov [rip + {RSP}], rsp",
        "mov rax, rdi",
        "mov edi, 41",
        "mov ecx, 41",
        "pushfq",
        unwind!(dwarf ".cfi_adjust_cfa_offset 8"),
        "or qword ptr [rsp], 0x100",
        "popfq",
        unwind!(dwarf ".cfi_adjust_cfa_offset -8"),
        "call rax", // after which comes the first signal
        ".globl cbframe_tests_stepped",
        "cbframe_tests_stepped:",
        "pushfq",
        unwind!(dwarf ".cfi_adjust_cfa_offset 8"),
        "and qword ptr [rsp], ~0x100",
        "popfq",
        unwind!(dwarf ".cfi_adjust_cfa_offset -8"),
        "nop", // after which comes the last signal
        "add rsp, 72",
        unwind!(dwarf ".cfi_def_cfa_offset 8"),
        "ret",
        unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
        RSP = sym RSP,
    )
}

/// The same: x is on the stack.
#[cfg(target_arch = "x86")]
unsafe fn stepping_caller(target: *const ()) -> u64 {
    #[unsafe(naked)]
    unsafe extern "C-unwind" fn caller(_target: *const (), _esp: *const AtomicU64) -> u64 {
        naked_asm!(
            ".cfi_startproc",
            "sub esp, 76",
            ".cfi_def_cfa_offset 80",
            "mov ecx, [esp + 84]",
            "mov [ecx], esp",
            "mov eax, [esp + 80]",
            "mov dword ptr [esp], 41",
            "mov dword ptr [esp + 4], 0",
            "pushfd",
            ".cfi_adjust_cfa_offset 4",
            "or dword ptr [esp], 0x100",
            "popfd",
            ".cfi_adjust_cfa_offset -4",
            "call eax", // after which comes the first signal
            ".globl cbframe_tests_stepped",
            "cbframe_tests_stepped:",
            "pushfd",
            ".cfi_adjust_cfa_offset 4",
            "and dword ptr [esp], ~0x100",
            "popfd",
            ".cfi_adjust_cfa_offset -4",
            "nop", // after which comes the last signal
            "add esp, 76",
            ".cfi_def_cfa_offset 4",
            "ret",
            ".cfi_endproc",
        )
    }
    // SAFETY: the caller's promise.
    unsafe { caller(target, &RSP) }
}

unsafe extern "C" {
    static cbframe_tests_stepped: u8;
}

/// What the walk of one stack has found.
#[derive(Default)]
struct Walk {
    callers: usize,
    /// Frames beyond the caller: the walk must not end there.
    beyond: usize,
}

impl Walk {
    fn look(&mut self, address: usize, rsp: usize) {
        if address == (&raw const cbframe_tests_stepped).addr() && rsp as u64 == RSP.load(Ordering::Relaxed) {
            self.callers += 1;
        } else if self.callers > 0 {
            self.beyond += 1;
        }
    }
}

fn on_trap(interrupted: &Interrupted) {
    let address = interrupted.address();
    if OURS.get().is_none_or(|ours| !ours.iter().any(|(code, _)| code.contains(&address))) {
        return;
    }
    // The interrupted code is a callback that does nothing: it holds no lock that the unwinder needs.
    let mut walk = Walk::default();
    interrupted.walk(&mut |address, rsp| walk.look(address, rsp));
    STEPS.fetch_add(1, Ordering::Relaxed);
    let is_lost = walk.callers != 1 || walk.beyond < 3;
    if is_lost && LOST.fetch_add(1, Ordering::Relaxed) == 0 {
        FIRST.store(address, Ordering::Relaxed);
    }
}

/// The code of stubs and entries, and what it is called. The rest is the compiler's and the linker's, which are not
/// always right: LLVM 22 says too late, in a `win64` function on Linux, that the prologue has moved rsp.
static OURS: OnceLock<Vec<(Range<usize>, String)>> = OnceLock::new();

/// Finds them in the symbol table of this program.
fn ours() -> Vec<(Range<usize>, String)> {
    let ours = system::functions().into_iter().filter_map(|(code, name)| {
        let (_, name) = name.split_once("__cbframe_")?;
        let is_ours = name.contains("_entry") || name.starts_with("stub") || name.starts_with("fn");
        is_ours.then(|| (code, format!("__cbframe_{name}")))
    });
    ours.collect()
}

/// What an address of ours is called.
fn symbol(address: usize) -> String {
    let found = OURS.get().and_then(|ours| ours.iter().find(|(code, _)| code.contains(&address)));
    found.map_or_else(|| "nothing".into(), |(code, name)| format!("{name} + {:#x}", address - code.start))
}

#[test]
fn the_caller_is_found_at_every_instruction() {
    system::on_step(on_trap);
    assert!(OURS.get_or_init(ours).len() > if cfg!(target_arch = "x86") { 12 } else { 20 }, "{OURS:?}");
    // The first walk loads what the unwinder needs.
    system::walk(&mut |_, _| ());
    STEPPING.set(true);
    for (lane, target) in crate::all_lanes() {
        for counter in [&STEPS, &LOST] {
            counter.store(0, Ordering::Relaxed);
        }
        // SAFETY: a callback of one of the lanes, which takes any integers.
        let result = system::stepping(|| unsafe { stepping_caller(target) });
        assert_eq!(result, 42, "{lane}");
        let (steps, lost) = (STEPS.load(Ordering::Relaxed), LOST.load(Ordering::Relaxed));
        assert_eq!(lost, 0, "{lane}: of {steps}, the first is {}", symbol(FIRST.load(Ordering::Relaxed)));
        // Two for a stateless callback; a stub of three and an entry of three for the others.
        let least = if lane.ends_with("function") { 2 } else { 6 };
        assert!(steps >= least, "{lane}: {steps}");
    }
}
