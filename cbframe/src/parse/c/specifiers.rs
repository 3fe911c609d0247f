//! The first half of a declaration: words in any order, which together are a type.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use super::Parser;
use super::attributes::Attributes;
use super::tokens::Is;
use super::types::{Keyword, Ty};
use crate::parse::ParseError;
use crate::parse::model::Platform;
use crate::types::{Kind, Type};

/// What the words before a declarator say.
pub(super) struct Specifiers {
    pub(super) ty: Ty,
    pub(super) is_typedef: bool,
    /// Whether the type is a struct, union or enum that is defined here and has no tag.
    pub(super) is_anonymous: bool,
    pub(super) attributes: Attributes,
    pub(super) range: Range<usize>,
}

impl Specifiers {
    /// The same for one more declarator.
    pub(super) fn again(&self) -> Self {
        Self { ty: self.ty.clone(), attributes: self.attributes.clone(), range: self.range.clone(), ..*self }
    }
}

/// How a word that is no part of a type counts.
enum Other {
    Nothing,
    Typedef,
    Atomic,
    Refused(&'static str),
}

fn other(word: &str) -> Option<Other> {
    Some(match word {
        "const" | "__const" | "__const__" | "volatile" | "__volatile" | "__volatile__" | "restrict" | "__restrict"
        | "__restrict__" | "_Nonnull" | "_Nullable" | "_Null_unspecified" | "extern" | "static" | "register"
        | "inline" | "__inline" | "__inline__" | "__forceinline" | "_Noreturn" | "__extension__" => Other::Nothing,
        "typedef" => Other::Typedef,
        "_Atomic" => Other::Atomic,
        "typeof" | "__typeof__" | "__typeof" | "typeof_unqual" => Other::Refused("types of expressions are not read"),
        "_BitInt" => Other::Refused("there is no `Type` for integers of any number of bits"),
        "_Decimal32" | "_Decimal64" | "_Decimal128" => Other::Refused("there is no `Type` for decimal floats"),
        "_Imaginary" => Other::Refused("no compiler has imaginary types"),
        "auto" | "__auto_type" | "_Thread_local" | "__thread" | "constexpr" => {
            Other::Refused("this is no part of a function's type")
        }
        _ => return None,
    })
}

/// Whether a word cannot be a name.
pub(super) fn is_keyword(word: &str) -> bool {
    const OTHERS: [&str; 24] = [
        "break",
        "case",
        "continue",
        "default",
        "do",
        "else",
        "for",
        "goto",
        "if",
        "return",
        "sizeof",
        "switch",
        "while",
        "_Alignas",
        "_Alignof",
        "_Generic",
        "_Static_assert",
        "__attribute__",
        "__declspec",
        // They would change the type.
        "__ptr32",
        "__seg_fs",
        "__seg_gs",
        "__far",
        "__block",
    ];
    part(word).is_some() || Keyword::of(word).is_some() || other(word).is_some() || OTHERS.contains(&word)
}

/// The one spelling of words that are parts of scalars.
fn part(word: &str) -> Option<&'static str> {
    Some(match word {
        "void" => "void",
        "_Bool" => "_Bool",
        "char" => "char",
        "short" => "short",
        "int" => "int",
        "long" => "long",
        "signed" | "__signed" | "__signed__" => "signed",
        "unsigned" => "unsigned",
        "float" => "float",
        "double" => "double",
        "_Complex" | "__complex" | "__complex__" => "_Complex",
        "__int128" => "__int128",
        "_Float16" => "_Float16",
        "_Float32" => "_Float32",
        "_Float64" => "_Float64",
        "_Float128" => "_Float128",
        "__float128" => "__float128",
        "__float80" => "__float80",
        "__int8" => "char",
        "__int16" => "short",
        "__int32" => "int",
        "__int64" => "__int64",
        _ => return None,
    })
}

