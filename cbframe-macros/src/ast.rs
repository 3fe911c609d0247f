//! A function under the attribute: its signature parsed, its body left as tokens.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, LitStr, Signature, Token, Variadic, Visibility, parse_quote};

use crate::custom::is_place;

/// A function, as far as the macro looks into it.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The body, whatever it is: an editor must be able to complete what does not parse yet.
    body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !is_function(&input.fork()) {
            return Err(input.error("`#[cbframe]` goes on a function"));
        }
        let signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error("`#[cbframe]` goes on a function with a body"));
        }
        Ok(Self { attributes, visibility, signature, body: input.parse()? })
    }
}

/// Whether what follows is `fn`, perhaps behind `const`, `async`, `unsafe` and `extern "C"`.
fn is_function(input: ParseStream<'_>) -> bool {
    while input.peek(Token![const])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
        || input.peek(LitStr)
    {
        if input.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    input.peek(Token![fn])
}

impl Function {
    /// The function as it was written, without the attributes that only the macro understands, and with a list, whose type
    /// is in the module `private`, for `...`.
    pub(crate) fn plain(&self, private: &TokenStream) -> TokenStream {
        let Self { attributes, visibility, signature, body } = self;
        let mut signature = signature.clone();
        for input in &mut signature.inputs {
            if let FnArg::Typed(parameter) = input {
                parameter.attrs.retain(|attribute| !is_role(attribute) && !is_place(attribute));
            }
        }
        if let Some(Variadic { attrs, pat, dots, .. }) = signature.variadic.take() {
            let pattern = pat.map_or_else(|| quote!(_), |(pattern, _)| pattern.into_token_stream());
            let list = quote_spanned!(Span::call_site().located_at(dots.span())=> #private::VaList<'_>);
            let attributes = attrs.iter().filter(|attribute| !is_role(attribute));
            signature.inputs.push(parse_quote!(#(#attributes)* #pattern: #list));
        }
        quote!(#(#attributes)* #visibility #signature #body)
    }
}

/// `#[state]` or `#[cpu]`.
pub(crate) fn is_role(attribute: &Attribute) -> bool {
    attribute.path().is_ident("state") || attribute.path().is_ident("cpu")
}

/// The source text of a type, with the spaces that `quote` puts in taken out again where people write none.
pub(crate) fn text(tokens: &impl ToTokens) -> String {
    let spaced = tokens.to_token_stream().to_string();
    let mut text = String::with_capacity(spaced.len());
    let mut chars = spaced.chars().peekable();
    while let Some(c) = chars.next() {
        let after_open = text.ends_with(['<', '(', '[', '&', '*', ':']);
        let before_close =
            chars.peek().is_some_and(|next| matches!(next, '<' | '>' | ',' | ')' | ']' | ':' | ';' | '('));
        if c == ' ' && (after_open || before_close) {
            continue;
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn types_read_as_they_are_written() {
        for source in [
            "*const c_char",
            "&'a mut Foo<'a, [u8; 4]>",
            "Option<unsafe extern \"C\" fn(&u8) -> i32>",
            "core::ffi::c_int",
            "Option<&Point>",
        ] {
            let ty: syn::Type = syn::parse_str(source).expect("a type");
            assert_eq!(text(&ty), source);
        }
    }
}
