//! The lists of arguments behind `...`: all are on the stack (psABI for Intel386, section 2.2.4 "Variable Argument Lists").

use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use super::foreign;
use super::state::CpuState;
use crate::abi::{self, Abi, Cursor, Place};
use crate::arch::NATIVE;
use crate::arch::moves::stack_arguments;
use crate::types::{CType, round_up};

/// The arguments that are left: `va_list`, a pointer to the next.
#[derive(Clone, Copy)]
pub(crate) struct List(*mut u8);

/// What an argument of type `T` is behind `...`.
struct Unnamed<T>(PhantomData<T>);

impl<T: CType> Unnamed<T> {
    /// Panics if C passes none.
    const PLACE: Place = abi::unnamed(NATIVE, &T::TYPE);
    const ALIGN: usize = abi::x86::alignment(&T::TYPE);
}

impl List {
    /// The arguments behind those of the parameters.
    ///
    /// # Safety
    ///
    /// `cpu` is what the captured entry of a variadic callback passed to the dispatcher, unchanged; `end` is what its
    /// parameters have taken. The list is used while that entry runs.
    #[inline(always)]
    pub(crate) unsafe fn of(cpu: *mut CpuState, abi: Abi, end: &Cursor) -> Self {
        check(abi);
        Self(stack_arguments(cpu).cast_mut().wrapping_add(end.stack as usize))
    }

    /// A copy of the list that a C function was passed as `raw`.
    ///
    /// # Safety
    ///
    /// It was passed as a `va_list` of this ABI, and is not used up.
    pub(crate) unsafe fn from_raw(abi: Abi, raw: *mut c_void) -> Self {
        check(abi);
        Self(raw.cast())
    }

    /// What a C function with a parameter of type `va_list` is passed.
    pub(crate) const fn as_raw(&mut self) -> *mut c_void {
        self.0.cast()
    }

    /// The same arguments for a function of the target's C library: there is no other list.
    ///
    /// # Safety
    ///
    /// None: this mirrors those of other architectures.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn native(self, _: impl Iterator<Item = bool>, _: &mut alloc::vec::Vec<u64>) -> Self {
        self
    }

    /// The ABI that this is a list of.
    pub(crate) const fn abi(&self) -> Abi {
        NATIVE
    }

    /// Takes the next argument.
    ///
    /// # Safety
    ///
    /// There is one, and its type is `T`.
    #[inline(always)]
    pub(crate) unsafe fn take<T: CType>(&mut self) -> MaybeUninit<T> {
        let mut value = MaybeUninit::<T>::uninit();
        if let Place::Nothing = const { &Unnamed::<T>::PLACE } {
            return value;
        }
        let from = self.0.wrapping_add(round_up(self.0.addr(), Unnamed::<T>::ALIGN) - self.0.addr());
        // SAFETY: the caller's promise.
        unsafe { ptr::copy_nonoverlapping(from, value.as_mut_ptr().cast(), size_of::<T>()) };
        self.0 = from.wrapping_add(round_up(size_of::<T>(), 4));
        value
    }
}

#[track_caller]
const fn check(abi: Abi) {
    match abi {
        Abi::X86 { .. } => {}
        Abi::Named(_) | Abi::Custom => panic!("cbframe: only C's own calling conventions have lists of arguments"),
        _ => foreign(abi),
    }
}
