//! x86-64.

pub use std::arch::x86_64::{__m128, __m128d, __m128i, __m256, __m256d, __m256i, __m512, __m512d, __m512i};

use cbframe::CpuState;
use cbframe::abi::{Abi, Layout, Place, Register};

use crate::guard::{Environment, pattern};

unsafe extern "C" {
    fn cbt_guard_sysv64();
    fn cbt_guard_win64();
}

unsafe extern "sysv64" {
    pub(crate) safe fn cbt_trash();
}

/// The address that C callers call instead of callbacks.
#[must_use]
pub fn entry(windows: bool) -> *const () {
    if windows { cbt_guard_win64 as *const () } else { cbt_guard_sysv64 as *const () }
}

impl Environment {
    /// The caller's.
    pub const SAME: Self = Self { modes: [0, 0] };

    /// Every control bit different, and all exceptions masked: MXCSR, and the x87 control word. Rust code that runs in this
    /// must not calculate with floats.
    pub const OTHER: Self = Self { modes: [0xffc0, 0x0c7f] };
}

/// The conventions of C here.
pub const ABIS: [Abi; 2] = [Abi::SysV64, Abi::Win64];

/// In C, the types of vectors that `callers.h` defines.
pub const VECTORS: &str =
    "typedef __m128 m128, m128d, m128i; typedef __m256 m256, m256d, m256i; typedef __m512 m512, m512d, m512i;";

/// Whether the CPU has this.
pub(crate) fn has(feature: &str) -> bool {
    match feature {
        "avx" => is_x86_feature_detected!("avx"),
        "avx512f" => is_x86_feature_detected!("avx512f"),
        other => panic!("the generator knows `{other}`, this does not"),
    }
}

/// Whether an integer register is left for the state.
pub(crate) fn is_direct(layout: &Layout<'_>) -> bool {
    let hidden = usize::from(matches!(layout.result().place, Place::Hidden { .. }));
    if layout.abi() == Abi::Win64 {
        return layout.parameters().len() + hidden < 4;
    }
    let parts = |place: &Place| match place {
        Place::Registers(parts) => parts.as_slice().to_vec(),
        _ => Vec::new(),
    };
    let parts = layout.parameters().iter().flat_map(|parameter| parts(&parameter.place));
    parts.filter(|part| matches!(part.register, Register::Integer(_))).count() + hidden < 6
}

/// Tells `expect` what registers hold, and what the guard has put there.
pub(crate) fn check(cpu: &CpuState, windows: bool, environment: Environment, expect: &mut dyn FnMut(&str, u64, u64)) {
    let [mxcsr, control] = environment.modes;
    expect("rbx", cpu.rbx, pattern(3));
    expect("rbp", cpu.rbp, pattern(5));
    expect("r12", cpu.r12, pattern(12));
    expect("r13", cpu.r13, pattern(13));
    expect("r14", cpu.r14, pattern(14));
    expect("r15", cpu.r15, pattern(15));
    expect("r11", cpu.r11, 0xa5a5_a5a5_a5a5_a511);
    if windows {
        expect("rsi", cpu.rsi, pattern(6));
        expect("rdi", cpu.rdi, pattern(7));
    }
    // SAFETY: the guard has called with its return address there.
    expect("the word at rsp", unsafe { *(cpu.rsp as *const u64) }, cpu.rip);
    expect("rsp modulo 16", cpu.rsp % 16, 8);
    if let Some(flags) = cpu.rflags() {
        expect("the direction flag", flags >> 10 & 1, 0);
    }
    if let (Some(found), true) = (cpu.mxcsr(), mxcsr != 0) {
        expect("mxcsr", found.into(), mxcsr.into());
    }
    if let (Some(x87), true) = (cpu.x87(), control != 0) {
        expect("the x87 control word", x87.control.into(), control.into());
    }
    for number in 6..16 {
        if let (Some(xmm), true) = (cpu.xmm(number), windows) {
            let (low, high) = xmm.bytes.split_at(8);
            let half = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("8 bytes"));
            expect("a vector register", half(low), pattern(16 + number as u64));
            expect("a vector register", half(high), pattern(48 + number as u64));
        }
    }
}

/// The first argument of a call of C, an integer.
#[must_use]
pub fn first_argument(cpu: &CpuState) -> u64 {
    if cfg!(windows) { cpu.rcx } else { cpu.rdi }
}

/// Sets a result that is an integer.
pub fn set_result(cpu: &mut CpuState, value: u64) {
    cpu.rax = value;
}
