//! Panics in callbacks that may not unwind: they end the process, or become the value of `on_panic`.

use std::mem::transmute;
use std::sync::atomic::{AtomicU32, Ordering};

use cbframe::{CType, CpuState, bind_static, cbframe};
use cbframe_tests::child;
use cbframe_tests::machine::{first_argument, set_result};

static STATE: u32 = 3;

/// Two eightbytes of different classes.
#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Mixed {
    real: f64,
    whole: i64,
}

/// In memory, through a hidden pointer.
#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Large {
    words: [u64; 5],
}

fn panic_if<T>(wanted: bool, otherwise: T) -> T {
    if wanted {
        std::panic::resume_unwind(Box::new("for on_panic"))
    }
    otherwise
}

macro_rules! lanes {
    ($($lane:ident $abi:tt [$($option:tt)*] [$($state:tt)*] $kind:ident [$($pad:ident)*];)*) => {
        $(
            mod $lane {
                use super::*;

                #[cbframe(abi = $abi, $($option)*)]
                fn dies($($state)* $($pad: u64,)* panics: bool) -> i32 {
                    $(let _ = $pad;)*
                    panic_if(panics, 6)
                }

                lanes! { @on_panic [abi = $abi, $($option)*] [$($state)*] [$($pad)*]
                    narrow i8 = -7, 7;
                    wide i64 = i64::MIN + 1, -9;
                    real f64 = 0.25, 1.5;
                    mixed Mixed = Mixed { real: 0.5, whole: -3 }, Mixed { real: 8.0, whole: 8 };
                    large Large = Large { words: [9, 8, 7, 6, 5] }, Large { words: [1; 5] };
                    unit () = (), ();
                }

                pub(super) fn die(panics: bool) -> i32 {
                    let f = lanes!(@pointer $kind dies);
                    $(let $pad = 1;)*
                    #[allow(unused_unsafe, reason = "a stateless callback is safe to call")]
                    // SAFETY: bound for ever.
                    unsafe { f($($pad,)* panics) }
                }
            }
        )*

        const LANES: &[Lane] = &[$((stringify!($lane), $lane::die, $lane::check)),*];
    };
    (@on_panic $options:tt $state:tt $pads:tt $($name:ident $ty:ty = $fallback:expr, $value:expr;)*) => {
        $(lanes! { @one $options $state $pads $name $ty, $fallback, $value })*

        pub(super) fn check() {
            $($name::check();)*
        }
    };
    (@one [$($option:tt)*] [$($state:tt)*] [$($pad:ident)*] $name:ident $ty:ty, $fallback:expr, $value:expr) => {
        mod $name {
            use super::*;

            #[cbframe($($option)* on_panic = $fallback)]
            fn callback($($state)* $($pad: u64,)* panics: bool) -> $ty {
                $(let _ = $pad;)*
                panic_if(panics, $value)
            }

            pub(super) fn check() {
                let f = lanes!(@guess callback [$($state)*]);
                $(let $pad = 1;)*
                #[allow(unused_unsafe, reason = "a stateless callback is safe to call")]
                // SAFETY: bound for ever.
                unsafe {
                    assert_eq!(f($($pad,)* true), $fallback);
                    assert_eq!(f($($pad,)* false), $value);
                    assert_eq!(f($($pad,)* true), $fallback);
                }
            }
        }
    };
    (@guess $callback:ident []) => { $callback::FN };
    (@guess $callback:ident $state:tt) => { lanes!(@pointer bound $callback) };
    (@pointer stateless $callback:ident) => { $callback::FN };
    (@pointer bound $callback:ident) => { $callback::leak(&STATE).expect("a free slot") };
}

