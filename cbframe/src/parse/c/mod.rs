//! C's declarations: a parser by recursive descent that knows what names stand for, as C's grammar needs it.
//!
//! No statements, no expressions but constant ones, no preprocessor. Each part of the grammar that is not read is refused.

mod attributes;
mod constants;
mod declarators;
mod platform;
mod records;
mod specifiers;
mod tokens;
mod types;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use constants::Constant;
use tokens::{Is, Token, tokens};
use types::{Function, Keyword, Names, Span, Ty};

use super::model::Platform;
use super::{DEEPEST, LARGEST, ParseError, excess};
use crate::abi::{Abi, DataModel, Signature, Target};
use crate::types::Type;

/// Types and functions that C declarations define, and signatures that speak of them.
///
/// # Which C
///
/// C17 with what GCC and Clang add: every type of C that [`Type`] has, `__int128`, `_Float16`, `__float128`, vectors
/// (`__attribute__((vector_size(16)))`, `__m128` and its kin), enums, `_Alignas`, the attributes `packed` and `aligned`, and
/// between declarations `#pragma pack`.
/// The names of `<stdint.h>` and `<stddef.h>`, `bool`, `ssize_t`, `va_list` and `__m128` to `__m512i` are known unless the
/// text declares them itself. Arrays and functions as parameters are pointers, as in C. How large `long` and its kin are
/// depends on the target to which the ABI belongs: see [`Target::data_model`].
///
/// The text has been through the preprocessor, or needs none but `#pragma pack`.
///
/// A calling convention that is written down (`__attribute__((ms_abi))`, `sysv_abi`, `vectorcall`, `regcall`,
/// `preserve_most`, `preserve_all`, `regparm`, `pcs`; `__stdcall` and its kin) is that of the signature, where the target has it.
///
/// # What is refused
///
/// Bit-fields, flexible arrays and arrays without elements, arrays of variable length, `()` without `void`, `typeof`,
/// `_BitInt`, `_Decimal64`, complex integers, `transparent_union`, fields whose own alignment no [`Type`] describes, initial
/// values and function bodies. The error says so, and where.
///
/// # Examples
///
/// ```
/// use cbframe::abi::Abi;
/// use cbframe::parse::CDeclarations;
///
/// let mut given = CDeclarations::new(Abi::SysV64);
/// given.add("typedef struct { double x; int id; } point; enum mode { FAST, EXACT };")?;
/// let signature = given.signature("int (*)(point at, enum mode, void *user)")?;
/// assert_eq!(
///     signature.to_string(),
///     "\
/// sysv64 fn(at: point, mode, user: pointer) -> i32
///   return  i32       4 B  eax
///   at      point    16 B  xmm0 (x), rdi (id)
///   #1      mode      4 B  esi
///   user    pointer   8 B  rdx"
/// );
/// assert_eq!(given.ty("point[4]")?.size, 64);
/// # Ok::<(), cbframe::parse::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CDeclarations {
    abi: Abi,
    platform: Platform,
    names: Names,
}

impl CDeclarations {
    /// None yet. Functions have the convention `abi`, and types the sizes of the target to which that belongs.
    #[must_use]
    pub fn new(abi: Abi) -> Self {
        Self { abi, platform: Platform::of(abi), names: Names::default() }
    }

    /// The same with the types of another target: those of Linux for functions that are `ms_abi` there.
    ///
    /// # Panics
    ///
    /// If the target is one of another architecture than the convention.
    #[must_use]
    pub fn with_target(abi: Abi, target: Target) -> Self {
        assert!(abi.architecture() == target.architecture(), "cbframe: `{abi}` is no convention of {target}");
        Self { abi, platform: Platform::new(target), names: Names::default() }
    }

    /// The same with other sizes, where compilers for a target differ.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::abi::{Abi, Target};
    /// use cbframe::parse::CDeclarations;
    /// use cbframe::types::Type;
    ///
    /// // MinGW has GCC's `long double`.
    /// let mut model = *Target::X86_64Windows.data_model();
    /// model.long_double = Type::LONG_DOUBLE;
    /// assert_eq!(CDeclarations::new(Abi::Win64).with_model(model).ty("long double")?.size, 16);
    /// # Ok::<(), cbframe::parse::ParseError>(())
    /// ```
    #[must_use]
    pub fn with_model(mut self, model: DataModel) -> Self {
        self.platform.model = model;
        self
    }

    /// Adds what a text declares: types, enum constants, and functions, which [`signature`](Self::signature) then finds by
    /// name. Declarations of variables are read and forgotten.
    ///
    /// # Errors
    ///
    /// If it is not C, or has what is refused: nothing of it is added.
    pub fn add(&mut self, text: &str) -> Result<&mut Self, ParseError> {
        let mut parser = self.parser(text)?;
        while parser.token().is != Is::End {
            parser.external()?;
        }
        let names = parser.names;
        self.names.extend(names);
        Ok(self)
    }

