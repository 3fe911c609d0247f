//! What a captured entry stores and loads, and how its frame is laid out.

use super::convention::{moved, preserved, preserved_groups};
use super::foreign;
use super::state::CpuState;
use crate::abi::{self, Abi, Convention, Parts, Place, Placed, Pointer, Register};
use crate::arch::intel::Fxsave;

/// A group of registers that a captured entry saves and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The 16 general registers and rip.
    Gpr,
    /// rflags.
    Flags,
    /// xmm0 to xmm15 and mxcsr.
    Sse,
    /// What FXSAVE stores of the x87 unit.
    X87,
    /// ymm0 to ymm15, and `Sse`.
    Avx,
    /// zmm0 to zmm31 and k0 to k7, and `Avx`.
    Avx512,
}

impl Group {
    /// The group's bit in a set of groups.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What a captured entry stores before, and loads after, the call of the dispatcher.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    /// Registers to store: bits 0 to 15 the general ones by their position in a state, 16 to 31 xmm0 to xmm15.
    saved: u32,
    /// Registers to load.
    loaded: u32,
    /// Those of them that hold the result.
    result: u32,
    groups: u32,
    /// Registers that the callback sees and changes without their group.
    singles: u32,
    /// Vector registers, by number, to store as 32 bytes.
    ymm: u32,
    /// Vector registers to store as 64 bytes.
    zmm: u32,
    /// The bytes of vector register 0 that hold the result, if these are 32 or 64; otherwise 0.
    wide_result: u32,
    /// How many registers of the x87 stack hold the result.
    x87_result: u32,
    /// Bytes of home space that the dispatcher's ABI wants.
    home: usize,
    /// Bytes of arguments that the return pops.
    pops: u32,
    /// Whether the first word that ctx points to is the dispatcher's address.
    headed: bool,
    /// Bytes of arguments on the stack, if the stack pointer has to be aligned first.
    moved: Option<u32>,
    /// Whether the rest of a vector register with a result is as it was.
    exact: bool,
}

/// The size of the area for what a [`CpuState`] has no room for: 64 bytes for each of the vector registers that carry
/// arguments or a result, and on return 16 for each register of the x87 stack.
const WIDE: usize = 512;

/// How far below the [`CpuState`] that area lies. The FXSAVE area is in between, whether it is used or not.
pub(super) const WIDE_BELOW: usize = WIDE + size_of::<Fxsave>();

/// Where the whole vector registers end that [`Group::Avx`] and [`Group::Avx512`] store (`wide`): below that area, at a
/// multiple of 64.
#[inline(always)]
pub(super) fn vectors_top(cpu: *const CpuState) -> *const u8 {
    cpu.cast::<u8>().wrapping_sub(WIDE_BELOW).map_addr(|address| address & !63)
}

/// Every general register but rsp, which is no store but an addition.
const INTEGERS: u32 = 0xffff & !(1 << CpuState::position(4));
const VECTORS: u32 = 0xffff << 16;

/// What the entry of a hook adds to [`Capture::present`].
pub const JUMP: u32 = CpuState::JUMP;

