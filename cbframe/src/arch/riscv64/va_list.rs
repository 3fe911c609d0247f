//! The lists of arguments behind `...` ("RISC-V ABIs Specification", section 2.1): words, as the integer calling convention has
//! them, of which those in registers are stored below those on the stack.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use super::foreign;
use super::state::CpuState;
use crate::abi::{self, Abi, Cursor, Place};
use crate::types::{CType, round_up};

/// The arguments that are left: `va_list`, a pointer to the next.
#[derive(Clone, Copy)]
pub(crate) struct List(*mut u8);

/// What an argument of type `T` is behind `...`.
struct Unnamed<T>(PhantomData<T>);

impl<T: CType> Unnamed<T> {
    /// Panics if C passes none.
    const PLACE: Place = abi::unnamed(Abi::Lp64d, &T::TYPE);
    /// "Variadic arguments with 2×XLEN-bit alignment and size at most 2×XLEN bits are passed in an aligned register pair".
    const ALIGN: usize = if T::TYPE.align == 16 { 16 } else { 8 };
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
        // With a0 to a7 taken, the arguments on the stack, which follow what was in these.
        let words = 8 * end.integers as usize + end.stack as usize;
        Self(cpu.cast::<u8>().wrapping_add(CpuState::SPILL + words))
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
        Abi::Lp64d
    }

    /// Takes the next argument.
    ///
    /// # Safety
    ///
    /// There is one, and its type is `T`.
    #[inline(always)]
    pub(crate) unsafe fn take<T: CType>(&mut self) -> MaybeUninit<T> {
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast::<u8>();
        // SAFETY: the caller's promise; `to` is a `T`'s worth of memory.
        unsafe {
            match const { &Unnamed::<T>::PLACE } {
                Place::Nothing => {}
                Place::Reference(_) => {
                    let mut address = MaybeUninit::<*const u8>::uninit();
                    self.take_bytes(address.as_mut_ptr().cast(), 8, 8);
                    ptr::copy_nonoverlapping(address.assume_init(), to, size_of::<T>());
                }
                Place::Registers(_) | Place::Stack(_) | Place::Split(..) | Place::Hidden { .. } => {
                    self.take_bytes(to, size_of::<T>(), Unnamed::<T>::ALIGN);
                }
            }
        }
        value
    }

    /// Takes so many bytes, word by word, as they were stored a moment ago.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take): the argument is there, and has so many bytes, for which there is room at `to`.
    #[inline(always)]
    unsafe fn take_bytes(&mut self, to: *mut u8, size: usize, align: usize) {
        let from = self.0.wrapping_add(round_up(self.0.addr(), align) - self.0.addr());
        let mut at = 0;
        while at < size {
            let bytes = if size - at < 8 { size - at } else { 8 };
            // SAFETY: the caller's promise. Volatile for the reason that `read` in `moves` has.
            unsafe {
                let word = from.add(at).cast::<MaybeUninit<u64>>().read_volatile();
                ptr::copy_nonoverlapping(word.as_ptr().cast(), to.add(at), bytes);
            }
            at += 8;
        }
        self.0 = from.wrapping_add(round_up(size, 8));
    }
}

#[track_caller]
const fn check(abi: Abi) {
    match abi {
        Abi::Lp64d => {}
        Abi::Named(_) | Abi::Custom => panic!("cbframe: only C's own calling conventions have lists of arguments"),
        _ => foreign(abi),
    }
}
