//! What compilers do differently: which signatures one of them does not call, and why.

use crate::signatures::{Family, Signature};
use crate::types::{Cpu, Kind, Type};

/// A C compiler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compiler {
    /// gcc 12.
    Gcc,
    /// clang 19.
    Clang,
}

impl Compiler {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Gcc, Self::Clang];

    /// Why the compiler is no caller of this signature: it differs from what is specified, or from the others where
    /// nothing is.
    #[must_use]
    pub fn refuses(self, signature: &Signature) -> Option<&'static str> {
        let has = |kind: Kind| signature.types().any(|ty| ty.has(|scalar| scalar.kind == kind));
        // As a parameter or the result itself, not within a struct.
        let is = |ty: &Type, kind: Kind| ty.scalar().is_some_and(|scalar| scalar.kind == kind);
        let passes = |kind: Kind| signature.types().any(|ty| is(ty, kind));
        let returns = |kind: Kind| signature.result.as_ref().is_some_and(|ty| is(ty, kind));
        match (self, signature.family) {
            (Self::Clang, Family::SysV64) if signature.types().any(|ty| ty.size() <= 16 && ty.has_torn_union()) => {
                // LLVM issues 76017 and 83388. As in `union { struct { float a; double b; } a; double b; }`: the upper
                // half of `b` is not passed.
                Some("loses bytes of a union that are padding in one of its members")
            }
            (Self::Clang, Family::SysV64) if has(Kind::Wide) && signature.integer_registers() > 6 => {
                // LLVM issue 123935.
                Some("wastes r9 after an `__int128` that does not fit into registers")
            }
            (Self::Clang, Family::SysV64) if signature.types().any(|ty| ty.any(&has_vector_and_empty)) => {
                // An empty field has no class, so such a struct has those of the vector (psABI 3.2.3).
                Some("passes a struct with a 256-bit or 512-bit vector in memory if an empty field is beside it")
            }
            (Self::Clang, Family::Win64) if signature.result.as_ref().is_some_and(|ty| ty.size() == 0) => {
                Some("returns an empty struct in memory; gcc and rustc do not")
            }
            (Self::Gcc, Family::Win64) if returns(Kind::Vector) && signature.cpu() > Cpu::Any => {
                Some("returns `__m256` and `__m512` in memory; Microsoft's compiler, clang and rustc do not")
            }
            (Self::Gcc, Family::Win64) if passes(Kind::Half) => {
                Some("passes `_Float16` as an integer; clang and rustc do not")
            }
            (Self::Clang, Family::Win64) if returns(Kind::LongDouble) => {
                Some("returns `long double` in st(0); gcc and all compilers for MinGW do not")
            }
            (Self::Clang, Family::Win64) if passes(Kind::Quad) => {
                Some("passes `__float128` in a vector register; gcc does not")
            }
            _ => None,
        }
    }
}

/// Whether it is a struct with a vector that is wider than 16 bytes and a field without bytes.
fn has_vector_and_empty(ty: &Type) -> bool {
    ty.cpu() > Cpu::Any
        && ty.aggregate().is_some_and(|found| !found.union && found.fields.iter().any(|field| field.size() == 0))
}
