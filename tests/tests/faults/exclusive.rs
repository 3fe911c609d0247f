//! `&mut` state: calls that nest or overlap, and the state after a call or a panic.

use std::mem::transmute;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cbframe::{CpuState, cbframe};
use cbframe_tests::child;
use cbframe_tests::machine::set_result;

/// What a callback does when it runs for the first time.
#[derive(Default)]
struct State {
    calls: u32,
    what: What,
}

#[derive(Default, Clone, Copy)]
enum What {
    #[default]
    Count,
    Nest,
    Overlap,
    Panic,
}

static INSIDE: AtomicBool = AtomicBool::new(false);
/// The callback of this child.
static ADDRESS: AtomicUsize = AtomicUsize::new(0);

/// The body of all callbacks; `nested` calls the same address again.
fn act(state: &mut State, nested: impl FnOnce(usize)) -> u32 {
    state.calls += 1;
    match std::mem::take(&mut state.what) {
        What::Count => {}
        What::Nest => {
            println!("\nfirst=inside");
            nested(ADDRESS.load(Ordering::Relaxed));
        }
        What::Overlap => {
            println!("\nfirst=inside");
            INSIDE.store(true, Ordering::Release);
            // The other thread ends the process.
            loop {
                std::hint::spin_loop();
            }
        }
        What::Panic => std::panic::resume_unwind(Box::new("the handler panics")),
    }
    state.calls
}

macro_rules! lanes {
    ($($lane:ident $abi:tt $unwind:tt [$($option:tt)*] [$($pad:ident)*];)*) => {
        $(
            mod $lane {
                use super::*;

                type Pointer = unsafe extern $unwind fn(u64, u64, u64, u64, u64, u64) -> u32;

                fn nested(this: usize) {
                    // SAFETY: the address of this lane's callback; more words than it takes do no harm.
                    unsafe { transmute::<usize, Pointer>(this)(1, 2, 3, 4, 5, 6) };
                }

                #[cbframe(abi = $abi, $($option)*)]
                fn plain(#[state] state: &mut State, $($pad: u64,)*) -> u32 {
                    $(let _ = $pad;)*
                    act(state, nested)
                }

                #[cbframe(abi = $unwind, $($option)*)]
                fn unwinding(#[state] state: &mut State, $($pad: u64,)*) -> u32 {
                    $(let _ = $pad;)*
                    act(state, nested)
                }

                pub(super) fn bound(state: &mut State, run: &mut dyn FnMut(usize, &dyn Fn() -> u32)) {
                    let frame = plain::bind(state).expect("a free slot");
                    with(frame.as_ptr(), run);
                }

                pub(super) fn bound_unwinding(state: &mut State, run: &mut dyn FnMut(usize, &dyn Fn() -> u32)) {
                    let frame = unwinding::bind(state).expect("a free slot");
                    with(frame.as_ptr(), run);
                }

                fn with(address: *const (), run: &mut dyn FnMut(usize, &dyn Fn() -> u32)) {
                    // SAFETY: as in `nested`, while the caller holds the frame.
                    let pointer: Pointer = unsafe { transmute(address) };
                    // SAFETY: as above.
                    run(address.addr(), &|| unsafe { pointer(1, 2, 3, 4, 5, 6) });
                }
            }
        )*

        const LANES: &[Lane] = &[$((stringify!($lane), $lane::bound, $lane::bound_unwinding)),*];
    };
}