impl Capture {
    /// The capture for a callback of this ABI and signature that asks for `groups`, a sum of [`Group::bit`]s.
    pub const fn new<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        let mut groups = groups | preserved_groups(abi);
        if groups & Group::Avx512.bit() != 0 {
            groups |= Group::Avx.bit();
        }
        if groups & Group::Avx.bit() != 0 {
            groups |= Group::Sse.bit();
        }
        let mut whole = 0;
        if groups & Group::Gpr.bit() != 0 {
            whole |= INTEGERS;
        }
        if groups & Group::Sse.bit() != 0 {
            whole |= VECTORS;
        }
        // Whole vector registers are stored elsewhere.
        let mut saved = if groups & Group::Avx.bit() != 0 { whole & !VECTORS } else { whole };
        if let Place::Hidden { arrives: Pointer::Register(register), .. } = placed.result.place {
            saved |= register_bit(register);
        }
        let (mut ymm, mut zmm) = (0, 0);
        let mut i = 0;
        while i < N {
            let place = &placed.parameters[i].place;
            saved |= at_entry(place);
            ymm |= wide_vectors(place, 32);
            zmm |= wide_vectors(place, 64);
            i += 1;
        }
        let home = match abi {
            // The dispatcher of the latter two follows System V.
            Abi::SysV64 | Abi::Named(_) | Abi::Custom => 0,
            Abi::Win64 => 32,
            _ => foreign(abi),
        };
        let place = &placed.result.place;
        let result = on_return(place);
        let preserved = preserved(abi) & !result;
        saved |= preserved;
        whole |= preserved;
        if let Abi::Custom = abi {
            // `give_exactly` keeps a part of it.
            saved |= result;
        }
        assert!(placed.pops <= 0xfff8, "cbframe: the instruction `ret` pops up to 65528 bytes of arguments");
        let wide_result = 32 * wide_vectors(place, 32) + 64 * wide_vectors(place, 64);
        assert!(matches!(wide_result, 0 | 32 | 64), "cbframe: a wide result in more than vector register 0");
        let x87_result = x87_registers(place);
        Self {
            saved,
            loaded: whole | result,
            result,
            groups,
            singles: 0,
            ymm,
            zmm,
            wide_result,
            x87_result,
            home,
            pops: placed.pops,
            headed: false,
            moved: moved(abi, placed.end.stack),
            exact: matches!(abi, Abi::Custom),
        }
    }

    /// The same for a callback with arguments behind `...`: with every register that may carry one.
    pub const fn variadic<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        let capture = Self::new(abi, placed, groups);
        let (integers, vectors): (&[Register], u32) = match abi {
            Abi::SysV64 => (Convention::SYSV64.ints, 0xff << 16),
            Abi::Win64 => (&abi::win64::INTEGERS, 0),
            Abi::Named(_) | Abi::Custom => panic!("cbframe: no `...` in this convention"),
            _ => foreign(abi),
        };
        let (mut saved, mut i) = (capture.saved | vectors, 0);
        while i < integers.len() {
            saved |= register_bit(integers[i]);
            i += 1;
        }
        Self { saved, ..capture }
    }

    /// The same, and the registers of a sum of [`register_bit`]s, which the callback sees and changes.
    pub const fn and(mut self, registers: u32) -> Self {
        self.saved |= registers;
        self.loaded |= registers;
        self.singles |= registers;
        self
    }

    /// For callbacks whose signature is known at run time only: these registers carry arguments, and these the result.
    pub(super) const fn dynamic(arguments: u32, result: u32, groups: u32, home: usize) -> Self {
        let empty = Self::new(Abi::SysV64, &Placed::<0>::NOWHERE, groups);
        // Whole vector registers are stored elsewhere, and those that have arguments also in the state.
        let whole = if empty.groups == 0 { 0 } else { INTEGERS | VECTORS };
        Self { saved: whole | arguments, loaded: whole | result, result, home, ..empty }
    }

    /// The same, with vector registers, by number, to store as 32 and as 64 bytes, the bytes of a result in vector register 0,
    /// if these are 32 or 64, and how many registers of the x87 stack hold one.
    pub(super) const fn with_rare(self, (ymm, zmm): (u32, u32), (wide_result, x87_result): (u32, u32)) -> Self {
        Self { ymm, zmm, wide_result, x87_result, ..self }
    }

    /// The same, with a dispatcher whose address is the first word that ctx points to.
    pub(super) const fn with_head(self) -> Self {
        Self { headed: true, ..self }
    }

    /// Whether the first word that ctx points to is the dispatcher's address.
    pub const fn headed(self) -> bool {
        self.headed
    }

    /// The registers that were named one by one.
    pub const fn singles(self) -> u32 {
        self.singles
    }

    /// What the entry notes of what there is: `present` of the state.
    pub const fn present(self) -> u32 {
        self.groups | if self.singles != 0 { CpuState::SINGLE } else { 0 }
    }

    /// The vector registers, by number, to store as 32 bytes.
    pub const fn ymm(self) -> u32 {
        self.ymm
    }

    /// The vector registers to store as 64 bytes.
    pub const fn zmm(self) -> u32 {
        self.zmm
    }

    /// The size of a result in ymm0 or zmm0; otherwise 0.
    pub const fn wide_result(self) -> u32 {
        self.wide_result
    }

    /// How many registers of the x87 stack to load.
    pub const fn x87_result(self) -> u32 {
        self.x87_result
    }

    const fn has_wide(self) -> bool {
        self.groups & Group::Avx.bit() | self.ymm | self.zmm | self.wide_result | self.x87_result != 0
    }

    /// The vector registers to load that only a handler which asks for them has stored to.
    pub const fn loaded_whole(self) -> u32 {
        let wide_result = if self.wide_result != 0 { 1 << 16 } else { 0 };
        // What is above a result that is loaded by halves stays.
        let halves = if self.exact { 0 } else { self.loaded_by_halves() };
        self.loaded & !(halves | wide_result) & VECTORS
    }

    /// The vector registers to load that were likely stored to, 8 bytes at a time: the result's, by the dispatcher, and
    /// those that the callback names.
    pub const fn loaded_by_halves(self) -> u32 {
        (self.result | self.singles) & VECTORS
    }

    /// The registers to store.
    pub const fn saved(self) -> u32 {
        self.saved
    }

    /// The registers to load.
    pub const fn loaded(self) -> u32 {
        self.loaded
    }

    /// The groups.
    pub const fn groups(self) -> u32 {
        self.groups
    }

    /// The bytes of arguments that the return pops.
    pub const fn pops(self) -> u32 {
        self.pops
    }

    /// Whether callers may leave the stack pointer at an odd multiple of 8.
    pub const fn aligns(self) -> bool {
        self.moved.is_some()
    }

    /// The words of arguments on the stack that are moved along with the stack pointer.
    pub const fn moved_words(self) -> u32 {
        match self.moved {
            Some(bytes) => bytes / 8,
            None => 0,
        }
    }

    /// The bytes of home space, at the bottom of the frame.
    pub const fn home(self) -> usize {
        self.home
    }

    /// The offset in the frame of the area for wide vectors and x87 results.
    pub const fn wide(self) -> usize {
        // 64 for each register, and the opmasks; up to 48 are lost to the alignment.
        let vectors = if self.groups & Group::Avx512.bit() != 0 {
            33 * 64 + 48
        } else if self.groups & Group::Avx.bit() != 0 {
            16 * 64 + 48
        } else {
            0
        };
        self.home + vectors
    }

    /// The offset of the FXSAVE area in the frame.
    pub const fn fxsave(self) -> usize {
        self.wide() + if self.has_wide() { WIDE } else { 0 }
    }

    /// The offset of the [`CpuState`] in the frame.
    pub const fn state(self) -> usize {
        let fxsave = self.groups & Group::X87.bit() != 0 || self.has_wide();
        let offset = self.fxsave() + if fxsave { size_of::<Fxsave>() } else { 0 };
        // With what is pushed above the state less than a page: in a larger frame each page would have to be touched in turn,
        // for Windows gives a stack memory only next to what it has.
        assert!(offset + size_of::<CpuState>() <= 3840);
        offset
    }

    /// The size of a hook's frame below what its entry pushes.
    pub const fn jump_frame(self) -> usize {
        let interrupted = if matches!(crate::arch::NATIVE, Abi::Win64) { 32 } else { 0 };
        self.state() + size_of::<CpuState>() + interrupted
    }

    /// The size of the frame below ctx.
    pub const fn frame(self) -> usize {
        self.state() + CpuState::CTX
    }
}

