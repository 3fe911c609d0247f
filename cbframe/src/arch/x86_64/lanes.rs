//! Which entry a callback gets, what an entry captures, and the moves between a captured state and Rust values.

use core::mem::MaybeUninit;
use core::ptr;

use super::convention::{moved, preserved, preserved_groups};
use super::state::CpuState;
use super::x87::Fxsave;
use crate::abi::{self, Abi, Convention, Parameter, Part, Parts, Place, Placed, Pointer, Register, extension};
use crate::signature::{Forced, Known};
use crate::types::{Field, Kind, Type};

/// How the arguments of a callback, and ctx, get to Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// rustc passes the arguments; ctx is in the integer register with this number, which no parameter uses.
    Direct(u8),
    /// rustc passes the arguments; ctx is in memory that the shim takes for a parameter. The number tells the shims
    /// apart: on System V the words of the [`Head`], on Windows the parameters before the extra words.
    Stack(u8),
    /// The dispatcher takes the arguments out of a [`CpuState`]: rustc would pass one of them, or the result,
    /// otherwise than C does.
    Captured,
}

impl Lane {
    /// The register of the direct lane; on the others, where the direct entry is not used, any.
    pub const fn register(self) -> u8 {
        match self {
            Self::Direct(register) => register,
            Self::Stack(_) | Self::Captured => 0,
        }
    }
}

/// Whether rustc passes the parameters and the result as C does; what it knows of a type that is no `CType` is all
/// that anybody knows.
pub const fn is_native<const N: usize>(abi: Abi, parameters: &[Known; N], result: Known) -> bool {
    let mut native = is_native_type(abi, &result.ty);
    let mut i = 0;
    while i < N {
        native &= is_native_type(abi, &parameters[i].ty);
        i += 1;
    }
    native
}

const fn is_native_type(abi: Abi, ty: &Option<Type>) -> bool {
    let Some(ty) = ty else { return true };
    // What is passed by reference on Windows is aligned to 16 bytes: more than that rustc expects, but neither
    // Microsoft promises nor gcc does it.
    let aligned = match abi {
        Abi::SysV64 => true,
        Abi::Win64 => ty.align <= 16,
        // No convention of rustc's.
        Abi::Named(_) | Abi::Custom => false,
    };
    aligned && never_native(ty).is_none() && ty.widest_vector() <= VECTOR_REGISTER
}

/// The size of the vector registers that rustc may use in this build: functions with wider vectors it refuses.
const VECTOR_REGISTER: usize = if cfg!(target_feature = "avx512f") {
    64
} else if cfg!(target_feature = "avx") {
    32
} else {
    16
};

/// The name of what rustc passes otherwise than C does in a value of this type: a scalar that it knows as a struct of
/// bytes only, or a packed struct whose unaligned field without bytes it overlooks.
pub(crate) const fn never_native(ty: &Type) -> Option<&'static str> {
    match ty.kind {
        Kind::X87 => Some(ty.name),
        Kind::Float if !matches!(ty.size, 4 | 8) => Some(ty.name),
        Kind::Complex { element } | Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => {
            never_native(element)
        }
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { ty: field, .. } = &fields[i];
                let found = never_native(field);
                if found.is_some() {
                    return found;
                }
                if field.size == 0 && field.align > ty.align {
                    return Some(ty.name);
                }
                i += 1;
            }
            None
        }
        Kind::Float
        | Kind::Void
        | Kind::Bool
        | Kind::Int { .. }
        | Kind::Pointer { .. }
        | Kind::Enum { .. }
        | Kind::Vector => None,
    }
}

/// Panics if a lane was asked for that this signature cannot have because rustc would pass it wrongly.
#[track_caller]
const fn refuse_forced(forced: Forced) {
    assert!(
        matches!(forced, Forced::No),
        "cbframe: rustc passes a parameter or the result otherwise than C does, so only `entry = \"captured\"` serves this signature"
    );
}

/// The lane of a System V callback.
///
/// # Panics
///
/// When the lane that was asked for does not exist.
#[track_caller]
pub const fn sysv64_lane<const N: usize>(
    placed: &Option<Placed<N>>,
    parameters: &[Known; N],
    result: Known,
    forced: Forced,
) -> Lane {
    if !is_native(Abi::SysV64, parameters, result) {
        refuse_forced(forced);
        return Lane::Captured;
    }
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
pub const fn win64_lane<const N: usize>(parameters: &[Known; N], result: Known, hidden: bool, forced: Forced) -> Lane {
    const REGISTERS: [u8; 4] = [1, 2, 8, 9];
    if !is_native(Abi::Win64, parameters, result) {
        refuse_forced(forced);
        return Lane::Captured;
    }
    let positions = N + hidden as usize;
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
    /// Bytes of arguments on the stack, if the stack pointer has to be aligned first.
    moved: Option<u32>,
    /// Whether the rest of a vector register with a result is as it was.
    exact: bool,
}

/// The size of the area for what a [`CpuState`] has no room for: 64 bytes for each of the vector registers that carry
/// arguments or a result, and on return 16 for each register of the x87 stack.
const WIDE: usize = 512;

/// How far below the [`CpuState`] that area lies. The FXSAVE area is in between, whether it is used or not.
const WIDE_BELOW: usize = WIDE + size_of::<Fxsave>();

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
        if let Place::Hidden { arrives, .. } = placed.result.place {
            saved |= register_bit(arrives);
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
        self.fxsave() + if fxsave { size_of::<Fxsave>() } else { 0 }
    }

    /// The size of a hook's frame below what its entry pushes.
    pub const fn jump_frame(self) -> usize {
        self.state() + size_of::<CpuState>()
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
        Place::Nothing | Place::Stack(_) | Place::Reference(Pointer::Stack(_)) | Place::Hidden { .. } => 0,
    }
}

