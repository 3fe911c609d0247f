//! What callbacks were called with, and what they made of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::call::Call;
use super::invoke::CallError;
use super::value::{Value, ValueError};
use crate::abi::{Parameter, Signature};
use crate::arch::{CpuImage, CpuState};

/// Records the calls of [`DynFrame`](super::DynFrame)s, the last of them: a ring buffer.
///
/// A builder takes one with [`record`](super::DynBuilder::record). Each call is kept with the registers before and after it, with its
/// arguments and its result; `Display` shows them annotated, and [`replay`](Record::replay) makes the call again. A clone is the same
/// recorder. Calls on several threads may be recorded at once; each takes a lock when it has ended.
///
/// # Examples
///
/// ```
/// use cbframe::abi::{Abi, Signature};
/// use cbframe::types::Type;
/// use cbframe::{DynFrame, Recorder, Value};
///
/// let signature = Signature::new(Abi::C).named("x", Type::I32).ret(Type::I32).build()?;
/// let recorder = Recorder::new(16);
/// let frame = DynFrame::builder(&signature).record(&recorder).new(|call| call.ret(100 / call.arg::<i32>(0)))?;
/// let pointer = frame.pointer::<unsafe extern "C" fn(i32) -> i32>()?;
/// // SAFETY: the frame lives.
/// assert_eq!(unsafe { pointer(5) }, 20);
///
/// let records = recorder.records();
/// assert!(records[0].to_string().contains("x = 5"), "{}", records[0]);
/// assert!(matches!(records[0].result(), Some(Ok(Value::I32(20)))));
///
/// // The same call once more, of another function:
/// extern "C" fn twice(x: i32) -> i32 {
///     2 * x
/// }
/// // SAFETY: it has the signature, and takes any `int`.
/// assert!(matches!(unsafe { records[0].replay(twice as *const ()) }?, Value::I32(10)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Recorder(Arc<Ring>);

struct Ring {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    total: u64,
}

impl Recorder {
    /// A recorder that keeps so many calls, each of which takes about 4 KiB.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Ring { capacity, kept: Mutex::default() }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls that are kept, the first one first.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<Record>> {
        self.kept().records.iter().cloned().collect()
    }

    /// How many calls there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.kept().total
    }

    /// Forgets the calls that are kept.
    pub fn clear(&self) {
        self.kept().records.clear();
    }

    /// Keeps what was noted of a call when it began, and of its result if it has `returned`.
    #[cold]
    pub(super) fn keep(&self, mut record: Box<Record>, returned: Option<&Call<'_>>) {
        record.after =
            returned.map(|call| After { cpu: Box::new(CpuImage::copy_of(call.cpu())), result: call.result() });
        let mut kept = self.kept();
        record.index = kept.total;
        kept.total += 1;
        kept.records.push_back(record.into());
        while kept.records.len() > self.0.capacity {
            kept.records.pop_front();
        }
    }
}

/// All calls that are kept, the first one first.
impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records().iter().try_for_each(|record| writeln!(f, "{record}"))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kept { records, total } = &*self.kept();
        f.debug_struct("Recorder").field("kept", &records.len()).field("total", total).finish()
    }
}

/// A call that was recorded.
pub struct Record {
    index: u64,
    name: &'static str,
    signature: Signature,
    before: Box<CpuImage>,
    stack: Vec<u64>,
    arguments: Vec<Result<Value<'static>, ValueError>>,
    /// `None`: the call has not returned, but was unwound.
    after: Option<After>,
}

struct After {
    cpu: Box<CpuImage>,
    result: Result<Value<'static>, ValueError>,
}

