//! Conventions that only clang knows: signatures at random, the same ones in each build, as C callers, C callees and Rust
//! callbacks.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// A type of both sides.
#[derive(Clone, Copy)]
struct Type {
    c: &'static str,
    rust: &'static str,
}

macro_rules! types {
    ($($c:literal $rust:literal)*) => { &[$(Type { c: $c, rust: $rust }),*] };
}

const WIDE: &[Type] = types! {
    "int" "i32" "unsigned" "u32" "long long" "i64" "unsigned long long" "u64" "const char *" "*const u8"
    "float" "f32" "double" "f64" "float" "f32" "double" "f64" "v4" "__m128"
};
const NARROW: &[Type] = types! {
    "signed char" "i8" "unsigned char" "u8" "short" "i16" "unsigned short" "u16" "_Bool" "bool"
};
const STRUCTS: &[Type] = types! {
    "struct byte" "Byte" "struct pair" "Pair" "struct mixed" "Mixed" "struct three" "Three" "struct two" "Two"
    "struct one" "One" "struct four" "Four" "struct five" "Five" "struct fs" "Fs" "struct vs" "Vs" "struct nested" "Nested"
};

/// Types of which clang 19 does not place every mixture right: alone in a signature.
const RARE: &[Type] = types! {
    "__int128" "i128" "long double" "LongDouble" "_Float16" "Float16"
    "_Complex float" "Complex<f32>" "_Complex double" "Complex<f64>"
};

/// The definitions of the structs in C; `tests/conventions.rs` has them in Rust.
const DEFINITIONS: &str = "
typedef float v4 __attribute__((vector_size(16)));
struct byte { signed char a; };
struct pair { long long a, b; };
struct mixed { int a; float b; };
struct three { int a, b, c; };
struct two { float a, b; };
struct one { double a; };
struct four { double a, b, c, d; };
struct five { double a, b, c, d, e; };
struct fs { float a[3]; };
struct vs { v4 a, b; };
struct nested { struct two a; float b[2]; };
struct live { long long words[12]; double doubles[12]; };
typedef unsigned char bytes;
";

/// A convention.
pub(crate) struct Convention {
    /// What cbframe calls it.
    pub(crate) rust: &'static str,
    /// A name for modules and tables.
    pub(crate) name: &'static str,
    attribute: &'static str,
    windows: bool,
    lists: &'static [&'static [Type]],
    rare: &'static [Type],
}

/// Those that clang has on the target; what it has for Windows by the other names is something else.
pub(crate) fn conventions(windows: bool) -> impl Iterator<Item = &'static Convention> {
    CONVENTIONS.iter().filter(move |convention| convention.windows || !windows)
}

static CONVENTIONS: [Convention; 5] = [
    Convention {
        rust: "Regcall",
        name: "regcall",
        attribute: "regcall",
        windows: false,
        lists: &[WIDE, NARROW],
        rare: &[],
    },
    Convention {
        rust: "PreserveMost",
        name: "preserve_most",
        attribute: "preserve_most",
        windows: false,
        lists: &[WIDE, NARROW, STRUCTS],
        rare: RARE,
    },
    Convention {
        rust: "PreserveAll",
        name: "preserve_all",
        attribute: "preserve_all",
        windows: false,
        lists: &[WIDE, NARROW, STRUCTS],
        rare: RARE,
    },
    Convention {
        rust: "PreserveNoneClang19",
        name: "preserve_none",
        attribute: "preserve_none",
        windows: false,
        lists: &[WIDE],
        rare: &[],
    },
    Convention {
        rust: "Vectorcall",
        name: "vectorcall",
        attribute: "vectorcall",
        windows: true,
        lists: &[WIDE, NARROW, STRUCTS],
        rare: &[],
    },
];

struct Signature {
    parameters: Vec<Type>,
    result: Option<Type>,
}

/// Numbers that look random: Knuth's MMIX generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

