//! `abi = "custom"`: places that a callback names itself, and which types can be there.

use super::{Cursor, Parameter, Parts, Place, Placed, Register};
use crate::types::{Kind, Message, Type};

/// A place as a callback names it.
#[derive(Clone, Copy, Debug)]
pub enum Spot {
    /// The low bytes of a register, which are called so.
    Register {
        /// The name of these bytes: `ecx`.
        name: &'static str,
        /// The register as a whole.
        register: Register,
        /// How many bytes have that name.
        size: u8,
    },
    /// So many bytes above the return address's end.
    Stack(u32),
}

impl Spot {
    /// What is wrong with a value of this type in this place.
    pub(crate) const fn misfit(&self, ty: &Type, is_result: bool) -> Option<Message> {
        let message = Message::new("cbframe: `").text(ty.name);
        if ty.size == 0 {
            return Some(message.text("` has no bytes, so that it is nowhere: remove it"));
        }
        let Self::Register { name, register, size } = *self else { return None };
        let general = matches!(register, Register::Integer(_));
        let message = match (ty.passed_as().kind, general) {
            (Kind::Float, true) if matches!(ty.size, 4 | 8) => {
                let bits = if ty.size == 4 { "u32` and `f32::from_bits" } else { "u64` and `f64::from_bits" };
                message
                    .text("` is a float, and `")
                    .text(name)
                    .text("` a general register: take its bits, as `")
                    .text(bits)
                    .text("`")
            }
            (Kind::Float | Kind::Vector | Kind::X87 | Kind::Complex { .. }, true) => message
                .text("` is no integer, and `")
                .text(name)
                .text("` a general register: take its bits as integers"),
            (Kind::Bool | Kind::Int { .. } | Kind::Pointer { .. } | Kind::Enum { .. }, false) => message
                .text("` is no float, and `")
                .text(name)
                .text("` a vector register: take its bits, as `f32`, `f64` or `__m128i`"),
            (Kind::Struct { .. } | Kind::Union { .. } | Kind::X87 | Kind::Complex { .. }, false) => message
                .text("` is no float or vector: what lies where in `")
                .text(name)
                .text("` is not known; take `f64` or `__m128` and its bits"),
            (Kind::Struct { .. } | Kind::Union { .. }, true) if !matches!(ty.size, 1 | 2 | 4 | 8) => message
                .text("` has ")
                .number(ty.size)
                .text(" bytes: a general register holds structs of 1, 2, 4 or 8; take integers, one for each register"),
            _ if ty.size > size as usize => {
                message.text("` has ").number(ty.size).text(" bytes, and `").text(name).text("` ").number(size as usize)
            }
            // What would the rest of the name hold?
            _ if is_result && general && ty.size != size as usize => message
                .text("` has ")
                .number(ty.size)
                .text(" bytes, and `")
                .text(name)
                .text("` ")
                .number(size as usize)
                .text(": name the bytes that the result has"),
            _ => return None,
        };
        Some(message)
    }

    const fn place(&self, ty: &Type) -> Place {
        match *self {
            Self::Register { register, .. } => Place::Registers(Parts::one(register, ty.size)),
            Self::Stack(offset) => Place::Stack(offset),
        }
    }
}

/// The end of a value of this type at `offset` on the stack.
const fn end(offset: u32, ty: &Type) -> usize {
    offset as usize + ty.size
}

/// What is wrong with two values on the stack: whether they overlap.
pub(crate) const fn overlap(offset: u32, ty: &Type, before: u32, other: &Type) -> Option<Message> {
    if end(offset, ty) <= before as usize || end(before, other) <= offset as usize {
        return None;
    }
    Some(
        Message::new("cbframe: these bytes overlap another parameter's, a `")
            .text(other.name)
            .text("` which lies from ")
            .number(before as usize)
            .text(" up to ")
            .number(end(before, other)),
    )
}

/// Places a signature whose parameters, with names and types, lie where the spots say, and whose return pops so many
/// bytes.
pub(crate) const fn placed<const N: usize>(
    parameters: [(&'static str, Type); N],
    spots: [Spot; N],
    result: Option<Spot>,
    ty: Type,
    pops: u32,
) -> Placed<N> {
    let place = match result {
        Some(spot) => spot.place(&ty),
        None => Place::Nothing,
    };
    let result = Parameter { name: "", ty, place };
    let mut placed = Placed { parameters: [result; N], result, end: Cursor::START, pops, next: None };
    let mut i = 0;
    while i < N {
        let (name, ty) = parameters[i];
        placed.parameters[i] = Parameter { name, ty, place: spots[i].place(&ty) };
        if let Spot::Stack(offset) = spots[i] {
            let end = crate::types::round_up(end(offset, &ty), 8);
            assert!(end <= u32::MAX as usize, "cbframe: 4 GiB of arguments on the stack");
            placed.end.stack = if end as u32 > placed.end.stack { end as u32 } else { placed.end.stack };
        }
        i += 1;
    }
    placed
}
