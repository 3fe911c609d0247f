//! What a captured entry stores and loads.

use super::foreign;
use super::state::CpuState;
use crate::abi::{Abi, Parts, Place, Placed, Pointer, Register};

/// A group of registers that a captured entry saves and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// x1 to x31, and where execution goes on.
    Gpr,
    /// f0 to f31 and fcsr.
    Fpr,
}

impl Group {
    /// The group's bit in a set of groups.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of registers that have a place in a [`CpuState`]: bits 1 to 31 are x1 to x31, bits 32 to 63 f0 to f31.
pub type Registers = u64;

/// The bit of a register in a set.
///
/// # Panics
///
/// If it is one that a callback cannot see as it was, or that is no one's to change.
#[track_caller]
pub const fn register_bit(register: Register) -> Registers {
    match register {
        Register::Integer(number) => {
            assert!(
                number != 5 && number != 7,
                "cbframe: x5 and x7, which are t0 and t2, carry nothing from a caller to a function: stubs change them"
            );
            assert!(
                !matches!(number, 0 | 2 | 3 | 4),
                "cbframe: x0 is always zero, x2 is the stack pointer, which is in `gpr`, and x3 and x4, gp and tp, are the platform's"
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
    groups: u32,
    /// Registers that the callback sees and changes without their group.
    singles: Registers,
    /// Whether a0 to a7 are stored below the arguments on the stack too.
    spills: bool,
}

impl Capture {
    /// The capture for a callback of this ABI and signature that asks for `groups`, a sum of [`Group::bit`]s.
    pub const fn new<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        if !matches!(abi, Abi::Lp64d) {
            foreign(abi)
        }
        assert!(placed.pops == 0, "cbframe: on RISC-V no function pops arguments: remove `callee_pops`");
        let mut saved = 0;
        if let Place::Hidden { arrives: Pointer::Register(register), .. } = placed.result.place {
            saved |= register_bit(register);
        }
        let mut i = 0;
        while i < N {
            saved |= at_entry(&placed.parameters[i].place);
            i += 1;
        }
        Self { saved, loaded: on_return(&placed.result.place), groups, singles: 0, spills: false }
    }

    /// The same for a callback with arguments behind `...`: with every register that may carry one.
    pub const fn variadic<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        Self { spills: true, ..Self::new(abi, placed, groups) }
    }

    /// The same, and the registers of a sum of [`register_bit`]s, which the callback sees and changes.
    pub const fn and(mut self, registers: Registers) -> Self {
        self.saved |= registers;
        self.loaded |= registers;
        self.singles |= registers;
        self
    }

    /// For callbacks whose signature is known at run time only: these registers carry the result.
    pub(super) const fn dynamic(result: Registers, groups: u32) -> Self {
        Self { saved: ARGUMENTS, loaded: result, groups, singles: 0, spills: false }
    }

    /// The same without floating-point registers.
    pub(super) const fn without_floats(self) -> Self {
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

    /// The floating-point registers to store, if not all of them are.
    pub const fn saved_floats(self) -> u32 {
        (self.saved >> 32) as u32
    }

    /// The general registers to load, if not all of them are.
    pub const fn loaded(self) -> u32 {
        self.loaded as u32
    }

    /// The floating-point registers to load, if not all of them are.
    pub const fn loaded_floats(self) -> u32 {
        (self.loaded >> 32) as u32
    }

    /// The groups.
    pub const fn groups(self) -> u32 {
        self.groups
    }

    /// The general registers that were named one by one.
    pub const fn singles(self) -> u32 {
        self.singles as u32
    }

    /// The floating-point registers that were named one by one.
    pub const fn single_floats(self) -> u32 {
        (self.singles >> 32) as u32
    }

    /// All registers that were named one by one.
    pub(super) const fn all_singles(self) -> Registers {
        self.singles
    }

    /// Whether a0 to a7 are stored below the arguments on the stack too: 1 or 0.
    pub const fn spills(self) -> u32 {
        self.spills as u32
    }
}

/// a0 to a7 and fa0 to fa7.
pub(super) const ARGUMENTS: Registers = 0xff << 10 | 0xff << (32 + 10);

/// The registers that a parameter arrives in.
const fn at_entry(place: &Place) -> Registers {
    match place {
        Place::Registers(parts) | Place::Split(parts, _) => bits(parts),
        Place::Reference(Pointer::Register(register)) => register_bit(*register),
        Place::Nothing | Place::Stack(_) | Place::Reference(Pointer::Stack(_)) | Place::Hidden { .. } => 0,
    }
}

/// The registers that a result leaves in.
const fn on_return(place: &Place) -> Registers {
    match place {
        Place::Registers(parts) => bits(parts),
        Place::Hidden { leaves: Some(register), .. } => register_bit(*register),
        Place::Hidden { leaves: None, .. }
        | Place::Nothing
        | Place::Stack(_)
        | Place::Split(..)
        | Place::Reference(_) => 0,
    }
}

/// The registers of these pieces.
const fn bits(parts: &Parts) -> Registers {
    let (parts, mut bits, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        bits |= register_bit(parts[i].register);
        i += 1;
    }
    bits
}

/// The offset of a register from a [`CpuState`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) const fn offset(register: Register, _size: u16) -> isize {
    match register {
        Register::Integer(number) => 8 * number as isize,
        Register::Vector(number) | Register::X87(number) => (CpuState::F + 8 * number as usize) as isize,
    }
}
