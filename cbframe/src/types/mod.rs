//! What is known about a C type at compile time: size, alignment, fields and which bit patterns are values.
//!
//! [`Type`] is plain data, so that one set of `const fn`s places both the signatures the compiler knows and
//! those that a program puts together while it runs.

mod c_str;
mod floats;
mod foreign;
mod impls;
#[cfg(feature = "alloc")]
mod made;
mod message;

use core::fmt;

pub use c_str::CStrRef;
pub use floats::{Float16, Float128};
pub(crate) use impls::{address, pointer, scalar};
#[cfg(feature = "alloc")]
pub(crate) use made::keep_str;
#[cfg(feature = "alloc")]
pub use made::{Alignment, TypeError};
#[cfg(feature = "parse-rust")]
pub(crate) use made::{keep_type, keep_values};
pub(crate) use message::Message;

/// The C layout of a type: what the placement rules of an ABI look at.
///
/// `#[derive(CType)]` writes these; there is seldom a reason to write one by hand. A description that was
/// written by hand can be checked with [`Type::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// The name of the type, for messages and tables.
    pub name: &'static str,
    /// Size in bytes, as `size_of` gives it.
    pub size: usize,
    /// Alignment in bytes, a power of two, as `align_of` gives it.
    pub align: usize,
    /// What the type consists of.
    pub kind: Kind,
}

/// What a [`Type`] consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `()`, as a result: C's `void`. C has no parameter of this type.
    Void,
    /// `_Bool`: one byte, 0 or 1.
    Bool,
    /// An integer of `size` bytes.
    Int {
        /// Whether it is extended with its sign where an ABI extends it.
        signed: bool,
    },
    /// `_Float16`, `float`, `double` or the 128-bit `__float128`, which is the `long double` of some targets, by `size`.
    Float,
    /// The 80-bit `long double` of x86, in `size` bytes of which the first 10 count.
    X87,
    /// `_Complex`: a real and an imaginary part, both floats.
    Complex {
        /// The type of either part: [`Float`](Self::Float) or [`X87`](Self::X87).
        element: &'static Type,
    },
    /// A SIMD vector of `size` bytes: `__m128` and its kin, `int8x8_t` and `int8x16_t` of Arm.
    Vector,
    /// A thin data or function pointer.
    Pointer {
        /// Whether null is a value.
        nullable: bool,
        /// The alignment in bytes that every value but null has; 1 where any address is a value.
        pointee_align: usize,
    },
    /// An integer of `size` bytes of which only some values exist.
    Enum {
        /// Whether the integer is signed.
        signed: bool,
        /// The discriminants.
        values: &'static [i128],
    },
    /// A `struct`.
    Struct {
        /// The fields in the order of their declaration.
        fields: &'static [Field],
    },
    /// A `union`.
    Union {
        /// The members.
        fields: &'static [Field],
    },
    /// An array, which C has only as a field.
    Array {
        /// The type of one element.
        element: &'static Type,
        /// How many elements there are.
        len: usize,
    },
    /// Passed as `of` is, but any bits are a value, and there may be none: `MaybeUninit`.
    MaybeUninit {
        /// The type that it may hold.
        of: &'static Type,
    },
}

/// A field of a struct or a union.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name of the field; its index for a tuple struct.
    pub name: &'static str,
    /// The offset in bytes from the start of the struct.
    pub offset: usize,
    /// The type of the field.
    pub ty: Type,
}

