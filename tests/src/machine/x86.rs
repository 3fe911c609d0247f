//! 32-bit x86.

pub use std::arch::x86::{__m128, __m128d, __m128i};

use cbframe::CpuState;
use cbframe::abi::{Abi, Layout, X86Call};

use crate::guard::Environment;

unsafe extern "C" {
    fn cbt_guard_c();
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

    /// Every control bit different, and all exceptions masked: MXCSR, and the x87 control word. Rust code that runs in this
    /// must not calculate with floats.
    pub const OTHER: Self = Self { modes: [0xffc0, 0x0c7f] };
}

const fn abi(call: X86Call) -> Abi {
    Abi::X86 { call, windows: false }
}

/// The conventions of C here.
pub const ABIS: [Abi; 4] = [abi(X86Call::Cdecl), abi(X86Call::Stdcall), abi(X86Call::Fastcall), abi(X86Call::Thiscall)];

/// In C, the types of vectors that `callers.h` defines.
pub const VECTORS: &str = "typedef __m128 m128, m128d, m128i;";

/// Whether the CPU has this.
pub(crate) fn has(feature: &str) -> bool {
    panic!("the generator knows `{feature}`, this does not")
}

/// Whether there is a direct entry.
pub(crate) fn is_direct(_: &Layout<'_>) -> bool {
    false
}

/// What the guard puts into a register that is to be preserved: `CBT_PATTERN` in its `guard.h`.
#[must_use]
pub const fn pattern(number: u32) -> u64 {
    0xbadc_0de0_u32.wrapping_add(0x0101_0101 * number) as u64
}

/// Tells `expect` what registers hold, and what the guard has put there.
pub(crate) fn check(cpu: &CpuState, _windows: bool, environment: Environment, expect: &mut dyn FnMut(&str, u64, u64)) {
    let [mxcsr, control] = environment.modes;
    expect("ebx", cpu.ebx.into(), pattern(3));
    expect("ebp", cpu.ebp.into(), pattern(5));
    expect("esi", cpu.esi.into(), pattern(6));
    expect("edi", cpu.edi.into(), pattern(7));
    // SAFETY: the guard has called with its return address there.
    expect("the word at esp", unsafe { *(cpu.esp as *const u32) }.into(), cpu.eip.into());
    if let Some(flags) = cpu.eflags() {
        expect("the direction flag", (flags >> 10 & 1).into(), 0);
    }
    if let (Some(found), true) = (cpu.mxcsr(), mxcsr != 0) {
        expect("mxcsr", found.into(), mxcsr.into());
    }
    if let (Some(x87), true) = (cpu.x87(), control != 0) {
        expect("the x87 control word", x87.control.into(), control.into());
        expect("the x87 stack", x87.tags.into(), 0);
    }
    for number in 3..8 {
        if let Some(xmm) = cpu.xmm(number) {
            expect("a vector register", xmm.u64(0), 0xa5a5_a5a5_a5a5_a5a5);
            expect("a vector register", xmm.u64(1), 0xa5a5_a5a5_a5a5_a5a5);
        }
    }
}

/// The first argument of a call of C, an integer.
#[must_use]
pub fn first_argument(cpu: &CpuState) -> u64 {
    // SAFETY: the caller has passed one.
    unsafe { cpu.stack_word(1) }.u32().into()
}

/// Sets a result that is an integer.
pub fn set_result(cpu: &mut CpuState, value: u64) {
    cpu.eax = value as u32;
    cpu.edx = (value >> 32) as u32;
}
