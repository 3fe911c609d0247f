//! What compilers add to C: `__attribute__`, `__declspec`, and words such as `__stdcall`.

use alloc::format;
use alloc::string::String;
use core::ops::Range;

use super::Parser;
use super::tokens::Is;
use crate::abi::{Abi, CallingConvention, Target, X86Call};
use crate::conventions::{PreserveAll, PreserveMost, Regcall, Vectorcall};
use crate::parse::ParseError;

/// What was said in one place, each with where in the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) packed: Option<Range<usize>>,
    /// The largest alignment that was asked for, in bytes.
    pub(super) aligned: Option<(usize, Range<usize>)>,
    /// The size of a vector in bytes.
    pub(super) vector: Option<(usize, Range<usize>)>,
    pub(super) abi: Option<(Abi, Range<usize>)>,
}

/// What may be said without making a difference to how values are laid out or passed.
const HARMLESS: [&str; 35] = [
    "access",
    "alloc_align",
    "alloc_size",
    "always_inline",
    "artificial",
    "assume_aligned",
    "availability",
    "cold",
    "const",
    "deprecated",
    "dllexport",
    "dllimport",
    "error",
    "fd_arg",
    "format",
    "format_arg",
    "gnu_inline",
    "hot",
    "leaf",
    "malloc",
    "may_alias",
    "no_instrument_function",
    "noinline",
    "nonnull",
    "noreturn",
    "nothrow",
    "pure",
    "returns_nonnull",
    "returns_twice",
    "sentinel",
    "unused",
    "used",
    "visibility",
    "warn_unused_result",
    "warning",
];

/// The convention that a word stands for on a target, or why it has none.
fn convention(word: &str, target: Target) -> Option<Result<Abi, &'static str>> {
    let windows = matches!(target, Target::X86_64Windows | Target::X86Windows);
    let x86 = |call| match target {
        Target::X86Linux | Target::X86Windows => Ok(Abi::X86 { call, windows }),
        // Microsoft, "x64 calling convention": these are accepted and ignored.
        Target::X86_64Windows => Ok(Abi::Win64),
        _ => Err("it is one of Windows and of 32-bit x86: remove it, or choose another ABI"),
    };
    let regparm = |call| match target {
        Target::X86Linux | Target::X86Windows => x86(call),
        _ => Err("it is one of 32-bit x86"),
    };
    let only = |on: &[Target], abi, otherwise| if on.contains(&target) { Ok(abi) } else { Err(otherwise) };
    let unix = |abi| only(&[Target::X86_64Unix], abi, "it is known on 64-bit x86 other than Windows");
    let arm = |abi| only(&[Target::ArmEabi, Target::ArmEabihf], abi, "it is one of 32-bit Arm");
    Some(match word {
        "ms_abi" => only(&[Target::X86_64Unix, Target::X86_64Windows], Abi::Win64, "it is one of x86-64"),
        "sysv_abi" => only(&[Target::X86_64Unix, Target::X86_64Windows], Abi::SysV64, "it is one of x86-64"),
        "cdecl" => x86(X86Call::Cdecl),
        "stdcall" => x86(X86Call::Stdcall),
        "fastcall" => x86(X86Call::Fastcall),
        "thiscall" => x86(X86Call::Thiscall),
        "regparm(1)" => regparm(X86Call::Regparm1),
        "regparm(2)" => regparm(X86Call::Regparm2),
        "regparm(3)" => regparm(X86Call::Regparm3),
        "pcs(\"aapcs\")" => arm(Abi::Aapcs),
        "pcs(\"aapcs-vfp\")" => arm(Abi::AapcsVfp),
        "vectorcall" => {
            let abi = Abi::Named(Vectorcall::CONVENTION);
            only(&[Target::X86_64Windows], abi, "it is known on 64-bit Windows")
        }
        "regcall" => unix(Abi::Named(Regcall::CONVENTION)),
        "preserve_most" => unix(Abi::Named(PreserveMost::CONVENTION)),
        "preserve_all" => unix(Abi::Named(PreserveAll::CONVENTION)),
        "preserve_none" => Err("its registers differ between versions of clang: choose the ABI of one"),
        "swiftcall" | "swiftasynccall" | "sseregparm" | "pascal" | "aarch64_vector_pcs" => Err("it is not known here"),
        _ if word.starts_with("regparm(") || word.starts_with("pcs(") => Err("it is not known here"),
        _ => return None,
    })
}

impl Attributes {
    /// Adds what `other` says.
    pub(super) fn extend(&mut self, other: Self) {
        let largest = |a: &Option<(usize, Range<usize>)>| a.as_ref().map_or(0, |it| it.0);
        if largest(&other.aligned) > largest(&self.aligned) {
            self.aligned = other.aligned;
        }
        self.packed = other.packed.or(self.packed.take());
        self.vector = other.vector.or(self.vector.take());
        self.abi = other.abi.or(self.abi.take());
    }
}

