//! A debugger steps through stub and entry of every lane: at each instruction it must find the caller.
//!
//! The unwind directives are right only if they are right between any two instructions, for profilers and for
//! signals that arrive there; panics and backtraces look at calls only.
// On Windows `unwind.rs` does it, with the debugging functions of the system.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::arch::naked_asm;
use std::path::Path;
use std::process::Command;

use cbframe::abi::{Abi, CallingConvention, Signature};
use cbframe::conventions::{PreserveAll, Regcall};
use cbframe::types::Type;
use cbframe::{Call, CpuState, CpuSubset, DynFrame, Value, bind_static, cbframe};
use cbframe_tests::child;

static STATE: u32 = 3;

/// Stops for the debugger, then calls `target`.
///
/// Frame, from a multiple of 64 on: [home space and stack arguments: 64] … [rbp] [return address]
#[unsafe(naked)]
unsafe extern "sysv64" fn cbframe_gdb_caller(target: *const ()) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, 64",
        "and rsp, -64",
        "int3",
        "call rdi",
        ".globl cbframe_gdb_return",
        "cbframe_gdb_return:",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// A parameter type that only the larger stack entry can pass on.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Aligned {
    _words: [u64; 8],
}

#[inline(never)]
fn body() {
    std::hint::black_box(());
}

macro_rules! lanes {
    ($($name:ident [$($option:tt)*] [$($parameter:tt)*] $pointer:ident $least:literal;)*) => {
        $(
            #[allow(clippy::too_many_arguments, reason = "so that some are in memory")]
            #[cbframe($($option)*)]
            fn $name($($parameter)*) {
                body();
            }
        )*

        /// Every lane, how to get its address, and how many instructions there are at least before the shim or,
        /// where the entry is returned to, in all.
        const LANES: &[Lane] = &[
            $((stringify!($name), || lanes!(@$pointer $name) as *const (), $least)),*
        ];
    };
    (@function $name:ident) => { $name::FN };
    (@bound $name:ident) => { $name::leak(3_u32).expect("a free slot") };
    (@hook $name:ident) => { $name::leak(3_u32, back()).expect("a free slot").as_ptr() };
    (@fixed $name:ident) => { bind_static!($name, STATE) };
}

unsafe extern "C" {
    static cbframe_gdb_return: u8;
}

/// Where the call returns to, and where a hook goes on.
fn back() -> *const () {
    (&raw const cbframe_gdb_return).cast()
}

