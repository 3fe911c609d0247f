//! `c_type!`: what the derive writes, for a struct of another crate, with proofs that the description is its definition.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    AngleBracketedGenericArguments, Attribute, Fields, FieldsNamed, FieldsUnnamed, Generics, Ident, Path,
    PathArguments, PathSegment, Token, Type, parse_quote,
};

use crate::derive::{Field, Shape, Target, located, transparent_field};
use crate::lifetimes;
use crate::report::Report;

/// What the macro writes for `input`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let input: Input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    input.foreign.iter().map(|foreign| foreign.expand(&input.options)).collect()
}

/// What the macro is called with.
struct Input {
    options: Options,
    foreign: Vec<Foreign>,
}

/// What stands before the first struct.
struct Options {
    /// The path of `cbframe::private`.
    private: TokenStream,
    /// Whether the type is described for everyone, which only a crate that owns it can do.
    for_all: bool,
}

/// A struct of another crate, as the caller describes it.
struct Foreign {
    attrs: Vec<Attribute>,
    keyword: Ident,
    path: Path,
    fields: Fields,
}

impl Parse for Input {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let options = input.parse()?;
        let mut foreign = Vec::new();
        while !input.is_empty() {
            foreign.push(input.parse()?);
        }
        if foreign.is_empty() {
            return Err(input.error("expected a struct: `struct some_crate::Name { field: Type }`"));
        }
        Ok(Self { options, foreign })
    }
}

impl Parse for Options {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let (mut krate, mut for_all) = (None, false);
        while input.peek2(Token![=]) {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            let twice = match name.to_string().as_str() {
                "crate" => krate.replace(input.call(Path::parse_mod_style)?).is_some(),
                "local" => {
                    match input.parse()? {
                        Type::Tuple(unit) if unit.elems.is_empty() => {}
                        other => return Err(syn::Error::new_spanned(other, "the only choice is `local = ()`")),
                    }
                    std::mem::replace(&mut for_all, true)
                }
                _ => return Err(syn::Error::new(name.span(), "the options are `crate = some::path` and `local = ()`")),
            };
            if twice {
                return Err(syn::Error::new(name.span(), format!("`{name}` is given twice")));
            }
            let separator = input.lookahead1();
            if separator.peek(Token![;]) {
                input.parse::<Token![;]>()?;
                break;
            }
            if !separator.peek(Token![,]) {
                return Err(separator.error());
            }
            input.parse::<Token![,]>()?;
        }
        let private = krate.map_or_else(|| quote!(::cbframe::private), |path: Path| quote!(#path::private));
        Ok(Self { private, for_all })
    }
}

impl Parse for Foreign {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        // As in a definition that was copied.
        input.parse::<syn::Visibility>()?;
        let keyword = input.call(Ident::parse_any)?;
        if !["struct", "union", "enum"].contains(&keyword.to_string().as_str()) {
            return Err(syn::Error::new(keyword.span(), "expected `struct`"));
        }
        let path = type_path(input)?;
        let fields = if keyword != "struct" {
            // Refused: what is in it does not matter.
            input.parse::<TokenTree>()?;
            Fields::Unit
        } else if input.peek(syn::token::Paren) {
            let fields: FieldsUnnamed = input.parse()?;
            if !input.is_empty() {
                input.parse::<Token![;]>()?;
            }
            Fields::Unnamed(fields)
        } else {
            Fields::Named(input.parse::<FieldsNamed>()?)
        };
        Ok(Self { attrs, keyword, path, fields })
    }
}

/// The path of a type: unlike [`Path`], it ends before the parentheses of a tuple struct.
fn type_path(input: ParseStream) -> syn::Result<Path> {
    let mut path = Path { leading_colon: input.parse()?, segments: Default::default() };
    loop {
        let is_module = input.peek(Token![crate]) || input.peek(Token![self]) || input.peek(Token![super]);
        if is_module && !input.peek2(Token![::]) {
            return Err(input.error("a module, not a struct"));
        }
        let ident = if is_module { input.call(Ident::parse_any)? } else { input.parse()? };
        let mut segment = PathSegment::from(ident);
        if input.peek(Token![<]) || input.peek(Token![::]) && input.peek3(Token![<]) {
            segment.arguments = PathArguments::AngleBracketed(input.parse::<AngleBracketedGenericArguments>()?);
        }
        path.segments.push_value(segment);
        if !input.peek(Token![::]) {
            return Ok(path);
        }
        path.segments.push_punct(input.parse()?);
    }
}

/// What the attributes of a struct say.
#[derive(Default)]
struct Attributes<'a> {
    cfg: Vec<&'a Attribute>,
    allow: Vec<&'a Attribute>,
    repr: Option<Repr>,
}

enum Repr {
    C,
    Transparent,
}