/// The registers that a result leaves in.
const fn on_return(place: &Place) -> u32 {
    match place {
        Place::Registers(parts) => bits(parts),
        Place::Hidden { leaves, .. } => register_bit(*leaves),
        Place::Nothing | Place::Stack(_) | Place::Reference(_) => 0,
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

/// The bit of a register in a set of those that have a place in a [`CpuState`].
pub const fn register_bit(register: Register) -> u32 {
    match register {
        Register::Integer(number) => 1 << CpuState::position(number),
        Register::Vector(number) => 1 << (16 + number),
        Register::X87(_) => 0,
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

// What follows must be inlined to fold, since places are constants. Without optimization nothing folds, and inlining would
// only give the dispatcher a frame of 4 KiB for each parameter.

/// The offset of a register from a [`CpuState`], for a piece of `size` bytes.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) const fn offset(register: Register, size: u16) -> isize {
    let wide = -(WIDE_BELOW as isize);
    match register {
        Register::Integer(number) => CpuState::integer(number) as isize,
        Register::Vector(number) if size <= 16 => (CpuState::XMM + 16 * number as usize) as isize,
        Register::Vector(number) => wide + 64 * number as isize,
        Register::X87(number) => wide + 16 * number as isize,
    }
}

/// Eight bytes of what an entry has stored, `offset` bytes from the state.
///
/// Volatile, and 8 bytes at a time, because that is how they were stored a moment ago: the optimizer would
/// merge two loads into one of 16 bytes, which cannot be forwarded from two stores and waits for both.
///
/// # Safety
///
/// `cpu` points to a state in an entry's frame, and the offset, a multiple of 8, is that of something stored.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) unsafe fn read(cpu: *const CpuState, offset: isize) -> u64 {
    // SAFETY: the caller's promise; the state is aligned to 16.
    unsafe { cpu.byte_offset(offset).cast::<u64>().read_volatile() }
}

/// Where the caller's stack arguments begin: above the return address, which is the last word of the state.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn stack_arguments(cpu: *const CpuState) -> *const u8 {
    cpu.wrapping_add(1).cast()
}

#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn pointer(cpu: *const CpuState, pointer: Pointer) -> *mut u8 {
    // SAFETY: the caller passes on what `take` is promised.
    unsafe {
        match pointer {
            Pointer::Register(register) => ptr::with_exposed_provenance_mut(read(cpu, offset(register, 8)) as usize),
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
/// The entry has stored the register of the piece, which lies within the value at `to`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn take_part(cpu: *const CpuState, part: Option<Part>, to: *mut u8) {
    if let Some(part) = part {
        let from = offset(part.register, part.size);
        let mut at = 0;
        while at < part.size {
            let size = if part.size - at < 8 { part.size - at } else { 8 };
            // SAFETY: the caller's promise; registers are stored as multiples of 8 bytes.
            unsafe {
                let word = read(cpu, from + at as isize);
                ptr::copy_nonoverlapping((&raw const word).cast(), to.add((part.offset + at).into()), size.into());
            }
            at += 8;
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
            cpu.byte_offset(offset(leaves, 8)).cast::<u64>().write(hidden.expose_provenance() as u64);
        },
    }
}

/// # Safety
///
/// As for [`give`], and the piece lies within the value at `from`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn give_part(cpu: *mut CpuState, part: Option<Part>, from: *const u8, signed: bool) {
    let Some(part) = part else { return };
    let to = offset(part.register, part.size);
    let mut at = 0;
    while at < part.size {
        let size = if part.size - at < 8 { part.size - at } else { 8 };
        let mut word = MaybeUninit::<u64>::zeroed();
        // SAFETY: the caller's promise; registers are loaded as multiples of 8 bytes, x87 ones from 16.
        unsafe {
            ptr::copy_nonoverlapping(from.add((part.offset + at).into()), word.as_mut_ptr().cast(), size.into());
            if signed {
                // The psABI leaves bits 8 or 16 to 31 open; LuaJIT and others hand them out extended, and so do we.
                let unused = 32 - 8 * u32::from(part.size);
                let extended = ((word.assume_init() as i32) << unused) >> unused;
                word = MaybeUninit::new(u64::from(extended as u32));
            }
            cpu.byte_offset(to + at as isize).cast::<MaybeUninit<u64>>().write(word);
        }
        at += 8;
    }
}
