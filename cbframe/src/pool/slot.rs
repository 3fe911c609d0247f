//! Slots, their records, and what is reported about them.

use core::fmt;
use core::mem;
use core::panic::Location;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::growth::BURIED;
use super::{Binding, Bound};
use crate::abi::Layout;
use crate::activation::{self, Activation, Code};
use crate::arch::stale_entry;
use crate::os;

/// The address of an entry; never called as a Rust function.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Entry(unsafe extern "C" fn());

impl Entry {
    /// The entry at `function`.
    ///
    /// # Safety
    ///
    /// `function` is a naked function that expects what a stub leaves: ctx on the stack above the return
    /// address; and it treats ctx as what the slot that is given this entry holds.
    pub const unsafe fn new(function: unsafe extern "C" fn()) -> Self {
        Self(function)
    }

    /// Where it is.
    #[cfg(feature = "std")]
    pub(crate) fn address(self) -> usize {
        (self.0 as *const ()).addr()
    }
}

/// The data of one stub. The stubs know this layout: the entry, then ctx, and 16 bytes from one to the next, as for stubs.
#[repr(C, align(16))]
pub struct Slot {
    entry: AtomicPtr<()>,
    ctx: AtomicPtr<()>,
}

const _: () = assert!(size_of::<Slot>() == 16 && mem::offset_of!(Slot, ctx) == size_of::<usize>());

impl Slot {
    /// A slot that no stub's address has been given out for.
    #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for arrays of statics")]
    pub const EMPTY: Self = Self { entry: AtomicPtr::new(ptr::null_mut()), ctx: AtomicPtr::new(ptr::null_mut()) };

    /// Makes the slot's stub lead to `entry`.
    #[inline]
    pub(super) fn bind(&self, entry: Entry, ctx: *mut ()) {
        self.ctx.store(ctx, Ordering::Relaxed);
        self.entry.store(entry.0 as *mut (), Ordering::Release);
    }

    /// Makes a call of the slot's stub report `record` and abort.
    #[inline]
    pub(super) fn free(&self, record: &'static Record) {
        self.ctx.store(record.ctx(), Ordering::Relaxed);
        self.entry.store(stale_entry as *mut (), Ordering::Release);
    }

    /// A slot that never changes, for a stub of its own.
    pub const fn fixed(entry: Entry, ctx: *const ()) -> Self {
        Self { entry: AtomicPtr::new(entry.0 as *mut ()), ctx: AtomicPtr::new(ctx.cast_mut()) }
    }
}

/// What is known about a callback, for messages, `resolve` and the dump.
pub struct Meta {
    /// Its path.
    pub name: Name,
    /// Each parameter as it was written, in the order of the C signature.
    pub parameters: &'static [&'static str],
    /// Where its arguments lie, if every type is a `CType`.
    pub layout: Option<Layout<'static>>,
}

impl Meta {
    /// The path of the callback.
    pub fn name(&self) -> &'static str {
        match self.name {
            Name::Path(path) => path,
            Name::Type(name) => name(),
        }
    }

    /// Whether it is no function.
    pub(crate) const fn is_closure(&self) -> bool {
        matches!(self.name, Name::Type(_))
    }
}

