//! Arguments behind `...`: each type alone and where registers run out, and mixtures.

#![allow(
    non_snake_case,
    unused_imports,
    unused_mut,
    unused_variables,
    improper_ctypes_definitions,
    unreachable_pub,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "generated"
)]

use std::ffi::c_void;
use std::ptr::NonNull;

use cbframe::{CpuState, bind_static, cbframe};
use cbframe_tests::call::{self, Bits, Leaf, Run, Signature, State, Type};
use cbframe_tests::types::*;

include!(concat!(env!("OUT_DIR"), "/variadic_signatures.rs"));
