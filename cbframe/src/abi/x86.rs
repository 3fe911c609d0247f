//! 32-bit x86: cdecl, stdcall, fastcall, thiscall and GCC's regparm, on Linux and on Windows.
//!
//! Linux: "System V Application Binary Interface, Intel386 Architecture Processor Supplement", version 1.1, section 2.2
//! "Function Calling Sequence", and what GCC has beside it. Windows: Microsoft's pages `__cdecl`, `__stdcall`, `__fastcall`
//! and `__thiscall`. Rules:
//!
//! 1. Arguments are on the stack, in words of four bytes, and aligned to four; but vectors and `__float128`, and structs and
//!    unions with one in them, to their own alignment. The first three vectors are in xmm0 to xmm2, if nothing is variadic.
//! 2. fastcall and thiscall have the first two, or the first one, of the integers and pointers of up to four bytes in ecx
//!    and edx. In GCC, other arguments use up as many registers as they have words, though they are on the stack; but floats,
//!    and structs of nothing else than one, do not.
//! 3. regparm has integers, pointers, structs and unions in the next of eax, edx and ecx, each in all the registers that it
//!    needs. Where these are not left, it is on the stack, and so is everything behind it. Floats count as in 2.
//! 4. Integers and pointers are returned in eax, and edx for the upper half of eight bytes; `float`, `double` and
//!    `long double` in st(0); vectors and `_Float16` in xmm0; `_Complex float` like an integer. On Windows, structs and unions
//!    of 1, 2, 4 and 8 bytes are returned like integers.
//! 5. For other results the caller passes an address like a first argument, which is handed back in eax.
//! 6. The return pops the arguments of stdcall, fastcall and thiscall, and on Linux the address of a result wherever that is
//!    on the stack.
//!
//! Where compilers differ, this is followed:
//!
//! | on | what | as in |
//! | --- | --- | --- |
//! | Linux | alignment of `__float128` and of structs with a vector, on the stack | GCC (Clang: 4) |
//! | Linux | arguments of fastcall that are no words use up registers | GCC (Clang has another rule for structs, none for integers) |
//! | Linux, Windows | regparm: complex numbers, `_Float16`, unions, and structs of one `long double` | GCC |
//!
//! Refused on Windows, since compilers differ:
//!
//! - results that are a struct or a union of one float: like an integer (MSVC), or in st(0) (MinGW);
//! - results with a struct or an array in them that no register is as large as: in eax and edx (MSVC), or in memory;
//! - arguments that are vectors, or declared with an alignment: by reference (MSVC), or by value. (What is declared with the
//!   alignment that it has anyway is not seen here, and passed by value.)
//! - for fastcall, arguments that are neither words nor floats, since some count them as in 2.;
//! - for fastcall and thiscall, results in memory, whose address is on the stack (MSVC), or in ecx.

use super::aapcs64::natural_alignment;
use super::scalars::Scalars;
use super::{Cursor, Parts, Place, Pointer, Register};
use crate::types::{Kind, Type, round_up};

/// How a function of 32-bit x86 is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum X86Call {
    /// C's own: all arguments on the stack, which the caller pops.
    Cdecl,
    /// All arguments on the stack, which the return pops: that of the Windows API.
    Stdcall,
    /// The first two words in ecx and edx; the return pops the others.
    Fastcall,
    /// The first word in ecx; the return pops the others: methods of C++ on Windows.
    Thiscall,
    /// `__attribute__((regparm(1)))` of GCC: the first word in eax.
    Regparm1,
    /// `__attribute__((regparm(2)))`: the first two words in eax and edx.
    Regparm2,
    /// `__attribute__((regparm(3)))`: the first three words in eax, edx and ecx.
    Regparm3,
}

const EAX: Register = Register::Integer(0);
const ECX: Register = Register::Integer(1);
const EDX: Register = Register::Integer(2);

/// How many vectors are in registers.
const VECTORS: u16 = 3;

impl X86Call {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cdecl => "cdecl",
            Self::Stdcall => "stdcall",
            Self::Fastcall => "fastcall",
            Self::Thiscall => "thiscall",
            Self::Regparm1 => "regparm(1)",
            Self::Regparm2 => "regparm(2)",
            Self::Regparm3 => "regparm(3)",
        }
    }

    /// The registers that carry arguments.
    const fn registers(self) -> &'static [Register] {
        match self {
            Self::Cdecl | Self::Stdcall => &[],
            Self::Fastcall => &[ECX, EDX],
            Self::Thiscall => &[ECX],
            Self::Regparm1 => &[EAX],
            Self::Regparm2 => &[EAX, EDX],
            Self::Regparm3 => &[EAX, EDX, ECX],
        }
    }

    /// Whether only scalars of one word are in registers.
    const fn is_of_words(self) -> bool {
        matches!(self, Self::Fastcall | Self::Thiscall)
    }

    /// Whether it has variadic functions: these are called as cdecl.
    pub(super) const fn has_variadic(self) -> bool {
        matches!(self, Self::Cdecl | Self::Stdcall)
    }

    /// Whether the return pops the arguments.
    const fn callee_pops(self) -> bool {
        matches!(self, Self::Stdcall | Self::Fastcall | Self::Thiscall)
    }
}