/// The registers that a parameter arrives in.
const fn at_entry(place: &Place) -> u32 {
    match place {
        Place::Registers(parts) => bits(parts),
        Place::Reference(Pointer::Register(register)) => register_bit(*register),
        // No convention of x86-64 splits a value.
        Place::Nothing
        | Place::Stack(_)
        | Place::Split(..)
        | Place::Reference(Pointer::Stack(_))
        | Place::Hidden { .. } => 0,
    }
}

/// The registers that a result leaves in.
const fn on_return(place: &Place) -> u32 {
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
const fn bits(parts: &Parts) -> u32 {
    let (parts, mut bits, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        if parts[i].size <= 16 {
            bits |= register_bit(parts[i].register);
        }
        i += 1;
    }
    bits
}

/// A set of registers that have a place in a [`CpuState`]: bits 0 to 15 are the general ones by their position in a state, 16 to
/// 31 xmm0 to xmm15.
pub type Registers = u32;

/// The bit of a register in a set.
pub const fn register_bit(register: Register) -> Registers {
    match register {
        Register::Integer(number) => 1 << CpuState::position(number),
        Register::Vector(number) => 1 << (16 + number),
        Register::X87(_) => 0,
    }
}

/// The offset of a register from a [`CpuState`], for a piece of `size` bytes.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(in crate::arch) const fn offset(register: Register, size: u16) -> isize {
    let wide = -(WIDE_BELOW as isize);
    match register {
        Register::Integer(number) => CpuState::integer(number) as isize,
        Register::Vector(number) if size <= 16 => (CpuState::XMM + 16 * number as usize) as isize,
        Register::Vector(number) => wide + 64 * number as isize,
        Register::X87(number) => wide + 16 * number as isize,
    }
}

/// The vector registers, by number, of which a value has `size` bytes.
const fn wide_vectors(place: &Place, size: u16) -> u32 {
    let Place::Registers(parts) = place else { return 0 };
    let (parts, mut bits, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        if let (Register::Vector(number), true) = (parts[i].register, parts[i].size == size) {
            bits |= 1 << number;
        }
        i += 1;
    }
    bits
}

/// How many registers of the x87 stack a value has.
const fn x87_registers(place: &Place) -> u32 {
    let Place::Registers(parts) = place else { return 0 };
    let (parts, mut count, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        count += matches!(parts[i].register, Register::X87(_)) as u32;
        i += 1;
    }
    count
}
