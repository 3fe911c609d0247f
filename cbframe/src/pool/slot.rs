//! Slots, their records, and what is reported about them.

use core::fmt;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::abi::Layout;
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
}

/// The data of one stub. The stubs know this layout: the entry, then ctx.
#[repr(C)]
pub struct Slot {
    entry: AtomicPtr<()>,
    ctx: AtomicPtr<()>,
}

const _: () = assert!(size_of::<Slot>() == 16 && core::mem::offset_of!(Slot, ctx) == 8);

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
    pub name: &'static str,
    /// Each parameter as it was written, in the order of the C signature.
    pub parameters: &'static [&'static str],
    /// Where its arguments lie, if every type is a `CType`.
    pub layout: Option<Layout>,
}

/// Diagnostics of one slot, kept from a `bind` until the next.
pub struct Record {
    meta: AtomicPtr<Meta>,
    bound: AtomicPtr<Location<'static>>,
    /// While the slot is bound: 1 if a call holds the `&mut` state, else 0. After: who freed it, as an odd
    /// number 2 × thread + 1, or the address of a `Location`.
    status: AtomicUsize,
    state: AtomicPtr<()>,
}

const _: () = assert!(size_of::<Record>() == 32 && align_of::<Location<'static>>() >= 2);

impl Record {
    /// The record of a slot that was never bound.
    #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for arrays of statics")]
    pub const EMPTY: Self = Self {
        meta: AtomicPtr::new(ptr::null_mut()),
        bound: AtomicPtr::new(ptr::null_mut()),
        status: AtomicUsize::new(0),
        state: AtomicPtr::new(ptr::null_mut()),
    };

    /// What a slot has for ctx when the record is meant.
    #[inline]
    pub(super) fn ctx(&'static self) -> *mut () {
        ptr::from_ref(self).cast_mut().cast()
    }

    #[inline]
    pub(super) fn bind(&self, meta: &'static Meta, at: &'static Location<'static>, state: *mut ()) {
        self.meta.store(ptr::from_ref(meta).cast_mut(), Ordering::Relaxed);
        self.bound.store(ptr::from_ref(at).cast_mut(), Ordering::Relaxed);
        self.status.store(0, Ordering::Relaxed);
        self.state.store(state, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn free(&self, by: Freed) {
        let status = match by {
            Freed::At(location) => ptr::from_ref(location).expose_provenance(),
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
        if record.status.swap(1, Ordering::Acquire) != 0 {
            report_busy(record);
        }
        Self { record }
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
        self.record.status.store(0, Ordering::Release);
    }
}

#[cold]
#[inline(never)]
fn report_busy(record: &Record) -> ! {
    let name = record.meta().map_or("a callback", |meta| meta.name);
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
pub(crate) unsafe extern "sysv64" fn report_stale_call(record: *const Record) -> ! {
    // SAFETY: a freed slot's ctx is the address of its record, which is static.
    let record = unsafe { &*record };
    let name = record.meta().map_or("a callback", |meta| meta.name);
    let bound = Where("bound at ", record.bound());
    let status = record.status.load(Ordering::Relaxed);
    let advice = "C still holds its pointer: unregister the callback before its frame goes, or `leak` the frame.";
    match status {
        0 => os::die(format_args!("a call to `{name}`, which is being freed; {bound}. {advice}")),
        _ if status & 1 == 1 => os::die(format_args!(
            "a call to `{name}`, which is not bound any more: {bound}, dropped by {}. {advice}",
            os::Thread::from_bits(status >> 1)
        )),
        _ => {
            let location = ptr::with_exposed_provenance::<Location<'static>>(status);
            // SAFETY: an even status that is not 0 is the address of a `&'static Location` (`Freed`).
            let freed = Where("freed at ", unsafe { location.as_ref() });
            os::die(format_args!("a call to `{name}`, which is not bound any more: {bound}, {freed}. {advice}"))
        }
    }
}

/// Who gave a slot back.
pub(crate) enum Freed {
    /// `free()` at this place.
    At(&'static Location<'static>),
    /// A drop, on the calling thread.
    Dropped,
}
