//! Which scope a callback is in: nested and recursive ones, threads, destructors.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use cbframe::{CType, CpuState, bind_static, cbframe, resume_panics};
use cbframe_tests::child;

use crate::{Callback, FALLBACK, counts, each, message, panic_of, quiet_hook, script};

static STATE: u32 = 3;
static RAN: AtomicU32 = AtomicU32::new(0);

/// In memory, through a hidden pointer.
#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Large {
    words: [u64; 5],
}

/// On every lane: a callback that panics, and one after it that does not run.
macro_rules! lanes {
    ($($name:ident [$($option:tt)*] [$($state:tt)*] [$($pad:ident)*] $kind:ident;)*) => {{
        $({
            #[allow(clippy::too_many_arguments, reason = "so that some are in memory")]
            #[cbframe($($option)*, on_panic = Large { words: [7; 5] })]
            fn $name($($state)* $($pad: u64,)* panics: bool) -> Large {
                $(let _ = $pad;)*
                RAN.fetch_add(1, Ordering::Relaxed);
                if panics {
                    resume_unwind(Box::new(stringify!($name)));
                }
                Large { words: [1; 5] }
            }

            let f = lanes!(@$kind $name);
            $(let $pad = 1;)*
            #[allow(unused_unsafe, reason = "a stateless callback is safe to call")]
            // SAFETY: bound for ever; those with a `CpuState` do not change it.
            let call = |panics| unsafe { f($($pad,)* panics).words[4] };
            RAN.store(0, Ordering::Relaxed);
            let payload = panic_of(|| resume_panics(|| {
                assert_eq!((call(false), call(true), call(false), call(true)), (1, 7, 7, 7), stringify!($name));
            }));
            assert_eq!(payload.downcast_ref::<&str>(), Some(&stringify!($name)));
            assert_eq!(RAN.load(Ordering::Relaxed), 2, stringify!($name));
            assert_eq!(resume_panics(|| (call(false), call(false))), (1, 1), stringify!($name));
        })*
    }};
    (@function $name:ident) => { $name::FN };
    (@bound $name:ident) => { $name::leak(&STATE).expect("a free slot") };
    (@exclusive $name:ident) => { $name::leak(STATE).expect("a free slot") };
    (@fixed $name:ident) => { bind_static!($name, STATE) };
}

