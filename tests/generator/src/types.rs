//! C types, with what both languages must agree on.

use std::fmt::Write;
use std::rc::Rc;

/// A type, in C and in Rust.
#[derive(Clone, PartialEq, Debug)]
pub enum Type {
    /// One with a name in either language.
    Scalar(Rc<Scalar>),
    /// `ManuallyDrop` or `MaybeUninit` around a type, of which C knows nothing.
    Wrapped(Wrapper, Rc<Type>),
    /// A struct or a union.
    Aggregate(Rc<Aggregate>),
}

/// What has no fields that a generator chooses.
#[derive(PartialEq, Debug)]
pub struct Scalar {
    /// What tests and descriptions call it.
    pub name: String,
    /// The type in Rust.
    pub rust: String,
    /// The type in C.
    pub c: String,
    /// `sizeof`.
    pub size: usize,
    /// `_Alignof`.
    pub align: usize,
    /// What it is.
    pub kind: Kind,
    /// The bytes that are no padding.
    pub leaves: Vec<Leaf>,
    /// The definitions, if it needs any.
    pub in_rust: String,
    /// The same in C.
    pub in_c: String,
}

/// What a scalar is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An integer of up to 8 bytes, or a pointer.
    Integer {
        /// Whether it has a sign.
        signed: bool,
    },
    /// `__int128`.
    Wide,
    /// `float` and `double`.
    Float,
    /// `_Float16`.
    Half,
    /// `long double`.
    LongDouble,
    /// `__float128`.
    Quad,
    /// `_Complex`, of a float of this size.
    Complex(usize),
    /// `__m128`, `__m256`, `__m512` and their kin.
    Vector,
}

/// A wrapper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrapper {
    /// `core::mem::ManuallyDrop`.
    ManuallyDrop,
    /// `core::mem::MaybeUninit`.
    MaybeUninit,
}

/// A struct or a union.
#[derive(Clone, PartialEq, Debug)]
pub struct Aggregate {
    /// Its name in both languages.
    pub name: String,
    /// Whether it is a union.
    pub union: bool,
    /// `N` of `packed(N)`.
    pub packed: Option<usize>,
    /// `N` of `align(N)`.
    pub aligned: Option<usize>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether cbframe is told of it.
    pub derived: bool,
}

/// A field: its name is a letter, by its position.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The type, or that of the elements of an array.
    pub ty: Type,
    /// The lengths of an array, outermost first.
    pub lengths: Vec<usize>,
}

/// Scalars in a row that belong together: one, or those of an array.
#[derive(Clone, PartialEq, Debug)]
pub struct Leaf {
    /// How C names it, behind the name of the variable: `.a[1].b`.
    pub path: String,
    /// Where the first one is.
    pub offset: usize,
    /// The size of one.
    pub size: usize,
    /// How many there are, for the elements of an array.
    pub count: Option<usize>,
    /// Which bits are values.
    pub bits: Bits,
}

/// Which bits are values.
#[derive(Clone, PartialEq, Debug)]
pub enum Bits {
    /// Any.
    Any,
    /// Those of a float, but for signaling NaNs.
    Quiet,
    /// 0 and 1.
    Bool,
    /// These.
    OneOf(Vec<i64>),
    /// The address of something, aligned.
    Address,
    /// Also null.
    AddressOrNull,
}

/// What a type needs of the CPU, besides what every x86-64 has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cpu {
    /// Nothing.
    Any,
    /// 256-bit vectors.
    Avx,
    /// 512-bit vectors.
    Avx512,
}

impl Cpu {
    /// All, from the least on.
    pub const ALL: [Self; 3] = [Self::Any, Self::Avx, Self::Avx512];

    /// The name of the feature, which is the same in C and in Rust.
    #[must_use]
    pub const fn feature(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Avx => Some("avx"),
            Self::Avx512 => Some("avx512f"),
        }
    }
}

/// The largest number of ways to look at a value with unions that are tried.
const VIEWS: usize = 6;

