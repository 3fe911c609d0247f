//! Vector registers as values: bytes, and lanes of every type.

use core::fmt;

macro_rules! lanes {
    ($register:literal $size:literal; $($get:ident $set:ident $ty:ident;)*) => { $(
        #[doc = concat!("Lane `lane` as `", stringify!($ty), "`, 0 being the lowest.\n\n# Panics\n\nIf there is no such lane.")]
        #[inline]
        #[track_caller]
        pub const fn $get(&self, lane: usize) -> $ty {
            assert!(lane < $size / size_of::<$ty>(), concat!("cbframe: ", $register, " has not so many lanes of type ", stringify!($ty)));
            // SAFETY: the lane lies within the register, which is aligned to its size.
            unsafe { self.bytes.as_ptr().cast::<$ty>().add(lane).read() }
        }

        #[doc = concat!("Changes lane `lane` and no other.\n\n# Panics\n\nIf there is no such lane.")]
        #[inline]
        #[track_caller]
        pub const fn $set(&mut self, lane: usize, value: $ty) {
            assert!(lane < $size / size_of::<$ty>(), concat!("cbframe: ", $register, " has not so many lanes of type ", stringify!($ty)));
            // SAFETY: the lane lies within the register, which is aligned to its size.
            unsafe { self.bytes.as_mut_ptr().cast::<$ty>().add(lane).write(value) }
        }
    )* };
}

macro_rules! registers {
    ($($(#[$meta:meta])* $name:ident $register:literal $size:literal;)*) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(C, align($size))]
        pub struct $name {
            /// The bytes, lowest lane first.
            pub bytes: [u8; $size],
        }

        impl $name {
            lanes! {
                $register $size;
                u8 set_u8 u8;
                u16 set_u16 u16;
                u32 set_u32 u32;
                u64 set_u64 u64;
                i8 set_i8 i8;
                i16 set_i16 i16;
                i32 set_i32 i32;
                i64 set_i64 i64;
                f32 set_f32 f32;
                f64 set_f64 f64;
            }
        }

        /// The register as one hexadecimal number.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0x")?;
                self.bytes.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    )* };
}

registers! {
    /// A 128-bit vector register.
    Xmm "an xmm register" 16;
    /// A 256-bit vector register; its low half is the xmm register of the same number.
    Ymm "a ymm register" 32;
    /// A 512-bit vector register; its low half is the ymm register of the same number.
    Zmm "a zmm register" 64;
}
