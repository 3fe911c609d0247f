//! Entries and shims for closures: what an expansion of `#[cbframe]` has for one callback, here for any types.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use super::capture::{Capture, Group};
use super::lanes::{Head, Head4, Head8, Lane, sysv64_lane, win64_hidden, win64_lane};
use super::moves::{give, hidden_result, take};
use super::{CpuState, Native, foreign};
use crate::abi::{Abi, Placed, check_parameter, check_result, place};
#[cfg(feature = "alloc")]
use crate::closure::RawHandler;
use crate::closure::{Handler, run};
use crate::pool::{Entry, Meta, Name};
use crate::private::known;
use crate::signature::{Convention, Forced, Known, SysV64, Win64};
use crate::types::CType;
use crate::{
    __cbframe_captured_entry as captured_entry, __cbframe_direct_entry as direct_entry,
    __cbframe_stack_entry as stack_entry,
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
    const CAPTURE: Capture = Capture::new(
        <Native<false> as Convention>::ABI,
        &Placed::<0>::NOWHERE,
        Group::Gpr.bit() | Group::Flags.bit() | Group::Sse.bit(),
    );

    extern "C" fn dispatch<H: RawHandler>(cpu: *mut CpuState, ctx: *const ()) {
        // SAFETY: the entry passes its own state of the CPU, which nobody else has, and the slot's ctx.
        unsafe { H::handle(ctx, &mut *cpu) }
    }
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
            const LANE: Lane = match C::ABI {
                Abi::SysV64 => sysv64_lane(Self::PLACED, &Self::KNOWN, Self::RESULT, Forced::No),
                Abi::Win64 => win64_lane(&Self::KNOWN, Self::RESULT, win64_hidden(Self::RESULT), Forced::No),
                Abi::Named(_) | Abi::Custom => Lane::Captured,
                _ => foreign(C::ABI),
            };
            const CAPTURE: Capture = Capture::new(C::ABI, Self::PLACES, 0);
        }

        impl<H: Handler<($($ty,)*), R>, C: Convention, R: CType, $($ty: CType),*> Told<H, C, ($($ty,)*), R> {
            const META: &'static Meta = &Meta {
                name: Name::Type(H::name),
                parameters: NAMES.split_at($count).0,
                layout: Some(Shape::<C, ($($ty,)*), R>::PLACES.layout(C::ABI, C::UNWIND)),
            };
        }

        shims! { @sysv64 "sysv64" SysV64<false>, $count $($ty $arg $index)* }
        shims! { @sysv64 "sysv64-unwind" SysV64<true>, $count $($ty $arg $index)* }
        shims! { @win64 "win64" Win64<false>, $count $($ty $arg $index)* }
        shims! { @win64 "win64-unwind" Win64<true>, $count $($ty $arg $index)* }
    };

    (@sysv64 $abi:literal $convention:ty, $count:literal $($ty:ident $arg:ident $index:literal)*) => {
        impl<R: CType, $($ty: CType),*> Enter<$convention, R> for ($($ty,)*) {
            fn entry<H: Handler<Self, R>>() -> Entry {
                shims! { @direct $abi $convention, $($ty $arg)* }
                shims! { @captured $abi $convention, ($($ty,)*) $($ty $arg $index)* }

                unsafe extern $abi fn stack<H: Handler<($($ty,)*), R>, Hd: Head, R: CType, $($ty: CType),*>(
                    head: Hd, $($arg: MaybeUninit<$ty>),*
                ) -> R {
                    // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
                    unsafe { run!($convention, H, head.ctx(), $($ty $arg)*) }
                }
                stack_entry!(
                    stack_entry [<H: Handler<($($ty,)*), R>, Hd: Head, R: CType, $($ty: CType),*>],
                    Hd::PAD, stack::<H, Hd, R, $($ty),*>
                );

                // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the handler.
                const { unsafe {
                    Entry::new(match Shape::<$convention, Self, R>::LANE {
                        Lane::Direct(_) => direct_entry::<H, R, $($ty),*>,
                        Lane::Stack(4) => stack_entry::<H, Head4, R, $($ty),*>,
                        Lane::Stack(_) => stack_entry::<H, Head8, R, $($ty),*>,
                        Lane::Captured => captured_entry::<H, R, $($ty),*>,
                    })
                } }
            }

            #[inline(always)]
            fn meta<H: Handler<Self, R>>() -> &'static Meta {
                Told::<H, $convention, Self, R>::META
            }
        }
    };

    (@win64 $abi:literal $convention:ty, $count:literal $($ty:ident $arg:ident $index:literal)*) => {
        impl<R: CType, $($ty: CType),*> Enter<$convention, R> for ($($ty,)*) {
            fn entry<H: Handler<Self, R>>() -> Entry {
                shims! { @captured $abi $convention, ($($ty,)*) $($ty $arg $index)* }
                shims! { @positions $abi $convention, $($ty $arg)* }
            }

            #[inline(always)]
            fn meta<H: Handler<Self, R>>() -> &'static Meta {
                Told::<H, $convention, Self, R>::META
            }
        }
    };

    // Up to two parameters, and a hidden result pointer: a register is left.
    (@positions $abi:literal $convention:ty, $($A:ident $a:ident $($B:ident $b:ident)?)?) => {
        shims! { @direct $abi $convention, $($A $a $($B $b)?)? }
        // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the handler.
        const { unsafe {
            Entry::new(match Shape::<$convention, Self, R>::LANE {
                Lane::Direct(_) => direct_entry::<H, R $(, $A $(, $B)?)?>,
                _ => captured_entry::<H, R $(, $A $(, $B)?)?>,
            })
        } }
    };

    // Three: a register is left unless a hidden result pointer takes it.
    (@positions $abi:literal $convention:ty, $A:ident $a:ident $B:ident $b:ident $C:ident $c:ident) => {
        shims! { @direct $abi $convention, $A $a $B $b $C $c }
        shims! { @behind behind_3 behind_3_entry $abi $convention, $A $a $B $b $C $c, }
        // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the handler.
        const { unsafe {
            Entry::new(match Shape::<$convention, Self, R>::LANE {
                Lane::Direct(_) => direct_entry::<H, R, $A, $B, $C>,
                Lane::Stack(_) => behind_3_entry::<H, R, $A, $B, $C>,
                Lane::Captured => captured_entry::<H, R, $A, $B, $C>,
            })
        } }
    };

    (@positions $abi:literal $convention:ty,
        $A:ident $a:ident $B:ident $b:ident $C:ident $c:ident $D:ident $d:ident $($ty:ident $arg:ident)*) => {
        shims! { @behind behind_3 behind_3_entry $abi $convention, $A $a $B $b $C $c, $D $d $($ty $arg)* }
        shims! { @behind behind_4 behind_4_entry $abi $convention, $A $a $B $b $C $c $D $d, $($ty $arg)* }
        // SAFETY: each entry passes ctx on to its shim, or the dispatcher, as the state of the handler.
        const { unsafe {
            Entry::new(match Shape::<$convention, Self, R>::LANE {
                Lane::Stack(3) => behind_3_entry::<H, R, $A, $B, $C, $D, $($ty),*>,
                Lane::Stack(_) => behind_4_entry::<H, R, $A, $B, $C, $D, $($ty),*>,
                _ => captured_entry::<H, R, $A, $B, $C, $D, $($ty),*>,
            })
        } }
    };

    (@direct $abi:literal $convention:ty, $($ty:ident $arg:ident)*) => {
        unsafe extern $abi fn direct<H: Handler<($($ty,)*), R>, R: CType, $($ty: CType),*>(
            $($arg: MaybeUninit<$ty>,)* ctx: *const ()
        ) -> R {
            // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
            unsafe { run!($convention, H, ctx, $($ty $arg)*) }
        }
        direct_entry!(
            direct_entry [<H: Handler<($($ty,)*), R>, R: CType, $($ty: CType),*>],
            Shape::<$convention, ($($ty,)*), R>::LANE.register(), direct::<H, R, $($ty),*>
        );
    };

    // Six words behind the fourth position, of which a hidden result pointer may be the first.
    (@behind $shim:ident $entry:ident $abi:literal $convention:ty,
        $($before:ident $b:ident)*, $($after:ident $a:ident)*) => {
        unsafe extern $abi fn $shim<H: Handler<($($before,)* $($after,)*), R>, R: CType, $($before: CType,)* $($after: CType),*>(
            $($b: MaybeUninit<$before>,)*
            ctx: *const (),
            _: MaybeUninit<usize>, _: MaybeUninit<usize>, _: MaybeUninit<usize>, _: MaybeUninit<usize>, _: MaybeUninit<usize>,
            $($a: MaybeUninit<$after>),*
        ) -> R {
            // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
            unsafe { run!($convention, H, ctx, $($before $b)* $($after $a)*) }
        }
        stack_entry!(
            $entry [<H: Handler<($($before,)* $($after,)*), R>, R: CType, $($before: CType,)* $($after: CType),*>],
            32, $shim::<H, R, $($before,)* $($after),*>
        );
    };

    (@captured $abi:literal $convention:ty, $parameters:tt $($ty:ident $arg:ident $index:literal)*) => {
        unsafe extern $abi fn dispatch<H: Handler<$parameters, R>, R: CType, $($ty: CType),*>(
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
                let result = run!($convention, H, ctx, $($ty $arg)*);
                give(cpu, const { Shape::<$convention, $parameters, R>::PLACES.result() }, hidden, result);
            }
        }
        captured_entry!(
            captured_entry [<H: Handler<$parameters, R>, R: CType, $($ty: CType),*>],
            Shape::<$convention, $parameters, R>::CAPTURE, dispatch::<H, R, $($ty),*>
        );
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
