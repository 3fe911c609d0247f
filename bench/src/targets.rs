//! What is called: 64 native functions with user data for each signature, and 64 slots for each kind of entry.
//!
//! All of them do the same work, with the same instructions: they differ in how the state gets to it.

use std::ffi::c_void;
use std::mem;

use cbframe::abi::{self, Abi};
use cbframe::types::Type;
use cbframe::{Call, CpuState, CpuSubset, DynFrame, Frame, Gpr, cbframe};

/// How many targets each set has.
pub(crate) const COUNT: usize = 64;

/// Indices of targets, in the order of `Mode::Turns`; the length is that in `loops.c`.
pub(crate) type Order = [u8; 4096];

/// As in `loops.c`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Target {
    function: unsafe extern "C" fn(),
    data: *const c_void,
}

/// The signature of the targets, which is that of the loops that call them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// `(i64, i64) -> i64`
    Two,
    /// The same with user data.
    TwoData,
    /// Eight `i64`.
    Eight,
    /// The same with user data.
    EightData,
    /// Two `i64`, and six behind `...`.
    Variadic,
}

/// A constant that keeps the compiler from merging the native functions, all else being equal. The callbacks
/// have one too, so that they execute as many instructions.
const OWN: i64 = 5;

/// Those of the native functions begin here.
const FIRST_OWN: i64 = 2;

/// The state of every target.
const STATE: i64 = 0x5555;

/// Four instructions, `ret` included.
#[inline(always)]
fn two(a: i64, b: i64, state: &i64, own: i64) -> i64 {
    a.wrapping_sub(b).wrapping_add(own) ^ *state
}

#[expect(clippy::too_many_arguments, reason = "more than registers take")]
#[inline(always)]
fn eight(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64, state: &i64, own: i64) -> i64 {
    let sum = [b, c, d, e, f, g].into_iter().fold(a, i64::wrapping_add);
    two(sum, h, state, own)
}

type NativeTwo = unsafe extern "C" fn(i64, i64, *const c_void) -> i64;
type NativeEight = unsafe extern "C" fn(i64, i64, i64, i64, i64, i64, i64, i64, *const c_void) -> i64;

/// 64 different functions of each signature.
macro_rules! natives {
    ($($own:literal)*) => {
        const NATIVE_TWO: [NativeTwo; COUNT] = [$({
            unsafe extern "C" fn native(a: i64, b: i64, data: *const c_void) -> i64 {
                // SAFETY: the user data is the address of an `i64`: see `natives`.
                two(a, b, unsafe { &*data.cast() }, $own)
            }
            native
        }),*];
        const NATIVE_EIGHT: [NativeEight; COUNT] = [$({
            unsafe extern "C" fn native(
                a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64, data: *const c_void,
            ) -> i64 {
                // SAFETY: as above.
                eight(a, b, c, d, e, f, g, h, unsafe { &*data.cast() }, $own)
            }
            native
        }),*];
    };
}

natives! {
     2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33
    34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65
}

#[cbframe(abi = "C", entry = "direct")]
fn direct(#[state] state: &i64, a: i64, b: i64) -> i64 {
    two(a, b, state, OWN)
}

#[cbframe(abi = "C")]
fn exclusive(#[state] state: &mut i64, a: i64, b: i64) -> i64 {
    two(a, b, state, OWN)
}

#[cbframe(abi = "C", entry = "stack")]
fn stack(#[state] state: &i64, a: i64, b: i64) -> i64 {
    two(a, b, state, OWN)
}

#[cbframe(abi = "C", entry = "captured")]
fn captured(#[state] state: &i64, a: i64, b: i64) -> i64 {
    two(a, b, state, OWN)
}

#[allow(clippy::too_many_arguments, reason = "more than registers take")]
#[cbframe(abi = "C")]
fn stack_8(#[state] state: &i64, a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> i64 {
    eight(a, b, c, d, e, f, g, h, state, OWN)
}

#[allow(clippy::too_many_arguments, reason = "more than registers take")]
#[cbframe(abi = "C", entry = "captured")]
fn captured_8(#[state] state: &i64, a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> i64 {
    eight(a, b, c, d, e, f, g, h, state, OWN)
}

