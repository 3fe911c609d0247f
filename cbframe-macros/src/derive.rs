//! `#[derive(CType)]`: reads the `repr`, writes down the fields and leaves every number to the compiler.

use crate::{pointer, report::Report};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Data, DataEnum, DeriveInput, Fields, Generics, Ident, Member, Path, Type, TypePath, parse_quote};

/// What the derive writes for `input`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut report = Report::default();
    let private = private_path(&input, &mut report);
    let repr = Repr::read(&input.attrs, &mut report);
    let shape = Shape::read(&input, &repr, &mut report);
    let allow = allowed(&input);
    let target = Target { ident: &input.ident, generics: &input.generics, private: &private, allow: &allow };
    match shape {
        Some(shape) if report.is_empty() => target.expand(&shape),
        _ => {
            let errors = report.into_tokens();
            // An `impl` all the same, or each use of the type would be one error more.
            let refused = target.implement(&quote!(const TYPE: #private::Type = #private::Refused::<Self>::TYPE;), &[]);
            quote!(#errors #refused)
        }
    }
}

/// The path of `cbframe::private`, by way of `#[cbframe(crate = …)]` if there is one.
fn private_path(input: &DeriveInput, report: &mut Report) -> TokenStream {
    let mut found: Option<Path> = None;
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("cbframe")) {
        let parsed = attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("the only option is `crate = some::path`"));
            }
            let path = meta.value()?.call(Path::parse_mod_style)?;
            match found.replace(path) {
                None => Ok(()),
                Some(_) => Err(meta.error("`crate` is given twice")),
            }
        });
        parsed.unwrap_or_else(|error| report.push(error));
    }
    for attr in inner_attributes(input).iter().filter(|attr| attr.path().is_ident("cbframe")) {
        report.error(attr, "`#[cbframe(…)]` belongs on the type");
    }
    found.map_or_else(|| quote!(::cbframe::private), |path| quote!(#path::private))
}

/// The attributes of the fields or variants.
fn inner_attributes(input: &DeriveInput) -> Vec<&Attribute> {
    match &input.data {
        Data::Struct(data) => data.fields.iter().flat_map(|f| &f.attrs).collect(),
        Data::Union(data) => data.fields.named.iter().flat_map(|f| &f.attrs).collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|v| &v.attrs).collect(),
    }
}

/// What the definition allows, the expansion has to allow: it names the same things.
fn allowed(input: &DeriveInput) -> TokenStream {
    let allow = input.attrs.iter().filter(|attr| attr.path().is_ident("allow"));
    let deprecated = inner_attributes(input).into_iter().chain(&input.attrs).any(|a| a.path().is_ident("deprecated"));
    let deprecated = deprecated.then(|| quote!(#[allow(deprecated)]));
    quote!(#(#allow)* #deprecated)
}

/// The integers that can be the `repr` of a C enum.
const INTEGERS: [&str; 10] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];

/// What the `#[repr(…)]`s say, if it is something that C can share.
#[derive(Default)]
struct Repr {
    c: bool,
    transparent: Option<Path>,
    integer: Option<Ident>,
    /// Whether an error about the `repr` was reported already.
    wrong: bool,
}

impl Repr {
    fn read(attrs: &[Attribute], report: &mut Report) -> Self {
        let mut repr = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
            let parsed = attr.parse_nested_meta(|meta| {
                if meta.input.peek(syn::token::Paren) {
                    let arguments;
                    syn::parenthesized!(arguments in meta.input);
                    arguments.call(skip)?;
                }
                let message = match meta.path.require_ident()?.to_string().as_str() {
                    "C" => {
                        repr.c = true;
                        return Ok(());
                    }
                    "transparent" => {
                        repr.transparent = Some(meta.path);
                        return Ok(());
                    }
                    integer if INTEGERS.contains(&integer) => {
                        repr.integer = meta.path.get_ident().cloned();
                        return Ok(());
                    }
                    "Rust" => "this layout is the compiler's own choice: write `#[repr(C)]`",
                    "packed" => "a packed type is not supported yet: pass a pointer to it instead",
                    "align" => "a type with an alignment of its own is not supported yet: pass a pointer to it instead",
                    "u128" | "i128" => "C's enums have at most 64 bits: write `u64` or `i64`",
                    _ => "not a layout that C can share: write `#[repr(C)]`",
                };
                repr.wrong = true;
                report.error(&meta.path, message);
                Ok(())
            });
            if let Err(error) = parsed {
                repr.wrong = true;
                report.push(error);
            }
        }
        repr
    }
}

fn skip(input: ParseStream) -> syn::Result<()> {
    input.parse::<TokenStream>().map(drop)
}

/// A field as generated code needs it.
struct Field<'a> {
    /// What it is called in descriptions.
    name: String,
    member: Member,
    ty: &'a Type,
}

