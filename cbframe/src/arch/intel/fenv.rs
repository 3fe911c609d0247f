//! The floating-point environment: modes that a caller may have set, and that Rust code must not run in.

use core::arch::asm;

/// MXCSR as a program finds it at its start (psABI, section 3.4.1): all exceptions masked, to nearest, denormals as they are.
const MXCSR: u32 = 0x1f80;
/// Its bits but for those that say which exceptions have happened.
const MXCSR_MODES: u32 = !0x3f;
/// The x87 control word at a program's start: all exceptions masked, to nearest, 64 bits of significand.
const CONTROL: u16 = 0x37f;

/// What `fnstenv` stores (Intel SDM volume 1, figure 8-9).
type X87Environment = [u32; 7];

/// The environment of the caller, unless its modes were those that Rust expects.
struct Fenv(Option<(u32, X87Environment)>);

impl Fenv {
    /// Makes the environment that of a program's start.
    #[inline]
    fn enter() -> Self {
        let (mut mxcsr, mut control) = (0_u32, 0_u16);
        // SAFETY: stores to these variables.
        unsafe { asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &mut mxcsr, in(reg) &mut control, options(nostack)) };
        if mxcsr & MXCSR_MODES == MXCSR && control == CONTROL {
            return Self(None);
        }
        let mut x87 = [0; 7];
        // SAFETY: `fnstenv` also masks all exceptions, so that `fldcw` raises none that is pending.
        unsafe {
            asm!(
                "fnstenv [{}]", "fldcw [{}]", "ldmxcsr [{}]",
                in(reg) &mut x87, in(reg) &CONTROL, in(reg) &MXCSR, options(nostack)
            );
        }
        Self(Some((mxcsr, x87)))
    }
}

impl Drop for Fenv {
    #[inline]
    fn drop(&mut self) {
        if let Some((mxcsr, x87)) = &self.0 {
            // SAFETY: what was stored from these registers. What goes before was compiled for the other environment, what
            // comes after is the caller's.
            unsafe { asm!("fldenv [{}]", "ldmxcsr [{}]", in(reg) x87, in(reg) mxcsr, options(nostack)) };
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
