//! Panics and exceptions in callbacks whose caller cannot be unwound: they abort with a name, or wait until C is back.
#![allow(missing_docs, reason = "tests")]

#[path = "panics/abort.rs"]
mod abort;
#[path = "panics/coroutines.rs"]
mod coroutines;
#[path = "panics/jumps.rs"]
mod jumps;
#[path = "panics/payloads.rs"]
mod payloads;
#[path = "panics/scopes.rs"]
mod scopes;

use std::any::Any;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Once, OnceLock};

use cbframe::{cbframe, resume_panics};
use cbframe_tests::child::Library;

const C: &str = r#"
    #include <setjmp.h>
    #include <stdlib.h>
    #include <string.h>

    typedef int (*callback)(int);

    /* Calls with 0 to n - 1; the sum. */
    int each(callback f, int n) {
        int sum = 0;
        for (int i = 0; i < n; i++) sum += f(i);
        return sum;
    }

    /* The same from further down the stack. */
    int each_deep(callback f, int n) {
        char frame[64 << 10];
        memset(frame, n, sizeof frame);
        int sum = each(f, n);
        __asm__ volatile ("" : : "r" (frame) : "memory");
        return sum;
    }

    /* Returns -1 if `body` jumps to `target`. The frame is larger than those of `each` and an entry together, so that what
       `body` was lies deeper than a callback which is called afterwards. */
    static __thread jmp_buf target;
    int land(void (*body)(void *), void *data) {
        jmp_buf outer;
        char frame[4 << 10];
        memset(frame, 1, sizeof frame);
        memcpy(outer, target, sizeof outer);
        int result = 0;
        if (setjmp(target)) result = -1; else body(data);
        memcpy(target, outer, sizeof outer);
        __asm__ volatile ("" : : "r" (frame) : "memory");
        return result;
    }
    int land_deep(void (*body)(void *), void *data) {
        char frame[64 << 10];
        memset(frame, 1, sizeof frame);
        int result = land(body, data);
        __asm__ volatile ("" : : "r" (frame) : "memory");
        return result;
    }
    int jump(int n) { (void)n; longjmp(target, 1); }
"#;

type Callback = unsafe extern "C" fn(c_int) -> c_int;
type Body = unsafe extern "C-unwind" fn(*mut c_void);

/// The functions above.
struct Functions {
    each: unsafe extern "C-unwind" fn(Callback, c_int) -> c_int,
    each_deep: unsafe extern "C-unwind" fn(Callback, c_int) -> c_int,
    land: unsafe extern "C-unwind" fn(Body, *mut c_void) -> c_int,
    land_deep: unsafe extern "C-unwind" fn(Body, *mut c_void) -> c_int,
    jump: Callback,
}

fn c() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "panics.c", C, &["-O2", "-fexceptions"]);
        // SAFETY: the types of the functions.
        unsafe {
            Functions {
                each: library.function("each"),
                each_deep: library.function("each_deep"),
                land: library.function("land"),
                land_deep: library.function("land_deep"),
                jump: library.function("jump"),
            }
        }
    })
}

/// Calls `f` `n` times from C; the sum of the results.
fn each(f: Callback, n: c_int) -> c_int {
    // SAFETY: the callbacks of these tests take any number, and their frames live.
    unsafe { (c().each)(f, n) }
}

/// What a callback does.
struct Script<'a>(Box<dyn Fn(c_int) -> c_int + Send + Sync + 'a>);

impl<'a> Script<'a> {
    fn new(script: impl Fn(c_int) -> c_int + Send + Sync + 'a) -> Self {
        Self(Box::new(script))
    }
}

#[cbframe(abi = "C", on_panic = fallback())]
fn step(#[state] script: &Script<'_>, i: c_int) -> c_int {
    RUNS.set(RUNS.get() + 1);
    (script.0)(i)
}

const FALLBACK: c_int = -1000;

fn fallback() -> c_int {
    FALLBACKS.set(FALLBACKS.get() + 1);
    FALLBACK
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
    static FALLBACKS: Cell<u32> = const { Cell::new(0) };
    /// How often the panic hook ran.
    static HOOKS: Cell<u32> = const { Cell::new(0) };
}

/// How often callbacks ran on this thread, and `on_panic` was evaluated, since this was asked.
fn counts() -> (u32, u32) {
    (RUNS.take(), FALLBACKS.take())
}

/// Counts panics and says nothing about those that tests want: their messages begin with "wanted".
fn quiet_hook() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            HOOKS.set(HOOKS.get() + 1);
            if !info.payload_as_str().is_some_and(|message| message.starts_with("wanted")) {
                hook(info);
            }
        }));
    });
}

/// The panic that `f` ends in.
fn panic_of<R>(f: impl FnOnce() -> R) -> Box<dyn Any + Send> {
    quiet_hook();
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("no panic"),
        Err(payload) => payload,
    }
}

/// The message of a panic.
#[track_caller]
fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).expect("a message")
}

/// A frame for a script.
macro_rules! script {
    ($script:expr) => {
        $crate::step::bind($crate::Script::new($script)).expect("a free slot")
    };
}
use script;

#[test]
fn the_panic_goes_on_when_c_is_back() {
    let frame = script!(|i| if i == 3 { panic!("wanted {i}") } else { i });
    let mut sum = 0;
    counts();
    HOOKS.set(0);
    let payload = panic_of(|| resume_panics(|| sum = each(frame.as_fn(), 10)));
    assert_eq!(message(&*payload), "wanted 3");
    assert_eq!(HOOKS.get(), 1, "the hook does not run again");
    assert_eq!(sum, 1 + 2 + 7 * FALLBACK, "C came to its end");
    assert_eq!(counts(), (4, 7), "what came after the panic did not run");

    // It's over: the callback runs.
    assert_eq!(resume_panics(|| each(frame.as_fn(), 3)), 3);
    assert_eq!(counts(), (3, 0));
}

#[test]
fn without_a_scope_the_panic_is_dropped() {
    quiet_hook();
    let frame = script!(|i| if i == 3 { panic!("wanted {i}") } else { i });
    counts();
    assert_eq!(each(frame.as_fn(), 6), 1 + 2 + FALLBACK + 4 + 5);
    assert_eq!(counts(), (6, 1), "the others ran");
}
