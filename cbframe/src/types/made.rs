//! Types that are put together while the program runs.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::{CType, Field, Float16, Float128, Kind, Type, round_up};
use crate::LongDouble;

/// Scalars by C's names where C fixes the size, and by Rust's otherwise. [`Type::of`] gives those whose size the target
/// fixes, as `Type::of::<c_long>()`.
impl Type {
    /// C's `void`, for results.
    pub const VOID: Self = <()>::TYPE;
    /// `_Bool`.
    pub const BOOL: Self = bool::TYPE;
    /// `int8_t`.
    pub const I8: Self = i8::TYPE;
    /// `int16_t`.
    pub const I16: Self = i16::TYPE;
    /// `int32_t`.
    pub const I32: Self = i32::TYPE;
    /// `int64_t`.
    pub const I64: Self = i64::TYPE;
    /// `__int128`.
    pub const I128: Self = i128::TYPE;
    /// `uint8_t`.
    pub const U8: Self = u8::TYPE;
    /// `uint16_t`.
    pub const U16: Self = u16::TYPE;
    /// `uint32_t`.
    pub const U32: Self = u32::TYPE;
    /// `uint64_t`.
    pub const U64: Self = u64::TYPE;
    /// `unsigned __int128`.
    pub const U128: Self = u128::TYPE;
    /// `_Float16`.
    pub const F16: Self = Float16::TYPE;
    /// `float`.
    pub const F32: Self = f32::TYPE;
    /// `double`.
    pub const F64: Self = f64::TYPE;
    /// `__float128`.
    pub const F128: Self = Float128::TYPE;
    /// The `long double` of 80 bits.
    pub const LONG_DOUBLE: Self = LongDouble::TYPE;
    /// A pointer of any kind, null included.
    pub const POINTER: Self = <*const ()>::TYPE;

    /// The type of a Rust type.
    #[must_use]
    pub const fn of<T: CType>() -> Self {
        T::TYPE
    }

    /// A `struct` with these fields, laid out as C does (psABI for AMD64, section 3.1.2; Microsoft's x64 ABI has the same
    /// rule).
    ///
    /// What describes it stays in memory for as long as the process runs, once for each different struct.
    ///
    /// # Errors
    ///
    /// If a field has no type that C has fields of, or the size is more than memory can have.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::types::Type;
    ///
    /// let point = Type::structure("Point", &[("x", Type::F64), ("id", Type::U32)])?;
    /// assert_eq!((point.size, point.align), (16, 8));
    /// # Ok::<(), cbframe::types::TypeError>(())
    /// ```
    pub fn structure(name: &str, fields: &[(&str, Self)]) -> Result<Self, TypeError> {
        Self::structure_with(name, fields, Alignment::default())
    }

    /// The same with `__attribute__((packed))`, `#pragma pack` or `_Alignas`.
    ///
    /// # Errors
    ///
    /// As for [`structure`](Self::structure), and if an alignment is no power of two.
    pub fn structure_with(name: &str, fields: &[(&str, Self)], alignment: Alignment) -> Result<Self, TypeError> {
        let (fields, size, align) = lay_out(fields, alignment, false)?;
        Ok(Self { name: keep_str(name), size, align, kind: Kind::Struct { fields: keep_fields(fields) } })
    }

    /// A `union` of these members.
    ///
    /// # Errors
    ///
    /// As for [`structure_with`](Self::structure_with).
    pub fn union_of(name: &str, members: &[(&str, Self)], alignment: Alignment) -> Result<Self, TypeError> {
        let (fields, size, align) = lay_out(members, alignment, true)?;
        Ok(Self { name: keep_str(name), size, align, kind: Kind::Union { fields: keep_fields(fields) } })
    }

    /// An array, which C has only as a field.
    ///
    /// # Errors
    ///
    /// If C has no arrays of this type, or the size is more than memory can have.
    pub fn array(element: Self, len: usize) -> Result<Self, TypeError> {
        check_field("an array's element", &element)?;
        let size = element.size.checked_mul(len).filter(|size| *size <= LARGEST).ok_or(TypeError(Wrong::TooLarge))?;
        let name = keep_str(&alloc::format!("[{}; {len}]", element.name));
        Ok(Self { name, size, align: element.align, kind: Kind::Array { element: keep_type(element), len } })
    }

    /// A SIMD vector of 16, 32 or 64 bytes, `__m128` and its kin, or one of 8 bytes, which AArch64 has beside those of 16.
    ///
    /// # Errors
    ///
    /// If `size` is another.
    pub const fn vector(size: usize) -> Result<Self, TypeError> {
        match size {
            8 => Ok(Self { name: "int8x8_t", size, align: size, kind: Kind::Vector }),
            16 => Ok(Self { name: "__m128", size, align: size, kind: Kind::Vector }),
            32 => Ok(Self { name: "__m256", size, align: size, kind: Kind::Vector }),
            64 => Ok(Self { name: "__m512", size, align: size, kind: Kind::Vector }),
            _ => Err(TypeError(Wrong::Vector(size))),
        }
    }

    /// `_Complex` of a float.
    ///
    /// # Errors
    ///
    /// If `part` is no float that C has complex numbers of.
    pub fn complex(part: Self) -> Result<Self, TypeError> {
        let name = match (part.kind, part.size) {
            (Kind::Float, 4) => "float _Complex",
            (Kind::Float, 8) => "double _Complex",
            (Kind::X87, _) => "long double _Complex",
            // The `long double` of others than x86.
            (Kind::Float, 16) => "binary128 _Complex",
            _ => return Err(TypeError(Wrong::Complex(part.name))),
        };
        Ok(Self { name, size: 2 * part.size, align: part.align, kind: Kind::Complex { element: keep_type(part) } })
    }
}

