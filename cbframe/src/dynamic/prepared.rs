//! What is known of a callback's signature before it is called, in a form that calls are quick with.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::array;

use super::object::Object;
#[cfg(feature = "std")]
use super::record::Recorder;
use crate::abi::{Abi, Parameter, Place, Signature, extension};
use crate::arch::{Registers, Seen, Spot, seen_arguments};
use crate::pool::Meta;
use crate::types::{Kind, Type};

/// All that a call needs to know.
pub(super) struct Prepared {
    pub(super) signature: Signature,
    pub(super) meta: &'static Meta,
    pub(super) seen: Seen,
    /// Whether a panic may leave the callback.
    pub(super) unwind: bool,
    /// What C gets where the process would be aborted otherwise.
    pub(super) fallback: Option<Object<'static>>,
    #[cfg(feature = "std")]
    pub(super) recorder: Option<Recorder>,
    /// The first arguments, and nothing where there are fewer: which of them is asked for is nearly always a constant, and then
    /// no length is looked at.
    few: [Slot; FEW],
    more: Box<[Slot]>,
    /// Whether there is more to do before the callback than to run it: a result in memory, or a recorder.
    pub(super) prelude: bool,
    pub(super) way: Way,
    /// Where a result is, as bytes from the state, that goes as a word.
    pub(super) word: i32,
    /// The registers that the callback sees, if it sees the arguments' only.
    pub(super) shown: Registers,
    /// What a result can be written as that goes as a word, unless there is more to do after it.
    pub(super) result: Shape,
}

/// How many arguments calls are quickest with.
const FEW: usize = 8;

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
    /// As a word with zeros behind the value.
    Word,
    /// In memory, whose address was passed.
    Memory,
    /// Otherwise.
    Other,
}

impl Slot {
    const NONE: Self = Self { spot: Spot::Nothing, shape: Shape::OTHER, offset: 0 };

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
    /// And, for a word, where it goes.
    fn of(abi: Abi, result: &Parameter) -> (Self, i32) {
        match (result.place, Spot::of(&result.place)) {
            _ if matches!(result.ty.kind, Kind::Void) => (Self::Nothing, 0),
            (Place::Hidden { .. }, _) => (Self::Memory, 0),
            // Narrow ones are extended with their sign otherwise.
            (Place::Registers(_), Spot::At(offset))
                if matches!(abi, Abi::SysV64 | Abi::Win64 | Abi::Aapcs64)
                    && result.ty.size <= 8
                    && extension(&result.ty) != 2 =>
            {
                (Self::Word, offset)
            }
            _ => (Self::Other, 0),
        }
    }
}

impl Prepared {
    pub(super) fn new(
        signature: &Signature,
        meta: &'static Meta,
        seen: Seen,
        fallback: Option<Object<'static>>,
        #[cfg(feature = "std")] recorder: Option<Recorder>,
    ) -> Arc<Self> {
        #[cfg(feature = "std")]
        let recorded = recorder.is_some();
        #[cfg(not(feature = "std"))]
        let recorded = false;
        let (way, word) = Way::of(signature.abi(), signature.result());
        let result = match way {
            Way::Word if !recorded => Shape::of(&signature.result().ty),
            _ => Shape::OTHER,
        };
        let mut slots = signature.parameters().iter().map(Slot::of);
        let few = array::from_fn(|_| slots.next().unwrap_or(Slot::NONE));
        Arc::new(Self {
            signature: signature.clone(),
            meta,
            seen,
            unwind: signature.layout().unwinds(),
            fallback,
            #[cfg(feature = "std")]
            recorder,
            few,
            more: slots.collect(),
            prelude: recorded || matches!(way, Way::Memory),
            way,
            word,
            shown: seen_arguments(&signature.layout()),
            result,
        })
    }

    /// The argument `n`; nothing, of no shape, if there is none.
    #[inline(always)]
    pub(super) fn slot(&self, n: usize) -> Slot {
        if n < FEW { self.few[n] } else { self.more.get(n - FEW).copied().unwrap_or(Slot::NONE) }
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
