//! The compiler finds the one description there is, wherever generated code needs it.

#![no_std]
#![deny(
    improper_ctypes_definitions,
    improper_ctypes,
    warnings,
    future_incompatible,
    missing_docs,
    unused,
    trivial_bounds,
    unused_lifetimes,
    unused_qualifications
)]
#![deny(elided_lifetimes_in_paths, single_use_lifetimes, keyword_idents, unreachable_pub, unsafe_op_in_unsafe_fn)]

extern crate cbframe as callbacks;

/// What another crate could define.
pub mod foreign {
    use core::marker::PhantomData;

    /// Plain.
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Point {
        /// A field.
        pub x: f64,
        /// A field.
        pub y: f64,
    }

    /// A tuple.
    #[repr(C)]
    pub struct Pair(pub u32, pub f32);

    /// With a lifetime.
    #[repr(C)]
    pub struct Span<'a, T> {
        /// A field.
        pub start: &'a T,
        /// A field.
        pub length: usize,
    }

    /// An alias for one of many.
    pub type Bytes<'a> = Span<'a, u8>;

    /// Packed, and no field but one is `Copy`.
    #[repr(C, packed)]
    pub struct Record {
        /// A field.
        pub tag: u8,
        /// A field.
        pub line: Line,
        /// A field.
        pub r#type: Option<unsafe extern "C" fn(&Line)>,
    }

    /// With others in it.
    #[repr(C)]
    pub struct Line {
        /// A field.
        pub ends: [Point; 2],
        /// A field.
        pub closed: bool,
    }

    /// Transparent.
    #[repr(transparent)]
    pub struct Celsius(pub f32, pub PhantomData<u64>);

    /// As large as its one field.
    #[repr(C)]
    pub struct Lone {
        /// A field.
        pub value: f32,
    }

    /// What a pointer points to does not matter.
    #[repr(C)]
    pub struct Handle {
        /// A field.
        pub object: *mut Opaque,
        /// A field.
        pub next: *const Handle,
    }

    /// Not of C.
    pub struct Opaque(#[allow(dead_code)] &'static str);

    /// Not to be used.
    #[deprecated]
    #[repr(C)]
    pub struct Old {
        /// A field.
        pub x: u8,
        /// A field.
        pub y: u8,
    }

    /// With a vector, which the lint does not like.
    #[repr(C)]
    pub struct Vector {
        /// A field.
        pub lanes: core::arch::x86_64::__m128,
        /// A field.
        pub used: u8,
    }

    /// Described for everyone.
    #[repr(C)]
    pub struct Own {
        /// A field.
        pub x: i64,
        /// A field.
        pub y: i64,
    }
}

mod descriptions {
    use ::core::marker::PhantomData;

    // Names that the expansion could have used carelessly.
    mod core {}
    mod std {}
    mod cbframe {}
    #[allow(dead_code)]
    struct Option;
    #[allow(dead_code)]
    struct Type;
    #[allow(non_upper_case_globals, dead_code)]
    const foreign: () = ();

    callbacks::c_type! {
        crate = callbacks;

        /// Copied with everything.
        pub struct super::foreign::Point {
            /// A field.
            pub x: f64,
            pub y: f64,
        }

        struct crate::foreign::Pair(u32, f32);
        struct super::foreign::Bytes<'a> { start: &'a u8, length: usize }
        struct super::foreign::Span<'_, u16> { start: &u16, length: usize }
        struct super::foreign::Record {
            tag: u8,
            line: super::foreign::Line,
            r#type: ::core::option::Option<unsafe extern "C" fn(&super::foreign::Line)>,
        }
        struct super::foreign::Line { ends: [super::foreign::Point; 2], closed: bool }

        #[repr(transparent)]
        struct super::foreign::Celsius(f32, PhantomData<u64>);

        #[repr(C)]
        struct super::foreign::Lone { value: f32 }

        struct super::foreign::Handle { object: *mut super::foreign::Opaque, next: *const super::foreign::Handle }

        #[allow(deprecated)]
        struct super::foreign::Old { x: u8, y: u8 }

        #[cfg(not(all()))]
        struct super::foreign::Nowhere { x: u8 }
    }
}

callbacks::c_type!(crate = callbacks, local = (); struct foreign::Own { x: i64, y: i64 });

macro_rules! describe {
    ($path:path { $($field:ident: $ty:ty),* }) => {
        callbacks::c_type! {
            crate = callbacks;

            #[allow(improper_ctypes_definitions)]
            struct $path { $($field: $ty),* }
        }
    };
}

mod users {
    use callbacks::abi::{Place, Register};
    use callbacks::{CType, cbframe};
    use core::mem::{ManuallyDrop, MaybeUninit};

    use super::foreign::{Bytes, Celsius, Handle, Line, Lone, Own, Pair, Point, Record, Span};

    #[derive(CType)]
    #[repr(C)]
    #[allow(dead_code)]
    struct Fields<'a, T> {
        point: Point,
        points: [[Point; 2]; 3],
        bytes: Bytes<'a>,
        maybe: MaybeUninit<Line>,
        kept: ManuallyDrop<Record>,
        celsius: Celsius,
        handle: Handle,
        other: T,
        others: [T; 2],
        behind: Option<&'a Point>,
    }

    #[derive(CType)]
    #[repr(C, packed)]
    #[allow(dead_code)]
    struct Packed(u8, Point, Own);

    #[derive(CType, Clone, Copy)]
    #[repr(C)]
    #[allow(dead_code)]
    union Either {
        point: Point,
        tag: u8,
    }

    #[derive(CType)]
    #[repr(transparent)]
    struct Wrapped(Point);

    #[cbframe(abi = "C", crate = callbacks)]
    fn native(#[state] _: &u32, point: Point, _: Pair, _: &Point, _: Option<&Line>, _: Bytes<'_>) -> Point {
        point
    }

    #[cbframe(abi = "win64", entry = "captured", crate = callbacks)]
    fn captured(
        #[state] _: &mut u32,
        _: Fields<'_, u8>,
        _: Record,
        celsius: Celsius,
        _: Lone,
        _: Span<'_, u16>,
    ) -> Celsius {
        celsius
    }

    #[cbframe(abi = "win64", crate = callbacks)]
    fn plain(_: MaybeUninit<Point>, _: Either, wrapped: Wrapped, _: Packed, _: ManuallyDrop<Line>) -> Wrapped {
        wrapped
    }

    #[cbframe(abi = "sysv64", crate = callbacks)]
    fn own(#[state] _: &u32, own: Own) -> Own {
        own
    }

    /// Each layout is known, and the pointers exist.
    pub(crate) fn run() {
        assert_eq!(native::LAYOUT.parameters().len(), 5);
        assert_eq!(plain::LAYOUT.parameters().len(), 5);
        // A transparent struct is passed as what it is around, a struct as one.
        let register = |index: usize| match captured::LAYOUT.parameters()[index].place {
            Place::Registers(parts) => parts.as_slice()[0].register,
            _ => panic!("in a register"),
        };
        assert_eq!((register(2), register(3)), (Register::Vector(2), Register::Integer(9)));
        let _ = (plain::FN, native::bind(&1).is_ok(), captured::bind(&mut 1).is_ok());
        let own = own::bind(&1).unwrap();
        let _: unsafe extern "sysv64" fn(Own) -> Own = own.as_fn_of();
    }
}

describe! { foreign::Vector { lanes: core::arch::x86_64::__m128, used: u8 } }

fn main() {
    users::run();
}
