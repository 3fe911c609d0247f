// Pointers of another type: what is compared are constants of generic functions.

#![allow(unused)]

use cbframe::{CpuState, cbframe};
use std::ffi::c_void;

struct Foreign(f64, u8);

#[cbframe(abi = "C")]
fn callback(#[state] s: &u32, x: i32, y: f64) -> i64 {
    0
}

#[cbframe(abi = "C")]
fn foreign(#[state] s: &u32, x: Foreign) {}

#[cbframe(abi = "C")]
fn stateless(x: i32) -> i32 {
    x
}

fn main() {
    let frame = callback::bind(1).unwrap();
    // Another result, another parameter, one more, one less, another convention.
    frame.as_fn_of::<unsafe extern "C" fn(i32, f64) -> f64>();
    frame.as_fn_of::<unsafe extern "C" fn(i64, f64) -> i64>();
    frame.as_fn_of::<unsafe extern "C" fn(i32, f64, i32) -> i64>();
    frame.as_fn_of::<unsafe extern "C" fn(i32) -> i64>();
    frame.as_fn_of::<unsafe extern "win64" fn(i32, f64) -> i64>();
    frame.as_fn_of::<Option<unsafe extern "win64" fn(i32, f64) -> i64>>();
    // Right, but safe.
    frame.as_fn_of::<extern "C" fn(i32, f64) -> i64>();
    // Rust passes the argument; nobody knows where.
    foreign::bind(1).unwrap().as_fn_of::<unsafe extern "C" fn(f64, u8)>();

    stateless::as_fn_of::<unsafe extern "C" fn(f32) -> i32>();
    stateless::as_fn_of::<extern "C" fn(i32) -> i32>();
}
