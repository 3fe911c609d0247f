//! How frames for closures are made.

use core::marker::PhantomData;
use core::panic::Location;

use super::bind::{Site, bind_local, bind_once, bind_shared, rebind_shared};
use super::calls::{Concurrently, RawHandler};
#[cfg(feature = "std")]
use super::fallback::{self, FallbackValue};
use super::fallback::{Abort, Fallback};
#[cfg(feature = "std")]
use super::guarded::{self, Guard, Guarded};
use super::{Handler, Local, Once, Raw, local, once, raw_entry};
use crate::CpuState;
use crate::frame::Frame;
use crate::pool::{Pool, PoolFull};
use crate::signature::ClosurePointer;

/// Makes frames for closures: [`Frame::builder`].
///
/// # Examples
///
/// ```
/// use cbframe::{Frame, PoolFull, pool};
///
/// pool!(static HOOKS: 16);
/// type Hook = unsafe extern "C" fn(i32) -> i32;
///
/// let mut calls = 0;
/// let hook = Frame::<Hook>::builder().pool(&HOOKS).or(-1).local(|x| {
///     calls += 1;
///     100 / x
/// }).map_err(PoolFull::without_state)?;
/// // SAFETY: the frame lives.
/// unsafe {
///     assert_eq!(hook.as_fn()(5), 20);
///     assert_eq!(hook.as_fn()(0), -1); // it has panicked
/// }
/// drop(hook);
/// assert_eq!(calls, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "this is not a frame yet: call `new`, `local` or `once`"]
pub struct Builder<P, V = Abort> {
    pool: &'static Pool,
    fallback: V,
    pointer: PhantomData<P>,
}

impl<P: ClosurePointer> Builder<P> {
    pub(crate) fn start() -> Self {
        Self { pool: Pool::shared(), fallback: Abort, pointer: PhantomData }
    }

    /// What the callback returns to C where it would abort the process otherwise: if the closure panics, or is called
    /// on a thread or while it may not be. The panic hook reports the first, a line on standard error the others.
    ///
    /// # Panics
    ///
    /// At compile time if the ABI is an `-unwind` one, which passes a panic on to the caller.
    #[cfg(feature = "std")]
    pub fn or(self, value: P::Result) -> Builder<P, FallbackValue<P::Result>>
    where
        P::Result: Copy + Send + Sync,
    {
        const {
            assert!(
                !P::LAYOUT.unwinds(),
                "cbframe: a panic passes through a callback with an `-unwind` ABI to its caller: remove `or`, or `-unwind`"
            );
        }
        Builder { pool: self.pool, fallback: fallback::value(value), pointer: PhantomData }
    }
}

impl<P: ClosurePointer, V: Fallback<P::Result>> Builder<P, V> {
    /// The pool that gives the slot, instead of [`Pool::shared`].
    pub fn pool(self, pool: &'static Pool) -> Self {
        Self { pool, ..self }
    }

    /// A frame for a closure that any thread may call: see [`Frame::new`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    #[track_caller]
    #[expect(clippy::new_ret_no_self, reason = "named like `Frame::new`")]
    pub fn new<'a, F>(self, closure: F) -> Result<Frame<'a, P::Unsafe>, PoolFull<F>>
    where
        F: Send + Sync + 'a,
        V: 'a,
        Concurrently<F, V>: Handler<P::Parameters, P::Result>,
    {
        let site = Site::of::<P, Concurrently<F, V>>(self.pool);
        // SAFETY: the entry is that of this signature and handler.
        unsafe { bind_shared(site, closure, self.fallback) }
    }

    /// A pointer to a closure that any thread may call, for as long as the process runs.
    ///
    /// It has the type `P`: safe to call if that is, for the closure is never dropped.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Panics
    ///
    /// At compile time if `P` is safe to call, but rustc would pass one of its types otherwise than C does.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Frame;
    ///
    /// let base = 40;
    /// let add = Frame::<extern "C" fn(i32) -> i32>::builder().leak(move |x| base + x)?;
    /// assert_eq!(add(2), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn leak<F>(self, closure: F) -> Result<P, PoolFull<F>>
    where
        F: Send + Sync + 'static,
        V: 'static,
        Concurrently<F, V>: Handler<P::Parameters, P::Result>,
    {
        const {
            if !P::UNSAFE {
                P::LAYOUT.check_safe();
            }
        }
        let pointer = Frame::leak(self.new(closure)?);
        // SAFETY: the types differ in nothing but `unsafe`: the closure is never dropped.
        Ok(unsafe { core::mem::transmute_copy(&pointer) })
    }