/// What a callback is called.
pub enum Name {
    /// The path of a function.
    Path(&'static str),
    /// The name of a closure's type, which is not known to constants.
    Type(fn() -> &'static str),
}

/// A state that is bound, and how it is given back.
#[derive(Clone, Copy)]
pub struct Owned {
    pub(crate) state: NonNull<()>,
    /// `None`: the slot is freed, and the state was only lent.
    pub(crate) release: Option<Release>,
}

/// Ends the use of a state by a slot, which it frees if that is the ending.
pub(crate) type Release = unsafe fn(&Bound, NonNull<()>, Ending);

/// How a slot's use of a state ends.
pub(crate) enum Ending {
    /// The slot is to be freed, and the state dropped.
    Free(Freed),
    /// The slot is bound to another state already: this one is to be dropped.
    Replace,
    /// Both are left to the callback, for ever.
    Leak,
}

/// Diagnostics of one slot, kept from a `bind` until the next.
pub struct Record {
    meta: AtomicPtr<Meta>,
    bound: AtomicPtr<Location<'static>>,
    /// While the slot is bound: the address of the activation that holds the `&mut` state, or 0. After: who freed it, as an odd
    /// number 2 × thread + 1, the address of a `Location`, or [`CALLED`].
    status: AtomicUsize,
    state: AtomicPtr<()>,
    /// How the state is given back: a [`Release`], or null.
    release: AtomicPtr<()>,
}

/// The status of a slot that was freed by its own call.
const CALLED: usize = 2;

const _: () = assert!(size_of::<Record>() == 5 * size_of::<usize>() && align_of::<Location<'static>>() > CALLED);

impl Record {
    /// The record of a slot that was never bound.
    #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for arrays of statics")]
    pub const EMPTY: Self = Self {
        meta: AtomicPtr::new(ptr::null_mut()),
        bound: AtomicPtr::new(ptr::null_mut()),
        status: AtomicUsize::new(0),
        state: AtomicPtr::new(ptr::null_mut()),
        release: AtomicPtr::new(ptr::null_mut()),
    };

    /// What a slot has for ctx when the record is meant.
    #[inline]
    pub(super) fn ctx(&'static self) -> *mut () {
        ptr::from_ref(self).cast_mut().cast()
    }

    #[inline]
    pub(super) fn bind(&self, binding: &Binding) {
        self.meta.store(ptr::from_ref(binding.meta).cast_mut(), Ordering::Relaxed);
        self.bound.store(ptr::from_ref(binding.at).cast_mut(), Ordering::Relaxed);
        self.status.store(0, Ordering::Relaxed);
        self.state.store(binding.owned.state.as_ptr(), Ordering::Relaxed);
        let release = binding.owned.release.map_or(ptr::null_mut(), |release| release as *mut ());
        self.release.store(release, Ordering::Relaxed);
    }

    /// Notes that the slot was freed by who keeps it.
    #[cfg(feature = "std")]
    pub(super) fn rest(&self, by: Freed) {
        self.state.store(ptr::null_mut(), Ordering::Relaxed);
        self.free(by);
    }

    /// What is bound; `None` if nothing is: the slot is resting.
    pub(super) fn owned(&self) -> Option<Owned> {
        let release = self.release.load(Ordering::Relaxed);
        // SAFETY: null, or from the `Release` that a `bind` stored; `Option` of a function pointer has null for `None`.
        let release = unsafe { mem::transmute::<*mut (), Option<Release>>(release) };
        Some(Owned { state: NonNull::new(self.state.load(Ordering::Relaxed))?, release })
    }

    #[inline]
    pub(super) fn free(&self, by: Freed) {
        let status = match by {
            Freed::At(location) => ptr::from_ref(location).expose_provenance(),
            Freed::Called => CALLED,
            Freed::Dropped => os::Thread::current().bits() << 1 | 1,
        };
        self.status.store(status, Ordering::Relaxed);
    }

    pub(super) fn meta(&self) -> Option<&'static Meta> {
        // SAFETY: null, or from the `&'static Meta` that a `bind` stored.
        unsafe { self.meta.load(Ordering::Relaxed).as_ref() }
    }

    pub(super) fn bound(&self) -> Option<&'static Location<'static>> {
        // SAFETY: null, or from the `&'static Location` that a `bind` stored.
        unsafe { self.bound.load(Ordering::Relaxed).as_ref() }
    }
}

/// The exclusive use of a `&mut` state by one call.
pub struct Exclusive<'a> {
    record: &'a Record,
    activation: Activation,
}

impl<'a> Exclusive<'a> {
    /// Takes the state for this call.
    ///
    /// A call while another holds the state, be it further up on the same stack or on another thread, aborts
    /// the process with a message.
    ///
    /// # Safety
    ///
    /// `ctx` is the ctx of a slot that was bound with exclusive state and is still bound.
    #[inline(always)]
    pub unsafe fn enter(ctx: *const ()) -> Self {
        // SAFETY: such a slot's ctx is the address of its record, which is static.
        let record = unsafe { &*ctx.cast::<Record>() };
        let activation = Activation::here();
        let status = &record.status;
        if let Err(other) = status.compare_exchange(0, activation.address(), Ordering::Acquire, Ordering::Relaxed) {
            take_over(record, other, activation, Code::here());
        }
        Self { record, activation }
    }

