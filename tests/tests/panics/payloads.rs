//! Payloads: they come back as they were, or are dropped once, whatever their destructors do.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cbframe::resume_panics;

use crate::{FALLBACK, HOOKS, each, message, panic_of, quiet_hook, script};

/// A payload whose destructor panics, with such a payload again.
struct Bomb(Arc<AtomicU32>);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0.fetch_add(1, Ordering::Relaxed) < 3 {
            quiet_hook();
            resume_unwind(Box::new(Self(self.0.clone())));
        }
    }
}

#[test]
fn the_payload_is_the_same() {
    let payload: Box<[u64; 4]> = Box::new([1, 2, 3, 4]);
    let address = (&raw const *payload).addr();
    let payload = std::sync::Mutex::new(Some(payload));
    let frame = script!(|_| resume_unwind(payload.lock().expect("no panic while locked").take().expect("once")));
    HOOKS.set(0);
    let back = panic_of(|| resume_panics(|| each(frame.as_fn(), 3))).downcast::<[u64; 4]>().expect("the same type");
    assert_eq!(((&raw const *back).addr(), *back), (address, [1, 2, 3, 4]));
    assert_eq!(HOOKS.get(), 0, "nor does resuming run the hook");
}

#[test]
fn a_payload_that_panics_when_dropped_stays_inside() {
    let drops = Arc::new(AtomicU32::new(0));
    let frame = script!(|_| resume_unwind(Box::new(Bomb(drops.clone()))));
    // No scope: dropped before C goes on.
    assert_eq!(each(frame.as_fn(), 1), FALLBACK);
    assert_eq!(drops.load(Ordering::Relaxed), 1, "the second payload, of the destructor, is forgotten");
}

#[test]
fn the_first_panic_of_a_scope_wins() {
    quiet_hook();
    let drops = Arc::new(AtomicU32::new(0));
    let inner = script!(|_| panic!("wanted: the first"));
    let f = inner.as_fn();
    // Runs while the inner one panics, and panics then.
    let outer = script!(|_| {
        assert_eq!(each(f, 2), 2 * FALLBACK);
        resume_unwind(Box::new(Bomb(drops.clone())))
    });
    let payload = panic_of(|| resume_panics(|| each(outer.as_fn(), 2)));
    assert_eq!(message(&*payload), "wanted: the first");
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn the_own_panic_of_the_closure_wins() {
    let drops = Arc::new(AtomicU32::new(0));
    let frame = script!(|_| resume_unwind(Box::new(Bomb(drops.clone()))));
    let payload = panic_of(|| {
        resume_panics(|| {
            let sum = each(frame.as_fn(), 2);
            assert_eq!(drops.load(Ordering::Relaxed), 0, "it waits");
            panic!("wanted {sum}")
        })
    });
    assert_eq!(message(&*payload), format!("wanted {}", 2 * FALLBACK));
    // A destructor that panics while this panic unwound, caught inside.
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    // And the scope is left: nothing waits.
    let frame = script!(|i| i);
    assert_eq!(resume_panics(|| each(frame.as_fn(), 4)), 6);
    assert_eq!(each(frame.as_fn(), 4), 6);
}

/// What the closure returned is dropped before the panic goes on.
#[test]
fn the_result_is_dropped_first() {
    struct Result(Arc<AtomicU32>, bool);
    impl Drop for Result {
        fn drop(&mut self) {
            assert!(!std::thread::panicking());
            self.0.fetch_add(1, Ordering::Relaxed);
            if self.1 {
                panic!("wanted of the result");
            }
        }
    }
    for panics in [false, true] {
        let (results, payloads) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let frame = script!(|_| resume_unwind(Box::new(Bomb(payloads.clone()))));
        let payload = panic_of(|| {
            resume_panics(|| {
                each(frame.as_fn(), 1);
                Result(results.clone(), panics)
            })
        });
        assert_eq!(results.load(Ordering::Relaxed), 1);
        if panics {
            assert_eq!(message(&*payload), "wanted of the result");
            assert_eq!(payloads.load(Ordering::Relaxed), 1, "the one that waited is dropped");
        } else {
            let bomb = payload.downcast::<Bomb>().expect("the payload");
            assert_eq!(payloads.load(Ordering::Relaxed), 0);
            std::mem::forget(bomb);
        }
    }
}
