//! `...` where it cannot be, and arguments that C passes otherwise.

use cbframe::{CpuState, cbframe, conventions};

#[cbframe(abi = "C")]
fn cpu(#[cpu] cpu: &mut CpuState, args: ...) {}

#[cbframe(abi = "raw")]
fn raw(cpu: &mut CpuState, args: ...) {}

#[cbframe(abi = conventions::Regcall)]
fn convention(args: ...) {}

#[cbframe(abi = "custom")]
fn custom(args: ...) {}

#[cbframe(abi = "C", entry = "stack")]
fn stack(#[state] s: &u32, args: ...) {}

#[cbframe(abi = "C")]
fn role(level: i32, #[state] args: ...) {}

#[cbframe(abi = "C")]
fn pattern(level: i32, (a, b): ...) {}

#[cbframe(abi = "C")]
fn borrowed(level: i32, args: ...) -> &u32 {
    &1
}

fn main() {}
