// `enter = "jump"`.

#![allow(unused)]

use cbframe::{CpuState, Pool, cbframe};

cbframe::pool!(static OWN: 2);

#[cbframe(abi = "C", enter = "jump")]
fn arguments(#[state] s: &u32, a: i32) {}

#[cbframe(abi = "raw", enter = "jump")]
fn stateless(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", enter = "jump", pool = OWN)]
fn pool(#[state] s: &u32, cpu: &mut CpuState) {}

#[cbframe(abi = "raw", enter = "jump", save(gpr, flags, sse))]
fn loses_registers(#[state] s: &u32, cpu: &mut CpuState) {}

#[cbframe(abi = "raw", enter = "jump", entry = "captured")]
fn entry(#[state] s: &u32, cpu: &mut CpuState) {}

#[cbframe(abi = "raw", enter = "trap")]
fn trap(#[state] s: &u32, cpu: &mut CpuState) {}

#[cbframe(abi = "raw", enter = jump)]
fn no_string(#[state] s: &u32, cpu: &mut CpuState) {}

#[cbframe(abi = "raw", enter = "jump")]
fn good(#[state] s: &u32, cpu: &mut CpuState) {}

fn main() {
    let closure = cbframe::frame!(abi = "raw", enter = "jump", |cpu: &mut CpuState| ());
    // Where to go on is missing.
    let frame = good::bind(1).unwrap();
    let frame = good::bind(1, std::ptr::null()).unwrap();
    // It is no function pointer.
    let call: unsafe extern "C" fn() = frame.as_fn();
    let call = frame.as_fn_of::<unsafe extern "C" fn()>();
}
