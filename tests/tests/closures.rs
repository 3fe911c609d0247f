//! Closures as callbacks: every kind of frame for them, called by C. That arguments and results are right for every
//! type, convention and lane is tested with the generated signatures (`signatures.rs`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use cbframe::{Builder, Closure, CpuState, Frame, Local, Once, Pool, PoolFull, cbframe, frame, pool, resolve, scope};
use cbframe_tests::{child, system};

type Compare = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;
type Hook = unsafe extern "C" fn(c_int) -> c_int;

unsafe extern "C" {
    fn qsort(base: *mut c_void, n: usize, size: usize, compare: Compare);
    fn bsearch(key: *const c_void, base: *const c_void, n: usize, size: usize, compare: Compare) -> *const c_void;
}

/// Counts how often it was dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

impl Drops {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Something that counts when it is dropped.
    fn one(&self) -> impl Send + Sync + 'static + use<> {
        struct One(Drops);
        impl Drop for One {
            fn drop(&mut self) {
                self.0.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        One(self.clone())
    }
}

#[test]
fn libc_sorts_and_searches() {
    let by = BTreeMap::from([(3, "c"), (1, "z"), (2, "a")]);
    let mut keys = [1, 2, 3];
    let compare = Frame::<Compare>::new(|a, b| {
        // SAFETY: libc passes the addresses of two elements.
        let (a, b) = unsafe { (*a.cast::<i32>(), *b.cast::<i32>()) };
        by[&a].cmp(by[&b]) as c_int
    })
    .unwrap();
    // SAFETY: `keys` has three elements of four bytes.
    unsafe { qsort(keys.as_mut_ptr().cast(), 3, 4, compare.as_fn()) };
    assert_eq!(keys, [2, 3, 1]);

    let mut steps = 0;
    let compare = frame!(abi = "C", local, as = Compare, |a: &i32, b: &i32| -> c_int {
        steps += 1;
        by[a].cmp(by[b]) as c_int
    })
    .unwrap();
    // SAFETY: as above.
    let found = unsafe { bsearch((&raw const keys[2]).cast(), keys.as_ptr().cast(), 3, 4, compare.as_fn()) };
    assert_eq!(found, (&raw const keys[2]).cast());
    drop(compare);
    assert!((1..=3).contains(&steps));
}

/// Every kind of pointer type that a binding may declare.
#[test]
fn pointer_types() {
    macro_rules! with {
        ($($abi:literal)*) => { $({
            let base = 40;
            let frames: [*const (); 4] = [
                Frame::<extern $abi fn(i32) -> i32>::new(move |x| base + x).unwrap().into_raw(),
                Frame::<unsafe extern $abi fn(i32) -> i32>::new(move |x| base + x).unwrap().into_raw(),
                Frame::<Option<extern $abi fn(i32) -> i32>>::new(move |x| base + x).unwrap().into_raw(),
                Frame::<Option<unsafe extern $abi fn(i32) -> i32>>::new(move |x| base + x).unwrap().into_raw(),
            ];
            for address in frames {
                // SAFETY: as it was bound: all four frames have this pointer type, or an `Option` of it.
                let frame = unsafe { Frame::<unsafe extern $abi fn(i32) -> i32>::from_raw(address) };
                // SAFETY: the frame lives.
                assert_eq!(unsafe { frame.as_fn()(2) }, 42, $abi);
                assert_eq!(frame.as_ptr(), address);
            }
            let safe: extern $abi fn(i32) -> i32 = Frame::<extern $abi fn(i32) -> i32>::builder().leak(move |x| base - x).unwrap();
            assert_eq!(safe(1), 39);
        })* };
    }
    with! { "C" "C-unwind" "system" "system-unwind" "efiapi" }
    #[cfg(target_arch = "x86_64")]
    {
        with! { "sysv64" "sysv64-unwind" "win64" "win64-unwind" }
    }
    #[cfg(target_arch = "x86")]
    {
        with! { "cdecl" "cdecl-unwind" "stdcall" "stdcall-unwind" "fastcall" "fastcall-unwind" "thiscall" "thiscall-unwind" }
    }
}

/// The unsafe form is what the frame's type says.
#[test]
fn types_of_frames() {
    let _: Frame<'_, unsafe extern "C" fn()> = Frame::<extern "C" fn()>::new(|| ()).unwrap();
    let _: Frame<'_, Option<unsafe extern "C" fn()>, Closure> = Frame::<Option<extern "C" fn()>>::new(|| ()).unwrap();
    let _: Frame<'_, unsafe extern "C" fn(), Local> = Frame::<extern "C" fn()>::local(|| ()).unwrap();
    let _: Frame<'_, unsafe extern "C" fn(), Once> = Frame::<extern "C" fn()>::once(|| ()).unwrap();
    let _: Builder<extern "C" fn()> = Frame::builder();
    fn is_send<T: Send>(_: &T) {}
    let frame = Frame::<Hook>::new(|x| x).unwrap();
    is_send(&frame);
    let frame = Frame::<Hook>::once(|x| x).unwrap();
    is_send(&frame);
    // That a local frame is not `Send` is in ui-tests.
}

#[test]
fn a_closure_without_captures_takes_no_memory() {
    struct Counting;
    static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
    thread_local! { static COUNT: Cell<bool> = const { Cell::new(false) }; }
    // SAFETY: passes everything on.
    unsafe impl std::alloc::GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
            if COUNT.get() {
                ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            }
            // SAFETY: the caller's promise.
            unsafe { std::alloc::System.alloc(layout) }
        }
        unsafe fn dealloc(&self, at: *mut u8, layout: std::alloc::Layout) {
            // SAFETY: the caller's promise.
            unsafe { std::alloc::System.dealloc(at, layout) };
        }
    }
    #[global_allocator]
    static COUNTING: Counting = Counting;

    COUNT.set(true);
    let frame = Frame::<Hook>::new(|x| x + 1).unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(1) }, 2);
    drop(frame);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), 0);
    let y = 5;
    let frame = Frame::<Hook>::new(move |x| x + y).unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(1) }, 6);
    COUNT.set(false);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), 1);
}

