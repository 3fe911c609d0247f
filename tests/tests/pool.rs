//! Slots: who gets which, how many there are, what they cost, and what becomes of the states.
#![allow(missing_docs, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::any::Any;
use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use cbframe::{Frame, Pool, PoolFull, bind_static, cbframe, pool, resolve};
use cbframe_tests::system;

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations<T>(f: impl FnOnce() -> T) -> (T, u64) {
    let before = ALLOCATIONS.get();
    let result = f();
    (result, ALLOCATIONS.get() - before)
}

#[test]
fn a_full_pool_says_so_and_gives_the_state_back() {
    pool!(static SMALL: 3);
    #[allow(clippy::ptr_arg, reason = "the state's type")]
    #[cbframe(abi = "C", pool = SMALL)]
    fn get(#[state] s: &String) -> usize {
        s.len()
    }
    let frames: Vec<_> = (0..3).map(|i| get::bind("x".repeat(i)).expect("a free slot")).collect();
    let state = "given back".to_owned();
    let address = state.as_ptr();
    let full = get::bind(state).expect_err("no slot is free");
    let text = full.to_string();
    assert!(text.contains("SMALL") && text.contains("all 3 slots"), "{text}");
    assert!(!text.contains("CBFRAME_SLOTS"), "that is about the shared pool: {text}");
    assert!(std::ptr::eq(full.pool(), &SMALL));
    assert!(format!("{full:?}").contains("SMALL"));
    let back = full.into_state();
    assert_eq!(back.as_ptr(), address, "the same string");
    // Boxes, counts and references come back too.
    let arc = Arc::new(String::new());
    let back: Arc<String> = get::bind(arc.clone()).expect_err("full").into_state();
    assert_eq!(Arc::strong_count(&arc), 2);
    drop(back);
    let boxed = Box::new(String::new());
    let address = &raw const *boxed;
    let back = get::bind(boxed).expect_err("full").into_state();
    assert_eq!(&raw const *back, address);
    assert_eq!(SMALL.stats().bound, 3, "a failure takes nothing");
    for (i, frame) in frames.iter().enumerate() {
        // SAFETY: the frame lives.
        assert_eq!(unsafe { frame.as_fn()() }, i);
    }
    let leaked: Result<_, PoolFull<&'static String>> = get::leak(Box::leak(Box::default()));
    assert!(leaked.is_err());
    drop(frames);
    assert!(get::bind(String::new()).is_ok());
}

