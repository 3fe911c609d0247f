//! The options of the attribute: `#[cbframe(abi = "C", pool = MENU)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Path, Token, ext::IdentExt, parenthesized};

use crate::report::Report;

/// The ABI strings that a callback can have.
pub(crate) const ABIS: [&str; 10] =
    ["C", "C-unwind", "system", "system-unwind", "sysv64", "sysv64-unwind", "win64", "win64-unwind", "efiapi", "raw"];

/// Rust's ABI strings of other architectures, and theirs.
const FOREIGN: [(&str, &str); 8] = [
    ("cdecl", "32-bit x86 (there are `C` and `sysv64` or `win64` here)"),
    ("stdcall", "32-bit x86 (on x86-64, Windows functions are `system` or `win64`)"),
    ("fastcall", "32-bit x86"),
    ("thiscall", "32-bit x86 (on x86-64, C++ methods take `this` as a first `win64` or `sysv64` argument)"),
    ("aapcs", "32-bit Arm"),
    ("msp430-interrupt", "MSP430"),
    ("riscv-interrupt-m", "RISC-V"),
    ("avr-interrupt", "AVR"),
];

/// A group of registers in `save(…)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Gpr,
    Flags,
    Sse,
    X87,
}

/// `entry = "…"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Direct,
    Stack,
    Captured,
}

/// The options, checked one by one but not yet against the function.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) abi: Option<LitStr>,
    pub(crate) pool: Option<Path>,
    pub(crate) on_panic: Option<Expr>,
    pub(crate) save: Option<(Span, Vec<Group>)>,
    pub(crate) name: Option<Ident>,
    pub(crate) export: Option<LitStr>,
    pub(crate) entry: Option<(LitStr, EntryKind)>,
    krate: Option<Path>,
}

impl Args {
    /// The path of the crate's private module.
    pub(crate) fn private(&self) -> TokenStream {
        match &self.krate {
            Some(path) => quote!(#path::private),
            None => quote!(::cbframe::private),
        }
    }

    /// Parses the options; what is wrong goes to `report`, and the rest is still read.
    pub(crate) fn parse(tokens: TokenStream, report: &mut Report) -> Self {
        let mut args = Self::default();
        match Punctuated::<Opt, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(options) => {
                let mut seen = Vec::<String>::new();
                for Opt { name, value } in options {
                    if seen.contains(&name.to_string()) {
                        report.error(&name, format_args!("the option `{name}` is given twice"));
                        continue;
                    }
                    seen.push(name.to_string());
                    args.take(value, report);
                }
                if !seen.iter().any(|name| name == "abi") {
                    report.push(syn::Error::new(
                        Span::call_site(),
                        format_args!(
                            "the calling convention is missing: `#[cbframe(abi = \"C\")]`; the others are {}",
                            listed(&ABIS[1..])
                        ),
                    ));
                }
            }
            Err(error) => report.push(error),
        }
        args
    }

    fn take(&mut self, value: Value, report: &mut Report) {
        match value {
            Value::Abi(abi) => {
                check_abi(&abi, report);
                self.abi = Some(abi);
            }
            Value::Pool(path) => self.pool = Some(path),
            Value::OnPanic(expr) => self.on_panic = Some(expr),
            Value::Save(span, groups) => self.take_groups(span, groups, report),
            Value::Name(name) => self.name = Some(name),
            Value::Export(symbol) => {
                if symbol.value().is_empty() || symbol.value().contains('\0') {
                    report.error(&symbol, "a symbol has at least one character, and no NUL");
                }
                self.export = Some(symbol);
            }
            Value::Entry(text) => match text.value().as_str() {
                "direct" => self.entry = Some((text, EntryKind::Direct)),
                "stack" => self.entry = Some((text, EntryKind::Stack)),
                "captured" => self.entry = Some((text, EntryKind::Captured)),
                _ => report.error(&text, "the entries are `\"direct\"`, `\"stack\"` and `\"captured\"`"),
            },
            Value::Crate(path) => self.krate = Some(path),
        }
    }