/// A Rust type whose C layout is known at compile time.
///
/// The parameter `Local` lets a crate describe a type that it does not own, for itself: that is what
/// [`c_type!`](crate::c_type) does. Everywhere else it is `()`, and not written.
///
/// # Safety
///
/// - `TYPE.size` and `TYPE.align` are what `size_of` and `align_of` give for the type.
/// - `TYPE` describes every byte of the type that is not padding, with the kind that a C compiler gives that
///   byte in the type's C counterpart.
/// - [`is_valid`](CType::is_valid) answers `true` only for bytes that are a value of the type.
///
/// # Examples
///
/// ```
/// use cbframe::CType;
///
/// #[derive(CType)]
/// #[repr(C)]
/// struct Point {
///     x: f64,
///     id: u32,
/// }
///
/// assert_eq!(Point::TYPE.size, 16);
/// ```
#[diagnostic::on_unimplemented(
    message = "cbframe does not know the C layout of `{Self}`",
    label = "not a `CType`",
    note = "a type of your own: `#[derive(CType)]` on a `#[repr(C)]` struct or union, a `#[repr(transparent)]` struct or a field-less enum with a `repr`",
    note = "a struct of another crate: `cbframe::c_type!`, for parameters, results and fields; but not for `as_fn_of`, instead of which `as_fn` and `FN` give the callback's own pointer type",
    note = "integers, floats, `bool`, thin pointers and references, `NonNull`, `Option` of the non-null ones and function pointers are `CType`s; slices, `str`, `CStr`, `dyn` and references to them are not C types: take a pointer and a length, or `cbframe::CStrRef` for a C string"
)]
pub unsafe trait CType<Local = ()>: Sized {
    /// The layout.
    const TYPE: Type;

    /// Whether the bytes at `bits` are a value of this type: a C caller can pass any.
    ///
    /// # Safety
    ///
    /// `bits` is aligned for `Self`, readable for `size_of::<Self>()` bytes, and of those every byte that
    /// belongs to a `bool`, an enum or a pointer is initialized.
    #[inline(always)]
    unsafe fn is_valid(bits: *const Self) -> bool {
        let _ = bits;
        true
    }
}

/// A [`CType`] that is never null, so that `Option` of it has the same layout with null for `None`.
///
/// # Safety
///
/// `Option<Self>` has the size and alignment of `Self`, `None` is null, and [`CType::is_valid`] is false for
/// null. The [representation section of `Option`'s documentation][1] lists the types for which the first two
/// hold.
///
/// [1]: core::option#representation
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` has no C counterpart",
    label = "not a type that is never null",
    note = "`Option` is a C type around references, `NonNull`, function pointers and `#[repr(transparent)]` structs around these: `None` is the null pointer; a reference to a slice, `str`, `CStr` or `dyn` is more than a pointer"
)]
pub unsafe trait NeverNull: CType {}

impl Type {
    /// Panics unless the description is consistent: fields lie where C puts them, in a struct whose size follows from
    /// them and from its alignment, and scalars have sizes that C's have.
    ///
    /// A struct or union that is aligned to less than one of its fields counts as packed to that alignment, and one that
    /// is aligned to more than each of them as declared so (`_Alignas`, `repr(align)`).
    ///
    /// # Panics
    ///
    /// When an offset, a size or an alignment is not the one that C's rules give (System V psABI for AMD64,
    /// section 3.1.2 "Aggregates and Unions"; Microsoft's x64 ABI has the same rule). In a `const` the panic is
    /// a compile-time error.
    #[track_caller]
    pub const fn check(&self) {
        if !self.align.is_power_of_two() {
            self.wrong("alignment", self.align, "a power of two");
        }
        // So that no sum of two wraps.
        if self.size > usize::MAX / 4 {
            self.wrong("size", self.size, "one that fits into memory");
        }
        match self.kind {
            Kind::Void => self.check_scalar(&[0]),
            Kind::Bool => self.check_scalar(&[1]),
            Kind::Int { .. } => self.check_scalar(&[1, 2, 4, 8, 16]),
            Kind::Enum { .. } => self.check_scalar(&[1, 2, 4, 8]),
            Kind::Float => self.check_scalar(&[2, 4, 8, 16]),
            Kind::X87 => self.check_scalar(&[12, 16]),
            Kind::Vector => self.check_scalar(&[8, 16, 32, 64]),
            Kind::Complex { element } => {
                element.check();
                if !matches!(element.kind, Kind::Float | Kind::X87) {
                    Message::new("cbframe: `")
                        .text(self.name)
                        .text("` is a complex number of what is no float")
                        .panic();
                }
                self.check_like(element, 2);
            }
            Kind::MaybeUninit { of } => {
                of.check();
                self.check_like(of, 1);
            }
            Kind::Pointer { pointee_align, .. } => {
                self.check_scalar(&[4, 8]);
                if !pointee_align.is_power_of_two() {
                    self.wrong("alignment of what it points to", pointee_align, "a power of two");
                }
            }
            Kind::Struct { fields } => self.check_fields(fields, false),
            Kind::Union { fields } => self.check_fields(fields, true),
            Kind::Array { element, len } => {
                element.check();
                self.check_like(element, len);
            }
        }
    }

