//! The options of the attribute: `#[cbframe(abi = "C", pool = MENU)]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, LitInt, LitStr, Path, Token, parenthesized, token};

use crate::registers::Register;
use crate::report::Report;

/// The ABI strings that a callback can have.
pub(crate) const ABIS: [&str; 19] = [
    "C",
    "C-unwind",
    "system",
    "system-unwind",
    "sysv64",
    "sysv64-unwind",
    "win64",
    "win64-unwind",
    "cdecl",
    "cdecl-unwind",
    "stdcall",
    "stdcall-unwind",
    "fastcall",
    "fastcall-unwind",
    "thiscall",
    "thiscall-unwind",
    "efiapi",
    "raw",
    "custom",
];

/// Rust's ABI strings of other architectures, and theirs.
const FOREIGN: [(&str, &str); 4] = [
    ("aapcs", "32-bit Arm"),
    ("msp430-interrupt", "MSP430"),
    ("riscv-interrupt-m", "RISC-V"),
    ("avr-interrupt", "AVR"),
];

/// Conventions that are known by these names, and where `cbframe::conventions` has them.
const SHIPPED: [(&str, &str); 8] = [
    ("vectorcall", "Vectorcall"),
    ("regcall", "Regcall"),
    ("preserve_most", "PreserveMost"),
    ("preserve_all", "PreserveAll"),
    ("preserve_none", "PreserveNoneClang19"),
    ("preserve-none", "PreserveNoneClang19"),
    ("go", "GoInternal"),
    ("ABIInternal", "GoInternal"),
];

/// The groups of registers that some target has.
const GROUPS: [&str; 8] = ["gpr", "flags", "sse", "avx", "avx512", "x87", "simd", "fpr"];

/// What is saved.
#[derive(Clone)]
pub(crate) enum Save {
    /// Nothing but what carries arguments.
    Nothing,
    /// What the target's callbacks see that do not say what.
    Default,
    /// What a hook has to save: whatever Rust may change.
    Hook,
    /// What `save(…)` names.
    Named { groups: Vec<Ident>, registers: Vec<(Ident, Register)> },
}

impl Save {
    /// Whether the state of the CPU is a `CpuSubset`.
    pub(crate) fn is_subset(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Default | Self::Hook => false,
            Self::Named { .. } => !self.has(&["gpr"]),
        }
    }

    /// Whether one of these groups is named.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        match self {
            Self::Named { groups, .. } => groups.iter().any(|group| names.iter().any(|name| group == name)),
            _ => false,
        }
    }

    /// The registers that are named one by one.
    pub(crate) fn registers(&self) -> &[(Ident, Register)] {
        match self {
            Self::Named { registers, .. } => registers,
            _ => &[],
        }
    }
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
    /// A convention that is a type, instead of `abi`.
    pub(crate) convention: Option<Path>,
    pub(crate) ret: Option<LitStr>,
    pub(crate) callee_pops: Option<LitInt>,
    pub(crate) pool: Option<Path>,
    pub(crate) on_panic: Option<Expr>,
    pub(crate) save: Option<(Span, Save)>,
    pub(crate) name: Option<Ident>,
    pub(crate) export: Option<LitStr>,
    pub(crate) entry: Option<(LitStr, EntryKind)>,
    /// `enter = "jump"`: a hook.
    pub(crate) jump: Option<LitStr>,
    /// `save_errno`.
    pub(crate) errno: bool,
    /// `save_fenv`.
    pub(crate) fenv: bool,
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
        let mut seen = Vec::<String>::new();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = args.read(input, &mut seen, report) {
                    report.push(error);
                    // The rest of this option; those behind it are still read.
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<TokenTree>()?;
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            report.push(error);
        }
        args.require_abi("#[cbframe(abi = \"C\")]", report);
        args
    }

    /// Reports that the ABI is missing, if nothing else is wrong.
    pub(crate) fn require_abi(&self, example: &str, report: &mut Report) {
        if report.is_empty() && self.abi.is_none() && self.convention.is_none() {
            let others = listed(&ABIS[1..]);
            report.push(syn::Error::new(
                Span::call_site(),
                format_args!("the calling convention is missing: `{example}`; the others are {others}"),
            ));
        }
    }

    /// Reads one option.
    pub(crate) fn read(
        &mut self,
        input: ParseStream<'_>,
        seen: &mut Vec<String>,
        report: &mut Report,
    ) -> syn::Result<()> {
        let Ok(name) = Ident::parse_any(input) else {
            return Err(input.error("options are written `name = value`: `abi = \"C\"`"));
        };
        let value = Value::parse(&name, input)?;
        if seen.contains(&name.to_string()) {
            report.error(&name, format_args!("the option `{name}` is given twice"));
        } else {
            seen.push(name.to_string());
            self.take(value, report);
        }
        Ok(())
    }

    fn take(&mut self, value: Value, report: &mut Report) {
        match value {
            Value::Abi(abi) => {
                check_abi(&abi, report);
                self.abi = Some(abi);
            }
            Value::Convention(path) => {
                check_convention(&path, report);
                self.convention = Some(path);
            }
            Value::Ret(text) => self.ret = Some(text),
            Value::CalleePops(literal) => self.callee_pops = Some(literal),
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
            Value::Enter(text) => match text.value().as_str() {
                "jump" => self.jump = Some(text),
                "call" => {}
                _ => report.error(&text, "a callback is entered by a `\"call\"`, or by a `\"jump\"`"),
            },
            Value::Errno => self.errno = true,
            Value::Fenv => self.fenv = true,
            Value::Crate(path) => self.krate = Some(path),
        }
    }

    fn take_groups(&mut self, span: Span, names: Vec<Ident>, report: &mut Report) {
        let (mut groups, mut registers) = (Vec::new(), Vec::new());
        let mut seen = Vec::new();
        for name in &names {
            let text = name.to_string();
            if seen.contains(&text) {
                report.error(name, format_args!("`{name}` is given twice"));
                continue;
            }
            if GROUPS.contains(&text.as_str()) {
                groups.push(name.clone());
            } else if let Some(register) = register(&text) {
                registers.push((name.clone(), register));
            } else {
                report.error(name, unknown_register(&text));
            }
            seen.push(text);
        }
        if names.is_empty() {
            let message = "nothing is saved: name groups or registers, as in `save(gpr, flags, sse)`";
            report.push(syn::Error::new(span, message));
            return;
        }
        let save = Save::Named { groups, registers };
        let vectors = save.has(&["sse", "avx", "avx512", "simd", "fpr"]);
        for (name, register) in save.registers() {
            if register.is_general() && !save.is_subset() {
                report.error(name, format_args!("`{name}` is one of `gpr`: remove it"));
            } else if !register.is_general() && vectors {
                report.error(name, format_args!("`{name}` is in a group of vector registers already: remove it"));
            }
        }
        self.save = Some((span, save));
    }
}

