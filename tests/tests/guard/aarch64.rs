//! On AArch64.

use std::arch::naked_asm;

use cbframe_tests::guard::{self, Environment, Expected};
use cbframe_tests::hand;

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
    ($($name:ident: $($line:literal),+;)*) => {
        $(
            #[unsafe(naked)]
            unsafe extern "C" fn $name() {
                naked_asm!($($line,)+ "ret");
            }
        )*
    };
}

callbacks! {
    good: "mov x0, xzr", "mov x15, xzr", "movi v1.2d, #0", "str xzr, [sp, #-8]";
    may: "mov v8.d[1], xzr", "mov v15.d[1], xzr", "movi v16.2d, #0", "mov x18, xzr", "cmp x0, x0";
    status: "mov x0, #31", "msr fpsr, x0";
    x19: "add x19, x19, #1";
    x20: "mov x20, x21";
    x21: "mov w21, w21";
    x22: "mvn x22, x22";
    x23: "mov x23, xzr";
    x24: "neg x24, x24";
    x25: "mov x25, x24";
    x26: "ror x26, x26, #8";
    x27: "add w27, w27, #0";
    x28: "mov x28, x29";
    x29: "mov x29, sp";
    d8: "fneg d8, d8";
    d9: "mov d9, v9.d[1]";
    d10: "fmov s10, s10";
    d11: "movi v11.2d, #0";
    d12: "fmov d12, d13";
    d13: "fmov d13, xzr";
    d14: "mov v14.b[7], wzr";
    d15: "fneg d15, d15";
    stack: "sub sp, sp, #16";
    modes: "mov x0, #0x400000", "msr fpcr, x0";
}

#[test]
fn what_is_allowed_is_no_violation() {
    for callback in [good, may, status] {
        assert_eq!(violations(callback as *const ()), "");
    }
}

#[test]
fn each_violation_is_found() {
    macro_rules! each {
        ($($name:ident)*) => { [$((stringify!($name), $name as *const ())),*] };
    }
    let registers = each!(x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 d8 d9 d10 d11 d12 d13 d14 d15);
    for (name, callback) in registers.into_iter().chain([("sp", stack as *const ()), ("fpcr", modes as *const ())]) {
        let found = violations(callback);
        assert!(found.starts_with(name) && found.matches(';').count() == 1, "{name}: {found}");
    }
}

#[unsafe(naked)]
unsafe extern "C" fn misaligned() {
    naked_asm!(
        "str x30, [sp, #-16]!",
        "sub sp, sp, #8",
        "bl {trash}",
        "add sp, sp, #8",
        "ldr x30, [sp], #16",
        "ret",
        trash = sym tail,
    );
}

#[unsafe(naked)]
unsafe extern "C" fn tail() {
    naked_asm!("b cbt_trash");
}

#[test]
fn a_misaligned_stack_is_counted() {
    guard::arm(misaligned as *const (), Expected::PLAIN, Environment::SAME);
    // SAFETY: the callback ignores its arguments.
    unsafe { hand::words(false, guard::entry(false), &[0; 12]) };
    assert_eq!(guard::report().misaligned, 1);
}
