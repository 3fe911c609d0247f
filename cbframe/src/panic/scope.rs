//! Panics that wait behind a call of C: a callback with `on_panic` leaves its panic in the scope it was called in, and the
//! scope resumes it.
//!
//! The scopes of a thread are a list beside the stack. Each is known by the address of its frame, which is compared and
//! never followed: C may have jumped over the frame (`longjmp`), or may be on another stack (`swapcontext`).
//!
//! Two addresses on the thread's own stack say which frame is inside the other: a scope that lies deeper than a frame
//! which runs has been jumped over. Of another stack nothing is known but that a frame on it is inside of the nearest one
//! above it.

use core::any::Any;
use core::cell::RefCell;
use core::mem::{self, ManuallyDrop};
use core::ops::Range;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::boxed::Box;
use std::panic::{catch_unwind, resume_unwind};
use std::vec::Vec;

use super::how_to_unwind;
use crate::arch::stack_pointer;
use crate::os;
use crate::pool::Meta;

/// How many panics wait in scopes, on all threads. Where none does, a callback need not look for its scope.
static WAITING: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    // Without a destructor, so that destructors of other thread-locals may enter scopes. The list owns no memory while
    // the thread is in no scope.
    static SCOPES: ManuallyDrop<RefCell<Scopes>> = const {
        ManuallyDrop::new(RefCell::new(Scopes { entered: Vec::new(), serial: 0, own_stack: None }))
    };
}

/// Calls `f`; a panic that a callback with `on_panic` catches meanwhile goes on from here when `f` returns.
///
/// C cannot be unwound, so a callback that panics has to return to it: `on_panic` says with which value. What C makes of
/// that value, only C knows. Inside of `resume_panics` the panic itself is not lost: it waits until C is back in `f` and
/// `f` returns, and then unwinds the Rust code around `resume_panics`, with payload and message as they were. The panic
/// hook ran when the callback panicked and does not run again.
///
/// While it waits, the callbacks with `on_panic` that C calls in the same scope do not run any more. They return their
/// value of `on_panic` at once, so that C may come to an end. Callbacks without `on_panic` run as ever.
///
/// ```
/// use std::ffi::{c_int, c_void};
/// use std::panic::catch_unwind;
///
/// use cbframe::{cbframe, resume_panics};
///
/// # unsafe extern "C" {
/// #     fn qsort(
/// #         base: *mut c_void, n: usize, size: usize,
/// #         compare: Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>,
/// #     );
/// # }
/// #[cbframe(abi = "C", on_panic = 0)]
/// fn compare(a: &f64, b: &f64) -> c_int {
///     a.partial_cmp(b).expect("no NaN") as c_int
/// }
///
/// fn sort(numbers: &mut [f64]) {
///     // SAFETY: `qsort` calls back before it returns, with the addresses of two elements.
///     resume_panics(|| unsafe {
///         qsort(numbers.as_mut_ptr().cast(), numbers.len(), 8, compare::as_fn_of())
///     });
/// }
///
/// let mut numbers = [3.0, 1.0, 2.0];
/// sort(&mut numbers);
/// assert_eq!(numbers, [1.0, 2.0, 3.0]);
///
/// let panic = catch_unwind(|| sort(&mut [3.0, f64::NAN, 2.0])).unwrap_err();
/// assert_eq!(panic.downcast_ref::<String>().unwrap(), "no NaN");
/// ```
///
/// # Which scope a callback is in
///
/// - Scopes nest. A callback is in the innermost one around it, and a scope that is entered inside of a callback is one of
///   its own: callbacks in it run even if a panic waits further out. A panic that goes on from an inner scope is an
///   ordinary panic of the callback which entered it: its `on_panic` leaves it in the outer scope, and so on.
/// - One panic waits in a scope, the first. If a callback that was running already panics as well, that panic is dropped.
/// - A scope is of the thread that entered it. A callback on another thread is in a scope of that thread, or in none. In
///   none, `on_panic` drops the panic.
/// - C may jump over a scope with `longjmp`, as far as Rust lets it jump over frames of yours. The scope counts as left as
///   soon as another one is entered or left further out on that stack, or a callback with `on_panic` that was called there
///   panics, or is called while a panic waits. Until then a callback deeper down the stack may count as in it. Its waiting
///   panic goes on from the next scope around it, and is dropped if there is none. A callback that is jumped over concerns
///   no scope.
/// - Coroutines: a callback is in the innermost scope around it on its own stack, whichever order the stacks' scopes are
///   left in. With none there, it is in the innermost scope of the thread's own stack; if other coroutines of the thread
///   are inside of scopes, it may count as in one of these, so enter one on each. A scope that is jumped over on the stack
///   of a coroutine, or whose coroutine never goes on, counts as left when another one is entered at the same address.
///   The stack of a coroutine lies outside of the thread's own, and a coroutine inside of a scope stays on its thread: to
///   leave a scope that counts as left, or on another thread, aborts the process.
///
/// # Panics
///
/// With the panic that waits, once `f` has returned and its result has been dropped. If `f` itself is unwound, by its own
/// panic or an exception of another language, that goes on and the one that waits is dropped.
///
/// Inside of a destructor that runs because of a panic, a panic that goes on does what any second panic does there: the
/// process aborts unless the destructor catches it. In a program that is built with `panic = "abort"` nothing is caught, and
/// so nothing waits.
#[inline(never)] // The frames of scopes are told apart, and ordered, by their addresses.
pub fn resume_panics<R>(f: impl FnOnce() -> R) -> R {
    let entered = Entered::new(stack_pointer().get());
    let result = f();
    if let Some(waiting) = entered.leave() {
        drop(result);
        resume_unwind(waiting.into_payload());
    }
    result
}

