//! Callbacks whose signature is known at run time only.

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ops::Deref;
use core::panic::Location;
use core::ptr::NonNull;

use super::call::{Answer, Call, Told};
use super::object::Object;
use super::prepared::Prepared;
#[cfg(feature = "std")]
use super::record::Recorder;
#[cfg(feature = "std")]
use super::value::Value;
use crate::abi::{Abi, Signature};
use crate::arch::{CpuState, DynamicHead, Seen, dynamic_entry};
#[cfg(feature = "std")]
use crate::closure::value;
use crate::closure::{
    Abort, AtOnce, Closure, Concurrently, Fallback, Handler, Local, Locally, Once, Site, bind_local, bind_once,
    bind_shared, call_local, call_once, call_shared, rebind_shared,
};
use crate::frame::Frame;
use crate::pool::{Meta, Pool, PoolFull};
use crate::signature::FnPointer;

/// The callback of a frame is a closure whose signature is known at run time only: what [`DynFrame`] has. `K` says which kind
/// of closure: [`Closure`], [`Local`], [`Once`] or [`Guarded`](crate::Guarded).
pub struct Dynamic<K = Closure>(PhantomData<K>);

/// A frame for a closure whose C signature is known at run time only, a [`Signature`]: for what runs other languages, debuggers
/// and bridges, which learn of signatures while they run.
///
/// The closure gets a [`Call`], which has the arguments and takes the result. This dereferences to a [`Frame`], and all goes for
/// it that goes for one: who may call its pointer and when, what becomes of panics, and what a call after its end does. The pointer has no type of its
/// own: [`pointer`](Self::pointer) gives one whose layout is that of the signature, [`as_ptr`](Frame::as_ptr) the address.
///
/// A call takes about as long as two of a callback with the same signature that `#[cbframe]` has compiled for the captured
/// lane, and allocates nothing.
///
/// # Examples
///
/// ```
/// use cbframe::abi::{Abi, Signature};
/// use cbframe::types::Type;
/// use cbframe::{DynFrame, Value};
///
/// // `double (*)(double x, int by)`
/// let signature = Signature::new(Abi::C).named("x", Type::F64).named("by", Type::I32).ret(Type::F64).build()?;
///
/// let base = 0.5;
/// let frame = DynFrame::new(&signature, move |call| {
///     call.ret(base + call.arg::<f64>(0) * f64::from(call.arg::<i32>(1)));
/// })?;
/// let scale = frame.pointer::<unsafe extern "C" fn(f64, i32) -> f64>()?;
/// // SAFETY: the frame lives.
/// assert_eq!(unsafe { scale(1.5, 2) }, 3.5);
///
/// // Whatever the signature:
/// let show = DynFrame::new(&signature, |call| {
///     let text: Vec<String> = call.args().map(|arg| format!("{} = {}", arg.name, arg.value)).collect();
///     assert_eq!(text, ["x = 1.5", "by = 2"]);
///     call.ret(Value::F64(0.0));
/// })?;
/// # let show = show.pointer::<unsafe extern "C" fn(f64, i32) -> f64>()?;
/// # assert_eq!(unsafe { show(1.5, 2) }, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// No alias of a `Frame`: the names of its constructors would be ambiguous where the compiler infers what a `Frame` is for.
#[must_use = "dropping the frame frees the slot: the pointer must not be called any more"]
pub struct DynFrame<'a, K = Closure>(pub(super) Inner<'a, K>);

pub(super) type Inner<'a, K> = Frame<'a, unsafe extern "C" fn(), Dynamic<K>>;

impl<'a, K> Deref for DynFrame<'a, K> {
    type Target = Frame<'a, unsafe extern "C" fn(), Dynamic<K>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, K> DynFrame<'a, K> {
    /// The frame as such, for [`Frame::free`], [`Scope::keep`](crate::Scope::keep) and the like.
    pub fn into_frame(self) -> Frame<'a, unsafe extern "C" fn(), Dynamic<K>> {
        self.0
    }

    /// The address, and nothing that frees it: see [`Frame::into_raw`].
    #[must_use = "without the address nothing frees the slot"]
    pub fn into_raw(self) -> *const () {
        self.0.into_raw()
    }

