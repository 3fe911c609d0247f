//! The unwinder at every instruction: the trap flag raises a signal after each, whose handler unwinds from there.
//!
//! Stricter than a debugger, which has rules of its own for `ret` and for the beginnings of functions.

use std::arch::naked_asm;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::process::Command;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{_Unwind_Backtrace, _Unwind_GetCFA, _Unwind_GetIP, STEPPING};

/// rsp of `stepping_caller` at its call.
static RSP: AtomicU64 = AtomicU64::new(0);
/// How many instructions were looked at.
static STEPS: AtomicUsize = AtomicUsize::new(0);
/// How many of them the caller was not found from, and the first of these.
static LOST: AtomicUsize = AtomicUsize::new(0);
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// Calls `target` with the trap flag set, and x = 41 as the first argument of both conventions.
///
/// Frame: [home space and stack arguments: 72] [return address]
#[unsafe(naked)]
unsafe extern "sysv64-unwind" fn stepping_caller(target: *const ()) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "sub rsp, 72",
        ".cfi_def_cfa_offset 80",
        "mov [rip + {RSP}], rsp",
        "mov rax, rdi",
        "mov edi, 41",
        "mov ecx, 41",
        "pushfq",
        ".cfi_adjust_cfa_offset 8",
        "or qword ptr [rsp], 0x100",
        "popfq",
        ".cfi_adjust_cfa_offset -8",
        "call rax", // after which comes the first signal
        ".globl cbframe_tests_stepped",
        "cbframe_tests_stepped:",
        "pushfq",
        ".cfi_adjust_cfa_offset 8",
        "and qword ptr [rsp], ~0x100",
        "popfq",
        ".cfi_adjust_cfa_offset -8",
        "nop", // after which comes the last signal
        "add rsp, 72",
        ".cfi_def_cfa_offset 8",
        "ret",
        ".cfi_endproc",
        RSP = sym RSP,
    )
}

unsafe extern "C" {
    static cbframe_tests_stepped: u8;
}

/// What the walk of one stack has found.
struct Walk {
    callers: usize,
    /// Frames beyond the caller: the walk must not end there.
    beyond: usize,
}

extern "C" fn look(context: *mut c_void, data: *mut c_void) -> c_int {
    // SAFETY: `on_trap` passes a `Walk`; the context is that of the step.
    let (walk, ip, rsp) = unsafe { (&mut *data.cast::<Walk>(), _Unwind_GetIP(context), _Unwind_GetCFA(context)) };
    if ip == (&raw const cbframe_tests_stepped).addr() && rsp as u64 == RSP.load(Ordering::Relaxed) {
        walk.callers += 1;
    } else if walk.callers > 0 {
        walk.beyond += 1;
    }
    0
}

extern "C" fn on_trap(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes this with `SA_SIGINFO`.
    let ip = unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize] } as usize;
    if OURS.get().is_none_or(|ours| !ours.iter().any(|(code, _)| code.contains(&ip))) {
        return;
    }
    let mut walk = Walk { callers: 0, beyond: 0 };
    // SAFETY: `look` takes what it is given here. The interrupted code is a callback that does nothing: it holds
    // no lock that the unwinder needs.
    unsafe { _Unwind_Backtrace(look, (&raw mut walk).cast()) };
    STEPS.fetch_add(1, Ordering::Relaxed);
    let is_lost = walk.callers != 1 || walk.beyond < 3;
    if is_lost && LOST.fetch_add(1, Ordering::Relaxed) == 0 {
        FIRST.store(ip, Ordering::Relaxed);
    }
}

/// The code of stubs and entries, and what it is called. The rest is the compiler's and the linker's, which are not
/// always right: LLVM 22 says too late, in a `win64` function on Linux, that the prologue has moved rsp.
static OURS: OnceLock<Vec<(Range<usize>, String)>> = OnceLock::new();

/// Finds them in the symbol table of this program.
fn ours() -> Vec<(Range<usize>, String)> {
    let program = std::env::current_exe().expect("the program has a path");
    let output = Command::new("nm").args(["-S", "--defined-only"]).arg(program).output().expect("nm runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // SAFETY: null pointers are what the structure has before it is filled in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: an address in this program.
    assert_ne!(unsafe { libc::dladdr(RSP.as_ptr().cast(), &raw mut info) }, 0);
    let number = |text: &str| usize::from_str_radix(text, 16).expect("a hexadecimal number");
    let ours = text.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let &[address, size, "t" | "T", name] = &fields[..] else { return None };
        let (_, name) = name.split_once("__cbframe_")?;
        let begin = info.dli_fbase.addr() + number(address);
        let is_ours = name.contains("_entry") || name.starts_with("stub") || name.starts_with("fn");
        is_ours.then(|| (begin..begin + number(size), format!("__cbframe_{name}")))
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
    // SAFETY: all bytes zero is a valid value: an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_trap as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: `on_trap` is a handler of this kind; no other test uses the signal.
    assert_eq!(unsafe { libc::sigaction(libc::SIGTRAP, &raw const action, null_mut()) }, 0);
    assert!(OURS.get_or_init(ours).len() > 20, "{OURS:?}");
    let mut walk = Walk { callers: 0, beyond: 0 };
    // The first walk loads what the unwinder needs.
    // SAFETY: `look` takes what it is given here.
    unsafe { _Unwind_Backtrace(look, (&raw mut walk).cast()) };
    STEPPING.set(true);
    for (lane, target) in crate::all_lanes() {
        for counter in [&STEPS, &LOST] {
            counter.store(0, Ordering::Relaxed);
        }
        // SAFETY: a callback of one of the lanes, which takes any integers.
        let result = unsafe { stepping_caller(target) };
        assert_eq!(result, 42, "{lane}");
        let (steps, lost) = (STEPS.load(Ordering::Relaxed), LOST.load(Ordering::Relaxed));
        assert_eq!(lost, 0, "{lane}: of {steps}, the first is {}", symbol(FIRST.load(Ordering::Relaxed)));
        // Two for a stateless callback; a stub of three and an entry of three for the others.
        let least = if lane.ends_with("function") { 2 } else { 6 };
        assert!(steps >= least, "{lane}: {steps}");
    }
}
