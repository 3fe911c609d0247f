//! Where compilers break the rules, or chose otherwise than `cbframe::abi` says.

use cbframe::abi::{Abi, Parameter, Place, Signature};
use cbframe::types::{Kind, Type};

use crate::targets::Compiler;

/// The reason why `compiler` is not asked about a signature: what it has there that is not ours.
pub(crate) fn broken_rule(compiler: Compiler, signature: &Signature) -> Option<&'static str> {
    let layout = signature.layout();
    let any = |is: fn(&Type) -> bool| layout.parameters().iter().any(|parameter| is(&parameter.ty));
    let placed = || layout.parameters().iter();
    match (compiler, layout.abi()) {
        (Compiler::Clang, Abi::X86 { windows: false, .. }) if any(is_aligned_inside) => {
            Some("__float128, and a vector in a struct, at 4 bytes on the stack")
        }
        (Compiler::Gcc, Abi::Lp64d) if any(has_empty_union) || has_empty_union(&layout.result().ty) => {
            Some("an empty union is not ignored")
        }
        (Compiler::Gcc, Abi::Lp64d) if any(|ty| ty.size == 0 && ty.align > 8) => {
            Some("nothing is aligned on the stack")
        }
        // LLVM's callers reckon with a multiple of 16 bytes, its callees pop what there is.
        (Compiler::Clang, Abi::X86 { windows: false, .. })
            if layout.pops() > 4 && placed().any(|it| is_vector(&it.ty) && matches!(it.place, Place::Stack(_))) =>
        {
            Some("callers have more popped than callees pop")
        }
        (Compiler::Clang, Abi::Aapcs64) if placed().any(is_packed_on_stack) => {
            Some("packed structs of __float128 or a vector at 16 bytes on the stack")
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

fn is_packed_on_stack(parameter: &Parameter) -> bool {
    matches!(parameter.place, Place::Stack(_)) && parameter.ty.align < 16 && contains_aligned(&parameter.ty)
}

fn has_empty_union(ty: &Type) -> bool {
    match ty.kind {
        Kind::Union { .. } if ty.size == 0 => true,
        Kind::Struct { fields } | Kind::Union { fields } => fields.iter().any(|field| has_empty_union(&field.ty)),
        Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => has_empty_union(element),
        _ => false,
    }
}

/// Whether there is a scalar in it that is aligned to 16 bytes, but if it is a vector itself.
fn is_aligned_inside(ty: &Type) -> bool {
    match ty.kind {
        Kind::MaybeUninit { of } => is_aligned_inside(of),
        Kind::Vector => false,
        _ => contains_aligned(ty),
    }
}

fn contains_aligned(ty: &Type) -> bool {
    match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => fields.iter().any(|field| contains_aligned(&field.ty)),
        Kind::Array { element, .. } | Kind::Complex { element } | Kind::MaybeUninit { of: element } => {
            contains_aligned(element)
        }
        _ => ty.align == 16,
    }
}
