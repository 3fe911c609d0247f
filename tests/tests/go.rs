//! `GoInternal`, called by Go. Without Go on the machine the test says so and looks at nothing.
// Go's code is linked as the host's.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::process::Command;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use cbframe::conventions::GoInternal;
use cbframe::{CType, bind_static, cbframe};
use cbframe_tests::guard::{self, trash};
use num_complex::Complex;

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct GoString {
    text: *const u8,
    length: i64,
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Slice {
    data: *const u8,
    length: i64,
    capacity: i64,
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Pair {
    a: i8,
    b: [f32; 1],
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Words {
    a: [i32; 2],
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Empty {}

#[derive(CType)]
#[repr(C)]
struct Three {
    a: i64,
    b: f32,
    c: GoString,
}

#[derive(CType)]
#[repr(C)]
struct Two {
    a: i64,
    b: i64,
}

#[derive(CType)]
#[repr(C)]
struct Returned {
    pair: Pair,
    addresses: *const u8,
    right: bool,
}

static CALLS: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::too_many_arguments, reason = "so that some are in memory")]
#[cbframe(abi = GoInternal)]
fn many(
    #[state] calls: &AtomicU32,
    a: i8,
    b: f32,
    c: GoString,
    d: Slice,
    e: u16,
    f: i64,
    g: bool,
    h: Complex<f32>,
    i: i32,
    j: Pair,
) -> Three {
    calls.fetch_add(1, Ordering::Relaxed);
    // SAFETY: Go passes a string and a slice.
    let (text, data) = unsafe { (bytes(c), slice::from_raw_parts(d.data, d.length as usize)) };
    let right = (a, b, e, g, i, j.a, j.b) == (-5, 1.25, 65000, true, -6, -7, [0.5]);
    let right = right && text == b"graffiti" && data == [9, 8, 7] && d.capacity >= 3;
    trash();
    Three { a: if right { f + c.length } else { -1 }, b: b + h.re + h.im, c: GoString { length: 3, ..c } }
}

/// # Safety
///
/// A string of Go's that is there during the call.
unsafe fn bytes<'a>(string: GoString) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(string.text, string.length as usize) }
}

#[cbframe(abi = GoInternal)]
fn spilled(#[state] calls: &AtomicU32, a: Words, b: i16, c: Words, d: i8, e: i64) -> i64 {
    calls.fetch_add(1, Ordering::Relaxed);
    trash();
    let narrow = a.a[0] + a.a[1] + i32::from(b) + c.a[0] + c.a[1] + i32::from(d);
    e + i64::from(narrow)
}

#[expect(clippy::too_many_arguments, reason = "so that some are in memory")]
#[cbframe(abi = GoInternal)]
fn over(
    a: i64,
    b: i64,
    c: i64,
    d: i64,
    e: i64,
    f: i64,
    g: i64,
    h: i64,
    s: GoString,
    i: i64,
    t: GoString,
    j: i32,
    k: i8,
    l: i64,
) -> Two {
    trash();
    // SAFETY: Go passes strings.
    let (s, t) = unsafe { (bytes(s), bytes(t)) };
    let first = if s == b"graffiti" && t.len() == 2 { t[1].into() } else { -1 };
    Two { a: a + b + c + d + e + f + g + h + i + i64::from(j) + i64::from(k) + l, b: first }
}

#[expect(clippy::too_many_arguments, reason = "more than there are registers")]
#[cbframe(abi = GoInternal)]
fn floats(
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
    f: f64,
    g: f64,
    h: f64,
    i: f64,
    j: f64,
    k: f64,
    l: f64,
    m: f64,
    n: f64,
    o: f64,
    p: f64,
) -> f64 {
    trash();
    a + b + c + d + e + f + g + h + i + j + k + l + m + n + o - p
}

#[cbframe(abi = GoInternal)]
fn returned(pair: Pair, _empty: Empty, addresses: *const u8) -> Returned {
    trash();
    Returned { pair: Pair { a: -pair.a, b: [-pair.b[0]] }, addresses, right: true }
}

#[cbframe(abi = GoInternal)]
fn nothing() {
    trash();
}

fn has_go() -> bool {
    Command::new("go").arg("version").output().is_ok_and(|output| output.status.success())
}

/// The library that Go makes of `go/`.
fn library() -> CString {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libcbt_go.so");
    let mut build = Command::new("go");
    build.args(["build", "-buildmode=c-shared", "-o"]).arg(&library).arg(".").current_dir(source);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
    let output = build.env("GOCACHE", cache).env("GOFLAGS", "-mod=mod").env("CGO_ENABLED", "1").output();
    let output = output.expect("go can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    CString::new(library.into_os_string().into_encoded_bytes()).expect("a path")
}

#[test]
fn called_by_go() {
    if !has_go() {
        eprintln!("skipped: no Go on this machine (Debian's package golang-go)");
        return;
    }
    let name: &CStr = c"cbt_go_calls";
    // SAFETY: the library is Go's own, with a function of that signature.
    let calls: extern "C" fn(&[unsafe extern "C" fn(); 6]) -> c_int = unsafe {
        let library = libc::dlopen(library().as_ptr(), libc::RTLD_NOW);
        assert!(!library.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
        let address = libc::dlsym(library, name.as_ptr());
        assert!(!address.is_null());
        std::mem::transmute(address)
    };
    let _ = guard::report();
    let addresses =
        [bind_static!(many, CALLS), bind_static!(spilled, CALLS), over::FN, floats::FN, returned::FN, nothing::FN];
    assert_eq!(calls(&addresses), 0, "the number of the call that Go found wrong");
    assert_eq!(CALLS.load(Ordering::Relaxed), 2 * 3 * 3);
    assert_eq!(guard::report().misaligned, 0);
}
