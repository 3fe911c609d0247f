//! RISC-V, LP64D. "psABI" is the "RISC-V ABIs Specification", version 1.0, chapter 2.

use super::*;

const LP64D: Abi = Abi::Lp64d;

/// Compares, for each type, its place as the only argument and as the result, which are the same unless it is in memory.
#[track_caller]
fn check_alone(cases: &[(Type, &str)]) {
    for &(ty, expected) in cases {
        for ty in [ty, maybe_uninit(ty)] {
            let result = expected.replace("address", "memory").replace("memory in", "memory");
            check(LP64D, [("it", ty, expected)], (VOID, NOTHING), 0);
            check(LP64D, [], (ty, &result), 0);
        }
    }
}

/// psABI 2.1: scalars of up to two words, and aggregates of up to two; "wider than 2×XLEN bits are passed by reference".
#[test]
fn psabi_integers() {
    check_alone(&[
        (BOOL, "a0"),
        (POINTER, "a0"),
        (ENUM, "a0"),
        (INT128, "a0, a1"),
        (FLOAT128, "a0, a1"),
        (complex(FLOAT128), "address in a0"),
        (of(&[array(CHAR, 3)]), "a0"),
        (of(&[INT, INT, INT]), "a0, a1"),
        (of(&[LONG, LONG]), "a0, a1"),
        (of(&[array(CHAR, 17)]), "address in a0"),
        (of(&[]), NOTHING),
    ]);
}

/// psABI 2.2, with its examples: `struct { struct { float f[1]; } a[1]; }` "is passed as though it were a standalone
/// floating-point real", a packed `struct { int i; double d; }` as one that is not.
#[test]
fn psabi_flattened() {
    check_alone(&[
        (FLOAT16, "fa0"),
        (FLOAT, "fa0"),
        (DOUBLE, "fa0"),
        (of(&[array(of(&[array(FLOAT, 1)]), 1)]), "fa0"),
        (of(&[INT, DOUBLE]), "a0, fa0"),
        (packed(1, &[INT, DOUBLE]), "a0, fa0"),
        (of(&[DOUBLE, CHAR]), "fa0, a0"),
        (of(&[FLOAT, FLOAT]), "fa0, fa1"),
        (aligned(8, &[FLOAT, FLOAT]), "fa0, fa1"),
        (complex(FLOAT), "fa0, fa1"),
        (complex(DOUBLE), "fa0, fa1"),
        (of(&[complex(DOUBLE)]), "fa0, fa1"),
        (of(&[of(&[]), DOUBLE, of(&[of(&[])])]), "fa0"),
        // More than two, two integers, a union, a float that is too wide, an integer that is, a pointer.
        (of(&[FLOAT, FLOAT, FLOAT]), "a0, a1"),
        (of(&[FLOAT, SHORT, SHORT]), "a0"),
        (either(&[FLOAT]), "a0"),
        (of(&[either(&[FLOAT]), FLOAT]), "a0"),
        (of(&[FLOAT128]), "a0, a1"),
        (of(&[POINTER, FLOAT]), "a0, a1"),
    ]);
}

/// psABI 2.2: without enough registers of either kind the integer convention holds. 2.1: a value of two words is split between a7
/// and the stack; others there are aligned to 8 or 16 bytes.
#[test]
fn psabi_registers_run_out() {
    let d = ("", DOUBLE);
    let l = ("", LONG);
    let last = |parameters: &[(&'static str, Type)]| {
        let mut all = [Parameter { name: "", ty: VOID, place: Place::Nothing }; 12];
        for (to, &(_, ty)) in all.iter_mut().zip(parameters) {
            to.ty = ty;
        }
        let mut result = Parameter { name: "", ty: VOID, place: Place::Nothing };
        place_each(LP64D, &mut all[..parameters.len()], &mut result, None);
        short(LP64D, &all[parameters.len() - 1].place)
    };
    assert_eq!(last(&[d, d, d, d, d, d, d, d, d]), "a0");
    assert_eq!(last(&[d, d, d, d, d, d, d, ("", complex(DOUBLE))]), "a0, a1");
    assert_eq!(last(&[d, d, d, d, d, d, d, d, ("", of(&[FLOAT, CHAR]))]), "a0");
    assert_eq!(last(&[l, l, l, l, l, l, l, l, ("", of(&[FLOAT, INT]))]), "[sp+0]");
    assert_eq!(last(&[l, l, l, l, l, l, l, ("", INT128)]), "a7, and the rest [sp+0]");
    assert_eq!(last(&[l, l, l, l, l, l, l, ("", of(&[LONG, INT]))]), "a7, and the rest [sp+0]");
    assert_eq!(last(&[l, l, l, l, l, l, l, ("", INT128), ("", INT)]), "[sp+8]");
    assert_eq!(last(&[l, l, l, l, l, l, l, l, l, ("", INT128)]), "[sp+16]");
    // Named ones are in any pair.
    assert_eq!(last(&[l, ("", INT128)]), "a1, a2");
}

/// psABI 2.2: "floats … variadic arguments are passed according to the integer calling convention"; 2.1: "variadic arguments with
/// 2×XLEN-bit alignment … are passed in an aligned register pair".
#[test]
#[cfg(feature = "alloc")]
fn psabi_behind_dots() {
    use super::super::Signature;

    let start = Signature::new(LP64D).param(POINTER).param(DOUBLE).dots();
    let unnamed = [DOUBLE, LONG, INT128, of(&[FLOAT, FLOAT]), INT128, INT];
    let signature = unnamed.iter().fold(start, |builder, &ty| builder.param(ty)).build().unwrap();
    let layout = signature.layout();
    let places: Vec<String> = layout.parameters().iter().map(|it| short(LP64D, &it.place)).collect();
    assert_eq!(places, ["a0", "fa0", "a1", "a2", "a4, a5", "a6", "[sp+0]", "[sp+16]"], "{layout}");
}

#[test]
#[should_panic = "`lp64d` has no rule for `__m128`: it is made of a vector of this size"]
fn no_vectors() {
    place(LP64D, [("a", M128)], VOID);
}
