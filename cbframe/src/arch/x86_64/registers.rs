//! General registers: their names, and what their bits are.

use core::fmt;

/// A general register; the numbers are those that instructions encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Gpr {
    /// rax.
    Rax,
    /// rcx.
    Rcx,
    /// rdx.
    Rdx,
    /// rbx.
    Rbx,
    /// rsp.
    Rsp,
    /// rbp.
    Rbp,
    /// rsi.
    Rsi,
    /// rdi.
    Rdi,
    /// r8.
    R8,
    /// r9.
    R9,
    /// r10.
    R10,
    /// r11.
    R11,
    /// r12.
    R12,
    /// r13.
    R13,
    /// r14.
    R14,
    /// r15.
    R15,
}

impl Gpr {
    /// All of them, by number.
    pub const ALL: [Self; 16] = [
        Self::Rax,
        Self::Rcx,
        Self::Rdx,
        Self::Rbx,
        Self::Rsp,
        Self::Rbp,
        Self::Rsi,
        Self::Rdi,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::R13,
        Self::R14,
        Self::R15,
    ];

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
            "r15",
        ];
        NAMES[self as usize]
    }
}

/// The name.
impl fmt::Display for Gpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The 64 bits of a general register or of a word of the stack, seen as one type or another.
///
/// Narrow types are the low bits, as `eax`, `ax` and `al` are those of `rax`. Made from a narrow signed value a word has its
/// sign in all bits above, from any other zeros.
///
/// ```
/// use cbframe::Word;
///
/// let word = Word::from(-2_i32);
/// assert_eq!((word.i32(), word.i64(), word.u8()), (-2, -2, 0xfe));
/// assert_eq!(Word::from(1.5_f32).f32(), 1.5);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Word(pub u64);

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
                    Self(value as $wide as u64)
                }
            }
        )*
    };
}

views! {
    u8 u64;
    u16 u64;
    u32 u64;
    u64 u64;
    usize u64;
    i8 i64;
    i16 i64;
    i32 i64;
    i64 i64;
    isize i64;
}

impl Word {
    /// The bits as an `f64`.
    #[inline]
    pub const fn f64(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// The low 32 bits as an `f32`.
    #[inline]
    pub const fn f32(self) -> f32 {
        f32::from_bits(self.0 as u32)
    }

    /// The address; it may be used as far as what is there has been exposed ([`core::ptr`], "Exposed Provenance"), as
    /// whatever C passes has.
    #[inline]
    pub fn pointer<T>(self) -> *mut T {
        core::ptr::with_exposed_provenance_mut(self.0 as usize)
    }
}

impl From<f64> for Word {
    #[inline]
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}

impl From<f32> for Word {
    #[inline]
    fn from(value: f32) -> Self {
        Self(value.to_bits().into())
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
        Self(value.expose_provenance() as u64)
    }
}

impl<T> From<*mut T> for Word {
    #[inline]
    fn from(value: *mut T) -> Self {
        Self(value.expose_provenance() as u64)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
