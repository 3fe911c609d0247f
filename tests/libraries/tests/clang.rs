//! libclang walks a syntax tree and passes its visitor two cursors, structs of 32 bytes, by value in memory. What it tells
//! of C's structs is compared with what `#[derive(CType)]` made of bindgen's.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::ffi::{CStr, CString, c_char, c_int, c_longlong};
use std::ptr::null_mut;

use cbframe::types::{Kind, Type};
use cbframe::{CType, cbframe};
use cbframe_libraries::chipmunk::*;
use cbframe_libraries::clang::*;

/// A C source text, parsed.
struct Parsed {
    index: CXIndex,
    unit: CXTranslationUnit,
}

impl Parsed {
    fn new(text: &str) -> Self {
        let text = CString::new(text).unwrap();
        let include = concat!("-I", env!("LLVM"), "/include\0").as_ptr();
        let name = c"memory.c".as_ptr();
        let mut file = CXUnsavedFile { Filename: name, Contents: text.as_ptr(), Length: text.count_bytes() as u64 };
        let arguments: [*const c_char; 1] = [include.cast()];
        // SAFETY: everything that is passed lives until the text is parsed.
        unsafe {
            let index = clang_createIndex(0, 1);
            let (arguments, count) = (arguments.as_ptr(), arguments.len() as c_int);
            let unit = clang_parseTranslationUnit(index, name, arguments, count, &raw mut file, 1, 0);
            assert!(!unit.is_null() && clang_getNumDiagnostics(unit) == 0, "libclang finds no fault in the text");
            Self { index, unit }
        }
    }

    fn root(&self) -> CXCursor {
        // SAFETY: the unit lives.
        unsafe { clang_getTranslationUnitCursor(self.unit) }
    }
}

impl Drop for Parsed {
    fn drop(&mut self) {
        // SAFETY: neither is used again.
        unsafe {
            clang_disposeTranslationUnit(self.unit);
            clang_disposeIndex(self.index);
        }
    }
}

/// # Safety
///
/// `cursor` points into a unit that lives.
unsafe fn spelling(cursor: CXCursor) -> String {
    // SAFETY: the caller's promise; the string lives until it is disposed of.
    unsafe {
        let string = clang_getCursorSpelling(cursor);
        let text = CStr::from_ptr(clang_getCString(string)).to_str().unwrap().to_owned();
        clang_disposeString(string);
        text
    }
}

/// Which declarations stand in which.
#[cbframe(abi = "C")]
fn outline(
    #[state] outline: &mut Vec<(String, String)>,
    cursor: CXCursor,
    parent: CXCursor,
    _data: CXClientData,
) -> CXChildVisitResult {
    // SAFETY: libclang passes cursors into the unit that it walks.
    let (name, inside) = unsafe { (spelling(cursor), spelling(parent)) };
    let next = if name == "stop" {
        CXChildVisitResult::CXChildVisit_Break
    } else if cursor.kind == CXCursor_CompoundStmt {
        CXChildVisitResult::CXChildVisit_Continue
    } else {
        CXChildVisitResult::CXChildVisit_Recurse
    };
    if [CXCursor_FunctionDecl, CXCursor_StructDecl, CXCursor_FieldDecl, CXCursor_ParmDecl].contains(&cursor.kind) {
        outline.push((inside, name));
    }
    next
}

/// The visitor sees each declaration with what it stands in, and libclang does as the visitor says: it goes into
/// functions, not into their bodies, and no further than to `stop`.
#[test]
fn outline_of_a_text() {
    let parsed = Parsed::new(
        "struct point { int x, y; };
         static int sum(struct point p, int z) { struct inner { int deep; } i = { z }; return p.x + p.y + i.deep; }
         void stop(int unseen);
         void unseen(void);",
    );
    let mut found = Vec::new();
    let frame = outline::bind(&mut found).unwrap();
    // SAFETY: the unit lives, and libclang calls back before it returns.
    let broken = unsafe { clang_visitChildren(parsed.root(), frame.as_fn_of(), null_mut()) };
    drop(frame);
    assert_ne!(broken, 0, "libclang was told to stop");
    let found: Vec<(&str, &str)> = found.iter().map(|(inside, name)| (&**inside, &**name)).collect();
    assert_eq!(
        found,
        [
            ("memory.c", "point"),
            ("point", "x"),
            ("point", "y"),
            ("memory.c", "sum"),
            ("sum", "p"),
            ("sum", "z"),
            ("memory.c", "stop"),
        ]
    );
}

