//! Any signature with any values: `Signature::call` calls a `DynFrame`, the values arrive, and the result comes back, in every
//! ABI of the target. `CBFRAME_ROUND_TRIP` says with how many signatures.
//!
//! Either side is the other's measure here; C compilers are that of both in `cbframe-signatures`.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

#[path = "round_trip/conventions.rs"]
mod conventions;
#[path = "round_trip/shapes.rs"]
mod shapes;
#[path = "round_trip/values.rs"]
mod values;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;

use cbframe::abi::{Abi, CallingConvention, Place, Signature};
use cbframe::conventions::{GoInternal, PreserveAll, PreserveMost, PreserveNoneClang19, Regcall, Vectorcall};
use cbframe::types::{Kind, Type};
use cbframe::{Call, DynFrame, Float16, Float128, LongDouble, Value};
use cbframe_tests::guard::{self, Environment, Expected};
use cbframe_tests::system::set_errno;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use conventions::{Lots, Pops, PopsUnaligned};
use shapes::{Plan, Rules};
use values::{Bytes, Kinds, Values, Wrong};

/// SplitMix64.
pub(crate) const fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a callback is to find, and what it has found.
struct Exchange {
    values: Values,
    errno: i32,
    /// Whether it leaves by a panic.
    unwinds: bool,
    calls: u32,
    wrong: Vec<Wrong>,
    notes: Vec<String>,
}

/// What such a callback throws.
struct Thrown(i32);

/// The callback.
fn answer(call: &mut Call<'_>, signature: &Signature, exchange: &Mutex<Exchange>) {
    let exchange = &mut *exchange.lock().expect("no panic leaves this");
    exchange.calls += 1;
    let looked = catch_unwind(AssertUnwindSafe(|| look(call, signature, exchange)));
    if let Err(panic) = looked {
        let text = panic.downcast_ref::<String>().map_or("a panic", String::as_str);
        exchange.notes.push(format!("the callback: {text}"));
    }
    guard::trash();
    // SAFETY: as many bytes as the type has, and a value.
    let result = unsafe { Value::read(&signature.result().ty, exchange.values.result().as_slice().as_ptr()) };
    call.ret(result.expect("a value"));
    set_errno(exchange.errno);
}

fn look(call: &mut Call<'_>, signature: &Signature, exchange: &mut Exchange) {
    assert_eq!(call.len(), signature.parameters().len());
    for (argument, parameter) in call.args().zip(signature.parameters()) {
        assert!(argument.ty == &parameter.ty, "the type of #{}", argument.index);
        // SAFETY: those that are padding are compared with nothing.
        let found = unsafe { std::slice::from_raw_parts(argument.bytes().as_ptr().cast(), argument.bytes().len()) };
        exchange.wrong.extend(exchange.values.wrong(argument.index, found));
    }
    for (index, parameter) in signature.parameters().iter().enumerate() {
        let mut bytes = Bytes::junk(parameter.ty.size);
        if scalar(call, index, &parameter.ty, bytes.as_mut_slice()) {
            exchange.wrong.extend(exchange.values.wrong(index, bytes.as_slice()));
        }
    }
}

/// The argument as `Call::arg` gives it, if it is a scalar.
fn scalar(call: &Call<'_>, index: usize, ty: &Type, to: &mut [u8]) -> bool {
    macro_rules! take {
        ($ty:ty) => {{
            let value = call.arg::<$ty>(index);
            // SAFETY: as many bytes as the type has.
            unsafe { (&raw const value).cast::<u8>().copy_to_nonoverlapping(to.as_mut_ptr(), size_of::<$ty>()) }
        }};
    }
    match (ty.kind, ty.size) {
        (Kind::Bool, _) => take!(bool),
        (Kind::Int { signed: true }, 1) => take!(i8),
        (Kind::Int { signed: true }, 2) => take!(i16),
        (Kind::Int { signed: true }, 4) => take!(i32),
        (Kind::Int { signed: true }, 8) => take!(i64),
        (Kind::Int { signed: true }, 16) => take!(i128),
        (Kind::Int { .. }, 1) => take!(u8),
        (Kind::Int { .. }, 2) => take!(u16),
        (Kind::Int { .. }, 4) => take!(u32),
        (Kind::Int { .. }, 8) => take!(u64),
        (Kind::Int { .. }, 16) => take!(u128),
        (Kind::Float, 2) => take!(Float16),
        (Kind::Float, 4) => take!(f32),
        (Kind::Float, 8) => take!(f64),
        (Kind::Float, 16) => take!(Float128),
        (Kind::X87, _) => take!(LongDouble),
        (Kind::Pointer { .. }, _) => take!(*mut ()),
        _ => return false,
    }
    true
}

