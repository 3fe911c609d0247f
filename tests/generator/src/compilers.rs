//! What compilers do differently: which signatures one of them does not call, and why.

use crate::signatures::{Family, Signature, Target};
use crate::types::{Cpu, Field, Kind, Type};

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
            (Self::Clang, Family::SysV64)
                if signature.target == Target::Windows && signature.result.as_ref().is_some_and(has_x87) =>
            {
                Some("returns what belongs on the x87 stack in memory, in programs for Windows")
            }
            (Self::Gcc, Family::SysV64)
                if signature.target == Target::Windows && signature.parameters.iter().any(|ty| ty.align() > 16) =>
            {
                // gcc issue 54412.
                Some("aligns the stack to 16 bytes only, in programs for Windows")
            }
            (Self::Clang, Family::SysV64)
                if signature.named.is_some() && signature.split().0.iter().any(|ty| ty.cpu() > Cpu::Any) =>
            {
                // psABI 3.5.7 speaks of those behind `...`.
                Some("passes 256-bit and 512-bit vectors in front of `...` in memory too")
            }
            (Self::Clang, Family::SysV64) if signature.types().any(|ty| ty.any(&has_array_of_empty)) => {
                // `struct { double a; float b; struct { } c[1]; }`: it divides by the size of an element.
                Some("dies of an array of empty structs behind a float")
            }
            (Self::Clang, Family::SysV64) if signature.types().any(is_taken_for_vector) => {
                Some("takes a union for the vector in it though another member has another class")
            }
            (Self::Clang, Family::SysV64) if signature.types().any(|ty| ty.size() <= 16 && ty.any(&mixes_floats)) => {
                Some("loses half of a union of different floats")
            }
            (Self::Gcc, Family::SysV64)
                if signature.types().any(|ty| ty.size() <= 64 && has_unaligned_empty(ty, 0)) =>
            {
                // psABI 3.2.3, rule 1. It does see that an array without elements is unaligned.
                Some("overlooks that an empty struct in a packed one is unaligned")
            }
            (Self::Gcc, Family::SysV64) if signature.split().1.iter().any(has_vector_union) => {
                // psABI 3.5.7: what is in a save area has 16 bytes for each vector register.
                Some("passes a union of 256-bit or 512-bit vectors behind `...` in a register")
            }
            (Self::Gcc, Family::SysV64) if signature.types().any(|ty| ty.size() <= 16 && ty.any(&repeats_elements)) => {
                Some("classifies all elements of an array as the first")
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
            (Self::Clang, Family::Fastcall | Family::Thiscall) => {
                Some("has other rules for what is no word; gcc's attributes are meant")
            }
            (Self::Clang, Family::Cdecl | Family::Stdcall)
                if signature.types().any(|ty| {
                    ty.aggregate().is_some() && ty.align() >= 16 || ty.has(|scalar| scalar.kind == Kind::Quad)
                }) =>
            {
                Some("aligns `__float128`, and structs with a vector, to 4 bytes on the stack; gcc does not")
            }
            _ => None,
        }
    }
}

/// Whether there is a `long double` in it, with which it may have the class X87.
fn has_x87(ty: &Type) -> bool {
    ty.has(|scalar| matches!(scalar.kind, Kind::LongDouble | Kind::Complex(16)))
}

impl Compiler {
    /// Why the compiler's functions of this signature do not get what its callers pass.
    #[must_use]
    pub fn refuses_callee(self, signature: &Signature) -> Option<&'static str> {
        let behind = signature.split().1;
        match (self, signature.family) {
            // It reads what its own callers put elsewhere: they pass the address.
            (Self::Gcc, Family::Win64) if behind.iter().any(|ty| !matches!(ty.size(), 1 | 2 | 4 | 8)) => {
                Some("takes from lists by value what its callers pass by reference")
            }
            // At -O2 it reads both registers' words at once, as if they lay at a multiple of 16.
            (Self::Gcc, Family::SysV64) if behind.iter().any(|ty| ty.aggregate().is_some() && ty.align() > 8) => {
                Some("takes aligned structs and unions from lists where they are not aligned")
            }
            // At -O2, `union { __m256 a; } f(void)` ends in `vmovdqu (%rax), %ymm0; vzeroupper; ret`.
            (Self::Gcc, Family::SysV64) if signature.result.iter().any(has_vector_union) => {
                Some("clears the upper halves of a union of 256-bit or 512-bit vectors that it returns")
            }
            _ => None,
        }
    }
}

