//! Entries and shims for closures: what an expansion of `#[cbframe]` has for one callback, here for any types.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

#[cfg(feature = "alloc")]
use super::RawHandler;
use super::{Handler, run};
use crate::abi::{Placed, check_parameter, check_result, place};
use crate::arch::{Capture, CpuState, Lane, NATIVE, give, hidden_result, lane, take, with_conventions};
use crate::pool::{Entry, Meta, Name};
use crate::private::known;
use crate::signature::{Convention, Forced, Known};
use crate::types::CType;
use crate::{
    __cbframe_captured_entry as captured_entry, __cbframe_dispatcher as dispatcher, __cbframe_native as native,
};

/// The parameters of a signature, as a tuple, with the entries of callbacks that have this signature.
pub trait Enter<C: Convention, R>: Sized {
    /// The entry for a closure behind `H`.
    fn entry<H: Handler<Self, R>>() -> Entry;

    /// What is told of that callback.
    fn meta<H: Handler<Self, R>>() -> &'static Meta;
}

/// What arguments of closures are called.
static NAMES: [&str; 16] =
    ["#0", "#1", "#2", "#3", "#4", "#5", "#6", "#7", "#8", "#9", "#10", "#11", "#12", "#13", "#14", "#15"];

/// [`Enter::meta`] as a constant.
struct Told<H, C, P, R>(PhantomData<(H, C, P, R)>);

/// What the compiler computes of a signature.
struct Shape<C, P, R>(PhantomData<(C, P, R)>);

/// The entry for a callback that gets the state of the CPU and nothing else.
#[cfg(feature = "alloc")]
pub(crate) fn raw_entry<H: RawHandler>() -> Entry {
    const CAPTURE: Capture = Capture::new(NATIVE, &Placed::<0>::NOWHERE, crate::__cbframe_save!(default));

    dispatcher! { "C" dispatch<H: RawHandler>(cpu: *mut CpuState, ctx: *const ()) {
        // SAFETY: the entry passes its own state of the CPU, which nobody else has, and the slot's ctx.
        unsafe { H::handle(ctx, &mut *cpu) }
    } }
    captured_entry!(entry [<H: RawHandler>], CAPTURE, dispatch::<H>);
    // SAFETY: the entry passes ctx on to the dispatcher.
    unsafe { Entry::new(entry::<H>) }
}

macro_rules! shims {
    ($count:literal $($ty:ident $arg:ident $index:literal)*) => {
        impl<C: Convention, R: CType, $($ty: CType),*> Shape<C, ($($ty,)*), R> {
            const KNOWN: [Known; $count] = [$({
                let known = known($ty::TYPE);
                check_parameter(&$ty::TYPE);
                known
            }),*];
            const RESULT: Known = {
                check_result(&R::TYPE);
                known(R::TYPE)
            };
            const PLACED: &'static Option<Placed<$count>> =
                &Some(place(C::ABI, [$(("", $ty::TYPE)),*], R::TYPE));
            const PLACES: &'static Placed<$count> = match Self::PLACED {
                Some(placed) => placed,
                None => &Placed::NOWHERE,
            };
            const LANE: Lane = lane(C::ABI, Self::PLACED, &Self::KNOWN, Self::RESULT, Forced::No);
            const CAPTURE: Capture = Capture::new(C::ABI, Self::PLACES, 0);
        }

        impl<H: Handler<($($ty,)*), R>, C: Convention, R: CType, $($ty: CType),*> Told<H, C, ($($ty,)*), R> {
            const META: &'static Meta = &Meta {
                name: Name::Type(H::name),
                parameters: NAMES.split_at($count).0,
                layout: Some(Shape::<C, ($($ty,)*), R>::PLACES.layout(C::ABI, C::UNWIND)),
            };
        }

        with_conventions! { enter [($($ty,)*) $($ty $arg $index)*] }
    };
}

