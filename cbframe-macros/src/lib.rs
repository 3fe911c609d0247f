//! The macros of `cbframe`; use them through that crate.

mod derive;
mod report;

use proc_macro::TokenStream;

/// Describes the C layout of a struct, a union or a field-less enum: see `cbframe::CType`.
#[proc_macro_derive(CType, attributes(cbframe))]
pub fn derive_c_type(input: TokenStream) -> TokenStream {
    derive::expand(input.into()).into()
}
