//! Activations: calls that are running and hold something that they give back when they end.
//!
//! A call may never end: `longjmp`, or a coroutine that is not resumed, leaves it behind. What such a call holds is
//! given to the next one as soon as it can be told that it is over.

use core::num::NonZeroUsize;

use crate::arch::{instruction_pointer, stack_pointer};
use crate::os;

/// A running call, by the address of its stack frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Activation(NonZeroUsize);

impl Activation {
    /// The call that this function is inlined into.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        Self(stack_pointer())
    }

    /// The address of the frame: even.
    pub(crate) const fn address(self) -> usize {
        self.0.get()
    }

    /// The activation with this [`address`](Self::address).
    pub(crate) const fn at(address: usize) -> Option<Self> {
        match NonZeroUsize::new(address) {
            Some(address) => Some(Self(address)),
            None => None,
        }
    }

    /// Whether this activation is over, as `here`, one of the calling thread that runs now, can tell.
    ///
    /// Stacks grow towards lower addresses, so what a running function has called lies below it. On the stack that the
    /// thread was started with, an activation that lies no higher than one that runs is over: its frame is gone. Of
    /// other stacks, those of coroutines, nothing is known: what lies there may be resumed.
    #[cold]
    pub(crate) fn is_over(self, here: Self) -> bool {
        here.0 >= self.0 && self.shares_stack(here)
    }

    /// The same, also for an activation further up, whose function has `code` in it: it is over if another function's
    /// frame lies where its own did.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_over_for(self, here: Self, code: Code) -> bool {
        self.shares_stack(here)
            && (here.0 >= self.0
                || frames::function_at(self.address())
                    .is_some_and(|function| Some(function) != frames::function(code.0)))
    }

    /// Whether both lie on the stack that this thread was started with.
    fn shares_stack(self, here: Self) -> bool {
        os::stack().is_some_and(|stack| stack.contains(&self.address()) && stack.contains(&here.address()))
    }
}

/// An address in a function's code.
#[derive(Clone, Copy)]
pub(crate) struct Code(pub(crate) usize);

impl Code {
    /// In the function that this is inlined into.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        Self(instruction_pointer())
    }
}

#[cfg(not(feature = "std"))]
mod frames {
    //! Nothing is known of frames without an unwinder.

    pub(super) fn function_at(_: usize) -> Option<usize> {
        None
    }

    pub(super) fn function(_: usize) -> Option<usize> {
        None
    }
}

#[cfg(feature = "std")]
mod frames {
    //! Whose stack frame lies where, by the unwinder that `std` is linked with. (Itanium C++ ABI: Exception Handling, level
    //! 1; `_Unwind_Backtrace`, `_Unwind_GetCFA` and `_Unwind_FindEnclosingFunction` are extensions that all have.)

    use core::ffi::{c_int, c_void};

    #[repr(C)]
    struct Context([u8; 0]);

    type Trace = unsafe extern "C" fn(*mut Context, *mut c_void) -> c_int;

    unsafe extern "C" {
        fn _Unwind_Backtrace(trace: Trace, argument: *mut c_void) -> c_int;
        fn _Unwind_GetCFA(context: *mut Context) -> usize;
        fn _Unwind_GetIP(context: *mut Context) -> usize;
        fn _Unwind_FindEnclosingFunction(code: *mut c_void) -> *mut c_void;
    }

    /// Where the function begins that has this address in its code.
    pub(super) fn function(code: usize) -> Option<usize> {
        // SAFETY: it looks the address up in tables.
        let function = unsafe { _Unwind_FindEnclosingFunction(core::ptr::without_provenance_mut(code)) };
        Some(function.addr()).filter(|function| *function != 0)
    }

    struct Search {
        address: usize,
        /// A return address in the outermost function so far whose frame begins at or below `address`.
        code: Option<usize>,
        /// Whether a frame above has been seen, so that this is the one.
        found: bool,
    }

    /// # Safety
    ///
    /// `search` is a [`Search`].
    unsafe extern "C" fn look(context: *mut Context, search: *mut c_void) -> c_int {
        const GO_ON: c_int = 0;
        const STOP: c_int = 5;
        // SAFETY: the caller's promise; the context is the unwinder's, of a frame that it has come to.
        let (search, lowest, code) =
            unsafe { (&mut *search.cast::<Search>(), _Unwind_GetCFA(context), _Unwind_GetIP(context)) };
        // In a trace this is the frame's own stack pointer: the canonical frame address of what it has called.
        if lowest > search.address {
            search.found = true;
            return STOP;
        }
        // The address is that of the next instruction, which may be another function's.
        search.code = Some(code.wrapping_sub(1));
        GO_ON
    }

