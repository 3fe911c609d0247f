//! Signatures out of the fuzzer's bytes. Every input is one; where the bytes end, the first choices are taken.

use cbframe::abi::Abi;
use cbframe::types::{Field, Kind, Type};
use libfuzzer_sys::arbitrary::Unstructured;

use crate::arena::Arena;
use crate::shape;

/// The most parameters that a signature has.
const MAX_PARAMETERS: usize = 16;
/// The most bytes that a value has.
const MAX_SIZE: usize = 256;
/// How deep structs, unions and arrays are nested.
const MAX_DEPTH: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) abi: Abi,
    pub(crate) parameters: &'static [(&'static str, Type)],
    pub(crate) result: Type,
}

impl Signature {
    /// The types of the parameters and of the result.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Type> {
        self.parameters.iter().map(|(_, ty)| ty).chain([&self.result])
    }

    /// Whether C has such parameters and such a result.
    pub(crate) fn is_of_c(&self) -> bool {
        let is_array = |ty: &Type| matches!(shape::passed_as(ty).kind, Kind::Array { .. });
        let is_void = |ty: &Type| matches!(shape::passed_as(ty).kind, Kind::Void);
        !self.types().any(is_array) && !self.parameters.iter().any(|(_, ty)| is_void(ty))
    }

    /// Whether there is more than anyone would pass or look through.
    pub(crate) fn is_huge(&self) -> bool {
        let is_small = |ty: &Type| match ty.kind {
            Kind::Array { len, .. } => ty.size <= 4 * MAX_SIZE && len <= 4 * MAX_SIZE,
            _ => ty.size <= 4 * MAX_SIZE && ty.align <= 4 * MAX_SIZE,
        };
        !self.types().all(|ty| shape::all(ty, &is_small))
    }

    /// Whether its types are those of 64-bit x86.
    pub(crate) fn is_of_x86_64(&self) -> bool {
        self.types().all(shape::is_of_x86_64)
    }
}

/// SplitMix64: values, which the fuzzer need not choose.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

const fn scalar(name: &'static str, size: usize, kind: Kind) -> Type {
    Type { name, size, align: size, kind }
}

const fn integer(name: &'static str, size: usize, signed: bool) -> Type {
    scalar(name, size, Kind::Int { signed })
}

const fn pointer(name: &'static str, nullable: bool, pointee_align: usize) -> Type {
    scalar(name, 8, Kind::Pointer { nullable, pointee_align })
}

const fn enumeration(name: &'static str, size: usize, signed: bool, values: &'static [i128]) -> Type {
    scalar(name, size, Kind::Enum { signed, values })
}

const fn complex(name: &'static str, element: &'static Type) -> Type {
    Type { name, size: 2 * element.size, align: element.align, kind: Kind::Complex { element } }
}

/// `void`.
const VOID: Type = Type { name: "()", size: 0, align: 1, kind: Kind::Void };
const FLOAT: Type = scalar("f32", 4, Kind::Float);
const DOUBLE: Type = scalar("f64", 8, Kind::Float);
const LONG_DOUBLE: Type = scalar("long double", 16, Kind::X87);

