//! `Type::find_invalid` against a search of its own, on memory that ends where the value ends: AddressSanitizer sees a
//! read of more.

use std::alloc::{self, Layout};

use cbframe::types::{Kind, Type};

use crate::shape;
use crate::signature::Random;

/// Looks for what is no value, in random bytes.
pub(crate) fn check(ty: &Type, random: &mut Random, wrong: &mut Vec<String>) {
    for _ in 0..2 {
        let bytes = value(ty, random);
        let memory = Exact::new(&bytes, ty.align);
        // SAFETY: `Type::check` accepted the description, and the bytes are those of one value, aligned.
        let found = unsafe { ty.find_invalid(memory.address) };
        let mut steps = Vec::new();
        let expected = first_invalid(ty, &bytes, &mut steps).map(|(of, bits)| {
            // Of a longer path the innermost steps are recorded.
            (steps[steps.len().saturating_sub(6)..].concat(), of, bits)
        });
        let agree = match (&found, &expected) {
            (None, None) => true,
            (Some(found), Some((path, of, bits))) => {
                found.to_string().starts_with(&format!("{path} is ")) && found.ty() == *of && found.found() == *bits
            }
            _ => false,
        };
        if !agree {
            let found = found.map(|found| found.to_string());
            wrong.push(format!("in {bytes:02x?}: invalid is {found:?}, expected {expected:?}\n{ty:#?}"));
        }
    }
}

/// A value's bytes: random ones, of which most are a value.
fn value(ty: &Type, random: &mut Random) -> Vec<u8> {
    let mut bytes = random.bytes(ty.size);
    for leaf in shape::leaves(ty) {
        if random.below(16) == 0 {
            continue;
        }
        let raw = match leaf.ty.kind {
            Kind::Bool => random.below(2),
            Kind::Pointer { pointee_align, .. } => random.next() & !(pointee_align as u64 - 1),
            Kind::Enum { values, .. } if !values.is_empty() => {
                values[random.below(values.len() as u64) as usize] as u64
            }
            _ => continue,
        };
        bytes[leaf.offset..leaf.end()].copy_from_slice(&raw.to_le_bytes()[..leaf.ty.size]);
    }
    bytes
}

/// The type and the bits of the first scalar that is no value; `steps` becomes the path to it.
fn first_invalid(ty: &Type, bytes: &[u8], steps: &mut Vec<String>) -> Option<(Type, u64)> {
    let raw = || bytes[..ty.size].iter().rev().fold(0, |raw, &byte| raw << 8 | u64::from(byte));
    let mut within = |step: String, ty: &Type, offset: usize| {
        steps.push(step);
        let found = first_invalid(ty, &bytes[offset..], steps);
        if found.is_none() {
            steps.pop();
        }
        found
    };
    let valid = match ty.kind {
        Kind::Bool => raw() < 2,
        Kind::Pointer { nullable, .. } if raw() == 0 => nullable,
        Kind::Pointer { pointee_align, .. } => raw() % pointee_align as u64 == 0,
        Kind::Enum { values, .. } => values.iter().any(|value| value.to_le_bytes()[..ty.size] == bytes[..ty.size]),
        Kind::Struct { fields } => {
            return fields.iter().find_map(|field| within(format!(".{}", field.name), &field.ty, field.offset));
        }
        Kind::Array { element, len } => {
            return (0..len).find_map(|i| within(format!("[{i}]"), element, i * element.size));
        }
        // What a union or a `MaybeUninit` holds is not known, and any bits are a number.
        _ => true,
    };
    (!valid).then(|| (*ty, raw()))
}

/// Memory with nothing readable around it.
struct Exact {
    address: *mut u8,
    layout: Layout,
}

impl Exact {
    fn new(bytes: &[u8], align: usize) -> Self {
        let layout = Layout::from_size_align(bytes.len(), align).expect("a type's size and alignment");
        let address = if bytes.is_empty() {
            std::ptr::without_provenance_mut(align)
        } else {
            // SAFETY: not of size 0.
            unsafe { alloc::alloc(layout) }
        };
        assert!(!address.is_null(), "out of memory");
        // SAFETY: just allocated, for so many bytes.
        unsafe { address.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Self { address, layout }
    }
}

impl Drop for Exact {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated with this layout.
            unsafe { alloc::dealloc(self.address, self.layout) };
        }
    }
}
