//! What compilers add to C: `__attribute__`, `__declspec`, and words such as `__stdcall`.

use alloc::format;
use alloc::string::String;
use core::ops::Range;

use super::Parser;
use super::tokens::Is;
use crate::abi::{Abi, CallingConvention, X86Call};
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

/// The convention that a word stands for where the platform's own is `given`, or why it has none.
///
/// One row for each: conventions of other architectures are added here.
fn convention(word: &str, given: Abi) -> Option<Result<Abi, &'static str>> {
    const WINDOWS: &str = "it is one of Windows and of 32-bit x86: remove it, or choose another ABI";
    const SYSTEM_V: &str = "on Windows it is another one, which is not known here";
    const X86_64: &str = "it is one of x86-64";
    let windows = match given {
        Abi::SysV64 => Some(false),
        Abi::Win64 => Some(true),
        Abi::Named(convention) => Some(*convention == *Vectorcall::CONVENTION),
        _ => None,
    };
    let on = |wanted: bool, abi: Abi, otherwise| if windows == Some(wanted) { Ok(abi) } else { Err(otherwise) };
    Some(match word {
        "ms_abi" if windows.is_some() => Ok(Abi::Win64),
        "sysv_abi" if windows.is_some() => Ok(Abi::SysV64),
        "ms_abi" | "sysv_abi" => Err(X86_64),
        "stdcall" | "cdecl" | "fastcall" | "thiscall" if let Abi::X86 { windows, .. } = given => {
            let call = match word {
                "stdcall" => X86Call::Stdcall,
                "fastcall" => X86Call::Fastcall,
                "thiscall" => X86Call::Thiscall,
                _ => X86Call::Cdecl,
            };
            Ok(Abi::X86 { call, windows })
        }
        // Microsoft, "x64 calling convention": they are accepted and ignored.
        "stdcall" | "cdecl" | "fastcall" | "thiscall" => on(true, Abi::Win64, WINDOWS),
        "vectorcall" => on(true, Abi::Named(Vectorcall::CONVENTION), "on others than Windows it is another one"),
        "regcall" => on(false, Abi::Named(Regcall::CONVENTION), SYSTEM_V),
        "preserve_most" => on(false, Abi::Named(PreserveMost::CONVENTION), SYSTEM_V),
        "preserve_all" => on(false, Abi::Named(PreserveAll::CONVENTION), SYSTEM_V),
        "preserve_none" => Err("its registers differ between versions of clang: choose the ABI of one"),
        "swiftcall" | "swiftasynccall" | "regparm" | "sseregparm" | "pascal" | "pcs" | "aarch64_vector_pcs" => {
            Err("it is not known here")
        }
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
                    self.advance();
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
            _ if convention(&name, self.abi).is_some() => {
                self.convention(attributes)?;
                self.advance();
            }
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

    /// The convention that the word here stands for.
    fn convention(&mut self, attributes: &mut Attributes) -> Result<(), ParseError> {
        let word = self.spelling();
        let abi = match convention(plain(word), self.abi) {
            Some(Ok(abi)) => abi,
            Some(Err(why)) => {
                return Err(self.error(self.range(), format!("`{word}` is no convention of `{}`: {why}", self.abi)));
            }
            None => return Err(self.unexpected("a calling convention")),
        };
        match &attributes.abi {
            Some((other, _)) if *other != abi => Err(self.error(self.range(), "a second calling convention")),
            _ => {
                attributes.abi = Some((abi, self.range()));
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
