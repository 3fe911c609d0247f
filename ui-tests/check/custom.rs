// Places that `abi = "custom"` cannot have, as far as tokens show.

#![allow(unused)]

use cbframe::{CpuState, cbframe};

#[cbframe(abi = "custom", ret = "eax")]
fn unknown(#[reg("eex")] a: i32, #[reg("EDX")] b: i32, #[reg("foo")] c: i32) -> i32 {
    0
}

#[cbframe(abi = "custom", ret = "rxx")]
fn unlikely(#[reg("esp")] a: u32, #[reg("ah")] b: u8, #[reg("ymm3")] c: f64, #[reg("xmm16")] d: f64) -> i32 {
    0
}

#[cbframe(abi = "custom")]
fn twice(#[reg("eax")] a: i32, #[reg("ax")] b: i16, #[reg("xmm1")] c: f32, #[reg("xmm1")] d: f64) {}

#[cbframe(abi = "custom")]
fn two_places(
    #[reg("eax")]
    #[stack(0)]
    a: i32,
) {
}

#[cbframe(abi = "custom")]
fn no_place(#[reg("eax")] a: i32, b: i32) {}

#[cbframe(abi = "custom")]
fn no_result_place(#[reg("eax")] a: i32) -> i32 {
    a
}

#[cbframe(abi = "custom", ret = "eax")]
fn no_result(#[reg("eax")] a: i32) {}

#[cbframe(abi = "custom", callee_pops = 6)]
fn odd() {}

#[cbframe(abi = "custom", callee_pops = 70000)]
fn many() {}

#[cbframe(abi = "custom", callee_pops = "8")]
fn text() {}

#[cbframe(abi = "custom", ret = eax)]
fn no_string() -> i32 {
    0
}

#[cbframe(abi = "custom")]
fn forms(#[reg] a: i32, #[reg(ecx)] b: i32, #[stack] c: i32, #[stack("8")] d: i32, #[stack(0x40000000)] e: i32) {}

#[cbframe(abi = "custom")]
fn roles(#[state] #[reg("eax")] s: &u32, #[cpu] #[stack(0)] cpu: &mut CpuState) {}

#[cbframe(abi = "sysv64", ret = "eax", callee_pops = 8)]
fn elsewhere(#[reg("eax")] a: i32) -> i32 {
    a
}

#[cbframe(abi = "custom-unwind")]
fn unwinding() {}

#[cbframe(abi = "custom", entry = "direct")]
fn direct(#[state] s: &u32) {}

fn main() {}