impl Record {
    /// A call that begins.
    #[cold]
    pub(super) fn begin(call: &Call<'_>) -> Box<Self> {
        let signature = call.signature().clone();
        let words = signature.layout().stack_size().div_ceil(8);
        let stack = call.arguments_on_stack();
        // SAFETY: the caller has so many bytes of arguments there.
        let stack = (0..words).map(|at| unsafe { ptr::read_unaligned(stack.cast::<u64>().add(at)) }).collect();
        let arguments = (0..call.len()).map(|n| call.try_value(n).map(|value| value.to_owned())).collect();
        let before = Box::new(CpuImage::copy_of(call.cpu()));
        Box::new(Self { index: 0, name: call.name(), signature, before, stack, arguments, after: None })
    }

    /// Which call it was, counted from 0, of all that the recorder was told of.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The name of the callback's type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The arguments; an error for one that is no value of its type.
    pub fn arguments(&self) -> &[Result<Value<'static>, ValueError>] {
        &self.arguments
    }

    /// The result; `None` if the call did not return but was unwound.
    pub fn result(&self) -> Option<&Result<Value<'static>, ValueError>> {
        Some(&self.after.as_ref()?.result)
    }

    /// The registers as they were when the callback was called.
    ///
    /// With [`stack`](Self::stack), a function can be called with all of them ([`CpuState::call`]): that is right as long as no
    /// argument is passed by reference and no result is in memory, for the caller's memory is gone.
    #[must_use]
    pub fn before(&self) -> &CpuState {
        &self.before
    }

    /// The registers as they were when it returned; `None` if it was unwound.
    #[must_use]
    pub fn after(&self) -> Option<&CpuState> {
        Some(&self.after.as_ref()?.cpu)
    }

    /// The words of arguments on the stack, on Windows x64 with the home space.
    #[must_use]
    pub fn stack(&self) -> &[u64] {
        &self.stack
    }

    /// Makes the call once more, with these arguments, of the function at `address`: see [`Signature::call`].
    ///
    /// # Safety
    ///
    /// As for [`Signature::call`]: what arguments point to may be gone.
    ///
    /// # Errors
    ///
    /// As for [`Signature::call`], and if an argument is no value of its type.
    pub unsafe fn replay(&self, address: *const ()) -> Result<Value<'static>, CallError> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for (index, argument) in self.arguments.iter().enumerate() {
            match argument {
                Ok(value) => values.push(value.clone()),
                Err(error) => return Err(CallError::of_argument(&self.signature, index, error.clone())),
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.signature.call(address, &values) }
    }
}

/// The signature, each argument and the result; the registers before, annotated; what differs after. `{:#}` shows more
/// registers, as for a [`CpuState`].
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn value(f: &mut fmt::Formatter<'_>, value: &Result<Value<'_>, ValueError>) -> fmt::Result {
            match value {
                Ok(value) => writeln!(f, "{value}"),
                Err(error) => writeln!(f, "{error}"),
            }
        }
        writeln!(f, "call {} of `{}`: {}", self.index, self.name, self.signature.head())?;
        for (index, (argument, Parameter { name, .. })) in
            self.arguments.iter().zip(self.signature.parameters()).enumerate()
        {
            match *name {
                "" => write!(f, "  #{index} = ")?,
                name => write!(f, "  {name} = ")?,
            }
            value(f, argument)?;
        }
        match &self.after {
            Some(After { result: Ok(Value::Void), .. }) => {}
            Some(After { result, .. }) => {
                f.write_str("  result = ")?;
                value(f, result)?;
            }
            None => f.write_str("  it did not return, but was unwound\n")?,
        }
        let layout = self.signature.layout();
        f.write_str("registers before:\n")?;
        fmt::Display::fmt(&self.before.display_with(&layout), f)?;
        for (index, word) in self.stack.iter().enumerate() {
            writeln!(f, "[rsp+{:<#4x}] {word:#018x}", 8 * (index + 1))?;
        }
        if let Some(After { cpu, .. }) = &self.after {
            f.write_str("registers changed:\n")?;
            fmt::Display::fmt(&self.before.snapshot().diff(&cpu.snapshot()), f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
