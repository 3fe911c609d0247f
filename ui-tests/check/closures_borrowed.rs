//! Frames that outlive what their closures borrow.

use cbframe::Frame;

type Hook = unsafe extern "C" fn(i32) -> i32;

fn main() {
    let frame = {
        let here = 1;
        Frame::<Hook>::new(|x| x + here).unwrap()
    };
    drop(frame);
    let here = 2;
    let _ = Frame::<Hook>::guarded(|x| x + here);
    let _ = Frame::<extern "C" fn(i32) -> i32>::builder().leak(|x| x + here);
    let kept = Frame::<Hook>::new(|x| x + here).unwrap();
    kept.leak();
}
