//! Where arguments and results lie: pure `const fn`s from a signature to the places of its values.
//!
//! Everything here is compiled on every host and knows nothing of the machine it runs on: no `cfg`, no
//! `unsafe`. One file holds one convention.

mod aapcs32;
pub(crate) mod aapcs64;
#[cfg(feature = "std")]
mod cache;
mod convention;
mod display;
pub(crate) mod homogeneous;
mod layout;
#[cfg(feature = "alloc")]
mod placement;
pub(crate) mod riscv64;
mod scalars;
#[cfg(feature = "alloc")]
mod signature;
mod spots;
mod sysv64;
mod target;
#[cfg(test)]
mod tests;
mod vectorcall;
pub(crate) mod win64;
pub(crate) mod x86;

#[cfg(feature = "std")]
pub use cache::SignatureCache;
pub use convention::{Aggregates, CallingConvention, Convention, Hidden};
pub use layout::Layout;
pub(crate) use layout::extension;
use layout::same_register;
#[cfg(feature = "alloc")]
pub use placement::{Placement, Placing, Refusal};
use scalars::Scalars;
#[cfg(feature = "alloc")]
pub use signature::{Signature, SignatureBuilder, SignatureError};
#[doc(hidden)]
pub use spots::Spot;
pub(crate) use spots::{overlap, placed as place_at};
pub use target::{Architecture, DataModel, Target};
pub use x86::X86Call;

use crate::types::{Kind, Message, Type, round_up};

/// A calling convention, as far as the places of arguments and results go.
///
/// `extern "C"` and its kin are names for one of these that depend on the target: see [`Abi::named`]. Those of every
/// architecture are here on every host, to be looked at; a callback can have those of the target's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Abi {
    /// System V x86-64: Linux, macOS, the BSDs. Rules: "System V Application Binary Interface, AMD64
    /// Architecture Processor Supplement", section 3.2.
    SysV64,
    /// Windows x64, also that of UEFI. Rules: Microsoft, "x64 calling convention".
    ///
    /// Microsoft's compiler has no wider scalars than vectors. Where other compilers differ, this is followed:
    ///
    /// | type | argument | result | as in |
    /// | --- | --- | --- | --- |
    /// | `__int128` | by reference | xmm0 | GCC, Clang, rustc |
    /// | `__m128`, `__m256`, `__m512` | by reference | xmm0, ymm0, zmm0 | MSVC, Clang, rustc (GCC: the wider two in memory) |
    /// | `long double` of 80 bits | by reference | in memory | GCC, and both for MinGW (Clang elsewhere: `st(0)`) |
    /// | `_Complex` | as a struct of two | as a struct of two | GCC, Clang |
    /// | `_Float16` | xmm | xmm0 | Clang, rustc (GCC 12: as an integer) |
    /// | `__float128` | by reference | in memory | GCC, and Microsoft's rule for what is no vector (Clang 19: xmm) |
    ///
    /// An empty struct takes a position, passed by reference, and is nothing as a result, as in GCC and rustc.
    Win64,
    /// 32-bit x86. Rules: "System V Application Binary Interface, Intel386 Architecture Processor Supplement", version 1.1,
    /// section 2.2, Microsoft's pages on the single conventions, and GCC's documentation of their attributes.
    X86 {
        /// How the function is called.
        call: X86Call,
        /// Whether results are returned as on Windows: structs of 1, 2, 4 and 8 bytes in eax and edx, and if there is a
        /// hidden pointer to the result, the caller pops it. Elsewhere, as on Linux, every struct is returned in memory, and
        /// the return pops the hidden pointer.
        windows: bool,
    },
    /// AArch64 Linux and the BSDs. Rules: Arm, "Procedure Call Standard for the Arm 64-bit Architecture (AArch64)", release
    /// 2024Q3, section 6.
    Aapcs64,
    /// AArch64 of Apple: the AAPCS64 with the changes of "Writing ARM64 code for Apple platforms". Arguments on the stack
    /// are aligned as in memory, those behind `...` are all there, and callers extend narrow integers.
    AppleArm64,
    /// RISC-V with 64 bits and registers for doubles. Rules: "RISC-V ABIs Specification", version 1.0, chapters 1 and 2.
    Lp64d,
    /// 32-bit Arm, the base standard: floats in core registers. Rules: Arm, "Procedure Call Standard for the Arm
    /// Architecture", release 2024Q3, section 6. Variadic functions of [`AapcsVfp`](Self::AapcsVfp) have it, too.
    Aapcs,
    /// 32-bit Arm, the variant with VFP registers: `gnueabihf`. Rules: section 7.1.2 of the same.
    AapcsVfp,
    /// One that is described as data: see [`crate::convention!`](macro@crate::convention) and [`crate::conventions`].
    Named(&'static Convention),
    /// `abi = "custom"`: each callback says itself where its arguments and its result lie.
    Custom,
}

