// Variadic callbacks.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "C")]
fn log(level: i32, args: ...) {}

fn main() {}