/// Why no argument of this type has a place in this position, or no result without one, if so.
pub(super) const fn refusal(call: X86Call, windows: bool, ty: &Type, position: Option<usize>) -> Option<&'static str> {
    // Vectors of eight bytes are in MMX registers.
    let scalars = Scalars { int128: false, float16: true, float128: true, x87: true, vectors: &[16] };
    let reason = scalars.refusal(ty);
    if reason.is_some() || !windows {
        return reason;
    }
    if ty.size == 0 && !matches!(ty.kind, Kind::Void) {
        return Some("an empty struct, which C on Windows has not");
    }
    match position {
        None if is_single_float(ty) => {
            return Some("a struct of one float, which MSVC returns like an integer and MinGW in st(0)");
        }
        None if matches!(ty.size, 1 | 2 | 4 | 8) && has_odd_part(ty) => {
            return Some("made of a struct or an array of an odd size, which MSVC returns in eax and GCC in memory");
        }
        None if call.is_of_words() && !matches!(ty.kind, Kind::Void) && is_in_memory(windows, ty) => {
            return Some("returned in memory, whose address MSVC passes on the stack and GCC in ecx");
        }
        Some(0) if matches!(call, X86Call::Thiscall) && !is_word(ty) => {
            return Some("no address, and the first parameter of thiscall is that of an object");
        }
        Some(_) if matches!(call, X86Call::Fastcall) && !is_word(ty) && !is_float(ty) => {
            return Some("neither a word nor a float, which compilers for Windows count differently in fastcall");
        }
        _ => {}
    }
    if is_declared_aligned(ty) {
        return Some(
            "aligned to 16 bytes or declared with an alignment, which MSVC passes by reference and MinGW by value",
        );
    }
    None
}

/// Whether there is something in it that is aligned to more than a scalar of eight bytes, or to more than its members.
const fn is_declared_aligned(ty: &Type) -> bool {
    if ty.align <= 4 {
        return false;
    }
    if ty.align > 8 || natural_alignment(ty) < ty.align {
        return true;
    }
    match ty.passed_as().kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                if is_declared_aligned(&fields[i].ty) {
                    return true;
                }
                i += 1;
            }
            false
        }
        Kind::Array { element, .. } => is_declared_aligned(element),
        _ => false,
    }
}

/// 5.: whether a result is in memory.
const fn is_in_memory(windows: bool, ty: &Type) -> bool {
    match ty.passed_as().kind {
        Kind::Void | Kind::Vector | Kind::X87 => false,
        Kind::Struct { .. } | Kind::Union { .. } => !windows || !matches!(ty.size, 1 | 2 | 4 | 8),
        _ => ty.size > 8,
    }
}

/// 4. and 5.: the place of the result, and the cursor before the first parameter.
pub(super) const fn start(call: X86Call, windows: bool, variadic: bool, result: &Type) -> (Cursor, Place) {
    let cursor = Cursor { vectors: if variadic { VECTORS } else { 0 }, ..Cursor::START };
    if is_in_memory(windows, result) {
        let (cursor, arrives) = match call.registers() {
            [first, ..] => (cursor.and(1, 0), Pointer::Register(*first)),
            [] => (Cursor { stack: 4, ..cursor }, Pointer::Stack(0)),
        };
        return (cursor, Place::Hidden { arrives, leaves: Some(EAX) });
    }
    let place = match result.passed_as().kind {
        Kind::Void => Place::Nothing,
        Kind::Vector => in_register(result, Register::Vector(0)),
        Kind::Float if result.size == 2 => in_register(result, Register::Vector(0)),
        Kind::Complex { .. } if result.size == 4 => in_register(result, Register::Vector(0)),
        Kind::Float => in_register(result, Register::X87(0)),
        Kind::X87 => Place::Registers(Parts::one(Register::X87(0), 10)),
        _ => Place::Registers(words(result, &[EAX, EDX])),
    };
    (cursor, place)
}

