//! Expansions kept under `snapshots/derive_*.rs`. What the compiler says of wrong input is in `ui-tests`.

use super::expand;
use crate::snapshot;
use quote::quote;

#[test]
fn structs() {
    let expansion = expand(quote! {
        #[repr(C)]
        struct Point {
            x: f64,
            r#type: [u16; 3],
            notify: extern "C" fn(&Point),
            free: Option<unsafe extern "C" fn(*mut Point)>,
        }
    });
    snapshot::assert("derive_struct", expansion);
}

#[test]
fn generics() {
    let expansion = expand(quote! {
        #[cbframe(crate = crate::callbacks)]
        #[repr(C)]
        struct Node<'a, T: Copy = u8, U: ?Sized, I: Iterator, const N: usize = 4>(
            [T; N],
            &'a U,
            Option<NonNull<Self>>,
            I::Item,
            PhantomData<I>,
        )
        where
            T: Default;
    });
    snapshot::assert("derive_generic", expansion);
}

#[test]
fn lifetimes() {
    let expansion = expand(quote! {
        #[repr(C)]
        struct Borrowed<'a, 'b: 'a> {
            first: &'a u8,
            second: &'b mut u16,
        }
    });
    snapshot::assert("derive_lifetimes", expansion);
}

#[test]
fn unions() {
    let expansion = expand(quote! {
        #[repr(C)]
        union Value {
            int: i64,
            float: f64,
        }
    });
    snapshot::assert("derive_union", expansion);
}

#[test]
fn transparent() {
    let expansion = expand(quote! {
        #[repr(transparent)]
        struct Handle<'a>(core::marker::PhantomData<&'a ()>, NonNull<Object>);
    });
    snapshot::assert("derive_transparent", expansion);
}

#[test]
fn enums() {
    let sized = expand(quote! {
        #[repr(u8)]
        enum Mode {
            Read,
            Write = 4,
        }
    });
    let c = expand(quote! {
        #[repr(C)]
        enum Level {
            Low = -1,
            High = 1,
        }
    });
    snapshot::assert("derive_enum", quote!(#sized #c));
}

/// A field may be unaligned: a copy is looked at.
#[test]
fn packed() {
    let expansion = expand(quote! {
        #[repr(packed(2), C)]
        struct Record<T> {
            tag: T,
            notify: extern "C" fn(&u8),
        }
    });
    snapshot::assert("derive_packed", expansion);
}

/// The errors, and an `impl` that keeps the type's uses from becoming errors as well.
#[test]
fn refused() {
    let expansion = expand(quote! {
        #[repr(C, align(128))]
        struct Header {
            #[cbframe(crate = callbacks)]
            tag: u8,
        }
    });
    snapshot::assert("derive_refused", expansion);
}
