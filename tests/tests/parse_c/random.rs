//! Random declarations against gcc and clang, and random texts, which must not make anything panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use cbframe::abi::CallingConvention;
use cbframe::abi::{Abi, Signature, Target};
use cbframe::conventions::{GoInternal, Regcall, Vectorcall};
use cbframe::parse::CDeclarations;

use super::layouts::check;

/// What is between the names of fields.
#[derive(Clone, Debug)]
enum Shape {
    Scalar(&'static str),
    Pointer(Box<Shape>),
    Array(Box<Shape>, u8),
    Record { union: bool, packed: bool, aligned: Option<u8>, fields: Vec<(Shape, Option<u8>)> },
    Enum(Vec<i64>, bool),
    Function(Vec<Shape>),
}

fn shapes() -> impl Strategy<Value = Shape> {
    let scalars = [
        "char",
        "signed char",
        "unsigned short",
        "int",
        "unsigned",
        "long",
        "unsigned long long",
        "float",
        "double",
        "long double",
        "_Bool",
        "__int128",
        "_Float16",
        "__float128",
        "float _Complex",
        "double _Complex",
        "size_t",
        "wchar_t",
        "int8_t",
        "uint64_t",
        "__m128",
        "__m256i",
    ];
    let leaf = prop_oneof![
        8 => prop::sample::select(scalars.to_vec()).prop_map(Shape::Scalar),
        1 => (vec(any::<i32>().prop_map(i64::from), 1..4), any::<bool>()).prop_map(|(v, packed)| Shape::Enum(v, packed)),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let aligned = prop::option::weighted(0.15, 0_u8..6);
        let fields = vec((inner.clone(), prop::option::weighted(0.08, 0_u8..5)), 0..5);
        prop_oneof![
            1 => boxed.clone().prop_map(Shape::Pointer),
            2 => (boxed, 1_u8..5).prop_map(|(inner, len)| Shape::Array(inner, len)),
            6 => (any::<bool>(), prop::bool::weighted(0.2), aligned, fields).prop_map(
                |(union, packed, aligned, fields)| Shape::Record { union, packed, aligned, fields }
            ),
            1 => vec(inner, 0..3).prop_map(Shape::Function),
        ]
    })
}

impl Shape {
    /// The declaration of `declarator` as one of these; `number` makes names different.
    fn declare(&self, declarator: &str, number: &mut u32) -> String {
        let mut next = || {
            *number += 1;
            *number
        };
        match self {
            Self::Scalar(name) => format!("{name} {declarator}"),
            Self::Pointer(inner) => inner.declare(&format!("(*const {declarator})"), number),
            Self::Array(inner, len) => inner.declare(&format!("({declarator}[{len}])"), number),
            Self::Enum(values, packed) => {
                let attribute = if *packed { "__attribute__((packed))" } else { "" };
                let values: String = values.iter().map(|value| format!("E{} = {value}, ", next())).collect();
                format!("enum {attribute} {{ {values}}} {declarator}")
            }
            Self::Function(parameters) => {
                let list: Vec<_> = parameters.iter().map(|ty| ty.declare("", number)).collect();
                let list = if list.is_empty() { "void".into() } else { list.join(", ") };
                format!("int (*{declarator})({list})")
            }
            Self::Record { union, packed, aligned, fields } => {
                let keyword = if *union { "union" } else { "struct" };
                let tag = if next() % 2 == 0 { format!("tag{}", next()) } else { String::new() };
                let mut attributes = String::new();
                if *packed {
                    attributes += " __attribute__((packed))";
                }
                if let Some(aligned) = aligned {
                    attributes += &format!(" __attribute__((aligned({})))", 1 << aligned);
                }
                let list: String = fields
                    .iter()
                    .map(|(ty, aligned)| {
                        let name = format!("f{}", {
                            *number += 1;
                            *number
                        });
                        let suffix =
                            aligned.map_or(String::new(), |it| format!(" __attribute__((aligned({})))", 1 << it));
                        format!("{}{suffix}; ", ty.declare(&name, number))
                    })
                    .collect();
                format!("{keyword}{attributes} {tag} {{ {list}}} {declarator}")
            }
        }
    }
}

