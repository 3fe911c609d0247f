//! `abi = "custom"`: each parameter says where it arrives, `ret` where the result goes.

use quote::ToTokens;
use syn::{Attribute, LitInt, LitStr, Meta, PatType, ReturnType, Signature, Type};

use crate::args::Args;
use crate::pointer::peel;
use crate::registers::Register;
use crate::report::Report;

/// Where a value lies.
#[derive(Clone)]
pub(crate) enum Spot {
    Register {
        text: LitStr,
        register: Register,
    },
    /// Bytes above the return address's end.
    Stack {
        literal: LitInt,
        offset: u32,
    },
}

/// What only `abi = "custom"` has.
pub(crate) struct Custom {
    /// For each parameter of the C signature.
    pub(crate) spots: Vec<Spot>,
    pub(crate) result: Option<Spot>,
    /// Bytes of arguments that the return pops.
    pub(crate) pops: u32,
}

/// Whether the attribute says where a parameter lies.
pub(crate) fn is_place(attribute: &Attribute) -> bool {
    attribute.path().is_ident("reg") || attribute.path().is_ident("stack")
}

/// The place that the attributes of a parameter, or an argument, name.
pub(crate) fn spot(attributes: &[Attribute], parameter: impl ToTokens, report: &mut Report) -> Option<Spot> {
    let mut places = attributes.iter().filter(|attribute| is_place(attribute));
    let Some(attribute) = places.next() else {
        report.error(parameter, "say where this arrives: `#[reg(\"eax\")]` or `#[stack(0)]` before the parameter");
        return None;
    };
    if let Some(second) = places.next() {
        report.error(second, "a parameter is in one place: remove one of the two");
    }
    let spot = if attribute.path().is_ident("reg") { register(attribute) } else { stack(attribute) };
    spot.map_err(|error| report.push(error)).ok()
}

fn register(attribute: &Attribute) -> syn::Result<Spot> {
    let Meta::List(list) = &attribute.meta else {
        return Err(syn::Error::new_spanned(attribute, "a register is named like `#[reg(\"eax\")]`"));
    };
    let text: LitStr = list
        .parse_args()
        .map_err(|_| syn::Error::new_spanned(&list.tokens, "the name of a register is a string: `#[reg(\"eax\")]`"))?;
    named(text)
}

fn named(text: LitStr) -> syn::Result<Spot> {
    match Register::parse(&text.value()) {
        Ok(register) => Ok(Spot::Register { text, register }),
        Err(message) => Err(syn::Error::new(text.span(), message)),
    }
}

fn stack(attribute: &Attribute) -> syn::Result<Spot> {
    const EXAMPLE: &str = "a place on the stack is written like `#[stack(8)]`: bytes above the return address";
    let Meta::List(list) = &attribute.meta else {
        return Err(syn::Error::new_spanned(attribute, EXAMPLE));
    };
    let literal: LitInt = list.parse_args().map_err(|_| syn::Error::new_spanned(&list.tokens, EXAMPLE))?;
    // So that no sum wraps.
    match literal.base10_parse::<u32>() {
        Ok(offset) if offset < 1 << 30 => Ok(Spot::Stack { literal, offset }),
        _ => Err(syn::Error::new(literal.span(), "no caller has so much on the stack")),
    }
}

/// Reports registers that carry more than one parameter.
pub(crate) fn check_spots(spots: &[Spot], report: &mut Report) {
    for (i, spot) in spots.iter().enumerate() {
        let Spot::Register { text, register } = spot else { continue };
        let taken = spots[..i].iter().find_map(|other| match other {
            Spot::Register { text, register: other } if register.overlaps(*other) => Some(text.value()),
            _ => None,
        });
        if let Some(other) = taken {
            let same = if other == text.value() {
                String::new()
            } else {
                format!(", a part of the same register as `{other}`,")
            };
            report.error(text, format_args!("`{}`{same} carries another parameter already", text.value()));
        }
    }
}

/// The place that `ret` names.
pub(crate) fn result(args: &Args, report: &mut Report) -> Option<Spot> {
    args.ret.as_ref().and_then(|text| named(text.clone()).map_err(|error| report.push(error)).ok())
}

/// Checks the options, and the result against them.
pub(crate) fn check(args: &Args, signature: &Signature, spots: Vec<Spot>, report: &mut Report) -> Custom {
    check_spots(&spots, report);
    let result = self::result(args, report);
    let returned = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(peel(ty)),
    };
    let returned = returned.filter(|ty| !matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()));
    match (&args.ret, returned) {
        (Some(text), None) => {
            report.error(text, "there is no result: remove `ret`, or give the function a return type")
        }
        (None, Some(ty)) => report.error(ty, "say where the result goes: `ret = \"eax\"` among the options"),
        _ => {}
    }
    Custom { spots, result, pops: pops(args, report) }
}

fn pops(args: &Args, report: &mut Report) -> u32 {
    /// What the instruction `ret` can say.
    const MOST: u32 = 0xfff8;
    let Some(literal) = &args.callee_pops else { return 0 };
    match literal.base10_parse::<u32>() {
        Ok(bytes) if bytes % 8 != 0 => {
            report.error(literal, "the stack pointer is a multiple of 8, and what is popped with it");
            0
        }
        Ok(bytes @ 0..=MOST) => bytes,
        _ => {
            report.error(literal, "the instruction `ret` pops up to 65528 bytes");
            0
        }
    }
}

/// Reports what only `abi = "custom"` has, in a callback with another ABI.
pub(crate) fn refuse_options(args: &Args, report: &mut Report) {
    const MESSAGE: &str =
        "this goes with `abi = \"custom\"`: other conventions say themselves where arguments and results lie";
    if let Some(text) = &args.ret {
        report.error(text, MESSAGE);
    }
    if let Some(literal) = &args.callee_pops {
        report.error(literal, MESSAGE);
    }
}

/// Reports places on a parameter that cannot have any.
pub(crate) fn refuse_places(parameter: &PatType, message: &str, report: &mut Report) {
    for attribute in parameter.attrs.iter().filter(|attribute| is_place(attribute)) {
        report.error(attribute, message);
    }
}