    /// The state; exclusive until `self` is dropped.
    #[inline(always)]
    pub fn state(&self) -> *mut () {
        self.record.state.load(Ordering::Relaxed)
    }
}

impl Drop for Exclusive<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.record.status.load(Ordering::Relaxed) != self.activation.address() {
            report_dead(self.record);
        }
        self.record.status.store(0, Ordering::Release);
    }
}

/// Takes the state from the activation `other` if that is over, or does not return.
#[cold]
#[inline(never)]
fn take_over(record: &Record, other: usize, activation: Activation, code: Code) {
    let is_over = Activation::at(other).is_none_or(|other| other.is_over_for(activation, code));
    let status = &record.status;
    // Whoever left the other activation did so on this thread, so there is nothing to acquire.
    if !is_over || status.compare_exchange(other, activation.address(), Ordering::Acquire, Ordering::Relaxed).is_err() {
        report_busy(record);
    }
}

#[cold]
#[inline(never)]
fn report_dead(record: &Record) -> ! {
    activation::report_dead(record.meta().map_or("a callback", Meta::name))
}

#[cold]
#[inline(never)]
fn report_busy(record: &Record) -> ! {
    let name = record.meta().map_or("a callback", Meta::name);
    let bound = record.bound();
    os::die(format_args!(
        "`{name}` was called while another call of it was still running: its state is `&mut`, so calls may \
         neither nest nor overlap ({}). Take the state by `&` and use atomics or a lock inside, or bind a second \
         state.",
        Where("bound at ", bound)
    ))
}

/// A place in the source, if it is known.
struct Where(&'static str, Option<&'static Location<'static>>);

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(location) => write!(f, "{}{location}", self.0),
            None => write!(f, "{}an unknown place", self.0),
        }
    }
}

/// A call of a stub whose slot is not bound any more. `record` is the slot's.
pub(crate) unsafe fn report_stale_call(record: *const Record) -> ! {
    // SAFETY: a freed slot's ctx is the address of its record, which is static.
    let record = unsafe { &*record };
    let name = record.meta().map_or("a callback", Meta::name);
    let bound = Where("bound at ", record.bound());
    let status = record.status.load(Ordering::Relaxed);
    let advice = "C still holds its pointer: unregister the callback before its frame goes, or `leak` the frame.";
    if ptr::eq(record, &BURIED) {
        os::die(format_args!(
            "a call to a callback that is not bound any more, nor any other of its block: what it was is forgotten. {advice}"
        ));
    }
    match status {
        0 => os::die(format_args!("a call to `{name}`, which is being freed; {bound}. {advice}")),
        CALLED => os::die(format_args!(
            "a second call to `{name}`, which may be called once and has been; {bound}. Bind it with `new` or \
             `local` if C calls it more than once."
        )),
        _ if status & 1 == 1 => os::die(format_args!(
            "a call to `{name}`, which is not bound any more: {bound}, dropped by {}. {advice}",
            os::Thread::from_bits(status >> 1)
        )),
        _ => {
            let location = ptr::with_exposed_provenance::<Location<'static>>(status);
            // SAFETY: any other even status is the address of a `&'static Location` (`Freed`).
            let freed = Where("freed at ", unsafe { location.as_ref() });
            os::die(format_args!("a call to `{name}`, which is not bound any more: {bound}, {freed}. {advice}"))
        }
    }
}

/// Who gave a slot back.
pub(crate) enum Freed {
    /// `free()` at this place.
    At(&'static Location<'static>),
    /// Its own call: it was to be called once.
    Called,
    /// A drop, on the calling thread.
    Dropped,
}
