//! What a C compiler makes of a type, beside what a description says.

use std::ffi::{CStr, c_char, c_int};

use cbframe::types::{Field, Kind, Type};

use crate::c::Library;

/// A type to compare with its counterpart in C.
pub(crate) struct Counterpart {
    /// What the description says.
    pub(crate) ty: Type,
    /// How C spells the type.
    pub(crate) c: String,
    /// How C spells a field, if not as the description does.
    pub(crate) fields: &'static [(&'static str, &'static str)],
}

/// What the compiler says of a type, or of one of its fields.
#[derive(Debug)]
#[repr(C)]
struct Row {
    name: *const c_char,
    offset: usize,
    size: usize,
    align: usize,
    /// GCC's `__builtin_classify_type`.
    class: c_int,
    is_signed: c_int,
}

const ROWS: &str = r"
#include <stddef.h>
struct row { const char *name; size_t offset, size, align; int class, is_signed; };
#define TYPE(T) { #T, 0, sizeof(T), _Alignof(T), 0, 0 },
#define FIELD(T, f) { #T #f, offsetof(T, f), sizeof(((T *)0)->f), 0, __builtin_classify_type(((T *)0)->f), 0 },
#define INTEGER(T, f) { #T #f, offsetof(T, f), sizeof(((T *)0)->f), 0, __builtin_classify_type(((T *)0)->f), \
    (__typeof__(((T *)0)->f))-1 < (__typeof__(((T *)0)->f))1 },
";

/// Asserts that each description is what the C compiler makes of its counterpart; `definitions` come before.
pub(crate) fn assert_layouts(name: &str, definitions: &str, counterparts: &[Counterpart]) {
    let mut rows = String::new();
    for Counterpart { ty, c, fields } in counterparts {
        rows += &format!("TYPE({c})\n");
        for field in fields_of(ty) {
            let spelling = fields.iter().find(|(name, _)| *name == field.name).map_or(field.name, |(_, c)| c);
            let row = if matches!(field.ty.kind, Kind::Int { .. }) { "INTEGER" } else { "FIELD" };
            rows += &format!("{row}({c}, {spelling})\n");
        }
    }
    let library = Library::compile(name, &format!("{definitions}{ROWS}const struct row rows[] = {{\n{rows}}};\n"));
    let mut row: *const Row = library.symbol("rows").cast();
    let mut next = || {
        // SAFETY: the source has a row for each type and each field, and this is called once for each.
        let found = unsafe { &*row };
        row = row.wrapping_add(1);
        // SAFETY: a literal of a library that stays loaded.
        (unsafe { CStr::from_ptr(found.name) }.to_str().expect("ASCII"), found)
    };
    for Counterpart { ty, .. } in counterparts {
        let (name, found) = next();
        assert_eq!((ty.size, ty.align), (found.size, found.align), "{name}: size and alignment");
        for field in fields_of(ty) {
            let (name, found) = next();
            assert_eq!((field.offset, field.ty.size), (found.offset, found.size), "{name}: offset and size");
            // A `MaybeUninit` is a union in Rust; C has no such thing.
            let kind = if let Kind::MaybeUninit { of } = field.ty.kind { of.kind } else { field.ty.kind };
            let (class, signed) = match kind {
                Kind::Int { signed } => (1, signed),
                Kind::Bool | Kind::Enum { .. } => (1, false),
                // An array decays.
                Kind::Pointer { .. } | Kind::Array { .. } => (5, false),
                Kind::Float => (8, false),
                // gcc 12 has none for these.
                Kind::Vector => (-1, false),
                Kind::Struct { .. } => (12, false),
                Kind::Union { .. } => (13, false),
                other => panic!("{name}: no class is known for {other:?}"),
            };
            assert_eq!((class, signed), (found.class, found.is_signed != 0), "{name}: class and sign");
        }
    }
}

fn fields_of(ty: &Type) -> &'static [Field] {
    match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => fields,
        _ => &[],
    }
}
