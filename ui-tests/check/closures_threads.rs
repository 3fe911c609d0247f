//! Closures that threads cannot share, and frames that cannot leave their thread.

use std::cell::Cell;
use std::rc::Rc;

use cbframe::{Frame, frame};

type Hook = unsafe extern "C" fn(i32) -> i32;

fn main() {
    let cell = Cell::new(1);
    let rc = Rc::new(1);
    let mut count = 0;
    let _ = Frame::<Hook>::new(|x| x + cell.get());
    let again = Rc::clone(&rc);
    let _ = Frame::<Hook>::new(move |x| x + *again);
    let again = Rc::clone(&rc);
    let _ = Frame::<Hook>::once(move |x| x + *again);
    let _ = frame!(abi = "C", move |x: i32| -> i32 { x + *rc });
    let local = Frame::<Hook>::local(|x| x).unwrap();
    std::thread::spawn(move || drop(local));
    let _ = Frame::<Hook>::new(|x| {
        count += x;
        count
    });
}
