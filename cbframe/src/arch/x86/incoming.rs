//! Entries for callbacks whose signature is known at run time only: each stores whatever registers may carry arguments.
//!
//! Stubs lead to one of a few entries, by what the callback sees and what of the result is in st(0). How much the return pops is
//! known at run time, too: so all of them save esp, which the dispatcher changes.

use super::capture::{Capture, Group, Registers};
use super::state::CpuState;
use crate::__cbframe_captured_entry as captured_entry;
use crate::abi::{Abi, Layout, Parameter, Part, Place, Register, extension};
use crate::arch::dynamic::{Head, Seen};
use crate::arch::moves::give_part;
use crate::pool::Entry;

/// Puts the result into its registers; in memory it is already, if its place is there, and its address goes back.
///
/// # Safety
///
/// `cpu` is a state of an entry for this signature, `from` has the bytes of the result, and `hidden` is where the caller wants a
/// result in memory.
#[inline]
pub(crate) unsafe fn give_result(cpu: *mut CpuState, _: Abi, result: &Parameter, hidden: *mut u8, from: *const u8) {
    // SAFETY: the caller's promise; the entry loads the registers that the place names.
    unsafe {
        match result.place {
            Place::Registers(parts) => {
                let signed = extension(&result.ty) == 2;
                parts.as_slice().iter().for_each(|&part| give_part(cpu, Some(part), from, signed));
            }
            Place::Hidden { .. } => (*cpu).eax = hidden.expose_provenance() as u32,
            _ => {}
        }
    }
}

/// Runs what ctx leads to, and pops what its layout says.
///
/// # Safety
///
/// The entry passes its own state, and the slot's ctx.
unsafe extern "fastcall-unwind" fn dispatch(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: the caller's promise: such a slot's ctx leads to a head. It may be gone when the call is over.
    unsafe {
        let Head { run, pops, .. } = ctx.cast::<Head>().read();
        run(cpu, ctx);
        (*cpu).esp = (*cpu).esp.wrapping_add(pops);
    }
}

/// xmm0 to xmm2.
const VECTOR_ARGUMENTS: Registers = 0b111 << 16;
/// eax, ecx and edx, and those.
const ARGUMENTS: Registers = 0b111 | VECTOR_ARGUMENTS;
const SEEN: u32 = Group::Gpr.bit() | Group::Flags.bit() | Group::Sse.bit();

macro_rules! entries {
    ($($arguments:ident $state:ident $size:literal;)*) => { $(
        captured_entry!($arguments, Capture::dynamic(VECTOR_ARGUMENTS, Group::Gpr.bit(), $size), dispatch);
        captured_entry!($state, Capture::dynamic(0, SEEN, $size), dispatch);
    )* };
}

entries! {
    arguments state 0;
    arguments_float state_float 4;
    arguments_double state_double 8;
    arguments_long_double state_long_double 10;
}

/// The registers that [`dynamic_entry`] has stored for callbacks of this layout which see the arguments' only.
pub(crate) fn seen_arguments(_: &Layout<'_>) -> Registers {
    ARGUMENTS
}

/// The entry for callbacks of this layout whose ctx leads to a [`Head`]; `None` if there is none. It notes in the state what is
/// there; where the callback sees the arguments' registers only, that is corrected.
///
/// # Panics
///
/// If the convention is one of another architecture.
pub(crate) fn dynamic_entry(layout: &Layout<'_>, seen: Seen) -> Option<Entry> {
    crate::arch::check_native(layout.abi());
    let Abi::X86 { .. } = layout.abi() else { return None };
    let x87 = match layout.result().place {
        Place::Registers(parts) => match parts.as_slice() {
            [Part { register: Register::X87(_), size, .. }] => *size,
            _ => 0,
        },
        _ => 0,
    };
    let function: unsafe extern "C" fn() = match (seen, x87) {
        (Seen::Arguments, 0) => arguments,
        (Seen::Arguments, 4) => arguments_float,
        (Seen::Arguments, 8) => arguments_double,
        (Seen::Arguments, _) => arguments_long_double,
        (Seen::State, 0) => state,
        (Seen::State, 4) => state_float,
        (Seen::State, 8) => state_double,
        (Seen::State, _) => state_long_double,
    };
    // SAFETY: each entry passes ctx on to its dispatcher, which takes it for the address of a head.
    Some(unsafe { Entry::new(function) })
}
