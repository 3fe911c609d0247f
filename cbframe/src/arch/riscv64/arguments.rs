//! Words of the stack, and what arguments lie in.

use core::ptr;

use super::state::CpuSubset;
use crate::abi::{Part, Register};
use crate::arch::Word;

impl CpuSubset {
    /// The word of the stack that lies `n` words above the stack pointer, as it was when the callback was called: at 0 the
    /// arguments on the stack begin.
    ///
    /// # Safety
    ///
    /// The stack has that word: the caller passed as many arguments, or has as large a frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{CpuState, cbframe};
    ///
    /// /// The ninth `int`, as a result.
    /// #[cbframe(abi = "raw", save(gpr))]
    /// fn ninth(cpu: &mut CpuState) {
    ///     // SAFETY: this callback is called with nine.
    ///     let word = unsafe { cpu.stack_word(0) };
    ///     cpu.set_x(10, word.i32());
    /// }
    ///
    /// type Nine = extern "C" fn(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> i32;
    /// // SAFETY: the pointer type says what the handler expects.
    /// let f: Nine = unsafe { std::mem::transmute(ninth::FN) };
    /// assert_eq!(f(1, 2, 3, 4, 5, 6, 7, 8, -9), -9);
    /// ```
    #[inline]
    pub unsafe fn stack_word(&self, n: usize) -> Word {
        // SAFETY: the caller's promise.
        Word(unsafe { self.stack_pointer().cast::<u64>().add(n).read() })
    }

    /// Copies a part that is passed in a register.
    ///
    /// # Safety
    ///
    /// As many bytes as the part has can be written at `to`.
    #[track_caller]
    pub(in crate::arch) unsafe fn copy_part(&self, part: &Part, to: *mut u8) {
        let word;
        let from = match part.register {
            Register::Vector(number) => self.f(number.into()).unwrap_or_else(|| missing(part.register)).bytes.as_ptr(),
            register => {
                word = self.word(register);
                (&raw const word).cast()
            }
        };
        // SAFETY: a part is not larger than its register; the caller's promise.
        unsafe { ptr::copy_nonoverlapping(from, to, part.size.into()) };
    }

    /// A general register of an argument.
    #[track_caller]
    pub(in crate::arch) fn word(&self, register: Register) -> Word {
        let Register::Integer(number) = register else { missing(register) };
        self.x(number.into()).unwrap_or_else(|| missing(register))
    }

    /// Where the argument at this offset lies, as [`Place::Stack`](crate::abi::Place::Stack) has it.
    pub(in crate::arch) fn stack_argument(&self, offset: u32) -> *const u8 {
        self.stack_pointer().wrapping_add(offset as usize)
    }
}

#[cold]
#[track_caller]
fn missing(register: Register) -> ! {
    match register {
        Register::Vector(number) => {
            panic!("cbframe: the argument lies in f{number}, which this callback does not save: add `fpr` to `save(…)`")
        }
        Register::Integer(number) | Register::X87(number) => {
            panic!("cbframe: the argument lies in x{number}, which this callback does not save: add `gpr` to `save(…)`")
        }
    }
}
