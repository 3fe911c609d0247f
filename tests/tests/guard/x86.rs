//! On 32-bit x86.

use std::arch::{asm, naked_asm};

use cbframe_tests::guard::{self, Environment, Expected};
use cbframe_tests::hand::{self, Large};

/// Calls `callback`, a function without parameters that returns a word, through the guard.
fn violations(callback: *const ()) -> String {
    guard::arm(callback, Expected::PLAIN, Environment::SAME);
    // SAFETY: the callback ignores its arguments.
    unsafe { hand::words(false, guard::entry(false), &[0; 12]) };
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
    good: "xor eax, eax", "xor ecx, ecx", "xor edx, edx", "pxor xmm7, xmm7", "push eax", "pop eax";
    ebx: "inc ebx";
    ebp: "xor ebp, esi";
    esi: "mov esi, edi";
    edi: "not edi";
    direction: "std";
    mxcsr: "push 0x3f80", "ldmxcsr [esp]", "pop eax";
    mxcsr_status: "push 0x1fbf", "ldmxcsr [esp]", "pop eax";
    x87: "push eax", "fnstcw [esp]", "xor word ptr [esp], 0x0400", "fldcw [esp]", "pop eax";
    x87_stack: "fldz";
    pops_too_much: "pop eax", "add esp, 4", "push eax";
}

#[test]
fn what_is_allowed_is_no_violation() {
    assert_eq!(violations(good as *const ()), "");
    assert_eq!(violations(mxcsr_status as *const ()), "");
}

#[test]
fn each_violation_is_found() {
    for (callback, expected) in [
        (ebx as *const (), "ebx is "),
        (ebp as *const (), "ebp is "),
        (esi as *const (), "esi is "),
        (edi as *const (), "edi is "),
        (direction as *const (), "the direction flag is "),
        (mxcsr as *const (), "the control part of MXCSR is "),
        (x87 as *const (), "the x87 control word is "),
        (x87_stack as *const (), "the x87 stack holds "),
        (pops_too_much as *const (), "esp is "),
    ] {
        let found = violations(callback);
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
}

#[unsafe(naked)]
unsafe extern "C" fn large() {
    naked_asm!("mov eax, [esp + 4]", "mov dword ptr [eax], 5", "ret 4");
}

#[unsafe(naked)]
unsafe extern "C" fn large_without_address() {
    naked_asm!("mov ecx, [esp + 4]", "mov dword ptr [ecx], 5", "lea eax, [ecx + 8]", "ret 4");
}

#[unsafe(naked)]
unsafe extern "C" fn large_that_pops_nothing() {
    naked_asm!("mov eax, [esp + 4]", "mov dword ptr [eax], 5", "ret");
}

#[test]
fn a_result_in_memory_has_its_address_in_eax_and_is_popped() {
    let call = |callback| {
        let mut to = Large { words: [0; 4] };
        guard::arm(callback, Expected::HIDDEN, Environment::SAME);
        // SAFETY: the callbacks take the address and nothing else.
        unsafe { hand::large(false, guard::entry(false), &mut to) };
        guard::report().violations
    };
    assert_eq!(call(large as *const ()), "");
    assert!(call(large_without_address as *const ()).starts_with("eax, the address of the result, is "));
    assert!(call(large_that_pops_nothing as *const ()).starts_with("esp is "));
}

#[unsafe(naked)]
unsafe extern "C" fn misaligned() {
    naked_asm!("call {trash}", "ret", trash = sym trash);
}

extern "C" fn trash() {
    guard::trash();
}

#[test]
fn a_misaligned_stack_is_found() {
    guard::arm(misaligned as *const (), Expected::PLAIN, Environment::SAME);
    // SAFETY: the callback ignores its arguments.
    unsafe { hand::words(false, guard::entry(false), &[0; 12]) };
    assert_eq!(guard::report().misaligned, 1);
}

#[test]
fn the_callers_registers_are_back() {
    let mut mxcsr = 0_u32;
    violations(mxcsr_status as *const ());
    // SAFETY: stores to the variable.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut mxcsr, options(nostack)) };
    assert_eq!(mxcsr & 0xffc0, 0x1f80);
}
