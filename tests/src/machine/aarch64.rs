//! AArch64.

pub use std::arch::aarch64::{float32x2_t, float32x4_t, float64x2_t, int32x2_t, int64x2_t};

use cbframe::CpuState;
use cbframe::abi::{Abi, Layout, Place, Register};

use crate::guard::{Environment, pattern};

unsafe extern "C" {
    pub(crate) fn cbt_guard_c();
    pub(crate) safe fn cbt_trash();
}

/// The address that C callers call instead of callbacks.
#[must_use]
pub fn entry(_windows: bool) -> *const () {
    cbt_guard_c as *const ()
}

impl Environment {
    /// The caller's.
    pub const SAME: Self = Self { modes: [0, 0] };

    /// Rounding towards zero, denormals flushed, NaNs replaced: FPCR. Rust code that runs in this must not calculate with
    /// floats.
    pub const OTHER: Self = Self { modes: [0x03c0_0000, 0] };
}

/// The conventions of C here.
pub const ABIS: [Abi; 1] = [Abi::Aapcs64];

/// In C, the types of vectors that `callers.h` defines.
pub const VECTORS: &str =
    "typedef float m64f __attribute__((vector_size(8))); typedef int m64i __attribute__((vector_size(8)));
typedef float m128 __attribute__((vector_size(16))); typedef double m128d __attribute__((vector_size(16)));
typedef long long m128i __attribute__((vector_size(16)));";

/// Whether the CPU has this.
pub(crate) fn has(feature: &str) -> bool {
    panic!("the generator knows `{feature}`, this does not")
}

/// Whether a general register is left for the state.
pub(crate) fn is_direct(layout: &Layout<'_>) -> bool {
    let on_stack = |place: &Place| matches!(place, Place::Stack(_) | Place::Reference(cbframe::abi::Pointer::Stack(_)));
    let x7 = layout.parameters().iter().any(|parameter| match parameter.place {
        Place::Registers(parts) => parts.as_slice().iter().any(|part| part.register == Register::Integer(7)),
        Place::Reference(pointer) => pointer == cbframe::abi::Pointer::Register(Register::Integer(7)),
        _ => false,
    });
    // What is on the stack need not have run out of general registers.
    let floats = |place: &cbframe::types::Type| !matches!(place.kind, cbframe::types::Kind::Int { .. });
    !x7 && !layout.parameters().iter().any(|it| on_stack(&it.place) && !floats(&it.ty))
}

/// Tells `expect` what registers hold, and what the guard has put there.
pub(crate) fn check(cpu: &CpuState, _windows: bool, environment: Environment, expect: &mut dyn FnMut(&str, u64, u64)) {
    for number in 19..30 {
        expect("a register that is to be preserved", cpu.x[number], pattern(number as u64));
    }
    for number in 9..16 {
        expect("a register that holds nothing", cpu.x[number], 0xa5a5_a5a5_a5a5_a500);
    }
    expect("sp modulo 16", cpu.sp % 16, 0);
    expect("x30", cpu.x[30], cpu.pc);
    expect("sp", cpu.sp, std::ptr::from_ref(cpu).wrapping_add(1).addr() as u64);
    if let Some(nzcv) = cpu.nzcv() {
        expect("nzcv", nzcv, 0x5000_0000);
    }
    if let (Some(fpcr), true) = (cpu.fpcr(), environment.modes[0] != 0) {
        expect("fpcr", fpcr, environment.modes[0].into());
    }
    for number in 8..32 {
        if let Some(v) = cpu.v(number) {
            let low = if number < 16 { pattern(32 + number as u64) } else { 0xa5a5_a5a5_a5a5_a500 };
            expect("the low half of a vector register", v.u64(0), low);
            expect("the high half of a vector register", v.u64(1), 0xa5a5_a5a5_a5a5_a500);
        }
    }
}

/// The first argument of a call of C, an integer.
#[must_use]
pub fn first_argument(cpu: &CpuState) -> u64 {
    cpu.x[0]
}

/// Sets a result that is an integer.
pub fn set_result(cpu: &mut CpuState, value: u64) {
    cpu.x[0] = value;
}
