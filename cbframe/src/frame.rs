//! Frames: who owns a slot and the state that is bound to it.

use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop};
use core::panic::Location;
use core::ptr::NonNull;

use crate::closure::{Closure, Describes};
use crate::pool::{Binding, Bound, Ending, Entry, Freed, Meta, Owned, Pool, PoolFull, Resolved};
use crate::signature::FnPointer;

/// A callback with its state, as a bare C function pointer of type `P`.
///
/// The frame owns one slot of a [`Pool`] and what was bound: while it lives, [`as_fn`](Self::as_fn) may be
/// called by anyone whom the pointer type's contract allows to. Dropping it frees the slot and then the state.
///
/// `P` is the `unsafe extern` pointer type of the callback's C signature, or an `Option` of it. `C` is the callback: for
/// `#[cbframe] fn compare`, the type `compare` beside the function; for closures [`Closure`], [`Local`](crate::Local),
/// [`Once`](crate::Once), [`Guarded`](crate::Guarded) or [`Raw`](crate::Raw). `'a` is what borrowed state must outlive.
/// A frame is `Send` if its state is.
///
/// # Calling the pointer
///
/// The pointer is `unsafe` to call, or to hand to something that will, because nothing ties it to the frame. It
/// may be called
/// - while the frame lives, or after it was [leaked](Self::leak); a call after it was dropped aborts with a message
///   for as long as the slot's address has not been bound again, and is undefined from then on; a frame that was
///   forgotten (`mem::forget`) lives as long as what it borrows;
/// - with the arguments of its C signature, which are valid as the callback's parameter types demand. Null
///   references, `bool`s other than 0 and 1 and unknown enum values are found and abort the process;
/// - while nobody drops or frees the frame, leaves its scope or [sets](Self::set) it to something else, until the call has
///   ended. Where debug assertions are on, a frame that owns its state finds that a call is using it, and aborts the
///   process. What [`Frame::local`] binds may go while a call of it runs on its thread, and what [`Frame::guarded`]
///   binds at any time.
#[must_use = "dropping the frame frees the slot: the pointer must not be called any more"]
pub struct Frame<'a, P, C = Closure> {
    bound: Bound,
    owned: Owned,
    marker: PhantomData<(P, C, &'a ())>,
}

// SAFETY: the state is owned by, or lent to, the callback `C`, which has `PhantomData` of the state's type and so
// is `Send` only if the state is. `Arc<S>` and `&S` also need `S: Sync`, which `bind` demands for shared state.
unsafe impl<P, C: Send> Send for Frame<'_, P, C> {}

// SAFETY: a shared frame gives out pointers, which are `unsafe` to call, and never the state.
unsafe impl<P, C> Sync for Frame<'_, P, C> {}

impl<'a, P: Copy, C> Frame<'a, P, C> {
    const IS_POINTER: () = assert!(size_of::<P>() == size_of::<usize>());

