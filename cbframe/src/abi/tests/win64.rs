//! Windows x64.

use super::*;

const MEMORY: &str = "memory rcx, rax";

/// Compares, for each type, its place as the only argument and as the result; and the same for `MaybeUninit` of it.
#[track_caller]
fn check_alone(cases: &[(Type, &str, &str)]) {
    for &(ty, argument, result) in cases {
        for ty in [ty, maybe_uninit(ty)] {
            check(Abi::Win64, [("it", ty, argument)], (VOID, NOTHING), 32);
            check(Abi::Win64, [], (ty, result), 32);
        }
    }
}

/// Microsoft, "Parameter passing": "Example of argument passing" 1 to 4.
#[test]
fn microsoft_arguments() {
    let func1 = [
        ("a", INT, "ecx"),
        ("b", INT, "edx"),
        ("c", INT, "r8d"),
        ("d", INT, "r9d"),
        ("e", INT, "[rsp+40]"),
        ("f", INT, "[rsp+48]"),
    ];
    check(Abi::Win64, func1, (VOID, NOTHING), 48);
    let func2 = [
        ("a", FLOAT, "xmm0"),
        ("b", DOUBLE, "xmm1"),
        ("c", FLOAT, "xmm2"),
        ("d", DOUBLE, "xmm3"),
        ("e", FLOAT, "[rsp+40]"),
        ("f", FLOAT, "[rsp+48]"),
    ];
    check(Abi::Win64, func2, (VOID, NOTHING), 48);
    let func3 = [
        ("a", INT, "ecx"),
        ("b", DOUBLE, "xmm1"),
        ("c", INT, "r8d"),
        ("d", FLOAT, "xmm3"),
        ("e", INT, "[rsp+40]"),
        ("f", FLOAT, "[rsp+48]"),
    ];
    check(Abi::Win64, func3, (VOID, NOTHING), 48);
    // `__m64` has no descriptor: a struct of its size, which the page passes alike.
    let func4 = [
        ("a", of(&[INT, INT]), "rcx"),
        ("b", M128, "address in rdx"),
        ("c", of(&[DOUBLE, DOUBLE, INT]), "address in r8"),
        ("d", FLOAT, "xmm3"),
        ("e", M128, "address [rsp+40]"),
        ("f", M128, "address [rsp+48]"),
    ];
    check(Abi::Win64, func4, (VOID, NOTHING), 48);
}

/// Microsoft, "Return values": "Example of return value" 1 to 4.
#[test]
fn microsoft_results() {
    let func1 = [("a", INT, "ecx"), ("b", FLOAT, "xmm1"), ("c", INT, "r8d"), ("d", INT, "r9d"), ("e", INT, "[rsp+40]")];
    check(Abi::Win64, func1, (LONG, "rax"), 40);
    let m64 = of(&[INT, INT]);
    let func2 = [("a", FLOAT, "xmm0"), ("b", DOUBLE, "xmm1"), ("c", INT, "r8d"), ("d", m64, "r9")];
    check(Abi::Win64, func2, (M128, "xmm0"), 32);
    let struct1 = record("Struct1", &[("j", INT), ("k", INT), ("l", INT)]);
    let func3 = [("a", INT, "edx"), ("b", DOUBLE, "xmm2"), ("c", INT, "r9d"), ("d", FLOAT, "[rsp+40]")];
    check(Abi::Win64, func3, (struct1, "memory rcx, rax"), 40);
    let struct2 = record("Struct2", &[("j", INT), ("k", INT)]);
    let func4 = [("a", INT, "ecx"), ("b", DOUBLE, "xmm1"), ("c", INT, "r8d"), ("d", FLOAT, "xmm3")];
    check(Abi::Win64, func4, (struct2, "rax"), 32);
}

/// Microsoft, "Parameter passing": "Structs and unions of size 8, 16, 32, or 64 bits […] are passed as if they
/// were integers of the same size", others by address; "Return values" has the same sizes for results.
#[test]
fn microsoft_aggregates() {
    for size in 1..=17 {
        let ty = of(&[array(CHAR, size)]);
        let (argument, result) = match size {
            1 => ("cl", "al"),
            2 => ("cx", "ax"),
            4 => ("ecx", "eax"),
            8 => ("rcx", "rax"),
            _ => ("address in rcx", MEMORY),
        };
        check(Abi::Win64, [("it", ty, argument)], (VOID, NOTHING), 32);
        check(Abi::Win64, [], (ty, result), 32);
    }
    let cases = [
        // What a struct consists of does not count.
        (of(&[FLOAT]), "ecx", "eax"),
        (of(&[DOUBLE]), "rcx", "rax"),
        (of(&[FLOAT, FLOAT]), "rcx", "rax"),
        (of(&[of(&[array(FLOAT, 1)])]), "ecx", "eax"),
        (union("U", &[("a", DOUBLE), ("b", CHAR)]), "rcx", "rax"),
        (union("U", &[("a", array(CHAR, 3)), ("b", SHORT)]), "ecx", "eax"),
        (of(&[SHORT, CHAR]), "ecx", "eax"),
        (of(&[DOUBLE, DOUBLE]), "address in rcx", MEMORY),
        (of(&[LONG, LONG]), "address in rcx", MEMORY),
        (union("U", &[("a", array(FLOAT, 3)), ("b", INT)]), "address in rcx", MEMORY),
        // Scalars.
        (BOOL, "cl", "al"),
        (CHAR, "cl", "al"),
        (SHORT, "cx", "ax"),
        (ENUM, "ecx", "eax"),
        (LONG, "rcx", "rax"),
        (POINTER, "rcx", "rax"),
        (FLOAT, "xmm0", "xmm0"),
        (DOUBLE, "xmm0", "xmm0"),
    ];
    check_alone(&cases);
}

