//! Expansions kept under `snapshots/c_type_*.rs`. What the compiler says of wrong input is in `ui-tests`.

use quote::quote;

use super::expand;
use crate::snapshot;

#[test]
fn structs() {
    let expansion = expand(quote! {
        struct libc::timeval {
            tv_sec: libc::time_t,
            pub tv_usec: libc::suseconds_t,
        }

        #[cfg(unix)]
        #[allow(deprecated)]
        #[repr(C)]
        struct ::other::sys::Pair(u32, Option<extern "C" fn(&u8)>);
    });
    snapshot::assert("c_type_struct", expansion);
}

#[test]
fn options() {
    let expansion = expand(quote! {
        crate = crate::callbacks, local = ();

        /// A span.
        struct other::Span<'a, u8> {
            start: &'a u8,
            length: usize,
        }

        #[repr(transparent)]
        struct other::Id(u32, PhantomData<u8>);
    });
    snapshot::assert("c_type_options", expansion);
}

/// A keyword is no name, so that what is written here would be no Rust.
#[test]
fn keywords() {
    for input in [
        quote!(struct dyn { a: u8 }),
        quote!(struct _ { a: u8 }),
        quote!(struct libc::fn { a: u8 }),
        quote!(struct self { a: u8 }),
        quote!(struct super::super { a: u8 }),
    ] {
        assert!(expand(input.clone()).to_string().contains("compile_error !"), "{input}");
    }
    assert!(!expand(quote!(struct crate::Own { a: u8 })).to_string().contains("compile_error !"));
}

#[test]
fn refused() {
    let expansion = expand(quote! {
        union libc::sigval { sival_int: i32 }
    });
    snapshot::assert("c_type_refused", expansion);
}
