//! Placement as data: each case names the section of the document that it comes from.
//!
//! "psABI" is the "System V Application Binary Interface, AMD64 Architecture Processor Supplement", version 1.0;
//! "Microsoft" is the page "x64 calling convention". Places are written as `Display` prints them: the name of a
//! register says how many bytes of the value it holds, and `[rsp+8]` is where stack arguments begin.
//!
//! What compilers do with the same kinds of types is asked by `tests/tests/placement_oracle` and `foreign_oracle`.

extern crate std;

mod aapcs32;
mod aapcs64;
mod conventions;
mod riscv64;
mod sysv64;
mod win64;
mod x86;

use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Abi, Layout, Parameter, Place, Register, Target, place, place_each};
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
pub(super) const POINTER: Type = Target::X86_64Unix.data_model().pointer;
const INT128: Type = scalar("i128", 16, Kind::Int { signed: true });
const FLOAT16: Type = scalar("Float16", 2, Kind::Float);
const FLOAT128: Type = scalar("Float128", 16, Kind::Float);
const LONG_DOUBLE: Type = scalar("LongDouble", 16, Kind::X87);
const M128: Type = scalar("__m128", 16, Kind::Vector);
const M256: Type = scalar("__m256", 32, Kind::Vector);
const M512: Type = scalar("__m512", 64, Kind::Vector);

/// `_Complex`.
fn complex(element: Type) -> Type {
    let kind = Kind::Complex { element: Box::leak(Box::new(element)) };
    Type { name: "complex", size: 2 * element.size, align: element.align, kind }
}

fn maybe_uninit(of: Type) -> Type {
    Type { kind: Kind::MaybeUninit { of: Box::leak(Box::new(of)) }, ..of }
}

/// A struct whose fields lie where C puts them.
pub(super) fn record(name: &'static str, fields: &[(&'static str, Type)]) -> Type {
    laid_out(name, fields, usize::MAX, 1)
}

/// A struct whose fields lie where C puts them, if their alignment counts as `most` at most and that of the whole is
/// `least` at least.
fn laid_out(name: &'static str, fields: &[(&'static str, Type)], most: usize, least: usize) -> Type {
    let (mut end, mut align) = (0, least);
    let fields: Vec<Field> = fields
        .iter()
        .map(|&(name, ty)| {
            let offset = round_up(end, ty.align.min(most));
            (end, align) = (offset + ty.size, align.max(ty.align.min(most)));
            Field { name, offset, ty }
        })
        .collect();
    Type { name, size: round_up(end, align), align, kind: Kind::Struct { fields: Box::leak(fields.into()) } }
}

/// Fields called `a`, `b`, `c` and so on.
fn named(fields: &[Type]) -> Vec<(&'static str, Type)> {
    ["a", "b", "c", "d", "e", "f"].into_iter().zip(fields.iter().copied()).collect()
}

/// A struct with the fields `a`, `b`, `c` and so on.
fn of(fields: &[Type]) -> Type {
    record("S", &named(fields))
}

/// The same with `#pragma pack(most)`.
fn packed(most: usize, fields: &[Type]) -> Type {
    laid_out("Packed", &named(fields), most, 1)
}

/// The same with `__attribute__((aligned(least)))`.
fn aligned(least: usize, fields: &[Type]) -> Type {
    laid_out("Aligned", &named(fields), usize::MAX, least)
}

/// A union of members called `a`, `b` and so on.
fn either(members: &[Type]) -> Type {
    union("U", &named(members))
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
) -> Layout<'static> {
    Box::leak(Box::new(place(abi, parameters, result))).layout(abi, unwind)
}

/// Compares each place with the text behind the type. `stack` is the size of the stack arguments in bytes.
#[track_caller]
fn check<const N: usize>(abi: Abi, parameters: [(&'static str, Type, &str); N], result: (Type, &str), stack: usize) {
    let whole = layout(abi, false, parameters.map(|(name, ty, _)| (name, ty)), result.0);
    for ((name, _, expected), found) in parameters.iter().zip(whole.parameters()) {
        assert_eq!(short(abi, &found.place), *expected, "parameter `{name}` of\n{whole}");
    }
    assert_eq!(short(abi, &whole.result().place), result.1, "the result of\n{whole}");
    assert_eq!(whole.stack_size(), stack, "the stack arguments of\n{whole}");
}

/// `Display` with less around it, so that tables of expectations are easy to read.
fn short(abi: Abi, place: &Place) -> String {
    let text = place.on(abi.architecture()).to_string();
    let text = text.replace(" at entry", "").replace("stack, ", "").replace("on the ", "");
    let text = text
        .replace("by reference; its address is ", "address ")
        .replace("its address arrives in ", "its address arrives ");
    text.replace("in memory; its address arrives ", "memory ").replace(" and leaves in ", ", ")
}

const NOTHING: &str = "nothing (no bytes)";

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

/// The names of wide registers, and the parts of complex numbers.
#[test]
fn display_of_wide_registers() {
    let long_complex = complex(LONG_DOUBLE);
    let parameters = [
        ("x", M256),
        ("y", of(&[M512])),
        ("z", complex(FLOAT)),
        ("w", complex(DOUBLE)),
        ("s", of(&[complex(FLOAT), complex(FLOAT)])),
    ];
    let table = layout(Abi::SysV64, false, parameters, long_complex).to_string();
    let lines: Vec<String> = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "return complex 32 B st(0) (re), st(1) (im)",
        "x __m256 32 B ymm0",
        "y S 64 B zmm1 (a)",
        "z complex 8 B xmm2 (re, im)",
        "w complex 16 B xmm3 (re), xmm4 (im)",
        "s S 16 B xmm5 (a), xmm6 (b)",
    ];
    assert_eq!(lines[1..], expected, "{table}");
}

/// Layouts with the same places are interchangeable, whatever the types are called; others are not.
#[test]
fn fits_by_place() {
    let result = |ty| layout(Abi::SysV64, false, [], ty);
    assert!(result(LONG_DOUBLE).fits(&result(of(&[LONG_DOUBLE]))));
    assert!(!result(LONG_DOUBLE).fits(&result(complex(LONG_DOUBLE))));
    assert!(!result(LONG_DOUBLE).fits(&result(FLOAT128)));
    assert!(result(FLOAT128).fits(&result(M128)));
    assert!(!result(M128).fits(&result(of(&[DOUBLE, DOUBLE]))));
    assert!(!result(M256).fits(&result(M512)));
    assert!(result(INT128).fits(&result(of(&[LONG, LONG]))));
    let argument = |ty| layout(Abi::SysV64, false, [("", ty)], VOID);
    assert!(argument(maybe_uninit(M256)).fits(&argument(M256)));
    assert!(!argument(M256).fits(&argument(of(&[M128, M128]))));
    assert!(argument(maybe_uninit(BOOL)).fits(&argument(BOOL)) && !argument(maybe_uninit(BOOL)).fits(&argument(CHAR)));
}

/// Everything above also works in constants, which is where `#[cbframe]` calls it.
const _: () = {
    let placed = place(Abi::SysV64, [("a", INT), ("b", DOUBLE)], LONG);
    assert!(matches!(placed.parameters[1].place, Place::Registers(parts) if parts.as_slice().len() == 1));
    assert!(placed.end.stack == 0);
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

#[test]
#[should_panic = "`sysv64` has no rule for `S`: it is made of a vector of this size"]
fn vectors_of_mmx() {
    place(Abi::SysV64, [("a", of(&[scalar("__m64", 8, Kind::Vector)]))], VOID);
}
