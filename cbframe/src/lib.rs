//! Rust functions with state as bare C function pointers.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The derive names this crate as users do.
extern crate self as cbframe;

pub mod abi;
mod arch;
mod frame;
mod os;
mod pool;
mod signature;
pub mod types;

pub use arch::{CpuState, F80, Fxsave, Xmm};
pub use cbframe_macros::{CType, cbframe};
pub use frame::{ExclusiveState, Frame, PoolFull, SharedState};
pub use pool::{Pool, Resolved, Stats, resolve};
pub use signature::FnPointer;
pub use types::{CType, NeverNull};

#[doc(hidden)]
pub mod private;