/// Sizes and alignments are those of figure 3.1 of the psABI.
const INTEGERS: &[Type] = &[
    integer("i32", 4, true),
    integer("u64", 8, false),
    integer("i8", 1, true),
    integer("u16", 2, false),
    integer("i64", 8, true),
    integer("u8", 1, false),
    integer("i16", 2, true),
    integer("u32", 4, false),
    integer("i128", 16, true),
    integer("u128", 16, false),
    scalar("bool", 1, Kind::Bool),
    pointer("pointer", true, 1),
    pointer("reference", false, 4),
    pointer("NonNull", false, 1),
    pointer("reference", true, 64),
    enumeration("Level", 4, true, &[-1, 0, 1, 7]),
    enumeration("Mode", 1, false, &[0, 1, 4, 255]),
    enumeration("Step", 2, true, &[-32768, -2, 3]),
    enumeration("Many", 4, false, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    enumeration("Wide", 8, false, &[0, 1 << 63, (1 << 64) - 1]),
    enumeration("Far", 8, true, &[i64::MIN as i128, -1]),
];

const FLOATS: &[Type] = &[
    DOUBLE,
    FLOAT,
    scalar("Float16", 2, Kind::Float),
    LONG_DOUBLE,
    complex("Complex<f32>", &FLOAT),
    complex("Complex<f64>", &DOUBLE),
    complex("Complex<long double>", &LONG_DOUBLE),
];

const VECTORS: &[Type] = &[
    scalar("__m128", 16, Kind::Vector),
    scalar("Float128", 16, Kind::Float),
    scalar("__m256", 32, Kind::Vector),
    scalar("__m512", 64, Kind::Vector),
];

const NAMES: [&str; 8] = ["a", "b", "c", "type", "größe", "0", "a_name_that_is_longer_than_a_column", ""];

/// Reads choices from the fuzzer's bytes.
pub(crate) struct Source<'data, 'arena> {
    bytes: Unstructured<'data>,
    arena: &'arena Arena,
    /// How many of ten scalars are floats.
    floats: usize,
    /// How many of ten values are aggregates.
    aggregates: usize,
    /// Whether vectors and `__float128` occur. libffi knows neither.
    vectors: bool,
    /// Whether descriptions may be wrong.
    wild: bool,
}

impl<'data, 'arena> Source<'data, 'arena> {
    pub(crate) fn new(data: &'data [u8], arena: &'arena Arena) -> Self {
        let bytes = Unstructured::new(data);
        Self { bytes, arena, floats: 0, aggregates: 0, vectors: false, wild: false }
    }

    /// A signature, and a source of values.
    pub(crate) fn signature(mut self) -> (Signature, Random) {
        let seed = self.bytes.arbitrary().unwrap_or(0u16);
        let abi = if self.one_of(2) { Abi::Win64 } else { Abi::SysV64 };
        self.floats = [3, 9, 0][self.below(3)];
        self.aggregates = [3, 0, 6][self.below(3)];
        self.vectors = self.one_of(8);
        self.wild = self.one_of(8);
        let result = if self.one_of(4) { VOID } else { self.value(0) };
        let count = self.below(MAX_PARAMETERS + 1);
        let parameters = (0..count).map(|_| (self.name(), self.value(0))).collect();
        let parameters = self.arena.keep_all(parameters);
        (Signature { abi, parameters, result }, Random(u64::from(seed)))
    }

    /// A number below `end`; 0 at the end of the bytes.
    fn below(&mut self, end: usize) -> usize {
        self.bytes.int_in_range(0..=end - 1).unwrap_or(0)
    }

    /// Whether one of `count` choices is taken, which is not the first.
    fn one_of(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn name(&mut self) -> &'static str {
        self.pick(&NAMES)
    }

    fn value(&mut self, depth: usize) -> Type {
        let ty = if depth < MAX_DEPTH && self.below(10) + self.aggregates >= 10 {
            self.aggregate(depth)
        } else {
            self.scalar()
        };
        let ty = if ty.size <= MAX_SIZE { ty } else { DOUBLE };
        if self.one_of(16) {
            let of = self.arena.keep(ty);
            return self.distorted(Type { kind: Kind::MaybeUninit { of }, ..ty });
        }
        self.distorted(ty)
    }

    fn scalar(&mut self) -> Type {
        if self.vectors && self.one_of(4) {
            return self.pick(VECTORS);
        }
        if self.below(10) + self.floats >= 10 { self.pick(FLOATS) } else { self.pick(INTEGERS) }
    }

    /// A struct or a union, laid out by the rules of C.
    fn aggregate(&mut self, depth: usize) -> Type {
        let is_union = self.one_of(4);
        let packed = if self.one_of(6) { 1 << self.below(4) } else { usize::MAX };
        let aligned = if self.one_of(8) { 1 << self.below(7) } else { 1 };
        let count = [2, 1, 3, 4, 8, 0][self.below(6)];
        let (mut end, mut align, mut fields) = (0, 1, Vec::new());
        for _ in 0..count {
            let ty = self.member(depth + 1);
            let align_of_field = ty.align.min(packed);
            let offset = if is_union { 0 } else { up(end, align_of_field) };
            end = end.max(offset.saturating_add(ty.size));
            align = align.max(align_of_field);
            fields.push(Field { name: self.name(), offset: self.distorted_number(offset), ty });
        }
        // Rust, and every C that means it, has one of the two.
        let align = if packed == usize::MAX { align.max(aligned) } else { align };
        let fields = self.arena.keep_all(fields);
        let kind = if is_union { Kind::Union { fields } } else { Kind::Struct { fields } };
        Type { name: if is_union { "Union" } else { "Struct" }, size: up(end, align), align, kind }
    }

    fn member(&mut self, depth: usize) -> Type {
        if !self.one_of(4) {
            return self.value(depth);
        }
        let (element, len) = (self.value(depth), [1, 2, 3, 4, 8, 16, 17, 5, 0][self.below(9)]);
        let len = if element.size.saturating_mul(len) > MAX_SIZE { 1 } else { len };
        let kind = Kind::Array { element: self.arena.keep(element), len };
        let size = element.size.wrapping_mul(len);
        self.distorted(Type { name: "array", size, align: element.align, kind })
    }

    /// `ty`, or, if descriptions may be wrong, perhaps something else.
    fn distorted(&mut self, ty: Type) -> Type {
        if !self.wild || !self.one_of(6) {
            return ty;
        }
        match self.below(6) {
            0 => Type { size: self.number(ty.size), ..ty },
            1 => Type { align: self.number(ty.align), ..ty },
            2 => Type { kind: self.scalar().kind, ..ty },
            3 => Type { kind: Kind::Complex { element: self.arena.keep(self.scalar_or(ty)) }, ..ty },
            4 => {
                let (element, len) = (self.arena.keep(ty), self.number(1));
                Type { size: ty.size.wrapping_mul(len), kind: Kind::Array { element, len }, ..ty }
            }
            _ => Type { kind: Kind::Pointer { nullable: self.one_of(2), pointee_align: self.number(8) }, ..ty },
        }
    }

    fn scalar_or(&mut self, ty: Type) -> Type {
        if self.one_of(2) { ty } else { self.scalar() }
    }

    fn distorted_number(&mut self, number: usize) -> usize {
        if self.wild && self.one_of(12) { self.number(number) } else { number }
    }

    /// A number that is not, or only by chance, `right`.
    fn number(&mut self, right: usize) -> usize {
        let (near, half, double) = (right.wrapping_add(1), right / 2, right.wrapping_mul(2));
        let below = right.wrapping_sub(1);
        self.pick(&[0, 1, 2, 3, 16, 128, near, below, half, double, 1 << 33, 1 << 60, 1 << 63, usize::MAX])
    }
}

/// `value` rounded up to a multiple of `align`, as far as there are numbers.
fn up(value: usize, align: usize) -> usize {
    value.checked_next_multiple_of(align.max(1)).unwrap_or(value)
}
