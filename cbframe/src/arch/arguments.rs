//! Arguments by a layout, for handlers that see the CPU and know more than it does.

use core::mem::MaybeUninit;
use core::ptr;

use super::machine::CpuSubset;
use super::word::Bits;
use super::{Word, check_native};
use crate::abi::{Layout, Place, Pointer};
use crate::types::CType;

impl CpuSubset {
    /// The argument `n`, counted from 0, of a call with this layout, from the registers and the stack as they are in this
    /// state: a register that the handler has changed gives what it was changed to.
    ///
    /// For a handler that knows at run time only, or for part of its calls only, what it was called with. A callback with
    /// a signature takes its arguments by the signature.
    ///
    /// # Safety
    ///
    /// - The caller of the callback passed arguments of this layout.
    /// - A `T` that is a reference or holds pointers is used only as long as what it points to lives, and is not
    ///   made twice where that would alias.
    ///
    /// # Panics
    ///
    /// If there is no argument `n`; if `T` is not laid out as the parameter's type is; if a register that the argument lies
    /// in was not saved; and if the bits are no value of type `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{CpuState, cbframe};
    /// use std::cell::Cell;
    ///
    /// thread_local!(static LAST: Cell<i32> = const { Cell::new(0) });
    ///
    /// #[cbframe(abi = "C")]
    /// fn scale(factor: f64, by: i32) -> i32 {
    ///     (factor * f64::from(by)) as i32
    /// }
    ///
    /// /// Calls like those of `scale`, without its signature.
    /// #[cbframe(abi = "raw")]
    /// fn raw(cpu: &mut CpuState) {
    ///     // SAFETY: this callback is called as `scale` would be.
    ///     let (factor, by) = unsafe { (cpu.arg::<f64>(scale::LAYOUT, 0), cpu.arg::<i32>(scale::LAYOUT, 1)) };
    ///     LAST.set(scale(factor, by));
    /// }
    ///
    /// // SAFETY: the pointer type says what the handler expects.
    /// let f: extern "C" fn(f64, i32) = unsafe { std::mem::transmute(raw::FN) };
    /// f(1.5, -2);
    /// assert_eq!(LAST.get(), -3);
    /// ```
    #[track_caller]
    pub unsafe fn arg<T: CType + Copy>(&self, layout: &Layout<'_>, n: usize) -> T {
        check_native(layout.abi());
        let parameters = layout.parameters();
        let Some(parameter) = parameters.get(n) else {
            panic!("cbframe: there is no argument {n}: the layout has {}", parameters.len())
        };
        let of = T::TYPE;
        assert!(
            of.has_shape_of(&parameter.ty),
            "cbframe: argument {n} has the type `{}`, which is not laid out as `{}` is",
            parameter.ty.name,
            of.name
        );
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast::<u8>();
        // SAFETY: the value has as many bytes as the parameter's type, in which the parts lie; the caller of the callback
        // wrote what is in memory.
        unsafe {
            match parameter.place {
                Place::Registers(parts) => {
                    parts.as_slice().iter().for_each(|part| self.copy_part(part, to.add(part.offset.into())));
                }
                Place::Stack(offset) => ptr::copy_nonoverlapping(self.stack_argument(offset), to, of.size),
                Place::Reference(pointer) => {
                    let address = match pointer {
                        Pointer::Register(register) => self.word(register),
                        Pointer::Stack(offset) => Word(self.stack_argument(offset).cast::<Bits>().read_unaligned()),
                    };
                    ptr::copy_nonoverlapping(address.pointer::<u8>(), to, of.size);
                }
                Place::Split(parts, offset) => {
                    parts.as_slice().iter().for_each(|part| self.copy_part(part, to.add(part.offset.into())));
                    let (from, taken) = (self.stack_argument(offset), parts.size());
                    ptr::copy_nonoverlapping(from, to.add(taken), of.size - taken);
                }
                Place::Nothing | Place::Hidden { .. } => {}
            }
        }
        // SAFETY: aligned and readable; a caller that follows the layout initialized what has to be.
        if let (false, invalid) = unsafe { (T::is_valid(value.as_ptr()), of.find_invalid(value.as_ptr().cast())) } {
            match invalid {
                Some(invalid) => panic!("cbframe: argument {n}{invalid}"),
                None => panic!("cbframe: argument {n} is no value of `{}`", of.name),
            }
        }
        // SAFETY: it is a value.
        unsafe { value.assume_init() }
    }
}
