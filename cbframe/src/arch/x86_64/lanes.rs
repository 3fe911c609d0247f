//! Which entry a callback gets, what an entry captures, and the moves between a captured state and Rust values.

use core::mem::MaybeUninit;
use core::ptr;

use super::state::CpuState;
use crate::abi::{Abi, Parameter, Part, Parts, Place, Placed, Pointer, Register, extension};
use crate::signature::{Forced, Known};

/// How the arguments of a callback on the native lane get to Rust: rustc passes them, and what differs is the
/// way of ctx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// In the integer register with this number, which no parameter uses.
    Direct(u8),
    /// In memory that the shim takes for a parameter. The number tells the shims apart: on System V the words
    /// of the [`Head`], on Windows the parameters before the extra words.
    Stack(u8),
}

impl Lane {
    /// The register of the direct lane; on the stack lane, where the direct entry is not used, any.
    pub const fn register(self) -> u8 {
        match self {
            Self::Direct(register) => register,
            Self::Stack(_) => 0,
        }
    }
}

/// The lane of a System V callback.
///
/// # Panics
///
/// When the lane that was asked for does not exist.
#[track_caller]
pub const fn sysv64_lane<const N: usize>(placed: &Option<Placed<N>>, parameters: &[Known; N], forced: Forced) -> Lane {
    match (placed, forced) {
        (Some(Placed { next: Some(Register::Integer(register)), .. }), Forced::No | Forced::Direct) => {
            Lane::Direct(*register)
        }
        (_, Forced::Direct) => panic!(
            "cbframe: `entry = \"direct\"` needs a free integer register, and a `CType` for every parameter and the result"
        ),
        _ => {
            // Shifting the stack arguments by a multiple of 32 keeps their alignment up to 32 bytes.
            let (mut align, mut i) = (0, 0);
            while i < N {
                if parameters[i].align > align {
                    align = parameters[i].align;
                }
                i += 1;
            }
            Lane::Stack(if align <= 32 { 4 } else { 8 })
        }
    }
}

/// The lane of a Windows x64 callback, whose result is in memory if `hidden`.
///
/// # Panics
///
/// When the lane that was asked for does not exist.
#[track_caller]
pub const fn win64_lane(parameters: usize, hidden: bool, forced: Forced) -> Lane {
    const REGISTERS: [u8; 4] = [1, 2, 8, 9];
    let positions = parameters + hidden as usize;
    match forced {
        Forced::No | Forced::Direct if positions < 4 => Lane::Direct(REGISTERS[positions]),
        Forced::No | Forced::Stack if positions >= 4 => Lane::Stack(4 - hidden as u8),
        _ => panic!(
            "cbframe: on Windows x64 the direct entry serves up to three positions, a hidden result pointer included, and the stack entry four or more"
        ),
    }
}

/// Whether a result of this type is returned in memory, as far as its size tells.
///
/// # Panics
///
/// When it does not tell: a vector or a 16-byte scalar may be in a register, a struct of that size is not.
#[track_caller]
pub const fn win64_hidden(result: Known) -> bool {
    match result.ty {
        Some(ty) => matches!(crate::abi::place(Abi::Win64, [], ty).result.place, Place::Hidden { .. }),
        None => match result.size {
            0 | 1 | 2 | 4 | 8 => false,
            16 | 32 | 64 => panic!(
                "cbframe: whether a result of this size is in memory on Windows x64 depends on what it is: derive `CType` for it"
            ),
            _ => true,
        },
    }
}

/// The first parameter of a stack shim on System V: a struct of class MEMORY, so that it takes no register and
/// lies where the entry's padding, ctx and the return address already are.
///
/// # Safety
///
/// The type is larger than 16 bytes, a multiple of 32 bytes in size, and ends in ctx and one word more.
pub unsafe trait Head {
    /// The bytes below ctx.
    const PAD: usize;

    /// The word of ctx.
    fn ctx(&self) -> *const ();
}