impl Parser<'_> {
    /// All that stands here, if anything.
    pub(super) fn attributes(&mut self, attributes: &mut Attributes) -> Result<(), ParseError> {
        loop {
            match self.word() {
                Some("__attribute__" | "__attribute") => {
                    self.advance();
                    self.expect("(")?;
                    self.expect("(")?;
                    self.attribute_list(attributes, "aligned")?;
                    self.expect(")")?;
                }
                Some("__declspec") => {
                    self.advance();
                    self.expect("(")?;
                    self.attribute_list(attributes, "align")?;
                }
                Some("__asm__" | "__asm" | "asm") => {
                    self.advance();
                    self.expect("(")?;
                    self.skip_to_parenthesis()?;
                }
                Some("__extension__") => self.advance(),
                Some("__cdecl" | "__stdcall" | "__fastcall" | "__thiscall" | "__vectorcall" | "__regcall") => {
                    self.convention(attributes)?;
                }
                _ => return self.no_brackets(),
            }
        }
    }

    /// An error if an attribute of C23 stands here.
    pub(super) fn no_brackets(&self) -> Result<(), ParseError> {
        if self.is("[") && self.spelling_at(self.here() + 1) == "[" {
            return Err(self.error(self.range(), "attributes in [[ ]] are not read: write `__attribute__`"));
        }
        Ok(())
    }

    /// Attributes up to the parenthesis that ends them; `aligned` is the name of the one that aligns.
    fn attribute_list(&mut self, attributes: &mut Attributes, aligned: &str) -> Result<(), ParseError> {
        loop {
            if self.eat(",") {
                continue;
            }
            if self.eat(")") {
                return Ok(());
            }
            if self.token().is != Is::Word {
                return Err(self.unexpected("the name of an attribute"));
            }
            self.attribute(attributes, aligned)?;
        }
    }

    fn attribute(&mut self, attributes: &mut Attributes, aligned: &str) -> Result<(), ParseError> {
        let start = self.here();
        let name: String = plain(self.spelling()).into();
        match &name[..] {
            "packed" => {
                self.advance();
                attributes.packed = Some(self.since(start));
            }
            name if name == aligned => {
                self.advance();
                let size = self.parenthesized_size(name)?;
                self.align(attributes, size, self.since(start))?;
            }
            "vector_size" => {
                self.advance();
                let size = self.parenthesized_size("vector_size")?;
                attributes.vector = Some((size, self.since(start)));
            }
            "regparm" | "pcs" => self.convention(attributes)?,
            _ if convention(&name, self.platform.target).is_some() => self.convention(attributes)?,
            _ if HARMLESS.contains(&&name[..]) => {
                self.advance();
                if self.eat("(") {
                    self.skip_to_parenthesis()?;
                }
            }
            _ => {
                let what = format!(
                    "the attribute `{name}` is not known here: if it changes nothing about how values are laid out or passed, remove it"
                );
                return Err(self.error(self.range(), what));
            }
        }
        Ok(())
    }

    /// The convention that the word here stands for, with what is in parentheses behind it.
    fn convention(&mut self, attributes: &mut Attributes) -> Result<(), ParseError> {
        let start = self.here();
        let mut word = String::from(plain(self.spelling()));
        self.advance();
        if matches!(&*word, "regparm" | "pcs") && self.eat("(") {
            word = format!("{word}({})", self.spelling());
            self.advance();
            self.expect(")")?;
        }
        let range = self.since(start);
        let target = self.platform.target;
        let abi = match convention(&word, target) {
            Some(Ok(abi)) => abi,
            Some(Err(why)) => {
                return Err(self.error(range, format!("`{word}` is no convention of {target}: {why}")));
            }
            None => return Err(self.error(range, format!("`{word}` is no convention"))),
        };
        match &attributes.abi {
            Some((other, _)) if *other != abi => Err(self.error(range, "a second calling convention")),
            _ => {
                attributes.abi = Some((abi, range));
                Ok(())
            }
        }
    }

    /// `_Alignas`, which is no attribute: it stands among the specifiers.
    pub(super) fn alignas(&mut self, attributes: &mut Attributes) -> Result<(), ParseError> {
        let start = self.here();
        self.advance();
        if self.is("(") && self.starts_type(self.here() + 1) {
            self.advance();
            let (ty, range) = self.type_name()?;
            self.expect(")")?;
            let ty = self.complete(&ty, range)?;
            return self.align(attributes, ty.align, self.since(start));
        }
        let size = self.parenthesized_size("_Alignas")?;
        self.align(attributes, size, self.since(start))
    }

    fn align(&self, attributes: &mut Attributes, size: usize, range: Range<usize>) -> Result<(), ParseError> {
        // What gcc and clang take.
        if !size.is_power_of_two() || size > 1 << 28 {
            return Err(self.error(range, format!("an alignment of {size}: it is a power of two up to 2^28")));
        }
        attributes.extend(Attributes { aligned: Some((size, range)), ..Attributes::default() });
        Ok(())
    }

    /// `(` a number that is no less than 0 `)`
    fn parenthesized_size(&mut self, what: &str) -> Result<usize, ParseError> {
        if !self.is("(") {
            let what = format!("`{what}` without a number depends on the compiler: write the number");
            return Err(self.error(self.range(), what));
        }
        self.advance();
        let size = self.size()?;
        self.expect(")")?;
        Ok(size)
    }

    /// Behind the parenthesis whose counterpart was a moment ago.
    fn skip_to_parenthesis(&mut self) -> Result<(), ParseError> {
        let mut open = 1;
        while open > 0 {
            match self.token().is {
                Is::Punctuation("(") => open += 1,
                Is::Punctuation(")") => open -= 1,
                Is::End => return Err(self.unexpected("`)`")),
                _ => {}
            }
            self.advance();
        }
        Ok(())
    }
}

/// A name without the underscores that are around it in headers.
fn plain(name: &str) -> &str {
    let inner = name.strip_prefix("__").unwrap_or(name);
    inner.strip_suffix("__").unwrap_or(inner)
}
