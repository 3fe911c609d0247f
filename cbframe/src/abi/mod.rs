//! Where arguments and results lie: pure `const fn`s from a signature to the places of its values.
//!
//! Everything here is compiled on every host and knows nothing of the machine it runs on: no `cfg`, no
//! `unsafe`. One file holds one convention.

mod convention;
mod display;
#[cfg(feature = "alloc")]
mod signature;
mod spots;
mod sysv64;
#[cfg(test)]
mod tests;
mod vectorcall;
pub(crate) mod win64;

pub use convention::{Aggregates, CallingConvention, Convention, Hidden};
#[cfg(feature = "alloc")]
pub use signature::{Signature, SignatureBuilder, SignatureError};
#[doc(hidden)]
pub use spots::Spot;
pub(crate) use spots::{overlap, placed as place_at};

use crate::types::{Kind, Message, Type, round_up};

/// A calling convention, as far as the places of arguments and results go.
///
/// `extern "C"` and its kin are names for one of these that depend on the target: see [`Abi::named`].
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
    /// One that is described as data: see [`crate::convention!`](macro@crate::convention) and [`crate::conventions`].
    Named(&'static Convention),
    /// `abi = "custom"`: each callback says itself where its arguments and its result lie.
    Custom,
}

/// A register that carries an argument or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Register {
    /// A general register of x86-64, by the number that instructions encode: 0 is rax, 7 is rdi.
    Integer(u8),
    /// A vector register of x86-64: xmm0 to xmm15, or the ymm or zmm register around it if the piece is larger.
    Vector(u8),
    /// A register of the x87 stack by its distance from the top: `st(0)`, `st(1)`.
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
    /// The register; the piece is in its low bytes.
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

    pub(crate) const fn one(register: Register, size: usize) -> Self {
        Self::NONE.and(register, 0, size)
    }

    /// Adds `register` for the `size` bytes at `offset`.
    pub(crate) const fn and(mut self, register: Register, offset: usize, size: usize) -> Self {
        self.parts[self.len as usize] = Part { register, offset: offset as u16, size: size as u16 };
        self.len += 1;
        self
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
    /// In memory that the caller wrote, this many bytes above the return address's end, that is, above the
    /// address that the stack pointer has after the return.
    Stack(u32),
    /// In the caller's memory, with its address in a register or on the stack: a by-reference argument.
    Reference(Pointer),
    /// In the caller's memory: a result whose address the caller passes like a first argument in `arrives`,
    /// and that the callback hands back in `leaves`.
    Hidden {
        /// The register that holds the address at entry.
        arrives: Register,
        /// The register that holds the address on return.
        leaves: Register,
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
    pub(crate) next: Option<Register>,
}

/// Where every parameter and the result of a signature lie.
///
/// [`Display`](core::fmt::Display) prints a table, one line for each.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub(crate) abi: Abi,
    pub(crate) unwind: bool,
    pub(crate) variadic: bool,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) result: Parameter,
    pub(crate) stack: u32,
}

