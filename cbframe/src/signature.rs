//! Signatures: those of function pointer types, and what an expansion knows of its own.

use crate::abi::{Abi, Layout, Placed, X86Call, place_unnamed};
use crate::arch::{with_abis, with_variadic_abis};
use crate::closure::Enter;
use crate::private::{fn_pointer, is_not_null};
use crate::types::{CType, NeverNull, Type};
use crate::va_list::VaArg;

/// A function pointer type whose parameters and result are [`CType`]s: a signature.
///
/// Implemented for `extern` and `unsafe extern` function pointers of every ABI string with up to 16 parameters, for
/// `unsafe` ones of `"C"` (and, on x86-64, `"sysv64"` and `"win64"`) with `...` behind up to 16, and for `Option` of them. A
/// pointer type that is generic over a lifetime (`fn(&T)`) is beyond the trait system: write `fn(*const T)` or `fn(Option<&'static T>)`, whose layout is the same.
///
/// # Safety
///
/// The type has the size of a pointer, null is `None` or no value, and `LAYOUT` is the layout of the signature.
#[diagnostic::on_unimplemented(
    message = "cbframe cannot tell the C signature of `{Self}`",
    label = "not a function pointer with known layout",
    note = "an `unsafe extern` function pointer, or `Option` of one, with at most 16 parameters which are all `CType`s; instead of `fn(&T)` write `fn(*const T)`: the layout is the same; for a closure with such parameters there is `frame!`"
)]
pub unsafe trait FnPointer: Copy {
    /// Where arguments and result lie.
    const LAYOUT: &'static Layout<'static>;
    /// Whether it is `unsafe` to call.
    const UNSAFE: bool;
    /// The same type, but `unsafe` to call.
    type Unsafe: Copy;
}

/// A [`FnPointer`] that a closure can be behind: one without `...`.
#[diagnostic::on_unimplemented(
    message = "cbframe makes no pointer of type `{Self}` from a closure",
    label = "not a function pointer with known layout and without `...`",
    note = "an `unsafe extern` function pointer, or `Option` of one, with at most 16 parameters which are all `CType`s; for a closure with other parameters, `&T` or `...`, there is `frame!`"
)]
pub trait ClosurePointer: FnPointer {
    #[doc(hidden)]
    type Convention: Convention;
    #[doc(hidden)]
    type Parameters: Enter<Self::Convention, Self::Result>;
    #[doc(hidden)]
    type Result;
}

/// A calling convention, and whether calls may unwind.
pub trait Convention {
    /// The convention.
    const ABI: Abi;
    /// Whether calls may unwind.
    const UNWIND: bool;
}

macro_rules! conventions {
    ($($(#[$meta:meta])* $name:ident = $abi:expr;)*) => { $(
        $(#[$meta])*
        pub struct $name<const UNWIND: bool>;

        impl<const UNWIND: bool> Convention for $name<UNWIND> {
            const ABI: Abi = $abi;
            const UNWIND: bool = UNWIND;
        }
    )* };
}

conventions! {
    /// System V x86-64.
    SysV64 = Abi::SysV64;
    /// Windows x64.
    Win64 = Abi::Win64;
    /// AArch64.
    Aapcs64 = Abi::Aapcs64;
    /// 64-bit RISC-V.
    Lp64d = Abi::Lp64d;
    /// cdecl.
    Cdecl = Abi::X86 { call: X86Call::Cdecl, windows: false };
    /// stdcall.
    Stdcall = Abi::X86 { call: X86Call::Stdcall, windows: false };
    /// fastcall.
    Fastcall = Abi::X86 { call: X86Call::Fastcall, windows: false };
    /// thiscall.
    Thiscall = Abi::X86 { call: X86Call::Thiscall, windows: false };
}

// SAFETY: `None` is null; the rest is that of `F`.
unsafe impl<F: FnPointer + NeverNull> FnPointer for Option<F> {
    const LAYOUT: &'static Layout<'static> = F::LAYOUT;
    const UNSAFE: bool = F::UNSAFE;
    type Unsafe = Option<F::Unsafe>;
}

impl<F: ClosurePointer + NeverNull> ClosurePointer for Option<F> {
    type Convention = F::Convention;
    type Parameters = F::Parameters;
    type Result = F::Result;
}

/// What an expansion knows of a type: all of it for a `CType`, else what every Rust type tells.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The layout of a `CType`.
    pub ty: Option<Type>,
    /// Its size in bytes.
    pub size: usize,
    /// Its alignment in bytes.
    pub align: usize,
}

/// The option `entry = "…"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    /// Not given.
    No,
    /// `"direct"`.
    Direct,
    /// `"stack"`.
    Stack,
}

