//! What was saved, as a value, and what differs between two of them.

use core::fmt;

use super::simd::V;
use super::state::CpuSubset;
use crate::arch::Word;

/// A copy of what a [`CpuState`](crate::CpuState) or [`CpuSubset`] holds; `None` where it was not saved.
///
/// The state itself lies in the frame of the entry and cannot be kept. This can, at about 1 KiB.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, cbframe};
///
/// #[cbframe(abi = "raw", save(gpr))]
/// fn raw(cpu: &mut CpuState) {
///     let before = cpu.snapshot();
///     cpu.x[0] = 7;
///     let changes = before.diff(&cpu.snapshot()).to_string();
///     assert_eq!(changes, "x0    0x2a -> 0x7\n");
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(raw::FN) };
/// assert_eq!(f(42), 7);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// x0 to x30.
    pub x: [Option<Word>; 31],
    /// The stack pointer, with `gpr`.
    pub sp: Option<u64>,
    /// Where execution goes on.
    pub pc: u64,
    /// The condition flags.
    pub nzcv: Option<u64>,
    /// v0 to v31.
    pub v: [Option<V>; 32],
    /// The control register of floating point.
    pub fpcr: Option<u64>,
    /// The status register of floating point.
    pub fpsr: Option<u64>,
}

impl CpuSubset {
    /// A copy of what the state holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            x: core::array::from_fn(|number| self.x(number)),
            sp: self.sp(),
            pc: self.pc(),
            nzcv: self.nzcv(),
            v: core::array::from_fn(|number| self.v(number).copied()),
            fpcr: self.fpcr(),
            fpsr: self.fpsr(),
        }
    }
}

impl Snapshot {
    /// What is not the same in `after`, of what both hold.
    #[must_use]
    pub const fn diff<'a>(&'a self, after: &'a Self) -> Diff<'a> {
        Diff { before: self, after }
    }
}

/// What differs between two [`Snapshot`]s. `Display` has a line for each register, with its name and both values.
#[derive(Clone, Copy, Debug)]
pub struct Diff<'a> {
    before: &'a Snapshot,
    after: &'a Snapshot,
}

impl Diff<'_> {
    /// Whether all that both hold is the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // `each` ends with what its function gives for the first difference.
        self.each(|_, _, _, _| Err(fmt::Error)).is_ok()
    }

    /// Calls `found` with the name and both values of each register that differs.
    fn each(
        &self,
        mut found: impl FnMut(&str, Option<usize>, &dyn fmt::Debug, &dyn fmt::Debug) -> fmt::Result,
    ) -> fmt::Result {
        let Self { before, after } = self;
        for (number, (a, b)) in before.x.iter().zip(&after.x).enumerate() {
            if let (Some(a), Some(b)) = (a, b)
                && a != b
            {
                found("x", Some(number), a, b)?;
            }
        }
        for (name, a, b) in [
            ("sp", before.sp, after.sp),
            ("pc", Some(before.pc), Some(after.pc)),
            ("nzcv", before.nzcv, after.nzcv),
            ("fpcr", before.fpcr, after.fpcr),
            ("fpsr", before.fpsr, after.fpsr),
        ] {
            if let (Some(a), Some(b)) = (a, b)
                && a != b
            {
                found(name, None, &Word(a), &Word(b))?;
            }
        }
        for (number, (a, b)) in before.v.iter().zip(&after.v).enumerate() {
            if let (Some(a), Some(b)) = (a, b)
                && a != b
            {
                found("v", Some(number), a, b)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Diff<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.each(|name, number, before, after| match number {
            Some(number) => writeln!(f, "{name}{number:<width$} {before:?} -> {after:?}", width = 5 - name.len()),
            None => writeln!(f, "{name:<5} {before:?} -> {after:?}"),
        })
    }
}
