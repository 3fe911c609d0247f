//! Structs, unions, enums and `type` names.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use syn::{Attribute, Expr, Fields, Generics, Ident, Item, ItemEnum, Lit, LitInt, UnOp};

use super::{Known, Reader, RustDeclarations};
use crate::parse::{ParseError, excess};
use crate::types::{Alignment, Kind, Type, keep_str, keep_values};

/// The largest alignment of what is passed by value, as `#[derive(CType)]` has it.
const MOST_ALIGNED: usize = 64;

/// What `#[repr(…)]` says.
#[derive(Default)]
struct Repr {
    c: bool,
    transparent: bool,
    integer: Option<String>,
    alignment: Alignment,
}

impl Repr {
    fn read(reader: &Reader<'_>, attributes: &[Attribute]) -> Result<Self, ParseError> {
        let mut repr = Self::default();
        for attribute in attributes.iter().filter(|it| it.path().is_ident("repr")) {
            let parsed = attribute.parse_nested_meta(|meta| {
                let number = if meta.input.peek(syn::token::Paren) {
                    let number;
                    syn::parenthesized!(number in meta.input);
                    Some(number.parse::<LitInt>()?.base10_parse::<usize>()?)
                } else {
                    None
                };
                match (meta.path.require_ident()?.to_string().as_str(), number) {
                    ("C", None) => repr.c = true,
                    ("transparent", None) => repr.transparent = true,
                    ("packed", number) => repr.alignment.packed = Some(number.unwrap_or(1)),
                    ("align", Some(number)) if number <= MOST_ALIGNED => repr.alignment.at_least = Some(number),
                    ("align", _) => {
                        return Err(
                            meta.error(format!("an alignment of up to {MOST_ALIGNED} bytes can be passed by value"))
                        );
                    }
                    ("u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "usize" | "isize", None) => {
                        repr.integer = Some(meta.path.require_ident()?.to_string());
                    }
                    _ => return Err(meta.error("not a layout that C can share: write `#[repr(C)]`")),
                }
                Ok(())
            });
            reader.syntax(parsed)?;
        }
        if repr.alignment.packed.is_some() && repr.alignment.at_least.is_some() {
            return Err(reader.error(&attributes[0], "a type is packed or aligned, not both"));
        }
        Ok(repr)
    }
}

impl RustDeclarations {
    /// Adds what an item defines.
    pub(super) fn item(&mut self, reader: &Reader<'_>, item: &Item) -> Result<(), ParseError> {
        match item {
            Item::Struct(item) => {
                concrete(reader, &item.generics)?;
                let repr = Repr::read(reader, &item.attrs)?;
                if !repr.c && !repr.transparent {
                    return self.define(reader, &item.ident, Known::Opaque);
                }
                let fields = self.fields(reader, &item.fields)?;
                let name = name(&item.ident);
                let ty = if repr.transparent {
                    let mut with_bytes = fields.iter().filter(|(_, ty)| ty.size > 0);
                    let (Some((_, inner)), None) = (with_bytes.next(), with_bytes.next()) else {
                        return Err(
                            reader.error(&item.ident, "a transparent struct has one field that is no empty one")
                        );
                    };
                    Type { name: keep_str(&name), ..*inner }
                } else {
                    let made = Type::structure_with(&name, &borrowed(&fields), repr.alignment);
                    made.map_err(|error| reader.error(&item.ident, format!("{error}")))?
                };
                self.define(reader, &item.ident, Known::Type(ty))
            }
            Item::Union(item) => {
                concrete(reader, &item.generics)?;
                let repr = Repr::read(reader, &item.attrs)?;
                if !repr.c {
                    return self.define(reader, &item.ident, Known::Opaque);
                }
                let fields = self.fields(reader, &Fields::Named(item.fields.clone()))?;
                let made = Type::union_of(&name(&item.ident), &borrowed(&fields), repr.alignment);
                let ty = made.map_err(|error| reader.error(&item.ident, format!("{error}")))?;
                self.define(reader, &item.ident, Known::Type(ty))
            }
            Item::Enum(item) => {
                let ty = self.enumeration(reader, item)?;
                self.define(reader, &item.ident, Known::Type(ty))
            }
            Item::Type(item) => {
                concrete(reader, &item.generics)?;
                let ty = self.value(reader, &item.ty)?;
                self.define(reader, &item.ident, Known::Type(ty))
            }
            Item::Use(_) => Ok(()),
            _ => Err(reader.error(item, "only structs, unions, enums and `type` names are read")),
        }
    }

