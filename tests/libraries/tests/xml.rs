//! libxml2 reports errors to a variadic handler, piece by piece. What a handler makes of them is compared with what
//! libxml2's own handler writes.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt::Write;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use cbframe::{CStrRef, cbframe};
use cbframe_libraries::xml::*;

/// Of each kind of error that its parser has some, with text, numbers and names in the messages.
const DOCUMENTS: [&str; 8] = [
    "<a><b></a>",
    "<a x=1 y='&undefined;'/>",
    "<a>\n\n  <b c='1' c='2'/>\n</a",
    "no document at all",
    "<?xml version='9.9' encoding='none-such'?><ä/>",
    "<a>\u{1}</a>",
    "<p:a><!-- -- --></p:a>",
    "<!DOCTYPE a [<!ENTITY b '<c>'>]><a>&b;</a>",
];

#[derive(Default)]
struct Errors {
    text: Mutex<String>,
}

/// The context that libxml2 would pass is not needed: the state is bound.
#[cbframe(abi = "C")]
unsafe fn report(#[state] errors: &Errors, _context: *mut c_void, format: CStrRef<'_>, args: ...) {
    // SAFETY: libxml2 passes what its format says.
    let text = unsafe { args.format(format.as_ptr()) };
    errors.text.lock().unwrap().push_str(&text);
}

fn parse(document: &str) {
    // SAFETY: the text lives until it is parsed.
    unsafe {
        let parsed = xmlReadMemory(document.as_ptr().cast(), document.len() as c_int, c"in.xml".as_ptr(), null(), 0);
        if !parsed.is_null() {
            xmlFreeDoc(parsed);
        }
    }
}

/// What libxml2's own handler writes.
fn expected(document: &str) -> String {
    let (mut text, mut size) = (null_mut::<c_char>(), 0);
    // SAFETY: both live until the stream is closed, which writes to them; what is allocated is a string then.
    unsafe {
        let file = open_memstream(&raw mut text, &raw mut size);
        // Without a handler it writes to the context.
        xmlSetGenericErrorFunc(file.cast(), None);
        parse(document);
        xmlSetGenericErrorFunc(null_mut(), None);
        fclose(file);
        let written = CStr::from_ptr(text).to_string_lossy().into_owned();
        libc::free(text.cast());
        written
    }
}

#[test]
fn errors_of_broken_documents() {
    let errors = Errors::default();
    let handler = report::bind(&errors).unwrap();
    let mut all = String::new();
    for document in DOCUMENTS {
        // SAFETY: the frame lives until another handler is set.
        unsafe { xmlSetGenericErrorFunc(null_mut(), Some(handler.as_fn_of())) };
        parse(document);
        let expected = expected(document);
        let found = std::mem::take(&mut *errors.text.lock().unwrap());
        assert!(expected.contains("error") && expected.lines().count() >= 2, "{document}: {expected}");
        assert_eq!(found, expected, "{document}");
        writeln!(all, "{expected}").unwrap();
    }
    assert!(all.contains("Opening and ending tag mismatch: b line 1 and a"), "{all}");
}
