//! Conventions that rustc does not know, on the captured lane, whose dispatcher follows System V: what the entry preserves
//! for them, and results that take no more of a register than they have bytes.

use core::mem::MaybeUninit;
use core::ptr;

use super::capture::offset;
use super::capture::{Group, register_bit};
use super::foreign;
use super::state::CpuState;
use crate::abi::{Abi, Parameter, Place, Register};
use crate::arch::moves::read;

/// The groups that a callback of this convention preserves whatever it asks for.
pub(super) const fn preserved_groups(abi: Abi) -> u32 {
    match abi {
        Abi::SysV64 | Abi::Win64 => 0,
        Abi::Named(convention) => {
            let flags = if convention.preserves_flags { Group::Gpr.bit() | Group::Flags.bit() } else { 0 };
            flags | if convention.preserves_whole_vectors { Group::Avx512.bit() } else { 0 }
        }
        Abi::Custom => Group::Gpr.bit() | Group::Flags.bit() | Group::Avx512.bit(),
        _ => foreign(abi),
    }
}

/// The registers that a callback of this convention preserves, and a System V dispatcher does not.
pub(super) const fn preserved(abi: Abi) -> u32 {
    // rbx, rsp, rbp, r12 to r15 it does.
    const BY_DISPATCHER: [u8; 7] = [3, 4, 5, 12, 13, 14, 15];
    let Abi::Named(convention) = abi else { return 0 };
    let (mut bits, mut i) = (0, 0);
    while i < convention.preserves.len() {
        bits |= register_bit(convention.preserves[i]);
        i += 1;
    }
    i = 0;
    while i < BY_DISPATCHER.len() {
        bits &= !register_bit(Register::Integer(BY_DISPATCHER[i]));
        i += 1;
    }
    bits
}

/// The bytes of arguments that are moved with the stack pointer, if callers leave it unaligned.
pub(super) const fn moved(abi: Abi, stack: u32) -> Option<u32> {
    match abi {
        Abi::Named(convention) if convention.stack_align < 16 => Some(stack),
        _ => None,
    }
}

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
            let mut word = MaybeUninit::new(if zeroed { 0 } else { read(cpu, to + at as isize) as u64 });
            ptr::copy_nonoverlapping(from.add(at.into()), word.as_mut_ptr().cast(), size.into());
            cpu.byte_offset(to + at as isize).cast::<MaybeUninit<u64>>().write(word);
        }
        at += 8;
    }
}
