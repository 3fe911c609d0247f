//! Structs, unions and enums.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::Parser;
use super::attributes::Attributes;
use super::constants::Constant;
use super::tokens::Is;
use super::types::{Keyword, Ty};
use crate::parse::{ParseError, excess};
use crate::types::{Alignment, Kind, Type, keep_str, round_up};

/// A field before it is laid out.
struct Member {
    name: String,
    ty: Type,
    /// An alignment of its own.
    aligned: Option<(usize, Range<usize>)>,
    range: Range<usize>,
}

/// Whether something in it was declared with an alignment, as Microsoft's `__m128` is.
fn is_declared(ty: &Type) -> bool {
    match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            let natural = fields.iter().map(|field| field.ty.align).max().unwrap_or(1);
            ty.align > natural || fields.iter().any(|field| is_declared(&field.ty))
        }
        Kind::Array { element, .. } => is_declared(element),
        kind => matches!(kind, Kind::Vector),
    }
}

impl Parser<'_> {
    /// A line `#pragma pack(N)`, `(push, N)`, `(push)`, `(pop)` or `()`.
    pub(super) fn pack(&mut self) -> Result<(), ParseError> {
        let line = self.spelling().trim_start_matches("#pragma pack").trim();
        let inner = line.strip_prefix('(').and_then(|line| line.strip_suffix(')')).unwrap_or("?");
        let now = self.packs.last().copied().flatten();
        let size = |size: &str| size.parse().ok().filter(|size| matches!(size, 1 | 2 | 4 | 8 | 16)).map(Some);
        let (pushed, pack) = match inner.split_once(',') {
            Some((push, bytes)) if push.trim() == "push" => (true, size(bytes.trim())),
            Some(_) => (false, None),
            None => match inner.trim() {
                "push" => (true, Some(now)),
                "pop" if self.packs.len() > 1 => {
                    self.packs.pop();
                    self.advance();
                    return Ok(());
                }
                "" => (false, Some(None)),
                bytes => (false, size(bytes)),
            },
        };
        let Some(pack) = pack else {
            let what =
                "read are `(N)`, `(push, N)`, `(push)`, `()`, and a `(pop)` for each `push`; N is 1, 2, 4, 8 or 16";
            return Err(self.error(self.range(), what));
        };
        if !pushed {
            self.packs.pop();
        }
        self.packs.push(pack);
        self.advance();
        Ok(())
    }

    /// From the keyword on; and whether it is a definition without a tag.
    pub(super) fn record(&mut self, keyword: Keyword) -> Result<(Ty, bool), ParseError> {
        let start = self.here();
        self.advance();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let tag_range = self.range();
        let tag = if self.token().is == Is::Word { Some(self.name()?) } else { None };
        self.attributes(&mut attributes)?;
        let underlying = if keyword == Keyword::Enum && self.eat(":") { Some(self.underlying()?) } else { None };
        let is_definition = self.is("{");
        if let Some(tag) = &tag {
            self.mention(keyword, tag, tag_range.clone(), is_definition)?;
        }
        if !is_definition {
            if let Some(range) = attributes.packed.or(attributes.aligned.map(|it| it.1)) {
                return Err(self.error(range, "this is of a definition, which is not here"));
            }
            let Some(tag) = tag else { return Err(self.unexpected("a name or `{`")) };
            return Ok((Ty::Tagged(tag), false));
        }
        let name = match &tag {
            Some(tag) => keep_str(tag),
            None => match keyword {
                Keyword::Struct => "struct {…}",
                Keyword::Union => "union {…}",
                Keyword::Enum => "enum {…}",
            },
        };
        self.advance();
        let ty = if keyword == Keyword::Enum {
            let values = self.enumerators()?;
            self.attributes(&mut attributes)?;
            self.enumeration(name, &values, underlying, attributes, self.since(start))?
        } else {
            let members = self.members()?;
            self.attributes(&mut attributes)?;
            self.lay_out(name, keyword, &members, attributes, self.since(start))?
        };
        match tag {
            Some(tag) => {
                self.names.tags.insert(tag.clone(), (keyword, Some(ty)));
                Ok((Ty::Tagged(tag), false))
            }
            None => Ok((Ty::Object(ty), true)),
        }
    }

    /// Notes that there is such a tag.
    fn mention(
        &mut self,
        keyword: Keyword,
        tag: &str,
        range: Range<usize>,
        is_definition: bool,
    ) -> Result<(), ParseError> {
        match self.tag(tag) {
            Some((other, _)) if other != keyword => {
                Err(self.error(range, format!("`{tag}` is declared as `{} {tag}`", other.text())))
            }
            Some((_, Some(_))) if is_definition => {
                Err(self.error(range, format!("`{} {tag}` is defined a second time", keyword.text())))
            }
            Some(_) => Ok(()),
            None => {
                self.names.tags.insert(tag.into(), (keyword, None));
                Ok(())
            }
        }
    }

    /// Fields up to the brace that ends them.
    fn members(&mut self) -> Result<Vec<Member>, ParseError> {
        let mut members: Vec<Member> = Vec::new();
        while !self.eat("}") {
            if self.eat(";") {
                continue;
            }
            let specifiers = self.specifiers()?;
            if specifiers.is_typedef {
                return Err(self.error(specifiers.range, "a typedef is no field"));
            }
            if self.is(";") {
                members.push(self.anonymous(&specifiers)?);
                self.advance();
                continue;
            }
            loop {
                let start = self.here();
                if self.is(":") {
                    return Err(self.bit_field());
                }
                let declarator = self.declarator()?;
                if self.is(":") {
                    return Err(self.bit_field());
                }
                let Some((name, range)) = declarator.name.clone() else {
                    return Err(self.unexpected("a field's name"));
                };
                if members.iter().any(|member| member.name == name) {
                    return Err(self.error(range, format!("a second field `{name}`")));
                }
                let (ty, attributes) = self.declared(specifiers.again(), declarator)?;
                let range = self.since(start);
                if matches!(ty, Ty::Array(_, None)) {
                    let what = "a flexible array has no size: a struct that ends in it is not passed by value";
                    return Err(self.error(range, what));
                }
                let ty = self.complete(&ty, range.clone())?;
                members.push(Member { name, ty, aligned: attributes.aligned, range });
                if self.eat(";") {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(members)
    }

    fn bit_field(&self) -> ParseError {
        self.error(self.range(), "bit-fields are not read: declare the integer that they share instead")
    }

    /// A struct or union without a name, whose fields are those of the one around it.
    fn anonymous(&self, specifiers: &super::specifiers::Specifiers) -> Result<Member, ParseError> {
        let range = specifiers.range.clone();
        let name = match specifiers.ty {
            Ty::Object(Type { kind: Kind::Struct { .. }, .. }) if specifiers.is_anonymous => "struct",
            Ty::Object(Type { kind: Kind::Union { .. }, .. }) if specifiers.is_anonymous => "union",
            _ => return Err(self.error(range, "a field without a name")),
        };
        let ty = self.complete(&specifiers.ty, range.clone())?;
        self.not_packed(&specifiers.attributes)?;
        Ok(Member { name: name.into(), ty, aligned: specifiers.attributes.aligned.clone(), range })
    }

    /// The struct or union of these fields, at `range` in the text.
    fn lay_out(
        &self,
        name: &str,
        keyword: Keyword,
        members: &[Member],
        attributes: Attributes,
        range: Range<usize>,
    ) -> Result<Type, ParseError> {
        if let Some((_, at)) = attributes.vector.or(attributes.abi.map(|(_, at)| (0, at))) {
            return Err(self.error(at, "not of a struct or union"));
        }
        if members.is_empty() && self.platform.is_windows() {
            return Err(self.error(range, "Microsoft's compiler has no structs without fields"));
        }
        // Where C puts the fields, and how it aligns the whole.
        let pack = self.packs.last().copied().flatten();
        let packed = if attributes.packed.is_some() { Some(1) } else { pack };
        let (mut end, mut whole, mut offsets) = (0_usize, 1, Vec::new());
        for member in members {
            if let (Some(_), Some((_, at))) = (pack, &member.aligned) {
                return Err(self.error(at.clone(), "compilers differ in what this is under `#pragma pack`"));
            }
            // Microsoft's compiler, and clang for its target, keep such alignments; MinGW does not.
            if packed.is_some() && self.platform.is_windows() && (member.aligned.is_some() || is_declared(&member.ty)) {
                let what = "compilers for Windows differ in where this is, which has an alignment of its own";
                return Err(self.error(member.range.clone(), what));
            }
            let natural = packed.map_or(member.ty.align, |packed| member.ty.align.min(packed));
            let own = member.aligned.as_ref().map_or(1, |it| it.0);
            let align = natural.max(own);
            let offset = if keyword == Keyword::Union { 0 } else { round_up(end, align) };
            offsets.push(offset);
            whole = whole.max(align);
            end = end.max(offset.saturating_add(member.ty.size)).min(usize::MAX / 2);
        }
        let whole = attributes.aligned.as_ref().map_or(whole, |it| whole.max(it.0));
        let alignment = Alignment { packed, at_least: (whole > 1).then_some(whole) };
        let fields: Vec<(&str, Type)> = members.iter().map(|member| (&*member.name, member.ty)).collect();
        let ty = match keyword {
            Keyword::Union => Type::union_of(name, &fields, alignment),
            _ => Type::structure_with(name, &fields, alignment),
        };
        let ty = ty.map_err(|error| self.error(range.clone(), format!("{error}")))?;
        if let Some(why) = excess(&ty) {
            return Err(self.error(range, format!("the type is too large: {why}")));
        }
        // What a `Type` does not show would be forgotten where it is a field of a packed struct.
        let mut own = members.iter().map(|member| &member.aligned).chain([&attributes.aligned]).flatten();
        if let Some((_, at)) = own.find(|(size, _)| *size > 1)
            && self.platform.is_windows()
            && !is_declared(&ty)
        {
            let what =
                "without this alignment the type is the same; compilers for Windows differ in what it means: remove it";
            return Err(self.error(at.clone(), what));
        }
        // `Type` knows no alignment of a single field.
        if let Kind::Struct { fields } = ty.kind {
            for ((field, offset), member) in fields.iter().zip(offsets).zip(members) {
                if field.offset != offset {
                    let at = member.aligned.as_ref().map_or(&member.range, |it| &it.1);
                    let what = format!(
                        "C puts `{}` at the offset {offset}, where no `Type` has it that is aligned to {whole}: declare padding as fields",
                        member.name
                    );
                    return Err(self.error(at.clone(), what));
                }
            }
        }
        Ok(ty)
    }

    /// The type behind `enum E :`.
    fn underlying(&mut self) -> Result<Type, ParseError> {
        let specifiers = self.specifiers()?;
        let ty = self.complete(&specifiers.ty, specifiers.range.clone())?;
        match ty.kind {
            Kind::Int { .. } if ty.size <= 8 => Ok(ty),
            _ => Err(self.error(specifiers.range, "an enum is an integer of up to 8 bytes")),
        }
    }

    /// The values of an enum, up to the brace that ends them.
    fn enumerators(&mut self) -> Result<Vec<i128>, ParseError> {
        let (mut values, mut next) = (Vec::new(), 0);
        while !self.eat("}") {
            let range = self.range();
            let name = self.name()?;
            if self.constant_named(&name).is_some() {
                return Err(self.error(range, format!("a second constant `{name}`")));
            }
            self.attributes(&mut Attributes::default())?;
            let start = self.here();
            let value = if self.eat("=") { self.constant()?.value } else { next };
            let Some(constant) = Constant::smallest(value, true) else {
                return Err(self.error(self.since(start), "this constant is too large for C"));
            };
            self.names.constants.insert(name, constant);
            values.push(value);
            next = value + 1;
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(values)
    }

    /// The integer that holds these values.
    fn enumeration(
        &self,
        name: &'static str,
        values: &[i128],
        underlying: Option<Type>,
        attributes: Attributes,
        range: Range<usize>,
    ) -> Result<Type, ParseError> {
        if let Some((_, at)) = attributes.aligned.or(attributes.vector).or(attributes.abi.map(|(_, at)| (0, at))) {
            return Err(self.error(at, "this is not for enums"));
        }
        let signed = values.iter().any(|value| *value < 0);
        let holds = |ty: &Type| {
            let Kind::Int { signed } = ty.kind else { return false };
            let bits = 8 * ty.size;
            let (low, high) = if signed { (-1 << (bits - 1), 1 << (bits - 1)) } else { (0_i128, 1_i128 << bits) };
            values.iter().all(|value| (low..high).contains(value))
        };
        let candidates: &[usize] = match (underlying, attributes.packed.is_some()) {
            (Some(_), _) => &[],
            (None, false) => &[4, 8],
            (None, true) => &[1, 2, 4, 8],
        };
        let by_value = |size: &usize| Some(self.platform.int(*size, signed)).filter(&holds);
        let ty = match underlying {
            Some(ty) => Some(ty).filter(&holds),
            None if !self.platform.is_windows() => candidates.iter().find_map(by_value),
            None if attributes.packed.is_some() => None,
            // Microsoft's compiler: always `int`.
            None => Some(Type::I32).filter(&holds),
        };
        match ty {
            Some(ty) if !values.is_empty() || underlying.is_some() => Ok(Type { name, ..ty }),
            Some(_) => Err(self.error(range, "an enum without values")),
            None => Err(self.error(range, "no integer type that an enum has on this platform holds these values")),
        }
    }
}
