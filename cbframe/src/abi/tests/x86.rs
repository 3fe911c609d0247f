//! 32-bit x86. "psABI" is the "System V Application Binary Interface, Intel386 Architecture Processor Supplement", version 1.1,
//! section 2.2; the rest is GCC's documentation of its attributes, and Microsoft's pages.

use super::super::X86Call::{self, *};
use super::*;

const POINTER: Type = Type { size: 4, align: 4, ..super::POINTER };
const DOUBLE: Type = Type { align: 4, ..super::DOUBLE };
const LONG: Type = Type { align: 4, ..super::LONG };
const LONG_DOUBLE: Type = Type { size: 12, align: 4, ..super::LONG_DOUBLE };

const fn linux(call: X86Call) -> Abi {
    Abi::X86 { call, windows: false }
}

const fn windows(call: X86Call) -> Abi {
    Abi::X86 { call, windows: true }
}

/// The bytes that the return of a signature pops.
fn pops<const N: usize>(abi: Abi, parameters: [Type; N], result: Type) -> u32 {
    layout(abi, false, parameters.map(|ty| ("", ty)), result).pops()
}

/// psABI, table 2.4 "Stack Layout at Function Entry", and "Parameter Passing": words of four bytes; "up to three" vectors in
/// registers; the alignment of vectors and `__float128`.
#[test]
fn cdecl_arguments() {
    let parameters = [
        ("a", CHAR, "[esp+4]"),
        ("b", DOUBLE, "[esp+8]"),
        ("c", LONG_DOUBLE, "[esp+16]"),
        ("d", of(&[CHAR, CHAR, CHAR]), "[esp+28]"),
        ("e", FLOAT16, "[esp+32]"),
        ("f", M128, "xmm0"),
        ("g", of(&[]), NOTHING),
        ("h", M128, "xmm1"),
        ("i", M128, "xmm2"),
        ("j", M128, "[esp+36]"),
        ("k", aligned(16, &[INT]), "[esp+52]"),
        ("l", INT, "[esp+68]"),
        ("m", of(&[M128]), "[esp+84]"),
        ("n", INT, "[esp+100]"),
        ("o", FLOAT128, "[esp+116]"),
    ];
    check(linux(Cdecl), parameters, (VOID, NOTHING), 128);
    assert_eq!(pops(linux(Cdecl), [INT, INT], VOID), 0);
}

/// psABI, table 2.5 "Register Usage": results, and "Functions Returning Structures or Unions": "the called function must remove this
/// address from the stack before returning". On Windows, the caller does.
#[test]
fn cdecl_results() {
    let in_memory = "memory [esp+4], eax";
    for (ty, on_linux, on_windows) in [
        (BOOL, "al", "al"),
        (POINTER, "eax", "eax"),
        (LONG, "eax, edx", "eax, edx"),
        (FLOAT, "st(0)", "st(0)"),
        (DOUBLE, "st(0)", "st(0)"),
        (LONG_DOUBLE, "st(0)", "st(0)"),
        (complex(FLOAT), "eax, edx", "eax, edx"),
        (complex(DOUBLE), in_memory, in_memory),
        (of(&[INT]), in_memory, "eax"),
        (of(&[CHAR, CHAR]), in_memory, "ax"),
        (of(&[INT, FLOAT]), in_memory, "eax, edx"),
        (of(&[CHAR, CHAR, CHAR]), in_memory, in_memory),
        (either(&[LONG, INT]), in_memory, "eax, edx"),
        (of(&[INT, INT, INT]), in_memory, in_memory),
    ] {
        for (abi, expected) in [(linux(Cdecl), on_linux), (windows(Cdecl), on_windows)] {
            let is_in_memory = expected == in_memory;
            let first = if is_in_memory { "[esp+8]" } else { "[esp+4]" };
            check(abi, [("a", INT, first)], (ty, expected), if is_in_memory { 8 } else { 4 });
            assert_eq!(pops(abi, [INT], ty), if is_in_memory && abi == linux(Cdecl) { 4 } else { 0 }, "{ty:?}");
        }
    }
    check(linux(Cdecl), [], (M128, "xmm0"), 0);
    check(linux(Cdecl), [], (FLOAT16, "xmm0"), 0);
    check(linux(Cdecl), [], (of(&[M128]), "memory [esp+4], eax"), 4);
}

/// Microsoft, `__stdcall`: "The callee cleans the stack".
#[test]
fn stdcall_pops() {
    let big = of(&[INT, INT, INT]);
    for abi in [linux(Stdcall), windows(Stdcall)] {
        check(abi, [("a", INT, "[esp+4]"), ("b", DOUBLE, "[esp+8]")], (INT, "eax"), 12);
        assert_eq!(pops(abi, [INT, DOUBLE], INT), 12);
        assert_eq!(pops(abi, [CHAR, of(&[SHORT])], VOID), 8);
        assert_eq!(pops(abi, [INT], big), 8);
    }
}

