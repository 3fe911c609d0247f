//! What was saved, as a value, and what differs between two of them.

use core::fmt;

use super::registers::Gpr;
use super::simd::Xmm;
use super::state::CpuSubset;
use crate::arch::Word;
use crate::arch::intel::Fxsave;

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
///     cpu.eax = 7;
///     cpu.ecx = 0;
///     let changes = before.diff(&cpu.snapshot()).to_string();
///     assert!(changes.lines().any(|line| line == "ecx   0x2a -> 0x0"), "{changes}");
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "fastcall" fn(i32) -> i32 = unsafe { std::mem::transmute(raw::FN) };
/// assert_eq!(f(42), 7);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The general registers by the numbers of [`Gpr`].
    pub gpr: [Option<Word>; 8],
    /// eip.
    pub eip: u32,
    /// eflags.
    pub eflags: Option<u32>,
    /// mxcsr.
    pub mxcsr: Option<u32>,
    /// xmm0 to xmm7.
    pub xmm: [Option<Xmm>; 8],
    /// The x87 unit.
    pub x87: Option<Fxsave>,
}

impl CpuSubset {
    /// A copy of what the state holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            gpr: Gpr::ALL.map(|register| self.gpr(register)),
            eip: self.eip(),
            eflags: self.eflags(),
            mxcsr: self.mxcsr(),
            xmm: core::array::from_fn(|number| self.xmm(number).copied()),
            x87: self.x87().cloned(),
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
        self.each(|_, _, _| Err(fmt::Error)).is_ok()
    }

    /// Calls `found` with the name and both values of each register that differs.
    fn each(
        &self,
        mut found: impl FnMut(fmt::Arguments<'_>, &dyn fmt::Debug, &dyn fmt::Debug) -> fmt::Result,
    ) -> fmt::Result {
        let Self { before, after } = self;
        let mut compare = |name: fmt::Arguments<'_>, a: Option<&dyn Value>, b: Option<&dyn Value>| match (a, b) {
            (Some(a), Some(b)) if a.bits() != b.bits() => found(name, a.shown(), b.shown()),
            _ => Ok(()),
        };
        for (register, (a, b)) in Gpr::ALL.iter().zip(before.gpr.iter().zip(&after.gpr)) {
            compare(format_args!("{register}"), value(a.as_ref()), value(b.as_ref()))?;
        }
        compare(format_args!("eip"), Some(&Word(before.eip)), Some(&Word(after.eip)))?;
        let (a, b) = (before.eflags.map(Word), after.eflags.map(Word));
        compare(format_args!("flags"), value(a.as_ref()), value(b.as_ref()))?;
        let (a, b) = (before.mxcsr.map(Word::from), after.mxcsr.map(Word::from));
        compare(format_args!("mxcsr"), value(a.as_ref()), value(b.as_ref()))?;
        for (number, (a, b)) in before.xmm.iter().zip(&after.xmm).enumerate() {
            compare(format_args!("xmm{number}"), value(a.as_ref()), value(b.as_ref()))?;
        }
        let (Some(a), Some(b)) = (&before.x87, &after.x87) else { return Ok(()) };
        for (name, a, b) in [
            ("fcw", a.control.into(), b.control.into()),
            ("fsw", a.status.into(), b.status.into()),
            ("tags", a.tags.into(), b.tags.into()),
            ("fop", a.opcode.into(), b.opcode.into()),
            ("fip", a.instruction, b.instruction),
            ("fdp", a.data, b.data),
        ] {
            compare(format_args!("{name}"), Some(&Pointer(a)), Some(&Pointer(b)))?;
        }
        for number in 0..8 {
            let bits = |x87: &Fxsave| x87.st(number).map(|st| Extended(st.bytes));
            compare(format_args!("st({number})"), value(bits(a).as_ref()), value(bits(b).as_ref()))?;
        }
        Ok(())
    }
}

/// The contents of a register: compared by its bytes.
trait Value {
    fn bits(&self) -> &[u8];
    fn shown(&self) -> &dyn fmt::Debug;
}

fn value<T: Value>(value: Option<&T>) -> Option<&dyn Value> {
    value.map(|value| value as &dyn Value)
}

macro_rules! values {
    ($($ty:ident $field:tt;)*) => { $(
        impl Value for $ty {
            fn bits(&self) -> &[u8] {
                &self.$field
            }

            fn shown(&self) -> &dyn fmt::Debug {
                self
            }
        }
    )* };
}

values! {
    Xmm bytes;
    Extended 0;
}

impl Value for Word {
    fn bits(&self) -> &[u8] {
        // SAFETY: the bytes of an integer.
        unsafe { core::slice::from_raw_parts((&raw const self.0).cast(), size_of_val(&self.0)) }
    }

    fn shown(&self) -> &dyn fmt::Debug {
        self
    }
}

/// A word of the x87 unit's, up to an address with its segment.
struct Pointer(u64);

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Value for Pointer {
    fn bits(&self) -> &[u8] {
        // SAFETY: the bytes of an integer.
        unsafe { core::slice::from_raw_parts((&raw const self.0).cast(), size_of_val(&self.0)) }
    }

    fn shown(&self) -> &dyn fmt::Debug {
        self
    }
}

/// A register of the x87 stack: its bits tell more than its value.
struct Extended([u8; 10]);

impl fmt::Debug for Extended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Diff<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.each(|name, before, after| {
            let mut padded = Padded { f, written: 0 };
            fmt::write(&mut padded, name)?;
            let written = padded.written;
            writeln!(f, "{:1$} {before:?} -> {after:?}", "", 5_usize.saturating_sub(written))
        })
    }
}

/// Counts what it passes on.
struct Padded<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    written: usize,
}

impl fmt::Write for Padded<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.written += text.len();
        self.f.write_str(text)
    }
}