    fn take_groups(&mut self, span: Span, groups: Vec<Ident>, report: &mut Report) {
        let mut found = Vec::new();
        for group in groups {
            let known = match group.to_string().as_str() {
                "gpr" => Group::Gpr,
                "flags" => Group::Flags,
                "sse" => Group::Sse,
                "x87" => Group::X87,
                _ => {
                    report.error(&group, "the groups of registers are `gpr`, `flags`, `sse` and `x87`");
                    continue;
                }
            };
            if found.contains(&known) {
                report.error(&group, format_args!("the group `{group}` is given twice"));
            }
            found.push(known);
        }
        if !found.contains(&Group::Gpr) {
            report.push(syn::Error::new(span, "`gpr` is always saved: write `save(gpr, …)`"));
        }
        self.save = Some((span, found));
    }
}

fn check_abi(abi: &LitStr, report: &mut Report) {
    let name = abi.value();
    if ABIS.contains(&name.as_str()) {
        return;
    }
    let base = name.strip_suffix("-unwind").unwrap_or(&name);
    if let Some((_, of)) = FOREIGN.iter().find(|(foreign, _)| *foreign == base) {
        report.error(
            abi,
            format_args!("`{name}` is a calling convention of {of}; for x86-64 there are {}", listed(&ABIS)),
        );
    } else if name == "vectorcall" || name == "custom" {
        report.error(abi, format_args!("`{name}` is not supported yet; the calling conventions are {}", listed(&ABIS)));
    } else if base == "efiapi" {
        report.error(abi, "nothing unwinds through UEFI: write `\"efiapi\"`");
    } else if base == "Rust" || base == "rust-call" {
        report
            .error(abi, "a C caller cannot follow Rust's own calling convention, which is unspecified: write `\"C\"`");
    } else {
        report.error(abi, format_args!("unknown calling convention `{name}`; there are {}", listed(&ABIS)));
    }
}

/// `a, b and c` in backquotes.
fn listed(names: &[&str]) -> String {
    let (last, rest) = names.split_last().expect("a list of names");
    let rest: Vec<_> = rest.iter().map(|name| format!("`{name}`")).collect();
    format!("{} and `{last}`", rest.join(", "))
}

struct Opt {
    name: Ident,
    value: Value,
}

enum Value {
    Abi(LitStr),
    Pool(Path),
    OnPanic(Expr),
    Save(Span, Vec<Ident>),
    Name(Ident),
    Export(LitStr),
    Entry(LitStr),
    Crate(Path),
}

impl Parse for Opt {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = Ident::parse_any(input)?;
        if name == "save" {
            let content;
            parenthesized!(content in input);
            let groups = Punctuated::<Ident, Token![,]>::parse_terminated(&content)?;
            let span = name.span();
            return Ok(Self { name, value: Value::Save(span, groups.into_iter().collect()) });
        }
        let value = name.to_string();
        if !["abi", "pool", "on_panic", "name", "export", "entry", "crate"].contains(&value.as_str()) {
            return Err(syn::Error::new(
                name.span(),
                format_args!(
                    "unknown option `{name}`; there are `abi`, `pool`, `on_panic`, `save`, `name`, `export`, `entry` and `crate`"
                ),
            ));
        }
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(name.span(), format_args!("the option `{name}` has a value: `{name} = …`")));
        }
        input.parse::<Token![=]>()?;
        let value = match value.as_str() {
            "abi" => Value::Abi(string(input, "abi = \"C\"")?),
            "pool" => Value::Pool(input.parse()?),
            "on_panic" => Value::OnPanic(input.parse()?),
            "name" => Value::Name(input.parse()?),
            "export" => Value::Export(string(input, "export = \"symbol\"")?),
            "entry" => Value::Entry(string(input, "entry = \"stack\"")?),
            _ => Value::Crate(Path::parse_mod_style(input)?),
        };
        Ok(Self { name, value })
    }
}

/// A string literal; else an error that shows `example`.
fn string(input: ParseStream<'_>, example: &str) -> syn::Result<LitStr> {
    let expr: Expr = input.parse()?;
    if let Expr::Lit(literal) = &expr
        && let syn::Lit::Str(string) = &literal.lit
    {
        return Ok(string.clone());
    }
    Err(syn::Error::new(expr.span(), format_args!("a string literal is expected here: `{example}`")))
}
