//! What each handler does, apart from the arguments.

use core::any::type_name;
use core::marker::PhantomData;

use super::fallback::{Abort, Fallback};
use super::{Handler, local, once};
use crate::activation::Running;
use crate::arch::CpuState;
use crate::pool::{Meta, Name};

/// The same for a closure that gets the state of the CPU.
pub(crate) trait RawHandler {
    /// What is told of the callback.
    const META: &'static Meta;

    /// Runs the closure.
    ///
    /// # Safety
    ///
    /// As for `Handler::handle`.
    unsafe fn handle(ctx: *const (), cpu: &mut CpuState);
}

/// A closure that calls may run at the same time: ctx is the address of a `SharedState`.
pub struct Concurrently<F, V>(PhantomData<(F, V)>);

/// The closure, and what its callback returns if it cannot be run. The closure is first: see `Dyn`.
#[repr(C)]
pub(super) struct SharedState<F, V> {
    pub(super) closure: F,
    pub(super) fallback: V,
}

/// Runs a closure of the handler `Concurrently`.
///
/// # Safety
///
/// As for `Handler::handle`.
#[inline(always)]
pub unsafe fn call_shared<F, V: Fallback<R>, R>(
    ctx: *const (),
    meta: &'static Meta,
    unwind: bool,
    run: impl FnOnce(&F) -> R,
) -> R {
    // SAFETY: ctx is the address of the state, which lives while the slot is bound.
    let state = unsafe { &*ctx.cast::<SharedState<F, V>>() };
    // Not in a closure, which would be another function.
    let _running = if size_of::<SharedState<F, V>>() > 0 { Some(Running::enter(ctx)) } else { None };
    state.fallback.run(meta, unwind, || run(&state.closure))
}

/// Runs a closure of the handler `Locally`.
///
/// # Safety
///
/// As for `Handler::handle`.
#[inline(always)]
pub unsafe fn call_local<F, V: Fallback<R>, R>(
    ctx: *const (),
    meta: &'static Meta,
    unwind: bool,
    run: impl FnOnce(&mut F) -> R,
) -> R {
    // SAFETY: ctx is the address of the state, which lives while the slot is bound or a call has it.
    let state = unsafe { &*ctx.cast::<local::LocalState<F, V>>() };
    match state.enter(meta) {
        // SAFETY: entered, so nobody else uses the closure until `entered` is dropped.
        Ok(entered) => entered.fallback().run(meta, unwind, || run(unsafe { &mut *entered.closure() })),
        Err(refused) => state.fallback.refuse(meta, refused),
    }
}

/// Runs a closure of the handler `AtOnce`.
///
/// # Safety
///
/// As for `Handler::handle`.
#[inline(always)]
pub unsafe fn call_once<F, V: Fallback<R>, R>(
    ctx: *const (),
    meta: &'static Meta,
    unwind: bool,
    run: impl FnOnce(F) -> R,
) -> R {
    // SAFETY: the caller's promise.
    let once::Inside { closure, fallback } = unsafe { once::take::<F, V>(ctx, meta) };
    fallback.run(meta, unwind, || run(closure))
}

impl<F: Fn(&mut CpuState)> RawHandler for Concurrently<F, Abort> {
    const META: &'static Meta = &Meta { name: Name::Type(type_name::<F>), parameters: &[], layout: None };

    #[inline(always)]
    unsafe fn handle(ctx: *const (), cpu: &mut CpuState) {
        // SAFETY: the caller's promise.
        unsafe { call_shared::<F, Abort, ()>(ctx, Self::META, false, |closure| closure(cpu)) }
    }
}

macro_rules! handlers {
    ($($ty:ident $arg:ident)*) => {
        handlers! { @ Concurrently<F, V>, Fn, call_shared, $($ty $arg)* }
        handlers! { @ local::Locally<F, V>, FnMut, call_local, $($ty $arg)* }
        handlers! { @ once::AtOnce<F, V>, FnOnce, call_once, $($ty $arg)* }
    };
    (@ $handler:ty, $bound:ident, $call:ident, $($ty:ident $arg:ident)*) => {
        impl<F: $bound($($ty),*) -> R, V: Fallback<R>, R, $($ty),*> Handler<($($ty,)*), R> for $handler {
            fn name() -> &'static str {
                type_name::<F>()
            }

            #[inline(always)]
            unsafe fn handle(ctx: *const (), ($($arg,)*): ($($ty,)*), meta: &'static Meta, unwind: bool) -> R {
                // SAFETY: the caller's promise.
                unsafe { $call::<F, V, R>(ctx, meta, unwind, |closure| closure($($arg),*)) }
            }
        }
    };
}

macro_rules! arities {
    ($first:ident $arg:ident $($rest:tt)*) => {
        handlers! { $first $arg $($rest)* }
        arities! { $($rest)* }
    };
    () => { handlers! {} };
}

arities! {
    A0 a0 A1 a1 A2 a2 A3 a3 A4 a4 A5 a5 A6 a6 A7 a7 A8 a8 A9 a9 A10 a10 A11 a11 A12 a12 A13 a13 A14 a14 A15 a15
}
