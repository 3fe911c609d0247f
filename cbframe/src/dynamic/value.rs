//! Values of types that are known at run time only.

use alloc::boxed::Box;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use super::object::Object;
use crate::LongDouble;
use crate::types::{CType, Float16, Float128, Invalid, Kind, Type};

/// A value of a C type that is known at run time only: an argument, or a result.
///
/// Scalars are what they are called, enums are integers, and all else is an [`Object`], what may be uninitialized among it. `From` makes them from Rust's.
///
/// A value has a type, [`ty`](Self::ty), and is taken where one of the same shape is due: of the same size and alignment, and
/// an integer, `bool`, enum or pointer for any of these, a float for a float, a struct for a struct whose fields are.
///
/// # Examples
///
/// ```
/// use cbframe::Value;
///
/// let value = Value::from(-1_i16);
/// assert!(matches!(value, Value::I16(-1)));
/// assert_eq!(value.ty().size, 2);
/// assert_eq!(value.to_string(), "-1");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing: `void`.
    Void,
    /// `_Bool`.
    Bool(bool),
    /// `int8_t`.
    I8(i8),
    /// `int16_t`.
    I16(i16),
    /// `int32_t`.
    I32(i32),
    /// `int64_t`.
    I64(i64),
    /// `__int128`.
    I128(i128),
    /// `uint8_t`.
    U8(u8),
    /// `uint16_t`.
    U16(u16),
    /// `uint32_t`.
    U32(u32),
    /// `uint64_t`.
    U64(u64),
    /// `unsigned __int128`.
    U128(u128),
    /// `_Float16`.
    F16(Float16),
    /// `float`.
    F32(f32),
    /// `double`.
    F64(f64),
    /// `__float128`.
    F128(Float128),
    /// `long double` of 80 bits.
    LongDouble(LongDouble),
    /// A pointer.
    Pointer(*mut ()),
    /// A struct, a union, an array, a vector or a complex number.
    Object(Object<'a>),
}

// SAFETY: data; a pointer among it is no more than an address, and whoever follows it answers for that.
unsafe impl Send for Value<'_> {}

// SAFETY: as above.
unsafe impl Sync for Value<'_> {}

macro_rules! scalars {
    ($($variant:ident $ty:ty;)*) => {
        impl Value<'_> {
            /// The type of a scalar.
            const fn scalar(&self) -> Option<&'static Type> {
                Some(match self {
                    Self::Void => const { &<()>::TYPE },
                    $(Self::$variant(_) => const { &<$ty>::TYPE },)*
                    Self::Object(_) => return None,
                })
            }

            /// The address of the bytes.
            pub(super) const fn as_ptr(&self) -> *const u8 {
                match self {
                    Self::Void => ptr::NonNull::<u8>::dangling().as_ptr(),
                    $(Self::$variant(value) => ptr::from_ref(value).cast(),)*
                    Self::Object(object) => object.as_ptr(),
                }
            }
        }

        $(
            impl From<$ty> for Value<'_> {
                fn from(value: $ty) -> Self {
                    Self::$variant(value)
                }
            }
        )*
    };
}

scalars! {
    Bool bool;
    I8 i8;
    I16 i16;
    I32 i32;
    I64 i64;
    I128 i128;
    U8 u8;
    U16 u16;
    U32 u32;
    U64 u64;
    U128 u128;
    F16 Float16;
    F32 f32;
    F64 f64;
    F128 Float128;
    LongDouble LongDouble;
    Pointer *mut ();
}

impl From<()> for Value<'_> {
    fn from((): ()) -> Self {
        Self::Void
    }
}

macro_rules! words {
    ($($ty:ty, $narrow:ident $narrow_ty:ty, $wide:ident $wide_ty:ty;)*) => { $(
        impl From<$ty> for Value<'_> {
            fn from(value: $ty) -> Self {
                if size_of::<$ty>() == 4 { Self::$narrow(value as $narrow_ty) } else { Self::$wide(value as $wide_ty) }
            }
        }
    )* };
}

words! {
    isize, I32 i32, I64 i64;
    usize, U32 u32, U64 u64;
}

impl<T> From<*const T> for Value<'_> {
    fn from(value: *const T) -> Self {
        Self::Pointer(value.cast_mut().cast())
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(value: Object<'a>) -> Self {
        Self::Object(value)
    }
}

impl<'a> Value<'a> {
    /// The type.
    #[must_use]
    pub const fn ty(&self) -> &Type {
        match (self.scalar(), self) {
            (Some(ty), _) => ty,
            (None, Self::Object(object)) => object.ty(),
            (None, _) => unreachable!(),
        }
    }

    /// The bytes, as many as the type has; those of padding need not be initialized.
    #[must_use]
    pub const fn bytes(&self) -> &[MaybeUninit<u8>] {
        // SAFETY: a value has as many bytes as its type, which are not changed while it is borrowed.
        unsafe { core::slice::from_raw_parts(self.as_ptr().cast(), self.ty().size) }
    }