    /// The signature that a text describes: a prototype, `double f(int, float)`; a pointer, `double (*)(int, float)`; a
    /// function type, `double (int, float)`; a typedef of one of these, or the name of a function that was declared.
    ///
    /// What the text declares itself is forgotten again.
    ///
    /// # Errors
    ///
    /// If it is not C, has what is refused, or the ABI has no such signature.
    pub fn signature(&self, text: &str) -> Result<Signature, ParseError> {
        let mut parser = self.parser(text)?;
        let (ty, range) = match self.names.functions.get(text.trim()) {
            Some(ty) => (ty.clone(), 0..text.len()),
            None => parser.prototype()?,
        };
        parser.signature(&ty, range)
    }

    /// The type that a text names, such as `struct point`, `unsigned long`, `point[3]`.
    ///
    /// # Errors
    ///
    /// If it is not C, or no type that has values; the type of a function has none.
    pub fn ty(&self, text: &str) -> Result<Type, ParseError> {
        let mut parser = self.parser(text)?;
        let (ty, range) = parser.type_name()?;
        parser.end()?;
        parser.complete(&ty, range)
    }

    /// The types that were declared, by typedef or by tag (`struct point`), in alphabetical order. Those of which only the
    /// name is known, and functions, are left out.
    pub fn types(&self) -> impl Iterator<Item = (String, Type)> {
        let named = |name: &str| Some((String::from(name), self.ty(name).ok()?));
        let tags = self.names.tags.iter().filter_map(move |(tag, (keyword, ty))| {
            Some((format!("{} {tag}", keyword.text()), (*ty)?)) //
        });
        self.names.typedefs.keys().filter_map(move |name| named(name)).chain(tags)
    }

    /// The names of the functions that were declared, in alphabetical order.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.names.functions.keys().map(String::as_str)
    }

    fn parser<'a>(&'a self, text: &str) -> Result<Parser<'a>, ParseError> {
        let tokens = tokens(text)?;
        let (abi, platform, outer, names) = (self.abi, self.platform, &self.names, Names::default());
        let (text, packs) = (text.into(), Vec::from([None]));
        Ok(Parser { text, tokens, at: 0, depth: 0, abi, platform, packs, outer, names })
    }
}

impl Signature {
    /// The signature that C text describes, under the calling convention `abi`: a prototype, a function pointer type or a
    /// function type. [`CDeclarations`] says which C is read, and keeps types that are declared before.
    ///
    /// # Errors
    ///
    /// If it is not C, speaks of unknown types, or has what is refused. The error has the line and the column.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::abi::{Abi, Architecture, Signature};
    ///
    /// let text = "int (*)(const void *, struct { double x; int n; } p, ...)";
    /// let signature = Signature::parse_c(text, Abi::SysV64)?;
    /// assert_eq!(signature.layout().parameters()[1].place.on(Architecture::X86_64).to_string(), "xmm0, rsi");
    ///
    /// let error = Signature::parse_c("int (*)(const void *, pont p)", Abi::SysV64).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "\
    /// parameter #1, `p`: there is no type `pont`: declare it first
    ///   |
    /// 1 | int (*)(const void *, pont p)
    ///   |                       ^^^^"
    /// );
    /// # Ok::<(), cbframe::parse::ParseError>(())
    /// ```
    pub fn parse_c(text: &str, abi: Abi) -> Result<Self, ParseError> {
        CDeclarations::new(abi).signature(text)
    }
}

