// Entries that a signature does not have.

#![allow(unused)]

use cbframe::cbframe;

struct Foreign(f64, u8);

#[derive(cbframe::CType)]
#[repr(C)]
struct Triple([u64; 3]);

// No integer register is left.
#[cbframe(abi = "sysv64", entry = "direct")]
fn full(#[state] s: &u32, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}

// Where the argument lies is not known.
#[cbframe(abi = "sysv64", entry = "direct")]
fn unknown(#[state] s: &u32, a: Foreign) {}

#[cbframe(abi = "win64", entry = "direct")]
fn four(#[state] s: &u32, a: u8, b: f32, c: u8, d: u8) {}

// The result in memory takes a position.
#[cbframe(abi = "win64", entry = "direct")]
fn hidden(#[state] s: &u32, a: u8, b: f32, c: u8) -> Triple {
    Triple([0; 3])
}

#[cbframe(abi = "win64", entry = "stack")]
fn three(#[state] s: &u32, a: u8, b: f32, c: u8) {}

fn main() {}
