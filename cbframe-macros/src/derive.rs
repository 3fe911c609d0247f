//! `#[derive(CType)]`.
use proc_macro2::TokenStream;
pub(crate) fn expand(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