macro_rules! heads {
    ($($(#[$meta:meta])* $name:ident $pad:literal;)*) => { $(
        $(#[$meta])*
        #[repr(C)]
        pub struct $name {
            _pad: [MaybeUninit<usize>; $pad],
            ctx: *const (),
            _return_address: MaybeUninit<usize>,
        }

        const _: () = assert!(size_of::<$name>() % 32 == 0);

        // SAFETY: the assertion above, and the fields.
        unsafe impl Head for $name {
            const PAD: usize = 8 * $pad;

            #[inline(always)]
            fn ctx(&self) -> *const () {
                self.ctx
            }
        }
    )* };
}

heads! {
    /// Four words: for parameters of an alignment up to 32.
    Head4 2;
    /// Eight words: for parameters of an alignment up to 64.
    Head8 6;
}

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
    /// Registers to store: bits 0 to 15 the general ones by number, 16 to 31 xmm0 to xmm15.
    saved: u32,
    /// Registers to load.
    loaded: u32,
    /// Those of them that hold the result.
    result: u32,
    groups: u32,
    /// Bytes of home space that the dispatcher's ABI wants.
    home: usize,
}

/// Every general register but rsp, which is no store but an addition.
const INTEGERS: u32 = 0xffff & !(1 << 4);
const VECTORS: u32 = 0xffff << 16;

impl Capture {
    /// The capture for a callback of this ABI and signature that asks for `groups`, a sum of [`Group::bit`]s.
    pub const fn new<const N: usize>(abi: Abi, placed: &Placed<N>, groups: u32) -> Self {
        let mut whole = 0;
        if groups & Group::Gpr.bit() != 0 {
            whole |= INTEGERS;
        }
        if groups & Group::Sse.bit() != 0 {
            whole |= VECTORS;
        }
        let mut saved = match placed.result.place {
            Place::Hidden { arrives, .. } => whole | bit(arrives),
            _ => whole,
        };
        let mut i = 0;
        while i < N {
            saved |= at_entry(&placed.parameters[i].place);
            i += 1;
        }
        let home = match abi {
            Abi::SysV64 => 0,
            Abi::Win64 => 32,
        };
        let result = on_return(&placed.result.place);
        Self { saved, loaded: whole | result, result, groups, home }
    }

    /// The vector registers to load that only a handler which asks for them has stored to.
    pub const fn loaded_whole(self) -> u32 {
        self.loaded & !self.result & VECTORS
    }

    /// The vector registers to load that the dispatcher stored the result to, 8 bytes at a time.
    pub const fn loaded_by_halves(self) -> u32 {
        self.result & VECTORS
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

    /// The bytes of home space, at the bottom of the frame.
    pub const fn home(self) -> usize {
        self.home
    }

    /// The offset of the FXSAVE area in the frame.
    pub const fn fxsave(self) -> usize {
        self.home
    }

    /// The offset of the [`CpuState`] in the frame.
    pub const fn state(self) -> usize {
        let fxsave = if self.groups & Group::X87.bit() != 0 { 512 } else { 0 };
        self.fxsave() + fxsave
    }

    /// The size of the frame below ctx.
    pub const fn frame(self) -> usize {
        self.state() + CpuState::OFFSETS.ctx
    }
}

/// The registers that a parameter arrives in.
const fn at_entry(place: &Place) -> u32 {
    match place {
        Place::Registers(parts) => bits(parts),
        Place::Reference(Pointer::Register(register)) => bit(*register),
        Place::Nothing | Place::Stack(_) | Place::Reference(Pointer::Stack(_)) | Place::Hidden { .. } => 0,
    }
}

/// The registers that a result leaves in.
const fn on_return(place: &Place) -> u32 {
    match place {
        Place::Registers(parts) => bits(parts),
        Place::Hidden { leaves, .. } => bit(*leaves),
        Place::Nothing | Place::Stack(_) | Place::Reference(_) => 0,
    }
}

const fn bits(parts: &Parts) -> u32 {
    let (parts, mut bits, mut i) = (parts.as_slice(), 0, 0);
    while i < parts.len() {
        bits |= bit(parts[i].register);
        i += 1;
    }
    bits
}

const fn bit(register: Register) -> u32 {
    match register {
        Register::Integer(number) => 1 << number,
        Register::Vector(number) => 1 << (16 + number),
    }
}

// What follows must be inlined to fold, since places are constants. Without optimization nothing folds, and inlining would
// only give the dispatcher a frame of 4 KiB for each parameter.

/// The offset of a register in [`CpuState`].
#[cfg_attr(not(debug_assertions), inline(always))]
const fn offset(register: Register) -> usize {
    match register {
        Register::Integer(number) => CpuState::OFFSETS.integers[number as usize],
        Register::Vector(number) => CpuState::OFFSETS.xmm + 16 * number as usize,
    }
}

/// The low 8 bytes of a captured register.
///
/// Volatile, and 8 bytes at a time, because that is how they were stored a moment ago: the optimizer would
/// merge two loads into one of 16 bytes, which cannot be forwarded from two stores and waits for both.
///
/// # Safety
///
/// `cpu` points to a state in an entry's frame whose capture includes `register`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn read(cpu: *const CpuState, register: Register) -> u64 {
    // SAFETY: the offset is that of a field, aligned to 8, which the entry has stored.
    unsafe { cpu.byte_add(offset(register)).cast::<u64>().read_volatile() }
}

/// Where the caller's stack arguments begin: above the return address, which is the last word of the state.
#[cfg_attr(not(debug_assertions), inline(always))]
fn stack_arguments(cpu: *const CpuState) -> *const u8 {
    cpu.wrapping_add(1).cast()
}

#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn pointer(cpu: *const CpuState, pointer: Pointer) -> *mut u8 {
    // SAFETY: the caller passes on what `take` is promised.
    unsafe {
        match pointer {
            Pointer::Register(register) => ptr::with_exposed_provenance_mut(read(cpu, register) as usize),
            Pointer::Stack(offset) => stack_arguments(cpu).add(offset as usize).cast::<*mut u8>().read(),
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
/// As for [`read`], and the piece lies within the value at `to`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn take_part(cpu: *const CpuState, part: Option<Part>, to: *mut u8) {
    if let Some(Part { register, offset, size }) = part {
        // SAFETY: the caller's promise.
        unsafe {
            let word = read(cpu, register);
            ptr::copy_nonoverlapping((&raw const word).cast(), to.add(offset.into()), size.into());
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
        Place::Hidden { arrives, .. } => unsafe { pointer(cpu, Pointer::Register(arrives)) },
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
        Place::Nothing | Place::Stack(_) | Place::Reference(_) => {}
        // SAFETY: the entry loads the result's registers from the state; a part lies within its value.
        Place::Registers(parts) => unsafe {
            let signed = extension(&result.ty) == 2;
            give_part(cpu, parts.get(0), from, signed);
            give_part(cpu, parts.get(1), from, signed);
            give_part(cpu, parts.get(2), from, signed);
            give_part(cpu, parts.get(3), from, signed);
        },
        // SAFETY: `hidden` is the caller's space for the result, whose address goes back in `leaves`.
        Place::Hidden { leaves, .. } => unsafe {
            ptr::copy_nonoverlapping(from, hidden, size_of::<T>());
            cpu.byte_add(offset(leaves)).cast::<u64>().write(hidden.expose_provenance() as u64);
        },
    }
}

/// # Safety
///
/// As for [`give`], and the piece lies within the value at `from`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn give_part(cpu: *mut CpuState, part: Option<Part>, from: *const u8, signed: bool) {
    let Some(part) = part else { return };
    let mut word = MaybeUninit::<u64>::zeroed();
    // SAFETY: the caller's promise; a piece is at most 8 bytes.
    unsafe {
        ptr::copy_nonoverlapping(from.add(part.offset.into()), word.as_mut_ptr().cast(), part.size.into());
        if signed {
            // The psABI leaves bits 8 or 16 to 31 open; LuaJIT and others hand them out extended, and so do we.
            let unused = 32 - 8 * u32::from(part.size);
            let extended = ((word.assume_init() as i32) << unused) >> unused;
            word = MaybeUninit::new(u64::from(extended as u32));
        }
        cpu.byte_add(offset(part.register)).cast::<MaybeUninit<u64>>().write(word);
    }
}
