//! What 32-bit x86 and x86-64 have in common: the x87 unit, and the modes of floating point.

mod fenv;
mod x87;

pub use fenv::with_default_fenv;
pub use x87::{F80, Fxsave, LongDouble};
