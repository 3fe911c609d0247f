//! A program with an allocator, threads and unwinding around the calls.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use cbframe::{Pool, cbframe};

/// A state with a destructor.
struct Count(Arc<()>);

#[cbframe(abi = "C")]
fn count(#[state] state: &Count) -> usize {
    Arc::strong_count(&state.0)
}

#[cbframe(abi = "C-unwind")]
fn throws(#[state] code: &i32, _: f64) {
    std::panic::resume_unwind(Box::new(*code));
}

#[cbframe(abi = "C-unwind")]
fn throws_captured(#[state] code: &i32, #[cpu] _: &mut cbframe::CpuState, _: f64) {
    std::panic::resume_unwind(Box::new(*code));
}

#[cbframe(abi = "C", on_panic = -1)]
fn panics(#[state] code: &i32) -> i32 {
    std::panic::resume_unwind(Box::new(*code));
}

fn main() {
    calls::run();
    std::thread::spawn(calls::run).join().unwrap();

    // Bound by code of this crate, to slots of the other's.
    let alive = Arc::new(());
    let owned = count::bind(Count(alive.clone())).unwrap();
    let boxed = count::bind(Box::new(Count(alive.clone()))).unwrap();
    // SAFETY: the frames live.
    assert_eq!(unsafe { (owned.as_fn()(), boxed.as_fn()()) }, (3, 3));
    drop((owned, boxed));
    assert_eq!(Arc::strong_count(&alive), 1);
    let frame = calls::direct::bind(Arc::new(AtomicI32::new(5))).unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { frame.as_fn()(1) }, 6);
    assert_eq!((Pool::shared().stats().bound, Pool::shared().live().count()), (1, 1));

    if cfg!(panic = "unwind") {
        let code = 7;
        let (thrown, captured) = (throws::bind(&code).unwrap(), throws_captured::bind(&code).unwrap());
        // SAFETY: as above.
        let caught = std::panic::catch_unwind(|| unsafe { thrown.as_fn()(0.0) });
        assert_eq!(*caught.unwrap_err().downcast::<i32>().unwrap(), 7);
        // SAFETY: as above.
        let caught = std::panic::catch_unwind(|| unsafe { captured.as_fn()(0.0) });
        assert_eq!(*caught.unwrap_err().downcast::<i32>().unwrap(), 7);
        let frame = panics::bind(&code).unwrap();
        // SAFETY: as above.
        assert_eq!(unsafe { frame.as_fn()() }, -1);
    }

    #[cfg(feature = "second")]
    second_copy(frame.as_ptr());
    println!("linked");
}

/// Another copy of the library has its own pools, and knows nothing of this one's.
#[cfg(feature = "second")]
fn second_copy(other: *const ()) {
    use second::cbframe;

    #[cbframe(abi = "C", crate = second)]
    fn direct(#[state] base: &i32, x: i32) -> i32 {
        base + x
    }

    second::pool!(static OWN: 1);
    let frame = direct::bind(Arc::new(2)).unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(1) }, 3);
    assert!(second::resolve(frame.as_ptr()).is_some() && second::resolve(other).is_none());
    assert!(::cbframe::resolve(frame.as_ptr()).is_none() && ::cbframe::resolve(other).is_some());
    assert_eq!(OWN.capacity(), 1);
}
