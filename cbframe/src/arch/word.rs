//! What the bits of a general register are.

use core::fmt;

/// As many bits as a general register has.
#[cfg(target_pointer_width = "64")]
pub(super) type Bits = u64;
/// As many bits as a general register has.
#[cfg(target_pointer_width = "32")]
pub(super) type Bits = u32;

/// The bits of a general register or of a word of the stack, 64 of them or 32, seen as one type or another.
///
/// Narrow types are the low bits, as `eax`, `ax` and `al` are those of `rax`, and `w0` those of `x0`. Made from a narrow signed value a word has its
/// sign in all bits above, from any other zeros. With 32 bits there are no views of 64.
///
/// ```
/// use cbframe::Word;
///
/// let word = Word::from(-2_i32);
/// assert_eq!((word.i32(), word.isize(), word.u8()), (-2, -2, 0xfe));
/// assert_eq!(Word::from(1.5_f32).f32(), 1.5);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Word(pub Bits);

macro_rules! views {
    ($($ty:ident $wide:ident;)*) => {
        impl Word {
            $(
                #[doc = concat!("The low bits as `", stringify!($ty), "`.")]
                #[inline]
                pub const fn $ty(self) -> $ty {
                    self.0 as $ty
                }
            )*
        }
        $(
            impl From<$ty> for Word {
                #[inline]
                fn from(value: $ty) -> Self {
                    Self(value as $wide as Bits)
                }
            }
        )*
    };
}

views! {
    u8 usize;
    u16 usize;
    u32 usize;
    usize usize;
    i8 isize;
    i16 isize;
    i32 isize;
    isize isize;
}

#[cfg(target_pointer_width = "64")]
views! {
    u64 u64;
    i64 i64;
}

impl Word {
    /// The bits as an `f64`.
    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub const fn f64(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// The low 32 bits as an `f32`.
    #[inline]
    pub const fn f32(self) -> f32 {
        f32::from_bits(self.u32())
    }

    /// The address; it may be used as far as what is there has been exposed ([`core::ptr`], "Exposed Provenance"), as
    /// whatever C passes has.
    #[inline]
    pub fn pointer<T>(self) -> *mut T {
        core::ptr::with_exposed_provenance_mut(self.0 as usize)
    }
}

#[cfg(target_pointer_width = "64")]
impl From<f64> for Word {
    #[inline]
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}

impl From<f32> for Word {
    #[inline]
    fn from(value: f32) -> Self {
        Self::from(value.to_bits())
    }
}

impl From<bool> for Word {
    #[inline]
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}

impl<T> From<*const T> for Word {
    #[inline]
    fn from(value: *const T) -> Self {
        Self(value.expose_provenance() as Bits)
    }
}

impl<T> From<*mut T> for Word {
    #[inline]
    fn from(value: *mut T) -> Self {
        Self(value.expose_provenance() as Bits)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
