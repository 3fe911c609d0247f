//! Calls a callback from generated C through the guard, with arguments and a result whose bytes tell where they
//! belong, and compares what arrives on either side.

use core::ops::Range;
use std::cell::RefCell;
use std::fmt::Write;

use cbframe::CpuState;
use cbframe::abi::Layout;

use crate::again;
use crate::dynamic::Known;
use crate::guard::{self, Environment, Expected};
use crate::machine;
pub use crate::signature::{Bits, Leaf, Signature, Type};
use crate::values::{NEVER_WRITTEN, SIZE, Value, Values, extended, find, locate, significant, values};

/// What a C caller is given: `struct cbt_wire` in `c/callers.h`.
#[repr(C)]
#[derive(Debug)]
pub struct Wire {
    pub(crate) callback: *const (),
    pub(crate) arguments: [*const Value; 16],
    pub(crate) result: *mut Value,
    pub(crate) wide: *mut u32,
}

/// A function that C defines for a signature. It calls what the wire says.
pub type Caller = unsafe extern "C" fn(*const Wire);

/// What one compiler made of the C callers, by the index of their signatures.
#[derive(Clone, Copy, Debug)]
pub struct Callers {
    /// Whether the compiler is clang, and not gcc.
    pub clang: bool,
    /// The compiler and its options.
    pub name: &'static str,
    /// The feature that the compiler was told the CPU has: the table is for signatures that need it.
    pub cpu: Option<&'static str>,
    /// The table, in which there is something for each signature.
    pub table: *const Option<Caller>,
}

/// State that callbacks are bound to.
#[derive(Debug)]
pub struct State {
    magic: u64,
}

const MAGIC: u64 = 0x57a7_e057_a7e0_57a7;

impl State {
    /// A state.
    #[allow(clippy::new_without_default, reason = "it is constant")]
    pub const fn new() -> Self {
        Self { magic: MAGIC }
    }

    /// Records that the callback got this state.
    #[inline(never)]
    pub fn arrive(&self) {
        CALL.with_borrow_mut(|call| {
            call.state = if self.magic == MAGIC { self } else { std::ptr::without_provenance(1) };
        });
    }
}

/// One call, as the callback sees it.
struct Call {
    parameters: &'static [&'static Type],
    received: Option<Vec<Value>>,
    result: Value,
    state: *const State,
    windows: bool,
    environment: Environment,
    /// What is wrong with the registers.
    notes: String,
}

thread_local! {
    static CALL: RefCell<Call> = const {
        RefCell::new(Call {
            parameters: &[],
            received: None,
            result: Value::JUNK,
            state: std::ptr::null(),
            windows: false,
            environment: Environment::SAME,
            notes: String::new(),
        })
    };
}

/// Records the arguments of the callback, which lie at these addresses.
///
/// # Safety
///
/// Each is readable for the size of its type, as the signature has it.
#[inline(never)]
pub unsafe fn receive(arguments: &[*const u8]) {
    CALL.with_borrow_mut(|call| {
        assert_eq!(call.parameters.len(), arguments.len(), "parameters");
        let taken = call.parameters.iter().zip(arguments).map(|(ty, argument)| {
            // An over-aligned parameter's address is part of its type.
            if argument.addr() % ty.align != 0 {
                call.notes.push_str("a parameter is misaligned; ");
            }
            let mut value = Value::JUNK;
            assert!(ty.size <= SIZE);
            // SAFETY: the caller's promise; they fit.
            unsafe { std::ptr::copy_nonoverlapping(argument.cast(), value.0.as_mut_ptr(), ty.size) };
            value
        });
        let taken = taken.collect();
        assert!(call.received.replace(taken).is_none(), "called twice");
    });
}

/// Compares what a C function has made of its arguments that are narrower than 32 bits: one number for each argument.
///
/// # Safety
///
/// There are as many as the signature has parameters.
pub(crate) unsafe fn receive_extended(found: *const u32) {
    CALL.with_borrow_mut(|call| {
        let received = call.received.as_ref().expect("the arguments");
        for (index, (ty, value)) in call.parameters.iter().zip(received).enumerate() {
            // SAFETY: the caller's promise.
            let (found, expected) =
                (unsafe { *found.add(index) }, if ty.narrow.is_some() { extended(ty, value) } else { 0 });
            if ty.narrow.is_some() && found != expected {
                write!(call.notes, "p{index} as a number of 32 bits is {found:#x}, not {expected:#x}; ")
                    .expect("a string");
            }
        }
    });
}

