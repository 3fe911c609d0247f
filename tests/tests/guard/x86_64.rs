//! On x86-64.

use std::arch::{asm, naked_asm};

use cbframe_tests::guard::{self, Environment, Expected};
use cbframe_tests::hand::{self, Large};

/// Calls `callback`, a function without parameters that returns a word, through the guard.
fn violations(windows: bool, callback: *const ()) -> String {
    guard::arm(callback, Expected::PLAIN, Environment::SAME);
    // SAFETY: the callback ignores its arguments.
    unsafe { hand::words(windows, guard::entry(windows), &[0; 12]) };
    let report = guard::report();
    assert_eq!(report.calls, 1);
    report.violations
}

macro_rules! callbacks {
    ($($name:ident: $($line:literal),+;)*) => { $(
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            naked_asm!($($line,)+ "ret");
        }
    )* };
}

callbacks! {
    good: "xor eax, eax", "xor r10d, r10d", "pxor xmm1, xmm1", "mov qword ptr [rsp - 8], 0";
    sysv64_may: "xor edi, edi", "xor esi, esi", "pxor xmm6, xmm6", "pxor xmm15, xmm15";
    rbx: "inc rbx";
    rbp: "xor rbp, r12";
    r12: "mov r12, r13";
    r13: "xor r13d, r13d";
    r14: "not r14";
    r15: "mov r15d, r15d";
    rdi: "inc rdi";
    rsi: "inc rsi";
    xmm6: "addps xmm6, xmm6";
    xmm15: "movlhps xmm15, xmm14";
    direction: "std";
    mxcsr: "sub rsp, 8", "mov dword ptr [rsp], 0x3f80", "ldmxcsr [rsp]", "add rsp, 8";
    mxcsr_status: "sub rsp, 8", "mov dword ptr [rsp], 0x1fbf", "ldmxcsr [rsp]", "add rsp, 8";
    x87: "sub rsp, 8", "fnstcw [rsp]", "xor word ptr [rsp], 0x0400", "fldcw [rsp]", "add rsp, 8";
    pops_too_much: "pop rax", "add rsp, 8", "push rax";
}

#[test]
fn what_is_allowed_is_no_violation() {
    for windows in [false, true] {
        assert_eq!(violations(windows, good as *const ()), "");
        assert_eq!(violations(windows, mxcsr_status as *const ()), "");
    }
    assert_eq!(violations(false, sysv64_may as *const ()), "");
}

#[test]
fn each_violation_is_found() {
    let both = [
        (rbx as *const (), "rbx is "),
        (rbp as *const (), "rbp is "),
        (r12 as *const (), "r12 is "),
        (r13 as *const (), "r13 is "),
        (r14 as *const (), "r14 is "),
        (r15 as *const (), "r15 is "),
        (direction as *const (), "the direction flag is "),
        (mxcsr as *const (), "the control part of MXCSR is "),
        (x87 as *const (), "the x87 control word is "),
        (pops_too_much as *const (), "rsp is "),
    ];
    let windows = [
        (rdi as *const (), "rdi is "),
        (rsi as *const (), "rsi is "),
        (xmm6 as *const (), "xmm6[0] is "),
        (xmm15 as *const (), "xmm15[1] is "),
    ];
    for (callback, expected) in both {
        assert!(violations(false, callback).starts_with(expected), "{expected}");
        assert!(violations(true, callback).starts_with(expected), "{expected}");
    }
    for (callback, expected) in windows {
        assert!(violations(true, callback).starts_with(expected), "{expected}");
    }
}

callbacks! {
    sysv64_large: "mov rax, rdi", "mov qword ptr [rdi], 5";
    sysv64_large_bad: "mov qword ptr [rdi], 5", "lea rax, [rdi + 8]";
    win64_large: "mov rax, rcx", "mov qword ptr [rcx], 5";
    win64_large_bad: "mov qword ptr [rcx], 5", "lea rax, [rcx - 1]";
}

