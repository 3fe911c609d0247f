//! Arguments and words of the stack, for handlers that see the CPU and know more than it does.

use core::mem::MaybeUninit;
use core::ptr;

use super::check_native;
use super::registers::{Gpr, Word};
use super::state::CpuSubset;
use crate::abi::{Layout, Part, Place, Pointer, Register};
use crate::types::CType;

impl CpuSubset {
    /// The word of the stack that lies `n` words above the stack pointer, as it was when the callback was called: 0 is the
    /// return address, for a hook whatever its function has there. On System V the stack arguments begin at 1, on Windows x64
    /// at 5, behind four words of home space.
    ///
    /// # Safety
    ///
    /// The stack has that word: the caller passed as many arguments, or has as large a frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{CpuState, Gpr, cbframe};
    ///
    /// /// The seventh `int`, as a result.
    /// #[cbframe(abi = "raw", save(gpr))]
    /// fn seventh(cpu: &mut CpuState) {
    ///     // SAFETY: this callback is called with seven.
    ///     let word = unsafe { cpu.stack_word(1) };
    ///     cpu.set_gpr(Gpr::Rax, word.i32());
    /// }
    ///
    /// type Seven = extern "sysv64" fn(i32, i32, i32, i32, i32, i32, i32) -> i32;
    /// // SAFETY: the pointer type says what the handler expects.
    /// let f: Seven = unsafe { std::mem::transmute(seventh::FN) };
    /// assert_eq!(f(1, 2, 3, 4, 5, 6, -7), -7);
    /// ```
    #[inline]
    pub unsafe fn stack_word(&self, n: usize) -> Word {
        // SAFETY: the caller's promise.
        Word(unsafe { self.stack_pointer().cast::<u64>().add(n).read_unaligned() })
    }

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
    /// use cbframe::{CpuState, Gpr, cbframe};
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
    ///     cpu.set_gpr(Gpr::Rax, scale(factor, by));
    /// }
    ///
    /// // SAFETY: the pointer type says what the handler expects.
    /// let f: extern "C" fn(f64, i32) -> i32 = unsafe { std::mem::transmute(raw::FN) };
    /// assert_eq!(f(1.5, -2), -3);
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
                        Pointer::Stack(offset) => Word(self.stack_argument(offset).cast::<u64>().read_unaligned()),
                    };
                    ptr::copy_nonoverlapping(address.pointer::<u8>(), to, of.size);
                }
                // No convention of x86-64 splits a value.
                Place::Nothing | Place::Hidden { .. } | Place::Split(..) => {}
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

    /// Copies a part that is passed in a register.
    ///
    /// # Safety
    ///
    /// As many bytes as the part has can be written at `to`.
    #[track_caller]
    unsafe fn copy_part(&self, part: &Part, to: *mut u8) {
        let word;
        let from = match (part.register, part.size) {
            (Register::Vector(number), ..=16) => self.xmm(number.into()).map(|xmm| xmm.bytes.as_ptr()),
            (Register::Vector(number), ..=32) => self.ymm(number.into()).map(|ymm| ymm.bytes.as_ptr()),
            (Register::Vector(number), _) => self.zmm(number.into()).map(|zmm| zmm.bytes.as_ptr()),
            (register, _) => {
                word = self.word(register);
                Some((&raw const word).cast())
            }
        };
        let from = from.unwrap_or_else(|| missing(part.register));
        // SAFETY: a part is not larger than its register; the caller's promise.
        unsafe { ptr::copy_nonoverlapping(from, to, part.size.into()) };
    }

    /// An integer register of an argument.
    #[track_caller]
    fn word(&self, register: Register) -> Word {
        let Register::Integer(number) = register else { missing(register) };
        self.gpr(Gpr::ALL[usize::from(number)]).unwrap_or_else(|| missing(register))
    }

    /// Where the argument at this offset lies, as [`Place::Stack`] has it.
    fn stack_argument(&self, offset: u32) -> *const u8 {
        self.stack_pointer().wrapping_add(8 + offset as usize)
    }
}

#[cold]
#[track_caller]
fn missing(register: Register) -> ! {
    match register {
        Register::Integer(number) => panic!(
            "cbframe: the argument lies in {}, which this callback does not save: add it, or `gpr`, to `save(…)`",
            Gpr::ALL[usize::from(number)]
        ),
        Register::Vector(number) => panic!(
            "cbframe: the argument lies in vector register {number}, which this callback does not save: add `sse`, or for a \
             wider vector `avx` or `avx512`, to `save(…)`"
        ),
        Register::X87(_) => panic!("cbframe: no convention passes arguments on the x87 stack"),
    }
}
