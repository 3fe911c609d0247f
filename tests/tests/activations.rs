//! Calls that do not return: `longjmp` over a callback, and coroutines that leave one behind. What such a call held is
//! given to a later one once it can be told that it is over, and only then.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use cbframe::{Frame, cbframe, frame};
use cbframe_tests::child;

type Callback = unsafe extern "C" fn(*mut c_void, *mut c_void);

#[repr(C)]
struct Coroutine([u8; 0]);

unsafe extern "C" {
    fn cbt_call(callback: Callback, context: *mut c_void) -> c_int;
    fn cbt_call_deeper(callback: Callback, context: *mut c_void) -> c_int;
    fn cbt_jump(buffer: *mut c_void) -> !;
    fn cbt_coroutine(
        run: unsafe extern "C" fn(*mut c_void),
        context: *mut c_void,
        stack: *mut c_void,
        size: usize,
    ) -> *mut Coroutine;
    fn cbt_resume(coroutine: *mut Coroutine) -> c_int;
    fn cbt_suspend();
    fn cbt_end(coroutine: *mut Coroutine);
}

const STACK: usize = 1 << 18;

/// Jumps away if `context` is not null.
#[cbframe(abi = "C")]
fn counts(#[state] calls: &mut u32, context: *mut c_void, buffer: *mut c_void) {
    *calls += 1;
    if !context.is_null() {
        // SAFETY: the buffer is that of the caller, whose frame is live; nothing in between has a destructor.
        unsafe { cbt_jump(buffer) };
    }
}

/// Where C says that a callback is to jump.
const JUMP: *mut c_void = ptr::dangling_mut();
const RETURN: *mut c_void = ptr::null_mut();

#[test]
fn a_state_is_free_after_a_jump_over_its_call() {
    let mut calls = 0;
    let frame = counts::bind(&mut calls).unwrap();
    // SAFETY: the frame lives.
    unsafe {
        for _ in 0..5 {
            assert_eq!(cbt_call(frame.as_fn(), JUMP), 1);
        }
        assert_eq!(cbt_call(frame.as_fn(), RETURN), 0);
        // From a jump deep in the stack back up.
        assert_eq!(cbt_call_deeper(frame.as_fn(), JUMP), 1);
        assert_eq!(cbt_call(frame.as_fn(), RETURN), 0);
    }
    drop(frame);
    assert_eq!(calls, 8);
}

#[test]
fn a_local_closure_is_free_after_a_jump_over_its_call() {
    let mut calls = 0;
    let frame = Frame::<Callback>::local(|context, buffer| {
        calls += 1;
        if !context.is_null() {
            // SAFETY: as above.
            unsafe { cbt_jump(buffer) };
        }
    })
    .unwrap();
    // SAFETY: the frame lives.
    unsafe {
        for _ in 0..5 {
            assert_eq!(cbt_call(frame.as_fn(), JUMP), 1);
            assert_eq!(cbt_call(frame.as_fn(), RETURN), 0);
        }
    }
    drop(frame);
    assert_eq!(calls, 10);
}

/// A call that was jumped over does not hold the closure's memory either: the frame's drop frees it.
#[test]
fn a_local_closure_is_dropped_after_a_jump_over_its_call() {
    let dropped = Cell::new(false);
    struct Says<'a>(&'a Cell<bool>);
    impl Drop for Says<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let says = Says(&dropped);
    let frame = Frame::<Callback>::local(move |_, buffer| {
        let _says = &says;
        // SAFETY: as above.
        unsafe { cbt_jump(buffer) };
    })
    .unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { cbt_call_deeper(frame.as_fn(), JUMP) }, 1);
    drop(frame);
    assert!(dropped.get());
}

