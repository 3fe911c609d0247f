//! Signatures of 0 to 14 parameters of mixed types, on every lane and in every form.

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

use cbframe::{CpuState, Frame, bind_static, cbframe};
use cbframe_tests::call::{self, Bits, Leaf, Run, Signature, State, Type};
use cbframe_tests::types::*;

include!(concat!(env!("OUT_DIR"), "/mixed_signatures.rs"));
