//! `frame!`: a closure as a callback.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Pat, ReturnType, Token, Type, parse_quote};

use crate::args::Args;
use crate::ast::{Function, is_role};
use crate::custom::is_place;
use crate::expand::{self, Closure};
use crate::report::Report;
use crate::validate;

/// How often, and where, the closure may be called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Fn + Send + Sync`.
    Shared,
    /// `FnMut`, on its thread.
    Local,
    /// `FnOnce + Send`.
    Once,
}

/// What stands before the closure, and the closure.
struct Input {
    args: Args,
    kind: Kind,
    /// `as = TYPE`
    pointer: Option<Type>,
    /// `or = EXPR`
    fallback: Option<Expr>,
    closure: ExprClosure,
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

impl Input {
    fn read(input: ParseStream<'_>, report: &mut Report) -> syn::Result<Self> {
        let (mut args, mut seen) = (Args::default(), Vec::new());
        let (mut kind, mut pointer, mut fallback) = (Kind::Shared, None, None);
        while !is_closure(input) {
            if input.is_empty() {
                return Err(input.error("the closure is missing: `frame!(abi = \"C\", |x: i32| -> i32 { x })`"));
            }
            let name = Ident::parse_any(&input.fork()).map(|name| name.to_string()).unwrap_or_default();
            let result = match name.as_str() {
                "local" | "once" if !input.peek2(Token![=]) => {
                    let word = Ident::parse_any(input)?;
                    if kind != Kind::Shared {
                        report.error(&word, "a closure is either `local` or `once`");
                    }
                    kind = if word == "local" { Kind::Local } else { Kind::Once };
                    Ok(())
                }
                "as" => option(input).and_then(|()| input.parse()).map(|ty: Type| pointer = Some(ty)),
                "or" => option(input).and_then(|()| input.parse()).map(|expr: Expr| fallback = Some(expr)),
                "on_panic" => Err(input.error("a closure's value for C is written `or = …`")),
                "name" | "export" => Err(input.error(format_args!("a closure has no `{name}`: that is for functions"))),
                _ => args.read(input, &mut seen, report),
            };
            if let Err(error) = result {
                report.push(error);
                while !input.is_empty() && !input.peek(Token![,]) {
                    input.parse::<TokenTree>()?;
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let closure = parse_closure.parse2(with_dots_named(input.parse()?))?;
        Ok(Self { args, kind, pointer, fallback, closure })
    }

    fn expand(self, mut report: Report) -> TokenStream {
        let Self { args, kind, pointer, fallback, closure } = self;
        args.require_abi("frame!(abi = \"C\", …)", &mut report);
        if let Some(token) = closure.asyncness.as_ref().map(Spanned::span) {
            report.push(syn::Error::new(token, "C cannot wait for a future: remove `async`"));
        }
        let mut plain = closure.clone();
        let mut parameters = Vec::new();
        for input in &mut plain.inputs {
            match input {
                Pat::Type(typed) if is_dots(&typed.ty) => {
                    let (attributes, pattern, dots) = (&typed.attrs, &typed.pat, Token![...](typed.ty.span()));
                    parameters.push(quote!(#(#attributes)* #pattern: #dots));
                    let private = args.private();
                    typed.ty = parse_quote!(#private::VaList<'_>);
                }
                Pat::Type(typed) => {
                    parameters.push(typed.to_token_stream());
                    typed.attrs.retain(|attribute| !is_role(attribute) && !is_place(attribute));
                }
                other => report.error(other, "write the parameter's type, as C declares it: `x: i32`"),
            }
        }
        if let (Some(value), true) = (&fallback, args.abi.as_ref().is_some_and(|abi| abi.value().ends_with("-unwind")))
        {
            report.error(
                value,
                "a panic passes through a callback with an `-unwind` ABI to its caller: remove `or`, or `-unwind`",
            );
        }
        let output = &closure.output;
        if let (Some(value), ReturnType::Type(_, ty)) = (&fallback, output)
            && !crate::lifetimes::elided(ty).is_empty()
        {
            report.error(value, "a value for C cannot be given for a result that borrows from the arguments");
        }
        let name = format_ident!("closure", span = Span::call_site());
        let function: Function = match syn::parse2(quote!(fn #name(#(#parameters),*) #output {})) {
            Ok(function) => function,
            Err(error) => {
                report.push(error);
                return refused(report);
            }
        };
        let callback = validate::check(&args, &function, true, &mut report);
        if let Some(state) = callback.as_ref().and_then(|callback| callback.state.as_ref()) {
            report.error(&state.ty, "a closure has its state in what it captures: remove `#[state]`");
        }
        match callback {
            Some(callback) if report.is_empty() => {
                expand::expand_closure(&callback, &Closure { kind, pointer, fallback, closure: plain })
            }
            _ => refused(report),
        }
    }
}

/// What stands for `...` where syn knows only types.
const DOTS: &str = "__CbframeDots";

/// The tokens of a closure, with a type instead of `...` among its parameters.
fn with_dots_named(tokens: TokenStream) -> TokenStream {
    let is = |token: Option<&TokenTree>, c| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c);
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut named, mut bars, mut i) = (Vec::new(), 0, 0);
    while i < tokens.len() {
        bars += u32::from(is(tokens.get(i), '|'));
        if bars == 1 && (i..i + 3).all(|i| is(tokens.get(i), '.')) {
            named.push(Ident::new(DOTS, tokens[i].span()).into());
            i += 3;
        } else {
            named.push(tokens[i].clone());
            i += 1;
        }
    }
    named.into_iter().collect()
}

fn is_dots(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(DOTS))
}

/// The closure, which is the last argument.
fn parse_closure(input: ParseStream<'_>) -> syn::Result<ExprClosure> {
    let closure = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        return Err(input.error("the closure is the last argument"));
    }
    Ok(closure)
}

/// Whether a closure follows.
fn is_closure(input: ParseStream<'_>) -> bool {
    input.peek(Token![|])
        || input.peek(Token![||])
        || input.peek(Token![move])
        || input.peek(Token![async])
        || input.peek(Token![static])
        || input.peek(Token![for])
        || input.peek(Token![#])
}

/// Passes over `name =`.
fn option(input: ParseStream<'_>) -> syn::Result<()> {
    Ident::parse_any(input)?;
    input.parse::<Token![=]>().map(drop)
}