    /// Binds `state` in a slot of `pool`.
    ///
    /// # Safety
    ///
    /// - `entry` is the entry of the callback with the pointer type `P`, and expects ctx to be a state of the type
    ///   that `U` names, or for `U::EXCLUSIVE` a record with the address of one.
    /// - `C` is `Send` only if the state is.
    #[doc(hidden)]
    #[inline]
    pub unsafe fn bind<U: Use<'a, O>, O>(
        pool: &'static Pool,
        entry: Entry,
        meta: &'static Meta,
        at: &'static Location<'static>,
        state: O,
    ) -> Result<Self, PoolFull<O>> {
        () = Self::IS_POINTER;
        let Some(taken) = pool.take() else { return Err(PoolFull::new(pool, state)) };
        let owned = U::own(state);
        let bound = taken.bind(Binding { entry, meta, at, owned, exclusive: U::EXCLUSIVE });
        Ok(Self { bound, owned, marker: PhantomData })
    }

    /// The callback as a C function pointer. See [Calling the pointer](#calling-the-pointer).
    #[inline]
    pub fn as_fn(&self) -> P {
        let stub = self.bound.stub();
        // SAFETY: `P` is a function pointer type (`bind`'s contract) and the stub a function of that type; or it is the
        // address.
        unsafe { mem::transmute_copy::<NonNull<()>, P>(&stub) }
    }

    /// The callback as a function pointer of another type with the same [`Layout`](crate::abi::Layout): the one
    /// that a binding declares, `Option` of it included. The compiler checks that each argument and the result
    /// lie in the same places. See [Calling the pointer](#calling-the-pointer).
    ///
    /// `Q` must be `unsafe`, since safe code could call a safe pointer after the frame is gone.
    #[inline]
    pub fn as_fn_of<Q: FnPointer>(&self) -> Q
    where
        C: Describes<P>,
    {
        const {
            assert!(
                Q::UNSAFE,
                "cbframe: `as_fn_of` gives `unsafe` pointers, for a safe one could be called after the frame is gone; write `unsafe extern` or bind with `leak`"
            );
            C::OF_POINTER.assert_fits(Q::LAYOUT);
        }
        let stub = self.bound.stub();
        // SAFETY: `Q` is a function pointer or `Option` of one; the layouts are the same.
        unsafe { mem::transmute_copy::<NonNull<()>, Q>(&stub) }
    }

    /// The address, for APIs that take a `void *`.
    #[inline]
    pub fn as_ptr(&self) -> *const () {
        self.bound.stub().as_ptr()
    }

    /// What this frame is bound to.
    pub fn resolved(&self) -> Resolved {
        self.bound.resolved()
    }

    /// Drops the frame, and has a stale call name this place.
    #[track_caller]
    pub fn free(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: the frame is not used again.
        unsafe { this.release(Freed::At(Location::caller())) };
    }
}

impl<P: Copy, C> Frame<'static, P, C> {
    /// Keeps the callback for ever: the pointer may be called at any time until the process ends.
    #[inline]
    pub fn leak(self) -> P {
        let this = ManuallyDrop::new(self);
        let pointer = this.as_fn();
        if let Some(release) = this.owned.release {
            // SAFETY: the frame is not used again.
            unsafe { release(&this.bound, this.owned.state, Ending::Leak) };
        }
        pointer
    }
}

/// The address of a hook, a callback with `enter = "jump"`: what a patched function jumps to. It must not be called.
///
/// A hook is reached by a jump from the middle of a function, with whatever that function has in its registers, in the
/// flags and in the 128 bytes below its stack pointer (System V's red zone). It goes on at the address that it was bound
/// with, or at [`rip`](crate::CpuState::rip) if the handler writes that. In its [`CpuState`](crate::CpuState) `rsp` is that of the
/// function, and may be changed to a higher one; there is no return address.
///
/// # What the function finds when it goes on
///
/// Every general register, all flags that `popfq` can set, mxcsr, and the vector registers as far as the CPU has them
/// (`save(gpr, flags, avx512)`, of which `avx512` is what [`CpuState`](crate::CpuState) says), bit for bit, but for what the
/// handler has changed. The x87 unit, with the MMX registers, is not touched unless the handler, or the C code that it calls, uses
/// it: a function that has values there when it jumps, which compiled code has around `long double` only, needs `x87` in `save`
/// too. errno is that of the thread: see the option `save_errno`.
///
/// # Whoever writes the jump
///
/// The bytes that the jump replaces are what the function does not do any more: let them be `nop`s, a part of a
/// sled (`-fpatchable-function-entry`), or executed elsewhere before going on. The jump itself must not change a
/// register: `jmp rel32`, or `jmp [rip + 0]` with the address behind it (14 bytes). No thread may be in the middle of the bytes when
/// they are written.
///
/// A hook leaves by `ret`. Where user shadow stacks are enabled (CET SHSTK) the CPU refuses that, as there was no `call`: hooks
/// cannot be used there. A panic in a hook aborts the process; backtraces go on into the function that has jumped.
/// Hooks take about 3.5 KiB of the function's stack, besides what the handler takes.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, PoolFull, cbframe};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// /// Counts, and has the function see another value in ebx.
/// #[cbframe(abi = "raw", enter = "jump")]
/// fn probe(#[state] passed: &AtomicU64, cpu: &mut CpuState) {
///     passed.fetch_add(1, Ordering::Relaxed);
///     cpu.rbx = 7;
/// }
///
/// # let behind_the_jump = std::ptr::null();
/// let frame = probe::bind(AtomicU64::new(0), behind_the_jump)?;
/// let jump_to: *const () = frame.as_fn().as_ptr();
/// # assert_eq!(jump_to.addr() % 32, 0);
/// # Ok::<(), PoolFull<AtomicU64>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct JumpTarget(NonNull<()>);

