//! vectorcall on 64-bit Windows: Microsoft, "__vectorcall".
//!
//! It is the convention of `win64.rs`, by position and with home space, and beside it:
//!
//! 1. A *vector type* is a float, a double or a SIMD vector. In the first six positions it is in xmm0 to xmm5, or the ymm or
//!    zmm register around it, by position. Beyond, a float is on the stack and a vector passed by reference.
//! 2. A *homogeneous vector aggregate* (HVA) is a struct of up to four elements of one vector type. After all other
//!    arguments it is given the vector registers that are still unused, one for each element, if there are enough; otherwise
//!    it is passed by reference. It takes a position all the same.
//! 3. A result of vector type is in xmm0, an HVA in xmm0 to xmm3.

use super::homogeneous::Homogeneous;
use super::{Convention, Cursor, Parameter, Parts, Place, Pointer, Register};
use crate::types::{Field, Kind, Type};

/// The vector registers that carry arguments: xmm0 to xmm5.
const VECTORS: u8 = 6;
const VECTORS_END: usize = VECTORS as usize;

/// Why an argument of this type in this position, or a result without one, is not placed, if so: what Microsoft's compiler
/// does not have, or its documentation leaves open.
pub(super) const fn refusal(ty: &Type, position: Option<usize>) -> Option<&'static str> {
    if let (Some(VECTORS_END..), Some(_)) = (position, hva(ty)) {
        return Some("a homogeneous vector aggregate behind the sixth position, of which vectorcall does not speak");
    }
    value_refusal(ty)
}

const fn value_refusal(ty: &Type) -> Option<&'static str> {
    match ty.passed_as().kind {
        Kind::X87 => Some("an 80-bit float, which Windows has not"),
        Kind::Complex { .. } => Some("a complex number, which vectorcall does not speak of"),
        Kind::Int { .. } if ty.size > 8 => Some("an integer of 128 bits, which vectorcall does not speak of"),
        Kind::Float if !matches!(ty.size, 4 | 8) => Some("a float that Windows has not"),
        Kind::Union { .. } if has_vectors(ty) => {
            Some("a union with floats or vectors, of which vectorcall does not speak")
        }
        Kind::Struct { .. } if ty.size == 0 => Some("an empty struct, which C on Windows has not"),
        Kind::Struct { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { ty: field, .. } = &fields[i];
                let reason = value_refusal(field);
                if reason.is_some() {
                    return reason;
                }
                i += 1;
            }
            None
        }
        Kind::Array { element, .. } => value_refusal(element),
        _ => None,
    }
}

/// Whether there is a float or a vector in a value of this type.
const fn has_vectors(ty: &Type) -> bool {
    match ty.passed_as().kind {
        Kind::Float | Kind::Vector => true,
        Kind::Array { element, .. } => has_vectors(element),
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { ty, .. } = &fields[i];
                if has_vectors(ty) {
                    return true;
                }
                i += 1;
            }
            false
        }
        _ => false,
    }
}

/// The elements of a homogeneous vector aggregate.
const fn hva(ty: &Type) -> Option<Homogeneous> {
    match ty.passed_as().kind {
        Kind::Struct { .. } => Homogeneous::of(ty),
        _ => None,
    }
}

/// Elements in the registers of which `free` has bits, lowest first; `None` if there are too few.
const fn in_registers(elements: Homogeneous, mut free: u8) -> Option<Place> {
    if (free.count_ones() as usize) < elements.count {
        return None;
    }
    let (mut parts, mut i) = (Parts::NONE, 0);
    while i < elements.count {
        parts = parts.and(Register::Vector(free.trailing_zeros() as u8), i * elements.size, elements.size);
        free &= free - 1;
        i += 1;
    }
    Some(Place::Registers(parts))
}

/// The place of a value that is in `register` as a whole.
const fn whole(register: Register, ty: &Type) -> Place {
    Place::Registers(Parts::one(register, ty.size))
}

/// Whether a value of this type fits a register or a stack word.
const fn fits_a_word(ty: &Type) -> bool {
    matches!(ty.size, 1 | 2 | 4 | 8)
}

/// The place of the result, and the cursor before the first parameter. `integers` counts positions, `vectors` has a bit for
/// each vector register given out.
pub(super) const fn start(convention: &Convention, result: &Type) -> (Cursor, Place) {
    let cursor = Cursor { integers: 0, vectors: 0, stack: convention.home };
    if let Some(elements) = hva(result)
        && let Some(place) = in_registers(elements, 0b1111)
    {
        return (cursor, place);
    }
    match (result.passed_as().kind, convention.hidden) {
        (Kind::Void, _) => (cursor, Place::Nothing),
        (Kind::Float | Kind::Vector, _) => (cursor, whole(convention.float_results[0], result)),
        _ if fits_a_word(result) => (cursor, whole(convention.int_results[0], result)),
        (_, Some(hidden)) => {
            let place = Place::Hidden { arrives: Pointer::Register(hidden.arrives), leaves: Some(hidden.leaves) };
            (Cursor { integers: 1, ..cursor }, place)
        }
        _ => panic!("cbframe: no place for a result in memory"),
    }
}

/// The place of the next parameter, and the cursor behind it; an HVA has none before [`finish`].
pub(super) const fn next(convention: &Convention, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    let position = cursor.integers;
    let stack = if position as usize >= convention.ints.len() { cursor.stack + 8 } else { cursor.stack };
    let after = Cursor { integers: position + 1, stack, ..cursor };
    if hva(ty).is_some() {
        return (after, Place::Nothing);
    }
    let pointer = Pointer::at(convention, position);
    let place = match ty.passed_as().kind {
        Kind::Float | Kind::Vector if position < VECTORS => {
            let after = Cursor { vectors: after.vectors | 1 << position, ..after };
            return (after, whole(convention.floats[position as usize], ty));
        }
        Kind::Float => Place::Stack(cursor.stack),
        _ if !fits_a_word(ty) => Place::Reference(pointer),
        _ => match pointer {
            Pointer::Register(register) => whole(register, ty),
            Pointer::Stack(offset) => Place::Stack(offset),
        },
    };
    (after, place)
}

/// Rule 2: places the HVAs, now that it is known which vector registers, as bits in `used`, all others have taken.
pub(super) const fn finish(convention: &Convention, parameters: &mut [Parameter], used: u8, hidden: bool) {
    let mut free = !used & ((1 << VECTORS) - 1);
    let mut i = 0;
    while i < parameters.len() {
        if let Some(elements) = hva(&parameters[i].ty) {
            parameters[i].place = match in_registers(elements, free) {
                Some(place) => {
                    let mut taken = 0;
                    while taken < elements.count {
                        free &= free - 1;
                        taken += 1;
                    }
                    place
                }
                None => Place::Reference(Pointer::at(convention, i as u8 + hidden as u8)),
            };
        }
        i += 1;
    }
}