/// How many parameters the signature has that is called.
pub(crate) fn parameters() -> usize {
    CALL.with_borrow(|call| call.parameters.len())
}

/// Destroys registers, and gives the address of the result that the test expects.
#[inline(never)]
#[must_use]
pub fn reply() -> *const () {
    guard::trash();
    CALL.with_borrow(|call| (&raw const call.result).cast())
}

/// Checks a captured state against what the guard has put into the registers.
pub fn cpu(cpu: &CpuState) {
    CALL.with_borrow_mut(|call| {
        let (windows, environment) = (call.windows, call.environment);
        machine::check(cpu, windows, environment, &mut |name, found, expected| {
            if found != expected {
                write!(call.notes, "{name} is {found:#x}, not {expected:#x}; ").expect("a string");
            }
        });
    });
}

/// A byte that differs from what was sent.
struct Wrong {
    whose: usize,
    at: usize,
    found: u8,
    expected: u8,
}

/// The test of one signature: the same calls on each lane.
pub struct Run<'r> {
    signature: &'static Signature,
    callers: &'r [Callers],
    /// Told of each lane and compiler before the calls.
    progress: &'r mut dyn FnMut(&str, &str),
    expected: Expected,
    /// Whether the next lane extends a result that is narrower than 32 bits. No caller relies on it: the psABI
    /// does not ask for it, neither gcc nor clang expects it, and rustc does it no more. The captured lane does.
    extends: bool,
    /// The same signature, as something that is known at run time only.
    known: Option<Known>,
    outcome: Outcome,
}

/// What a run has found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How cbframe has placed the signature, if it knows the types.
    pub layout: Option<&'static Layout<'static>>,
    /// The lanes, each with the number of calls.
    pub lanes: Vec<(&'static str, u64)>,
    /// What was wrong, one line for each finding.
    pub wrong: Vec<String>,
}

impl<'r> Run<'r> {
    /// Calls the callbacks of `signature` as `run` says, if the CPU can; why not otherwise.
    ///
    /// # Errors
    ///
    /// What the CPU lacks.
    ///
    /// # Panics
    ///
    /// If a table of C callers does not fit the signature.
    pub fn of(
        signature: &'static Signature,
        callers: &'r [Callers],
        progress: &'r mut dyn FnMut(&str, &str),
        run: impl FnOnce(&mut Run<'_>),
    ) -> Result<Outcome, &'static str> {
        if !signature.can_run() {
            return Err(signature.cpu.expect("something is missing"));
        }
        // What cbframe knows nothing of is simple enough to say so: see `layout` for the others.
        let hidden = signature.result.is_some_and(|ty| match signature.windows {
            false => ty.size > 16,
            true => !matches!(ty.size, 0 | 1 | 2 | 4 | 8),
        });
        let expected = if hidden { Expected::HIDDEN } else { Expected::PLAIN };
        let mut this =
            Run { signature, callers, progress, expected, extends: false, known: None, outcome: Outcome::default() };
        run(&mut this);
        if let Some(known) = this.known.clone() {
            this.captured();
            known.run(&mut this);
        }
        Ok(this.outcome)
    }