impl<'a> Field<'a> {
    fn all(fields: impl IntoIterator<Item = &'a syn::Field>) -> Vec<Self> {
        let number = |(index, field): (usize, &'a syn::Field)| match &field.ident {
            Some(ident) => Self { name: ident.unraw().to_string(), member: ident.clone().into(), ty: &field.ty },
            None => Self { name: index.to_string(), member: index.into(), ty: &field.ty },
        };
        fields.into_iter().enumerate().map(number).collect()
    }
}

/// What is derived for.
enum Shape<'a> {
    Struct(Vec<Field<'a>>),
    Transparent(Field<'a>),
    Union(Vec<Field<'a>>),
    Enum {
        variants: Vec<&'a Ident>,
        /// The integer of the `repr`; none for `repr(C)`.
        integer: Option<&'a Ident>,
    },
}

impl<'a> Shape<'a> {
    /// The shape of `input`; `None` if it cannot be one, for a reason that `report` then has.
    fn read(input: &'a DeriveInput, repr: &'a Repr, report: &mut Report) -> Option<Self> {
        let ident = &input.ident;
        match &input.data {
            Data::Struct(data) => {
                if let Some(integer) = &repr.integer {
                    report.error(integer, "an integer is the `repr` of an enum: write `#[repr(C)]`");
                } else if repr.transparent.is_some() {
                    return Some(Self::Transparent(transparent_field(ident, &data.fields, report)?));
                } else if !repr.c && !repr.wrong {
                    let message = format!(
                        "the layout of `{ident}` is the compiler's own choice: add `#[repr(C)]`, or `#[repr(transparent)]` for a struct around a single field"
                    );
                    report.error(ident, message);
                }
                Some(Self::Struct(Field::all(&data.fields)))
            }
            Data::Union(data) => {
                if let Some(transparent) = &repr.transparent {
                    report.error(transparent, "a union is a C type with `#[repr(C)]` only");
                } else if !repr.c && !repr.wrong {
                    let message = format!("the layout of `{ident}` is the compiler's own choice: add `#[repr(C)]`");
                    report.error(ident, message);
                }
                Some(Self::Union(Field::all(&data.fields.named)))
            }
            Data::Enum(data) => {
                if let Some(transparent) = &repr.transparent {
                    report.error(transparent, "write the integer that C uses: `#[repr(u32)]`, or `#[repr(C)]`");
                } else if !repr.c && repr.integer.is_none() && !repr.wrong && !data.variants.is_empty() {
                    let message = format!(
                        "the layout of `{ident}` is the compiler's own choice: add the integer that C uses, as in `#[repr(u32)]`, or `#[repr(C)]` for a C `enum`"
                    );
                    report.error(ident, message);
                }
                check_enum(input, data, report);
                let variants = data.variants.iter().map(|variant| &variant.ident).collect();
                Some(Self::Enum { variants, integer: repr.integer.as_ref() })
            }
        }
    }
}

fn check_enum(input: &DeriveInput, data: &DataEnum, report: &mut Report) {
    if data.variants.is_empty() {
        report.error(&input.ident, "an enum without variants has no values, so that C could never pass one: for an opaque type, pass a pointer to a `#[repr(C)]` struct");
    }
    for variant in &data.variants {
        // `A()` counts as well: `A as u8` would be the address of its constructor.
        if !matches!(variant.fields, Fields::Unit) {
            let message = "C's enums have no fields: write a `#[repr(C)]` struct of a field-less enum and a `#[repr(C)]` union of what the variants hold";
            report.error(&variant.fields, message);
        }
    }
    if !input.generics.params.is_empty() {
        report.error(&input.generics.params, "a field-less enum has nothing to be generic over");
    }
}

/// The field that a `#[repr(transparent)]` struct is transparent around.
///
/// The compiler allows further fields of size 0 and alignment 1. Sizes cannot be seen here, so those are
/// recognized by name; that the field has all bytes of the struct is asserted in the expansion.
fn transparent_field<'a>(ident: &Ident, fields: &'a Fields, report: &mut Report) -> Option<Field<'a>> {
    let mut fields = Field::all(fields);
    if fields.len() > 1 {
        fields.retain(|field| !is_marker(field.ty));
    }
    for surplus in fields.iter().skip(1) {
        report.error(
            surplus.ty,
            "cannot see that this field has no bytes: in a `#[repr(transparent)]` struct, fields beside the one that counts are written `PhantomData<…>`, `PhantomPinned` or `()`",
        );
    }
    if fields.is_empty() {
        report.error(ident, "no field to be transparent around: write `#[repr(C)]` for a struct without bytes");
        return None;
    }
    Some(fields.swap_remove(0))
}

