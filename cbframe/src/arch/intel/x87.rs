//! The x87 unit: the 80-bit format, `long double`, and the unit's part of the FXSAVE area (Intel SDM volume 1, section
//! 10.5.1, table 10-2).

use core::fmt;
use core::mem::MaybeUninit;

use crate::types::{CType, Kind, Type, scalar};

/// A value in the 80-bit extended format of the x87 unit: sign, 15 bits of exponent (bias 16383), 64 bits of
/// significand with an explicit integer bit (Intel SDM volume 1, section 4.2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct F80 {
    /// The bytes, little-endian.
    pub bytes: [u8; 10],
}

const BIAS80: i32 = 16383;
const BIAS64: i32 = 1023;

impl F80 {
    /// The value with the same sign, magnitude and NaN-ness; every `f64` has one.
    ///
    /// ```
    /// use cbframe::F80;
    ///
    /// assert_eq!(F80::from_f64(1.0).bytes, [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f]);
    /// assert_eq!(F80::from_f64(-0.1).to_f64(), -0.1);
    /// ```
    pub const fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let sign = (bits >> 63) as u16;
        let exponent = (bits >> 52 & 0x7ff) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let (exponent, significand) = match (exponent, fraction) {
            (0, 0) => (0, 0),
            (0, _) => {
                // Subnormal there, normal here: the exponent has four bits more.
                let shift = fraction.leading_zeros();
                (1 - BIAS64 + BIAS80 - (shift as i32 - 11), fraction << shift)
            }
            (0x7ff, _) => (0x7fff, 1 << 63 | fraction << 11),
            _ => (exponent - BIAS64 + BIAS80, 1 << 63 | fraction << 11),
        };
        Self::new(sign, exponent as u16, significand)
    }

    const fn new(sign: u16, exponent: u16, significand: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = significand.to_le_bytes();
        let [i, j] = (sign << 15 | exponent).to_le_bytes();
        Self { bytes: [a, b, c, d, e, f, g, h, i, j] }
    }

    /// The nearest `f64`, ties to even: what `fstp` to a `double` stores in the default rounding mode. A NaN
    /// becomes a quiet NaN, as there, and an encoding that the unit does not support (Intel SDM volume 1, table
    /// 8-3) the default NaN.
    pub const fn to_f64(self) -> f64 {
        let [a, b, c, d, e, f, g, h, i, j] = self.bytes;
        let significand = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let head = u16::from_le_bytes([i, j]);
        let sign = (head as u64 >> 15) << 63;
        let exponent = (head & 0x7fff) as i32;
        let infinity = 0x7ff << 52;
        if exponent != 0 && significand >> 63 == 0 {
            // Unnormals, pseudo-infinities and pseudo-NaNs: operands that the unit has refused since the 387.
            return f64::from_bits(0xfff8 << 48);
        }
        let magnitude = match (exponent, significand) {
            (_, 0) => 0,
            (0x7fff, _) if significand << 1 == 0 => infinity,
            (0x7fff, _) => infinity | 1 << 51 | significand << 1 >> 12,
            _ => {
                // Denormals have a clear integer bit.
                let shift = significand.leading_zeros();
                let significand = significand << shift;
                let exponent = if exponent == 0 { 1 } else { exponent } - BIAS80 - shift as i32;
                let biased = exponent + BIAS64;
                // Keep 53 bits, fewer below the normal range; `dropped` is how many go.
                let dropped = if biased >= 1 { 11 } else { 12 - biased };
                if biased >= 0x7ff {
                    infinity
                } else if dropped > 64 {
                    0
                } else {
                    let kept = if dropped == 64 { 0 } else { significand >> dropped };
                    let rest = significand << (64 - dropped);
                    let half = 1 << 63;
                    let up = rest > half || rest == half && kept & 1 == 1;
                    // The integer bit adds one to the exponent, and a carry out of the fraction another.
                    let base = if biased >= 1 { (biased as u64 - 1) << 52 } else { 0 };
                    base + kept + up as u64
                }
            }
        };
        f64::from_bits(sign | magnitude)
    }
}

impl fmt::Debug for F80 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_f64(), f)
    }
}

/// C's `long double` where it is the 80-bit format: an [`F80`] in 16 bytes, of which the last 6 are padding (System V
/// psABI for AMD64, figure 3.1; GCC and Clang for MinGW have the same), or in 12, of which the last 2 are, on 32-bit x86
/// (psABI for Intel386, table 2.1).
///
/// On System V an argument is in memory and a result in `st(0)`. On Windows x64 an argument is passed by reference and
/// a result through a hidden pointer, as GCC has it; for Microsoft's own compiler `long double` is `f64`.
///
/// rustc does not know this type: a callback that has one is served by the captured lane, and Rust code must not call
/// its pointer. So a callback with a `LongDouble`, alone or in a struct, has to be an `unsafe fn`.
///
/// ```
/// use cbframe::abi::Architecture;
/// use cbframe::{LongDouble, cbframe};
///
/// /// `long double half(long double)`, for C to call.
/// # #[cfg(unix)] {
/// #[cbframe(abi = "C")]
/// unsafe fn half(x: LongDouble) -> LongDouble {
///     LongDouble::from(f64::from(x) / 2.0)
/// }
///
/// assert_eq!(half::LAYOUT.result().place.on(Architecture::X86_64).to_string(), "st(0)");
/// # }
/// ```
#[derive(Clone, Copy)]
#[cfg_attr(target_arch = "x86_64", repr(C, align(16)))]
#[cfg_attr(target_arch = "x86", repr(C, align(4)))]
pub struct LongDouble {
    value: F80,
    padding: [MaybeUninit<u8>; PADDING],
}