#[test]
fn a_result_in_memory_has_its_address_in_rax() {
    let call = |windows, callback| {
        let mut to = Large { words: [0; 4] };
        guard::arm(callback, Expected::HIDDEN, Environment::SAME);
        // SAFETY: the callbacks take the address and nothing else.
        unsafe { hand::large(windows, guard::entry(windows), &mut to) };
        guard::report().violations
    };
    assert_eq!(call(false, sysv64_large as *const ()), "");
    assert_eq!(call(true, win64_large as *const ()), "");
    assert!(call(false, sysv64_large_bad as *const ()).starts_with("rax, the address of the result, is "));
    assert!(call(true, win64_large_bad as *const ()).starts_with("rax, the address of the result, is "));
}

#[unsafe(naked)]
unsafe extern "C" fn misaligned() {
    naked_asm!("call {trash}", "ret", trash = sym trash);
}

extern "sysv64" fn trash() {
    guard::trash();
}

#[test]
fn a_misaligned_stack_is_counted() {
    // The function in between expects an aligned stack, and has nothing to align.
    assert_eq!(violations(false, trash as *const ()), "");
    guard::arm(misaligned as *const (), Expected::PLAIN, Environment::SAME);
    // SAFETY: the callback ignores its arguments.
    unsafe { hand::words(false, guard::entry(false), &[0; 12]) };
    assert_eq!(guard::report().misaligned, 1);
}

callbacks! {
    nothing: "nop";
    one_result: "fldpi";
    two_results: "fldpi", "fld1";
    pops: "fldz", "fstp st(0)", "fldz", "fincstp";
}

#[test]
fn x87_results_are_counted_and_passed_on() {
    let call = |callback: *const (), expected: Expected| {
        let mut results = [0.0_f64; 2];
        guard::arm(callback, expected, Environment::SAME);
        // SAFETY: the callbacks take no arguments. What they leave on the x87 stack is taken off, and if there is too
        // little, two masked exceptions follow, which `fninit` forgets.
        unsafe {
            asm!(
                "mov r12, rsp", "and rsp, -16", "call {guard}", "mov rsp, r12",
                "fstp qword ptr [r13]", "fstp qword ptr [r13 + 8]", "fninit",
                guard = in(reg) guard::entry(false), in("r13") &mut results, out("r12") _, clobber_abi("sysv64"),
            );
        }
        (results, guard::report().violations)
    };
    let pi = std::f64::consts::PI;
    assert_eq!(call(two_results as *const (), Expected::x87(2)), ([1.0, pi], String::new()));
    let (results, violations) = call(one_result as *const (), Expected::x87(1));
    assert_eq!((results[0], violations), (pi, String::new()));
    assert_eq!(call(nothing as *const (), Expected::PLAIN).1, "");
    for (callback, expected) in [
        (one_result as *const (), Expected::PLAIN),
        (two_results as *const (), Expected::x87(1)),
        (nothing as *const (), Expected::x87(1)),
        (one_result as *const (), Expected::x87(2)),
        (pops as *const (), Expected::PLAIN),
    ] {
        let (_, violations) = call(callback, expected);
        assert!(violations.starts_with("the x87 stack holds "), "{violations}");
    }
}

#[test]
fn wide_vectors_pass_whole() {
    if !is_x86_feature_detected!("avx") {
        eprintln!("skipped: the CPU has no avx");
        return;
    }
    // A vector in, and the same out.
    let call = |expected: Expected| {
        let mut value = [7_u8; 32];
        guard::arm(nothing as *const (), expected, Environment::SAME);
        // SAFETY: the callback takes and gives back what is in ymm0.
        unsafe {
            asm!(
                "mov r12, rsp", "and rsp, -16", "vmovups ymm0, [r13]", "call {guard}", "vmovups [r13], ymm0",
                "vzeroupper", "mov rsp, r12",
                guard = in(reg) guard::entry(false), in("r13") &mut value, out("r12") _, clobber_abi("sysv64"),
            );
        }
        guard::report().assert_clean(1, "a vector");
        value
    };
    assert_eq!(call(Expected::WIDE), [7; 32]);
    // Where nobody says so, the upper half is nothing that is passed.
    let (lower, upper) = ([7; 16], [0xa5; 16]);
    assert_eq!(call(Expected::PLAIN), *[lower, upper].concat());
}
