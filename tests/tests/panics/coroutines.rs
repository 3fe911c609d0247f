//! Scopes on several stacks of one thread (`swapcontext`, fibers).

use std::ffi::{c_int, c_void};

use cbframe::resume_panics;
use cbframe_tests::{child, system};

use crate::{Body, Callback, FALLBACK, each, message, panic_of, script};

#[repr(C)]
struct Coroutine([u8; 0]);

unsafe extern "C-unwind" {
    fn cbt_coroutine(run: Body, context: *mut c_void, stack: *mut c_void, size: usize) -> *mut Coroutine;
    fn cbt_resume(coroutine: *mut Coroutine) -> c_int;
    fn cbt_suspend();
}

const SIZE: usize = 1 << 20;

/// A stack that the system mapped, with a coroutine on it.
struct Running<'a> {
    stack: *mut c_void,
    coroutine: *mut Coroutine,
    _body: Box<Box<dyn FnMut() + 'a>>,
}

impl<'a> Running<'a> {
    /// On a new stack, which stays mapped.
    fn new(body: impl FnMut() + 'a) -> Self {
        Self::on(system::coroutine_stack(SIZE), body)
    }

    fn on(stack: *mut c_void, body: impl FnMut() + 'a) -> Self {
        unsafe extern "C-unwind" fn run(data: *mut c_void) {
            // SAFETY: the box below, which lives as long as the coroutine.
            unsafe { (*data.cast::<Box<dyn FnMut()>>())() }
        }
        let mut body: Box<Box<dyn FnMut() + 'a>> = Box::new(Box::new(body));
        // SAFETY: the stack is writable and nobody else's; `run` takes this.
        let coroutine = unsafe { cbt_coroutine(run, (&raw mut *body).cast(), stack, SIZE) };
        Self { stack, coroutine, _body: body }
    }

    /// Goes on with it; whether it has ended.
    fn resume(&self) -> bool {
        // SAFETY: it is suspended, and has not ended.
        unsafe { cbt_resume(self.coroutine) != 0 }
    }
}

/// Goes on with who resumed this coroutine.
fn suspend() {
    // SAFETY: this runs on a coroutine.
    unsafe { cbt_suspend() };
}

fn scripts(test: impl FnOnce(Callback, Callback)) {
    let fine = script!(|i| i);
    let broken = script!(|i| panic!("wanted {i}"));
    test(fine.as_fn(), broken.as_fn());
}

/// The panic of a scope, which has to be `message`.
fn assert_resumes(expected: &str, f: impl FnOnce() -> c_int) {
    assert_eq!(message(&*panic_of(|| resume_panics(f))), expected);
}

#[test]
fn a_scope_is_of_its_stack() {
    scripts(|fine, broken| {
        let coroutine = Running::new(|| {
            assert_resumes("wanted 0", || {
                suspend();
                let result = each(broken, 1);
                suspend();
                assert_eq!(each(fine, 2), 2 * FALLBACK);
                result
            });
            assert_eq!(resume_panics(|| each(fine, 3)), 3);
        });
        // It is in its scope while others come and go here.
        assert!(!coroutine.resume());
        assert_eq!(each(broken, 2), 2 * FALLBACK, "in no scope");
        assert_eq!(each(fine, 3), 3);
        assert_resumes("wanted 0", || each(broken, 1));
        assert!(!coroutine.resume());
        // Its panic waits; nothing here is passed over.
        assert_eq!(each(fine, 3), 3);
        assert_eq!(resume_panics(|| each(fine, 3)), 3);
        assert_resumes("wanted 0", || each(broken, 1));
        assert!(coroutine.resume());
    });
}

/// Scopes are left in the order in which they were entered.
#[test]
fn two_coroutines_by_turns() {
    scripts(|fine, broken| {
        let body = |tag: c_int| {
            move || {
                let panic = script!(|i| panic!("wanted {tag}, {i}"));
                assert_resumes(&format!("wanted {tag}, 0"), || {
                    suspend();
                    assert_eq!(each(fine, 3), 3);
                    suspend();
                    let result = each(panic.as_fn(), 1);
                    suspend();
                    assert_eq!(each(fine, 1), FALLBACK);
                    result
                });
            }
        };
        // Whichever of them lies higher.
        for swapped in [false, true] {
            let (mut a, mut b) = (Running::new(body(1)), Running::new(body(2)));
            if swapped {
                (a, b) = (b, a);
            }
            let ended: Vec<_> = (0..4).flat_map(|_| [a.resume(), b.resume()]).collect();
            assert_eq!(ended, [false, false, false, false, false, false, true, true]);
            assert_resumes("wanted 0", || each(broken, 1));
        }
        // And around a scope of the thread's own stack.
        let a = Running::new(body(3));
        assert!(!a.resume());
        assert_resumes("wanted 0", || {
            assert!(!a.resume() && !a.resume());
            let result = each(broken, 1);
            assert!(a.resume());
            result
        });
        assert_eq!(each(fine, 3), 3);
    });
}

#[test]
fn a_coroutine_without_a_scope_is_in_the_one_that_resumed_it() {
    scripts(|fine, broken| {
        let coroutine = Running::new(|| {
            assert_eq!(each(broken, 1), FALLBACK);
            suspend();
            assert_eq!(each(fine, 3), 3 * FALLBACK);
            suspend();
            assert_eq!(each(fine, 3), 3, "in no scope");
        });
        assert_resumes("wanted 0", || {
            assert!(!coroutine.resume());
            assert_eq!(each(fine, 1), FALLBACK);
            assert!(!coroutine.resume());
            0
        });
        assert!(coroutine.resume());
    });
}

/// A coroutine that never goes on, whose stack is used by another.
#[test]
#[cfg_attr(windows, ignore = "the stack of a fiber is the system's")]
fn an_abandoned_coroutine() {
    scripts(|fine, broken| {
        let body = || {
            resume_panics(|| {
                assert_eq!(each(broken, 1), FALLBACK);
                suspend();
            });
        };
        let abandoned = Running::new(body);
        assert!(!abandoned.resume());
        assert_eq!(each(fine, 3), 3);
        // The same frames lie at the same addresses.
        let again = Running::on(abandoned.stack, body);
        assert!(!again.resume());
        let last = Running::on(abandoned.stack, || {
            assert_resumes("wanted 0", || each(broken, 1));
            assert_eq!(resume_panics(|| each(fine, 3)), 3);
        });
        assert!(last.resume());
        assert_eq!(each(fine, 3), 3);
        assert_resumes("wanted 0", || each(broken, 1));
    });
}

/// Runs in a child only.
#[test]
fn scene_other_thread() {
    if child::case().is_none() {
        return;
    }
    struct Moved<'a>(Running<'a>);
    // SAFETY: nothing but the other thread uses it from then on.
    unsafe impl Send for Moved<'_> {}

    let coroutine = Running::new(|| {
        resume_panics(suspend);
    });
    assert!(!coroutine.resume());
    let moved = Moved(coroutine);
    std::thread::spawn(move || {
        let moved = moved;
        resume_panics(|| moved.0.resume());
    });
    std::thread::sleep(std::time::Duration::from_secs(10));
}

#[test]
fn a_scope_stays_on_its_thread() {
    let ended = child::run("coroutines::scene_other_thread", "other thread");
    ended.assert_aborted("other thread", &["cbframe: a scope of `resume_panics` was left that was over"]);
}
