// Functions that C cannot call.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "C")]
async fn waits() {}

#[cbframe(abi = "C")]
const fn at_compile_time() {}

#[cbframe(abi = "C")]
extern "C" fn has_an_abi() {}

#[cbframe(abi = "C")]
fn generic<T>(x: T) {}

#[cbframe(abi = "C")]
fn const_generic<const N: usize>(x: i32) {}

#[cbframe(abi = "C")]
fn bounded<'a, 'b: 'a>(x: &'a u8, y: &'b u8) {}

#[cbframe(abi = "C")]
fn constrained(x: i32)
where
    i32: Copy,
{
}

#[cbframe(abi = "C")]
fn some_type(x: impl Copy) {}

#[cbframe(abi = "C")]
fn some_result(x: i32) -> impl Copy {
    x
}

#[cbframe(abi = "C")]
fn never() -> ! {
    loop {}
}

#[cbframe(abi = "C")]
async fn several<T>(x: T, (a, b): (i32, i32)) {}

struct S;

impl S {
    #[cbframe(abi = "C")]
    fn method(&self, x: i32) {}

    #[cbframe(abi = "C")]
    fn by_value(self) {}
}

fn main() {
    // What was refused is still there.
    S.method(1);
    S.by_value();
    const_generic::<4>(1);
}
