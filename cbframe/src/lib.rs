//! Rust functions with state as bare C function pointers.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The derive names this crate as users do.
extern crate self as cbframe;

pub mod abi;
pub mod types;

pub use cbframe_macros::CType;
pub use types::{CType, NeverNull};

#[doc(hidden)]
pub mod private;
