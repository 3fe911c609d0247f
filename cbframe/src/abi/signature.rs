//! Signatures that are put together while the program runs.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::{Abi, Cursor, Layout, Parameter, Place, Placement, Placing, Refusal, place_each};
use crate::types::{Kind, Type, keep_str};

/// A signature that is put together while the program runs, placed: which register or stack word each argument is in.
///
/// Cheap to copy. Types are [`Type`]s: constants such as [`Type::F64`], [`Type::of`] for those of Rust, and
/// [`Type::structure`] and its kin for what a program learns of only when it runs.
///
/// # Examples
///
/// ```
/// use cbframe::abi::{Abi, Signature};
/// use cbframe::types::Type;
///
/// let point = Type::structure("Point", &[("x", Type::F64), ("id", Type::U64)])?;
/// let signature = Signature::new(Abi::SysV64)
///     .named("level", Type::I32)
///     .named("at", point)
///     .param(Type::POINTER)
///     .ret(Type::array(Type::I64, 3).and_then(|parts| Type::structure("Vec3", &[("parts", parts)]))?)
///     .build()?;
/// assert_eq!(
///     signature.to_string(),
///     "\
/// sysv64 fn(level: i32, at: Point, pointer) -> Vec3
///   return  Vec3     24 B  in memory; its address arrives in rdi and leaves in rax
///   level   i32       4 B  esi
///   at      Point    16 B  xmm0 (x), rdx (id)
///   #2      pointer   8 B  rcx"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signature(Arc<Whole>);

struct Whole {
    abi: Abi,
    parameters: Vec<Parameter>,
    /// For a variadic one, how many parameters are before `...`.
    before: Option<usize>,
    result: Parameter,
    end: Cursor,
    pops: u32,
    unwind: bool,
}

/// A [`Signature`] that is not complete yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignatureBuilder {
    pub(super) abi: Abi,
    pub(super) parameters: Vec<Parameter>,
    pub(super) before: Option<usize>,
    pub(super) result: Type,
    pub(super) unwind: bool,
}

impl Signature {
    /// Begins a signature of this calling convention, without parameters or result yet.
    #[expect(clippy::new_ret_no_self, reason = "begins one")]
    pub const fn new(abi: Abi) -> SignatureBuilder {
        SignatureBuilder { abi, parameters: Vec::new(), before: None, result: Type::VOID, unwind: false }
    }

    /// Begins a signature that an algorithm places: [`SignatureBuilder::build_by`].
    pub const fn custom() -> SignatureBuilder {
        Self::new(Abi::Custom)
    }

    /// Begins a signature like this one: to say that it unwinds, or which arguments one call has behind `...`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Value;
    /// use cbframe::abi::{Abi, Signature};
    /// use cbframe::types::Type;
    ///
    /// // `int (*)(char *, size_t, const char *, ...)`
    /// let snprintf = Signature::new(Abi::C).param(Type::POINTER).param(Type::U64).param(Type::POINTER).dots().ret(Type::I32);
    /// let snprintf = snprintf.build()?;
    ///
    /// let call = snprintf.to_builder().param(Type::F64).param(Type::I32).build()?;
    /// let mut text = [0_u8; 16];
    /// let arguments = [text.as_mut_ptr().cast::<()>().into(), 16_usize.into(), c"%g %d".as_ptr().into(), 1.5.into(), 7.into()];
    /// // SAFETY: these are arguments of `snprintf`.
    /// let length = unsafe { call.call(libc::snprintf as *const (), &arguments)? };
    /// assert!(matches!(length, Value::I32(5)));
    /// assert_eq!(&text[..6], b"1.5 7\0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_builder(&self) -> SignatureBuilder {
        let Whole { abi, ref parameters, before, ref result, unwind, .. } = *self.0;
        let parameters = parameters.iter().map(|parameter| Parameter { place: Place::Nothing, ..*parameter }).collect();
        SignatureBuilder { abi, parameters, before, result: result.ty, unwind }
    }

    /// Where the arguments and the result lie.
    #[must_use]
    pub fn layout(&self) -> Layout<'_> {
        let Whole { abi, ref parameters, before, result, end, pops, unwind } = *self.0;
        Layout { abi, unwind, variadic: before.is_some(), parameters, result, stack: end.stack, pops }
    }

    /// The calling convention.
    #[must_use]
    pub fn abi(&self) -> Abi {
        self.0.abi
    }

    /// The parameters, in the order of their declaration.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.0.parameters
    }

    /// The result.
    #[must_use]
    pub fn result(&self) -> &Parameter {
        &self.0.result
    }

    /// Bytes of arguments on the stack that the return pops.
    #[must_use]
    pub fn pops(&self) -> u32 {
        self.0.pops
    }

    /// What the parameters have taken.
    pub(crate) fn end(&self) -> &Cursor {
        &self.0.end
    }

    /// For a variadic signature, how many of the parameters are before `...`.
    #[must_use]
    pub fn before_dots(&self) -> Option<usize> {
        self.0.before
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layout().fmt(f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layout().fmt(f)
    }
}

