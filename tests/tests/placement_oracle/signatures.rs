//! Random signatures, as descriptions and as C.

use std::ffi::c_void;
use std::fmt::Write as _;

use core::arch::x86_64::{__m128, __m128d, __m128i, __m256, __m256d, __m256i, __m512, __m512d, __m512i};

use cbframe::abi::{Abi, Layout, place};
use cbframe::types::{Field, Kind, Type};
use cbframe::{CType, Float16, Float128, LongDouble};

/// The most bytes that one argument has.
pub(crate) const MAX_SIZE: usize = 128;
/// The most parameters that a signature has.
pub(crate) const MAX_PARAMETERS: usize = 12;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True in so many of a hundred cases.
    fn percent(&mut self, of_a_hundred: usize) -> bool {
        self.below(100) < of_a_hundred
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The widest vector registers that a signature needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Vectors {
    Xmm,
    Ymm,
    Zmm,
}

impl Vectors {
    pub(crate) const ALL: [Self; 3] = [Self::Xmm, Self::Ymm, Self::Zmm];

    /// What signature `index` may have: the compilers place wide vectors in registers only if told that there are
    /// some, and they are told so for whole files.
    fn of(index: usize) -> Self {
        [Self::Xmm, Self::Xmm, Self::Ymm, Self::Zmm][index % 4]
    }
}

/// A random signature.
pub(crate) struct Signature {
    pub(crate) index: usize,
    parameters: Vec<Type>,
    result: Type,
    /// The signature in C, with the types that it needs.
    pub(crate) prototype: String,
}

impl Signature {
    /// Where `abi` puts the parameters and the result.
    pub(crate) fn layout(&self, abi: Abi) -> Layout<'static> {
        let parameters: Vec<_> = self.parameters.iter().map(|&ty| ("", ty)).collect();
        macro_rules! by_count {
            ($($n:literal)*) => {
                match parameters.len() {
                    $($n => {
                        let parameters: [_; $n] = parameters.try_into().expect("the length was matched");
                        leak(place(abi, parameters, self.result)).layout(abi, false)
                    })*
                    n => unreachable!("{n} parameters"),
                }
            };
        }
        by_count!(0 1 2 3 4 5 6 7 8 9 10 11 12)
    }
}

/// Descriptions borrow for `'static`, and a test run makes few.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A type and how C declares something of it: `{base} name{suffix}`.
struct Declared {
    ty: Type,
    base: String,
    suffix: String,
    /// Whether there is a struct in it that is declared with an alignment: Rust packs none of these.
    aligned: bool,
}

impl Declared {
    fn plain(ty: Type, base: &str) -> Self {
        Self { ty, base: base.into(), suffix: String::new(), aligned: false }
    }
}

/// What a declaration says about the alignment of a struct or a union.
#[derive(Clone, Copy)]
enum Alignment {
    Natural,
    /// `#[repr(packed(N))]`, in C `#pragma pack(N)`.
    Packed(usize),
    /// `#[repr(align(N))]`.
    Aligned(usize),
}

/// What both C compilers know under these names.
const TYPES: &str = "\
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define VECTOR(bytes) __attribute__((vector_size(bytes)))
typedef float m128 VECTOR(16), m256 VECTOR(32), m512 VECTOR(64);
typedef double m128d VECTOR(16), m256d VECTOR(32), m512d VECTOR(64);
typedef long long m128i VECTOR(16), m256i VECTOR(32), m512i VECTOR(64);
typedef _Complex float complex_float128 __attribute__((mode(TC)));
typedef void spy_fn(void);
";

/// Some signatures and what asks compilers about them.
pub(crate) struct Source {
    pub(crate) vectors: Vectors,
    pub(crate) signatures: Vec<Signature>,
    /// The types.
    types: String,
    /// For each signature, a function that calls a spy.
    callers: String,
    /// For each signature, a function of that signature.
    callees: String,
    random: Random,
    /// How many of a hundred scalars are no plain integers, floats or pointers.
    rare: usize,
    /// Which of these are the most frequent: a union is interesting if its members have something in common.
    favourites: [u64; 2],
    /// How many of a hundred others are floats.
    floats: usize,
    /// How many types have been declared.
    declared: usize,
}

