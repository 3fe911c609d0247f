// Places that are wrong for the types of what is there, which only the compiler knows.

#![allow(unused)]

use std::ffi::c_long;

use cbframe::{CType, LongDouble, cbframe};

#[cbframe(abi = "custom", ret = "ax")]
fn wide(#[reg("ecx")] a: c_long, #[reg("dl")] b: u16, #[reg("rbx")] c: u128, #[reg("esi")] d: *const u8) -> i32 {
    0
}

#[cbframe(abi = "custom", ret = "eax")]
fn floats(#[reg("ecx")] a: f32, #[reg("rdx")] b: f64, #[reg("rbx")] c: LongDouble) -> f32 {
    0.0
}

#[cbframe(abi = "custom", ret = "xmm0")]
fn integers(#[reg("xmm1")] a: u64, #[reg("xmm2")] b: *const u8) -> i32 {
    0
}

// What would the upper half be?
#[cbframe(abi = "custom", ret = "rax")]
fn narrow(#[reg("rcx")] a: i32) -> i32 {
    a
}

#[derive(CType)]
#[repr(C)]
struct Three {
    bytes: [u8; 3],
}

#[derive(CType)]
#[repr(C)]
struct Vector {
    x: f32,
    y: f32,
}

#[derive(CType)]
#[repr(C)]
struct Nothing {}

type Bytes = [u8; 3];
type Unit = ();

#[cbframe(abi = "custom", ret = "rdx")]
fn structs(#[reg("eax")] a: Three, #[reg("xmm0")] b: Vector, #[stack(0)] c: Nothing, #[stack(8)] d: Bytes) -> Three {
    a
}

#[cbframe(abi = "custom")]
fn overlapping(#[stack(0)] a: u64, #[stack(12)] b: Three, #[stack(4)] c: u8, #[stack(8)] d: u64) {}

#[cbframe(abi = "custom", ret = "eax")]
fn no_result() -> Unit {}

struct Opaque(u8);

#[cbframe(abi = "custom")]
fn opaque(#[reg("al")] a: Opaque) {}

#[cbframe(abi = "custom", ret = "eax")]
fn fine(#[reg("eax")] a: i32) -> i32 {
    a
}

type Pointer = unsafe extern "C" fn(i32) -> i32;
const POINTER: Pointer = fine::as_fn_of();

fn main() {}
