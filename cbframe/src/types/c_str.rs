//! C strings as parameters.

use core::ffi::{CStr, c_char};
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

use crate::CType;

/// A C string by its address: the parameter of a callback where C has a `const char *` that is never null.
///
/// `&CStr` would be an address and a length, which C does not pass. `Option<CStrRef>` is for where null is a value.
///
/// As for a parameter that is a reference, it is the C side that has to keep the promises: at the address is a string
/// that ends in a NUL byte, and nobody changes or frees it during the lifetime, which for a parameter is the call. A
/// null pointer is found and reported as a reference that is null is. The length is counted at every use as a [`CStr`].
///
/// ```
/// use cbframe::{CStrRef, cbframe};
/// use std::ffi::c_int;
///
/// /// `void log(int level, const char *text, const char *file)`, where `file` may be null.
/// #[cbframe(abi = "C")]
/// fn log(#[state] lowest: &c_int, level: c_int, text: CStrRef<'_>, file: Option<CStrRef<'_>>) {
///     if level >= *lowest {
///         let file = file.map_or("?".into(), |file| file.to_string_lossy().into_owned());
///         println!("{file}: {}", text.to_string_lossy());
///     }
/// }
///
/// # let log = log::bind(2).unwrap();
/// # // SAFETY: the callback lives.
/// # let call = unsafe { log.as_fn() };
/// # // SAFETY: as above.
/// # unsafe { call(3, c"disk full".into(), Some(c"main.c".into())) };
/// ```
#[derive(Clone, Copy, CType)]
#[repr(transparent)]
pub struct CStrRef<'a> {
    start: NonNull<c_char>,
    string: PhantomData<&'a CStr>,
}

// SAFETY: a shared reference to bytes.
unsafe impl Send for CStrRef<'_> {}

// SAFETY: as above.
unsafe impl Sync for CStrRef<'_> {}

impl<'a> CStrRef<'a> {
    /// The address of the first byte.
    #[inline]
    pub const fn as_ptr(self) -> *const c_char {
        self.start.as_ptr()
    }

    /// The string, for as long as it lives; `*self` gives it for the life of `self`.
    #[inline]
    pub fn to_c_str(self) -> &'a CStr {
        // SAFETY: what this was made from, in Rust a `&'a CStr`, in C a string of which the C side promises the same.
        unsafe { CStr::from_ptr(self.as_ptr()) }
    }
}

impl<'a> From<&'a CStr> for CStrRef<'a> {
    #[inline]
    fn from(string: &'a CStr) -> Self {
        Self { start: NonNull::from(string.to_bytes_with_nul()).cast(), string: PhantomData }
    }
}

impl<'a> From<CStrRef<'a>> for &'a CStr {
    #[inline]
    fn from(string: CStrRef<'a>) -> Self {
        string.to_c_str()
    }
}

impl Deref for CStrRef<'_> {
    type Target = CStr;

    #[inline]
    fn deref(&self) -> &CStr {
        self.to_c_str()
    }
}

impl fmt::Debug for CStrRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
