//! Frames whose closures are exchanged and freed while calls run.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use cbframe::abi::{Abi, Signature};
use cbframe::types::Type;
use cbframe::{DynFrame, Frame, Guarded, Pool, Value, pool, resolve};
use cbframe_tests::child;

type Hook = unsafe extern "C" fn(u64) -> u64;

/// What a call gets when the frame is gone.
const GONE: u64 = u64::MAX;

/// States that closures have, one after the other, and what has become of each. They stay readable when they are gone.
struct States {
    dropped: Vec<AtomicU8>,
    next: AtomicUsize,
}

/// A closure's state: its number.
struct State<'a> {
    of: &'a States,
    number: usize,
}

impl Drop for State<'_> {
    fn drop(&mut self) {
        assert_eq!(self.of.dropped[self.number].fetch_add(1, Ordering::SeqCst), 0, "dropped twice");
    }
}

impl States {
    fn new(count: usize) -> &'static Self {
        let dropped = (0..count).map(|_| AtomicU8::new(0)).collect();
        Box::leak(Box::new(Self { dropped, next: AtomicUsize::new(0) }))
    }

    /// The next one; `None` when all have been used.
    fn next(&'static self) -> Option<State<'static>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.dropped.len()).then_some(State { of: self, number })
    }
}

/// What calls have seen.
#[derive(Default)]
struct Seen {
    calls: AtomicU64,
    gone: AtomicU64,
    /// A handler with a state of the other.
    mixed: AtomicU64,
    /// A state that had been dropped.
    freed: AtomicU64,
}

impl Seen {
    /// A call of the handler for states whose number is `parity` mod 2.
    fn call(&self, state: &State<'_>, parity: usize, x: u64) -> u64 {
        if state.number % 2 != parity {
            self.mixed.fetch_add(1, Ordering::Relaxed);
        }
        if state.of.dropped[state.number].load(Ordering::Relaxed) != 0 {
            self.freed.fetch_add(1, Ordering::Relaxed);
        }
        x
    }
}

/// A kind of frame, with closures that call [`Seen::call`].
trait Exchanged: Sized {
    fn bind(pool: &'static Pool, seen: &'static Seen, state: State<'static>) -> Self;
    fn set(&self, seen: &'static Seen, state: State<'static>);
    fn address(&self) -> *const ();
}

impl Exchanged for Frame<'static, Hook, Guarded> {
    fn bind(pool: &'static Pool, seen: &'static Seen, state: State<'static>) -> Self {
        let builder = Frame::<Hook>::builder().pool(pool).or(GONE);
        match state.number % 2 {
            0 => builder.guarded(move |x| seen.call(&state, 0, x)).unwrap(),
            _ => builder.guarded(move |x| seen.call(&state, 1, x)).unwrap(),
        }
    }

    fn set(&self, seen: &'static Seen, state: State<'static>) {
        match state.number % 2 {
            0 => self.set(move |x| seen.call(&state, 0, x)),
            _ => self.set(move |x| seen.call(&state, 1, x)),
        }
    }

    fn address(&self) -> *const () {
        self.as_ptr()
    }
}

/// That of [`Hook`].
fn signature() -> Signature {
    Signature::new(Abi::C).param(Type::U64).ret(Type::U64).build().unwrap()
}

impl Exchanged for DynFrame<'static, Guarded> {
    fn bind(pool: &'static Pool, seen: &'static Seen, state: State<'static>) -> Self {
        let signature = signature();
        let builder = DynFrame::builder(&signature).pool(pool).or(GONE);
        match state.number % 2 {
            0 => builder.guarded(move |call| call.ret(seen.call(&state, 0, call.arg(0)))).unwrap(),
            _ => builder.guarded(move |call| call.ret(seen.call(&state, 1, call.arg(0)))).unwrap(),
        }
    }

    fn set(&self, seen: &'static Seen, state: State<'static>) {
        match state.number % 2 {
            0 => self.set(move |call| call.ret(seen.call(&state, 0, call.arg(0)))),
            _ => self.set(move |call| call.ret(seen.call(&state, 1, call.arg(0)))),
        }
    }

    fn address(&self) -> *const () {
        self.as_ptr()
    }
}

/// How many calls there are in all: a hundred millions where code is optimized.
const CALLS: u64 = if cfg!(debug_assertions) { 2_000_000 } else { 100_000_000 };

/// One thread retargets, frees and binds again; the others call.
#[test]
fn retargeted_and_freed_while_called() {
    pool!(static HOOKS: 2);
    exchange_while_called::<Frame<'static, Hook, Guarded>>(CALLS, &HOOKS);
}

/// The same with a signature that is known at run time only.
#[test]
fn retargeted_and_freed_while_called_by_a_run_time_signature() {
    pool!(static HOOKS: 2);
    exchange_while_called::<DynFrame<'static, Guarded>>(CALLS / 4, &HOOKS);
}

