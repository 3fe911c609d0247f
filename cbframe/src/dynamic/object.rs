//! Values of more than one scalar.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use super::value::{Value, ValueError};
use crate::types::{CType, Field, Kind, Type};

/// A struct, a union, an array, a vector or a complex number whose type is known at run time only: the type and the bytes.
///
/// The bytes are borrowed for `'a`, or the object's own.
///
/// # Examples
///
/// ```
/// use cbframe::types::Type;
/// use cbframe::{Object, Value};
///
/// let point = Type::structure("Point", &[("x", Type::F64), ("id", Type::U32)])?;
/// let object = Object::build(point, &[Value::F64(1.5), Value::U32(7)])?;
/// assert!(matches!(object.field("id"), Some(Value::U32(7))));
/// assert_eq!(object.to_string(), "Point { x: 1.5, id: 7 }");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Object<'a> {
    ty: Type,
    bytes: Bytes<'a>,
}

/// How many bytes an object holds without an allocation: what can be returned in registers.
const INLINE: usize = 64;

#[derive(Clone)]
enum Bytes<'a> {
    Borrowed(*const u8, PhantomData<&'a [u8]>),
    Inline([MaybeUninit<u8>; INLINE]),
    Boxed(Box<[MaybeUninit<u8>]>),
}

// SAFETY: bytes, which are its own, or borrowed as `&'a [u8]` is; pointers among them are no more than addresses.
unsafe impl Send for Object<'_> {}

// SAFETY: as above; nothing changes them through a shared reference.
unsafe impl Sync for Object<'_> {}

impl<'a> Object<'a> {
    /// `value`, which is borrowed.
    pub const fn of<T: CType>(value: &'a T) -> Self {
        // SAFETY: the bytes are a `T`'s, and `TYPE` describes them.
        unsafe { Self::borrowed(T::TYPE, ptr::from_ref(value).cast()) }
    }

    /// The bytes at `from` as a value of type `ty`.
    ///
    /// # Safety
    ///
    /// As for [`Value::read`], and they are one.
    pub(super) const unsafe fn borrowed(ty: Type, from: *const u8) -> Self {
        Self { ty, bytes: Bytes::Borrowed(from, PhantomData) }
    }

    /// A copy of the bytes.
    ///
    /// # Errors
    ///
    /// If they are not as many as the type has, or no value of it.
    ///
    /// # Panics
    ///
    /// If the type, which was written by hand, is inconsistent: [`Type::check`].
    pub fn from_bytes(ty: Type, bytes: &[u8]) -> Result<Self, ValueError> {
        ty.check();
        if bytes.len() != ty.size {
            return Err(ValueError::of_type(ty.name, "number of bytes that it has not"));
        }
        let mut object = Self::uninit(ty);
        // SAFETY: as many bytes as the object has.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), object.as_mut_ptr(), bytes.len()) };
        match Value::Object(object.clone()).misfit(&ty) {
            Some(error) => Err(error),
            None => Ok(object),
        }
    }

    /// A struct of these fields, an array of these elements, or a complex number of these parts, in their order.
    ///
    /// # Errors
    ///
    /// If there is another number of them, or one has another type; and for unions and vectors, which are made from
    /// [bytes](Self::from_bytes).
    pub fn build(ty: Type, values: &[Value<'_>]) -> Result<Self, ValueError> {
        let mut object = Self::uninit(ty);
        if object.len() != values.len() || matches!(ty.kind, Kind::Union { .. }) {
            return Err(ValueError::of_type(ty.name, "number of values that it has not"));
        }
        // SAFETY: as many bytes as the object has; padding is zero.
        unsafe { object.as_mut_ptr().write_bytes(0, ty.size) };
        for (index, value) in values.iter().enumerate() {
            let Some(Field { offset, ty: part, .. }) = part(&ty, index) else { continue };
            if let Some(error) = value.misfit(&part) {
                return Err(error);
            }
            // SAFETY: the part lies within the object, and the value has as many bytes.
            unsafe { ptr::copy_nonoverlapping(value.as_ptr(), object.as_mut_ptr().add(offset), part.size) };
        }
        Ok(object)
    }

    /// An object whose bytes are its own and not yet written.
    pub(super) fn uninit(ty: Type) -> Self {
        let bytes = if ty.size <= INLINE {
            Bytes::Inline([MaybeUninit::uninit(); INLINE])
        } else {
            Bytes::Boxed(Box::new_uninit_slice(ty.size))
        };
        Self { ty, bytes }
    }

    /// A copy whose bytes are its own.
    #[must_use]
    pub fn to_owned(&self) -> Object<'static> {
        let mut object = Object::uninit(self.ty);
        // SAFETY: both have as many bytes.
        unsafe { ptr::copy_nonoverlapping(self.as_ptr(), object.as_mut_ptr(), self.ty.size) };
        object
    }

    /// The type.
    #[must_use]
    pub const fn ty(&self) -> &Type {
        &self.ty
    }

