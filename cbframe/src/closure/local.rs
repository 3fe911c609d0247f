//! Closures that belong to one thread, and run one call at a time.

use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::fallback::{Refused, ThreadName};
use crate::activation::{self, Activation, Code};
use crate::os::Thread;
use crate::pool::{Bound, Ending, Meta, Owned};

/// The handler: ctx is the address of a [`LocalState`].
pub struct Locally<F, V>(PhantomData<(F, V)>);

/// The closure, whose it is, and who runs it. Other threads use nothing but `thread` and `fallback`.
#[repr(C)]
pub(super) struct LocalState<F, V> {
    /// First: see `Dyn`.
    closure: UnsafeCell<F>,
    thread: Thread,
    /// The call that runs.
    active: Cell<Option<Activation>>,
    /// Whether the call that runs is to drop this.
    orphan: Cell<bool>,
    pub(super) fallback: V,
}

pub(super) fn own<F, V>(closure: F, fallback: V) -> Owned {
    let state = LocalState {
        thread: Thread::current(),
        active: Cell::new(None),
        orphan: Cell::new(false),
        closure: UnsafeCell::new(closure),
        fallback,
    };
    Owned { state: NonNull::from(Box::leak(Box::new(state))).cast(), release: Some(release::<F, V>) }
}

impl<F, V> LocalState<F, V> {
    /// Takes the closure for a call.
    #[inline(always)]
    pub(super) fn enter(&self, meta: &'static Meta) -> Result<Entered<'_, F, V>, Refused> {
        let caller = Thread::current();
        if caller != self.thread {
            return Err(Refused::Thread { own: ThreadName(self.thread), caller: ThreadName(caller) });
        }
        let activation = Activation::here();
        if let Some(other) = self.active.get()
            && !other.is_over_for(activation, Code::here())
        {
            return Err(Refused::Reentered);
        }
        self.active.set(Some(activation));
        Ok(Entered { state: self, activation, meta })
    }
}

/// Frees the slot, and drops the closure now or, if it is running, when its call ends.
///
/// # Safety
///
/// `state` is a boxed `LocalState<F, V>` of this thread, which no later call uses.
unsafe fn release<F, V>(bound: &Bound, state: NonNull<()>, ending: Ending) {
    let state = state.cast::<LocalState<F, V>>();
    // SAFETY: the caller's promise; the slot goes first, so that a stale call finds no dropped state.
    unsafe {
        match ending {
            Ending::Free(by) => bound.free(by),
            Ending::Replace => {}
            Ending::Leak => return,
        }
        let here = Activation::here();
        if state.as_ref().active.get().is_some_and(|running| !running.is_over(here)) {
            state.as_ref().orphan.set(true);
        } else {
            drop(Box::from_raw(state.as_ptr()));
        }
    }
}

/// A call that has the closure.
pub(super) struct Entered<'a, F, V> {
    state: &'a LocalState<F, V>,
    activation: Activation,
    meta: &'static Meta,
}

impl<F, V> Entered<'_, F, V> {
    #[inline(always)]
    pub(super) fn closure(&self) -> *mut F {
        self.state.closure.get()
    }

    #[inline(always)]
    pub(super) fn fallback(&self) -> &V {
        &self.state.fallback
    }
}

impl<F, V> Drop for Entered<'_, F, V> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.state.active.get() != Some(self.activation) {
            activation::report_dead(self.meta.name());
        }
        self.state.active.set(None);
        if self.state.orphan.get() {
            let state: *const LocalState<F, V> = self.state;
            // SAFETY: the frame has left the state, which it had boxed, to this call; no other one is running.
            drop(unsafe { Box::from_raw(state.cast_mut()) });
        }
    }
}
