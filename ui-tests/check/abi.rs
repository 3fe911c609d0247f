// The option `abi`.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "cpp")]
fn unknown() {}

#[cbframe(abi = "stdcall")]
fn x86() {}

#[cbframe(abi = "aapcs-unwind")]
fn arm() {}

#[cbframe(abi = "vectorcall")]
fn a_type() {}

#[cbframe(abi = "efiapi-unwind")]
fn unwinding() {}

#[cbframe(abi = "Rust")]
fn rust() {}

#[cbframe(abi = C)]
fn no_string() {}

#[cbframe(abi)]
fn no_value() {}

#[cbframe("C")]
fn no_name() {}

#[cbframe]
fn missing() {}

#[cbframe(name = Handle)]
fn missing_too() {}

fn main() {}