/// A register that carries an argument or a result. Which one a number means depends on the architecture
/// ([`Abi::architecture`]), and so does its name: [`on`](Self::on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Register {
    /// A general register, by the number that instructions encode: on x86-64, 0 is rax and 7 rdi; on 32-bit x86, 0 is eax;
    /// on AArch64, 8 is x8; on Arm, 3 is r3; on RISC-V, 10 is x10, which is called a0.
    Integer(u8),
    /// A vector or floating-point register. On x86, xmm0 to xmm15, or the ymm or zmm register around it if the piece is
    /// larger. On AArch64, v0 to v31, or the narrower register in it. On RISC-V, f0 to f31: 10 is called fa0. On Arm, the
    /// number of the first single-precision register that the piece occupies: 8 bytes in `Vector(2)` are in d1.
    Vector(u8),
    /// A register of the x87 stack of x86 by its distance from the top: `st(0)`, `st(1)`.
    X87(u8),
}

impl Register {
    pub(crate) const RAX: Self = Self::Integer(0);
    pub(crate) const RCX: Self = Self::Integer(1);
    pub(crate) const RDX: Self = Self::Integer(2);
    pub(crate) const RSI: Self = Self::Integer(6);
    pub(crate) const RDI: Self = Self::Integer(7);
    pub(crate) const R8: Self = Self::Integer(8);
    pub(crate) const R9: Self = Self::Integer(9);
}

/// A piece of a value that lies in one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The register; the piece is in its low bytes. (But an x87 register holds a `float` or a `double`, a piece of 4 or 8
    /// bytes, in its own format.)
    pub register: Register,
    /// The offset of the piece in the value, in bytes.
    pub offset: u16,
    /// The size of the piece in bytes.
    pub size: u16,
}

/// The pieces of a value that lies in registers, in the order of their offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    parts: [Part; 4],
    len: u8,
}

impl Parts {
    pub(crate) const NONE: Self = Self { parts: [Part { register: Register::RAX, offset: 0, size: 0 }; 4], len: 0 };

    /// These pieces; `None` if there are more than four.
    #[must_use]
    pub fn new(pieces: &[Part]) -> Option<Self> {
        let mut parts = Self::NONE.parts;
        parts.get_mut(..pieces.len())?.copy_from_slice(pieces);
        Some(Self { parts, len: pieces.len() as u8 })
    }

    /// All of a value of `size` bytes in one register.
    #[must_use]
    pub const fn whole(register: Register, size: usize) -> Self {
        Self::one(register, size)
    }

    pub(crate) const fn one(register: Register, size: usize) -> Self {
        Self::NONE.and(register, 0, size)
    }

    /// Adds `register` for the `size` bytes at `offset`.
    pub(crate) const fn and(mut self, register: Register, offset: usize, size: usize) -> Self {
        self.parts[self.len as usize] = Part { register, offset: offset as u16, size: size as u16 };
        self.len += 1;
        self
    }

    /// How many bytes are in all pieces.
    #[inline]
    pub(crate) const fn size(&self) -> usize {
        let (parts, mut size, mut i) = (self.as_slice(), 0, 0);
        while i < parts.len() {
            size += parts[i].size as usize;
            i += 1;
        }
        size
    }

    /// The piece at `index`, which is below 4, if there are so many.
    ///
    /// Asked for one by one with constants, the pieces fold into the code that uses them; a loop over the slice
    /// would not in every build.
    #[inline(always)]
    pub(crate) const fn get(&self, index: usize) -> Option<Part> {
        if index < self.len as usize { Some(self.parts[index]) } else { None }
    }

