//! What Rust's types are in C.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use syn::{Expr, GenericArgument, Lit, PathArguments, TypePath};

use super::{Known, Reader, RustDeclarations};
use crate::parse::ParseError;
use crate::parse::model::Platform;
use crate::types::{CStrRef, CType, Kind, Type};

/// Modules in which names are that one knows without them.
const MODULES: [&str; 12] = [
    "core::ffi",
    "std::ffi",
    "std::os::raw",
    "libc",
    "core::ptr",
    "std::ptr",
    "core::mem",
    "std::mem",
    "core::option",
    "std::option",
    "cbframe",
    "ffi",
];

impl RustDeclarations {
    /// The type of a value that is passed, or of a field.
    pub(super) fn value(&self, reader: &Reader<'_>, ty: &syn::Type) -> Result<Type, ParseError> {
        let refused = |what: &str| Err(reader.error(ty, what));
        match ty {
            syn::Type::Paren(paren) => self.value(reader, &paren.elem),
            syn::Type::Group(group) => self.value(reader, &group.elem),
            syn::Type::Ptr(pointer) => {
                self.pointee(reader, &pointer.elem)?;
                Ok(self.platform.model.pointer)
            }
            syn::Type::Reference(reference) => {
                let pointee_align = self.pointee(reader, &reference.elem)?;
                Ok(self.never_null("reference", pointee_align))
            }
            // What it is a pointer to is of no concern to who passes it.
            syn::Type::FnPtr(_) => Ok(self.never_null("function pointer", 1)),
            syn::Type::Array(array) => {
                let element = self.value(reader, &array.elem)?;
                let len = length(reader, &array.len)?;
                let made = Type::array(element, len).map_err(|error| reader.error(ty, format!("{error}")))?;
                Ok(Type { name: "array", ..made })
            }
            syn::Type::Path(path) if path.qself.is_none() => self.path(reader, path),
            syn::Type::Tuple(_) => {
                refused("the layout of a tuple is the compiler's own choice: write a `#[repr(C)]` struct")
            }
            syn::Type::Never(_) => refused("C has no values of it"),
            syn::Type::Slice(_) => refused("C has no slices: take a pointer and a length"),
            syn::Type::TraitObject(_) | syn::Type::ImplTrait(_) => refused("C has no values of traits"),
            syn::Type::Infer(_) => refused("write the type"),
            _ => refused("this is not a type that C could have"),
        }
    }

    fn never_null(&self, name: &'static str, pointee_align: usize) -> Type {
        Type { name, kind: Kind::Pointer { nullable: false, pointee_align }, ..self.platform.model.pointer }
    }

    /// The alignment of what a thin pointer points to.
    fn pointee(&self, reader: &Reader<'_>, ty: &syn::Type) -> Result<usize, ParseError> {
        let fat = |what: &str| {
            Err(reader.error(ty, format!("C has no pointers to {what}, which are an address and a length: take both")))
        };
        match ty {
            syn::Type::Slice(_) => fat("slices"),
            syn::Type::TraitObject(_) => Err(reader.error(ty, "C has no pointers to traits")),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Ok(1),
            syn::Type::Paren(paren) => self.pointee(reader, &paren.elem),
            syn::Type::Path(path) if path.qself.is_none() => match &*name(path).unwrap_or_default() {
                "str" => fat("`str`"),
                "CStr" => fat("`CStr`"),
                "c_void" => Ok(1),
                name if matches!(self.types.get(name), Some(Known::Opaque)) => Ok(1),
                _ => Ok(self.value(reader, ty)?.align),
            },
            _ => Ok(self.value(reader, ty)?.align),
        }
    }

    fn path(&self, reader: &Reader<'_>, path: &TypePath) -> Result<Type, ParseError> {
        let refused = |what: String| Err(reader.error(path, what));
        let Some(name) = name(path) else {
            return refused("there is no type of this path: define it, and name it without the path".into());
        };
        let last = path.path.segments.last().map(|segment| &segment.arguments);
        if let Some(PathArguments::AngleBracketed(arguments)) = last {
            let mut parameters = arguments.args.iter().filter(|it| !matches!(it, GenericArgument::Lifetime(_)));
            if let Some(first) = parameters.next() {
                let (GenericArgument::Type(parameter), None) = (first, parameters.next()) else {
                    return refused(format!("`{name}` with these parameters is not known here"));
                };
                return self.generic(reader, path, &name, parameter);
            }
        }
        match self.types.get(&name) {
            Some(Known::Type(ty)) => return Ok(*ty),
            Some(Known::Opaque) => {
                return refused(format!(
                    "the layout of `{name}` is the compiler's own choice: add `#[repr(C)]`, or pass a pointer"
                ));
            }
            None => {}
        }
        match known(&name, &self.platform) {
            Some(ty) => Ok(ty),
            None => refused(match &name[..] {
                "char" => "C has no such type: write `u32` or `c_char`".into(),
                "str" | "String" | "CStr" | "CString" => {
                    "C has no such strings: take a `*const c_char`, or a `CStrRef`".into()
                }
                "c_void" => "C has no values of the type `void`: write a pointer to it".into(),
                "Option" | "NonNull" | "MaybeUninit" => format!("`{name}` of which type?"),
                _ => format!("there is no type `{name}`: define it first"),
            }),
        }
    }