    /// The frame that [`into_raw`](Self::into_raw) gave the address of.
    ///
    /// # Safety
    ///
    /// As for [`Frame::from_raw`].
    ///
    /// # Panics
    ///
    /// If no slot at this address is bound.
    #[track_caller]
    pub unsafe fn from_raw(address: *const ()) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Frame::from_raw(address) })
    }
}

impl<K> DynFrame<'static, K> {
    /// Keeps the callback for ever: see [`Frame::leak`]. The pointer has no type of its own: it is an address, and Rust must
    /// not call it as what it is here.
    pub fn leak(self) -> unsafe extern "C" fn() {
        self.0.leak()
    }
}

impl<K> fmt::Debug for DynFrame<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A closure with what is known of its signature.
///
/// The entry is the same for all closures, so what it calls is found through the first field, which is the first of the closure's
/// state, to which ctx leads.
#[repr(C)]
pub struct Dyn<F> {
    pub(super) head: DynamicHead,
    pub(super) prepared: Arc<Prepared>,
    pub(super) closure: F,
}

/// The one argument of such a closure: the address of a `Call`.
#[derive(Clone, Copy)]
pub struct Incoming(NonNull<()>);

impl Incoming {
    /// # Safety
    ///
    /// The call lives for `'c` at least, and nobody else uses it.
    unsafe fn call<'c>(self) -> &'c mut Call<'c> {
        // SAFETY: the caller's promise.
        unsafe { self.0.cast().as_mut() }
    }
}

/// What a head can run.
pub(super) trait DynHandler: Handler<Incoming, Answer> {
    /// What is told of the callback.
    const META: &'static Meta;
    /// Whether the state may be gone when the closure returns.
    const ENDS: bool;
}

/// The closure, to be called.
macro_rules! run {
    (Fn $this:ident) => {
        (&$this.closure)
    };
    (FnMut $this:ident) => {
        (&mut $this.closure)
    };
    (FnOnce $this:ident) => {
        ($this.closure)
    };
}

macro_rules! handlers {
    ($($handler:ident $bound:ident $call:ident $ends:literal;)*) => { $(
        impl<F: $bound(&mut Call<'_>), V: Fallback<Answer>> Handler<Incoming, Answer> for $handler<Dyn<F>, V> {
            fn name() -> &'static str {
                core::any::type_name::<F>()
            }

            #[inline(always)]
            unsafe fn handle(ctx: *const (), incoming: Incoming, meta: &'static Meta, unwind: bool) -> Answer {
                // SAFETY: the caller's promise; the call is that of the entry which has called.
                unsafe {
                    $call::<Dyn<F>, V, Answer>(ctx, meta, unwind, |this| {
                        run!($bound this)(incoming.call());
                        Answer::Done
                    })
                }
            }
        }

        impl<F: $bound(&mut Call<'_>), V: Fallback<Answer>> DynHandler for $handler<Dyn<F>, V> {
            const META: &'static Meta = Told::<F>::META;
            const ENDS: bool = $ends;
        }
    )* };
}

handlers! {
    Concurrently Fn call_shared false;
    Locally FnMut call_local true;
    AtOnce FnOnce call_once true;
}

/// Runs a callback: what its head has for `run`.
///
/// # Safety
///
/// `ctx` is that of a slot which is bound to a state of `H`, and `cpu` that of an entry for its signature.
unsafe extern "C-unwind" fn run<H: DynHandler>(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: the caller's promise: a state begins with a `Dyn`, and that with these two. The state lives until the closure has
    // returned, and where it does not live longer, what is used afterwards is kept.
    unsafe {
        let prepared = &(*ctx.cast::<Dyn<()>>()).prepared;
        if H::ENDS {
            run_prepared::<H>(cpu, ctx, &Arc::clone(prepared));
        } else {
            run_prepared::<H>(cpu, ctx, prepared);
        }
    }
}

/// # Safety
///
/// As for [`run`]; `prepared` lives until this returns.
#[inline(always)]
pub(super) unsafe fn run_prepared<H: DynHandler>(cpu: *mut CpuState, ctx: *const (), prepared: &Prepared) {
    // SAFETY: the caller's promise; nobody else uses the call before the closure or after it.
    unsafe {
        let mut call = Call::new(cpu, prepared);
        call.begin();
        let incoming = Incoming(NonNull::from(&mut call).cast());
        #[cfg(feature = "std")]
        let unwound = Unwound(incoming);
        let answer = H::handle(ctx, incoming, H::META, prepared.unwind);
        #[cfg(feature = "std")]
        mem::forget(unwound);
        incoming.call().finish(answer);
    }
}

