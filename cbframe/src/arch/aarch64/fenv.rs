//! The floating-point environment: modes that a caller may have set, and that Rust code must not run in.

use core::arch::asm;

/// The environment of the caller, unless its modes were those that Rust expects: FPCR is 0 at a program's start.
struct Fenv(Option<(u64, u64)>);

impl Fenv {
    /// Makes the environment that of a program's start.
    #[inline]
    fn enter() -> Self {
        let (fpcr, fpsr): (u64, u64);
        // SAFETY: reads a register.
        unsafe { asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
        if fpcr == 0 {
            return Self(None);
        }
        // SAFETY: reads one register, and sets another to what it is at a program's start.
        unsafe { asm!("mrs {}, fpsr", "msr fpcr, xzr", out(reg) fpsr, options(nostack, preserves_flags)) };
        Self(Some((fpcr, fpsr)))
    }
}

impl Drop for Fenv {
    #[inline]
    fn drop(&mut self) {
        if let Some((fpcr, fpsr)) = self.0 {
            // SAFETY: what was read from these registers. What goes before was compiled for the other environment, what comes
            // after is the caller's.
            unsafe {
                asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) fpcr, in(reg) fpsr, options(nostack, preserves_flags))
            };
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
