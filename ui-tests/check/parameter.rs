// Parameters: patterns, attributes and roles.

#![allow(unused)]

use cbframe::{CpuState, cbframe};

#[cbframe(abi = "C")]
fn tuple((a, b): (i32, i32)) {}

#[cbframe(abi = "C")]
fn reference(&x: &i32) {}

#[cbframe(abi = "C")]
fn by_ref(ref x: i32) {}

#[cbframe(abi = "C")]
fn subpattern(x @ _: i32) {}

#[cbframe(abi = "C")]
fn sometimes(x: i32, #[cfg(unix)] y: i32) {}

#[cbframe(abi = "C")]
fn with_arguments(#[state(shared)] s: &u32) {}

#[cbframe(abi = "C")]
fn both(#[state] #[cpu] s: &mut CpuState) {}

#[cbframe(abi = "C")]
fn two_states(#[state] s: &u32, #[state] t: &u32) {}

#[cbframe(abi = "C")]
fn two_cpus(#[cpu] a: &mut CpuState, #[cpu] b: &mut CpuState) {}

#[cbframe(abi = "C")]
fn by_value(#[state] s: u32) {}

#[cbframe(abi = "C")]
fn boxed(#[state] s: Box<u32>) {}

#[cbframe(abi = "C")]
fn named<'a>(#[state] s: &'a u32) {}

#[cbframe(abi = "C")]
fn inside<'a>(#[state] s: &Option<&'a u32>) {}

// C is told of no such borrow.
#[cbframe(abi = "C")]
fn borrowed(#[state] s: &u32, x: i32) -> &u32 {
    s
}

#[cbframe(abi = "C")]
fn borrowed_inside(#[state] s: &u32) -> Option<std::ptr::NonNull<std::cell::Ref<'_, u32>>> {
    None
}

// Roles are of the attribute's, so anything else is rustc's to refuse.
#[cbframe(abi = "C")]
fn misspelt(#[stat] s: &u32) {}

fn main() {}
