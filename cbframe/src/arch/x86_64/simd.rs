//! Vector registers.

use crate::arch::lanes::vector_registers;

vector_registers! {
    /// A 128-bit vector register.
    Xmm "an xmm register" 16 aligned 16;
    /// A 256-bit vector register; its low half is the xmm register of the same number.
    Ymm "a ymm register" 32 aligned 32;
    /// A 512-bit vector register; its low half is the ymm register of the same number.
    Zmm "a zmm register" 64 aligned 64;
}