impl SignatureBuilder {
    /// Adds a parameter.
    pub fn param(self, ty: Type) -> Self {
        self.named("", ty)
    }

    /// Adds a parameter with a name, for tables and messages.
    pub fn named(mut self, name: &str, ty: Type) -> Self {
        let name = if name.is_empty() { "" } else { keep_str(name) };
        self.parameters.push(Parameter { name, ty, place: Place::Nothing });
        self
    }

    /// `...`: the parameters that are added from here on are those of one call, which C passes behind the ellipsis.
    pub fn dots(mut self) -> Self {
        self.before = Some(self.before.unwrap_or(self.parameters.len()));
        self
    }

    /// Sets the result, which is `void` otherwise.
    pub const fn ret(mut self, ty: Type) -> Self {
        self.result = ty;
        self
    }

    /// Has calls unwind: a panic, or an exception of another language, may leave a function of this signature, as with
    /// Rust's `-unwind` ABI strings.
    pub const fn unwind(mut self) -> Self {
        self.unwind = true;
        self
    }

    /// Places the signature.
    ///
    /// # Errors
    ///
    /// If C, or the calling convention, has no such signature: the error names the parameter.
    ///
    /// # Panics
    ///
    /// If a [`Type`] that was written by hand is inconsistent: [`Type::check`].
    pub fn build(mut self) -> Result<Signature, SignatureError> {
        let abi = self.abi;
        let whole = |what| Err(SignatureError { abi, index: None, name: "", ty: self.result.name, what });
        match (abi, self.before) {
            (Abi::Custom, _) => return whole(What::NoRule),
            (_, Some(_)) if !abi.has_variadic() => return whole(What::NoDots),
            _ => {}
        }
        let rules = if self.before.is_some() { abi.of_variadic() } else { abi };
        if let Some(what) = refusal(rules, &self.result, None) {
            return whole(what);
        }
        let hidden = matches!(abi, Abi::Named(convention) if convention.hides(&self.result));
        for (index, &Parameter { name, ref ty, .. }) in self.parameters.iter().enumerate() {
            let is_unnamed = self.before.is_some_and(|before| index >= before);
            let what = match super::promotion(ty) {
                Some(instead) if is_unnamed => Some(What::Promoted(instead)),
                _ => match abi.refusal_unnamed(ty) {
                    Some(reason) if is_unnamed => Some(What::Convention(reason)),
                    _ => refusal(rules, ty, Some(index + usize::from(hidden))),
                },
            };
            if let Some(what) = what {
                return Err(SignatureError { abi, index: Some(index), name, ty: ty.name, what });
            }
        }
        let mut result = Parameter { name: "", ty: self.result, place: Place::Nothing };
        let taken = place_each(self.abi, &mut self.parameters, &mut result, self.before);
        let Self { abi, parameters, before, unwind, .. } = self;
        let super::Taken { end, pops, .. } = taken;
        Ok(Signature(Arc::new(Whole { abi, parameters, before, result, end, pops, unwind })))
    }

