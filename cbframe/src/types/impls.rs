//! What Rust itself has that C has too: primitives, pointers, arrays and what wraps them.

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

use super::{CType, Kind, NeverNull, Type};

pub(crate) const fn scalar<T>(name: &'static str, kind: Kind) -> Type {
    Type { name, size: size_of::<T>(), align: align_of::<T>(), kind }
}

pub(crate) const fn pointer<T>(name: &'static str, nullable: bool, pointee_align: usize) -> Type {
    assert!(size_of::<T>() == size_of::<usize>());
    scalar::<T>(name, Kind::Pointer { nullable, pointee_align })
}

macro_rules! scalars {
    ($($ty:ident $kind:expr;)*) => { $(
        // SAFETY: a primitive of the same size in C, all of whose bit patterns are values.
        unsafe impl CType for $ty {
            const TYPE: Type = scalar::<$ty>(stringify!($ty), $kind);
        }
    )* };
}

scalars! {
    i8 Kind::Int { signed: true };
    i16 Kind::Int { signed: true };
    i32 Kind::Int { signed: true };
    i64 Kind::Int { signed: true };
    i128 Kind::Int { signed: true };
    isize Kind::Int { signed: true };
    u8 Kind::Int { signed: false };
    u16 Kind::Int { signed: false };
    u32 Kind::Int { signed: false };
    u64 Kind::Int { signed: false };
    u128 Kind::Int { signed: false };
    usize Kind::Int { signed: false };
    f32 Kind::Float;
    f64 Kind::Float;
}

// SAFETY: C's `_Bool` is one byte of value 0 or 1 (psABI, figure 3.1), as is `bool`.
unsafe impl CType for bool {
    const TYPE: Type = scalar::<bool>("bool", Kind::Bool);

    #[inline(always)]
    unsafe fn is_valid(bits: *const Self) -> bool {
        // SAFETY: the byte is readable and initialized.
        unsafe { bits.cast::<u8>().read() <= 1 }
    }
}

// SAFETY: no bytes.
unsafe impl CType for () {
    const TYPE: Type = scalar::<()>("()", Kind::Void);
}

// Below, `do_not_recommend` makes rustc say of a pointer to what has no size that it is no C type, and not only that
// something has no size.

// SAFETY: a thin pointer is C's; any bits are a value.
#[diagnostic::do_not_recommend]
unsafe impl<T> CType for *const T {
    const TYPE: Type = pointer::<Self>("pointer", true, 1);
}

// SAFETY: a thin pointer is C's; any bits are a value.
#[diagnostic::do_not_recommend]
unsafe impl<T> CType for *mut T {
    const TYPE: Type = pointer::<Self>("pointer", true, 1);
}

/// The address at `bits`.
///
/// # Safety
///
/// A pointer's worth of initialized, aligned bytes is readable at `bits`.
#[inline(always)]
pub(crate) unsafe fn address<T>(bits: *const T) -> usize {
    // SAFETY: the caller's promise.
    unsafe { bits.cast::<*const ()>().read().addr() }
}

macro_rules! never_null {
    ($(($($generics:tt)*) $ty:ty, $name:literal, $align:expr;)*) => { $(
        // SAFETY: a pointer that `is_valid` finds to be neither null nor misaligned for what it points to.
        #[diagnostic::do_not_recommend]
        unsafe impl<$($generics)*> CType for $ty {
            const TYPE: Type = pointer::<Self>($name, false, $align);

            #[inline(always)]
            unsafe fn is_valid(bits: *const Self) -> bool {
                // SAFETY: the caller's promise.
                let address = unsafe { address(bits) };
                address != 0 && address.is_multiple_of($align)
            }
        }

        // SAFETY: `Option`'s documentation lists this type.
        #[diagnostic::do_not_recommend]
        unsafe impl<$($generics)*> NeverNull for $ty {}
    )* };
}

never_null! {
    ('a, T) &'a T, "reference", align_of::<T>();
    ('a, T) &'a mut T, "reference", align_of::<T>();
    (T) NonNull<T>, "NonNull", 1;
}

// SAFETY: `NeverNull` says that `None` is null and that the layout is that of `T`.
unsafe impl<T: NeverNull> CType for Option<T> {
    const TYPE: Type = match T::TYPE.kind {
        Kind::Pointer { pointee_align, .. } => pointer::<Self>(T::TYPE.name, true, pointee_align),
        _ => panic!("cbframe: a `NeverNull` type is a pointer"),
    };

    #[inline(always)]
    unsafe fn is_valid(bits: *const Self) -> bool {
        // SAFETY: `Option<T>` has the layout of `T`, so what is promised for one holds for the other.
        unsafe { address(bits) == 0 || T::is_valid(bits.cast()) }
    }
}

/// A `&'static Type` from a generic parameter.
struct TypeOf<T, L>(T, L);

impl<T: CType<L>, L> TypeOf<T, L> {
    const REF: &'static Type = &T::TYPE;
}

// SAFETY: elements one after the other, as in C.
unsafe impl<T: CType<L>, L, const N: usize> CType<L> for [T; N] {
    const TYPE: Type = scalar::<Self>("array", Kind::Array { element: TypeOf::<T, L>::REF, len: N });

    #[inline(always)]
    unsafe fn is_valid(bits: *const Self) -> bool {
        // SAFETY: `i < N`, so each element lies within the array that the caller vouches for.
        (0..N).all(|i| unsafe { T::is_valid(bits.cast::<T>().add(i)) })
    }
}

// SAFETY: `ManuallyDrop`'s documentation: "guaranteed to have the same layout and bit validity as `T`".
unsafe impl<T: CType<L>, L> CType<L> for ManuallyDrop<T> {
    const TYPE: Type = T::TYPE;

    #[inline(always)]
    unsafe fn is_valid(bits: *const Self) -> bool {
        // SAFETY: the same bytes, so what is promised for one holds for the other.
        unsafe { T::is_valid(bits.cast()) }
    }
}

// SAFETY: `MaybeUninit`'s documentation: "guaranteed to have the same size, alignment, and ABI as `T`"; it is a union
// whose bits mean nothing.
unsafe impl<T: CType<L>, L> CType<L> for MaybeUninit<T> {
    const TYPE: Type = Type { kind: Kind::MaybeUninit { of: TypeOf::<T, L>::REF }, ..T::TYPE };
}

// SAFETY: no bytes, and no field that a convention would look at.
unsafe impl<T: ?Sized> CType for PhantomData<T> {
    const TYPE: Type = scalar::<Self>("PhantomData", Kind::Struct { fields: &[] });
}