    /// The value of type `ty` at `from`, which may be unaligned.
    ///
    /// # Safety
    ///
    /// `from` is readable for as many bytes as the type has, initialized but for padding, and stays so, unchanged, for `'a`.
    ///
    /// # Errors
    ///
    /// If the bytes are no value of the type.
    #[inline]
    pub unsafe fn read(ty: &Type, from: *const u8) -> Result<Self, ValueError> {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(invalid) = ty.find_invalid(from) {
                return Err(ValueError::invalid(ty.name, invalid));
            }
            Ok(Self::read_valid(ty, from))
        }
    }

    /// The same for bytes that are known to be a value, or that only this crate has written.
    ///
    /// # Safety
    ///
    /// As for [`read`](Self::read), and they are.
    #[inline]
    pub(super) unsafe fn read_valid(ty: &Type, from: *const u8) -> Self {
        // SAFETY: the caller's promise; each type has as many bytes as its arm says.
        unsafe {
            match (ty.kind, ty.size) {
                (Kind::Void, _) => Self::Void,
                (Kind::Bool, _) => Self::Bool(from.read() != 0),
                (Kind::Int { signed: true } | Kind::Enum { signed: true, .. }, 1) => Self::I8(from.cast::<i8>().read()),
                (Kind::Int { signed: true } | Kind::Enum { signed: true, .. }, 2) => {
                    Self::I16(from.cast::<i16>().read_unaligned())
                }
                (Kind::Int { signed: true } | Kind::Enum { signed: true, .. }, 4) => {
                    Self::I32(from.cast::<i32>().read_unaligned())
                }
                (Kind::Int { signed: true } | Kind::Enum { signed: true, .. }, 8) => {
                    Self::I64(from.cast::<i64>().read_unaligned())
                }
                (Kind::Int { signed: true }, 16) => Self::I128(from.cast::<i128>().read_unaligned()),
                (Kind::Int { .. } | Kind::Enum { .. }, 1) => Self::U8(from.read()),
                (Kind::Int { .. } | Kind::Enum { .. }, 2) => Self::U16(from.cast::<u16>().read_unaligned()),
                (Kind::Int { .. } | Kind::Enum { .. }, 4) => Self::U32(from.cast::<u32>().read_unaligned()),
                (Kind::Int { .. } | Kind::Enum { .. }, 8) => Self::U64(from.cast::<u64>().read_unaligned()),
                (Kind::Int { .. }, 16) => Self::U128(from.cast::<u128>().read_unaligned()),
                (Kind::Float, 2) => Self::F16(from.cast::<Float16>().read_unaligned()),
                (Kind::Float, 4) => Self::F32(from.cast::<f32>().read_unaligned()),
                (Kind::Float, 8) => Self::F64(from.cast::<f64>().read_unaligned()),
                (Kind::Float, 16) => Self::F128(from.cast::<Float128>().read_unaligned()),
                (Kind::X87, 16) => Self::LongDouble(from.cast::<LongDouble>().read_unaligned()),
                (Kind::Pointer { .. }, size) if size == size_of::<usize>() => {
                    Self::Pointer(ptr::with_exposed_provenance_mut(from.cast::<usize>().read_unaligned()))
                }
                _ => Self::Object(Object::borrowed(*ty, from)),
            }
        }
    }

    /// The same value, which borrows nothing.
    #[must_use]
    pub fn to_owned(&self) -> Value<'static> {
        match self {
            Self::Object(object) => Value::Object(object.to_owned()),
            // SAFETY: a scalar's own bytes, which it makes a copy of.
            scalar => unsafe { Value::read_valid(scalar.ty(), scalar.as_ptr()) },
        }
    }

    /// Why this is no value of type `ty`, if so.
    pub(super) fn misfit(&self, ty: &Type) -> Option<ValueError> {
        if !self.ty().has_shape_of(ty) {
            return Some(ValueError { expected: ty.name, found: Found::Type(self.ty().name) });
        }
        // SAFETY: the bytes are those of a value, with the same ones for padding.
        let invalid = unsafe { ty.find_invalid(self.as_ptr()) }?;
        Some(ValueError::invalid(ty.name, invalid))
    }
}

/// Why a value is not of the type that is due.
#[derive(Clone, Debug)]
pub struct ValueError {
    expected: &'static str,
    found: Found,
}

#[derive(Clone, Debug)]
enum Found {
    Type(&'static str),
    Invalid(Box<Invalid>),
}

impl ValueError {
    pub(super) const fn of_type(expected: &'static str, found: &'static str) -> Self {
        Self { expected, found: Found::Type(found) }
    }

    fn invalid(expected: &'static str, invalid: Invalid) -> Self {
        Self { expected, found: Found::Invalid(Box::new(invalid)) }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Found::Type(found) => write!(f, "the value is a `{found}`, and a `{}` is due", self.expected),
            Found::Invalid(invalid) => write!(f, "the value{invalid}"),
        }
    }
}

impl core::error::Error for ValueError {}

/// Scalars as Rust shows them, pointers as hexadecimal numbers, structs with their fields.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Void => f.write_str("()"),
            Self::Bool(value) => value.fmt(f),
            Self::I8(value) => value.fmt(f),
            Self::I16(value) => value.fmt(f),
            Self::I32(value) => value.fmt(f),
            Self::I64(value) => value.fmt(f),
            Self::I128(value) => value.fmt(f),
            Self::U8(value) => value.fmt(f),
            Self::U16(value) => value.fmt(f),
            Self::U32(value) => value.fmt(f),
            Self::U64(value) => value.fmt(f),
            Self::U128(value) => value.fmt(f),
            Self::F16(value) => fmt::Debug::fmt(value, f),
            Self::F32(value) => fmt::Debug::fmt(value, f),
            Self::F64(value) => fmt::Debug::fmt(value, f),
            Self::F128(value) => fmt::Debug::fmt(value, f),
            Self::LongDouble(value) => fmt::Debug::fmt(value, f),
            Self::Pointer(value) => fmt::Debug::fmt(value, f),
            Self::Object(value) => value.fmt(f),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}: {}", self.ty().name)
    }
}
