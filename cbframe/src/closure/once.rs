//! Closures that are called once. The call frees the slot, then runs the closure.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::os;
use crate::pool::{Bound, Ending, Freed, Meta, Owned};

/// The handler: ctx is the address of an [`OnceState`].
pub struct AtOnce<F, V>(PhantomData<(F, V)>);

/// The closure and its slot. The frame and the call both use it; whoever ends later drops it.
#[repr(C)]
struct OnceState<F, V> {
    inside: UnsafeCell<MaybeUninit<Inside<F, V>>>,
    /// What has happened: a sum of [`CALLED`], [`TAKEN`] and [`LEFT`].
    happened: AtomicU8,
    /// The slot, which the call frees.
    bound: UnsafeCell<Option<Bound>>,
}

/// What a call takes out. The closure is first: see `Dyn`.
#[repr(C)]
pub(super) struct Inside<F, V> {
    pub(super) closure: F,
    pub(super) fallback: V,
}

/// A call has begun.
const CALLED: u8 = 1;
/// It has taken what is inside, and does not use the state any more.
const TAKEN: u8 = 2;
/// The frame does not use the state any more.
const LEFT: u8 = 4;

pub(super) fn own<F, V>(closure: F, fallback: V) -> Owned {
    let state = OnceState {
        happened: AtomicU8::new(0),
        bound: UnsafeCell::new(None),
        inside: UnsafeCell::new(MaybeUninit::new(Inside { closure, fallback })),
    };
    Owned { state: NonNull::from(Box::leak(Box::new(state))).cast(), release: Some(release::<F, V>) }
}

/// Says which slot it is.
///
/// # Safety
///
/// `owned` is from [`own`] with these types, is bound to this slot, and has not been called.
pub(super) unsafe fn tell<F, V>(owned: Owned, bound: Bound) {
    // SAFETY: the caller's promise; nobody else uses the field before the call.
    unsafe { *owned.state.cast::<OnceState<F, V>>().as_ref().bound.get() = Some(bound) };
}

/// Takes what is inside, for the one call, and frees the slot.
///
/// # Safety
///
/// `ctx` is that of a slot which is bound to what [`own`] gave for these types.
#[inline(always)]
pub(super) unsafe fn take<F, V>(ctx: *const (), meta: &'static Meta) -> Inside<F, V> {
    let state = ctx.cast::<OnceState<F, V>>();
    // SAFETY: the state lives while the slot is bound, and after that until both the frame and this call have left it.
    unsafe {
        if (*state).happened.fetch_or(CALLED, Ordering::Acquire) & CALLED != 0 {
            report_again(meta);
        }
        let inside = (*state).inside.get().read().assume_init();
        if let Some(bound) = &*(*state).bound.get() {
            bound.free(Freed::Called);
        }
        if (*state).happened.fetch_or(TAKEN, Ordering::AcqRel) & LEFT != 0 {
            drop(Box::from_raw(state.cast_mut()));
        }
        inside
    }
}

#[cold]
fn report_again(meta: &'static Meta) -> ! {
    os::die(format_args!("`{}`, which may be called once, was called by two threads at once.", meta.name()))
}

/// Gives up the frame's part.
///
/// # Safety
///
/// `state` is from [`own`] with these types, bound to `bound`, and the frame does not use it any more.
unsafe fn release<F, V>(bound: &Bound, state: NonNull<()>, ending: Ending) {
    let state = state.cast::<OnceState<F, V>>().as_ptr();
    // SAFETY: the caller's promise: the frame's part has kept the state alive. What has not been taken when the frame
    // ends is not taken any more: no call begins at that moment, by the contract of the pointer.
    unsafe {
        let happened = (*state).happened.fetch_or(LEFT, Ordering::AcqRel);
        match ending {
            Ending::Free(by) if happened & CALLED == 0 => {
                bound.free(by);
                (*(*state).inside.get()).assume_init_drop();
                drop(Box::from_raw(state));
            }
            _ if happened & TAKEN != 0 => drop(Box::from_raw(state)),
            // The call does it.
            _ => {}
        }
    }
}
