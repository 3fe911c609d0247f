//! Floating-point registers.

use crate::arch::lanes::vector_registers;

vector_registers! {
    /// A floating-point register: a `double`, or a narrower float in its low bytes, whose other bits are then all set.
    F "a floating-point register" 8 aligned 8;
}