    /// Places the signature, which was begun by [`Signature::custom`], by an algorithm.
    ///
    /// # Errors
    ///
    /// If C has no such signature, the algorithm has no place for something, or what it says is no place.
    ///
    /// # Panics
    ///
    /// As for [`build`](Self::build).
    ///
    /// # Examples
    ///
    /// See [`Placement`].
    pub fn build_by(mut self, placement: &dyn Placement) -> Result<Signature, SignatureError> {
        let abi = self.abi;
        let error = |index: Option<usize>, parameters: &[Parameter], what| {
            let (name, ty) = index.map_or(("", self.result.name), |at| (parameters[at].name, parameters[at].ty.name));
            Err(SignatureError { abi, index, name, ty, what })
        };
        match (abi, self.before) {
            (Abi::Custom, None) => {}
            (Abi::Custom, Some(_)) => return error(None, &self.parameters, What::NoDots),
            _ => return error(None, &self.parameters, What::Rules),
        }
        self.result.check();
        if let Some(what) = refusal(abi, &self.result, None) {
            return error(None, &self.parameters, what);
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            parameter.ty.check();
            if let Some(what) = refusal(abi, &parameter.ty, Some(index)) {
                return error(Some(index), &self.parameters, what);
            }
        }
        let mut result = Parameter { name: "", ty: self.result, place: Place::Nothing };
        let mut placing = Placing { parameters: &mut self.parameters, result: &mut result, stack: 0, pops: 0 };
        let refused =
            placement.place(&mut placing).err().map(|Refusal { index, reason }| (index, What::Convention(reason)));
        let wrong = placing.wrong().map(|(index, what)| (index, What::Misplaced(what)));
        let Placing { stack, pops, .. } = placing;
        if let Some((index, what)) = refused.or(wrong) {
            return error(index, &self.parameters, what);
        }
        let Self { abi, parameters, before, unwind, .. } = self;
        let end = Cursor { stack, ..Cursor::START };
        Ok(Signature(Arc::new(Whole { abi, parameters, before, result, end, pops, unwind })))
    }
}

/// Why there is no parameter of this type in this position, or no result without one.
fn refusal(abi: Abi, ty: &Type, position: Option<usize>) -> Option<What> {
    match ty.passed_as().kind {
        Kind::Void if position.is_some() => Some(What::Void),
        Kind::Array { .. } => Some(What::Array),
        _ => abi.refusal(ty, position).map(What::Convention),
    }
}

/// Why there is no such signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureError {
    abi: Abi,
    /// The parameter; `None` for the result or the whole.
    index: Option<usize>,
    name: &'static str,
    ty: &'static str,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    NoRule,
    NoDots,
    Void,
    Array,
    Promoted(&'static str),
    Convention(&'static str),
    Rules,
    Misplaced(&'static str),
}

impl SignatureError {
    /// The index of the parameter that is wrong; `None` if it is the result, or the signature as a whole.
    #[must_use]
    pub const fn parameter(&self) -> Option<usize> {
        self.index
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.what, self.index) {
            (What::NoRule, _) => return f.write_str("`custom` has no rule for where arguments lie"),
            (What::Rules, _) => {
                return write!(f, "`{}` has rules of its own: begin with `Signature::custom()`", self.abi);
            }
            (What::NoDots, _) => return write!(f, "`{}` has no variadic functions", self.abi),
            (_, None) => f.write_str("the result")?,
            (_, Some(index)) if self.name.is_empty() => write!(f, "parameter #{index}")?,
            (_, Some(index)) => write!(f, "parameter #{index}, `{}`,", self.name)?,
        }
        write!(f, " has the type `{}`: ", self.ty)?;
        match self.what {
            What::Void => f.write_str("C has no values of it"),
            What::Array => {
                f.write_str("C passes a pointer to its first element: write that, or put the array in a struct")
            }
            What::Promoted(instead) => write!(f, "C passes `{instead}` in its stead behind `...`"),
            What::Convention(reason) => write!(f, "`{}` has no place for what is {reason}", self.abi),
            What::Misplaced(what) => f.write_str(what),
            What::NoRule | What::NoDots | What::Rules => Ok(()),
        }
    }
}

impl core::error::Error for SignatureError {}
