//! `longjmp` over scopes and over callbacks.
//!
//! The Rust frames that are jumped over have no destructors but those of cbframe, which expects this.

use std::ffi::{c_int, c_void};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cbframe::resume_panics;

use crate::{Callback, FALLBACK, c, counts, each, message, panic_of, quiet_hook, script};

/// Runs `body` between `setjmp` and the target of `jump`; whether it jumped.
fn land(body: fn(Callback), f: Callback, deep: bool) -> bool {
    struct Data(fn(Callback), Callback);
    unsafe extern "C-unwind" fn run(data: *mut c_void) {
        // SAFETY: what is passed below.
        let Data(body, f) = unsafe { &*data.cast::<Data>() };
        body(*f);
    }
    let land = if deep { c().land_deep } else { c().land };
    let mut data = Data(body, f);
    // SAFETY: `run` takes this, and what it calls has no destructors that a jump would leave out.
    unsafe { land(run, (&raw mut data).cast()) == -1 }
}

/// C jumps to where `land` was called.
fn jump() {
    // SAFETY: a `land` is running on this thread.
    unsafe { (c().jump)(0) };
}

/// Calls from further down the stack than [`each`].
fn each_deep(f: Callback, n: c_int) -> c_int {
    // SAFETY: as for `each`.
    unsafe { (c().each_deep)(f, n) }
}

/// A scope in which `f` was called once and that is jumped over, deep or not.
fn jumped_over(f: Callback, deep: bool) {
    let body = |f| {
        resume_panics(|| {
            each(f, 1);
            jump();
        });
    };
    assert!(land(body, f, deep));
}

#[test]
fn a_scope_without_a_panic() {
    quiet_hook();
    let fine = script!(|i| i);
    let broken = script!(|i| panic!("wanted {i}"));
    for deep in [false, true] {
        jumped_over(fine.as_fn(), deep);
        counts();
        // Nobody's scope: the panic is dropped, and the next call runs.
        assert_eq!(each(broken.as_fn(), 2), 2 * FALLBACK);
        assert_eq!(each(fine.as_fn(), 3), 3);
        assert_eq!(counts(), (5, 2));
        // And scopes are what they were, inside and around.
        assert_eq!(resume_panics(|| each(fine.as_fn(), 3)), 3);
        let payload = panic_of(|| {
            resume_panics(|| {
                jumped_over(fine.as_fn(), deep);
                assert_eq!(each_deep(fine.as_fn(), 3), 3);
                each(broken.as_fn(), 1)
            })
        });
        assert_eq!(message(&*payload), "wanted 0");
        assert_eq!(each(fine.as_fn(), 3), 3);
    }
}

/// The scope around inherits the panic: it must not get lost.
#[test]
fn a_panic_goes_on_from_the_scope_around() {
    let broken = script!(|i| panic!("wanted {i}"));
    let fine = script!(|i| i);
    for deep in [false, true] {
        // Left at once.
        let payload = panic_of(|| resume_panics(|| jumped_over(broken.as_fn(), deep)));
        assert_eq!(message(&*payload), "wanted 0");
        // After calls, which are passed over.
        let payload = panic_of(|| {
            resume_panics(|| {
                jumped_over(broken.as_fn(), deep);
                counts();
                assert_eq!(each(fine.as_fn(), 3), 3 * FALLBACK);
                assert_eq!(each_deep(fine.as_fn(), 3), 3 * FALLBACK);
                assert_eq!(counts(), (0, 6));
            })
        });
        assert_eq!(message(&*payload), "wanted 0");
        // After another scope, whose callbacks run.
        let payload = panic_of(|| {
            resume_panics(|| {
                jumped_over(broken.as_fn(), deep);
                assert_eq!(resume_panics(|| each(fine.as_fn(), 3)), 3);
            })
        });
        assert_eq!(message(&*payload), "wanted 0");
        assert_eq!(each(fine.as_fn(), 3), 3);
    }
}

#[test]
fn without_a_scope_around_the_panic_is_dropped() {
    struct Payload(Arc<AtomicU32>);
    impl Drop for Payload {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let drops = Arc::new(AtomicU32::new(0));
    let broken = script!(|_| resume_unwind(Box::new(Payload(drops.clone()))));
    let fine = script!(|i| i);

    // A call further out finds out, and runs.
    jumped_over(broken.as_fn(), true);
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    assert_eq!(each(fine.as_fn(), 3), 3);
    assert_eq!(drops.load(Ordering::Relaxed), 1);

    // So does a scope.
    jumped_over(broken.as_fn(), true);
    assert_eq!(resume_panics(|| drops.load(Ordering::Relaxed)), 2);
    assert_eq!(each(fine.as_fn(), 3), 3);

    // And a scope at the same place, as in a loop.
    for round in 3..6 {
        jumped_over(broken.as_fn(), true);
        assert_eq!(drops.load(Ordering::Relaxed), round - 1);
        jumped_over(fine.as_fn(), true);
        assert_eq!(drops.load(Ordering::Relaxed), round);
    }
    assert_eq!(each(fine.as_fn(), 3), 3);
}

/// Where the stack has grown over the frame again, an address does not tell; the scope around does.
#[test]
fn a_callback_deeper_than_the_dead_scope() {
    let fine = script!(|i| i);
    let broken = script!(|i| panic!("wanted {i}"));
    let payload = panic_of(|| {
        resume_panics(|| {
            jumped_over(fine.as_fn(), false);
            each_deep(broken.as_fn(), 2)
        })
    });
    assert_eq!(message(&*payload), "wanted 0");
    assert_eq!(each_deep(fine.as_fn(), 3), 3);
}

/// A callback that never returns leaves its scope as it is.
#[test]
fn over_a_callback() {
    let jumping = script!(|i| {
        if i == 1 {
            jump();
        }
        i
    });
    let broken = script!(|i| panic!("wanted {i}"));
    let fine = script!(|i| i);
    let body = |f| _ = each(f, 2);
    for round in 0..3 {
        assert!(resume_panics(|| land(body, jumping.as_fn(), round == 1)));
        assert!(land(body, jumping.as_fn(), round == 2), "nor is there anything outside of a scope");
        let payload = panic_of(|| {
            resume_panics(|| {
                assert!(land(body, jumping.as_fn(), round == 1));
                assert_eq!(each(fine.as_fn(), 3), 3);
                assert_eq!(each(broken.as_fn(), 1), FALLBACK);
                assert!(!land(body, jumping.as_fn(), round == 2), "it is passed over");
            })
        });
        assert_eq!(message(&*payload), "wanted 0");
    }
}
