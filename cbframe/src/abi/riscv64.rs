//! RISC-V, LP64D: "RISC-V ABIs Specification", version 1.0, section 2.1 "Integer Calling Convention" and 2.2 "Hardware
//! Floating-point Calling Convention". XLEN is 64 bits, ABI_FLEN too.
//!
//! A vector has no place: the convention for fixed-length vectors is a variant of its own.

use super::scalars::Scalars;
use super::{Cursor, Parts, Place, Pointer, Register};
use crate::types::{Field, Kind, Type, round_up};

/// Of each kind, a0 to a7 and fa0 to fa7 carry arguments.
const REGISTERS: usize = 8;

/// a0 and fa0, by the number that instructions encode.
const FIRST: u8 = 10;

/// Why no value of this type is passed, if so.
pub(super) const fn refusal(ty: &Type) -> Option<&'static str> {
    Scalars { int128: true, float16: true, float128: true, x87: false, vectors: &[] }.refusal(ty)
}

/// The place of the result, and the cursor before the first parameter: "Values are returned in the same manner as a first
/// named argument of the same type would be passed."
pub(super) const fn start(result: &Type) -> (Cursor, Place) {
    match next(Cursor::START, result).1 {
        // "If such an argument would have been passed by reference, the caller allocates memory for the return value, and
        // passes the address as an implicit first parameter. There is no requirement that the address be returned."
        Place::Reference(arrives) => (Cursor::START.and(1, 0), Place::Hidden { arrives, leaves: None }),
        place => (Cursor::START, place),
    }
}

/// The place of the next parameter, and the cursor behind it.
pub(super) const fn next(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if ty.size == 0 {
        return (cursor, Place::Nothing);
    }
    match flatten(ty) {
        Some(flat) => match flat.in_registers(cursor) {
            Some(in_registers) => in_registers,
            None => by_integers(cursor, ty),
        },
        None => by_integers(cursor, ty),
    }
}

/// The place of the next argument behind `...`, and the cursor behind it: "variadic arguments are passed according to the
/// integer calling convention", those aligned to two words in an aligned pair of registers.
pub(super) const fn next_unnamed(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if ty.size == 0 {
        return (cursor, Place::Nothing);
    }
    let is_pair = ty.align == 16 && ty.size <= 16;
    let integers = if is_pair { cursor.integers.next_multiple_of(2) } else { cursor.integers };
    by_integers(Cursor { integers, ..cursor }, ty)
}

/// The integer calling convention.
const fn by_integers(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    // "… wider than 2×XLEN bits are passed by reference and are replaced in the argument list with the address".
    if ty.size > 16 {
        return match (cursor.integers as usize) < REGISTERS {
            true => {
                let register = Register::Integer(FIRST + cursor.integers);
                (cursor.and(1, 0), Place::Reference(Pointer::Register(register)))
            }
            false => {
                let (cursor, offset) = cursor.push(8, 8);
                (cursor, Place::Reference(Pointer::Stack(offset)))
            }
        };
    }
    let (mut parts, mut offset, mut cursor) = (Parts::NONE, 0, cursor);
    while offset < ty.size && (cursor.integers as usize) < REGISTERS {
        let size = if ty.size - offset < 8 { ty.size - offset } else { 8 };
        parts = parts.and(Register::Integer(FIRST + cursor.integers), offset, size);
        cursor = cursor.and(1, 0);
        offset += size;
    }
    if offset == ty.size {
        return (cursor, Place::Registers(parts));
    }
    if offset > 0 {
        // "If exactly one register is available, the low-order XLEN bits are passed in the register and the high-order XLEN
        // bits are passed on the stack." It is the first thing there.
        let (cursor, at) = cursor.push(8, 8);
        return (cursor, Place::Split(parts, at));
    }
    // "Arguments passed on the stack are aligned to the greater of the type alignment and XLEN bits, but never more than the
    // stack alignment."
    let (cursor, at) = cursor.push(round_up(ty.size, 8), if ty.align < 16 { 8 } else { 16 });
    (cursor, Place::Stack(at))
}

/// The floats of up to ABI_FLEN bits, and the integer of up to XLEN bits, that a value consists of: at most two in all.
#[derive(Clone, Copy)]
struct Flat {
    scalars: [Scalar; 2],
    len: usize,
}

#[derive(Clone, Copy)]
struct Scalar {
    is_float: bool,
    offset: usize,
    size: usize,
}

