//! Signatures from text: declarations of C, function pointer types of Rust.
//!
//! `Signature::parse_c` and `Signature::parse_rust` read one text. Where it speaks of types that were declared before,
//! `CDeclarations` and `RustDeclarations` keep these.

#[cfg(feature = "parse-c")]
mod c;
mod error;
mod model;
#[cfg(feature = "parse-rust")]
mod rust;

#[cfg(feature = "parse-c")]
pub use c::CDeclarations;
pub use error::ParseError;
#[cfg(feature = "parse-rust")]
pub use rust::RustDeclarations;

use crate::types::{Kind, Type};

/// How deep texts and types may be nested: C promises 63 levels (C17, 5.2.4.1).
const DEEPEST: usize = 64;
/// How many parts a type may have that is read from text, so that no text makes a type that takes for ever to place.
const MOST_PARTS: usize = 1 << 14;
/// The largest type that is passed by value, in bytes: C compilers take somewhat more.
const LARGEST: usize = 1 << 30;

/// Why a type is too much to be passed by value, or to be a field of another.
fn excess(ty: &Type) -> Option<&'static str> {
    fn count(ty: &Type, depth: usize, parts: &mut usize) -> bool {
        *parts += 1;
        if depth > DEEPEST || *parts > MOST_PARTS {
            return false;
        }
        match ty.kind {
            Kind::Struct { fields } | Kind::Union { fields } => {
                fields.iter().all(|field| count(&field.ty, depth + 1, parts))
            }
            Kind::Array { element, .. } => count(element, depth + 1, parts),
            _ => true,
        }
    }
    if ty.size > LARGEST {
        Some("it has more than 1 GiB")
    } else if !count(ty, 0, &mut 0) {
        Some("it is nested more than 64 levels deep, or has more than 16384 parts")
    } else {
        None
    }
}
