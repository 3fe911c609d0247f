//! Closures that are not what the function pointer says.

use cbframe::Frame;

type Hook = unsafe extern "C" fn(i32) -> i32;

struct Opaque;

fn main() {
    let _ = Frame::<Hook>::new(|x, y| x + y);
    let _ = Frame::<Hook>::new(|x| f64::from(x));
    let _ = Frame::<unsafe extern "C" fn(Opaque)>::new(|_| ());
    let _ = Frame::<fn(i32)>::new(|_| ());
    let frame = Frame::<Hook>::new(|x| x).unwrap();
    let _: extern "C" fn(i32) -> i32 = frame.as_fn();
}
