//! What a type consists of, byte by byte.

use cbframe::types::{Kind, Type};

/// A part of a value that has no parts.
pub(crate) struct Leaf {
    /// How it is reached from the whole: `at.x`, `tags[2]`; empty if it is the whole.
    pub(crate) path: String,
    /// Where it is, in bytes.
    pub(crate) offset: usize,
    /// Its size in bytes.
    pub(crate) size: usize,
}

/// The parts that begin in the first `until` bytes. A union is one part, since it is not known which member it holds, and so
/// is an array of small elements, such as a text.
pub(crate) fn leaves(ty: &Type, until: usize) -> Vec<Leaf> {
    let mut all = Vec::new();
    add(&mut all, ty, String::new(), 0, until);
    all
}

fn add(all: &mut Vec<Leaf>, ty: &Type, path: String, offset: usize, until: usize) {
    let within = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match ty.kind {
        _ if offset >= until || ty.size == 0 => {}
        Kind::Struct { fields } => {
            fields.iter().for_each(|field| add(all, &field.ty, within(field.name), offset + field.offset, until));
        }
        Kind::Array { element, len } if element.size >= 4 => {
            for index in 0..len {
                let at = offset + index * element.size;
                if at >= until {
                    break;
                }
                add(all, element, format!("{path}[{index}]"), at, until);
            }
        }
        Kind::Complex { element } => {
            add(all, element, within("re"), offset, until);
            add(all, element, within("im"), offset + element.size, until);
        }
        _ => all.push(Leaf { path, offset, size: ty.size }),
    }
}
