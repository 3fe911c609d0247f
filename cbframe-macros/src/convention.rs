//! `convention!`: a calling convention as data, and the type that stands for it.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitBool, LitInt, Path, Token, Visibility, braced, bracketed};

use crate::derive::located;
use crate::registers::Register;
use crate::report::Report;

/// The names of the rules for aggregates.
const AGGREGATES: [&str; 4] = ["Refused", "Eightbytes", "Fields", "Vectorcall"];

/// The fields that every convention says something about.
const REQUIRED: [(&str, &str); 4] = [
    ("ints", "the registers for integers, in their order"),
    ("floats", "the registers for floats, in their order"),
    ("results", "the registers for results"),
    ("preserves", "the registers that a function preserves beside rbx, rbp and r12 to r15, if any"),
];

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let mut conventions = Vec::new();
    let mut krate = None;
    let read = |input: ParseStream<'_>| {
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = Some(input.call(Path::parse_mod_style)?);
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            conventions.push(Convention::read(input, &mut report)?);
        }
        Ok(())
    };
    if let Err(error) = read.parse2(input) {
        report.push(error);
    }
    if conventions.is_empty() && report.is_empty() {
        let message = "write a convention like a struct: `pub struct Name { ints: [rax], floats: [], … }`";
        report.push(syn::Error::new(Span::call_site(), message));
    }
    let private = krate.map_or_else(|| quote!(::cbframe::private), |path| quote!(#path::private));
    let refused = !report.is_empty();
    let written = conventions.iter().map(|convention| convention.write(&private, refused));
    let written: TokenStream = written.collect();
    let errors = report.into_tokens();
    quote!(#errors #written)
}

struct Convention {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    fields: Vec<(Ident, Value)>,
}

/// What stands behind a field's name.
enum Value {
    Registers(Vec<Register>),
    /// Registers, and whether the flags are among them.
    Preserved(Vec<Register>, bool),
    Hidden(Register, Register),
    Aggregates(Ident),
    Number(LitInt),
    Bool(LitBool),
}

impl Convention {
    fn read(input: ParseStream<'_>, report: &mut Report) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![struct]>()?;
        let name = input.parse()?;
        let content;
        braced!(content in input);
        let mut convention = Self { attributes, visibility, name, fields: Vec::new() };
        while !content.is_empty() {
            if let Err(error) = convention.field(&content, report) {
                report.push(error);
                while !content.is_empty() && !content.peek(Token![,]) {
                    content.parse::<TokenTree>()?;
                }
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        for (field, what) in REQUIRED {
            if report.is_empty() && !convention.fields.iter().any(|(name, _)| name == field) {
                report.error(&convention.name, format_args!("`{field}` is missing: {what}; `{field}: []` for none"));
            }
        }
        Ok(convention)
    }

    fn field(&mut self, input: ParseStream<'_>, report: &mut Report) -> syn::Result<()> {
        let name = Ident::parse_any(input)?;
        input.parse::<Token![:]>()?;
        let value = match name.to_string().as_str() {
            "ints" | "floats" => {
                let general = name == "ints";
                let registers = registers(input, report, |_| false)?.0;
                for (token, register) in &registers {
                    if register.is_general() != general {
                        let kind = if general { "general register" } else { "vector register" };
                        report.error(token, format_args!("`{token}` is no {kind}"));
                    }
                }
                Value::Registers(registers.into_iter().map(|(_, register)| register).collect())
            }
            "results" => Value::Registers(registers(input, report, |_| false)?.0.into_iter().map(|(_, r)| r).collect()),
            "preserves" => {
                let (registers, flags) = registers(input, report, |name| name == "flags")?;
                Value::Preserved(registers.into_iter().map(|(_, register)| register).collect(), flags)
            }
            "hidden" => {
                let arrives = general(&input.parse()?, report);
                input.parse::<Token![->]>()?;
                let leaves = general(&input.parse()?, report);
                let (Some(arrives), Some(leaves)) = (arrives, leaves) else { return Ok(()) };
                Value::Hidden(arrives, leaves)
            }
            "aggregates" => {
                let rules: Ident = input.parse()?;
                if !AGGREGATES.iter().any(|known| rules == known) {
                    report.error(&rules, format_args!("the rules for aggregates are `{}`", AGGREGATES.join("`, `")));
                }
                Value::Aggregates(rules)
            }
            "home" | "slot" | "stack_align" => Value::Number(input.parse()?),
            "narrow_ints" | "by_position" | "callee_pops" | "preserves_whole_vectors" => Value::Bool(input.parse()?),
            _ => {
                return Err(syn::Error::new(
                    name.span(),
                    format_args!(
                        "a convention has no `{name}`; there are `ints`, `floats`, `results` and `preserves`, and `narrow_ints`, \
                         `by_position`, `hidden`, `aggregates`, `home`, `slot`, `callee_pops`, `preserves_whole_vectors` \
                         and `stack_align`"
                    ),
                ));
            }
        };
        if self.fields.iter().any(|(other, _)| *other == name) {
            report.error(&name, format_args!("`{name}` is given twice"));
        }
        self.fields.push((name, value));
        Ok(())
    }

    fn write(&self, private: &TokenStream, refused: bool) -> TokenStream {
        let Self { attributes, visibility, name, fields } = self;
        let at = located(private, name.span());
        let text = name.unraw().to_string();
        let fields = fields.iter().map(|(field, value)| value.write(field, private));
        // What was refused is there all the same, so that no use of it is another error.
        let value = if refused {
            quote!(#private::Convention::SCALARS)
        } else {
            quote!(#private::Convention { name: #text, #(#fields,)* ..#private::Convention::SCALARS })
        };
        let check = quote_spanned!(name.span()=>
            const _: () = <#name as #at::CallingConvention>::CONVENTION.check();
        );
        quote! {
            #(#attributes)*
            #[derive(#private::core::clone::Clone, #private::core::marker::Copy, #private::core::fmt::Debug)]
            #visibility struct #name;

            impl #private::CallingConvention for #name {
                const CONVENTION: &'static #private::Convention = &#value;
            }
            #check
        }
    }
}

impl Value {
    fn write(&self, field: &Ident, private: &TokenStream) -> TokenStream {
        let list = |registers: &[Register]| {
            let registers = registers.iter().map(|register| register.tokens(private));
            quote!(&[#(#registers),*])
        };
        match self {
            Self::Registers(registers) if field == "results" => {
                let (ints, floats): (Vec<_>, Vec<_>) =
                    registers.iter().copied().partition(|register| register.is_general());
                let (ints, floats) = (list(&ints), list(&floats));
                quote!(int_results: #ints, float_results: #floats)
            }
            Self::Registers(registers) => {
                let registers = list(registers);
                quote!(#field: #registers)
            }
            Self::Preserved(registers, flags) => {
                let registers = list(registers);
                quote!(preserves: #registers, preserves_flags: #flags)
            }
            Self::Hidden(arrives, leaves) => {
                let (arrives, leaves) = (arrives.tokens(private), leaves.tokens(private));
                quote!(hidden: #private::Option::Some(#private::Hidden { arrives: #arrives, leaves: #leaves }))
            }
            Self::Aggregates(rules) => quote!(#field: #private::Aggregates::#rules),
            Self::Number(number) => quote!(#field: #number),
            Self::Bool(value) => quote!(#field: #value),
        }
    }
}

/// `[rax, xmm0]`: whole registers, none of them twice; and whether one of the names was another that is allowed.
fn registers(
    input: ParseStream<'_>,
    report: &mut Report,
    allowed: impl Fn(&Ident) -> bool,
) -> syn::Result<(Vec<(Ident, Register)>, bool)> {
    let content;
    bracketed!(content in input);
    let (mut found, mut other) = (Vec::<(Ident, Register)>::new(), false);
    for name in Punctuated::<Ident, Token![,]>::parse_terminated(&content)? {
        if allowed(&name) {
            other = true;
        } else if let Some(register) = whole(&name, report) {
            if found.iter().any(|(_, before)| before.overlaps(register)) {
                report.error(&name, format_args!("`{name}` is in this list already"));
            }
            found.push((name, register));
        }
    }
    Ok((found, other))
}

/// A register by its whole name.
fn whole(name: &Ident, report: &mut Report) -> Option<Register> {
    let refuse = |report: &mut Report, message: &dyn Display| report.error(name.to_token_stream(), message);
    match Register::parse(&name.to_string()) {
        Ok(register) if !register.is_of_x86_64() => {
            refuse(report, &"this is a register of AArch64: conventions as data are those of x86-64")
        }
        Ok(register) if register.is_whole() => return Some(register),
        Ok(register) => refuse(report, &format_args!("name the whole register, `{}`", register.whole())),
        Err(message) => refuse(report, &message),
    }
    None
}

/// A general register by its whole name.
fn general(name: &Ident, report: &mut Report) -> Option<Register> {
    let register = whole(name, report)?;
    if !register.is_general() {
        report.error(name, format_args!("`{name}` is no general register"));
        return None;
    }
    Some(register)
}
