// Inside an `impl` block no type can stand beside the function.

#![allow(unused)]

use cbframe::cbframe;

struct S;

impl S {
    #[cbframe(abi = "C")]
    fn associated(x: i32) {}
}

fn main() {}
