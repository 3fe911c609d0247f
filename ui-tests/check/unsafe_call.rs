// Pointers that must not be called, or given away as callable, in safe code.

#![allow(unused)]

use cbframe::{CpuState, bind_static, cbframe};

#[cbframe(abi = "C")]
fn add(#[state] base: &i32, x: i32) -> i32 {
    base + x
}

#[cbframe(abi = "C")]
unsafe fn deref(#[state] base: &i32, at: *const i32) -> i32 {
    base + unsafe { *at }
}

#[cbframe(abi = "C")]
unsafe fn stateless(at: *const i32) -> i32 {
    unsafe { *at }
}

// A handler that can change what its caller keeps in registers.
#[cbframe(abi = "raw")]
fn raw(cpu: &mut CpuState) {
    cpu.rbx = 0;
}

#[cbframe(abi = "C")]
fn probe(#[cpu] cpu: &mut CpuState, x: i32) {}

static BASE: i32 = 1;

fn main() {
    // The frame may be gone when a pointer is called.
    let frame = add::bind(1).unwrap();
    frame.as_fn()(1);
    frame.leak()(1);

    // Safe functions without such a frame are called like this; unsafe ones are not.
    add::leak(1).unwrap()(1);
    bind_static!(add, BASE)(1);
    deref::leak(1).unwrap()(&1);
    bind_static!(deref, BASE)(&1);
    stateless::FN(&1);
    raw::FN();
    probe::FN(1);
}
