//! Calls of addresses whose frame is gone.

use std::mem::transmute;
use std::sync::atomic::{AtomicUsize, Ordering};

use cbframe::{CpuState, cbframe};
use cbframe_tests::child;
use cbframe_tests::machine::set_result;
use cbframe_tests::system::thread;

macro_rules! word {
    ($name:ident) => {
        usize
    };
}

/// The callbacks of all lanes, and `run`, which binds one, gets rid of it and calls it.
macro_rules! lanes {
    ($($lane:ident $abi:tt [$($option:tt)*] $state:ty, [$($pad:ident)*];)*) => {
        $(
            #[cbframe($($option)*)]
            fn $lane(#[state] _s: $state, $($pad: usize,)*) -> i32 {
                $(let _ = $pad;)*
                31
            }
        )*

        fn run(lane: &str, how: &str) {
            match lane {
                $(stringify!($lane) => {
                    let (frame, line) = ($lane::bind(5_u32).expect("a free slot"), line!());
                    announce(line);
                    type Pointer = unsafe extern $abi fn($(word!($pad)),*) -> i32;
                    // SAFETY: the callback's type, but for what an `unsafe` or `-unwind` tells.
                    let f = unsafe { transmute::<*const (), Pointer>(frame.as_ptr()) };
                    $(let $pad = 0x2a_usize;)*
                    // SAFETY: the frame lives.
                    assert_eq!(unsafe { f($($pad),*) }, 31);
                    remove(how, frame, |frame| frame.free());
                    // SAFETY: the slot has not been bound again, so this aborts.
                    unsafe { f($($pad),*) };
                })*
                _ => panic!("no lane {lane}"),
            }
        }

        const LANES: &[&str] = &[$(stringify!($lane)),*];
    };
}

#[cfg(target_arch = "x86_64")]
lanes! {
    native "C" [abi = "C"] &u32, [];
    direct "sysv64" [abi = "sysv64", entry = "direct"] &u32, [a b];
    stack "sysv64" [abi = "sysv64", entry = "stack"] &u32, [a b];
    stack_spilled "sysv64" [abi = "sysv64"] &u32, [a b c d e f g];
    captured "sysv64" [abi = "sysv64", entry = "captured"] &u32, [a b c d e f g];
    win_direct "win64" [abi = "win64"] &u32, [a b];
    win_stack "win64" [abi = "win64"] &u32, [a b c d e];
    win_captured "win64" [abi = "win64", entry = "captured"] &u32, [a b c d e];
    exclusive "sysv64" [abi = "sysv64"] &mut u32, [a b];
    exclusive_stack "sysv64" [abi = "sysv64", entry = "stack"] &mut u32, [a b];
    exclusive_captured "sysv64" [abi = "sysv64", entry = "captured"] &mut u32, [a b];
    unwinding "C-unwind" [abi = "C-unwind"] &u32, [];
}

#[cfg(target_arch = "x86")]
lanes! {
    native "C" [abi = "C"] &u32, [];
    stdcall "stdcall" [abi = "stdcall"] &u32, [a b];
    fastcall "fastcall" [abi = "fastcall"] &u32, [a b c];
    thiscall "thiscall" [abi = "thiscall"] &u32, [a b];
    captured "C" [abi = "C", entry = "captured"] &u32, [a b c d e f g h];
    exclusive "C" [abi = "C"] &mut u32, [a b];
    unwinding "C-unwind" [abi = "C-unwind"] &u32, [];
}

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
lanes! {
    native "C" [abi = "C"] &u32, [];
    direct "C" [abi = "C", entry = "direct"] &u32, [a b];
    stack "C" [abi = "C"] &u32, [a b];
    stack_spilled "C" [abi = "C"] &u32, [a b c d e f g h];
    captured "C" [abi = "C", entry = "captured"] &u32, [a b c d e f g h];
    exclusive "C" [abi = "C"] &mut u32, [a b];
    exclusive_stack "C" [abi = "C"] &mut u32, [a b];
    exclusive_captured "C" [abi = "C", entry = "captured"] &mut u32, [a b];
    unwinding "C-unwind" [abi = "C-unwind"] &u32, [];
}

#[cbframe(abi = "raw", save(gpr))]
fn raw(#[state] _s: &u32, cpu: &mut CpuState) {
    set_result(cpu, 31);
}

fn announce(line: u32) {
    println!("\nline={line}");
}

/// Gets rid of the frame, and tells where or who.
fn remove<T: Send>(how: &str, frame: T, free: impl FnOnce(T)) {
    match how {
        "drop" => {
            println!("by=dropped by thread {}", thread());
            drop(frame);
        }
        "drop elsewhere" => std::thread::scope(|scope| {
            scope.spawn(|| {
                println!("by=dropped by thread {}", thread());
                drop(frame);
            });
        }),
        "free" => free(frame),
        _ => panic!("no way {how}"),
    }
}

/// Runs in children only.
#[test]
fn scene() {
    let Some(case) = child::case() else { return };
    let (lane, how) = case.split_once(' ').expect("lane and way");
    run(lane, how);
}