/// How a call is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// `call`, of a closure that any thread may call.
    Call,
    /// `call_with_errno`, of one that belongs to this thread.
    Errno,
    /// `call_raw`, of one that is called once.
    Raw,
}

/// Makes one call; what was wrong.
fn exchange(
    signature: &Signature,
    plan: &Plan,
    values: Values,
    way: Way,
    guarded: bool,
) -> (Values, Vec<Wrong>, Vec<String>) {
    let errno = 1 + (plan.seed % 100) as i32;
    let unwinds = signature.layout().unwinds() && plan.seed.is_multiple_of(4) && way == Way::Call;
    let (calls, wrong, notes) = (0, Vec::new(), Vec::new());
    let shared = Mutex::new(Exchange { values, errno, unwinds, calls, wrong, notes });
    let builder = || {
        let builder = DynFrame::builder(signature);
        if plan.save && stack_align(signature) == 16 { builder.save() } else { builder }
    };
    let run = |call: &mut Call<'_>| {
        answer(call, signature, &shared);
        if unwinds {
            resume_unwind(Box::new(Thrown(errno)));
        }
    };
    let caller = Caller { signature, shared: &shared, way, guarded: guarded && !unwinds };
    match way {
        Way::Call => caller.call(builder().new(run).expect("a slot").as_ptr()),
        Way::Errno => caller.call(builder().local(run).expect("a slot").as_ptr()),
        Way::Raw => caller.call(builder().once(run).expect("a slot").as_ptr()),
    }
    let Exchange { values, wrong, notes, .. } = shared.into_inner().expect("nobody has panicked");
    (values, wrong, notes)
}

fn stack_align(signature: &Signature) -> u32 {
    if let Abi::Named(convention) = signature.abi() { convention.stack_align } else { 16 }
}

struct Caller<'c> {
    signature: &'c Signature,
    shared: &'c Mutex<Exchange>,
    way: Way,
    guarded: bool,
}

