//! Placement as data: each case names the section of the document that it comes from.
//!
//! "psABI" is the "System V Application Binary Interface, AMD64 Architecture Processor Supplement", version 1.0;
//! "Microsoft" is the page "x64 calling convention". Places are written as `Display` prints them: the name of a
//! register says how many bytes of the value it holds, and `[rsp+8]` is where stack arguments begin.

extern crate std;

use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Abi, Cursor, Layout, Place, Register, place, sysv64};
use crate::types::{Field, Kind, Type, round_up};

const fn scalar(name: &'static str, size: usize, kind: Kind) -> Type {
    Type { name, size, align: if size == 0 { 1 } else { size }, kind }
}

pub(super) const VOID: Type = scalar("()", 0, Kind::Void);
const BOOL: Type = scalar("bool", 1, Kind::Bool);
pub(super) const CHAR: Type = scalar("i8", 1, Kind::Int { signed: true });
const SHORT: Type = scalar("i16", 2, Kind::Int { signed: true });
pub(super) const INT: Type = scalar("i32", 4, Kind::Int { signed: true });
const LONG: Type = scalar("i64", 8, Kind::Int { signed: true });
const ENUM: Type = scalar("Mode", 4, Kind::Enum { signed: false, values: &[0, 1] });
pub(super) const FLOAT: Type = scalar("f32", 4, Kind::Float);
pub(super) const DOUBLE: Type = scalar("f64", 8, Kind::Float);
pub(super) const POINTER: Type = super::POINTER;

/// A struct whose fields lie where C puts them.
pub(super) fn record(name: &'static str, fields: &[(&'static str, Type)]) -> Type {
    let (mut end, mut align) = (0, 1);
    let fields: Vec<Field> = fields
        .iter()
        .map(|&(name, ty)| {
            let offset = round_up(end, ty.align);
            (end, align) = (offset + ty.size, align.max(ty.align));
            Field { name, offset, ty }
        })
        .collect();
    Type { name, size: round_up(end, align), align, kind: Kind::Struct { fields: Box::leak(fields.into()) } }
}

/// A struct with the fields `a`, `b`, `c` and so on.
fn of(fields: &[Type]) -> Type {
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    record("S", &NAMES.into_iter().zip(fields.iter().copied()).collect::<Vec<_>>())
}

pub(super) fn union(name: &'static str, members: &[(&'static str, Type)]) -> Type {
    let size = members.iter().map(|(_, ty)| ty.size).max().unwrap_or(0);
    let align = members.iter().map(|(_, ty)| ty.align).max().unwrap_or(1);
    let fields: Vec<Field> = members.iter().map(|&(name, ty)| Field { name, offset: 0, ty }).collect();
    Type { name, size: round_up(size, align), align, kind: Kind::Union { fields: Box::leak(fields.into()) } }
}

pub(super) fn array(element: Type, len: usize) -> Type {
    let kind = Kind::Array { element: Box::leak(Box::new(element)), len };
    Type { name: "array", size: element.size * len, align: element.align, kind }
}

