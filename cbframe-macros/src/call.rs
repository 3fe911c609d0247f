//! `call!`: a call in a convention that rustc may not know.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Token, Type, parenthesized, parse_quote};

use crate::args::Args;
use crate::custom::{self, Spot};
use crate::derive::located;
use crate::expand::{only, spot_tokens};
use crate::report::Report;

/// What is called, and with what.
struct Input {
    args: Args,
    address: Expr,
    arguments: Vec<Argument>,
    /// How many arguments are before `...`.
    dots: Option<(Token![...], usize)>,
    result: Type,
}

struct Argument {
    attributes: Vec<Attribute>,
    value: Expr,
}

impl ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.value.to_tokens(tokens);
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let read = |input: ParseStream<'_>| Input::read(input, &mut report);
    match read.parse2(input) {
        Ok(input) => input.expand(report),
        Err(error) => {
            report.push(error);
            refused(report)
        }
    }
}

/// The errors, as an expression.
fn refused(report: Report) -> TokenStream {
    let errors = report.into_tokens();
    quote!({ #errors })
}

/// Whether an option follows, and not the address.
fn is_option(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    let Ok(name) = Ident::parse_any(&fork) else { return false };
    fork.peek(Token![=]) && !fork.peek(Token![==]) || (name == "errno" && fork.peek(Token![,]))
}

impl Input {
    fn read(input: ParseStream<'_>, report: &mut Report) -> syn::Result<Self> {
        let (mut args, mut seen) = (Args::default(), Vec::new());
        while is_option(input) {
            let name = Ident::parse_any(&input.fork())?;
            let result = match name.to_string().as_str() {
                "errno" => Ident::parse_any(input).map(|_| args.errno = true),
                "abi" | "ret" | "crate" => args.read(input, &mut seen, report),
                "callee_pops" => Err(syn::Error::new_spanned(
                    &name,
                    "a call finds its stack again however much of it the function pops: remove this",
                )),
                _ => Err(syn::Error::new_spanned(
                    &name,
                    "the options of a call are `abi = …`, `ret = \"…\"`, `errno` and `crate = …`",
                )),
            };
            if let Err(error) = result {
                report.push(error);
                while !input.is_empty() && !input.peek(Token![,]) {
                    input.parse::<TokenTree>()?;
                }
            }
            input.parse::<Token![,]>()?;
        }
        if input.is_empty() {
            return Err(
                input.error("what is called is missing: `call!(abi = \"sysv64\", address, (1_i32, 2.0) -> f64)`")
            );
        }
        let address = input.parse()?;
        input.parse::<Token![,]>()?;
        let list;
        parenthesized!(list in input);
        let (mut arguments, mut dots) = (Vec::new(), None);
        while !list.is_empty() {
            if list.peek(Token![...]) {
                let token: Token![...] = list.parse()?;
                if dots.is_some() {
                    return Err(syn::Error::new_spanned(token, "`...` is given twice"));
                }
                dots = Some((token, arguments.len()));
            } else {
                let attributes = list.call(Attribute::parse_outer)?;
                arguments.push(Argument { attributes, value: list.parse()? });
            }
            if !list.is_empty() {
                list.parse::<Token![,]>()?;
            }
        }
        let result = match input.parse::<Option<Token![->]>>()? {
            Some(_) => input.parse()?,
            None => parse_quote!(()),
        };
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("behind the arguments stands the type of the result: `-> f64`"));
        }
        Ok(Self { args, address, arguments, dots, result })
    }

    fn expand(self, mut report: Report) -> TokenStream {
        self.args.require_abi("call!(abi = \"sysv64\", …)", &mut report);
        let private = self.args.private();
        let rules = self.rules(&private, &mut report);
        if !report.is_empty() {
            return refused(report);
        }
        let (define, rules) = rules;
        let Self { args, address, arguments, result, .. } = self;
        let function = if args.errno { quote!(call_typed_errno) } else { quote!(call_typed) };
        let call = quote! {{
            #define
            #private::#function::<#rules, _, #result>(#address, (#(#arguments,)*))
        }};
        match &args.abi {
            // Whether callbacks can have it is another matter.
            Some(abi) if abi.value() != "custom" => only(abi, &located(&private, abi.span()), call),
            _ => call,
        }
    }

    /// A type that stands for the convention, and its definition if it is made for this call.
    fn rules(&self, private: &TokenStream, report: &mut Report) -> (Option<TokenStream>, TokenStream) {
        if let Some(abi) = &self.args.abi {
            return match abi.value().as_str() {
                "custom" => (Some(self.custom(private, report)), quote!(__CbframeRules)),
                "raw" => {
                    report.error(abi, "a call without a signature is `CpuState::call`");
                    (None, quote!(()))
                }
                name => {
                    self.refuse_places(report);
                    (None, self.known(name, private))
                }
            };
        }
        self.refuse_places(report);
        if let (Some((dots, _)), true) = (&self.dots, self.args.convention.is_some()) {
            report.error(dots, "this convention has no variadic functions");
        }
        let path = &self.args.convention;
        let span = path.span();
        (None, quote_spanned!(span=> #private::Named<#path>))
    }

    /// The convention that an ABI string names.
    fn known(&self, name: &str, private: &TokenStream) -> TokenStream {
        let unwind = name.ends_with("-unwind");
        let family = match name.strip_suffix("-unwind").unwrap_or(name) {
            "sysv64" => quote!(#private::SysV64<#unwind>),
            "win64" | "efiapi" => quote!(#private::Win64<#unwind>),
            "stdcall" => quote!(#private::Stdcall<#unwind>),
            "fastcall" => quote!(#private::Fastcall<#unwind>),
            "thiscall" => quote!(#private::Thiscall<#unwind>),
            _ => quote!(#private::Native<#unwind>),
        };
        match self.dots {
            Some((_, before)) => quote!(#private::Variadic<#family, #before>),
            None => quote!(#private::By<#family>),
        }
    }

    /// Rules for `abi = "custom"`.
    fn custom(&self, private: &TokenStream, report: &mut Report) -> TokenStream {
        if let Some((dots, _)) = &self.dots {
            report.error(dots, "with `abi = \"custom\"` every argument says where it is: remove `...`");
        }
        let spots: Vec<Spot> =
            self.arguments.iter().filter_map(|argument| custom::spot(&argument.attributes, argument, report)).collect();
        custom::check_spots(&spots, report);
        let result = custom::result(&self.args, report);
        let spots = spots.iter().map(|spot| spot_tokens(spot, private));
        let result = match &result {
            None => quote!(#private::Option::None),
            Some(spot) => {
                let spot = spot_tokens(spot, private);
                quote!(#private::Option::Some(#spot))
            }
        };
        quote! {
            struct __CbframeRules;
            impl #private::Rules for __CbframeRules {
                const ABI: #private::Abi = #private::Abi::Custom;
                const SPOTS: &'static [#private::Spot] = &[#(#spots),*];
                const RESULT: #private::Option<#private::Spot> = #result;
            }
        }
    }

    /// Reports what only `abi = "custom"` has.
    fn refuse_places(&self, report: &mut Report) {
        const MESSAGE: &str =
            "this goes with `abi = \"custom\"`: other conventions say themselves where arguments and results lie";
        if let Some(text) = &self.args.ret {
            report.error(text, MESSAGE);
        }
        for attribute in self.arguments.iter().flat_map(|argument| &argument.attributes) {
            report.error(attribute, MESSAGE);
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::expand;
    use crate::snapshot;

    fn assert(name: &str, input: proc_macro2::TokenStream) {
        let call = expand(input);
        snapshot::assert(name, quote!(fn caller() { unsafe { #call }; }));
    }

    #[test]
    fn of_a_known_abi() {
        assert("call_known", quote!(abi = "C-unwind", errno, printf, (format.as_ptr(), ..., 7_i32, x) -> c_int));
    }

    #[test]
    fn of_a_convention() {
        assert("call_convention", quote!(abi = conventions::Regcall, crate = my::cbframe, address, (1_u64)));
    }

    #[test]
    fn with_places() {
        assert(
            "call_custom",
            quote!(abi = "custom", ret = "ecx", address, (#[reg("eax")] n + 1, #[stack(8)] 1.5_f32) -> i32),
        );
    }
}
