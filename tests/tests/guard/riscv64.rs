//! On RISC-V.

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
                naked_asm!(".option push", ".option arch, +d", $($line,)+ "ret", ".option pop");
            }
        )*
    };
}

callbacks! {
    good: "li a0, 0", "li t6, 0", "fmv.d.x fa1, zero", "sd zero, -8(sp)";
    may: "fmv.d.x ft11, zero", "fmv.d.x ft0, zero", "li a7, 0", "li t1, 0";
    status: "fsflagsi 31";
    x8: "addi s0, s0, 1";
    x9: "mv s1, s2";
    x18: "addiw s2, s2, 0";
    x19: "not s3, s3";
    x20: "li s4, 0";
    x21: "neg s5, s5";
    x22: "mv s6, s5";
    x23: "slli s7, s7, 8";
    x24: "xori s8, s8, 1";
    x25: "mv s9, sp";
    x26: "srli s10, s10, 1";
    x27: "mv s11, ra";
    f8: "fneg.d fs0, fs0";
    f9: "fmv.d.x fs1, zero";
    f18: "fmv.s fs2, fs2";
    f19: "fmv.d fs3, fs4";
    f20: "fmv.d.x fs4, sp";
    f21: "fneg.d fs5, fs5";
    f22: "fmv.w.x fs6, zero";
    f23: "fmv.d fs7, fa0";
    f24: "fabs.d fs8, fs8";
    f25: "fneg.d fs9, fs9";
    f26: "fcvt.d.w fs10, zero";
    f27: "fmv.d fs11, fs10";
    x2: "addi sp, sp, -16";
    mode: "fsrmi 2";
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
    let registers = each!(
        x8 x9 x18 x19 x20 x21 x22 x23 x24 x25 x26 x27 f8 f9 f18 f19 f20 f21 f22 f23 f24 f25 f26 f27 x2 mode
    );
    for (name, callback) in registers {
        let found = violations(callback);
        assert!(found.starts_with(name) && found.matches(';').count() == 1, "{name}: {found}");
    }
}

#[unsafe(naked)]
unsafe extern "C" fn misaligned() {
    naked_asm!(
        "addi sp, sp, -24",
        "sd ra, 16(sp)",
        "call {trash}",
        "ld ra, 16(sp)",
        "addi sp, sp, 24",
        "ret",
        trash = sym tail,
    );
}

#[unsafe(naked)]
unsafe extern "C" fn tail() {
    naked_asm!("tail cbt_trash");
}

#[test]
fn a_misaligned_stack_is_counted() {
    guard::arm(misaligned as *const (), Expected::PLAIN, Environment::SAME);
    // SAFETY: the callback ignores its arguments.
    unsafe { hand::words(false, guard::entry(false), &[0; 12]) };
    assert_eq!(guard::report().misaligned, 1);
}
