//! Types and signatures that the compiler knows, put together once more while the program runs.

use cbframe::abi::{Layout, Parameter, Signature};
use cbframe::types::{Alignment, Field, Kind, Type};

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