impl Type {
    /// Its name in tests and descriptions.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Scalar(scalar) => &scalar.name,
            Self::Wrapped(_, inner) => inner.name(),
            Self::Aggregate(aggregate) => &aggregate.name,
        }
    }

    /// The type in Rust.
    #[must_use]
    pub fn rust(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.rust.clone(),
            Self::Wrapped(wrapper, inner) => format!("{wrapper:?}<{}>", inner.rust()),
            Self::Aggregate(aggregate) => aggregate.name.clone(),
        }
    }

    /// The type in C.
    #[must_use]
    pub fn c(&self) -> &str {
        match self {
            Self::Scalar(scalar) => &scalar.c,
            Self::Wrapped(_, inner) => inner.c(),
            Self::Aggregate(aggregate) => &aggregate.name,
        }
    }

    /// `sizeof`.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Scalar(scalar) => scalar.size,
            Self::Wrapped(_, inner) => inner.size(),
            Self::Aggregate(aggregate) => {
                let ends = aggregate.fields.iter().zip(aggregate.offsets()).map(|(field, at)| at + field.size());
                ends.max().unwrap_or(0).next_multiple_of(self.align())
            }
        }
    }

    /// `_Alignof`.
    #[must_use]
    pub fn align(&self) -> usize {
        match self {
            Self::Scalar(scalar) => scalar.align,
            Self::Wrapped(_, inner) => inner.align(),
            Self::Aggregate(aggregate) => {
                let fields = aggregate.fields.iter().map(|field| aggregate.align_of(field)).max().unwrap_or(1);
                fields.max(aggregate.aligned.unwrap_or(1))
            }
        }
    }

    /// The scalar, if it is one, maybe wrapped.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            Self::Wrapped(_, inner) => inner.scalar(),
            Self::Aggregate(_) => None,
        }
    }

    /// The aggregate, if it is one, maybe wrapped.
    #[must_use]
    pub fn aggregate(&self) -> Option<&Rc<Aggregate>> {
        match self {
            Self::Scalar(_) => None,
            Self::Wrapped(_, inner) => inner.aggregate(),
            Self::Aggregate(aggregate) => Some(aggregate),
        }
    }

    /// Whether `test` holds for this type or for a part of it.
    #[must_use]
    pub fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self)
            || match self {
                Self::Scalar(_) => false,
                Self::Wrapped(_, inner) => inner.any(test),
                Self::Aggregate(aggregate) => aggregate.fields.iter().any(|field| field.ty.any(test)),
            }
    }

    /// Whether a scalar of this type or in it is one for which `test` holds.
    #[must_use]
    pub fn has(&self, test: impl Fn(&Scalar) -> bool) -> bool {
        self.any(&|ty| matches!(ty, Self::Scalar(scalar) if test(scalar)))
    }

    /// Whether cbframe knows its layout.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.any(&|ty| matches!(ty, Self::Aggregate(aggregate) if !aggregate.derived))
    }

    /// Whether an argument behind `...` can have this type: C promotes no such argument, and cbframe knows the layout.
    #[must_use]
    pub fn is_variadic(&self) -> bool {
        match self {
            Self::Scalar(scalar) => match scalar.kind {
                Kind::Integer { .. } | Kind::Float => scalar.size > 4 || scalar.size == 4 && scalar.kind != Kind::Float,
                _ => true,
            },
            Self::Wrapped(_, inner) => inner.is_variadic(),
            Self::Aggregate(_) => self.is_known(),
        }
    }

    /// Whether rustc knows a scalar in it as bytes only, and so passes it otherwise than C does.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.has(|scalar| matches!(scalar.kind, Kind::Half | Kind::LongDouble | Kind::Quad | Kind::Complex(12 | 16)))
    }

    /// Whether it has a union with a byte that is a value in one member, and padding in another.
    #[must_use]
    pub fn has_torn_union(&self) -> bool {
        self.any(&|ty| {
            let Some(aggregate) = ty.aggregate().filter(|aggregate| aggregate.union) else { return false };
            // The bytes of each member that are values in some view.
            let values = |field: &Field| {
                let mut values = vec![false; field.size()];
                for leaf in (0..VIEWS).flat_map(|view| field.leaves(0, 0, view)) {
                    values[leaf.offset..leaf.offset + leaf.size * leaf.count.unwrap_or(1)].fill(true);
                }
                values
            };
            let members: Vec<_> = aggregate.fields.iter().map(values).collect();
            let torn = |one: &Vec<bool>, other: &Vec<bool>| one.iter().zip(other).any(|(one, other)| one != other);
            members.iter().any(|one| members.iter().any(|other| torn(one, other)))
        })
    }

    /// Whether Rust says of a part of it how it is aligned, which it allows in no packed struct.
    #[must_use]
    pub fn has_alignment(&self) -> bool {
        self.any(&|ty| matches!(ty, Self::Aggregate(aggregate) if aggregate.aligned.is_some()))
            || self.has(|scalar| matches!(scalar.kind, Kind::LongDouble | Kind::Quad | Kind::Complex(12 | 16)))
    }

    /// What the CPU needs to pass it.
    #[must_use]
    pub fn cpu(&self) -> Cpu {
        let vector = |size| self.has(|scalar| scalar.kind == Kind::Vector && scalar.size == size);
        if vector(64) {
            Cpu::Avx512
        } else if vector(32) {
            Cpu::Avx
        } else {
            Cpu::Any
        }
    }

    /// In how many ways to look at a value: each member of each union is seen in one, unless there are many.
    #[must_use]
    pub fn views(&self) -> usize {
        let Some(aggregate) = self.aggregate() else { return 1 };
        let most = aggregate.fields.iter().map(|field| field.ty.views()).max().unwrap_or(1);
        let members = if aggregate.union { aggregate.fields.len() } else { 1 };
        (most * members).min(VIEWS)
    }

    /// The bytes that are no padding, if the unions in it hold the members that belong to the view `view`.
    #[must_use]
    pub fn leaves(&self, view: usize) -> Vec<Leaf> {
        match self {
            Self::Scalar(scalar) => scalar.leaves.clone(),
            Self::Wrapped(_, inner) => inner.leaves(view),
            Self::Aggregate(aggregate) if aggregate.union => {
                let index = view % aggregate.fields.len();
                let mut leaves = aggregate.fields[index].leaves(index, 0, view / aggregate.fields.len());
                // Any bits are a value of a union.
                leaves.iter_mut().for_each(|leaf| leaf.bits = Bits::Any);
                leaves
            }
            Self::Aggregate(aggregate) => {
                let fields = aggregate.fields.iter().zip(aggregate.offsets()).enumerate();
                fields.flat_map(|(index, (field, at))| field.leaves(index, at, view)).collect()
            }
        }
    }
}

