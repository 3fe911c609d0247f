//! What is known of a callback's signature before it is called, in a form that calls are quick with.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::object::Object;
#[cfg(feature = "std")]
use super::record::Recorder;
use crate::abi::{Abi, Parameter, Place, Signature, extension};
use crate::arch::{Seen, Spot};
use crate::types::{Kind, Type};

/// All that a call needs to know.
pub(super) struct Prepared {
    pub(super) signature: Signature,
    pub(super) seen: Seen,
    pub(super) unwind: bool,
    /// What C gets where the process would be aborted otherwise.
    pub(super) fallback: Option<Object<'static>>,
    #[cfg(feature = "std")]
    pub(super) recorder: Option<Recorder>,
    pub(super) arguments: Box<[Slot]>,
    pub(super) result: Slot,
    pub(super) way: Way,
}

/// Where a value is, and what.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) spot: Spot,
    pub(super) shape: Shape,
}

/// How a result gets to its place.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// There is none.
    Nothing,
    /// As a word, so many bytes from the state, of which that many bits are not the value's and have to be its sign; 0 for
    /// zeros.
    Word(i32, u32),
    /// In memory, whose address was passed.
    Memory,
    /// Otherwise.
    Other,
}

impl Slot {
    fn of(parameter: &Parameter) -> Self {
        Self { spot: Spot::of(&parameter.place), shape: Shape::of(&parameter.ty) }
    }
}

impl Way {
    fn of(abi: Abi, result: &Parameter) -> Self {
        match (result.place, Spot::of(&result.place)) {
            _ if matches!(result.ty.kind, Kind::Void) => Self::Nothing,
            (Place::Hidden { .. }, _) => Self::Memory,
            (Place::Registers(_), Spot::At(offset))
                if matches!(abi, Abi::SysV64 | Abi::Win64) && result.ty.size <= 8 =>
            {
                let signed = extension(&result.ty) == 2;
                Self::Word(offset, if signed { 32 - 8 * result.ty.size as u32 } else { 0 })
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
        Arc::new(Self {
            signature: signature.clone(),
            seen,
            unwind: signature.layout().unwinds(),
            fallback,
            #[cfg(feature = "std")]
            recorder,
            arguments: signature.parameters().iter().map(Slot::of).collect(),
            result: Slot::of(signature.result()),
            way: Way::of(signature.abi(), signature.result()),
        })
    }
}

/// What tells that a value can be read or written as some scalar type without a closer look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape(u16);

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
        Self(kind << 8 | ty.size as u16)
    }

    /// Whether both are the shape of the same scalar type.
    #[inline(always)]
    pub(super) const fn fits(self, other: Self) -> bool {
        self.0 == other.0 && self.0 != 0
    }
}
