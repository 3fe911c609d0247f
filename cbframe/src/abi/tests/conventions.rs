//! Conventions as data: what clang 19 and Go 1.19 make of the same signatures, by the assembly that they write.

extern crate std;

use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

use super::{
    Abi, BOOL, CHAR, DOUBLE, FLOAT, FLOAT16, INT, INT128, LONG, LONG_DOUBLE, M128, M256, NOTHING, POINTER, SHORT, Type,
    VOID, aligned, array, check, complex, either, of, place, record,
};
use crate::abi::{Aggregates, CallingConvention, Convention, Hidden, Register};
use crate::conventions::{GoInternal, PreserveMost, PreserveNoneClang19, Regcall, Vectorcall};

const fn abi<C: CallingConvention>() -> Abi {
    Abi::Named(C::CONVENTION)
}

/// `clang-19 -O2 -S`: what `callee(long × 12, char)` reads; version 3 of regcall on System V.
#[test]
fn regcall() {
    check(
        abi::<Regcall>(),
        [
            ("a", LONG, "rax"),
            ("b", CHAR, "cl"),
            ("c", FLOAT, "xmm0"),
            ("d", POINTER, "rdx"),
            ("e", INT, "edi"),
            ("f", LONG, "rsi"),
            ("g", LONG, "r8"),
            ("h", SHORT, "r9w"),
            ("i", LONG, "r12"),
            ("j", LONG, "r13"),
            ("k", LONG, "r14"),
            ("l", BOOL, "r15b"),
            ("m", LONG, "[rsp+8]"),
            ("n", M128, "xmm1"),
            ("o", CHAR, "[rsp+16]"),
        ],
        (DOUBLE, "xmm0"),
        16,
    );
    let mut floats = [("", DOUBLE, ""); 17];
    let names: Vec<String> = (0..16).map(|i| std::format!("xmm{i}")).chain(["[rsp+8]".to_owned()]).collect();
    floats.iter_mut().zip(&names).for_each(|(float, name)| float.2 = name);
    check(abi::<Regcall>(), floats, (INT, "eax"), 8);
}

/// The same: a result in memory leaves rax as it was, and its address in rdi.
#[test]
fn preserve_most() {
    let big = of(&[LONG, LONG, LONG]);
    check(
        abi::<PreserveMost>(),
        [("a", LONG, "rsi"), ("b", of(&[DOUBLE, INT]), "xmm0, rdx"), ("c", big, "[rsp+8]")],
        (big, "memory rdi, rdi"),
        24,
    );
    check(abi::<PreserveMost>(), [("a", INT128, "rdi, rsi")], (LONG_DOUBLE, "st(0)"), 0);
}

/// `clang-19 -O2 -S`: `callee(long × 13, double)`.
#[test]
fn preserve_none() {
    check(
        abi::<PreserveNoneClang19>(),
        [
            ("a", LONG, "r12"),
            ("b", INT, "r13d"),
            ("c", LONG, "r14"),
            ("d", LONG, "r15"),
            ("e", POINTER, "rdi"),
            ("f", LONG, "rsi"),
            ("g", LONG, "rdx"),
            ("h", LONG, "rcx"),
            ("i", LONG, "r8"),
            ("j", LONG, "r9"),
            ("k", LONG, "r11"),
            ("l", LONG, "rax"),
            ("m", LONG, "[rsp+8]"),
            ("x", DOUBLE, "xmm0"),
        ],
        (LONG, "rax"),
        8,
    );
}

/// `clang-19 --target=x86_64-pc-windows-msvc-elf -O2 -S`, and Microsoft, "__vectorcall".
#[test]
fn vectorcall() {
    let (two, one) = (of(&[FLOAT, FLOAT]), of(&[DOUBLE]));
    let (four, five) = (of(&[DOUBLE; 4]), of(&[DOUBLE; 5]));
    let abi = abi::<Vectorcall>();
    // By position, floats on the stack from the seventh on.
    check(
        abi,
        [
            ("a", INT, "ecx"),
            ("b", FLOAT, "xmm1"),
            ("c", LONG, "r8"),
            ("d", DOUBLE, "xmm3"),
            ("e", INT, "[rsp+40]"),
            ("f", FLOAT, "xmm5"),
            ("g", DOUBLE, "[rsp+56]"),
            ("h", INT, "[rsp+64]"),
        ],
        (VOID, NOTHING),
        64,
    );
    // Aggregates after all others, in what is free, by reference if that is not enough.
    check(
        abi,
        [
            ("x", two, "xmm0, xmm1"),
            ("a", INT, "edx"),
            ("y", four, "address in r8"),
            ("f", FLOAT, "xmm3"),
            ("z", two, "xmm2, xmm4"),
        ],
        (four, "xmm0, xmm1, xmm2, xmm3"),
        40,
    );
    // A hidden pointer is a position; five elements are one too many.
    check(abi, [("a", DOUBLE, "xmm1"), ("b", INT, "r8d")], (five, "memory rcx, rax"), 32);
    check(
        abi,
        [
            ("a", INT, "ecx"),
            ("b", INT, "edx"),
            ("c", INT, "r8d"),
            ("d", INT, "r9d"),
            ("e", INT, "[rsp+40]"),
            ("f", M128, "xmm5"),
            ("g", M128, "address [rsp+56]"),
        ],
        (of(&[M128, M128]), "xmm0, xmm1"),
        56,
    );
    // What is homogeneous, and what is not.
    check(
        abi,
        [
            ("a", of(&[array(FLOAT, 3)]), "xmm0, xmm1, xmm2"),
            ("b", of(&[INT, FLOAT]), "rdx"),
            ("c", of(&[FLOAT, DOUBLE]), "address in r8"),
            ("d", of(&[two, two]), "address in r9"),
            ("e", one, "xmm3"),
        ],
        (of(&[CHAR]), "al"),
        40,
    );
}