/// A text that is being read.
struct Parser<'a> {
    text: Arc<str>,
    tokens: Vec<Token>,
    /// The index of the next token.
    at: usize,
    depth: usize,
    abi: Abi,
    platform: Platform,
    /// What `#pragma pack` says, the last of these now: no field is aligned to more bytes. There is always one.
    packs: Vec<Option<usize>>,
    /// What was declared before the text.
    outer: &'a Names,
    /// What the text declares.
    names: Names,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    /// The index of the next token.
    fn here(&self) -> usize {
        self.at
    }

    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn range(&self) -> Range<usize> {
        self.token().range.clone()
    }

    /// From the token `start` to the last one that was read.
    fn since(&self, start: usize) -> Range<usize> {
        let last = self.at.max(start + 1) - 1;
        self.tokens[start].range.start..self.tokens[last].range.end
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span { text: self.text.clone(), range }
    }

    /// The text of the token with this index.
    fn spelling_at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &self.text[token.range.clone()])
    }

    fn spelling(&self) -> &str {
        self.spelling_at(self.at)
    }

    /// The next token, if it is an identifier or a keyword.
    fn word(&self) -> Option<&str> {
        (self.token().is == Is::Word).then(|| self.spelling())
    }

    /// The next token, which is a name.
    fn name(&mut self) -> Result<String, ParseError> {
        match self.word() {
            Some(word) if specifiers::is_keyword(word) => Err(self.unexpected("a name")),
            Some(word) => {
                let name = word.into();
                self.advance();
                Ok(name)
            }
            None => Err(self.unexpected("a name")),
        }
    }

    /// Whether this is the next token.
    fn is(&self, token: &str) -> bool {
        matches!(self.token().is, Is::Word | Is::Punctuation(_)) && self.spelling() == token
    }

    fn eat(&mut self, token: &str) -> bool {
        let is = self.is(token);
        if is {
            self.advance();
        }
        is
    }

    fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    fn end(&mut self) -> Result<(), ParseError> {
        if self.token().is == Is::End { Ok(()) } else { Err(self.unexpected("the end")) }
    }

    fn error(&self, range: Range<usize>, what: impl Into<String>) -> ParseError {
        ParseError::new(&self.text, range, what)
    }

    /// An error: something else should stand here.
    fn unexpected(&self, wanted: &str) -> ParseError {
        let what = match self.token().is {
            Is::End => format!("the text ends where {wanted} should be"),
            _ => format!("`{}` where {wanted} should be", self.spelling()),
        };
        self.error(self.range(), what)
    }

    /// Calls `read`, unless so many calls of this kind are around it that the stack might not last.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.depth == DEEPEST {
            return Err(self.error(self.range(), format!("this is nested more than {DEEPEST} levels deep")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn constant_named(&self, name: &str) -> Option<Constant> {
        self.names.constants.get(name).or_else(|| self.outer.constants.get(name)).copied()
    }

    fn typedef(&self, name: &str) -> Option<Ty> {
        let declared = self.names.typedefs.get(name).or_else(|| self.outer.typedefs.get(name));
        declared.cloned().or_else(|| specifiers::known(name, &self.platform))
    }

    fn tag(&self, tag: &str) -> Option<(Keyword, Option<Type>)> {
        let own = self.names.tags.get(tag);
        let outer = self.outer.tags.get(tag);
        // A tag that the text only mentions may be defined outside.
        own.filter(|(_, ty)| ty.is_some()).or(outer).or(own).copied()
    }

    /// A constant expression for a size.
    fn size(&mut self) -> Result<usize, ParseError> {
        let start = self.here();
        let constant = self.constant()?;
        usize::try_from(constant.value).map_err(|_| self.error(self.since(start), "a size is no less than 0"))
    }

    /// The type, which is at `range`, if it has values or is `void`.
    fn complete(&self, ty: &Ty, range: Range<usize>) -> Result<Type, ParseError> {
        let refused = |what: String| Err(self.error(range.clone(), what));
        match ty {
            Ty::Object(ty) => Ok(*ty),
            Ty::Pointer(_) => Ok(self.platform.model.pointer),
            Ty::Tagged(tag) => match self.tag(tag) {
                Some((_, Some(ty))) => Ok(ty),
                Some((keyword, None)) => {
                    let keyword = keyword.text();
                    refused(format!("what is in `{keyword} {tag}` is not known: only pointers to it can be passed"))
                }
                None => refused(format!("what is in `{tag}` is not known: only pointers to it can be passed")),
            },
            Ty::Array(_, None) => refused("an array without a length has no size".into()),
            Ty::Array(element, Some(len)) => {
                let element = self.complete(element, range.clone())?;
                let array = if *len == 0 {
                    return refused("an array without elements: compilers differ in what it does to a struct".into());
                } else {
                    Type::array(element, *len)
                };
                array.or_else(|error| refused(format!("{error}")))
            }
            Ty::Function(_) => refused("a function, which is no value: a pointer to it is".into()),
        }
    }

    /// The placed signature of a function or a pointer to one, which is at `range`.
    fn signature(&self, ty: &Ty, range: Range<usize>) -> Result<Signature, ParseError> {
        let (Ty::Function(function) | Ty::Pointer(Some(function))) = ty else {
            let what = "no function, and no pointer to one: write `int (*)(double)` or `int f(double)`";
            return Err(self.error(range, what));
        };
        let Function { result, parameters, dots, unknown, abi, span, .. } = &**function;
        if *unknown {
            let what = "`()` says nothing about the parameters: write `(void)` if there are none";
            return Err(ParseError::new(&span.text, span.range.clone(), what));
        }
        let mut builder = Signature::new(abi.unwrap_or(self.abi));
        let mut total = 0;
        for (index, parameter) in parameters.iter().enumerate() {
            let Span { text, range } = &parameter.span;
            let refused = |what: &str| {
                ParseError::new(text, range.clone(), what).in_parameter(index, parameter.name.as_deref()) //
            };
            let ty = self.complete(&parameter.ty, range.clone()).map_err(|error| refused(error.message()))?;
            if let Some(why) = excess(&ty) {
                return Err(refused(&format!("the type is too large to be passed: {why}")));
            }
            total += ty.size;
            if total > LARGEST {
                return Err(refused("with this one, the arguments have more than 1 GiB"));
            }
            builder = builder.named(parameter.name.as_deref().unwrap_or_default(), ty);
        }
        if *dots {
            builder = builder.dots();
        }
        let result = self.complete(result, range.clone())?;
        if let Some(why) = excess(&result) {
            return Err(self.error(range, format!("the result is too large: {why}")));
        }
        builder.ret(result).build().map_err(|error| match error.parameter().and_then(|index| parameters.get(index)) {
            Some(parameter) => ParseError::new(&parameter.span.text, parameter.span.range.clone(), format!("{error}")),
            None => self.error(range, format!("{error}")),
        })
    }
}
