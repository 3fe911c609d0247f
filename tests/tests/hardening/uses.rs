//! What programs do with callbacks: every lane in both conventions, called by C; pools, threads, panics.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cbframe::{CType, CpuState, Pool, bind_static, cbframe, pool, resolve};
use cbframe_tests::hand;

/// What C passes: more words than there are registers.
const WORDS: [u64; 12] = [
    0x0101_0000_0000_0001,
    0x0202_0000_0000_0020,
    0x0303_0000_0000_0300,
    0x0404_0000_0000_4000,
    0x0505_0000_0005_0000,
    0x0606_0000_0060_0000,
    0x0707_0000_0700_0000,
    0x0808_0000_8000_0000,
    0x0909_0009_0000_0000,
    0x0a0a_00a0_0000_0000,
    0x0b0b_0b00_0000_0000,
    0x0c0c_c000_0000_0000,
];

/// Another number for another order of the words, or another seed.
fn mix(seed: u64, words: [u64; 12]) -> u64 {
    words.into_iter().fold(seed, |sum, word| sum.wrapping_mul(31).wrapping_add(word))
}

/// `hand::Large`.
#[derive(CType, Clone, Copy)]
#[repr(C)]
pub(crate) struct Large {
    words: [u64; 4],
}

static SEED: u64 = 77;