#[test]
fn set_keeps_the_address_and_drops_the_old_closure() {
    let drops = Drops::default();
    let one = drops.one();
    let mut frame = Frame::<Hook>::new(move |x| {
        let _one = &one;
        x
    })
    .unwrap();
    let (pointer, address) = (frame.as_fn(), frame.as_ptr());
    assert!(resolve(address).unwrap().name().contains("set_keeps_the_address"));
    for factor in 1..10 {
        let one = drops.one();
        frame.set(move |x| {
            let _one = &one;
            x * factor
        });
        assert_eq!((frame.as_ptr(), drops.count()), (address, factor as usize));
        // SAFETY: the frame lives.
        assert_eq!(unsafe { pointer(7) }, 7 * factor);
    }
    Frame::<Hook>::builder().or(-1).set(&mut frame, |x| 100 / x);
    // SAFETY: the frame lives.
    assert_eq!(unsafe { (pointer(20), pointer(0)) }, (5, -1));
    drop(frame);
    assert_eq!(drops.count(), 10);
}

#[test]
fn local_closures_use_what_is_bound_to_their_thread() {
    let shared = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&shared);
    let mut calls = 0;
    let frame = Frame::<Hook>::local(move |x| {
        calls += 1;
        seen.borrow_mut().push(x);
        calls
    })
    .unwrap();
    for x in 0..5 {
        // SAFETY: the frame lives.
        assert_eq!(unsafe { frame.as_fn()(x) }, x + 1);
    }
    assert_eq!((Rc::strong_count(&shared), &*shared.borrow()), (2, &vec![0, 1, 2, 3, 4]));
    drop(frame);
    assert_eq!(Rc::strong_count(&shared), 1);
}

