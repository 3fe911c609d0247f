//! Values whose bytes tell where they belong, and what bytes that arrived elsewhere are.

use core::mem::MaybeUninit;

use crate::signature::{Bits, Leaf, Signature, Type};

/// The size of the largest type.
pub(crate) const SIZE: usize = 256;

/// Enough for a value of any of the types.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Value(pub(crate) [MaybeUninit<u8>; SIZE]);

/// A byte of an object that nobody has written.
pub(crate) const NEVER_WRITTEN: u8 = 0xcc;

impl Value {
    pub(crate) const JUNK: Self = Self([MaybeUninit::new(NEVER_WRITTEN); SIZE]);

    /// A byte that is no padding.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        // SAFETY: callers ask for bytes that are no padding, and these are initialized.
        unsafe { self.0[at].assume_init() }
    }
}

/// What addresses point to.
#[repr(align(64))]
struct Arena(#[allow(dead_code, reason = "only its address counts")] [u64; 512]);

static ARENA: Arena = Arena([0x0a0a_0a0a_0a0a_0a0a; 512]);

/// Which values a call has. Those of the first two kinds tell which byte of which value each byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Values {
    /// The low bytes of the codes.
    Low,
    /// The high bytes of the codes.
    High,
    /// All bits are set.
    Ones,
    /// These.
    Random(u64),
}

impl Values {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Low => "low codes",
            Self::High => "high codes",
            Self::Ones => "all bits set",
            Self::Random(_) => "random bits",
        }
    }
}

/// The code of the byte that is the one with this number among all bytes of the arguments and the result: no two
/// have the same, and neighbours differ in both halves.
pub(crate) const fn code(number: usize) -> u16 {
    (number as u16).wrapping_mul(0x9e3b).wrapping_add(0x5a17)
}

/// The values of a signature's arguments and then of its result, with unions as in `view`. Padding is junk.
pub(crate) fn values(signature: &Signature, values: Values, view: usize) -> Vec<Value> {
    let (mut number, mut scalars) = (0, 0);
    let mut random = if let Values::Random(seed) = values { seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { 0 };
    let value = |ty: &'static Type| {
        let mut value = Value::JUNK;
        for (leaf, offset, _) in scalars_of(ty, view) {
            scalars += 1;
            let choice = match values {
                Values::Random(seed) => scalars + seed as usize,
                _ => scalars + view,
            };
            let address = || (&raw const ARENA).addr() as u64 + 64 * (choice as u64 % 64);
            let word = match leaf.bits {
                Bits::Any | Bits::Quiet => None,
                Bits::Bool => Some(choice as u64 & 1),
                Bits::OneOf(values) => Some(values[choice % values.len()] as u64),
                Bits::AddressOrNull if choice.is_multiple_of(3) => Some(0),
                Bits::Address | Bits::AddressOrNull => Some(address()),
            };
            for byte in 0..leaf.size {
                let code = code(number);
                number += 1;
                value.0[offset + byte].write(match (word, values) {
                    (Some(word), _) => word.to_le_bytes()[byte],
                    (None, Values::Low) => code as u8,
                    (None, Values::High) => (code >> 8) as u8,
                    (None, Values::Ones) => 0xff,
                    (None, Values::Random(_)) => {
                        // xorshift64
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        (random >> 24) as u8
                    }
                });
            }
            if let Bits::Quiet = leaf.bits {
                quieten(&mut value, offset, leaf.size);
            }
        }
        value
    };
    signature.types().map(value).collect()
}

/// Makes a quiet NaN of a `float` or a `double` that is a signaling one.
fn quieten(value: &mut Value, offset: usize, size: usize) {
    let word = (0..size).rev().fold(0_u64, |word, at| word << 8 | u64::from(value.byte(offset + at)));
    let is_nan = if size == 4 { f32::from_bits(word as u32).is_nan() } else { f64::from_bits(word).is_nan() };
    if is_nan {
        let (at, bit) = if size == 4 { (2, 0x40) } else { (6, 0x08) };
        let byte = value.byte(offset + at);
        value.0[offset + at].write(byte | bit);
    }
}

/// The scalars of a type, each with its offset and, in an array, its index.
pub(crate) fn scalars_of(
    ty: &'static Type,
    view: usize,
) -> impl Iterator<Item = (&'static Leaf, usize, Option<usize>)> {
    ty.views[view % ty.views.len()].iter().flat_map(|leaf| {
        let index = move |i| leaf.count.map(|_| i);
        (0..leaf.count.unwrap_or(1)).map(move |i| (leaf, leaf.offset + i * leaf.size, index(i)))
    })
}

/// The offsets of the bytes of a value that are no padding.
pub(crate) fn significant(ty: &'static Type, view: usize) -> impl Iterator<Item = usize> {
    scalars_of(ty, view).flat_map(|(leaf, offset, _)| offset..offset + leaf.size)
}

/// The bits of eax for an integer narrower than 32 bits.
pub(crate) fn extended(ty: &'static Type, value: &Value) -> u32 {
    let zero_extended = (0..ty.size).rev().fold(0, |word, at| word << 8 | u32::from(value.byte(at)));
    let unused = 32 - 8 * ty.size as u32;
    if ty.narrow == Some(true) { ((zero_extended << unused) as i32 >> unused) as u32 } else { zero_extended }
}

/// The scalar that a byte belongs to, and which of its bytes it is.
pub(crate) fn locate(signature: &Signature, whose: usize, view: usize, at: usize) -> (String, usize) {
    let ty = signature.ty(whose);
    let found = scalars_of(ty, view).find(|(leaf, offset, _)| (*offset..offset + leaf.size).contains(&at));
    let (leaf, offset, index) = found.expect("the byte is no padding");
    let index = index.map_or(String::new(), |index| format!("[{index}]"));
    let whose = if whose < signature.parameters.len() { format!("p{whose}") } else { "the result".into() };
    (format!("{whose}{}{index}", leaf.path), at - offset)
}

/// The scalar that has a byte of this code, and which of its bytes that is.
pub(crate) fn find(signature: &Signature, view: usize, wanted: u16) -> Option<(String, usize)> {
    let mut number = 0;
    for (whose, ty) in signature.types().enumerate() {
        for (leaf, offset, _) in scalars_of(ty, view) {
            for byte in 0..leaf.size {
                if code(number) == wanted && matches!(leaf.bits, Bits::Any | Bits::Quiet) {
                    return Some(locate(signature, whose, view, offset + byte));
                }
                number += 1;
            }
        }
    }
    None
}