/// Runs the handler of a callback with `on_panic`; `None` asks for the value of that.
#[inline(always)]
pub fn catch<R>(meta: &'static Meta, handler: impl FnOnce() -> R) -> Option<R> {
    if WAITING.load(Ordering::Relaxed) != 0 && is_passed_over(stack_pointer().get()) {
        return None;
    }
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let guard = NoException(meta);
        let result = handler();
        mem::forget(guard);
        result
    }));
    match caught {
        Ok(result) => Some(result),
        Err(payload) => {
            wait(payload, stack_pointer().get());
            None
        }
    }
}

/// Aborts the process where another language's exception passes. `catch_unwind` would too, but knows no callback.
struct NoException(&'static Meta);

impl Drop for NoException {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            os::die(format_args!(
                "`{}` was left by an exception of another language, which {} does not catch, and its caller is C: use {}",
                self.0.name(),
                if self.0.is_closure() { "`or`" } else { "`on_panic`" },
                how_to_unwind(self.0)
            ));
        }
    }
}

/// Whether a panic waits in the scope of the callback whose frame is at `here`.
#[cold]
#[inline(never)]
fn is_passed_over(here: usize) -> bool {
    let found = with_scopes(|scopes| {
        let dropped = scopes.bury(here);
        (scopes.around(here).is_some_and(|scope| scope.waiting.is_some()), dropped)
    });
    found.is_some_and(|(passed_over, _)| passed_over)
}

/// Leaves the panic of the callback whose frame is at `here` in its scope, or drops it.
#[cold]
#[inline(never)]
fn wait(payload: Payload, here: usize) {
    // Not within the borrow: destructors of payloads are anybody's code.
    let mut waiting = Some(Waiting::new(payload));
    let dropped = with_scopes(|scopes| {
        let dropped = scopes.bury(here);
        if let Some(scope) = scopes.around(here) {
            scope.keep(&mut waiting);
        }
        dropped
    });
    drop(dropped);
    drop(waiting);
}

type Payload = Box<dyn Any + Send>;

/// A panic that waits to go on.
struct Waiting(ManuallyDrop<Payload>);

impl Waiting {
    fn new(payload: Payload) -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self(ManuallyDrop::new(payload))
    }

    fn into_payload(self) -> Payload {
        let mut this = ManuallyDrop::new(self);
        WAITING.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: `this` is not used again, nor dropped.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl Drop for Waiting {
    /// The destructor of a payload may panic, with C or a panic around it; and so may that of the second payload.
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: the field is not used again.
        let payload = unsafe { ManuallyDrop::take(&mut self.0) };
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(second);
        }
    }
}

/// A scope until it is left. `None` for one that nobody knows.
struct Entered(Option<Key>);

impl Entered {
    #[inline(never)] // The thread that leaves need not be the one that enters: the compiler must ask anew for its list.
    fn new(frame: usize) -> Self {
        let (key, dropped) = with_scopes(|scopes| scopes.enter(frame)).unzip();
        drop(dropped);
        Self(key)
    }

    /// Leaves it, with the panic that waits.
    fn leave(self) -> Option<Waiting> {
        ManuallyDrop::new(self).end()
    }

    #[inline(never)]
    fn end(&self) -> Option<Waiting> {
        let key = self.0?;
        let (scope, dropped) = with_scopes(|scopes| scopes.leave(key))?;
        drop(dropped);
        match scope {
            Some(scope) => scope.waiting,
            None => os::die(format_args!(
                "a scope of `resume_panics` was left that was over: `longjmp` or a switch of stacks had left it before, or \
                 its coroutine has changed threads"
            )),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.end());
    }
}