impl Aggregate {
    /// The name of the field at `index`.
    #[must_use]
    pub fn field_name(index: usize) -> String {
        let letter = char::from(b'a' + (index % 26) as u8);
        if index < 26 { letter.into() } else { format!("{letter}{}", index / 26) }
    }

    /// The alignment of a field.
    fn align_of(&self, field: &Field) -> usize {
        field.ty.align().min(self.packed.unwrap_or(usize::MAX))
    }

    /// `offsetof` for each field.
    #[must_use]
    pub fn offsets(&self) -> Vec<usize> {
        let mut end = 0_usize;
        let place = |field| {
            if self.union {
                return 0;
            }
            let offset = end.next_multiple_of(self.align_of(field));
            end = offset + field.size();
            offset
        };
        self.fields.iter().map(place).collect()
    }

    /// The attributes of the definition in Rust.
    #[must_use]
    pub fn attributes(&self) -> String {
        let mut repr = String::from("C");
        match self.packed {
            None => {}
            Some(1) => repr.push_str(", packed"),
            Some(n) => write!(repr, ", packed({n})").unwrap(),
        }
        if let Some(n) = self.aligned {
            write!(repr, ", align({n})").unwrap();
        }
        let derive = if self.derived { "Clone, Copy, CType" } else { "Clone, Copy" };
        format!("#[derive({derive})]\n#[repr({repr})]\n")
    }
}

impl Field {
    /// A field that is no array.
    #[must_use]
    pub const fn plain(ty: Type) -> Self {
        Self { ty, lengths: Vec::new() }
    }

    /// How many elements there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lengths.iter().product()
    }

    /// `sizeof`.
    #[must_use]
    pub fn size(&self) -> usize {
        self.count() * self.ty.size()
    }

    /// The type in Rust.
    #[must_use]
    pub fn rust(&self) -> String {
        self.lengths.iter().rev().fold(self.ty.rust(), |ty, length| format!("[{ty}; {length}]"))
    }

    /// The field at `index` of its aggregate, and at `offset`.
    fn leaves(&self, index: usize, offset: usize, view: usize) -> Vec<Leaf> {
        let (name, element) = (Aggregate::field_name(index), self.ty.leaves(view));
        if let ([Leaf { path, size, bits, count: None, .. }], [length], Some(_)) =
            (element.as_slice(), self.lengths.as_slice(), self.ty.scalar())
            && path.is_empty()
            && *size == self.ty.size()
        {
            let count = Some(*length);
            return vec![Leaf { path: format!(".{name}"), offset, size: *size, count, bits: bits.clone() }];
        }
        let mut leaves = Vec::new();
        for i in 0..self.count() {
            let (mut subscripts, mut rest) = (String::new(), i);
            for length in self.lengths.iter().rev() {
                subscripts = format!("[{}]{subscripts}", rest % length);
                rest /= length;
            }
            let at = offset + i * self.ty.size();
            leaves.extend(element.iter().map(|leaf| Leaf {
                path: format!(".{name}{subscripts}{}", leaf.path),
                offset: leaf.offset + at,
                ..leaf.clone()
            }));
        }
        leaves
    }
}

/// The distinct aggregates of these types, each behind those that it consists of.
#[must_use]
pub fn definitions<'t>(types: impl Iterator<Item = &'t Type>) -> Vec<Rc<Aggregate>> {
    fn add(ty: &Type, found: &mut Vec<Rc<Aggregate>>) {
        if let Some(aggregate) = ty.aggregate()
            && !found.iter().any(|other| other.name == aggregate.name)
        {
            aggregate.fields.iter().for_each(|field| add(&field.ty, found));
            found.push(Rc::clone(aggregate));
        }
    }
    let mut found = Vec::new();
    types.for_each(|ty| add(ty, &mut found));
    found
}