    /// Panics unless this is laid out like `count` of `element`.
    #[track_caller]
    const fn check_like(&self, element: &Self, count: usize) {
        if self.align != element.align {
            self.difference("", "alignment", self.align, element.align).panic();
        }
        match element.size.checked_mul(count) {
            Some(size) if size == self.size => {}
            Some(size) => self.difference("", "size", self.size, size).panic(),
            None => self.wrong("size", self.size, "that of so many elements"),
        }
    }

    /// Panics unless this has one of these sizes, and the alignment that goes with it (System V psABI for AMD64, figure
    /// 3.1, and those of other architectures; Microsoft's has no other).
    #[track_caller]
    const fn check_scalar(&self, sizes: &[usize]) {
        let align = match self.size {
            0 => 1,
            // `long double` of 32-bit x86 Linux, and there also what has 8 bytes and is no vector.
            12 => 4,
            8 if self.align == 4 && !matches!(self.kind, Kind::Vector | Kind::Pointer { .. }) => 4,
            // 32-bit Arm.
            16 if self.align == 8 && matches!(self.kind, Kind::Vector) => 8,
            size => size,
        };
        let mut i = 0;
        while i < sizes.len() {
            if self.size == sizes[i] {
                if self.align != align {
                    self.difference("", "alignment", self.align, align).panic();
                }
                return;
            }
            i += 1;
        }
        self.wrong("size", self.size, "one that C has for this kind");
    }

    #[track_caller]
    const fn check_fields(&self, fields: &[Field], overlapping: bool) {
        let (mut end, mut natural, mut i) = (0, 1, 0);
        while i < fields.len() {
            fields[i].ty.check();
            if fields[i].ty.align > natural {
                natural = fields[i].ty.align;
            }
            i += 1;
        }
        // What is packed is aligned to as much, unless it is aligned to more besides: `__attribute__((packed, aligned(2)))`.
        let mut packed = self.align;
        while packed > 1 && !is_packed_to(fields, overlapping, packed) {
            packed /= 2;
        }
        if !is_packed_to(fields, overlapping, packed) {
            packed = self.align;
        }
        i = 0;
        while i < fields.len() {
            let Field { name, offset, ty } = &fields[i];
            let expected = if overlapping { 0 } else { behind(end, ty, packed) };
            if *offset != expected {
                self.misplaced(name, "offset", *offset, expected, natural);
            }
            if *offset + ty.size > end {
                end = *offset + ty.size;
            }
            if end > self.size {
                self.misplaced("", "size", self.size, round_up(end, self.align), natural);
            }
            i += 1;
        }
        if self.size != round_up(end, self.align) {
            self.misplaced("", "size", self.size, round_up(end, self.align), natural);
        }
    }

    /// Panics: `what`, of this type or of its field `field`, is `found`, but C makes it `expected` at the alignment
    /// that this has; by its fields, that would be `natural`.
    #[track_caller]
    const fn misplaced(&self, field: &str, what: &str, found: usize, expected: usize, natural: usize) -> ! {
        let message = self.difference(field, what, found, expected);
        if self.align == natural {
            message.panic()
        }
        message.text(", aligned to ").number(self.align).text(" and not to ").number(natural).panic()
    }

    /// What decides how this is passed: the type itself, or the one that it may hold.
    // A loop: a recursive function would be called at run time by the dispatchers that end in this.
    #[inline(always)]
    pub(crate) const fn passed_as(&self) -> &Self {
        let mut ty = self;
        while let Kind::MaybeUninit { of } = ty.kind {
            ty = of;
        }
        ty
    }