/// The entries for closures with these parameters and this convention.
macro_rules! enter {
    ([$parameters:tt $($ty:ident $arg:ident $index:literal)*] $abi:tt [$convention:ty]) => {
        impl<R: CType, $($ty: CType),*> Enter<$convention, R> for $parameters {
            fn entry<H: Handler<Self, R>>() -> Entry {
                #[inline(always)]
                #[allow(clippy::too_many_arguments, reason = "as many as the closure has")]
                unsafe fn call<H: Handler<$parameters, R>, R: CType, $($ty: CType),*>(
                    ctx: *const (), $($arg: MaybeUninit<$ty>),*
                ) -> R {
                    // SAFETY: the caller passes on the arguments of the C caller, and the ctx of the slot.
                    unsafe { run!($convention, H, ctx, $($ty $arg)*) }
                }

                dispatcher! { $abi dispatch<H: Handler<$parameters, R>, R: CType, $($ty: CType),*>(
                    cpu: *mut CpuState, ctx: *const ()
                ) {
                    // SAFETY: `cpu` is the entry's, whose capture includes every register that these places name; nothing has
                    // changed them. The types are those that were placed.
                    unsafe {
                        let hidden = hidden_result(
                            cpu,
                            const { &Shape::<$convention, $parameters, R>::PLACES.result().place },
                        );
                        $(let $arg: MaybeUninit<$ty> = take(
                            cpu,
                            const { &Shape::<$convention, $parameters, R>::PLACES.parameter($index).place },
                        );)*
                        let result = call::<H, R, $($ty),*>(ctx, $($arg),*);
                        give(cpu, const { Shape::<$convention, $parameters, R>::PLACES.result() }, hidden, result);
                    }
                } }
                captured_entry!(
                    __cbframe_captured_entry [<H: Handler<$parameters, R>, R: CType, $($ty: CType),*>],
                    Shape::<$convention, $parameters, R>::CAPTURE, dispatch::<H, R, $($ty),*>
                );
                native! {
                    $abi,
                    lifetimes [] generics [H: Handler<$parameters, R>, R: CType, $($ty: CType,)*] types [H, R, $($ty,)*]
                    lane [Shape::<$convention, $parameters, R>::LANE]
                    parameters [$($arg: MaybeUninit<$ty>,)*] output [-> R]
                    call [call::<H, R, $($ty),*>]
                }

                const { unsafe {
                    // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the handler.
                    Entry::new(__cbframe_native_entry::<H, R, $($ty),*>(Shape::<$convention, Self, R>::LANE))
                } }
            }

            #[inline(always)]
            fn meta<H: Handler<Self, R>>() -> &'static Meta {
                Told::<H, $convention, Self, R>::META
            }
        }
    };
}

shims! { 0 }
shims! { 1 A0 a0 0 }
shims! { 2 A0 a0 0 A1 a1 1 }
shims! { 3 A0 a0 0 A1 a1 1 A2 a2 2 }
shims! { 4 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 }
shims! { 5 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 }
shims! { 6 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 }
shims! { 7 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 }
shims! { 8 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 }
shims! { 9 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 }
shims! { 10 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 }
shims! { 11 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 A10 a10 10 }
shims! { 12 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 A10 a10 10 A11 a11 11 }
shims! {
    13 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 A10 a10 10 A11 a11 11
    A12 a12 12
}
shims! {
    14 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 A10 a10 10 A11 a11 11
    A12 a12 12 A13 a13 13
}
shims! {
    15 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 A10 a10 10 A11 a11 11
    A12 a12 12 A13 a13 13 A14 a14 14
}
shims! {
    16 A0 a0 0 A1 a1 1 A2 a2 2 A3 a3 3 A4 a4 4 A5 a5 5 A6 a6 6 A7 a7 7 A8 a8 8 A9 a9 9 A10 a10 10 A11 a11 11
    A12 a12 12 A13 a13 13 A14 a14 14 A15 a15 15
}