macro_rules! callbacks {
    ($module:ident $abi:tt $windows:literal) => {
        #[allow(clippy::too_many_arguments, reason = "more than registers take")]
        pub(crate) mod $module {
            use super::*;

            callbacks! { $abi;
                stateless [] [0] [];
                stack [entry = "stack"] [*seed] [#[state] seed: &u64,];
                exclusive [] [{ *seed += 1; *seed }] [#[state] seed: &mut u64,];
                captured [entry = "captured"] [*seed] [#[state] seed: &u64,];
                cpu [save(gpr, flags, sse, x87)] [*seed + cpu.rsp % 8] [#[state] seed: &u64, #[cpu] cpu: &mut CpuState,];
            }

            #[cbframe(abi = $abi, entry = "direct")]
            pub(super) fn direct(#[state] seed: &u64) -> Large {
                Large { words: [*seed, seed + 1, seed + 2, seed + 3] }
            }

            fn words(callback: *const ()) -> u64 {
                // SAFETY: a callback of this module, which lives, of twelve words.
                unsafe { hand::words($windows, callback, &WORDS) }
            }

            /// A frame of every lane, to be called with [`words`].
            pub(super) fn held(seed: u64) -> Vec<Held> {
                let held = |address, frame| Held { address, call: words, _frame: frame };
                let stack = stack::bind(seed).expect("a slot");
                let exclusive = exclusive::bind(seed - 1).expect("a slot");
                let captured = captured::bind(seed).expect("a slot");
                vec![
                    held(stack.as_ptr(), Box::new(stack)),
                    held(exclusive.as_ptr(), Box::new(exclusive)),
                    held(captured.as_ptr(), Box::new(captured)),
                ]
            }

            /// Every lane, with this seed.
            pub(super) fn lanes(seed: u64) {
                let expected = mix(seed, WORDS);
                assert_eq!(words(stateless::FN as *const ()), mix(0, WORDS));
                assert_eq!(words(bind_static!(stack, SEED) as *const ()), mix(SEED, WORDS));
                assert_eq!(words(bind_static!(captured, SEED) as *const ()), mix(SEED, WORDS));
                let stack = stack::bind(seed).expect("a slot");
                assert_eq!(words(stack.as_ptr()), expected);
                let shared = stack::bind(Arc::new(seed)).expect("a slot");
                assert_eq!(words(shared.as_ptr()), expected);
                let mut count = seed;
                let exclusive = exclusive::bind(&mut count).expect("a slot");
                assert_eq!(words(exclusive.as_ptr()), mix(seed + 1, WORDS));
                assert_eq!(words(exclusive.as_ptr()), mix(seed + 2, WORDS));
                drop(exclusive);
                assert_eq!(count, seed + 2);
                let captured = captured::bind(Box::new(seed)).expect("a slot");
                assert_eq!(words(captured.as_ptr()), expected);
                let cpu = cpu::bind(&seed).expect("a slot");
                assert_eq!(words(cpu.as_ptr()), expected);
                let direct = direct::bind(seed).expect("a slot");
                let mut large = hand::Large { words: [0; 4] };
                // SAFETY: it returns a struct of this layout.
                unsafe { hand::large($windows, direct.as_ptr(), &mut large) };
                assert_eq!(large.words, [seed, seed + 1, seed + 2, seed + 3]);
            }
        }
    };
    ($abi:tt; $($name:ident [$($option:tt)*] [$seed:expr] [$($first:tt)*];)*) => { $(
        #[cbframe(abi = $abi, $($option)*)]
        pub(super) fn $name(
            $($first)* a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64, i: u64, j: u64, k: u64, l: u64,
        ) -> u64 {
            mix($seed, [a, b, c, d, e, f, g, h, i, j, k, l])
        }
    )* };
}
callbacks! { sysv64 "sysv64" false }
callbacks! { win64 "win64" true }

/// A frame that was bound before something happened.
pub(crate) struct Held {
    address: *const (),
    call: fn(*const ()) -> u64,
    _frame: Box<dyn Any>,
}

impl Held {
    /// A frame of each lane, of both conventions; the exclusive ones may be called once.
    pub(crate) fn new(seed: u64) -> Vec<Self> {
        [sysv64::held(seed), win64::held(seed)].into_iter().flatten().collect()
    }

    /// Calls it.
    pub(crate) fn check(&self, seed: u64) {
        assert_eq!((self.call)(self.address), mix(seed, WORDS));
    }
}

/// Calls a callback whose frame is gone.
pub(crate) fn call_after_drop() {
    let address = sysv64::stack::bind(1).expect("a slot").as_ptr();
    // SAFETY: the frame was dropped and its slot is not bound again: defined to abort.
    unsafe { hand::words(false, address, &WORDS) };
}

/// Any signature: the first two words and the last.
#[cbframe(abi = "raw", save(gpr, flags, sse, x87))]
fn raw(#[state] seed: &u64, cpu: &mut CpuState) {
    // SAFETY: the caller has pushed six words above its return address.
    let last = unsafe { ((cpu.rsp + 8 + 5 * 8) as *const u64).read() };
    cpu.rax = mix(*seed, [cpu.rdi, cpu.rsi, last, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[cbframe(abi = "C", on_panic = -1)]
fn panics(#[state] limit: &i32, n: i32) -> i32 {
    assert!(n < *limit, "{n} is too much");
    n
}

#[cbframe(abi = "C-unwind")]
fn unwinds(#[state] payload: &u64) {
    std::panic::resume_unwind(Box::new(*payload));
}

#[cbframe(abi = "C")]
fn compare(#[state] calls: &AtomicU64, a: &c_int, b: &c_int) -> c_int {
    calls.fetch_add(1, Ordering::Relaxed);
    b.cmp(a) as c_int
}

pool!(static MANY: 300);

#[cbframe(abi = "C", pool = MANY)]
fn number(#[state] number: &u64, add: u64) -> u64 {
    number + add
}

/// Everything, twice: the second time in slots that were freed, if the pool has no others.
pub(crate) fn all() {
    for seed in [5, 1 << 40] {
        sysv64::lanes(seed);
        win64::lanes(seed);
        special(seed);
        a_whole_pool(seed);
    }
    assert_eq!(Pool::shared().stats().bound, Pool::shared().live().count());
}

fn special(seed: u64) {
    let frame = raw::bind(seed).expect("a slot");
    let expected = mix(seed, [WORDS[0], WORDS[1], WORDS[11], 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // SAFETY: it fits any signature.
    assert_eq!(unsafe { hand::words(false, frame.as_ptr(), &WORDS) }, expected);

    let frame = panics::bind(10).expect("a slot");
    // SAFETY: the frame lives.
    assert_eq!(unsafe { (frame.as_fn()(9), frame.as_fn()(11), frame.as_fn()(8)) }, (9, -1, 8));

    let frame = unwinds::bind(seed).expect("a slot");
    // SAFETY: as above.
    let caught = catch_unwind(|| unsafe { frame.as_fn()() }).expect_err("it panics");
    assert_eq!(*caught.downcast::<u64>().expect("the payload"), seed);

    let mut numbers = [3, 9, 1, 7, 5];
    let calls = Arc::new(AtomicU64::new(0));
    let frame = compare::bind(Arc::clone(&calls)).expect("a slot");
    // SAFETY: five `int`s; the frame lives.
    unsafe { libc::qsort(numbers.as_mut_ptr().cast::<c_void>(), 5, 4, frame.as_fn_of()) };
    assert_eq!(numbers, [9, 7, 5, 3, 1]);
    assert!(calls.load(Ordering::Relaxed) >= 4);
    let found = resolve(frame.as_ptr()).expect("it is bound");
    assert!(found.is_bound() && found.name().ends_with("uses::compare"));
}

/// Every slot of a pool at once.
fn a_whole_pool(seed: u64) {
    let frames: Vec<_> = (0..300).map(|i| number::bind(seed + i).expect("a slot")).collect();
    for (i, frame) in (0..).zip(&frames) {
        // SAFETY: the frame lives.
        assert_eq!(unsafe { frame.as_fn()(1) }, seed + i + 1);
    }
    assert_eq!(MANY.stats().bound, 300);
    drop(frames);
    assert_eq!(MANY.stats().bound, 0);
}

/// Threads that bind, call and drop at the same time, each also what another has bound.
pub(crate) fn threads() {
    let shared = number::bind(1000).expect("a slot");
    let function = shared.as_fn();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for i in 0..1000 {
                    let own = number::bind(thread * 1000 + i).expect("a slot");
                    // SAFETY: the frames live; `shared` until the threads have ended.
                    assert_eq!(unsafe { (own.as_fn()(1), function(i)) }, (thread * 1000 + i + 1, 1000 + i));
                }
            });
        }
    });
}
