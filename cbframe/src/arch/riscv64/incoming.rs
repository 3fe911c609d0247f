//! Entries for callbacks whose signature is known at run time only: each stores whatever registers may carry arguments.
//!
//! Stubs lead to one of a few entries, by whether arguments or the result are in floating-point registers.

use super::capture::{ARGUMENTS, Capture, Group, Registers};
use super::state::CpuState;
use crate::__cbframe_captured_entry as captured_entry;
use crate::abi::{Abi, Layout, Parameter, Place, Register};
use crate::arch::dynamic::{Head, Seen};
use crate::arch::moves::{give_part, is_extended};
use crate::pool::Entry;

/// Puts the result into its registers; in memory it is already, if its place is there.
///
/// # Safety
///
/// `cpu` is a state of an entry for this signature, and `from` has the bytes of the result.
#[inline]
pub(crate) unsafe fn give_result(cpu: *mut CpuState, _: Abi, result: &Parameter, _hidden: *mut u8, from: *const u8) {
    let Place::Registers(parts) = result.place else { return };
    let extended = is_extended(&result.ty);
    for &part in parts.as_slice() {
        // SAFETY: the caller's promise; the entry loads the registers that the place names.
        unsafe { give_part(cpu, Some(part), from, extended) };
    }
}

/// Runs what ctx leads to.
///
/// # Safety
///
/// The entry passes its own state, and the slot's ctx.
unsafe extern "C-unwind" fn dispatch(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: the caller's promise: such a slot's ctx leads to a head.
    unsafe { ((*ctx.cast::<Head>()).run)(cpu, ctx) }
}

/// a0 and a1.
const INTEGER_RESULT: Registers = 0b11 << 10;
/// These, and fa0 and fa1: a struct may be in one of each.
const FLOAT_RESULT: Registers = INTEGER_RESULT | 0b11 << (32 + 10);
const SEEN: u32 = Group::Gpr.bit() | Group::Fpr.bit();

captured_entry!(integers, Capture::dynamic(INTEGER_RESULT, 0).without_floats(), dispatch);
captured_entry!(floats, Capture::dynamic(INTEGER_RESULT, 0), dispatch);
captured_entry!(float_result, Capture::dynamic(FLOAT_RESULT, 0), dispatch);
captured_entry!(state, Capture::dynamic(0, SEEN), dispatch);

/// Whether the value, or a piece of it, is in a floating-point register.
fn in_floats(place: &Place) -> bool {
    match place {
        Place::Registers(parts) => parts.as_slice().iter().any(|part| matches!(part.register, Register::Vector(_))),
        _ => false,
    }
}

/// Whether arguments are in floating-point registers.
fn has_floats(layout: &Layout<'_>) -> bool {
    layout.parameters().iter().any(|parameter| in_floats(&parameter.place))
}

/// The registers that [`dynamic_entry`] has stored for callbacks of this layout which see the arguments' only.
pub(crate) fn seen_arguments(layout: &Layout<'_>) -> Registers {
    if has_floats(layout) || in_floats(&layout.result().place) { ARGUMENTS } else { ARGUMENTS & u64::from(u32::MAX) }
}

/// The entry for callbacks of this layout whose ctx leads to a [`Head`]; `None` if there is none. It notes in the state what is
/// there unless the callback sees the arguments' registers only.
///
/// # Panics
///
/// If the convention is one of another architecture.
pub(crate) fn dynamic_entry(layout: &Layout<'_>, seen: Seen) -> Option<Entry> {
    crate::arch::check_native(layout.abi());
    // No function pops arguments here.
    if layout.pops() != 0 {
        return None;
    }
    let function: unsafe extern "C" fn() = match (layout.abi(), seen) {
        (Abi::Lp64d, Seen::Arguments) if in_floats(&layout.result().place) => float_result,
        (Abi::Lp64d, Seen::Arguments) if has_floats(layout) => floats,
        (Abi::Lp64d, Seen::Arguments) => integers,
        (Abi::Lp64d, Seen::State) => state,
        (abi, _) => super::foreign(abi),
    };
    // SAFETY: each entry passes ctx on to its dispatcher, which takes it for the address of a head.
    Some(unsafe { Entry::new(function) })
}
