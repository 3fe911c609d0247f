//! Types and signatures that the compiler knows, put together once more while the program runs.

use std::sync::LazyLock;

use cbframe::abi::{Abi, Layout, Parameter, Signature};
use cbframe::parse::{CDeclarations, RustDeclarations};
use cbframe::types::{Alignment, Field, Kind, Type};

use crate::machine;

/// The same type, from its scalars: where its fields lie is computed anew.
///
/// # Panics
///
/// If there is no such type.
#[must_use]
pub fn ty(ty: &Type) -> Type {
    let again = |fields: &[Field]| -> Vec<_> { fields.iter().map(|field| (field.name, self::ty(&field.ty))).collect() };
    let alignment = |fields: &[Field]| {
        let natural = fields.iter().map(|field| field.ty.align).max().unwrap_or(1);
        Alignment {
            packed: (ty.align < natural).then_some(ty.align),
            at_least: (ty.align > natural).then_some(ty.align),
        }
    };
    match ty.kind {
        Kind::Struct { fields } => Type::structure_with(ty.name, &again(fields), alignment(fields)).expect(ty.name),
        Kind::Union { fields } => Type::union_of(ty.name, &again(fields), alignment(fields)).expect(ty.name),
        Kind::Array { element, len } => Type { name: ty.name, ..Type::array(self::ty(element), len).expect(ty.name) },
        _ => *ty,
    }
}

/// The same signature, placed anew.
///
/// # Panics
///
/// If there is no such signature.
#[must_use]
pub fn signature(layout: &Layout<'_>) -> Signature {
    let start = Signature::new(layout.abi()).ret(self::ty(&layout.result().ty));
    let parameters = layout.parameters().iter();
    let all = parameters.fold(start, |signature, Parameter { name, ty, .. }| signature.named(name, self::ty(ty)));
    let all = if layout.is_variadic() { all.dots() } else { all };
    all.build().unwrap_or_else(|error| panic!("{layout}: {error}"))
}

/// The same signature from C text: definitions, and a prototype.
///
/// # Panics
///
/// If the text is refused.
#[must_use]
pub fn from_c(abi: Abi, [definitions, prototype]: [&str; 2]) -> Signature {
    // As `callers.h` has it. A function with Windows' convention has the types of this platform.
    static SCALARS: LazyLock<Vec<CDeclarations>> = LazyLock::new(|| {
        let scalars = machine::ABIS.map(|abi| {
            let mut scalars = CDeclarations::with_target(abi, machine::ABIS[0].target());
            for text in ["typedef void (*function)(void);", machine::VECTORS, crate::types::IN_C] {
                scalars.add(text).unwrap_or_else(|error| panic!("{error}"));
            }
            scalars
        });
        scalars.to_vec()
    });
    let index = machine::ABIS.iter().position(|known| *known == abi).expect("a convention of C");
    let mut declarations = SCALARS[index].clone();
    let added = declarations.add(definitions).and_then(|all| all.signature(prototype));
    added.unwrap_or_else(|error| panic!("{definitions}{prototype}\n{error}"))
}

/// The same signature from Rust text: definitions, and a function pointer type.
///
/// # Panics
///
/// If the text is refused.
#[must_use]
pub fn from_rust([definitions, pointer]: [&str; 2]) -> Signature {
    static SCALARS: LazyLock<RustDeclarations> = LazyLock::new(|| {
        let mut scalars = RustDeclarations::new(Abi::C.target());
        scalars.add(crate::types::IN_RUST).unwrap_or_else(|error| panic!("{error}"));
        scalars
    });
    let mut declarations = SCALARS.clone();
    let added = declarations.add(definitions).and_then(|all| all.signature(pointer));
    added.unwrap_or_else(|error| panic!("{definitions}{pointer}\n{error}"))
}

/// Panics unless both signatures are passed alike: all but names, what pointers point to, and which values an enum has.
///
/// # Panics
///
/// As it says.
#[track_caller]
pub fn assert_alike(a: &Layout<'_>, b: &Layout<'_>) {
    assert_eq!((a.abi(), a.is_variadic()), (b.abi(), b.is_variadic()), "{a}\n{b}");
    assert_eq!((a.parameters().len(), a.stack_size()), (b.parameters().len(), b.stack_size()), "{a}\n{b}");
    let all = |layout: &Layout<'_>| [*layout.result()].into_iter().chain(layout.parameters().iter().copied()).collect();
    let (of_a, of_b): (Vec<Parameter>, Vec<Parameter>) = (all(a), all(b));
    for (one, other) in of_a.iter().zip(&of_b) {
        assert_eq!(one.place, other.place, "{a}\n{b}");
        assert!(is_alike(&one.ty, &other.ty), "{one:#?}\n{other:#?}");
    }
}

fn is_alike(a: &Type, b: &Type) -> bool {
    let fields = |a: &[Field], b: &[Field]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.offset == b.offset && is_alike(&a.ty, &b.ty))
    };
    (a.size, a.align) == (b.size, b.align)
        && match (a.kind, b.kind) {
            (Kind::Struct { fields: a }, Kind::Struct { fields: b })
            | (Kind::Union { fields: a }, Kind::Union { fields: b }) => fields(a, b),
            (Kind::Array { element: a, len: m }, Kind::Array { element: b, len: n }) => m == n && is_alike(a, b),
            (Kind::Complex { element: a }, Kind::Complex { element: b }) => is_alike(a, b),
            (
                Kind::Int { signed: a } | Kind::Enum { signed: a, .. },
                Kind::Int { signed: b } | Kind::Enum { signed: b, .. },
            ) => a == b,
            (Kind::MaybeUninit { of }, _) => is_alike(of, b),
            // A `#[repr(transparent)]` struct is its field.
            (Kind::Struct { fields: [field] }, _) => is_alike(&field.ty, b),
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
}