    /// Makes `frame` call another closure: see [`Frame::set`].
    #[track_caller]
    pub fn set<'a, F>(self, frame: &mut Frame<'a, P::Unsafe>, closure: F)
    where
        F: Send + Sync + 'a,
        V: 'a,
        Concurrently<F, V>: Handler<P::Parameters, P::Result>,
    {
        let site = Site::of::<P, Concurrently<F, V>>(self.pool);
        // SAFETY: the entry is that of this signature and handler. `Frame` demands that no call runs meanwhile.
        unsafe { rebind_shared(frame, site, closure, self.fallback) };
    }

    /// A frame for a closure that this thread calls, one call at a time: see [`Frame::local`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    #[track_caller]
    pub fn local<'a, F>(self, closure: F) -> Result<Frame<'a, P::Unsafe, Local>, PoolFull<F>>
    where
        F: 'a,
        V: 'a,
        local::Locally<F, V>: Handler<P::Parameters, P::Result>,
    {
        let site = Site::of::<P, local::Locally<F, V>>(self.pool);
        // SAFETY: the entry is that of this signature and handler.
        unsafe { bind_local(site, closure, self.fallback) }
    }

    /// A frame for a closure that is called once: see [`Frame::once`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    #[track_caller]
    pub fn once<'a, F>(self, closure: F) -> Result<Frame<'a, P::Unsafe, Once>, PoolFull<F>>
    where
        F: Send + 'a,
        V: 'a,
        once::AtOnce<F, V>: Handler<P::Parameters, P::Result>,
    {
        let site = Site::of::<P, once::AtOnce<F, V>>(self.pool);
        // SAFETY: the entry is that of this signature and handler.
        unsafe { bind_once(site, closure, self.fallback) }
    }
}

#[cfg(feature = "std")]
impl<P: ClosurePointer, V: Fallback<P::Result> + Copy + Send + Sync + 'static> Builder<P, V> {
    /// A frame for a closure that may be exchanged and freed while calls of it run: see [`Frame::guarded`].
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    #[track_caller]
    pub fn guarded<F>(self, closure: F) -> Result<Frame<'static, P::Unsafe, Guarded>, PoolFull<F>>
    where
        F: Send + Sync + 'static,
        Concurrently<F, V>: Handler<P::Parameters, P::Result>,
    {
        let site = Site::guarded::<P, Concurrently<F, V>>(self.pool);
        let guard = Guard { head: (), signature: 0, fallback: self.fallback, afterwards: self.fallback };
        // SAFETY: the entry is that of this signature, and its handler does no more than that.
        unsafe { guarded::bind::<P::Unsafe, P::Parameters, P::Result, F, _, V, V>(site, closure, guard) }
    }
}

#[cfg(feature = "std")]
impl<P: ClosurePointer<Unsafe = P>> Frame<'static, P, Guarded> {
    /// Has calls that begin from now on run another closure, which has no value for C. The address stays the same.
    ///
    /// Calls of the old closure may be under way, on this thread or on others; it is dropped when the last one ends, on
    /// the thread of that one, or now. [`Builder::or`] has no part in this: a frame has the value that it was made with
    /// for calls after its end, and the closure that is set here aborts the process if it panics.
    #[track_caller]
    pub fn set<F>(&self, closure: F)
    where
        F: Send + Sync + 'static,
        Concurrently<F, Abort>: Handler<P::Parameters, P::Result>,
    {
        let site = Site::guarded::<P, Concurrently<F, Abort>>(Pool::shared());
        // SAFETY: the frame is for this signature, and so is the entry.
        unsafe { guarded::set::<P, Guarded, P::Parameters, P::Result, F, (), Abort>(self, site, closure, Abort) };
    }
}