/// A closure that drops its own frame is dropped when it has returned.
#[test]
fn a_local_frame_may_be_dropped_by_its_own_call() {
    let drops = Drops::default();
    let slot = Rc::new(RefCell::new(None::<Frame<'static, Hook, Local>>));
    let (one, own, seen) = (drops.one(), Rc::clone(&slot), drops.clone());
    let frame = Frame::<Hook>::local(move |x| {
        drop(own.borrow_mut().take());
        let _one = &one;
        assert_eq!(seen.count(), 0);
        x + 1
    })
    .unwrap();
    let (pointer, address) = (frame.as_fn(), frame.as_ptr());
    *slot.borrow_mut() = Some(frame);
    // SAFETY: the frame lives when the call begins.
    assert_eq!(unsafe { pointer(1) }, 2);
    assert_eq!((drops.count(), Rc::strong_count(&slot)), (1, 1));
    assert!(!resolve(address).unwrap().is_bound());
}

#[test]
fn once_frees_its_slot_and_its_closure() {
    pool!(static ONE: 1);
    let drops = Drops::default();
    for kept in [true, false, true] {
        let one = drops.one();
        let before = drops.count();
        let frame = Frame::<Hook>::builder().pool(&ONE).once(move |x| {
            // The slot is free already.
            assert_eq!(ONE.stats().bound, 0);
            drop(one);
            x * 2
        });
        let frame = frame.unwrap();
        let pointer = frame.as_fn();
        assert_eq!(ONE.stats().bound, 1);
        if kept {
            // SAFETY: the first call.
            assert_eq!(unsafe { pointer(4) }, 8);
            assert_eq!((ONE.stats().bound, drops.count()), (0, before + 1));
            // Another may have the slot while the frame is still there.
            let other = Frame::<Hook>::builder().pool(&ONE).new(|x| x).unwrap();
            drop(frame);
            // SAFETY: the frame lives.
            assert_eq!(unsafe { other.as_fn()(3) }, 3);
        } else {
            let pointer = frame.leak();
            // SAFETY: the first call.
            assert_eq!(unsafe { pointer(5) }, 10);
        }
        assert_eq!((ONE.stats().bound, drops.count()), (0, before + 1));
    }
    // Never called.
    let (one, before) = (drops.one(), drops.count());
    drop(Frame::<Hook>::builder().pool(&ONE).once(move |_| {
        drop(one);
        0
    }));
    assert_eq!((ONE.stats().bound, drops.count()), (0, before + 1));
}

#[test]
fn once_on_another_thread() {
    let text = String::from("moved");
    let (sender, receiver) = std::sync::mpsc::channel();
    let frame = Frame::<unsafe extern "C" fn()>::once(move || sender.send(text).unwrap()).unwrap();
    let pointer = frame.as_fn();
    // SAFETY: the first call, and the frame lives.
    thread::scope(|s| s.spawn(move || unsafe { pointer() }).join().unwrap());
    assert_eq!(receiver.recv().unwrap(), "moved");
}

/// Threads that the C library started, of which `std` knows nothing until a callback asks for their name.
#[test]
fn threads_of_c() {
    const CALLS: c_int = 1000;
    unsafe extern "C" fn start(hooks: *mut c_void) -> usize {
        // SAFETY: the argument is the address of these pointers, which live until the thread has ended.
        let hooks = unsafe { &*hooks.cast::<[Hook; 3]>() };
        for x in 0..CALLS {
            // SAFETY: the frames live.
            unsafe { hooks.iter().for_each(|hook| assert!(matches!(hook(x), -1 | 1))) };
        }
        CALLS as usize
    }
    let count = AtomicUsize::new(0);
    let shared = Frame::<Hook>::new(|_| {
        count.fetch_add(1, Ordering::Relaxed);
        1
    })
    .unwrap();
    static GUARDED: AtomicUsize = AtomicUsize::new(0);
    let guarded = Frame::<Hook>::guarded(|_| {
        GUARDED.fetch_add(1, Ordering::Relaxed);
        1
    })
    .unwrap();
    let refused = Frame::<Hook>::guarded(|_| -1).unwrap();
    let hooks = [shared.as_fn(), guarded.as_fn(), refused.as_fn()];
    let threads: [_; 4] = std::array::from_fn(|_| {
        // SAFETY: `start` gets the address of the pointers.
        unsafe { system::start_thread(start, (&raw const hooks).cast_mut().cast()) }
    });
    for thread in threads {
        assert_eq!(thread.join(), CALLS as usize);
    }
    let calls = 4 * CALLS as usize;
    assert_eq!((count.load(Ordering::Relaxed), GUARDED.load(Ordering::Relaxed)), (calls, calls));
}

#[test]
fn raw_closures() {
    let factor = 3;
    #[cfg(target_arch = "x86_64")]
    type Pointer = unsafe extern "sysv64" fn(u64) -> u64;
    #[cfg(target_arch = "x86_64")]
    let triple = Frame::raw(move |cpu| cpu.rax = cpu.rdi.wrapping_mul(factor)).unwrap();
    #[cfg(not(target_arch = "x86_64"))]
    type Pointer = unsafe extern "C" fn(u64) -> u64;
    #[cfg(target_arch = "aarch64")]
    let triple = Frame::raw(move |cpu| cpu.x[0] = cpu.x[0].wrapping_mul(factor)).unwrap();
    #[cfg(target_arch = "riscv64")]
    let triple = Frame::raw(move |cpu| cpu.x[10] = cpu.x[10].wrapping_mul(factor)).unwrap();
    #[cfg(target_arch = "x86")]
    let triple = Frame::raw(move |cpu| {
        // SAFETY: the caller has passed it.
        let x = unsafe { cpu.stack_word(1) }.u32();
        (cpu.eax, cpu.edx) = (x.wrapping_mul(factor), 0);
    })
    .unwrap();
    let pointer = triple.as_fn_of::<Pointer>();
    // SAFETY: the frame lives; only the result's register is changed.
    assert_eq!(unsafe { pointer(14) }, 42);
}

#[test]
fn frame_macro_forms() {
    #[repr(C)]
    struct Opaque {
        x: i32,
    }
    let add = 40;
    // References, and a type that is no `CType`.
    #[cfg(target_arch = "x86_64")]
    {
        let with_reference = frame!(abi = "sysv64", move |a: &Opaque, b: Opaque| -> i32 { a.x + b.x + add }).unwrap();
        let pointer: unsafe extern "sysv64" fn(&Opaque, Opaque) -> i32 = with_reference.as_fn();
        // SAFETY: the frame lives.
        assert_eq!(unsafe { pointer(&Opaque { x: 1 }, Opaque { x: 1 }) }, 42);
    }
    let with_reference = frame!(abi = "C", move |a: &Opaque, b: i32| -> i32 { a.x + b + add }).unwrap();
    let pointer: unsafe extern "C" fn(&Opaque, i32) -> i32 = with_reference.as_fn();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { pointer(&Opaque { x: 1 }, 1) }, 42);

    // A result that borrows from an argument.
    let borrowed = frame!(abi = "C", |a: &Opaque| -> &i32 { &a.x }).unwrap();
    let it = Opaque { x: 7 };
    // SAFETY: the frame lives.
    assert!(std::ptr::eq(unsafe { borrowed.as_fn()(&it) }, &raw const it.x));

    #[cfg(target_arch = "x86_64")]
    {
        // The CPU beside the arguments, on Windows' lanes.
        let cpu = frame!(abi = "win64", |#[cpu] cpu: &mut CpuState, a: i32, b: f64| -> i64 {
            assert_eq!((cpu.rcx as i32, cpu.xmm(1).unwrap().f64(0)), (a, b));
            i64::from(a) + b as i64
        })
        .unwrap();
        // SAFETY: the frame lives; the registers are left alone.
        assert_eq!(unsafe { cpu.as_fn()(40, 2.0) }, 42);

        // Windows, five positions.
        let five = frame!(abi = "win64", move |a: i32, b: f64, c: &i32, d: u8, e: i64| -> i64 {
            i64::from(a + c + i32::from(d) + add) + b as i64 + e
        })
        .unwrap();
        // SAFETY: the frame lives.
        assert_eq!(unsafe { five.as_fn()(1, 2.0, &3, 4, 5) }, 55);

        let raw = frame!(abi = "raw", |cpu: &mut CpuState| cpu.rax = cpu.rsi).unwrap();
        // SAFETY: a raw callback serves any signature; only the result's register is changed.
        let second: unsafe extern "sysv64" fn(i64, i64) -> i64 = unsafe { std::mem::transmute(raw.as_fn()) };
        // SAFETY: the frame lives.
        assert_eq!(unsafe { second(1, 2) }, 2);
    }
    #[cfg(target_arch = "x86")]
    {
        // The CPU beside the arguments, some of them in registers.
        let cpu = frame!(abi = "fastcall", |#[cpu] cpu: &mut CpuState, a: i32, b: f64, c: &i32| -> i64 {
            assert_eq!((cpu.ecx as i32, cpu.edx), (a, std::ptr::from_ref(c).addr() as u32));
            i64::from(a + c) + b as i64
        })
        .unwrap();
        // SAFETY: the frame lives; the registers are left alone.
        assert_eq!(unsafe { cpu.as_fn()(40, 2.0, &-1) }, 41);

        // The return pops what is on the stack.
        let popped = frame!(abi = "stdcall", move |a: i64, b: f64, c: &i32, d: u8| -> i64 {
            a + i64::from(c + i32::from(d) + add) + b as i64
        })
        .unwrap();
        // SAFETY: the frame lives.
        assert_eq!(unsafe { popped.as_fn()(1, 2.0, &3, 4) }, 50);

        let raw = frame!(abi = "raw", |cpu: &mut CpuState| {
            // SAFETY: it is called with two arguments.
            cpu.eax = unsafe { cpu.stack_word(2) }.u32();
        })
        .unwrap();
        // SAFETY: a raw callback serves any signature; only the result's register is changed.
        let second: unsafe extern "C" fn(i32, i32) -> i32 = unsafe { std::mem::transmute(raw.as_fn()) };
        // SAFETY: the frame lives.
        assert_eq!(unsafe { second(1, 2) }, 2);
    }
    #[cfg(target_arch = "aarch64")]
    {
        // The CPU beside the arguments.
        let cpu = frame!(abi = "C", |#[cpu] cpu: &mut CpuState, a: i32, b: f64| -> i64 {
            assert_eq!((cpu.x[0] as i32, cpu.v(0).unwrap().f64(0)), (a, b));
            i64::from(a) + b as i64
        })
        .unwrap();
        // SAFETY: the frame lives; the registers are left alone.
        assert_eq!(unsafe { cpu.as_fn()(40, 2.0) }, 42);

        // No register is left for the state.
        let many = frame!(abi = "C", move |a: i128, b: f64, c: &i32, d: u8, e: i128, f: i64, g: i8| -> i64 {
            a as i64 + i64::from(c + i32::from(d) + add) + b as i64 + e as i64 + f + i64::from(g)
        })
        .unwrap();
        // SAFETY: the frame lives.
        assert_eq!(unsafe { many.as_fn()(1, 2.0, &3, 4, 5, 6, -7) }, 54);

        let raw = frame!(abi = "raw", |cpu: &mut CpuState| cpu.x[0] = cpu.x[1]).unwrap();
        // SAFETY: a raw callback serves any signature; only the result's register is changed.
        let second: unsafe extern "C" fn(i64, i64) -> i64 = unsafe { std::mem::transmute(raw.as_fn()) };
        // SAFETY: the frame lives.
        assert_eq!(unsafe { second(1, 2) }, 2);
    }
    #[cfg(target_arch = "riscv64")]
    {
        // The CPU beside the arguments.
        let cpu = frame!(abi = "C", |#[cpu] cpu: &mut CpuState, a: i32, b: f64| -> i64 {
            assert_eq!((cpu.x[10] as i32, cpu.f(10).unwrap().f64(0)), (a, b));
            i64::from(a) + b as i64
        })
        .unwrap();
        // SAFETY: the frame lives; the registers are left alone.
        assert_eq!(unsafe { cpu.as_fn()(40, 2.0) }, 42);

        // No register is left for the state.
        let many = frame!(abi = "C", move |a: i128, b: f64, c: &i32, d: u8, e: i128, f: i64, g: i8| -> i64 {
            a as i64 + i64::from(c + i32::from(d) + add) + b as i64 + e as i64 + f + i64::from(g)
        })
        .unwrap();
        // SAFETY: the frame lives.
        assert_eq!(unsafe { many.as_fn()(1, 2.0, &3, 4, 5, 6, -7) }, 54);

        let raw = frame!(abi = "raw", |cpu: &mut CpuState| cpu.x[10] = cpu.x[11]).unwrap();
        // SAFETY: a raw callback serves any signature; only the result's register is changed.
        let second: unsafe extern "C" fn(i64, i64) -> i64 = unsafe { std::mem::transmute(raw.as_fn()) };
        // SAFETY: the frame lives.
        assert_eq!(unsafe { second(1, 2) }, 2);
    }

    let mut log = Vec::new();
    let local = frame!(abi = "C", local, or = -1, |x: &i32| -> i32 {
        log.push(*x);
        100 / x
    })
    .unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { (local.as_fn()(&5), local.as_fn()(&0)) }, (20, -1));
    drop(local);
    assert_eq!(log, [5, 0]);

    pool!(static MINE: 1);
    let text = String::from("x");
    let once = frame!(once, abi = "C", pool = MINE, move |n: usize| -> usize { text.repeat(n).len() }).unwrap();
    assert_eq!(MINE.stats().bound, 1);
    // SAFETY: the first call.
    assert_eq!(unsafe { once.as_fn()(3) }, 3);
    assert_eq!(MINE.stats().bound, 0);
}