/// The three callbacks that hold the most, among more of them than are counted at once.
#[test]
fn a_full_pool_says_who_holds_its_slots() {
    pool!(static HELD: 40 + 21 + 13 + 8);
    macro_rules! callbacks {
        ($($name:ident)*) => {{
            $(
                #[cbframe(abi = "C", pool = HELD)]
                fn $name(#[state] _s: &u32) {}
            )*
            [$(|| -> Box<dyn Any> { Box::new($name::bind(1).expect("free")) }),*]
        }};
    }
    let (most, line) = (callbacks!(most second third), line!());
    let single =
        callbacks!(a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff gg hh ii jj kk ll mm nn);
    let mut frames = Vec::new();
    // In turns, the single ones between them.
    for (turn, bind) in single.iter().enumerate() {
        frames.push(bind());
        frames.extend([21, 13, 8].iter().zip(most).filter(|(slots, _)| turn < **slots).map(|(_, bind)| bind()));
    }
    #[cbframe(abi = "C", pool = HELD)]
    fn late(#[state] _s: &u32) {}
    let text = late::bind(1).expect_err("full").to_string();
    let mut rest = &text[..];
    for holder in [", 21 by `pool::most`", "; 13 by `pool::second`", "; 8 by `pool::third`"] {
        let place = format!("{holder}, one of them at {}:{line}:", file!());
        let at = rest.find(&place).unwrap_or_else(|| panic!("`{place}` in {text}"));
        rest = &rest[at + place.len()..];
    }
    assert!(!rest.contains(" by `") && !text.contains("grow"), "{text}");
    // Who gives slots back is not named any more.
    frames.truncate(1);
    let rest: Vec<_> = (1..HELD.capacity()).map(|_| late::bind(1).expect("free")).collect();
    let text = late::bind(1).expect_err("full").to_string();
    let holders = (text.matches(" by `").count(), text.contains(&format!(", {} by `pool::late`", rest.len())));
    assert!(holders == (2, true) && text.contains("; 1 by `pool::a`"), "{text}");
}

#[test]
fn a_freed_slot_rests_until_no_other_is_left() {
    // Three words of the map, the last of them not full.
    const SLOTS: usize = 70;
    pool!(static RESTING: SLOTS);
    #[cbframe(abi = "C", pool = RESTING)]
    fn get(#[state] s: &u32) -> u32 {
        *s
    }
    let mut seen = HashSet::new();
    for round in 1..=SLOTS {
        let frame = get::bind(1).expect("a free slot");
        assert!(seen.insert(frame.as_ptr()), "slot {} is used again in round {round}", frame.resolved().index());
        drop(frame);
        assert_eq!(RESTING.stats().retired, round);
    }
    // One address after the other, 16 bytes apart.
    let mut sorted: Vec<_> = seen.iter().map(|address| address.addr()).collect();
    sorted.sort_unstable();
    assert!(sorted.iter().all(|address| address.is_multiple_of(16)));
    assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] == 16));
    // Now all of them, each once.
    let mut again = HashSet::new();
    let frames: Vec<_> = (0..SLOTS).map(|_| get::bind(2).expect("a free slot")).collect();
    for frame in &frames {
        assert!(seen.contains(&frame.as_ptr()) && again.insert(frame.as_ptr()));
    }
    assert!(get::bind(3).is_err());
    assert_eq!((RESTING.stats().bound, RESTING.stats().retired, RESTING.capacity()), (SLOTS, 0, SLOTS));
}