#[cbframe(abi = "C")]
fn variadic(#[state] state: &i64, a: i64, b: i64, mut args: ...) -> i64 {
    // SAFETY: the loop passes six.
    let [c, d, e, f, g, h] = std::array::from_fn(|_| unsafe { args.arg::<i64>() });
    eight(a, b, c, d, e, f, g, h, state, OWN)
}

macro_rules! raws {
    ($($name:ident $groups:tt;)*) => { $(
        #[cbframe(abi = "raw", save $groups)]
        fn $name(#[state] state: &i64, cpu: &mut CpuState) {
            cpu.rax = two(cpu.rdi as i64, cpu.rsi as i64, state, OWN) as u64;
        }
    )* };
}

/// What the signature needs, and one register that the handler sees.
#[cbframe(abi = "C", save(rbx))]
fn single(#[state] state: &i64, #[cpu] _cpu: &mut CpuSubset, a: i64, b: i64) -> i64 {
    two(a, b, state, OWN)
}

/// Nothing but what the handler needs.
#[cbframe(abi = "raw", save(rdi, rsi, rax))]
fn raw_three(#[state] state: &i64, cpu: &mut CpuSubset) {
    let [Some(a), Some(b)] = [Gpr::Rdi, Gpr::Rsi].map(|register| cpu.gpr(register)) else { return };
    cpu.set_gpr(Gpr::Rax, two(a.i64(), b.i64(), state, OWN));
}

raws! {
    raw_gpr(gpr);
    raw(gpr, flags, sse);
    raw_avx(gpr, avx);
    raw_flags_avx(gpr, flags, avx);
    raw_x87(gpr, flags, sse, x87);
}

/// 64 targets of one kind.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) signature: Signature,
    pub(crate) targets: Vec<Target>,
    /// The native set beside which it is put; `None` for those.
    pub(crate) baseline: Option<&'static str>,
    /// How many times the baseline it may take, if that was decided.
    pub(crate) limit: Option<f64>,
    /// One call in so many, in the slow sets.
    pub(crate) slowness: usize,
}

/// The names of the native sets.
pub(crate) const NATIVE: &str = "native (i64,i64)+data";
/// What a guarded closure is put beside.
const CLOSURE: &str = "closure";
/// What callbacks whose signature is known at run time only are put beside.
const CAPTURED: &str = "captured";
const CAPTURED_8: &str = "captured 8 × i64";
const NATIVE_8: &str = "native 8 × i64+data";
/// The sets whose difference is set against a bare pair of FXSAVE and FXRSTOR.
pub(crate) const RAW: &str = "raw gpr,flags,sse";
pub(crate) const RAW_X87: &str = "raw gpr,flags,sse,x87";

fn natives(functions: [unsafe extern "C" fn(); COUNT]) -> Vec<Target> {
    // Leaked: they are called until the end.
    let data = || Box::into_raw(Box::new(STATE)).cast_const().cast();
    let targets: Vec<_> = functions.into_iter().map(|function| Target { function, data: data() }).collect();
    for (i, target) in targets.iter().enumerate() {
        let merged = targets[..i].iter().any(|other| other.function as usize == target.function as usize);
        assert!(!merged, "the compiler has merged native functions: they are no baseline");
    }
    targets
}

/// The 64 bindings of one callback.
macro_rules! bound {
    ($callback:ty) => {
        (0..COUNT)
            .map(|_| {
                let frame = <$callback>::bind(STATE).expect("the shared pool has slots for all sets");
                // Never freed: they are called until the end.
                let frame = mem::ManuallyDrop::new(frame);
                // SAFETY: the address of a function; `Set::signature` says how it is called.
                let function = unsafe { mem::transmute::<*const (), unsafe extern "C" fn()>(frame.as_ptr()) };
                Target { function, data: std::ptr::null() }
            })
            .collect()
    };
}

/// The same for 64 closures of one kind.
macro_rules! closures {
    ($new:ident) => {
        (0..COUNT)
            .map(|_| {
                let state = STATE;
                let closure = move |a: i64, b: i64| two(a, b, &state, OWN);
                let frame = Frame::<unsafe extern "C" fn(i64, i64) -> i64>::$new(closure);
                let address = frame.expect("the shared pool has slots for all sets").into_raw();
                // SAFETY: as above; never freed.
                let function = unsafe { mem::transmute::<*const (), unsafe extern "C" fn()>(address) };
                Target { function, data: std::ptr::null() }
            })
            .collect()
    };
}

