//! The floating-point environment: modes that a caller may have set, and that Rust code must not run in.

use core::arch::asm;

/// The environment of the caller, unless its mode was the one that Rust expects: to nearest, which is 0, as at a program's start.
struct Fenv(Option<usize>);

/// The rounding mode in fcsr; below it are the flags of exceptions.
const MODE: usize = 0b111 << 5;

impl Fenv {
    /// Makes the environment that of a program's start.
    #[inline]
    fn enter() -> Self {
        let fcsr: usize;
        // SAFETY: reads a register.
        unsafe { asm!("frcsr {}", out(reg) fcsr, options(nomem, nostack, preserves_flags)) };
        if fcsr & MODE == 0 {
            return Self(None);
        }
        // SAFETY: sets the mode to what it is at a program's start.
        unsafe { asm!("fsrm zero", options(nostack, preserves_flags)) };
        Self(Some(fcsr))
    }
}

impl Drop for Fenv {
    #[inline]
    fn drop(&mut self) {
        if let Some(fcsr) = self.0 {
            // SAFETY: what was read from this register. What goes before was compiled for the other environment, what comes
            // after is the caller's.
            unsafe { asm!("fscsr {}", in(reg) fcsr, options(nostack, preserves_flags)) };
        }
    }
}

/// Runs `body` in the floating-point environment that Rust expects, and gives the caller its own back, with what it knew of
/// exceptions.
#[inline(always)]
pub fn with_default_fenv<R>(body: impl FnOnce() -> R) -> R {
    // Out of line, so that no calculation can move across the two changes of the environment, of which the compiler knows
    // nothing.
    #[inline(never)]
    fn run<R>(body: impl FnOnce() -> R) -> R {
        body()
    }
    let _fenv = Fenv::enter();
    run(body)
}
