//! Words of the stack, and what arguments lie in.

use core::mem::offset_of;
use core::ptr;

use super::registers::Gpr;
use super::state::{CpuState, CpuSubset};
use crate::abi::{Part, Register};
use crate::arch::Word;

impl CpuSubset {
    /// The word of the stack that lies `n` words above the stack pointer, as it was when the callback was called: 0 is the return
    /// address, and the first argument on the stack of a C function is at 1.
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
    /// /// The third `int`, as a result.
    /// #[cbframe(abi = "raw", save(gpr))]
    /// fn third(cpu: &mut CpuState) {
    ///     // SAFETY: this callback is called with three.
    ///     cpu.eax = unsafe { cpu.stack_word(3) }.u32();
    /// }
    ///
    /// // SAFETY: the pointer type says what the handler expects.
    /// let f: extern "C" fn(i32, i32, i32) -> i32 = unsafe { std::mem::transmute(third::FN) };
    /// assert_eq!(f(1, 2, -3), -3);
    /// ```
    #[inline]
    pub unsafe fn stack_word(&self, n: usize) -> Word {
        // SAFETY: the caller's promise.
        Word(unsafe { self.stack_pointer().cast::<u32>().add(n).read() })
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
            Register::Vector(number) => {
                let Some(xmm) = self.xmm(number.into()) else {
                    panic!(
                        "cbframe: the argument lies in xmm{number}, which this callback does not save: add it, or `sse`, to `save(…)`"
                    )
                };
                xmm.bytes.as_ptr()
            }
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
        let Register::Integer(number) = register else { panic!("cbframe: no argument lies in an x87 register") };
        let register = Gpr::ALL[usize::from(number)];
        match self.gpr(register) {
            Some(word) => word,
            None => panic!(
                "cbframe: the argument lies in {register}, which this callback does not save: add it, or `gpr`, to `save(…)`"
            ),
        }
    }

    /// Where the argument at this offset lies, as [`Place::Stack`](crate::abi::Place::Stack) has it.
    pub(in crate::arch) fn stack_argument(&self, offset: u32) -> *const u8 {
        const BEHIND: usize = size_of::<CpuState>() - offset_of!(CpuState, eip);
        self.stack_pointer().wrapping_add(BEHIND + offset as usize)
    }
}
