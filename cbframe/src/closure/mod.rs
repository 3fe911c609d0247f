//! Closures behind function pointers: the kinds of frames for them, and what each does with a call.

#[cfg(feature = "alloc")]
mod bind;
#[cfg(feature = "alloc")]
mod build;
#[cfg(feature = "alloc")]
mod calls;
mod enter;
#[cfg(feature = "alloc")]
mod fallback;
#[cfg(feature = "std")]
mod guarded;
#[cfg(feature = "std")]
mod hazard;
#[cfg(feature = "alloc")]
mod local;
#[cfg(feature = "alloc")]
mod once;
#[cfg(feature = "alloc")]
mod scope;

use core::marker::PhantomData;

use crate::pool::Meta;
use crate::signature::{Described, Description, FnPointer};

#[cfg(feature = "alloc")]
pub(crate) use bind::rebind_shared;
#[cfg(feature = "alloc")]
pub use bind::{Site, bind_local, bind_once, bind_shared};
#[cfg(feature = "alloc")]
pub use build::Builder;
#[cfg(feature = "alloc")]
pub(crate) use calls::Concurrently;
#[cfg(feature = "alloc")]
pub(crate) use calls::RawHandler;
#[cfg(feature = "alloc")]
pub use calls::{call_local, call_once, call_shared};
pub(crate) use enter::Enter;
#[cfg(feature = "alloc")]
pub(crate) use enter::raw_entry;
#[cfg(feature = "std")]
pub(crate) use fallback::Refused;
#[cfg(feature = "alloc")]
pub use fallback::{Abort, Fallback};
#[cfg(feature = "std")]
pub use fallback::{FallbackValue, value};
#[cfg(feature = "std")]
pub use guarded::Guarded;
#[cfg(feature = "std")]
pub(crate) use guarded::{Control, Guard, bind as bind_guarded, set as set_guarded};
#[cfg(feature = "std")]
pub(crate) use hazard::calls_need_barriers;
#[cfg(feature = "alloc")]
pub(crate) use local::Locally;
#[cfg(feature = "alloc")]
pub(crate) use once::AtOnce;
#[cfg(feature = "alloc")]
pub use scope::{Scope, scope};

/// The callback of a frame is a closure that any thread may call: see [`Frame::new`](crate::Frame::new).
pub struct Closure(());

/// The callback of a frame is a closure that one thread may call: see [`Frame::local`](crate::Frame::local).
pub struct Local(PhantomData<*const ()>);

/// The callback of a frame is a closure that may be called once: see [`Frame::once`](crate::Frame::once).
pub struct Once(());

/// The callback of a frame is a closure that gets the state of the CPU: see [`Frame::raw`](crate::Frame::raw).
pub struct Raw(());

impl Described for Raw {
    const DESCRIPTION: Description = Description::Raw;
}

/// What is known of the signature of a frame with the pointer type `P`.
pub trait Describes<P> {
    /// The description.
    const OF_POINTER: Description;
}

impl<P, C: Described> Describes<P> for C {
    const OF_POINTER: Description = C::DESCRIPTION;
}

macro_rules! as_the_pointer {
    ($($kind:ty),*) => { $(
        impl<P: FnPointer> Describes<P> for $kind {
            const OF_POINTER: Description = Description::Layout(*P::LAYOUT);
        }
    )* };
}

as_the_pointer! { Closure, Local, Once }
#[cfg(feature = "std")]
as_the_pointer! { Guarded }

/// What the entries for a closure call, for a signature with the parameters `P`, a tuple, and the result `R`.
///
/// Types of this kind are never made: they say what ctx is, and what is done with it.
#[diagnostic::on_unimplemented(
    message = "this closure has not the signature of the function pointer: the parameters are `{P}`, the result is `{R}`",
    label = "another number of parameters, or other types"
)]
pub trait Handler<P, R> {
    /// The name of the closure's type.
    fn name() -> &'static str;

    /// Runs the closure, for a callback that is told of in `meta` and whose calls may unwind if `unwind`.
    ///
    /// # Safety
    ///
    /// `ctx` is that of a slot which is bound to a state of this handler.
    unsafe fn handle(ctx: *const (), arguments: P, meta: &'static Meta, unwind: bool) -> R;
}

/// Checks the arguments, and runs the handler `$handler` with them.
macro_rules! run {
    ($convention:ty, $handler:ident, $ctx:expr, $($ty:ident $arg:ident)*) => {{
        let meta = <($($ty,)*) as Enter<$convention, R>>::meta::<$handler>();
        let _index = 0;
        $(
            $crate::private::Probe::<$ty, ()>::__cbframe_check(&$arg, meta, _index);
            let _index = _index + 1;
        )*
        $handler::handle($ctx, ($($arg.assume_init(),)*), meta, <$convention>::UNWIND)
    }};
}
pub(crate) use run;
