//! The guard that stands between a C caller and a callback, and what callbacks call to destroy registers. The
//! code is in `c/guard.S`.

use std::ffi::{CStr, c_char};

use cbframe::abi::{Layout, Place, Pointer, Register};

use crate::machine;
pub use crate::machine::entry;

// SAFETY: as in `c/guard.c` and `c/guard.S`. The safe ones store values in the guard of the thread, and follow their
// convention.
unsafe extern "C" {
    safe fn cbt_guard_arm(target: *const (), expected: &Expected, environment: &Environment);
    fn cbt_guard_report(misaligned: *mut u32, message: *mut c_char, size: usize) -> u64;
}

/// What a callback does with registers besides preserving some: `struct cbt_expected`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Expected {
    hidden: u32,
    x87: u32,
    wide: u32,
    pops: u32,
}

impl Expected {
    /// Its result and its arguments are integers and floats, or arguments in memory.
    pub const PLAIN: Self = Self { hidden: 0, x87: 0, wide: 0, pops: 0 };

    /// Its result is in memory.
    pub const HIDDEN: Self = Self { hidden: 1, pops: if cfg!(target_arch = "x86") { 4 } else { 0 }, ..Self::PLAIN };

    /// It leaves this many results on the x87 stack.
    #[must_use]
    pub const fn x87(results: u32) -> Self {
        Self { x87: results, ..Self::PLAIN }
    }

    /// It has arguments in vector registers of more than 16 bytes.
    pub const WIDE: Self = Self { wide: 1, ..Self::PLAIN };

    /// What a layout says.
    #[must_use]
    pub fn of(layout: &Layout<'_>) -> Self {
        let parts = |place: &Place| match place {
            Place::Registers(parts) => parts.as_slice().to_vec(),
            _ => Vec::new(),
        };
        let result = layout.result();
        let x87 = parts(&result.place)
            .iter()
            .filter(|part| !matches!(part.register, Register::Integer(_) | Register::Vector(_)))
            .count();
        let wide = layout.parameters().iter().flat_map(|parameter| parts(&parameter.place)).any(|part| part.size > 16);
        let hidden = match result.place {
            Place::Hidden { arrives: Pointer::Register(Register::Integer(number)), .. } => 2 + u32::from(number),
            Place::Hidden { .. } => 1,
            _ => 0,
        };
        Self { hidden, x87: x87 as u32, wide: wide.into(), pops: layout.pops() }
    }
}

/// The floating-point environment that a callback finds: `struct cbt_environment`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Environment {
    /// What the control registers hold of which the architecture has modes (`machine`); 0 leaves the caller's.
    pub modes: [u32; 2],
}

/// What a register that a callback has to preserve holds when the callback is called, by the register's number:
/// on x86-64, 0 to 15 the general registers, 16 to 31 the low and 48 to 63 the high halves of the vector registers; on AArch64
/// general registers from 0 on, vector registers from 32. The same as `CBT_PATTERN` in `guard.h`.
pub const fn pattern(number: u64) -> u64 {
    0xbadc_0de0_0000_0000 + 0x0101_0101_0000_0000 * number + 0x5a0 + number
}

/// Sets what the next guarded call of this thread goes to, and what it may do.
///
/// Calls nest: a callback that calls through the guard again arms it first.
pub fn arm(target: *const (), expected: Expected, environment: Environment) {
    cbt_guard_arm(target, &expected, &environment);
}

/// What the guard has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Calls that have returned.
    pub calls: u64,
    /// Calls of [`trash`] with a misaligned stack.
    pub misaligned: u32,
    /// What callbacks did not preserve.
    pub violations: String,
}

impl Report {
    /// Panics unless there were `calls` calls and nothing was wrong.
    #[track_caller]
    pub fn assert_clean(&self, calls: u64, what: &str) {
        assert!(self.violations.is_empty(), "{what}: {}", self.violations);
        assert_eq!(self.misaligned, 0, "{what}: a callback had a misaligned stack");
        assert_eq!(self.calls, calls, "{what}: guarded calls");
    }
}

/// What was found on this thread since the last report.
pub fn report() -> Report {
    let (mut misaligned, mut message) = (0, [0; 512]);
    // SAFETY: the message is terminated, within the bytes given.
    let (calls, text) = unsafe {
        let calls = cbt_guard_report(&mut misaligned, message.as_mut_ptr(), message.len());
        (calls, CStr::from_ptr(message.as_ptr()))
    };
    Report { calls, misaligned, violations: text.to_string_lossy().into_owned() }
}

/// Overwrites every register that a function may overwrite, and the stack below the stack pointer, and has the
/// next [`report`] say if the stack is misaligned.
#[inline(always)]
pub fn trash() {
    machine::cbt_trash();
}
