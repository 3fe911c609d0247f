//! Advanced SIMD vectors as C types.

use core::arch::aarch64::{
    float32x2_t, float32x4_t, float64x1_t, float64x2_t, int8x8_t, int8x16_t, int16x4_t, int16x8_t, int32x2_t,
    int32x4_t, int64x1_t, int64x2_t, uint8x8_t, uint8x16_t, uint16x4_t, uint16x8_t, uint32x2_t, uint32x4_t, uint64x1_t,
    uint64x2_t,
};

use crate::VaArg;
use crate::types::{CType, Kind, Type, scalar};

macro_rules! vectors {
    ($($ty:ident)*) => { $(
        // SAFETY: the compilers' type of the same name in C ("Arm C Language Extensions", section 12.1); any bits are a value.
        unsafe impl CType for $ty {
            const TYPE: Type = scalar::<Self>(stringify!($ty), Kind::Vector);
        }

        impl VaArg for $ty {}
    )* };
}

vectors! {
    float32x2_t float32x4_t float64x1_t float64x2_t int8x8_t int8x16_t int16x4_t int16x8_t int32x2_t int32x4_t int64x1_t int64x2_t
    uint8x8_t uint8x16_t uint16x4_t uint16x8_t uint32x2_t uint32x4_t uint64x1_t uint64x2_t
}
