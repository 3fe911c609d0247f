// The state of the CPU is there for one call.

#![allow(unused)]

use cbframe::{CpuState, cbframe};
use std::sync::Mutex;

#[cbframe(abi = "C")]
fn forever(#[cpu] cpu: &'static mut CpuState) {}

type Forever = &'static mut CpuState;

#[cbframe(abi = "C")]
fn alias(#[cpu] cpu: Forever) {}

#[cbframe(abi = "C")]
fn named<'a>(#[cpu] cpu: &'a mut CpuState, x: &'a u8) {}

#[cbframe(abi = "C")]
fn kept(#[state] place: &Mutex<Option<&'static mut CpuState>>, #[cpu] cpu: &mut CpuState) {
    *place.lock().unwrap() = Some(cpu);
}

struct Keeper<'a>(Mutex<Option<&'a mut CpuState>>);

#[cbframe(abi = "raw")]
fn kept_inside(#[state] keeper: &Keeper<'_>, cpu: &mut CpuState) {
    *keeper.0.lock().unwrap() = Some(cpu);
}

// A copy would not be what the caller's registers are loaded from.
#[cbframe(abi = "C")]
fn replaced(#[cpu] cpu: &mut CpuState) {
    let copy = *cpu;
}

fn main() {}
