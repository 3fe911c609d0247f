//! Calls with something in every ymm register.

use std::arch::naked_asm;

use cbframe::Ymm;

/// ymm0 to ymm15.
pub type Vectors = [Ymm; 16];

/// Calls `target` with these vector registers, and stores those after it.
///
/// # Safety
///
/// The CPU has AVX. `target` is a function without arguments in other registers; it preserves what System V says.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn call(input: &Vectors, output: &mut Vectors, target: *const ()) {
    naked_asm!(
        "push rbx",
        "mov rbx, rsi",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "vmovups ymm\\n, [rdi + 32 * \\n]",
        ".endr",
        "call rdx",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "vmovups [rbx + 32 * \\n], ymm\\n",
        ".endr",
        "vzeroupper",
        "pop rbx",
        "ret",
    )
}

/// Other bytes in each register.
#[must_use]
pub fn poison() -> Vectors {
    std::array::from_fn(|number| Ymm { bytes: std::array::from_fn(|byte| (16 * number + byte * 7 + 1) as u8) })
}