    /// The pieces.
    #[inline]
    pub const fn as_slice(&self) -> &[Part] {
        self.parts.split_at(self.len as usize).0
    }
}

/// Where a pointer to a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// In a register.
    Register(Register),
    /// On the stack, at this offset in bytes: see [`Place::Stack`].
    Stack(u32),
}

/// Where a value lies when the callback is called, or when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Nowhere: the value has no bytes.
    Nothing,
    /// In registers.
    Registers(Parts),
    /// In memory that the caller wrote, this many bytes above where the stack pointer was before the call: on x86, that is
    /// above the return address's end.
    Stack(u32),
    /// The first bytes in registers and all others on the stack, from this offset on, as for [`Stack`](Self::Stack): on Arm
    /// and RISC-V, if only some of the registers for a value are left.
    Split(Parts, u32),
    /// In the caller's memory, with its address in a register or on the stack: a by-reference argument.
    Reference(Pointer),
    /// In the caller's memory: a result whose address the caller passes like a first argument in `arrives`,
    /// and that the callback hands back in `leaves`.
    Hidden {
        /// What holds the address at entry.
        arrives: Pointer,
        /// The register that holds the address on return, if the convention says that one does.
        leaves: Option<Register>,
    },
}

/// A parameter, or the result, and its place.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name of the parameter; empty for the result, and where there is none.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Where it lies.
    pub place: Place,
}

/// A placed signature of `N` parameters: what [`place`] computes and [`Layout`] shows.
#[derive(Clone, Copy, Debug)]
pub struct Placed<const N: usize> {
    pub(crate) parameters: [Parameter; N],
    pub(crate) result: Parameter,
    /// What the parameters have taken.
    pub(crate) end: Cursor,
    /// Bytes of arguments that the return pops.
    pub(crate) pops: u32,
    /// The register in which one more pointer argument would be passed, if it would be.
    #[allow(dead_code, reason = "not every architecture has shims with one more parameter")]
    pub(crate) next: Option<Register>,
}

