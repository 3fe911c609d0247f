//! The expansion does not depend on what names mean where it stands, nor on lints.

#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings, future_incompatible, missing_docs, unused, trivial_bounds, unused_lifetimes, unused_qualifications)]
#![deny(elided_lifetimes_in_paths, deprecated_safe, keyword_idents, single_use_lifetimes, unreachable_pub)]
#![allow(dead_code)]

extern crate cbframe as callbacks;

/// Every name that the expansion could have used carelessly.
mod shadowed {
    use callbacks::CType;

    mod core {}
    mod std {}
    mod cbframe {}
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Type;
    struct Kind;
    struct Field;
    struct NeverNull;
    #[allow(non_camel_case_types)]
    struct bool;
    #[allow(non_camel_case_types)]
    struct u8;
    #[allow(non_camel_case_types)]
    struct i128;
    #[allow(non_upper_case_globals)]
    const bits: () = ();
    const VALUE_0: () = ();
    const VALUES: () = ();
    #[allow(unused_macros)]
    macro_rules! matches {
        () => {};
    }

    #[derive(CType)]
    #[repr(C)]
    struct Shadowed {
        callback: extern "C" fn(&Shadowed),
        maybe: ::core::option::Option<extern "C" fn(&Shadowed)>,
        mode: Mode,
        handle: ::core::option::Option<Handle>,
        bits: i32,
        same: Level,
    }

    #[derive(CType)]
    #[repr(u8)]
    enum Mode {
        Read,
        Write,
    }

    #[derive(CType)]
    #[repr(C)]
    enum Level {
        Low = -1,
        VALUES = 3,
    }

    #[derive(CType)]
    #[repr(transparent)]
    struct Handle(::core::ptr::NonNull<Shadowed>);
}

mod renamed {
    mod hidden {
        pub(super) use callbacks as facade;
    }

    #[derive(callbacks::CType)]
    #[cbframe(crate = hidden::facade)]
    #[repr(C)]
    struct Renamed {
        callback: Option<extern "C" fn(&Renamed)>,
    }
}

mod shapes {
    use callbacks::CType;
    use core::marker::{PhantomData, PhantomPinned};
    use core::mem::{ManuallyDrop, MaybeUninit};
    use core::ptr::NonNull;

    #[derive(CType)]
    #[repr(C)]
    struct Empty;

    #[derive(CType)]
    #[repr(C)]
    struct Braces {}

    #[derive(CType)]
    #[repr(C)]
    struct Raw {
        r#type: u8,
        r#fn: [Empty; 2],
    }

    #[derive(CType)]
    #[repr(C)]
    #[deprecated]
    struct Old {
        #[deprecated]
        field: u8,
    }

    #[derive(CType)]
    #[repr(C)]
    #[allow(deprecated)]
    struct Outer(Old);

    #[derive(CType)]
    #[repr(C)]
    struct Generic<'a, T: Copy + 'static = u8, U: ?Sized = str, const N: usize = 2>
    where
        U: 'a,
    {
        list: [T; N],
        next: Option<&'a Self>,
        text: *const *const U,
        show: extern "C" fn(&U, &'a T) -> *const T,
        owned: ManuallyDrop<T>,
        also: Option<unsafe extern "C" fn(&U, ...) -> T>,
        kind: PhantomData<U>,
    }

    trait Platform {
        type Handle;
    }

    struct Linux;

    impl Platform for Linux {
        type Handle = i32;
    }

    #[derive(CType)]
    #[repr(C)]
    struct File<P: Platform> {
        handle: P::Handle,
        again: <P as Platform>::Handle,
    }

    #[derive(CType, Clone, Copy)]
    #[repr(C)]
    union Value<'a, T: Copy> {
        int: i64,
        list: [f32; 2],
        value: T,
        text: &'a u8,
    }

    #[derive(CType)]
    #[repr(transparent)]
    struct Tagged<T, Tag: ?Sized> {
        tag: PhantomData<*const Tag>,
        value: T,
        pinned: PhantomPinned,
    }

    #[derive(CType)]
    #[repr(transparent)]
    struct Callback(pub extern "C" fn(&u8));

    #[derive(CType)]
    #[repr(C)]
    struct Optional<'a> {
        tagged: Option<Tagged<NonNull<u8>, str>>,
        callback: Option<Callback>,
        reference: Option<Tagged<&'a u8, Linux>>,
    }

    macro_rules! structs {
        ($($name:ident { $($field:ident: $ty:ty),* })*) => { $(
            #[derive(CType)]
            #[repr(C)]
            struct $name { $($field: $ty),* }
        )* };
    }

    structs! {
        FromMacro { plain: u8, pointer: fn(&u8), optional: Option<extern "C" fn(&u8)> }
    }

    macro_rules! bytes {
        ($($name:ident)*) => {
            #[derive(CType)]
            #[repr(i8)]
            enum Many { $($name),* }
        };
    }

    bytes!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z);

    #[derive(CType)]
    #[repr(C, packed)]
    struct Packed<'a, T> {
        tag: u8,
        value: T,
        flag: bool,
        next: Option<&'a Self>,
        show: extern "C" fn(&T),
        text: Option<callbacks::CStrRef<'a>>,
    }

    #[derive(CType)]
    #[repr(packed(2))]
    #[repr(C)]
    union PackedUnion {
        wide: u64,
        bytes: [u8; 3],
    }

    #[derive(CType)]
    #[repr(C, align(64))]
    struct Line {
        packed: Packed<'static, [u32; 0]>,
        none: [u64; 0],
    }

    #[derive(CType)]
    #[repr(align(32), C)]
    union Lines {
        one: ManuallyDrop<Line>,
        value: Value<'static, u8>,
    }

    #[derive(CType)]
    #[repr(C)]
    struct Wide {
        signed: i128,
        unsigned: [u128; 2],
        long: callbacks::LongDouble,
        quad: callbacks::Float128,
        half: callbacks::Float16,
        vector: core::arch::x86_64::__m256,
        maybe: MaybeUninit<Line>,
    }

    const _: () = {
        assert!(<Packed<'_, u64> as CType>::TYPE.size == 34);
        <Packed<'_, u64> as CType>::TYPE.check();
        assert!(<Generic<'_, u16> as CType>::TYPE.size == 48);
        <Generic<'_> as CType>::TYPE.check();
        <File<Linux> as CType>::TYPE.check();
        <Value<'_, [u8; 3]> as CType>::TYPE.check();
        <Tagged<bool, str> as CType>::TYPE.check();
    };
}

fn main() {}