/// Microsoft, `__fastcall`: "The first two DWORD or smaller arguments that are found in the argument list from left to right are
/// passed in ECX and EDX registers". GCC has others use registers up.
#[test]
fn fastcall() {
    for abi in [linux(Fastcall), windows(Fastcall)] {
        let parameters = [("a", CHAR, "cl"), ("b", FLOAT, "[esp+4]"), ("c", POINTER, "edx"), ("d", INT, "[esp+8]")];
        check(abi, parameters, (INT, "eax"), 8);
        assert_eq!(pops(abi, [CHAR, FLOAT, POINTER, INT], INT), 8);
    }
    let parameters = [("a", LONG, "[esp+4]"), ("b", INT, "[esp+12]")];
    check(linux(Fastcall), parameters, (VOID, NOTHING), 12);
    let parameters = [("a", of(&[SHORT]), "[esp+4]"), ("b", INT, "edx"), ("c", INT, "[esp+8]")];
    check(linux(Fastcall), parameters, (VOID, NOTHING), 8);
    let parameters = [("a", of(&[FLOAT]), "[esp+4]"), ("b", INT, "ecx"), ("c", INT, "edx")];
    check(linux(Fastcall), parameters, (VOID, NOTHING), 4);
    let big = of(&[INT, INT, INT]);
    check(linux(Fastcall), [("a", INT, "edx"), ("b", INT, "[esp+4]")], (big, "memory ecx, eax"), 4);
    assert_eq!(pops(linux(Fastcall), [INT, INT], big), 4);
}

/// Microsoft, `__thiscall`: "the `this` pointer … is passed in ECX".
#[test]
fn thiscall() {
    for abi in [linux(Thiscall), windows(Thiscall)] {
        check(abi, [("this", POINTER, "ecx"), ("b", LONG, "[esp+4]"), ("c", INT, "[esp+12]")], (VOID, NOTHING), 12);
        assert_eq!(pops(abi, [POINTER, LONG, INT], VOID), 12);
    }
}

/// GCC, `regparm`: "pass arguments number one to number if they are of integral type in registers EAX, EDX, and ECX".
#[test]
fn regparm() {
    let pair = of(&[INT, INT]);
    let parameters = [("a", INT, "eax"), ("b", LONG, "edx, ecx"), ("c", INT, "[esp+4]")];
    check(linux(Regparm3), parameters, (INT, "eax"), 4);
    let parameters = [("a", pair, "eax, edx"), ("b", DOUBLE, "[esp+4]"), ("c", CHAR, "cl")];
    check(linux(Regparm3), parameters, (VOID, NOTHING), 8);
    // What does not fit leaves no register to others.
    let parameters = [("a", INT, "eax"), ("b", pair, "[esp+4]"), ("c", INT, "[esp+12]")];
    check(linux(Regparm2), parameters, (VOID, NOTHING), 12);
    check(linux(Regparm1), [("a", INT, "eax"), ("b", INT, "[esp+4]")], (VOID, NOTHING), 4);
    // Floats, structs of one and complex numbers use up none, unions do.
    let parameters = [("a", of(&[FLOAT]), "[esp+4]"), ("b", complex(FLOAT), "[esp+8]"), ("c", either(&[FLOAT]), "eax")];
    check(linux(Regparm3), parameters, (VOID, NOTHING), 12);
    let big = of(&[INT, INT, INT]);
    for abi in [linux(Regparm3), windows(Regparm3)] {
        check(abi, [("a", INT, "edx")], (big, "memory eax, eax"), 0);
        assert_eq!(pops(abi, [INT; 5], big), 0);
    }
}

/// Variadic functions are cdecl, with nothing in registers.
#[test]
#[cfg(feature = "alloc")]
fn variadic() {
    use super::super::Signature;

    for abi in [linux(Cdecl), linux(Stdcall), windows(Stdcall)] {
        let signature = Signature::new(abi).param(POINTER).param(INT).dots().param(DOUBLE).build().unwrap();
        assert_eq!((signature.layout().stack_size(), signature.pops()), (16, 0), "{signature}");
    }
    let signature = Signature::new(linux(Cdecl)).param(M128).dots().build().unwrap();
    assert_eq!(short(linux(Cdecl), &signature.layout().parameters()[0].place), "[esp+4]");
    for call in [Fastcall, Thiscall, Regparm3] {
        let error = Signature::new(linux(call)).param(INT).dots().build().unwrap_err();
        assert!(error.to_string().ends_with("has no variadic functions"), "{error}");
    }
}

/// What compilers for Windows do differently.
#[test]
#[cfg(feature = "alloc")]
fn refused() {
    use super::super::Signature;

    let parameter = |call, ty| Signature::new(windows(call)).param(ty).build().map_err(|error| error.to_string());
    let result = |call, ty| Signature::new(windows(call)).ret(ty).build().map_err(|error| error.to_string());
    let mut texts = Vec::new();
    for (refused, text) in [
        (result(Cdecl, of(&[FLOAT])), "a struct of one float"),
        (result(Cdecl, either(&[of(&[array(DOUBLE, 1)]), of(&[])])), "a struct of one float"),
        (result(Cdecl, of(&[array(CHAR, 3), CHAR])), "of an odd size"),
        (result(Fastcall, of(&[INT, INT, INT])), "returned in memory"),
        (parameter(Cdecl, M128), "by reference"),
        (parameter(Cdecl, aligned(8, &[INT])), "by reference"),
        (parameter(Cdecl, of(&[aligned(8, &[INT])])), "by reference"),
        (parameter(Cdecl, of(&[])), "an empty struct"),
        (parameter(Thiscall, DOUBLE), "the first parameter of thiscall"),
        (parameter(Fastcall, LONG), "neither a word nor a float"),
        (parameter(Cdecl, INT128), "an integer of 128 bits"),
        (parameter(Cdecl, M256), "a vector of this size"),
    ] {
        let error = refused.unwrap_err();
        assert!(error.contains(text), "{error}");
        texts.push(error);
    }
    assert!(result(Cdecl, of(&[FLOAT, FLOAT])).is_ok() && parameter(Cdecl, of(&[super::DOUBLE])).is_ok());
    assert!(result(Fastcall, VOID).is_ok());
}
