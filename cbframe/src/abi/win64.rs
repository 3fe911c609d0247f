//! Windows x64: Microsoft, "x64 calling convention" and "x64 ABI conventions".
//!
//! Rules, by the paragraphs of "Parameter passing" and "Return values":
//!
//! 1. Every argument takes one *position*. The first four positions have a register each, rcx, rdx, r8, r9 for
//!    integers and xmm0 to xmm3 for floats, by position: a float in the second place goes to xmm1 and rdx is
//!    skipped.
//! 2. Structs and unions of 1, 2, 4 or 8 bytes are passed as integers of that size; any other, by the address
//!    of a copy that the caller made, in the position's integer register or on the stack.
//! 3. The caller reserves 32 bytes of home space for the first four positions; the fifth lies above it.
//! 4. A result that fits in 64 bits (1, 2, 4 or 8 bytes) is in rax, a float in xmm0. For any other the caller
//!    passes an address as a first argument, which takes a position and comes back in rax.
//!
//! What Microsoft's compiler does not have, and others treat differently, is listed with `Abi::Win64`.
//!
//! A zero-sized type is nothing Microsoft has (in C its compiler gives an empty struct four bytes). gcc, clang
//! and rustc pass a zero-sized argument by its address: it takes a position. For a zero-sized result gcc and
//! rustc, and so cbframe, pass nothing; clang passes the address of one as in 4.

use super::{Cursor, Parts, Place, Pointer, Register};
use crate::types::{Kind, Type};

pub(crate) const INTEGERS: [Register; 4] = [Register::RCX, Register::RDX, Register::R8, Register::R9];

/// The bytes of home space below the stack arguments.
const HOME: u32 = 32;

/// Whether a value of this type fits a register or a stack word (rules 2 and 4).
const fn fits_a_word(ty: &Type) -> bool {
    matches!(ty.size, 1 | 2 | 4 | 8)
}

/// The place of the result, and the cursor before the first parameter.
pub(super) const fn start(result: &Type) -> (Cursor, Place) {
    let cursor = Cursor { stack: HOME, ..Cursor::START };
    match result.passed_as().kind {
        _ if result.size == 0 => (cursor, Place::Nothing),
        Kind::Vector => (cursor, in_register(result, Register::Vector(0))),
        Kind::Int { .. } if result.size == 16 => (cursor, in_register(result, Register::Vector(0))),
        Kind::Float if fits_a_word(result) => (cursor, in_register(result, Register::Vector(0))),
        _ if fits_a_word(result) => (cursor, in_register(result, Register::RAX)),
        _ => {
            let place = Place::Hidden { arrives: Pointer::Register(INTEGERS[0]), leaves: Some(Register::RAX) };
            (Cursor { integers: 1, ..cursor }, place)
        }
    }
}

/// The place of a result that is in `register` as a whole.
const fn in_register(result: &Type, register: Register) -> Place {
    Place::Registers(Parts::one(register, result.size))
}

/// The place of the next parameter, and the cursor behind it.
pub(super) const fn next(cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    let position = cursor.integers as usize;
    let by_reference = !fits_a_word(ty);
    if position < INTEGERS.len() {
        let after = Cursor { integers: cursor.integers + 1, ..cursor };
        let place = match ty.passed_as().kind {
            _ if by_reference => Place::Reference(Pointer::Register(INTEGERS[position])),
            Kind::Float => Place::Registers(Parts::one(Register::Vector(cursor.integers), ty.size)),
            _ => Place::Registers(Parts::one(INTEGERS[position], ty.size)),
        };
        return (after, place);
    }
    let place = if by_reference { Place::Reference(Pointer::Stack(cursor.stack)) } else { Place::Stack(cursor.stack) };
    (Cursor { stack: cursor.stack + 8, ..cursor }, place)
}
