//! `fork`: the child has a copy of every frame, and neither process sees what the other does with its own.
// Windows has no `fork`.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use cbframe::{CpuState, Pool, bind_static, cbframe, pool, resolve};
use cbframe_tests::child;

/// How a process ended: its exit status, or the signal that killed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Code(i32),
    Signal(i32),
}

/// Runs `body` in a forked process and waits for its end: `Code(0)` unless it panics.
///
/// If it hangs, as it would if it waited for a thread that exists in the parent only, `SIGALRM` ends it.
fn fork(body: impl FnOnce()) -> End {
    // SAFETY: the child runs `body` and ends. Other threads hold no lock of the standard library's that `body` takes:
    // in these tests they only bind, call and free, and the allocator of glibc can be used in the child.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: takes no pointers.
            unsafe { libc::alarm(30) };
            let result = catch_unwind(AssertUnwindSafe(body));
            // SAFETY: ends the process, without what is to be done once at the end of the test.
            unsafe { libc::_exit(result.is_err().into()) }
        }
        process => wait(process),
    }
}

fn wait(process: libc::pid_t) -> End {
    let mut status = 0;
    // SAFETY: `status` is writable.
    assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
    if libc::WIFSIGNALED(status) { End::Signal(libc::WTERMSIG(status)) } else { End::Code(libc::WEXITSTATUS(status)) }
}

/// Runs `body` in a child that has no other tests' threads, and `check` on how it ended.
fn alone(test: &str, body: impl FnOnce(), check: impl FnOnce(&child::Ended)) {
    if child::case().is_some() {
        body();
        println!("\ndone=yes");
    } else {
        let ended = child::run(test, "run");
        assert_eq!((ended.code, ended.value("done")), (Some(0), "yes"), "{ended:#?}");
        check(&ended);
    }
}

static COUNT: AtomicU64 = AtomicU64::new(0);

#[cbframe(abi = "C")]
fn count(#[state] calls: &AtomicU64, by: u64) -> u64 {
    calls.fetch_add(by, Ordering::Relaxed) + by
}

#[cfg_attr(target_arch = "x86_64", cbframe(abi = "win64", entry = "captured"))]
#[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C", entry = "captured"))]
fn count_captured(#[state] calls: &AtomicU64, by: u64) -> u64 {
    calls.fetch_add(by, Ordering::Relaxed) + by
}

#[cbframe(abi = "raw")]
fn count_raw(#[state] calls: &AtomicU64, cpu: &mut CpuState) {
    #[cfg(target_arch = "x86_64")]
    {
        cpu.rax = calls.fetch_add(cpu.rdi, Ordering::Relaxed) + cpu.rdi;
    }
    #[cfg(target_arch = "x86")]
    {
        // SAFETY: the caller has passed two words.
        let (low, high) = unsafe { (cpu.stack_word(1).u32(), cpu.stack_word(2).u32()) };
        let by = u64::from(low) | u64::from(high) << 32;
        let sum = calls.fetch_add(by, Ordering::Relaxed) + by;
        (cpu.eax, cpu.edx) = (sum as u32, (sum >> 32) as u32);
    }
    #[cfg(target_arch = "aarch64")]
    {
        cpu.x[0] += calls.fetch_add(cpu.x[0], Ordering::Relaxed);
    }
    #[cfg(target_arch = "riscv64")]
    {
        cpu.x[10] += calls.fetch_add(cpu.x[10], Ordering::Relaxed);
    }
}

#[cbframe(abi = "C")]
fn sum(#[state] sum: &mut u64, by: u64) -> u64 {
    *sum += by;
    *sum
}

type Count = unsafe extern "C" fn(u64) -> u64;