/// How a struct or a union is aligned, if not as its fields are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// No field is aligned to more than so many bytes: 1 is `__attribute__((packed))`, others are `#pragma pack(N)`.
    pub packed: Option<usize>,
    /// The whole is aligned to so many bytes at least: `_Alignas(N)`.
    pub at_least: Option<usize>,
}

/// Why there is no such type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError(Wrong);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    TooLarge,
    Alignment(usize),
    Vector(usize),
    Complex(&'static str),
    Field(String, &'static str),
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Wrong::TooLarge => f.write_str("the type is larger than memory can be"),
            Wrong::Alignment(align) => write!(f, "an alignment of {align} bytes: it is a power of two up to 2^28"),
            Wrong::Vector(size) => write!(f, "a vector of {size} bytes: there are those of 8, 16, 32 and 64"),
            Wrong::Complex(part) => {
                write!(f, "a complex number of `{part}`: there are those of float, double and long double")
            }
            Wrong::Field(name, ty) => write!(f, "{name} has the type `{ty}`, of which C has no objects"),
        }
    }
}

impl core::error::Error for TypeError {}

/// So that no sum of two wraps, as `Type::check` has it.
const LARGEST: usize = usize::MAX / 4;
/// What gcc and clang take; rustc takes 2^29.
const MOST_ALIGNED: usize = 1 << 28;

fn check_field(name: &str, ty: &Type) -> Result<(), TypeError> {
    match ty.kind {
        Kind::Void => Err(TypeError(Wrong::Field(name.into(), ty.name))),
        _ => Ok(()),
    }
}

/// The fields with their offsets, the size and the alignment.
fn lay_out(
    fields: &[(&str, Type)],
    Alignment { packed, at_least }: Alignment,
    overlapping: bool,
) -> Result<(Vec<Field>, usize, usize), TypeError> {
    for align in packed.iter().chain(&at_least) {
        if !align.is_power_of_two() || *align > MOST_ALIGNED {
            return Err(TypeError(Wrong::Alignment(*align)));
        }
    }
    let (mut laid_out, mut end, mut whole) = (Vec::with_capacity(fields.len()), 0, 1);
    for &(name, ty) in fields {
        check_field(&alloc::format!("the field `{name}`"), &ty)?;
        let align = packed.map_or(ty.align, |packed| ty.align.min(packed));
        let offset = if overlapping { 0 } else { round_up(end, align) };
        end = end.max(offset + ty.size);
        whole = whole.max(align);
        if end > LARGEST {
            return Err(TypeError(Wrong::TooLarge));
        }
        laid_out.push(Field { name: keep_str(name), offset, ty });
    }
    let align = at_least.map_or(whole, |at_least| whole.max(at_least));
    Ok((laid_out, round_up(end, align), align))
}

/// What was kept, each thing once: a tree to which things are only added, by their hashes. Below a thing are others, in the
/// branch of the next two bits.
struct Kept<T: 'static>(AtomicPtr<Node<T>>);

struct Node<T: 'static> {
    it: T,
    hash: u64,
    below: [Kept<T>; 4],
}

impl<T: 'static> Kept<T> {
    const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The one that is equal, or `it`.
    fn keep<Q: ?Sized + Hash>(&self, wanted: &Q, is: impl Fn(&T, &Q) -> bool, it: impl Fn(&Q) -> T) -> &'static T {
        let mut hasher = Fnv::START;
        wanted.hash(&mut hasher);
        let hash = hasher.finish();
        let (mut place, mut bits) = (&self.0, hash);
        loop {
            let mut found = place.load(Ordering::Acquire);
            if found.is_null() {
                let node = Box::into_raw(Box::new(Node { it: it(wanted), hash, below: [const { Self::new() }; 4] }));
                found = match place.compare_exchange(found, node, Ordering::Release, Ordering::Acquire) {
                    Ok(_) => node,
                    Err(first) => {
                        // SAFETY: nobody else has seen it.
                        drop(unsafe { Box::from_raw(node) });
                        first
                    }
                };
            }
            // SAFETY: the tree has nodes only, and they are never freed.
            let node: &'static Node<T> = unsafe { &*found };
            if node.hash == hash && is(&node.it, wanted) {
                return &node.it;
            }
            place = &node.below[(bits % 4) as usize].0;
            bits >>= 2;
        }
    }
}

/// FNV-1a with 64 bits.
struct Fnv(u64);

impl Fnv {
    const START: Self = Self(0xcbf2_9ce4_8422_2325);
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

static STRINGS: Kept<Box<str>> = Kept::new();
static FIELDS: Kept<Box<[Field]>> = Kept::new();
static TYPES: Kept<Type> = Kept::new();

/// A copy of `text` that lives as long as the process.
pub(crate) fn keep_str(text: &str) -> &'static str {
    STRINGS.keep(text, |kept, text| **kept == *text, |text| text.into())
}

fn keep_fields(fields: Vec<Field>) -> &'static [Field] {
    FIELDS.keep(&fields[..], |kept, fields| **kept == *fields, |fields| fields.into())
}

/// A copy of `values` that lives as long as the process.
#[cfg(feature = "parse-rust")]
pub(crate) fn keep_values(values: &[i128]) -> &'static [i128] {
    static VALUES: Kept<Box<[i128]>> = Kept::new();
    VALUES.keep(values, |kept, values| **kept == *values, |values| values.into())
}

/// A copy of `ty` that lives as long as the process.
pub(crate) fn keep_type(ty: Type) -> &'static Type {
    TYPES.keep(&ty, |kept, ty| kept == ty, |ty| *ty)
}
