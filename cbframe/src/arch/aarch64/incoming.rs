//! Entries for callbacks whose signature is known at run time only: each stores whatever registers may carry arguments.
//!
//! Stubs lead to one of a few entries, by whether arguments or the result are in vector registers. For `abi = "custom"`
//! everything is stored and loaded, which preserves whatever it preserves.

use super::capture::{ARGUMENTS, Capture, Group, Registers, offset};
use super::state::CpuState;
use crate::__cbframe_captured_entry as captured_entry;
use crate::abi::{Abi, Layout, Parameter, Place, Register, extension};
use crate::arch::dynamic::{Head, Seen};
use crate::arch::moves::give_part;
use crate::pool::Entry;

/// Puts the result into its registers; in memory it is already, if its place is there.
///
/// # Safety
///
/// `cpu` is a state of an entry for this signature, and `from` has the bytes of the result.
#[inline]
pub(crate) unsafe fn give_result(cpu: *mut CpuState, abi: Abi, result: &Parameter, _hidden: *mut u8, from: *const u8) {
    let Place::Registers(parts) = result.place else { return };
    let exact = matches!(abi, Abi::Custom);
    let signed = extension(&result.ty) == 2 && !exact;
    for &part in parts.as_slice() {
        // SAFETY: the caller's promise; the entry loads the registers that the place names.
        unsafe {
            if let (Register::Vector(_), true) = (part.register, exact) {
                cpu.byte_offset(offset(part.register, part.size)).cast::<u64>().write_bytes(0, 2);
            }
            give_part(cpu, Some(part), from, signed);
        }
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

/// x0 and x1.
const INTEGER_RESULT: Registers = 0b11;
/// v0 to v3.
const VECTOR_RESULT: Registers = 0b1111 << 32;
const SEEN: u32 = Group::Gpr.bit() | Group::Flags.bit() | Group::Simd.bit();

captured_entry!(integers, Capture::dynamic(INTEGER_RESULT, 0).without_vectors(), dispatch);
captured_entry!(vectors, Capture::dynamic(INTEGER_RESULT, 0), dispatch);
captured_entry!(vector_result, Capture::dynamic(VECTOR_RESULT, 0), dispatch);
captured_entry!(state, Capture::dynamic(0, SEEN), dispatch);

/// Whether the value, or a piece of it, is in a vector register.
fn in_vectors(place: &Place) -> bool {
    match place {
        Place::Registers(parts) => parts.as_slice().iter().any(|part| matches!(part.register, Register::Vector(_))),
        _ => false,
    }
}

/// Whether arguments may be in vector registers.
fn has_vectors(layout: &Layout<'_>) -> bool {
    layout.is_variadic() || layout.parameters().iter().any(|parameter| in_vectors(&parameter.place))
}

/// The registers that [`dynamic_entry`] has stored for callbacks of this layout which see the arguments' only.
pub(crate) fn seen_arguments(layout: &Layout<'_>) -> Registers {
    let stored = ARGUMENTS | 1 << 8;
    if has_vectors(layout) || in_vectors(&layout.result().place) { stored } else { stored & u64::from(u32::MAX) }
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
        (Abi::Aapcs64, Seen::Arguments) if in_vectors(&layout.result().place) => vector_result,
        (Abi::Aapcs64, Seen::Arguments) if has_vectors(layout) => vectors,
        (Abi::Aapcs64, Seen::Arguments) => integers,
        (Abi::Aapcs64, Seen::State) | (Abi::Custom, _) => state,
        (abi, _) => super::foreign(abi),
    };
    // SAFETY: each entry passes ctx on to its dispatcher, which takes it for the address of a head.
    Some(unsafe { Entry::new(function) })
}
