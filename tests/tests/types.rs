//! Each type alone, as a parameter and as the result, and each aggregate where registers run out.

#![allow(
    non_snake_case,
    unused_imports,
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

include!(concat!(env!("OUT_DIR"), "/types_signatures.rs"));
