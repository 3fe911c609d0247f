//! A call through every kind of entry, without an allocator.

#![no_std]

use core::sync::atomic::{AtomicI32, Ordering};

use cbframe::{CpuState, bind_static, cbframe, pool, resolve};

/// The state of most callbacks here.
pub static BASE: AtomicI32 = AtomicI32::new(1000);

pool!(pub static OWN: 3);

/// ctx in a register.
#[cbframe(abi = "C")]
pub fn direct(#[state] base: &AtomicI32, x: i32) -> i32 {
    base.load(Ordering::Relaxed) + x
}

/// No register is free.
#[cfg_attr(target_arch = "x86_64", cbframe(abi = "sysv64"))]
#[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C"))]
pub fn stack(#[state] base: &AtomicI32, a: u8, b: i16, c: u32, d: i64, e: &i32, f: bool, g: i64, h: f64) -> i64 {
    let integers = i64::from(a) + i64::from(b) + i64::from(c) + d + i64::from(*e) + i64::from(f) + g;
    integers + h as i64 + i64::from(base.load(Ordering::Relaxed))
}

/// No position is free; elsewhere, for want of one more argument, a register.
#[cfg_attr(target_arch = "x86_64", cbframe(abi = "win64"))]
#[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C"))]
pub fn stack_win64(#[state] base: &AtomicI32, a: u8, b: f32, c: i16, d: f64, e: &i32) -> f64 {
    f64::from(a) + f64::from(b) + f64::from(c) + d + f64::from(*e) + f64::from(base.load(Ordering::Relaxed))
}

/// Exclusive state, a slot of a pool of this crate's.
#[cbframe(abi = "C", pool = OWN)]
pub fn exclusive(#[state] sum: &mut i32, x: i32) -> i32 {
    *sum += x;
    *sum
}

/// The arguments from the captured registers.
#[cfg_attr(target_arch = "x86_64", cbframe(abi = "sysv64"))]
#[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C"))]
pub fn captured(#[state] base: &AtomicI32, #[cpu] cpu: &mut CpuState, x: i32, y: f64) -> f64 {
    assert_eq!(*first_argument(cpu) as i32, x);
    f64::from(base.load(Ordering::Relaxed) + x) + y
}

/// Everything from the captured registers.
#[cbframe(abi = "raw")]
pub fn raw(#[state] base: &AtomicI32, cpu: &mut CpuState) {
    *result(cpu) = (base.load(Ordering::Relaxed) as u64) + *first_argument(cpu);
}

/// The first integer argument of a call of C on Unix.
pub fn first_argument(cpu: &mut CpuState) -> &mut u64 {
    #[cfg(target_arch = "x86_64")]
    return &mut cpu.rdi;
    #[cfg(target_arch = "aarch64")]
    return &mut cpu.x[0];
    #[cfg(target_arch = "riscv64")]
    return &mut cpu.x[10];
}

fn result(cpu: &mut CpuState) -> &mut u64 {
    #[cfg(target_arch = "x86_64")]
    return &mut cpu.rax;
    #[cfg(target_arch = "aarch64")]
    return &mut cpu.x[0];
    #[cfg(target_arch = "riscv64")]
    return &mut cpu.x[10];
}

/// The same, with registers that are looked for when it is called, by a variable of cbframe's.
#[cfg(target_arch = "x86_64")]
#[cbframe(abi = "raw", save(gpr, avx512))]
pub fn wide(#[state] base: &AtomicI32, cpu: &mut CpuState) {
    cpu.rax = (base.load(Ordering::Relaxed) as u64) + cpu.rdi;
}

/// What is jumped to has stubs of its own.
#[cfg(target_arch = "x86_64")]
#[cbframe(abi = "raw", enter = "jump")]
pub fn hook(#[state] base: &AtomicI32, cpu: &mut CpuState) {
    cpu.rax = base.load(Ordering::Relaxed) as u64;
}

/// No state.
#[cbframe(abi = "C")]
pub fn stateless(x: i32, y: f32) -> f32 {
    x as f32 + y
}

/// No state, captured.
#[cfg_attr(target_arch = "x86_64", cbframe(abi = "win64", entry = "captured"))]
#[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C", entry = "captured"))]
pub fn stateless_captured(x: i32, y: f32) -> f32 {
    x as f32 - y
}

/// No state and no slot, all of it constants.
pub static HOOKS: (extern "C" fn(i32) -> i32, extern "C" fn(i32, f32) -> f32, Captured) =
    (bind_static!(direct, BASE), stateless::FN, stateless_captured::FN);

#[cfg(target_arch = "x86_64")]
type Captured = extern "win64" fn(i32, f32) -> f32;
#[cfg(not(target_arch = "x86_64"))]
type Captured = extern "C" fn(i32, f32) -> f32;

#[cfg(target_arch = "x86_64")]
type Raw = unsafe extern "sysv64" fn(u64) -> u64;
#[cfg(not(target_arch = "x86_64"))]
type Raw = unsafe extern "C" fn(u64) -> u64;

/// Binds, calls, drops, and looks at what is left.
pub fn run() {
    let frame = direct::bind(&BASE).unwrap();
    // SAFETY, here and below: the frame lives, and the arguments are those of the signature.
    assert_eq!(unsafe { frame.as_fn()(1) }, 1001);
    let direct_address = frame.as_ptr();
    let found = resolve(direct_address).unwrap();
    assert!(found.is_bound() && found.name().ends_with("calls::direct"));

    let frame_stack = stack::bind(&BASE).unwrap();
    let sum = unsafe { frame_stack.as_fn()(1, -2, 3, -4, &5, true, 7, 8.0) };
    assert_eq!(sum, 1000 + 1 - 2 + 3 - 4 + 5 + 1 + 7 + 8);

    let frame_win64 = stack_win64::bind(&BASE).unwrap();
    assert_eq!(unsafe { frame_win64.as_fn()(1, 0.5, -2, 0.25, &8) }, 1007.75);

    let frame_captured = captured::bind(&BASE).unwrap();
    assert_eq!(unsafe { frame_captured.as_fn()(1, 0.5) }, 1001.5);

    let frame_raw = raw::bind(&BASE).unwrap();
    assert_eq!(unsafe { frame_raw.as_fn_of::<Raw>()(7) }, 1007);
    #[cfg(target_arch = "x86_64")]
    {
        let frame_hook = hook::bind(&BASE, core::ptr::null()).unwrap();
        assert!(resolve(frame_hook.as_ptr()).unwrap().name().ends_with("::hook"));
        let frame_wide = wide::bind(&BASE).unwrap();
        assert_eq!(unsafe { frame_wide.as_fn_of::<Raw>()(8) }, 1008);
    }

    let mut sum = 1;
    let frame_exclusive = exclusive::bind(&mut sum).unwrap();
    assert_eq!(unsafe { (frame_exclusive.as_fn()(2), frame_exclusive.as_fn()(3)) }, (3, 6));
    assert_eq!(frame_exclusive.resolved().pool().name(), "calls::OWN");
    assert_eq!((OWN.stats().bound, OWN.live().count()), (1, 1));
    drop(frame_exclusive);
    assert_eq!((OWN.stats().bound, sum), (0, 6));

    assert_eq!((HOOKS.0(1), HOOKS.1(1, 0.5), HOOKS.2(1, 0.5)), (1001, 1.5, 0.5));

    drop(frame);
    let stale = resolve(direct_address).unwrap();
    assert!(!stale.is_bound() && stale.name().ends_with("calls::direct"));
}
