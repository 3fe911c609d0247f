//! Conventions that rustc does not know, as expansions name them.

use crate::abi::{Abi, Placed, Spot, overlap, place_at};
use crate::signature::Known;
use crate::types::{Kind, Message, Type};

/// Why a signature of this convention cannot have a value of this type, which C can pass, if so.
const fn refusal(abi: Abi, ty: &Type, is_result: bool) -> Option<&'static str> {
    match abi {
        Abi::Named(convention) => convention.refusal(ty, is_result),
        Abi::SysV64 | Abi::Win64 | Abi::Custom => None,
    }
}

/// Whether a signature can be placed as far as this parameter goes.
pub(super) const fn passes(abi: Abi, ty: &Type) -> bool {
    !matches!(ty.passed_as().kind, Kind::Void | Kind::Array { .. }) && refusal(abi, ty, false).is_none()
}

/// Whether it can be placed as far as this result goes.
pub(super) const fn returns(abi: Abi, ty: &Type) -> bool {
    !matches!(ty.passed_as().kind, Kind::Array { .. }) && refusal(abi, ty, true).is_none()
}

const fn about(abi: Abi, what: &str) -> Message {
    match abi {
        Abi::Named(convention) => Message::new("cbframe: `").text(convention.name).text("` ").text(what),
        Abi::SysV64 | Abi::Win64 | Abi::Custom => Message::new("cbframe: "),
    }
}

/// Panics if the convention has no rule for this parameter.
#[track_caller]
pub const fn check_passes(abi: Abi, name: &str, known: Known) {
    if let Some(ty) = &known.ty
        && let Some(reason) = refusal(abi, ty, false)
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
        && let Some(reason) = refusal(abi, ty, true)
    {
        about(abi, "has no place for the result: `").text(ty.name).text("` is ").text(reason).panic()
    }
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
            Some(ty) if passes(Abi::Custom, &ty) && spots[i].misfit(&ty, false).is_none() => typed[i] = (names[i], ty),
            _ => return None,
        }
        i += 1;
    }
    Some(place_at(typed, spots, result_spot, result, pops))
}
