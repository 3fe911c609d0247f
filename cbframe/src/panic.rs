//! Where a panic ends that leaves a callback: the process aborts with the callback's name, or C gets the value of
//! `on_panic`, and the panic may go on once C is back (`scope.rs`). The `-unwind` ABIs need nothing of this.

#[cfg(feature = "std")]
mod scope;

use core::mem;

use crate::os;
use crate::pool::Meta;
#[cfg(feature = "std")]
pub use scope::{catch, resume_panics};

/// Stands in a frame that must not be unwound: who unwinds it aborts the process.
///
/// Where nobody does, it costs no instruction: it is a landing pad.
#[must_use = "a frame may be unwound before its guard stands in it"]
pub struct NoUnwind {
    meta: &'static Meta,
    /// `None`: the frame may be unwound all the same.
    report: Option<fn(&'static Meta) -> !>,
}

impl NoUnwind {
    /// For the frame of a callback that C has called.
    #[inline(always)]
    pub const fn callback(meta: &'static Meta) -> Self {
        Self { meta, report: Some(report_callback) }
    }

    /// The same, unless it may be unwound.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) const fn callback_unless(unwind: bool, meta: &'static Meta) -> Self {
        if unwind { Self { meta, report: None } } else { Self::callback(meta) }
    }

    /// Nobody did.
    #[inline(always)]
    pub const fn disarm(self) {
        mem::forget(self);
    }
}

impl Drop for NoUnwind {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(report) = self.report {
            report(self.meta);
        }
    }
}

#[cold]
#[inline(never)]
fn report_callback(meta: &'static Meta) -> ! {
    let unwinds = how_to_unwind(meta);
    // Where a panic was on its way already, an exception that comes on top of it is taken for one.
    #[cfg(feature = "std")]
    if std::thread::panicking() {
        let value = if meta.is_closure() { "give C a value by `or` of a builder" } else { "`on_panic = ...`" };
        os::die(format_args!(
            "`{}` panicked, and its caller is C, which cannot be unwound: use {unwinds}, or {value}",
            meta.name()
        ))
    }
    let what = if cfg!(feature = "std") { "was left" } else { "panicked, or was left" };
    os::die(format_args!(
        "`{}` {what} by an exception of another language, and its caller is C, which cannot be unwound: use {unwinds}",
        meta.name()
    ))
}

/// What to use for a callback that is to be unwound.
fn how_to_unwind(meta: &Meta) -> &'static str {
    if meta.is_closure() {
        "a pointer type with -unwind, or `unwind` for a `Signature`"
    } else {
        "an ABI string with -unwind"
    }
}

#[cold]
#[inline(never)]
fn report_fallback(meta: &'static Meta) -> ! {
    os::die(format_args!("the `on_panic` of `{}` panicked, so that there is no value for C", meta.name()))
}

/// The value of `on_panic`.
#[inline(always)]
pub fn fall_back<R>(meta: &'static Meta, value: impl FnOnce() -> R) -> R {
    let guard = NoUnwind { meta, report: Some(report_fallback) };
    let value = value();
    guard.disarm();
    value
}

/// What `on_panic` finds in a build that cannot catch a panic.
#[cfg(not(feature = "std"))]
pub fn catch<H: CanBeCaught>(_: &'static Meta, _: H) -> Option<H::Result> {
    None
}

/// Nothing implements this.
#[cfg(not(feature = "std"))]
#[diagnostic::on_unimplemented(
    message = "`on_panic` needs the feature `std` of cbframe",
    label = "nothing can catch a panic here",
    note = "enable the feature, or remove `on_panic`: a panic then aborts the process"
)]
pub trait CanBeCaught {
    /// What the handler returns.
    type Result;
}