/// The scalar that these words, in alphabetical order and without what goes without saying, are.
fn scalar(words: &[&str], platform: &Platform) -> Option<Type> {
    let (model, int) = (&platform.model, |size, signed| Some(platform.int(size, signed)));
    match words {
        ["void"] => Some(Type::VOID),
        ["_Bool"] => Some(Type::BOOL),
        ["char"] => Some(model.char),
        ["char", "signed"] => int(1, true),
        ["char", "unsigned"] => int(1, false),
        ["short"] => int(2, true),
        ["short", "unsigned"] => int(2, false),
        ["int"] => int(4, true),
        ["unsigned"] => int(4, false),
        ["long"] => Some(model.long),
        ["long", "unsigned"] => Some(model.unsigned_long),
        ["long", "long"] | ["__int64"] => int(8, true),
        ["long", "long", "unsigned"] | ["__int64", "unsigned"] => int(8, false),
        ["__int128"] if platform.has_int128() => int(16, true),
        ["__int128", "unsigned"] if platform.has_int128() => int(16, false),
        ["_Float16"] => Some(Type::F16),
        ["float"] | ["_Float32"] => Some(Type::F32),
        ["double"] | ["_Float64"] => Some(model.double),
        ["double", "long"] => Some(model.long_double),
        ["__float80"] if matches!(model.long_double.kind, Kind::X87) => Some(model.long_double),
        ["_Float128"] if platform.is_x86() || model.long_double.size == 16 => Some(Type::F128),
        ["__float128"] if platform.is_x86() => Some(Type::F128),
        ["_Complex", part @ ..] => platform.complex(scalar(part, platform)?),
        _ => None,
    }
}

/// The types of headers that every program includes.
pub(super) fn known(name: &str, platform: &Platform) -> Option<Ty> {
    let (model, int) = (&platform.model, |size, signed| Some(platform.int(size, signed)));
    let ty = match name {
        "bool" => Some(Type::BOOL),
        "int8_t" | "int_least8_t" | "int_fast8_t" => int(1, true),
        "uint8_t" | "uint_least8_t" | "uint_fast8_t" => int(1, false),
        "int16_t" | "int_least16_t" => int(2, true),
        "uint16_t" | "uint_least16_t" | "char16_t" => int(2, false),
        "int32_t" | "int_least32_t" => int(4, true),
        "uint32_t" | "uint_least32_t" | "char32_t" => int(4, false),
        "int64_t" | "int_least64_t" | "int_fast64_t" | "intmax_t" => int(8, true),
        "uint64_t" | "uint_least64_t" | "uint_fast64_t" | "uintmax_t" => int(8, false),
        "__int128_t" if platform.has_int128() => int(16, true),
        "__uint128_t" if platform.has_int128() => int(16, false),
        "size_t" => Some(model.size),
        "uintptr_t" => int(model.pointer.size, false),
        "ptrdiff_t" | "intptr_t" | "ssize_t" => int(model.pointer.size, true),
        "wchar_t" => Some(model.wchar),
        "wint_t" => Some(platform.wint()),
        "__m128" | "__m128i" | "__m128d" if platform.is_x86() => Type::vector(16).ok(),
        "__m256" | "__m256i" | "__m256d" if platform.is_x86() => Type::vector(32).ok(),
        "__m512" | "__m512i" | "__m512d" if platform.is_x86() => Type::vector(64).ok(),
        "va_list" | "__builtin_va_list" | "__gnuc_va_list" => {
            return Some(match platform.va_list() {
                None => Ty::Pointer(None),
                Some((ty, false)) => Ty::Object(ty),
                Some((ty, true)) => Ty::Array(Box::new(Ty::Object(ty)), Some(1)),
            });
        }
        _ => None,
    };
    ty.map(Ty::Object)
}