impl Caller<'_> {
    fn call(&self, callback: *const ()) {
        let Self { signature, shared, .. } = *self;
        let (values, errno, unwinds) = {
            let exchange = shared.lock().expect("nobody has panicked");
            (exchange.values.clone(), exchange.errno, exchange.unwinds)
        };
        let mut address = callback;
        if self.guarded {
            guard::arm(callback, Expected::of(&signature.layout()), Environment::SAME);
            address = guard::entry(signature.abi() == Abi::Win64);
        }
        let called = catch_unwind(AssertUnwindSafe(|| self.call_at(address, &values)));
        let in_use = x87_in_use();
        let exchange = &mut *shared.lock().expect("nobody has panicked");
        let mut note = |text: String| exchange.notes.push(text);
        if in_use != 0 {
            note(format!("the x87 stack is not empty: {in_use:#010b}"));
        }
        if self.guarded {
            let report = guard::report();
            if !report.violations.is_empty() || report.calls != 1 || report.misaligned != 0 {
                note(format!("{report:?}"));
            }
        }
        match called {
            Ok(_) if unwinds => note("nothing was thrown".into()),
            Ok(Ok((result, found))) => {
                if let Some(found) = found.filter(|found| *found != errno) {
                    note(format!("errno is {found}, not {errno}"));
                }
                exchange.wrong.extend(values.wrong(values.bytes.len() - 1, result.as_slice()));
            }
            Ok(Err(text)) => note(text),
            Err(panic) => match panic.downcast::<Thrown>() {
                Ok(thrown) if unwinds && thrown.0 == errno => {}
                Ok(_) => note("what was thrown is something else".into()),
                Err(panic) => note(format!("the caller: {:?}", panic.downcast_ref::<String>())),
            },
        }
        if exchange.calls != 1 {
            exchange.notes.push(format!("{} calls", exchange.calls));
        }
    }

    /// The result, and errno if that was asked for.
    fn call_at(&self, address: *const (), values: &Values) -> Result<(Bytes, Option<i32>), String> {
        let Self { signature, way, .. } = *self;
        let ty = signature.result().ty;
        let arguments = values.bytes.iter().zip(signature.parameters());
        let mut result = Bytes::junk(ty.size);
        if way == Way::Raw {
            let arguments: Vec<_> = arguments.map(|(bytes, _)| bytes.as_slice().as_ptr().cast()).collect();
            let to = result.as_mut_slice().as_mut_ptr().cast();
            // SAFETY: the callback has this signature, whose values these are; there is room for the result.
            unsafe { signature.call_raw(address, &arguments, to) }.map_err(|error| error.to_string())?;
            return Ok((result, None));
        }
        // SAFETY: as many bytes as the type has, and they are a value.
        let value = |(bytes, parameter): (&Bytes, &cbframe::abi::Parameter)| unsafe {
            Value::read(&parameter.ty, bytes.as_slice().as_ptr())
        };
        let arguments: Vec<_> = arguments.map(value).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        // SAFETY: as above.
        let called = unsafe {
            match way {
                Way::Errno => signature.call_with_errno(address, &arguments).map(|(value, errno)| (value, Some(errno))),
                _ => signature.call(address, &arguments).map(|value| (value, None)),
            }
        };
        let (value, errno) = called.map_err(|error| error.to_string())?;
        let to = result.as_mut_slice();
        assert_eq!(value.bytes().len(), to.len(), "{value:?}");
        // SAFETY: as many bytes.
        unsafe { value.bytes().as_ptr().cast::<u8>().copy_to_nonoverlapping(to.as_mut_ptr(), to.len()) };
        Ok((result, errno))
    }
}

/// Which registers of the x87 stack are in use: at a call and a return none is.
fn x87_in_use() -> u8 {
    #[repr(C, align(16))]
    struct Area([u8; 512]);

    let mut area = Area([0; 512]);
    // SAFETY: the area has the size and the alignment that the instruction asks for (Intel SDM volume 2, "FXSAVE").
    unsafe { std::arch::asm!("fxsave64 [{}]", in(reg) &raw mut area, options(nostack, preserves_flags)) };
    area.0[4]
}

/// Where values were, so that a run which tested nothing is seen.
#[derive(Default, Debug)]
struct Met {
    signatures: Cell<u32>,
    calls: Cell<u32>,
    arguments: Cell<u32>,
    in_registers: Cell<u32>,
    on_the_stack: Cell<u32>,
    results: Cell<u32>,
    variadic: Cell<u32>,
}

impl Met {
    fn add(&self, signature: &Signature) {
        let count = |what: &Cell<u32>, n: usize| what.set(what.get() + n as u32);
        let parameters = signature.parameters();
        let with = |test: fn(&Place) -> bool| parameters.iter().filter(|parameter| test(&parameter.place)).count();
        count(&self.signatures, 1);
        count(&self.arguments, parameters.len());
        count(&self.in_registers, with(|place| matches!(place, Place::Registers(_))));
        count(&self.on_the_stack, with(|place| matches!(place, Place::Stack(_))));
        count(&self.results, usize::from(signature.result().ty != Type::VOID));
        count(&self.variadic, usize::from(signature.before_dots().is_some()));
    }
}