/// The same where the kernel puts no barriers into other threads, so that calls have their own: other entries. (Whether the
/// barrier is in them does not show in any number of calls that was tried: without it a store would have to wait for as
/// long as an exchange takes.)
// Elsewhere nothing makes the system refuse its barriers; Wine before version 9 has none, so there all tests are without.
#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(target_arch = "aarch64", ignore = "the emulator has no seccomp")]
fn retargeted_and_freed_without_membarrier() {
    use cbframe_tests::ban;

    if child::case().is_none() {
        let ended = child::run("retargeted_and_freed_without_membarrier", "refused");
        assert!(ended.code == Some(0) && ended.stdout.contains(" closures"), "{ended:#?}");
        return;
    }
    ban::refuse(libc::SYS_membarrier).unwrap();
    pool!(static HOOKS: 4);
    exchange_while_called::<Frame<'static, Hook, Guarded>>(CALLS / 20, &HOOKS);
    exchange_while_called::<DynFrame<'static, Guarded>>(CALLS / 20, &HOOKS);
}

fn exchange_while_called<F: Exchanged>(calls: u64, hooks: &'static Pool) {
    let callers = thread::available_parallelism().map_or(2, |n| n.get().max(3) - 1);
    let seen: &'static Seen = Box::leak(Box::default());
    let states = States::new(4_000_000);
    let done = AtomicBool::new(false);
    let ready = Barrier::new(callers + 1);
    let address = Mutex::new(ptr::null::<()>() as usize);

    thread::scope(|s| {
        for _ in 0..callers {
            s.spawn(|| {
                ready.wait();
                let at = *address.lock().unwrap();
                // SAFETY: guarded frames of this type are all that is ever bound there.
                let hook: Hook = unsafe { std::mem::transmute(at) };
                let (mut x, mut gone) = (0, 0);
                for _ in 0..calls / callers as u64 {
                    // SAFETY: as above.
                    match unsafe { hook(x) } {
                        GONE => gone += 1,
                        same => assert_eq!(same, x),
                    }
                    x += 1;
                }
                seen.calls.fetch_add(x, Ordering::Relaxed);
                seen.gone.fetch_add(gone, Ordering::Relaxed);
                done.store(true, Ordering::Relaxed);
            });
        }
        let mut frame = F::bind(hooks, seen, states.next().unwrap());
        *address.lock().unwrap() = frame.address() as usize;
        ready.wait();
        let mut turn = 0_u32;
        while !done.load(Ordering::Relaxed) {
            let Some(state) = states.next() else { break };
            turn += 1;
            if turn.is_multiple_of(16) {
                let at = frame.address();
                drop(frame);
                assert!(!resolve(at).unwrap().is_bound());
                frame = F::bind(hooks, seen, state);
                assert_eq!(frame.address(), at, "the address stays with guarded frames");
            } else {
                frame.set(seen, state);
            }
        }
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{} calls, {} while there was no frame; {} closures",
        count(&seen.calls),
        count(&seen.gone),
        states.next.load(Ordering::Relaxed)
    );
    assert_eq!((count(&seen.mixed), count(&seen.freed)), (0, 0));
    // Every closure was dropped, and (`State::drop`) once; the last frame is gone too.
    let made = states.next.load(Ordering::Relaxed).min(states.dropped.len());
    let left = states.dropped[..made].iter().filter(|dropped| dropped.load(Ordering::SeqCst) == 0).count();
    assert_eq!(left, 0, "of {made}");
}

/// A closure that was exchanged is gone when the calls are that were under way: also one that a call has only begun to use.
#[test]
fn nothing_is_left_behind() {
    const ROUNDS: usize = 2000;
    pool!(static HOOKS: 1);
    let callers = thread::available_parallelism().map_or(2, |n| n.get().max(3) - 1);
    let seen: &'static Seen = Box::leak(Box::default());
    let states = States::new(ROUNDS + 1);
    let round = AtomicUsize::new(0);
    let out = AtomicUsize::new(0);
    let frame = <Frame<'static, Hook, Guarded> as Exchanged>::bind(&HOOKS, seen, states.next().unwrap());
    let hook = frame.as_fn();
    let mut left = Vec::new();
    thread::scope(|s| {
        for _ in 0..callers {
            s.spawn(|| {
                for now in 0..ROUNDS {
                    while round.load(Ordering::Acquire) == now {
                        // SAFETY: the frame lives.
                        unsafe { hook(1) };
                    }
                    out.fetch_add(1, Ordering::Release);
                    while out.load(Ordering::Acquire) < callers * (now + 1) {
                        thread::yield_now();
                    }
                }
            });
        }
        for now in 0..ROUNDS {
            Exchanged::set(&frame, seen, states.next().unwrap());
            round.store(now + 1, Ordering::Release);
            while out.load(Ordering::Acquire) < callers * (now + 1) {
                thread::yield_now();
            }
            if states.dropped[now].load(Ordering::SeqCst) == 0 {
                left.push(now);
            }
        }
    });
    assert_eq!(left, [], "closures that nobody calls");
}

/// The same without the guard: `Frame::set`, which must not be used so, tears the two words of a slot apart. States are
/// never dropped here, so that what happens can be counted.
#[test]
fn the_guard_is_needed() {
    if child::case().is_none() {
        let ended = child::run("the_guard_is_needed", "unguarded");
        // Whatever else became of the process: it is undefined.
        if ended.code == Some(0) {
            assert_ne!(ended.value("mixed"), "0", "{ended:#?}");
        }
        return;
    }
    static MIXED: AtomicU64 = AtomicU64::new(0);
    static DONE: AtomicBool = AtomicBool::new(false);
    let mut frame = Frame::<Hook>::new(|_| 0).unwrap();
    let hook = frame.as_fn();
    let caller = thread::spawn(move || {
        for x in 0..1 << 32 {
            // SAFETY: none: this is what the test is about.
            unsafe { hook(x) };
            if MIXED.load(Ordering::Relaxed) > 0 {
                break;
            }
        }
        DONE.store(true, Ordering::Relaxed);
    });
    let numbers: &'static [usize; 2] = &[0, 1];
    let check = |number: &usize, parity: usize, x: u64| {
        if *number != parity {
            MIXED.fetch_add(1, Ordering::Relaxed);
        }
        x
    };
    while !DONE.load(Ordering::Relaxed) {
        // Their states are kept for ever: leaked, the frames never drop them.
        let (even, odd) = (&numbers[0], &numbers[1]);
        frame.set(move |x| check(even, 0, x));
        frame.set(move |x| check(odd, 1, x));
    }
    caller.join().unwrap();
    println!("mixed={}", MIXED.load(Ordering::Relaxed));
    std::process::exit(0);
}

/// A closure retargets its own frame, and frees it, and goes on.
#[test]
fn exchanged_and_freed_from_inside() {
    static FRAME: Mutex<Option<Frame<'static, Hook, Guarded>>> = Mutex::new(None);
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Says(Arc<AtomicUsize>);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (says, seen) = (Says(Arc::clone(&dropped)), Arc::clone(&dropped));
    let frame = Frame::<Hook>::builder()
        .or(GONE)
        .guarded(move |x| {
            let _says = &says;
            let own = FRAME.lock().unwrap();
            let frame = own.as_ref().unwrap();
            frame.set(|x| x + 1);
            // SAFETY: the frame lives; this is the new closure.
            assert_eq!(unsafe { frame.as_fn()(1) }, 2);
            assert_eq!(seen.load(Ordering::SeqCst), 0);
            drop(own);
            drop(FRAME.lock().unwrap().take());
            assert_eq!(seen.load(Ordering::SeqCst), 0);
            x * 10
        })
        .unwrap();
    let hook = frame.as_fn();
    *FRAME.lock().unwrap() = Some(frame);
    // SAFETY: guarded frames of this type are all that is ever bound there.
    unsafe {
        assert_eq!(hook(4), 40);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        assert_eq!(hook(4), GONE);
    }
}

/// Calls within calls, more than a thread's record holds.
#[test]
fn nested() {
    static DEEPEST: AtomicUsize = AtomicUsize::new(0);
    let frame = Frame::<Hook>::guarded(|x| {
        DEEPEST.fetch_max(x as usize, Ordering::Relaxed);
        let again = resolve_hook();
        // SAFETY: the frame lives.
        if x < 100 { 1 + unsafe { again(x + 1) } } else { 0 }
    })
    .unwrap();
    thread_local! { static HOOK: Cell<Option<Hook>> = const { Cell::new(None) }; }
    fn resolve_hook() -> Hook {
        HOOK.get().unwrap()
    }
    HOOK.set(Some(frame.as_fn()));
    for _ in 0..3 {
        // SAFETY: the frame lives.
        assert_eq!(unsafe { frame.as_fn()(0) }, 100);
    }
    assert_eq!(DEEPEST.load(Ordering::Relaxed), 100);
    frame.set(|x| x);
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(5) }, 5);
}

