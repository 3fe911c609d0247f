// `abi = "raw"`: no arguments, no result, only the state of the CPU.

#![allow(unused)]

use cbframe::{CpuState, cbframe};

#[cbframe(abi = "raw")]
fn argument(cpu: &mut CpuState, x: i32, y: f64) {}

#[cbframe(abi = "raw")]
fn result(cpu: &mut CpuState) -> u64 {
    0
}

#[cbframe(abi = "raw")]
fn nothing() {}

#[cbframe(abi = "raw")]
fn by_value(#[cpu] cpu: CpuState) {}

#[cbframe(abi = "raw")]
fn shared(cpu: &CpuState) {}

#[cbframe(abi = "raw")]
fn forever(cpu: &'static mut CpuState) {}

// What the attribute is on has to be the state of the CPU.
#[cbframe(abi = "win64")]
fn another_type(#[cpu] cpu: &mut u32) {}

fn main() {}
