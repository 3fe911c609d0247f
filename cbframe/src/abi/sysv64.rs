//! System V x86-64: "System V Application Binary Interface, AMD64 Architecture Processor Supplement", section
//! 3.2.3 "Parameter Passing". The numbers in comments are those of its lists.
//!
//! A field without bytes has no class, as clang and rustc have it. gcc lets a zero-length array of integers, a
//! GNU extension, make its eightbyte INTEGER.

use super::{Convention, Cursor, Hidden, Parts, Place, Pointer, Register};
use crate::types::{Field, Kind, Type, round_up};

/// The most eightbytes that a value in registers has.
const EIGHTBYTES: usize = 8;

/// The class of an eightbyte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// NO_CLASS: padding, and the start of every merge.
    Nothing,
    Integer,
    Sse,
    /// The next eightbyte of the vector register before it.
    SseUp,
    X87,
    /// The exponent and the padding of an X87 one.
    X87Up,
    /// The whole of a `_Complex long double`, in its first eightbyte.
    ComplexX87,
}

/// The classes of a value's eightbytes; `None` is MEMORY.
type Classes = Option<[Class; EIGHTBYTES]>;

/// "Returning of Values": the place of the result, and the cursor before the first parameter.
pub(super) const fn start(convention: &Convention, result: &Type) -> (Cursor, Place) {
    let cursor = Cursor { stack: convention.home, ..Cursor::START };
    let Some(classes) = classify(result) else {
        // 2. MEMORY: the address of the space arrives in rdi as a hidden first argument and leaves in rax.
        let Some(Hidden { arrives, leaves }) = convention.hidden else {
            panic!("cbframe: no place for a result in memory")
        };
        let taken = !convention.ints.is_empty() && super::same_register(convention.ints[0], arrives);
        return (
            cursor.and(taken as u8, 0),
            Place::Hidden { arrives: Pointer::Register(arrives), leaves: Some(leaves) },
        );
    };
    // 3. INTEGER: the next of rax, rdx. 4. and 5. SSE and SSEUP: the next of xmm0, xmm1. 6. and 7. X87 and X87UP: st0.
    // 8. COMPLEX_X87: the real part in st0, the imaginary one in st1.
    let place = in_registers(result, classes, convention.int_results, convention.float_results);
    (cursor, place)
}

/// "Passing": the place of the next parameter, and the cursor behind it.
pub(super) const fn next(convention: &Convention, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if let Some(classes) = classify(ty)
        // 5. "If the class is X87, X87UP or COMPLEX_X87, it is passed in memory."
        && !matches!(classes[0], Class::X87 | Class::ComplexX87)
    {
        let integers = cursor.integers + count(&classes, Class::Integer, ty.size);
        let vectors = cursor.vectors + count(&classes, Class::Sse, ty.size) as u16;
        // "If there are no registers available for any eightbyte of an argument, the whole argument is passed
        // on the stack", and registers already assigned to it are free again.
        if integers as usize <= convention.ints.len() && vectors as usize <= convention.floats.len() {
            let ints = convention.ints.split_at(cursor.integers as usize).1;
            let floats = convention.floats.split_at(cursor.vectors as usize).1;
            let place = in_registers(ty, classes, ints, floats);
            return (Cursor { integers, vectors, ..cursor }, place);
        }
    }
    in_memory(cursor, ty)
}

/// The place of the next parameter in memory, and the cursor behind it.
pub(super) const fn in_memory(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    // On the stack, aligned to its own alignment and, since each argument's size is rounded up to eightbytes, to 8.
    let (cursor, offset) = cursor.push(round_up(ty.size, 8), ty.align);
    (cursor, Place::Stack(offset))
}

