// What rustc passes otherwise than C does.

#![allow(unused)]

use cbframe::{CType, Float16, Float128, LongDouble, cbframe};

#[derive(CType)]
#[repr(C)]
struct Measured {
    value: LongDouble,
    unit: u8,
}

// Safe code could call the pointer.
#[cbframe(abi = "C")]
fn safe(x: LongDouble) -> i32 {
    0
}

#[cbframe(abi = "win64")]
fn safe_result(#[state] s: &u32) -> Float128 {
    Float128::from_bits(0)
}

#[cbframe(abi = "sysv64")]
fn safe_fields(x: Measured, y: Float16) {}

// rustc would have to take the argument.
#[cbframe(abi = "sysv64", entry = "direct")]
unsafe fn direct(#[state] s: &u32, x: LongDouble) {}

#[cbframe(abi = "win64", entry = "stack")]
unsafe fn stack(#[state] s: &u32, a: u8, b: u8, c: u8, x: LongDouble) {}

#[cbframe(abi = "C", export = "exported")]
unsafe fn exported(x: LongDouble) -> LongDouble {
    x
}

fn main() {}
