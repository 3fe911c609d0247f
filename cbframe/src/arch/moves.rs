//! The moves between a captured state and Rust values. Where a register lies in a state is said by the architecture
//! (`offset`).

use core::mem::MaybeUninit;
use core::ptr;

use super::machine::{CpuState, offset};
use crate::abi::{Parameter, Part, Place, Pointer, Register, extension};
use crate::types::{Kind, Type};

/// The bytes of a general register.
pub(in crate::arch) const WORD: u16 = size_of::<usize>() as u16;

// What follows must be inlined to fold, since places are constants. Without optimization nothing folds, and inlining would
// only give the dispatcher a frame of 4 KiB for each parameter.

/// A word of what an entry has stored, `offset` bytes from the state.
///
/// Volatile, and one word at a time, because that is how they were stored a moment ago: the optimizer would
/// merge two loads into a wider one, which cannot be forwarded from two stores and waits for both.
///
/// # Safety
///
/// `cpu` points to a state in an entry's frame, and the offset, a multiple of the word, is that of something stored.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) unsafe fn read(cpu: *const CpuState, offset: isize) -> usize {
    // SAFETY: the caller's promise; the state is aligned to words.
    unsafe { cpu.byte_offset(offset).cast::<usize>().read_volatile() }
}

/// Where the caller's stack arguments begin: behind the state, whose last word is the return address if that is on the stack.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn stack_arguments(cpu: *const CpuState) -> *const u8 {
    cpu.wrapping_add(1).cast()
}

#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) unsafe fn pointer(cpu: *const CpuState, pointer: Pointer) -> *mut u8 {
    // SAFETY: the caller passes on what `take` is promised.
    unsafe {
        match pointer {
            Pointer::Register(register) => ptr::with_exposed_provenance_mut(read(cpu, offset(register, WORD))),
            Pointer::Stack(offset) => stack_arguments(cpu).add(offset as usize).cast::<*mut u8>().read_unaligned(),
        }
    }
}

/// Takes an argument from its place.
///
/// # Safety
///
/// - `cpu` is what the captured entry passed to the dispatcher, and nothing has changed the captured registers
///   or the stack arguments since.
/// - `place` is the place of this parameter in the callback's signature, `T` its type.
/// - The caller of the callback passed the arguments of that signature.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn take<T>(cpu: *const CpuState, place: &'static Place) -> MaybeUninit<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let to = value.as_mut_ptr().cast::<u8>();
    match *place {
        Place::Nothing | Place::Hidden { .. } => {}
        // SAFETY: the capture includes the parameters' registers; a part lies within its value.
        Place::Registers(parts) => unsafe {
            take_part(cpu, parts.get(0), to);
            take_part(cpu, parts.get(1), to);
            take_part(cpu, parts.get(2), to);
            take_part(cpu, parts.get(3), to);
        },
        // SAFETY: the same for the piece in a register; the caller of the callback wrote the rest to the stack.
        Place::Split(parts, offset) => unsafe {
            take_part(cpu, parts.get(0), to);
            let taken = parts.size();
            ptr::copy_nonoverlapping(stack_arguments(cpu).add(offset as usize), to.add(taken), size_of::<T>() - taken);
        },
        // SAFETY: the caller of the callback wrote the value there.
        Place::Stack(offset) => unsafe {
            ptr::copy_nonoverlapping(stack_arguments(cpu).add(offset as usize), to, size_of::<T>());
        },
        // SAFETY: the caller of the callback passed the address of the value.
        Place::Reference(at) => unsafe {
            ptr::copy_nonoverlapping(pointer(cpu, at), to, size_of::<T>());
        },
    }
    value
}

/// # Safety
///
/// The entry has stored the register of the piece, which lies within the value at `to`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) unsafe fn take_part(cpu: *const CpuState, part: Option<Part>, to: *mut u8) {
    if let Some(part) = part {
        let from = offset(part.register, part.size);
        let mut at = 0;
        while at < part.size {
            let size = if part.size - at < WORD { part.size - at } else { WORD };
            // SAFETY: the caller's promise; registers are stored as words.
            unsafe {
                let word = read(cpu, from + at as isize);
                ptr::copy_nonoverlapping((&raw const word).cast(), to.add((part.offset + at).into()), size.into());
            }
            at += WORD;
        }
    }
}