#[test]
fn frames_on_either_side() {
    let body = || {
        let shared = count::bind(AtomicU64::new(10)).expect("a slot");
        let captured = count_captured::bind(Box::new(AtomicU64::new(20))).expect("a slot");
        let raw = count_raw::bind(Arc::new(AtomicU64::new(30))).expect("a slot");
        let exclusive = sum::bind(40).expect("a slot");
        let leaked = count::leak(AtomicU64::new(50)).expect("a slot");
        let hook = bind_static!(count, COUNT);
        COUNT.store(60, Ordering::Relaxed);
        // SAFETY: the frames live wherever it is called.
        let call = |by| unsafe {
            let frames = [shared.as_fn()(by), captured.as_fn()(by), raw.as_fn_of::<Count>()(by), exclusive.as_fn()(by)];
            (frames, leaked(by), hook(by))
        };
        let calls = |by: u64| ([10 + by, 20 + by, 30 + by, 40 + by], 50 + by, 60 + by);
        assert_eq!(call(1), calls(1));
        let bound = Pool::shared().stats().bound;

        let end = fork(|| {
            assert_eq!(call(2), calls(3), "the child begins where the parent was");
            assert_eq!(call(4), calls(7));
            assert_eq!(Pool::shared().stats().bound, bound);
            let name = resolve(shared.as_ptr()).expect("it is bound").name();
            assert!(name.ends_with("fork::count"), "{name}");
        });
        assert_eq!(end, End::Code(0));
        assert_eq!(call(2), calls(3), "the parent has not seen the child's calls");
        assert_eq!(Pool::shared().stats().bound, bound);
    };
    alone("frames_on_either_side", body, |_| ());
}

#[test]
fn a_child_frees_and_binds() {
    let body = || {
        let mut slot = Some(sum::bind(1).expect("a slot"));
        let (address, function) = slot.as_ref().map(|frame| (frame.as_ptr(), frame.as_fn())).expect("it is there");
        let before = Pool::shared().stats();

        let end = fork(|| {
            drop(slot.take());
            assert!(!resolve(address).expect("it was bound").is_bound());
            assert_eq!(Pool::shared().stats().bound, before.bound - 1);
            // A call is stale here.
            let stale = fork(|| {
                // SAFETY: nothing is bound at this address: defined to abort.
                unsafe { function(1) };
            });
            assert_eq!(stale, End::Signal(libc::SIGABRT));
            // As many as the parent could, and the one that was freed.
            let frames: Vec<_> =
                (0..before.capacity - before.bound + 1).map(|i| sum::bind(i as u64).expect("a slot")).collect();
            for (i, frame) in frames.iter().enumerate() {
                // SAFETY: the frame lives.
                assert_eq!(unsafe { frame.as_fn()(5) }, i as u64 + 5);
            }
        });
        assert_eq!(end, End::Code(0));

        assert_eq!(Pool::shared().stats(), before, "the child's frames are its own");
        assert!(resolve(address).expect("it is bound").is_bound());
        // SAFETY: the frame lives here.
        assert_eq!(unsafe { function(1) }, 2);
    };
    alone("a_child_frees_and_binds", body, |ended| {
        let message = "a call to `fork::sum`, which is not bound any more";
        assert!(ended.stderr.contains(message), "{ended:#?}");
    });
}

/// What the callback that forks was told by `fork`.
#[cbframe(abi = "C")]
fn forks(#[state] calls: &mut u32) -> i32 {
    *calls += 1;
    // SAFETY: both processes go on: there are no other threads.
    if *calls == 1 { unsafe { libc::fork() } } else { 0 }
}

#[test]
fn fork_within_a_callback() {
    let body = || {
        let mut calls = 0;
        let frame = forks::bind(&mut calls).expect("a slot");
        // SAFETY: the frame lives.
        let process = unsafe { frame.as_fn()() };
        if process == 0 {
            // The call has ended here too, and so has its use of the state.
            // SAFETY: as above.
            let again = catch_unwind(AssertUnwindSafe(|| assert_eq!(unsafe { frame.as_fn()() }, 0)));
            drop(frame);
            // SAFETY: ends the process.
            unsafe { libc::_exit(if again.is_ok() && calls == 2 { 0 } else { 1 }) };
        }
        assert_eq!(wait(process), End::Code(0));
        // SAFETY: as above.
        assert_eq!(unsafe { frame.as_fn()() }, 0);
        drop(frame);
        assert_eq!(calls, 2);
    };
    alone("fork_within_a_callback", body, |_| ());
}

/// Two threads meet when a call has begun, and again before it ends.
#[cbframe(abi = "C")]
fn meets(#[state] state: &mut (Arc<Barrier>, u32)) {
    state.0.wait();
    state.1 += 1;
    state.0.wait();
}