    fn define(&mut self, reader: &Reader<'_>, ident: &Ident, known: Known) -> Result<(), ParseError> {
        if let Known::Type(ty) = &known
            && let Some(why) = excess(ty)
        {
            return Err(reader.error(ident, format!("the type is too large: {why}")));
        }
        let name = name(ident);
        if self.types.contains_key(&name) {
            return Err(reader.error(ident, format!("`{name}` is defined a second time")));
        }
        self.types.insert(name, known);
        Ok(())
    }

    fn fields(&self, reader: &Reader<'_>, fields: &Fields) -> Result<Vec<(String, Type)>, ParseError> {
        let field = |(index, field): (usize, &syn::Field)| {
            let name = field.ident.as_ref().map_or_else(|| index.to_string(), name);
            Ok((name, self.value(reader, &field.ty)?))
        };
        fields.iter().enumerate().map(field).collect()
    }

    fn enumeration(&self, reader: &Reader<'_>, item: &ItemEnum) -> Result<Type, ParseError> {
        concrete(reader, &item.generics)?;
        let repr = Repr::read(reader, &item.attrs)?;
        let (mut values, mut next) = (Vec::new(), 0_i128);
        for variant in &item.variants {
            if !matches!(variant.fields, Fields::Unit) {
                return Err(reader.error(&variant.fields, "C's enums have no fields"));
            }
            if let Some((_, expression)) = &variant.discriminant {
                next = discriminant(reader, expression)?;
            }
            values.push(next);
            next += 1;
        }
        if values.is_empty() {
            return Err(
                reader.error(&item.ident, "an enum without variants has no values, so that C could never pass one")
            );
        }
        let int = match &repr.integer {
            Some(integer) => self.value(reader, &reader.syntax(syn::parse_str(integer))?)?,
            // As rustc does, and most C compilers: `int`, or `unsigned int` where no value is negative.
            None if repr.c => self.platform.int(4, values.iter().any(|value| *value < 0)),
            None => {
                let what = "the layout is the compiler's own choice: add the integer that C uses, as in `#[repr(u32)]`, or `#[repr(C)]`";
                return Err(reader.error(&item.ident, what));
            }
        };
        let Kind::Int { signed } = int.kind else { unreachable!("the integers are integers") };
        let bits = 8 * int.size;
        let (low, high) = if signed { (-1 << (bits - 1), 1 << (bits - 1)) } else { (0_i128, 1_i128 << bits) };
        if let Some(index) = values.iter().position(|value| !(low..high).contains(value)) {
            return Err(
                reader.error(&item.variants[index], format!("{} does not fit into `{}`", values[index], int.name))
            );
        }
        Ok(Type {
            name: keep_str(&name(&item.ident)),
            kind: Kind::Enum { signed, values: keep_values(&values) },
            ..int
        })
    }
}

fn name(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").into()
}

fn borrowed(fields: &[(String, Type)]) -> Vec<(&str, Type)> {
    fields.iter().map(|(name, ty)| (&**name, *ty)).collect()
}

/// An error if there are parameters besides lifetimes.
fn concrete(reader: &Reader<'_>, generics: &Generics) -> Result<(), ParseError> {
    match generics.params.iter().find(|it| !matches!(it, syn::GenericParam::Lifetime(_))) {
        Some(parameter) => Err(reader.error(parameter, "types with parameters are not read: write one for each")),
        None => Ok(()),
    }
}

fn discriminant(reader: &Reader<'_>, expression: &Expr) -> Result<i128, ParseError> {
    let value = match expression {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => discriminant(reader, &unary.expr)?.checked_neg(),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number
                .base10_parse::<i64>()
                .map(i128::from)
                .or_else(|_| number.base10_parse::<u64>().map(i128::from))
                .ok(),
            _ => None,
        },
        _ => None,
    };
    value.ok_or_else(|| reader.error(expression, "write the value as a number of up to 64 bits"))
}
