//! A million at once: that they are right, what they take, and what one more costs.

use std::time::{Duration, Instant};

use cbframe::{Pool, resolve};
use cbframe_tests::ban::Ban;
use cbframe_tests::child;

use super::{Added, BLOCK, SEVEN, add, bind, built_with, ended_well, maps, permissions, private};

const MILLION: u64 = 1_000_000;

/// Under each ban that leaves mappings of files alone.
#[test]
#[cfg_attr(any(target_arch = "aarch64", target_arch = "riscv64"), ignore = "the emulator counts memory of its own")]
fn a_million_live_callbacks_each_with_its_state() {
    let bans = [Ban::WriteExecute, Ban::WriteExecuteFilter];
    if let Some(case) = child::case() {
        Ban::named(&case).expect("one of them").begin().expect("the kernel has it");
        let frames: Vec<Added> = (0..MILLION).map(|i| add::bind(i << 20).expect("the pool grows")).collect();
        for (i, frame) in (0..MILLION).zip(&frames) {
            // SAFETY: the frame lives.
            assert_eq!(unsafe { frame.as_fn()(i) }, i << 20 | i);
        }
        let pool = Pool::shared();
        let blocks = (frames.len() - built_with()).div_ceil(BLOCK);
        let stats = pool.stats();
        assert_eq!((stats.bound, stats.capacity), (frames.len(), built_with() + blocks * BLOCK));
        assert_eq!(pool.live().count(), frames.len());
        // Those that are asked for last are as well known as the first.
        for i in [0, 1, built_with(), frames.len() / 2, frames.len() - 1] {
            let found = resolve(frames[i].as_ptr()).expect("bound");
            assert_eq!((found.name(), found.is_bound(), found.index()), ("growth::add", true, i));
            assert_eq!(found.address(), frames[i].as_ptr());
            assert_eq!(permissions(frames[i].as_ptr()).as_deref(), Some("r-xp"));
        }
        assert!(!maps().iter().any(|line| line.contains("wx")), "memory is writable and executable");
        drop(frames);
        assert_eq!(pool.stats().bound, 0);
        println!("\nended=well");
        return;
    }
    for ban in bans {
        let ended = child::run("size::a_million_live_callbacks_each_with_its_state", ban.name());
        // A kernel before 6.3; the filter does the same.
        if ban == Ban::WriteExecute && ended.stderr.contains("the kernel has it: Os { code: 22") {
            println!("this kernel has no PR_SET_MDWE");
            continue;
        }
        ended_well(&ended);
    }
}

/// Slot, record and free map: private memory beside what the test itself holds, which is there before.
#[test]
fn a_binding_takes_less_than_64_bytes() {
    super::alone("size::a_binding_takes_less_than_64_bytes", || {
        let mut frames: Vec<Option<Added>> = (0..MILLION).map(|_| None).collect();
        let before = private();
        for frame in &mut frames {
            *frame = Some(bind());
        }
        let each = (private() - before) as f64 / MILLION as f64;
        println!("\neach={each:.1}");
        assert!(each < 64.0, "{each} bytes");
        // And it is given back.
        frames.fill_with(|| None);
        let left = (private() - before) as f64 / MILLION as f64;
        println!("\nleft={left:.1}");
        assert!(left < 4.0, "{left} bytes");
    });
}

/// The least time of many rounds, so that what else the machine does matters little.
fn least(mut run: impl FnMut()) -> Duration {
    let times = (0..50).map(|_| {
        let start = Instant::now();
        for _ in 0..500 {
            run();
        }
        start.elapsed()
    });
    times.min().expect("50 of them")
}

/// One bind and drop beside a `Box`, with ever more callbacks that live.
#[test]
#[cfg_attr(any(target_arch = "aarch64", target_arch = "riscv64"), ignore = "the emulator has times of its own")]
fn one_more_costs_the_same_at_any_size() {
    super::alone("size::one_more_costs_the_same_at_any_size", || {
        let mut frames: Vec<Added> = Vec::new();
        let mut few = None;
        for size in [0, built_with() - 1, built_with() + 5, MILLION as usize] {
            frames.extend((frames.len()..size).map(|_| bind()));
            let boxed = least(|| drop(std::hint::black_box(Box::new(std::hint::black_box(7_u64)))));
            let one = least(|| drop(add::bind(std::hint::black_box(&SEVEN)).expect("the pool grows")));
            let owned = least(|| drop(add::bind(std::hint::black_box(7)).expect("the pool grows")));
            let ratio = owned.as_secs_f64() / boxed.as_secs_f64();
            let nanoseconds = |time: Duration| time.as_secs_f64() * 1e9 / 500.0;
            println!(
                "\nat {size}: Box {:.1} ns, bind(&) {:.1} ns, bind {:.1} ns, {ratio:.2} x Box",
                nanoseconds(boxed),
                nanoseconds(one),
                nanoseconds(owned)
            );
            // What is proportional to a million would be a thousand times as much.
            let few = *few.get_or_insert(one);
            assert!(one < few * 8, "{one:?} at {size}, {few:?} at 0");
        }
        // One slot is free, in the last place where one looks.
        while Pool::shared().stats().bound < Pool::shared().capacity() {
            frames.push(bind());
        }
        drop(frames.swap_remove(frames.len() - 1));
        let one = least(|| drop(add::bind(std::hint::black_box(&SEVEN)).expect("one is free")));
        println!("\nwith one slot left: bind(&) {:.1} ns", one.as_secs_f64() * 1e9 / 500.0);
        assert!(one < few.expect("measured") * 8, "{one:?} with one slot left, {few:?} at 0");
    });
}