/// Many in one file, since the compiler takes longer to start than to read them.
#[test]
fn declarations() {
    let mut runner =
        TestRunner::new(Config { cases: 12, max_shrink_iters: 200, failure_persistence: None, ..Config::default() });
    let kept = std::cell::Cell::new((0, 0));
    runner
        .run(&(prop::sample::select(Target::ALL.to_vec()), vec(shapes(), 40)), |(target, shapes)| {
            let (mut number, mut text, mut names) = (0, String::new(), Vec::new());
            for (i, shape) in shapes.iter().enumerate() {
                let line = format!("typedef {};\n", shape.declare(&format!("t{i}"), &mut number));
                let (read, refused) = kept.get();
                match CDeclarations::new(target.c()).add(&line) {
                    // gcc has it everywhere on x86, clang for x86-64 Linux.
                    Ok(_) if line.contains("__float128") && target != Target::X86_64Unix => {}
                    // Which clang knows if it may use the instructions.
                    Ok(_) if line.contains("_Float16") && target.data_model().pointer.size == 4 => {}
                    Ok(_) => {
                        kept.set((read + 1, refused));
                        text += &line;
                        names.push(format!("t{i}"));
                    }
                    Err(error) => {
                        kept.set((read, refused + 1));
                        let reasons = [
                            "no `Type` has it",
                            "none that this platform has",
                            "no type `__m",
                            "without fields",
                            "compilers for Windows differ",
                            "no integer type that an enum",
                        ];
                        prop_assert!(reasons.iter().any(|reason| error.message().contains(reason)), "{error}");
                    }
                }
            }
            check(target, &text, &names);
            Ok(())
        })
        .unwrap_or_else(|error| {
            panic!("{}", error.to_string().split("minimal failing input").next().unwrap_or_default())
        });
    let (read, refused) = kept.get();
    assert!(read > refused, "{read} read, {refused} refused");
}

/// Pieces of C in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "int",
        "long",
        "unsigned",
        "void",
        "double",
        "_Complex",
        "struct",
        "union",
        "enum",
        "s",
        "x",
        "typedef",
        "const",
        "(",
        ")",
        "(",
        ")",
        "*",
        "[",
        "]",
        "{",
        "}",
        ",",
        ";",
        "...",
        ":",
        "=",
        "3",
        "0x10ull",
        "-",
        "+",
        "<<",
        "?",
        "sizeof",
        "_Alignof",
        "_Alignas",
        "__attribute__((packed))",
        "__attribute__((aligned(",
        "__stdcall",
        "'a'",
        "\"s\"",
        "/*",
        "*/",
        "//",
        "\n",
        "#pragma pack(push, 1)\n",
        "9999999999999999999",
        "[1 << 40]",
        "é",
        "\u{0}",
        "\\",
        "__int128",
        "_Bool",
        "__m512",
        "va_list",
        "(void)",
        "f(int a)",
        "int (*g)(void)",
        "struct s { int x; } ",
        "__asm__(",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(Config { cases: 3000, ..Config::default() })]

    #[test]
    fn no_text_makes_anything_panic(text in prop_oneof![soup(), any::<String>(), "[ -~\n]{0,60}"], number in 0..5_usize) {
        let abis = [
            Abi::SysV64,
            Abi::Win64,
            Abi::Named(Regcall::CONVENTION),
            Abi::Named(Vectorcall::CONVENTION),
            Abi::Named(GoInternal::CONVENTION),
        ];
        let mut given = CDeclarations::new(abis[number]);
        let _ = given.ty(&text);
        if let Err(error) = given.signature(&text) {
            prop_assert!(error.line() <= text.matches('\n').count() + 1);
            prop_assert!(error.to_string().contains('^'));
        }
        if given.add(&text).is_ok() {
            given.types().for_each(|(_, ty)| ty.check());
            let functions: Vec<String> = given.functions().map(String::from).collect();
            for function in functions {
                let _ = given.signature(&function);
            }
        }
    }
}

/// Nesting, length and size, all too much for a stack, for patience or for memory.
#[test]
fn too_much() {
    let many = |piece: &str| piece.repeat(20_000);
    for text in [
        format!("int {}x", many("(")),
        format!("int {}x", many("*")),
        format!("int f{}", many("(int (*)")),
        format!("int x[{}1]", many("(")),
        format!("int x[{}1]", many("- ")),
        format!("int x[{}1]", many("1 ? 1 : ")),
        format!("int x[1{}]", many(" + 1")),
        format!("int x{}", many("[1]")),
        many("struct {"),
        format!("int f(int{})", many(", int")),
        many("sizeof("),
        many("__attribute__(("),
        "void f(struct { char a[1ul << 40]; } x)".into(),
        "void f(struct { char a[-1ul]; } x)".into(),
    ] {
        let read = Signature::parse_c(&text, Abi::SysV64);
        assert!(read.is_err() || text.len() > 1000, "{text}");
        let _ = CDeclarations::new(Abi::SysV64).add(&text);
    }
    let chain = |first: &str, link: &dyn Fn(usize) -> String| {
        let mut given = CDeclarations::new(Abi::SysV64);
        given.add(first).unwrap();
        (1..70).try_for_each(|i| given.add(&link(i)).map(drop)).unwrap_err().message().to_owned()
    };
    let nested = chain("typedef struct { } t0;", &|i| format!("typedef struct {{ t{} a, b; }} t{i};", i - 1));
    assert!(nested.contains("16384 parts"), "{nested}");
    let nested = chain("typedef void (*t0)(void);", &|i| format!("typedef void (*t{i})(t{});", i - 1));
    assert!(nested.contains("64 levels"), "{nested}");
    let nested = chain("typedef int t0[1];", &|i| format!("typedef t{} t{i}[1];", i - 1));
    assert!(nested.contains("64 levels"), "{nested}");
}
