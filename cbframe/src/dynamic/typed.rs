//! Calls with types that the compiler knows, in conventions that it may not: what `call!` expands to.

use core::ffi::c_int;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::abi::{Abi, CallingConvention, Layout, Placed, Spot, place_at, place_unnamed};
use crate::arch::{call_placed, lacks_registers, stack_limit, unwinds_nowhere};
use crate::os;
use crate::signature::Convention;
use crate::types::{CType, Message, Type};

/// Where arguments and the result lie.
pub trait Rules {
    /// The convention.
    const ABI: Abi;
    /// Whether calls may unwind.
    const UNWIND: bool = false;
    /// With [`Abi::Custom`]: the places of the arguments.
    const SPOTS: &'static [Spot] = &[];
    /// With [`Abi::Custom`]: the place of the result.
    const RESULT: Option<Spot> = None;
    /// For a variadic function, how many arguments are before `...`.
    const BEFORE_DOTS: Option<usize> = None;
}

/// The rules of a convention that has a name.
pub struct By<C>(PhantomData<C>);

impl<C: Convention> Rules for By<C> {
    const ABI: Abi = C::ABI;
    const UNWIND: bool = C::UNWIND;
}

/// The same for a variadic function with so many arguments before `...`.
pub struct Variadic<C, const BEFORE: usize>(PhantomData<C>);

impl<C: Convention, const BEFORE: usize> Rules for Variadic<C, BEFORE> {
    const ABI: Abi = C::ABI;
    const UNWIND: bool = C::UNWIND;
    const BEFORE_DOTS: Option<usize> = Some(BEFORE);
}

/// The rules of a convention that is data.
pub struct Named<C>(PhantomData<C>);

impl<C: CallingConvention> Rules for Named<C> {
    const ABI: Abi = Abi::Named(C::CONVENTION);
}

/// What is called: an address, as a pointer or as the type that `FN` and `as_fn` have in conventions that rustc does not know.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no address that `call!` calls",
    label = "not a pointer, nor an `unsafe extern \"C\" fn()`",
    note = "a function pointer of another type is an address with `as *const ()`"
)]
pub trait Address: Copy {
    #[doc(hidden)]
    fn address(self) -> *const ();
}

impl<T> Address for *const T {
    fn address(self) -> *const () {
        self.cast()
    }
}

impl<T> Address for *mut T {
    fn address(self) -> *const () {
        self.cast_const().cast()
    }
}

impl<T> Address for NonNull<T> {
    fn address(self) -> *const () {
        self.as_ptr().cast_const().cast()
    }
}

impl Address for unsafe extern "C" fn() {
    fn address(self) -> *const () {
        self as *const ()
    }
}

/// The arguments of a call, as a tuple, of a function with the result `R` and these rules.
#[diagnostic::on_unimplemented(
    message = "`call!` passes no `{Self}`, with the result `{R}`",
    label = "not up to 16 arguments, each of a type that is a `CType`",
    note = "the result has to be a `CType` too; numbers without a suffix are `i32` and `f64`"
)]
pub trait Arguments<Q, R> {
    /// Where they lie.
    #[doc(hidden)]
    const LAYOUT: &'static Layout<'static>;

    /// Calls `f` with their addresses.
    #[doc(hidden)]
    fn with_addresses(&self, f: impl FnOnce(&[*const u8]));
}

/// Calls a function.
///
/// # Safety
///
/// As for [`call!`](macro@crate::call).
#[inline]
#[track_caller]
pub unsafe fn call_typed<Q: Rules, A: Arguments<Q, R>, R: CType>(address: impl Address, arguments: A) -> R {
    // SAFETY: the caller's promise.
    unsafe { call_value::<Q, A, R>(address.address(), &arguments, None) }
}

/// The same, with the errno of exactly that call.
///
/// # Safety
///
/// As for [`call_typed`].
#[inline]
#[track_caller]
pub unsafe fn call_typed_errno<Q: Rules, A: Arguments<Q, R>, R: CType>(
    address: impl Address,
    arguments: A,
) -> (R, c_int) {
    let mut errno = 0;
    // SAFETY: the caller's promise.
    let result = unsafe { call_value::<Q, A, R>(address.address(), &arguments, Some(&mut errno)) };
    (result, errno)
}

