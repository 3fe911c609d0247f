//! C on x86-64, and where its signatures are placed.

use std::ffi::c_void;

use core::arch::x86_64::{__m128, __m128d, __m128i, __m256, __m256d, __m256i, __m512, __m512d, __m512i};

use cbframe::abi::{Abi, Layout, place};
use cbframe::types::Type;
use cbframe::{CType, Float16, Float128, LongDouble};

use crate::signatures::{Dialect, Signature, complex, leak};

/// The widest vector registers that a signature needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Vectors {
    Xmm,
    Ymm,
    Zmm,
}

impl Vectors {
    pub(crate) const ALL: [Self; 3] = [Self::Xmm, Self::Ymm, Self::Zmm];

    /// What signature `index` may have: the compilers place wide vectors in registers only if told that there are
    /// some, and they are told so for whole files.
    pub(crate) fn of(index: usize) -> Self {
        [Self::Xmm, Self::Xmm, Self::Ymm, Self::Zmm][index % 4]
    }
}

/// What both C compilers know under these names.
const TYPES: &str = "\
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define VECTOR(bytes) __attribute__((vector_size(bytes)))
typedef float m128 VECTOR(16), m256 VECTOR(32), m512 VECTOR(64);
typedef double m128d VECTOR(16), m256d VECTOR(32), m512d VECTOR(64);
typedef long long m128i VECTOR(16), m256i VECTOR(32), m512i VECTOR(64);
typedef _Complex float complex_float128 __attribute__((mode(TC)));
typedef void spy_fn(void);
#define BODY(R) __builtin_unreachable();
#define BODY_VOID __builtin_unreachable();
";

impl Dialect {
    /// C with these vectors, whose functions have the convention `abi`.
    pub(crate) fn x86_64(abi: Abi, vectors: Vectors) -> Self {
        let attribute = if abi == Abi::Win64 { "ms_abi" } else { "sysv_abi" };
        const XMM: [(&str, Type); 3] = [("m128", __m128::TYPE), ("m128d", __m128d::TYPE), ("m128i", __m128i::TYPE)];
        const YMM: [(&str, Type); 3] = [("m256", __m256::TYPE), ("m256d", __m256d::TYPE), ("m256i", __m256i::TYPE)];
        const ZMM: [(&str, Type); 3] = [("m512", __m512::TYPE), ("m512d", __m512d::TYPE), ("m512i", __m512i::TYPE)];
        const OTHERS: [(&str, Type); 10] = [
            ("__int128", i128::TYPE),
            ("unsigned __int128", u128::TYPE),
            ("long double", LongDouble::TYPE),
            ("_Float16", Float16::TYPE),
            ("__float128", Float128::TYPE),
            ("_Complex float", complex("complex float", &f32::TYPE)),
            ("_Complex double", complex("complex double", &f64::TYPE)),
            ("_Complex long double", complex("complex long double", &LongDouble::TYPE)),
            ("_Complex _Float16", complex("complex _Float16", &Float16::TYPE)),
            ("complex_float128", complex("complex __float128", &Float128::TYPE)),
        ];
        let vectors = match vectors {
            Vectors::Xmm => XMM.to_vec(),
            Vectors::Ymm => [XMM, YMM, YMM].concat(),
            Vectors::Zmm => [XMM, YMM, ZMM, ZMM].concat(),
        };
        Self {
            prelude: format!("{TYPES}#define ABI __attribute__(({attribute}))\n"),
            integers: vec![
                ("_Bool", bool::TYPE),
                ("int8_t", i8::TYPE),
                ("uint8_t", u8::TYPE),
                ("int16_t", i16::TYPE),
                ("uint16_t", u16::TYPE),
                ("int32_t", i32::TYPE),
                ("uint32_t", u32::TYPE),
                ("int64_t", i64::TYPE),
                ("void *", <*const c_void>::TYPE),
            ],
            floats: vec![("float", f32::TYPE), ("double", f64::TYPE)],
            rare: [&vectors[..], &OTHERS].concat(),
            first: None,
            aggregates: 100,
            aligned: true,
            empty_structs: true,
            no_empty_results: abi == Abi::Win64,
            variadic: 0,
        }
    }
}

impl Signature {
    /// Where `abi` puts the parameters and the result.
    pub(crate) fn layout(&self, abi: Abi) -> Layout<'static> {
        let parameters: Vec<_> = self.parameters.iter().map(|&ty| ("", ty)).collect();
        macro_rules! by_count {
            ($($n:literal)*) => {
                match parameters.len() {
                    $($n => {
                        let parameters: [_; $n] = parameters.try_into().expect("the length was matched");
                        leak(place(abi, parameters, self.result)).layout(abi, false)
                    })*
                    n => unreachable!("{n} parameters"),
                }
            };
        }
        by_count!(0 1 2 3 4 5 6 7 8 9 10 11 12)
    }
}
