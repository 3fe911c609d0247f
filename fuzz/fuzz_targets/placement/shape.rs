//! What the rules of C say of a type, worked out anew and as simply as possible.

use cbframe::types::{Kind, Type};

/// A scalar within a value.
#[derive(Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) offset: usize,
    pub(crate) ty: Type,
}

impl Leaf {
    /// The offset behind the last byte.
    pub(crate) fn end(&self) -> usize {
        self.offset + self.ty.size
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(self.ty.kind, Kind::Float)
    }

    pub(crate) fn is_x87(&self) -> bool {
        matches!(self.ty.kind, Kind::X87)
    }

    /// Whether it is passed in a vector register as one piece of 16 bytes or more.
    pub(crate) fn is_vector(&self) -> bool {
        matches!(self.ty.kind, Kind::Vector) || self.is_float() && self.ty.size == 16
    }

    pub(crate) fn is_integer(&self) -> bool {
        !self.is_float() && !self.is_x87() && !self.is_vector()
    }
}

/// The scalars of a value, in the order of their declaration. The two parts of a complex number are scalars.
pub(crate) fn leaves(ty: &Type) -> Vec<Leaf> {
    fn add(ty: &Type, offset: usize, leaves: &mut Vec<Leaf>) {
        match ty.kind {
            Kind::Void => {}
            Kind::Struct { fields } | Kind::Union { fields } => {
                fields.iter().for_each(|field| add(&field.ty, offset + field.offset, leaves));
            }
            Kind::Array { element, len } if element.size > 0 => {
                (0..len).for_each(|i| add(element, offset + i * element.size, leaves));
            }
            Kind::Array { .. } => {}
            Kind::Complex { element } => (0..2).for_each(|i| add(element, offset + i * element.size, leaves)),
            Kind::MaybeUninit { of } => add(of, offset, leaves),
            _ => leaves.push(Leaf { offset, ty: *ty }),
        }
    }
    let mut leaves = Vec::new();
    add(ty, 0, &mut leaves);
    leaves
}

/// Which bytes are not padding.
pub(crate) fn value_bytes(ty: &Type) -> Vec<bool> {
    let mut bytes = vec![false; ty.size];
    for leaf in leaves(ty) {
        // Of a `long double`, ten.
        let size = if leaf.is_x87() { 10 } else { leaf.ty.size };
        bytes[leaf.offset..][..size].fill(true);
    }
    bytes
}

/// Whether something in a value of type `ty`, which is at `offset`, is not aligned.
///
/// Each field counts, also a struct and what has no bytes, as clang has it. gcc looks at scalars and arrays only, rustc at
/// what has bytes.
pub(crate) fn is_unaligned(ty: &Type, offset: usize) -> bool {
    let within = |ty: &Type, inner: usize| is_unaligned(ty, offset + inner);
    !offset.is_multiple_of(ty.align)
        || match ty.kind {
            Kind::Struct { fields } | Kind::Union { fields } => {
                fields.iter().any(|field| within(&field.ty, field.offset))
            }
            Kind::Array { element, len } => (0..len).any(|i| within(element, i * element.size)),
            Kind::Complex { element } => within(element, 0),
            Kind::MaybeUninit { of } => within(of, 0),
            _ => false,
        }
}

/// What of `ty` decides how it is passed.
pub(crate) fn passed_as(ty: &Type) -> &Type {
    match ty.kind {
        Kind::MaybeUninit { of } => passed_as(of),
        _ => ty,
    }
}

/// Whether `holds` for `ty` and every type in it.
pub(crate) fn all(ty: &Type, holds: &impl Fn(&Type) -> bool) -> bool {
    holds(ty)
        && match ty.kind {
            Kind::Struct { fields } | Kind::Union { fields } => fields.iter().all(|field| all(&field.ty, holds)),
            Kind::Array { element, .. } | Kind::Complex { element } | Kind::MaybeUninit { of: element } => {
                all(element, holds)
            }
            _ => true,
        }
}

/// Whether a description is what `Type::check` promises to accept.
pub(crate) fn is_consistent(ty: &Type) -> bool {
    all(ty, &|ty| {
        let size = ty.size;
        let scalar = |sizes: &[usize]| {
            let align = match size {
                0 => 1,
                // `long double` of 32-bit x86.
                12 => 4,
                size => size,
            };
            sizes.contains(&size) && ty.align == align
        };
        let like = |element: &Type, count: usize| {
            ty.align == element.align && size as u128 == element.size as u128 * count as u128
        };
        let right = match ty.kind {
            Kind::Void => scalar(&[0]),
            Kind::Bool => scalar(&[1]),
            Kind::Int { .. } => scalar(&[1, 2, 4, 8, 16]),
            Kind::Float => scalar(&[2, 4, 8, 16]),
            Kind::X87 => scalar(&[12, 16]),
            Kind::Vector => scalar(&[16, 32, 64]),
            Kind::Enum { .. } => scalar(&[1, 2, 4, 8]),
            Kind::Pointer { pointee_align, .. } => scalar(&[4, 8]) && pointee_align.is_power_of_two(),
            Kind::Complex { element } => matches!(element.kind, Kind::Float | Kind::X87) && like(element, 2),
            Kind::MaybeUninit { of } => like(of, 1),
            Kind::Array { element, len } => like(element, len),
            Kind::Struct { .. } | Kind::Union { .. } => true,
            _ => unreachable!("a kind that this target does not know"),
        };
        ty.align.is_power_of_two() && right && is_laid_out(ty)
    })
}

/// Whether each field of a struct, if `ty` is one, is at the first aligned offset behind those before it, and the
/// struct ends at the first aligned one behind them all.
fn is_laid_out(ty: &Type) -> bool {
    let (fields, is_union) = match ty.kind {
        Kind::Struct { fields } => (fields, false),
        Kind::Union { fields } => (fields, true),
        _ => return true,
    };
    let mut end = 0;
    for field in fields {
        // A struct with a smaller alignment than its field's is packed to that.
        let align = field.ty.align.min(ty.align) as u128;
        if align == 0 {
            return false;
        }
        let offset = if is_union { 0 } else { u128::next_multiple_of(end, align) };
        if field.offset as u128 != offset {
            return false;
        }
        end = end.max(offset + field.ty.size as u128);
    }
    ty.size as u128 == end.next_multiple_of(ty.align as u128)
}

/// Whether pointers and `long double` have the sizes that they have on x86-64.
pub(crate) fn is_of_x86_64(ty: &Type) -> bool {
    all(ty, &|ty| match ty.kind {
        Kind::X87 => ty.size == 16,
        Kind::Pointer { .. } => ty.size == 8,
        _ => true,
    })
}