/// Eight threads that together never hold more frames than there are slots: no `bind` may fail, no slot may have
/// two owners, and every call must find the state that its own frame was bound to.
#[test]
fn eight_threads_bind_call_and_free() {
    const THREADS: usize = 8;
    const HELD: usize = 5;
    // Wine has one lock around its heap, and under an emulator a million take minutes.
    const OPERATIONS: usize =
        if cfg!(all(target_arch = "x86_64", target_os = "linux")) { 1_000_000 } else { 100_000 } / THREADS;
    pool!(static CONTENDED: THREADS * HELD);
    #[cbframe(abi = "C", pool = CONTENDED)]
    fn get(#[state] s: &(u64, u64), x: u64) -> u64 {
        assert_eq!(s.0, !s.1);
        s.0 ^ x
    }
    #[cbframe(abi = "C", pool = CONTENDED)]
    fn count(#[state] s: &mut (u64, u64), x: u64) -> u64 {
        assert_eq!(s.0, !s.1);
        s.0 ^ x
    }
    static OWNERS: [AtomicU32; THREADS * HELD] = [const { AtomicU32::new(0) }; THREADS * HELD];
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS as u64 {
            let start = &start;
            scope.spawn(move || {
                enum Either<'a> {
                    Shared(Frame<'a, unsafe extern "C" fn(u64) -> u64, get>),
                    Exclusive(Frame<'a, unsafe extern "C" fn(u64) -> u64, count>),
                }
                let mut held: Vec<(usize, u64, Either<'_>)> = Vec::new();
                let mut random = thread * 2 + 1;
                start.wait();
                for operation in 0..OPERATIONS as u64 {
                    random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                    let choice = (random >> 33) as usize;
                    if held.len() == HELD || choice.is_multiple_of(3) && !held.is_empty() {
                        let (index, _, frame) = held.swap_remove(choice % held.len());
                        let owner = OWNERS[index].swap(0, Ordering::Relaxed);
                        assert_eq!(owner, thread as u32 + 1, "slot {index} has another owner");
                        drop(frame);
                    } else {
                        let key = thread << 32 | operation;
                        let frame = if choice.is_multiple_of(2) {
                            Either::Shared(get::bind((key, !key)).expect("fewer are bound than there are"))
                        } else {
                            Either::Exclusive(count::bind((key, !key)).expect("fewer are bound than there are"))
                        };
                        let resolved = match &frame {
                            Either::Shared(frame) => frame.resolved(),
                            Either::Exclusive(frame) => frame.resolved(),
                        };
                        let owner = OWNERS[resolved.index()].swap(thread as u32 + 1, Ordering::Relaxed);
                        assert_eq!(owner, 0, "slot {} is given twice", resolved.index());
                        held.push((resolved.index(), key, frame));
                    }
                    for (_, key, frame) in &held {
                        let f = match frame {
                            Either::Shared(frame) => frame.as_fn(),
                            Either::Exclusive(frame) => frame.as_fn(),
                        };
                        // SAFETY: the frame lives.
                        assert_eq!(unsafe { f(operation) }, key ^ operation, "the state of another frame");
                    }
                }
                for (index, ..) in held {
                    OWNERS[index].store(0, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(CONTENDED.stats().bound, 0, "a slot was lost");
    let mut seen = HashSet::new();
    let frames: Vec<_> = (0..THREADS * HELD).map(|_| get::bind((0, !0)).expect("all are free")).collect();
    assert!(frames.iter().all(|frame| seen.insert(frame.as_ptr())), "a slot was given twice");
    assert!(get::bind((0, !0)).is_err());
}

/// The extreme case: one slot each, all taken and freed at once.
#[test]
fn a_bind_fails_only_if_all_are_bound() {
    const THREADS: usize = 8;
    pool!(static EXACT: 33);
    #[cbframe(abi = "C", pool = EXACT)]
    fn get(#[state] s: &u64) -> u64 {
        *s
    }
    static STATE: u64 = 4;
    // Of 33 slots 25 stay bound, so 8 are left for 8 threads, in two words of the map.
    let kept: Vec<_> = (0..33 - THREADS).map(|_| get::bind(&STATE).expect("free")).collect();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    drop(get::bind(&STATE).expect("at most 33 are bound"));
                }
            });
        }
    });
    assert_eq!(EXACT.stats().bound, kept.len());
}

#[test]
fn addresses_are_resolved() {
    pool!(static KNOWN: 40);
    pool!(static UNUSED: 4);
    #[cbframe(abi = "C", pool = KNOWN)]
    fn first(#[state] _s: &u32, _a: i32, _b: f64) -> u64 {
        1
    }
    #[cbframe(abi = "efiapi", pool = KNOWN)]
    fn second(#[state] _s: &u32) {}
    assert_eq!(KNOWN.live().count(), 0);
    let (a, line) = (first::bind(1).expect("free"), line!());
    let b = second::bind(2).expect("free");
    let found = resolve(a.as_ptr()).expect("bound");
    assert_eq!((found.name(), found.is_bound(), found.index()), ("pool::first", true, 0));
    assert_eq!((found.bound_at().file(), found.bound_at().line()), (file!(), line));
    assert!(std::ptr::eq(found.pool(), &KNOWN) && found.address() == a.as_ptr());
    assert_eq!(found.layout().map(ToString::to_string), Some(first::LAYOUT.to_string()));
    assert_eq!(resolve(a.as_fn() as *const ()).expect("the same").index(), 0);

    let name_and_index = |resolved: cbframe::Resolved| (resolved.name(), resolved.index());
    let live: Vec<_> = KNOWN.live().map(name_and_index).collect();
    assert_eq!(live, [("pool::first", 0), ("pool::second", 1)]);
    let stats = KNOWN.stats();
    assert_eq!((stats.capacity, stats.bound, stats.retired), (40, 2, 0));

    let address = a.as_ptr();
    drop(a);
    let found = resolve(address).expect("it is remembered");
    assert_eq!((found.name(), found.is_bound()), ("pool::first", false));
    assert_eq!(KNOWN.live().map(name_and_index).collect::<Vec<_>>(), [("pool::second", 1)]);
    assert_eq!((KNOWN.stats().bound, KNOWN.stats().retired), (1, 1));

    let inside = |offset: usize| resolve(b.as_ptr().wrapping_byte_add(offset));
    for offset in [1, 2, 4, 8, 15] {
        assert!(inside(offset).is_none(), "no stub begins {offset} bytes behind one");
    }
    assert!(inside(16).is_none(), "never bound");
    assert!(inside(16 * 38).is_none(), "the last slot, never bound");
    // Another pool may begin right there.
    let outside = |offset| inside(offset).is_none_or(|found| !std::ptr::eq(found.pool(), &KNOWN));
    assert!(outside(16 * 39), "behind the pool");
    assert!(outside(usize::MAX - 31), "before the pool");
    let foreign: [*const (); 5] = [
        std::ptr::null(),
        usize::MAX as *const (),
        16 as *const (),
        libc::malloc as *const (),
        (&raw const COUNTING).cast(),
    ];
    assert!(foreign.into_iter().all(|address| resolve(address).is_none()));
    assert_eq!(UNUSED.stats().bound, 0);
    let text = format!("{:?} {:?}", b.resolved(), &KNOWN);
    assert!(text.contains("pool::second") && text.contains("KNOWN"), "{text}");

    // A fixed stub is in no pool.
    static STATE: u32 = 1;
    let fixed: extern "efiapi" fn() = bind_static!(second, STATE);
    assert!(resolve(fixed as *const ()).is_none());
}

#[test]
fn leaked_callbacks_stay() {
    pool!(static LEAKED: 2);
    #[cbframe(abi = "C", pool = LEAKED)]
    fn get(#[state] s: &u64, x: u64) -> u64 {
        s + x
    }
    let f: extern "C" fn(u64) -> u64 = get::leak(40).expect("free");
    let g: unsafe extern "C" fn(u64) -> u64 = get::bind(50).expect("free").leak();
    assert!(get::bind(1).is_err());
    assert_eq!(f(2), 42);
    // SAFETY: leaked.
    assert_eq!(unsafe { g(2) }, 52);
    assert_eq!((LEAKED.stats().bound, LEAKED.live().count()), (2, 2));
}

#[test]
fn states_are_dropped_exactly_once() {
    static DROPS: AtomicU32 = AtomicU32::new(0);
    struct Counted(#[expect(dead_code, reason = "so that it has a size")] u64);
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::Relaxed);
        }
    }
    struct Empty;
    impl Drop for Empty {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::Relaxed);
        }
    }
    #[cbframe(abi = "C")]
    fn shared(#[state] _s: &Counted) {}
    #[cbframe(abi = "C")]
    fn exclusive(#[state] _s: &mut Counted) {}
    #[cbframe(abi = "C")]
    fn empty(#[state] _s: &Empty) {}
    #[cbframe(abi = "C")]
    fn unit(#[state] _s: &()) -> i32 {
        8
    }
    let drops = || DROPS.swap(0, Ordering::Relaxed);

    drop(shared::bind(Counted(1)));
    assert_eq!(drops(), 1, "owned");
    drop(shared::bind(Box::new(Counted(1))));
    assert_eq!(drops(), 1, "boxed");
    shared::bind(Counted(1)).expect("free").free();
    assert_eq!(drops(), 1, "by free");
    drop(exclusive::bind(Counted(1)));
    exclusive::bind(Box::new(Counted(1))).expect("free").free();
    assert_eq!(drops(), 2, "exclusive");
    let (one, mut two) = (Counted(1), Counted(2));
    drop(shared::bind(&one));
    drop(exclusive::bind(&mut two));
    assert_eq!(drops(), 0, "borrowed");
    drop((one, two));
    assert_eq!(drops(), 2);

    let arc = Arc::new(Counted(1));
    let frames: Vec<_> = (0..3).map(|_| shared::bind(arc.clone()).expect("free")).collect();
    assert_eq!(Arc::strong_count(&arc), 4);
    drop(frames);
    assert_eq!((Arc::strong_count(&arc), drops()), (1, 0));
    let frame = shared::bind(arc).expect("free");
    assert_eq!(drops(), 0);
    drop(frame);
    assert_eq!(drops(), 1, "the last count is the frame's");

    let frame = empty::bind(Empty).expect("free");
    // SAFETY: the frame lives.
    unsafe { frame.as_fn()() };
    drop(frame);
    assert_eq!(drops(), 1, "a state without bytes");
    let frame = unit::bind(()).expect("free");
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()() }, 8);

    let _: extern "C" fn() = shared::leak(Counted(1)).expect("free");
    assert_eq!(drops(), 0, "leaked");
}