/// What a coroutine is in the middle of is not over.
#[test]
fn a_suspended_call_keeps_what_it_holds() {
    let mut inside = 0;
    let frame = frame!(abi = "C", local, or = -1, |suspend: c_int| -> c_int {
        inside += 1;
        if suspend != 0 {
            // SAFETY: this runs in a coroutine.
            unsafe { cbt_suspend() };
        }
        inside
    })
    .unwrap();
    unsafe extern "C" fn run(callback: *mut c_void) {
        // SAFETY: it is the callback's address.
        let callback: unsafe extern "C" fn(c_int) -> c_int = unsafe { std::mem::transmute(callback) };
        // SAFETY: the frame lives.
        assert_eq!(unsafe { callback(1) }, 1);
    }
    let callback = frame.as_fn();
    // SAFETY: the frame lives, and so does each coroutine until its end.
    unsafe {
        let coroutine = cbt_coroutine(run, frame.as_ptr().cast_mut().cast(), ptr::null_mut(), STACK);
        assert_eq!(cbt_resume(coroutine), 0);
        // From this stack, from deeper in it, and from another coroutine's.
        assert_eq!(callback(0), -1);
        unsafe extern "C" fn refused(callback: *mut c_void) {
            // SAFETY: as above.
            let callback: unsafe extern "C" fn(c_int) -> c_int = unsafe { std::mem::transmute(callback) };
            // SAFETY: as above.
            assert_eq!(unsafe { callback(0) }, -1);
        }
        let other = cbt_coroutine(refused, frame.as_ptr().cast_mut().cast(), ptr::null_mut(), STACK);
        assert_eq!(cbt_resume(other), 1);
        cbt_end(other);
        // And now it ends.
        assert_eq!(cbt_resume(coroutine), 1);
        cbt_end(coroutine);
        assert_eq!(callback(0), 2);
    }
}

/// Two coroutines on stacks that were cut out of the thread's own: that the upper one runs tells that the lower one is
/// over, and if it is not, its return is found.
#[test]
#[cfg_attr(windows, ignore = "the stack of a fiber is the system's, never a part of the thread's own")]
fn a_return_through_a_dead_activation_aborts() {
    if let Some(case) = child::case() {
        return dead(&case);
    }
    for case in ["exclusive", "local"] {
        let name = if case == "exclusive" { "activations::counting`" } else { "activations::dead::{{closure}}`" };
        let ended = child::run("a_return_through_a_dead_activation_aborts", case);
        ended.assert_aborted(case, &[name, "returned that was over", "taken"]);
        assert_eq!(ended.value("second"), "2");
    }
}

#[cbframe(abi = "C")]
fn counting(#[state] calls: &mut c_int, suspend: c_int) -> c_int {
    *calls += 1;
    let result = *calls;
    if suspend != 0 {
        // SAFETY: this runs in a coroutine.
        unsafe { cbt_suspend() };
    }
    result
}

fn dead(case: &str) {
    type Counting = unsafe extern "C" fn(c_int) -> c_int;
    unsafe extern "C" fn first(callback: *mut c_void) {
        // SAFETY: it is the callback's address, and the frame lives.
        unsafe { std::mem::transmute::<*mut c_void, Counting>(callback)(1) };
    }
    unsafe extern "C" fn second(callback: *mut c_void) {
        // SAFETY: it is the callback's address, and the frame lives.
        println!("second={}", unsafe { std::mem::transmute::<*mut c_void, Counting>(callback)(0) });
    }
    let (mut calls, mut count) = (0, 0);
    let exclusive = counting::bind(&mut count).unwrap();
    let local = Frame::<Counting>::local(|suspend| {
        calls += 1;
        let result = calls;
        if suspend != 0 {
            // SAFETY: this runs in a coroutine.
            unsafe { cbt_suspend() };
        }
        result
    })
    .unwrap();
    let address = if case == "exclusive" { exclusive.as_ptr() } else { local.as_ptr() };
    let callback: *mut c_void = address.cast_mut().cast();
    let mut stack = [0_u8; 2 * STACK];
    // SAFETY: the halves of the array are stacks of their own.
    unsafe {
        let lower = cbt_coroutine(first, callback, stack.as_mut_ptr().cast(), STACK);
        let upper = cbt_coroutine(second, callback, stack.as_mut_ptr().add(STACK).cast(), STACK);
        assert_eq!(cbt_resume(lower), 0);
        assert_eq!(cbt_resume(upper), 1);
        cbt_resume(lower);
    }
    unreachable!("the call has returned");
}