/// A register that can be saved alone, by its whole name.
fn register(name: &str) -> Option<Register> {
    Register::parse(name).ok().filter(|register| register.is_whole()).or_else(|| Register::of_x86(name)).or_else(|| Register::of_riscv(name))
}

/// What to write instead of an unknown name in `save(…)`.
fn unknown_register(name: &str) -> &'static str {
    match name {
        "rsp" | "rip" => "rsp and rip are in `gpr`, without which a handler cannot change where the stack is",
        "rflags" | "eflags" => "rflags is the group `flags`",
        "mxcsr" => "mxcsr is in the group `sse`",
        "fpu" | "mmx" => "the x87 unit, with the MMX registers, is the group `x87`",
        _ if name.starts_with("ymm") => "the ymm registers are saved together: `avx`",
        _ if name.starts_with("zmm") || name.len() == 2 && name.starts_with('k') => {
            "the zmm and opmask registers are saved together: `avx512`"
        }
        _ => {
            "the groups of registers are `gpr`, `flags`, `sse`, `avx`, `avx512` and `x87`, on AArch64 `gpr`, `flags` and `simd`, on \
             RISC-V `gpr` and `fpr`; \
             single ones are named as `rax`, `eax` on 32-bit x86, and `xmm0`, or `x0` and `v0` are"
        }
    }
}

fn check_abi(abi: &LitStr, report: &mut Report) {
    let name = abi.value();
    if ABIS.contains(&name.as_str()) {
        return;
    }
    let base = name.strip_suffix("-unwind").unwrap_or(&name);
    if let Some((_, of)) = FOREIGN.iter().find(|(foreign, _)| *foreign == base) {
        report.error(abi, format_args!("`{name}` is a calling convention of {of}; there are {}", listed(&ABIS)));
    } else if let Some((_, ty)) = SHIPPED.iter().find(|(shipped, _)| *shipped == base) {
        report.error(
            abi,
            format_args!(
                "this convention is a type: write `abi = cbframe::conventions::{ty}`, and read there which it is"
            ),
        );
    } else if base == "custom" {
        report.error(abi, "no unwinder knows how a convention of one's own preserves registers: write `\"custom\"`");
    } else if base == "efiapi" {
        report.error(abi, "nothing unwinds through UEFI: write `\"efiapi\"`");
    } else if base == "Rust" || base == "rust-call" {
        report
            .error(abi, "a C caller cannot follow Rust's own calling convention, which is unspecified: write `\"C\"`");
    } else {
        report.error(abi, format_args!("unknown calling convention `{name}`; there are {}", listed(&ABIS)));
    }
}