/// The scopes of this thread; `None` in a signal handler that interrupted their use.
fn with_scopes<R>(f: impl FnOnce(&mut Scopes) -> R) -> Option<R> {
    SCOPES.with(|scopes| scopes.try_borrow_mut().ok().map(|mut scopes| f(&mut scopes)))
}

/// What this thread has entered and not left, in that order.
struct Scopes {
    entered: Vec<Scope>,
    /// Of the last one.
    serial: u64,
    /// The addresses of the thread's own stack, once they were asked for.
    own_stack: Option<Range<usize>>,
}

struct Scope {
    key: Key,
    waiting: Option<Waiting>,
}

/// Which scope of the thread is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    /// The address of its frame, where no other scope of the list is.
    frame: usize,
    /// Tells it from others that were there before.
    serial: u64,
}

impl Scope {
    /// Takes the panic unless one waits already.
    fn keep(&mut self, waiting: &mut Option<Waiting>) {
        if self.waiting.is_none() {
            self.waiting = waiting.take();
        }
    }
}

impl Scopes {
    /// Enters a scope. The panics that are returned are to be dropped, as with all of these.
    fn enter(&mut self, frame: usize) -> (Key, Vec<Waiting>) {
        // The usual case is that it lies inside of all others.
        let dropped = if self.entered.iter().all(|scope| frame < scope.key.frame) {
            Vec::new()
        } else {
            let mut dropped = self.bury(frame + 1);
            // On another stack, a scope whose place this one has now was left all the same.
            let replaced = self.remove(|key| key.frame == frame);
            dropped.extend(replaced.and_then(|scope| scope.waiting));
            dropped
        };
        self.serial += 1;
        let key = Key { frame, serial: self.serial };
        self.entered.push(Scope { key, waiting: None });
        (key, dropped)
    }

    /// Leaves a scope; `None` if that was left before.
    fn leave(&mut self, key: Key) -> (Option<Scope>, Vec<Waiting>) {
        let is_last = self.entered.last().is_some_and(|last| last.key == key);
        let dropped = if is_last { Vec::new() } else { self.bury(key.frame) };
        let scope = self.remove(|other| other == key);
        if self.entered.is_empty() {
            self.entered = Vec::new();
        }
        (scope, dropped)
    }

    fn remove(&mut self, is_it: impl Fn(Key) -> bool) -> Option<Scope> {
        let index = self.entered.iter().rposition(|scope| is_it(scope.key))?;
        Some(self.entered.remove(index))
    }

    /// Removes those that lie deeper than `here`, which runs: they were jumped over.
    fn bury(&mut self, here: usize) -> Vec<Waiting> {
        let is_own = self.own_stack();
        if !is_own(here) {
            return Vec::new();
        }
        let is_dead = |scope: &mut Scope| is_own(scope.key.frame) && scope.key.frame < here;
        let dead: Vec<_> = self.entered.extract_if(.., is_dead).collect();
        let mut waiting = dead.into_iter().filter_map(|scope| scope.waiting);
        if let Some(scope) = self.around(here)
            && scope.waiting.is_none()
        {
            scope.waiting = waiting.next();
        }
        waiting.collect()
    }

    /// The innermost scope around `here`.
    fn around(&mut self, here: usize) -> Option<&mut Scope> {
        let is_own = self.own_stack();
        let above = self.entered.iter().map(|scope| scope.key.frame).enumerate();
        let above = above.filter(|(_, frame)| is_own(*frame) == is_own(here) && *frame >= here);
        let nearest = above.min_by_key(|(_, frame)| *frame).map(|(index, _)| index);
        // A coroutine without a scope was most likely resumed in the last one that was entered on the thread's own stack. On
        // that stack itself, where the deeper ones are buried, there is none then.
        let last = || self.entered.iter().rposition(|scope| is_own(scope.key.frame));
        let index = nearest.or_else(last)?;
        Some(&mut self.entered[index])
    }

    /// Whether an address is on the thread's own stack, as far as is known: where a coroutine runs and only its stack is,
    /// all others count as the thread's.
    fn own_stack(&mut self) -> impl Fn(usize) -> bool + use<> {
        let known = self.own_stack.clone();
        let is_known = known.is_some() || os::stack_is_own();
        let stack = known.unwrap_or_else(|| os::stack().unwrap_or(0..0));
        if is_known {
            self.own_stack = Some(stack.clone());
        }
        move |address| stack.contains(&address) == is_known
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
