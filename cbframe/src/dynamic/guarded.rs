//! Callbacks whose signature is known at run time only, and whose closure may be exchanged and freed while calls run.
//!
//! What a slot leads to (`closure/guarded.rs`) is the same for all closures of a frame, and begins with a head, as the entry wants
//! it. What answers a call there is given the state, and does all that there is to do.

use alloc::sync::Arc;
use core::any::type_name;
use core::ptr::{self, NonNull};

use super::call::{Answer, Call};
use super::frame::{Dyn, DynBuilder, DynFrame, Lives, run_prepared};
use super::prepared::Prepared;
use crate::abi::{Signature, SignatureCache};
use crate::arch::{CpuState, DynamicHead, Seen};
use crate::closure::{
    Abort, Concurrently, Control, Fallback, Guard, Guarded, Handler, Refused, bind_guarded, calls_need_barriers,
    set_guarded,
};
use crate::pool::{Bound, Meta, PoolFull};

/// What the control of such a frame begins with.
#[repr(C)]
struct Head {
    /// For the entry.
    head: DynamicHead,
    signature: Signature,
    seen: Seen,
}

/// The argument: the state of the CPU.
#[derive(Clone, Copy)]
pub(super) struct Cpu(*mut CpuState);

/// How a call has ended.
pub(super) enum Ended {
    /// The result is in its place.
    Returned,
    /// The frame was gone, and this says what C gets.
    Freed(Arc<Prepared>),
}

impl<F: Fn(&mut Call<'_>), V: Fallback<Answer>> Handler<Cpu, Ended> for Concurrently<Dyn<F>, V> {
    fn name() -> &'static str {
        type_name::<F>()
    }

    #[inline(always)]
    unsafe fn handle(ctx: *const (), Cpu(cpu): Cpu, _: &'static Meta, _: bool) -> Ended {
        // SAFETY: the caller's promise: ctx leads to a state, which begins with a `Dyn`, and lives until this returns.
        unsafe { run_prepared::<Self>(cpu, ctx, &(*ctx.cast::<Dyn<()>>()).prepared) };
        Ended::Returned
    }
}

/// What answers when the frame is gone.
struct Afterwards<V> {
    fallback: V,
    prepared: Arc<Prepared>,
}

impl<V: Fallback<Answer>> Fallback<Ended> for Afterwards<V> {
    fn refuse(&self, meta: &'static Meta, why: Refused) -> Ended {
        self.fallback.refuse(meta, why);
        Ended::Freed(Arc::clone(&self.prepared))
    }

    fn when_freed(&self, bound: &Bound) -> Ended {
        self.fallback.when_freed(bound);
        Ended::Freed(Arc::clone(&self.prepared))
    }

    fn run(&self, _: &'static Meta, _: bool, closure: impl FnOnce() -> Ended) -> Ended {
        closure()
    }
}

/// What the head of a control has for `run`.
///
/// # Safety
///
/// `ctx` is a `Control<Head>`, and `cpu` the state of an entry for its signature.
unsafe extern "C-unwind" fn run<const FULL: bool>(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: the caller's promise: a control is never freed, and its target takes this and gives that.
    unsafe {
        let control: &'static Control<Head> = &*ctx.cast();
        let unwind = control.head().signature.layout().unwinds();
        if let Ended::Freed(prepared) = control.answer::<Cpu, Ended, FULL>(Cpu(cpu), unwind) {
            let mut call = Call::new(cpu, &prepared);
            call.begin();
            call.finish(Answer::Fallback);
        }
    }
}

/// The signatures of such frames, each once: its address stands for it. Their slots are never given back either.
fn signatures() -> &'static SignatureCache {
    static SIGNATURES: std::sync::LazyLock<SignatureCache> = std::sync::LazyLock::new(SignatureCache::new);
    &SIGNATURES
}

impl<V: Fallback<Answer> + Copy + Send + Sync + 'static> DynBuilder<'_, V> {
    /// A frame for a closure that may be exchanged and freed while calls of it run: see [`DynFrame::guarded`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// If no entry serves the signature: see [`DynFrame::new`].
    #[track_caller]
    pub fn guarded<F>(self, closure: F) -> Result<DynFrame<'static, Guarded>, PoolFull<F>>
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'static,
    {
        let (site, state) = self.prepare::<F, Concurrently<Dyn<F>, V>>(closure);
        let run = if calls_need_barriers() { run::<true> } else { run::<false> };
        let signature = signatures().keep(self.signature.clone());
        let guard = Guard {
            signature: ptr::from_ref(signature.layout().result()).addr(),
            head: Head { head: DynamicHead { run, ..state.head }, signature, seen: self.seen },
            fallback: self.fallback,
            afterwards: Afterwards { fallback: self.fallback, prepared: Arc::clone(&state.prepared) },
        };
        // SAFETY: the entry runs what is first in the control. No other signature has this one's address, which is kept.
        let frame = unsafe { bind_guarded::<_, Cpu, Ended, _, _, _, _>(site, state, guard) };
        // SAFETY: this kind of frame is no more `Send` than that.
        frame.map(|frame| DynFrame(unsafe { frame.of_kind() })).map_err(|full| full.map(|state| state.closure))
    }
}

impl DynFrame<'static, Guarded> {
    /// Binds a closure that may be exchanged ([`set`](DynFrame::set)) and freed while calls of it run: see [`Frame::guarded`]. What is
    /// said there of frames of the same pointer type goes for those of an equal signature.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// As for [`DynFrame::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::DynFrame;
    /// use cbframe::abi::{Abi, Signature};
    /// use cbframe::types::Type;
    ///
    /// let signature = Signature::new(Abi::C).ret(Type::I32).build()?;
    /// let frame = DynFrame::builder(&signature).or(0).guarded(|call| call.ret(1))?;
    /// let hook = frame.pointer::<unsafe extern "C" fn() -> i32>()?;
    /// std::thread::scope(|s| {
    ///     // SAFETY: it may be called at any time, for nothing else is bound to this signature.
    ///     s.spawn(move || while unsafe { hook() } != 0 {});
    ///     frame.set(|call| call.ret(2));
    ///     drop(frame);
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`Frame::guarded`]: crate::Frame::guarded
    #[track_caller]
    pub fn guarded<F>(signature: &Signature, closure: F) -> Result<Self, PoolFull<F>>
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'static,
    {
        DynFrame::builder(signature).guarded(closure)
    }

    /// Has calls that begin from now on run another closure, which has no value for C. The address stays the same, and so does
    /// what is saved of the CPU; a recorder has no part in it any more.
    ///
    /// Calls of the old closure may be under way, on this thread or on others: as for a [`Frame`](crate::Frame) that is guarded.
    #[track_caller]
    pub fn set<F>(&self, closure: F)
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'static,
    {
        // SAFETY: a control of such a frame, which is never freed.
        let Head { signature, seen, .. } = unsafe { self.parts().1.state.cast::<Control<Head>>().as_ref() }.head();
        let mut builder = DynFrame::builder(signature);
        builder.seen = *seen;
        let (site, state) = builder.prepare::<F, Concurrently<Dyn<F>, Abort>>(closure);
        // SAFETY: the frame has this head, and the entry is that of its signature with what is saved.
        unsafe { set_guarded::<_, _, Cpu, Ended, _, Head, _>(&self.0, site, state, Abort) };
    }
}

impl Lives for Guarded {
    unsafe fn signature(state: NonNull<()>) -> Signature {
        // SAFETY: the caller's promise.
        unsafe { state.cast::<Control<Head>>().as_ref() }.head().signature.clone()
    }
}