fn test(plan: &Plan, rules: Rules<'_>, met: &Met) -> Result<(), TestCaseError> {
    let signature = plan.signature(rules);
    met.add(&signature);
    let has_guard = matches!(signature.abi(), Abi::SysV64 | Abi::Win64);
    let (mut wrong, mut notes, mut last) = (Vec::new(), Vec::new(), None);
    for (view, (kind, way)) in
        [(Kinds::Low, Way::Call), (Kinds::High, Way::Raw), (Kinds::Random(plan.seed), Way::Errno)]
            .into_iter()
            .enumerate()
    {
        // The first two are of the same view, to be compared.
        let values = Values::new(&signature, kind, view / 2 + (plan.seed % 16) as usize);
        let guarded = has_guard && way != Way::Errno;
        let (values, more, found) = exchange(&signature, plan, values, way, guarded);
        met.calls.set(met.calls.get() + 1);
        wrong.extend(more);
        notes.extend(found.into_iter().map(|note| format!("{kind:?}, {way:?}: {note}\n")));
        last = Some(values);
    }
    if wrong.is_empty() && notes.is_empty() {
        return Ok(());
    }
    let values = last.expect("there were calls");
    Err(TestCaseError::fail(format!("{signature}\n{}{}", notes.concat(), values::describe(&values, &wrong))))
}

/// Tests `share` percent of all signatures by these rules.
fn round_trip(share: u32, rules: impl Fn(&Plan) -> Result<(), TestCaseError>) {
    let all = std::env::var("CBFRAME_ROUND_TRIP").map_or(4000, |n| n.parse().expect("CBFRAME_ROUND_TRIP is a number"));
    let config = Config { cases: (all * share).div_ceil(100), failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&shapes::plans(), |plan| rules(&plan)).unwrap_or_else(|error| panic!("{error}"));
}

fn by_abi(share: u32, abi: Abi) {
    let met = Met::default();
    round_trip(share, |plan| test(plan, Rules::Abi(abi), &met));
    println!("{}: {met:?}", abi.name());
    let mut counts = vec![&met.arguments, &met.in_registers, &met.results];
    // Others have many registers, or refuse much.
    if matches!(abi, Abi::SysV64 | Abi::Win64) {
        counts.extend([&met.on_the_stack, &met.variadic]);
    }
    assert!(counts.iter().all(|count| count.get() > met.signatures.get() / 20), "{met:?}");
}

#[test]
fn sysv64() {
    by_abi(25, Abi::SysV64);
}

#[test]
fn win64() {
    by_abi(20, Abi::Win64);
}

#[test]
fn regcall() {
    by_abi(5, Abi::Named(Regcall::CONVENTION));
}

#[test]
fn preserve_most() {
    by_abi(5, Abi::Named(PreserveMost::CONVENTION));
}

#[test]
fn preserve_all() {
    by_abi(8, Abi::Named(PreserveAll::CONVENTION));
}

#[test]
fn preserve_none() {
    by_abi(5, Abi::Named(PreserveNoneClang19::CONVENTION));
}

#[test]
fn vectorcall() {
    by_abi(7, Abi::Named(Vectorcall::CONVENTION));
}

#[test]
fn go() {
    by_abi(5, Abi::Named(GoInternal::CONVENTION));
}

#[test]
fn pops() {
    by_abi(5, Abi::Named(Pops::CONVENTION));
}

#[test]
fn pops_unaligned() {
    by_abi(5, Abi::Named(PopsUnaligned::CONVENTION));
}

/// Signatures that went wrong once.
#[test]
fn wide_arguments_and_x87_results() {
    for size in [32, 64] {
        let vector = Type::vector(size).expect("a vector");
        for result in [Type::LONG_DOUBLE, Type::complex(Type::LONG_DOUBLE).expect("a complex number")] {
            let plan =
                Plan { parameters: vec![vector; 2], result, before_dots: None, unwind: false, save: false, seed: 1 };
            let has = if size == 32 { is_x86_feature_detected!("avx") } else { is_x86_feature_detected!("avx512f") };
            if has {
                test(&plan, Rules::Abi(Abi::SysV64), &Met::default()).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
}

/// A convention as an algorithm, another one for each signature.
#[test]
fn placement() {
    let met = Met::default();
    round_trip(10, |plan| test(plan, Rules::Placement(&Lots(plan.seed)), &met));
    println!("placement: {met:?}");
    assert!(met.in_registers.get() > met.signatures.get() && met.on_the_stack.get() > met.signatures.get(), "{met:?}");
}
