//! Activations: calls that are running and hold something that they give back when they end.
//!
//! A call may never end: `longjmp`, or a coroutine that is not resumed, leaves it behind. What such a call holds is
//! given to the next one as soon as it can be told that it is over.

use core::num::NonZeroUsize;

use crate::arch::stack_pointer;
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
        here.0 >= self.0
            && os::stack().is_some_and(|stack| stack.contains(&self.address()) && stack.contains(&here.address()))
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
            entry: watch::enter(ctx.addr(), Activation::here()),
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

    use super::Activation;
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
    }

    impl Entry {
        #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for an array of statics")]
        const NONE: Self =
            Self { ctx: AtomicUsize::new(0), activation: AtomicUsize::new(0), process: AtomicUsize::new(0) };
    }

    static CALLS: [Entry; 256] = [const { Entry::NONE }; 256];

    pub(super) fn enter(ctx: usize, here: Activation) -> Option<&'static Entry> {
        let is_free = |entry: &&Entry| entry.ctx.compare_exchange(0, ctx, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let entry = CALLS.iter().find(is_free)?;
        entry.process.store(os::process(), Ordering::Relaxed);
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
            if running.is_over(here) || entry.process.load(Ordering::Relaxed) != os::process() {
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
