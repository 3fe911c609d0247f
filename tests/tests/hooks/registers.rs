//! Every register, poisoned before a jump and compared after it.

use std::arch::naked_asm;
use std::mem::offset_of;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use cbframe::__cbframe_unwind as unwind;
use cbframe::{CpuState, Frame, Gpr, JumpTarget, Pool, Ymm, cbframe, resolve};
use cbframe_tests::child;
use cbframe_tests::system::{self, Interrupted};

const RED_ZONE: [u64; 16] = {
    let mut words = [0; 16];
    let mut i = 0;
    while i < 16 {
        words[i] = 0x4ed2_04e0_0000_0000 + i as u64;
        i += 1;
    }
    words
};

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
struct Registers {
    ymm: [Ymm; 16],
    /// By number; rsp is the one at the jump.
    gpr: [u64; 16],
    rflags: u64,
    /// Below rsp, downwards from it: the last is the one at rsp - 8.
    red_zone: [u64; 16],
    /// 1: went on where it should; 2: elsewhere.
    went_on: u64,
    mxcsr: u64,
    /// How far rsp is from a multiple of 16.
    misalignment: u64,
    host_rsp: u64,
}

/// Loads the registers of `input`, jumps to `target`, and stores those with which execution goes on at `resume` or
/// `elsewhere`. Both keep their pointers on a stack of words beside the one that is tested.
#[unsafe(naked)]
unsafe extern "sysv64" fn run(input: *mut Registers, output: *mut Registers, target: *const ()) {
    naked_asm!(
        "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
        "mov [rip + {slots}], rsi",
        "mov [rip + {slots} + 8], rdx",
        "mov [rip + {slots} + 16], rsp",
        "stmxcsr [rip + {slots} + 24]",
        "ldmxcsr [rdi + {mxcsr}]",
        "sub rsp, 1024",
        "and rsp, -16",
        "sub rsp, [rdi + {misalignment}]",
        "mov [rdi + {gpr} + 32], rsp",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "mov rax, [rdi + {red_zone} + 8 * \\n]",
        "mov [rsp - 128 + 8 * \\n], rax",
        "vmovups ymm\\n, [rdi + {ymm} + 32 * \\n]",
        ".endr",
        // The flags last, by a place below all that.
        "lea rsp, [rsp - 512]",
        "push qword ptr [rdi + {rflags}]",
        "popfq",
        "lea rsp, [rsp + 512]",
        "mov rax, [rdi + {gpr} + 0]",
        "mov rcx, [rdi + {gpr} + 8]",
        "mov rdx, [rdi + {gpr} + 16]",
        "mov rbx, [rdi + {gpr} + 24]",
        "mov rbp, [rdi + {gpr} + 40]",
        "mov rsi, [rdi + {gpr} + 48]",
        "mov r8, [rdi + {gpr} + 64]",
        "mov r9, [rdi + {gpr} + 72]",
        "mov r10, [rdi + {gpr} + 80]",
        "mov r11, [rdi + {gpr} + 88]",
        "mov r12, [rdi + {gpr} + 96]",
        "mov r13, [rdi + {gpr} + 104]",
        "mov r14, [rdi + {gpr} + 112]",
        "mov r15, [rdi + {gpr} + 120]",
        "mov rdi, [rdi + {gpr} + 56]",
        "jmp qword ptr [rip + {slots} + 8]",
        ".globl cbframe_tests_hook_resume",
        "cbframe_tests_hook_resume:",
        "mov qword ptr [rip + {slots} + 32], 1",
        "jmp 3f",
        ".globl cbframe_tests_hook_elsewhere",
        "cbframe_tests_hook_elsewhere:",
        "mov qword ptr [rip + {slots} + 32], 2",
        "3:",
        "mov [rip + {slots} + 40], rdi",
        "mov rdi, [rip + {slots}]",
        "mov [rdi + {gpr} + 0], rax",
        "mov [rdi + {gpr} + 8], rcx",
        "mov [rdi + {gpr} + 16], rdx",
        "mov [rdi + {gpr} + 24], rbx",
        "mov [rdi + {gpr} + 32], rsp",
        "mov [rdi + {gpr} + 40], rbp",
        "mov [rdi + {gpr} + 48], rsi",
        "mov [rdi + {gpr} + 64], r8",
        "mov [rdi + {gpr} + 72], r9",
        "mov [rdi + {gpr} + 80], r10",
        "mov [rdi + {gpr} + 88], r11",
        "mov [rdi + {gpr} + 96], r12",
        "mov [rdi + {gpr} + 104], r13",
        "mov [rdi + {gpr} + 112], r14",
        "mov [rdi + {gpr} + 120], r15",
        "mov rax, [rip + {slots} + 40]",
        "mov [rdi + {gpr} + 56], rax",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "mov rax, [rsp - 128 + 8 * \\n]",
        "mov [rdi + {red_zone} + 8 * \\n], rax",
        "vmovups [rdi + {ymm} + 32 * \\n], ymm\\n",
        ".endr",
        "mov rsp, [rip + {slots} + 16]",
        "pushfq",
        "pop qword ptr [rdi + {rflags}]",
        "cld",
        "stmxcsr [rdi + {mxcsr}]",
        "ldmxcsr [rip + {slots} + 24]",
        "mov rax, [rip + {slots} + 32]",
        "mov [rdi + {went_on}], rax",
        "vzeroupper",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "ret",
        slots = sym SCRATCH,
        ymm = const offset_of!(Registers, ymm),
        gpr = const offset_of!(Registers, gpr),
        rflags = const offset_of!(Registers, rflags),
        red_zone = const offset_of!(Registers, red_zone),
        went_on = const offset_of!(Registers, went_on),
        mxcsr = const offset_of!(Registers, mxcsr),
        misalignment = const offset_of!(Registers, misalignment),
    )
}

