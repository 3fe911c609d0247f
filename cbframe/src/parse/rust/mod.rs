//! Rust's function pointer types, and the items that their types are defined by.
//!
//! `syn` does the grammar: the macros of this project read Rust by it already, and it knows all the ways to write a type.
//! What types mean is known here.

mod items;
mod types;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{ReturnType, TypeFnPtr};

use super::model::Platform;
use super::{DEEPEST, LARGEST, ParseError, excess};
use crate::abi::{Abi, Signature, Target};
use crate::types::Type;

/// Types that Rust items define, and signatures that speak of them.
///
/// # Which Rust
///
/// Function pointer types, `unsafe extern "C" fn(x: i32) -> f64`, as bindings have them. Types are those that a `CType` may
/// be: integers, floats, `bool`, raw pointers, references, `NonNull`, `Option` of what is never null, function pointers,
/// `MaybeUninit`, arrays as fields, `core::ffi`'s and `libc`'s names (`c_int`, `size_t`), [`LongDouble`](crate::LongDouble),
/// [`Float16`](crate::Float16), [`Float128`](crate::Float128), [`CStrRef`](crate::CStrRef), `Complex`, `__m128` to `__m512i`,
/// and the vectors of AArch64, `int8x8_t` to `float64x2_t`.
///
/// Items are `#[repr(C)]` structs, unions and field-less enums, `packed(N)` and `align(N)` included, `#[repr(transparent)]`
/// structs, enums with the `repr` of an integer, and `type` names; none of them with type parameters. A struct without
/// `#[repr(C)]` is one of which pointers are passed.
///
/// So that errors have columns, `proc_macro2` keeps each text that a thread reads until the thread ends.
///
/// # Examples
///
/// ```
/// use cbframe::abi::Target;
/// use cbframe::parse::RustDeclarations;
///
/// let mut given = RustDeclarations::new(Target::X86_64Unix);
/// given.add("#[repr(C)] struct Point { x: f64, id: u32 } type Walk = Option<extern \"C\" fn(&Point)>;")?;
/// let signature = given.signature("unsafe extern \"C-unwind\" fn(at: Point, each: Walk, ...) -> c_int")?;
/// assert_eq!(
///     signature.to_string(),
///     "\
/// sysv64-unwind fn(at: Point, each: function pointer, ...) -> i32
///   return  i32                4 B  eax
///   at      Point             16 B  xmm0 (x), rdi (id)
///   each    function pointer   8 B  rsi"
/// );
/// # Ok::<(), cbframe::parse::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RustDeclarations {
    platform: Platform,
    types: BTreeMap<String, Known>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
enum Known {
    Type(Type),
    /// A type whose layout is Rust's own affair: only pointers to it are passed.
    Opaque,
}

impl RustDeclarations {
    /// None yet. The strings of functions are those of `target`, `"C"` being its own convention, and so are `c_long` and its
    /// kin.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { platform: Platform::new(target), types: BTreeMap::new() }
    }

    /// Adds what items define; a type is defined before another speaks of it.
    ///
    /// # Errors
    ///
    /// If the text is not Rust, or has what is refused: nothing of it is added.
    pub fn add(&mut self, text: &str) -> Result<&mut Self, ParseError> {
        let reader = Reader::new(text)?;
        let file: syn::File = reader.syntax(syn::parse2(reader.tokens.clone()))?;
        let mut all = self.clone();
        for item in &file.items {
            all.item(&reader, item)?;
        }
        *self = all;
        Ok(self)
    }

    /// The signature of a function pointer type.
    ///
    /// # Errors
    ///
    /// If the text is not Rust, speaks of unknown types, has what is refused, or the ABI has no such signature.
    pub fn signature(&self, text: &str) -> Result<Signature, ParseError> {
        let reader = Reader::new(text)?;
        let pointer: TypeFnPtr = reader.syntax(syn::parse2(reader.tokens.clone()))?;
        self.placed(&reader, &pointer)
    }

    /// The type that a text names, such as `Point`, `*const Point`, `[c_long; 3]`.
    ///
    /// # Errors
    ///
    /// If it is not Rust, or no type that C could have.
    pub fn ty(&self, text: &str) -> Result<Type, ParseError> {
        let reader = Reader::new(text)?;
        let ty = reader.syntax(syn::parse2(reader.tokens.clone()))?;
        self.value(&reader, &ty)
    }

    /// The types that were added, in alphabetical order.
    pub fn types(&self) -> impl Iterator<Item = (&str, Type)> {
        self.types.iter().filter_map(|(name, known)| match known {
            Known::Type(ty) => Some((name.as_str(), *ty)),
            Known::Opaque => None,
        })
    }

    fn placed(&self, reader: &Reader<'_>, pointer: &TypeFnPtr) -> Result<Signature, ParseError> {
        let (abi, unwind) = self.abi(reader, pointer)?;
        let mut builder = Signature::new(abi);
        if unwind {
            builder = builder.unwind();
        }
        let mut total = 0;
        for (index, input) in pointer.inputs.iter().enumerate() {
            let name = input.name.as_ref().map(|(name, _)| name.to_string()).filter(|name| name != "_");
            let name = name.as_deref().map(|name| name.trim_start_matches("r#"));
            let refused = |error: ParseError| error.in_parameter(index, name);
            let ty = self.value(reader, &input.ty).map_err(refused)?;
            total += ty.size.min(LARGEST + 1);
            if excess(&ty).is_some() || total > LARGEST {
                return Err(refused(reader.error(&input.ty, "the arguments are too large to be passed")));
            }
            builder = builder.named(name.unwrap_or_default(), ty);
        }
        if pointer.variadic.is_some() {
            builder = builder.dots();
        }
        let result = match &pointer.output {
            ReturnType::Default => Type::VOID,
            ReturnType::Type(_, ty) => match &**ty {
                syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Type::VOID,
                syn::Type::Never(_) => Type::VOID,
                ty => self.value(reader, ty)?,
            },
        };
        if excess(&result).is_some() {
            return Err(reader.error(&pointer.output, "the result is too large"));
        }
        builder.ret(result).build().map_err(|error| match error.parameter().and_then(|i| pointer.inputs.get(i)) {
            Some(input) => reader.error(&input.ty, format!("{error}")),
            None => reader.error(pointer, format!("{error}")),
        })
    }

    /// The convention, and whether a panic may leave.
    fn abi(&self, reader: &Reader<'_>, pointer: &TypeFnPtr) -> Result<(Abi, bool), ParseError> {
        let Some(abi) = &pointer.abi else {
            return Err(reader
                .error(pointer.fn_token, "without `extern` this has Rust's own convention: write `extern \"C\" fn`"));
        };
        let target = self.platform.target;
        let Some(string) = &abi.name else { return Ok((target.c(), false)) };
        let name = string.value();
        Abi::named(&name, target).ok_or_else(|| {
            reader.error(string, format!("`{name}` is no calling convention of {target} that is known here")) //
        })
    }
}

