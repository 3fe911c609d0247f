//! Conventions that rustc does not know, as expansions name them.

use crate::abi::{Abi, Placed, Spot, overlap, place_at};
use crate::signature::Known;
use crate::types::{Kind, Message, Type};

/// Why a signature of this convention with this result cannot have the parameter at `index` of this type, which C can pass,
/// if so.
const fn refusal(abi: Abi, index: usize, ty: &Type, result: &Type) -> Option<&'static str> {
    match abi {
        Abi::Named(convention) => {
            let hidden = returns(abi, result) && convention.hides(result);
            convention.refusal(ty, Some(index + hidden as usize))
        }
        _ => abi.refusal(ty, Some(index)),
    }
}

/// Whether a signature with this result can be placed as far as the parameter at `index` goes.
pub(super) const fn passes(abi: Abi, index: usize, ty: &Type, result: &Type) -> bool {
    !matches!(ty.passed_as().kind, Kind::Void | Kind::Array { .. }) && refusal(abi, index, ty, result).is_none()
}

/// Whether it can be placed as far as this result goes.
pub(super) const fn returns(abi: Abi, ty: &Type) -> bool {
    !matches!(ty.passed_as().kind, Kind::Array { .. }) && abi.refusal(ty, None).is_none()
}

const fn about(abi: Abi, what: &str) -> Message {
    Message::new("cbframe: `").text(abi.name()).text("` ").text(what)
}

/// Panics if the convention has no rule for the parameter at `index`.
#[track_caller]
pub const fn check_passes(abi: Abi, name: &str, index: usize, known: Known, result: Known) {
    if let (Some(ty), Some(result)) = (&known.ty, &result.ty)
        && let Some(reason) = refusal(abi, index, ty, result)
    {
        about(abi, "has no place for the parameter `")
            .text(name)
            .text("`: `")
            .text(ty.name)
            .text("` is ")
            .text(reason)
            .panic()
    }
}

/// Panics if the convention has no rule for this result.
#[track_caller]
pub const fn check_returns(abi: Abi, known: Known) {
    if let Some(ty) = &known.ty
        && let Some(reason) = abi.refusal(ty, None)
    {
        about(abi, "has no place for the result: `").text(ty.name).text("` is ").text(reason).panic()
    }
}

/// Panics if the convention's callers leave the stack pointer unaligned, which would not be where `CpuState` says.
#[track_caller]
pub const fn check_cpu(abi: Abi) {
    assert!(
        !matches!(abi, Abi::Named(convention) if convention.stack_align < 16),
        "cbframe: with this convention the stack is aligned before the callback runs, so `rsp` and `rip` of a `CpuState` would not be the caller's: remove `#[cpu]`"
    );
}

/// Panics if no value of this type can be where the parameter says.
#[track_caller]
pub const fn check_spot(spot: &Spot, known: Known) {
    if let Some(ty) = &known.ty
        && !matches!(ty.passed_as().kind, Kind::Void | Kind::Array { .. })
        && let Some(message) = spot.misfit(ty, false)
    {
        message.panic()
    }
}

/// Panics if no result of this type can be in the register that `ret` says.
#[track_caller]
pub const fn check_result_spot(spot: &Spot, known: Known) {
    if let Some(ty) = &known.ty
        && !matches!(ty.passed_as().kind, Kind::Array { .. })
        && let Some(message) = spot.misfit(ty, true)
    {
        message.panic()
    }
}

/// Panics if two parameters on the stack overlap.
#[track_caller]
pub const fn check_apart(offset: u32, known: Known, before: u32, other: Known) {
    if let (Some(ty), Some(other)) = (&known.ty, &other.ty)
        && let Some(message) = overlap(offset, ty, before, other)
    {
        message.panic()
    }
}

/// Places a signature whose parameters say themselves where they are; `None` if one of them is refused, where it stands.
pub const fn place_spots<const N: usize>(
    names: [&'static str; N],
    spots: [Spot; N],
    parameters: [Known; N],
    result_spot: Option<Spot>,
    result: Known,
    pops: u32,
) -> Option<Placed<N>> {
    let Some(result) = result.ty else { return None };
    if let Some(spot) = result_spot
        && (spot.misfit(&result, true).is_some() || !returns(Abi::Custom, &result))
    {
        return None;
    }
    let mut typed = [("", result); N];
    let mut i = 0;
    while i < N {
        match parameters[i].ty {
            Some(ty) if passes(Abi::Custom, i, &ty, &result) && spots[i].misfit(&ty, false).is_none() => {
                typed[i] = (names[i], ty)
            }
            _ => return None,
        }
        i += 1;
    }
    Some(place_at(typed, spots, result_spot, result, pops))
}