    /// `name<parameter>`
    fn generic(
        &self,
        reader: &Reader<'_>,
        path: &TypePath,
        name: &str,
        parameter: &syn::Type,
    ) -> Result<Type, ParseError> {
        let refused = |what: String| Err(reader.error(path, what));
        if self.types.contains_key(name) {
            return refused(format!("`{name}` has no parameters"));
        }
        match name {
            "Option" => {
                let inner = self.value(reader, parameter)?;
                match inner.kind {
                    Kind::Pointer { nullable: false, pointee_align } => {
                        // Around a wrapper, too, it is a pointer that may be null.
                        Ok(Type { kind: Kind::Pointer { nullable: true, pointee_align }, ..inner })
                    }
                    _ => refused("`Option` is a C type around references, `NonNull` and function pointers only".into()),
                }
            }
            "NonNull" => {
                self.pointee(reader, parameter)?;
                Ok(self.never_null("NonNull", 1))
            }
            "MaybeUninit" => {
                let of = self.value(reader, parameter)?;
                Ok(Type { kind: Kind::MaybeUninit { of: crate::types::keep_type(of) }, ..of })
            }
            "ManuallyDrop" => self.value(reader, parameter),
            "Complex" => {
                let part = self.value(reader, parameter)?;
                match self.platform.complex(part) {
                    Some(complex) => Ok(Type { name: "Complex", ..complex }),
                    None => refused("a complex number is one of floats".into()),
                }
            }
            _ => refused(format!("`{name}` with a parameter is not known here")),
        }
    }
}

/// The last part of a path, if what is before it says nothing.
fn name(path: &TypePath) -> Option<String> {
    let mut segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let last = segments.pop()?;
    let module = segments.join("::");
    let is_plain = path.path.segments.iter().rev().skip(1).all(|segment| segment.arguments.is_none());
    (is_plain && (module.is_empty() || MODULES.contains(&&module[..]))).then(|| last.trim_start_matches("r#").into())
}

/// The length of an array.
fn length(reader: &Reader<'_>, expression: &Expr) -> Result<usize, ParseError> {
    let refused = |what: &str| Err(reader.error(expression, what));
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => match number.base10_parse() {
                Ok(0) => refused("an array without elements: compilers of C differ in what it does to a struct"),
                Ok(len) => Ok(len),
                Err(_) => refused("this length is too large"),
            },
            _ => refused("write the length as a number"),
        },
        _ => refused("write the length as a number"),
    }
}

/// The types of Rust, of `core::ffi` and `libc`, and of this crate.
fn known(name: &str, platform: &Platform) -> Option<Type> {
    let int = |size, signed| Some(platform.int(size, signed));
    let model = &platform.model;
    match name {
        "bool" => Some(Type::BOOL),
        "i8" | "c_schar" | "int8_t" => int(1, true),
        "u8" | "c_uchar" | "uint8_t" => int(1, false),
        "c_char" => Some(model.char),
        "i16" | "c_short" | "int16_t" => int(2, true),
        "u16" | "c_ushort" | "uint16_t" => int(2, false),
        "i32" | "c_int" | "int32_t" => int(4, true),
        "u32" | "c_uint" | "uint32_t" => int(4, false),
        "i64" | "c_longlong" | "int64_t" => int(8, true),
        "u64" | "c_ulonglong" | "uint64_t" => int(8, false),
        "i128" => int(16, true),
        "u128" => int(16, false),
        "c_long" => Some(model.long),
        "c_ulong" => Some(model.unsigned_long),
        "isize" => int(model.pointer.size, true).map(|ty| Type { name: "isize", ..ty }),
        "usize" => int(model.pointer.size, false).map(|ty| Type { name: "usize", ..ty }),
        // Aliases of these in `libc`.
        "ssize_t" | "ptrdiff_t" | "intptr_t" => known("isize", platform),
        "size_t" | "uintptr_t" => known("usize", platform),
        "wchar_t" => Some(model.wchar),
        "f32" | "c_float" => Some(Type::F32),
        "f64" | "c_double" => Some(model.double),
        "LongDouble" => platform.long_double(),
        "Float16" => Some(Type::F16),
        "Float128" => Some(Type::F128),
        "CStrRef" => {
            Some(Type { size: model.pointer.size, align: model.pointer.align, ..<CStrRef<'static> as CType>::TYPE })
        }
        "__m128" | "__m128i" | "__m128d" | "int8x16_t" | "uint8x16_t" | "int16x8_t" | "uint16x8_t" | "int32x4_t"
        | "uint32x4_t" | "int64x2_t" | "uint64x2_t" | "float32x4_t" | "float64x2_t" => vector(name, 16),
        "int8x8_t" | "uint8x8_t" | "int16x4_t" | "uint16x4_t" | "int32x2_t" | "uint32x2_t" | "int64x1_t"
        | "uint64x1_t" | "float32x2_t" | "float64x1_t" => vector(name, 8),
        "__m256" | "__m256i" | "__m256d" => vector(name, 32),
        "__m512" | "__m512i" | "__m512d" => vector(name, 64),
        _ => None,
    }
}

fn vector(name: &str, size: usize) -> Option<Type> {
    Type::vector(size).ok().map(|ty| Type { name: crate::types::keep_str(name), ..ty })
}
