//! Who cannot be unwound aborts, with the callback's name: after panics, and after exceptions of C++.

use std::ffi::c_int;

use cbframe::{CpuState, cbframe, resume_panics};
use cbframe_tests::child;

use crate::{FALLBACK, message, panic_of, script};

static STATE: u32 = 3;

// `tests/c/exceptions.cc`.
unsafe extern "C-unwind" {
    /// Throws if `n` is 13.
    safe fn cbt_thrower(n: c_int) -> c_int;
    /// Calls `f` with `n`; reports a destructor, and what it catches, on standard output.
    fn cbt_catcher(f: *const (), n: c_int) -> c_int;
    fn cbt_catcher_sysv64(f: *const (), n: c_int) -> c_int;
    fn cbt_catcher_win(f: *const (), n: c_int) -> c_int;
}

/// Where C++ throws, or Rust panics.
fn body(n: c_int) -> c_int {
    assert!(n != 14, "fourteen");
    cbt_thrower(n)
}

macro_rules! callbacks {
    ($($name:ident [abi = $abi:literal $($option:tt)*] [$($state:tt)*] $kind:ident;)*) => {
        $(#[cbframe(abi = $abi $($option)*)]
        fn $name($($state)* n: c_int) -> c_int {
            body(n)
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn pointer(name: &str) -> (&'static str, *const ()) {
            match name {
                $(stringify!($name) => ($abi, callbacks!(@$kind $name) as *const ()),)*
                _ => panic!("no {name}"),
            }
        }
    };
    (@function $name:ident) => { $name::FN };
    (@bound $name:ident) => { $name::leak(&STATE).expect("a free slot") };
    (@exclusive $name:ident) => { $name::leak(STATE).expect("a free slot") };
}

#[cfg(target_arch = "x86_64")]
callbacks! {
    function [abi = "C"] [] function;
    function_captured [abi = "sysv64", entry = "captured"] [] function;
    direct [abi = "C"] [#[state] _s: &u32,] bound;
    stack [abi = "sysv64", entry = "stack"] [#[state] _s: &u32,] bound;
    captured [abi = "system", entry = "captured"] [#[state] _s: &u32,] bound;
    cpu [abi = "C"] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] bound;
    exclusive [abi = "C"] [#[state] _s: &mut u32,] exclusive;
    win_function [abi = "win64"] [] function;
    win_direct [abi = "win64"] [#[state] _s: &u32,] bound;
    win_captured [abi = "win64", entry = "captured"] [#[state] _s: &mut u32,] exclusive;
    win_efi [abi = "efiapi"] [#[state] _s: &u32,] bound;
    on_panic [abi = "C", on_panic = FALLBACK] [] function;
    on_panic_direct [abi = "C", on_panic = FALLBACK] [#[state] _s: &u32,] bound;
    on_panic_captured [abi = "sysv64", entry = "captured", on_panic = FALLBACK] [#[state] _s: &mut u32,] exclusive;
}

#[cfg(target_arch = "x86")]
callbacks! {
    function [abi = "C"] [] function;
    native [abi = "C"] [#[state] _s: &u32,] bound;
    captured [abi = "system", entry = "captured"] [#[state] _s: &u32,] bound;
    cpu [abi = "cdecl"] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] bound;
    exclusive [abi = "C"] [#[state] _s: &mut u32,] exclusive;
    win_efi [abi = "efiapi"] [#[state] _s: &u32,] bound;
    on_panic [abi = "C", on_panic = FALLBACK] [] function;
    on_panic_bound [abi = "C", on_panic = FALLBACK] [#[state] _s: &u32,] bound;
    on_panic_captured [abi = "C", entry = "captured", on_panic = FALLBACK] [#[state] _s: &mut u32,] exclusive;
}

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
callbacks! {
    function [abi = "C"] [] function;
    function_captured [abi = "C", entry = "captured"] [] function;
    direct [abi = "C"] [#[state] _s: &u32,] bound;
    stack [abi = "C"] [#[state] _s: &u32,] bound;
    captured [abi = "system", entry = "captured"] [#[state] _s: &u32,] bound;
    cpu [abi = "C"] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] bound;
    exclusive [abi = "C"] [#[state] _s: &mut u32,] exclusive;
    win_efi [abi = "efiapi"] [#[state] _s: &u32,] bound;
    on_panic [abi = "C", on_panic = FALLBACK] [] function;
    on_panic_direct [abi = "C", on_panic = FALLBACK] [#[state] _s: &u32,] bound;
    on_panic_captured [abi = "C", entry = "captured", on_panic = FALLBACK] [#[state] _s: &mut u32,] exclusive;
}

/// Runs in children only.
#[test]
fn scene() {
    let Some(case) = child::case() else { return };
    let (name, n) = case.split_once('=').expect("name=n");
    let ((abi, f), n) = (pointer(name), n.parse().expect("a number"));
    let catcher = match abi {
        "sysv64" => cbt_catcher_sysv64,
        "win64" | "efiapi" => cbt_catcher_win,
        _ => cbt_catcher,
    };
    // SAFETY: a callback of the catcher's convention.
    assert_eq!(unsafe { catcher(f, 3) }, 3);
    // SAFETY: as above.
    println!("\nresult={}", unsafe { catcher(f, n) });
}

#[test]
fn an_exception_of_cxx_aborts_with_the_name() {
    for name in NAMES {
        let ended = child::run("abort::scene", &format!("{name}=13"));
        let what = if name.starts_with("on_panic") {
            "was left by an exception of another language, which `on_panic` does not catch, and its caller is C: use an \
             ABI string with -unwind\n"
        } else {
            "was left by an exception of another language, and its caller is C, which cannot be unwound: use an ABI \
             string with -unwind\n"
        };
        ended.assert_aborted(name, &[&format!("cbframe: `panics::abort::{name}` {what}")]);
        assert_eq!(ended.stdout.matches("destructed").count(), 1, "{name}: only by the call that returned");
        assert!(!ended.stdout.contains("caught"), "{name}: {ended:#?}");
    }
}

#[test]
fn a_panic_aborts_with_its_message_and_the_name() {
    for name in NAMES {
        let ended = child::run("abort::scene", &format!("{name}=14"));
        if name.starts_with("on_panic") {
            assert_eq!((ended.code, ended.value("result")), (Some(0), "-1000"), "{name}");
            continue;
        }
        let line = format!("cbframe: `panics::abort::{name}` panicked, and its caller is C, which cannot be unwound");
        ended.assert_aborted(name, &["fourteen", &line]);
        assert!(ended.stderr.find("fourteen") < ended.stderr.find(&line), "{name}: {ended:#?}");
        assert!(!ended.stderr.contains("in a function that cannot unwind"), "{name}: {ended:#?}");
        assert!(!ended.stdout.contains("caught"), "{name}: {ended:#?}");
    }
}

/// An exception may go through a scope, if the callback around may be unwound.
#[test]
fn an_exception_of_cxx_leaves_a_scope() {
    #[cbframe(abi = "C-unwind")]
    fn around(#[state] inner: &unsafe extern "C" fn(c_int) -> c_int, n: c_int) -> c_int {
        resume_panics(|| {
            // SAFETY: it takes any number, and its frame lives.
            assert_eq!(unsafe { inner(n) }, if n == 13 { FALLBACK } else { n });
            body(n)
        })
    }
    let inner = script!(|i| if i > 12 { panic!("wanted {i}") } else { i });
    let frame = around::bind(inner.as_fn()).expect("a free slot");
    let f = frame.as_fn() as *const ();
    for _ in 0..3 {
        // SAFETY: callbacks of the catcher's type.
        let call = |n| unsafe { cbt_catcher(f, n) };
        crate::quiet_hook();
        assert_eq!((call(3), call(13)), (3, -1), "the panic that waited is dropped");
        let payload = panic_of(|| resume_panics(|| crate::each(inner.as_fn(), 14)));
        assert_eq!(message(&*payload), "wanted 13");
        assert_eq!(crate::each(inner.as_fn(), 3), 3, "nothing waits");
    }
}
