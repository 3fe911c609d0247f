//! Values whose bytes tell where they belong.

use std::fmt::Write;

use cbframe::abi::Signature;
use cbframe::types::{Kind, Type};

/// The bytes of a value, aligned as any type may be.
#[derive(Clone)]
pub(crate) struct Bytes {
    lines: Vec<Line>,
    size: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Bytes {
    /// Bytes that nobody has written.
    pub(crate) fn junk(size: usize) -> Self {
        Self { lines: vec![Line([0xcc; 64]); size.div_ceil(64)], size }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: there are as many bytes.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.size) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.size) }
    }
}

/// What values are made of. Those of the first two tell which byte of which value each byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kinds {
    Low,
    High,
    Random(u64),
}

/// The arguments of a signature, and the result.
#[derive(Clone)]
pub(crate) struct Values {
    pub(crate) kind: Kinds,
    pub(crate) bytes: Vec<Bytes>,
    /// Of each, which bytes are no padding, with unions as in one view.
    significant: Vec<Vec<usize>>,
}

/// The code of the byte that is the one with this number among all of a signature.
const fn code(number: usize) -> u16 {
    (number as u16).wrapping_mul(FACTOR).wrapping_add(0x5a17)
}

const FACTOR: u16 = 0x9e3b;

/// The number of a code.
const fn number(code: u16) -> usize {
    // Each step doubles the bits that are right (Newton's method for the inverse modulo a power of two).
    let (mut inverse, mut bits) = (FACTOR, 3);
    while bits < 16 {
        inverse = inverse.wrapping_mul(2_u16.wrapping_sub(FACTOR.wrapping_mul(inverse)));
        bits *= 2;
    }
    code.wrapping_sub(0x5a17).wrapping_mul(inverse) as usize
}

/// Finds the bytes of a type that are no padding, with the member of each union that belongs to the view, and for each
/// whether it is a `_Bool`.
fn significant(ty: &Type, at: usize, view: usize, bytes: &mut Vec<(usize, bool)>) {
    match ty.kind {
        Kind::Void => {}
        Kind::Struct { fields } => {
            fields.iter().for_each(|field| significant(&field.ty, at + field.offset, view, bytes))
        }
        Kind::Union { fields } => {
            let from = bytes.len();
            significant(&fields[view % fields.len()].ty, at, view / fields.len(), bytes);
            // Any bits are a value of a union.
            bytes[from..].iter_mut().for_each(|(_, is_bool)| *is_bool = false);
        }
        Kind::Array { element, len } => {
            (0..len).for_each(|index| significant(element, at + index * element.size, view, bytes));
        }
        Kind::Complex { element } => {
            (0..2).for_each(|index| significant(element, at + index * element.size, view, bytes));
        }
        Kind::X87 => bytes.extend((at..at + 10).map(|at| (at, false))),
        kind => bytes.extend((at..at + ty.size).map(|at| (at, matches!(kind, Kind::Bool)))),
    }
}

impl Values {
    pub(crate) fn new(signature: &Signature, kind: Kinds, view: usize) -> Self {
        let (mut number, mut all) = (0, Self { kind, bytes: Vec::new(), significant: Vec::new() });
        let mut random = if let Kinds::Random(seed) = kind { seed } else { 0 };
        for parameter in signature.parameters().iter().chain([signature.result()]) {
            let mut found = Vec::new();
            significant(&parameter.ty, 0, view, &mut found);
            let mut value = Bytes::junk(parameter.ty.size);
            for &(at, is_bool) in &found {
                let byte = match kind {
                    Kinds::Low => code(number) as u8,
                    Kinds::High => (code(number) >> 8) as u8,
                    Kinds::Random(_) => super::random(&mut random) as u8,
                };
                value.as_mut_slice()[at] = if is_bool { byte & 1 } else { byte };
                number += 1;
            }
            all.bytes.push(value);
            all.significant.push(found.into_iter().map(|(at, _)| at).collect());
        }
        all
    }

    pub(crate) fn result(&self) -> &Bytes {
        self.bytes.last().expect("the result")
    }

    /// What is wrong with the bytes that arrived as those of an argument, or of the result, the last one.
    pub(crate) fn wrong(&self, whose: usize, found: &[u8]) -> Option<Wrong> {
        let expected = self.bytes[whose].as_slice();
        let at = *self.significant[whose].iter().find(|at| found[**at] != expected[**at])?;
        Some(Wrong { kind: self.kind, whose, at, found: found.to_vec(), expected: expected[at] })
    }

    /// The value and its byte that have this code.
    fn find(&self, code: u16) -> Option<(usize, usize)> {
        let mut left = number(code);
        for (whose, bytes) in self.significant.iter().enumerate() {
            if let Some(at) = bytes.get(left) {
                return Some((whose, *at));
            }
            left -= bytes.len();
        }
        None
    }
}

/// A value that did not arrive as it was sent.
#[derive(Clone)]
pub(crate) struct Wrong {
    kind: Kinds,
    whose: usize,
    at: usize,
    found: Vec<u8>,
    expected: u8,
}

/// Describes what was wrong in the calls of a signature.
pub(crate) fn describe(values: &Values, wrong: &[Wrong]) -> String {
    let name = |whose| if whose + 1 == values.bytes.len() { "the result".into() } else { format!("#{whose}") };
    let mut text = String::new();
    for &Wrong { kind, whose, at, ref found, expected } in wrong {
        write!(text, "{kind:?}: byte {at} of {} is {:#04x}, not {expected:#04x}", name(whose), found[at])
            .expect("a string");
        // With the other half of its code, the byte tells where it is from.
        let other = |kind| wrong.iter().find(|other| other.kind == kind && other.whose == whose);
        if let (Kinds::Low, Some(high)) = (kind, other(Kinds::High)) {
            match values.find(u16::from_le_bytes([found[at], high.found[at]])) {
                Some((from, byte)) => write!(text, ", that is byte {byte} of {}", name(from)),
                None => write!(text, ", that is from nowhere"),
            }
            .expect("a string");
        }
        text.push('\n');
    }
    text
}
