//! System V x86-64: "System V Application Binary Interface, AMD64 Architecture Processor Supplement", section
//! 3.2.3 "Parameter Passing". The numbers in comments are those of its lists.
//!
//! A field without bytes has no class, as clang and rustc have it. gcc lets a zero-length array of integers, a
//! GNU extension, make its eightbyte INTEGER.

use super::{Cursor, Parts, Place, Register};
use crate::types::{Field, Kind, Type, round_up};

const INTEGERS: [Register; 6] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];

/// How many vector registers carry arguments: xmm0 to xmm7.
const VECTORS: u8 = 8;

/// The class of an eightbyte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// NO_CLASS: padding, and the start of every merge.
    Nothing,
    Integer,
    Sse,
}

/// The classes of a value's two eightbytes; `None` is MEMORY.
type Classes = Option<[Class; 2]>;

/// "Returning of Values": the place of the result, and the cursor before the first parameter.
pub(super) const fn start(result: &Type) -> (Cursor, Place) {
    let cursor = Cursor { integers: 0, vectors: 0, stack: 0 };
    let Some(classes) = classify(result) else {
        // 2. MEMORY: the address of the space arrives in rdi as a hidden first argument and leaves in rax.
        let place = Place::Hidden { arrives: INTEGERS[0], leaves: Register::RAX };
        return (Cursor { integers: 1, ..cursor }, place);
    };
    // 3. INTEGER: the next of rax, rdx. 4. SSE: the next of xmm0, xmm1.
    let integers = [Register::RAX, Register::RDX];
    let place = in_registers(result, classes, &integers, 0);
    (cursor, place)
}

/// "Passing": the place of the next parameter, and the cursor behind it.
pub(super) const fn next(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if let Some(classes) = classify(ty) {
        let integers = cursor.integers + count(classes, Class::Integer);
        let vectors = cursor.vectors + count(classes, Class::Sse);
        // "If there are no registers available for any eightbyte of an argument, the whole argument is passed
        // on the stack", and registers already assigned to it are free again.
        if integers as usize <= INTEGERS.len() && vectors <= VECTORS {
            let free = INTEGERS.split_at(cursor.integers as usize).1;
            let place = in_registers(ty, classes, free, cursor.vectors);
            return (Cursor { integers, vectors, ..cursor }, place);
        }
    }
    // On the stack, each argument's size rounded up to eightbytes, aligned to 8 or its own alignment.
    let align = if ty.align > 8 { ty.align } else { 8 };
    let offset = round_up(cursor.stack as usize, align);
    let end = offset + round_up(ty.size, 8);
    assert!(end <= u32::MAX as usize, "cbframe: 4 GiB of arguments on the stack");
    (Cursor { stack: end as u32, ..cursor }, Place::Stack(offset as u32))
}

/// The place of a value whose eightbytes take the next of `integers` and of xmm registers from `vector`.
const fn in_registers(ty: &Type, classes: [Class; 2], integers: &[Register], vector: u8) -> Place {
    let (mut integer, mut vector) = (0, vector);
    let mut parts = Parts::NONE;
    let mut i = 0;
    while i < 2 {
        let register = match classes[i] {
            Class::Nothing => {
                i += 1;
                continue;
            }
            Class::Integer => {
                integer += 1;
                integers[integer - 1]
            }
            Class::Sse => {
                vector += 1;
                Register::Vector(vector - 1)
            }
        };
        let offset = 8 * i;
        let size = if ty.size - offset < 8 { ty.size - offset } else { 8 };
        parts = parts.and(register, offset, size);
        i += 1;
    }
    if parts.as_slice().is_empty() { Place::Nothing } else { Place::Registers(parts) }
}

const fn count(classes: [Class; 2], class: Class) -> u8 {
    (classes[0] as u8 == class as u8) as u8 + (classes[1] as u8 == class as u8) as u8
}

/// "Classification".
const fn classify(ty: &Type) -> Classes {
    // 1. Larger than two eightbytes (no type of more has class SSEUP yet): MEMORY.
    if ty.size > 16 {
        return None;
    }
    // 2. Both eightbytes start as NO_CLASS. 3. and 4. Each field is classified and merged.
    // 5. The post-merger clean-up concerns MEMORY, X87 and SSEUP, which no field of these types has.
    merge_in([Class::Nothing; 2], ty, 0)
}

/// Merges the classes of `ty` at `offset` into those of the whole.
const fn merge_in(classes: [Class; 2], ty: &Type, offset: usize) -> Classes {
    if ty.size == 0 {
        return Some(classes);
    }
    // 1. "has unaligned fields": MEMORY.
    if !offset.is_multiple_of(ty.align) {
        return None;
    }
    let class = match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => return merge_fields(classes, fields, offset),
        Kind::Array { element, len } => {
            let mut whole = classes;
            let mut i = 0;
            while i < len {
                match merge_in(whole, element, offset + i * element.size) {
                    Some(merged) => whole = merged,
                    None => return None,
                }
                i += 1;
            }
            return Some(whole);
        }
        Kind::Float => Class::Sse,
        Kind::Void | Kind::Bool | Kind::Int { .. } | Kind::Pointer { .. } | Kind::Enum { .. } => Class::Integer,
    };
    let mut whole = classes;
    whole[offset / 8] = merge(whole[offset / 8], class);
    Some(whole)
}

const fn merge_fields(classes: [Class; 2], fields: &[Field], offset: usize) -> Classes {
    let mut whole = classes;
    let mut i = 0;
    while i < fields.len() {
        match merge_in(whole, &fields[i].ty, offset + fields[i].offset) {
            Some(merged) => whole = merged,
            None => return None,
        }
        i += 1;
    }
    Some(whole)
}

/// 4. of the classification: two classes of one eightbyte become one.
const fn merge(a: Class, b: Class) -> Class {
    match (a, b) {
        // (a) equal; (b) NO_CLASS gives way.
        (Class::Nothing, other) | (other, Class::Nothing) => other,
        // (d) INTEGER wins.
        (Class::Integer, _) | (_, Class::Integer) => Class::Integer,
        // (f) Otherwise SSE.
        (Class::Sse, Class::Sse) => Class::Sse,
    }
}
