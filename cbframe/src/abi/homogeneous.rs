//! Homogeneous aggregates: structs and unions of up to four floats, or vectors, of one type.
//!
//! Arm's standards (AAPCS64, section 5.9.5; AAPCS32, section 5.3.5) and Microsoft's vectorcall pass each element in a
//! register of its own.

use crate::types::{Kind, Type};

/// So many elements of `size` bytes.
#[derive(Clone, Copy)]
pub(crate) struct Homogeneous {
    pub(crate) size: usize,
    pub(crate) count: usize,
    /// Whether they are vectors, and not floats.
    pub(crate) vectors: bool,
}

impl Homogeneous {
    /// The elements of a struct, a union or a complex number.
    pub(crate) const fn of(ty: &Type) -> Option<Self> {
        match (ty.passed_as().kind, Self::elements(ty)) {
            (Kind::Struct { .. } | Kind::Union { .. } | Kind::Complex { .. }, Some(it))
                if matches!(it.count, 1..=4) =>
            {
                Some(it)
            }
            _ => None,
        }
    }

    /// The elements that a value consists of, if it consists of nothing else; none if there are no bytes.
    const fn elements(ty: &Type) -> Option<Self> {
        let (mut whole, mut i) = (Self { size: 0, count: 0, vectors: false }, 0);
        match ty.passed_as().kind {
            Kind::Float => return Some(Self { size: ty.size, count: 1, vectors: false }),
            Kind::Vector => return Some(Self { size: ty.size, count: 1, vectors: true }),
            Kind::Complex { element } => return Self::repeated(element, 2),
            // clang and gcc look at the type of elements that are not there.
            Kind::Array { len: 0, .. } => return None,
            Kind::Array { element, len } => return Self::repeated(element, len),
            Kind::Struct { fields } => {
                while i < fields.len() {
                    match Self::elements(&fields[i].ty) {
                        Some(field) if whole.is_like(field) => {
                            let count = whole.count.saturating_add(field.count);
                            whole = if field.count == 0 { whole } else { Self { count, ..field } };
                        }
                        _ => return None,
                    }
                    i += 1;
                }
            }
            Kind::Union { fields } => {
                while i < fields.len() {
                    match Self::elements(&fields[i].ty) {
                        Some(field) if whole.is_like(field) => {
                            whole = if field.count > whole.count { field } else { whole };
                        }
                        _ => return None,
                    }
                    i += 1;
                }
            }
            _ => return None,
        }
        // Without padding.
        if whole.size.saturating_mul(whole.count) == ty.size { Some(whole) } else { None }
    }

    const fn repeated(element: &Type, len: usize) -> Option<Self> {
        match Self::elements(element) {
            Some(it) => Some(Self { count: it.count.saturating_mul(len), ..it }),
            None => None,
        }
    }

    /// Whether elements of both are of one type, as far as there are any.
    const fn is_like(self, other: Self) -> bool {
        self.count == 0 || other.count == 0 || self.size == other.size && self.vectors == other.vectors
    }
}