    /// The address of the bytes, as many as the type has, which need not be aligned to it.
    #[must_use]
    pub const fn as_ptr(&self) -> *const u8 {
        match &self.bytes {
            Bytes::Borrowed(from, _) => *from,
            Bytes::Inline(inline) => inline.as_ptr().cast(),
            Bytes::Boxed(boxed) => boxed.as_ptr().cast(),
        }
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        match &mut self.bytes {
            Bytes::Borrowed(..) => unreachable!("only bytes of its own are written"),
            Bytes::Inline(inline) => inline.as_mut_ptr().cast(),
            Bytes::Boxed(boxed) => boxed.as_mut_ptr().cast(),
        }
    }

    /// The bytes; padding need not be initialized.
    #[must_use]
    pub const fn bytes(&self) -> &[MaybeUninit<u8>] {
        // SAFETY: the object has so many bytes, which are not changed while it is borrowed.
        unsafe { core::slice::from_raw_parts(self.as_ptr().cast(), self.ty.size) }
    }

    /// How many fields, members, elements or parts there are: 0 for a vector, which has lanes of any type.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.ty.passed_as().kind {
            Kind::Struct { fields } | Kind::Union { fields } => fields.len(),
            Kind::Array { len, .. } => len,
            Kind::Complex { .. } => 2,
            _ => 0,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field, element or part at `index`; `None` if there is none, and for unions, whose bytes need not be those of a
    /// member: see [`member`](Self::member).
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'_>> {
        if !matches!(self.ty.kind, Kind::Struct { .. } | Kind::Array { .. } | Kind::Complex { .. }) {
            return None;
        }
        let Field { offset, ty, .. } = part(&self.ty, index)?;
        // SAFETY: a part lies within the object, which is a value: it is initialized but for padding.
        Some(unsafe { Value::read_valid(&ty, self.as_ptr().add(offset)) })
    }

    /// The field with this name, as [`get`](Self::get) gives it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value<'_>> {
        let Kind::Struct { fields } = self.ty.kind else { return None };
        self.get(fields.iter().position(|field| field.name == name)?)
    }

    /// The member of a union with this name; `None` if there is none, or the bytes are no value of it.
    ///
    /// # Safety
    ///
    /// The bytes that the member has, but for padding, are initialized.
    #[must_use]
    pub unsafe fn member(&self, name: &str) -> Option<Value<'_>> {
        let Kind::Union { fields } = self.ty.passed_as().kind else { return None };
        let member = fields.iter().find(|field| field.name == name)?;
        // SAFETY: the caller's promise.
        unsafe { Value::read(&member.ty, self.as_ptr()).ok() }
    }

    /// The value as a `T`.
    ///
    /// # Safety
    ///
    /// What is a reference or holds pointers is used only as long as what it points to lives, and is not made twice where
    /// that would alias.
    ///
    /// # Errors
    ///
    /// If `T` has another shape, or the bytes are no value of it.
    pub unsafe fn read<T: CType + Copy>(&self) -> Result<T, ValueError> {
        if !T::TYPE.has_shape_of(&self.ty) {
            return Err(ValueError::of_type(T::TYPE.name, self.ty.name));
        }
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: as many bytes.
        unsafe { ptr::copy_nonoverlapping(self.as_ptr(), value.as_mut_ptr().cast(), size_of::<T>()) };
        // SAFETY: aligned and readable; what is no padding is initialized.
        if unsafe { T::is_valid(value.as_ptr()) } {
            // SAFETY: it is a value.
            return Ok(unsafe { value.assume_init() });
        }
        Err(Value::Object(self.clone()).misfit(&T::TYPE).unwrap_or(ValueError::of_type(T::TYPE.name, self.ty.name)))
    }
}

/// The part of a type at an index.
fn part(ty: &Type, index: usize) -> Option<Field> {
    match ty.passed_as().kind {
        Kind::Struct { fields } | Kind::Union { fields } => fields.get(index).copied(),
        Kind::Array { element, len } => {
            (index < len).then(|| Field { name: "", offset: index * element.size, ty: *element })
        }
        Kind::Complex { element } => {
            (index < 2).then(|| Field { name: "", offset: index * element.size, ty: *element })
        }
        _ => None,
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = (0..self.len()).map(|index| self.get(index));
        match self.ty.kind {
            Kind::Struct { fields } => {
                let mut list = f.debug_struct(self.ty.name);
                for (field, value) in fields.iter().zip(values) {
                    list.field(field.name, &Shown(value));
                }
                list.finish()
            }
            Kind::Vector => {
                f.write_str("0x")?;
                // SAFETY: a vector has no padding.
                self.bytes().iter().rev().try_for_each(|byte| write!(f, "{:02x}", unsafe { byte.assume_init() }))
            }
            Kind::Array { .. } | Kind::Complex { .. } => f.debug_list().entries(values.map(Shown)).finish(),
            _ => f.debug_struct(self.ty.name).finish_non_exhaustive(),
        }
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A part, without its type.
struct Shown<'a>(Option<Value<'a>>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => fmt::Display::fmt(value, f),
            None => f.write_str("(no value)"),
        }
    }
}