#[test]
fn a_full_pool_gives_the_closure_back() {
    pool!(static NONE: 1);
    let _holder = Frame::<Hook>::builder().pool(&NONE).new(|x| x).unwrap();
    let text = String::from("kept");
    let full = Frame::<Hook>::builder().pool(&NONE).once(move |x| x + text.len() as c_int).unwrap_err();
    assert!(full.to_string().contains("NONE"), "{full}");
    assert_eq!(full.into_state()(1), 5);
    assert!(matches!(Frame::<Hook>::builder().pool(&NONE).local(|x| x), Err(PoolFull { .. })));
}

#[test]
fn a_scope_drops_its_frames_last_first() {
    let order = RefCell::new(Vec::new());
    struct Says<'a>(&'a RefCell<Vec<i32>>, i32);
    impl Drop for Says<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let before = Pool::shared().live().filter(|it| it.name().contains("a_scope_drops")).count();
    let result = scope(|s| {
        let pointers: Vec<Hook> = (0..3)
            .map(|i| {
                let says = Says(&order, i);
                s.keep(
                    Frame::<Hook>::local(move |x| {
                        let says = &says;
                        says.1 + x
                    })
                    .unwrap(),
                )
            })
            .collect();
        // SAFETY: the scope has not ended.
        pointers.iter().map(|pointer| unsafe { pointer(10) }).sum::<i32>()
    });
    assert_eq!(result, 33);
    assert_eq!(*order.borrow(), [2, 1, 0]);
    let after = Pool::shared().live().filter(|it| it.name().contains("a_scope_drops")).count();
    assert_eq!((before, after), (0, 0));
}