    /// The size of the widest vector in a value of this type; 0 without any.
    pub(crate) const fn widest_vector(&self) -> usize {
        match self.kind {
            Kind::Vector => self.size,
            Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => element.widest_vector(),
            Kind::Struct { fields } | Kind::Union { fields } => {
                let (mut widest, mut i) = (0, 0);
                while i < fields.len() {
                    let size = fields[i].ty.widest_vector();
                    if size > widest {
                        widest = size;
                    }
                    i += 1;
                }
                widest
            }
            _ => 0,
        }
    }

    /// A message: `what`, of this type or of its field `field`, is `found`, but C makes it `expected`.
    const fn difference(&self, field: &str, what: &str, found: usize, expected: usize) -> Message {
        let message = Message::new("cbframe: the ").text(what).text(" of `").text(self.name);
        let message = if field.is_empty() { message } else { message.text(".").text(field) };
        message.text("` is ").number(found).text("; in C it is ").number(expected)
    }

    /// Panics: `what` of this type is `found`, which is not `expected`.
    #[track_caller]
    const fn wrong(&self, what: &str, found: usize, expected: &str) -> ! {
        let message = Message::new("cbframe: the ").text(what).text(" of `").text(self.name).text("` is ");
        message.number(found).text(", which is not ").text(expected).panic()
    }

    /// The first part of the value at `bits` that is not a value of its type, or `None`.
    ///
    /// This walks the description; compiled callbacks call [`CType::is_valid`] and come here for the message.
    ///
    /// # Safety
    ///
    /// As for [`CType::is_valid`], with `self` in place of the type; and [`check`](Self::check) returns.
    pub unsafe fn find_invalid(&self, bits: *const u8) -> Option<Invalid> {
        let wrong = |found: u64| Some(Invalid { path: Path::default(), ty: *self, found });
        match self.kind {
            Kind::Void
            | Kind::Int { .. }
            | Kind::Float
            | Kind::X87
            | Kind::Complex { .. }
            | Kind::Vector
            | Kind::Union { .. }
            | Kind::MaybeUninit { .. } => None,
            Kind::Bool | Kind::Enum { .. } | Kind::Pointer { .. } => {
                // SAFETY: the caller promises that these bytes are readable and initialized, and that `check`
                // found at most 8 of them.
                let raw = unsafe { read_uint(bits, self.size) };
                if self.allows(raw) { None } else { wrong(raw) }
            }
            Kind::Struct { fields } => fields.iter().find_map(|field| {
                // SAFETY: a field lies within its struct (`Type::check`).
                let found = unsafe { field.ty.find_invalid(bits.add(field.offset)) };
                found.map(|invalid| invalid.within(Step::Field(field.name)))
            }),
            Kind::Array { element, len } => (0..len).find_map(|index| {
                // SAFETY: `index < len`, so the element lies within the array.
                let found = unsafe { element.find_invalid(bits.add(index * element.size)) };
                found.map(|invalid| invalid.within(Step::Index(index)))
            }),
        }
    }

    /// Whether two types have the same bytes of the same kinds, so that one can be read as the other.
    pub(crate) fn has_shape_of(&self, other: &Self) -> bool {
        let (a, b) = (self.passed_as(), other.passed_as());
        let is_integer =
            |kind| matches!(kind, Kind::Bool | Kind::Int { .. } | Kind::Enum { .. } | Kind::Pointer { .. });
        a.size == b.size
            && a.align == b.align
            && match (a.kind, b.kind) {
                (Kind::Float, Kind::Float)
                | (Kind::X87, Kind::X87)
                | (Kind::Vector, Kind::Vector)
                | (Kind::Void, Kind::Void) => true,
                (Kind::Complex { element: a }, Kind::Complex { element: b }) => a.has_shape_of(b),
                (Kind::Array { element: a, len: n }, Kind::Array { element: b, len: m }) => n == m && a.has_shape_of(b),
                (Kind::Struct { fields: a }, Kind::Struct { fields: b })
                | (Kind::Union { fields: a }, Kind::Union { fields: b }) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.offset == b.offset && a.ty.has_shape_of(&b.ty))
                }
                (a, b) => is_integer(a) && is_integer(b),
            }
    }

    /// Whether the scalar with the bits `raw` (zero-extended) is a value of this type.
    const fn allows(&self, raw: u64) -> bool {
        match self.kind {
            Kind::Bool => raw <= 1,
            Kind::Pointer { nullable, pointee_align } => {
                if raw == 0 {
                    nullable
                } else {
                    raw & (pointee_align as u64 - 1) == 0
                }
            }
            Kind::Enum { values, .. } => {
                let mask = if self.size >= 8 { u64::MAX } else { (1 << (8 * self.size)) - 1 };
                let mut i = 0;
                while i < values.len() {
                    if values[i] as u64 & mask == raw {
                        return true;
                    }
                    i += 1;
                }
                false
            }
            _ => true,
        }
    }
}

