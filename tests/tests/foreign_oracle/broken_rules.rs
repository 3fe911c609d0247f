//! Where compilers break the rules, or chose otherwise than `cbframe::abi` says. Each is about as narrow as it can be told by
//! types.

use cbframe::abi::{Abi, Parameter, Place, Signature};
use cbframe::types::{Kind, Type};

use crate::signatures::contains;
use crate::targets::Compiler::{self, Clang, Gcc};

/// The reason why `compiler` is not asked about a signature: what it has there that is not ours.
pub(crate) fn broken_rule(compiler: Compiler, signature: &Signature) -> Option<&'static str> {
    let layout = signature.layout();
    let placed = || layout.parameters().iter();
    let any = |is: fn(&Type) -> bool| placed().any(|parameter| is(&parameter.ty));
    match (compiler, layout.abi()) {
        (Gcc, Abi::Lp64d) if any(has_empty_union) || has_empty_union(&layout.result().ty) => {
            Some("an empty union is not ignored")
        }
        (Gcc, Abi::Lp64d | Abi::Aapcs | Abi::AapcsVfp) if any(|ty| ty.size == 0 && ty.align >= 8) => {
            Some("nothing is aligned on the stack")
        }
        (Clang, Abi::Aapcs64 | Abi::AapcsVfp) if placed().any(is_packed_on_stack) => {
            Some("packed floats and vectors are aligned on the stack")
        }
        (Clang, Abi::X86 { windows: false, .. }) if any(is_aligned_inside) => {
            Some("__float128, and a vector in a struct, at 4 bytes on the stack")
        }
        (Clang, Abi::X86 { windows: false, .. }) if any(has_padded_union) => Some("a union without its padding"),
        // LLVM's callers reckon with a multiple of 16 bytes, its callees pop what there is.
        (Clang, Abi::X86 { windows: false, .. })
            if layout.pops() > 4 && placed().any(|it| is_vector(&it.ty) && matches!(it.place, Place::Stack(_))) =>
        {
            Some("callers have more popped than callees pop")
        }
        _ => None,
    }
}

fn is_vector(ty: &Type) -> bool {
    match ty.kind {
        Kind::MaybeUninit { of } => is_vector(of),
        _ => matches!(ty.kind, Kind::Vector),
    }
}

fn has_empty_union(ty: &Type) -> bool {
    contains(ty, &|ty| ty.size == 0 && matches!(ty.kind, Kind::Union { .. }))
}

/// Whether there is a float or a vector in it that is aligned to more than it.
fn is_packed_on_stack(parameter: &Parameter) -> bool {
    let whole = &parameter.ty;
    let is_wider = |ty: &Type| matches!(ty.kind, Kind::Float | Kind::Vector) && ty.align > whole.align;
    matches!(parameter.place, Place::Stack(_)) && contains(whole, &is_wider)
}

/// Whether there is a scalar in it that is aligned to 16 bytes, but if it is a vector itself.
fn is_aligned_inside(ty: &Type) -> bool {
    !is_vector(ty) && contains(ty, &|ty| ty.align == 16 && matches!(ty.kind, Kind::Float | Kind::Vector))
}

/// Whether there is a union in it that no member fills.
fn has_padded_union(ty: &Type) -> bool {
    contains(ty, &|ty| match ty.kind {
        Kind::Union { fields } => ty.size > 0 && fields.iter().all(|field| field.ty.size < ty.size),
        _ => false,
    })
}