#[test]
fn a_panic_gives_the_value() {
    let frame = Frame::<Hook>::builder().or(-7).new(|x| 10 / x).unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { (frame.as_fn()(2), frame.as_fn()(0)) }, (5, -7));
}

/// What goes wrong at run time, each in a process of its own.
#[test]
fn refusals() {
    if let Some(case) = child::case() {
        return refused(&case);
    }
    let run = |case: &str| child::run("refusals", case);
    run("thread")
        .assert_aborted("thread", &["refused::{{closure}}`", "was called by thread", "local closure of thread"]);
    run("reentered")
        .assert_aborted("reentered", &["refused::{{closure}}`", "while another call of it was still running"]);
    run("again").assert_aborted("again", &["refused::{{closure}}`", "may be called once and has been", "closures.rs"]);
    run("stale").assert_aborted("stale", &["refused::{{closure}}`", "is not bound any more", "closures.rs"]);
    run("panic").assert_aborted("panic", &["refused::{{closure}}`", "panicked", "attempt to divide"]);
    let ended = run("values");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stderr.contains("It returned its fallback value"), "{ended:#?}");
    assert_eq!(ended.value("thread"), "-1");
    assert_eq!(ended.value("reentered"), "-1");
    if cfg!(debug_assertions) {
        for case in ["dropped while it runs", "set while it runs", "dropped by another thread"] {
            run(case).assert_aborted(case, &["refused::{{closure}}", "while a call of it was running", "closures.rs"]);
        }
        run("function").assert_aborted("function", &["closures::frees`", "while a call of it was running"]);
        run("exclusive function")
            .assert_aborted("exclusive", &["closures::frees_mut`", "while a call of it was running"]);
    }
    run("null").assert_aborted("null", &["refused::{{closure}}`", "`#1`"]);
}

