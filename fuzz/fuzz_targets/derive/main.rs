//! The macros, called as functions on random input: see `README.md`.

#![no_main]

mod check;
mod items;
mod tokens;

// The macro crate's modules: `build.rs`.
include!(concat!(env!("OUT_DIR"), "/macros/lib.rs"));

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

use crate::items::Items;

fuzz_target!(|data: &[u8]| run(data));

/// Which macro is called.
#[derive(Clone, Copy)]
enum Macro {
    Derive,
    Attribute,
    CType,
    Frame,
    Convention,
}

/// The first byte says which macro, and whether the rest is text, or choices by which [`Items`] writes some.
fn run(data: &[u8]) {
    let [first, rest @ ..] = data else { return };
    let called = match first % 4 {
        _ if first / 16 % 8 == 7 => Macro::Convention,
        0 => Macro::Derive,
        1 => Macro::Attribute,
        2 => Macro::CType,
        _ => Macro::Frame,
    };
    let (options, input) = if first / 4 % 4 == 0 {
        let Ok(text) = std::str::from_utf8(rest) else { return };
        // The attribute has two inputs.
        let (options, item) = text.split_once('\0').unwrap_or(("", text));
        let (Some(options), Some(item)) = (tokens::parse(options), tokens::parse(item)) else { return };
        (options, item)
    } else {
        let mut bytes = Unstructured::new(rest);
        let mut items = Items::new(&mut bytes);
        let (options, item) = match called {
            Macro::Derive => (String::new(), items.definition()),
            Macro::Attribute => items.callback(),
            Macro::CType => (String::new(), items.foreign()),
            Macro::Frame => (String::new(), items.closure()),
            Macro::Convention => (String::new(), items.convention()),
        };
        let written = |text: &str| -> TokenStream {
            tokens::parse(text).unwrap_or_else(|| panic!("`items` writes tokens only:\n{text}"))
        };
        let (mut options, mut item) = (written(&options), written(&item));
        // Every other input stays as it is written: a change makes most of them wrong.
        while bytes.arbitrary().is_ok_and(|byte: u8| byte > 128) {
            item = tokens::mutate(item, &mut bytes);
            options = tokens::mutate(options, &mut bytes);
        }
        (options, item)
    };
    match called {
        Macro::Derive => check::derive(&input),
        Macro::Attribute => check::attribute(&options, &input),
        Macro::CType => check::c_type(&input),
        Macro::Frame => check::frame(&input),
        Macro::Convention => check::convention(&input),
    }
}