impl Parser<'_> {
    /// Whether the token with this index begins a type.
    pub(super) fn starts_type(&self, index: usize) -> bool {
        let word = self.spelling_at(index);
        self.tokens.get(index).is_some_and(|token| token.is == Is::Word)
            && (part(word).is_some()
                || Keyword::of(word).is_some()
                || other(word).is_some()
                || self.typedef(word).is_some())
    }

    /// The words that begin a declaration.
    pub(super) fn specifiers(&mut self) -> Result<Specifiers, ParseError> {
        let start = self.here();
        let mut words: Vec<&'static str> = Vec::new();
        let (mut ty, mut is_typedef, mut is_anonymous, mut atomic) = (None, false, false, None);
        let mut attributes = Attributes::default();
        loop {
            self.attributes(&mut attributes)?;
            let Some(word) = self.word() else { break };
            if matches!(word, "_Alignas" | "alignas") {
                self.alignas(&mut attributes)?;
            } else if let Some(part) = part(word) {
                if ty.is_some() {
                    return Err(self.error(self.range(), "a second type"));
                }
                words.push(part);
                self.advance();
            } else if let Some(keyword) = Keyword::of(word) {
                if ty.is_some() || !words.is_empty() {
                    return Err(self.error(self.range(), "a second type"));
                }
                let (record, anonymous) = self.nested(|p| p.record(keyword))?;
                (ty, is_anonymous) = (Some(record), anonymous);
            } else if let Some(other) = other(word) {
                match other {
                    Other::Nothing => {}
                    Other::Typedef => is_typedef = true,
                    Other::Atomic => atomic = Some(self.range()),
                    Other::Refused(why) => return Err(self.error(self.range(), why)),
                }
                self.advance();
                if atomic.is_some() && ty.is_none() && words.is_empty() && self.eat("(") {
                    ty = Some(self.nested(Self::type_name)?.0);
                    self.expect(")")?;
                }
            } else if ty.is_none() && words.is_empty() {
                let Some(known) = self.typedef(word) else {
                    return Err(self.error(self.range(), format!("there is no type `{word}`: declare it first")));
                };
                ty = Some(known);
                self.advance();
            } else {
                break;
            }
        }
        let range = self.since(start);
        let ty = match ty {
            Some(ty) => ty,
            None if words.is_empty() => return Err(self.unexpected("a type")),
            None => Ty::Object(self.scalar(words, range.clone())?),
        };
        if let Some(at) = atomic {
            let object = self.complete(&ty, range.clone())?;
            // Others may become larger, and more aligned.
            let is_scalar = !matches!(object.kind, Kind::Struct { .. } | Kind::Union { .. } | Kind::Array { .. });
            if !is_scalar || object.size > 8 || object.align < object.size {
                return Err(self.error(at, "of atomic types only scalars of up to 8 bytes are known"));
            }
        }
        let mut specifiers = Specifiers { ty, is_typedef, is_anonymous, attributes, range };
        self.vector(&mut specifiers)?;
        Ok(specifiers)
    }

    fn scalar(&self, mut words: Vec<&'static str>, range: Range<usize>) -> Result<Type, ParseError> {
        let written = words.join(" ");
        words.sort_unstable();
        let implies_int = |word: &&str| matches!(*word, "short" | "long" | "signed" | "unsigned");
        if words.iter().any(implies_int)
            && let Some(index) = words.iter().position(|word| *word == "int")
        {
            words.remove(index);
        }
        if !words.contains(&"char")
            && let Some(index) = words.iter().position(|word| *word == "signed")
        {
            words.remove(index);
            if words.is_empty() {
                words.push("int");
            }
        }
        scalar(&words, &self.platform)
            .ok_or_else(|| self.error(range, format!("`{written}` is no type of C, or none that this platform has")))
    }

    /// Makes the type a vector if the attributes say so.
    pub(super) fn vector(&self, specifiers: &mut Specifiers) -> Result<(), ParseError> {
        let Some((size, range)) = specifiers.attributes.vector.take() else { return Ok(()) };
        let Ty::Object(Type { kind: Kind::Int { .. } | Kind::Float, size: element @ 1..=8, .. }) = specifiers.ty else {
            return Err(self.error(range, "vectors are made of integers and floats of up to 8 bytes"));
        };
        if size == 0 || !size.is_multiple_of(element) {
            return Err(self.error(range, format!("a vector's size is a multiple of its element's, {element}")));
        }
        match Type::vector(size) {
            Ok(vector) => {
                specifiers.ty = Ty::Object(vector);
                Ok(())
            }
            Err(error) => Err(self.error(range, format!("{error}"))),
        }
    }
}
