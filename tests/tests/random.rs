//! Signatures that were made up: `CBFRAME_RANDOM_SIGNATURES` in the environment of the build says how many.

#![allow(non_snake_case, unused_imports, improper_ctypes_definitions, clippy::all, reason = "generated")]

use std::ffi::c_void;
use std::ptr::NonNull;

use cbframe::{CpuState, bind_static, cbframe};
use cbframe_tests::call::{self, Run, Signature, State};
use cbframe_tests::types::*;

include!(concat!(env!("OUT_DIR"), "/random_signatures.rs"));
