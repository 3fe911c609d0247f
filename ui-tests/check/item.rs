// The attribute goes on functions, with bodies.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "C")]
struct Struct;

#[cbframe(abi = "C")]
mod module {}

#[cbframe(abi = "C")]
const CONSTANT: i32 = 1;

trait Trait {
    #[cbframe(abi = "C")]
    fn without_body(x: i32);
}

// The type beside the function has a name that is taken: `name = …` gives it another.
#[allow(non_camel_case_types)]
struct taken {}

#[cbframe(abi = "C")]
fn taken() {}

fn main() {}