    /// Tells how cbframe has placed the signature. What the guard checks follows from it: if it is wrong, values do not
    /// arrive.
    ///
    /// # Panics
    ///
    /// If the same signature, put together while the program runs or read from C or Rust, is another.
    pub fn layout(&mut self, layout: &'static Layout<'static>) {
        let unwind = if layout.unwinds() { "-unwind" } else { "" };
        let again = again::signature(layout).to_string().replacen(" fn(", &format!("{unwind} fn("), 1);
        assert_eq!(again, layout.to_string());
        again::assert_alike(layout, &again::from_c(layout.abi(), self.signature.in_c).layout());
        let from_rust = again::from_rust(self.signature.in_rust);
        let types = |layout: &Layout<'_>| {
            layout.parameters().iter().chain([layout.result()]).map(|it| it.ty).collect::<Vec<_>>()
        };
        assert_eq!(from_rust.to_string(), layout.to_string());
        assert_eq!(types(&from_rust.layout()), types(layout));
        (self.outcome.layout, self.expected) = (Some(layout), Expected::of(layout));
        self.known = Known::of(layout);
    }

    /// Says how the signature is placed that is known at run time only, instead of [`layout`](Self::layout).
    pub fn known(&mut self, signature: cbframe::abi::Signature) {
        self.expected = Expected::of(&signature.layout());
        self.known = Some(Known::new(signature));
    }

    /// Calls a function that C defines, which asks [`crate::callee`].
    ///
    /// # Panics
    ///
    /// If nothing knows the signature at run time.
    pub fn callee(&mut self, name: &'static str, function: *const ()) {
        let known = self.known.clone().expect("a signature that is known at run time");
        let views = self.views();
        let calls = known
            .callers()
            .map(|(caller, called_by)| self.called_by(name, called_by, caller, views, function, std::ptr::null()));
        self.outcome.lanes.push((name, calls.iter().sum()));
    }

    /// The lanes from here on are captured ones.
    pub const fn captured(&mut self) {
        self.extends = true;
    }

    /// Calls the stateless callback `callback`.
    pub fn lane(&mut self, lane: &'static str, callback: *const ()) {
        self.stateful(lane, callback, std::ptr::null());
    }

    /// Calls the callback that is bound to `state` and has the entry that its signature gets by default.
    pub fn chosen(&mut self, callback: *const (), state: *const State) {
        let lane = match self.outcome.layout {
            Some(layout) if machine::is_direct(layout) => "direct",
            Some(_) => "stack",
            None => "without CType",
        };
        self.stateful(lane, callback, state);
    }

    /// Calls `callback`, which is bound to `state`.
    pub fn stateful(&mut self, lane: &'static str, callback: *const (), state: *const State) {
        let signature = self.signature;
        let views = self.views();
        let mut calls = 0;
        for callers in self.callers.iter().filter(|callers| callers.cpu == signature.cpu) {
            // SAFETY: there is something for each signature.
            let caller = unsafe { *callers.table.add(signature.index) };
            let reason = if callers.clang { signature.clang } else { signature.gcc };
            assert_eq!(
                caller.is_none(),
                reason.is_some(),
                "{} has a caller, or a reason for having none",
                callers.name
            );
            let Some(caller) = caller else { continue };
            calls += self.called_by(lane, callers.name, caller, views, callback, state);
        }
        if let Some([(caller, name), _]) = self.known.as_ref().map(Known::callers) {
            calls += self.called_by(lane, name, caller, views, callback, state);
        }
        self.outcome.lanes.push((lane, calls));
    }

    /// In how many ways values are looked at.
    fn views(&self) -> usize {
        self.signature.types().map(|ty| ty.views.len()).max().unwrap_or(1)
    }

    /// Has `caller` call the callback; how often.
    fn called_by(
        &mut self,
        lane: &'static str,
        name: &str,
        caller: Caller,
        views: usize,
        callback: *const (),
        state: *const State,
    ) -> u64 {
        (self.progress)(lane, name);
        let mut wrong = Vec::new();
        for view in 0..views {
            let [low, high] = [Values::Low, Values::High].map(|kind| self.call(kind, view, caller, callback, state));
            wrong.push(self.compare(view, &low, Some(&high)));
            wrong.push(self.compare(view, &high, Some(&low)));
        }
        for (view, kind) in [Values::Ones, Values::Random(1), Values::Random(2)].into_iter().enumerate() {
            wrong.push(self.compare(view, &self.call(kind, view, caller, callback, state), None));
        }
        // The first call that went wrong tells most; others seldom tell more.
        let count = wrong.iter().filter(|wrong| !wrong.is_empty()).count();
        if let Some(first) = wrong.iter().find(|wrong| !wrong.is_empty()) {
            let calls = wrong.len();
            self.outcome
                .wrong
                .push(format!("{lane}, called by {name}: {count} of {calls} calls went wrong, the first one:"));
            self.outcome.wrong.extend(first.iter().map(|line| format!("  {line}")));
        }
        2 * views as u64 + 3
    }

    fn call(&self, kind: Values, view: usize, caller: Caller, callback: *const (), state: *const State) -> Called {
        let Signature { windows, parameters, result, .. } = *self.signature;
        let environment = if kind == Values::High { Environment::OTHER } else { Environment::SAME };
        let sent = values(self.signature, kind, view);
        let narrow = result.filter(|ty| ty.narrow.is_some() && self.extends);
        let mut called = Called { kind, sent, found: None, notes: String::new() };
        for wide in [true, false] {
            if wide && narrow.is_none() {
                continue;
            }
            CALL.with_borrow_mut(|call| {
                call.parameters = parameters;
                call.received = None;
                call.notes.clear();
                call.result = called.sent.get(parameters.len()).copied().unwrap_or(Value::JUNK);
                call.state = std::ptr::null();
                (call.windows, call.environment) = (windows, environment);
            });
            let (mut got, mut eax) = (Value::JUNK, 0xcccc_cccc);
            let mut wire = Wire {
                callback: guard::entry(windows),
                arguments: [std::ptr::null(); 16],
                result: &mut got,
                wide: if wide { &mut eax } else { std::ptr::null_mut() },
            };
            for (i, value) in called.sent.iter().take(parameters.len()).enumerate() {
                wire.arguments[i] = value;
            }
            guard::arm(callback, self.expected, environment);
            // SAFETY: the caller was generated for this signature, whose values these are; the frame is alive.
            unsafe { caller(&wire) };

            let report = guard::report();
            called.notes.push_str(&report.violations);
            if report.calls != 1 || report.misaligned != 0 {
                write!(called.notes, "{} calls, {} with a misaligned stack; ", report.calls, report.misaligned)
                    .expect("a string");
            }
            CALL.with_borrow_mut(|call| {
                called.notes.push_str(&call.notes);
                if call.state != state {
                    called.notes.push_str("the state is another; ");
                }
                called.found = call.received.take();
            });
            if let (true, Some(ty)) = (wide, narrow) {
                let expected = extended(ty, &called.sent[parameters.len()]);
                if eax != expected {
                    write!(called.notes, "eax is {eax:#x}, not {expected:#x}; ").expect("a string");
                }
            } else if result.is_some()
                && let Some(found) = &mut called.found
            {
                found.push(got);
            }
        }
        called
    }

    /// What is wrong with a call. `other` is the one with the other halves of the codes.
    fn compare(&self, view: usize, called: &Called, other: Option<&Called>) -> Vec<String> {
        let signature = self.signature;
        let mut lines = Vec::new();
        let mut note = |line: String| lines.push(format!("with {}, {line}", called.kind.name()));
        if !called.notes.is_empty() {
            note(called.notes.trim_end_matches("; ").into());
        }
        if called.found.is_none() {
            note("the callback was not reached".into());
        }
        let mut wrong = called.wrong(signature, view).peekable();
        while let Some(first) = wrong.next() {
            // All bytes of the same scalar.
            let (scalar, start) = locate(signature, first.whose, view, first.at);
            let mut bytes = vec![first];
            while let Some(next) = wrong.next_if(|next| locate(signature, next.whose, view, next.at).0 == scalar) {
                bytes.push(next);
            }
            let Wrong { whose, at, .. } = bytes[0];
            let hex =
                |byte: fn(&Wrong) -> u8| bytes.iter().map(|wrong| format!(" {:02x}", byte(wrong))).collect::<String>();
            let mut line =
                format!("{scalar} in {} is wrong from byte {start} (offset {at}) on:", signature.ty(whose).name);
            write!(line, "{}, not{}", hex(|wrong| wrong.found), hex(|wrong| wrong.expected)).expect("a string");
            if let Some(found) = other.and_then(|other| other.found.as_ref()) {
                let pairs = bytes.iter().map(|wrong| {
                    let other = found[wrong.whose].byte(wrong.at);
                    if called.kind == Values::Low { [wrong.found, other] } else { [other, wrong.found] }
                });
                write!(line, ", that is {}", origins(signature, view, pairs)).expect("a string");
            }
            note(line);
        }
        lines
    }
}

