//! Where gcc 12 and clang 19 break the psABI's rules, or, on Windows, where Microsoft's have nothing to say, chose
//! otherwise than cbframe (the table in `cbframe/src/abi/win64.rs`). Each is about as narrow as it can be told by types.

use cbframe::abi::{Abi, Layout, Parameter, Place, Register};
use cbframe::types::{Kind, Type};

use crate::compilers::Compiler::{self, Clang, ClangForMacos, Gcc};
use crate::signatures::contains;

/// The reason why `compiler` is not asked about a signature: what it has there that is not ours.
pub(crate) fn broken_rule(compiler: Compiler, layout: &Layout<'_>) -> Option<&'static str> {
    let result = &layout.result().ty;
    let placed = || layout.parameters().iter().chain([layout.result()]);
    let any = |is: fn(&Type) -> bool| placed().any(|it| is(&it.ty));
    if compiler == ClangForMacos && any(is_union_with_x87) {
        return Some("a union with long double, which callbacks on macOS refuse");
    }
    let compiler = if compiler == ClangForMacos { Clang } else { compiler };
    match (compiler, layout.abi()) {
        (Gcc, Abi::SysV64) if any(repeats_elements) => Some("all elements of an array classified as the first"),
        (Gcc, Abi::SysV64) if any(has_complex_float16_inside) => Some("_Complex _Float16 in two eightbytes"),
        (Gcc, Abi::Win64) if any(is_float16) => Some("_Float16 in integer registers"),
        (Gcc, Abi::Win64) if is_wide_vector(result) => Some("__m256 and __m512 returned in memory"),
        (Clang, Abi::SysV64) if wastes_r9(layout) => Some("r9 wasted after an __int128"),
        (Clang, Abi::SysV64) if placed().any(splits_float128) => {
            Some("half of a union with __float128 in an integer register")
        }
        (Clang, Abi::SysV64) if any(is_half_float_union) => Some("bytes of a union of float and _Float16 lost"),
        (Clang, Abi::SysV64) if any(is_taken_for_vector) => Some("a union taken for a vector"),
        (Clang, Abi::SysV64) if any(has_vector_beside_nothing) => Some("a vector beside an empty struct in memory"),
        (Clang, Abi::Win64) if any(is_long_double) => Some("long double on the stack and in st(0)"),
        (Clang, Abi::Win64) if any(is_float128) => Some("__float128 in xmm"),
        _ => None,
    }
}

fn scalar(ty: &Type) -> &Type {
    match ty.kind {
        Kind::MaybeUninit { of } => scalar(of),
        _ => ty,
    }
}

fn is_float16(ty: &Type) -> bool {
    matches!(scalar(ty), Type { kind: Kind::Float, size: 2, .. })
}

fn is_float128(ty: &Type) -> bool {
    matches!(scalar(ty), Type { kind: Kind::Float, size: 16, .. })
}

fn is_long_double(ty: &Type) -> bool {
    matches!(scalar(ty).kind, Kind::X87)
}

fn is_union_with_x87(ty: &Type) -> bool {
    contains(ty, &|ty| matches!(ty.kind, Kind::Union { .. }) && contains(ty, &|ty| matches!(ty.kind, Kind::X87)))
}

fn is_wide_vector(ty: &Type) -> bool {
    matches!(scalar(ty), Type { kind: Kind::Vector, size: 32.., .. })
}

/// LLVM issue 123935: an `__int128` that needs two integer registers where one is left goes on the stack, and that one
/// is not given to what follows.
fn wastes_r9(layout: &Layout<'_>) -> bool {
    let r9 = |place: &Place| match place {
        Place::Registers(parts) => parts.as_slice().iter().any(|part| part.register == Register::Integer(9)),
        _ => false,
    };
    let int128 = |ty: &Type| matches!(scalar(ty), Type { kind: Kind::Int { .. }, size: 16, .. });
    let mut behind = layout.parameters().iter().skip_while(|p| !(int128(&p.ty) && matches!(p.place, Place::Stack(_))));
    behind.any(|parameter| r9(&parameter.place))
}

/// gcc classifies the first element of an array and repeats the result over the eightbytes of all. The psABI has each
/// field classified: other elements can lie otherwise in their eightbytes, and those of packed structs be unaligned.
fn repeats_elements(ty: &Type) -> bool {
    fn is_aggregate(ty: &Type) -> bool {
        matches!(ty.kind, Kind::Struct { .. } | Kind::Union { .. } | Kind::Array { .. })
    }
    let is_integer =
        |ty: &Type| matches!(ty.kind, Kind::Bool | Kind::Int { .. } | Kind::Enum { .. } | Kind::Pointer { .. });
    let is_float = |ty: &Type| matches!(ty.kind, Kind::Float | Kind::Complex { .. });
    let differs = |ty: &Type| match ty.kind {
        Kind::Array { element, len: 2.. } if is_aggregate(scalar(element)) => {
            contains(element, &is_integer) && contains(element, &is_float)
                || contains(element, &|scalar| scalar.align > element.align)
        }
        _ => false,
    };
    ty.size <= 16 && contains(ty, &differs)
}

/// clang passes a struct with a vector of more than 16 bytes in memory unless the vector is its only field, even if the
/// others have no bytes.
fn has_vector_beside_nothing(ty: &Type) -> bool {
    contains(ty, &|ty| match ty.kind {
        Kind::Struct { fields } => {
            ty.size <= 64 && fields.iter().any(|field| field.ty.size == 0) && contains(ty, &is_wide_vector)
        }
        _ => false,
    })
}

/// clang takes the first eightbyte of a union with `__float128` as an integer, though its class is SSE, if the other
/// members make the second one INTEGER or SSE.
fn splits_float128(parameter: &Parameter) -> bool {
    match parameter.place {
        Place::Registers(parts) => {
            let first = parts.as_slice()[0];
            matches!(first.register, Register::Vector(_)) && first.size == 8 && contains(&parameter.ty, &is_float128)
        }
        _ => false,
    }
}

/// gcc 12 has a `_Complex _Float16` reach into the next eightbyte wherever it does not begin one.
fn has_complex_float16_inside(ty: &Type) -> bool {
    matches!(ty.size, 9..=16) && contains(ty, &|ty| matches!(ty, Type { kind: Kind::Complex { .. }, size: 4, .. }))
}

/// Of a union that has more than two eightbytes clang forgets arrays of more than one element, which get no class, and
/// padding behind a vector: what looks like a vector at its first two eightbytes goes in a register.
fn is_taken_for_vector(ty: &Type) -> bool {
    fn widest_vector(ty: &Type) -> usize {
        match ty.kind {
            Kind::Struct { fields } | Kind::Union { fields } => {
                fields.iter().map(|field| widest_vector(&field.ty)).max().unwrap_or(0)
            }
            Kind::Array { element, len: 1 } => widest_vector(element),
            Kind::MaybeUninit { of } => widest_vector(of),
            Kind::Float if is_float128(ty) => 16,
            Kind::Vector => ty.size,
            _ => 0,
        }
    }
    let is_array = |ty: &Type| ty.size > 16 && matches!(ty.kind, Kind::Array { len: 2.., .. });
    contains(ty, &|ty| {
        let vector = widest_vector(ty);
        let is_large_union = matches!(ty.kind, Kind::Union { .. }) && matches!(ty.size, 17..=64);
        is_large_union && vector > 0 && (vector < ty.size || contains(ty, &is_array))
    })
}

/// Of the eightbyte of a union with a `float` and longer members of `_Float16` clang passes the `float`.
fn is_half_float_union(ty: &Type) -> bool {
    let is_half = |ty: &Type| is_float16(ty) || matches!(ty.kind, Kind::Complex { element } if is_float16(element));
    let is_float = |ty: &Type| matches!(ty, Type { kind: Kind::Float, size: 4, .. });
    let is_mixed =
        |ty: &Type| matches!(ty.kind, Kind::Union { .. }) && contains(ty, &is_half) && contains(ty, &is_float);
    ty.size <= 16 && contains(ty, &is_mixed)
}
