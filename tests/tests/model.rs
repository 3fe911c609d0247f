//! Pools against a model: whatever is bound, called, freed and asked for in whatever order, a table of addresses says
//! what must come of it.
#![allow(missing_docs, reason = "tests")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use cbframe::{Frame, Pool, PoolFull, cbframe, pool, resolve};
use cbframe_tests::system;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A state that counts its kind.
struct Number(u64);

static NUMBERS: AtomicUsize = AtomicUsize::new(0);

impl Number {
    fn new(value: u64) -> Self {
        NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self(value)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        NUMBERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a test does.
#[derive(Clone, Debug)]
enum Step {
    /// Binds so many states.
    Bind(Kind, u64, usize),
    Call(usize, u64),
    Drop(usize),
    Free(usize),
    Leak(usize),
    /// Drops so many, from one on.
    DropMany(usize, usize),
    /// Asks what is, or was, at an address.
    Resolve(usize),
    /// Looks at everything.
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Shared,
    Captured,
    Exclusive,
}

/// What the model knows of an address.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    kind: Kind,
    /// `None`: it is not bound any more.
    value: Option<u64>,
    line: u32,
}

/// `mod $name` with callbacks in a pool, and what is common to their frames.
macro_rules! callbacks {
    ($name:ident [$($pool:tt)*]) => {
        mod $name {
            use super::*;

            #[cbframe(abi = "C" $($pool)*)]
            pub(super) fn shared(#[state] s: &Number, x: u64) -> u64 {
                s.0.wrapping_add(x)
            }

            #[cbframe(abi = "C", entry = "captured" $($pool)*)]
            pub(super) fn captured(#[state] s: &Number, x: u64) -> u64 {
                s.0.wrapping_mul(x)
            }

            #[cbframe(abi = "C" $($pool)*)]
            pub(super) fn exclusive(#[state] s: &mut Number, x: u64) -> u64 {
                s.0 = s.0.wrapping_add(x);
                s.0
            }

            type Pointer = unsafe extern "C" fn(u64) -> u64;

            pub(super) enum Held {
                Shared(Frame<'static, Pointer, shared>),
                Captured(Frame<'static, Pointer, captured>),
                Exclusive(Frame<'static, Pointer, exclusive>),
            }

            macro_rules! each {
                ($held:expr, $frame:ident => $result:expr) => {
                    match $held {
                        Self::Shared($frame) => $result,
                        Self::Captured($frame) => $result,
                        Self::Exclusive($frame) => $result,
                    }
                };
            }

            impl Bound for Held {
                const MODULE: &'static str = stringify!($name);

                fn bind(kind: Kind, state: Number) -> (Result<Self, PoolFull<Number>>, u32) {
                    match kind {
                        Kind::Shared => (shared::bind(state).map(Self::Shared), line!()),
                        Kind::Captured => (captured::bind(state).map(Self::Captured), line!()),
                        Kind::Exclusive => (exclusive::bind(state).map(Self::Exclusive), line!()),
                    }
                }

                fn pointer(&self) -> Pointer {
                    each!(self, frame => frame.as_fn())
                }

                fn free(self) {
                    each!(self, frame => frame.free());
                }

                fn leak(self) {
                    each!(self, frame => _ = frame.leak());
                }
            }
        }
    };
}

trait Bound: Sized {
    const MODULE: &'static str;
    fn bind(kind: Kind, state: Number) -> (Result<Self, PoolFull<Number>>, u32);
    fn pointer(&self) -> unsafe extern "C" fn(u64) -> u64;
    fn free(self);
    fn leak(self);
}

pool!(static SMALL: 37);
callbacks!(small [, pool = SMALL]);
callbacks!(growing []);

/// A pool, and what must be true of it.
struct World<B> {
    pool: &'static Pool,
    /// If it does not grow.
    fixed: Option<usize>,
    /// Each address that was ever bound.
    known: HashMap<usize, Known>,
    held: Vec<(usize, B)>,
    leaked: usize,
    /// How often it grew or became smaller, as far as one sees from outside.
    resized: usize,
}

/// More are not leaked: they are lost for all cases that follow.
const MOST_LEAKED: usize = 9;

impl<B: Bound> World<B> {
    fn new(pool: &'static Pool, fixed: Option<usize>) -> Self {
        Self { pool, fixed, known: HashMap::new(), held: Vec::new(), leaked: 0, resized: 0 }
    }

    fn bound(&self) -> usize {
        self.held.len() + self.leaked
    }

    fn step(&mut self, step: &Step) {
        let capacity = self.pool.capacity();
        match *step {
            Step::Bind(kind, value, count) => (0..count as u64).for_each(|i| self.bind(kind, value ^ i)),
            Step::Call(at, x) => self.call(at, x),
            Step::Drop(at) => drop(self.remove(at)),
            Step::Free(at) => _ = self.remove(at).map(Bound::free),
            Step::Leak(at) => self.leak(at),
            Step::DropMany(at, count) => {
                for _ in 0..count {
                    drop(self.remove(at));
                }
            }
            Step::Resolve(at) => self.resolve(at),
            Step::Look => self.look(),
        }
        let stats = self.pool.stats();
        assert_eq!((stats.bound, stats.capacity), (self.bound(), self.pool.capacity()));
        assert!(stats.bound + stats.retired <= stats.capacity);
        assert_eq!(NUMBERS.load(Ordering::Relaxed), self.bound(), "a state was dropped too early or too late");
        self.resized += usize::from(self.pool.capacity() != capacity);
    }

    fn bind(&mut self, kind: Kind, value: u64) {
        let (bound, line) = B::bind(kind, Number::new(value));
        if self.fixed == Some(self.bound()) {
            let full = bound.err().expect("every slot is bound");
            assert_eq!(full.into_state().0, value);
            return;
        }
        let bound = bound.expect("a slot is free");
        let address = bound.pointer() as usize;
        let before = self.known.insert(address, Known { kind, value: Some(value), line });
        assert!(before.as_ref().is_none_or(|known| known.value.is_none()), "one address for two");
        if self.fixed.is_some_and(|slots| self.known.len() < slots) {
            assert_eq!(before, None, "it is used again while there are others");
        }
        self.held.push((address, bound));
    }

    fn call(&mut self, at: usize, x: u64) {
        if self.held.is_empty() {
            return;
        }
        let at = at % self.held.len();
        let (address, bound) = &self.held[at];
        let known = self.known.get_mut(address).expect("bound");
        let value = known.value.as_mut().expect("bound");
        // SAFETY: the frame lives.
        let found = unsafe { bound.pointer()(x) };
        let expected = match known.kind {
            Kind::Shared => value.wrapping_add(x),
            Kind::Captured => value.wrapping_mul(x),
            Kind::Exclusive => {
                *value = value.wrapping_add(x);
                *value
            }
        };
        assert_eq!(found, expected);
    }

    fn remove(&mut self, at: usize) -> Option<B> {
        let at = at.checked_rem(self.held.len())?;
        let (address, bound) = self.held.swap_remove(at);
        self.known.get_mut(&address).expect("bound").value = None;
        Some(bound)
    }

    fn leak(&mut self, at: usize) {
        if self.leaked < MOST_LEAKED && !self.held.is_empty() {
            let (_, bound) = self.held.swap_remove(at % self.held.len());
            bound.leak();
            self.leaked += 1;
        }
    }

    fn resolve(&self, at: usize) {
        let held = self.held.len().checked_sub(1).map(|last| self.held[at.min(last)].0);
        let any = self.known.keys().nth(at % self.known.len().max(1)).copied();
        for address in held.into_iter().chain(any) {
            let known = &self.known[&address];
            let Some(found) = resolve(address as *const ()) else {
                // A block that was given back is forgotten.
                assert!(self.fixed.is_none() && known.value.is_none(), "{known:?} was forgotten");
                continue;
            };
            let name = format!("model::{}::{}", B::MODULE, format!("{:?}", known.kind).to_lowercase());
            assert_eq!((found.name(), found.is_bound()), (&name[..], known.value.is_some()));
            assert_eq!((found.bound_at().file(), found.bound_at().line()), (file!(), known.line));
            assert!(found.address().addr() == address && std::ptr::eq(found.pool(), self.pool));
            assert!(resolve((address + 8) as *const ()).is_none());
        }
    }

    fn look(&self) {
        let mut live: Vec<_> = self.pool.live().map(|found| found.address().addr()).collect();
        live.sort_unstable();
        let mut bound: Vec<_> =
            self.known.iter().filter(|(_, known)| known.value.is_some()).map(|(address, _)| *address).collect();
        bound.sort_unstable();
        assert_eq!(live, bound);
        assert!(self.fixed.is_none_or(|slots| slots == self.pool.capacity()));
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Shared), Just(Kind::Captured), Just(Kind::Exclusive)]
}

/// Up to `many` are bound or dropped at once.
fn step(many: usize) -> impl Strategy<Value = Step> {
    let at = any::<usize>;
    prop_oneof![
        8 => (kind(), any::<u64>(), 1..3_usize).prop_map(|(kind, value, count)| Step::Bind(kind, value, count)),
        2 => (kind(), any::<u64>(), 0..=many).prop_map(|(kind, value, count)| Step::Bind(kind, value, count)),
        8 => (at(), any::<u64>()).prop_map(|(at, x)| Step::Call(at, x)),
        4 => at().prop_map(Step::Drop),
        2 => at().prop_map(Step::Free),
        1 => at().prop_map(Step::Leak),
        2 => (at(), 0..=many).prop_map(|(at, count)| Step::DropMany(at, count)),
        4 => at().prop_map(Step::Resolve),
        1 => Just(Step::Look),
    ]
}

/// One test after the other: the states of both are counted together.
#[test]
fn pools_do_what_the_model_says() {
    let mut small = World::<small::Held>::new(&SMALL, Some(37));
    check(&mut small, 400, 40);
    assert!(small.leaked == MOST_LEAKED && small.known.len() == 37);
    small.held.clear();
    // Those that were leaked stay; the other world does not count them.
    NUMBERS.store(0, Ordering::Relaxed);

    let fixed = (!system::POOLS_GROW).then(|| Pool::shared().capacity());
    let mut growing = World::<growing::Held>::new(Pool::shared(), fixed);
    check(&mut growing, 60, 9000);
    assert!(!system::POOLS_GROW || growing.resized >= 2, "it was resized {} times only", growing.resized);
}

fn check<B: Bound>(world: &mut World<B>, cases: u32, many: usize) {
    let world = std::cell::RefCell::new(world);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(many), 1..60);
    let result = runner.run(&steps, |steps| {
        let mut world = world.borrow_mut();
        for step in &steps {
            world.step(step);
        }
        let held = world.held.len();
        world.step(&Step::DropMany(0, held));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Closures, which can be exchanged: of each frame the model knows the number by which its closure multiplies.
mod closures {
    use cbframe::{Closure, Guarded, Local, Once};

    use super::*;

    type Pointer = unsafe extern "C" fn(u64) -> u64;

    pool!(static CLOSURES: 11);
    // Slots of guarded frames stay theirs.
    pool!(static GUARDED: 7);

    enum Held {
        Shared(Frame<'static, Pointer, Closure>),
        Local(Frame<'static, Pointer, Local>),
        Once(Frame<'static, Pointer, Once>),
        Guarded(Frame<'static, Pointer, Guarded>),
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// Binds one of the kind, which multiplies by a number.
        Bind(usize, u64),
        Call(usize, u64),
        Set(usize, u64),
        Drop(usize),
        Leak(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4_usize, any::<u64>()).prop_map(|(kind, by)| Step::Bind(kind, by)),
            8 => (any::<usize>(), any::<u64>()).prop_map(|(which, x)| Step::Call(which, x)),
            4 => (any::<usize>(), any::<u64>()).prop_map(|(which, by)| Step::Set(which, by)),
            3 => any::<usize>().prop_map(Step::Drop),
            1 => any::<usize>().prop_map(Step::Leak),
        ]
    }

    fn times(by: u64) -> impl Fn(u64) -> u64 + Send + Sync + 'static {
        let number = Number::new(by);
        move |x| {
            // All of it, not a copy of its field.
            let number = &number;
            number.0.wrapping_mul(x)
        }
    }

    fn bind(kind: usize, by: u64) -> Result<Held, PoolFull<()>> {
        let builder = Frame::<Pointer>::builder().pool(if kind == 3 { &GUARDED } else { &CLOSURES });
        let closure = times(by);
        match kind {
            0 => builder.new(closure).map(Held::Shared).map_err(PoolFull::without_state),
            1 => builder.local(closure).map(Held::Local).map_err(PoolFull::without_state),
            2 => builder.once(closure).map(Held::Once).map_err(PoolFull::without_state),
            _ => builder.guarded(closure).map(Held::Guarded).map_err(PoolFull::without_state),
        }
    }

    fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
        let mut frames: Vec<(Held, u64)> = Vec::new();
        // By cases before, too.
        let (mut leaked, mut leaked_guarded) = (CLOSURES.live().count(), GUARDED.live().count());
        for step in steps {
            match step {
                Step::Bind(kind, by) => {
                    let guarded = frames.iter().filter(|(held, _)| matches!(held, Held::Guarded(_))).count();
                    let (taken, capacity) = if kind == 3 {
                        (guarded + leaked_guarded, GUARDED.capacity())
                    } else {
                        (frames.len() - guarded + leaked, CLOSURES.capacity())
                    };
                    let bound = bind(kind, by);
                    prop_assert_eq!(bound.is_ok(), taken < capacity);
                    frames.extend(bound.ok().map(|held| (held, by)));
                }
                Step::Call(which, x) if !frames.is_empty() => {
                    let which = which % frames.len();
                    let (held, by) = &frames[which];
                    let pointer = match held {
                        Held::Shared(frame) => frame.as_fn(),
                        Held::Local(frame) => frame.as_fn(),
                        Held::Once(frame) => frame.as_fn(),
                        Held::Guarded(frame) => frame.as_fn(),
                    };
                    // SAFETY: the frame lives; those that may be called once go.
                    prop_assert_eq!(unsafe { pointer(x) }, by.wrapping_mul(x));
                    if matches!(held, Held::Once(_)) {
                        let (called, _) = frames.swap_remove(which);
                        drop(called);
                    }
                }
                Step::Set(which, by) if !frames.is_empty() => {
                    let which = which % frames.len();
                    let (held, known) = &mut frames[which];
                    match held {
                        Held::Shared(frame) => frame.set(times(by)),
                        Held::Guarded(frame) => frame.set(times(by)),
                        Held::Local(_) | Held::Once(_) => continue,
                    }
                    *known = by;
                }
                Step::Drop(which) if !frames.is_empty() => drop(frames.swap_remove(which % frames.len())),
                // The pools are small, and what is leaked stays.
                Step::Leak(which) if !frames.is_empty() && leaked + leaked_guarded == 0 => {
                    let (held, by) = frames.swap_remove(which % frames.len());
                    let pointer = match held {
                        Held::Shared(frame) => frame.leak(),
                        Held::Local(frame) => frame.leak(),
                        Held::Once(frame) => frame.leak(),
                        Held::Guarded(frame) => frame.leak(),
                    };
                    // A once frame's slot goes with the call; the others' stay for the rest of the process.
                    // SAFETY: the callback is never freed, and called once.
                    prop_assert_eq!(unsafe { pointer(3) }, by.wrapping_mul(3));
                }
                _ => {}
            }
            leaked =
                CLOSURES.live().count() - frames.iter().filter(|(held, _)| !matches!(held, Held::Guarded(_))).count();
            leaked_guarded =
                GUARDED.live().count() - frames.iter().filter(|(held, _)| matches!(held, Held::Guarded(_))).count();
            // A closure each, no more and no less.
            prop_assert_eq!(NUMBERS.load(Ordering::SeqCst), frames.len() + leaked + leaked_guarded);
        }
        Ok(())
    }

    #[test]
    fn closures_do_what_a_table_says() {
        // Alone, since states are counted.
        if cbframe_tests::child::case().is_none() {
            let ended = cbframe_tests::child::run("closures::closures_do_what_a_table_says", "alone");
            assert_eq!(ended.code, Some(0), "{ended:#?}");
            return;
        }
        let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&proptest::collection::vec(step(), 1..200), run)
            .unwrap_or_else(|error| panic!("{error}"));
    }
}