/// `go tool compile -S` of Go 1.19, and "Go internal ABI specification".
#[test]
fn go() {
    let string = record("string", &[("ptr", POINTER), ("len", LONG)]);
    let slice = record("slice", &[("ptr", POINTER), ("len", LONG), ("cap", LONG)]);
    let abi = abi::<GoInternal>();
    // func Many(a int8, b float32, c string, d []byte, e uint16, f int64, g bool, h complex64, i int32, j struct{int64; float64})
    check(
        abi,
        [
            ("a", CHAR, "al"),
            ("b", FLOAT, "xmm0"),
            ("c", string, "rbx, rcx"),
            ("d", slice, "rdi, rsi, r8"),
            ("e", SHORT, "r9w"),
            ("f", LONG, "r10"),
            ("g", BOOL, "r11b"),
            ("h", complex(FLOAT), "xmm1, xmm2"),
            ("i", INT, "[rsp+8]"),
            ("j", of(&[LONG, DOUBLE]), "[rsp+16]"),
        ],
        (of(&[LONG, FLOAT, string]), "rax, xmm0, rbx, rcx"),
        24,
    );
    // func Stk(a struct{[2]int32}, b int16, c struct{[2]int32}, d int8, e struct{[3]int8}, f int64) int64
    let two = of(&[array(INT, 2)]);
    check(
        abi,
        [
            ("a", two, "[rsp+8]"),
            ("b", SHORT, "ax"),
            ("c", two, "[rsp+16]"),
            ("d", CHAR, "bl"),
            ("e", of(&[array(CHAR, 3)]), "[rsp+24]"),
            ("f", LONG, "rcx"),
        ],
        (LONG, "rax"),
        24,
    );
    // func Over(a, b, c, d, e, f, g, h int64, s string, i int64, t string, j int32, k int8, l int64) int64
    let mut parameters = [("", LONG, ""); 14];
    let places = [
        "rax", "rbx", "rcx", "rdi", "rsi", "r8", "r9", "r10", "[rsp+8]", "r11", "[rsp+24]", "[rsp+40]", "[rsp+44]",
        "[rsp+48]",
    ];
    parameters.iter_mut().zip(places).for_each(|(parameter, place)| parameter.2 = place);
    (parameters[8].1, parameters[10].1, parameters[11].1, parameters[12].1) = (string, string, INT, CHAR);
    check(abi, parameters, (LONG, "rax"), 48);
    // func Mx(m struct{int8; [1]float32; string}, e struct{}, p struct{int64; float64})
    let mixed = of(&[CHAR, array(FLOAT, 1), string]);
    check(
        abi,
        [("m", mixed, "al, xmm0, rbx, rcx"), ("e", of(&[]), NOTHING), ("p", of(&[LONG, DOUBLE]), "rdi, xmm1")],
        (mixed, "al, xmm0, rbx, rcx"),
        0,
    );
}

