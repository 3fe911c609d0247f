//! What is refused, and where the error says it is.

use cbframe::abi::{Abi, CallingConvention, Signature};
use cbframe::conventions::Regcall;
use cbframe::parse::CDeclarations;

/// `text` is a signature, or with a semicolon at its end declarations; it holds the wrong part between `«` and `»`.
#[track_caller]
fn refused(abi: Abi, text: &str, message: &str) {
    let (before, rest) = text.split_once('«').expect("a mark");
    let wrong = rest.split_once('»').expect("its end").0;
    let plain = text.replace(['«', '»'], "");
    let mut given = CDeclarations::new(abi);
    given.add("typedef struct { float x; } point; struct opaque;").unwrap();
    let found = if plain.ends_with(';') { given.add(&plain).map(drop) } else { given.signature(&plain).map(drop) };
    let error = found.expect_err(&plain);
    assert_eq!(error.message(), message, "{error}");
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    assert_eq!((error.line(), error.column()), (line, column), "{error}");
    let marks = error.to_string().lines().last().unwrap_or_default().chars().filter(|c| *c == '^').count();
    assert_eq!(marks, wrong.lines().next().unwrap_or_default().trim_end().chars().count().max(1), "{error}");
}

#[test]
fn syntax() {
    let no = |text, message| refused(Abi::SysV64, text, message);
    no("int f(int a«»", "parameter #0, `a`: the text ends where `,` or `)` should be");
    no("int f(int a «b», int c)", "parameter #0, `b`: `b` where `,` or `)` should be");
    no("«»", "the text ends where a type should be");
    no("int f(int,«)»", "parameter #1: `)` where a type should be");
    no("int f(int) «int»", "`int` where the end should be");
    no("int f(int «for»)", "parameter #0, `for`: `for` where a name should be");
    no("int f(\n  long a,\n\t«lnog» b)", "parameter #1, `b`: there is no type `lnog`: declare it first");
    no(
        "int f(int (*compare)(const void *, «vodi» *), int)",
        "parameter #0: parameter #1: there is no type `vodi`: declare it first",
    );
    no("int f(«float int» x)", "parameter #0, `x`: `float int` is no type of C, or none that this platform has");
    no("int f(«unsigned double»)", "parameter #0: `unsigned double` is no type of C, or none that this platform has");
    no("int f(point «int» x)", "parameter #0, `x`: a second type");
    no("int f(int «@»x)", "C has no `@`");
    no("int f(int x) «/*»", "this comment does not end");
    no("int f(int x[«'»a])", "this ' has no counterpart in its line");
    no("«#»include <stdio.h>", "a line for the preprocessor: give the text as `cc -E -P` leaves it");
    no("int f(int * «__ptr32» p)", "parameter #0, `p`: `__ptr32` where a name should be");
    no("typedef int t; «x» y;", "there is no type `x`: declare it first");
    no("struct s { int a; } «int»;", "a second type");
    no("typedef int «;»", "`;` where a name should be");
}

#[test]
fn functions() {
    let no = |text, message| refused(Abi::SysV64, text, message);
    no("int f«()»", "`()` says nothing about the parameters: write `(void)` if there are none");
    no("«int x»", "no function, and no pointer to one: write `int (*)(double)` or `int f(double)`");
    no("«int (**f)(int)»", "no function, and no pointer to one: write `int (*)(double)` or `int f(double)`");
    no(
        "int f(«struct opaque x»)",
        "parameter #0, `x`: what is in `struct opaque` is not known: only pointers to it can be passed",
    );
    no("int f(int, «void x»)", "parameter #1, `x`: C has no values of the type `void`");
    no("int f«(int)»[3]", "a function returns no array: put it in a struct");
    no("int f«(int)»(int)", "a function returns no function: write a pointer to it");
    no("int f(int) «{» return 1; }", "only the signature is read: end it here");
    no("«typedef int» f(int)", "a typedef declares no function: add it first, and then name it");
    no("«struct opaque f(int)»", "what is in `struct opaque` is not known: only pointers to it can be passed");
    no(
        "int f(«struct { char all[1ul << 31]; }» x)",
        "parameter #0, `x`: the type is too large: it has more than 1 GiB",
    );
    refused(
        Abi::Named(Regcall::CONVENTION),
        "int f(int a, «point p»)",
        "parameter #1, `p`, has the type `point`: `Regcall` has no place for what is no scalar of one register: pass its address on both sides",
    );
    refused(Abi::Named(Regcall::CONVENTION), "«int f(int a, ...)»", "`Regcall` has no variadic functions");
}

