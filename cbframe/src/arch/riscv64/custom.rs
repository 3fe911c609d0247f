//! `abi = "custom"`, which there is not: expansions name this before they are refused.

use super::state::CpuState;
use crate::abi::Parameter;

/// # Safety
///
/// Never called.
pub unsafe fn give_exactly<T>(_: *mut CpuState, _: &'static Parameter, _: T) {
    unreachable!("no callback has `abi = \"custom\"` here")
}
