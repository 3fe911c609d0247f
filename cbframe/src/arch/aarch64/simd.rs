//! Vector registers.

use crate::arch::lanes::vector_registers;

vector_registers! {
    /// A 128-bit vector register; its low bytes are q, d, s, h and b registers of the same number.
    V "a vector register" 16 aligned 16;
}
