//! Closures that may be exchanged and freed while calls run.
//!
//! A slot's two words are loaded one after the other, so they never change once such a closure has been bound: the entry
//! is one for the signature, whatever the closure, and ctx is a [`Control`], which is never freed. It has one pointer, to
//! a [`Target`]: the closure, or what answers calls when there is none. Exchanging that is one store; what was there is
//! dropped when no call uses it any more (`hazard`). A slot whose frame is gone rests until the next frame of the same
//! signature.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Handler;
use super::bind::Site;
use super::calls::{Concurrently, SharedState};
use super::fallback::Fallback;
use super::hazard::{Retired, retire, using};
use crate::frame::Frame;
use crate::pool::{Bound, Ending, Freed, Meta, Owned, PoolFull};

/// The callback of a frame is a closure that may be exchanged and freed while calls of it run: see
/// [`Frame::guarded`](crate::Frame::guarded).
pub struct Guarded(());

/// The handler: ctx is the address of a [`Control`] whose target has this signature. `FULL`, if calls need barriers of
/// their own (`hazard`).
pub(super) struct Guardedly<P, R, const FULL: bool>(PhantomData<fn(P) -> R>);

/// What a slot leads to. Never freed. `H` is what the entry looks at, if it does.
#[repr(C)]
pub(crate) struct Control<H> {
    head: H,
    /// A `Target` of the signature.
    target: AtomicPtr<()>,
    /// The `Target` that answers when the frame is gone; it belongs to the frame.
    afterwards: AtomicPtr<()>,
    /// Where it rests between two frames.
    key: Key,
}

/// The entry and the pool, and what stands for the signature if the entry does not.
type Key = (usize, usize, usize);

/// A slot whose frame is gone, with its `Control`: of the same type for each key.
struct Rested(Bound, NonNull<()>);

// SAFETY: a control is never freed, and what it has is shared by threads anyway: `bind` demands that it can be.
unsafe impl Send for Rested {}

/// Slots whose frames are gone.
static RESTING: Mutex<BTreeMap<Key, Vec<Rested>>> = Mutex::new(BTreeMap::new());

fn resting() -> MutexGuard<'static, BTreeMap<Key, Vec<Rested>>> {
    RESTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What answers calls: the first field of a [`Live`] or an [`Afterwards`].
struct Target<P, R> {
    call: unsafe fn(*const Self, P, bool) -> R,
    drop: unsafe fn(*mut ()),
}

#[repr(C)]
struct Live<P, R, F, V> {
    target: Target<P, R>,
    state: SharedState<F, V>,
    meta: &'static Meta,
}

#[repr(C)]
struct Afterwards<P, R, V> {
    target: Target<P, R>,
    bound: Bound,
    fallback: V,
}

/// # Safety
///
/// The address is from `Box::into_raw` of this type, and is not used again.
unsafe fn drop_boxed<T>(boxed: *mut ()) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(boxed.cast::<T>()) });
}

impl<P, R, F, V> Live<P, R, F, V>
where
    Concurrently<F, V>: Handler<P, R>,
{
    fn boxed(closure: F, fallback: V, meta: &'static Meta) -> *mut () {
        let target = Target { call: Self::call, drop: drop_boxed::<Self> };
        Box::into_raw(Box::new(Self { target, state: SharedState { closure, fallback }, meta })).cast()
    }

    /// # Safety
    ///
    /// `this` is the target of such a closure, which lives until this returns.
    unsafe fn call(this: *const Target<P, R>, arguments: P, unwind: bool) -> R {
        let this = this.cast::<Self>();
        // SAFETY: the caller's promise; `Concurrently` expects the address of a `SharedState`.
        unsafe { Concurrently::<F, V>::handle((&raw const (*this).state).cast(), arguments, (*this).meta, unwind) }
    }
}

impl<P, R, V: Fallback<R>> Afterwards<P, R, V> {
    fn boxed(bound: Bound, fallback: V) -> *mut () {
        let target = Target { call: Self::call, drop: drop_boxed::<Self> };
        Box::into_raw(Box::new(Self { target, bound, fallback })).cast()
    }

    /// # Safety
    ///
    /// `this` is such a target, which lives until this returns.
    unsafe fn call(this: *const Target<P, R>, _: P, _: bool) -> R {
        let this = this.cast::<Self>();
        // SAFETY: the caller's promise.
        unsafe { (*this).fallback.when_freed(&(*this).bound) }
    }
}

impl<P, R, const FULL: bool> Handler<P, R> for Guardedly<P, R, FULL> {
    fn name() -> &'static str {
        "a guarded closure"
    }

    #[inline(always)]
    unsafe fn handle(ctx: *const (), arguments: P, _: &'static Meta, unwind: bool) -> R {
        // SAFETY: ctx is a control, which is never freed; the caller's promise.
        unsafe { (*ctx.cast::<Control<()>>()).answer::<P, R, FULL>(arguments, unwind) }
    }
}

impl<H> Control<H> {
    pub(crate) const fn head(&self) -> &H {
        &self.head
    }

    /// Answers a call. `FULL`, if it needs barriers of its own.
    ///
    /// # Safety
    ///
    /// The target has this signature.
    #[inline(always)]
    pub(crate) unsafe fn answer<P, R, const FULL: bool>(&'static self, arguments: P, unwind: bool) -> R {
        let call = |target: *mut ()| {
            let target = target.cast_const().cast::<Target<P, R>>();
            // SAFETY: what is in the control is a target of this signature, and is not dropped while it is used.
            unsafe { ((*target).call)(target, arguments, unwind) }
        };
        // SAFETY: a target stops what unwinds unless `unwind`: `Fallback::run`. Who binds knows whether barriers are needed.
        unsafe { using::<_, FULL>(&self.target, "a guarded closure", unwind, call) }
    }