/// The address at which the caller wants a result in memory; null if the result is elsewhere.
///
/// # Safety
///
/// As for [`take`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn hidden_result(cpu: *const CpuState, place: &'static Place) -> *mut u8 {
    match *place {
        // SAFETY: the caller's promise.
        Place::Hidden { arrives, .. } => unsafe { pointer(cpu, arrives) },
        _ => ptr::null_mut(),
    }
}

/// Puts the result into its place; `hidden` is what [`hidden_result`] gave before the handler ran.
///
/// # Safety
///
/// As for [`take`], with the place and the type of the result; the entry loads the result's registers.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn give<T>(cpu: *mut CpuState, result: &'static Parameter, hidden: *mut u8, value: T) {
    let value = MaybeUninit::new(value);
    let from = value.as_ptr().cast::<u8>();
    match result.place {
        Place::Nothing | Place::Stack(_) | Place::Split(..) | Place::Reference(_) => {}
        // SAFETY: the entry loads the result's registers from the state; a part lies within its value.
        Place::Registers(parts) => unsafe {
            let extended = is_extended(&result.ty);
            give_part(cpu, parts.get(0), from, extended);
            give_part(cpu, parts.get(1), from, extended);
            give_part(cpu, parts.get(2), from, extended);
            give_part(cpu, parts.get(3), from, extended);
        },
        // SAFETY: `hidden` is the caller's space for the result, whose address goes back in `leaves`.
        Place::Hidden { leaves, .. } => unsafe {
            ptr::copy_nonoverlapping(from, hidden, size_of::<T>());
            if let Some(register) = leaves {
                cpu.byte_offset(offset(register, WORD)).cast::<usize>().write(hidden.expose_provenance());
            }
        },
    }
}

/// Whether an integer is extended with the sign of its highest bit where it is in a register as a whole. On RISC-V that goes for
/// all of 32 bits, and up to 64.
pub(in crate::arch) const fn is_extended(ty: &Type) -> bool {
    let is_word = matches!(ty.passed_as().kind, Kind::Int { .. } | Kind::Enum { .. }) && ty.size == 4;
    extension(ty) == 2 || cfg!(target_arch = "riscv64") && is_word
}

/// `extended`: see [`is_extended`].
///
/// # Safety
///
/// As for [`give`], and the piece lies within the value at `from`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) unsafe fn give_part(cpu: *mut CpuState, part: Option<Part>, from: *const u8, extended: bool) {
    let Some(part) = part else { return };
    let to = offset(part.register, part.size);
    let mut at = 0;
    while at < part.size {
        let size = if part.size - at < WORD { part.size - at } else { WORD };
        // On RISC-V a float is no number unless all bits above it are set ("NaN-boxing").
        let boxed = cfg!(target_arch = "riscv64") && matches!(part.register, Register::Vector(_));
        let mut word = MaybeUninit::new(if boxed { usize::MAX } else { 0 });
        // SAFETY: the caller's promise; registers are loaded as words, x87 ones from 16 bytes.
        unsafe {
            ptr::copy_nonoverlapping(from.add((part.offset + at).into()), word.as_mut_ptr().cast(), size.into());
            if extended {
                // The psABIs leave bits 8 or 16 to 31 open; LuaJIT and others hand them out extended, and so do we.
                let unused = 32 - 8 * u32::from(part.size);
                let extended = ((word.assume_init() as i32) << unused) >> unused;
                word = MaybeUninit::new(if cfg!(target_arch = "riscv64") { extended as usize } else { extended as u32 as usize });
            }
            cpu.byte_offset(to + at as isize).cast::<MaybeUninit<usize>>().write(word);
        }
        at += WORD;
    }
}
