//! Collects errors, so that a user sees all of them at once, each on its own token.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Report {
    errors: Option<Error>,
}

impl Report {
    /// Adds an error on `tokens`.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Adds an error that has its span already.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Whether nothing was wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    /// The `compile_error!`s; empty if nothing was wrong.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.map_or_else(TokenStream::new, |e| e.to_compile_error())
    }
}
