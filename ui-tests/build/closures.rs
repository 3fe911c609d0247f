//! Closures whose types are known to the compiler only.

use cbframe::{Frame, LongDouble};

fn main() {
    // Safe code could call this pointer, and rustc would pass the argument otherwise than C.
    let _ = Frame::<extern "C" fn(LongDouble)>::builder().leak(|_| ());
    let _ = Frame::<unsafe extern "C-unwind" fn() -> i32>::builder().or(1).new(|| 1);
}