impl Source {
    /// Those signatures among `indices` that need just `vectors`.
    pub(crate) fn new(abi: Abi, vectors: Vectors, indices: impl Iterator<Item = usize>) -> Self {
        let attribute = match abi {
            Abi::Win64 => "__attribute__((ms_abi))",
            _ => "__attribute__((sysv_abi))",
        };
        let mut source = Self {
            vectors,
            signatures: Vec::new(),
            types: format!("{TYPES}#define ABI {attribute}\n"),
            callers: String::new(),
            callees: String::new(),
            random: Random(0),
            rare: 0,
            favourites: [0; 2],
            floats: 0,
            declared: 0,
        };
        for index in indices.filter(|&index| Vectors::of(index) == vectors) {
            let signature = source.signature(abi, index);
            source.signatures.push(signature);
        }
        source
    }

    /// C functions `call_{index}` of type [`Caller`](crate::spy::Caller).
    pub(crate) fn callers(&self) -> String {
        format!("{}{}", self.types, self.callers)
    }

    /// C functions `callee_{index}` with the parameters `p0v`, `p1v` and so on.
    pub(crate) fn callees(&self) -> String {
        format!("{}{}", self.types, self.callees)
    }

    /// Declares signature `index`.
    fn signature(&mut self, abi: Abi, index: usize) -> Signature {
        // On its own, so that the number of signatures does not change them.
        self.random = Random(index as u64);
        let start = self.types.len();
        // Each signature has its own mixture, so that either kind of register runs out in some.
        self.rare = self.random.one_of(&[0, 10, 30, 60]);
        self.favourites = [self.random.next(), self.random.next()];
        self.floats = self.random.one_of(&[5, 40, 90]);
        let aggregates = self.random.below(100);
        let count = self.random.below(MAX_PARAMETERS + 1).max(self.random.below(MAX_PARAMETERS + 1));
        let parameters: Vec<Declared> = (0..count).map(|_| self.value(aggregates)).collect();
        let result = loop {
            let result = match self.random.below(10) {
                0 => Declared::plain(<()>::TYPE, "void"),
                1..3 => self.rare(),
                _ => self.value(60),
            };
            let void = matches!(result.ty.kind, Kind::Void);
            // clang passes a hidden pointer to nothing, gcc and rustc do not.
            if void || abi != Abi::Win64 || result.ty.size > 0 {
                break result;
            }
        };
        self.declare(index, start, &parameters, &result)
    }

    fn declare(&mut self, index: usize, start: usize, parameters: &[Declared], result: &Declared) -> Signature {
        let (bases, named): (Vec<&str>, Vec<String>) =
            parameters.iter().enumerate().map(|(i, p)| (p.base.as_str(), format!("{} p{i}v", p.base))).unzip();
        let or_void = |list: String| if list.is_empty() { "void".into() } else { list };
        let (r, void) = (&result.base, matches!(result.ty.kind, Kind::Void));
        writeln!(self.types, "typedef {r} (ABI *fn_{index})({});", or_void(bases.join(", "))).unwrap();
        let prototype = self.types[start..].to_owned();

        writeln!(self.callers, "void call_{index}(spy_fn *spy, const char *in, char *out) {{").unwrap();
        for (i, p) in named.iter().enumerate() {
            writeln!(self.callers, "  {p}; memcpy(&p{i}v, in + {}, sizeof p{i}v);", i * MAX_SIZE).unwrap();
        }
        let names: Vec<String> = (0..parameters.len()).map(|i| format!("p{i}v")).collect();
        let call = format!("((fn_{index})spy)({})", names.join(", "));
        let call = if void { call } else { format!("{r} r = {call}; memcpy(out, &r, sizeof r)") };
        writeln!(self.callers, "  {call};\n}}").unwrap();

        let list = or_void(named.join(", "));
        writeln!(self.callees, "ABI {r} callee_{index}({list}) {{ __builtin_unreachable(); }}").unwrap();
        Signature { index, parameters: parameters.iter().map(|p| p.ty).collect(), result: result.ty, prototype }
    }

