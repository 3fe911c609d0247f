//! Results that take no more of a register than they have bytes: `abi = "custom"`.

use core::mem::MaybeUninit;
use core::ptr;

use super::lanes::{offset, read};
use super::state::CpuState;
use crate::abi::{Parameter, Place, Register};

/// Puts the result into its register and leaves the rest of that as it is in the state, as an instruction that writes
/// those bytes does: behind 4 bytes of a general register the upper half is zero, behind 1 or 2 everything is kept.
///
/// # Safety
///
/// `cpu` is what the captured entry passed to the dispatcher; the entry has stored the register of the result, and loads
/// it. `T` is the type of the result, whose place is one register or nothing.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn give_exactly<T>(cpu: *mut CpuState, result: &'static Parameter, value: T) {
    let value = MaybeUninit::new(value);
    let from = value.as_ptr().cast::<u8>();
    let Place::Registers(parts) = result.place else { return };
    let Some(part) = parts.get(0) else { return };
    let to = offset(part.register, part.size);
    let zeroed = matches!((part.register, part.size), (Register::Integer(_), 4));
    let mut at = 0;
    while at < part.size {
        let size = if part.size - at < 8 { part.size - at } else { 8 };
        // SAFETY: the caller's promise; registers are stored, and loaded, as multiples of 8 bytes. Padding of a result may be
        // uninitialized, and so may the word be then.
        unsafe {
            let mut word = MaybeUninit::new(if zeroed { 0 } else { read(cpu, to + at as isize) });
            ptr::copy_nonoverlapping(from.add(at.into()), word.as_mut_ptr().cast(), size.into());
            cpu.byte_offset(to + at as isize).cast::<MaybeUninit<u64>>().write(word);
        }
        at += 8;
    }
}