/// What its own call gets rid of.
static HELD: Mutex<Option<Box<dyn Send>>> = Mutex::new(None);

#[cbframe(abi = "C")]
fn frees(#[state] state: &u64) -> u64 {
    drop(HELD.lock().unwrap().take());
    *state
}

#[cbframe(abi = "C")]
fn frees_mut(#[state] state: &mut u64) -> u64 {
    drop(HELD.lock().unwrap().take());
    *state
}

fn refused(case: &str) {
    type Call = unsafe extern "C" fn(*const c_void) -> c_int;
    // SAFETY: each calls what is bound, or what aborts.
    unsafe {
        match case {
            "thread" => {
                let frame = Frame::<Hook>::local(|x| x).unwrap();
                let pointer = frame.as_fn();
                thread::scope(|s| s.spawn(move || pointer(1)).join().unwrap());
            }
            "reentered" => {
                let frame = Frame::<Call>::local(|again| {
                    let again = std::mem::transmute::<*const c_void, Call>(again);
                    again(std::ptr::null())
                })
                .unwrap();
                frame.as_fn()(frame.as_ptr().cast());
            }
            "again" => {
                let frame = Frame::<Hook>::once(|x| x).unwrap();
                frame.as_fn()(1);
                frame.as_fn()(1);
            }
            "stale" => {
                let frame = Frame::<Hook>::new(|x| x).unwrap();
                let pointer = frame.as_fn();
                drop(frame);
                pointer(1);
            }
            "panic" => {
                let frame = Frame::<Hook>::new(|x| 1 / x).unwrap();
                frame.as_fn()(0);
            }
            "dropped while it runs" | "dropped by another thread" => {
                let (captured, here) = (5, case == "dropped while it runs");
                let frame = Frame::<Hook>::new(move |x| {
                    let get_rid = || drop(HELD.lock().unwrap().take());
                    if here {
                        get_rid()
                    } else {
                        thread::scope(|s| s.spawn(get_rid).join().unwrap())
                    }
                    x + captured
                })
                .unwrap();
                let pointer = frame.as_fn();
                *HELD.lock().unwrap() = Some(Box::new(frame));
                pointer(1);
            }
            "set while it runs" => {
                static SET: Mutex<Option<Frame<'static, Hook>>> = Mutex::new(None);
                let captured = 5;
                let frame = Frame::<Hook>::new(move |x| {
                    SET.lock().unwrap().as_mut().unwrap().set(|x| x);
                    x + captured
                })
                .unwrap();
                let pointer = frame.as_fn();
                *SET.lock().unwrap() = Some(frame);
                pointer(1);
            }
            "function" => {
                let frame = frees::bind(7).unwrap();
                let pointer = frame.as_fn();
                *HELD.lock().unwrap() = Some(Box::new(frame));
                pointer();
            }
            "exclusive function" => {
                let frame = frees_mut::bind(7).unwrap();
                let pointer = frame.as_fn();
                *HELD.lock().unwrap() = Some(Box::new(frame));
                pointer();
            }
            "null" => {
                let frame = Frame::<unsafe extern "C" fn(i32, &'static i32) -> i32>::new(|x, y| x + y).unwrap();
                let pointer: unsafe extern "C" fn(i32, *const i32) -> i32 = std::mem::transmute(frame.as_fn());
                pointer(0, std::ptr::null());
            }
            "values" => {
                let frame = Frame::<Hook>::builder().or(-1).local(|x| x).unwrap();
                let pointer = frame.as_fn();
                println!("thread={}", thread::scope(|s| s.spawn(move || pointer(1)).join().unwrap()));
                let frame = Frame::<Call>::builder().or(-1).local(|again| {
                    let again = std::mem::transmute::<*const c_void, Call>(again);
                    again(std::ptr::null())
                });
                let frame = frame.unwrap();
                println!("reentered={}", frame.as_fn()(frame.as_ptr().cast()));
            }
            other => panic!("no case `{other}`"),
        }
    }
}
