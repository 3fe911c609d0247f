//! `long double` where it is an IEEE 754 binary128 (AAPCS64, section 5.1.1; "RISC-V ABIs Specification", section 4.1).

use core::fmt;

use crate::types::{CType, Float128, Kind, Type, scalar};

/// C's `long double`, the same as `_Float128` on this target: sign, 15 bits of exponent (bias 16383), 112 bits of significand.
///
/// rustc does not know this type: a callback that has one is served by the captured lane, and Rust code must not call its
/// pointer. So a callback with a `LongDouble`, alone or in a struct, has to be an `unsafe fn`.
///
/// ```
/// use cbframe::{LongDouble, cbframe};
///
/// /// `long double half(long double)`, for C to call.
/// #[cbframe(abi = "C")]
/// unsafe fn half(x: LongDouble) -> LongDouble {
///     LongDouble::from(f64::from(x) / 2.0)
/// }
///
/// assert_eq!(half::LAYOUT.result().ty.size, 16);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct LongDouble {
    value: Float128,
}

// SAFETY: 16 bytes, aligned to 16; any bits are a value.
unsafe impl CType for LongDouble {
    const TYPE: Type = scalar::<Self>("LongDouble", Kind::Float);
}

const BIAS128: i32 = 16383;
const BIAS64: i32 = 1023;
/// The bits of the significand that are stored.
const FRACTION128: u32 = 112;

impl LongDouble {
    /// The value with these bits.
    #[inline]
    pub const fn from_bits(bits: u128) -> Self {
        Self { value: Float128::from_bits(bits) }
    }

    /// The bits.
    #[inline]
    pub const fn to_bits(self) -> u128 {
        self.value.to_bits()
    }

    /// The value with the same sign, magnitude and NaN-ness; every `f64` has one.
    ///
    /// ```
    /// use cbframe::LongDouble;
    ///
    /// assert_eq!(LongDouble::from_f64(1.0).to_bits(), 0x3fff << 112);
    /// assert_eq!(LongDouble::from_f64(-0.1).to_f64(), -0.1);
    /// ```
    pub const fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let sign = (bits >> 63) as u128;
        let exponent = (bits >> 52 & 0x7ff) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let (exponent, fraction) = match (exponent, fraction) {
            (0, 0) => (0, 0),
            (0, _) => {
                // Subnormal there, normal here: the exponent has four bits more. The highest bit is not stored.
                let shift = fraction.leading_zeros() - 11;
                (1 - BIAS64 + BIAS128 - shift as i32, fraction << shift & ((1 << 52) - 1))
            }
            (0x7ff, _) => (0x7fff, fraction),
            _ => (exponent - BIAS64 + BIAS128, fraction),
        };
        Self::from_bits(sign << 127 | (exponent as u128) << FRACTION128 | (fraction as u128) << (FRACTION128 - 52))
    }

    /// The nearest `f64`, ties to even, as a C compiler converts it in the default rounding mode. A NaN becomes a quiet NaN.
    pub const fn to_f64(self) -> f64 {
        let bits = self.to_bits();
        let sign = (bits >> 127) as u64;
        let exponent = (bits >> FRACTION128 & 0x7fff) as i32;
        let fraction = bits & ((1 << FRACTION128) - 1);
        let infinity = 0x7ff << 52;
        let magnitude = match (exponent, fraction) {
            (0x7fff, 0) => infinity,
            (0x7fff, _) => infinity | 1 << 51 | (fraction >> (FRACTION128 - 52)) as u64,
            // All of them are less than half of the least `f64`.
            (0, _) => 0,
            _ => {
                let significand = fraction | 1 << FRACTION128;
                let biased = exponent - BIAS128 + BIAS64;
                // Keep 53 bits, fewer below the normal range; `dropped` is how many go.
                let dropped = FRACTION128 as i32 - 52 + if biased >= 1 { 0 } else { 1 - biased };
                if biased >= 0x7ff {
                    infinity
                } else if dropped > FRACTION128 as i32 + 1 {
                    0
                } else {
                    let kept = (significand >> dropped) as u64;
                    let rest = significand << (128 - dropped);
                    let half = 1 << 127;
                    let up = rest > half || rest == half && kept & 1 == 1;
                    // The highest bit adds one to the exponent, and a carry out of the fraction another.
                    let base = if biased >= 1 { (biased as u64 - 1) << 52 } else { 0 };
                    base + kept + up as u64
                }
            }
        };
        f64::from_bits(sign << 63 | magnitude)
    }
}

impl From<f64> for LongDouble {
    #[inline]
    fn from(value: f64) -> Self {
        Self::from_f64(value)
    }
}

impl From<f32> for LongDouble {
    #[inline]
    fn from(value: f32) -> Self {
        Self::from_f64(value.into())
    }
}

impl From<Float128> for LongDouble {
    #[inline]
    fn from(value: Float128) -> Self {
        Self { value }
    }
}

impl From<LongDouble> for Float128 {
    #[inline]
    fn from(value: LongDouble) -> Self {
        value.value
    }
}

/// The nearest `f64`: see [`LongDouble::to_f64`].
impl From<LongDouble> for f64 {
    #[inline]
    fn from(value: LongDouble) -> Self {
        value.to_f64()
    }
}

impl fmt::Debug for LongDouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_f64(), f)
    }
}
