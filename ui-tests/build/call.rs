//! What `call!` finds when the types are known.
#![allow(unused)]

use cbframe::call;
use cbframe::conventions::Regcall;
use cbframe::CType;

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

pub fn promoted(address: *const ()) {
    unsafe { call!(abi = "C", address, (1, ..., 1.0_f32)) }
}

pub fn no_place(address: *const ()) {
    unsafe { call!(abi = Regcall, address, (Point { x: 1.0, y: 2.0 })) }
}

pub fn misfit(address: *const ()) {
    unsafe { call!(abi = "custom", address, (#[reg("al")] 1_i32)) }
}

pub fn nowhere(address: *const ()) -> i32 {
    unsafe { call!(abi = "custom", address, (#[reg("eax")] 1_i32) -> i32) }
}

fn main() {
    // Compiled, and never called.
    if std::env::args().count() > 99 {
        let address = std::ptr::null();
        promoted(address);
        no_place(address);
        misfit(address);
        nowhere(address);
    }
}
