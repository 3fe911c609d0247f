//! The second half of a declaration: pointers, arrays and functions around a name, read from the inside out.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::Parser;
use super::attributes::Attributes;
use super::specifiers::Specifiers;
use super::tokens::Is;
use super::types::{Function, Parameter, Ty};
use crate::abi::Abi;
use crate::parse::{DEEPEST, ParseError};
use crate::types::Type;

/// What is declared: a name, which may be missing, and what is around it.
#[derive(Default)]
pub(super) struct Declarator {
    pub(super) name: Option<(String, Range<usize>)>,
    /// What the name is, then of what, and so on.
    derived: Vec<Derived>,
    pub(super) attributes: Attributes,
}

enum Derived {
    Pointer,
    Array(Option<usize>, Range<usize>),
    Function { parameters: Vec<Parameter>, dots: bool, unknown: bool, range: Range<usize> },
}

impl Declarator {
    pub(super) fn is_plain(&self) -> bool {
        self.derived.is_empty()
    }
}

impl Parser<'_> {
    /// A type name: specifiers, and a declarator without a name.
    pub(super) fn type_name(&mut self) -> Result<(Ty, Range<usize>), ParseError> {
        let start = self.here();
        let specifiers = self.specifiers()?;
        let declarator = self.declarator()?;
        if let Some((name, range)) = declarator.name {
            return Err(self.error(range, format!("`{name}` where only a type should be")));
        }
        let ty = self.declared(specifiers, declarator)?.0;
        Ok((ty, self.since(start)))
    }

    /// A text that is one function, or one pointer to a function.
    pub(super) fn prototype(&mut self) -> Result<(Ty, Range<usize>), ParseError> {
        let start = self.here();
        let specifiers = self.specifiers()?;
        if specifiers.is_typedef {
            return Err(self.error(specifiers.range, "a typedef declares no function: add it first, and then name it"));
        }
        let declarator = self.declarator()?;
        let (ty, _) = self.declared(specifiers, declarator)?;
        let range = self.since(start);
        if self.is("{") {
            return Err(self.error(self.range(), "only the signature is read: end it here"));
        }
        self.eat(";");
        self.end()?;
        Ok((ty, range))
    }

    /// A declaration at the outermost level.
    pub(super) fn external(&mut self) -> Result<(), ParseError> {
        if self.eat(";") {
            return Ok(());
        }
        if self.token().is == Is::Pack {
            return self.pack();
        }
        if matches!(self.word(), Some("_Static_assert" | "static_assert")) {
            return self.static_assert();
        }
        let mut specifiers = self.specifiers()?;
        if self.is(";") && !specifiers.is_typedef {
            self.not_packed(&specifiers.attributes)?;
            self.advance();
            return Ok(());
        }
        loop {
            let declarator = self.declarator()?;
            let Some((name, range)) = declarator.name.clone() else {
                return Err(self.unexpected("a name"));
            };
            let is_plain = declarator.is_plain();
            if specifiers.is_anonymous && specifiers.is_typedef && is_plain {
                // It is known by its typedef's name from here on.
                if let Ty::Object(ty) = &mut specifiers.ty {
                    ty.name = crate::types::keep_str(&name);
                }
                specifiers.is_anonymous = false;
            }
            let (ty, attributes) = self.declared(specifiers.again(), declarator)?;
            self.declare(name, range, ty, specifiers.is_typedef, &attributes)?;
            if self.eat(";") {
                return Ok(());
            }
            match self.spelling() {
                "=" => return Err(self.error(self.range(), "initial values are not read: end the declaration here")),
                "{" => return Err(self.error(self.range(), "function bodies are not read: end the declaration here")),
                _ => self.expect(",")?,
            }
        }
    }

    fn declare(
        &mut self,
        name: String,
        range: Range<usize>,
        ty: Ty,
        is_typedef: bool,
        attributes: &Attributes,
    ) -> Result<(), ParseError> {
        if is_typedef {
            if let Some((_, at)) = &attributes.aligned {
                let what = "an alignment of a typedef alone: write it on the struct, between `struct` and `{`";
                return Err(self.error(at.clone(), what));
            }
            let old = self.names.typedefs.get(&name).or_else(|| self.outer.typedefs.get(&name));
            if old.is_some_and(|old| !self.same(old, &ty)) {
                return Err(self.error(range, format!("`{name}` was declared before as another type")));
            }
            self.names.typedefs.insert(name, ty);
        } else if matches!(ty, Ty::Function(_)) {
            self.names.functions.insert(name, ty);
        }
        Ok(())
    }

    /// Whether a second typedef may say this; as far as C requires it to be the same, of functions all that is placed.
    fn same(&self, a: &Ty, b: &Ty) -> bool {
        match (a, b) {
            (Ty::Tagged(a), Ty::Tagged(b)) => a == b,
            (Ty::Pointer(None), Ty::Pointer(None)) => true,
            (Ty::Array(a, m), Ty::Array(b, n)) => m == n && self.same(a, b),
            (Ty::Function(a), Ty::Function(b)) | (Ty::Pointer(Some(a)), Ty::Pointer(Some(b))) => {
                let sames = a.parameters.iter().zip(&b.parameters).all(|(a, b)| self.same(&a.ty, &b.ty));
                a.parameters.len() == b.parameters.len()
                    && (a.dots, a.unknown, a.abi) == (b.dots, b.unknown, b.abi)
                    && sames
                    && self.same(&a.result, &b.result)
            }
            (Ty::Object(a), Ty::Object(b)) => a == b,
            _ => false,
        }
    }

    fn static_assert(&mut self) -> Result<(), ParseError> {
        let start = self.here();
        self.advance();
        self.expect("(")?;
        let holds = self.constant()?.value != 0;
        if self.eat(",") {
            while self.token().is == Is::String {
                self.advance();
            }
        }
        self.expect(")")?;
        if !holds {
            return Err(self.error(self.since(start), "this does not hold here"));
        }
        self.expect(";")
    }

    /// Pointers, a name or parentheses, arrays and parameters.
    pub(super) fn declarator(&mut self) -> Result<Declarator, ParseError> {
        self.nested(Self::declarator_here)
    }

    fn declarator_here(&mut self) -> Result<Declarator, ParseError> {
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let mut pointers = 0;
        loop {
            if self.eat("*") {
                pointers += 1;
            } else if self.is("^") {
                return Err(self.error(self.range(), "blocks are not C"));
            } else if pointers > 0 && self.is_qualifier() {
                self.advance();
            } else {
                break;
            }
            self.attributes(&mut attributes)?;
        }
        let mut declarator = Declarator::default();
        if self.is("(") && !self.starts_parameters(self.here() + 1) {
            self.advance();
            declarator = self.declarator()?;
            self.expect(")")?;
        } else if self.token().is == Is::Word {
            let range = self.range();
            declarator.name = Some((self.name()?, range));
        }
        loop {
            let start = self.here();
            self.no_brackets()?;
            if self.eat("[") {
                let len = self.length()?;
                declarator.derived.push(Derived::Array(len, self.since(start)));
            } else if self.eat("(") {
                let function = self.parameters(start)?;
                declarator.derived.push(function);
            } else {
                break;
            }
        }
        declarator.derived.extend((0..pointers).map(|_| Derived::Pointer));
        self.attributes(&mut attributes)?;
        declarator.attributes.extend(attributes);
        Ok(declarator)
    }

    fn is_qualifier(&self) -> bool {
        matches!(
            self.word(),
            Some(
                "const"
                    | "__const"
                    | "__const__"
                    | "volatile"
                    | "__volatile"
                    | "__volatile__"
                    | "restrict"
                    | "__restrict"
                    | "__restrict__"
                    | "_Nonnull"
                    | "_Nullable"
                    | "_Null_unspecified"
                    | "_Atomic"
                    | "__ptr64"
            )
        )
    }

    /// Whether what is behind a parenthesis are parameters, and not a declarator.
    fn starts_parameters(&self, index: usize) -> bool {
        matches!(self.spelling_at(index), ")" | "...") || self.starts_type(index)
    }

    /// What is in brackets, and the second of them.
    fn length(&mut self) -> Result<Option<usize>, ParseError> {
        while self.is("static") || self.is_qualifier() {
            self.advance();
        }
        if self.eat("]") {
            return Ok(None);
        }
        if self.is("*") && self.spelling_at(self.here() + 1) == "]" {
            return Err(self.error(self.range(), "an array of a length that is known only at run time"));
        }
        let size = self.size()?;
        self.expect("]")?;
        Ok(Some(size))
    }

    /// Parameters, and the parenthesis behind them; `start` is the one before.
    fn parameters(&mut self, start: usize) -> Result<Derived, ParseError> {
        let (mut parameters, mut dots) = (Vec::new(), false);
        if self.eat(")") {
            return Ok(Derived::Function { parameters, dots, unknown: true, range: self.since(start) });
        }
        if self.is("void") && self.spelling_at(self.here() + 1) == ")" {
            self.advance();
            self.advance();
            return Ok(Derived::Function { parameters, dots, unknown: false, range: self.since(start) });
        }
        loop {
            if self.eat("...") {
                dots = true;
                break;
            }
            let (begin, index) = (self.here(), parameters.len());
            match self.parameter() {
                Ok(parameter) => parameters.push(parameter),
                Err(error) => return Err(error.in_parameter(index, self.name_within(begin).as_deref())),
            }
            if !self.eat(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(Derived::Function { parameters, dots, unknown: false, range: self.since(start) })
    }

    fn parameter(&mut self) -> Result<Parameter, ParseError> {
        let start = self.here();
        let specifiers = self.specifiers()?;
        if specifiers.is_typedef {
            return Err(self.error(specifiers.range, "a typedef is no parameter"));
        }
        let declarator = self.declarator()?;
        let name = declarator.name.as_ref().map(|(name, _)| name.clone());
        let (ty, attributes) = self.declared(specifiers, declarator)?;
        if let Some((_, at)) = attributes.aligned {
            return Err(self.error(at, "C has no parameters with an alignment of their own"));
        }
        let ty = match ty {
            // C17, 6.7.6.3, paragraphs 7 and 8.
            Ty::Array(..) => Ty::Pointer(None),
            Ty::Function(function) => Ty::Pointer(Some(function)),
            ty => ty,
        };
        if matches!(ty, Ty::Object(Type::VOID)) {
            return Err(self.error(self.since(start), "C has no values of the type `void`"));
        }
        let range = self.since(start);
        if !self.is(",") && !self.is(")") {
            return Err(self.unexpected("`,` or `)`"));
        }
        Ok(Parameter { name, ty, span: self.span(range) })
    }

    /// The name of the parameter that begins with the token `begin`, as far as one can tell where it is not understood: its
    /// last word, unless that is all there is. Only so far is looked as a parameter is long.
    fn name_within(&self, begin: usize) -> Option<String> {
        let (mut open, mut last) = (0_usize, None);
        for index in begin..self.tokens.len().min(begin + 200) {
            match (self.tokens[index].is, self.spelling_at(index)) {
                (Is::End, _) | (_, "," | ")" | ";") if open == 0 => break,
                (Is::End, _) => return None,
                (_, "(" | "{" | "[") => open += 1,
                (_, ")" | "}" | "]") => open = open.checked_sub(1)?,
                (Is::Word, word) if open == 0 && index > begin && !self.starts_type(index) => last = Some(word.into()),
                _ => {}
            }
        }
        last
    }

    /// The type that specifiers and a declarator make together, and the attributes that concern what is declared.
    pub(super) fn declared(
        &self,
        mut specifiers: Specifiers,
        declarator: Declarator,
    ) -> Result<(Ty, Attributes), ParseError> {
        if let Some((_, range)) = &declarator.attributes.vector
            && (!declarator.is_plain() || specifiers.attributes.vector.is_some())
        {
            return Err(self.error(range.clone(), "write `vector_size` in a typedef of its own"));
        }
        specifiers.attributes.extend(declarator.attributes);
        self.vector(&mut specifiers)?;
        let Specifiers { ty, mut attributes, .. } = specifiers;
        let functions = declarator.derived.iter().filter(|it| matches!(it, Derived::Function { .. })).count();
        let abi = attributes.abi.take();
        if let Some((_, range)) = &abi
            && functions > 1
        {
            return Err(self.error(range.clone(), "of which function? Write the other one as a typedef"));
        }
        let own = if functions == 1 { abi.as_ref().map(|(abi, _)| *abi) } else { None };
        let mut ty = ty;
        for derived in declarator.derived.into_iter().rev() {
            ty = self.derive(ty, derived, own)?;
        }
        if let (Some((abi, range)), 0) = (abi, functions) {
            ty = match ty {
                Ty::Function(function) => Ty::Function(with_abi(&function, abi)),
                Ty::Pointer(Some(function)) => Ty::Pointer(Some(with_abi(&function, abi))),
                _ => return Err(self.error(range, "a calling convention of what is no function")),
            };
        }
        self.not_packed(&attributes)?;
        Ok((ty, attributes))
    }

    /// An error if something other than a struct, a union or an enum is to be packed.
    pub(super) fn not_packed(&self, attributes: &Attributes) -> Result<(), ParseError> {
        match &attributes.packed {
            Some(range) => {
                let what = "`packed` belongs between `struct` and `{`, or behind `}`: here compilers ignore it, or pack one field";
                Err(self.error(range.clone(), what))
            }
            None => Ok(()),
        }
    }

    fn derive(&self, ty: Ty, derived: Derived, abi: Option<Abi>) -> Result<Ty, ParseError> {
        let range = match &derived {
            Derived::Pointer => 0..0,
            Derived::Array(_, range) | Derived::Function { range, .. } => range.clone(),
        };
        let derived = self.derive_one(ty, derived, abi)?;
        if derived.depth() > DEEPEST {
            return Err(self.error(range, format!("this is nested more than {DEEPEST} levels deep")));
        }
        Ok(derived)
    }

    fn derive_one(&self, ty: Ty, derived: Derived, abi: Option<Abi>) -> Result<Ty, ParseError> {
        match derived {
            Derived::Pointer => match ty {
                Ty::Function(function) => Ok(Ty::Pointer(Some(function))),
                _ => Ok(Ty::Pointer(None)),
            },
            Derived::Array(len, range) => match ty {
                Ty::Function(_) => Err(self.error(range, "C has no arrays of functions: write pointers to them")),
                Ty::Array(_, None) => Err(self.error(range, "an array of arrays without a length")),
                Ty::Object(Type::VOID) => Err(self.error(range, "C has no arrays of `void`")),
                element => Ok(Ty::Array(Box::new(element), len)),
            },
            Derived::Function { parameters, dots, unknown, range } => match ty {
                Ty::Function(_) => Err(self.error(range, "a function returns no function: write a pointer to it")),
                Ty::Array(..) => Err(self.error(range, "a function returns no array: put it in a struct")),
                result => {
                    let (span, parts) = (self.span(range), parameters.iter().map(|it| it.ty.depth()));
                    let depth = 1 + parts.fold(result.depth(), usize::max);
                    Ok(Ty::Function(Arc::new(Function { result, parameters, dots, unknown, abi, span, depth })))
                }
            },
        }
    }
}

fn with_abi(function: &Function, abi: Abi) -> Arc<Function> {
    Arc::new(Function { abi: Some(abi), ..function.clone() })
}
