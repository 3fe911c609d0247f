//! What `call!` refuses.
#![allow(unused)]

use cbframe::call;
use cbframe::conventions::Regcall;

fn options(address: *const ()) {
    unsafe {
        call!(address, (1));
        call!(abi = "stdcall", address, (1));
        call!(abi = "raw", address, ());
        call!(abi = "sysv64", callee_pops = 8, address, (1));
        call!(abi = "sysv64", pool = SOME, address, (1));
        call!(abi = "sysv64");
        call!(abi = "sysv64", address, (1) -> i32 -> i32);
        call!(abi = "sysv64", address, (1, ..., 2, ...));
        call!(abi = Regcall, address, (1, ...));
        call!(abi = "sysv64", address, (#[reg("rax")] 1));
        call!(abi = "sysv64", ret = "eax", address, (1) -> i32);
    }
}

fn places(address: *const ()) {
    unsafe {
        call!(abi = "custom", address, (1));
        call!(abi = "custom", address, (#[reg("eax")] 1, #[reg("al")] 2_u8));
        call!(abi = "custom", address, (#[reg("exx")] 1));
        call!(abi = "custom", ret = "rsp", address, () -> i64);
    }
}

fn main() {}