/// Microsoft, "Parameter passing": one position for each argument, 8 bytes each behind the fourth, which
/// follow the 32 bytes of home space.
#[test]
fn microsoft_positions() {
    let (big, odd) = (of(&[LONG, LONG, LONG]), of(&[array(CHAR, 5)]));
    let parameters = [
        ("a", odd, "address in rdx"),
        ("b", FLOAT, "xmm2"),
        ("c", BOOL, "r9b"),
        ("d", CHAR, "[rsp+40]"),
        ("e", big, "address [rsp+48]"),
        ("f", of(&[FLOAT, FLOAT]), "[rsp+56]"),
        ("g", DOUBLE, "[rsp+64]"),
    ];
    check(Abi::Win64, parameters, (big, "memory rcx, rax"), 64);
    check(Abi::Win64, [], (VOID, NOTHING), 32);
}

/// Not Microsoft's, whose C gives an empty struct four bytes, but of gcc, clang and rustc: the address of a
/// zero-sized argument takes a position. As a result it is nothing for gcc and rustc.
#[test]
fn windows_empty_structs() {
    let empty = of(&[]);
    let parameters = [
        ("a", INT, "ecx"),
        ("b", empty, "address in rdx"),
        ("c", DOUBLE, "xmm2"),
        ("d", INT, "r9d"),
        ("e", empty, "address [rsp+40]"),
        ("f", INT, "[rsp+48]"),
    ];
    check(Abi::Win64, parameters, (empty, NOTHING), 48);
}

/// What compilers agree on, or most of them, about types that Microsoft's has not: the table in `win64.rs`.
#[test]
fn windows_wide_scalars() {
    let address = "address in rcx";
    check_alone(&[
        (INT128, address, "xmm0"),
        (M128, address, "xmm0"),
        (M256, address, "ymm0"),
        (M512, address, "zmm0"),
        (LONG_DOUBLE, address, MEMORY),
        (FLOAT16, "xmm0", "xmm0"),
        (FLOAT128, address, MEMORY),
        (complex(FLOAT16), "ecx", "eax"),
        (complex(FLOAT), "rcx", "rax"),
        (complex(DOUBLE), address, MEMORY),
        (complex(LONG_DOUBLE), address, MEMORY),
        (complex(FLOAT128), address, MEMORY),
        // In a struct or a union the size alone counts.
        (of(&[INT128]), address, MEMORY),
        (of(&[M128]), address, MEMORY),
        (of(&[M256]), address, MEMORY),
        (either(&[M128, INT]), address, MEMORY),
        (of(&[LONG_DOUBLE]), address, MEMORY),
        (of(&[FLOAT16]), "cx", "ax"),
        (of(&[FLOAT16, FLOAT16]), "ecx", "eax"),
        (of(&[array(FLOAT16, 3)]), address, MEMORY),
        (of(&[FLOAT128]), address, MEMORY),
        (of(&[complex(FLOAT)]), "rcx", "rax"),
        (packed(1, &[CHAR, SHORT]), address, MEMORY),
        (packed(2, &[SHORT, INT, SHORT]), "rcx", "rax"),
        (aligned(4, &[CHAR]), "ecx", "eax"),
        (aligned(16, &[CHAR]), address, MEMORY),
    ]);
}

/// Each of them takes one position.
#[test]
fn windows_wide_positions() {
    let parameters = [
        ("a", M256, "address in rcx"),
        ("b", FLOAT16, "xmm1"),
        ("c", INT128, "address in r8"),
        ("d", complex(FLOAT), "r9"),
        ("e", LONG_DOUBLE, "address [rsp+40]"),
        ("f", FLOAT16, "[rsp+48]"),
        ("g", M512, "address [rsp+56]"),
        ("h", aligned(64, &[INT]), "address [rsp+64]"),
        ("i", complex(FLOAT16), "[rsp+72]"),
        ("j", DOUBLE, "[rsp+80]"),
    ];
    check(Abi::Win64, parameters, (M512, "zmm0"), 80);
    check(Abi::Win64, [("a", FLOAT16, "xmm1"), ("b", INT, "r8d")], (complex(DOUBLE), MEMORY), 32);
    check(Abi::Win64, [("a", INT, "ecx"), ("b", INT, "edx")], (INT128, "xmm0"), 32);
}