    /// A parameter or a result, an aggregate in so many of a hundred cases.
    fn value(&mut self, aggregates: usize) -> Declared {
        if !self.random.percent(aggregates) {
            let scalar = self.scalar();
            return self.maybe_uninit(scalar);
        }
        loop {
            let value = self.aggregate(0);
            if value.ty.size <= MAX_SIZE {
                return self.maybe_uninit(value);
            }
        }
    }

    /// Now and then wraps a type into what C does not see.
    fn maybe_uninit(&mut self, value: Declared) -> Declared {
        if !self.random.percent(5) {
            return value;
        }
        let kind = Kind::MaybeUninit { of: leak(value.ty) };
        Declared { ty: Type { kind, ..value.ty }, ..value }
    }

    fn scalar(&mut self) -> Declared {
        if self.random.percent(self.rare) {
            return self.rare();
        }
        if self.random.percent(self.floats) {
            let (base, ty) = self.random.one_of(&[("float", f32::TYPE), ("double", f64::TYPE)]);
            return Declared::plain(ty, base);
        }
        let (base, ty) = self.random.one_of(&[
            ("_Bool", bool::TYPE),
            ("int8_t", i8::TYPE),
            ("uint8_t", u8::TYPE),
            ("int16_t", i16::TYPE),
            ("uint16_t", u16::TYPE),
            ("int32_t", i32::TYPE),
            ("uint32_t", u32::TYPE),
            ("int64_t", i64::TYPE),
            ("void *", <*const c_void>::TYPE),
        ]);
        Declared::plain(ty, base)
    }

    /// A scalar that is no plain integer, float or pointer.
    fn rare(&mut self) -> Declared {
        const fn complex(name: &'static str, element: &'static Type) -> Type {
            Type { name, size: 2 * element.size, align: element.align, kind: Kind::Complex { element } }
        }
        const XMM: [(&str, Type); 3] = [("m128", __m128::TYPE), ("m128d", __m128d::TYPE), ("m128i", __m128i::TYPE)];
        const YMM: [(&str, Type); 3] = [("m256", __m256::TYPE), ("m256d", __m256d::TYPE), ("m256i", __m256i::TYPE)];
        const ZMM: [(&str, Type); 3] = [("m512", __m512::TYPE), ("m512d", __m512d::TYPE), ("m512i", __m512i::TYPE)];
        const OTHERS: [(&str, Type); 10] = [
            ("__int128", i128::TYPE),
            ("unsigned __int128", u128::TYPE),
            ("long double", LongDouble::TYPE),
            ("_Float16", Float16::TYPE),
            ("__float128", Float128::TYPE),
            ("_Complex float", complex("complex float", &f32::TYPE)),
            ("_Complex double", complex("complex double", &f64::TYPE)),
            ("_Complex long double", complex("complex long double", &LongDouble::TYPE)),
            ("_Complex _Float16", complex("complex _Float16", &Float16::TYPE)),
            ("complex_float128", complex("complex __float128", &Float128::TYPE)),
        ];
        let vectors = match self.vectors {
            Vectors::Xmm => XMM.to_vec(),
            Vectors::Ymm => [XMM, YMM, YMM].concat(),
            Vectors::Zmm => [XMM, YMM, ZMM, ZMM].concat(),
        };
        let choices = [&vectors[..], &OTHERS].concat();
        let is_favourite = self.random.percent(50);
        let number = if is_favourite { self.random.one_of(&self.favourites) } else { self.random.next() };
        let (base, ty) = choices[(number % choices.len() as u64) as usize];
        Declared::plain(ty, base)
    }

