//! What a captured entry stores and loads.

use super::foreign;
use super::state::CpuState;
use crate::abi::{Abi, Parts, Place, Placed, Pointer, Register};

/// A group of registers that a captured entry saves and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The 8 general registers and eip.
    Gpr,
    /// eflags.
    Flags,
    /// xmm0 to xmm7 and mxcsr.
    Sse,
    /// What FXSAVE stores of the x87 unit.
    X87,
}

impl Group {
    /// The group's bit in a set of groups.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of registers that have a place in a [`CpuState`]: bits 0 to 7 are the general ones by number, 16 to 23 xmm0 to xmm7.
pub type Registers = u32;

/// The bit of a register in a set.
pub const fn register_bit(register: Register) -> Registers {
    match register {
        Register::Integer(number) => 1 << number,
        Register::Vector(number) => 1 << (16 + number),
        Register::X87(_) => 0,
    }
}

/// The offset of a register from a [`CpuState`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) const fn offset(register: Register, _size: u16) -> isize {
    let offset = match register {
        Register::Integer(number) => CpuState::integer(number),
        Register::Vector(number) => CpuState::XMM + 16 * number as usize,
        // No result takes two of them.
        Register::X87(_) => CpuState::ST,
    };
    offset as isize
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
    /// The bytes of a result in st(0); otherwise 0.
    x87_result: u32,
    /// Bytes of arguments that the return pops.
    pops: u32,
}

/// Every general register.
const INTEGERS: Registers = 0xff;
/// Every vector register.
const VECTORS: Registers = 0xff << 16;

impl Capture {
    /// The capture for a callback of this ABI and signature that asks for `groups`, a sum of [`Group::bit`]s.
    pub const fn new<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        match abi {
            Abi::X86 { .. } => {}
            Abi::Named(_) | Abi::Custom => {
                panic!("cbframe: conventions as data are those of x86-64: 32-bit x86 has none of them")
            }
            _ => foreign(abi),
        }
        let mut whole = 0;
        if groups & Group::Gpr.bit() != 0 {
            whole |= INTEGERS;
        }
        if groups & Group::Sse.bit() != 0 {
            whole |= VECTORS;
        }
        let mut saved = whole;
        if let Place::Hidden { arrives: Pointer::Register(register), .. } = placed.result.place {
            saved |= register_bit(register);
        }
        let mut i = 0;
        while i < N {
            saved |= at_entry(&placed.parameters[i].place);
            i += 1;
        }
        assert!(placed.pops <= 0xfffc, "cbframe: the instruction `ret` pops up to 65532 bytes of arguments");
        Self {
            saved,
            loaded: whole | on_return(&placed.result.place),
            groups,
            singles: 0,
            x87_result: in_x87(&placed.result.place),
            pops: placed.pops,
        }
    }

    /// The same for a callback with arguments behind `...`, all of which are on the stack.
    pub const fn variadic<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        Self::new(abi, placed, groups)
    }

    /// The same, and the registers of a sum of [`register_bit`]s, which the callback sees and changes.
    pub const fn and(mut self, registers: Registers) -> Self {
        self.saved |= registers;
        self.loaded |= registers;
        self.singles |= registers;
        self
    }

    /// For callbacks whose signature is known at run time only, which get these vector registers, and a result with so many bytes
    /// in st(0).
    #[cfg(feature = "alloc")]
    pub(super) const fn dynamic(vectors: Registers, groups: u32, x87_result: u32) -> Self {
        let of_groups = Self::new(crate::arch::NATIVE, &Placed::<0>::NOWHERE, groups);
        Self { saved: of_groups.saved | vectors, loaded: of_groups.loaded | vectors, x87_result, ..of_groups }
    }

    /// What the entry notes of what there is: `present` of the state.
    pub const fn present(self) -> u32 {
        self.groups | if self.singles != 0 { CpuState::SINGLE } else { 0 }
    }

    /// The registers to store.
    pub const fn saved(self) -> Registers {
        self.saved
    }

    /// The registers to load.
    pub const fn loaded(self) -> Registers {
        self.loaded
    }

    /// The groups.
    pub const fn groups(self) -> u32 {
        self.groups
    }

    /// The registers that were named one by one.
    pub const fn singles(self) -> Registers {
        self.singles
    }

    /// The bytes of a result in st(0): 4, 8 or 10; otherwise 0.
    pub const fn x87_result(self) -> u32 {
        self.x87_result
    }

    /// The bytes of arguments that the return pops.
    pub const fn pops(self) -> u32 {
        self.pops
    }
}

/// The registers that a parameter arrives in.
const fn at_entry(place: &Place) -> Registers {
    match place {
        Place::Registers(parts) => bits(parts),
        // No convention of 32-bit x86 splits a value or passes one by reference.
        Place::Nothing | Place::Stack(_) | Place::Split(..) | Place::Reference(_) | Place::Hidden { .. } => 0,
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

/// The registers of these pieces that have their place in a [`CpuState`].
const fn bits(parts: &Parts) -> Registers {
    let (parts, mut bits, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        bits |= register_bit(parts[i].register);
        i += 1;
    }
    bits
}

/// How many bytes of a value are in st(0).
const fn in_x87(place: &Place) -> u32 {
    let Place::Registers(parts) = place else { return 0 };
    let (parts, mut size, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        if let Register::X87(number) = parts[i].register {
            assert!(number == 0 && parts.len() == 1, "cbframe: a result in more than st(0)");
            size = parts[i].size as u32;
        }
        i += 1;
    }
    size
}