/// Places the parameters and the result of a signature, in the order of declaration.
///
/// # Panics
///
/// When a type is no C parameter or result: `()` and arrays as parameters, arrays as results; and when a
/// [`Type`] is inconsistent ([`Type::check`]). When a convention makes no sense ([`Convention::check`]) or has no rule for
/// a type, and with [`Abi::Custom`], which has no rules. In a `const` the panic is a compile-time error.
pub const fn place<const N: usize>(abi: Abi, parameters: [(&'static str, Type); N], result: Type) -> Placed<N> {
    place_unnamed(abi, parameters, result, None)
}

/// The same for a call of a variadic function: arguments from index `before` on are behind `...`.
///
/// # Panics
///
/// As [`place`], and when C passes no argument of some type behind `...`, be it that it passes another in its stead.
pub(crate) const fn place_unnamed<const N: usize>(
    abi: Abi,
    parameters: [(&'static str, Type); N],
    result: Type,
    before: Option<usize>,
) -> Placed<N> {
    let mut result = Parameter { name: "", ty: result, place: Place::Nothing };
    let mut placed = [result; N];
    let mut i = 0;
    while i < N {
        (placed[i].name, placed[i].ty) = parameters[i];
        if matches!(before, Some(before) if i >= before) {
            check_promoted(&placed[i].ty);
        }
        i += 1;
    }
    let Taken { end, pops, next } = place_each(abi, &mut placed, &mut result, before);
    Placed { parameters: placed, result, end, pops, next }
}

/// What the parameters of a signature have taken.
pub(crate) struct Taken {
    /// Registers and stack.
    pub(crate) end: Cursor,
    /// Bytes of arguments that the return pops.
    pub(crate) pops: u32,
    /// The register in which one more pointer argument would be passed, if it would be.
    pub(crate) next: Option<Register>,
}

/// Finds the places of parameters and a result that have their types already. `before_dots` is, for a variadic signature,
/// how many of the parameters are before `...`; all others are arguments of one call.
///
/// # Panics
///
/// As [`place`].
pub(crate) const fn place_each(
    abi: Abi,
    parameters: &mut [Parameter],
    result: &mut Parameter,
    before_dots: Option<usize>,
) -> Taken {
    let (abi, named) = match before_dots {
        Some(_) if matches!(abi, Abi::X86 { call, .. } if !call.has_variadic()) => {
            Message::new("cbframe: `").text(abi.name()).text("` has no variadic functions").panic()
        }
        Some(before) => (abi.of_variadic(), before),
        None => (abi, parameters.len()),
    };
    check_result(&result.ty);
    if let Abi::Named(convention) = abi {
        convention.check();
    }
    refuse(abi, &result.ty, None);
    let mut cursor;
    (cursor, result.place) = match abi {
        Abi::SysV64 => sysv64::start(&Convention::SYSV64, &result.ty),
        Abi::Win64 => win64::start(&result.ty),
        Abi::Named(convention) => convention::start(convention, &result.ty),
        Abi::X86 { call, windows } => x86::start(call, windows, before_dots.is_some(), &result.ty),
        Abi::Aapcs64 => aapcs64::start(false, &result.ty),
        Abi::AppleArm64 => aapcs64::start(true, &result.ty),
        Abi::Lp64d => riscv64::start(&result.ty),
        Abi::Aapcs => aapcs32::start(false, &result.ty),
        Abi::AapcsVfp => aapcs32::start(true, &result.ty),
        Abi::Custom => panic!("cbframe: with `abi = \"custom\"` no rule says where arguments lie"),
    };
    let mut i = 0;
    while i < parameters.len() {
        let ty = &parameters[i].ty;
        check_parameter(ty);
        // By position where that counts.
        refuse(abi, ty, Some(cursor.integers as usize));
        (cursor, parameters[i].place) = if i < named {
            next(abi, cursor, ty)
        } else {
            refuse_for(abi, ty, abi.refusal_unnamed(ty));
            next_unnamed(abi, cursor, ty)
        };
        i += 1;
    }
    let mut pops = 0;
    if let Abi::Named(convention) = abi {
        if let Aggregates::Vectorcall = convention.aggregates {
            let hidden = matches!(result.place, Place::Hidden { .. });
            vectorcall::finish(convention, parameters, cursor.vectors as u8, hidden);
        }
        pops = if convention.callee_pops { round_up(cursor.stack as usize, 8) as u32 } else { 0 };
    }
    cursor.stack = round_up(cursor.stack as usize, abi.pointer_size()) as u32;
    if let Abi::X86 { call, windows } = abi {
        pops = x86::pops(call, windows, cursor.stack, &result.place);
    }
    // What one pointer more would get: the direct entry passes the state there.
    let next = match next(abi, cursor, &abi.target().data_model().pointer).1 {
        Place::Registers(parts) => Some(parts.parts[0].register),
        _ => None,
    };
    Taken { end: cursor, pops, next }
}

const fn next(abi: Abi, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    match abi {
        Abi::SysV64 => sysv64::next(&Convention::SYSV64, cursor, ty),
        Abi::Win64 => win64::next(cursor, ty),
        Abi::Named(convention) => convention::next(convention, cursor, ty),
        Abi::X86 { call, .. } => x86::next(call, cursor, ty),
        Abi::Aapcs64 => aapcs64::next(false, cursor, ty),
        Abi::AppleArm64 => aapcs64::next(true, cursor, ty),
        Abi::Lp64d => riscv64::next(cursor, ty),
        Abi::Aapcs => aapcs32::next(false, cursor, ty),
        Abi::AapcsVfp => aapcs32::next(true, cursor, ty),
        Abi::Custom => (cursor, Place::Nothing),
    }
}

/// Panics if the convention has no place for a value of this type: [`Abi::refusal`].
#[track_caller]
const fn refuse(abi: Abi, ty: &Type, position: Option<usize>) {
    refuse_for(abi, ty, abi.refusal(ty, position));
}

/// Panics for this reason, if there is one.
#[track_caller]
const fn refuse_for(abi: Abi, ty: &Type, reason: Option<&'static str>) {
    if let Some(reason) = reason {
        Message::new("cbframe: `")
            .text(abi.name())
            .text("` has no rule for `")
            .text(ty.name)
            .text("`: it is ")
            .text(reason)
            .panic()
    }
}

/// How much of an ABI's argument registers and stack has been given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// Integer registers given out; on Windows, positions, up to four.
    pub(crate) integers: u8,
    /// Vector registers given out; where they are not given out in order, a bit for each.
    pub(crate) vectors: u16,
    /// Bytes of stack given out.
    pub(crate) stack: u32,
}

/// The place that an argument behind `...` has as long as there are registers for it, relative to the next free ones.
///
/// # Panics
///
/// When C passes no argument of this type behind `...`, be it that it passes another in its stead.
#[track_caller]
pub(crate) const fn unnamed(abi: Abi, ty: &Type) -> Place {
    check_promoted(ty);
    refuse(abi, ty, Some(0));
    next_unnamed(abi, Cursor::START, ty).1
}

/// Panics unless C passes arguments of this type behind `...`.
#[track_caller]
const fn check_promoted(ty: &Type) {
    check_parameter(ty);
    if let Some(instead) = promotion(ty) {
        Message::new("cbframe: C passes `")
            .text(ty.name)
            .text("` through `...` as another type: ask for `")
            .text(instead)
            .text("`, and convert it")
            .panic()
    }
}

/// What C's default argument promotions (C17, 6.5.2.2, paragraph 6) make of this type, if that is another.
pub(crate) const fn promotion(ty: &Type) -> Option<&'static str> {
    match ty.passed_as().kind {
        Kind::Bool | Kind::Int { .. } | Kind::Enum { .. } if ty.size < 4 => Some("c_int"),
        Kind::Float if ty.size == 4 => Some("f64"),
        _ => None,
    }
}

/// The place of the next argument behind `...`, and the cursor behind it.
const fn next_unnamed(abi: Abi, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    let (after, place) = match abi {
        Abi::AppleArm64 => aapcs64::next_unnamed(cursor, ty),
        Abi::Lp64d => riscv64::next_unnamed(cursor, ty),
        _ => next(abi, cursor, ty),
    };
    let Place::Registers(parts) = place else { return (after, place) };
    match (abi, parts.parts[0].register) {
        // psABI, 3.5.7: "arguments of type __m256 and __m512" behind `...` are in memory.
        (Abi::SysV64, _) if parts.parts[0].size > 16 => sysv64::in_memory(cursor, ty),
        // Also in the vector register of the position: "x64 calling convention", "Varargs".
        (Abi::Win64, Register::Vector(position)) => {
            (after, Place::Registers(Parts::one(win64::INTEGERS[position as usize], ty.size)))
        }
        _ => (after, place),
    }
}

impl Cursor {
    const START: Self = Self { integers: 0, vectors: 0, stack: 0 };

    /// Behind so many more bytes of stack, which begin at the offset.
    const fn push(self, size: usize, align: usize) -> (Self, u32) {
        let offset = round_up(self.stack as usize, align);
        let end = offset + size;
        assert!(end <= u32::MAX as usize, "cbframe: 4 GiB of arguments on the stack");
        (Self { stack: end as u32, ..self }, offset as u32)
    }

    /// Behind so many more registers.
    const fn and(self, integers: u8, vectors: u16) -> Self {
        Self { integers: self.integers + integers, vectors: self.vectors + vectors, ..self }
    }
}

/// Panics unless C has parameters of this type.
#[track_caller]
pub(crate) const fn check_parameter(ty: &Type) {
    match ty.passed_as().kind {
        Kind::Void => panic!("cbframe: a parameter of type `()`: C has none; remove it"),
        Kind::Array { .. } => {
            panic!(
                "cbframe: an array as a parameter: C passes a pointer to its first element; write `*const T` or put the array in a struct"
            )
        }
        _ => ty.check(),
    }
}

/// Panics unless C has results of this type.
#[track_caller]
pub(crate) const fn check_result(ty: &Type) {
    match ty.passed_as().kind {
        Kind::Array { .. } => panic!("cbframe: an array as a result: C has none; put it in a struct"),
        _ => ty.check(),
    }
}

impl<const N: usize> Placed<N> {
    /// Nothing lies anywhere.
    pub(crate) const NOWHERE: Self = {
        let ty = Type { name: "()", size: 0, align: 1, kind: Kind::Void };
        let nothing = Parameter { name: "", ty, place: Place::Nothing };
        Self { parameters: [nothing; N], result: nothing, end: Cursor::START, pops: 0, next: None }
    };

    /// The parameter at `index`.
    pub const fn parameter(&self, index: usize) -> &Parameter {
        &self.parameters[index]
    }

    /// The result.
    pub const fn result(&self) -> &Parameter {
        &self.result
    }

    /// The layout of this signature.
    pub const fn layout(&self, abi: Abi, unwind: bool) -> Layout<'_> {
        let (parameters, result) = (&self.parameters, self.result);
        Layout { abi, unwind, variadic: false, parameters, result, stack: self.end.stack, pops: self.pops }
    }
}

impl Abi {
    /// The convention that variadic functions have where this one has none.
    ///
    /// AAPCS32, section 7.1.2.3: "A variadic function is always marshaled as for the base procedure call standard". GCC and
    /// Microsoft compile variadic functions of 32-bit x86 as cdecl.
    pub(crate) const fn of_variadic(self) -> Self {
        match self {
            Self::AapcsVfp => Self::Aapcs,
            Self::X86 { windows, .. } => Self::X86 { call: X86Call::Cdecl, windows },
            _ => self,
        }
    }

    /// Why no argument of this type, which C can pass, has a place in this position, a hidden pointer being the first, or no
    /// result without one, if so: to stand behind the name of the type.
    pub(crate) const fn refusal(self, ty: &Type, position: Option<usize>) -> Option<&'static str> {
        match self {
            Self::Named(convention) => match Scalars::X86_64.refusal(ty) {
                None => convention.refusal(ty, position),
                reason => reason,
            },
            Self::X86 { call, windows } => x86::refusal(call, windows, ty, position),
            Self::Aapcs64 => aapcs64::refusal(false, ty),
            Self::AppleArm64 => aapcs64::refusal(true, ty),
            Self::Lp64d => riscv64::refusal(ty),
            Self::Aapcs => aapcs32::refusal(false, ty),
            Self::AapcsVfp => aapcs32::refusal(true, ty),
            Self::SysV64 | Self::Win64 => Scalars::X86_64.refusal(ty),
            Self::Custom => match self.architecture() {
                Architecture::Aarch64 => aapcs64::refusal(false, ty),
                _ => Scalars::X86_64.refusal(ty),
            },
        }
    }

    /// Why no argument of this type, which may be one before `...`, has a place behind it, if so: as [`refusal`](Self::refusal).
    pub(crate) const fn refusal_unnamed(self, ty: &Type) -> Option<&'static str> {
        match self {
            Self::AppleArm64 => aapcs64::refusal_unnamed(ty),
            _ => None,
        }
    }

    /// Whether it has variadic functions.
    pub(crate) const fn has_variadic(self) -> bool {
        match self {
            Self::X86 { call, .. } => call.has_variadic(),
            _ => !matches!(self, Self::Named(_) | Self::Custom),
        }
    }

    /// `PartialEq` for `const` code; a convention that is data equals none.
    const fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::X86 { call: a, windows: on }, Self::X86 { call: b, windows }) => a as u8 == b as u8 && on == windows,
            (Self::SysV64, Self::SysV64)
            | (Self::Win64, Self::Win64)
            | (Self::Aapcs64, Self::Aapcs64)
            | (Self::AppleArm64, Self::AppleArm64)
            | (Self::Lp64d, Self::Lp64d)
            | (Self::Aapcs, Self::Aapcs)
            | (Self::AapcsVfp, Self::AapcsVfp) => true,
            _ => false,
        }
    }

    /// Whether Rust has function pointer types of it.
    const fn is_of_rust(self) -> bool {
        !matches!(
            self,
            Self::Named(_)
                | Self::Custom
                | Self::X86 { call: X86Call::Regparm1 | X86Call::Regparm2 | X86Call::Regparm3, .. }
        )
    }
}
