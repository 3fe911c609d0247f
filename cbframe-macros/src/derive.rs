//! `#[derive(CType)]`: reads the `repr`, writes down the fields and leaves every number to the compiler.

use crate::{lifetimes, pointer, report::Report};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Fields, Generics, Ident, LitInt, Member, Path, Type, TypePath, parse_quote,
};

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
    let (ident, arguments) = (&input.ident, input.generics.split_for_impl().1);
    let target = Target {
        name: ident,
        ty: parse_quote!(#ident #arguments),
        generics: &input.generics,
        private: &private,
        local: None,
        allow: &allowed(&input),
    };
    match shape {
        Some(shape) if report.is_empty() => target.expand(&shape),
        _ => {
            let (errors, refused) = (report.into_tokens(), target.refused());
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

/// The largest alignment that a type can have and still be passed: what an entry keeps of the stack's alignment.
const MAX_ALIGN: u64 = 64;

/// What the `#[repr(…)]`s say, if it is something that C can share.
#[derive(Default)]
struct Repr {
    c: bool,
    transparent: Option<Path>,
    integer: Option<Ident>,
    packed: bool,
    align: Option<Path>,
    /// Whether an error about the `repr` was reported already.
    wrong: bool,
}

impl Repr {
    fn read(attrs: &[Attribute], report: &mut Report) -> Self {
        let mut repr = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
            let parsed = attr.parse_nested_meta(|meta| {
                let mut number = None;
                if meta.input.peek(syn::token::Paren) {
                    let arguments;
                    syn::parenthesized!(arguments in meta.input);
                    // What is no number, rustc refuses.
                    number = syn::parse2::<LitInt>(arguments.parse()?).ok();
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
                    "packed" => {
                        repr.packed = true;
                        return Ok(());
                    }
                    "align" => {
                        repr.align = Some(meta.path);
                        if let Some(number) = number.filter(|n| n.base10_parse().is_ok_and(|n: u64| n > MAX_ALIGN)) {
                            repr.wrong = true;
                            report.error(number, format!("a type aligned to more than {MAX_ALIGN} bytes cannot keep its alignment where it is passed on the stack: pass a pointer to it instead"));
                        }
                        return Ok(());
                    }
                    "Rust" => "this layout is the compiler's own choice: write `#[repr(C)]`",
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

/// A field as generated code needs it.
pub(crate) struct Field<'a> {
    /// What it is called in descriptions.
    name: String,
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
}

impl<'a> Field<'a> {
    pub(crate) fn all(fields: impl IntoIterator<Item = &'a syn::Field>) -> Vec<Self> {
        let number = |(index, field): (usize, &'a syn::Field)| match &field.ident {
            Some(ident) => Self { name: ident.unraw().to_string(), member: ident.clone().into(), ty: &field.ty },
            None => Self { name: index.to_string(), member: index.into(), ty: &field.ty },
        };
        fields.into_iter().enumerate().map(number).collect()
    }
}

/// What is derived for.
pub(crate) enum Shape<'a> {
    Struct {
        fields: Vec<Field<'a>>,
        /// Whether a field may be unaligned.
        packed: bool,
    },
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
                    if repr.align.is_some() {
                        // rustc refuses it, and says so.
                        return None;
                    }
                    return Some(Self::Transparent(transparent_field(ident, &data.fields, report)?));
                } else if !repr.c && !repr.wrong {
                    let message = format!(
                        "the layout of `{ident}` is the compiler's own choice: add `#[repr(C)]`, or `#[repr(transparent)]` for a struct around a single field"
                    );
                    report.error(ident, message);
                }
                Some(Self::Struct { fields: Field::all(&data.fields), packed: repr.packed })
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
                if let Some(align) = &repr.align {
                    let message =
                        "C's enums have the alignment of their integer: put the enum in a struct that is aligned";
                    report.error(align, message);
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
pub(crate) fn transparent_field<'a>(ident: &Ident, fields: &'a Fields, report: &mut Report) -> Option<Field<'a>> {
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
pub(crate) struct Target<'a> {
    /// Its name.
    pub(crate) name: &'a Ident,
    pub(crate) ty: Type,
    pub(crate) generics: &'a Generics,
    /// The path of `cbframe::private`.
    pub(crate) private: &'a TokenStream,
    /// `Local` of `CType<Local>`, if it is not `()`.
    pub(crate) local: Option<&'a TokenStream>,
    /// `#[allow(…)]`, for every item.
    pub(crate) allow: &'a TokenStream,
}

impl Target<'_> {
    pub(crate) fn expand(&self, shape: &Shape<'_>) -> TokenStream {
        let private = self.private;
        match shape {
            Shape::Struct { fields, packed } => {
                let (list, is_valid) = (self.fields(fields), self.is_valid(fields, *packed));
                let ty = self.describe(&quote!(Struct { fields: &[#list] }));
                let implementation = self.implement(&quote!(#ty #is_valid), fields);
                let (va_arg, check) = (self.va_arg(fields, None), self.check());
                quote!(#implementation #va_arg #check)
            }
            // What a union holds, C does not say: any bits are a value.
            Shape::Union(fields) => {
                let list = self.fields(fields);
                let ty = self.describe(&quote!(Union { fields: &[#list] }));
                let implementation = self.implement(&ty, fields);
                let (va_arg, check) = (self.va_arg(fields, None), self.check());
                quote!(#implementation #va_arg #check)
            }
            Shape::Transparent(field) => {
                let (name, inner) = (self.name(), pointer::descriptor(field.ty, private));
                let field = std::slice::from_ref(field);
                let is_valid = self.is_valid(field, false);
                let ty = quote!(#private::transparent::<Self>(#name, #inner));
                let items = quote!(const TYPE: #private::Type = #ty; #is_valid);
                let implementation = self.implement(&items, field);
                let (never_null, va_arg) = (self.never_null(&field[0]), self.va_arg(field, Some(field[0].ty)));
                let check = self.check();
                quote!(#implementation #never_null #va_arg #check)
            }
            Shape::Enum { variants, integer } => self.expand_enum(variants, *integer),
        }
    }

    /// An `impl` for a type that was refused, or each use of it would be one error more.
    pub(crate) fn refused(&self) -> TokenStream {
        let private = self.private;
        let implementation =
            self.implement(&quote!(const TYPE: #private::Type = #private::Refused::<Self>::TYPE;), &[]);
        let va_arg = self.va_arg(&[], None);
        quote!(#implementation #va_arg)
    }

    /// Where the type's name is, but so that lints know what stands there for an expansion.
    fn span(&self) -> Span {
        self.name.span().resolved_at(Span::mixed_site())
    }

    fn name(&self) -> String {
        self.name.unraw().to_string()
    }

    /// `CType`, with `Local` if that is not `()`.
    pub(crate) fn c_type(&self) -> TokenStream {
        let (private, local) = (self.private, self.local.map(|local| quote!(<#local>)));
        quote!(#private::CType #local)
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
            let descriptor = pointer::descriptor(ty, private);
            let at = located(private, ty.span());
            let ty = quote_spanned!(ty.span()=> #at::field::<#ty>(#descriptor));
            quote! {
                #private::Field { name: #name, offset: #private::core::mem::offset_of!(Self, #member), ty: #ty },
            }
        };
        fields.iter().map(describe).collect()
    }

    /// `is_valid` for a struct, whose fields may be unaligned if it is `packed`; nothing if the default is right.
    fn is_valid(&self, fields: &[Field<'_>], packed: bool) -> Option<TokenStream> {
        let private = self.private;
        // No raw name like `bits`: a constant of that name would make the parameter a pattern.
        let bits = format_ident!("cbframe_bits", span = Span::mixed_site());
        let valid = |Field { member, ty, .. }: &Field<'_>| {
            let field = if packed {
                quote!(#private::copy_of::<#ty, Self>(#bits, #private::core::mem::offset_of!(Self, #member)).as_ptr())
            } else {
                quote!(&raw const (*#bits).#member)
            };
            pointer::validity(ty, private, field)
        };
        let valid: Vec<TokenStream> = fields.iter().filter_map(valid).collect();
        // SAFETY (of the generated block): each field lies within the struct, aligned unless it is packed, in which case
        // a copy is asked; and what the caller promises of the struct's bytes it promises of the field's.
        (!valid.is_empty()).then(|| {
            quote! {
                #[inline(always)]
                unsafe fn is_valid(#bits: *const Self) -> #private::core::primitive::bool {
                    unsafe { #(#valid)&&* }
                }
            }
        })
    }

    /// The generics, with a bound on each type parameter that one of `fields` holds by value.
    fn bounded(&self, fields: &[Field<'_>]) -> Generics {
        let (private, mut generics) = (self.private, self.generics.clone());
        let mut by_value = ByValue::new(&generics);
        for field in fields {
            by_value.visit_type_mut(&mut field.ty.clone());
        }
        for parameter in by_value.found {
            generics.make_where_clause().predicates.push(parse_quote!(#parameter: #private::CType));
        }
        generics
    }

    /// `impl CType`.
    fn implement(&self, items: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
        let Self { ty, allow, .. } = self;
        let (c_type, generics) = (self.c_type(), self.bounded(fields));
        let (parameters, _, conditions) = generics.split_for_impl();
        // SAFETY (of the generated impl): size and alignment are the compiler's, fields and offsets cannot be
        // wrong or incomplete since the compiler resolves them and the list is that of the definition.
        quote! {
            #[automatically_derived]
            #allow
            unsafe impl #parameters #c_type for #ty #conditions {
                #items
            }
        }
    }

    /// `impl VaArg`. A type that is a `CType` for one crate only has none. What is passed as `inner` is, if there is one,
    /// has one if that has.
    fn va_arg(&self, fields: &[Field<'_>], inner: Option<&Type>) -> Option<TokenStream> {
        let Self { ty, private, allow, local: None, .. } = self else { return None };
        let mut generics = self.bounded(fields);
        if let Some(inner) = inner
            && pointer::fn_pointer(inner).is_none()
        {
            // As in `never_null`.
            generics.make_where_clause().predicates.push(parse_quote!(for<'cbframe> #inner: #private::VaArg));
        }
        let (parameters, _, conditions) = generics.split_for_impl();
        Some(quote! {
            #[automatically_derived]
            #allow
            impl #parameters #private::VaArg for #ty #conditions {}
        })
    }

    /// `impl NeverNull` for a transparent struct around a type that is never null.
    fn never_null(&self, field: &Field<'_>) -> Option<TokenStream> {
        let Self { ty, private, allow, .. } = self;
        let mut generics = self.generics.clone();
        match pointer::fn_pointer(field.ty) {
            // Of a type that is a `CType` for one crate only, `Option` is none.
            _ if self.local.is_some() => return None,
            Some(found) if found.optional => return None,
            Some(_) => {}
            // The compiler rejects a condition that no parameter can change, unless it is about a lifetime.
            None => {
                let inner = field.ty;
                generics.make_where_clause().predicates.push(parse_quote!(for<'cbframe> #inner: #private::NeverNull));
            }
        }
        let (parameters, _, conditions) = generics.split_for_impl();
        // SAFETY (of the generated impl): `Option`'s documentation gives a `#[repr(transparent)]` struct around
        // a listed type the same guarantees, and `is_valid` is that of the field.
        Some(quote! {
            #[automatically_derived]
            #allow
            unsafe impl #parameters #private::NeverNull for #ty #conditions {}
        })
    }

    /// A constant that compares the description with C's rules, so that `cargo check` does.
    ///
    /// A generic type has a layout only once it is used: there, placement checks it.
    fn check(&self) -> Option<TokenStream> {
        let (c_type, allow) = (self.c_type(), self.allow);
        if self.generics.type_params().next().is_some() || self.generics.const_params().next().is_some() {
            return None;
        }
        let ty = lifetimes::with("'_", &self.ty);
        Some(quote_spanned!(self.span()=> #allow const _: () = <#ty as #c_type>::TYPE.check();))
    }

    fn expand_enum(&self, variants: &[&Ident], integer: Option<&Ident>) -> TokenStream {
        let (enumeration, private, name) = (&self.ty, self.private, self.name());
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
                const VALUES: &[#primitive::i128] = &[#(#enumeration::#variants as #primitive::i128),*];
                #ty
            };

            #[inline(always)]
            unsafe fn is_valid(#bits: *const Self) -> #primitive::bool {
                #(const #constants: #raw = #enumeration::#variants as #raw;)*
                #private::core::matches!(unsafe { #bits.cast::<#raw>().read() }, #(#constants)|*)
            }
        };
        let implementation = self.implement(&items, &[]);
        // C promotes narrow ones.
        let is_narrow = integer.is_some_and(|integer| ["i8", "u8", "i16", "u16"].iter().any(|name| integer == name));
        let va_arg = (!is_narrow).then(|| self.va_arg(&[], None));
        let check = self.check();
        quote!(#implementation #va_arg #check)
    }
}

/// `path` as if it were written at `span`: errors are shown there.
pub(crate) fn located(path: &TokenStream, span: Span) -> TokenStream {
    let tokens = path.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    tokens.collect()
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
