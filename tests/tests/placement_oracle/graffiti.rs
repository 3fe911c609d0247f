//! Values whose bytes tell what they are: the high nibble is the parameter, the low one the byte.

use cbframe::types::{Kind, Type};

/// The index that stands for the result in [`graffiti`].
pub(crate) const RESULT: usize = 15;

/// Bytes that tell the value and their own number, as far as a `bool` lets them.
pub(crate) fn graffiti(index: usize, ty: &Type) -> Vec<u8> {
    let mut value: Vec<u8> = (0..ty.size).map(|byte| (index << 4 | ((byte + byte / 16) & 15)) as u8).collect();
    walk(ty, 0, &mut |scalar, offset| {
        if matches!(scalar.kind, Kind::Bool) {
            value[offset] = (index & 1) as u8;
        }
    });
    value
}

/// Calls `visit` with every scalar and its offset.
fn walk(ty: &Type, offset: usize, visit: &mut impl FnMut(&Type, usize)) {
    match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            fields.iter().for_each(|field| walk(&field.ty, offset + field.offset, visit));
        }
        Kind::Array { element, len } => (0..len).for_each(|i| walk(element, offset + i * element.size, visit)),
        Kind::MaybeUninit { of } => walk(of, offset, visit),
        _ => visit(ty, offset),
    }
}

/// Compares the bytes that are not padding.
pub(crate) fn compare(name: &str, ty: &Type, found: &[u8], expected: &[u8], wrong: &mut Vec<String>) {
    let significant = significant(ty);
    if (0..ty.size).any(|i| significant[i] && found[i] != expected[i]) {
        wrong.push(format!("{name}: found {found:02x?}, expected {expected:02x?}"));
    }
}

/// Which bytes a compiler has to pass on.
///
/// Of a union clang passes what one of its members has, and so loses what others have in that member's padding (LLVM
/// issues 76017 and 83388). So a byte of a union counts if no member that reaches it has padding there.
fn significant(ty: &Type) -> Vec<bool> {
    let mut all = vec![false; ty.size];
    let mut add = |ty: &Type, offset: usize| {
        for (byte, is_significant) in all[offset..].iter_mut().zip(significant(ty)) {
            *byte |= is_significant;
        }
    };
    match ty.kind {
        Kind::Struct { fields } => fields.iter().for_each(|field| add(&field.ty, field.offset)),
        Kind::Array { element, len } => (0..len).for_each(|i| add(element, i * element.size)),
        Kind::Complex { element } => (0..2).for_each(|i| add(element, i * element.size)),
        Kind::MaybeUninit { of } => add(of, 0),
        Kind::Union { fields } => {
            fields.iter().for_each(|field| add(&field.ty, 0));
            for field in fields {
                all.iter_mut().zip(significant(&field.ty)).for_each(|(byte, kept)| *byte &= kept);
            }
        }
        // Six bytes of padding.
        Kind::X87 => all[..10].fill(true),
        _ => all.fill(true),
    }
    all
}