/// A field as libclang knows it: offset and size in bytes.
type Field = (String, c_longlong, c_longlong);

/// `CXFieldVisitor`: a cursor by value, one of few results.
#[cbframe(abi = "C")]
fn field(#[state] fields: &mut Vec<Field>, cursor: CXCursor, _data: CXClientData) -> CXVisitorResult {
    // SAFETY: libclang passes a cursor to a field.
    unsafe {
        let (bits, size) = (clang_Cursor_getOffsetOfField(cursor), clang_Type_getSizeOf(clang_getCursorType(cursor)));
        fields.push((spelling(cursor), bits / 8, size));
    }
    CXVisit_Continue
}

/// Structs of a unit by name, as libclang knows them.
#[derive(Default)]
struct Structs(Vec<(String, c_longlong, c_longlong, Vec<Field>)>);

/// Another visitor runs while this one does: for each `typedef` of a struct, over its fields.
#[cbframe(abi = "C")]
fn structs(
    #[state] structs: &mut Structs,
    cursor: CXCursor,
    _parent: CXCursor,
    _data: CXClientData,
) -> CXChildVisitResult {
    if cursor.kind == CXCursor_TypedefDecl {
        let mut fields = Vec::new();
        let frame = field::bind(&mut fields).unwrap();
        // SAFETY: libclang passes a cursor into its unit, and calls back before it returns.
        let (name, size, align) = unsafe {
            let ty = clang_getCanonicalType(clang_getTypedefDeclUnderlyingType(cursor));
            clang_Type_visitFields(ty, frame.as_fn_of(), null_mut());
            (spelling(cursor), clang_Type_getSizeOf(ty), clang_Type_getAlignOf(ty))
        };
        drop(frame);
        structs.0.push((name, size, align, fields));
    }
    CXChildVisitResult::CXChildVisit_Continue
}

/// Both descriptions of C's structs agree: that of libclang, and `TYPE` of what bindgen wrote.
#[test]
fn descriptions_are_those_of_c() {
    let parsed = Parsed::new("#include <chipmunk/chipmunk.h>\n#include <clang-c/Index.h>");
    let mut of_c = Structs::default();
    let frame = structs::bind(&mut of_c).unwrap();
    // SAFETY: the unit lives, and libclang calls back before it returns.
    unsafe { clang_visitChildren(parsed.root(), frame.as_fn_of(), null_mut()) };
    drop(frame);

    let types: &[Type] = &[
        cpVect::TYPE,
        cpBB::TYPE,
        cpTransform::TYPE,
        cpMat2x2::TYPE,
        cpShapeFilter::TYPE,
        cpPointQueryInfo::TYPE,
        cpSegmentQueryInfo::TYPE,
        cpContactPointSet::TYPE,
        cpCollisionHandler::TYPE,
        cpSpaceDebugColor::TYPE,
        cpSpaceDebugDrawOptions::TYPE,
        CXCursor::TYPE,
        CXType::TYPE,
        CXString::TYPE,
        CXToken::TYPE,
        CXSourceLocation::TYPE,
        CXSourceRange::TYPE,
        CXCodeCompleteResults::TYPE,
        CXIdxDeclInfo::TYPE,
        CXIdxEntityInfo::TYPE,
    ];
    for ty in types {
        let Kind::Struct { fields } = ty.kind else { panic!("{ty:?} is a struct") };
        let fields =
            fields.iter().map(|f| (f.name.to_owned(), f.offset as c_longlong, f.ty.size as c_longlong)).collect();
        let expected = of_c.0.iter().find(|(name, ..)| name == ty.name).expect(ty.name);
        assert_eq!(&(ty.name.to_owned(), ty.size as c_longlong, ty.align as c_longlong, fields), expected);
    }
}
