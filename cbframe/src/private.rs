//! Everything that generated code names, and nothing else. Not part of the public interface.

pub use crate::types::{CType, Field, Kind, Type};
pub use core;
