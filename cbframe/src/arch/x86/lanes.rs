//! Which entry a callback gets: the captured one.
//!
//! rustc takes the stack to be aligned to 16 bytes when a function begins, which callers that are older than GCC 4.5, or compiled
//! otherwise, do not do. So no shim of rustc's is called as the callback itself.

use crate::abi::{Abi, Placed, X86Call};
use crate::signature::{Forced, Known};
use crate::types::{Field, Kind, Message, Type};

/// How the arguments of a callback, and ctx, get to Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The dispatcher takes the arguments out of a [`CpuState`](super::CpuState).
    Captured,
}

/// Whether C may call a function that rustc has compiled.
pub const fn is_native<const N: usize>(_: Abi, _: &[Known; N], _: Known) -> bool {
    false
}

/// The name of what rustc passes otherwise than C does in a value of this type: a scalar that it knows as a struct of bytes
/// only, a complex number, and a vector within an aggregate, where compilers have several alignments.
const fn never_native(ty: &Type) -> Option<&'static str> {
    misfit(ty, false)
}

const fn misfit(ty: &Type, within: bool) -> Option<&'static str> {
    match ty.kind {
        Kind::X87 | Kind::Complex { .. } => Some(ty.name),
        Kind::Float if !matches!(ty.size, 4 | 8) => Some(ty.name),
        Kind::Vector if within => Some(ty.name),
        Kind::Array { element, .. } => misfit(element, true),
        Kind::MaybeUninit { of } => misfit(of, within),
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { ty: field, .. } = &fields[i];
                let found = misfit(field, true);
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

/// The same for a parameter, behind so many words, of a function of this convention. By GCC's rules of fastcall and thiscall,
/// aggregates use up registers, by rustc's they do not; and for thiscall it has the lower half of an integer of eight bytes in ecx
/// where that is left, as LLVM takes this for two words.
pub(crate) const fn never_native_parameter(abi: Abi, ty: &Type, words: usize) -> Option<&'static str> {
    match (call(abi), ty.passed_as().kind) {
        (X86Call::Fastcall | X86Call::Thiscall, Kind::Struct { .. } | Kind::Union { .. }) => Some(ty.name),
        (X86Call::Thiscall, Kind::Int { .. } | Kind::Enum { .. }) if ty.size > 4 && words == 0 => Some(ty.name),
        _ => never_native(ty),
    }
}

/// The same for a result: the address of one in memory is in ecx in fastcall and thiscall, for rustc on the stack.
pub(crate) const fn never_native_result(abi: Abi, ty: &Type) -> Option<&'static str> {
    match (call(abi), ty.passed_as().kind) {
        (X86Call::Fastcall | X86Call::Thiscall, Kind::Struct { .. } | Kind::Union { .. }) => Some(ty.name),
        _ => never_native(ty),
    }
}

const fn call(abi: Abi) -> X86Call {
    match abi {
        Abi::X86 { call, .. } => call,
        // Refused wherever a callback is bound.
        _ => X86Call::Cdecl,
    }
}

/// The lane of a callback.
///
/// # Panics
///
/// When another lane was asked for.
#[track_caller]
pub const fn lane<const N: usize>(_: Abi, _: &Option<Placed<N>>, _: &[Known; N], _: Known, forced: Forced) -> Lane {
    assert!(
        matches!(forced, Forced::No),
        "cbframe: on 32-bit x86 there is no other entry than `entry = \"captured\"`, since not every caller aligns the stack as rustc expects it: remove `entry`"
    );
    Lane::Captured
}

/// Panics unless it is known where the parameter lies.
#[track_caller]
pub const fn check_lane_parameter(_: Abi, known: Known) {
    if known.ty.is_none() {
        Message::new("cbframe: on 32-bit x86 it has to be known where each argument lies: derive `CType` for the type of this parameter, or describe it with `c_type!`").panic()
    }
}

/// Panics unless it is known where the result lies.
#[track_caller]
pub const fn check_lane_result(_: Abi, known: Known) {
    if known.ty.is_none() {
        Message::new("cbframe: on 32-bit x86 it has to be known where the result lies: derive `CType` for this type, or describe it with `c_type!`").panic()
    }
}

/// Panics if compilers for this system pass a value otherwise than the ABI has it: none is known.
pub(crate) const fn check_system(_: &Type) {}
