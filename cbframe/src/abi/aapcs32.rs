//! 32-bit Arm: "Procedure Call Standard for the Arm Architecture", section 6.4 "Result return" and 6.5 "Parameter passing"
//! of the base standard, and 7.1 "VFP and SIMD" for the variant with VFP registers. The numbers in comments are those of its
//! stages B and C. What the standard calls NCRN and NSAA are fields of the [`Cursor`], whose vectors are a set of the
//! single-precision registers that have been given out.

use super::aapcs64::natural_alignment;
use super::homogeneous::Homogeneous;
use super::scalars::Scalars;
use super::{Cursor, Parts, Place, Pointer, Register};
use crate::types::{Kind, Type, round_up};

/// r0 to r3 carry arguments.
const REGISTERS: usize = 4;

/// s0 to s15, which are d0 to d7 and q0 to q3, carry arguments.
const SINGLES: usize = 16;

/// Why no value of this type is passed, if so.
pub(super) const fn refusal(vfp: bool, ty: &Type) -> Option<&'static str> {
    if vfp && let Some(Homogeneous { size: 2, .. }) = Homogeneous::of(ty) {
        return Some("made of nothing but floats of 16 bits, each of which has a register in GCC, and none in Clang");
    }
    // Section 5.1: containerized vectors have 64 or 128 bits.
    Scalars { int128: false, float16: true, float128: false, x87: false, vectors: &[8, 16] }.refusal(ty)
}

/// "Result return": the place of the result, and the cursor before the first parameter.
pub(super) const fn start(vfp: bool, result: &Type) -> (Cursor, Place) {
    let cursor = Cursor::START;
    if vfp && let Some(candidate) = candidate(result) {
        return (cursor, next_vfp(cursor, result, candidate).1);
    }
    let place = match result.passed_as().kind {
        _ if result.size == 0 => Place::Nothing,
        // "A Composite Type larger than 4 bytes … is stored in memory at an address passed as an extra argument". A.4: in r0.
        Kind::Struct { .. } | Kind::Union { .. } | Kind::Complex { .. } if result.size > 4 => {
            let arrives = Pointer::Register(Register::Integer(0));
            return (cursor.and(1, 0), Place::Hidden { arrives, leaves: None });
        }
        _ => Place::Registers(words(result, 0, result.size)),
    };
    (cursor, place)
}

/// "Parameter passing": the place of the next parameter, and the cursor behind it.
pub(super) const fn next(vfp: bool, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if ty.size == 0 {
        return (cursor, Place::Nothing);
    }
    if vfp && let Some(candidate) = candidate(ty) {
        return next_vfp(cursor, ty, candidate);
    }
    // C.3
    let align = alignment(ty);
    let first = round_up(cursor.integers as usize, align / 4);
    let count = ty.size.div_ceil(4);
    // C.4
    if first + count <= REGISTERS {
        let cursor = Cursor { integers: (first + count) as u8, ..cursor };
        return (cursor, Place::Registers(words(ty, first, ty.size)));
    }
    // C.6
    let rest = Cursor { integers: REGISTERS as u8, ..cursor };
    // C.5: "the argument is split between core registers and the stack".
    if first < REGISTERS && cursor.stack == 0 {
        let size = 4 * (REGISTERS - first);
        let (rest, offset) = rest.push(round_up(ty.size, 4) - size, 4);
        return (rest, Place::Split(words(ty, first, size), offset));
    }
    on_stack(rest, ty)
}

/// C.7 and C.8.
const fn on_stack(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    let (cursor, offset) = cursor.push(round_up(ty.size, 4), alignment(ty));
    (cursor, Place::Stack(offset))
}

/// The elements of a VFP co-processor register candidate (section 7.1.2.1): a float, a vector, or a homogeneous aggregate.
const fn candidate(ty: &Type) -> Option<Homogeneous> {
    match ty.passed_as().kind {
        Kind::Float => Some(Homogeneous { size: ty.size, count: 1, vectors: false }),
        Kind::Vector => Some(Homogeneous { size: ty.size, count: 1, vectors: true }),
        _ => Homogeneous::of(ty),
    }
}

/// C.1.cp and C.2.cp: the lowest registers in a row that are free, which may be below others that are not.
const fn next_vfp(cursor: Cursor, ty: &Type, Homogeneous { size, count, .. }: Homogeneous) -> (Cursor, Place) {
    // A half is in the low bits of a single-precision register.
    let each = size.div_ceil(4);
    let (all, mut first) = ((1u32 << (each * count)) - 1, 0);
    while first + each * count <= SINGLES {
        let wanted = (all << first) as u16;
        if cursor.vectors & wanted == 0 {
            let (mut parts, mut i) = (Parts::NONE, 0);
            while i < count {
                parts = parts.and(Register::Vector((first + i * each) as u8), i * size, size);
                i += 1;
            }
            return (Cursor { vectors: cursor.vectors | wanted, ..cursor }, Place::Registers(parts));
        }
        first += each;
    }
    on_stack(Cursor { vectors: u16::MAX, ..cursor }, ty)
}

/// The first `size` bytes of a value in core registers from `first` on.
const fn words(ty: &Type, first: usize, size: usize) -> Parts {
    let (mut parts, mut i) = (Parts::NONE, 0);
    let end = if size < ty.size { size } else { ty.size };
    while 4 * i < end {
        let left = if end - 4 * i < 4 { end - 4 * i } else { 4 };
        parts = parts.and(Register::Integer((first + i) as u8), 4 * i, left);
        i += 1;
    }
    parts
}

/// B.5: the alignment of the copy that is passed, 4 or 8.
const fn alignment(ty: &Type) -> usize {
    if natural_alignment(ty) < 8 { 4 } else { 8 }
}
