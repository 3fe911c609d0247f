//! Signatures that are put together while the program runs.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::{Abi, Layout, Parameter, Place, place_each};
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
    /// Bytes of arguments on the stack.
    stack: u32,
    /// Bytes of these that the return pops.
    pops: u32,
}

/// A [`Signature`] that is not complete yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignatureBuilder {
    abi: Abi,
    parameters: Vec<Parameter>,
    before: Option<usize>,
    result: Type,
}

impl Signature {
    /// Begins a signature of this calling convention, without parameters or result yet.
    #[expect(clippy::new_ret_no_self, reason = "begins one")]
    pub const fn new(abi: Abi) -> SignatureBuilder {
        SignatureBuilder { abi, parameters: Vec::new(), before: None, result: Type::VOID }
    }

    /// Where the arguments and the result lie.
    #[must_use]
    pub fn layout(&self) -> Layout<'_> {
        let Whole { abi, ref parameters, before, result, stack, pops } = *self.0;
        Layout { abi, unwind: false, variadic: before.is_some(), parameters, result, stack, pops }
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
        if let Some(what) = refusal(abi, &self.result, None) {
            return whole(what);
        }
        let hidden = matches!(abi, Abi::Named(convention) if convention.hides(&self.result));
        for (index, &Parameter { name, ref ty, .. }) in self.parameters.iter().enumerate() {
            let is_unnamed = self.before.is_some_and(|before| index >= before);
            let what = match super::promotion(ty) {
                Some(instead) if is_unnamed => Some(What::Promoted(instead)),
                _ => refusal(abi, ty, Some(index + usize::from(hidden))),
            };
            if let Some(what) = what {
                return Err(SignatureError { abi, index: Some(index), name, ty: ty.name, what });
            }
        }
        let mut result = Parameter { name: "", ty: self.result, place: Place::Nothing };
        let taken = place_each(self.abi, &mut self.parameters, &mut result, self.before);
        let Self { abi, parameters, before, .. } = self;
        Ok(Signature(Arc::new(Whole { abi, parameters, before, result, stack: taken.end.stack, pops: taken.pops })))
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
            What::NoRule | What::NoDots => Ok(()),
        }
    }
}

impl core::error::Error for SignatureError {}
