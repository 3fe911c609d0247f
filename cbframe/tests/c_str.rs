//! `CStrRef`: C strings from C, and C strings for C.

mod c;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Mutex;

use c::Library;
use cbframe::{CStrRef, cbframe};

/// Calls with a literal and null, then with a string of its own that the callback gives back.
const CALLER: &str = r#"
#include <stddef.h>
#include <string.h>
typedef const char *callback(const char *, const char *);
int call(callback *f) {
    char own[] = "na\xefve";
    return f("plain", NULL) == NULL && f("", own) == own && strcmp(own, "na\xefve") == 0;
}
"#;

#[cbframe(abi = "C")]
fn record<'a>(
    #[state] seen: &Mutex<Vec<String>>,
    always: CStrRef<'a>,
    sometimes: Option<CStrRef<'a>>,
) -> Option<CStrRef<'a>> {
    let sometimes_too = sometimes.map(CStrRef::to_c_str);
    seen.lock().unwrap().push(format!("{always:?} {sometimes_too:?} {}", always.count_bytes()));
    sometimes
}

#[test]
fn from_c() {
    let library = Library::compile("c_str", CALLER);
    // SAFETY: the function's type, but for the parameter, which is a function pointer that it calls as this one is.
    let call: unsafe extern "C" fn(*const c_void) -> c_int = unsafe { std::mem::transmute(library.symbol("call")) };
    let seen = Mutex::new(Vec::new());
    let frame = record::bind(&seen).expect("a slot");
    // SAFETY: a callback of this signature, which lives.
    assert_eq!(unsafe { call(frame.as_fn() as *const c_void) }, 1);
    assert_eq!(*seen.lock().unwrap(), [r#""plain" None 5"#, r#""" Some("na\xefve") 0"#]);
}

#[test]
fn from_rust() {
    let string = c"a string";
    let by_address = CStrRef::from(string);
    assert_eq!((size_of::<CStrRef<'_>>(), by_address.as_ptr()), (size_of::<*const c_char>(), string.as_ptr()));
    assert_eq!((&*by_address, <&CStr>::from(by_address)), (string, string));
    // The lifetime is that of the string.
    let longer = {
        let copy = by_address;
        copy.to_c_str()
    };
    assert_eq!(longer, string);
}