#[test]
fn frames_go_from_thread_to_thread() {
    #[cbframe(abi = "C")]
    fn get(#[state] s: &AtomicU64, x: u64) -> u64 {
        s.fetch_add(x, Ordering::Relaxed) + x
    }
    #[cbframe(abi = "C")]
    fn add(#[state] s: &mut Cell<u64>, x: u64) -> u64 {
        s.set(s.get() + x);
        s.get()
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    // A `Cell` is `Send`, not `Sync`.
    let frames = is_send((get::bind(AtomicU64::new(1)).expect("free"), add::bind(Cell::new(10)).expect("free")));
    let (frames, found) = std::thread::spawn(move || {
        // SAFETY: the frames live.
        let found = unsafe { (frames.0.as_fn()(5), frames.1.as_fn()(5)) };
        (frames, found)
    })
    .join()
    .expect("no panic");
    assert_eq!(found, (6, 15));
    // SAFETY: the frames live.
    assert_eq!(unsafe { (frames.0.as_fn()(1), frames.1.as_fn()(1)) }, (7, 16));
}

#[test]
fn what_needs_no_allocation_has_none() {
    #[cbframe(abi = "C")]
    fn stateless(x: u64) -> u64 {
        x + 1
    }
    #[cbframe(abi = "C")]
    fn shared(#[state] s: &u64, x: u64) -> u64 {
        s + x
    }
    #[cbframe(abi = "C")]
    fn exclusive(#[state] s: &mut u64, x: u64) -> u64 {
        *s += x;
        *s
    }
    #[cbframe(abi = "C", entry = "captured")]
    fn captured(#[state] s: &u64, x: u64) -> u64 {
        s + x
    }
    static STATE: u64 = 100;
    assert_eq!(allocations(|| stateless::FN(1)), (2, 0));
    assert_eq!(allocations(|| bind_static!(shared, STATE)(1)), (101, 0));
    let all = allocations(|| {
        let frame = shared::bind(&STATE).expect("free");
        // SAFETY: the frame lives.
        let result = unsafe { frame.as_fn()(2) };
        frame.free();
        result
    });
    assert_eq!(all, (102, 0), "bind, call and free of a `&'static` state");
    let mut state = 7;
    let all = allocations(|| {
        let frame = exclusive::bind(&mut state).expect("free");
        // SAFETY: the frame lives.
        unsafe { frame.as_fn()(2) }
    });
    assert_eq!(all, (9, 0), "bind, call and drop of a `&mut` state");
    let arc = Arc::new(5);
    let all = allocations(|| {
        let frame = captured::bind(arc.clone()).expect("free");
        // SAFETY: the frame lives.
        unsafe { frame.as_fn()(2) }
    });
    assert_eq!(all, (7, 0), "bind, call and drop of an `Arc`");
    let (frame, once) = allocations(|| shared::bind(3).expect("free"));
    assert_eq!(once, 1, "an owned state is boxed");
    // SAFETY: the frame lives.
    assert_eq!(allocations(|| unsafe { frame.as_fn()(4) }), (7, 0));
    assert_eq!(allocations(|| resolve(frame.as_ptr()).is_some()), (true, 0));
}

#[test]
fn a_slot_is_as_small_as_promised() {
    pool!(static SIZED: 8);
    #[cbframe(abi = "C", pool = SIZED)]
    fn get(#[state] _s: &u64) {}
    // 16 bytes of code: by the addresses; 16 of data and five words of diagnostics.
    let (a, b) = (get::bind(1).expect("free"), get::bind(1).expect("free"));
    assert_eq!(b.as_ptr().addr() - a.as_ptr().addr(), 16);
    assert_eq!(
        (size_of::<cbframe::private::Slot>(), size_of::<cbframe::private::Record>()),
        (16, 5 * size_of::<usize>())
    );
}

#[test]
fn the_shared_pool_has_the_promised_size() {
    if option_env!("CBFRAME_SLOTS").is_none() {
        assert_eq!(Pool::shared().capacity(), 1024);
    }
    assert!(Pool::shared().name().starts_with("cbframe::"));
}

/// A program that is built with `CBFRAME_SLOTS`.
#[test]
fn the_size_of_the_shared_pool_is_chosen_at_build_time() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("slots-{}", std::process::id()));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    std::fs::create_dir_all(dir.join("src")).expect("a folder");
    let manifest = format!(
        "[package]\nname = \"slots\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\ncbframe = \
         {{ path = \"{}/cbframe\" }}\n",
        root.display()
    );
    std::fs::write(dir.join("Cargo.toml"), manifest).expect("written");
    let program = r#"
        #[cbframe::cbframe(abi = "C")]
        fn get(#[state] s: &u32) -> u32 { *s }
        fn main() {
            let _frames = (0..3).map(|i| get::bind(i).expect("free")).collect::<Vec<_>>();
            println!("{}", cbframe::Pool::shared().capacity());
            match get::bind(3) {
                Ok(_one_more) => println!("{}", cbframe::Pool::shared().capacity()),
                Err(full) => println!("{full}"),
            }
        }
    "#;
    std::fs::write(dir.join("src/main.rs"), program).expect("written");
    // The same versions of the same packages: nothing needs to be fetched.
    std::fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock")).expect("copied");
    let run = |slots: &str| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--offline", "--jobs", "2"]).args(system::TARGET).current_dir(&dir);
        command.env("CBFRAME_SLOTS", slots).env("CARGO_TARGET_DIR", dir.join("target")).env_remove("RUSTFLAGS");
        system::tool(&mut command).expect("cargo runs")
    };
    let output = run("3");
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if system::POOLS_GROW {
        assert_eq!(text, format!("3\n{}\n", 3 + if cfg!(target_arch = "x86") { 4094 } else { 4096 }), "{errors}");
    } else {
        let full = "3\nthe callback pool cbframe::pool::SHARED is full: all 3 slots are bound, 3 by `slots::get`";
        assert!(text.starts_with(full), "{text}{errors}");
        assert!(text.contains(". It cannot grow, because Windows maps no part of a program's file once more. Drop"));
    }
    for wrong in ["0", "many", "1048577", "-1"] {
        let output = run(wrong);
        let errors = String::from_utf8_lossy(&output.stderr);
        let expected = "the environment variable CBFRAME_SLOTS must be a number from 1 to 1048576";
        assert!(!output.status.success() && errors.contains(expected), "{wrong}: {errors}");
    }
    std::fs::remove_dir_all(dir).expect("removed");
}
