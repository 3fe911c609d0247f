//! What goes back to C when a closure cannot be run, or does not return.

#![cfg_attr(feature = "std", expect(private_interfaces, reason = "only this crate implements and calls `Fallback`"))]

use core::fmt;

use crate::os::{self, Thread};
#[cfg(feature = "std")]
use crate::panic;
use crate::panic::NoUnwind;
#[cfg(feature = "std")]
use crate::pool::Bound;
use crate::pool::Meta;

/// Why a closure was not run.
pub enum Refused {
    /// Another thread than its own called it.
    Thread {
        /// The thread that may.
        own: ThreadName,
        /// The one that did.
        caller: ThreadName,
    },
    /// A call of it is still running on this thread.
    Reentered,
}

/// A thread in a message.
pub struct ThreadName(pub(super) Thread);

impl fmt::Display for ThreadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread { own, caller } => write!(
                f,
                "was called by {caller}, but is a local closure of {own}. Bind it with `new` instead, which takes \
                 closures for any thread"
            ),
            Self::Reentered => f.write_str(
                "was called while another call of it was still running: it is an `FnMut`, so calls may not nest. Bind \
                 an `Fn` with `new`, or a second closure",
            ),
        }
    }
}

/// What a callback returns if its closure cannot be run or panics: [`Abort`], or a [`FallbackValue`].
pub trait Fallback<R> {
    #[doc(hidden)]
    fn refuse(&self, meta: &'static Meta, why: Refused) -> R;

    /// The answer to a call that begins when the frame is gone.
    #[cfg(feature = "std")]
    #[doc(hidden)]
    fn when_freed(&self, bound: &Bound) -> R;

    #[doc(hidden)]
    fn run(&self, meta: &'static Meta, unwind: bool, closure: impl FnOnce() -> R) -> R;
}

/// Nothing: the process is aborted, with a message.
#[derive(Clone, Copy)]
pub struct Abort;

impl<R> Fallback<R> for Abort {
    #[cold]
    fn refuse(&self, meta: &'static Meta, why: Refused) -> R {
        os::die(format_args!("`{}` {why}.", meta.name()))
    }

    #[cfg(feature = "std")]
    #[cold]
    fn when_freed(&self, bound: &Bound) -> R {
        bound.report_stale()
    }

    #[inline(always)]
    fn run(&self, meta: &'static Meta, unwind: bool, closure: impl FnOnce() -> R) -> R {
        // One call of the closure, which is compiled into it then.
        let guard = NoUnwind::callback_unless(unwind, meta);
        let result = closure();
        guard.disarm();
        result
    }
}

/// This value.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
pub struct FallbackValue<R>(pub(super) R);

/// A fallback value that other threads may be given.
#[cfg(feature = "std")]
pub const fn value<R: Copy + Send + Sync>(value: R) -> FallbackValue<R> {
    FallbackValue(value)
}

#[cfg(feature = "std")]
impl<R: Copy> Fallback<R> for FallbackValue<R> {
    #[cold]
    fn refuse(&self, meta: &'static Meta, why: Refused) -> R {
        os::report(format_args!("`{}` {why}. It returned its fallback value.", meta.name()));
        self.0
    }

    fn when_freed(&self, _: &Bound) -> R {
        self.0
    }

    #[inline(always)]
    fn run(&self, meta: &'static Meta, _: bool, closure: impl FnOnce() -> R) -> R {
        panic::catch(meta, closure).unwrap_or(self.0)
    }
}
