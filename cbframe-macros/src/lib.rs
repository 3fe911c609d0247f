//! The macros of `cbframe`; use them through that crate.

mod args;
mod ast;
mod derive;
mod expand;
mod lifetimes;
mod pointer;
mod report;
#[cfg(test)]
mod snapshot;
mod validate;

use proc_macro::TokenStream;

use crate::args::Args;
use crate::ast::Function;
use crate::report::Report;

/// Describes the C layout of a struct, a union or a field-less enum: see `cbframe::CType`.
#[proc_macro_derive(CType, attributes(cbframe))]
pub fn derive_c_type(input: TokenStream) -> TokenStream {
    derive::expand(input.into()).into()
}

/// Makes a function a C callback: see the documentation of `cbframe`.
#[proc_macro_attribute]
pub fn cbframe(options: TokenStream, item: TokenStream) -> TokenStream {
    callback(options.into(), item.into()).into()
}

fn callback(options: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut report = Report::default();
    let args = Args::parse(options, &mut report);
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            report.push(error);
            // The item as it was, so that an editor still knows it.
            return [report.into_tokens(), item].into_iter().collect();
        }
    };
    match validate::check(&args, &function, &mut report) {
        Some(callback) if report.is_empty() => expand::expand(&callback),
        _ => [report.into_tokens(), function.plain()].into_iter().collect(),
    }
}