impl<'a> Attributes<'a> {
    fn read(foreign: &'a Foreign, report: &mut Report) -> Self {
        let mut found = Self::default();
        for attr in &foreign.attrs {
            let path = attr.path();
            if path.is_ident("cfg") {
                found.cfg.push(attr);
            } else if path.is_ident("allow") {
                found.allow.push(attr);
            } else if path.is_ident("repr") {
                match attr.parse_args::<Ident>() {
                    Ok(repr) if repr == "C" => found.repr = Some(Repr::C),
                    Ok(repr) if repr == "transparent" => found.repr = Some(Repr::Transparent),
                    _ => report.error(
                        attr,
                        "write `#[repr(C)]` or `#[repr(transparent)]`, or nothing: packing and alignment are seen",
                    ),
                }
            } else if !path.is_ident("doc") {
                report.error(attr, "not an attribute that a description can have: those are `cfg`, `allow` and `repr`");
            }
        }
        for attr in foreign.fields.iter().flat_map(|field| &field.attrs).filter(|attr| !attr.path().is_ident("doc")) {
            report.error(attr, "a field has no attributes here");
        }
        found
    }
}

impl Foreign {
    fn expand(&self, options: &Options) -> TokenStream {
        let mut report = Report::default();
        let attributes = Attributes::read(self, &mut report);
        let name = &self.path.segments.last().expect("a path has a segment").ident;
        match self.keyword.to_string().as_str() {
            "union" => report.error(
                &self.keyword,
                "a union cannot be described from outside, where nothing proves that every member is listed: derive `CType` for a `#[repr(C)]` union of your own with the same members",
            ),
            "enum" => report.error(
                &self.keyword,
                "an enum cannot be described from outside, where nothing proves that every value is listed: derive `CType` for an enum of your own, or take its integer",
            ),
            _ => {}
        }
        let shape = match attributes.repr {
            Some(Repr::Transparent) => transparent_field(name, &self.fields, &mut report).map(Shape::Transparent),
            // Whether it is packed, only the compiler knows.
            _ => Some(Shape::Struct { fields: Field::all(&self.fields), packed: true }),
        };

        let private = &options.private;
        let local = quote!(__CbframeLocal);
        let path = &self.path;
        let ty: Type = parse_quote!(#path);
        let (cfg, allow) = (&attributes.cfg, &attributes.allow);
        let allow = quote!(#(#allow)*);
        let generics = self.generics(&ty);
        let target = Target {
            name,
            ty,
            generics: &generics,
            private,
            local: (!options.for_all).then_some(&local),
            allow: &allow,
        };
        let items = match shape {
            Some(shape) if report.is_empty() => {
                let (description, proofs) = (target.expand(&shape), self.proofs(&target, attributes.repr.is_some()));
                quote!(#description #proofs)
            }
            _ => target.refused(),
        };
        let errors = report.into_tokens();
        let local = target.local.map(|local| quote!(pub struct #local;));
        quote! {
            #errors
            #(#cfg)*
            const _: () = { #local #items };
        }
    }

    /// The lifetimes that the path names.
    fn generics(&self, ty: &Type) -> Generics {
        let mut generics = Generics::default();
        for lifetime in lifetimes::named(ty) {
            if generics.lifetimes().all(|known| known.lifetime != lifetime) {
                generics.params.push(parse_quote!(#lifetime));
            }
        }
        generics
    }

    /// Code that compiles only if the description is the definition.
    fn proofs(&self, target: &Target<'_>, has_repr: bool) -> TokenStream {
        let Target { ty, private, allow, .. } = target;
        let (parameters, ..) = target.generics.split_for_impl();
        let fields = Field::all(&self.fields);
        let members = fields.iter().map(|field| &field.member);
        // Where the field is, so that an error is there, but no name that a caller could have.
        let variable = |index, at: Span| format_ident!("__cbframe_{index}", span = at.resolved_at(Span::mixed_site()));
        let found = fields.iter().enumerate().map(|(i, field)| variable(i, field.member.span()));
        let types = fields.iter().enumerate().map(|(i, Field { ty, .. })| {
            let found = variable(i, ty.span());
            quote_spanned!(ty.span()=> #private::declared::<#ty, _>(&raw const #found);)
        });
        // With the caller's spans: rustc names a missing field only if it could be added where the braces are.
        let mut pattern = self.path.clone();
        pattern.segments.last_mut().expect("a path has a segment").arguments = PathArguments::None;
        let mut pattern_fields = Group::new(Delimiter::Brace, quote!(#(#members: #found),*));
        pattern_fields.set_span(self.fields.span());
        let (span, elided) = (ty.span(), lifetimes::with("'_", ty));
        let lone = (!has_repr).then(|| {
            let (c_type, at) = (target.c_type(), located(private, span));
            quote_spanned!(span=> #allow const _: () = #at::check_lone(&<#elided as #c_type>::TYPE);)
        });
        quote! {
            // Every field, since there is no `..`; and of a struct, since a union's could not be used in safe code.
            #[allow(dead_code)]
            #allow
            fn __cbframe_fields #parameters(__cbframe_foreign: #ty) {
                let #pattern #pattern_fields = __cbframe_foreign;
                #(#types)*
            }

            // The compiler sees whether it is `repr(C)`, and tells only by way of a lint.
            #[allow(dead_code)]
            #[deny(improper_ctypes_definitions)]
            #allow
            extern "C" fn __cbframe_repr(_: #elided) {}

            #lone
        }
    }
}

#[cfg(test)]
mod tests;