type Bind = fn(&mut State, &mut dyn FnMut(usize, &dyn Fn() -> u32));
type Lane = (&'static str, Bind, Bind);

#[cfg(target_arch = "x86_64")]
lanes! {
    native "C" "C-unwind" [] [];
    direct "sysv64" "sysv64-unwind" [entry = "direct"] [a b];
    stack "sysv64" "sysv64-unwind" [entry = "stack"] [a b];
    stack_spilled "sysv64" "sysv64-unwind" [] [a b c d e f];
    captured "sysv64" "sysv64-unwind" [entry = "captured"] [a b c d e f];
    win_direct "win64" "win64-unwind" [] [a b];
    win_stack "win64" "win64-unwind" [] [a b c d e];
    win_captured "win64" "win64-unwind" [entry = "captured"] [a b c d e];
}

#[cfg(target_arch = "x86")]
lanes! {
    native "C" "C-unwind" [] [];
    captured "cdecl" "cdecl-unwind" [entry = "captured"] [a b c d e];
}

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
lanes! {
    native "C" "C-unwind" [] [];
    direct "C" "C-unwind" [entry = "direct"] [a b];
    stack "C" "C-unwind" [] [a b];
    stack_spilled "C" "C-unwind" [] [a b c d e f g h];
    captured "C" "C-unwind" [entry = "captured"] [a b c d e f g h];
}

#[cbframe(abi = "raw", save(gpr))]
fn raw(#[state] state: &mut State, cpu: &mut CpuState) {
    let answer = act(state, |this| {
        // SAFETY: the address of this callback, which reads no argument.
        unsafe { transmute::<usize, unsafe extern "C" fn() -> u32>(this)() };
    });
    set_result(cpu, answer.into());
}

fn raw_bound(state: &mut State, run: &mut dyn FnMut(usize, &dyn Fn() -> u32)) {
    let frame = raw::bind(state).expect("a free slot");
    // SAFETY: as above.
    let pointer: unsafe extern "C" fn() -> u32 = unsafe { transmute(frame.as_ptr()) };
    // SAFETY: the frame lives.
    run(frame.as_ptr().addr(), &|| unsafe { pointer() });
}

fn binder(lane: &str) -> Bind {
    match lane {
        "raw" => raw_bound,
        _ => LANES.iter().find(|(name, ..)| *name == lane).expect("a lane").1,
    }
}

/// Runs in children only.
#[test]
fn scene() {
    let Some(case) = child::case() else { return };
    let (lane, what) = case.split_once(' ').expect("lane and fault");
    let bind = binder(lane);
    match what {
        "nest" => {
            let mut state = State { what: What::Nest, ..State::default() };
            bind(&mut state, &mut |address, call| {
                ADDRESS.store(address, Ordering::Relaxed);
                call();
            });
        }
        "overlap" => {
            let mut state = State { what: What::Overlap, ..State::default() };
            bind(&mut state, &mut |address, call| {
                ADDRESS.store(address, Ordering::Relaxed);
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        while !INSIDE.load(Ordering::Acquire) {
                            std::hint::spin_loop();
                        }
                        // SAFETY: the frame lives; every lane takes six words or fewer, or ignores them.
                        unsafe {
                            #[cfg(target_arch = "x86_64")]
                            let f: unsafe extern "sysv64" fn(
                                u64,
                                u64,
                                u64,
                                u64,
                                u64,
                                u64,
                                [u64; 8],
                            )
                                -> u32 = transmute(ADDRESS.load(Ordering::Relaxed));
                            #[cfg(not(target_arch = "x86_64"))]
                            let f: unsafe extern "C" fn(
                                u64,
                                u64,
                                u64,
                                u64,
                                u64,
                                u64,
                                [u64; 8],
                            )
                                -> u32 = transmute(ADDRESS.load(Ordering::Relaxed));
                            f(1, 2, 3, 4, 5, 6, [7; 8]);
                        }
                    });
                    call();
                });
            });
        }
        _ => panic!("no fault {what}"),
    }
}

#[test]
fn calls_neither_nest_nor_overlap() {
    for lane in LANES.iter().map(|lane| lane.0).chain(["raw"]) {
        for what in ["nest", "overlap"] {
            let case = format!("{lane} {what}");
            let ended = child::run("exclusive::scene", &case);
            assert_eq!(ended.value("first"), "inside");
            let name = if lane == "raw" {
                "`faults::exclusive::raw`".into()
            } else {
                format!("`faults::exclusive::{lane}::plain`")
            };
            let bound = format!("bound at {}:", file!());
            ended.assert_aborted(&case, &["cbframe: ", &name, "while another call of it was still running", &bound]);
        }
    }
}

#[test]
fn the_state_is_free_again_after_a_call() {
    for lane in LANES.iter().map(|lane| lane.0).chain(["raw"]) {
        let mut state = State::default();
        binder(lane)(&mut state, &mut |_, call| {
            for expected in 1..=3 {
                assert_eq!(call(), expected, "{lane}");
            }
        });
        assert_eq!(state.calls, 3);
    }
}

#[test]
fn the_state_is_free_again_after_a_panic() {
    for (lane, _, bind) in LANES {
        let mut state = State { what: What::Panic, ..State::default() };
        bind(&mut state, &mut |_, call| {
            let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("it panics");
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"the handler panics"), "{lane}");
            assert_eq!(call(), 2, "{lane}");
            assert_eq!(call(), 3, "{lane}");
        });
    }
}

#[test]
fn a_state_may_be_used_by_one_thread_after_another() {
    #[cbframe(abi = "C")]
    fn count(#[state] calls: &mut u64, by: u64) -> u64 {
        *calls += by;
        *calls
    }
    let frame = count::bind(0).expect("a free slot");
    let f = frame.as_fn();
    for round in 1..=20_u64 {
        // SAFETY: the frame lives, and the calls come one after the other.
        let sum = std::thread::spawn(move || unsafe { f(round) }).join().expect("no panic");
        assert_eq!(sum, round * (round + 1) / 2);
    }
}