/// What the assembly keeps in memory; under `LOCK`.
static mut SCRATCH: [u64; 6] = [0; 6];
/// Held by every test that binds a hook: one of them binds all.
static LOCK: Mutex<()> = Mutex::new(());

unsafe extern "C" {
    static cbframe_tests_hook_resume: u8;
    static cbframe_tests_hook_elsewhere: u8;
}

fn address(place: &'static u8) -> *const () {
    (&raw const *place).cast()
}

fn resume() -> *const () {
    // SAFETY: a label in the code above; its address only is used.
    address(unsafe { &cbframe_tests_hook_resume })
}

fn elsewhere() -> *const () {
    // SAFETY: as above.
    address(unsafe { &cbframe_tests_hook_elsewhere })
}

const FLAGS: u64 = 0xcd5;

fn poison(flags: u64, misalignment: u64) -> Registers {
    Registers {
        ymm: std::array::from_fn(|n| Ymm { bytes: std::array::from_fn(|byte| (n * 16 + byte * 3 + 5) as u8) }),
        gpr: std::array::from_fn(|n| 0xa5b4_c3d2_e1f0_0000 ^ (0x0101_0101_0101_0101 * (n as u64 + 1))),
        rflags: 0x202 | flags,
        red_zone: RED_ZONE,
        went_on: 1,
        // Round up, denormals are zero, exceptions that have happened.
        mxcsr: 0x5fe5,
        misalignment,
        host_rsp: 0,
    }
}

type Action = Box<dyn Fn(&mut CpuState) + Send + Sync>;

struct Script {
    expected: Registers,
    action: Action,
}

