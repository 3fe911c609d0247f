//! Rust text. Every signature of `tests/signatures.rs`, `types.rs` and `variadic.rs` is read from it as well, and is that of its
//! callback in all that `CType` says of its types: `cbframe_tests::again`.
// Text is read in the same way everywhere; the vectors here are x86's.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

use proptest::collection::vec;
use proptest::prelude::*;

use cbframe::abi::{Abi, Place, Signature, Target};
use cbframe::parse::RustDeclarations;
use cbframe::types::{Kind, Type};

fn given(items: &str) -> RustDeclarations {
    given_on(Target::X86_64Unix, items)
}

fn given_on(target: Target, items: &str) -> RustDeclarations {
    let mut given = RustDeclarations::new(target);
    given.add(items).unwrap_or_else(|error| panic!("{error}"));
    given
}

#[test]
fn the_string_is_the_abi() {
    let c = Abi::C.name();
    for (abi, expected) in [
        ("\"C\"", c),
        ("\"system\"", c),
        ("\"C-unwind\"", &format!("{c}-unwind")),
        ("\"sysv64-unwind\"", "sysv64-unwind"),
        ("\"win64\"", "win64"),
        ("\"efiapi\"", "win64"),
        ("\"win64-unwind\"", "win64-unwind"),
        ("", c),
    ] {
        let found = Signature::parse_rust(&format!("extern {abi} fn(i32)")).unwrap().to_string();
        assert_eq!(found.split(" fn").next(), Some(expected), "{abi}");
    }
    let windows = RustDeclarations::new(Target::X86_64Windows);
    let found = windows.signature("extern \"system\" fn(c_long, core::ffi::c_ulong, usize)").unwrap();
    assert!(found.to_string().starts_with("win64 fn(i32, u32, usize)"), "{found}");
    let found = windows.signature("extern \"sysv64\" fn(c_long)").unwrap();
    assert!(found.to_string().starts_with("sysv64 fn(i32)"), "{found}");
}