#[test]
fn a_stale_call_names_callback_binding_and_end() {
    // `free` is called inside the macro: its place is the line of the closure in `run`.
    for lane in LANES {
        for how in ["drop", "drop elsewhere", "free"] {
            let case = format!("{lane} {how}");
            let ended = child::run("stale::scene", &case);
            let bound = format!("bound at {}:{}:", file!(), ended.value("line"));
            let by = match how {
                "free" => format!("freed at {}:", file!()),
                _ => ended.value("by").to_owned(),
            };
            let name = format!("`faults::stale::{lane}`, which is not bound any more");
            ended.assert_aborted(&case, &["cbframe: a call to ", &name, &bound, &by]);
        }
    }
}

/// Runs in children only.
#[test]
fn scene_free() {
    let Some(case) = child::case() else { return };
    let frame = raw::bind(5).expect("a free slot");
    // SAFETY: an address of a function; `raw` reads no argument and writes a result.
    let f: unsafe extern "C" fn() -> i32 = unsafe { transmute(frame.as_ptr()) };
    // SAFETY: the frame lives.
    assert_eq!(unsafe { f() }, 31);
    if case == "free" {
        frame.free();
        println!("\nline={}", line!() - 1);
    } else {
        println!("\nby=dropped by thread {}", thread());
        drop(frame);
    }
    // SAFETY: the slot has not been bound again, so this aborts.
    unsafe { f() };
}

#[test]
fn free_names_its_exact_line() {
    let ended = child::run("stale::scene_free", "free");
    let freed = format!("freed at {}:{}:", file!(), ended.value("line"));
    ended.assert_aborted("free", &["`faults::stale::raw`", &freed]);
    let ended = child::run("stale::scene_free", "drop");
    ended.assert_aborted("drop", &["`faults::stale::raw`", ended.value("by")]);
}

/// What the signal handler calls.
static STALE: AtomicUsize = AtomicUsize::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    // SAFETY: `scene_signal` has stored the address of a callback of this type, which is not bound any more.
    unsafe {
        let f: unsafe extern "C" fn() -> i32 = transmute(STALE.load(Ordering::Relaxed));
        f();
    }
}

/// Runs in children only.
#[test]
fn scene_signal() {
    if child::case().is_none() {
        return;
    }
    let frame = native::bind(5).expect("a free slot");
    STALE.store(frame.as_ptr().addr(), Ordering::Relaxed);
    println!("\nby=dropped by thread {}", thread());
    drop(frame);
    // SAFETY: `on_signal` is a handler. While the lock on standard error is held, only a plain `write` comes
    // through.
    unsafe {
        libc::signal(libc::SIGINT, on_signal as *const () as usize);
        let _lock = std::io::stderr().lock();
        libc::raise(libc::SIGINT);
    }
}

#[test]
#[cfg_attr(target_arch = "riscv64", ignore = "the emulator holds SIGABRT back while another signal is handled")]
fn a_stale_call_in_a_signal_handler_is_reported() {
    let ended = child::run("stale::scene_signal", "signal");
    ended.assert_aborted("signal", &["`faults::stale::native`", ended.value("by")]);
}

/// A state whose destructor calls the callback that it was bound to.
struct CallsBack(AtomicUsize);

impl Drop for CallsBack {
    fn drop(&mut self) {
        println!("\nby=dropped by thread {}", thread());
        // SAFETY: the address of `own`, whose slot went before its state.
        unsafe {
            let f: unsafe extern "C" fn() = transmute(*self.0.get_mut());
            f();
        }
    }
}

#[cbframe(abi = "C")]
fn own(#[state] s: &CallsBack) {
    println!("reached {}", s.0.load(Ordering::Relaxed));
}

/// Runs in children only.
#[test]
fn scene_destructor() {
    if child::case().is_none() {
        return;
    }
    let state = std::sync::Arc::new(CallsBack(AtomicUsize::new(0)));
    let frame = own::bind(state.clone()).expect("a free slot");
    state.0.store(frame.as_ptr().addr(), Ordering::Relaxed);
    drop(state);
    drop(frame);
}

#[test]
fn the_destructor_of_the_state_comes_too_late_for_a_call() {
    let ended = child::run("stale::scene_destructor", "destructor");
    assert!(!ended.stdout.contains("reached"));
    ended.assert_aborted("destructor", &["`faults::stale::own`", ended.value("by")]);
}

/// A message longer than the buffer it is collected in.
#[test]
fn scene_long() {
    if child::case().is_none() {
        return;
    }
    #[cbframe(abi = "C")]
    fn a_callback_whose_name_is_so_long_that_its_message_does_not_fit_into_one_buffer_of_the_reporter_so_that_it_is_written_in_several_parts_a_callback_whose_name_is_so_long_that_its_message_does_not_fit_into_one_buffer_of_the_reporter_so_that_it_is_written_in_several_parts(
        #[state] _s: &u32,
    ) {
    }
    let frame = a_callback_whose_name_is_so_long_that_its_message_does_not_fit_into_one_buffer_of_the_reporter_so_that_it_is_written_in_several_parts_a_callback_whose_name_is_so_long_that_its_message_does_not_fit_into_one_buffer_of_the_reporter_so_that_it_is_written_in_several_parts::bind(5).expect("a free slot");
    let f = frame.as_fn();
    drop(frame);
    // SAFETY: the slot has not been bound again, so this aborts.
    unsafe { f() };
}

#[test]
fn a_long_message_arrives_whole() {
    let ended = child::run("stale::scene_long", "long");
    ended.assert_aborted("long", &["so_that_it_is_written_in_several_parts`, which is not bound", "`leak` the frame."]);
}