// `ClosurePointer` is asked for by each function: its message would not be shown if it were by the `impl`.
impl<'a, P> Frame<'a, P> {
    /// Binds a closure that any thread may call, also while other calls of it run.
    ///
    /// `P` is the C function pointer type, as a binding declares it: with any ABI, `unsafe` or not, in an `Option` or
    /// not, and with up to 16 parameters, each a [`CType`](crate::CType). The frame gives pointers of the same type,
    /// but `unsafe`. For pointers with lifetimes (`fn(&T)`), and types that are no `CType`, there is
    /// [`frame!`](macro@crate::frame).
    ///
    /// A panic in the closure aborts the process, with its message and the closure's name, unless the ABI of `P` is an
    /// `-unwind` one; [`Builder::or`] gives C a value instead. A closure without captured values takes no memory but
    /// the slot's.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Frame;
    /// use std::ffi::{c_int, c_void};
    ///
    /// // As a binding declares it.
    /// type Compare = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;
    /// # unsafe extern "C" {
    /// #     fn qsort(base: *mut c_void, n: usize, size: usize, compare: Compare);
    /// # }
    ///
    /// let mut numbers = [3, 1, 2];
    /// let descending = true;
    /// let compare = Frame::<Compare>::new(move |a, b| {
    ///     // SAFETY: `qsort` passes the addresses of two elements.
    ///     let (a, b) = unsafe { (*a.cast::<i32>(), *b.cast::<i32>()) };
    ///     if descending { b.cmp(&a) as c_int } else { a.cmp(&b) as c_int }
    /// })?;
    /// // SAFETY: `qsort` calls back before it returns.
    /// unsafe { qsort(numbers.as_mut_ptr().cast(), 3, 4, compare.as_fn()) };
    /// assert_eq!(numbers, [3, 2, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn new<F>(closure: F) -> Result<Frame<'a, P::Unsafe>, PoolFull<F>>
    where
        P: ClosurePointer,
        F: Send + Sync + 'a,
        Concurrently<F, Abort>: Handler<P::Parameters, P::Result>,
    {
        Self::builder().new(closure)
    }

    /// Binds a closure that belongs to this thread: it may be an `FnMut`, and use what is not `Send`.
    ///
    /// A call on another thread, or one that begins while another runs, does not touch the closure: it aborts the
    /// process with a message that names the closure and both threads, or, with [`Builder::or`], reports that and
    /// returns a given value. If the frame is dropped while the closure runs, which the closure itself may do, then the
    /// closure is dropped when it has returned.
    ///
    /// A call that `longjmp` has left holds the closure no longer, as the next call finds; one that a coroutine is in the
    /// middle of does until it returns.
    /// If no other call comes and the frame is dropped where the stack is deeper than that call was, its closure stays
    /// in memory.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{Frame, PoolFull};
    ///
    /// let mut sum = 0;
    /// let add = Frame::<unsafe extern "C" fn(i32)>::local(|x| sum += x).map_err(PoolFull::without_state)?;
    /// // SAFETY: the frame lives.
    /// unsafe {
    ///     add.as_fn()(40);
    ///     add.as_fn()(2);
    /// }
    /// drop(add);
    /// assert_eq!(sum, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn local<F>(closure: F) -> Result<Frame<'a, P::Unsafe, Local>, PoolFull<F>>
    where
        P: ClosurePointer,
        F: 'a,
        local::Locally<F, Abort>: Handler<P::Parameters, P::Result>,
    {
        Self::builder().local(closure)
    }

    /// Binds a closure that C calls once, on any thread: the call frees the slot, then runs the closure.
    ///
    /// The frame may be dropped before the call, which frees the slot, and after it, which does nothing; or
    /// [leaked](Frame::leak), after which all memory is given back by the call. A second call aborts the process with a
    /// message; two calls at once, or one at the moment in which the frame is dropped, are undefined.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{Frame, resolve};
    ///
    /// let text = String::from("taken");
    /// let done = Frame::<unsafe extern "C" fn()>::once(move || drop(text))?.leak();
    /// let is_bound = || resolve(done as *const ()).is_some_and(|found| found.is_bound());
    /// assert!(is_bound());
    /// // SAFETY: the first call.
    /// unsafe { done() };
    /// assert!(!is_bound());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn once<F>(closure: F) -> Result<Frame<'a, P::Unsafe, Once>, PoolFull<F>>
    where
        P: ClosurePointer,
        F: Send + 'a,
        once::AtOnce<F, Abort>: Handler<P::Parameters, P::Result>,
    {
        Self::builder().once(closure)
    }