// SAFETY: the address of code, which is the same on every thread.
unsafe impl Send for JumpTarget {}

// SAFETY: as above.
unsafe impl Sync for JumpTarget {}

impl JumpTarget {
    /// The address.
    pub const fn as_ptr(self) -> *const () {
        self.0.as_ptr()
    }
}

impl<'a, C> Frame<'a, JumpTarget, C> {
    /// Binds `state` as that of a hook, after which execution goes on at `resume`.
    ///
    /// # Safety
    ///
    /// As for [`bind`](Self::bind), with the entry of a hook.
    #[doc(hidden)]
    #[inline]
    pub unsafe fn hook<U: Use<'a, O>, O>(
        entry: Entry,
        meta: &'static Meta,
        at: &'static Location<'static>,
        state: O,
        resume: *const (),
    ) -> Result<Self, PoolFull<O>> {
        let pool = Pool::hooks();
        let Some(taken) = pool.take() else { return Err(PoolFull::new(pool, state)) };
        taken.resume_at(resume);
        let owned = U::own(state);
        let bound = taken.bind(Binding { entry, meta, at, owned, exclusive: U::EXCLUSIVE });
        Ok(Self { bound, owned, marker: PhantomData })
    }
}

impl<'a, P, C> Frame<'a, P, C> {
    /// A frame for what is bound already.
    ///
    /// # Safety
    ///
    /// - `bound` is bound to `owned`, which lives for `'a` at least, and they have no other frame.
    /// - The entry is one for the pointer type `P` and this state.
    /// - `C` is `Send` only if the state is.
    pub(crate) const unsafe fn of(bound: Bound, owned: Owned) -> Self {
        Self { bound, owned, marker: PhantomData }
    }

    /// What is bound, and where.
    #[cfg(feature = "alloc")]
    pub(crate) const fn parts(&self) -> (&Bound, Owned) {
        (&self.bound, self.owned)
    }

    /// The same frame, for a callback that is called otherwise.
    ///
    /// # Safety
    ///
    /// As for [`of`](Self::of), with `D` for `C`.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn of_kind<D>(self) -> Frame<'a, P, D> {
        let this = ManuallyDrop::new(self);
        // SAFETY: the caller's promise; the frame that there was is not used again.
        unsafe { Frame::of(this.bound, this.owned) }
    }

    /// Binds the slot to something else, and drops what it was bound to.
    ///
    /// # Safety
    ///
    /// As for [`of`](Self::of); and no call of the pointer runs, or begins meanwhile.
    pub(crate) unsafe fn rebind(&mut self, binding: Binding) {
        let old = mem::replace(&mut self.owned, binding.owned);
        // SAFETY: the caller's promise. The slot goes first, so that nothing leads to a dropped state.
        unsafe {
            self.bound.rebind(binding);
            if let Some(release) = old.release {
                release(&self.bound, old.state, Ending::Replace);
            }
        }
    }

    /// The address, and nothing that frees it: for C code that keeps it and gives it back.
    /// [`from_raw`](Self::from_raw) makes it a frame again; until then the pointer may be called, and what the frame
    /// borrows has to live.
    #[must_use = "without the address nothing frees the slot"]
    pub fn into_raw(self) -> *const () {
        ManuallyDrop::new(self).bound.stub().as_ptr()
    }

    /// The frame that [`into_raw`](Self::into_raw) gave the address of.
    ///
    /// # Safety
    ///
    /// The address is from `into_raw` of a frame of this type, of this copy of the crate, and has not been made a frame
    /// again; for a frame that is not `Send`, on this thread. A frame for a [`once`](Frame::once) closure has not been
    /// called.
    ///
    /// # Panics
    ///
    /// If no slot at this address is bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{Frame, resolve};
    ///
    /// type Hook = unsafe extern "C" fn();
    /// let kept: *const () = Frame::<Hook>::new(|| ())?.into_raw();
    /// assert!(resolve(kept).is_some_and(|found| found.is_bound()));
    /// // SAFETY: this is the address of such a frame.
    /// drop(unsafe { Frame::<Hook>::from_raw(kept) });
    /// assert!(resolve(kept).is_some_and(|found| !found.is_bound()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub unsafe fn from_raw(address: *const ()) -> Self {
        let Some((bound, owned)) = Bound::at(address) else {
            panic!("cbframe: `Frame::from_raw({address:p})`: no callback is bound at this address")
        };
        // SAFETY: the caller's promise.
        unsafe { Self::of(bound, owned) }
    }
}