impl Convention {
    fn signatures(&self) -> Vec<Signature> {
        let types = self.lists.concat();
        let mut random = Random(self.name.bytes().map(u64::from).sum());
        // Those that are in vector registers, by which there are rules up to the sixth position, a hidden pointer included.
        let homogeneous = |ty: &Type| ["One", "Two", "Four", "Fs", "Vs", "Nested"].contains(&ty.rust);
        let in_memory = |ty: &Type| ["Pair", "Three", "Five"].contains(&ty.rust);
        // First, each type alone, and more of one kind than there are registers.
        let mut signatures: Vec<_> =
            types.iter().chain(self.rare).map(|&ty| Signature { parameters: vec![ty], result: Some(ty) }).collect();
        for ty in [WIDE[2], WIDE[6], WIDE[9]] {
            signatures.push(Signature { parameters: vec![ty; 18], result: None });
        }
        for i in 0..40 {
            let count = if i % 4 == 0 { 10 + random.below(9) } else { random.below(10) };
            let result = (random.below(5) > 0).then(|| types[random.below(types.len())]);
            let hidden = usize::from(result.as_ref().is_some_and(in_memory));
            let parameters = (0..count).map(|i| {
                let drawn = types[random.below(types.len())];
                if self.windows && homogeneous(&drawn) && i + hidden >= 6 { WIDE[i % WIDE.len()] } else { drawn }
            });
            signatures.push(Signature { parameters: parameters.collect(), result });
        }
        signatures
    }

    /// Callers, callees and a table of both, called `TABLE`.
    fn c(&self, windows: bool) -> String {
        let mut out = DEFINITIONS.to_owned();
        let attribute = format!("__attribute__(({}))", self.attribute);
        if self.windows && !windows {
            // What the compiler relies on: a mark of programs with floats, and a function of the convention of Windows, not
            // that of the C library here.
            out.push_str(
                "__attribute__((weak)) int _fltused;\n\
                 __attribute__((used)) static void *memcpy(void *to, const void *from, unsigned long long size) {\n\
                 for (unsigned long long i = 0; i < size; i++) ((volatile bytes *)to)[i] = ((const bytes *)from)[i];\n\
                 return to; }\n",
            );
        }
        let signatures = self.signatures();
        for (i, Signature { parameters, result }) in signatures.iter().enumerate() {
            let list = |of: &dyn Fn(usize, &Type) -> String| -> Vec<String> {
                parameters.iter().enumerate().map(|(j, ty)| of(j, ty)).collect()
            };
            let (c, declared) = (result.map_or("void", |ty| ty.c), list(&|j, ty| format!("{} p{j}", ty.c)).join(", "));
            let declared = if declared.is_empty() { "void" } else { &declared };
            let loads = list(&|j, ty| format!("{0} p{j} = *({0} const *)(in + 64 * {j});", ty.c)).concat();
            let stores = list(&|j, ty| format!("*({} *)(cbt_seen + 64 * {j}) = p{j};", ty.c)).concat();
            let names = list(&|j, _| format!("p{j}")).join(", ");
            let live = |before: bool| -> String {
                let one = |(kind, short, k): (&str, char, usize)| {
                    let c = if short == 'w' { "long long" } else { "double" };
                    if before {
                        format!("{c} {short}{k} = live->{kind}[{k}];")
                    } else {
                        format!("live->{kind}[{k}] = {short}{k};")
                    }
                };
                (0..12).flat_map(|k| [("words", 'w', k), ("doubles", 'd', k)]).map(one).collect()
            };
            let (keep, give) = match result {
                None => (String::new(), String::new()),
                Some(ty) => (format!("*({} *)out = ", ty.c), format!("return *({} *)cbt_reply;", ty.c)),
            };
            write!(
                out,
                "
typedef {attribute} {c} type{i}({declared});
static void caller{i}(void (*callback)(void), const bytes *in, bytes *out, struct live *live) {{
    {loads}{}
    {keep}((type{i} *)callback)({names});
    {}
}}
static {attribute} {c} callee{i}({declared}) {{ {stores}{give} }}
",
                live(true),
                live(false),
            )
            .unwrap();
        }
        let table =
            (0..signatures.len()).map(|i| format!("{{ caller{i}, (void (*)(void))callee{i} }},")).collect::<String>();
        out.replacen("typedef unsigned char bytes;", "typedef unsigned char bytes;\nextern bytes cbt_seen[64 * 20] __attribute__((aligned(64))), cbt_reply[64] __attribute__((aligned(64)));", 1)
            + &format!(
                "
struct entry {{ void (*caller)(void (*)(void), const bytes *, bytes *, struct live *); void (*callee)(void); }};
const struct entry TABLE[{}] = {{ {table} }};
",
                signatures.len()
            )
    }