/// Reports a path that was meant for a string.
fn check_convention(path: &Path, report: &mut Report) {
    if let Some(name) = path.get_ident().map(ToString::to_string).filter(|name| ABIS.contains(&name.as_str())) {
        report.error(
            path,
            format_args!(
                "this option is written like `abi = \"{name}\"`; a path is a type that describes a convention"
            ),
        );
    }
}

/// `a, b and c` in backquotes.
fn listed(names: &[&str]) -> String {
    let (last, rest) = names.split_last().expect("a list of names");
    let rest: Vec<_> = rest.iter().map(|name| format!("`{name}`")).collect();
    format!("{} and `{last}`", rest.join(", "))
}

enum Value {
    Abi(LitStr),
    Convention(Path),
    Ret(LitStr),
    CalleePops(LitInt),
    Pool(Path),
    OnPanic(Expr),
    Save(Span, Vec<Ident>),
    Name(Ident),
    Export(LitStr),
    Entry(LitStr),
    Enter(LitStr),
    Errno,
    Fenv,
    Crate(Path),
}

impl Value {
    /// Parses what stands behind the name of an option.
    fn parse(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let option = name.to_string();
        let example = match option.as_str() {
            "abi" => "abi = \"C\"",
            "pool" => "pool = POOL",
            "on_panic" => "on_panic = -1",
            "save" => "save(gpr, flags, sse)",
            "name" => "name = Handle",
            "export" => "export = \"symbol\"",
            "entry" => "entry = \"stack\"",
            "enter" => "enter = \"jump\"",
            "save_errno" | "save_fenv" => &option,
            "crate" => "crate = path::to::cbframe",
            "ret" => "ret = \"eax\"",
            "callee_pops" => "callee_pops = 8",
            _ => {
                let options = [
                    "abi",
                    "pool",
                    "on_panic",
                    "save",
                    "save_errno",
                    "save_fenv",
                    "name",
                    "export",
                    "entry",
                    "enter",
                    "ret",
                    "callee_pops",
                    "crate",
                ];
                let message = format_args!("unknown option `{name}`; there are {}", listed(&options));
                return Err(syn::Error::new(name.span(), message));
            }
        };
        let wrong = |span| syn::Error::new(span, format_args!("this option is written like `{example}`"));
        if matches!(option.as_str(), "save_errno" | "save_fenv") {
            return match input.is_empty() || input.peek(Token![,]) {
                true if option == "save_errno" => Ok(Self::Errno),
                true => Ok(Self::Fenv),
                false => Err(wrong(name.span())),
            };
        }
        if option == "save" {
            if !input.peek(token::Paren) {
                return Err(wrong(name.span()));
            }
            let content;
            parenthesized!(content in input);
            let groups = Punctuated::<Ident, Token![,]>::parse_terminated(&content)?;
            return Ok(Self::Save(name.span(), groups.into_iter().collect()));
        }
        if !input.peek(Token![=]) {
            return Err(wrong(name.span()));
        }
        input.parse::<Token![=]>()?;
        let value: Expr = input.parse()?;
        let span = value.span();
        let parsed = match option.as_str() {
            "abi" => string(&value).map(Self::Abi).or_else(|| path(&value).map(Self::Convention)),
            "ret" => string(&value).map(Self::Ret),
            "callee_pops" => integer(&value).map(Self::CalleePops),
            "export" => string(&value).map(Self::Export),
            "entry" => string(&value).map(Self::Entry),
            "enter" => string(&value).map(Self::Enter),
            "name" => path(&value).and_then(|path| path.get_ident().cloned()).map(Self::Name),
            "pool" => path(&value).map(Self::Pool),
            "crate" => path(&value).filter(is_plain).map(Self::Crate),
            // An expression only behind `if` and `while`.
            _ => Some(value).filter(|value| !matches!(value, Expr::Let(_))).map(Self::OnPanic),
        };
        parsed.ok_or_else(|| wrong(span))
    }
}

/// What is inside the groups that `macro_rules!` leaves around a fragment.
fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

fn string(expr: &Expr) -> Option<LitStr> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit { lit: Lit::Str(string), .. }) => Some(string.clone()),
        _ => None,
    }
}

fn integer(expr: &Expr) -> Option<LitInt> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit { lit: Lit::Int(integer), .. }) => Some(integer.clone()),
        _ => None,
    }
}

/// Whether a path has no generic arguments, which a module's has not.
fn is_plain(path: &Path) -> bool {
    path.segments.iter().all(|segment| segment.arguments.is_none())
}

fn path(expr: &Expr) -> Option<Path> {
    match ungrouped(expr) {
        Expr::Path(ExprPath { qself: None, path, .. }) => Some(path.clone()),
        _ => None,
    }
}
