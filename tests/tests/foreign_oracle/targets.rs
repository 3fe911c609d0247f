//! The targets whose compilers are asked, and what their C has.

use std::fmt::Write as _;

use cbframe::abi::{Abi, DataModel, Target, X86Call};
use cbframe::parse::CDeclarations;
use cbframe::types::{Kind, Type};

use crate::signatures::{Dialect, complex, leak};

/// A compiler that is asked about the callers of a convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    Gcc,
    Clang,
    /// Clang, as a compiler for Microsoft's.
    ClangMsvc,
}

/// What compiles programs for a target, and runs them.
pub(crate) struct Machine {
    /// gcc for Linux, which compiles the spy and links, with its options.
    pub(crate) linux: &'static [&'static str],
    pub(crate) emulator: &'static str,
}

const X86: Machine = Machine { linux: &["gcc", "-m32", "-msse2", "-fcf-protection=none"], emulator: "qemu-i386" };
const AARCH64: Machine = Machine { linux: &["aarch64-linux-gnu-gcc"], emulator: "qemu-aarch64" };
const ARM: Machine =
    Machine { linux: &["arm-linux-gnueabihf-gcc", "-marm", "-mfpu=neon", "-mfp16-format=ieee"], emulator: "qemu-arm" };
const RISCV64: Machine = Machine { linux: &["riscv64-linux-gnu-gcc"], emulator: "qemu-riscv64" };

impl Machine {
    pub(crate) fn of(abi: Abi) -> &'static Self {
        match abi {
            Abi::X86 { .. } => &X86,
            Abi::Aapcs64 | Abi::AppleArm64 => &AARCH64,
            Abi::Aapcs | Abi::AapcsVfp => &ARM,
            Abi::Lp64d => &RISCV64,
            other => panic!("{other} is no foreign convention"),
        }
    }
}