/// The place of a value whose eightbytes take the next of `integers` and of `vectors`.
const fn in_registers(ty: &Type, classes: [Class; EIGHTBYTES], integers: &[Register], vectors: &[Register]) -> Place {
    let (mut integer, mut vector) = (0, 0);
    let mut parts = Parts::NONE;
    let mut i = 0;
    while 8 * i < ty.size {
        let offset = 8 * i;
        i += 1;
        let register = match classes[i - 1] {
            Class::Nothing | Class::SseUp | Class::X87Up => continue,
            Class::Integer => {
                integer += 1;
                integers[integer - 1]
            }
            Class::Sse => {
                while i < EIGHTBYTES && matches!(classes[i], Class::SseUp) {
                    i += 1;
                }
                vector += 1;
                vectors[vector - 1]
            }
            Class::X87 => {
                parts = parts.and(Register::X87(0), offset, X87_SIZE);
                continue;
            }
            Class::ComplexX87 => {
                parts = parts.and(Register::X87(0), offset, X87_SIZE);
                parts = parts.and(Register::X87(1), offset + ty.size / 2, X87_SIZE);
                continue;
            }
        };
        let end = if ty.size < 8 * i { ty.size } else { 8 * i };
        parts = parts.and(register, offset, end - offset);
    }
    if parts.as_slice().is_empty() { Place::Nothing } else { Place::Registers(parts) }
}

/// The bytes of an x87 register.
const X87_SIZE: usize = 10;

/// How many eightbytes of a value of `size` bytes are of `class`.
const fn count(classes: &[Class; EIGHTBYTES], class: Class, size: usize) -> u8 {
    let (mut count, mut i) = (0, 0);
    while 8 * i < size {
        count += (classes[i] as u8 == class as u8) as u8;
        i += 1;
    }
    count
}

/// "Classification".
const fn classify(ty: &Type) -> Classes {
    // COMPLEX_X87 is the class of a variable of this type; in an aggregate it is more than two eightbytes.
    if let Kind::Complex { element: Type { kind: Kind::X87, .. } } = ty.passed_as().kind {
        let mut classes = [Class::Nothing; EIGHTBYTES];
        classes[0] = Class::ComplexX87;
        return Some(classes);
    }
    // 1. Larger than eight eightbytes: MEMORY.
    if ty.size > 8 * EIGHTBYTES {
        return None;
    }
    classify_at(ty, 0)
}

/// The classes of the eightbytes that a value at `offset` touches.
const fn classify_at(ty: &Type, offset: usize) -> Classes {
    // 1. "has unaligned fields": MEMORY, even if there are no bytes in them.
    if !offset.is_multiple_of(ty.align) {
        return None;
    }
    match ty.kind {
        // 2. Every eightbyte starts as NO_CLASS.
        Kind::Void => Some([Class::Nothing; EIGHTBYTES]),
        Kind::Struct { fields } | Kind::Union { fields } => clean_up(classify_fields(fields, offset), offset, ty.size),
        Kind::Array { element, len } => clean_up(classify_elements(element, len, offset), offset, ty.size),
        // "treated as if … struct { T real; T imag; }"
        Kind::Complex { element } => clean_up(classify_elements(element, 2, offset), offset, ty.size),
        Kind::MaybeUninit { of } => classify_at(of, offset),
        Kind::Float | Kind::Vector => Some(scalar(offset, ty.size, Class::Sse, Class::SseUp)),
        Kind::X87 => Some(scalar(offset, ty.size, Class::X87, Class::X87Up)),
        Kind::Bool | Kind::Int { .. } | Kind::Pointer { .. } | Kind::Enum { .. } => {
            Some(scalar(offset, ty.size, Class::Integer, Class::Integer))
        }
    }
}

/// The classes of a scalar: `first`, and `rest` if it is larger than an eightbyte.
const fn scalar(offset: usize, size: usize, first: Class, rest: Class) -> [Class; EIGHTBYTES] {
    let mut classes = [Class::Nothing; EIGHTBYTES];
    let mut at = offset;
    while at < offset + size {
        classes[at / 8] = if at == offset { first } else { rest };
        at += 8;
    }
    classes
}

