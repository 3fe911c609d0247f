//! Callbacks whose signature is known at run time only: what their entries lead to, and where values lie behind them.

use core::mem::offset_of;
use core::ptr;

use super::machine::{CpuState, offset};
use super::moves::{WORD, pointer, stack_arguments, take_part};
use crate::abi::{Parameter, Part, Place, Pointer};

/// What ctx leads to in a slot with one of these entries. The aligning entry knows the layout.
#[repr(C)]
pub(crate) struct Head {
    /// Runs the callback, whose ctx this is.
    pub(crate) run: unsafe extern "C-unwind" fn(*mut CpuState, *const ()),
    /// Words of arguments on the stack.
    pub(crate) words: u32,
    /// Bytes of arguments that the return pops.
    pub(crate) pops: u32,
}

const _: () = {
    let word = size_of::<usize>();
    assert!(offset_of!(Head, run) == 0 && offset_of!(Head, words) == word && offset_of!(Head, pops) == word + 4);
};

/// Where a value lies, relative to a state in an entry's frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot {
    /// Nowhere.
    Nothing,
    /// All of it so many bytes from the state.
    At(i32),
    /// At the address that lies there.
    Behind(i32),
    /// In pieces.
    Scattered,
}

impl Spot {
    pub(crate) fn of(place: &Place) -> Self {
        let stack = |offset: u32| (size_of::<CpuState>() + offset as usize) as i32;
        match *place {
            Place::Nothing | Place::Hidden { .. } => Self::Nothing,
            Place::Stack(offset) => Self::At(stack(offset)),
            Place::Reference(Pointer::Stack(offset)) => Self::Behind(stack(offset)),
            Place::Reference(Pointer::Register(register)) => Self::Behind(offset(register, WORD) as i32),
            Place::Registers(parts) => {
                let at = |part: &Part| offset(part.register, part.size) - part.offset as isize;
                match parts.as_slice() {
                    // Registers that lie one behind the other are as good as memory.
                    [first, rest @ ..] if rest.iter().all(|part| at(part) == at(first)) => Self::At(at(first) as i32),
                    _ => Self::Scattered,
                }
            }
            Place::Split(..) => Self::Scattered,
        }
    }

    /// The address of the value, if it lies somewhere as a whole.
    ///
    /// # Safety
    ///
    /// `cpu` is a state in an entry's frame, of a signature with this value in its place, and nothing has changed it.
    #[inline(always)]
    pub(crate) unsafe fn address(self, cpu: *const CpuState) -> Option<*const u8> {
        match self {
            Self::At(offset) => Some(cpu.wrapping_byte_offset(offset as isize).cast()),
            // SAFETY: the caller's promise: the address was stored there, or lies on the stack.
            Self::Behind(offset) => unsafe {
                let address = cpu.byte_offset(offset as isize).cast::<usize>().read_unaligned();
                Some(ptr::with_exposed_provenance(address))
            },
            Self::Nothing => Some(ptr::NonNull::<u128>::dangling().as_ptr().cast()),
            Self::Scattered => None,
        }
    }
}

/// Puts the pieces of a value together.
///
/// # Safety
///
/// As for [`Spot::address`], and as many bytes as the value has are writable at `to`.
pub(crate) unsafe fn gather(cpu: *const CpuState, place: &Place, size: usize, to: *mut u8) {
    let (Place::Registers(parts) | Place::Split(parts, _)) = place else { return };
    for &part in parts.as_slice() {
        // SAFETY: the caller's promise.
        unsafe { take_part(cpu, Some(part), to) };
    }
    if let Place::Split(_, offset) = *place {
        let taken = parts.size();
        // SAFETY: the caller's promise: the rest of the value is on the stack.
        unsafe { ptr::copy_nonoverlapping(stack_arguments(cpu).add(offset as usize), to.add(taken), size - taken) };
    }
}

/// Where the caller wants a result in memory; null if it is elsewhere.
///
/// # Safety
///
/// As for [`Spot::address`].
#[inline(never)]
pub(crate) unsafe fn hidden(cpu: *const CpuState, result: &Parameter) -> *mut u8 {
    match result.place {
        // SAFETY: the caller's promise.
        Place::Hidden { arrives, .. } => unsafe { pointer(cpu, arrives) },
        _ => ptr::null_mut(),
    }
}

/// What of the CPU a callback sees whose signature is known at run time only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The registers that may carry arguments.
    Arguments,
    /// `gpr`, `flags` and `sse`, which it may change.
    State,
}
