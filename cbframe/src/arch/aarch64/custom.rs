//! `abi = "custom"`: results that take no more of a register than they have bytes.

use core::mem::MaybeUninit;
use core::ptr;

use super::capture::offset;
use super::state::CpuState;
use crate::abi::{Parameter, Place, Register};

/// Puts the result into its register as an instruction that writes so many bytes does: the rest of a general register that is
/// written as w is 0, and so is the rest of a vector register. (Arm ARM, sections C1.2.5 and B1.2.1.)
///
/// # Safety
///
/// `cpu` is what the captured entry passed to the dispatcher; the entry loads the register of the result. `T` is the type of the
/// result, whose place is one register or nothing.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn give_exactly<T>(cpu: *mut CpuState, result: &'static Parameter, value: T) {
    let value = MaybeUninit::new(value);
    let Place::Registers(parts) = result.place else { return };
    let Some(part) = parts.get(0) else { return };
    let words = if matches!(part.register, Register::Vector(_)) { 2 } else { 1 };
    // SAFETY: the caller's promise; the register has so many words, and the value is not larger.
    unsafe {
        let to = cpu.byte_offset(offset(part.register, part.size)).cast::<MaybeUninit<u64>>();
        to.write_bytes(0, words);
        ptr::copy_nonoverlapping(value.as_ptr().cast::<MaybeUninit<u8>>(), to.cast(), part.size.into());
    }
}
