//! 64-bit RISC-V.

use cbframe::CpuState;
use cbframe::abi::{Abi, Layout, Place, Pointer, Register};

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

    /// Rounding towards zero: fcsr. Rust code that runs in this must not calculate with floats.
    pub const OTHER: Self = Self { modes: [1 << 5, 0] };
}

/// The conventions of C here.
pub const ABIS: [Abi; 1] = [Abi::Lp64d];

/// In C, the types of vectors that `callers.h` defines: none that are passed.
pub const VECTORS: &str = "";

/// Whether the CPU has this.
pub(crate) fn has(feature: &str) -> bool {
    panic!("the generator knows `{feature}`, this does not")
}

/// Whether a general register is left for the state: floats take general ones too, when they have no other.
pub(crate) fn is_direct(layout: &Layout<'_>) -> bool {
    const A7: Register = Register::Integer(17);
    !layout.parameters().iter().any(|parameter| match parameter.place {
        Place::Registers(parts) | Place::Split(parts, _) => parts.as_slice().iter().any(|part| part.register == A7),
        Place::Reference(pointer) => pointer == Pointer::Register(A7),
        _ => false,
    })
}

/// s0 to s11 and fs0 to fs11, which functions preserve.
pub const PRESERVED: [usize; 12] = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

/// Tells `expect` what registers hold, and what the guard has put there.
pub(crate) fn check(cpu: &CpuState, _windows: bool, environment: Environment, expect: &mut dyn FnMut(&str, u64, u64)) {
    const NOTHING: u64 = 0xa5a5_a5a5_a5a5_a500;
    for number in PRESERVED {
        expect("a register that is to be preserved", cpu.x[number], pattern(number as u64));
        if let Some(f) = cpu.f(number) {
            expect("a floating-point register that is to be preserved", f.u64(0), pattern(32 + number as u64));
        }
    }
    for number in [6, 28, 29, 30, 31] {
        expect("a register that holds nothing", cpu.x[number], NOTHING);
    }
    for number in (0..8).chain(28..32) {
        if let Some(f) = cpu.f(number) {
            expect("a floating-point register that holds nothing", f.u64(0), NOTHING);
        }
    }
    expect("x0", cpu.x[0], 0);
    expect("sp modulo 16", cpu.x[2] % 16, 0);
    expect("ra", cpu.x[1], cpu.pc);
    expect("sp", cpu.x[2], std::ptr::from_ref(cpu).wrapping_add(1).addr() as u64);
    if let (Some(fcsr), true) = (cpu.fcsr(), environment.modes[0] != 0) {
        expect("the rounding mode", fcsr & 0xe0, environment.modes[0].into());
    }
}

/// The first argument of a call of C, an integer.
#[must_use]
pub fn first_argument(cpu: &CpuState) -> u64 {
    cpu.x[10]
}

/// Sets a result that is an integer.
pub fn set_result(cpu: &mut CpuState, value: u64) {
    cpu.x[10] = value;
}