/// Whether `ty` is written like one of the usual types without bytes.
fn is_marker(ty: &Type) -> bool {
    match pointer::peel(ty) {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| last.ident == "PhantomData" || last.ident == "PhantomPinned")
        }
        _ => false,
    }
}

/// The type that the traits are implemented for.
struct Target<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    private: &'a TokenStream,
    /// `#[allow(…)]`, for every item.
    allow: &'a TokenStream,
}

impl Target<'_> {
    fn expand(&self, shape: &Shape<'_>) -> TokenStream {
        let private = self.private;
        match shape {
            Shape::Struct(fields) => {
                let (list, is_valid) = (self.fields(fields), self.is_valid(fields));
                let ty = self.describe(&quote!(Struct { fields: &[#list] }));
                let implementation = self.implement(&quote!(#ty #is_valid), fields);
                let check = self.check();
                quote!(#implementation #check)
            }
            // What a union holds, C does not say: any bits are a value.
            Shape::Union(fields) => {
                let list = self.fields(fields);
                let ty = self.describe(&quote!(Union { fields: &[#list] }));
                let implementation = self.implement(&ty, fields);
                let check = self.check();
                quote!(#implementation #check)
            }
            Shape::Transparent(field) => {
                let (name, inner) = (self.name(), pointer::descriptor(field.ty, private));
                let field = std::slice::from_ref(field);
                let is_valid = self.is_valid(field);
                let ty = quote!(#private::transparent::<Self>(#name, #inner));
                let items = quote!(const TYPE: #private::Type = #ty; #is_valid);
                let implementation = self.implement(&items, field);
                let never_null = self.never_null(&field[0]);
                let check = self.check();
                quote!(#implementation #never_null #check)
            }
            Shape::Enum { variants, integer } => self.expand_enum(variants, *integer),
        }
    }

    /// Where the type's name is, but so that lints know what stands there for an expansion.
    fn span(&self) -> Span {
        self.ident.span().resolved_at(Span::mixed_site())
    }

    fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// `TYPE`, of this `kind`.
    fn describe(&self, kind: &TokenStream) -> TokenStream {
        let (private, name) = (self.private, self.name());
        quote! {
            const TYPE: #private::Type = #private::Type {
                name: #name,
                size: #private::core::mem::size_of::<Self>(),
                align: #private::core::mem::align_of::<Self>(),
                kind: #private::Kind::#kind,
            };
        }
    }

    /// The elements of the list of fields.
    fn fields(&self, fields: &[Field<'_>]) -> TokenStream {
        let private = self.private;
        let describe = |Field { name, member, ty }: &Field<'_>| {
            let ty = pointer::descriptor(ty, private);
            quote! {
                #private::Field { name: #name, offset: #private::core::mem::offset_of!(Self, #member), ty: #ty },
            }
        };
        fields.iter().map(describe).collect()
    }

    /// `is_valid` for a struct; nothing if the default is right.
    fn is_valid(&self, fields: &[Field<'_>]) -> Option<TokenStream> {
        let private = self.private;
        // No raw name like `bits`: a constant of that name would make the parameter a pattern.
        let bits = format_ident!("cbframe_bits", span = Span::mixed_site());
        let valid: Vec<TokenStream> = fields
            .iter()
            .filter_map(|Field { member, ty, .. }| pointer::validity(ty, private, quote!(&raw const (*#bits).#member)))
            .collect();
        // SAFETY (of the generated block): each field lies within the struct, aligned since nothing is packed,
        // and what the caller promises of the struct's bytes it promises of the field's.
        (!valid.is_empty()).then(|| {
            quote! {
                #[inline(always)]
                unsafe fn is_valid(#bits: *const Self) -> #private::core::primitive::bool {
                    unsafe { #(#valid)&&* }
                }
            }
        })
    }

    /// `impl CType`, with a bound on each type parameter that one of `fields` holds by value.
    fn implement(&self, items: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
        let (ident, private, allow) = (self.ident, self.private, self.allow);
        let mut generics = self.generics.clone();
        let mut by_value = ByValue::new(&generics);
        for field in fields {
            by_value.visit_type_mut(&mut field.ty.clone());
        }
        for ty in by_value.found {
            generics.make_where_clause().predicates.push(parse_quote!(#ty: #private::CType));
        }
        let (parameters, arguments, conditions) = generics.split_for_impl();
        // SAFETY (of the generated impl): size and alignment are the compiler's, fields and offsets cannot be
        // wrong or incomplete since the compiler resolves them and the list is that of the definition.
        quote! {
            #[automatically_derived]
            #allow
            unsafe impl #parameters #private::CType for #ident #arguments #conditions {
                #items
            }
        }
    }

    /// `impl NeverNull` for a transparent struct around a type that is never null.
    fn never_null(&self, field: &Field<'_>) -> Option<TokenStream> {
        let (ident, private, allow, ty) = (self.ident, self.private, self.allow, field.ty);
        let mut generics = self.generics.clone();
        match pointer::fn_pointer(ty) {
            Some(found) if found.optional => return None,
            Some(_) => {}
            // The compiler rejects a condition that no parameter can change, unless it is about a lifetime.
            None => generics.make_where_clause().predicates.push(parse_quote!(for<'cbframe> #ty: #private::NeverNull)),
        }
        let (parameters, arguments, conditions) = generics.split_for_impl();
        // SAFETY (of the generated impl): `Option`'s documentation gives a `#[repr(transparent)]` struct around
        // a listed type the same guarantees, and `is_valid` is that of the field.
        Some(quote! {
            #[automatically_derived]
            #allow
            unsafe impl #parameters #private::NeverNull for #ident #arguments #conditions {}
        })
    }

    /// A constant that compares the description with C's rules, so that `cargo check` does.
    ///
    /// A generic type has a layout only once it is used: there, placement checks it.
    fn check(&self) -> Option<TokenStream> {
        let (ident, private, allow) = (self.ident, self.private, self.allow);
        if self.generics.type_params().next().is_some() || self.generics.const_params().next().is_some() {
            return None;
        }
        let lifetimes = self.generics.lifetimes().map(|_| quote!('_));
        let ty = if self.generics.params.is_empty() { quote!(#ident) } else { quote!(#ident<#(#lifetimes),*>) };
        Some(quote_spanned!(self.span()=> #allow const _: () = <#ty as #private::CType>::TYPE.check();))
    }

    fn expand_enum(&self, variants: &[&Ident], integer: Option<&Ident>) -> TokenStream {
        let (ident, private, name) = (self.ident, self.private, self.name());
        let primitive = quote!(#private::core::primitive);
        // Of a `repr(C)` enum only the size is known, that of `int`: `c_enum` asserts it.
        let (raw, ty) = match integer {
            None => (quote!(#primitive::u32), quote!(#private::c_enum::<Self>(#name, VALUES))),
            Some(integer) => {
                let ty = quote!(#private::Type {
                    name: #name,
                    size: #private::core::mem::size_of::<Self>(),
                    align: #private::core::mem::align_of::<Self>(),
                    kind: #private::Kind::Enum { signed: #primitive::#integer::MIN != 0, values: VALUES },
                });
                // Without the user's span: this is no code that lints should look at.
                let integer = Ident::new(&integer.to_string(), Span::mixed_site());
                (quote!(#primitive::#integer), ty)
            }
        };
        let constants: Vec<Ident> = (0..variants.len()).map(|i| format_ident!("VALUE_{i}")).collect();
        let bits = format_ident!("cbframe_bits", span = Span::mixed_site());
        let items = quote! {
            const TYPE: #private::Type = {
                const VALUES: &[#primitive::i128] = &[#(#ident::#variants as #primitive::i128),*];
                #ty
            };

            #[inline(always)]
            unsafe fn is_valid(#bits: *const Self) -> #primitive::bool {
                #(const #constants: #raw = #ident::#variants as #raw;)*
                #private::core::matches!(unsafe { #bits.cast::<#raw>().read() }, #(#constants)|*)
            }
        };
        let implementation = self.implement(&items, &[]);
        let check = self.check();
        quote!(#implementation #check)
    }
}

/// Collects the type parameters, and the associated types of type parameters, in a type; but not those behind
/// pointers, whose layout does not depend on what they point to.
struct ByValue {
    parameters: Vec<Ident>,
    found: Vec<TypePath>,
}

impl ByValue {
    fn new(generics: &Generics) -> Self {
        let parameters = generics.type_params().map(|param| param.ident.clone()).collect();
        Self { parameters, found: Vec::new() }
    }
}

impl VisitMut for ByValue {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let pointer = matches!(ty, Type::Ptr(_) | Type::Reference(_) | Type::FnPtr(_));
        if !pointer && !is_marker(ty) {
            visit_mut::visit_type_mut(self, ty);
        }
    }

    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        let Some(last) = ty.path.segments.last() else { return };
        if last.ident == "NonNull" {
            return;
        }
        let first = &ty.path.segments[0].ident;
        let of_parameter = match &ty.qself {
            None => ty.path.leading_colon.is_none() && self.parameters.contains(first),
            // `<T as Trait>::Assoc`.
            Some(qself) => {
                matches!(&*qself.ty, Type::Path(inner) if inner.path.get_ident().is_some_and(|i| self.parameters.contains(i)))
            }
        };
        if !of_parameter {
            visit_mut::visit_type_path_mut(self, ty);
        } else {
            self.found.push(ty.clone());
        }
    }
}

#[cfg(test)]
mod tests;