type Lane = (&'static str, fn() -> *const (), u32);

// Stub 3; direct 3; stack 5; captured 8, and at least one each way per register that a group has.
lanes! {
    function [abi = "C"] [_x: u64] function 2;
    function_captured [abi = "sysv64", entry = "captured"] [_x: u64] function 11;
    direct [abi = "sysv64", entry = "direct"] [#[state] _s: &u32, _x: u64] bound 6;
    direct_none [abi = "C"] [#[state] _s: &u32] bound 6;
    direct_five [abi = "C"] [#[state] _s: &u32, _a: u64, _b: u64, _c: u64, _d: u64, _e: u64] bound 6;
    stack [abi = "sysv64", entry = "stack"] [#[state] _s: &u32, _x: u64] bound 8;
    stack_aligned [abi = "sysv64", entry = "stack"] [#[state] _s: &u32, _x: Aligned] bound 8;
    captured [abi = "sysv64", entry = "captured"] [#[state] _s: &u32, _x: u64] bound 11;
    exclusive [abi = "sysv64", entry = "captured"] [#[state] _s: &mut u32, _x: f64] bound 11;
    fixed [abi = "sysv64"] [#[state] _s: &u32, _x: u64] fixed 6;
    fixed_captured [abi = "sysv64", entry = "captured"] [#[state] _s: &u32, _x: u64] fixed 11;
    raw [abi = "raw"] [_cpu: &mut CpuState] function 90;
    raw_gpr [abi = "raw", save(gpr)] [#[state] _s: &u32, _cpu: &mut CpuState] bound 30;
    raw_flags [abi = "raw", save(gpr, flags)] [#[state] _s: &u32, _cpu: &mut CpuState] bound 30;
    raw_bound [abi = "raw"] [#[state] _s: &u32, _cpu: &mut CpuState] bound 90;
    raw_all [abi = "raw", save(gpr, flags, sse, x87)] [#[state] _s: &u32, _cpu: &mut CpuState] bound 90;
    raw_avx [abi = "raw", save(gpr, avx)] [#[state] _s: &u32, _cpu: &mut CpuState] bound 70;
    raw_avx512 [abi = "raw", save(gpr, flags, avx512)] [#[state] _s: &u32, _cpu: &mut CpuState] bound 90;
    hook [abi = "raw", enter = "jump"] [#[state] _s: &u32, _cpu: &mut CpuState] hook 90;
    hook_x87 [abi = "raw", enter = "jump", save(gpr, flags, avx512, x87)] [#[state] _s: &mut u32, _cpu: &mut CpuState] hook 90;
    raw_single [abi = "raw", save(rdi, xmm3)] [_cpu: &mut CpuSubset] function 11;
    cpu [abi = "sysv64"] [#[cpu] _cpu: &mut CpuState, _x: u64] function 90;
    win_function [abi = "win64"] [_x: u64] function 2;
    win_direct [abi = "win64"] [#[state] _s: &u32, _x: u64] bound 6;
    win_stack [abi = "win64"] [#[state] _s: &u32, _a: u64, _b: u64, _c: u64, _d: u64, _e: u64] bound 8;
    win_captured [abi = "win64", entry = "captured"] [#[state] _s: &u32, _x: u64] bound 11;
    win_cpu [abi = "win64", save(gpr, flags, sse, x87)] [#[state] _s: &u32, #[cpu] _cpu: &mut CpuState] bound 90;
    efi [abi = "efiapi"] [#[state] _s: &u32, _x: u64] bound 6;
}

/// The same for callbacks whose signature is known at run time only.
const DYNAMIC: &[Lane] = &[
    ("dynamic", || dynamic(Abi::SysV64, Type::I64, false), 18),
    ("dynamic_vectors", || dynamic(Abi::SysV64, Type::F64, false), 26),
    ("dynamic_x87", || dynamic(Abi::SysV64, Type::LONG_DOUBLE, false), 18),
    ("dynamic_state", || dynamic(Abi::SysV64, Type::I64, true), 90),
    ("dynamic_win64", || dynamic(Abi::Win64, Type::F64, false), 16),
    ("dynamic_win64_state", || dynamic(Abi::Win64, Type::F64, true), 90),
    ("dynamic_regcall", || dynamic(Abi::Named(Regcall::CONVENTION), Type::I64, false), 90),
    ("dynamic_preserve_all", || dynamic(Abi::Named(PreserveAll::CONVENTION), Type::F64, false), 90),
];

/// A callback with 17 parameters of this type, which returns one.
fn dynamic(abi: Abi, ty: Type, state: bool) -> *const () {
    let start = Signature::new(abi).ret(ty);
    let signature = (0..17).fold(start, |all, _| all.param(ty)).build().expect("a signature");
    let value = move |call: &mut Call<'_>| {
        body();
        // SAFETY: zeros are a value of each of the types.
        call.ret(unsafe { Value::read(&ty, [0_u8; 16].as_ptr()) }.expect("a number"));
    };
    let builder = DynFrame::builder(&signature);
    let builder = if state { builder.save() } else { builder };
    builder.new(value).map_err(|_| "full").expect("a slot").into_raw()
}

/// Runs in children only, under the debugger.
#[test]
fn scene() {
    if child::case().is_none() {
        return;
    }
    for (name, address, _) in LANES.iter().chain(DYNAMIC) {
        println!("\nlane {name}");
        // SAFETY: the callbacks do nothing with their arguments, which are integers and floats.
        unsafe { cbframe_gdb_caller(address()) };
    }
}

/// At each stop in the caller: steps until the call has returned, and looks at the stack after each step. The
/// bodies of compiled functions, which are the compiler's business, are run to their ends.
const SCRIPT: &str = r#"
import gdb

for setting in ["pagination off", "confirm off", "width 0", "disable-randomization off", "debuginfod enabled off",
                "python print-stack full", "language c"]:
    gdb.execute("set " + setting)
gdb.execute("run")
gdb.execute("set scheduler-locking step")

def register(name, frame=None):
    return int((frame or gdb.newest_frame()).read_register(name)) & (1 << 64) - 1

def look(frame, expected_pc, expected_sp, expected_caller):
    caller = frame.older()
    if caller is None:
        return "no caller"
    pc, sp = caller.pc(), register("rsp", caller)
    if (pc, sp) != (expected_pc, expected_sp):
        return "the caller's pc %#x, rsp %#x instead of %#x, %#x" % (pc, sp, expected_pc, expected_sp)
    if caller.name() is None or "cbframe_gdb_caller" not in caller.name():
        return "the caller is called %s" % caller.name()
    older = caller.older()
    if older is None or older.pc() != expected_caller:
        return "no caller of the caller"
    return None

def symbol(pc):
    return gdb.execute("info symbol %#x" % pc, to_string=True)

def resume():
    # Some kernels take the trap flag for the program's own after a `popf`.
    gdb.execute("set $eflags = %#x" % (register("eflags") & ~0x100))
    gdb.execute("continue", to_string=True)

def run_to(address):
    gdb.execute("tbreak *%#x" % address, to_string=True)
    resume()

def word(address):
    return int(gdb.parse_and_eval("*(unsigned long *)%#x" % address))

def instruction(pc):
    return gdb.newest_frame().architecture().disassemble(pc)[0]["asm"]

def lane():
    # `int3` was executed: the next instruction is the call.
    sp, caller = register("rsp"), gdb.newest_frame().older().pc()
    back = int(gdb.parse_and_eval("(unsigned long)&cbframe_gdb_return"))
    steps, bad, texts, hook = 0, [], [], False
    while True:
        text = instruction(register("rip"))
        is_call, is_pushf = text.startswith("call") and steps > 0, text.startswith("pushf")
        gdb.execute("stepi", to_string=True)
        pc = register("rip")
        if pc == back:
            break
        if is_pushf:
            # The trap flag is the debugger's: the program is not to restore it.
            flags = word(register("rsp"))
            gdb.execute("set *(unsigned long *)%#x = %#x" % (register("rsp"), flags & ~0x100))
        if is_call:
            # At the beginning of the callee, whose caller is the entry; then behind the call.
            found = look(gdb.newest_frame().older(), back, sp, caller)
            if found:
                bad.append("in the callee of %s: %s" % (texts[-1], found))
            run_to(word(register("rsp")))
            pc = register("rip")
        if steps == 0 and "pool::hooks" in symbol(pc):
            # It is jumped to, so the word that the call has pushed belongs to the caller.
            hook, sp = True, sp - 8
        # A hook's stub pushes the address at which it goes on as its third instruction.
        found = None if hook and steps < 3 else look(gdb.newest_frame(), back, sp, caller)
        steps += 1
        texts.append(instruction(pc))
        if found:
            bad.append("%s %s: %s" % (symbol(pc).split(" in ")[0].strip(), texts[-1], found))
        name = symbol(pc)
        # The names that stand for stubs and entries; anything else is compiled.
        if not any(part in name for part in ["__cbframe_stub", "__cbframe_jump_stubs", "_entry", "__cbframe_fn", "__cbframe_behind", "::incoming::"]) \
                or any(part in name for part in ["__cbframe_behind_3 ", "__cbframe_behind_4 "]):
            run_to(back)
            break
    print("STEPS %d BAD %d" % (steps, len(bad)))
    for text in bad:
        print("BAD " + text)
    print("SEEN " + " | ".join(texts))
    if register("rsp") != sp:
        print("BAD the call has moved rsp")

while True:
    thread = gdb.selected_thread()
    if thread is None or not thread.is_valid():
        print("[exited]")
        break
    frame = gdb.newest_frame()
    if frame.name() is None or "cbframe_gdb_caller" not in frame.name():
        print("STRAY " + symbol(frame.pc()))
        gdb.execute("bt")
        gdb.execute("kill")
        break
    lane()
    resume()
"#;

#[test]
fn the_caller_is_found_at_every_instruction() {
    if Command::new("gdb").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "gdb is needed: .ci/run installs it");
        println!("skipped: there is no gdb");
        return;
    }
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gdb-{}.py", std::process::id()));
    std::fs::write(&script, SCRIPT).expect("the script can be written");
    let scene = child::command("scene", "gdb");
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "--batch", "-x"]).arg(&script).arg("--args").arg(scene.get_program()).args(scene.get_args());
    for (name, value) in scene.get_envs() {
        gdb.env(name, value.expect("a value"));
    }
    let output = gdb.output().expect("gdb runs");
    std::fs::remove_file(script).expect("it was written");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut rest = &*text;
    for (name, _, least) in LANES.iter().chain(DYNAMIC) {
        let heading = format!("\nlane {name}\n");
        let (_, after) = rest.split_once(&heading).unwrap_or_else(|| panic!("no {heading} in\n{text}\n{errors}"));
        rest = after;
        let part = after.split("\nlane ").next().expect("at least one");
        let steps = part
            .lines()
            .find_map(|line| line.strip_prefix("STEPS "))
            .unwrap_or_else(|| panic!("{name}: {part}\n{errors}"));
        let (steps, bad) = steps.split_once(" BAD ").expect("two numbers");
        println!("{name}: {steps} instructions");
        assert_eq!(bad, "0", "{name}: {part}");
        assert!(!part.contains("\nBAD "), "{name}: {part}");
        assert!(steps.parse::<u32>().expect("a number") >= *least, "{name}: {part}");
    }
    assert!(text.contains("[exited]") && !text.contains("STRAY"), "{text}\n{errors}");
}
