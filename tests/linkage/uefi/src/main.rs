//! Callbacks with state under UEFI, whose events have a context that somebody else has set, or none; run by `.ci/uefi`.

#![no_std]
#![no_main]

extern crate alloc;

mod firmware;

use alloc::boxed::Box;
use core::ffi::c_void;
use core::fmt;
use core::mem;
use core::ptr::{self, null_mut};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use cbframe::{CpuState, Frame, cbframe, resolve};
use firmware::{boot, done, println};
use r_efi::efi;
use r_efi::protocols::mp_services;

/// The types that the binding has for callbacks are those of safe functions, which no frame gives.
type Notify = unsafe extern "efiapi" fn(efi::Event, *mut c_void);
type Procedure = unsafe extern "efiapi" fn(*mut c_void);

/// An event whose handler is `notify`, without a context.
fn event(kind: u32, notify: Notify) -> efi::Event {
    let mut event = null_mut();
    // SAFETY: they differ in `unsafe` alone. The frame lives until the event is closed.
    let notify = unsafe { mem::transmute::<Notify, efi::EventNotify>(notify) };
    done((boot().create_event)(kind, efi::TPL_CALLBACK, Some(notify), null_mut(), &raw mut event));
    event
}

fn close(event: efi::Event) {
    done((boot().close_event)(event));
}

fn signal(event: efi::Event) {
    done((boot().signal_event)(event));
}

/// What happens to an event.
struct Seen {
    name: &'static str,
    times: AtomicU64,
    event: AtomicUsize,
}

impl Seen {
    const fn new(name: &'static str) -> Self {
        Self { name, times: AtomicU64::new(0), event: AtomicUsize::new(0) }
    }
}

/// The handler of an event: it knows whose it is though its context is null.
#[cbframe(abi = "efiapi")]
fn notify(#[state] seen: &Seen, event: efi::Event, context: *mut c_void) {
    assert!(context.is_null());
    seen.event.store(event.addr(), Relaxed);
    seen.times.fetch_add(1, Relaxed);
}

/// Two timers at once, each with a state of its own.
fn timers() {
    let (fast, slow) = (Seen::new("fast"), Seen::new("slow"));
    let timers = [(&fast, 10_000), (&slow, 30_000)].map(|(seen, period)| {
        let frame = notify::bind(seen).unwrap();
        let event = event(efi::EVT_TIMER | efi::EVT_NOTIFY_SIGNAL, frame.as_fn());
        done((boot().set_timer)(event, efi::TIMER_PERIODIC, period));
        (seen, event, frame)
    });
    while fast.times.load(Relaxed) < 5 || slow.times.load(Relaxed) < 5 {
        (boot().stall)(100);
    }
    for (seen, event, frame) in timers {
        assert_eq!(seen.event.load(Relaxed), event.addr());
        close(event);
        let times = seen.times.load(Relaxed);
        (boot().stall)(100_000);
        assert_eq!(seen.times.load(Relaxed), times);
        assert!(resolve(frame.as_ptr()).unwrap().is_bound());
        println!("timer {}: at least 5 times", seen.name);
    }
}

/// The event arrives in rcx, the first register of this convention.
#[cbframe(abi = "efiapi", save(gpr, flags, sse))]
fn registers(#[state] seen: &Seen, #[cpu] cpu: &mut CpuState, event: efi::Event, context: *mut c_void) {
    assert_eq!((cpu.rcx, cpu.rdx), (event.addr() as u64, context.addr() as u64));
    seen.event.store(event.addr(), Relaxed);
    seen.times.fetch_add(1, Relaxed);
}

/// Any arguments.
#[cbframe(abi = "raw")]
fn raw(#[state] seen: &Seen, cpu: &mut CpuState) {
    seen.event.store(cpu.rcx as usize, Relaxed);
    seen.times.fetch_add(1, Relaxed);
}

/// Handlers that see the registers.
fn captured() {
    let (typed, untyped) = (Seen::new("captured"), Seen::new("raw"));
    let frame = registers::bind(&typed).unwrap();
    let other = raw::bind(&untyped).unwrap();
    let pointers: [(_, Notify); 2] = [(&typed, frame.as_fn()), (&untyped, other.as_fn_of())];
    for (seen, pointer) in pointers {
        let event = event(efi::EVT_NOTIFY_SIGNAL, pointer);
        (0..3).for_each(|_| signal(event));
        assert_eq!((seen.times.load(Relaxed), seen.event.load(Relaxed)), (3, event.addr()));
        close(event);
        println!("{}: 3 times", seen.name);
    }
}

/// A closure, with the type that a binding of UEFI has for it.
fn closures() {
    let sum = Box::new(AtomicU64::new(0));
    let frames: [_; 3] = core::array::from_fn(|i| {
        let sum = &sum;
        Frame::<efi::EventNotify>::new(move |_, _| {
            sum.fetch_add(10_u64.pow(i as u32), Relaxed);
        })
        .unwrap()
    });
    for (i, frame) in frames.iter().enumerate() {
        let event = event(efi::EVT_NOTIFY_SIGNAL, frame.as_fn());
        (0..=i).for_each(|_| signal(event));
        close(event);
    }
    assert_eq!(sum.load(Relaxed), 321);
    println!("closures: 6 times");
}