/// The same for 64 closures that learn of their signature, so many `i64`, when they are bound.
fn dynamic(parameters: usize, closure: impl Fn(&mut Call<'_>) + Copy + Send + Sync + 'static) -> Vec<Target> {
    let start = abi::Signature::new(Abi::C).ret(Type::I64);
    let signature = (0..parameters).fold(start, |all, _| all.param(Type::I64)).build().expect("a signature");
    (0..COUNT)
        .map(|_| {
            let frame = DynFrame::new(&signature, closure);
            // Leaked: they are called until the end.
            let function = frame.map_err(|_| ()).expect("the shared pool has slots for all sets").leak();
            Target { function, data: std::ptr::null() }
        })
        .collect()
}

fn dynamic_2() -> Vec<Target> {
    let state = STATE;
    dynamic(2, move |call| call.ret(two(call.arg(0), call.arg(1), &state, OWN)))
}

fn dynamic_8() -> Vec<Target> {
    let state = STATE;
    dynamic(8, move |call| {
        let [a, b, c, d, e, f, g, h] = std::array::from_fn(|n| call.arg(n));
        call.ret(eight(a, b, c, d, e, f, g, h, &state, OWN));
    })
}

/// All sets. Each baseline is before those that are put beside it.
pub(crate) fn sets() -> Vec<Set> {
    use Signature::{Eight, EightData, Two, TwoData, Variadic};
    // SAFETY: function pointers, called as what they are: see `Set::signature`.
    let two = NATIVE_TWO.map(|function| unsafe { mem::transmute::<NativeTwo, unsafe extern "C" fn()>(function) });
    // SAFETY: as above.
    let eight = NATIVE_EIGHT.map(|function| unsafe { mem::transmute::<NativeEight, unsafe extern "C" fn()>(function) });
    let native = |name, signature, targets| Set { name, signature, targets, baseline: None, limit: None, slowness: 1 };
    let beside = |name, signature, baseline, limit, targets| Set {
        name,
        signature,
        targets,
        baseline: Some(baseline),
        limit,
        slowness: if name == RAW_X87 { 10 } else { 1 },
    };
    vec![
        native(NATIVE, TwoData, natives(two)),
        beside("direct", Two, NATIVE, Some(1.3), bound!(direct)),
        beside("direct, &mut state", Two, NATIVE, None, bound!(exclusive)),
        beside(CLOSURE, Two, NATIVE, None, closures!(new)),
        beside("closure, local", Two, NATIVE, None, closures!(local)),
        beside("closure, guarded, × closure", Two, CLOSURE, Some(2.2), closures!(guarded)),
        beside("stack", Two, NATIVE, Some(1.6), bound!(stack)),
        beside(CAPTURED, Two, NATIVE, Some(2.2), bound!(captured)),
        beside("dynamic, × captured", Two, CAPTURED, Some(2.0), dynamic_2()),
        beside("captured, save(rbx)", Two, NATIVE, Some(2.0), bound!(single)),
        beside("raw rdi,rsi,rax", Two, NATIVE, None, bound!(raw_three)),
        beside("raw gpr", Two, NATIVE, Some(2.5), bound!(raw_gpr)),
        beside(RAW, Two, NATIVE, Some(6.0), bound!(raw)),
        beside("raw gpr,avx", Two, NATIVE, Some(10.0), bound!(raw_avx)),
        beside("raw gpr,flags,avx", Two, NATIVE, None, bound!(raw_flags_avx)),
        beside(RAW_X87, Two, NATIVE, None, bound!(raw_x87)),
        native(NATIVE_8, EightData, natives(eight)),
        beside("stack 8 × i64", Eight, NATIVE_8, Some(1.6), bound!(stack_8)),
        beside(CAPTURED_8, Eight, NATIVE_8, Some(2.2), bound!(captured_8)),
        beside("dynamic 8 × i64, × captured", Eight, CAPTURED_8, Some(2.0), dynamic_8()),
        beside("variadic, six of 8 × i64", Variadic, NATIVE_8, Some(4.0), bound!(variadic)),
    ]
}

unsafe extern "C" {
    fn two_same(target: &Target, n: i64) -> i64;
    fn two_chain(target: &Target, n: i64) -> i64;
    fn two_turns(targets: *const Target, order: &Order, n: i64) -> i64;
    fn two_data_same(target: &Target, n: i64) -> i64;
    fn two_data_chain(target: &Target, n: i64) -> i64;
    fn two_data_turns(targets: *const Target, order: &Order, n: i64) -> i64;
    fn eight_same(target: &Target, n: i64) -> i64;
    fn eight_chain(target: &Target, n: i64) -> i64;
    fn eight_turns(targets: *const Target, order: &Order, n: i64) -> i64;
    fn eight_data_same(target: &Target, n: i64) -> i64;
    fn eight_data_chain(target: &Target, n: i64) -> i64;
    fn eight_data_turns(targets: *const Target, order: &Order, n: i64) -> i64;
    fn variadic_same(target: &Target, n: i64) -> i64;
    fn variadic_chain(target: &Target, n: i64) -> i64;
    fn variadic_turns(targets: *const Target, order: &Order, n: i64) -> i64;
}

/// How the targets of a set are called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One target again and again.
    Same,
    /// The same, each call waiting for the result of the one before.
    Chain,
    /// One after the other.
    Turns,
}