/// Where bytes come from, each of which arrived as the two of a pair when it was called with low and with high codes.
fn origins(signature: &Signature, view: usize, pairs: impl Iterator<Item = [u8; 2]>) -> String {
    let mut origins: Vec<(String, Option<Range<usize>>)> = Vec::new();
    for pair in pairs {
        let (what, byte) = match pair {
            [NEVER_WRITTEN, NEVER_WRITTEN] => ("nothing that was written".into(), None),
            [0x7a, 0x7a] => ("what the callback has put everywhere".into(), None),
            [0xa5, 0xa5] => ("from a register in which nothing is passed".into(), None),
            pair => match find(signature, view, u16::from_le_bytes(pair)) {
                Some((scalar, byte)) => (scalar, Some(byte)),
                None => ("nothing known".into(), None),
            },
        };
        match (origins.last_mut(), byte) {
            (Some((last, None)), None) if *last == what => {}
            (Some((last, Some(range))), Some(byte)) if *last == what && range.end == byte => range.end += 1,
            (_, byte) => origins.push((what, byte.map(|byte| byte..byte + 1))),
        }
    }
    let describe = |(what, range): &(String, Option<Range<usize>>)| match range {
        None => what.clone(),
        Some(range) if range.len() == 1 => format!("byte {} of {what}", range.start),
        Some(range) => format!("bytes {} to {} of {what}", range.start, range.end - 1),
    };
    origins.iter().map(describe).collect::<Vec<_>>().join(", ")
}

