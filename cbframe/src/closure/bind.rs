//! How closures are bound, for [`Builder`](super::Builder) and for what `frame!` writes.

use alloc::boxed::Box;
use core::panic::Location;

use super::calls::SharedState;
use super::{Enter, Handler, Local, Once, local, once};
#[cfg(feature = "std")]
use super::{guarded, hazard};
use crate::frame::{Frame, boxed};
use crate::pool::{Binding, Bound, Entry, Meta, Owned, Pool, PoolFull};
use crate::signature::ClosurePointer;

/// Where a closure is to be bound, and as what.
pub struct Site {
    /// What gives the slot.
    pub pool: &'static Pool,
    /// Where the stub goes.
    pub entry: Entry,
    /// What is told of the callback.
    pub meta: &'static Meta,
    /// Where it is bound.
    pub at: &'static Location<'static>,
}

impl Site {
    /// For a handler of the signature of `P`.
    #[track_caller]
    pub(super) fn of<P: ClosurePointer, H: Handler<P::Parameters, P::Result>>(pool: &'static Pool) -> Self {
        let entry = <P::Parameters as Enter<P::Convention, P::Result>>::entry::<H>();
        let meta = <P::Parameters as Enter<P::Convention, P::Result>>::meta::<H>();
        Self { pool, entry, meta, at: Location::caller() }
    }

    /// For [`guarded`]: the entry is the signature's, what is told is the handler's.
    #[cfg(feature = "std")]
    #[track_caller]
    pub(super) fn guarded<P: ClosurePointer, H: Handler<P::Parameters, P::Result>>(pool: &'static Pool) -> Self {
        type Guarding<P, const FULL: bool> =
            guarded::Guardedly<<P as ClosurePointer>::Parameters, <P as ClosurePointer>::Result, FULL>;
        let entry = if hazard::calls_need_barriers() {
            <P::Parameters as Enter<P::Convention, P::Result>>::entry::<Guarding<P, true>>()
        } else {
            <P::Parameters as Enter<P::Convention, P::Result>>::entry::<Guarding<P, false>>()
        };
        let meta = <P::Parameters as Enter<P::Convention, P::Result>>::meta::<H>();
        Self { pool, entry, meta, at: Location::caller() }
    }

    pub(super) fn binding(self, owned: Owned) -> Binding {
        Binding { entry: self.entry, meta: self.meta, at: self.at, owned, exclusive: false }
    }

    fn bind<F>(self, closure: F, own: impl FnOnce(F) -> Owned) -> Result<(Bound, Owned), PoolFull<F>> {
        let Some(taken) = self.pool.take() else { return Err(PoolFull::new(self.pool, closure)) };
        let owned = own(closure);
        Ok((taken.bind(self.binding(owned)), owned))
    }
}

/// Binds a closure that any thread may call.
///
/// # Safety
///
/// The entry is one for the pointer type `P` and the handler `Concurrently<F, V>`; `C` promises no more than that the closure
/// is `Send`.
#[inline]
pub unsafe fn bind_shared<'a, P, C, F, V>(site: Site, closure: F, fallback: V) -> Result<Frame<'a, P, C>, PoolFull<F>>
where
    F: Send + Sync + 'a,
    V: 'a,
{
    let (bound, owned) = site.bind(closure, |closure| boxed(Box::new(SharedState { closure, fallback })))?;
    // SAFETY: the caller's promise.
    Ok(unsafe { Frame::of(bound, owned) })
}

/// Makes a frame call another closure that any thread may call.
///
/// # Safety
///
/// As for [`bind_shared`], and no call of the pointer runs, or begins meanwhile.
pub(crate) unsafe fn rebind_shared<'a, P, C, F, V>(frame: &mut Frame<'a, P, C>, site: Site, closure: F, fallback: V)
where
    F: Send + Sync + 'a,
    V: 'a,
{
    let owned = boxed(Box::new(SharedState { closure, fallback }));
    // SAFETY: the caller's promise.
    unsafe { frame.rebind(site.binding(owned)) };
}

/// Binds a closure that belongs to this thread.
///
/// # Safety
///
/// The entry is one for the pointer type `P` and the handler `Locally<F, V>`.
#[inline]
pub unsafe fn bind_local<'a, P, F, V>(site: Site, closure: F, fallback: V) -> Result<Frame<'a, P, Local>, PoolFull<F>>
where
    F: 'a,
    V: 'a,
{
    let (bound, owned) = site.bind(closure, |closure| local::own(closure, fallback))?;
    // SAFETY: the caller's promise; `Local` is not `Send`.
    Ok(unsafe { Frame::of(bound, owned) })
}

/// Binds a closure that is called once.
///
/// # Safety
///
/// The entry is one for the pointer type `P` and the handler `AtOnce<F, V>`.
#[inline]
pub unsafe fn bind_once<'a, P, F, V>(site: Site, closure: F, fallback: V) -> Result<Frame<'a, P, Once>, PoolFull<F>>
where
    F: Send + 'a,
    V: 'a,
{
    let (bound, owned) = site.bind(closure, |closure| once::own(closure, fallback))?;
    // SAFETY: the caller's promise; nobody has been given the address.
    Ok(unsafe {
        once::tell::<F, V>(owned, bound);
        Frame::of(bound, owned)
    })
}