/// Told of each new handle with a protocol.
fn protocols() {
    const GUID: efi::Guid =
        efi::Guid::from_fields(0x3c1d_8f7e, 0x52a4, 0x4b0c, 0x91, 0x6d, &[0x0e, 0xa7, 0x35, 0xc2, 0x48, 0xfb]);
    let seen = Seen::new("protocol");
    let frame = notify::bind(&seen).unwrap();
    let event = event(efi::EVT_NOTIFY_SIGNAL, frame.as_fn());
    let (mut registration, mut handle, mut guid) = (null_mut(), null_mut(), GUID);
    done((boot().register_protocol_notify)(&raw mut guid, event, &raw mut registration));
    done((boot().install_protocol_interface)(&raw mut handle, &raw mut guid, efi::NATIVE_INTERFACE, null_mut()));
    assert_eq!(seen.times.load(Relaxed), 1);
    done((boot().uninstall_protocol_interface)(handle, &raw mut guid, null_mut()));
    close(event);
    println!("protocol: once");
}

#[cbframe(abi = "efiapi")]
fn add(#[state] sum: &AtomicU64, argument: *mut c_void) {
    sum.fetch_add(argument.addr() as u64, Relaxed);
}

/// Runs `procedure` on the second processor, to its end.
fn on_another_processor(procedure: Procedure, argument: usize) {
    // SAFETY: as above, until this returns.
    let procedure = unsafe { mem::transmute::<Procedure, mp_services::ApProcedure>(procedure) };
    let mut guid = mp_services::PROTOCOL_GUID;
    let mut services = null_mut();
    done((boot().locate_protocol)(&raw mut guid, null_mut(), &raw mut services));
    let services = services.cast::<mp_services::Protocol>();
    // SAFETY: the protocol's table.
    let start = unsafe { (*services).startup_this_ap };
    // Without an event, and without a limit in time: it waits.
    done(start(services, procedure, 1, null_mut(), 0, ptr::without_provenance_mut(argument), null_mut()));
}

fn processors() {
    let sum = AtomicU64::new(0);
    let frame = add::bind(&sum).unwrap();
    for summand in [40, 2] {
        on_another_processor(frame.as_fn(), summand);
    }
    assert_eq!(sum.load(Relaxed), 42);
    println!("another processor: 2 times");
}

/// The last message of all.
fn report(message: fmt::Arguments<'_>) {
    println!("report: {message}");
}

/// A call of what another processor, which is a thread of its own, has freed: the message, then an exception in the firmware's
/// hands.
fn stale() -> ! {
    static SEEN: Seen = Seen::new("stale");
    let frame = notify::bind(&SEEN).unwrap();
    let stale = frame.as_fn();
    let free = Frame::<mp_services::ApProcedure>::once(move |_| drop(frame)).unwrap();
    on_another_processor(free.as_fn(), 0);
    // SAFETY: a call that ends in a message, by what the frame promises.
    unsafe { stale(null_mut(), null_mut()) };
    unreachable!()
}

/// No register is free.
#[cbframe(abi = "efiapi")]
fn stack(#[state] base: &i64, a: u8, b: i16, c: &u32, d: i64, e: i64) -> i64 {
    base + i64::from(a) + i64::from(b) + i64::from(*c) + d + e
}

#[cbframe(abi = "efiapi")]
fn exclusive(#[state] sum: &mut u64, x: u64) -> u64 {
    *sum += x;
    *sum
}

/// Floats arrive in vector registers, of which rustc knows nothing on this target.
#[cbframe(abi = "efiapi")]
unsafe fn floats(#[state] base: &f64, x: f64, n: i32, y: f32) -> f64 {
    base + x + f64::from(n) + f64::from(y)
}

#[cbframe(abi = "efiapi")]
unsafe fn variadic(#[state] base: &i64, count: usize, mut args: ...) -> i64 {
    // SAFETY: the caller passes as many.
    base + (0..count).map(|_| unsafe { args.arg::<i64>() }).sum::<i64>()
}

/// Every lane of the convention of UEFI.
fn entries() {
    static BASE: i64 = 1000;

    let frame = stack::bind(&BASE).unwrap();
    // SAFETY, here and below: the frame lives, and the arguments are those of its signature.
    assert_eq!(unsafe { frame.as_fn()(1, -2, &3, -4, 5) }, 1003);

    let mut sum = 1;
    let frame = exclusive::bind(&mut sum).unwrap();
    assert_eq!(unsafe { (frame.as_fn()(2), frame.as_fn()(3)) }, (3, 6));
    drop(frame);

    let frame = floats::bind(&0.5).unwrap();
    let address = frame.as_ptr();
    assert_eq!(unsafe { cbframe::call!(abi = "efiapi", address, (1.25_f64, 7_i32, 0.25_f32) -> f64) }, 9.0);

    let frame = variadic::bind(&BASE).unwrap();
    let address = frame.as_ptr();
    let arguments =
        unsafe { cbframe::call!(abi = "efiapi", address, (5_usize, ..., 1_i64, 2_i64, 3_i64, 4_i64, 5_i64) -> i64) };
    assert_eq!(arguments, 1015);
    println!("entries: direct, stack, captured, variadic");
}

#[unsafe(export_name = "efi_main")]
extern "efiapi" fn main(_: efi::Handle, system: *mut efi::SystemTable) -> efi::Status {
    firmware::start(system);
    cbframe::set_report(report);
    entries();
    timers();
    captured();
    closures();
    protocols();
    processors();
    stale()
}
