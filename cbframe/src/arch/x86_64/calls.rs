//! What calls with a layout are on this architecture.

use core::ptr;

use super::capture::offset;
use super::image::CpuImage;
use super::outgoing::{self, How};
use super::state::CpuState;
use crate::abi::{Abi, Layout, Parameter, Part, Place, Pointer, Register, Target, extension, win64};
use crate::arch::calls::set_integer;
use crate::types::Kind;

/// A call that is being put together.
pub(in crate::arch) struct Thunk {
    how: How,
    /// The vector registers, by number, that have values wider than a state has room for.
    wide: u32,
}

impl Thunk {
    pub(in crate::arch) const fn new() -> Self {
        Self { how: How::PLAIN, wide: 0 }
    }

    /// An argument, or a piece of one, is in this register.
    pub(in crate::arch) const fn passes(&mut self, part: Part) {
        self.how = self.how.and(of_register(part.register, part.size));
        self.wide |= wide_vector(part);
    }

    /// The result, or a piece of it, is.
    pub(in crate::arch) const fn returns(&mut self, part: Part) {
        // How general registers are loaded is a matter of arguments.
        self.how = self.how.and(of_register(part.register, part.size).without(How::RARE.and(How::RBP)));
    }

    /// Makes the call.
    ///
    /// # Safety
    ///
    /// As for [`outgoing::call`], and all has been told of.
    #[inline]
    pub(in crate::arch) unsafe fn call(
        self,
        image: *mut CpuImage,
        address: *const (),
        stack: (*const u64, usize),
        unwind: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.how.is_wide() {
                widen(CpuImage::state(image), self.wide);
            }
            outgoing::call(image, address, stack, self.how, unwind);
        }
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

/// Writes an argument to the stack: narrow integers extended to the 32 bits that compilers' callers extend them to, where
/// each argument has words of its own.
///
/// # Safety
///
/// `from` is readable, and `to` writable, for the bytes of the type, rounded up to words where there are.
pub(in crate::arch) unsafe fn put_on_stack(abi: Abi, parameter: &Parameter, from: *const u8, to: *mut u8) {
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
pub(in crate::arch) unsafe fn prepare_variadic(cpu: *mut CpuState, layout: &Layout<'_>) {
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
            unsafe { set_integer(cpu, Register::RAX, used) }
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
