//! AArch64, and Apple's variant. "AAPCS64" is the "Procedure Call Standard for the Arm 64-bit Architecture", section 6.8.2, whose
//! rules are named by their letters.

use super::*;

const AAPCS64: Abi = Abi::Aapcs64;
const APPLE: Abi = Abi::AppleArm64;
const M64: Type = scalar("int8x8_t", 8, Kind::Vector);

/// Compares, for each type, its place as the only argument and as the result, which are the same unless it is in memory.
#[track_caller]
fn check_alone(cases: &[(Type, &str)]) {
    for &(ty, expected) in cases {
        for (abi, ty) in [(AAPCS64, ty), (AAPCS64, maybe_uninit(ty)), (APPLE, ty)] {
            let result = if expected.starts_with("address") { "memory x8" } else { expected };
            check(abi, [("it", ty, expected)], (VOID, NOTHING), 0);
            check(abi, [], (ty, result), 0);
        }
    }
}

/// C.1, C.9 and C.11: fundamental types.
#[test]
fn aapcs64_scalars() {
    check_alone(&[
        (BOOL, "w0"),
        (SHORT, "w0"),
        (ENUM, "w0"),
        (POINTER, "x0"),
        (INT128, "x0, x1"),
        (FLOAT16, "h0"),
        (FLOAT, "s0"),
        (DOUBLE, "d0"),
        (M64, "d0"),
        (M128, "q0"),
    ]);
    check(AAPCS64, [("it", FLOAT128, "q0")], (FLOAT128, "q0"), 0);
}

/// C.2: homogeneous aggregates (section 5.9.5), "regardless of … any nesting", unions and complex numbers included. B.4 and C.12:
/// other composites.
#[test]
fn aapcs64_composites() {
    check_alone(&[
        (of(&[FLOAT]), "s0"),
        (of(&[FLOAT, FLOAT, FLOAT]), "s0, s1, s2"),
        (of(&[array(DOUBLE, 4)]), "d0, d1, d2, d3"),
        (of(&[array(DOUBLE, 5)]), "address in x0"),
        (of(&[of(&[FLOAT]), either(&[FLOAT, array(FLOAT, 2)])]), "s0, s1, s2"),
        (either(&[of(&[FLOAT, FLOAT]), array(FLOAT, 4)]), "s0, s1, s2, s3"),
        (of(&[M128, M128, M128, M128]), "q0, q1, q2, q3"),
        (of(&[M64, M64]), "d0, d1"),
        (complex(DOUBLE), "d0, d1"),
        (of(&[complex(FLOAT), complex(FLOAT)]), "s0, s1, s2, s3"),
        // Of two types, or of one and an integer, or with padding.
        (of(&[M64, DOUBLE]), "x0, x1"),
        (of(&[FLOAT, DOUBLE]), "x0, x1"),
        (of(&[FLOAT, INT]), "x0"),
        (aligned(16, &[FLOAT, FLOAT]), "x0, x1"),
        (of(&[INT, INT, INT]), "x0, w1"),
        (of(&[array(CHAR, 16)]), "x0, x1"),
        (of(&[array(CHAR, 17)]), "address in x0"),
        (of(&[]), NOTHING),
        (of(&[of(&[]), DOUBLE]), "d0"),
    ]);
}

/// C.3 and C.13: where a value does not fit, its kind of register is used no more. C.4, C.14: alignment on the stack.
#[test]
fn aapcs64_stack() {
    let three = of(&[DOUBLE, DOUBLE, DOUBLE]);
    let pair = of(&[LONG, LONG]);
    let parameters = [
        ("a", three, "d0, d1, d2"),
        ("b", three, "d3, d4, d5"),
        ("c", three, "[sp+0]"),
        ("d", FLOAT, "[sp+24]"),
        ("e", array_of_longs(3), "address in x0"),
        ("f", pair, "x1, x2"),
        ("g", pair, "x3, x4"),
        ("h", pair, "x5, x6"),
        ("i", pair, "[sp+32]"),
        ("j", INT, "[sp+48]"),
        ("k", M128, "[sp+64]"),
        ("l", CHAR, "[sp+80]"),
    ];
    check(AAPCS64, parameters, (VOID, NOTHING), 88);
}

fn array_of_longs(len: usize) -> Type {
    of(&[array(LONG, len)])
}

