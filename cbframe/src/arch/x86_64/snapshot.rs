//! What was saved, as a value, and what differs between two of them.

use core::fmt;

use super::registers::Gpr;
use super::simd::{Xmm, Ymm, Zmm};
use super::state::CpuSubset;
use crate::arch::Word;
use crate::arch::intel::Fxsave;

/// A copy of what a [`CpuState`](crate::CpuState) or [`CpuSubset`] holds; `None` where it was not saved.
///
/// The state itself lies in the frame of the entry and cannot be kept. This can, at about 4 KiB.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, cbframe};
///
/// #[cbframe(abi = "raw", save(gpr))]
/// fn raw(cpu: &mut CpuState) {
///     let before = cpu.snapshot();
///     cpu.rax = 7;
///     cpu.rdi = 0;
///     let changes = before.diff(&cpu.snapshot()).to_string();
///     assert!(changes.lines().any(|line| line == "rdi   0x2a -> 0x0"), "{changes}");
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "sysv64" fn(i32) -> i32 = unsafe { std::mem::transmute(raw::FN) };
/// assert_eq!(f(42), 7);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The general registers by the numbers of [`Gpr`].
    pub gpr: [Option<Word>; 16],
    /// rip.
    pub rip: u64,
    /// rflags.
    pub rflags: Option<u64>,
    /// mxcsr.
    pub mxcsr: Option<u32>,
    /// xmm0 to xmm15.
    pub xmm: [Option<Xmm>; 16],
    /// ymm0 to ymm15.
    pub ymm: Option<[Ymm; 16]>,
    /// zmm0 to zmm31.
    pub zmm: Option<[Zmm; 32]>,
    /// k0 to k7.
    pub opmasks: Option<[u64; 8]>,
    /// The x87 unit.
    pub x87: Option<Fxsave>,
}

impl CpuSubset {
    /// A copy of what the state holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let every = "as the first";
        Snapshot {
            gpr: Gpr::ALL.map(|register| self.gpr(register)),
            rip: self.rip(),
            rflags: self.rflags(),
            mxcsr: self.mxcsr(),
            xmm: core::array::from_fn(|number| self.xmm(number).copied()),
            ymm: self.ymm(0).map(|_| core::array::from_fn(|number| *self.ymm(number).expect(every))),
            zmm: self.zmm(0).map(|_| core::array::from_fn(|number| *self.zmm(number).expect(every))),
            opmasks: self.opmask(0).map(|_| core::array::from_fn(|number| self.opmask(number).expect(every))),
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

/// What differs between two [`Snapshot`]s. `Display` has a line for each register, with its name and both values; of a vector
/// register, the widest that was saved.
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
        compare(format_args!("rip"), Some(&Word(before.rip)), Some(&Word(after.rip)))?;
        let (a, b) = (before.rflags.map(Word), after.rflags.map(Word));
        compare(format_args!("flags"), value(a.as_ref()), value(b.as_ref()))?;
        let (a, b) = (before.mxcsr.map(Word::from), after.mxcsr.map(Word::from));
        compare(format_args!("mxcsr"), value(a.as_ref()), value(b.as_ref()))?;
        if let (Some(a), Some(b)) = (&before.zmm, &after.zmm) {
            for (number, (a, b)) in a.iter().zip(b).enumerate() {
                compare(format_args!("zmm{number}"), Some(a), Some(b))?;
            }
        } else if let (Some(a), Some(b)) = (&before.ymm, &after.ymm) {
            for (number, (a, b)) in a.iter().zip(b).enumerate() {
                compare(format_args!("ymm{number}"), Some(a), Some(b))?;
            }
        } else {
            for (number, (a, b)) in before.xmm.iter().zip(&after.xmm).enumerate() {
                compare(format_args!("xmm{number}"), value(a.as_ref()), value(b.as_ref()))?;
            }
        }
        if let (Some(a), Some(b)) = (before.opmasks, after.opmasks) {
            for (number, (a, b)) in a.into_iter().zip(b).enumerate() {
                compare(format_args!("k{number}"), Some(&Word(a)), Some(&Word(b)))?;
            }
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
            compare(format_args!("{name}"), Some(&Word(a)), Some(&Word(b)))?;
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
    Ymm bytes;
    Zmm bytes;
    Extended 0;
}

impl Value for Word {
    fn bits(&self) -> &[u8] {
        // SAFETY: the bytes of an integer.
        unsafe { core::slice::from_raw_parts((&raw const self.0).cast(), 8) }
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
