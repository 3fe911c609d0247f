// Options that do not exist, or not so, or not for this function.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "C", stack = true, polo = MENU)]
fn unknown() {}

#[cbframe(abi = "C", abi = "win64", name = One, name = Two)]
fn twice() {}

#[cbframe(abi = "C", name = "One")]
fn name() {}

#[cbframe(abi = "C", export = "")]
fn empty() {}

#[cbframe(abi = "C", export = "a\0b")]
fn nul() {}

#[cbframe(abi = "C", export = my_symbol)]
fn export_ident() {}

#[cbframe(abi = "C", export = "on_event")]
fn exported_with_state(#[state] state: &u32) {}

#[cbframe(abi = "C", pool = MENU)]
fn pool_without_state(x: i32) {}

#[cbframe(abi = "C", entry = "fast")]
fn entry() {}

#[cbframe(abi = "C", entry = "direct")]
fn entry_without_state() {}

#[cbframe(abi = "C", entry = "stack")]
fn entry_with_cpu(#[cpu] cpu: &mut cbframe::CpuState, #[state] state: &u32) {}

#[cbframe(abi = "C-unwind", on_panic = 0)]
fn on_panic() -> i32 {
    0
}

#[cbframe(abi = "C" pool = MENU)]
fn comma() {}

#[cbframe(abi = "C", pool)]
fn no_value(#[state] state: &u32) {}

#[cbframe(abi = "C", save_errno = true)]
fn errno() {}

#[cbframe(abi = "C", save_fenv(x87), save_errno, save_errno)]
fn fenv() {}

fn main() {}
