//! AArch64: Arm, "Procedure Call Standard for the Arm 64-bit Architecture (AArch64)", section 6.8 "Parameter passing" and
//! 6.9 "Result return". The numbers in comments are those of its stages B and C. What the standard calls NGRN, NSRN and NSAA
//! are the fields of the [`Cursor`].
//!
//! Apple's variant: "Writing ARM64 code for Apple platforms". What is different there:
//!
//! - A scalar on the stack takes as many bytes as it has, at its own alignment. (Composites are copied as words, as
//!   clang has it.)
//! - A value that is aligned to 16 bytes may begin in any register. Clang aligns a composite by its declared alignment,
//!   and not by its natural one.
//! - All arguments behind `...` are on the stack, in slots of eight bytes or of sixteen.

use super::homogeneous::Homogeneous;
use super::scalars::Scalars;
use super::{Cursor, Parts, Place, Pointer, Register};
use crate::types::{Kind, Type, round_up};

/// Of each kind, registers 0 to 7 carry arguments.
const REGISTERS: usize = 8;

/// Why no value of this type is passed, if so.
pub(super) const fn refusal(apple: bool, ty: &Type) -> Option<&'static str> {
    // A vector of another size is no short vector (section 5.4).
    let scalars = Scalars { int128: true, float16: true, float128: !apple, x87: false, vectors: &[8, 16] };
    scalars.refusal(ty)
}

/// Why no argument of this type is passed behind `...` of Apple's variant, if so.
pub(super) const fn refusal_unnamed(ty: &Type) -> Option<&'static str> {
    match Homogeneous::of(ty) {
        Some(Homogeneous { size: 16, .. }) => Some(
            "made of nothing but vectors of 128 bits, which Clang aligns to 8 bytes behind `...` in callers and to 16 in callees",
        ),
        _ => None,
    }
}

/// "Result return": the place of the result, and the cursor before the first parameter.
pub(super) const fn start(apple: bool, result: &Type) -> (Cursor, Place) {
    let place = match next(apple, Cursor::START, result).1 {
        // Where an argument would not be in registers, "the caller shall reserve a block of memory … The address of the
        // memory block shall be passed as an additional argument to the function in x8." What x8 holds on return is open.
        Place::Stack(_) | Place::Reference(_) => {
            Place::Hidden { arrives: Pointer::Register(Register::Integer(8)), leaves: None }
        }
        place => place,
    };
    (Cursor::START, place)
}

/// "Parameter passing": the place of the next parameter, and the cursor behind it.
pub(super) const fn next(apple: bool, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    // Nothing to copy.
    if ty.size == 0 {
        return (cursor, Place::Nothing);
    }
    let elements = match ty.passed_as().kind {
        Kind::Float => Some(Homogeneous { size: ty.size, count: 1, vectors: false }),
        Kind::Vector => Some(Homogeneous { size: ty.size, count: 1, vectors: true }),
        // B.3
        _ => Homogeneous::of(ty),
    };
    if let Some(elements) = elements {
        return in_vector_registers(apple, cursor, ty, elements);
    }
    // B.4: "replaced by a pointer to the copy".
    if is_composite(ty) && ty.size > 16 {
        return by_reference(cursor);
    }
    let words = ty.size.div_ceil(8);
    // C.10: NGRN is rounded up.
    let aligned = alignment(apple, ty) == 16 && !apple;
    let first = if aligned { round_up(cursor.integers as usize, 2) } else { cursor.integers as usize };
    // C.9, C.11, C.12: all of it in registers, or nothing.
    if first + words <= REGISTERS {
        let (mut parts, mut i) = (Parts::NONE, 0);
        while i < words {
            let size = if ty.size - 8 * i < 8 { ty.size - 8 * i } else { 8 };
            parts = parts.and(Register::Integer((first + i) as u8), 8 * i, size);
            i += 1;
        }
        return (Cursor { integers: (first + words) as u8, ..cursor }, Place::Registers(parts));
    }
    // C.13 to C.17.
    on_stack(apple, Cursor { integers: REGISTERS as u8, ..cursor }, ty)
}

/// The place of the next argument behind `...` of Apple's variant, and the cursor behind it.
pub(super) const fn next_unnamed(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if ty.size == 0 {
        return (cursor, Place::Nothing);
    }
    if is_composite(ty) && ty.size > 16 && Homogeneous::of(ty).is_none() {
        let (cursor, offset) = cursor.push(8, 8);
        return (cursor, Place::Reference(Pointer::Stack(offset)));
    }
    let (cursor, offset) = cursor.push(round_up(ty.size, 8), if ty.align < 16 { 8 } else { 16 });
    (cursor, Place::Stack(offset))
}

/// C.1 to C.6.
const fn in_vector_registers(apple: bool, cursor: Cursor, ty: &Type, elements: Homogeneous) -> (Cursor, Place) {
    let Homogeneous { size, count, .. } = elements;
    if cursor.vectors as usize + count > REGISTERS {
        // C.3: no vector register is used any more.
        return on_stack(apple, Cursor { vectors: REGISTERS as u16, ..cursor }, ty);
    }
    let (mut parts, mut i) = (Parts::NONE, 0);
    while i < count {
        parts = parts.and(Register::Vector((cursor.vectors as usize + i) as u8), i * size, size);
        i += 1;
    }
    (cursor.and(0, count as u16), Place::Registers(parts))
}

const fn by_reference(cursor: Cursor) -> (Cursor, Place) {
    if (cursor.integers as usize) < REGISTERS {
        let register = Register::Integer(cursor.integers);
        return (cursor.and(1, 0), Place::Reference(Pointer::Register(register)));
    }
    let (cursor, offset) = cursor.push(8, 8);
    (cursor, Place::Reference(Pointer::Stack(offset)))
}

const fn on_stack(apple: bool, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    let (size, align) = match Homogeneous::of(ty) {
        // At the alignment of its elements, even if it is packed.
        Some(elements) if apple => (ty.size, elements.size),
        _ if apple && !is_composite(ty) => (ty.size, ty.align),
        _ => (round_up(ty.size, 8), alignment(apple, ty)),
    };
    let (cursor, offset) = cursor.push(size, align);
    (cursor, Place::Stack(offset))
}

/// Section 5.9: structs, unions and arrays; a complex number is passed as a struct of two.
pub(crate) const fn is_composite(ty: &Type) -> bool {
    matches!(ty.passed_as().kind, Kind::Struct { .. } | Kind::Union { .. } | Kind::Complex { .. })
}

/// B.6 and C.14: the alignment of the copy that is passed, 8 or 16.
pub(crate) const fn alignment(apple: bool, ty: &Type) -> usize {
    let natural = if apple { ty.align } else { natural_alignment(ty) };
    if natural < 16 { 8 } else { 16 }
}

/// "The natural alignment of a composite type is the maximum of each of the member alignments of the 'top-level' members of
/// the composite type i.e. before any alignment adjustment of the entire composite is applied."
pub(super) const fn natural_alignment(ty: &Type) -> usize {
    match ty.passed_as().kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            let (mut natural, mut i) = (1, 0);
            while i < fields.len() {
                // Members of packed structs are aligned to less than their types.
                let align = if fields[i].ty.align < ty.align { fields[i].ty.align } else { ty.align };
                natural = if align > natural { align } else { natural };
                i += 1;
            }
            natural
        }
        _ => ty.align,
    }
}
