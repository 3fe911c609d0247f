//! What a captured entry stores and loads.

use super::foreign;
use super::state::CpuState;
use crate::abi::{Abi, Parts, Place, Placed, Pointer, Register};

/// A group of registers that a captured entry saves and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// x0 to x30, the stack pointer, and where execution goes on.
    Gpr,
    /// NZCV.
    Flags,
    /// v0 to v31, FPCR and FPSR.
    Simd,
}

impl Group {
    /// The group's bit in a set of groups.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of registers that have a place in a [`CpuState`]: bits 0 to 30 are x0 to x30, bits 32 to 63 v0 to v31.
pub type Registers = u64;

/// The bit of a register in a set.
///
/// # Panics
///
/// If it is x16 or x17, which a callback cannot see as they were.
#[track_caller]
pub const fn register_bit(register: Register) -> Registers {
    match register {
        Register::Integer(number) => {
            assert!(
                number != 16 && number != 17,
                "cbframe: x16 and x17 carry nothing from a caller to a function: veneers of linkers may change them at any call (AAPCS64, section 6.1.1), and stubs do"
            );
            1 << number
        }
        Register::Vector(number) => 1 << (32 + number),
        Register::X87(_) => 0,
    }
}

/// What a captured entry stores before, and loads after, the call of the dispatcher.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    /// Registers to store.
    saved: Registers,
    /// Registers to load.
    loaded: Registers,
    /// Those vector registers among them of which 8 bytes are enough.
    low: Registers,
    groups: u32,
    /// Registers that the callback sees and changes without their group.
    singles: Registers,
}

impl Capture {
    /// The capture for a callback of this ABI and signature that asks for `groups`, a sum of [`Group::bit`]s.
    pub const fn new<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        let groups = match abi {
            Abi::Aapcs64 => groups,
            Abi::Custom => Group::Gpr.bit() | Group::Flags.bit() | Group::Simd.bit(),
            _ => foreign(abi),
        };
        assert!(placed.pops == 0, "cbframe: on AArch64 no function pops arguments: remove `callee_pops`");
        let mut saved = 0;
        if let Place::Hidden { arrives: Pointer::Register(register), .. } = placed.result.place {
            saved |= register_bit(register);
        }
        let mut i = 0;
        while i < N {
            saved |= at_entry(&placed.parameters[i].place);
            i += 1;
        }
        let (loaded, low) = on_return(&placed.result.place);
        Self { saved, loaded, low, groups, singles: 0 }
    }

    /// The same for a callback with arguments behind `...`: with every register that may carry one.
    pub const fn variadic<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        let capture = Self::new(abi, placed, groups);
        Self { saved: capture.saved | ARGUMENTS, ..capture }
    }

    /// The same, and the registers of a sum of [`register_bit`]s, which the callback sees and changes.
    pub const fn and(mut self, registers: Registers) -> Self {
        self.saved |= registers;
        self.loaded |= registers;
        self.low &= !registers;
        self.singles |= registers;
        self
    }

    /// For callbacks whose signature is known at run time only: these registers carry the result.
    pub(super) const fn dynamic(result: Registers, groups: u32) -> Self {
        Self { saved: ARGUMENTS | 1 << 8, loaded: result, low: 0, groups, singles: 0 }
    }

    /// The same without vector registers.
    pub(super) const fn without_vectors(self) -> Self {
        Self { saved: self.saved & u32::MAX as Registers, loaded: self.loaded & u32::MAX as Registers, ..self }
    }

    /// What the entry notes of what there is: `present` of the state.
    pub const fn present(self) -> u32 {
        self.groups | if self.singles != 0 { CpuState::SINGLE } else { 0 }
    }

    /// The general registers to store, if not all of them are.
    pub const fn saved(self) -> u32 {
        self.saved as u32
    }

    /// The vector registers to store, if not all of them are.
    pub const fn saved_vectors(self) -> u32 {
        (self.saved >> 32) as u32
    }

    /// The general registers to load, if not all of them are.
    pub const fn loaded(self) -> u32 {
        self.loaded as u32
    }

    /// The vector registers to load with 16 bytes.
    pub const fn loaded_whole(self) -> u32 {
        ((self.loaded & !self.low) >> 32) as u32
    }

    /// The vector registers to load with 8 bytes: those of a result, which was stored by words. A wider load would wait until
    /// they are in memory.
    pub const fn loaded_low(self) -> u32 {
        ((self.loaded & self.low) >> 32) as u32
    }

    /// The groups.
    pub const fn groups(self) -> u32 {
        self.groups
    }

    /// The general registers that were named one by one.
    pub const fn singles(self) -> u32 {
        self.singles as u32
    }

    /// The vector registers that were named one by one.
    pub const fn single_vectors(self) -> u32 {
        (self.singles >> 32) as u32
    }

    /// All registers that were named one by one.
    pub(super) const fn all_singles(self) -> Registers {
        self.singles
    }
}

/// x0 to x7 and v0 to v7.
pub(super) const ARGUMENTS: Registers = 0xff | 0xff << 32;

/// The registers that a parameter arrives in.
const fn at_entry(place: &Place) -> Registers {
    match place {
        Place::Registers(parts) => bits(parts, false),
        Place::Reference(Pointer::Register(register)) => register_bit(*register),
        // This convention splits no value.
        Place::Nothing
        | Place::Stack(_)
        | Place::Split(..)
        | Place::Reference(Pointer::Stack(_))
        | Place::Hidden { .. } => 0,
    }
}

/// The registers that a result leaves in, and the vector registers of which it has no more than 8 bytes.
const fn on_return(place: &Place) -> (Registers, Registers) {
    match place {
        Place::Registers(parts) => (bits(parts, false), bits(parts, true)),
        Place::Hidden { leaves: Some(register), .. } => (register_bit(*register), 0),
        Place::Hidden { leaves: None, .. }
        | Place::Nothing
        | Place::Stack(_)
        | Place::Split(..)
        | Place::Reference(_) => (0, 0),
    }
}

/// The registers of these pieces; `low`: the vector registers among them that have a piece of up to 8 bytes.
const fn bits(parts: &Parts, low: bool) -> Registers {
    let (parts, mut bits, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        let narrow = matches!(parts[i].register, Register::Vector(_)) && parts[i].size <= 8;
        if narrow || !low {
            bits |= register_bit(parts[i].register);
        }
        i += 1;
    }
    bits
}

/// The offset of a register from a [`CpuState`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) const fn offset(register: Register, _size: u16) -> isize {
    match register {
        Register::Integer(number) => 8 * number as isize,
        Register::Vector(number) | Register::X87(number) => (CpuState::V + 16 * number as usize) as isize,
    }
}
