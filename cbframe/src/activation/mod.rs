//! Activations: calls that are running and hold something that they give back when they end.
//!
//! A call may never end: `longjmp`, or a coroutine that is not resumed, leaves it behind. What such a call holds is
//! given to the next one as soon as it can be told that it is over.

#[cfg(debug_assertions)]
mod watch;

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

    /// Whether this activation of a function, which has `code` in it, is over, as `here`, one of the same function that
    /// runs now, can tell: also if another function's frame lies where its own did.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_over_for(self, here: Self, code: Code) -> bool {
        // What is concluded from frames has to hold for the one that is known.
        self.is_over(here)
            || (here.is_of(code) == Some(true) && self.shares_stack(here) && self.is_of(code) == Some(false))
    }

    /// Whether the stack frame at this address, of this thread, is one of the function that has `code` in it; `None` if
    /// that is not known.
    fn is_of(self, code: Code) -> Option<bool> {
        #[cfg(feature = "std")]
        return Some(os::function_at(self.address())? == os::function_of(code.0)?);
        // Nothing is known without an unwinder.
        #[cfg(not(feature = "std"))]
        {
            let _ = code.0;
            None
        }
    }

    /// Whether both lie on the stack that this thread was started with.
    fn shares_stack(self, here: Self) -> bool {
        os::stack().is_some_and(|stack| stack.contains(&self.address()) && stack.contains(&here.address()))
    }
}

/// An address in a function's code.
#[derive(Clone, Copy)]
pub(crate) struct Code(usize);

impl Code {
    /// In the function that this is inlined into.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        Self(instruction_pointer())
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
