//! What text leaves to the platform: how large `long` is.

use crate::abi::{DataModel, Target};
use crate::types::{Kind, Type, keep_type};

/// A target and the sizes of its types, which may have been changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Platform {
    pub(super) target: Target,
    pub(super) model: DataModel,
}

impl Platform {
    /// That of a target.
    pub(super) fn new(target: Target) -> Self {
        Self { target, model: *target.data_model() }
    }

    /// An integer type by its size in bytes: 1, 2, 4, 8 or 16.
    pub(super) fn int(&self, size: usize, signed: bool) -> Type {
        match (size, signed) {
            (1, true) => Type::I8,
            (1, false) => Type::U8,
            (2, true) => Type::I16,
            (2, false) => Type::U16,
            (4, true) => Type::I32,
            (4, false) => Type::U32,
            (8, true) => self.model.long_long,
            (8, false) => self.model.unsigned_long_long,
            (_, true) => Type::I128,
            (_, false) => Type::U128,
        }
    }

    /// `_Complex` of this float.
    pub(super) fn complex(&self, part: Type) -> Option<Type> {
        let name = match part {
            Type::F32 => "float _Complex",
            _ if part == self.model.double => "double _Complex",
            _ if part == self.model.long_double || Some(part) == self.long_double() => "long double _Complex",
            _ => return None,
        };
        let kind = Kind::Complex { element: keep_type(part) };
        Some(Type { name, size: 2 * part.size, align: part.align, kind })
    }

    /// What `LongDouble` is, where C has a larger type than `double`. On 64-bit Windows it is MinGW's, not Microsoft's.
    pub(super) fn long_double(&self) -> Option<Type> {
        let of =
            if matches!(self.target, Target::X86_64Windows) { Target::X86_64Unix.data_model() } else { &self.model };
        Some(of.long_double).filter(|ty| ty.size > of.double.size)
    }

    /// Whether it is Windows, as Microsoft's compiler has it.
    pub(super) fn is_windows(&self) -> bool {
        matches!(self.target, Target::X86_64Windows | Target::X86Windows)
    }
}