/// Stands in the frame of a call: if that is unwound, the call has ended. A landing pad, and no instruction before.
#[cfg(feature = "std")]
struct Unwound(Incoming);

#[cfg(feature = "std")]
impl Drop for Unwound {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the call lives in the frame, and nobody uses it any more. It is forgotten where calls return.
        unsafe { self.0.call().end(false) };
    }
}

/// Makes frames for closures whose signature is known at run time only: [`DynFrame::builder`].
///
/// # Examples
///
/// ```
/// use cbframe::abi::{Abi, Signature};
/// use cbframe::types::Type;
/// use cbframe::DynFrame;
///
/// let signature = Signature::new(Abi::C).param(Type::I32).ret(Type::I32).build()?;
/// let mut calls = 0;
/// let frame = DynFrame::builder(&signature).or(-1).local(|call| {
///     calls += 1;
///     call.ret(100 / call.arg::<i32>(0));
/// }).map_err(cbframe::PoolFull::without_state)?;
/// let pointer = frame.pointer::<unsafe extern "C" fn(i32) -> i32>()?;
/// // SAFETY: the frame lives.
/// unsafe {
///     assert_eq!(pointer(5), 20);
///     assert_eq!(pointer(0), -1); // it has panicked
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "this is not a frame yet: call `new`, `local` or `once`"]
pub struct DynBuilder<'s, V = Abort> {
    pub(super) signature: &'s Signature,
    pub(super) pool: &'static Pool,
    pub(super) seen: Seen,
    object: Option<Object<'static>>,
    #[cfg(feature = "std")]
    recorder: Option<Recorder>,
    pub(super) fallback: V,
}

impl<'s> DynBuilder<'s> {
    /// What the callback returns to C where it would abort the process otherwise: if the closure panics, returns without having
    /// set a result, or is called on a thread or while it may not be. The panic hook reports the first, a line on standard error
    /// the others.
    ///
    /// # Panics
    ///
    /// If the value has not the type of the result; if the signature unwinds, so that a panic passes on to the caller.
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn or<'v>(self, fallback: impl Into<Value<'v>>) -> DynBuilder<'s, crate::closure::FallbackValue<Answer>> {
        let fallback = fallback.into();
        let ty = self.signature.result().ty;
        if let Some(error) = fallback.misfit(&ty) {
            panic!("cbframe: the fallback: {error}");
        }
        assert!(
            !self.signature.layout().unwinds(),
            "cbframe: a panic passes through a callback whose signature unwinds to its caller: remove `or`, or `unwind`"
        );
        let Self { signature, pool, seen, recorder, .. } = self;
        // SAFETY: the bytes are those of a value of this shape.
        let object = unsafe { Object::borrowed(ty, fallback.as_ptr()) }.to_owned();
        DynBuilder { signature, pool, seen, recorder, object: Some(object), fallback: value(Answer::Fallback) }
    }
}