/// The offset of a field of this type behind one that ends at `end`, if none is aligned to more than `packed`.
const fn behind(end: usize, ty: &Type, packed: usize) -> usize {
    round_up(end, if ty.align < packed { ty.align } else { packed })
}

/// Whether the fields lie where they do if none is aligned to more than `packed`.
const fn is_packed_to(fields: &[Field], overlapping: bool, packed: usize) -> bool {
    let (mut end, mut i) = (0, 0);
    while i < fields.len() {
        let Field { offset, ty, .. } = &fields[i];
        if *offset != if overlapping { 0 } else { behind(end, ty, packed) } {
            return false;
        }
        end = *offset + ty.size;
        i += 1;
    }
    true
}

/// `value` rounded up to a multiple of `align`, a power of two.
pub(crate) const fn round_up(value: usize, align: usize) -> usize {
    (value + align - 1) & !(align - 1)
}

/// Reads `size` bytes, little-endian, zero-extended.
///
/// # Safety
///
/// `from` is readable and initialized for `size` bytes, and these are at most 8.
unsafe fn read_uint(from: *const u8, size: usize) -> u64 {
    let mut bytes = [0u8; 8];
    // SAFETY: the caller's promise, which is also that they fit into `bytes`.
    unsafe { core::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), size) };
    u64::from_le_bytes(bytes)
}

/// A part of a value whose bits are no value of its type.
#[derive(Clone, Copy, Debug)]
pub struct Invalid {
    path: Path,
    ty: Type,
    found: u64,
}

/// How deep a path to an invalid field is recorded; deeper steps are dropped at the outer end.
const PATH: usize = 6;

#[derive(Clone, Copy, Debug, Default)]
struct Path {
    /// Innermost step first.
    steps: [Option<Step>; PATH],
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(&'static str),
    Index(usize),
}

impl Invalid {
    /// The type of the part that is wrong.
    pub const fn ty(&self) -> Type {
        self.ty
    }

    /// The bits that were found, zero-extended.
    pub const fn found(&self) -> u64 {
        self.found
    }

    fn within(mut self, step: Step) -> Self {
        if let Some(free) = self.path.steps.iter_mut().find(|s| s.is_none()) {
            *free = Some(step);
        }
        self
    }
}

/// `.at.flags[2] is 0x7, which is not a value of Mode (0, 1, 4)`.
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.path.steps.iter().rev().flatten() {
            match step {
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        let (name, found) = (self.ty.name, self.found);
        match self.ty.kind {
            Kind::Bool => write!(f, " is {found}, which is not a bool (0 or 1)"),
            Kind::Pointer { .. } if found == 0 => write!(f, " is null, which is not a value of {name}"),
            Kind::Pointer { pointee_align, .. } => {
                write!(f, " is {found:#x}, which is not aligned to {pointee_align} bytes as a value of {name} is")
            }
            Kind::Enum { values, .. } => {
                write!(f, " is {found:#x}, which is not a value of {name} (")?;
                for (i, value) in values.iter().take(8).enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(if values.len() > 8 { ", …)" } else { ")" })
            }
            _ => write!(f, " is {found:#x}, which is not a value of {name}"),
        }
    }
}