impl<P, C> Frame<'_, P, C> {
    /// # Safety
    ///
    /// Called once, and the frame is not used after.
    unsafe fn release(&self, by: Freed) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.owned.release {
                Some(release) => release(&self.bound, self.owned.state, Ending::Free(by)),
                None => self.bound.free(by),
            }
        }
    }
}

impl<P, C> Drop for Frame<'_, P, C> {
    fn drop(&mut self) {
        // SAFETY: a frame is dropped once.
        unsafe { self.release(Freed::Dropped) };
    }
}

impl<P, C> fmt::Debug for Frame<'_, P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Frame").field(&self.bound.resolved()).finish()
    }
}

/// What can be bound where a callback says `#[state] s: &S`: `S`, `&'a S`, and with the feature `alloc` `Box<S>`
/// and `Arc<S>`.
///
/// # Safety
///
/// The pointer that [`own`](Self::own) gives is a shared state of type `S` until `drop` is called with it, and no
/// longer than `'a`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound as the shared state `&{S}`",
    label = "not `{S}`, `&{S}`, `Box<{S}>` or `Arc<{S}>`"
)]
pub unsafe trait SharedState<'a, S: 'a>: Sized {
    #[doc(hidden)]
    fn own(self) -> Owned;
}

/// What can be bound where a callback says `#[state] s: &mut S`: `S`, `&'a mut S`, and with the feature `alloc`
/// `Box<S>`.
///
/// # Safety
///
/// The pointer that [`own`](Self::own) gives is exclusive access to a state of type `S` until `drop` is called
/// with it, and no longer than `'a`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound as the exclusive state `&mut {S}`",
    label = "not `{S}`, `&mut {S}` or `Box<{S}>`"
)]
pub unsafe trait ExclusiveState<'a, S: 'a>: Sized {
    #[doc(hidden)]
    fn own(self) -> Owned;
}

/// Shared or exclusive: how a callback uses a state of type `O` that is bound.
pub trait Use<'a, O> {
    /// Whether calls may overlap.
    const EXCLUSIVE: bool;
    #[doc(hidden)]
    fn own(state: O) -> Owned;
}

/// `#[state] s: &S`.
pub struct Shared<S>(PhantomData<S>);

/// `#[state] s: &mut S`.
pub struct Exclusively<S>(PhantomData<S>);

impl<'a, S: 'a, O: SharedState<'a, S>> Use<'a, O> for Shared<S> {
    const EXCLUSIVE: bool = false;

    #[inline]
    fn own(state: O) -> Owned {
        state.own()
    }
}

impl<'a, S: 'a, O: ExclusiveState<'a, S>> Use<'a, O> for Exclusively<S> {
    const EXCLUSIVE: bool = true;