    fn member(&mut self, depth: usize) -> Declared {
        let member = match self.random.below(10) {
            0..2 if depth < 3 => self.aggregate(depth),
            2..4 if depth < 3 => {
                let element = self.member(depth + 1);
                if element.ty.size == 0 {
                    return self.scalar();
                }
                let len = 1 + self.random.below(4);
                array(element, len)
            }
            _ => self.scalar(),
        };
        self.maybe_uninit(member)
    }

    /// Declares a struct or a union, by C's rules, and has C confirm size, alignment and offsets.
    fn aggregate(&mut self, depth: usize) -> Declared {
        let is_union = self.random.percent(25);
        let members: Vec<Declared> = match self.random.below(100) {
            // Empty ones are rare, ones with more fields than registers have bytes are not needed.
            0..5 => Vec::new(),
            // Every size up to 64.
            5..12 => vec![array(Declared::plain(u8::TYPE, "uint8_t"), 1 + self.random.below(64))],
            12..25 => vec![self.member(depth + 1)],
            _ => (0..1 + self.random.below(4)).map(|_| self.member(depth + 1)).collect(),
        };
        let alignment = match self.random.below(100) {
            0..12 if members.iter().all(|m| !m.aligned) => Alignment::Packed(self.random.one_of(&[1, 1, 2, 4, 8])),
            12..22 => Alignment::Aligned(self.random.one_of(&[2, 4, 8, 16, 16, 32, 64])),
            _ => Alignment::Natural,
        };
        self.declare_type(is_union, alignment, members)
    }

    fn declare_type(&mut self, is_union: bool, alignment: Alignment, members: Vec<Declared>) -> Declared {
        let name: &'static str = String::leak(format!("T{}", self.declared));
        self.declared += 1;
        let mut aligned = members.iter().any(|member| member.aligned);
        let (mut size, mut align, mut fields) = (0, 1, Vec::new());
        let mut body = String::new();
        for (i, Declared { ty, base, suffix, .. }) in members.into_iter().enumerate() {
            let name: &'static str = String::leak(format!("f{i}"));
            let field_align = if let Alignment::Packed(most) = alignment { ty.align.min(most) } else { ty.align };
            let offset = if is_union { 0 } else { usize::next_multiple_of(size, field_align) };
            (size, align) = (size.max(offset + ty.size), align.max(field_align));
            write!(body, " {base} {name}{suffix};").unwrap();
            fields.push(Field { name, offset, ty });
        }
        if let Alignment::Aligned(least) = alignment {
            align = align.max(least);
            aligned = true;
        }
        size = size.next_multiple_of(align);

        let keyword = if is_union { "union" } else { "struct" };
        match alignment {
            Alignment::Natural => writeln!(self.types, "typedef {keyword} {{{body} }} {name};"),
            Alignment::Packed(n) => writeln!(
                self.types,
                "#pragma pack(push, {n})\ntypedef {keyword} {{{body} }} {name};\n#pragma pack(pop)"
            ),
            Alignment::Aligned(n) => {
                writeln!(self.types, "typedef {keyword} __attribute__((aligned({n}))) {{{body} }} {name};")
            }
        }
        .unwrap();
        write!(self.types, "_Static_assert(sizeof({name}) == {size} && _Alignof({name}) == {align}").unwrap();
        for field in &fields {
            write!(self.types, " && offsetof({name}, {}) == {}", field.name, field.offset).unwrap();
        }
        writeln!(self.types, ", \"{name}\");").unwrap();

        let fields: &'static [Field] = Vec::leak(fields);
        let kind = if is_union { Kind::Union { fields } } else { Kind::Struct { fields } };
        Declared { aligned, ..Declared::plain(Type { name, size, align, kind }, name) }
    }
}

fn array(Declared { ty, base, suffix, aligned }: Declared, len: usize) -> Declared {
    let kind = Kind::Array { element: leak(ty), len };
    let ty = Type { name: "array", size: ty.size * len, align: ty.align, kind };
    Declared { ty, base, suffix: format!("[{len}]{suffix}"), aligned }
}