#[test]
fn a_state_that_another_thread_holds() {
    let body = || {
        let barrier = Arc::new(Barrier::new(2));
        let mut frame = Some(meets::bind((Arc::clone(&barrier), 0)).expect("a slot"));
        let function = frame.as_ref().expect("it is there").as_fn();
        std::thread::scope(|scope| {
            // SAFETY: the frame lives until the thread has ended.
            scope.spawn(move || unsafe { function() });
            barrier.wait();
            // The thread is within its call, which in the child will never end.
            // SAFETY: the frame lives in the child, which has a copy.
            let called = fork(|| unsafe { function() });
            assert_eq!(called, End::Signal(libc::SIGABRT));
            // But the child may free it, and bind it anew.
            let freed = fork(|| {
                drop(frame.take());
                let own = sum::bind(1).expect("a slot");
                // SAFETY: the frame lives.
                assert_eq!(unsafe { own.as_fn()(1) }, 2);
            });
            assert_eq!(freed, End::Code(0));
            barrier.wait();
        });
    };
    alone("a_state_that_another_thread_holds", body, |ended| {
        let message = "`fork::meets` was called while another call of it was still running";
        assert!(ended.stderr.contains(message), "{ended:#?}");
    });
}

pool!(static CROWDED: 40);

#[cbframe(abi = "C", pool = CROWDED)]
fn crowded(#[state] count: &AtomicU64, by: u64) -> u64 {
    count.load(Ordering::Relaxed) + by
}

#[test]
fn fork_while_others_bind() {
    const THREADS: usize = 3;
    const HELD: usize = 4;
    const FORKS: usize = 300;
    let body = || {
        static ENOUGH: AtomicBool = AtomicBool::new(false);
        static BINDS: AtomicU64 = AtomicU64::new(0);
        COUNT.store(1000, Ordering::Relaxed);
        let own = crowded::bind(&COUNT).expect("a slot");
        let work = || {
            while !ENOUGH.load(Ordering::Relaxed) {
                let frames: [_; HELD] = std::array::from_fn(|_| crowded::bind(&COUNT).expect("a slot"));
                for (by, frame) in (0..).zip(&frames) {
                    // SAFETY: the frame lives.
                    assert_eq!(unsafe { frame.as_fn()(by) }, 1000 + by);
                }
                BINDS.fetch_add(HELD as u64, Ordering::Relaxed);
            }
        };
        /// Ends the threads, also if the test fails.
        struct Enough;
        impl Drop for Enough {
            fn drop(&mut self) {
                ENOUGH.store(true, Ordering::Relaxed);
            }
        }
        std::thread::scope(|scope| {
            let _enough = Enough;
            for _ in 0..THREADS {
                scope.spawn(work);
            }
            // What was bound when a process was forked, by the number of slots.
            let mut found = [0; 1 + THREADS * HELD + 1];
            for _ in 0..FORKS {
                let binds = BINDS.load(Ordering::Relaxed);
                while BINDS.load(Ordering::Relaxed) == binds {
                    std::thread::yield_now();
                }
                let end = fork(|| {
                    let bound = CROWDED.stats().bound;
                    assert!((1..=1 + THREADS * HELD).contains(&bound), "{bound} slots are taken");
                    // SAFETY: the frame lives, here as there.
                    assert_eq!(unsafe { own.as_fn()(1) }, 1001);
                    // What other threads held at this moment stays taken; all the rest can be bound, and no slot twice.
                    let frames: Vec<_> =
                        (bound..CROWDED.capacity()).map(|_| crowded::bind(&COUNT).expect("a slot")).collect();
                    assert!(crowded::bind(&COUNT).is_err());
                    let mut addresses: Vec<_> = frames.iter().map(|frame| frame.as_ptr().addr()).collect();
                    addresses.push(own.as_ptr().addr());
                    addresses.sort_unstable();
                    assert!(addresses.windows(2).all(|pair| pair[0] != pair[1]));
                    for (by, frame) in (0..).zip(&frames) {
                        // SAFETY: the frame lives.
                        assert_eq!(unsafe { frame.as_fn()(by) }, 1000 + by);
                    }
                    drop(frames);
                    assert_eq!(CROWDED.stats().bound, bound);
                    // SAFETY: ends the process, which tells what it found.
                    unsafe { libc::_exit(100 + bound as i32) };
                });
                let End::Code(code @ 100..) = end else { panic!("a forked process ended with {end:?}") };
                found[code as usize - 100] += 1;
            }
            println!("\nfound={found:?}");
            assert!(found[2..].iter().sum::<i32>() > 0, "no process was forked while another thread held a slot");
        });
        assert_eq!(CROWDED.stats().bound, 1);
    };
    alone("fork_while_others_bind", body, |ended| println!("processes by slots taken: {}", ended.value("found")));
}
