//! Floats that C has and stable Rust has not, as bits.

use core::fmt;

use super::{CType, Kind, Type, scalar};

/// C's `_Float16`: the bits of an IEEE 754 binary16.
///
/// rustc does not pass this type as C does: a callback that has one is served by the captured lane and has to be an
/// `unsafe fn`, like one with a [`LongDouble`](crate::LongDouble).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Float16 {
    bits: u16,
}

// SAFETY: two bytes; any bits are a value.
unsafe impl CType for Float16 {
    const TYPE: Type = scalar::<Self>("Float16", Kind::Float);
}

impl Float16 {
    /// The value with these bits.
    #[inline]
    pub const fn from_bits(bits: u16) -> Self {
        Self { bits }
    }

    /// The bits.
    #[inline]
    pub const fn to_bits(self) -> u16 {
        self.bits
    }
}

impl fmt::Debug for Float16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Float16({:#06x})", self.bits)
    }
}

/// C's `__float128`, which is `_Float128` and, on targets other than x86, often `long double`: the bits of an IEEE 754
/// binary128.
///
/// rustc does not pass this type as C does: see [`Float16`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Float128 {
    bytes: [u8; 16],
}

// SAFETY: 16 bytes, aligned to 16; any bits are a value.
unsafe impl CType for Float128 {
    const TYPE: Type = scalar::<Self>("Float128", Kind::Float);
}

impl Float128 {
    /// The value with these bits.
    #[inline]
    pub const fn from_bits(bits: u128) -> Self {
        Self { bytes: bits.to_ne_bytes() }
    }

    /// The bits.
    #[inline]
    pub const fn to_bits(self) -> u128 {
        u128::from_ne_bytes(self.bytes)
    }
}

impl fmt::Debug for Float128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Float128({:#034x})", self.to_bits())
    }
}