/// The bytes of a [`LongDouble`] that hold nothing.
const PADDING: usize = if cfg!(target_arch = "x86_64") { 6 } else { 2 };

// SAFETY: 16 bytes, aligned to 16, or 12, aligned to 4, of which the first 10 are the value; any bits are one, even if the unit refuses some.
unsafe impl CType for LongDouble {
    const TYPE: Type = scalar::<Self>("LongDouble", Kind::X87);
}

impl LongDouble {
    /// The value in the 80-bit format.
    #[inline]
    pub const fn from_f80(value: F80) -> Self {
        Self { value, padding: [MaybeUninit::uninit(); PADDING] }
    }

    /// The 80-bit format.
    #[inline]
    pub const fn to_f80(self) -> F80 {
        self.value
    }

    /// The same value: see [`F80::from_f64`].
    #[inline]
    pub const fn from_f64(value: f64) -> Self {
        Self::from_f80(F80::from_f64(value))
    }

    /// The nearest `f64`, ties to even, as a C compiler converts it: see [`F80::to_f64`].
    #[inline]
    pub const fn to_f64(self) -> f64 {
        self.value.to_f64()
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

impl From<F80> for LongDouble {
    #[inline]
    fn from(value: F80) -> Self {
        Self::from_f80(value)
    }
}

impl From<LongDouble> for F80 {
    #[inline]
    fn from(value: LongDouble) -> Self {
        value.to_f80()
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
        self.value.fmt(f)
    }
}

/// One of the eight registers in the FXSAVE area.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct Register {
    value: F80,
}

/// The state of the x87 unit as `FXSAVE64` stores it, or `FXSAVE` on 32-bit x86.
///
/// The area's copies of mxcsr and the xmm registers are not reachable here: [`CpuState`](crate::CpuState) has
/// the ones that count.
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Fxsave {
    /// FCW, the control word.
    pub control: u16,
    /// FSW, the status word; bits 11 to 13 number the register that is `st(0)`.
    pub status: u16,
    /// The abridged tag word: bit n is set if register n (not `st(n)`) holds a value.
    pub tags: u8,
    reserved: u8,
    /// FOP, the opcode of the last x87 instruction.
    pub opcode: u16,
    /// FIP, the address of the last x87 instruction; on 32-bit x86 with the segment in bits 32 to 47.
    pub instruction: u64,
    /// FDP, the address of its operand, in the same way.
    pub data: u64,
    mxcsr: u32,
    mxcsr_mask: u32,
    st: [Register; 8],
    rest: [core::mem::MaybeUninit<u8>; 352],
}

const _: () = {
    assert!(size_of::<Fxsave>() == 512);
    assert!(core::mem::offset_of!(Fxsave, data) == 16);
    assert!(core::mem::offset_of!(Fxsave, st) == 32);
};

impl Fxsave {
    /// A unit without values.
    pub(in crate::arch) const fn empty(control: u16, mxcsr: u32) -> Self {
        Self {
            control,
            status: 0,
            tags: 0,
            reserved: 0,
            opcode: 0,
            instruction: 0,
            data: 0,
            mxcsr,
            mxcsr_mask: 0,
            st: [Register { value: F80 { bytes: [0; 10] } }; 8],
            rest: [core::mem::MaybeUninit::new(0); 352],
        }
    }

    /// The register that holds `st(index)`.
    const fn physical(&self, index: usize) -> usize {
        let top = (self.status as usize >> 11) & 7;
        (top + index) & 7
    }

    /// The mask of mxcsr bits that this CPU has; 0 stands for 0xffbf (Intel SDM volume 1, section 11.6.6).
    pub const fn mxcsr_mask(&self) -> u32 {
        self.mxcsr_mask
    }

    /// `st(index)`, counted from the top of the stack; `None` if it is empty.
    ///
    /// # Panics
    ///
    /// If `index` is above 7.
    pub fn st(&self, index: usize) -> Option<F80> {
        assert!(index < 8, "cbframe: st({index}): the x87 stack has 8 registers");
        (self.tags >> self.physical(index) & 1 == 1).then(|| self.st[index].value)
    }

    /// Changes `st(index)`, counted from the top of the stack, and marks it as not empty.
    ///
    /// # Panics
    ///
    /// If `index` is above 7.
    pub fn set_st(&mut self, index: usize, value: F80) {
        assert!(index < 8, "cbframe: st({index}): the x87 stack has 8 registers");
        self.tags |= 1 << self.physical(index);
        self.st[index].value = value;
    }
}