unsafe extern "C" {
    fn cbt_call(callback: unsafe extern "C" fn(*mut c_void, *mut c_void), context: *mut c_void) -> c_int;
    fn cbt_jump(buffer: *mut c_void) -> !;
}

/// What a call that was jumped over has used is dropped all the same, when a later call tells that it is over.
#[test]
fn jumped_over() {
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Says(Arc<AtomicUsize>);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let says = Says(Arc::clone(&dropped));
    let frame = Frame::<unsafe extern "C" fn(*mut c_void, *mut c_void)>::guarded(move |_, buffer| {
        let _says = &says;
        // SAFETY: the buffer is that of the caller, whose frame is live; nothing in between has a destructor that matters.
        unsafe { cbt_jump(buffer) };
    })
    .unwrap();
    // SAFETY: the frame lives.
    unsafe {
        for _ in 0..50 {
            assert_eq!(cbt_call(frame.as_fn(), ptr::null_mut()), 1);
        }
        frame.set(|_, _| ());
        assert_eq!(cbt_call(frame.as_fn(), ptr::null_mut()), 0);
    }
    frame.set(|_, _| ());
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

/// Slots of freed frames serve frames of the same type again, and no other.
#[test]
fn slots_stay_with_their_signature() {
    pool!(static FEW: 3);
    let bind = || Frame::<Hook>::builder().pool(&FEW).or(GONE).guarded(|x| x).unwrap();
    let addresses: Vec<_> = {
        let frames = [bind(), bind()];
        frames.iter().map(Frame::as_ptr).collect()
    };
    assert_eq!((FEW.live().count(), FEW.stats().bound), (0, 2));
    for address in &addresses {
        // SAFETY: guarded frames of this type are all that is ever bound there.
        let hook: Hook = unsafe { std::mem::transmute(*address) };
        // SAFETY: as above.
        assert_eq!(unsafe { hook(3) }, GONE);
    }
    let other = Frame::<unsafe extern "C" fn(f64) -> f64>::builder().pool(&FEW).guarded(|x| x).unwrap();
    assert!(!addresses.contains(&other.as_ptr()));
    let again = [bind(), bind()];
    assert!(again.iter().all(|frame| addresses.contains(&frame.as_ptr())));
    assert_eq!(FEW.live().count(), 3);
    assert!(again[0].resolved().name().contains("slots_stay_with_their_signature"));
}

/// The same where one entry serves many signatures.
#[test]
fn slots_stay_with_their_run_time_signature() {
    pool!(static FEW: 2);
    let mut record = [0_u64; 3];
    let of = |result| Signature::new(Abi::C).param(Type::U64).ret(result).build().unwrap();
    let large = Type::array(Type::U64, 3).and_then(|array| Type::structure("three", &[("all", array)])).unwrap();
    let (word, large) = (of(Type::U64), of(large));
    let bind = || DynFrame::builder(&signature()).pool(&FEW).or(GONE).guarded(|call| call.ret(1_u64)).unwrap();
    let frame = bind();
    let (address, hook) = (frame.as_ptr(), frame.pointer::<Hook>().unwrap());
    assert_eq!(frame.signature().to_string(), word.to_string());
    // SAFETY: guarded frames of this signature are all that is ever bound there.
    assert_eq!(unsafe { hook(3) }, 1);
    frame.set(|call| call.ret(2 + call.arg::<u64>(0)));
    // SAFETY: as above.
    assert_eq!(unsafe { hook(3) }, 5);
    frame.into_frame().free();
    // SAFETY: as above.
    assert_eq!(unsafe { hook(3) }, GONE);

    let gone = [7_u64, 8, 9];
    // SAFETY: the bytes of such a struct.
    let value = unsafe { Value::read(&large.result().ty, gone.as_ptr().cast()) }.unwrap();
    let other = DynFrame::builder(&large).pool(&FEW).or(value).guarded(|_| panic!("this is caught")).unwrap();
    assert_ne!(other.as_ptr(), address, "another signature");
    let other_address = other.as_ptr();
    for _ in 0..2 {
        // SAFETY: as above; there is room for the result.
        unsafe { large.call_raw(other_address, &[(&raw const gone[0]).cast()], record.as_mut_ptr().cast()).unwrap() };
        assert_eq!(std::mem::take(&mut record), gone, "after a panic");
    }
    drop(other);
    // SAFETY: as above.
    unsafe { large.call_raw(other_address, &[(&raw const gone[0]).cast()], record.as_mut_ptr().cast()).unwrap() };
    assert_eq!(record, gone);
    assert!(
        DynFrame::builder(&large).pool(&FEW).save().guarded(|_| ()).is_err(),
        "it is another entry, and the pool is full"
    );
    assert_eq!(bind().as_ptr(), address);
}

#[test]
fn a_call_after_the_end_names_who_freed_it() {
    if child::case().is_none() {
        let ended = child::run("a_call_after_the_end_names_who_freed_it", "freed");
        ended.assert_aborted(
            "freed",
            &["a_call_after_the_end_names_who_freed_it::{{closure}}", "freed at", "guarded.rs"],
        );
        return;
    }
    let frame = Frame::<Hook>::guarded(|x| x).unwrap();
    let hook = frame.as_fn();
    frame.free();
    // SAFETY: guarded frames of this type are all that is ever bound there.
    unsafe { hook(1) };
}