/// 1. to 3.: the place of the next parameter, and the cursor behind it.
pub(super) const fn next(call: X86Call, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    if ty.size == 0 {
        return (cursor, Place::Nothing);
    }
    if matches!(ty.passed_as().kind, Kind::Vector) && cursor.vectors < VECTORS {
        let register = Register::Vector(cursor.vectors as u8);
        return (cursor.and(0, 1), in_register(ty, register));
    }
    let left = call.registers().split_at(cursor.integers as usize).1;
    let count = ty.size.div_ceil(4);
    let fits = if call.is_of_words() { is_word(ty) } else { !has_float_mode(ty) } && count <= left.len();
    // What does not fit uses up what is left.
    let used = if has_float_mode(ty) {
        0
    } else if count < left.len() {
        count
    } else {
        left.len()
    };
    let cursor = cursor.and(used as u8, 0);
    if fits {
        return (cursor, Place::Registers(words(ty, left)));
    }
    let (cursor, offset) = cursor.push(round_up(ty.size, 4), alignment(ty));
    (cursor, Place::Stack(offset))
}

/// 1.: the alignment of an argument on the stack.
pub(crate) const fn alignment(ty: &Type) -> usize {
    if contains_aligned(ty) { ty.align } else { 4 }
}

/// 6.: the bytes of arguments that the return pops.
pub(super) const fn pops(call: X86Call, windows: bool, stack: u32, result: &Place) -> u32 {
    match result {
        _ if call.callee_pops() => stack,
        Place::Hidden { arrives: Pointer::Stack(_), .. } if !windows => 4,
        _ => 0,
    }
}

/// The place of a value that is in `register` as a whole.
const fn in_register(ty: &Type, register: Register) -> Place {
    Place::Registers(Parts::one(register, ty.size))
}

/// The words of a value in the first of these registers.
const fn words(ty: &Type, registers: &[Register]) -> Parts {
    let (mut parts, mut i) = (Parts::NONE, 0);
    while 4 * i < ty.size {
        let size = if ty.size - 4 * i < 4 { ty.size - 4 * i } else { 4 };
        parts = parts.and(registers[i], 4 * i, size);
        i += 1;
    }
    parts
}

/// Whether it is an integer or a pointer of up to four bytes.
pub(crate) const fn is_word(ty: &Type) -> bool {
    let kind = ty.passed_as().kind;
    ty.size <= 4 && matches!(kind, Kind::Bool | Kind::Int { .. } | Kind::Pointer { .. } | Kind::Enum { .. })
}

/// Whether GCC counts it as a float, a complex number or a vector, in which case it uses up no general registers: also a
/// struct, and an array, of nothing else than one.
const fn has_float_mode(ty: &Type) -> bool {
    match ty.passed_as().kind {
        Kind::Float | Kind::X87 | Kind::Complex { .. } | Kind::Vector => true,
        Kind::Array { element, len: 1 } => has_float_mode(element),
        Kind::Struct { fields } => {
            let mut i = 0;
            while i < fields.len() {
                if fields[i].ty.size == ty.size {
                    return has_float_mode(&fields[i].ty);
                }
                i += 1;
            }
            false
        }
        _ => false,
    }
}

const fn is_float(ty: &Type) -> bool {
    matches!(ty.passed_as().kind, Kind::Float | Kind::X87)
}

/// Whether there is a struct, a union or an array in it that no register is as large as.
const fn has_odd_part(ty: &Type) -> bool {
    if !matches!(ty.size, 0 | 1 | 2 | 4 | 8) {
        return true;
    }
    match ty.passed_as().kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                if has_odd_part(&fields[i].ty) {
                    return true;
                }
                i += 1;
            }
            false
        }
        Kind::Array { element, .. } => has_odd_part(element),
        _ => false,
    }
}

/// Whether it is a struct or a union of one float and nothing else.
const fn is_single_float(ty: &Type) -> bool {
    let (Kind::Struct { fields } | Kind::Union { fields }) = ty.passed_as().kind else { return false };
    let (mut found, mut i) = (false, 0);
    while i < fields.len() {
        if fields[i].ty.size > 0 {
            let mut field = fields[i].ty.passed_as();
            while let Kind::Array { element, len: 1 } = field.kind {
                field = element.passed_as();
            }
            if found || field.size != ty.size || !is_float(field) && !is_single_float(field) {
                return false;
            }
            found = true;
        }
        i += 1;
    }
    found
}

/// Whether its own alignment counts on the stack: there is a scalar in it that is aligned to 16 bytes or more.
const fn contains_aligned(ty: &Type) -> bool {
    if ty.align < 16 {
        return false;
    }
    match ty.passed_as().kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                if contains_aligned(&fields[i].ty) {
                    return true;
                }
                i += 1;
            }
            false
        }
        Kind::Array { element, .. } => contains_aligned(element),
        // Targets whose `long double` is aligned to 16 bytes pass it at 4.
        Kind::X87 => false,
        Kind::Complex { element } => !matches!(element.kind, Kind::X87),
        _ => true,
    }
}