#[inline(never)]
fn handle(script: &Script, cpu: &mut CpuState) {
    for (number, register) in Gpr::ALL.into_iter().enumerate().filter(|(_, register)| *register != Gpr::Rsp) {
        assert_eq!(cpu.gpr(register).u64(), script.expected.gpr[number], "{register}");
    }
    // Relative to rsp, for it is the function's own.
    let red_zone = (cpu.rsp - 128) as *const u64;
    for (index, &expected) in RED_ZONE.iter().enumerate() {
        // SAFETY: the red zone of the caller, and the stack of this thread.
        assert_eq!(unsafe { red_zone.add(index).read_unaligned() }, expected);
    }
    assert_eq!(cpu.rsp % 16, (16 - script.expected.misalignment) % 16);
    assert_eq!(cpu.rip, resume().addr() as u64);
    // SAFETY: the stack of the test.
    let (word, expected) = unsafe { (cpu.stack_word(3).u64(), (cpu.rsp as *const u64).add(3).read_unaligned()) };
    assert_eq!(word, expected);
    assert!(cpu.to_string().contains(&format!("[rsp+0x18] {word:#018x}")));
    assert_eq!(cpu.rflags().expect("saved") & FLAGS, script.expected.rflags & FLAGS);
    assert_eq!(cpu.mxcsr(), Some(script.expected.mxcsr as u32));
    for (number, ymm) in script.expected.ymm.iter().enumerate() {
        assert_eq!(cpu.ymm(number).expect("AVX"), ymm, "ymm{number}");
    }
    // What an optimizer does with an aligned stack.
    #[repr(align(32))]
    struct Aligned(#[expect(dead_code, reason = "its address counts")] [u8; 32]);
    let aligned = std::hint::black_box(Aligned([0; 32]));
    assert!((&raw const aligned).is_aligned());
    let flags: u64;
    // SAFETY: reads the flags.
    unsafe { std::arch::asm!("pushfq", "pop {}", out(reg) flags) };
    assert_eq!(flags & 0x400, 0, "the direction flag is clear in Rust");
    (script.action)(cpu);
    cbframe_tests::guard::trash();
}

#[cbframe(abi = "raw", enter = "jump")]
fn hook(#[state] script: &Script, cpu: &mut CpuState) {
    handle(script, cpu);
}

#[cbframe(abi = "raw", enter = "jump", save(gpr, flags, avx512, x87))]
fn hook_x87(#[state] script: &mut Script, cpu: &mut CpuState) {
    handle(script, cpu);
}

/// The registers after the jump, with rsp relative to what it was.
fn jump(target: JumpTarget, mut input: Registers) -> Registers {
    let mut output = poison(0, 0);
    // SAFETY: the hook does no harm; the lock is held.
    unsafe { run(&raw mut input, &raw mut output, target.as_ptr()) };
    output.gpr[4] = output.gpr[4].wrapping_sub(input.gpr[4]);
    (output.misalignment, output.host_rsp) = (input.misalignment, input.host_rsp);
    output
}

fn check(
    what: &str,
    flags: u64,
    misalignment: u64,
    action: impl Fn(&mut CpuState) + Copy + Send + Sync + 'static,
    expect: impl Fn(&mut Registers),
) {
    let input = poison(flags, misalignment);
    let script = || Script { expected: input, action: Box::new(action) };
    let (first, second) = (hook::bind(script(), resume()).unwrap(), hook_x87::bind(script(), resume()).unwrap());
    for target in [first.as_fn(), second.as_fn()] {
        let mut after = jump(target, input);
        let mut expected = input;
        expected.gpr[4] = 0;
        expect(&mut expected);
        (after.rflags, expected.rflags) = (after.rflags & FLAGS, expected.rflags & FLAGS);
        for (number, register) in Gpr::ALL.into_iter().enumerate() {
            assert_eq!(after.gpr[number], expected.gpr[number], "{what}: {register}");
        }
        assert_eq!(after, expected, "{what}, flags {flags:#x}, misalignment {misalignment}");
    }
}

pub(crate) fn lock() -> Option<impl Drop> {
    if !is_x86_feature_detected!("avx") {
        eprintln!("skipped: the probe needs AVX");
        return None;
    }
    Some(LOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

#[test]
fn nothing_is_changed_by_itself() {
    let Some(_lock) = lock() else { return };
    for flags in (0..12).map(|bit| 1 << bit).filter(|flag| FLAGS & flag != 0).chain([0, FLAGS]) {
        for misalignment in [0, 8, 1, 2, 4, 15] {
            check("nothing", flags, misalignment, |_| {}, |_| {});
        }
    }
}

#[test]
fn every_register_and_flag_can_be_changed() {
    let Some(_lock) = lock() else { return };
    for number in (0..16).filter(|&number| number != 4) {
        let new = 0x1111_2222_3333_0000 + number as u64;
        let action = move |cpu: &mut CpuState| cpu.set_gpr(Gpr::ALL[number], new);
        check("a general register", 0x41, 8, action, |after| after.gpr[number] = new);
        for lane in 0..4 {
            let action = move |cpu: &mut CpuState| cpu.ymm_mut(number).expect("AVX").set_u64(lane, 9);
            check("a vector register", 0x41, 8, action, |after| after.ymm[number].set_u64(lane, 9));
        }
    }
    for flag in (0..12).map(|bit| 1 << bit).filter(|flag| FLAGS & flag != 0) {
        let action = move |cpu: &mut CpuState| cpu.set_rflags(cpu.rflags().expect("saved") ^ flag);
        check("a flag", 0x805, 0, action, |after| after.rflags ^= flag);
    }
    check("mxcsr", 0, 0, |cpu| cpu.set_mxcsr(0x1f80), |after| after.mxcsr = 0x1f80);
}

#[test]
fn rip_and_rsp_are_honoured() {
    let Some(_lock) = lock() else { return };
    check("rip", 0x801, 8, |cpu| cpu.rip = elsewhere().addr() as u64, |after| after.went_on = 2);
    for words in [1, 2, 20] {
        let pop = move |cpu: &mut CpuState| {
            cpu.rsp += 8 * words;
            for word in 0..16 {
                // SAFETY: the stack of the test, of which this is the red zone afterwards.
                unsafe { ((cpu.rsp - 128 + 8 * word) as *mut u64).write_unaligned(RED_ZONE[word as usize]) };
            }
        };
        check("rsp", 0, 8, pop, |after| after.gpr[4] = 8 * words);
    }
}

/// Changes in memory below rsp stay, as those of any other memory.
#[test]
fn the_red_zone_can_be_changed() {
    let Some(_lock) = lock() else { return };
    for word in 0..16 {
        // SAFETY: the red zone of the test's function.
        let write = move |cpu: &mut CpuState| unsafe { ((cpu.rsp - 128 + 8 * word) as *mut u64).write_unaligned(3) };
        check("red zone", 0, 8, write, |after| after.red_zone[word as usize] = 3);
    }
}

#[test]
fn hooks_have_a_pool_of_their_own() {
    let Some(_lock) = lock() else { return };
    let script = Script { expected: poison(0, 0), action: Box::new(|_| {}) };
    let before = Pool::hooks().stats();
    let frames: Vec<Frame<'_, JumpTarget, hook>> =
        (before.bound..before.capacity).map(|_| hook::bind(&script, resume()).unwrap()).collect();
    let full = hook::bind(&script, resume()).expect_err("no slot is left");
    assert!(full.to_string().contains("hooks"), "{full}");
    for (index, frame) in frames.iter().enumerate() {
        let found = resolve(frame.as_ptr()).expect("it is bound");
        assert!(found.name().ends_with("::hook") && found.address() == frame.as_ptr());
        assert_eq!(frame.as_ptr().addr() % 32, 0);
        assert!(index == 0 || resolve(frame.as_ptr().wrapping_byte_add(16)).is_none(), "within a stub");
        let code = frame.as_ptr().cast::<[u8; 4]>();
        // SAFETY: a stub is readable code.
        assert_eq!(unsafe { code.read() }, [0xf3, 0x0f, 0x1e, 0xfa], "endbr64");
    }
}

/// A jump to a hook that is gone, and a panic in one: each ends the process, with a message, whatever the alignment.
#[test]
fn what_cannot_go_on_aborts() {
    #[cbframe(abi = "raw", enter = "jump")]
    fn panics(#[state] _s: &(), _cpu: &mut CpuState) {
        panic!("within a hook");
    }
    let texts = [("stale", "not bound any more"), ("panic", "panicked")];
    let Some(case) = child::case() else {
        for (case, text) in texts {
            child::run("registers::what_cannot_go_on_aborts", case).assert_aborted(case, &[text]);
        }
        return;
    };
    let Some(_lock) = lock() else { return };
    let frame = panics::bind((), resume()).unwrap();
    let target = frame.as_fn();
    if case == "stale" {
        drop(frame);
    }
    jump(target, poison(0, 1));
}

/// The unwinder goes from a hook to the function that was left, and on to the test.
#[test]
fn a_backtrace_finds_the_function_that_was_left() {
    #[cbframe(abi = "raw", enter = "jump")]
    fn trace(#[state] text: &Mutex<String>, _cpu: &mut CpuState) {
        *text.lock().unwrap() = std::backtrace::Backtrace::force_capture().to_string();
    }
    /// Jumps to `target` and returns, with a frame that is described.
    #[unsafe(naked)]
    unsafe extern "sysv64" fn leaves(target: *const ()) {
        naked_asm!(
            unwind!(dwarf ".cfi_startproc"; seh ".seh_proc .Lleaves"),
            "sub rsp, 24",
            unwind!(dwarf ".cfi_adjust_cfa_offset 24"; seh ".seh_stackalloc 24", ".seh_endprologue"),
            "jmp rdi",
            ".globl cbframe_tests_hook_back",
            "cbframe_tests_hook_back:",
            "add rsp, 24",
            unwind!(dwarf ".cfi_adjust_cfa_offset -24"),
            "ret",
            unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
        )
    }
    unsafe extern "C" {
        static cbframe_tests_hook_back: u8;
    }
    let Some(_lock) = lock() else { return };
    let text = Mutex::new(String::new());
    // SAFETY: the address of a label.
    let frame = trace::bind(&text, address(unsafe { &cbframe_tests_hook_back })).unwrap();
    // SAFETY: the hook goes on behind the jump.
    unsafe { leaves(frame.as_fn().as_ptr()) };
    drop(frame);
    let text = text.into_inner().unwrap();
    let place = |name: &str| text.find(name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    assert!(place("trace") < place("leaves"));
    assert!(place("leaves") < text.rfind("a_backtrace_finds_the_function_that_was_left").unwrap());
    assert!(text.contains("test::"), "it goes on to the thread's start:\n{text}");
}

/// A signal at each instruction of stub and entry: whatever its handler writes lies below what is in use.
#[test]
fn signals_disturb_nothing() {
    fn signal(_: &Interrupted) {
        STEPS.fetch_add(1, Ordering::Relaxed);
        std::hint::black_box([0xdd_u8; 2048]);
    }
    static STEPS: AtomicU32 = AtomicU32::new(0);
    #[cbframe(abi = "raw", enter = "jump")]
    fn step(#[state] jumps: &AtomicU32, _cpu: &mut CpuState) {
        jumps.fetch_add(1, Ordering::Relaxed);
    }
    let Some(_lock) = lock() else { return };
    system::on_step(signal);
    let jumps = AtomicU32::new(0);
    let frame = step::bind(&jumps, resume()).unwrap();
    // The kernel aligns what it writes, and leaves a gap above.
    for misalignment in (0..64).step_by(4).chain([1]) {
        // The trap flag: an exception after each instruction, until it is cleared below.
        let mut input = poison(0x901, misalignment);
        // The signal's handler calculates in the modes that it finds.
        input.mxcsr = 0x1f80;
        let mut after = system::stepping(|| jump(frame.as_fn(), input));
        let mut expected = input;
        expected.gpr[4] = 0;
        (after.rflags, expected.rflags) = (after.rflags & FLAGS, expected.rflags & FLAGS);
        if cfg!(windows) {
            // Windows knows no red zone.
            expected.red_zone = after.red_zone;
        }
        assert_eq!(after, expected, "misalignment {misalignment}");
    }
    assert_eq!(jumps.load(Ordering::Relaxed), 17);
    assert!(STEPS.load(Ordering::Relaxed) > 17 * 100, "there were signals");
}