#[test]
fn every_lane() {
    #[cfg(target_arch = "x86_64")]
    lanes! {
        function [abi = "C"] [] [] function;
        function_captured [abi = "sysv64", entry = "captured"] [] [a b] function;
        function_cpu [abi = "system"] [#[cpu] _c: &mut CpuState,] [] function;
        direct [abi = "sysv64", entry = "direct"] [#[state] _s: &u32,] [a] bound;
        stack [abi = "sysv64", entry = "stack"] [#[state] _s: &u32,] [a b c d e f] bound;
        captured [abi = "C", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
        cpu [abi = "C", save(gpr, flags, sse, x87)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
        fixed [abi = "C"] [#[state] _s: &u32,] [] fixed;
        direct_exclusive [abi = "sysv64", entry = "direct"] [#[state] _s: &mut u32,] [a] exclusive;
        stack_exclusive [abi = "sysv64", entry = "stack"] [#[state] _s: &mut u32,] [] exclusive;
        captured_exclusive [abi = "sysv64", entry = "captured"] [#[state] _s: &mut u32,] [] exclusive;
        cpu_exclusive [abi = "sysv64"] [#[state] _s: &mut u32, #[cpu] _c: &mut CpuState,] [] exclusive;
        win_function [abi = "win64"] [] [] function;
        win_direct [abi = "win64"] [#[state] _s: &u32,] [a] bound;
        win_stack [abi = "win64"] [#[state] _s: &u32,] [a b c d] bound;
        win_captured [abi = "win64", entry = "captured"] [#[state] _s: &u32,] [] bound;
        win_exclusive [abi = "win64"] [#[state] _s: &mut u32,] [a b c] exclusive;
        efi [abi = "efiapi"] [#[state] _s: &u32,] [a] bound;
    }

    #[cfg(target_arch = "x86")]
    lanes! {
        function [abi = "C"] [] [] function;
        function_captured [abi = "C", entry = "captured"] [] [a b] function;
        function_cpu [abi = "system"] [#[cpu] _c: &mut CpuState,] [] function;
        native [abi = "C"] [#[state] _s: &u32,] [a b c d e f g h] bound;
        captured [abi = "C", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
        cpu [abi = "C", save(gpr, flags, sse, x87)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
        fixed [abi = "C"] [#[state] _s: &u32,] [] fixed;
        stack_exclusive [abi = "C"] [#[state] _s: &mut u32,] [] exclusive;
        captured_exclusive [abi = "C", entry = "captured"] [#[state] _s: &mut u32,] [] exclusive;
        cpu_exclusive [abi = "C"] [#[state] _s: &mut u32, #[cpu] _c: &mut CpuState,] [] exclusive;
        efi [abi = "efiapi"] [#[state] _s: &u32,] [a] bound;
    }
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
    lanes! {
        function [abi = "C"] [] [] function;
        function_captured [abi = "C", entry = "captured"] [] [a b] function;
        function_cpu [abi = "system"] [#[cpu] _c: &mut CpuState,] [] function;
        direct [abi = "C", entry = "direct"] [#[state] _s: &u32,] [a] bound;
        stack [abi = "C"] [#[state] _s: &u32,] [a b c d e f g h] bound;
        captured [abi = "C", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
        cpu [abi = "C"] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
        fixed [abi = "C"] [#[state] _s: &u32,] [] fixed;
        direct_exclusive [abi = "C", entry = "direct"] [#[state] _s: &mut u32,] [a] exclusive;
        stack_exclusive [abi = "C"] [#[state] _s: &mut u32,] [] exclusive;
        captured_exclusive [abi = "C", entry = "captured"] [#[state] _s: &mut u32,] [] exclusive;
        cpu_exclusive [abi = "C"] [#[state] _s: &mut u32, #[cpu] _c: &mut CpuState,] [] exclusive;
        efi [abi = "efiapi"] [#[state] _s: &u32,] [a] bound;
    }
}

/// The callbacks that run already are not concerned, nor those without `on_panic`.
#[test]
fn only_callbacks_with_on_panic_are_passed_over() {
    #[cbframe(abi = "C")]
    fn plain(i: c_int) -> c_int {
        i
    }
    let inner = script!(|_| panic!("wanted within"));
    let f = inner.as_fn();
    let outer = script!(|i| {
        assert_eq!(each(f, 1), FALLBACK);
        assert_eq!(each(plain::FN, 4), 6);
        i + 1
    });
    let mut sum = 0;
    let payload = panic_of(|| resume_panics(|| sum = each(outer.as_fn(), 2)));
    assert_eq!((message(&*payload), sum), ("wanted within", 1 + FALLBACK));
}

#[test]
fn a_scope_inside_of_a_callback_takes_its_panics() {
    counts();
    let inner = script!(|i| panic!("wanted {i}"));
    let f = inner.as_fn();
    // The inner panic goes through this callback, and waits again.
    let outer = script!(|_| resume_panics(|| each(f, 3)));
    let mut sum = 0;
    let payload = panic_of(|| resume_panics(|| sum = each(outer.as_fn(), 2)));
    assert_eq!((message(&*payload), sum), ("wanted 0", 2 * FALLBACK));
    assert_eq!(counts(), (2, 5));

    // Or ends in it.
    let outer = script!(|i| if panic_of(|| resume_panics(|| each(f, 3))).is::<String>() { i } else { 100 });
    assert_eq!(resume_panics(|| each(outer.as_fn(), 3)), 3);
    assert_eq!(counts(), (6, 9));
}

/// Scopes that a compiler might put into one frame.
#[test]
fn scopes_without_anything_between() {
    let broken = script!(|i| panic!("wanted {i}"));
    let fine = script!(|i| i);
    let (broken, fine) = (broken.as_fn(), fine.as_fn());
    let payload = panic_of(|| {
        resume_panics(|| {
            let sum = resume_panics(|| each(fine, 2) + resume_panics(|| each(fine, 3)));
            assert_eq!((sum, each(broken, 1)), (4, FALLBACK));
            resume_panics(|| assert_eq!(each(fine, 3), 3));
        })
    });
    assert_eq!(message(&*payload), "wanted 0");
    let payload = panic_of(|| resume_panics(|| resume_panics(|| resume_panics(|| each(broken, 2)))));
    assert_eq!(message(&*payload), "wanted 0");
}

#[test]
fn a_panic_that_waits_further_out_does_not_concern_an_inner_scope() {
    let broken = script!(|_| panic!("wanted outside"));
    let fine = script!(|i| i);
    let (broken, fine) = (broken.as_fn(), fine.as_fn());
    let outer = script!(|_| {
        assert_eq!(each(broken, 1), FALLBACK);
        assert_eq!(each(fine, 3), 3 * FALLBACK, "in the scope where it waits");
        assert_eq!(resume_panics(|| each(fine, 3)), 3);
        let payload = panic_of(|| resume_panics(|| each(broken, 2)));
        assert_eq!(message(&*payload), "wanted outside");
        assert_eq!(each(fine, 3), 3 * FALLBACK, "it still waits");
        0
    });
    let payload = panic_of(|| resume_panics(|| each(outer.as_fn(), 1)));
    assert_eq!(message(&*payload), "wanted outside");
}

/// Scope, C, callback, scope, C, callback, and so on: the panic of the innermost goes through all of them.
#[test]
fn recursion() {
    static DEPTHS: AtomicU32 = AtomicU32::new(0);

    #[cbframe(abi = "C", on_panic = FALLBACK)]
    fn descend(depth: c_int) -> c_int {
        struct Back;
        impl Drop for Back {
            fn drop(&mut self) {
                DEPTHS.fetch_add(1, Ordering::Relaxed);
            }
        }
        let _back = Back;
        if depth == 0 {
            panic!("wanted at {depth}");
        }

        resume_panics(|| deepest(depth))
    }
    /// C calls `descend(depth - 1)` last.
    fn deepest(depth: c_int) -> c_int {
        #[cbframe(abi = "C", on_panic = FALLBACK)]
        fn last(#[state] depth: &c_int, i: c_int) -> c_int {
            if i == 1 { resume_panics(|| descend::FN(depth - 1)) } else { 0 }
        }
        let frame = last::bind(depth).expect("a free slot");
        each(frame.as_fn(), 2)
    }
    let payload = panic_of(|| resume_panics(|| descend::FN(30)));
    assert_eq!(message(&*payload), "wanted at 0");
    assert_eq!(DEPTHS.load(Ordering::Relaxed), 31, "every frame was unwound");
}

#[test]
fn a_scope_is_of_its_thread() {
    quiet_hook();
    let frame = script!(|i| if i == 1 { panic!("wanted {i}") } else { i });
    let f: Callback = frame.as_fn();
    let sum = resume_panics(|| thread::scope(|scope| scope.spawn(|| each(f, 3)).join().expect("no panic")));
    assert_eq!(sum, FALLBACK + 2, "in no scope, the panic is dropped");

    // A panic that waits on one thread does not concern another, in a scope or not; each gets its own.
    let waits = Barrier::new(3);
    let done = Barrier::new(3);
    thread::scope(|scope| {
        for id in [10, 20] {
            let (waits, done) = (&waits, &done);
            scope.spawn(move || {
                let frame = script!(|i| if i == 1 { panic!("wanted {id}") } else { id });
                let f = frame.as_fn();
                let payload = panic_of(|| {
                    resume_panics(|| {
                        assert_eq!(each(f, 2), id + FALLBACK);
                        waits.wait();
                        done.wait();
                        assert_eq!(each(f, 1), FALLBACK);
                    })
                });
                assert_eq!(message(&*payload), format!("wanted {id}"));
            });
        }
        waits.wait();
        let fine = script!(|i| i);
        assert_eq!(each(fine.as_fn(), 3), 3);
        assert_eq!(resume_panics(|| each(fine.as_fn(), 3)), 3);
        done.wait();
    });
}

/// Many threads at once: nothing is counted wrongly in what they share.
#[test]
fn threads_do_not_get_in_each_others_way() {
    quiet_hook();
    thread::scope(|scope| {
        for id in 0..4 {
            scope.spawn(move || {
                let frame = script!(move |i| if i == 2 { resume_unwind(Box::new(id)) } else { i });
                for round in 0..500 {
                    let payload = panic_of(|| resume_panics(|| each(frame.as_fn(), 4)));
                    assert_eq!(payload.downcast_ref::<i32>(), Some(&id));
                    assert_eq!(resume_panics(|| each(frame.as_fn(), 2)), 1, "{round}");
                    assert_eq!(each(frame.as_fn(), 4), 1 + FALLBACK + 3, "{round}");
                }
            });
        }
    });
}

#[test]
fn in_a_destructor_of_a_thread_local() {
    struct Late(&'static AtomicBool);
    impl Drop for Late {
        fn drop(&mut self) {
            let frame = script!(|i| if i == 1 { panic!("wanted {i}") } else { i });
            let payload = panic_of(|| resume_panics(|| each(frame.as_fn(), 3)));
            self.0.store(message(&*payload) == "wanted 1", Ordering::Relaxed);
        }
    }
    static DONE: AtomicBool = AtomicBool::new(false);
    thread_local! {
        static LATE: Late = const { Late(&DONE) };
    }
    thread::spawn(|| {
        LATE.with(|_| ());
        let frame = script!(|i| i);
        resume_panics(|| each(frame.as_fn(), 3))
    })
    .join()
    .expect("no panic");
    assert!(DONE.load(Ordering::Relaxed));
}

/// In a destructor, C calls back while a panic unwinds.
struct Cleanup(fn());

impl Drop for Cleanup {
    fn drop(&mut self) {
        assert!(thread::panicking());
        (self.0)();
    }
}

#[test]
fn during_another_panic() {
    quiet_hook();
    static CAUGHT: AtomicU32 = AtomicU32::new(0);
    let payload = panic_of(|| {
        // No scope: as ever.
        let _dropped = Cleanup(|| {
            let frame = script!(|_| panic!("wanted dropped"));
            assert_eq!(each(frame.as_fn(), 2), 2 * FALLBACK);
        });
        // A scope within the destructor, which catches what comes out of it.
        let _caught = Cleanup(|| {
            let frame = script!(|_| panic!("wanted inside"));
            let payload = catch_unwind(AssertUnwindSafe(|| resume_panics(|| each(frame.as_fn(), 2)))).expect_err("it");
            assert_eq!(message(&*payload), "wanted inside");
            CAUGHT.fetch_add(1, Ordering::Relaxed);
        });
        // And a scope where nothing panics.
        let _fine = Cleanup(|| {
            let frame = script!(|i| i);
            assert_eq!(resume_panics(|| each(frame.as_fn(), 3)), 3);
        });
        panic!("wanted outside");
    });
    assert_eq!((message(&*payload), CAUGHT.load(Ordering::Relaxed)), ("wanted outside", 1));

    // The scope is around the panic that unwinds: the panic of the callback waits in it, and gives way.
    let payload = panic_of(|| {
        resume_panics(|| {
            let _dropped = Cleanup(|| {
                let frame = script!(|_| panic!("wanted inside"));
                assert_eq!(each(frame.as_fn(), 2), 2 * FALLBACK);
            });
            panic!("wanted outside");
        })
    });
    assert_eq!(message(&*payload), "wanted outside");
}

/// Runs in a child only.
#[test]
fn scene_second_panic() {
    if child::case().is_none() {
        return;
    }
    let _cleanup = Cleanup(|| {
        let frame = script!(|_| panic!("the second"));
        resume_panics(|| each(frame.as_fn(), 1));
    });
    panic!("the first");
}

#[test]
fn a_panic_that_goes_on_in_a_destructor_is_a_second_one() {
    let ended = child::run("scopes::scene_second_panic", "aborts");
    ended.assert_aborted("aborts", &["the first", "the second", "panic in a destructor during cleanup"]);
}