    /// Has calls that begin from now on answered by another target, and drops the one there was when the last call that
    /// uses it has ended.
    ///
    /// # Safety
    ///
    /// Both are boxed targets of the signature; those of closures that are `Send`.
    unsafe fn exchange<P, R>(&self, target: *mut ()) {
        let old = self.target.swap(target, Ordering::AcqRel);
        // SAFETY: it was a target of this signature, and is not in its site any more; the caller's promise.
        unsafe { retire(Retired { what: old, drop: (*old.cast::<Target<P, R>>()).drop }) };
    }
}

/// What is bound, but for the closure.
pub(crate) struct Guard<H, V, A> {
    /// What the entry looks at.
    pub(crate) head: H,
    /// What stands for the signature if the entry does not; otherwise 0.
    pub(crate) signature: usize,
    /// What C gets if the closure cannot be run.
    pub(crate) fallback: V,
    /// What it gets when the frame is gone.
    pub(crate) afterwards: A,
}

/// Binds a closure that may be exchanged and freed while calls run.
///
/// # Safety
///
/// The entry is one for the pointer type `Q`, and runs [`Control::answer`] with `P` and `R` of the control that ctx leads to. No
/// other signature has it and `guard.signature`.
pub(crate) unsafe fn bind<Q, P, R, F, H, V, A>(
    site: Site,
    closure: F,
    guard: Guard<H, V, A>,
) -> Result<Frame<'static, Q, Guarded>, PoolFull<F>>
where
    F: Send + Sync + 'static,
    H: Send + Sync + 'static,
    V: Send + Sync + 'static,
    A: Fallback<R> + Send + Sync + 'static,
    Concurrently<F, V>: Handler<P, R>,
{
    let Guard { head, signature, fallback, afterwards } = guard;
    let key = (site.entry.address(), ptr::from_ref(site.pool).addr(), signature);
    let meta = site.meta;
    let rested = resting().get_mut(&key).and_then(Vec::pop);
    let (bound, control) = match rested {
        Some(Rested(bound, control)) => {
            // SAFETY: a control is never freed; those of one key are of one type, which is that of the frame's kind.
            let control: &'static Control<H> = unsafe { control.cast().as_ref() };
            let owned = control.owned::<P, R>();
            control.afterwards.store(Afterwards::<P, R, A>::boxed(bound, afterwards), Ordering::Relaxed);
            // SAFETY: the slot's words stay the same: this key's entry, and the control.
            unsafe { bound.rebind(site.binding(owned)) };
            // SAFETY: what answered for the last frame is such a target too.
            unsafe { control.exchange::<P, R>(Live::<P, R, F, V>::boxed(closure, fallback, meta)) };
            (bound, control)
        }
        None => {
            let Some(taken) = site.pool.take() else { return Err(PoolFull::new(site.pool, closure)) };
            let control: &'static Control<H> = Box::leak(Box::new(Control {
                head,
                target: AtomicPtr::new(Live::<P, R, F, V>::boxed(closure, fallback, meta)),
                afterwards: AtomicPtr::new(ptr::null_mut()),
                key,
            }));
            let bound = taken.bind(site.binding(control.owned::<P, R>()));
            control.afterwards.store(Afterwards::<P, R, A>::boxed(bound, afterwards), Ordering::Relaxed);
            (bound, control)
        }
    };
    // SAFETY: the caller's promise; the closure is `Send`, and owned until it is dropped.
    Ok(unsafe { Frame::of(bound, control.owned::<P, R>()) })
}

/// Exchanges the closure of a frame.
///
/// # Safety
///
/// `frame` is from [`bind`] with this signature and head; `site` is for the same entry.
pub(crate) unsafe fn set<Q, C, P, R, F, H, V>(frame: &Frame<'static, Q, C>, site: Site, closure: F, fallback: V)
where
    F: Send + Sync + 'static,
    H: 'static,
    V: Send + Sync + 'static,
    Concurrently<F, V>: Handler<P, R>,
{
    let (bound, owned) = frame.parts();
    // SAFETY: a control is never freed.
    let control: &'static Control<H> = unsafe { owned.state.cast().as_ref() };
    let target = Live::<P, R, F, V>::boxed(closure, fallback, site.meta);
    // SAFETY: the slot's words stay the same; the caller's promise.
    unsafe {
        bound.rebind(site.binding(control.owned::<P, R>()));
        control.exchange::<P, R>(target);
    }
}

impl<H: 'static> Control<H> {
    fn owned<P, R>(&'static self) -> Owned {
        Owned { state: NonNull::from(self).cast(), release: Some(release::<P, R, H>) }
    }
}

/// Ends a frame: its slot rests.
///
/// # Safety
///
/// `bound` and `state` are those of a frame from [`bind`] with this signature and head, which is not used again.
unsafe fn release<P, R, H: 'static>(bound: &Bound, state: NonNull<()>, ending: Ending) {
    // SAFETY: a control is never freed.
    let control: &'static Control<H> = unsafe { state.cast().as_ref() };
    let Ending::Free(by) = ending else { return };
    end::<P, R, H>(bound, control, by);
}

fn end<P, R, H>(bound: &Bound, control: &'static Control<H>, by: Freed) {
    bound.rest(by);
    let afterwards = control.afterwards.swap(ptr::null_mut(), Ordering::Relaxed);
    // SAFETY: both are targets of this signature; closures that are bound are `Send`.
    unsafe { control.exchange::<P, R>(afterwards) };
    resting().entry(control.key).or_default().push(Rested(*bound, NonNull::from(control).cast()));
}
