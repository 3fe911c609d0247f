//! What was saved, as a value, and what differs between two of them.

use core::fmt;

use super::simd::F;
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
///     cpu.x[10] = 7;
///     let changes = before.diff(&cpu.snapshot()).to_string();
///     assert_eq!(changes, "x10   0x2a -> 0x7\n");
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(raw::FN) };
/// assert_eq!(f(42), 7);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// x0 to x31; the first is 0, where there are any.
    pub x: [Option<Word>; 32],
    /// Where execution goes on.
    pub pc: u64,
    /// f0 to f31.
    pub f: [Option<F>; 32],
    /// The control and status register of floating point.
    pub fcsr: Option<u64>,
}

impl CpuSubset {
    /// A copy of what the state holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            x: core::array::from_fn(|number| self.x(number)),
            pc: self.pc(),
            f: core::array::from_fn(|number| self.f(number).copied()),
            fcsr: self.fcsr(),
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
        for (name, a, b) in [("pc", Some(before.pc), Some(after.pc)), ("fcsr", before.fcsr, after.fcsr)] {
            if let (Some(a), Some(b)) = (a, b)
                && a != b
            {
                found(name, None, &Word(a), &Word(b))?;
            }
        }
        for (number, (a, b)) in before.f.iter().zip(&after.f).enumerate() {
            if let (Some(a), Some(b)) = (a, b)
                && a != b
            {
                found("f", Some(number), a, b)?;
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
