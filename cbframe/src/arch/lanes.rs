//! Vector registers as values: bytes, and lanes of every type.

macro_rules! lanes {
    ($register:literal $size:literal; $($get:ident $set:ident $ty:ident;)*) => { $(
        #[doc = concat!("Lane `lane` as `", stringify!($ty), "`, 0 being the lowest.\n\n# Panics\n\nIf there is no such lane.")]
        #[inline]
        #[track_caller]
        pub const fn $get(&self, lane: usize) -> $ty {
            assert!(lane < $size / size_of::<$ty>(), concat!("cbframe: ", $register, " has not so many lanes of type ", stringify!($ty)));
            // SAFETY: the lane lies within the register, which is as aligned as its type.
            unsafe { self.bytes.as_ptr().cast::<$ty>().add(lane).read() }
        }

        #[doc = concat!("Changes lane `lane` and no other.\n\n# Panics\n\nIf there is no such lane.")]
        #[inline]
        #[track_caller]
        pub const fn $set(&mut self, lane: usize, value: $ty) {
            assert!(lane < $size / size_of::<$ty>(), concat!("cbframe: ", $register, " has not so many lanes of type ", stringify!($ty)));
            // SAFETY: the lane lies within the register, which is as aligned as its type.
            unsafe { self.bytes.as_mut_ptr().cast::<$ty>().add(lane).write(value) }
        }
    )* };
}

/// Types for vector registers of so many bytes. They are as aligned as any lane is.
macro_rules! vector_registers {
    ($($(#[$meta:meta])* $name:ident $register:literal $size:literal aligned $align:literal;)*) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(C, align($align))]
        pub struct $name {
            /// The bytes, lowest lane first.
            pub bytes: [u8; $size],
        }

        impl $name {
            $crate::arch::lanes::lanes! {
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
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("0x")?;
                self.bytes.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    )* };
}

pub(super) use {lanes, vector_registers};