/// 3. and 4. of the classification: "Each field of an object is classified recursively", and merged.
const fn classify_fields(fields: &[Field], offset: usize) -> Classes {
    let mut whole = [Class::Nothing; EIGHTBYTES];
    let mut i = 0;
    while i < fields.len() {
        let Field { offset: at, ty, .. } = &fields[i];
        match merge_all(whole, classify_at(ty, offset + *at), offset + *at, ty.size) {
            Some(merged) => whole = merged,
            None => return None,
        }
        i += 1;
    }
    Some(whole)
}

/// The same for elements.
const fn classify_elements(element: &Type, len: usize, offset: usize) -> Classes {
    if element.size == 0 && len > 0 {
        // All are at one place.
        return classify_at(element, offset);
    }
    let mut whole = [Class::Nothing; EIGHTBYTES];
    // Elements that share an eightbyte are of one class: the first of them tells. (The compiler is slow at this.)
    let share = matches!(element.size, 1 | 2 | 4) && offset.is_multiple_of(element.size);
    let (mut at, end) = (offset, offset + len * element.size);
    while at < end {
        match merge_all(whole, classify_at(element, at), at, element.size) {
            Some(merged) => whole = merged,
            None => return None,
        }
        at = if share { round_up(at + 1, 8) } else { at + element.size };
    }
    Some(whole)
}

/// 5. of the classification: the post-merger clean-up of an object at `offset`. (a) MEMORY is `None` already.
const fn clean_up(classes: Classes, offset: usize, size: usize) -> Classes {
    let Some(mut classes) = classes else { return None };
    let first = offset / 8;
    let mut i = first;
    while 8 * i < offset + size {
        let before = if i == first { Class::Nothing } else { classes[i - 1] };
        match classes[i] {
            // (b) X87UP that is not preceded by X87: MEMORY.
            Class::X87Up if !matches!(before, Class::X87) => return None,
            // (c) More than two eightbytes, unless they are SSE and then SSEUP only: MEMORY.
            class if size > 16 && !is_vector(class, i - first) => return None,
            // (d) SSEUP that is not preceded by SSE or SSEUP: SSE.
            Class::SseUp if !matches!(before, Class::Sse | Class::SseUp) => classes[i] = Class::Sse,
            _ => {}
        }
        i += 1;
    }
    Some(classes)
}

/// Whether the eightbyte at `index` may be of `class` in a vector of more than two.
const fn is_vector(class: Class, index: usize) -> bool {
    if index == 0 { matches!(class, Class::Sse) } else { matches!(class, Class::SseUp) }
}

/// Merges the classes of a field of `size` bytes at `offset` into those of the whole.
const fn merge_all(mut whole: [Class; EIGHTBYTES], field: Classes, offset: usize, size: usize) -> Classes {
    let Some(field) = field else { return None };
    let mut i = offset / 8;
    while 8 * i < offset + size {
        match merge(whole[i], field[i]) {
            Some(class) => whole[i] = class,
            None => return None,
        }
        i += 1;
    }
    Some(whole)
}

/// 4. of the classification: two classes of one eightbyte become one; `None` is (c) or (e), MEMORY.
const fn merge(a: Class, b: Class) -> Option<Class> {
    Some(match (a, b) {
        // (a) equal; (b) NO_CLASS gives way.
        (Class::Nothing, other) | (other, Class::Nothing) => other,
        (Class::X87, Class::X87) => Class::X87,
        (Class::X87Up, Class::X87Up) => Class::X87Up,
        (Class::SseUp, Class::SseUp) => Class::SseUp,
        // (d) INTEGER wins.
        (Class::Integer, _) | (_, Class::Integer) => Class::Integer,
        // (e) An x87 class with any other: MEMORY.
        (Class::X87 | Class::X87Up | Class::ComplexX87, _) | (_, Class::X87 | Class::X87Up | Class::ComplexX87) => {
            return None;
        }
        // (f) Otherwise SSE.
        (Class::Sse | Class::SseUp, Class::Sse | Class::SseUp) => Class::Sse,
    })
}
