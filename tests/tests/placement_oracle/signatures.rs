//! Random signatures, as descriptions and as C.

use std::fmt::Write as _;

use cbframe::CType;
use cbframe::types::{Field, Kind, Type};

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

/// What a compiler's C has for a target.
pub(crate) struct Dialect {
    /// What comes before all declarations: `stddef.h` and `stdint.h`, attributes for `ABI`, and what functions do, `BODY` and
    /// `BODY_VOID`.
    pub(crate) prelude: String,
    pub(crate) integers: Vec<(&'static str, Type)>,
    pub(crate) floats: Vec<(&'static str, Type)>,
    /// What is no plain integer, float or pointer.
    pub(crate) rare: Vec<(&'static str, Type)>,
    /// The type of the first parameter, if it is always the same.
    pub(crate) first: Option<(&'static str, Type)>,
    /// How many of a hundred parameters may be structs or unions, at most.
    pub(crate) aggregates: usize,
    /// Whether there are structs that are declared with an alignment.
    pub(crate) aligned: bool,
    /// Whether there are structs without bytes.
    pub(crate) empty_structs: bool,
    /// Whether results without bytes are left out.
    pub(crate) no_empty_results: bool,
    /// How many of a hundred signatures are variadic.
    pub(crate) variadic: usize,
}

/// `_Complex` of these floats.
pub(crate) const fn complex(name: &'static str, element: &'static Type) -> Type {
    Type { name, size: 2 * element.size, align: element.align, kind: Kind::Complex { element } }
}

/// A random signature.
pub(crate) struct Signature {
    pub(crate) index: usize,
    pub(crate) parameters: Vec<Type>,
    /// How many of the parameters are before `...`, if it is variadic.
    #[allow(dead_code, reason = "not every oracle asks about variadic functions")]
    pub(crate) before_dots: Option<usize>,
    pub(crate) result: Type,
    /// The signature in C, with the types that it needs.
    pub(crate) prototype: String,
}

/// Descriptions borrow for `'static`, and a test run makes few.
pub(crate) fn leak<T>(value: T) -> &'static T {
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

/// Some signatures and what asks compilers about them.
pub(crate) struct Source<'a> {
    pub(crate) signatures: Vec<Signature>,
    /// The types.
    types: String,
    /// For each signature, a function that calls a spy.
    callers: String,
    /// For each signature, a function of that signature.
    callees: String,
    dialect: &'a Dialect,
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

impl<'a> Source<'a> {
    pub(crate) fn new(dialect: &'a Dialect, indices: impl Iterator<Item = usize>) -> Self {
        let mut source = Self {
            signatures: Vec::new(),
            types: dialect.prelude.clone(),
            callers: String::new(),
            callees: String::new(),
            dialect,
            random: Random(0),
            rare: 0,
            favourites: [0; 2],
            floats: 0,
            declared: 0,
        };
        for index in indices {
            let signature = source.signature(index);
            source.signatures.push(signature);
        }
        source
    }

    /// C functions `call_{index}`, each of which calls its first argument with the bytes of the second, [`MAX_SIZE`] for each
    /// argument, and stores the result in the third.
    pub(crate) fn callers(&self) -> String {
        format!("{}{}", self.types, self.callers)
    }

    /// C functions `callee_{index}` with the parameters `p0v`, `p1v` and so on.
    pub(crate) fn callees(&self) -> String {
        format!("{}{}", self.types, self.callees)
    }

    /// Declares signature `index`.
    fn signature(&mut self, index: usize) -> Signature {
        // On its own, so that the number of signatures does not change them.
        self.random = Random(index as u64);
        let start = self.types.len();
        // Each signature has its own mixture, so that either kind of register runs out in some.
        self.rare = self.random.one_of(&[0, 10, 30, 60]);
        self.favourites = [self.random.next(), self.random.next()];
        self.floats = self.random.one_of(&[5, 40, 90]);
        let aggregates = self.random.below(100).min(self.dialect.aggregates);
        let count = self.random.below(MAX_PARAMETERS + 1).max(self.random.below(MAX_PARAMETERS + 1));
        let parameters: Vec<Declared> = (0..count).map(|_| self.value(aggregates)).collect();
        let result = loop {
            let result = match self.random.below(10) {
                0 => Declared::plain(<()>::TYPE, "void"),
                1..3 => self.rare(),
                _ => self.value(self.dialect.aggregates.min(60)),
            };
            let void = matches!(result.ty.kind, Kind::Void);
            // On Windows, clang passes a hidden pointer to nothing, gcc and rustc do not.
            if void || !self.dialect.no_empty_results || result.ty.size > 0 {
                break result;
            }
        };
        let variadic = self.dialect.variadic > 0 && self.random.percent(self.dialect.variadic) && count > 0;
        let before_dots = variadic.then(|| 1 + self.random.below(count));
        let mut parameters = parameters;
        if let (Some((base, ty)), Some(first)) = (self.dialect.first, parameters.first_mut()) {
            *first = Declared::plain(ty, base);
        }
        for parameter in &mut parameters[before_dots.unwrap_or(count)..] {
            while is_promoted(&parameter.ty) {
                *parameter = self.scalar();
            }
        }
        self.declare(index, start, &parameters, before_dots, &result)
    }

    fn declare(
        &mut self,
        index: usize,
        start: usize,
        parameters: &[Declared],
        before_dots: Option<usize>,
        result: &Declared,
    ) -> Signature {
        let (bases, named): (Vec<String>, Vec<String>) =
            parameters.iter().enumerate().map(|(i, p)| (p.base.clone(), format!("{} p{i}v", p.base))).unzip();
        let list = |all: &[String]| match before_dots {
            Some(before) => format!("{}, ...", all[..before].join(", ")),
            None if all.is_empty() => "void".into(),
            None => all.join(", "),
        };
        let (r, void) = (&result.base, matches!(result.ty.kind, Kind::Void));
        writeln!(self.types, "typedef {r} (ABI *fn_{index})({});", list(&bases)).unwrap();
        let prototype = self.types[start..].to_owned();

        writeln!(self.callers, "void call_{index}(spy_fn *spy, const char *in, char *out) {{").unwrap();
        for (i, p) in named.iter().enumerate() {
            writeln!(self.callers, "  {p}; memcpy(&p{i}v, in + {}, sizeof p{i}v);", i * MAX_SIZE).unwrap();
        }
        let names: Vec<String> = (0..parameters.len()).map(|i| format!("p{i}v")).collect();
        let call = format!("((fn_{index})spy)({})", names.join(", "));
        let call = if void { call } else { format!("{r} r = {call}; memcpy(out, &r, sizeof r)") };
        writeln!(self.callers, "  {call};\n}}").unwrap();

        let body = if void { "BODY_VOID".into() } else { format!("BODY({r})") };
        writeln!(self.callees, "ABI {r} callee_{index}({}) {{ {body} }}", list(&named)).unwrap();
        let parameters = parameters.iter().map(|p| p.ty).collect();
        Signature { index, parameters, before_dots, result: result.ty, prototype }
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
        let floats = self.random.percent(self.floats);
        let choices = if floats { &self.dialect.floats } else { &self.dialect.integers };
        let (base, ty) = self.random.one_of(choices);
        Declared::plain(ty, base)
    }

    /// A scalar that is no plain integer, float or pointer.
    fn rare(&mut self) -> Declared {
        let choices = &self.dialect.rare;
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
            0..5 if self.dialect.empty_structs => Vec::new(),
            // Every size up to 64.
            5..12 => vec![array(Declared::plain(u8::TYPE, "uint8_t"), 1 + self.random.below(64))],
            12..25 => vec![self.member(depth + 1)],
            _ => (0..1 + self.random.below(4)).map(|_| self.member(depth + 1)).collect(),
        };
        let alignment = match self.random.below(100) {
            0..12 if members.iter().all(|m| !m.aligned) => Alignment::Packed(self.random.one_of(&[1, 1, 2, 4, 8])),
            12..22 if self.dialect.aligned => Alignment::Aligned(self.random.one_of(&[2, 4, 8, 16, 16, 32, 64])),
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

/// Whether a type or something in it `is`.
pub(crate) fn contains(ty: &Type, is: &dyn Fn(&Type) -> bool) -> bool {
    is(ty)
        || match ty.kind {
            Kind::Struct { fields } | Kind::Union { fields } => fields.iter().any(|field| contains(&field.ty, is)),
            Kind::Array { element, .. } | Kind::Complex { element } | Kind::MaybeUninit { of: element } => {
                contains(element, is)
            }
            _ => false,
        }
}

/// Whether C passes another type in its stead behind `...` (C17, 6.5.2.2, paragraph 6).
fn is_promoted(ty: &Type) -> bool {
    match ty.kind {
        Kind::Bool | Kind::Int { .. } => ty.size < 4,
        Kind::Float => ty.size < 8,
        Kind::MaybeUninit { of } => is_promoted(of),
        _ => false,
    }
}

fn array(Declared { ty, base, suffix, aligned }: Declared, len: usize) -> Declared {
    let kind = Kind::Array { element: leak(ty), len };
    let ty = Type { name: "array", size: ty.size * len, align: ty.align, kind };
    Declared { ty, base, suffix: format!("[{len}]{suffix}"), aligned }
}