#[inline]
#[track_caller]
unsafe fn call_value<Q: Rules, A: Arguments<Q, R>, R: CType>(
    address: *const (),
    arguments: &A,
    errno: Option<&mut c_int>,
) -> R {
    const {
        if A::LAYOUT.stack_size() > stack_limit() {
            panic!("cbframe: more bytes of arguments on the stack than a call can have");
        }
        if unwinds_nowhere(A::LAYOUT) {
            panic!(
                "cbframe: nothing can be thrown through a call with an argument in rbp on Windows, whose unwinder needs that register: use an ABI without `-unwind`"
            );
        }
    }
    assert!(!lacks_registers(A::LAYOUT), "cbframe: this CPU has not the registers of the call's vectors");
    let mut result = MaybeUninit::<R>::uninit();
    arguments.with_addresses(|addresses| {
        if errno.is_some() {
            os::set_errno(0);
        }
        // SAFETY: the arguments have the types that were placed; the caller promises the rest.
        unsafe { call_placed(A::LAYOUT, address, addresses, result.as_mut_ptr().cast()) };
        if let Some(errno) = errno {
            *errno = os::errno();
        }
    });
    // SAFETY: aligned and readable; the function has returned it.
    if !unsafe { R::is_valid(result.as_ptr()) } {
        invalid::<R>(&result);
    }
    // SAFETY: it is a value.
    unsafe { result.assume_init() }
}

#[cold]
#[track_caller]
fn invalid<R: CType>(result: &MaybeUninit<R>) -> ! {
    // SAFETY: as for the check that failed, which has read the same bytes.
    match unsafe { R::TYPE.find_invalid(result.as_ptr().cast()) } {
        Some(invalid) => panic!("cbframe: the function has returned no value of its type: the result{invalid}"),
        None => panic!("cbframe: the function has returned no value of `{}`", R::TYPE.name),
    }
}

/// Places a call.
const fn placed<Q: Rules, const N: usize>(types: [Type; N], result: Type) -> Placed<N> {
    let mut parameters = [("", result); N];
    let mut i = 0;
    while i < N {
        parameters[i].1 = types[i];
        i += 1;
    }
    match (Q::ABI, Q::BEFORE_DOTS) {
        (Abi::Custom, _) => {
            if Q::SPOTS.len() != N {
                panic!("cbframe: each argument says where it is passed");
            }
            let mut spots = [Spot::Stack(0); N];
            i = 0;
            while i < N {
                spots[i] = Q::SPOTS[i];
                if let Some(message) = spots[i].misfit(&types[i], false) {
                    message.panic();
                }
                i += 1;
            }
            match Q::RESULT {
                Some(spot) => {
                    if let Some(message) = spot.misfit(&result, true) {
                        message.panic();
                    }
                }
                None => {
                    if result.size != 0 {
                        Message::new("cbframe: say where the result, a `")
                            .text(result.name)
                            .text("`, is: `ret = \"eax\"`")
                            .panic();
                    }
                }
            }
            place_at(parameters, spots, Q::RESULT, result, 0)
        }
        (abi, before) => place_unnamed(abi, parameters, result, before),
    }
}

/// The layout of a call.
const fn layout<Q: Rules, const N: usize>(placed: &'static Placed<N>) -> Layout<'static> {
    let layout = placed.layout(Q::ABI, Q::UNWIND);
    if Q::BEFORE_DOTS.is_some() { layout.variadic() } else { layout }
}

macro_rules! arities {
    ($(($($ty:ident $index:tt)*))*) => { $(
        impl<Q: Rules, R: CType, $($ty: CType),*> Arguments<Q, R> for ($($ty,)*) {
            const LAYOUT: &'static Layout<'static> =
                &layout::<Q, _>(const { &placed::<Q, _>([$($ty::TYPE),*], R::TYPE) });

            #[inline]
            fn with_addresses(&self, f: impl FnOnce(&[*const u8])) {
                f(&[$((&raw const self.$index).cast()),*]);
            }
        }
    )* };
}

arities! {
    ()
    (A0 0)
    (A0 0 A1 1)
    (A0 0 A1 1 A2 2)
    (A0 0 A1 1 A2 2 A3 3)
    (A0 0 A1 1 A2 2 A3 3 A4 4)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13 A14 14)
    (A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13 A14 14 A15 15)
}
