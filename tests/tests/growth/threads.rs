//! Blocks that come and go while others bind, call and look; and in signal handlers.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use cbframe::{Pool, resolve};

use super::{Added, BLOCK, SEVEN, add, alone, bind, built_with, fill};

/// Threads that fill blocks and empty them, while one looks at all of them.
#[test]
fn threads_grow_and_shrink_it() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 12;
    alone("threads::threads_grow_and_shrink_it", || {
        let fixed = fill();
        let (start, done) = (Barrier::new(THREADS as usize + 1), AtomicBool::new(false));
        let addresses = Mutex::new(Vec::<usize>::new());
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (start, addresses) = (&start, &addresses);
                    scope.spawn(move || {
                        start.wait();
                        for round in 0..ROUNDS {
                            let base = thread << 40 | round << 30;
                            let count = BLOCK as u64 / 2 * (1 + (thread + round) % 3);
                            let mut frames: Vec<Added> =
                                (0..count).map(|i| add::bind(base + i).expect("the pool grows")).collect();
                            addresses
                                .lock()
                                .expect("no panic")
                                .extend(frames.iter().step_by(97).map(|f| f.as_ptr().addr()));
                            // In another order than they were bound in.
                            let mut at = 0;
                            for _ in 0..count {
                                at = (at + 1009) % frames.len();
                                let frame = frames.swap_remove(at);
                                // SAFETY: the frame lives.
                                let sum = unsafe { frame.as_fn()(1) };
                                assert!(sum > base && sum <= base + count, "another's state");
                                let found = frame.resolved();
                                assert!(found.is_bound() && found.address() == frame.as_ptr());
                            }
                        }
                    })
                })
                .collect();
            let looker = scope.spawn(|| {
                start.wait();
                let mut looks = 0;
                while !done.load(Ordering::Relaxed) {
                    let stats = Pool::shared().stats();
                    assert!(stats.bound >= fixed.len() && stats.bound <= stats.capacity);
                    assert!(Pool::shared().live().all(|found| found.name() == "growth::add"));
                    for &address in addresses.lock().expect("no panic").iter() {
                        assert!(resolve(address as *const ()).is_none_or(|found| found.name() == "growth::add"));
                    }
                    looks += 1;
                }
                looks
            });
            for worker in workers {
                worker.join().expect("no panic");
            }
            done.store(true, Ordering::Relaxed);
            assert!(looker.join().expect("no panic") > 0);
        });
        let stats = Pool::shared().stats();
        assert_eq!(stats.bound, fixed.len(), "a slot was lost");
        assert_eq!(stats.capacity, built_with() + BLOCK, "a block was not given back");
        // Nor has any set of free slots lost one, or has one twice.
        let most = *addresses.lock().expect("no panic").iter().max().expect("some");
        assert!(most > 0);
        let frames: Vec<Added> = (0..4 * BLOCK).map(|_| bind()).collect();
        assert_eq!(Pool::shared().capacity(), built_with() + 4 * BLOCK);
        let each: HashSet<_> = frames.iter().map(|frame| frame.as_ptr()).collect();
        assert_eq!(each.len(), frames.len());
    });
}

static HANDLED: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Has the timer send a signal once, a moment from now.
fn set_timer() {
    // An emulator does little else if they come faster.
    let tv_nsec = if cfg!(target_arch = "x86_64") { 100_000 } else { 5_000_000 };
    let interval = |tv_nsec| libc::timespec { tv_sec: 0, tv_nsec };
    let once = libc::itimerspec { it_interval: interval(0), it_value: interval(tv_nsec) };
    // SAFETY: the timer was created, and is never deleted.
    let set = unsafe { libc::timer_settime(TIMER.load(Ordering::Relaxed), 0, &raw const once, std::ptr::null_mut()) };
    assert_eq!(set, 0);
}

/// Binds as many as it takes to need another block now and then.
extern "C" fn handler(_: i32) {
    let mut frames = [const { None::<Added> }; 64];
    for frame in &mut frames {
        // SAFETY: the frame lives.
        match add::bind(&SEVEN).ok() {
            // SAFETY: the frame lives.
            Some(bound) if unsafe { bound.as_fn()(1) } == 8 => *frame = Some(bound),
            _ => _ = WRONG.fetch_add(1, Ordering::Relaxed),
        }
    }
    HANDLED.fetch_add(1, Ordering::Relaxed);
    // Counted from here, the program goes on for a while between two signals, however slow the machine is.
    set_timer();
}

/// Signals that arrive at any moment of growing and giving back find no lock.
#[test]
fn a_signal_handler_binds_while_the_pool_grows() {
    alone("threads::a_signal_handler_binds_while_the_pool_grows", || {
        let fixed = fill();
        // A timer whose signals this thread gets.
        // SAFETY: zeros are values of these structs; the handler uses what is async-signal-safe, states that are
        // `&'static`.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_RESTART;
            assert_eq!(libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()), 0);
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = libc::SIGALRM;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer = std::ptr::null_mut();
            assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer), 0);
            TIMER.store(timer, Ordering::Relaxed);
            set_timer();
        }
        let mut round = 0_u64;
        while HANDLED.load(Ordering::Relaxed) < 300 || round < 20 {
            let frames: Vec<Added> = (0..2 * BLOCK + 100).map(|_| bind()).collect();
            for frame in frames.iter().step_by(50) {
                // SAFETY: the frame lives.
                assert_eq!(unsafe { frame.as_fn()(round) }, 7 + round);
            }
            round += 1;
        }
        // SAFETY: a signal that is ignored harms nobody.
        unsafe { libc::signal(libc::SIGALRM, libc::SIG_IGN) };
        assert_eq!(WRONG.load(Ordering::Relaxed), 0);
        assert_eq!(Pool::shared().stats().bound, fixed.len());
    });
}