    #[inline]
    fn own(state: O) -> Owned {
        state.own()
    }
}

// SAFETY: borrowed for `'a`.
unsafe impl<'a, S: 'a> SharedState<'a, S> for &'a S {
    fn own(self) -> Owned {
        Owned { state: NonNull::from(self).cast(), release: None }
    }
}

// SAFETY: borrowed exclusively for `'a`.
unsafe impl<'a, S: 'a> ExclusiveState<'a, S> for &'a mut S {
    fn own(self) -> Owned {
        Owned { state: NonNull::from(self).cast(), release: None }
    }
}

#[cfg(feature = "alloc")]
pub(crate) use owned::boxed;

#[cfg(feature = "alloc")]
mod owned {
    //! State that the frame owns.

    use alloc::boxed::Box;
    use alloc::sync::Arc;
    use core::ptr::NonNull;

    use super::{Bound, Ending, ExclusiveState, Owned, SharedState};
    use crate::activation::check_unused;
    use crate::pool::Release;

    pub(crate) fn boxed<S>(state: Box<S>) -> Owned {
        /// # Safety
        ///
        /// The slot is bound, `state` is from `Box::into_raw` of this type, and neither is used again.
        unsafe fn release<S>(bound: &Bound, state: NonNull<()>, ending: Ending) {
            if size_of::<S>() > 0 && !matches!(ending, Ending::Leak) {
                check_unused(bound, state.as_ptr());
            }
            // SAFETY: the caller's promise. The slot goes first, so that a stale call finds no dropped state.
            unsafe {
                match ending {
                    Ending::Free(by) => bound.free(by),
                    Ending::Replace => {}
                    Ending::Leak => return,
                }
                drop(Box::from_raw(state.cast::<S>().as_ptr()));
            }
        }
        // A state without a destructor and without bytes was never allocated: there is nothing to do for it.
        let nothing = size_of::<S>() == 0 && !core::mem::needs_drop::<S>();
        let release: Option<Release> = if nothing { None } else { Some(release::<S>) };
        Owned { state: NonNull::from(Box::leak(state)).cast(), release }
    }

    // SAFETY: a box lives, at the same address, until it is dropped.
    unsafe impl<'a, S: 'a> SharedState<'a, S> for Box<S> {
        fn own(self) -> Owned {
            boxed(self)
        }
    }

    // SAFETY: as above.
    unsafe impl<'a, S: 'a> SharedState<'a, S> for S {
        fn own(self) -> Owned {
            boxed(Box::new(self))
        }
    }

    // SAFETY: the count that the frame holds keeps the value where it is.
    unsafe impl<'a, S: 'a> SharedState<'a, S> for Arc<S> {
        fn own(self) -> Owned {
            /// # Safety
            ///
            /// The slot is bound, `state` is from `Arc::into_raw` of this type, and neither is used again.
            unsafe fn release<S>(bound: &Bound, state: NonNull<()>, ending: Ending) {
                // SAFETY: the caller's promise, and as for boxes.
                unsafe {
                    match ending {
                        Ending::Free(by) => bound.free(by),
                        Ending::Replace => {}
                        Ending::Leak => return,
                    }
                    drop(Arc::from_raw(state.cast::<S>().as_ptr()));
                }
            }
            let state = Arc::into_raw(self).cast_mut().cast();
            // SAFETY: `Arc::into_raw` gives the address of the value inside, which is not null.
            let state = unsafe { NonNull::new_unchecked(state) };
            Owned { state, release: Some(release::<S>) }
        }
    }

    // SAFETY: a box lives, at the same address, until it is dropped, and nobody else has it.
    unsafe impl<'a, S: 'a> ExclusiveState<'a, S> for Box<S> {
        fn own(self) -> Owned {
            boxed(self)
        }
    }

    // SAFETY: as above.
    unsafe impl<'a, S: 'a> ExclusiveState<'a, S> for S {
        fn own(self) -> Owned {
            boxed(Box::new(self))
        }
    }
}