/// Places the parameters and the result of a signature, in the order of declaration.
///
/// # Panics
///
/// When a type is no C parameter or result: `()` and arrays as parameters, arrays as results; and when a
/// [`Type`] is inconsistent ([`Type::check`]). When a convention makes no sense ([`Convention::check`]) or has no rule for
/// a type, and with [`Abi::Custom`], which has no rules. In a `const` the panic is a compile-time error.
pub const fn place<const N: usize>(abi: Abi, parameters: [(&'static str, Type); N], result: Type) -> Placed<N> {
    place_unnamed(abi, parameters, result, N)
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
    before: usize,
) -> Placed<N> {
    let mut result = Parameter { name: "", ty: result, place: Place::Nothing };
    let mut placed = [result; N];
    let mut i = 0;
    while i < N {
        (placed[i].name, placed[i].ty) = parameters[i];
        if i >= before {
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

/// Finds the places of parameters and a result that have their types already. Those from index `named` on are arguments
/// behind `...`.
///
/// # Panics
///
/// As [`place`].
pub(crate) const fn place_each(abi: Abi, parameters: &mut [Parameter], result: &mut Parameter, named: usize) -> Taken {
    check_result(&result.ty);
    let mut cursor;
    (cursor, result.place) = match abi {
        Abi::SysV64 => sysv64::start(&Convention::SYSV64, &result.ty),
        Abi::Win64 => win64::start(&result.ty),
        Abi::Named(convention) => convention::start(convention, &result.ty),
        Abi::Custom => panic!("cbframe: with `abi = \"custom\"` no rule says where arguments lie"),
    };
    let mut i = 0;
    while i < parameters.len() {
        check_parameter(&parameters[i].ty);
        let ty = &parameters[i].ty;
        (cursor, parameters[i].place) = if i < named { next(abi, cursor, ty) } else { next_unnamed(abi, cursor, ty) };
        i += 1;
    }
    let mut pops = 0;
    if let Abi::Named(convention) = abi {
        if let Aggregates::Vectorcall = convention.aggregates {
            let hidden = matches!(result.place, Place::Hidden { .. });
            vectorcall::finish(convention, parameters, cursor.vectors, hidden);
        }
        cursor.stack = round_up(cursor.stack as usize, 8) as u32;
        pops = if convention.callee_pops { cursor.stack } else { 0 };
    }
    // What one pointer more would get: the direct entry passes the state there.
    let next = match next(abi, cursor, &POINTER).1 {
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
        Abi::Custom => (cursor, Place::Nothing),
    }
}

const POINTER: Type =
    Type { name: "pointer", size: 8, align: 8, kind: Kind::Pointer { nullable: true, pointee_align: 1 } };

/// How much of an ABI's argument registers and stack has been given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// Integer registers given out; on Windows, positions, up to four.
    pub(crate) integers: u8,
    /// Vector registers given out.
    pub(crate) vectors: u8,
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
    let (after, place) = next(abi, cursor, ty);
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

    /// Behind so many more registers.
    const fn and(self, integers: u8, vectors: u8) -> Self {
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
        let stack = self.end.stack;
        Layout { abi, unwind, variadic: false, parameters: &self.parameters, result: self.result, stack }
    }
}

impl Abi {
    /// The convention that an `extern` string of Rust names on x86-64, and whether a panic or a foreign
    /// exception may leave such a function; `None` for strings that are no convention of x86-64.
    ///
    /// `windows` says whether the target is Windows, for `"C"` and `"system"`.
    ///
    /// ```
    /// use cbframe::abi::Abi;
    ///
    /// assert_eq!(Abi::named("C-unwind", false), Some((Abi::SysV64, true)));
    /// assert_eq!(Abi::named("efiapi", false), Some((Abi::Win64, false)));
    /// assert_eq!(Abi::named("stdcall", true), None);
    /// ```
    pub const fn named(name: &str, windows: bool) -> Option<(Self, bool)> {
        let native = if windows { Self::Win64 } else { Self::SysV64 };
        Some(match name.as_bytes() {
            b"C" | b"system" => (native, false),
            b"C-unwind" | b"system-unwind" => (native, true),
            b"sysv64" => (Self::SysV64, false),
            b"sysv64-unwind" => (Self::SysV64, true),
            b"win64" | b"efiapi" => (Self::Win64, false),
            b"win64-unwind" => (Self::Win64, true),
            _ => return None,
        })
    }
}

impl<'a> Layout<'a> {
    /// The calling convention.
    pub const fn abi(&self) -> Abi {
        self.abi
    }

    /// Panics if no function pointer type of Rust has this convention.
    #[track_caller]
    pub(crate) const fn check_callable(&self) {
        assert!(
            matches!(self.abi, Abi::SysV64 | Abi::Win64),
            "cbframe: Rust has no function pointer type for this calling convention: `FN` and `as_fn` give an address that only code of the convention can call"
        );
    }

    /// Panics if Rust code that calls a pointer of this layout would pass something otherwise than C does.
    #[track_caller]
    pub(crate) const fn check_safe(&self) {
        crate::private::check_safe(crate::private::known(self.result.ty));
        let mut i = 0;
        while i < self.parameters.len() {
            crate::private::check_safe(crate::private::known(self.parameters[i].ty));
            i += 1;
        }
    }

    /// Whether a panic or a foreign exception may leave the callback (the `-unwind` ABI strings).
    pub const fn unwinds(&self) -> bool {
        self.unwind
    }

    /// Whether arguments may follow those of the parameters: `...`.
    pub const fn is_variadic(&self) -> bool {
        self.variadic
    }

    /// The same for a signature that ends in `...`.
    pub(crate) const fn variadic(self) -> Self {
        Self { variadic: true, ..self }
    }

    /// The parameters in the order of their declaration.
    pub const fn parameters(&self) -> &'a [Parameter] {
        self.parameters
    }

    /// The result.
    pub const fn result(&self) -> &Parameter {
        &self.result
    }

    /// Bytes of arguments on the stack, the home space of Windows included, a multiple of 8.
    pub const fn stack_size(&self) -> usize {
        self.stack as usize
    }

    /// Whether a callback with the layout `self` can be called through a pointer whose type has the layout
    /// `pointer`: each argument and the result lie in the same places and are, where they are narrower than 32
    /// bits, extended in the same way; and nothing unwinds through a pointer type that says nothing does.
    ///
    /// Names do not count, nor does what a pointer points to. Rust has no pointer types for [`Abi::Named`] and
    /// [`Abi::Custom`]: these fit nothing.
    pub const fn fits(&self, pointer: &Layout<'_>) -> bool {
        let same_abi = matches!((self.abi, pointer.abi), (Abi::SysV64, Abi::SysV64) | (Abi::Win64, Abi::Win64));
        if !same_abi
            || self.unwind && !pointer.unwind
            || self.variadic != pointer.variadic
            || self.parameters.len() != pointer.parameters.len()
            || !same_place(&self.result.place, &pointer.result.place)
            || self.result.ty.size != pointer.result.ty.size
            || extension(&self.result.ty) != extension(&pointer.result.ty)
        {
            return false;
        }
        let mut i = 0;
        while i < self.parameters.len() {
            let (a, b) = (&self.parameters[i], &pointer.parameters[i]);
            // gcc, clang and rustc extend narrow arguments in the caller, and clang and rustc rely on it.
            if a.ty.size != b.ty.size || !same_place(&a.place, &b.place) || extension(&a.ty) != extension(&b.ty) {
                return false;
            }
            i += 1;
        }
        true
    }
}

/// How an integer narrower than 32 bits is extended: 0 not at all, 1 with zeros, 2 with its sign.
#[inline(always)]
pub(crate) const fn extension(ty: &Type) -> u8 {
    match ty.passed_as().kind {
        Kind::Bool => 1,
        Kind::Int { signed } | Kind::Enum { signed, .. } if ty.size < 4 => 1 + signed as u8,
        _ => 0,
    }
}

const fn same_register(a: Register, b: Register) -> bool {
    match (a, b) {
        (Register::Integer(a), Register::Integer(b))
        | (Register::Vector(a), Register::Vector(b))
        | (Register::X87(a), Register::X87(b)) => a == b,
        _ => false,
    }
}

const fn same_pointer(a: Pointer, b: Pointer) -> bool {
    match (a, b) {
        (Pointer::Register(a), Pointer::Register(b)) => same_register(a, b),
        (Pointer::Stack(a), Pointer::Stack(b)) => a == b,
        _ => false,
    }
}

/// `PartialEq` for `const` code.
const fn same_place(a: &Place, b: &Place) -> bool {
    match (a, b) {
        (Place::Nothing, Place::Nothing) => true,
        (Place::Stack(a), Place::Stack(b)) => *a == *b,
        (Place::Reference(a), Place::Reference(b)) => same_pointer(*a, *b),
        (Place::Hidden { arrives: a, .. }, Place::Hidden { arrives: b, .. }) => same_register(*a, *b),
        (Place::Registers(a), Place::Registers(b)) => {
            let (a, b) = (a.as_slice(), b.as_slice());
            if a.len() != b.len() {
                return false;
            }
            let mut i = 0;
            while i < a.len() {
                if !same_register(a[i].register, b[i].register) || a[i].offset != b[i].offset || a[i].size != b[i].size
                {
                    return false;
                }
                i += 1;
            }
            true
        }
        _ => false,
    }
}