/// What the hardware floating-point calling convention makes of a value, if it has a rule for it: "a real floating-point
/// argument", "a struct containing one floating-point real", two of them, or "one floating-point real and one integer".
const fn flatten(ty: &Type) -> Option<Flat> {
    let none = Flat { scalars: [Scalar { is_float: false, offset: 0, size: 0 }; 2], len: 0 };
    match none.with(ty, 0) {
        Some(flat) if flat.count(true) > 0 => Some(flat),
        _ => None,
    }
}

/// Whether a struct has, or has for others that count pointers as integers, each field in a register of its own, and a field is a
/// pointer or does not lie where its own alignment puts it.
#[allow(dead_code, reason = "asked on RISC-V")]
pub(crate) const fn is_irregular(ty: &Type) -> bool {
    if !matches!(ty.passed_as().kind, Kind::Struct { .. }) {
        return false;
    }
    let Some(flat) = flatten(ty) else { return has(ty, false) && has(ty, true) };
    let [first, second] = flat.scalars;
    let (mut end, mut align) = (first.size, first.size);
    let mut irregular = first.offset != 0;
    if flat.len == 2 {
        irregular |= second.offset != round_up(end, second.size);
        end = second.offset + second.size;
        align = if second.size > align { second.size } else { align };
    }
    irregular || ty.align != align || ty.size != round_up(end, align)
}

/// Whether a value consists of floats, or else of pointers, among others.
const fn has(ty: &Type, floats: bool) -> bool {
    match ty.passed_as().kind {
        Kind::Float => floats,
        Kind::Pointer { .. } => !floats,
        Kind::Complex { element } | Kind::Array { element, .. } => has(element, floats),
        Kind::Struct { fields } => {
            let mut i = 0;
            while i < fields.len() {
                if has(&fields[i].ty, floats) {
                    return true;
                }
                i += 1;
            }
            false
        }
        _ => false,
    }
}

impl Flat {
    /// With the scalars of a value at `offset`. "Nested structs and arrays are flattened"; "Fields containing empty structs
    /// or zero-length arrays are ignored"; "Unions are never flattened".
    const fn with(mut self, ty: &Type, offset: usize) -> Option<Self> {
        let is_float = match ty.passed_as().kind {
            Kind::Float if ty.size <= 8 => true,
            // gcc and clang count no pointer as an integer here.
            Kind::Bool | Kind::Int { .. } | Kind::Enum { .. } if ty.size <= 8 => false,
            Kind::Complex { element } => {
                return match self.with(element, offset) {
                    Some(real) => real.with(element, offset + element.size),
                    None => None,
                };
            }
            Kind::Struct { fields } => {
                let mut i = 0;
                while i < fields.len() {
                    let Field { offset: at, ty, .. } = &fields[i];
                    match self.with(ty, offset + *at) {
                        Some(more) => self = more,
                        None => return None,
                    }
                    i += 1;
                }
                return Some(self);
            }
            Kind::Array { element, len } => {
                let mut i = 0;
                while element.size > 0 && i < len {
                    match self.with(element, offset + i * element.size) {
                        Some(more) => self = more,
                        None => return None,
                    }
                    i += 1;
                }
                return Some(self);
            }
            _ if ty.size == 0 => return Some(self),
            _ => return None,
        };
        // Two integers are no case of this convention.
        if self.len == 2 || !is_float && self.count(false) == 1 {
            return None;
        }
        self.scalars[self.len] = Scalar { is_float, offset, size: ty.size };
        self.len += 1;
        Some(self)
    }

    const fn count(&self, floats: bool) -> usize {
        let (mut count, mut i) = (0, 0);
        while i < self.len {
            count += (self.scalars[i].is_float == floats) as usize;
            i += 1;
        }
        count
    }

    /// Each scalar in a register of its kind, if there are enough.
    const fn in_registers(&self, mut cursor: Cursor) -> Option<(Cursor, Place)> {
        if cursor.vectors as usize + self.count(true) > REGISTERS
            || cursor.integers as usize + self.count(false) > REGISTERS
        {
            return None;
        }
        let (mut parts, mut i) = (Parts::NONE, 0);
        while i < self.len {
            let Scalar { is_float, offset, size } = self.scalars[i];
            let register = if is_float {
                Register::Vector(FIRST + cursor.vectors as u8)
            } else {
                Register::Integer(FIRST + cursor.integers)
            };
            cursor = if is_float { cursor.and(0, 1) } else { cursor.and(1, 0) };
            parts = parts.and(register, offset, size);
            i += 1;
        }
        Some((cursor, Place::Registers(parts)))
    }
}
