//! Calls with a layout: arguments go to their places, the result comes from its own. What the architecture has to know of them
//! is in its `Thunk`, which makes the call.

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ptr;

use super::machine::{CpuImage, CpuState, MOST, Thunk, offset, prepare_variadic, put_on_stack};
use super::moves::{WORD, give_part, is_extended, take_part};
use super::{check_native, check_system_of};
use crate::abi::{Layout, Parameter, Part, Place, Pointer, Register};
use crate::types::round_up;

/// Memory for what a call has beside registers, aligned to 64 bytes: on the stack of the caller, or in the heap if there is
/// much of it.
struct Area {
    inline: MaybeUninit<[Line; 8]>,
    heap: Vec<MaybeUninit<Line>>,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Area {
    #[inline]
    const fn new() -> Self {
        Self { inline: MaybeUninit::uninit(), heap: Vec::new() }
    }

    /// The beginning of so many bytes, which stay where they are until the area is moved or asked again.
    #[inline]
    fn of(&mut self, size: usize) -> *mut u8 {
        if size <= size_of::<[Line; 8]>() {
            return self.inline.as_mut_ptr().cast();
        }
        self.heap.resize(size.div_ceil(size_of::<Line>()), MaybeUninit::uninit());
        self.heap.as_mut_ptr().cast()
    }
}

/// Calls `address` with a signature of this layout: `arguments` are the addresses of values, unaligned or not, and `result`
/// is where the result goes, aligned to its type.
///
/// # Safety
///
/// - What is at `address` is a function of this signature, and may be called with these values. It returns, or unwinds where
///   the layout says so.
/// - The addresses are as many as the layout has parameters, readable for as many bytes as the types have, and `result` is
///   writable for those of the result.
/// - The CPU has the registers that the signature uses.
///
/// # Panics
///
/// If the arguments on the stack are more than 65472 bytes; if the convention is one of another architecture; for a type that
/// is refused on this system.
pub(crate) unsafe fn call_placed(layout: &Layout<'_>, address: *const (), arguments: &[*const u8], result: *mut u8) {
    check_native(layout.abi());
    check_system_of(layout);
    let parameters = layout.parameters();
    debug_assert_eq!(parameters.len(), arguments.len());
    let size = layout.stack_size();
    assert!(size <= MOST, "cbframe: {size} bytes of arguments on the stack: a call has up to {MOST}");
    let (mut stack, mut copies) = (Area::new(), Area::new());
    let stack = stack.of(size);
    let mut copy = copies.of(parameters.iter().map(copied).sum());
    let mut image = MaybeUninit::<CpuImage>::uninit();
    let cpu = CpuImage::state(image.as_mut_ptr());
    let mut thunk = Thunk::new();
    // SAFETY: places lie in the image and in `size` bytes of stack; `copies` has room for what is passed by reference. The
    // caller promises the rest.
    unsafe {
        cpu.write_bytes(0, 1);
        stack.write_bytes(0, size);
        if let Place::Hidden { arrives, .. } = layout.result().place {
            set_pointer(cpu, stack, arrives, result, &mut thunk);
        }
        for (parameter, &from) in parameters.iter().zip(arguments) {
            match parameter.place {
                Place::Nothing | Place::Hidden { .. } => {}
                Place::Split(parts, offset) => {
                    for &part in parts.as_slice() {
                        give_part(cpu, Some(part), from, false);
                        thunk.passes(part);
                    }
                    let taken = parts.size();
                    ptr::copy_nonoverlapping(from.add(taken), stack.add(offset as usize), parameter.ty.size - taken);
                }
                Place::Registers(parts) => {
                    let extended = is_extended(&parameter.ty);
                    for &part in parts.as_slice() {
                        give_part(cpu, Some(part), from, extended);
                        thunk.passes(part);
                    }
                }
                Place::Stack(offset) => put_on_stack(layout.abi(), parameter, from, stack.add(offset as usize)),
                Place::Reference(pointer) => {
                    ptr::copy_nonoverlapping(from, copy, parameter.ty.size);
                    set_pointer(cpu, stack, pointer, copy, &mut thunk);
                    copy = copy.add(copied(parameter));
                }
            }
        }
        if layout.is_variadic() {
            prepare_variadic(cpu, layout);
        }
        if let Place::Registers(parts) = layout.result().place {
            parts.as_slice().iter().for_each(|&part| thunk.returns(part));
        }
        let words = (stack.cast_const().cast(), size.div_ceil(WORD.into()));
        thunk.call(image.as_mut_ptr(), address, words, layout.unwinds());
        if let Place::Registers(parts) = layout.result().place {
            for &part in parts.as_slice() {
                take_part(cpu, Some(part), result);
            }
        }
    }
}

/// How many bytes of copies a parameter takes: each begins at a multiple of 64.
fn copied(parameter: &Parameter) -> usize {
    match parameter.place {
        Place::Reference(_) => round_up(parameter.ty.size, 64),
        _ => 0,
    }
}

/// # Safety
///
/// `cpu` is the state of an image.
pub(super) unsafe fn set_integer(cpu: *mut CpuState, register: Register, value: usize) {
    // SAFETY: the offset is that of a field.
    unsafe { cpu.byte_offset(offset(register, WORD)).cast::<usize>().write(value) }
}

/// Puts an address where it is passed.
///
/// # Safety
///
/// `cpu` is the state of an image, and `stack` the arguments on the stack, among which a place there is.
unsafe fn set_pointer(cpu: *mut CpuState, stack: *mut u8, pointer: Pointer, address: *mut u8, thunk: &mut Thunk) {
    let address = address.expose_provenance();
    // SAFETY: the caller's promise.
    unsafe {
        match pointer {
            Pointer::Register(register) => {
                set_integer(cpu, register, address);
                thunk.passes(Part { register, offset: 0, size: WORD });
            }
            Pointer::Stack(offset) => stack.add(offset as usize).cast::<usize>().write_unaligned(address),
        }
    }
}

/// How many bytes of arguments on the stack a call can have.
pub(crate) const fn stack_limit() -> usize {
    MOST
}