/// Whether it has a vector that is wider than 16 bytes, and a union.
fn has_vector_union(ty: &Type) -> bool {
    ty.cpu() > Cpu::Any && ty.any(&|ty| ty.aggregate().is_some_and(|found| found.union))
}

/// Whether it is a struct with a vector that is wider than 16 bytes and a field without bytes.
fn has_vector_and_empty(ty: &Type) -> bool {
    ty.cpu() > Cpu::Any
        && ty.aggregate().is_some_and(|found| !found.union && found.fields.iter().any(|field| field.size() == 0))
}

/// Whether a struct without bytes lies in it, at this offset, where it is not aligned.
fn has_unaligned_empty(ty: &Type, at: usize) -> bool {
    ty.aggregate().is_some_and(|found| {
        found.fields.iter().zip(found.offsets()).any(|(field, offset)| {
            let at = at + offset;
            let mut elements = (0..field.count().min(2)).map(|i| at + i * field.ty.size());
            field.size() == 0 && !at.is_multiple_of(field.ty.align())
                || elements.any(|at| has_unaligned_empty(&field.ty, at))
        })
    })
}

/// Whether it has an array whose elements have no bytes.
fn has_array_of_empty(ty: &Type) -> bool {
    ty.aggregate()
        .is_some_and(|found| found.fields.iter().any(|field| !field.lengths.is_empty() && field.ty.size() == 0))
}

/// Whether there is a union of more than two eightbytes with a vector, and with an array, which clang forgets there, or
/// padding behind the vector: by psABI 3.2.3, rule 5. (c), it is in memory.
fn is_taken_for_vector(ty: &Type) -> bool {
    ty.any(&|ty| {
        let Some(aggregate) = ty.aggregate().filter(|found| found.union && matches!(ty.size(), 17..=64)) else {
            return false;
        };
        let is_array = |ty: &Type| {
            let fields = ty.aggregate().map(|found| &found.fields[..]).unwrap_or_default();
            fields.iter().any(|field| field.count() > 1 && field.size() > 16)
        };
        let whole = |field: &Field| field.ty.has(|scalar| scalar.kind == Kind::Vector && scalar.size == ty.size());
        ty.has(|scalar| matches!(scalar.kind, Kind::Vector | Kind::Quad))
            && (ty.any(&is_array) || !aggregate.fields.iter().any(whole))
    })
}

/// Whether it is a union with `__float128`, or `_Float16` and `float`, and something else.
fn mixes_floats(ty: &Type) -> bool {
    let has = |kind: Kind, size| ty.has(|scalar| scalar.kind == kind && scalar.size == size);
    ty.aggregate().is_some_and(|found| found.union && found.fields.len() > 1)
        && (has(Kind::Quad, 16) || has(Kind::Half, 2) && has(Kind::Float, 4))
}

/// Whether it has an array of structs whose elements need not have the first one's class: they have integers and floats,
/// or fields that are unaligned in some elements only.
fn repeats_elements(ty: &Type) -> bool {
    let differs = |field: &Field| {
        let has = |test: fn(Kind) -> bool| field.ty.has(|scalar| test(scalar.kind));
        let floats = has(|kind| matches!(kind, Kind::Float | Kind::Half | Kind::Complex(_)));
        let integers = has(|kind| matches!(kind, Kind::Integer { .. } | Kind::Wide));
        let unaligned = field.ty.has(|scalar| scalar.align > field.ty.align());
        field.count() > 1 && field.ty.aggregate().is_some() && (floats && integers || unaligned)
    };
    ty.aggregate().is_some_and(|found| found.fields.iter().any(differs))
}
