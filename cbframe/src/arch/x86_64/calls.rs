//! Calls with a layout: arguments go to their places, the result comes from its own.

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ptr;

use super::image::CpuImage;
use super::moves::{give_part, offset, take_part};
use super::outgoing::{self, How, MOST};
use super::state::CpuState;
use crate::abi::{Abi, Layout, Parameter, Part, Place, Pointer, Register, Target, extension, win64};
use crate::types::{Kind, round_up};

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
    super::check_native(layout.abi());
    super::lanes::check_system_of(layout);
    let parameters = layout.parameters();
    debug_assert_eq!(parameters.len(), arguments.len());
    let size = layout.stack_size();
    assert!(size <= MOST, "cbframe: {size} bytes of arguments on the stack: a call has up to {MOST}");
    let (mut stack, mut copies) = (Area::new(), Area::new());
    let stack = stack.of(size);
    let mut copy = copies.of(parameters.iter().map(copied).sum());
    let mut image = MaybeUninit::<CpuImage>::uninit();
    let cpu = CpuImage::state(image.as_mut_ptr());
    let mut how = How::PLAIN;
    let mut wide = 0_u32;
    // SAFETY: places lie in the image and in `size` bytes of stack; `copies` has room for what is passed by reference. The
    // caller promises the rest.
    unsafe {
        cpu.write_bytes(0, 1);
        stack.write_bytes(0, size);
        if let Place::Hidden { arrives, .. } = layout.result().place {
            how = how.and(set_pointer(cpu, stack, arrives, result));
        }
        for (parameter, &from) in parameters.iter().zip(arguments) {
            match parameter.place {
                Place::Nothing | Place::Hidden { .. } | Place::Split(..) => {}
                Place::Registers(parts) => {
                    let signed = extension(&parameter.ty) == 2;
                    for &part in parts.as_slice() {
                        give_part(cpu, Some(part), from, signed);
                        how = how.and(of_register(part.register, part.size));
                        wide |= wide_vector(part);
                    }
                }
                Place::Stack(offset) => put_on_stack(layout.abi(), parameter, from, stack.add(offset as usize)),
                Place::Reference(pointer) => {
                    ptr::copy_nonoverlapping(from, copy, parameter.ty.size);
                    how = how.and(set_pointer(cpu, stack, pointer, copy));
                    copy = copy.add(copied(parameter));
                }
            }
        }
        if layout.is_variadic() {
            tell_of_vectors(cpu, layout);
        }
        if let Place::Registers(parts) = layout.result().place {
            for part in parts.as_slice() {
                // How general registers are loaded is a matter of arguments.
                how = how.and(of_register(part.register, part.size).without(How::RARE.and(How::RBP)));
            }
        }
        if how.is_wide() {
            widen(cpu, wide);
        }
        let words = (stack.cast_const().cast(), size.div_ceil(8));
        outgoing::call(image.as_mut_ptr(), address, words, how, layout.unwinds());
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

/// The number of the register by which Windows' unwinder finds the frame of a call.
const RBP: u8 = 5;

/// Whether such a call may be left by a panic or an exception for which there would be no way: on Windows, with an argument in
/// rbp.
pub(crate) const fn unwinds_nowhere(layout: &Layout<'_>) -> bool {
    const fn in_rbp(place: &Place) -> bool {
        match place {
            Place::Registers(parts) => {
                let parts = parts.as_slice();
                let mut i = 0;
                while i < parts.len() {
                    if matches!(parts[i].register, Register::Integer(RBP)) {
                        return true;
                    }
                    i += 1;
                }
                false
            }
            Place::Reference(pointer) | Place::Hidden { arrives: pointer, .. } => {
                matches!(pointer, Pointer::Register(Register::Integer(RBP)))
            }
            Place::Nothing | Place::Stack(_) | Place::Split(..) => false,
        }
    }

    if !layout.unwinds() || !matches!(super::TARGET, Target::X86_64Windows) {
        return false;
    }
    let mut found = matches!(layout.result().place, Place::Hidden { .. }) && in_rbp(&layout.result().place);
    let mut i = 0;
    while i < layout.parameters().len() {
        found |= in_rbp(&layout.parameters()[i].place);
        i += 1;
    }
    found
}

/// What is to be done for a value, or a piece of one, in this register.
const fn of_register(register: Register, size: u16) -> How {
    match (register, size) {
        (Register::Integer(RBP), _) => How::RARE.and(How::RBP),
        (Register::Integer(11), _) => How::RARE,
        (Register::X87(0), _) => How::X87,
        (Register::X87(_), _) => How::X87_PAIR,
        (Register::Vector(_), 17..=32) => How::YMM,
        (Register::Vector(_), 33..) => How::ZMM,
        _ => How::PLAIN,
    }
}

/// The bit of the vector register of a piece that is wider than a state has room for.
const fn wide_vector(part: Part) -> u32 {
    match part.register {
        Register::Vector(number) if part.size > 16 => 1 << number,
        _ => 0,
    }
}

/// # Safety
///
/// `cpu` is the state of an image.
unsafe fn set_integer(cpu: *mut CpuState, register: Register, value: u64) {
    // SAFETY: the offset is that of a field.
    unsafe { cpu.byte_offset(offset(register, 8)).cast::<u64>().write(value) }
}

/// Puts an address where it is passed.
///
/// # Safety
///
/// `cpu` is the state of an image, and `stack` the arguments on the stack, among which a place there is.
unsafe fn set_pointer(cpu: *mut CpuState, stack: *mut u8, pointer: Pointer, address: *mut u8) -> How {
    let address = address.expose_provenance() as u64;
    // SAFETY: the caller's promise.
    unsafe {
        match pointer {
            Pointer::Register(register) => {
                set_integer(cpu, register, address);
                of_register(register, 8)
            }
            Pointer::Stack(offset) => {
                stack.add(offset as usize).cast::<u64>().write_unaligned(address);
                How::PLAIN
            }
        }
    }
}

/// Writes an argument to the stack: narrow integers extended to the 32 bits that compilers' callers extend them to, where
/// each argument has words of its own.
///
/// # Safety
///
/// `from` is readable, and `to` writable, for the bytes of the type, rounded up to words where there are.
unsafe fn put_on_stack(abi: Abi, parameter: &Parameter, from: *const u8, to: *mut u8) {
    let words = match abi {
        Abi::SysV64 | Abi::Win64 => true,
        Abi::Named(convention) => convention.slot == 8,
        _ => false,
    };
    // SAFETY: the caller's promise.
    unsafe {
        let extended = match (extension(&parameter.ty), parameter.ty.size) {
            (2, 1) => from.cast::<i8>().read() as u32,
            (2, 2) => from.cast::<i16>().read_unaligned() as u32,
            (1, 1) => from.read().into(),
            (1, 2) => from.cast::<u16>().read_unaligned().into(),
            (_, size) => return ptr::copy_nonoverlapping(from, to, size),
        };
        if words {
            to.cast::<u32>().write_unaligned(extended);
        } else {
            ptr::copy_nonoverlapping(from, to, parameter.ty.size);
        }
    }
}

/// What the caller of a variadic function does besides.
///
/// # Safety
///
/// `cpu` is the state of an image, with arguments of this layout.
unsafe fn tell_of_vectors(cpu: *mut CpuState, layout: &Layout<'_>) {
    let in_registers = layout.parameters().iter().filter_map(|parameter| match parameter.place {
        Place::Registers(parts) => Some((parameter, parts)),
        _ => None,
    });
    match layout.abi() {
        // psABI, 3.2.3: "%al is used as hidden argument to specify the number of vector registers used".
        Abi::SysV64 => {
            let is_vector = |part: &&Part| matches!(part.register, Register::Vector(_));
            let used = in_registers.map(|(_, parts)| parts.as_slice().iter().filter(is_vector).count()).sum::<usize>();
            // SAFETY: the caller's promise.
            unsafe { set_integer(cpu, Register::RAX, used as u64) }
        }
        // "x64 calling convention", "Varargs": a float is in both registers of its position.
        Abi::Win64 => {
            for (parameter, parts) in in_registers {
                for &Part { register, .. } in parts.as_slice() {
                    let float = matches!(parameter.ty.passed_as().kind, Kind::Float);
                    let twin = match register {
                        Register::Vector(position) => Some(win64::INTEGERS[usize::from(position)]),
                        _ if float => {
                            win64::INTEGERS.iter().position(|&r| r == register).map(|at| Register::Vector(at as u8))
                        }
                        _ => None,
                    };
                    if let Some(twin) = twin {
                        // SAFETY: both are fields of the state, of 8 bytes at least.
                        unsafe {
                            let word = cpu.byte_offset(offset(register, 8)).cast::<u64>().read();
                            cpu.byte_offset(offset(twin, 8)).cast::<u64>().write(word);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// Gives the first eight vector registers, but those that have wide values already, what they have in the state.
///
/// # Safety
///
/// `cpu` is the state of an image.
unsafe fn widen(cpu: *mut CpuState, wide: u32) {
    for number in 0..8 {
        if wide >> number & 1 == 0 {
            let register = Register::Vector(number);
            // SAFETY: the area has 64 bytes for each.
            unsafe {
                let to = cpu.byte_offset(offset(register, 64)).cast::<u8>();
                to.write_bytes(0, 64);
                ptr::copy_nonoverlapping(cpu.byte_offset(offset(register, 16)).cast::<u8>(), to, 16);
            }
        }
    }
}

/// Whether values of this layout are in registers that this CPU has not.
pub(crate) fn lacks_registers(layout: &Layout<'_>) -> bool {
    let places = layout.parameters().iter().chain([layout.result()]).map(|parameter| &parameter.place);
    let widest = places.map(|place| match place {
        Place::Registers(parts) => parts.as_slice().iter().map(|part| part.size).max().unwrap_or(0),
        _ => 0,
    });
    match widest.max() {
        None | Some(..=16) => false,
        Some(17..=32) => !super::wide::has_ymm(),
        Some(_) => !super::wide::has_zmm(),
    }
}

/// How many bytes of arguments on the stack a call can have.
pub(crate) const fn stack_limit() -> usize {
    MOST
}