    /// Binds a closure that may be exchanged ([`set`](Frame::set)) and freed while calls of it run: on other threads, on
    /// this one, or from inside of the closure.
    ///
    /// Each call runs with the closure that was there when it began, and none with parts of two; a closure is dropped when
    /// it has been exchanged or its frame is gone, and the last call that runs it has ended, on the thread of that call.
    /// A call that begins when the frame is gone aborts the process with a message that says who has bound and who has
    /// freed it or, with [`Builder::or`], returns that value. Later the address may belong to another guarded frame of the
    /// same pointer type and pool, never to anything else. For that the slot stays with guarded frames of its signature for
    /// ever, and counts as bound in [`Pool::stats`].
    ///
    /// A call costs some 25 instructions more than one of [`Frame::new`]'s, and no locked one where the kernel has
    /// `membarrier` (Linux 4.14). Not for signal handlers: what a call that ends may have to drop takes a lock.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Frame;
    ///
    /// type Hook = unsafe extern "C" fn() -> i32;
    ///
    /// let frame = Frame::<Hook>::builder().or(0).guarded(|| 1)?;
    /// let hook = frame.as_fn();
    /// std::thread::scope(|s| {
    ///     // SAFETY: it may be called at any time, for nothing else is bound to this type of pointer.
    ///     s.spawn(|| while unsafe { hook() } != 0 {});
    ///     frame.set(|| 2);
    ///     drop(frame);
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn guarded<F>(closure: F) -> Result<Frame<'static, P::Unsafe, Guarded>, PoolFull<F>>
    where
        P: ClosurePointer,
        F: Send + Sync + 'static,
        Concurrently<F, Abort>: Handler<P::Parameters, P::Result>,
    {
        Self::builder().guarded(closure)
    }

    /// Frames with more choices: in which pool, and what C gets if the closure cannot be run.
    pub fn builder() -> Builder<P>
    where
        P: ClosurePointer,
    {
        Builder::start()
    }

    /// Makes the frame call another closure. The address stays the same; the old closure is dropped.
    ///
    /// No call of the pointer may run, or begin on another thread, meanwhile: this is one of the things that
    /// [whoever calls the pointer](Frame#calling-the-pointer) answers for. For closures that are to be exchanged while
    /// they are used there is [`Frame::guarded`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Frame;
    ///
    /// let mut frame = Frame::<unsafe extern "C" fn() -> i32>::new(|| 1)?;
    /// let pointer = frame.as_fn();
    /// frame.set(|| 2);
    /// // SAFETY: the frame lives.
    /// assert_eq!(unsafe { pointer() }, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn set<F>(&mut self, closure: F)
    where
        P: ClosurePointer<Unsafe = P>,
        F: Send + Sync + 'a,
        Concurrently<F, Abort>: Handler<P::Parameters, P::Result>,
    {
        Builder::<P>::start().set(self, closure);
    }
}

impl<'a> Frame<'a, unsafe extern "C" fn(), Raw> {
    /// Binds a closure that gets the state of the CPU, whatever C passes: no signature is needed.
    ///
    /// As for `#[cbframe(abi = "raw")]`: the general registers, flags, and xmm registers are there, may be changed, and
    /// are loaded when the closure returns. [`Frame::as_fn_of`] gives a pointer of any type.
    ///
    /// # Errors
    ///
    /// If the pool has no slot; the closure is in the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Frame;
    ///
    /// let twice = Frame::raw(|cpu| cpu.rax = cpu.rdi * 2)?;
    /// let twice_i64 = twice.as_fn_of::<unsafe extern "sysv64" fn(i64) -> i64>();
    /// // SAFETY: the frame lives; the closure leaves the registers alone that the ABI preserves.
    /// assert_eq!(unsafe { twice_i64(21) }, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn raw<F>(closure: F) -> Result<Self, PoolFull<F>>
    where
        F: Fn(&mut CpuState) + Send + Sync + 'a,
    {
        let site = Site {
            pool: Pool::shared(),
            entry: raw_entry::<Concurrently<F, Abort>>(),
            meta: <Concurrently<F, Abort> as RawHandler>::META,
            at: Location::caller(),
        };
        // SAFETY: the entry is that of a raw callback with this handler.
        unsafe { bind_shared(site, closure, Abort) }
    }
}
