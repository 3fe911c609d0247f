//! What `frame!` refuses.

use cbframe::{CpuState, frame};

type Other = unsafe extern "C" fn(i64) -> i32;

fn generic<T: Copy>(value: T) {
    let _ = frame!(abi = "C", move |x: i32| -> T { value });
}

fn main() {
    let _ = frame!(abi = "C");
    let _ = frame!(|x: i32| -> i32 { x });
    let _ = frame!(abi = "C", |x| x);
    let _ = frame!(abi = "fastcall", |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", local, once, |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", on_panic = 1, |x: i32| -> i32 { x });
    let _ = frame!(abi = "C-unwind", or = 1, |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", or = "text", |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", as = Other, |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", name = Handle, |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", async |x: i32| -> i32 { x });
    let _ = frame!(abi = "C", |#[state] s: &u8, x: i32| -> i32 { x });
    let _ = frame!(abi = "C", |x: [i32; 2]| {});
    let _ = frame!(abi = "raw", |x: i32| {});
    let _ = frame!(abi = "C", save(gpr), |x: i32| {});
    let _ = frame!(abi = "C", |x: i32| -> i32 { x }, 7);
    let _ = frame!(abi = "C", |#[cpu] cpu: &CpuState| {});
    generic(1);
}
