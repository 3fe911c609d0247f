//! The lists of arguments behind `...` (AAPCS64, section 10.1.5, and appendix B "Variable argument lists").

use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use super::foreign;
use super::state::CpuState;
use crate::abi::{self, Abi, Cursor, Part, Place, Pointer};
use crate::arch::moves::stack_arguments;
use crate::types::{CType, round_up};

/// The arguments that are left: `va_list`, which C passes by the address of a copy.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct List {
    /// The next argument on the stack.
    stack: *mut u8,
    /// Behind what x0 to x7 held at the call.
    gr_top: *mut u8,
    /// Behind what v0 to v7 held, 16 bytes each.
    vr_top: *mut u8,
    /// How far below `gr_top` the next general register lies; not negative if none is left.
    gr_offs: i32,
    /// How far below `vr_top` the next vector register lies.
    vr_offs: i32,
}

const _: () = assert!(size_of::<List>() == 32);

/// Where arguments of type `T` lie behind `...`, as long as there are registers.
struct Unnamed<T>(PhantomData<T>);

impl<T: CType> Unnamed<T> {
    const PLACE: Place = abi::unnamed(Abi::Aapcs64, &T::TYPE);
    const ALIGN: usize = abi::aapcs64::alignment(false, &T::TYPE);
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
        let state = cpu.cast::<u8>();
        Self {
            stack: stack_arguments(cpu).cast_mut().wrapping_add(end.stack as usize),
            gr_top: state.wrapping_add(8 * 8),
            vr_top: state.wrapping_add(CpuState::V + 8 * 16),
            gr_offs: -8 * (8 - i32::from(end.integers)),
            vr_offs: -16 * (8 - i32::from(end.vectors)),
        }
    }

    /// A copy of the list that a C function was passed as `raw`.
    ///
    /// # Safety
    ///
    /// It was passed as a `va_list` of this ABI, and is not used up.
    pub(crate) unsafe fn from_raw(abi: Abi, raw: *mut c_void) -> Self {
        check(abi);
        // SAFETY: the caller's promise. A struct of more than 16 bytes is passed by its address.
        unsafe { raw.cast::<Self>().read() }
    }

    /// What a C function with a parameter of type `va_list` is passed.
    pub(crate) const fn as_raw(&mut self) -> *mut c_void {
        ptr::from_mut(self).cast()
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
        Abi::Aapcs64
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
                Place::Registers(parts)
                    if matches!(parts.get(0), Some(Part { register: abi::Register::Vector(_), .. })) =>
                {
                    let count = parts.as_slice().len() as i32;
                    match next(&mut self.vr_offs, 16 * count, 8) {
                        Some(offset) => {
                            let from = self.vr_top.wrapping_offset(offset);
                            for (i, part) in parts.as_slice().iter().enumerate() {
                                copy(from.wrapping_add(16 * i), to.add(part.offset.into()), part.size.into());
                            }
                        }
                        None => self.take_from_stack(to, size_of::<T>(), Unnamed::<T>::ALIGN),
                    }
                }
                Place::Registers(_) => {
                    let size = round_up(size_of::<T>(), 8) as i32;
                    match next(&mut self.gr_offs, size, Unnamed::<T>::ALIGN) {
                        Some(offset) => copy(self.gr_top.wrapping_offset(offset), to, size_of::<T>()),
                        None => self.take_from_stack(to, size_of::<T>(), Unnamed::<T>::ALIGN),
                    }
                }
                Place::Reference(Pointer::Register(_)) => {
                    let mut address = MaybeUninit::<*const u8>::uninit();
                    match next(&mut self.gr_offs, 8, 8) {
                        Some(offset) => copy(self.gr_top.wrapping_offset(offset), address.as_mut_ptr().cast(), 8),
                        None => self.take_from_stack(address.as_mut_ptr().cast(), 8, 8),
                    }
                    ptr::copy_nonoverlapping(address.assume_init(), to, size_of::<T>());
                }
                // Only if there were no registers from the start on.
                Place::Stack(_) | Place::Split(..) | Place::Reference(Pointer::Stack(_)) | Place::Hidden { .. } => {
                    self.take_from_stack(to, size_of::<T>(), Unnamed::<T>::ALIGN);
                }
            }
        }
        value
    }

    /// # Safety
    ///
    /// As for [`take`](Self::take): the argument is there, and has so many bytes, for which there is room at `to`.
    #[inline(always)]
    unsafe fn take_from_stack(&mut self, to: *mut u8, size: usize, align: usize) {
        let from = self.stack.wrapping_add(round_up(self.stack.addr(), align) - self.stack.addr());
        // SAFETY: the caller's promise.
        unsafe { ptr::copy_nonoverlapping(from, to, size) };
        self.stack = from.wrapping_add(round_up(size, 8));
    }
}

/// Takes so many bytes of a save area, aligned to `align`; `None` if they are not all there, and none is from then on.
#[inline(always)]
const fn next(offset: &mut i32, size: i32, align: usize) -> Option<isize> {
    if *offset >= 0 {
        return None;
    }
    let at = if align == 16 { (*offset + 15) & -16 } else { *offset };
    *offset = at + size;
    if *offset > 0 { None } else { Some(at as isize) }
}

/// Copies what was in a register, by the words in which it was stored a moment ago.
///
/// # Safety
///
/// So many bytes, rounded up to words, are readable at `from`, and so many writable at `to`.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, size: usize) {
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
}

#[track_caller]
const fn check(abi: Abi) {
    match abi {
        Abi::Aapcs64 => {}
        Abi::Named(_) | Abi::Custom => panic!("cbframe: only C's own calling conventions have lists of arguments"),
        _ => foreign(abi),
    }
}