/// A call that was made.
struct Called {
    kind: Values,
    sent: Vec<Value>,
    /// What arrived: the arguments, and the result.
    found: Option<Vec<Value>>,
    notes: String,
}

impl Called {
    fn wrong(&self, signature: &'static Signature, view: usize) -> impl Iterator<Item = Wrong> {
        self.found.iter().flat_map(move |found| {
            found.iter().zip(&self.sent).enumerate().flat_map(move |(whose, (found, sent))| {
                significant(signature.ty(whose), view).filter_map(move |at| {
                    let (found, expected) = (found.byte(at), sent.byte(at));
                    (found != expected).then_some(Wrong { whose, at, found, expected })
                })
            })
        })
    }
}

/// The tables of one compiler, for each CPU.
macro_rules! callers {
    [$clang:literal, $name:literal, $any:literal, $avx:literal, $avx512:literal] => {{
        unsafe extern "C" {
            #[link_name = $any]
            static ANY: [Option<Caller>; 0];
        }
        #[cfg(target_arch = "x86_64")]
        unsafe extern "C" {
            #[link_name = $avx]
            static AVX: [Option<Caller>; 0];
            #[link_name = $avx512]
            static AVX512: [Option<Caller>; 0];
        }
        let tables = [
            (None, &raw const ANY),
            #[cfg(target_arch = "x86_64")]
            (Some("avx"), &raw const AVX),
            #[cfg(target_arch = "x86_64")]
            (Some("avx512f"), &raw const AVX512),
        ];
        tables.map(|(cpu, table)| Callers { clang: $clang, name: $name, cpu, table: table.cast() })
    }};
}

/// A `#[test]` of one of the fixed signatures.
///
/// # Panics
///
/// If something is wrong.
pub fn test(signature: &'static Signature, run: fn(&mut Run<'_>)) {
    let callers = [
        callers![false, "cc -O0", "cbt_cc_o0_any", "cbt_cc_o0_avx", "cbt_cc_o0_avx512f"],
        callers![false, "cc -O2", "cbt_cc_o2_any", "cbt_cc_o2_avx", "cbt_cc_o2_avx512f"],
        #[cfg(cbt_clang)]
        callers![true, "clang -O0", "cbt_clang_o0_any", "cbt_clang_o0_avx", "cbt_clang_o0_avx512f"],
        #[cfg(cbt_clang)]
        callers![true, "clang -O2", "cbt_clang_o2_any", "cbt_clang_o2_avx", "cbt_clang_o2_avx512f"],
    ]
    .concat();
    match Run::of(signature, &callers, &mut |_, _| (), run) {
        Ok(Outcome { lanes, wrong, .. }) => {
            assert!(wrong.is_empty(), "{}:\n{}", signature.name, wrong.join("\n"));
            assert!(lanes.len() >= 2, "a stateless and a stateful form at least");
        }
        Err(feature) => eprintln!("{}: skipped, the CPU has no {feature}", signature.name),
    }
}
