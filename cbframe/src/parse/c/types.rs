//! What names stand for, before it is known whether they can be passed.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::constants::Constant;
use crate::abi::Abi;
use crate::types::Type;

/// A type of C.
#[derive(Clone, Debug)]
pub(super) enum Ty {
    /// One that has values, or `void`.
    Object(Type),
    /// A struct, union or enum by its tag, which may be defined later.
    Tagged(String),
    /// A pointer, and to which function if it is to one.
    Pointer(Option<Arc<Function>>),
    /// An array, and how many elements it has, if that is said.
    Array(Box<Self>, Option<usize>),
    /// A function.
    Function(Arc<Function>),
}

/// The type of a function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) result: Ty,
    pub(super) parameters: Vec<Parameter>,
    /// Whether it ends in `...`.
    pub(super) dots: bool,
    /// Whether it is `()`, which says nothing about the parameters.
    pub(super) unknown: bool,
    /// The convention, if one is written down.
    pub(super) abi: Option<Abi>,
    /// The parameters in the text.
    pub(super) span: Span,
    /// How deep types are nested in it.
    pub(super) depth: usize,
}

impl Ty {
    /// How deep types are nested in it, those of which a [`Type`] says everything not counted.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Object(_) | Self::Tagged(_) | Self::Pointer(None) => 0,
            Self::Array(element, _) => 1 + element.depth(),
            Self::Pointer(Some(function)) | Self::Function(function) => function.depth,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: Option<String>,
    pub(super) ty: Ty,
    pub(super) span: Span,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) text: Arc<str>,
    pub(super) range: Range<usize>,
}

/// Struct, union or enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Struct,
    Union,
    Enum,
}

impl Keyword {
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "struct" => Some(Self::Struct),
            "union" => Some(Self::Union),
            "enum" => Some(Self::Enum),
            _ => None,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Struct => "struct",
            Self::Union => "union",
            Self::Enum => "enum",
        }
    }
}

/// What was declared.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) typedefs: BTreeMap<String, Ty>,
    /// Structs, unions and enums: the type once it is defined.
    pub(super) tags: BTreeMap<String, (Keyword, Option<Type>)>,
    pub(super) constants: BTreeMap<String, Constant>,
    pub(super) functions: BTreeMap<String, Ty>,
}

impl Names {
    /// Adds what `other` has.
    pub(super) fn extend(&mut self, other: Self) {
        self.typedefs.extend(other.typedefs);
        self.tags.extend(other.tags);
        self.constants.extend(other.constants);
        self.functions.extend(other.functions);
    }
}
