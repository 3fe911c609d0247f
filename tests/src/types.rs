//! The types of generated signatures, and their descriptions.

#![allow(missing_docs, clippy::allow_attributes_without_reason, reason = "generated")]

use std::ffi::c_void;
use std::ptr::NonNull;

pub use crate::machine::*;

use cbframe::CType;
pub use cbframe::{Float16, Float128, LongDouble};
pub use num_complex::Complex;

use crate::call::{Bits, Leaf, Type};

include!(concat!(env!("OUT_DIR"), "/types.rs"));
