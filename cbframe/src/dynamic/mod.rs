//! Signatures that are known at run time only: callbacks that have one, and calls with one.
//!
//! `value` and `object` are what is passed, `call` is a call that a callback gets, `frame` the callback, `guarded` one that may be exchanged
//! while it is called, `record` what is kept of
//! calls; `invoke` is a call in the other direction; `typed` is the same with types that the compiler knows, for `call!`.

mod call;
mod frame;
#[cfg(feature = "std")]
mod guarded;
mod invoke;
mod object;
mod prepared;
#[cfg(feature = "std")]
mod record;
mod typed;
mod value;

pub use call::{Argument, Call, Reply, Scalar};
pub use frame::{DynBuilder, DynFrame, Dynamic, Misfit};
pub use invoke::CallError;
pub use object::Object;
#[cfg(feature = "std")]
pub use record::{Record, Recorder};
pub use typed::{Address, Arguments, By, Named, Rules, Variadic, call_typed, call_typed_errno};
pub use value::{Value, ValueError};