pub(super) fn layout<const N: usize>(
    abi: Abi,
    unwind: bool,
    parameters: [(&'static str, Type); N],
    result: Type,
) -> Layout {
    Box::leak(Box::new(place(abi, parameters, result))).layout(abi, unwind)
}

/// Compares each place with the text behind the type. `stack` is the size of the stack arguments in bytes.
#[track_caller]
fn check<const N: usize>(abi: Abi, parameters: [(&'static str, Type, &str); N], result: (Type, &str), stack: usize) {
    let whole = layout(abi, false, parameters.map(|(name, ty, _)| (name, ty)), result.0);
    for ((name, _, expected), found) in parameters.iter().zip(whole.parameters()) {
        assert_eq!(short(&found.place), *expected, "parameter `{name}` of\n{whole}");
    }
    assert_eq!(short(&whole.result().place), result.1, "the result of\n{whole}");
    assert_eq!(whole.stack_size(), stack, "the stack arguments of\n{whole}");
}

/// `Display` with less around it, so that tables of expectations are easy to read.
fn short(place: &Place) -> String {
    let text = place.to_string();
    let text = text.replace(" at entry", "").replace("stack, ", "").replace("on the ", "");
    let text = text.replace("by reference; its address is ", "address ");
    text.replace("in memory; its address arrives in ", "memory ").replace(" and leaves in ", ", ")
}

const NOTHING: &str = "nothing (no bytes)";

/// psABI 3.2.3, figures 3.5 and 3.6: the example of the document, without `ld`, `y` and `z`, whose types (`long
/// double`, `__m256`, `__m512`) have no descriptor yet. So `n` gets the next register after `m`, and `j` and `k`
/// lie 16 bytes lower. The figure's offsets are those before the call; at entry the return address is below.
#[test]
fn psabi_figure_3_6() {
    let structparm = record("structparm", &[("a", INT), ("b", INT), ("d", DOUBLE)]);
    let parameters = [
        ("e", INT, "edi"),
        ("f", INT, "esi"),
        ("s", structparm, "rdx, xmm0"),
        ("g", INT, "ecx"),
        ("h", INT, "r8d"),
        ("m", DOUBLE, "xmm1"),
        ("n", DOUBLE, "xmm2"),
        ("i", INT, "r9d"),
        ("j", INT, "[rsp+8]"),
        ("k", INT, "[rsp+16]"),
    ];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 16);
}

/// psABI 3.2.3, "Classification", one value at a time: its type, its place as the only argument, as the result.
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
    for (ty, argument, result) in cases {
        let stack = if argument == "[rsp+8]" { round_up(ty.size, 8) } else { 0 };
        check(Abi::SysV64, [("it", ty, argument)], (VOID, NOTHING), stack);
        check(Abi::SysV64, [], (ty, result), 0);
    }
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

/// psABI 3.2.3: "The size of each argument gets rounded up to eightbytes", and by "Passing", 1., an argument in
/// memory lies "at an address respecting the arguments alignment".
#[test]
fn psabi_stack_arguments() {
    let odd = of(&[array(CHAR, 17)]);
    let parameters = [("a", odd, "[rsp+8]"), ("b", odd, "[rsp+32]"), ("c", of(&[array(INT, 5)]), "[rsp+56]")];
    check(Abi::SysV64, parameters, (VOID, NOTHING), 72);

    // The alignments of C types that have a descriptor are 8 at most, so these go past `place`, which checks.
    let aligned = |align| Type { size: align, align, ..of(&[INT]) };
    let cases = [
        // Integer registers and stack given out before, type, place, stack behind.
        (5, 0, aligned(16), "r9", 0), // The second eightbyte is padding, NO_CLASS: one register.
        (6, 0, aligned(16), "[rsp+8]", 16),
        (6, 8, aligned(16), "[rsp+24]", 32),
        (6, 24, aligned(16), "[rsp+40]", 48),
        (0, 8, aligned(32), "[rsp+40]", 64),
        (0, 72, aligned(64), "[rsp+136]", 192),
    ];
    for (integers, stack, ty, expected, behind) in cases {
        let (cursor, place) = sysv64::next(Cursor { integers, vectors: 0, stack }, &ty);
        assert_eq!((short(&place), cursor.stack), (expected.into(), behind));
    }
}

/// psABI 3.2.3, "Classification", 1.: an object that "contains unaligned fields" has class MEMORY.
#[test]
fn psabi_unaligned_fields() {
    let fields = &[Field { name: "a", offset: 0, ty: CHAR }, Field { name: "b", offset: 1, ty: INT }];
    let packed = Type { name: "Packed", size: 5, align: 1, kind: Kind::Struct { fields } };
    let (cursor, place) = sysv64::next(sysv64::start(&VOID).0, &packed);
    assert_eq!((short(&place), cursor.integers, cursor.stack), ("[rsp+8]".into(), 0, 8));
    assert_eq!(short(&sysv64::start(&packed).1), "memory rdi, rax");
}

/// psABI 3.2.3: empty structs have NO_CLASS; such an argument takes neither a register nor stack.
#[test]
fn psabi_empty_structs() {
    let empty = of(&[]);
    let parameters =
        [("a", INT, "edi"), ("b", empty, NOTHING), ("c", INT, "esi"), ("d", of(&[LONG, LONG, LONG]), "[rsp+8]")];
    check(Abi::SysV64, parameters, (empty, NOTHING), 24);
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
    // `__m64` and `__m128` have no descriptor yet: structs of their sizes, which the page passes alike.
    let (m64, m128) = (of(&[INT, INT]), of(&[LONG, LONG]));
    let func4 = [
        ("a", m64, "rcx"),
        ("b", m128, "address in rdx"),
        ("c", of(&[DOUBLE, DOUBLE, INT]), "address in r8"),
        ("d", FLOAT, "xmm3"),
        ("e", m128, "address [rsp+40]"),
        ("f", m128, "address [rsp+48]"),
    ];
    check(Abi::Win64, func4, (VOID, NOTHING), 48);
}

/// Microsoft, "Return values": "Example of return value" 1, 3 and 4; 2 is about `__m128`, which has no
/// descriptor yet.
#[test]
fn microsoft_results() {
    let func1 = [("a", INT, "ecx"), ("b", FLOAT, "xmm1"), ("c", INT, "r8d"), ("d", INT, "r9d"), ("e", INT, "[rsp+40]")];
    check(Abi::Win64, func1, (LONG, "rax"), 40);
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
    let memory = "memory rcx, rax";
    for size in 1..=17 {
        let ty = of(&[array(CHAR, size)]);
        let (argument, result) = match size {
            1 => ("cl", "al"),
            2 => ("cx", "ax"),
            4 => ("ecx", "eax"),
            8 => ("rcx", "rax"),
            _ => ("address in rcx", memory),
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
        (of(&[DOUBLE, DOUBLE]), "address in rcx", memory),
        (of(&[LONG, LONG]), "address in rcx", memory),
        (union("U", &[("a", array(FLOAT, 3)), ("b", INT)]), "address in rcx", memory),
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
    for (ty, argument, result) in cases {
        check(Abi::Win64, [("it", ty, argument)], (VOID, NOTHING), 32);
        check(Abi::Win64, [], (ty, result), 32);
    }
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

/// The register that the state of a callback can travel in: the one that one pointer more would get.
#[test]
fn next_register() {
    let big = of(&[LONG, LONG, LONG]);
    assert_eq!(place(Abi::SysV64, [], VOID).next, Some(Register::RDI));
    assert_eq!(place(Abi::SysV64, [("a", big)], big).next, Some(Register::RSI));
    assert_eq!(place(Abi::SysV64, [("", LONG); 5], VOID).next, Some(Register::R9));
    assert_eq!(place(Abi::SysV64, [("", LONG); 6], VOID).next, None);
    assert_eq!(place(Abi::SysV64, [("", DOUBLE); 9], VOID).next, Some(Register::RDI));
    assert_eq!(place(Abi::Win64, [], VOID).next, Some(Register::RCX));
    assert_eq!(place(Abi::Win64, [("", DOUBLE); 3], VOID).next, Some(Register::R9));
    assert_eq!(place(Abi::Win64, [("", DOUBLE); 3], big).next, None);
    assert_eq!(place(Abi::Win64, [("", FLOAT); 4], VOID).next, None);
}

/// Everything above also works in constants, which is where `#[cbframe]` calls it.
const _: () = {
    let placed = place(Abi::SysV64, [("a", INT), ("b", DOUBLE)], LONG);
    assert!(matches!(placed.parameters[1].place, Place::Registers(parts) if parts.as_slice().len() == 1));
    assert!(placed.stack == 0);
    let placed = place(Abi::Win64, [("", INT); 5], VOID);
    assert!(matches!(placed.parameters[4].place, Place::Stack(32)));
};

#[test]
#[should_panic = "a parameter of type `()`"]
fn void_parameter() {
    place(Abi::SysV64, [("a", VOID)], VOID);
}

#[test]
#[should_panic = "an array as a parameter"]
fn array_parameter() {
    place(Abi::Win64, [("a", array(INT, 2))], VOID);
}

#[test]
#[should_panic = "an array as a result"]
fn array_result() {
    place(Abi::SysV64, [], array(INT, 2));
}