impl Signature {
    /// The signature of a function pointer type of Rust: its string says the convention, `"C"` being this target's.
    /// [`RustDeclarations`] says which types are known, and keeps those that are defined before.
    ///
    /// # Errors
    ///
    /// If it is not Rust, speaks of unknown types, or has what is refused. The error has the line and the column.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::abi::Signature;
    ///
    /// let signature = Signature::parse_rust("unsafe extern \"sysv64\" fn(x: i32, p: *const u8, f: Option<fn()>) -> f64");
    /// assert_eq!(
    ///     signature.unwrap().to_string(),
    ///     "\
    /// sysv64 fn(x: i32, p: pointer, f: function pointer) -> f64
    ///   return  f64               8 B  xmm0
    ///   x       i32               4 B  edi
    ///   p       pointer           8 B  rsi
    ///   f       function pointer  8 B  rdx"
    /// );
    /// assert_eq!(
    ///     Signature::parse_rust("extern \"C\" fn(text: &str)").unwrap_err().to_string(),
    ///     "\
    /// parameter #0, `text`: C has no pointers to `str`, which are an address and a length: take both
    ///   |
    /// 1 | extern \"C\" fn(text: &str)
    ///   |                      ^^^"
    /// );
    /// ```
    pub fn parse_rust(text: &str) -> Result<Self, ParseError> {
        RustDeclarations::new(crate::arch::TARGET).signature(text)
    }
}

/// A text, and its tokens.
struct Reader<'a> {
    text: &'a str,
    tokens: TokenStream,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Result<Self, ParseError> {
        let parsed: Result<TokenStream, _> = text.parse();
        let tokens = match parsed {
            Ok(tokens) => tokens,
            Err(error) => {
                let what = "from here on these are no tokens of Rust: a bracket or a quote has no counterpart, or Rust has no such character";
                return Err(ParseError::new(text, error.span().byte_range(), what));
            }
        };
        let reader = Self { text, tokens };
        reader.check_depth()?;
        Ok(reader)
    }

    /// An error if `syn`, which calls itself for what is nested, might need more stack than there is: how many tokens are
    /// before this one, those not counted that are done with: behind a comma, a semicolon, or the brace that ends an item.
    fn check_depth(&self) -> Result<(), ParseError> {
        let mut levels = Vec::from([(0, self.tokens.clone().into_iter().peekable())]);
        let mut around = 0;
        loop {
            let is_outermost = levels.len() == 1;
            let Some((level, tokens)) = levels.last_mut() else { return Ok(()) };
            let Some(token) = tokens.next() else {
                levels.pop();
                around -= levels.last().map_or(0, |(level, _)| *level);
                continue;
            };
            *level += 1;
            if around + *level > DEEPEST {
                return Err(self.error_at(token.span().byte_range(), "this is nested too deep"));
            }
            match token {
                TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => *level = 0,
                TokenTree::Group(group) => {
                    let goes_on = matches!(tokens.peek(), Some(TokenTree::Ident(next)) if next == "else");
                    let inner = (0, group.stream().into_iter().peekable());
                    if is_outermost && group.delimiter() == Delimiter::Brace && !goes_on {
                        *level = 0;
                    }
                    around += *level;
                    levels.push(inner);
                }
                _ => {}
            }
        }
    }

    fn error(&self, at: impl Spanned, what: impl Into<String>) -> ParseError {
        self.error_at(at.span().byte_range(), what)
    }

    fn error_at(&self, range: Range<usize>, what: impl Into<String>) -> ParseError {
        ParseError::new(self.text, range, what)
    }

    /// What `syn` has found.
    fn syntax<T>(&self, parsed: syn::Result<T>) -> Result<T, ParseError> {
        parsed.map_err(|error| {
            let range = error.span().byte_range();
            // The end of the text has no span of its own.
            let is_end = range.is_empty() || error.to_string().starts_with("unexpected end of input");
            let range = if is_end { self.text.trim_end().len()..self.text.len() } else { range };
            self.error_at(range, error.to_string())
        })
    }
}