impl<V: Fallback<Answer>> DynBuilder<'_, V> {
    /// The pool that gives the slot, instead of [`Pool::shared`].
    pub fn pool(self, pool: &'static Pool) -> Self {
        Self { pool, ..self }
    }

    /// Saves `gpr`, `flags` and `sse`, as [`CpuState`] calls them, which the closure may change through [`Call::cpu_mut`].
    ///
    /// # Panics
    ///
    /// If the signature's convention has callers that do not align the stack, which is moved for such a callback.
    #[track_caller]
    pub fn save(self) -> Self {
        assert!(
            !matches!(self.signature.abi(), Abi::Named(convention) if convention.stack_align < 16),
            "cbframe: with this convention the stack is aligned before the callback runs, so `rsp` and `rip` of a `CpuState` would not be the caller's"
        );
        Self { seen: Seen::State, ..self }
    }

    /// Has all calls recorded, and [saves](Self::save) what is to be recorded.
    ///
    /// # Panics
    ///
    /// As for [`save`](Self::save).
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn record(self, recorder: &Recorder) -> Self {
        Self { recorder: Some(recorder.clone()), ..self.save() }
    }

    /// The entry, and what is known of a closure with it.
    #[track_caller]
    pub(super) fn prepare<F, H: DynHandler>(&self, closure: F) -> (Site, Dyn<F>) {
        let layout = self.signature.layout();
        let Some(entry) = dynamic_entry(&layout, self.seen) else { no_entry(self.signature) };
        let site = Site { pool: self.pool, entry, meta: H::META, at: Location::caller() };
        let words = layout.stack_size().div_ceil(8) as u32;
        let head = DynamicHead { run: run::<H>, words, pops: self.signature.pops() };
        let prepared = Prepared::new(
            self.signature,
            H::META,
            self.seen,
            self.object.clone(),
            #[cfg(feature = "std")]
            self.recorder.clone(),
        );
        (site, Dyn { head, prepared, closure })
    }

    /// A frame for a closure that any thread may call, also while other calls of it run.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// If no entry serves the signature: see [`DynFrame::new`].
    #[track_caller]
    #[expect(clippy::new_ret_no_self, reason = "named like `DynFrame::new`")]
    pub fn new<'a, F>(self, closure: F) -> Result<DynFrame<'a>, PoolFull<F>>
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'a,
        V: 'a,
    {
        let (site, state) = self.prepare::<F, Concurrently<Dyn<F>, V>>(closure);
        // SAFETY: the entry is one for the signature, whose head runs a handler of this kind.
        unsafe { bind_shared(site, state, self.fallback) }.map(DynFrame).map_err(|full| full.map(|state| state.closure))
    }

    /// Makes `frame` call another closure, with the signature of this builder: see [`DynFrame::set`].
    ///
    /// # Panics
    ///
    /// If no entry serves the signature: see [`DynFrame::new`].
    #[track_caller]
    pub fn set<'a, F>(self, frame: &mut DynFrame<'a>, closure: F)
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'a,
        V: 'a,
    {
        let (site, state) = self.prepare::<F, Concurrently<Dyn<F>, V>>(closure);
        // SAFETY: as for `new`. `Frame` demands that no call runs meanwhile.
        unsafe { rebind_shared(&mut frame.0, site, state, self.fallback) };
    }

    /// A frame for a closure that this thread calls, one call at a time: see [`Frame::local`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// If no entry serves the signature: see [`DynFrame::new`].
    #[track_caller]
    pub fn local<'a, F>(self, closure: F) -> Result<DynFrame<'a, Local>, PoolFull<F>>
    where
        F: FnMut(&mut Call<'_>) + 'a,
        V: 'a,
    {
        let (site, state) = self.prepare::<F, Locally<Dyn<F>, V>>(closure);
        // SAFETY: as for `new`.
        let frame: Result<Frame<'a, _, Local>, _> = unsafe { bind_local(site, state, self.fallback) };
        // SAFETY: this kind of frame is no more `Send` than that.
        frame.map(|frame| DynFrame(unsafe { frame.of_kind() })).map_err(|full| full.map(|state| state.closure))
    }

    /// A frame for a closure that is called once: see [`Frame::once`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// If no entry serves the signature: see [`DynFrame::new`].
    #[track_caller]
    pub fn once<'a, F>(self, closure: F) -> Result<DynFrame<'a, Once>, PoolFull<F>>
    where
        F: FnOnce(&mut Call<'_>) + Send + 'a,
        V: 'a,
    {
        let (site, state) = self.prepare::<F, AtOnce<Dyn<F>, V>>(closure);
        // SAFETY: as for `new`.
        let frame: Result<Frame<'a, _, Once>, _> = unsafe { bind_once(site, state, self.fallback) };
        // SAFETY: as for `local`.
        frame.map(|frame| DynFrame(unsafe { frame.of_kind() })).map_err(|full| full.map(|state| state.closure))
    }
}

#[cold]
#[track_caller]
fn no_entry(signature: &Signature) -> ! {
    panic!("cbframe: no callback of this target has the signature `{signature}`")
}

impl<'a> DynFrame<'a> {
    /// Binds a closure that any thread may call, also while other calls of it run.
    ///
    /// A panic in the closure, or a return without a result where one is due, aborts the process with a message and the
    /// closure's name, unless the signature unwinds; [`DynBuilder::or`] gives C a value instead.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// If the signature is none of this target's, or has a result on the x87 stack in a convention whose callers do not align
    /// the stack.
    #[track_caller]
    pub fn new<F>(signature: &Signature, closure: F) -> Result<Self, PoolFull<F>>
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'a,
    {
        Self::builder(signature).new(closure)
    }

    /// Binds a closure that belongs to this thread: see [`Frame::local`].
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    #[track_caller]
    pub fn local<F>(signature: &Signature, closure: F) -> Result<DynFrame<'a, Local>, PoolFull<F>>
    where
        F: FnMut(&mut Call<'_>) + 'a,
    {
        Self::builder(signature).local(closure)
    }

    /// Binds a closure that C calls once: see [`Frame::once`].
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    #[track_caller]
    pub fn once<F>(signature: &Signature, closure: F) -> Result<DynFrame<'a, Once>, PoolFull<F>>
    where
        F: FnOnce(&mut Call<'_>) + Send + 'a,
    {
        Self::builder(signature).once(closure)
    }

    /// Frames with more choices: in which pool, what C gets if the closure cannot be run, and what of the CPU is saved.
    pub fn builder(signature: &Signature) -> DynBuilder<'_> {
        DynBuilder {
            signature,
            pool: Pool::shared(),
            seen: Seen::Arguments,
            object: None,
            #[cfg(feature = "std")]
            recorder: None,
            fallback: Abort,
        }
    }

    /// Makes the frame call another closure, with the same signature. The address stays the same; the old closure is dropped.
    ///
    /// As for [`Frame::set`], no call of the pointer may run, or begin on another thread, meanwhile.
    ///
    /// Nor has the new closure what a builder said of the old one: for that there is [`DynBuilder::set`].
    #[track_caller]
    pub fn set<F>(&mut self, closure: F)
    where
        F: Fn(&mut Call<'_>) + Send + Sync + 'a,
    {
        let signature = self.signature();
        Self::builder(&signature).set(self, closure);
    }
}

impl<K: Lives> DynFrame<'_, K> {
    /// The signature.
    #[must_use]
    pub fn signature(&self) -> Signature {
        // SAFETY: the frame is of this kind, and lives.
        unsafe { K::signature(self.parts().1.state) }
    }

    /// The callback as a function pointer of the type `Q`.
    ///
    /// `Q` must be `unsafe`, since safe code could call a safe pointer after the frame is gone.
    ///
    /// # Errors
    ///
    /// If `Q` has not the layout of the signature.
    pub fn pointer<Q: FnPointer>(&self) -> Result<Q, Misfit> {
        const {
            assert!(
                Q::UNSAFE,
                "cbframe: `pointer` gives `unsafe` pointers, for a safe one could be called after the frame is gone; write `unsafe extern`"
            );
        }
        let signature = self.signature();
        if !signature.layout().fits(Q::LAYOUT) {
            return Err(Misfit { signature, pointer: Q::LAYOUT });
        }
        let address = self.as_ptr();
        // SAFETY: `Q` is a function pointer or `Option` of one; the layouts are the same.
        Ok(unsafe { mem::transmute_copy::<*const (), Q>(&address) })
    }
}

/// Closures that live as long as their frames.
pub trait Lives {
    /// # Safety
    ///
    /// The state of a `DynFrame` of this kind, which lives.
    #[doc(hidden)]
    unsafe fn signature(state: NonNull<()>) -> Signature {
        // SAFETY: the caller's promise: it begins with a `Dyn`.
        unsafe { state.cast::<Dyn<()>>().as_ref().prepared.signature.clone() }
    }
}

impl Lives for Closure {}
impl Lives for Local {}

/// Why a callback cannot be called through a pointer of some type: the layouts are different.
#[derive(Clone)]
pub struct Misfit {
    signature: Signature,
    pointer: &'static crate::abi::Layout<'static>,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the function pointer type has another layout than the signature:\n{}\nand not\n{}",
            self.pointer, self.signature
        )
    }
}

impl fmt::Debug for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Misfit {}