/// Types for which there are no rules.
#[test]
fn refused() {
    let refused = |abi: Abi, ty: Type, position| {
        let Abi::Named(convention) = abi else { unreachable!() };
        convention.refusal(&ty, position).is_some()
    };
    let argument = |abi, ty| refused(abi, ty, Some(0)) && refused(abi, ty, None);
    for ty in [INT128, LONG_DOUBLE, FLOAT16, M256, of(&[INT]), complex(FLOAT), either(&[INT, FLOAT])] {
        assert!(argument(abi::<Regcall>(), ty) && argument(abi::<PreserveNoneClang19>(), ty), "{}", ty.name);
    }
    for ty in
        [INT128, LONG_DOUBLE, FLOAT16, M256, complex(DOUBLE), either(&[INT, FLOAT]), of(&[of(&[LONG_DOUBLE])]), of(&[])]
    {
        assert!(argument(abi::<Vectorcall>(), ty), "{}", ty.name);
    }
    let aligned = aligned(64, &[CHAR]);
    for ty in [INT128, LONG_DOUBLE, M128, of(&[LONG; 5]), either(&[INT]), of(&[M128]), aligned, of(&[aligned, aligned])]
    {
        assert!(argument(abi::<GoInternal>(), ty), "{}", ty.name);
    }
    // No result in memory, an aggregate of floats up to the sixth position.
    assert!(refused(abi::<GoInternal>(), of(&[array(INT, 2)]), None));
    assert!(!refused(abi::<GoInternal>(), of(&[array(INT, 2)]), Some(0)));
    assert!(
        refused(abi::<Vectorcall>(), of(&[FLOAT]), Some(6)) && !refused(abi::<Vectorcall>(), of(&[FLOAT]), Some(5))
    );
    assert!(refused(abi::<PreserveMost>(), M256, None));
    assert!(
        refused(abi::<PreserveNoneClang19>(), SHORT, Some(3)) && !refused(abi::<PreserveNoneClang19>(), SHORT, None)
    );
}

#[test]
#[should_panic = "`Regcall` has no rule for `S`: it is no scalar"]
fn refused_by_place() {
    place(abi::<Regcall>(), [("a", of(&[INT]))], VOID);
}

const TWO: &[Register] = &[Register::Integer(3), Register::Integer(0)];
const FLOATS: &[Register] = &[Register::Vector(9), Register::Vector(2)];

/// By position, with home space; and eightbytes in registers of one's own, a hidden pointer that is no argument among them.
#[test]
fn data() {
    const POSITIONS: Convention =
        Convention { name: "p", ints: TWO, floats: FLOATS, by_position: true, home: 16, ..Convention::SCALARS };
    check(
        Abi::Named(&POSITIONS),
        [("a", FLOAT, "xmm9"), ("b", LONG, "rax"), ("c", DOUBLE, "[rsp+24]"), ("d", M128, "[rsp+40]")],
        (INT, "eax"),
        48,
    );
    const POPPED: Convention = Convention {
        name: "e",
        ints: TWO,
        floats: FLOATS,
        int_results: TWO,
        float_results: FLOATS,
        hidden: Some(Hidden { arrives: Register::R8, leaves: Register::RSI }),
        callee_pops: true,
        ..Convention::SYSV64
    };
    let big = of(&[LONG, LONG, LONG]);
    check(
        Abi::Named(&POPPED),
        [("a", of(&[LONG, DOUBLE]), "rbx, xmm9"), ("b", of(&[LONG, LONG]), "[rsp+8]"), ("c", LONG, "rax")],
        (big, "memory r8, rsi"),
        16,
    );
    check(Abi::Named(&POPPED), [("a", big, "[rsp+8]")], (of(&[LONG, LONG]), "rbx, rax"), 24);
    assert_eq!(place(Abi::Named(&POPPED), [("", big)], VOID).pops, 24);
    assert_eq!(place(Abi::SysV64, [("", big)], VOID).pops, 0);
}

macro_rules! senseless {
    ($($name:ident $message:literal { $($field:ident: $value:expr),* })*) => { $(
        #[test]
        #[should_panic = $message]
        fn $name() {
            Convention { name: "c", $($field: $value,)* ..Convention::SCALARS }.check();
        }
    )* };
}

senseless! {
    stack_pointer "carries no value" { ints: &[Register::Integer(4)] }
    twice "name a register twice" { ints: &[Register::RDI, Register::RDI] }
    wrong_bank "are general registers" { ints: FLOATS }
    x87 "are xmm0 to xmm15" { floats: &[Register::X87(0)] }
    preserved_x87 "neither a general register" { preserves: &[Register::X87(0)] }
    unaligned_home "no multiple of 8" { home: 4 }
    popped_home "belongs to the caller" { home: 8, callee_pops: true }
    late_hidden "or in none of them" { ints: TWO, hidden: Some(Hidden { arrives: TWO[1], leaves: Register::RAX }) }
    hidden_vector "no general register" { hidden: Some(Hidden { arrives: Register::RDI, leaves: FLOATS[0] }) }
    hidden_stack_pointer "stack pointer" { hidden: Some(Hidden { arrives: Register::Integer(4), leaves: Register::RAX }) }
    vectorcall_elsewhere "xmm0 to xmm5" { aggregates: Aggregates::Vectorcall, by_position: true }
    frame_pointer "rbp carries no value" { ints: &[Register::Integer(5)], stack_align: 8 }
}