    /// A module with a callback for each signature, and a list of them.
    pub(crate) fn rust(&self) -> String {
        let Self { rust, name, windows, .. } = self;
        let mut out = format!("mod {name} {{\nuse super::*;\n");
        let mut cases = String::new();
        let signatures = self.signatures();
        for (i, Signature { parameters, result }) in signatures.iter().enumerate() {
            let declared: String =
                parameters.iter().enumerate().map(|(j, ty)| format!("p{j}: {}, ", ty.rust)).collect();
            let seen: String = (0..parameters.len()).map(|j| format!("bytes(&p{j}), ")).collect();
            let arrow = result.map_or(String::new(), |ty| format!(" -> {}", ty.rust));
            let (state, arrive) = if i % 2 == 0 { ("", "") } else { ("#[state] s: &u64, ", "arrive(s); ") };
            let address = if i % 2 == 0 {
                format!("callback{i}::FN")
            } else {
                format!("cbframe::bind_static!(callback{i}, STATE)")
            };
            writeln!(
                out,
                "#[cbframe(abi = {rust})]\nfn callback{i}({state}{declared}){arrow} {{ {arrive}see(&[{seen}]); trash(); reply() }}"
            )
            .unwrap();
            writeln!(
                cases,
                "Case {{ address: {address}, layout: callback{i}::LAYOUT, stateful: {}, booleans: {:#b} }},",
                i % 2 == 1,
                parameters.iter().rev().fold(0_u32, |bits, ty| bits << 1 | u32::from(ty.rust == "bool"))
            )
            .unwrap();
        }
        let count = signatures.len();
        writeln!(
            out,
            "unsafe extern \"C\" {{ static cbt_{name}_o0: [Entry; {count}]; static cbt_{name}_o2: [Entry; {count}]; }}\n\
             static CASES: [Case; {count}] = [{cases}];\n\
             pub(crate) static CONVENTION: Tested = Tested {{ cases: &CASES, tables: [&raw const cbt_{name}_o0 as *const Entry, \
             &raw const cbt_{name}_o2 as *const Entry], windows: {windows} }};\n}}"
        )
        .unwrap();
        out
    }

    /// Compiles the C side.
    pub(crate) fn compile(&self, clang: &str, out: &Path, windows: bool) {
        let source = out.join(format!("{}.c", self.name));
        std::fs::write(&source, self.c(windows)).expect("OUT_DIR can be written to");
        let mut library = cc::Build::new();
        for level in ["0", "2"] {
            let object = out.join(format!("{}_o{level}.o", self.name));
            let mut command = Command::new(clang);
            command.arg(match (self.windows, windows) {
                (_, true) => "--target=x86_64-pc-windows-gnu",
                // ELF with the conventions of Windows: where it lies its code does not mind either.
                (true, false) => "--target=x86_64-pc-windows-msvc-elf",
                (false, false) => "-fPIC",
            });
            command.args(["-c", "-ffreestanding", "-fno-stack-protector", "-Wno-everything"]);
            command.arg(format!("-O{level}")).arg(format!("-DTABLE=cbt_{}_o{level}", self.name));
            let status = command.arg("-o").arg(&object).arg(&source).status().expect("clang can be run");
            assert!(status.success(), "{} of {}", clang, source.display());
            library.object(object);
        }
        library.compile(&format!("cbt_{}", self.name));
    }
}
