//! Which entry a callback gets.

use super::foreign;
use crate::abi::{Abi, Placed, Register, riscv64};
use crate::signature::{Forced, Known};
use crate::types::{Field, Kind, Message, Type};

/// How the arguments of a callback, and ctx, get to Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// rustc passes the arguments; ctx is in the general register with this number, which no parameter uses.
    Direct(u8),
    /// rustc passes the arguments; ctx is on the stack behind so many words of them.
    Stack(u16),
    /// The dispatcher takes the arguments out of a [`CpuState`](super::CpuState): rustc would pass one of them, or the result,
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

    /// The words of arguments on the stack on the stack lane.
    pub const fn words(self) -> u16 {
        match self {
            Self::Stack(words) => words,
            Self::Direct(_) | Self::Captured => 0,
        }
    }
}

/// How many words of arguments the stack entry copies: all offsets fit into instructions, and it is
/// less than a page, so that none that guards the end of the stack is stepped over.
const MOST_WORDS: u32 = 240;

/// Whether rustc passes the parameters and the result as C does; what it knows of a type that is no `CType` is all that anybody
/// knows.
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
    match abi {
        // What is passed by reference is aligned to 16 bytes by some callers: more than that rustc expects.
        Abi::Lp64d => ty.align <= 16 && never_native(ty).is_none(),
        // No convention of rustc's.
        Abi::Named(_) | Abi::Custom => false,
        _ => foreign(abi),
    }
}

/// The name of what rustc passes otherwise than C does in a value of this type: a scalar that it knows as a struct of bytes
/// only; a struct of which the convention for floats has each field in a register of its own, for rustc or for C, and whose
/// fields are a pointer, which rustc counts as an integer, or lie where their own alignment does not put them.
const fn never_native(ty: &Type) -> Option<&'static str> {
    if ty.size <= 16 && riscv64::is_irregular(ty) {
        return Some(ty.name);
    }
    unknown_scalar(ty)
}

const fn unknown_scalar(ty: &Type) -> Option<&'static str> {
    match ty.kind {
        Kind::X87 => Some(ty.name),
        Kind::Float if !matches!(ty.size, 4 | 8) => Some(ty.name),
        Kind::Complex { element } | Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => {
            unknown_scalar(element)
        }
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { ty: field, .. } = &fields[i];
                let found = unknown_scalar(field);
                if found.is_some() {
                    return found;
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

/// The same for a parameter of a function of this convention: in all of them.
pub(crate) const fn never_native_parameter(_: Abi, ty: &Type, _words: usize) -> Option<&'static str> {
    never_native(ty)
}

/// The same for a result.
pub(crate) const fn never_native_result(_: Abi, ty: &Type) -> Option<&'static str> {
    never_native(ty)
}

/// The lane of a callback.
///
/// # Panics
///
/// When the lane that was asked for does not exist.
#[track_caller]
pub const fn lane<const N: usize>(
    abi: Abi,
    placed: &Option<Placed<N>>,
    parameters: &[Known; N],
    result: Known,
    forced: Forced,
) -> Lane {
    if !is_native(abi, parameters, result) {
        assert!(
            matches!((abi, forced), (Abi::Named(_) | Abi::Custom, _) | (_, Forced::No)),
            "cbframe: rustc passes a parameter or the result otherwise than C does, so only `entry = \"captured\"` serves this signature"
        );
        return Lane::Captured;
    }
    // Of a type that is no `CType` has been spoken already (`check_lane_parameter`).
    let Some(placed) = placed else { return Lane::Captured };
    match (placed.next, forced) {
        (Some(Register::Integer(register)), Forced::No | Forced::Direct) => Lane::Direct(register),
        (None, Forced::No | Forced::Stack) if placed.end.stack / 8 <= MOST_WORDS => {
            Lane::Stack((placed.end.stack / 8) as u16)
        }
        (_, Forced::No) => Lane::Captured,
        (_, Forced::Direct) => panic!("cbframe: `entry = \"direct\"` needs one of a0 to a7, and all carry arguments"),
        (_, Forced::Stack) => panic!(
            "cbframe: on RISC-V the stack entry serves signatures whose arguments take all of a0 to a7, and up to 1920 bytes of the stack: remove `entry`"
        ),
    }
}

/// Panics unless it is known what the parameter takes: where ctx goes depends on it.
#[track_caller]
pub const fn check_lane_parameter(_: Abi, known: Known) {
    if known.ty.is_none() {
        Message::new("cbframe: on RISC-V a callback with a state needs to know in which registers each argument lies: derive `CType` for the type of this parameter, or describe it with `c_type!`").panic()
    }
}

/// Panics unless it is known what the result takes.
#[track_caller]
pub const fn check_lane_result(_: Abi, known: Known) {
    if known.ty.is_none() {
        Message::new("cbframe: on RISC-V a callback with a state needs to know where its result lies: derive `CType` for this type, or describe it with `c_type!`").panic()
    }
}

/// Panics if compilers for this system pass a value otherwise than the ABI has it: none is known.
pub(crate) const fn check_system(_: &Type) {}