#[test]
fn what_no_type_describes() {
    let no = |text, message| refused(Abi::SysV64, text, message);
    no("struct s { int a«:» 3; };", "bit-fields are not read: declare the integer that they share instead");
    no("struct s { int a; unsigned «:» 0; };", "bit-fields are not read: declare the integer that they share instead");
    no(
        "struct s { int n; char «data[]»; };",
        "a flexible array has no size: a struct that ends in it is not passed by value",
    );
    no(
        "struct s { int n; char «data[0]»; };",
        "an array without elements: compilers differ in what it does to a struct",
    );
    no("int f(int n, int a[«n»])", "parameter #1, `a`: `n` is no constant that was declared");
    no("int f(int a[«*»])", "parameter #0, `a`: an array of a length that is known only at run time");
    no("int f(«_Decimal64» d)", "parameter #0, `d`: there is no `Type` for decimal floats");
    no("int f(«_BitInt»(7) d)", "parameter #0, `d`: there is no `Type` for integers of any number of bits");
    no("int f(«typeof»(1) d)", "parameter #0, `d`: types of expressions are not read");
    no("int f(«_Complex int» c)", "parameter #0, `c`: `_Complex int` is no type of C, or none that this platform has");
    no(
        "typedef struct { char a; char b __attribute__((«aligned(8)»)); } s;",
        "C puts `b` at the offset 8, where no `Type` has it that is aligned to 8: declare padding as fields",
    );
    no(
        "typedef int big __attribute__((«aligned(64)»));",
        "an alignment of a typedef alone: write it on the struct, between `struct` and `{`",
    );
    no(
        "typedef struct { char a; } s __attribute__((«packed»));",
        "`packed` belongs between `struct` and `{`, or behind `}`: here compilers ignore it, or pack one field",
    );
    no(
        "typedef float v __attribute__((«vector_size(12)»));",
        "a vector of 12 bytes: there are those of 8, 16, 32 and 64",
    );
    no("typedef float v __attribute__((«vector_size(6)»));", "a vector's size is a multiple of its element's, 4");
    no("struct s { int x; float «x»; };", "a second field `x`");
    no("struct opaque { int x; }; struct «opaque» { int x; };", "`struct opaque` is defined a second time");
    no("typedef union «opaque» *f(void);", "`opaque` is declared as `struct opaque`");
    no("typedef double «point»;", "`point` was declared before as another type");
    no("typedef enum { A, «A» } e;", "a second constant `A`");
    no(
        "typedef «enum { A = -1, B = 0xffffffffffffffff }» e;",
        "no integer type that an enum has on this platform holds these values",
    );
    no("extern int x «=» 3;", "initial values are not read: end the declaration here");
    no("int f(void) «{» return 0; };", "function bodies are not read: end the declaration here");
    no("«_Static_assert(sizeof(int) == 8, \"no\")»;", "this does not hold here");
    no("typedef char a[«1 / 0»];", "C gives this no value: it overflows, divides by zero, or shifts too far");
    no("typedef char a[«0x7fffffff + 1»];", "C gives this no value: it overflows, divides by zero, or shifts too far");
    no("typedef char a[«1 << 32»];", "C gives this no value: it overflows, divides by zero, or shifts too far");
    no("typedef char a[«-1»];", "a size is no less than 0");
    no("typedef char a[«1.5»];", "no integer that C has");
    no("typedef char a[«99999999999999999999»];", "this integer is too large for C");
    no(
        "«#pragma pack(3)»\n;",
        "read are `(N)`, `(push, N)`, `(push)`, `()`, and a `(pop)` for each `push`; N is 1, 2, 4, 8 or 16",
    );
    refused(
        Abi::Win64,
        "typedef «enum { A = 1ll << 40 }» e;",
        "no integer type that an enum has on this platform holds these values",
    );
    let aligned = "typedef struct { int a __attribute__((«aligned(4)»)); } s;";
    refused(
        Abi::Win64,
        aligned,
        "without this alignment the type is the same; compilers for Windows differ in what it means: remove it",
    );
    refused(
        Abi::Win64,
        "typedef struct __attribute__((packed)) { char a; struct __attribute__((aligned(8))) { int x; } «b»; } s;",
        "compilers for Windows differ in where this is, which has an alignment of its own",
    );
    refused(Abi::Win64, "typedef «struct { }» s;", "Microsoft's compiler has no structs without fields");
}

