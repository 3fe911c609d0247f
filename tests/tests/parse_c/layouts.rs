//! Types are laid out as gcc and clang lay them out.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use cbframe::abi::{Architecture, Target};
use cbframe::parse::CDeclarations;
use cbframe::types::{Field, Kind, Type};

/// Whether the compiler, a command and its options, takes this text.
pub(crate) fn compiles(compiler: &[String], source: &str) -> bool {
    let mut child = Command::new(&compiler[0])
        .args(&compiler[1..])
        .args(["-fsyntax-only", "-std=gnu2x", "-w", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{compiler:?}: {error}"));
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

/// The compilers that know a target. All but one are clang, if it is there: the build script says so if not.
fn compilers(target: Target) -> Vec<Vec<String>> {
    let triple = match target {
        Target::X86_64Unix => "x86_64-unknown-linux-gnu",
        Target::X86_64Windows => "x86_64-pc-windows-msvc",
        Target::X86Linux => "i686-unknown-linux-gnu",
        Target::X86Windows => "i686-pc-windows-msvc",
        Target::Aarch64Linux => "aarch64-unknown-linux-gnu",
        Target::Aarch64Apple => "arm64-apple-macosx11",
        Target::Riscv64Linux => "riscv64-unknown-linux-gnu",
        Target::ArmEabi => "armv7-unknown-linux-gnueabi",
        Target::ArmEabihf => "armv7-unknown-linux-gnueabihf",
        _ => panic!("which triple is {target}?"),
    };
    let mut all: Vec<Vec<String>> = Vec::new();
    if target == Target::X86_64Unix {
        all.push(vec!["gcc".into(), "-mavx512f".into()]);
    }
    if cfg!(cbt_clang) {
        let clang = std::env::var("CBFRAME_CLANG").unwrap_or_else(|_| "clang-19".into());
        all.push(vec![clang, "-ffreestanding".into(), "-target".into(), triple.into()]);
    }
    all
}

/// What of headers is known without them.
const PRELUDE: &str = "#include <stdint.h>\n#include <stddef.h>\n#include <stdarg.h>\n#include <stdbool.h>\n\
    typedef __WINT_TYPE__ wint_t;\ntypedef __CHAR16_TYPE__ char16_t;\ntypedef __CHAR32_TYPE__ char32_t;\n\
    typedef intptr_t ssize_t;\n#if defined(__x86_64__) || defined(__i386__)\n\
    typedef float __m128 __attribute__((vector_size(16)));\ntypedef long long __m128i __attribute__((vector_size(16)));\n\
    typedef double __m256d __attribute__((vector_size(32)));\ntypedef float __m512 __attribute__((vector_size(64)));\n\
    typedef long long __m256i __attribute__((vector_size(32)));\n#endif\n";

/// Fails unless the compilers take `source` behind the prelude.
#[track_caller]
fn confirm(target: Target, source: &str) {
    for compiler in compilers(target) {
        assert!(compiles(&compiler, &format!("{PRELUDE}{source}")), "{compiler:?} says otherwise of:\n{source}");
    }
}

/// Assertions in C that the object `path`, at `offset`, of the type `whole`, is of this type.
pub(crate) fn assertions(out: &mut String, whole: &str, path: &str, offset: usize, ty: &Type) {
    let object = format!("(*({whole} *)0){path}");
    let mut assert = |what: String| writeln!(out, "_Static_assert({what}, \"{whole}{path}\");").unwrap();
    assert(format!("sizeof({object}) == {}", ty.size));
    if path.is_empty() {
        assert(format!("_Alignof({whole}) == {}", ty.align));
    } else if let Some(member) = path.strip_prefix('.') {
        assert(format!("__builtin_offsetof({whole}, {}) == {offset}", member));
    }
    // The comma is for `_Atomic`, of which there are no values.
    let of = format!("__typeof__(((void)0, {object}))");
    match ty.kind {
        Kind::Bool => assert(format!("({of})2 == 1")),
        Kind::Int { signed } => {
            assert(format!("({of})1.5 == 1 && ({of})2 == 2"));
            assert(format!("(({of})-1 < 0) == {}", u8::from(signed)));
        }
        Kind::Float => assert(format!("({of})1.5 == 1.5 && sizeof({of}) == {}", ty.size)),
        // All that tells it from `__float128`.
        Kind::X87 => assert(format!("__builtin_types_compatible_p({of}, long double)")),
        // gcc's name for such a class of types.
        Kind::Pointer { .. } => assert(format!("__builtin_classify_type({object}) == 5")),
        Kind::Complex { element } => {
            assert(format!("__builtin_classify_type({object}) == 9 && sizeof(__real__ {object}) == {}", element.size));
        }
        Kind::Array { element, len } => {
            if ty.size > 0 {
                assert(format!("sizeof({object}) / sizeof(({object})[0]) == {len}"));
            }
            assertions(out, whole, &format!("{path}[0]"), offset, element);
        }
        Kind::Struct { fields } | Kind::Union { fields } => of_fields(out, whole, path, offset, fields),
        _ => {}
    }
}

fn of_fields(out: &mut String, whole: &str, path: &str, offset: usize, fields: &[Field]) {
    for Field { name, offset: within, ty } in fields {
        match ty.kind {
            // What has no name has a keyword for a name, and C goes past it.
            Kind::Struct { fields } | Kind::Union { fields } if matches!(*name, "struct" | "union") => {
                of_fields(out, whole, path, offset + within, fields);
            }
            _ => assertions(out, whole, &format!("{path}.{name}"), offset + within, ty),
        }
    }
}

/// Fails unless the compilers find each of `names` as it was read from `text`.
#[track_caller]
pub(crate) fn check(target: Target, text: &str, names: &[String]) {
    let mut declarations = CDeclarations::new(target.c());
    declarations.add(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let mut source = format!("{text}\n");
    for name in names {
        let ty = declarations.ty(name).unwrap_or_else(|error| panic!("{error}"));
        // `check` is what placement relies on.
        ty.check();
        assertions(&mut source, name, "", 0, &ty);
    }
    confirm(target, &source);
}

/// Without declarations: every way to write a scalar.
const SCALARS: [&str; 88] = [
    "char",
    "signed char",
    "char signed",
    "unsigned char",
    "short",
    "short int",
    "int short signed",
    "signed short",
    "unsigned short",
    "short unsigned int",
    "int",
    "signed",
    "signed int",
    "unsigned",
    "unsigned int",
    "int unsigned",
    "long",
    "long int",
    "int long",
    "signed long",
    "long signed int",
    "unsigned long",
    "long unsigned",
    "int long unsigned",
    "long long",
    "long long int",
    "int long long",
    "long int long",
    "long signed long",
    "unsigned long long",
    "long unsigned long int",
    "float",
    "double",
    "long double",
    "double long",
    "_Bool",
    "bool",
    "__int128",
    "__int128 signed",
    "unsigned __int128",
    "__int128 unsigned",
    "_Float16",
    "__float128",
    "_Complex float",
    "float _Complex",
    "double _Complex",
    "_Complex long double",
    "long _Complex double",
    "const volatile int",
    "int const",
    "_Atomic int",
    "_Atomic(long)",
    "int8_t",
    "uint8_t",
    "int16_t",
    "uint16_t",
    "int32_t",
    "uint32_t",
    "int64_t",
    "uint64_t",
    "intptr_t",
    "uintptr_t",
    "size_t",
    "ssize_t",
    "ptrdiff_t",
    "wchar_t",
    "wint_t",
    "intmax_t",
    "uintmax_t",
    "int_fast8_t",
    "uint_fast64_t",
    "int_least16_t",
    "char16_t",
    "char32_t",
    "void *",
    "int **",
    "const char *const *",
    "int (*)(int, ...)",
    "int (*(*)(void))[3]",
    "int[3]",
    "int[2][3]",
    "char *[4]",
    "va_list",
    "__m128",
    "__m128i",
    "__m256d",
    "__m512",
    "int (*)[7]",
];

/// Those of which a target has none.
fn lacks(target: Target, scalar: &str) -> bool {
    let is_64 = target.data_model().pointer.size == 8;
    let is_x86 = target.architecture() == Architecture::X86_64;
    scalar.contains("int128") && !is_64
        || scalar.starts_with("__m") && !is_x86
        // clang has it for x86-64 Linux, gcc for Windows, too.
        || scalar == "__float128" && target != Target::X86_64Unix
        // clang knows those that the options allow.
        || scalar == "_Float16" && !is_x86 && target.architecture() != Architecture::Aarch64
}

#[test]
fn scalars() {
    for target in Target::ALL {
        let declarations = CDeclarations::new(target.c());
        let mut source = String::new();
        let known = SCALARS.iter().filter(|scalar| !lacks(target, scalar));
        assert!(known.clone().count() > 70, "{target}");
        for (i, scalar) in known.enumerate() {
            // cbframe reads the type itself, C a typedef of it.
            writeln!(source, "typedef __typeof__({scalar}) t{i};").unwrap();
            let ty = declarations.ty(scalar).unwrap_or_else(|error| panic!("{target}: {error}"));
            assertions(&mut source, &format!("t{i}"), "", 0, &ty);
        }
        confirm(target, &source);
    }
}

#[test]
fn structs_unions_enums() {
    // What is different elsewhere is in `scalars`.
    let text = r#"
        typedef struct { double x; int id; } t0;
        typedef struct tag { char a; struct { short b; long c[2]; } inner; struct tag *next; } t1;
        typedef union { char a[9]; double b; } t2;
        typedef struct __attribute__((packed)) { char a; int b; double c; } t3;
        typedef struct { char a; int b; } __attribute__((__packed__)) t4;
        typedef struct { char a; } __attribute__((aligned(32))) t5;
        typedef struct { _Alignas(16) float v[4]; } t6;
        typedef struct { float v[3] __attribute__((aligned(16))); float w; } t7;
        typedef struct { int a; union { int i; float f; struct { short p, q; }; }; struct { char s; }; } t8;
        typedef enum { A, B, C = 1 << 4, D = C | 1 } t9;
        typedef enum { E = -1, F } t10;
        typedef enum { G = 0x80000000 } t11;
        typedef enum { H = -1, I = 0x80000000 } t12;
        typedef enum { J = 0x123456789ab } t13;
        typedef enum __attribute__((packed)) { K = 255 } t14;
        typedef enum { L = -200 } __attribute__((packed)) t15;
        typedef struct { enum later *p; enum { M = sizeof(t1), N = _Alignof(t6), } e; } t16;
        typedef char t17[M];
        typedef char t18[N * 2 + (sizeof(long) == 8 ? 3 : 4) - ~0];
        typedef float t19 __attribute__((vector_size(16)));
        typedef __attribute__((vector_size(32))) int t20;
        typedef struct { char a; t19 v; } t21;
        typedef struct { } t22;
        typedef struct { t22 nothing; char a; t22 again[2]; int b; } t23;
        typedef struct { int a, *b, c[3], (*d)(int), *(*e[2])(void); } t24;
        typedef struct { long double a; float b; _Complex float c; __int128 d; _Float16 e; __float128 f; bool g; } t25;
        #pragma pack(push, 2)
        typedef struct { char a; int b; double c; } t26;
        #pragma pack(1)
        typedef struct { char a; t26 b; double c; } t27;
        #pragma pack(pop)
        typedef struct { char a; t27 b; double c; } t28;
        typedef union __attribute__((packed)) { char a; int b; } t29;
        struct forward; typedef struct forward t30; struct forward { t30 *self; int n; };
        typedef struct __attribute__((packed, aligned(1))) { char a; short b; } t31;
        typedef struct { char a; struct { int : 0 ? 1 : 32; } *p; } *t32_;
        typedef char t32['a' == 97 && '\n' == 10 ? 0x10u : 010];
        typedef struct { _Alignas(double) char a; char b; } t33;
        typedef struct { int a; } t34, *t35, t36[2];
        typedef const struct { const char *const name; volatile int v; } t37;
        typedef struct { va_list list; int after; } t38;
        typedef char t39[-1 > 0u ? 1 : 2];
        typedef char t40[(1u - 2u) / 0x10000000 + (-7 / 2) + (-7 % 3) + (1ull << 40 >> 38)];
        typedef struct { char a; __attribute__((aligned(4))) char b; } t41_;
        typedef struct { int a; __attribute__((aligned(4))) char b; } t41;
        typedef struct { char c; union { double d; char e; } __attribute__((packed)) u; } t42;
        typedef struct __attribute__((packed, aligned(4))) { char a; int b; } t43;
        typedef struct __attribute__((packed, aligned(2))) { char a; t43 b; double c; } t44;
        typedef union __attribute__((packed, aligned(4))) { char a[5]; double b; } t45;
        _Static_assert(sizeof(t0) == 16, "as C has it");
        int function(t0 a, t1 *b), variable; extern const char *const names[];
    "#;
    // Lines that are refused are tested in `refused`.
    let text: String = text
        .lines()
        .filter(|line| !line.contains("t32_") && !line.contains("t41_"))
        .map(|line| format!("{}\n", line.trim_start()))
        .collect();
    let names: Vec<_> =
        (0..=45).map(|i| format!("t{i}")).chain(["struct tag".into(), "struct forward".into()]).collect();
    check(Target::X86_64Unix, &text, &names);
}