/// What can be told about the signature of a callback.
#[derive(Clone, Copy)]
pub enum Description {
    /// Every type is a `CType`.
    Layout(Layout<'static>),
    /// Some type is not.
    Unknown,
    /// `abi = "raw"`: whatever the caller passes.
    Raw,
}

/// A callback that `#[cbframe]` has described.
pub trait Described {
    /// The description.
    const DESCRIPTION: Description;
}

impl Description {
    /// Panics unless a callback of this description can be called through a pointer of the layout `pointer`.
    #[track_caller]
    pub const fn assert_fits(&self, pointer: &Layout<'_>) {
        match self {
            Self::Layout(layout) => {
                layout.check_callable();
                assert!(
                    layout.fits(pointer),
                    "cbframe: this function pointer type has not the layout of the callback: another ABI, or a parameter or the result in another place"
                );
            }
            Self::Unknown => panic!(
                "cbframe: `as_fn_of` compares layouts, and a parameter or the result of this callback is not a `CType`: derive it, or use `as_fn`"
            ),
            Self::Raw => {}
        }
    }
}

macro_rules! c_types {
    ($ty:ty, $($generics:ident)*) => {
        // SAFETY: a function pointer is a pointer to code in C too; `is_valid` refuses null.
        unsafe impl<$($generics),*> CType for $ty {
            const TYPE: Type = fn_pointer::<Self>();

            #[inline(always)]
            unsafe fn is_valid(bits: *const Self) -> bool {
                // SAFETY: the caller promises a pointer's worth of readable bytes.
                unsafe { is_not_null(bits) }
            }
        }

        // SAFETY: `Option`'s documentation lists function pointers.
        unsafe impl<$($generics),*> NeverNull for $ty {}

        impl<$($generics),*> VaArg for $ty {}
    };
}

/// The places of a function pointer type's signature.
const fn place_pointer<const N: usize>(abi: Abi, types: [Type; N], result: Type, variadic: bool) -> Placed<N> {
    let mut parameters = [("", result); N];
    let mut i = 0;
    while i < N {
        parameters[i].1 = types[i];
        i += 1;
    }
    place_unnamed(abi, parameters, result, if variadic { Some(N) } else { None })
}

macro_rules! pointers {
    ($unsafety:literal $convention:ty, $ty:ty, $unsafe_ty:ty, [$($variadic:ident)?] $($generics:ident)*) => {
        c_types! { $ty, $($generics)* R }

        // SAFETY: placed from the types of the pointer's signature.
        unsafe impl<$($generics: CType,)* R: CType> FnPointer for $ty {
            const LAYOUT: &'static Layout<'static> =
                &const { &place_pointer(<$convention>::ABI, [$(<$generics as CType>::TYPE),*], R::TYPE, variadic!($($variadic)?)) }
                    .layout(<$convention>::ABI, <$convention>::UNWIND)$(.$variadic())?;
            const UNSAFE: bool = $unsafety;
            type Unsafe = $unsafe_ty;
        }
    };
}

macro_rules! variadic {
    () => {
        false
    };
    (variadic) => {
        true
    };
}

macro_rules! signatures {
    ($unsafety:literal $convention:ty, $ty:ty, $unsafe_ty:ty, $($generics:ident)*) => {
        pointers! { $unsafety $convention, $ty, $unsafe_ty, [] $($generics)* }

        impl<$($generics: CType,)* R: CType> ClosurePointer for $ty {
            type Convention = $convention;
            type Parameters = ($($generics,)*);
            type Result = R;
        }
    };
}

macro_rules! arity {
    ($($generics:ident)*) => {
        c_types! { fn($($generics),*) -> R, $($generics)* R }
        c_types! { unsafe fn($($generics),*) -> R, $($generics)* R }
        with_variadic_abis! { variadic_arity [$($generics)*] }
        with_abis! { extern_arity [$($generics)*] }
    };
}

macro_rules! variadic_arity {
    ([$($generics:ident)*] $abi:literal [$convention:ty]) => {
        pointers! { true $convention, unsafe extern $abi fn($($generics,)* ...) -> R, Self, [variadic] $($generics)* }
    };
}

macro_rules! extern_arity {
    ([$($generics:ident)*] $abi:literal [$convention:ty]) => {
        signatures! {
            false $convention, extern $abi fn($($generics),*) -> R, unsafe extern $abi fn($($generics),*) -> R, $($generics)*
        }
        signatures! {
            true $convention, unsafe extern $abi fn($($generics),*) -> R, Self, $($generics)*
        }
    };
}

macro_rules! arities {
    ($first:ident $($rest:ident)*) => {
        arity! { $first $($rest)* }
        arities! { $($rest)* }
    };
    () => { arity! {} };
}

arities! { A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 }