impl Compiler {
    /// The command that compiles C of the target to assembly for Linux' assembler. There are compilers for Windows and for
    /// macOS that write ELF files, and what comes of them has the conventions of these systems.
    pub(crate) fn command(self, abi: Abi) -> Vec<&'static str> {
        let target = match (self, abi) {
            (Self::Gcc, Abi::X86 { windows: true, .. }) => {
                return vec!["i686-w64-mingw32-gcc", "-msse2", "-fno-leading-underscore"];
            }
            (Self::Gcc, _) => return Machine::of(abi).linux.to_vec(),
            (Self::ClangMsvc, _) => "--target=i686-pc-windows-msvc-elf",
            (_, Abi::X86 { windows: true, .. }) => "--target=i686-pc-windows-gnu-elf",
            (_, Abi::X86 { .. }) => "--target=i686-linux-gnu",
            (_, Abi::Aapcs64) => "--target=aarch64-linux-gnu",
            (_, Abi::AppleArm64) => "--target=arm64-apple-macosx-elf",
            (_, Abi::Lp64d) => "--target=riscv64-linux-gnu",
            _ => "--target=armv7-linux-gnueabihf",
        };
        let features = match abi {
            Abi::X86 { .. } => "-msse2",
            Abi::Aapcs | Abi::AapcsVfp => "-mfpu=neon",
            _ => "-fno-pic",
        };
        vec!["clang-19", target, features, "-ffreestanding"]
    }

    /// What its C has.
    pub(crate) fn dialect(self, abi: Abi) -> Dialect {
        let windows = matches!(abi, Abi::X86 { windows: true, .. });
        // What the crate says of this C is asked, too: the C has assertions on sizes, alignments and offsets.
        let model = match self {
            Self::ClangMsvc => *Target::X86Windows.data_model(),
            // MinGW's types are Windows', but for those that GCC has.
            _ if windows => {
                let mut model: DataModel = *Target::X86Windows.data_model();
                model.long_double = Target::X86Linux.data_model().long_double;
                model
            }
            _ => *abi.target().data_model(),
        };
        let types = CDeclarations::with_target(abi, abi.target()).with_model(model);
        let ty = |c: &str| types.ty(c).unwrap_or_else(|error| panic!("{abi}: {error}"));
        let (double, long_double) = (ty("double"), ty("long double"));
        let mut rare = Vec::new();
        let mut float = |with_complex: [&'static str; 2], ty: Type| {
            let [scalar, pair] = with_complex;
            rare.extend([(scalar, ty), (pair, complex(pair, leak(ty)))]);
        };
        let half = Type { name: "half", size: 2, align: 2, ..Type::F32 };
        float(["float", "_Complex float"], Type::F32);
        float(["double", "_Complex double"], double);
        if long_double.size > 8 {
            float(["long double", "_Complex long double"], long_double);
        }
        if let Abi::X86 { windows: false, .. } = abi {
            float(["__float128", "complex_float128"], Type::F128);
        }
        match (self, abi) {
            // gcc 12 has none.
            (Self::Gcc, Abi::Lp64d) | (_, Abi::X86 { windows: true, .. }) => {}
            _ => float(["_Float16", "_Complex _Float16"], half),
        }
        if model.pointer.size == 8 {
            rare.extend([("__int128", Type::I128), ("unsigned __int128", Type::U128)]);
        }
        let mut vector = |names: [&'static str; 3], size: usize| {
            let align = if let Abi::Aapcs | Abi::AapcsVfp = abi { 8 } else { size };
            let ty = Type { size, align, ..Type::vector(16).expect("there are such vectors") };
            rare.extend(names.map(|name| (name, ty)));
        };
        match abi {
            Abi::Aapcs64 | Abi::AppleArm64 | Abi::Aapcs | Abi::AapcsVfp => {
                vector(["m64", "m64i", "m64s"], 8);
                vector(["m128", "m128i", "m128s"], 16);
            }
            Abi::X86 { windows: false, .. } => vector(["m128", "m128i", "m128s"], 16),
            _ => {}
        }
        let attribute = match abi {
            Abi::X86 { call, .. } => call.to_attribute(),
            Abi::Aapcs => "pcs(\"aapcs\")",
            // The compilers' own, also for variadic functions.
            _ => "",
        };
        let mut prelude = format!("{PRELUDE}#define ABI __attribute__(({attribute}))\n");
        for name in
            ["short", "int", "long", "long long", "size_t", "wchar_t", "char", "double", "long double", "va_list"]
        {
            let Type { size, align, kind, .. } = ty(name);
            let is_unsigned = matches!(kind, Kind::Int { signed: false });
            let sign = if name == "va_list" {
                String::new()
            } else {
                format!(" && (({name})-1 > 0) == {}", is_unsigned as u8)
            };
            writeln!(
                prelude,
                "_Static_assert(sizeof({name}) == {size} && offsetof(struct {{ char c; {name} it; }}, it) == {align}{sign}, \"\");"
            )
            .unwrap();
        }
        Dialect {
            prelude,
            integers: vec![
                ("_Bool", Type::BOOL),
                ("int8_t", Type::I8),
                ("uint8_t", Type::U8),
                ("int16_t", Type::I16),
                ("uint16_t", Type::U16),
                ("int32_t", Type::I32),
                ("uint32_t", Type::U32),
                ("int64_t", ty("int64_t")),
                ("long", ty("long")),
                ("wchar_t", ty("wchar_t")),
                ("void *", ty("void *")),
            ],
            floats: vec![("float", Type::F32), ("double", double)],
            rare,
            // Others are refused.
            first: matches!(abi, Abi::X86 { call: X86Call::Thiscall, windows: true }).then(|| ("void *", ty("void *"))),
            aggregates: if matches!(abi, Abi::X86 { call: X86Call::Fastcall, windows: true }) { 2 } else { 100 },
            // Refused, too; Microsoft's compiler also passes by reference what is aligned so anyway.
            aligned: !windows,
            empty_structs: !windows,
            no_empty_results: false,
            // Clang refuses others.
            variadic: if matches!(abi, Abi::X86 { call, .. } if !matches!(call, X86Call::Cdecl | X86Call::Stdcall)) {
                0
            } else {
                25
            },
        }
    }
}

trait Attribute {
    fn to_attribute(self) -> &'static str;
}

impl Attribute for X86Call {
    fn to_attribute(self) -> &'static str {
        match self {
            Self::Cdecl => "cdecl",
            Self::Stdcall => "stdcall",
            Self::Fastcall => "fastcall",
            Self::Thiscall => "thiscall",
            Self::Regparm1 => "regparm(1)",
            Self::Regparm2 => "regparm(2)",
            Self::Regparm3 => "regparm(3)",
            other => panic!("{other:?} has no attribute"),
        }
    }
}

const PRELUDE: &str = "\
#include <stddef.h>
#include <stdint.h>
typedef __builtin_va_list va_list;
#define memcpy __builtin_memcpy
#define VECTOR(bytes) __attribute__((vector_size(bytes)))
typedef float m64 VECTOR(8), m128 VECTOR(16);
typedef int32_t m64i VECTOR(8), m128i VECTOR(16);
typedef int16_t m64s VECTOR(8), m128s VECTOR(16);
#if defined(__i386__) && !defined(_WIN32)
typedef _Complex float complex_float128 __attribute__((mode(TC)));
#endif
typedef void spy_fn(void);
#define BODY(R) static R r; return r;
#define BODY_VOID
";
