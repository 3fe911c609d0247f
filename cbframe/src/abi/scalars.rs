//! Which scalars there are: C has some on a few architectures only, and conventions speak of no others.

use crate::types::{Kind, Type};

/// The scalars of an architecture beside those that C has everywhere.
pub(super) struct Scalars {
    /// `__int128`.
    pub(super) int128: bool,
    /// `_Float16`.
    pub(super) float16: bool,
    /// The float of 128 bits.
    pub(super) float128: bool,
    /// The float of 80 bits.
    pub(super) x87: bool,
    /// The sizes of vectors.
    pub(super) vectors: &'static [usize],
}

impl Scalars {
    /// x86-64 has all but vectors of 64 bits, those of MMX: compilers for Windows differ on them.
    pub(super) const X86_64: Self =
        Self { int128: true, float16: true, float128: true, x87: true, vectors: &[16, 32, 64] };

    /// Why no value of this type is passed, if something in it is no scalar of these: to stand behind "it is".
    pub(super) const fn refusal(&self, ty: &Type) -> Option<&'static str> {
        match ty.kind {
            Kind::Int { .. } if ty.size == 16 && !self.int128 => Some("made of an integer of 128 bits"),
            Kind::Float if ty.size == 2 && !self.float16 => Some("made of a float of 16 bits"),
            Kind::Float if ty.size == 16 && !self.float128 => Some("made of a float of 128 bits"),
            Kind::X87 if !self.x87 => Some("made of a float of 80 bits"),
            Kind::Vector => {
                let mut i = 0;
                while i < self.vectors.len() {
                    if self.vectors[i] == ty.size {
                        return None;
                    }
                    i += 1;
                }
                Some("made of a vector of this size")
            }
            Kind::Complex { element } | Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => {
                self.refusal(element)
            }
            Kind::Struct { fields } | Kind::Union { fields } => {
                let mut i = 0;
                while i < fields.len() {
                    let reason = self.refusal(&fields[i].ty);
                    if reason.is_some() {
                        return reason;
                    }
                    i += 1;
                }
                None
            }
            _ => None,
        }
    }
}
