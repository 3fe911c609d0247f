//! SIMD vectors as C types.

use core::arch::x86::{__m128, __m128d, __m128i};

use crate::VaArg;
use crate::types::{CType, Kind, Type, scalar};

macro_rules! vectors {
    ($($ty:ident)*) => { $(
        // SAFETY: the compilers' type of the same name in C; any bits are a value.
        unsafe impl CType for $ty {
            const TYPE: Type = scalar::<Self>(stringify!($ty), Kind::Vector);
        }

        impl VaArg for $ty {}
    )* };
}

vectors! { __m128 __m128d __m128i }