    /// Where the running function begins that has `address`, on this thread's stack, in its frame; `None` if that is not
    /// known, as behind a function without unwind tables.
    pub(super) fn function_at(address: usize) -> Option<usize> {
        let mut search = Search { address, code: None, found: false };
        // SAFETY: `look` gets the search, which lives until this returns.
        unsafe { _Unwind_Backtrace(look, (&raw mut search).cast()) };
        search.code.filter(|_| search.found).and_then(function)
    }
}

/// Reports that a call returned after what it held had been given to another.
#[cold]
pub(crate) fn report_dead(name: &str) -> ! {
    os::die(format_args!(
        "a call of `{name}` returned that was over: `longjmp` or a switch of stacks had left it, and a later call has taken \
         its state. Calls of a callback that keeps state for one call at a time must end in the reverse order of their \
         beginning."
    ))
}

/// A call that uses a state which its frame owns. Where debug assertions are on, the frame finds out when it is dropped
/// meanwhile; elsewhere this is nothing.
pub struct Running {
    #[cfg(debug_assertions)]
    entry: Option<&'static watch::Entry>,
}

impl Running {
    /// Notes that a call uses the state at `ctx`.
    #[inline(always)]
    pub fn enter(ctx: *const ()) -> Self {
        #[cfg(not(debug_assertions))]
        let _ = ctx;
        Self {
            #[cfg(debug_assertions)]
            entry: watch::enter(ctx.addr(), Activation::here(), Code::here()),
        }
    }
}

#[cfg(debug_assertions)]
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            watch::leave(entry);
        }
    }
}

/// Reports the end of a frame that owns the state at `ctx` if a call uses that.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn check_unused(bound: &crate::pool::Bound, ctx: *const ()) {
    #[cfg(debug_assertions)]
    watch::check(bound, ctx.addr());
    #[cfg(not(debug_assertions))]
    let _ = (bound, ctx);
}

#[cfg(debug_assertions)]
mod watch {
    //! The calls that run: a table without a lock, for signal handlers too. What does not fit is not watched.

    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::{Activation, Code};
    use crate::os;
    #[cfg(feature = "alloc")]
    use crate::pool::Bound;

    /// One call.
    pub(super) struct Entry {
        /// The address of the state; 0 for none.
        ctx: AtomicUsize,
        activation: AtomicUsize,
        /// The process: of the calls that run when a process forks, the child has at most one.
        process: AtomicUsize,
        /// Where its code is.
        code: AtomicUsize,
    }

    impl Entry {
        #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for an array of statics")]
        const NONE: Self = Self {
            ctx: AtomicUsize::new(0),
            activation: AtomicUsize::new(0),
            process: AtomicUsize::new(0),
            code: AtomicUsize::new(0),
        };
    }

    static CALLS: [Entry; 256] = [const { Entry::NONE }; 256];

    pub(super) fn enter(ctx: usize, here: Activation, code: Code) -> Option<&'static Entry> {
        let is_free = |entry: &&Entry| entry.ctx.compare_exchange(0, ctx, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let entry = CALLS.iter().find(is_free)?;
        entry.process.store(os::process(), Ordering::Relaxed);
        entry.code.store(code.0, Ordering::Relaxed);
        entry.activation.store(here.address(), Ordering::Relaxed);
        Some(entry)
    }

    pub(super) fn leave(entry: &Entry) {
        entry.activation.store(0, Ordering::Relaxed);
        entry.ctx.store(0, Ordering::Relaxed);
    }

    #[cfg(feature = "alloc")]
    pub(super) fn check(bound: &Bound, ctx: usize) {
        let here = Activation::here();
        for entry in CALLS.iter().filter(|entry| entry.ctx.load(Ordering::Relaxed) == ctx) {
            let Some(running) = Activation::at(entry.activation.load(Ordering::Relaxed)) else { continue };
            let code = Code(entry.code.load(Ordering::Relaxed));
            if running.is_over_for(here, code) || entry.process.load(Ordering::Relaxed) != os::process() {
                // `longjmp` has left it, or its thread is in another process.
                leave(entry);
            } else {
                let found = bound.resolved();
                os::die(format_args!(
                    "`{}`, bound at {}, was dropped or set to something else while a call of it was running, which \
                     still uses what it owns. End the call first, or use a frame that waits for it: `Frame::guarded`, \
                     or `Frame::local` on one thread.",
                    found.name(),
                    found.bound_at()
                ));
            }
        }
    }
}
