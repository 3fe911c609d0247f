//! C text: what gcc and clang say of the types that are read from it, prototypes of real libraries, and what is refused.
//!
//! Every signature of `tests/signatures.rs`, `types.rs` and `variadic.rs` is read from C as well, and placed as its callback
//! is: `cbframe_tests::again`.
//!
//! Nothing in this depends on the target, and the compilers that are asked are the host's.
#![cfg(unix)]
#![allow(missing_docs, reason = "tests")]

#[path = "parse_c/layouts.rs"]
mod layouts;
#[path = "parse_c/random.rs"]
mod random;
#[path = "parse_c/refused.rs"]
mod refused;

use cbframe::abi::{Abi, Architecture, Signature, Target};
use cbframe::parse::CDeclarations;
use cbframe::types::Type;
use cbframe_tests::again::assert_alike;

/// Compares with a signature that is put together by hand.
#[track_caller]
fn check(text: &str, expected: cbframe::abi::SignatureBuilder) {
    let found = Signature::parse_c(text, Abi::SysV64).unwrap_or_else(|error| panic!("{error}"));
    assert_alike(&found.layout(), &expected.build().unwrap().layout());
}

fn sysv64(parameters: &[Type]) -> cbframe::abi::SignatureBuilder {
    parameters.iter().fold(Signature::new(Abi::SysV64), |builder, ty| builder.param(*ty))
}

const POINTER: Type = Type::POINTER;

#[test]
fn three_ways_to_write_a_function() {
    let expected = || sysv64(&[Type::I32, Type::F32]).ret(Type::F64);
    for text in [
        "double f(int, float)",
        "double f(int, float);",
        "double (*)(int, float)",
        "double (*f)(int, float)",
        "double (int, float)",
        "extern double __attribute__((noreturn, __nonnull__(1))) f(register const int a, float restrict_);",
        "double ((f))(int (a), float ((b)))",
        "/* first */ double // second\n f(int /* third */, float \\\n)",
        "static inline double f(int a, float b) __asm__(\"g\") __attribute__((pure))",
    ] {
        check(text, expected());
    }
    let mut given = CDeclarations::new(Abi::SysV64);
    given.add("typedef double fn(int, float); typedef fn *pointer; double g(int, float), h(void);").unwrap();
    for text in ["fn", "pointer", "g", " g ", "fn f", "fn *", "fn *p;"] {
        assert_alike(&given.signature(text).unwrap().layout(), &expected().build().unwrap().layout());
    }
    assert_eq!(given.functions().collect::<Vec<_>>(), ["g", "h"]);
}

/// The C library's own prototypes, as its manual pages have them.
#[test]
fn prototypes_of_libraries() {
    let (int, long, size) = (Type::I32, Type::I64, Type::U64);
    let compare = "int (*compar)(const void [.size], const void [.size])".replace("[.size]", "*");
    check(
        &format!("void qsort(void *base, size_t n, size_t size, {compare});"),
        sysv64(&[POINTER, size, size, POINTER]),
    );
    check(
        "void *bsearch(const void *key, const void *base, size_t nmemb, size_t size, int (*compar)(const void *, const void *));",
        sysv64(&[POINTER, POINTER, size, size, POINTER]).ret(POINTER),
    );
    check(
        "int nftw(const char *dirpath, int (*fn)(const char *fpath, const struct stat *sb, int typeflag, struct FTW *ftwbuf), int nopenfd, int flags);",
        sysv64(&[POINTER, POINTER, int, int]).ret(int),
    );
    check(
        "int sigaction(int signum, const struct sigaction *_Nullable restrict act, struct sigaction *_Nullable restrict oldact);",
        sysv64(&[int, POINTER, POINTER]).ret(int),
    );
    check("void (*signal(int sig, void (*func)(int)))(int);", sysv64(&[int, POINTER]).ret(POINTER));
    check(
        "int sqlite3_exec(struct sqlite3 *, const char *sql, int (*callback)(void *, int, char **, char **), void *, char **errmsg);",
        sysv64(&[POINTER, POINTER, POINTER, POINTER, POINTER]).ret(int),
    );
    check("int printf(const char *restrict format, ...);", sysv64(&[POINTER]).dots().ret(int));
    check("int vprintf(const char *restrict format, va_list ap);", sysv64(&[POINTER, POINTER]).ret(int));
    check("double frexp(double x, int *exp);", sysv64(&[Type::F64, POINTER]).ret(Type::F64));
    check(
        "long double complex_power(long double _Complex a, double _Complex b);",
        sysv64(&[Type::complex(Type::LONG_DOUBLE).unwrap(), Type::complex(Type::F64).unwrap()]).ret(Type::LONG_DOUBLE),
    );
    check("ssize_t getdelim(char **line, size_t *n, int c, struct _IO_FILE *);", {
        sysv64(&[POINTER, POINTER, int, POINTER]).ret(long)
    });
    let division = Type::structure("ldiv_t", &[("quot", Type::I64), ("rem", Type::I64)]).unwrap();
    let mut given = CDeclarations::new(Abi::SysV64);
    given.add("typedef struct { long int quot; long int rem; } ldiv_t;").unwrap();
    let found = given.signature("ldiv_t ldiv(long number, long denom);").unwrap();
    assert_eq!(
        found.to_string(),
        sysv64(&[]).named("number", long).named("denom", long).ret(division).build().unwrap().to_string()
    );
}