#[test]
fn attributes() {
    let no = |text, message| refused(Abi::SysV64, text, message);
    no(
        "int «__stdcall» f(int)",
        "`stdcall` is no convention of x86-64 Unix: it is one of Windows and of 32-bit x86: remove it, or choose another ABI",
    );
    no(
        "int f(int) __attribute__((«preserve_none»))",
        "`preserve_none` is no convention of x86-64 Unix: its registers differ between versions of clang: choose the ABI of one",
    );
    no("int (*f(int))(int) __attribute__((«ms_abi»))", "of which function? Write the other one as a typedef");
    no("int f(int __attribute__((«ms_abi»)) x)", "parameter #0, `x`: a calling convention of what is no function");
    no(
        "int f(union { int a; float *b; } __attribute__((«transparent_union»)) x)",
        "parameter #0, `x`: the attribute `transparent_union` is not known here: if it changes nothing about how values are laid out or passed, remove it",
    );
    no("int f(int x) «[»[noreturn]]", "attributes in [[ ]] are not read: write `__attribute__`");
    no(
        "typedef struct __attribute__((aligned«)») { int x; } s;",
        "`aligned` without a number depends on the compiler: write the number",
    );
    no(
        "typedef struct __attribute__((«aligned(3)»)) { int x; } s;",
        "an alignment of 3: it is a power of two up to 2^28",
    );
    no("int f(«_Alignas(8)» int x)", "parameter #0, `x`: C has no parameters with an alignment of their own");
    no(
        "int f(«_Atomic» struct { int a; } x)",
        "parameter #0, `x`: of atomic types only scalars of up to 8 bytes are known",
    );
    no("int __attribute__((ms_abi)) __attribute__((«sysv_abi»)) f(int)", "a second calling convention");
    refused(
        Abi::Win64,
        "int __attribute__((«regcall»)) f(int)",
        "`regcall` is no convention of x86-64 Windows: it is known on 64-bit x86 other than Windows",
    );
}

/// Nothing of a text that is refused is added.
#[test]
fn all_or_nothing() {
    let mut given = CDeclarations::new(Abi::SysV64);
    given.add("typedef int fine; typedef wrong worse;").unwrap_err();
    assert_eq!(given.ty("fine").unwrap_err().message(), "there is no type `fine`: declare it first");
    // What a signature declares is forgotten, too.
    given.signature("int f(struct here { int x; } a)").unwrap();
    given.signature("int f(struct here { double x; } a)").unwrap();
    given.signature("int f(struct here a)").unwrap_err();
}

/// An error about what was declared before shows that text.
#[test]
fn other_texts() {
    let mut given = CDeclarations::new(Abi::SysV64);
    given.add("struct later;\nint f(int a, struct later b);").unwrap();
    assert_eq!(
        given.signature("f").unwrap_err().to_string(),
        "\
parameter #1, `b`: what is in `struct later` is not known: only pointers to it can be passed
  |
2 | int f(int a, struct later b);
  |              ^^^^^^^^^^^^^^"
    );
    given.add("struct later { int x; };").unwrap();
    assert_eq!(given.signature("f").unwrap().layout().parameters()[1].ty.name, "later");
    let error = Signature::parse_c("int f(later)", Abi::SysV64).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parameter #0: there is no type `later`: declare it first\n  |\n1 | int f(later)\n  |       ^^^^^"
    );
}
