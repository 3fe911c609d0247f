// Attributes of the function that would make it something else.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "C")]
#[no_mangle]
fn exported() {}

#[cbframe(abi = "C")]
#[unsafe(no_mangle)]
fn exported_2024() {}

#[cbframe(abi = "C")]
#[unsafe(export_name = "exported")]
fn exported_as() {}

#[cbframe(abi = "C")]
#[target_feature(enable = "avx2")]
fn feature() {}

#[cbframe(abi = "C")]
#[track_caller]
fn located() {}

#[cbframe(abi = "C")]
#[unsafe(naked)]
extern "C" fn naked() {
    core::arch::naked_asm!("ret")
}

fn main() {}
