//! What is known of a callback's signature before it is called, in a form that calls are quick with.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::object::Object;
#[cfg(feature = "std")]
use super::record::Recorder;
use crate::abi::{Abi, Parameter, Place, Signature, extension};
use crate::arch::{Registers, Seen, Spot, seen_arguments};
use crate::types::{Kind, Type};

/// All that a call needs to know.
pub(super) struct Prepared {
    pub(super) signature: Signature,
    pub(super) seen: Seen,
    /// Whether a panic may leave the callback.
    pub(super) unwind: bool,
    /// What C gets where the process would be aborted otherwise.
    pub(super) fallback: Option<Object<'static>>,
    #[cfg(feature = "std")]
    pub(super) recorder: Option<Recorder>,
    pub(super) arguments: Box<[Slot]>,
    pub(super) way: Way,
    /// The registers that the callback sees, if it sees the arguments' only.
    pub(super) shown: Registers,
    /// What a result can be written as that goes as a word.
    pub(super) result: Shape,
}

/// Where an argument is, and what.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) spot: Spot,
    /// What it can be read as where it lies, [`offset`](Self::offset) bytes from the state.
    pub(super) shape: Shape,
    pub(super) offset: i32,
}

/// How a result gets to its place.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// There is none.
    Nothing,
    /// As a word with zeros behind the value, so many bytes from the state.
    Word(i32),
    /// In memory, whose address was passed.
    Memory,
    /// Otherwise.
    Other,
}

impl Slot {
    fn of(parameter: &Parameter) -> Self {
        let spot = Spot::of(&parameter.place);
        let (shape, offset) = match spot {
            Spot::At(offset) => (Shape::of(&parameter.ty), offset),
            _ => (Shape::OTHER, 0),
        };
        Self { spot, shape, offset }
    }
}

impl Way {
    fn of(abi: Abi, result: &Parameter) -> Self {
        match (result.place, Spot::of(&result.place)) {
            _ if matches!(result.ty.kind, Kind::Void) => Self::Nothing,
            (Place::Hidden { .. }, _) => Self::Memory,
            // Narrow ones are extended with their sign otherwise.
            (Place::Registers(_), Spot::At(offset))
                if matches!(abi, Abi::SysV64 | Abi::Win64 | Abi::Aapcs64)
                    && result.ty.size <= 8
                    && extension(&result.ty) != 2 =>
            {
                Self::Word(offset)
            }
            _ => Self::Other,
        }
    }
}

impl Prepared {
    pub(super) fn new(
        signature: &Signature,
        seen: Seen,
        fallback: Option<Object<'static>>,
        #[cfg(feature = "std")] recorder: Option<Recorder>,
    ) -> Arc<Self> {
        let way = Way::of(signature.abi(), signature.result());
        let result = match way {
            Way::Word(_) => Shape::of(&signature.result().ty),
            _ => Shape::OTHER,
        };
        Arc::new(Self {
            signature: signature.clone(),
            seen,
            unwind: signature.layout().unwinds(),
            fallback,
            #[cfg(feature = "std")]
            recorder,
            arguments: signature.parameters().iter().map(Slot::of).collect(),
            way,
            shown: seen_arguments(&signature.layout()),
            result,
        })
    }
}

/// What tells that a value can be read or written as some scalar type without a closer look.
// A comparison of 16 bits with a constant would take the decoders of Intel's CPUs long (a length-changing prefix).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape(u32);

impl Shape {
    /// Not that of such a type.
    pub(super) const OTHER: Self = Self(0);

    pub(super) const fn of(ty: &Type) -> Self {
        let kind = match ty.kind {
            Kind::Int { .. } => 1,
            Kind::Float => 2,
            Kind::X87 => 3,
            Kind::Bool => 4,
            Kind::Pointer { nullable: true, pointee_align: 1 } => 5,
            _ => return Self::OTHER,
        };
        Self(kind << 8 | ty.size as u32)
    }

    /// Whether both are the shape of the same scalar type.
    #[inline(always)]
    pub(super) const fn fits(self, other: Self) -> bool {
        self.0 == other.0 && self.0 != 0
    }
}
