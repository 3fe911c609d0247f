//! 32-bit Arm. "AAPCS32" is the "Procedure Call Standard for the Arm Architecture", sections 6.4, 6.5 and 7.1.2, whose rules are
//! named by their letters.

use super::*;

const BASE: Abi = Abi::Aapcs;
const VFP: Abi = Abi::AapcsVfp;
const POINTER: Type = Type { size: 4, align: 4, ..super::POINTER };
const D_VECTOR: Type = scalar("int8x8_t", 8, Kind::Vector);
const Q_VECTOR: Type = Type { align: 8, ..M128 };

/// Compares, for each type, its place as the only argument and as the result.
#[track_caller]
fn check_alone(abi: Abi, cases: &[(Type, &str, &str)]) {
    for &(ty, argument, result) in cases {
        for ty in [ty, maybe_uninit(ty)] {
            check(abi, [("it", ty, argument)], (VOID, NOTHING), 0);
            check(abi, [], (ty, result), 0);
        }
    }
}

/// C.4, and section 6.4: "a Composite Type larger than 4 bytes … is stored in memory".
#[test]
fn base_values() {
    check_alone(
        BASE,
        &[
            (BOOL, "r0", "r0"),
            (POINTER, "r0", "r0"),
            (LONG, "r0, r1", "r0, r1"),
            (FLOAT16, "r0", "r0"),
            (FLOAT, "r0", "r0"),
            (DOUBLE, "r0, r1", "r0, r1"),
            (Q_VECTOR, "r0, r1, r2, r3", "r0, r1, r2, r3"),
            (complex(FLOAT), "r0, r1", "memory r0"),
            (of(&[CHAR, CHAR, CHAR]), "r0", "r0"),
            (of(&[FLOAT]), "r0", "r0"),
            (of(&[INT, CHAR]), "r0, r1", "memory r0"),
            (of(&[array(INT, 4)]), "r0, r1, r2, r3", "memory r0"),
            (of(&[]), NOTHING, NOTHING),
        ],
    );
}

/// C.3: "If the argument requires double-word alignment (8-byte), the NCRN is rounded up to the next even register number";
/// C.5: split; C.6, C.7: the stack.
#[test]
fn base_registers_run_out() {
    let parameters = [("a", INT, "r0"), ("b", LONG, "r2, r3"), ("c", INT, "[sp+0]"), ("d", DOUBLE, "[sp+8]")];
    check(BASE, parameters, (VOID, NOTHING), 16);
    let four = of(&[array(INT, 4)]);
    let parameters = [("a", INT, "r0"), ("b", four, "r1, r2, r3, and the rest [sp+0]"), ("c", INT, "[sp+4]")];
    check(BASE, parameters, (VOID, NOTHING), 8);
    let parameters = [("a", LONG, "r0, r1"), ("b", INT, "r2"), ("c", LONG, "[sp+0]"), ("d", INT, "[sp+8]")];
    check(BASE, parameters, (VOID, NOTHING), 12);
    // B.5: the natural alignment of a composite is that of its members.
    let parameters = [("a", INT, "r0"), ("b", of(&[DOUBLE]), "r2, r3")];
    check(BASE, parameters, (VOID, NOTHING), 0);
    let parameters = [
        ("a", INT, "r0"),
        ("b", aligned(8, &[INT, INT]), "r1, r2"),
        ("c", packed(4, &[DOUBLE]), "r3, and the rest [sp+0]"),
    ];
    check(BASE, parameters, (VOID, NOTHING), 4);
    // A.4: the address of a result takes r0.
    check(BASE, [("a", LONG, "r2, r3")], (four, "memory r0"), 0);
}

/// Section 7.1.2.1: VFP co-processor register candidates; 7.1.2.2: results.
#[test]
fn vfp_values() {
    check_alone(
        VFP,
        &[
            (FLOAT16, "s0", "s0"),
            (FLOAT, "s0", "s0"),
            (DOUBLE, "d0", "d0"),
            (D_VECTOR, "d0", "d0"),
            (Q_VECTOR, "q0", "q0"),
            (complex(DOUBLE), "d0, d1", "d0, d1"),
            (of(&[FLOAT, FLOAT, FLOAT]), "s0, s1, s2", "s0, s1, s2"),
            (of(&[array(DOUBLE, 4)]), "d0, d1, d2, d3", "d0, d1, d2, d3"),
            (of(&[Q_VECTOR, Q_VECTOR, Q_VECTOR, Q_VECTOR]), "q0, q1, q2, q3", "q0, q1, q2, q3"),
            (of(&[FLOAT, DOUBLE]), "r0, r1, r2, r3", "memory r0"),
            (of(&[FLOAT, INT]), "r0, r1", "memory r0"),
            (LONG, "r0, r1", "r0, r1"),
        ],
    );
}

/// C.1.cp: "the lowest-numbered sequence of registers" that is free, below others too; C.2.cp: after the first candidate on the
/// stack, none is in a register. C.5 splits nothing if something is on the stack.
#[test]
fn vfp_back_filling() {
    let three = of(&[DOUBLE, DOUBLE, DOUBLE]);
    let parameters = [
        ("a", FLOAT, "s0"),
        ("b", DOUBLE, "d1"),
        ("c", FLOAT, "s1"),
        ("d", FLOAT, "s4"),
        ("e", Q_VECTOR, "q2"),
        ("f", of(&[FLOAT, FLOAT]), "s5, s6"),
        ("g", three, "[sp+0]"),
        ("h", FLOAT, "[sp+24]"),
        ("i", DOUBLE, "[sp+32]"),
        ("j", of(&[array(INT, 5)]), "[sp+40]"),
        ("k", INT, "[sp+60]"),
    ];
    check(VFP, parameters, (VOID, NOTHING), 64);
}

/// Section 7.1.2.3: "A variadic function is always marshaled as for the base procedure call standard."
#[test]
#[cfg(feature = "alloc")]
fn vfp_variadic() {
    use super::super::Signature;

    let signature = Signature::new(VFP).param(FLOAT).param(DOUBLE).dots().param(DOUBLE).ret(DOUBLE).build().unwrap();
    let layout = signature.layout();
    let places: Vec<String> = layout.parameters().iter().map(|it| short(VFP, &it.place)).collect();
    assert_eq!(places, ["r0", "r2, r3", "[sp+0]"], "{layout}");
    assert_eq!(short(VFP, &layout.result().place), "r0, r1");
}

#[test]
#[should_panic = "made of nothing but floats of 16 bits"]
fn halves() {
    place(VFP, [], of(&[FLOAT16, FLOAT16]));
}

#[test]
#[should_panic = "`aapcs` has no rule for `i128`: it is made of an integer of 128 bits"]
fn no_int128() {
    place(BASE, [("a", INT128)], VOID);
}