/// What `CType` says of the same types.
#[test]
fn types_are_those_of_ctype() {
    let given = given_on(Abi::C.target(), "struct Opaque(Vec<u8>); pub type Name<'a> = cbframe::CStrRef<'a>;");
    for (text, expected) in [
        ("&'static u64", Type::of::<&u64>()),
        ("&mut [u16; 3]", Type::of::<&mut [u16; 3]>()),
        ("*const std::ffi::c_void", Type::POINTER),
        ("*mut *const Opaque", Type::POINTER),
        ("&Opaque", Type::of::<&u8>()),
        ("NonNull<i32>", Type::of::<std::ptr::NonNull<i32>>()),
        ("Option<std::ptr::NonNull<Opaque>>", Type::of::<Option<std::ptr::NonNull<i32>>>()),
        ("Option<&(u64)>", Type::of::<Option<&u64>>()),
        ("extern \"C\" fn(Unknown)", Type::of::<extern "C" fn()>()),
        ("std::option::Option<unsafe extern \"C\" fn()>", Type::of::<Option<extern "C" fn()>>()),
        ("Name<'_>", Type::of::<cbframe::CStrRef<'_>>()),
        ("Option<Name>", Type::of::<Option<cbframe::CStrRef<'_>>>()),
        ("MaybeUninit<u32>", Type::of::<std::mem::MaybeUninit<u32>>()),
        ("[[u8; 2]; 0x3]", Type::of::<[[u8; 2]; 3]>()),
        ("libc::c_long", Type::of::<std::ffi::c_long>()),
        ("c_char", Type::of::<std::ffi::c_char>()),
        ("size_t", Type::of::<libc::size_t>()),
        ("wchar_t", Type::of::<libc::wchar_t>()),
        ("__m256d", Type::of::<std::arch::x86_64::__m256d>()),
        ("LongDouble", Type::LONG_DOUBLE),
        ("Complex<f32>", Type::of::<num_complex::Complex<f32>>()),
        ("r#bool", Type::BOOL),
    ] {
        let found = given.ty(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn items() {
    let given = given(
        "use std::ffi::c_int;
        #[repr(C)] #[derive(Clone, Copy)] pub struct Point { pub x: f64, r#type: c_int }
        #[repr(C, packed(2))] struct Packed(u8, Point, [u32; 2]);
        #[repr(C, align(32))] union Either { a: Packed, b: u8 }
        #[repr(u8)] enum Small { A = 3, B, C = 0xff }
        #[repr(C)] enum Signed { A = -1, B }
        #[repr(C)] enum Plain { A, B = 0x8000_0000 }
        #[repr(transparent)] struct Handle<'a>(NonNull<Point>, PhantomDatum<'a>);
        #[repr(C)] struct PhantomDatum<'a> {}"
            // Types are defined before they are used.
            .replacen("#[repr(C)] struct PhantomDatum<'a> {}", "", 1)
            .replacen("use std", "#[repr(C)] struct PhantomDatum<'a> {} use std", 1)
            .as_str(),
    );
    let sizes: Vec<_> = given.types().map(|(name, ty)| (name, ty.size, ty.align)).collect();
    assert_eq!(
        sizes,
        [
            ("Either", 32, 32),
            ("Handle", 8, 8),
            ("Packed", 26, 2),
            ("PhantomDatum", 0, 1),
            ("Plain", 4, 4),
            ("Point", 16, 8),
            ("Signed", 4, 4),
            ("Small", 1, 1),
        ]
    );
    assert_eq!(given.ty("Small").unwrap().kind, Kind::Enum { signed: false, values: &[3, 4, 255] });
    assert_eq!(given.ty("Signed").unwrap().kind, Kind::Enum { signed: true, values: &[-1, 0] });
    assert_eq!(given.ty("Plain").unwrap().kind, Kind::Enum { signed: false, values: &[0, 0x8000_0000] });
    let signature = given.signature("extern \"C\" fn(_: Either, Option<Handle>, r#in: &Point) -> Packed").unwrap();
    assert_eq!(
        signature.to_string(),
        "\
sysv64 fn(Either, Handle, in: reference) -> Packed
  return  Packed     26 B  in memory; its address arrives in rdi and leaves in rax
  #0      Either     32 B  stack, [rsp+8] at entry
  #1      Handle      8 B  rsi
  in      reference   8 B  rdx"
    );
    let mut on_windows = RustDeclarations::new(Target::X86_64Windows);
    on_windows.add("#[repr(C)] enum E { A }").unwrap();
    // That is rustc's choice, on every system.
    assert_eq!(on_windows.ty("E").unwrap().kind, Kind::Enum { signed: false, values: &[0] });
}

#[test]
fn variadic_and_never() {
    let found = Signature::parse_rust("unsafe extern \"C\" fn(format: *const c_char, ...) -> c_int").unwrap();
    assert_eq!((found.before_dots(), found.layout().is_variadic()), (Some(1), true));
    let found = Signature::parse_rust("for<'a> extern \"C\" fn(&'a i32) -> !").unwrap();
    assert_eq!(found.layout().result().place, Place::Nothing);
}

/// `text` holds the wrong part between `«` and `»`. With a semicolon or a brace at its end it is items.
#[track_caller]
fn refused(text: &str, message: &str) {
    let (before, rest) = text.split_once('«').expect("a mark");
    let wrong = rest.split_once('»').expect("its end").0;
    let plain = text.replace(['«', '»'], "");
    let mut given = given("struct Opaque; #[repr(C)] struct Point { x: f64 }");
    let is_items = plain.ends_with([';', '}']);
    let found = if is_items { given.add(&plain).map(drop) } else { given.signature(&plain).map(drop) };
    let error = found.expect_err(&plain);
    assert_eq!(error.message(), message, "{error}");
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    assert_eq!((error.line(), error.column()), (before.matches('\n').count() + 1, column), "{error}");
    let marks = error.to_string().lines().last().unwrap_or_default().chars().filter(|c| *c == '^').count();
    assert_eq!(marks, wrong.lines().next().unwrap_or_default().trim_end().chars().count().max(1), "{error}");
}

#[test]
fn what_is_refused() {
    refused(
        "extern \"C\" fn«(»i32",
        "from here on these are no tokens of Rust: a bracket or a quote has no counterpart, or Rust has no such character",
    );
    refused("extern \"C\" fn(a: i32 «b»)", "expected `,`");
    refused("«fn»(i32)", "without `extern` this has Rust's own convention: write `extern \"C\" fn`");
    refused("extern «\"stdcall\"» fn(i32)", "`stdcall` is no calling convention of x86-64 Unix that is known here");
    refused(
        "extern \"C\" fn(größe: i32,\n  text: &«str»)",
        "parameter #1, `text`: C has no pointers to `str`, which are an address and a length: take both",
    );
    refused(
        "extern \"C\" fn(*const «[u8]»)",
        "parameter #0: C has no pointers to slices, which are an address and a length: take both",
    );
    refused("extern \"C\" fn(&«dyn Fn()»)", "parameter #0: C has no pointers to traits");
    refused("extern \"C\" fn(«Unknown»)", "parameter #0: there is no type `Unknown`: define it first");
    refused("extern \"C\" fn(*const «Unknown»)", "parameter #0: there is no type `Unknown`: define it first");
    refused(
        "extern \"C\" fn(«Opaque»)",
        "parameter #0: the layout of `Opaque` is the compiler's own choice: add `#[repr(C)]`, or pass a pointer",
    );
    refused("extern \"C\" fn(«char»)", "parameter #0: C has no such type: write `u32` or `c_char`");
    refused(
        "extern \"C\" fn(«(i32, i32)»)",
        "parameter #0: the layout of a tuple is the compiler's own choice: write a `#[repr(C)]` struct",
    );
    refused(
        "extern \"C\" fn(«Option<i32>»)",
        "parameter #0: `Option` is a C type around references, `NonNull` and function pointers only",
    );
    refused(
        "extern \"C\" fn(«Option<*const u8>»)",
        "parameter #0: `Option` is a C type around references, `NonNull` and function pointers only",
    );
    refused("extern \"C\" fn(«Vec<i32>»)", "parameter #0: `Vec` with a parameter is not known here");
    refused(
        "extern \"C\" fn(«some::Thing»)",
        "parameter #0: there is no type of this path: define it, and name it without the path",
    );
    refused(
        "extern \"C\" fn(a: «[i32; 3]»)",
        "parameter #0, `a`, has the type `array`: C passes a pointer to its first element: write that, or put the array in a struct",
    );
    refused(
        "extern \"C\" fn(a: «()»)",
        "parameter #0, `a`: the layout of a tuple is the compiler's own choice: write a `#[repr(C)]` struct",
    );
    refused("extern \"C\" fn(a: &[i32; «N»])", "parameter #0, `a`: write the length as a number");
    refused("extern \"C\" fn() -> «Unknown»", "there is no type `Unknown`: define it first");
    refused("#[repr(C)] struct S { a: «Unknown» }", "there is no type `Unknown`: define it first");
    refused("#[repr(C)] struct S<«T»> { a: i32 }", "types with parameters are not read: write one for each");
    refused("#[repr(C)] struct «Point»;", "`Point` is defined a second time");
    refused(
        "enum «E» { A }",
        "the layout is the compiler's own choice: add the integer that C uses, as in `#[repr(u32)]`, or `#[repr(C)]`",
    );
    refused("#[repr(C)] enum E { A«(i32)» }", "C's enums have no fields");
    refused("#[repr(u8)] enum E { A = 255, «B» }", "256 does not fit into `u8`");
    refused("#[repr(C)] enum E { A = «1 + 1» }", "write the value as a number of up to 64 bits");
    refused("#[repr(«Rust»)] struct S;", "not a layout that C can share: write `#[repr(C)]`");
    refused("«fn f() {}»", "only structs, unions, enums and `type` names are read");
    refused("#[repr(transparent)] struct «S»(i32, i32);", "a transparent struct has one field that is no empty one");
}

fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "extern",
        "\"C\"",
        "unsafe",
        "fn",
        "(",
        ")",
        "(",
        ")",
        "->",
        "*const",
        "*mut",
        "&",
        "'a",
        "i32",
        "f64",
        "c_void",
        "Option<",
        ">",
        "[",
        ";",
        "3",
        "]",
        ",",
        "...",
        ":",
        "x",
        "struct",
        "union",
        "enum",
        "#[repr(C)]",
        "{",
        "}",
        "type",
        "=",
        "::",
        "for<'a>",
        "dyn",
        "impl",
        "return",
        "-",
        "!",
        "é",
        "\"",
        "r#",
        "/*",
        "usize",
        "[u8; 9999999999999]",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_anything_panic(text in prop_oneof![soup(), any::<String>(), "[ -~\n]{0,60}"]) {
        let mut given = RustDeclarations::new(Target::X86_64Unix);
        let _ = given.ty(&text);
        if let Err(error) = given.signature(&text) {
            prop_assert!(error.line() <= text.matches('\n').count() + 1 && error.to_string().contains('^'));
        }
        if given.add(&text).is_ok() {
            given.types().for_each(|(_, ty)| ty.check());
        }
    }
}

#[test]
fn too_much() {
    let many = |piece: &str| piece.repeat(5_000);
    for text in [
        many("("),
        many("&"),
        many("*const "),
        many("Option<"),
        many("[i32; "),
        many("extern \"C\" fn() -> "),
        many("extern \"C\" fn("),
        format!("[i32; {}1]", many("- ")),
        format!("[i32; {}1]", many("return ")),
        format!("[i32; {}1]", many("|| ")),
        format!("[i32; {}1]", many("1 .. ")),
        many("struct S { a: "),
        format!("const A: i32 = {} {{}};", many("if a {} else ")),
        format!("const A: i32 = {}1;", many("if - ")),
    ] {
        assert!(
            Signature::parse_rust(&text).is_err() && RustDeclarations::new(Target::X86_64Unix).add(&text).is_err(),
            "{text}"
        );
        assert!(RustDeclarations::new(Target::X86_64Unix).ty(&text).is_err());
    }
    // Long, but not deep.
    let items: String =
        (0..2000).map(|i| format!("#[repr(C)] pub struct S{i}<'a> {{ a: [u8; 3], b: &'a u64 }}\n")).collect();
    assert_eq!(given(&items).types().count(), 2000);
    // As much as is taken, on the 2 MiB of this thread.
    for text in [
        format!("{}i32", "&".repeat(40)),
        format!("[i32; {}1]", "- ".repeat(40)),
        format!("[i32; {}1]", "return ".repeat(40)),
    ] {
        let _ = RustDeclarations::new(Target::X86_64Unix).ty(&text);
    }
    let big = "extern \"C\" fn([u8; 4_000_000_000])";
    assert!(Signature::parse_rust(big).is_err());
}
