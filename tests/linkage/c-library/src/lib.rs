//! A library for C: see `main.c` and `dlopen.c`.

use cbframe::{cbframe, CpuState};

#[cbframe(abi = "C", export = "linkage_add")]
fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cbframe(abi = "C", export = "linkage_rdi")]
fn rdi(#[cpu] cpu: &mut CpuState, _: i64) -> u64 {
    *calls::first_argument(cpu)
}

#[cbframe(abi = "C")]
fn add_to(#[state] base: &i32, x: i32) -> i32 {
    base + x
}

#[cbframe(abi = "C", export = "linkage_bind")]
fn bind(base: i32) -> Option<extern "C" fn(i32) -> i32> {
    add_to::leak(base).ok()
}

#[cbframe(abi = "C", export = "linkage_run", on_panic = 1)]
fn run() -> i32 {
    calls::run();
    0
}
