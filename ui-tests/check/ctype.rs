// Types that are no C types, where one is needed.

#![allow(unused)]

use cbframe::{CpuState, cbframe};
use std::ffi::CStr;
use std::mem::MaybeUninit;

struct Foreign {
    x: f64,
}

// On the captured lane we place the arguments.
#[cbframe(abi = "win64")]
fn captured(#[cpu] cpu: &mut CpuState, x: Foreign, y: i32) -> Foreign {
    x
}

#[cbframe(abi = "sysv64", entry = "captured")]
fn forced(#[state] s: &u32, x: Option<u32>) {}

// A pointer that is two.
#[cbframe(abi = "C")]
fn fat(text: &str, bytes: &[u8], object: *const dyn Send, maybe: Option<&str>) {}

// C's string is one pointer.
#[cbframe(abi = "C")]
fn string(text: &CStr) {}

#[cbframe(abi = "C", entry = "captured")]
fn maybe_string(maybe: MaybeUninit<&CStr>) {}

#[cbframe(abi = "C")]
fn maybe_string_natively(maybe: MaybeUninit<&CStr>) {}

#[cbframe(abi = "C")]
fn fat_result(#[state] s: &u32) -> &'static str {
    ""
}

mod shadowed {
    #[allow(non_camel_case_types)]
    pub struct bool;

    #[cbframe::cbframe(abi = "C")]
    fn shadowed(x: bool) {}
}

// Rust passes these; what we know of them is not needed.
#[cbframe(abi = "C")]
fn native(#[state] s: &u32, x: Foreign) {}

fn main() {}