/// C.10: "If the argument has an alignment of 16 then the NGRN is rounded up to the next even number"; B.6: for a composite that is
/// its natural alignment, not that of a declaration or of a packed member.
#[test]
fn aapcs64_even_registers() {
    for (ty, expected) in [
        (INT128, "x2, x3"),
        (of(&[INT128]), "x2, x3"),
        (aligned(16, &[LONG, LONG]), "x1, x2"),
        (packed(8, &[INT128]), "x1, x2"),
        (of(&[aligned(16, &[LONG])]), "x2, x3"),
    ] {
        check(AAPCS64, [("a", INT, "w0"), ("it", ty, expected)], (VOID, NOTHING), 0);
    }
    let full = ("", LONG);
    let whole = layout(AAPCS64, false, [full, full, full, full, full, full, full, ("", INT128), ("", INT)], VOID);
    assert_eq!(short(AAPCS64, &whole.parameters()[7].place), "[sp+0]", "{whole}");
    assert_eq!(short(AAPCS64, &whole.parameters()[8].place), "[sp+16]", "{whole}");
}

/// "Writing ARM64 code for Apple platforms": "Function arguments may consume slots on the stack that are not multiples of 8 bytes";
/// "When passing an argument with 16-byte alignment in integer registers, Apple platforms allow the argument to start in an
/// odd-numbered xN register".
#[test]
fn apple_stack() {
    let full = [("", LONG, ""); 8].map(|(name, ty, _)| (name, ty));
    let [a, b, c, d, e, f, g, h] = full;
    let rest = [("", CHAR), ("", SHORT), ("", INT), ("", CHAR), ("", of(&[CHAR, CHAR])), ("", CHAR), ("", INT128)];
    let [i, j, k, l, m, n, o] = rest;
    let whole = layout(APPLE, false, [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o], VOID);
    let places: Vec<String> = whole.parameters()[8..].iter().map(|it| short(APPLE, &it.place)).collect();
    assert_eq!(places, ["[sp+0]", "[sp+2]", "[sp+4]", "[sp+8]", "[sp+16]", "[sp+24]", "[sp+32]"], "{whole}");
    check(APPLE, [("a", INT, "w0"), ("b", INT128, "x1, x2")], (VOID, NOTHING), 0);
    // The last word is filled up.
    let [p, ..] = [("", FLOAT); 1];
    let whole = layout(APPLE, false, [p, p, p, p, p, p, p, p, p, ("", of(&[FLOAT, FLOAT]))], VOID);
    assert_eq!(short(APPLE, &whole.parameters()[9].place), "[sp+4]", "{whole}");
    assert_eq!(whole.stack_size(), 16);
}

#[test]
#[should_panic = "`aapcs64` has no rule for `LongDouble`: it is made of a float of 80 bits"]
fn aapcs64_x87() {
    place(AAPCS64, [("a", LONG_DOUBLE)], VOID);
}

#[test]
#[should_panic = "made of a vector of this size"]
fn aapcs64_wide_vector() {
    place(AAPCS64, [], of(&[M256]));
}

#[test]
#[should_panic = "made of a float of 128 bits"]
fn apple_quad() {
    place(APPLE, [], complex(FLOAT128));
}

/// Behind `...`: on AArch64 as before, on Apple's platforms all on the stack, in slots of 8 bytes at least.
#[test]
#[cfg(feature = "alloc")]
fn behind_dots() {
    use super::super::Signature;

    let unnamed = [DOUBLE, INT, INT128, of(&[FLOAT, FLOAT]), of(&[array(CHAR, 17)]), of(&[CHAR])];
    let places = |abi: Abi| {
        let start = Signature::new(abi).param(INT).dots();
        let signature = unnamed.iter().fold(start, |builder, &ty| builder.param(ty)).build().unwrap();
        let layout = signature.layout();
        layout.parameters().iter().map(|it| short(abi, &it.place)).collect::<Vec<_>>()
    };
    assert_eq!(places(AAPCS64), ["w0", "d0", "w1", "x2, x3", "s1, s2", "address in x4", "w5"]);
    assert_eq!(places(APPLE), ["w0", "[sp+0]", "[sp+8]", "[sp+16]", "[sp+32]", "address [sp+40]", "[sp+48]"]);
    let vectors = Signature::new(APPLE).param(INT).dots().param(of(&[M128])).build();
    assert!(vectors.unwrap_err().to_string().contains("which Clang aligns to 8 bytes"));
}