impl Set {
    /// Calls target `index`, or for `Turns` those in `order`, `n` times.
    pub(crate) fn run(&self, mode: Mode, index: usize, order: &Order, n: i64) -> i64 {
        let target = &self.targets[index];
        let all = self.targets.as_ptr();
        assert!(order.iter().all(|&index| usize::from(index) < self.targets.len()));
        // SAFETY: the targets have this signature, and `order` holds indices of them.
        unsafe {
            match (self.signature, mode) {
                (Signature::Two, Mode::Same) => two_same(target, n),
                (Signature::Two, Mode::Chain) => two_chain(target, n),
                (Signature::Two, Mode::Turns) => two_turns(all, order, n),
                (Signature::TwoData, Mode::Same) => two_data_same(target, n),
                (Signature::TwoData, Mode::Chain) => two_data_chain(target, n),
                (Signature::TwoData, Mode::Turns) => two_data_turns(all, order, n),
                (Signature::Eight, Mode::Same) => eight_same(target, n),
                (Signature::Eight, Mode::Chain) => eight_chain(target, n),
                (Signature::Eight, Mode::Turns) => eight_turns(all, order, n),
                (Signature::EightData, Mode::Same) => eight_data_same(target, n),
                (Signature::EightData, Mode::Chain) => eight_data_chain(target, n),
                (Signature::EightData, Mode::Turns) => eight_data_turns(all, order, n),
                (Signature::Variadic, Mode::Same) => variadic_same(target, n),
                (Signature::Variadic, Mode::Chain) => variadic_chain(target, n),
                (Signature::Variadic, Mode::Turns) => variadic_turns(all, order, n),
            }
        }
    }

    /// Checks that each target computes what it should, in every mode.
    pub(crate) fn check(&self, order: &Order) {
        const N: i64 = 100;
        let is_eight = !matches!(self.signature, Signature::Two | Signature::TwoData);
        let expected = |index: usize, a, b| {
            let own = if self.baseline.is_none() { index as i64 + FIRST_OWN } else { OWN };
            two(a + if is_eight { 1 + 2 + 3 + 4 + 5 + 6 } else { 0 }, b, &STATE, own)
        };
        for index in 0..COUNT {
            let same = (0..N).map(|i| expected(index, i, N)).sum();
            let chain = (0..N).fold(0, |last, i| expected(index, i, last));
            let turns = (0..N).zip(order).map(|(i, &index)| expected(index.into(), i, N)).sum();
            for (mode, expected) in [(Mode::Same, same), (Mode::Chain, chain), (Mode::Turns, turns)] {
                let got: i64 = self.run(mode, index, order, N);
                assert_eq!(got, expected, "{}: a wrong result of target {index}", self.name);
            }
        }
    }
}
