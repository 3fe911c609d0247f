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
        let is_left = running.is_over(here) || running.shares_stack(here) && running.is_of(code) == Some(false);
        if is_left || entry.process.load(Ordering::Relaxed) != os::process() {
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
