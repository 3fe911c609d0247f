//! System V.

use super::*;

/// psABI 3.2.3, figures 3.5 and 3.6, the example of the document. The figure's offsets are those before the call; at
/// entry the return address is below.
#[test]
fn psabi_figure_3_6() {
    let structparm = record("structparm", &[("a", INT), ("b", INT), ("d", DOUBLE)]);
    let parameters = [
        ("e", INT, "edi"),
        ("f", INT, "esi"),
        ("s", structparm, "rdx, xmm0"),
        ("g", INT, "ecx"),
        ("h", INT, "r8d"),
        ("ld", LONG_DOUBLE, "[rsp+8]"),
        ("m", DOUBLE, "xmm1"),
        ("y", M256, "ymm2"),
        ("z", M512, "zmm3"),
        ("n", DOUBLE, "xmm4"),
        ("i", INT, "r9d"),
        ("j", INT, "[rsp+24]"),
        ("k", INT, "[rsp+32]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 32);
}

const FIRST: &str = "[rsp+8]";
const MEMORY: &str = "memory rdi, rax";

/// Compares, for each type, its place as the only argument and as the result; and the same for `MaybeUninit` of it.
#[track_caller]
fn check_alone(cases: &[(Type, &str, &str)]) {
    for &(ty, argument, result) in cases {
        let stack = if argument == FIRST { round_up(ty.size, 8) } else { 0 };
        for ty in [ty, maybe_uninit(ty)] {
            check(Abi::SysV64, [("it", ty, argument)], (VOID, NOTHING), stack);
            check(Abi::SysV64, [], (ty, result), 0);
        }
    }
}

/// psABI 3.2.3, "Classification", of the types that any C has.
#[test]
fn psabi_classes() {
    let empty = of(&[]);
    let pair = of(&[FLOAT, FLOAT]);
    let cases = [
        // "The basic types are assigned their natural classes", INTEGER and SSE.
        (BOOL, "dil", "al"),
        (CHAR, "dil", "al"),
        (SHORT, "di", "ax"),
        (INT, "edi", "eax"),
        (ENUM, "edi", "eax"),
        (LONG, "rdi", "rax"),
        (POINTER, "rdi", "rax"),
        (FLOAT, "xmm0", "xmm0"),
        (DOUBLE, "xmm0", "xmm0"),
        // "If the size of the aggregate exceeds a single eightbyte, each is classified separately": the four
        // combinations, which as results are rax and rdx, rax and xmm0, xmm0 and rax, xmm0 and xmm1.
        (of(&[LONG, LONG]), "rdi, rsi", "rax, rdx"),
        (of(&[LONG, DOUBLE]), "rdi, xmm0", "rax, xmm0"),
        (of(&[DOUBLE, LONG]), "xmm0, rdi", "xmm0, rax"),
        (of(&[DOUBLE, DOUBLE]), "xmm0, xmm1", "xmm0, xmm1"),
        // 4. (a) equal classes.
        (of(&[CHAR]), "dil", "al"),
        (of(&[INT, INT]), "rdi", "rax"),
        (of(&[SHORT, CHAR]), "edi", "eax"),
        (pair, "xmm0", "xmm0"),
        (of(&[FLOAT, FLOAT, FLOAT]), "xmm0, xmm1", "xmm0, xmm1"),
        (of(&[CHAR, CHAR, CHAR]), "edi", "eax"),
        // 4. (b) NO_CLASS, of padding and of empty structs, gives way.
        (of(&[CHAR, DOUBLE]), "rdi, xmm0", "rax, xmm0"),
        (of(&[DOUBLE, CHAR]), "xmm0, rdi", "xmm0, rax"),
        (of(&[empty, DOUBLE]), "xmm0", "xmm0"),
        (of(&[FLOAT, empty, FLOAT, empty]), "xmm0", "xmm0"),
        (of(&[FLOAT, array(INT, 0)]), "xmm0", "xmm0"),
        (empty, NOTHING, NOTHING),
        (of(&[empty, array(LONG, 0)]), NOTHING, NOTHING),
        // 4. (d) INTEGER wins, in either order, and only in its own eightbyte.
        (of(&[FLOAT, INT]), "rdi", "rax"),
        (of(&[INT, FLOAT]), "rdi", "rax"),
        (of(&[FLOAT, CHAR]), "rdi", "rax"),
        (of(&[FLOAT, INT, FLOAT]), "rdi, xmm0", "rax, xmm0"),
        (of(&[FLOAT, FLOAT, INT]), "xmm0, edi", "xmm0, eax"),
        (of(&[FLOAT, FLOAT, FLOAT, INT]), "xmm0, rdi", "xmm0, rax"),
        // "Each field of an object is classified recursively": structs and arrays in structs.
        (of(&[pair, pair]), "xmm0, xmm1", "xmm0, xmm1"),
        (of(&[INT, pair]), "rdi, xmm0", "rax, xmm0"),
        (of(&[INT, pair, INT]), "rdi, rsi", "rax, rdx"),
        (of(&[of(&[of(&[FLOAT])]), of(&[INT])]), "rdi", "rax"),
        (of(&[array(CHAR, 5)]), "rdi", "rax"),
        (of(&[array(CHAR, 9)]), "rdi, sil", "rax, dl"),
        (of(&[array(CHAR, 16)]), "rdi, rsi", "rax, rdx"),
        (of(&[array(FLOAT, 3), CHAR]), "xmm0, rdi", "xmm0, rax"),
        (of(&[array(of(&[INT, FLOAT]), 2)]), "rdi, rsi", "rax, rdx"),
        (of(&[DOUBLE, array(array(SHORT, 2), 2)]), "xmm0, rdi", "xmm0, rax"),
        // Unions: all members at offset 0.
        (union("U", &[("a", DOUBLE), ("b", LONG)]), "rdi", "rax"),
        (union("U", &[("a", FLOAT), ("b", DOUBLE)]), "xmm0", "xmm0"),
        (union("U", &[("a", DOUBLE), ("b", CHAR)]), "rdi", "rax"),
        (union("U", &[("a", array(FLOAT, 4)), ("b", INT)]), "rdi, xmm0", "rax, xmm0"),
        (union("U", &[("a", of(&[LONG, LONG])), ("b", of(&[DOUBLE, DOUBLE]))]), "rdi, rsi", "rax, rdx"),
        (union("U", &[("a", of(&[pair, INT])), ("b", DOUBLE)]), "xmm0, rdi", "xmm0, rax"),
        (of(&[union("U", &[("a", FLOAT), ("b", INT)]), FLOAT, DOUBLE]), "rdi, xmm0", "rax, xmm0"),
        (union("U", &[]), NOTHING, NOTHING),
        // More than two eightbytes without SSEUP: MEMORY, by 5. (c).
        (of(&[array(CHAR, 17)]), "[rsp+8]", "memory rdi, rax"),
        (of(&[DOUBLE, DOUBLE, DOUBLE]), "[rsp+8]", "memory rdi, rax"),
        (of(&[LONG, LONG, CHAR]), "[rsp+8]", "memory rdi, rax"),
        (union("U", &[("a", array(INT, 5)), ("b", LONG)]), "[rsp+8]", "memory rdi, rax"),
    ];
    check_alone(&cases);
}

/// psABI 3.2.3, "Classification", of what has two halves or more: "Arguments of types __float128, _Decimal128 and
/// __m128 are split into two halves. The least significant ones belong to class SSE, the most significant one to class
/// SSEUP", and likewise `__m256` and `__m512`; `__int128` is treated as a struct of two longs.
#[test]
fn psabi_wide_scalars() {
    check_alone(&[
        (INT128, "rdi, rsi", "rax, rdx"),
        (FLOAT128, "xmm0", "xmm0"),
        (M128, "xmm0", "xmm0"),
        (M256, "ymm0", "ymm0"),
        (M512, "zmm0", "zmm0"),
        // The basic type that the document was given later: class SSE.
        (FLOAT16, "xmm0", "xmm0"),
        (of(&[array(FLOAT16, 4)]), "xmm0", "xmm0"),
        (of(&[FLOAT, FLOAT16]), "xmm0", "xmm0"),
        (of(&[FLOAT16, SHORT]), "edi", "eax"),
        (of(&[array(FLOAT16, 4), SHORT]), "xmm0, di", "xmm0, ax"),
        // Each element of an array counts where it lies. (gcc repeats the class of the first.)
        (of(&[array(of(&[SHORT, FLOAT16, FLOAT16]), 2)]), "rdi, xmm0", "rax, xmm0"),
        (of(&[SHORT, array(of(&[SHORT, FLOAT16]), 2)]), "rdi, xmm0", "rax, xmm0"),
        (of(&[FLOAT16, FLOAT16, array(of(&[SHORT, FLOAT16]), 1)]), "rdi", "rax"),
        (of(&[INT128]), "rdi, rsi", "rax, rdx"),
        (of(&[INT128, CHAR]), FIRST, MEMORY),
        (either(&[INT128, DOUBLE]), "rdi, rsi", "rax, rdx"),
        (either(&[INT128, M128]), "rdi, rsi", "rax, rdx"),
    ]);
}

/// psABI 3.2.3, "Classification", 5. (c): more than two eightbytes are in a register if the first is SSE and all others
/// are SSEUP.
#[test]
fn psabi_vectors_in_aggregates() {
    check_alone(&[
        (of(&[M128]), "xmm0", "xmm0"),
        (of(&[FLOAT128]), "xmm0", "xmm0"),
        (of(&[M256]), "ymm0", "ymm0"),
        (of(&[of(&[array(M256, 1)])]), "ymm0", "ymm0"),
        (of(&[of(&[M512])]), "zmm0", "zmm0"),
        (of(&[of(&[]), M256]), "ymm0", "ymm0"),
        (of(&[M128, M128]), FIRST, MEMORY),
        (of(&[array(M128, 2)]), FIRST, MEMORY),
        (of(&[array(M256, 2)]), FIRST, MEMORY),
        (of(&[M128, DOUBLE]), FIRST, MEMORY),
        (of(&[DOUBLE, M128]), FIRST, MEMORY),
        (of(&[M256, M256]), FIRST, MEMORY),
        (of(&[M512, CHAR]), FIRST, MEMORY),
        // Other members of a union at the eightbytes of the vector: SSE, then SSEUP, remains...
        (either(&[M256, FLOAT]), "ymm0", "ymm0"),
        (either(&[DOUBLE, M256]), "ymm0", "ymm0"),
        (either(&[M128, M256]), "ymm0", "ymm0"),
        (either(&[M512, of(&[M256]), of(&[FLOAT, FLOAT])]), "zmm0", "zmm0"),
        (either(&[M128, FLOAT128, DOUBLE]), "xmm0", "xmm0"),
        // ... or does not: 4. (d) INTEGER, (f) SSE.
        (either(&[M256, CHAR]), FIRST, MEMORY),
        (either(&[M256, INT128]), FIRST, MEMORY),
        (either(&[M256, of(&[DOUBLE, DOUBLE])]), FIRST, MEMORY),
        (either(&[array(FLOAT, 8), M256]), FIRST, MEMORY),
        (either(&[M512, array(POINTER, 4)]), FIRST, MEMORY),
        (either(&[M512, of(&[M256, M256])]), FIRST, MEMORY),
        (either(&[M128, of(&[DOUBLE, DOUBLE])]), "xmm0, xmm1", "xmm0, xmm1"),
        (either(&[of(&[DOUBLE, LONG]), M128]), "xmm0, rdi", "xmm0, rax"),
        // 5. (d): SSEUP that is not preceded by SSE is SSE.
        (either(&[M128, LONG]), "rdi, xmm0", "rax, xmm0"),
        (either(&[CHAR, FLOAT128]), "rdi, xmm0", "rax, xmm0"),
        (of(&[either(&[array(SHORT, 2), M128])]), "rdi, xmm0", "rax, xmm0"),
        // Inner aggregates are cleaned up before they are merged: a struct that is padded to 32 bytes is MEMORY.
        (either(&[M256, aligned(32, &[M128])]), FIRST, MEMORY),
    ]);
}

/// psABI 3.2.3, "Classification": "The 64-bit mantissa of arguments of type long double belongs to class X87, the
/// 16-bit exponent plus 6 bytes of padding belongs to class X87UP". "Passing", 5.: in memory. "Returning of Values", 6.
/// and 7.: "on the X87 stack in %st0 as 80-bit x87 number".
#[test]
fn psabi_x87() {
    check_alone(&[
        (LONG_DOUBLE, FIRST, "st(0)"),
        (of(&[LONG_DOUBLE]), FIRST, "st(0)"),
        (of(&[array(LONG_DOUBLE, 1)]), FIRST, "st(0)"),
        (either(&[LONG_DOUBLE, of(&[LONG_DOUBLE])]), FIRST, "st(0)"),
        // 5. (c): more than two eightbytes.
        (of(&[LONG_DOUBLE, CHAR]), FIRST, MEMORY),
        (of(&[LONG_DOUBLE, LONG_DOUBLE]), FIRST, MEMORY),
        // 4. (e): X87 and SSE, X87UP and SSE, X87UP and SSEUP: MEMORY.
        (either(&[LONG_DOUBLE, FLOAT]), FIRST, MEMORY),
        (either(&[of(&[DOUBLE, DOUBLE]), LONG_DOUBLE]), FIRST, MEMORY),
        (either(&[of(&[LONG, DOUBLE]), LONG_DOUBLE]), FIRST, MEMORY),
        (either(&[M128, LONG_DOUBLE]), FIRST, MEMORY),
        (either(&[LONG_DOUBLE, FLOAT128]), FIRST, MEMORY),
        // 4. (d): INTEGER wins in both eightbytes.
        (either(&[LONG_DOUBLE, array(LONG, 2)]), "rdi, rsi", "rax, rdx"),
        (either(&[array(CHAR, 10), LONG_DOUBLE]), "rdi, rsi", "rax, rdx"),
        (either(&[INT128, LONG_DOUBLE]), "rdi, rsi", "rax, rdx"),
        // 4. (d) in the first, then 5. (b): X87UP that is not preceded by X87: MEMORY.
        (either(&[LONG_DOUBLE, LONG]), FIRST, MEMORY),
        (either(&[array(CHAR, 8), LONG_DOUBLE]), FIRST, MEMORY),
        // In the order of the members, so that INTEGER hides what would have been (e) behind it...
        (either(&[INT128, LONG_DOUBLE, M128]), "rdi, rsi", "rax, rdx"),
        // ... but not what was before, nor what is MEMORY on its own.
        (either(&[M128, LONG_DOUBLE, INT128]), FIRST, MEMORY),
        (either(&[INT128, either(&[LONG_DOUBLE, M128])]), FIRST, MEMORY),
        (either(&[INT128, either(&[INT, LONG_DOUBLE])]), FIRST, MEMORY),
    ]);
}

/// psABI, figure 3.1: of the 16 bytes of a long double 10 are the value.
#[test]
fn psabi_x87_parts() {
    let parts = |ty| match place(Abi::SysV64, [], ty).result.place {
        Place::Registers(parts) => parts.as_slice().iter().map(|part| (part.offset, part.size)).collect(),
        _ => Vec::new(),
    };
    assert_eq!(parts(LONG_DOUBLE), [(0, 10)]);
    assert_eq!(parts(of(&[LONG_DOUBLE])), [(0, 10)]);
    assert_eq!(parts(complex(LONG_DOUBLE)), [(0, 10), (16, 10)]);
    // As long as the rest of a value is, and no longer.
    assert_eq!(parts(of(&[INT128])), [(0, 8), (8, 8)]);
    assert_eq!(parts(of(&[array(FLOAT, 3)])), [(0, 8), (8, 4)]);
    assert_eq!(parts(M512), [(0, 64)]);
}

/// psABI 3.2.3, "Classification": "Arguments of complex T where T is one of the types float, double or __float128 are
/// treated as if they are implemented as: struct complexT { T real; T imag; };"; "A variable of type complex long
/// double is classified as type COMPLEX_X87". "Returning of Values", 8.: "the real part of the value is returned in
/// %st0 and the imaginary part in %st1".
#[test]
fn psabi_complex() {
    check_alone(&[
        (complex(FLOAT), "xmm0", "xmm0"),
        (complex(DOUBLE), "xmm0, xmm1", "xmm0, xmm1"),
        (complex(FLOAT128), FIRST, MEMORY),
        (complex(FLOAT16), "xmm0", "xmm0"),
        (complex(LONG_DOUBLE), FIRST, "st(0), st(1)"),
        (of(&[complex(DOUBLE)]), "xmm0, xmm1", "xmm0, xmm1"),
        (of(&[complex(FLOAT), FLOAT]), "xmm0, xmm1", "xmm0, xmm1"),
        (of(&[complex(FLOAT), INT]), "xmm0, edi", "xmm0, eax"),
        // The imaginary part is in the next eightbyte.
        (of(&[INT, complex(FLOAT)]), "rdi, xmm0", "rax, xmm0"),
        (of(&[complex(DOUBLE), CHAR]), FIRST, MEMORY),
        (either(&[complex(DOUBLE), LONG]), "rdi, xmm0", "rax, xmm0"),
        // In an aggregate it is two long doubles, which are more than two eightbytes.
        (of(&[complex(LONG_DOUBLE)]), FIRST, MEMORY),
        (either(&[complex(LONG_DOUBLE)]), FIRST, MEMORY),
    ]);
}

/// psABI 3.2.3, "Classification", 1.: an object that "contains unaligned fields" has class MEMORY; one that is packed
/// without making a field unaligned has not.
#[test]
fn psabi_packed() {
    check_alone(&[
        (packed(1, &[CHAR, INT]), FIRST, MEMORY),
        (packed(1, &[CHAR, FLOAT]), FIRST, MEMORY),
        (packed(2, &[SHORT, INT]), FIRST, MEMORY),
        (packed(4, &[INT, LONG]), FIRST, MEMORY),
        (packed(4, &[INT, DOUBLE]), FIRST, MEMORY),
        (packed(8, &[LONG, M128]), FIRST, MEMORY),
        (packed(1, &[INT, CHAR]), "rdi", "rax"),
        (packed(1, &[CHAR, array(CHAR, 8)]), "rdi, sil", "rax, dl"),
        (packed(2, &[DOUBLE, SHORT]), "xmm0, di", "xmm0, ax"),
        (packed(4, &[LONG, INT]), "rdi, esi", "rax, edx"),
        (packed(1, &[INT128]), "rdi, rsi", "rax, rdx"),
        (packed(1, &[M128]), "xmm0", "xmm0"),
        (packed(8, &[M256]), "ymm0", "ymm0"),
        (packed(1, &[LONG_DOUBLE]), FIRST, "st(0)"),
        (packed(1, &[CHAR, of(&[])]), "dil", "al"),
        // A field without bytes is unaligned too, for gcc and clang. (For rustc it is not.)
        (packed(1, &[CHAR, array(INT, 0)]), FIRST, MEMORY),
        (packed(1, &[INT, array(INT, 0)]), "edi", "eax"),
        // Nor is one in a struct that has no bytes itself.
        (of(&[INT, packed(4, &[array(LONG, 0)]), INT]), FIRST, MEMORY),
        (of(&[LONG, packed(4, &[array(LONG, 0)])]), "rdi", "rax"),
        (of(&[packed(1, &[CHAR, INT])]), FIRST, MEMORY),
        // Aligned in its struct, which is not aligned itself...
        (of(&[CHAR, packed(1, &[INT])]), FIRST, MEMORY),
        (of(&[INT, packed(1, &[INT])]), "rdi", "rax"),
        // ... and an array whose second element is not.
        (of(&[array(packed(1, &[FLOAT, CHAR]), 3)]), FIRST, MEMORY),
        (of(&[array(packed(1, &[FLOAT, CHAR]), 1)]), "rdi", "rax"),
    ]);
}

/// psABI 3.2.3, "Classification": what is padding because of an alignment is NO_CLASS, which takes no register, and by
/// 5. (c) puts what has more than two eightbytes into memory.
#[test]
fn psabi_over_aligned() {
    check_alone(&[
        (aligned(8, &[INT]), "rdi", "rax"),
        (aligned(16, &[INT]), "rdi", "rax"),
        (aligned(16, &[FLOAT]), "xmm0", "xmm0"),
        (aligned(16, &[LONG, CHAR]), "rdi, rsi", "rax, rdx"),
        (aligned(16, &[M128]), "xmm0", "xmm0"),
        (aligned(16, &[LONG_DOUBLE]), FIRST, "st(0)"),
        (aligned(32, &[M256]), "ymm0", "ymm0"),
        (aligned(64, &[M512]), "zmm0", "zmm0"),
        (aligned(32, &[INT]), FIRST, MEMORY),
        (aligned(32, &[DOUBLE]), FIRST, MEMORY),
        (aligned(32, &[M128]), FIRST, MEMORY),
        (aligned(64, &[M256]), FIRST, MEMORY),
        (aligned(32, &[LONG_DOUBLE]), FIRST, MEMORY),
        (of(&[aligned(16, &[INT])]), "rdi", "rax"),
        (of(&[aligned(16, &[INT]), CHAR]), FIRST, MEMORY),
    ]);
}

/// psABI 3.2.3, "Classification", 1.: more than eight eightbytes are MEMORY.
#[test]
fn psabi_large() {
    check_alone(&[
        (of(&[array(CHAR, 64)]), FIRST, MEMORY),
        (of(&[array(CHAR, 65)]), FIRST, MEMORY),
        (of(&[array(DOUBLE, 8)]), FIRST, MEMORY),
        (of(&[M512, M512]), FIRST, MEMORY),
        (either(&[M512, array(FLOAT, 100)]), FIRST, MEMORY),
    ]);
}

/// psABI 3.2.3, "Passing", 2. and 3.: the order of the registers, and what happens behind the last one.
#[test]
fn psabi_registers_run_out() {
    let parameters = [
        ("a", INT, "edi"),
        ("b", CHAR, "sil"),
        ("c", SHORT, "dx"),
        ("d", LONG, "rcx"),
        ("e", POINTER, "r8"),
        ("f", BOOL, "r9b"),
        ("g", CHAR, "[rsp+8]"),
        ("h", LONG, "[rsp+16]"),
        // Vector registers are counted apart.
        ("i", FLOAT, "xmm0"),
        ("j", DOUBLE, "xmm1"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 16);
    let parameters = [
        ("a", DOUBLE, "xmm0"),
        ("b", DOUBLE, "xmm1"),
        ("c", DOUBLE, "xmm2"),
        ("d", DOUBLE, "xmm3"),
        ("e", DOUBLE, "xmm4"),
        ("f", DOUBLE, "xmm5"),
        ("g", DOUBLE, "xmm6"),
        ("h", FLOAT, "xmm7"),
        ("i", FLOAT, "[rsp+8]"),
        ("j", DOUBLE, "[rsp+16]"),
        ("k", INT, "edi"),
    ];
    check(Abi::SysV64, parameters, (DOUBLE, "xmm0"), 16);
}

/// psABI 3.2.3, "Passing": "If there are no registers available for any eightbyte of an argument, the whole
/// argument is passed on the stack. If registers have already been assigned […], the assignments get reverted."
#[test]
fn psabi_all_or_nothing() {
    let longs = of(&[LONG, LONG]);
    let parameters = [
        ("a", longs, "rdi, rsi"),
        ("b", longs, "rdx, rcx"),
        ("c", LONG, "r8"),
        ("d", longs, "[rsp+8]"),
        // r9 was given back: the next argument gets it.
        ("e", INT, "r9d"),
        ("f", INT, "[rsp+24]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 24);

    let doubles = of(&[DOUBLE, DOUBLE]);
    let parameters = [
        ("a", doubles, "xmm0, xmm1"),
        ("b", doubles, "xmm2, xmm3"),
        ("c", doubles, "xmm4, xmm5"),
        ("d", DOUBLE, "xmm6"),
        ("e", doubles, "[rsp+8]"),
        ("f", FLOAT, "xmm7"),
        ("g", FLOAT, "[rsp+24]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 24);

    // One kind has run out, and the other's register is given back too.
    let mixed = of(&[DOUBLE, LONG]);
    let parameters = [
        ("a", longs, "rdi, rsi"),
        ("b", longs, "rdx, rcx"),
        ("c", longs, "r8, r9"),
        ("d", mixed, "[rsp+8]"),
        ("e", DOUBLE, "xmm0"),
        ("f", INT, "[rsp+24]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 24);
    let parameters = [
        ("a", doubles, "xmm0, xmm1"),
        ("b", doubles, "xmm2, xmm3"),
        ("c", doubles, "xmm4, xmm5"),
        ("d", doubles, "xmm6, xmm7"),
        ("e", mixed, "[rsp+8]"),
        ("f", INT, "edi"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 16);
}

/// psABI 3.2.3, "Returning of Values", 2.: the address of a result in memory is "a hidden first argument".
#[test]
fn psabi_hidden_pointer() {
    let big = of(&[LONG, LONG, LONG]);
    let parameters = [
        ("a", INT, "esi"),
        ("b", DOUBLE, "xmm0"),
        ("c", of(&[LONG, LONG]), "rdx, rcx"),
        ("d", POINTER, "r8"),
        // MEMORY takes no register, and what follows it goes on where registers were left.
        ("e", big, "[rsp+8]"),
        ("f", POINTER, "r9"),
        ("g", POINTER, "[rsp+32]"),
    ];
    check(Abi::SysV64, parameters, (big, "memory rdi, rax"), 32);
}

/// psABI 3.2.3, "Passing", 3.: eight registers for vectors of any width, one for each; a pair that finds only one is in
/// memory, and leaves the one to what follows.
#[test]
fn psabi_vector_registers_run_out() {
    let parameters = [
        ("a", M512, "zmm0"),
        ("b", complex(DOUBLE), "xmm1, xmm2"),
        ("c", M256, "ymm3"),
        ("d", FLOAT128, "xmm4"),
        ("e", FLOAT16, "xmm5"),
        ("f", of(&[M128]), "xmm6"),
        ("g", complex(DOUBLE), "[rsp+8]"),
        ("h", complex(FLOAT), "xmm7"),
        ("i", FLOAT16, "[rsp+24]"),
        ("j", FLOAT128, "[rsp+40]"),
        ("k", M256, "[rsp+72]"),
        ("l", M512, "[rsp+136]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 192);
}

/// psABI 3.2.3: an `__int128` is not split between a register and memory, and what follows gets the register (clang
/// before 20 does not give it: LLVM issue 123935); "arguments of type __int128 that are stored in memory must be aligned
/// on a 16-byte boundary", those of two longs are not.
#[test]
fn psabi_int128_in_memory() {
    let longs = of(&[LONG, LONG]);
    let parameters = [
        ("a", longs, "rdi, rsi"),
        ("b", INT128, "rdx, rcx"),
        ("c", LONG, "r8"),
        ("d", INT128, "[rsp+8]"),
        ("e", CHAR, "r9b"),
        ("f", CHAR, "[rsp+24]"),
        ("g", longs, "[rsp+32]"),
        ("h", INT128, "[rsp+56]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 64);
}

/// psABI 3.2.3: "The size of each argument gets rounded up to eightbytes", and by "Passing", 1., an argument in memory
/// lies "at an address respecting the arguments alignment".
#[test]
fn psabi_stack_arguments() {
    let odd = of(&[array(CHAR, 17)]);
    let parameters = [("a", odd, "[rsp+8]"), ("b", odd, "[rsp+32]"), ("c", of(&[array(INT, 5)]), "[rsp+56]")];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 72);

    // A word, then something aligned to more, then a word.
    let bytes = array(CHAR, 17);
    let cases = [
        (LONG_DOUBLE, "[rsp+24]", "[rsp+40]"),
        (complex(LONG_DOUBLE), "[rsp+24]", "[rsp+56]"),
        (of(&[LONG_DOUBLE, CHAR]), "[rsp+24]", "[rsp+56]"),
        (of(&[INT128, CHAR]), "[rsp+24]", "[rsp+56]"),
        (of(&[M128, CHAR]), "[rsp+24]", "[rsp+56]"),
        (of(&[M256, CHAR]), "[rsp+40]", "[rsp+104]"),
        (aligned(8, &[bytes]), "[rsp+16]", "[rsp+40]"),
        (aligned(16, &[bytes]), "[rsp+24]", "[rsp+56]"),
        (aligned(32, &[bytes]), "[rsp+40]", "[rsp+72]"),
        (aligned(64, &[bytes]), "[rsp+72]", "[rsp+136]"),
        // Packed to less than a word, which is what every argument has.
        (packed(1, &[bytes]), "[rsp+16]", "[rsp+40]"),
        (packed(2, &[LONG_DOUBLE, SHORT]), "[rsp+16]", "[rsp+40]"),
        (packed(4, &[array(LONG, 3)]), "[rsp+16]", "[rsp+40]"),
    ];
    // The integer registers are taken.
    let full = ("", INT128);
    for (ty, expected, behind) in cases {
        let whole = layout(Abi::SysV64, false, [full, full, full, ("", LONG), ("it", ty), ("", LONG)], VOID);
        let places: Vec<String> =
            whole.parameters()[3..].iter().map(|parameter| short(Abi::SysV64, &parameter.place)).collect();
        assert_eq!(places, ["[rsp+8]", expected, behind], "{whole}");
    }
}

/// psABI 3.2.3: empty structs have NO_CLASS; such an argument takes neither a register nor stack.
#[test]
fn psabi_empty_structs() {
    let empty = of(&[]);
    let parameters =
        [("a", INT, "edi"), ("b", empty, NOTHING), ("c", INT, "esi"), ("d", of(&[LONG, LONG, LONG]), "[rsp+8]")];
    check(Abi::SysV64, parameters, (empty, NOTHING), 24);
}
