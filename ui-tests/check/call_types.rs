//! Types that `call!` and `Call` do not take.
#![allow(unused)]

use cbframe::{Call, call};

struct Foreign;

fn arguments(address: *const (), function: extern "C" fn(i32)) {
    unsafe {
        call!(abi = "sysv64", address, (Foreign));
        call!(abi = "sysv64", address, ("text"));
        let f: Foreign = call!(abi = "sysv64", address, (1) -> Foreign);
        call!(abi = "sysv64", function, (1));
        call!(abi = "sysv64", address, (1));
    }
    call!(abi = "sysv64", address, (1));
}

fn of_a_call(call: &mut Call<'_>) {
    let text: &str = call.arg(0);
    let reference: &i32 = call.arg(0);
    call.ret("text");
    let value = call.value(0);
    call.ret(value);
}

fn main() {}