/// `again::from_c` has read each generated signature; here are the names.
#[test]
fn names_are_kept() {
    let mut given = CDeclarations::new(Abi::SysV64);
    given.add("struct point { double x; struct { int a, b; } at; union { int i; float f; }; };").unwrap();
    let signature =
        given.signature("struct point move(struct point from, enum { NO, YES } is_far, int (*)(void), int[3])");
    assert_eq!(
        signature.unwrap().to_string(),
        "\
sysv64 fn(from: point, is_far: enum {…}, pointer, pointer) -> point
  return  point     24 B  in memory; its address arrives in rdi and leaves in rax
  from    point     24 B  stack, [rsp+8] at entry
  is_far  enum {…}   4 B  esi
  #2      pointer    8 B  rdx
  #3      pointer    8 B  rcx"
    );
    let small = given.signature("void f(struct { float x; union { int i; float f; }; } a)").unwrap();
    assert!(small.to_string().ends_with("a       struct {…}  8 B  rdi (x, union)"), "{small}");
    let types: Vec<_> = given.types().map(|(name, ty)| (name, ty.size)).collect();
    assert_eq!(types, [(String::from("struct point"), 24)]);
}

/// Sizes of Windows: "LLP64", and what Microsoft's compiler does with `long double`, enums and `va_list`.
#[test]
fn windows() {
    let given = CDeclarations::new(Abi::Win64);
    for (text, size, align) in [
        ("long", 4, 4),
        ("unsigned long int", 4, 4),
        ("long long", 8, 8),
        ("size_t", 8, 8),
        ("wchar_t", 2, 2),
        ("long double", 8, 8),
        ("enum { NEVER = 1 }", 4, 4),
        ("va_list", 8, 8),
        ("struct { char a; long b; long long c; }", 16, 8),
        ("__int64", 8, 8),
    ] {
        let ty = given.ty(text).unwrap();
        assert_eq!((ty.size, ty.align), (size, align), "{text}");
    }
    let found =
        Signature::parse_c("long __stdcall window(void *, unsigned, uintptr_t, long long)", Abi::Win64).unwrap();
    assert_eq!(
        found.to_string(),
        "\
win64 fn(pointer, u32, u64, i64) -> i32
  return  i32      4 B  eax
  #0      pointer  8 B  rcx
  #1      u32      4 B  edx
  #2      u64      8 B  r8
  #3      i64      8 B  r9"
    );
    let vector = "float __vectorcall f(struct { float a, b; } p)";
    assert_eq!(
        Signature::parse_c(vector, Abi::Win64).unwrap().to_string(),
        "\
Vectorcall fn(p: struct {…}) -> f32
  return  f32         4 B  xmm0
  p       struct {…}  8 B  xmm0 (a), xmm1 (b)"
    );
}

#[test]
fn conventions_of_32_bits() {
    for (abi, text, place) in [
        (Target::X86Windows.c(), "int __stdcall f(int)", "stack, [esp+4] at entry"),
        (Target::X86Linux.c(), "int __attribute__((fastcall)) f(int)", "ecx"),
        (Target::X86Linux.c(), "int f(int) __attribute__((regparm(2)))", "eax"),
        (Target::X86Windows.c(), "int (__thiscall *)(int *)", "ecx"),
        (Target::ArmEabi.c(), "int __attribute__((pcs(\"aapcs-vfp\"))) f(float)", "s0"),
        (Target::ArmEabihf.c(), "int f(float) __attribute__((pcs(\"aapcs\")))", "r0"),
    ] {
        let found = Signature::parse_c(text, abi).unwrap_or_else(|error| panic!("{error}"));
        assert!(found.to_string().contains(&format!("  4 B  {place}")), "{found}");
    }
}

/// Where gcc's manual puts attributes of functions. gcc compiles the same declarations: below.
#[test]
fn conventions_that_are_written_down() {
    let mut given = CDeclarations::new(Abi::SysV64);
    given.add("typedef int plain(long); typedef int (__attribute__((__ms_abi__)) *windows)(long);").unwrap();
    for text in MS {
        let found = given.signature(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            found.to_string(),
            "\
win64 fn(i64) -> i32
  return  i32  4 B  eax
  #0      i64  8 B  rcx",
            "{text}"
        );
    }
    for text in ["int __attribute__((regcall)) f(long)", "int (__regcall *)(long)"] {
        assert_eq!(
            given.signature(text).unwrap().layout().parameters()[0].place.on(Architecture::X86_64).to_string(),
            "rax"
        );
    }
    let back = Signature::parse_c("int __attribute__((sysv_abi)) f(int)", Abi::Win64).unwrap();
    assert_eq!(back.layout().parameters()[0].place.on(Architecture::X86_64).to_string(), "edi");
}

const MS: [&str; 8] = [
    "int __attribute__((ms_abi)) f(long)",
    "int f(long) __attribute__((ms_abi))",
    "__attribute__((ms_abi)) int f(long)",
    "int (__attribute__((ms_abi)) *f)(long)",
    "int (*f)(long) __attribute__((ms_abi))",
    "__attribute__((ms_abi)) plain f",
    "plain f __attribute__((ms_abi))",
    "windows f",
];

/// gcc knows that these are of Windows' convention: it lets itself be told so once more, and not that they are System V's.
#[test]
fn gcc_reads_the_same_conventions() {
    let accepts = |text: &str| {
        layouts::compiles(
            &["gcc".into()],
            &format!(
                "typedef int plain(long); typedef int (__attribute__((ms_abi)) *windows)(long);\n{text};\n\
             typedef __typeof__(f) type;\n_Static_assert(__builtin_types_compatible_p(int (__attribute__((ms_abi)) *)(long), \
             __typeof__(&*f)), \"ms\");\n"
            ),
        )
    };
    for text in MS {
        assert!(accepts(text), "{text}");
    }
    assert!(!accepts("int f(long)"));
}
