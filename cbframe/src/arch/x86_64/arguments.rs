//! Words of the stack, and what arguments lie in.

use core::ptr;

use super::registers::Gpr;
use super::state::CpuSubset;
use crate::abi::{Part, Register};
use crate::arch::Word;

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

    /// Copies a part that is passed in a register.
    ///
    /// # Safety
    ///
    /// As many bytes as the part has can be written at `to`.
    #[track_caller]
    pub(in crate::arch) unsafe fn copy_part(&self, part: &Part, to: *mut u8) {
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
    pub(in crate::arch) fn word(&self, register: Register) -> Word {
        let Register::Integer(number) = register else { missing(register) };
        self.gpr(Gpr::ALL[usize::from(number)]).unwrap_or_else(|| missing(register))
    }

    /// Where the argument at this offset lies, as [`Place::Stack`] has it.
    pub(in crate::arch) fn stack_argument(&self, offset: u32) -> *const u8 {
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
