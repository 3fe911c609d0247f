//! Vector registers.

use crate::arch::lanes::vector_registers;

vector_registers! {
    /// A 128-bit vector register. It is aligned to words, as the stack is where it is saved.
    Xmm "an xmm register" 16 aligned 4;
}