type Lane = (&'static str, fn(bool) -> i32, fn());

#[cfg(target_arch = "x86_64")]
lanes! {
    stateless "sysv64" [] [] stateless [];
    stateless_captured "sysv64" [entry = "captured",] [] stateless [a b c];
    stateless_win "win64" [] [] stateless [];
    native "C" [] [#[state] _s: &u32,] bound [];
    direct "sysv64" [entry = "direct",] [#[state] _s: &u32,] bound [a];
    stack "sysv64" [entry = "stack",] [#[state] _s: &u32,] bound [];
    stack_spilled "sysv64" [] [#[state] _s: &u32,] bound [a b c d e f];
    captured "sysv64" [entry = "captured",] [#[state] _s: &u32,] bound [a b c d e f];
    win_direct "win64" [] [#[state] _s: &u32,] bound [];
    win_stack "win64" [] [#[state] _s: &u32,] bound [a b c d];
    win_captured "win64" [entry = "captured",] [#[state] _s: &u32,] bound [a b c d];
}

#[cfg(target_arch = "x86")]
lanes! {
    stateless "C" [] [] stateless [];
    stateless_captured "cdecl" [entry = "captured",] [] stateless [a b c];
    native "C" [] [#[state] _s: &u32,] bound [];
    stdcall "stdcall" [] [#[state] _s: &u32,] bound [];
    captured "C" [entry = "captured",] [#[state] _s: &u32,] bound [a b c d e f g h];
}

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
lanes! {
    stateless "C" [] [] stateless [];
    stateless_captured "C" [entry = "captured",] [] stateless [a b c];
    native "C" [] [#[state] _s: &u32,] bound [];
    direct "C" [entry = "direct",] [#[state] _s: &u32,] bound [a];
    stack "C" [] [#[state] _s: &u32,] bound [];
    stack_spilled "C" [] [#[state] _s: &u32,] bound [a b c d e f g h];
    captured "C" [entry = "captured",] [#[state] _s: &u32,] bound [a b c d e f g h];
}

#[cbframe(abi = "raw", on_panic = ())]
fn raw(cpu: &mut CpuState) {
    // Both may be in one register.
    let panics = first_argument(cpu) != 0;
    set_result(cpu, 40);
    panic_if(panics, ());
    set_result(cpu, 41);
}

#[cbframe(abi = "raw")]
fn raw_dies(cpu: &mut CpuState) {
    panic_if(first_argument(cpu) != 0, ());
}

#[cbframe(abi = "C", on_panic = -1)]
fn with_cpu(#[cpu] cpu: &mut CpuState, panics: bool) -> i64 {
    set_result(cpu, 7);
    panic_if(panics, 5)
}

#[cbframe(abi = "C")]
fn fixed(#[state] _s: &u32, panics: bool) {
    panic_if(panics, ());
}

/// Runs in children only.
#[test]
fn scene() {
    let Some(case) = child::case() else { return };
    match case.as_str() {
        // SAFETY: the handler looks at its first argument only.
        "raw" => unsafe { transmute::<unsafe extern "C" fn(), extern "C" fn(u64)>(raw_dies::FN)(1) },
        "fixed" => {
            let f: extern "C" fn(bool) = bind_static!(fixed, STATE);
            f(true);
        }
        lane => {
            let (_, die, _) = LANES.iter().find(|(name, ..)| *name == lane).expect("a lane");
            assert_eq!(die(false), 6);
            die(true);
        }
    }
}

#[test]
fn a_panic_that_may_not_unwind_aborts() {
    let lanes = LANES.iter().map(|lane| (lane.0, format!("{}::dies", lane.0)));
    let others = [("raw", "raw_dies"), ("fixed", "fixed")].map(|(case, name)| (case, name.to_owned()));
    for (case, name) in lanes.chain(others) {
        let message = format!(
            "cbframe: `faults::panics::{name}` panicked, and its caller is C, which cannot be unwound: use an ABI string \
             with -unwind, or `on_panic = ...`\n"
        );
        child::run("panics::scene", case).assert_aborted(case, &[&message]);
    }
}

#[test]
fn on_panic_gives_its_value() {
    for (_, _, check) in LANES {
        check();
    }
    // SAFETY: the handler looks at its first argument, and writes a result.
    let f: extern "C" fn(u64) -> u64 = unsafe { transmute(raw::FN) };
    assert_eq!((f(1), f(0)), (40, 41), "what a raw handler wrote before it panicked counts");
    // SAFETY: `with_cpu` changes nothing but its result.
    unsafe { assert_eq!((with_cpu::FN(true), with_cpu::FN(false)), (-1, 5)) };
}

#[test]
fn on_panic_is_evaluated_when_a_handler_panics_and_only_then() {
    static EVALUATED: AtomicU32 = AtomicU32::new(0);

    #[cbframe(abi = "C", on_panic = EVALUATED.fetch_add(1, Ordering::Relaxed) + 100)]
    fn counted(panics: bool) -> u32 {
        panic_if(panics, 1)
    }
    assert_eq!(counted::FN(false), 1);
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 0);
    assert_eq!(counted::FN(true), 100);
    assert_eq!(counted::FN(true), 101);
}

/// Runs in children only.
#[test]
fn scene_on_panic_panics() {
    if child::case().is_none() {
        return;
    }
    #[cbframe(abi = "C", on_panic = std::panic::resume_unwind(Box::new("again")))]
    fn twice(panics: bool) -> u32 {
        panic_if(panics, 1)
    }
    twice::FN(true);
}

#[test]
fn a_panic_in_on_panic_aborts() {
    let ended = child::run("panics::scene_on_panic_panics", "twice");
    let message = "cbframe: the `on_panic` of `faults::panics::twice` panicked, so that there is no value for C\n";
    ended.assert_aborted("twice", &[message]);
}

#[test]
fn on_panic_leaves_exclusive_state_usable() {
    #[cbframe(abi = "C", on_panic = u32::MAX)]
    fn count(#[state] calls: &mut u32, panics: bool) -> u32 {
        *calls += 1;
        panic_if(panics, *calls)
    }
    let frame = count::bind(0).expect("a free slot");
    let f = frame.as_fn();
    // SAFETY: the frame lives.
    unsafe { assert_eq!((f(false), f(true), f(false)), (1, u32::MAX, 3)) };
}
