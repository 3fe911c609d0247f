//! From one description of types and signatures: the C callers, the Rust callbacks, and what both are told.

pub(crate) mod c;
pub(crate) mod random;
pub(crate) mod rust;
pub(crate) mod signatures;
pub(crate) mod types;
