//! A function pointer with a lifetime of its own is beyond the trait system.

use cbframe::Frame;

fn main() {
    let _ = Frame::<unsafe extern "C" fn(&i32)>::new(|_| ());
}
