//! A function that a C compiler has optimized, with a place for a jump in its middle, and a jump written there.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use cbframe::{CpuState, Gpr, cbframe};
use cbframe_tests::child::Library;
use cbframe_tests::system;

use crate::registers::lock;

/// A leaf, which keeps `local` in the red zone, and the place itself: 14 bytes of `nop`. `label` gives its address.
const SOURCE: &str = "
    #include <stdint.h>
    #ifdef __ELF__
    #define HIDDEN \".hidden place\\n\\t\"
    #else
    #define HIDDEN
    #endif
    extern char place[] __attribute__((visibility(\"hidden\")));
    char *label(void) { return place; }
    __attribute__((noinline, noclone, sysv_abi)) int64_t leaf(int64_t a, int64_t b, double x)
    {
        volatile int64_t local = a * 3;
        volatile int64_t last[12] = { [11] = b };
        int64_t live = a ^ b;
        __asm__ volatile(HIDDEN \".globl place\\nplace:\\n\\t.skip 14, 0x90\" : \"+r\"(live), \"+x\"(x));
        return live + local + last[11] + (int64_t)x;
    }
";

/// Writes `jmp target` at `place`, with the address behind it.
///
/// # Safety
///
/// `place` is code of 14 bytes that no thread executes.
unsafe fn patch(place: *mut u8, target: *const ()) {
    let mut code = [0xff, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    code[6..].copy_from_slice(&target.addr().to_le_bytes());
    // SAFETY: nobody executes it.
    unsafe { system::patch(place, || ptr::copy_nonoverlapping(code.as_ptr(), place, code.len())) };
}

/// What the hook is to look for, and what it has seen.
#[derive(Default)]
struct Watch {
    live: u64,
    seen: AtomicU64,
    add: u64,
    locals: AtomicU64,
}

#[cbframe(abi = "raw", enter = "jump")]
fn watch(#[state] watch: &Watch, cpu: &mut CpuState) {
    watch.seen.fetch_add(1, Ordering::Relaxed);
    // The local in a register: whichever the compiler has chosen.
    for register in Gpr::ALL {
        if cpu.gpr(register).u64() == watch.live && watch.add > 0 {
            cpu.set_gpr(register, watch.live + watch.add);
        }
    }
    // The locals in the red zone.
    for word in 1..=16 {
        let place = (cpu.rsp - 8 * word) as *mut u64;
        // SAFETY: the red zone of the function, which runs on this thread.
        unsafe {
            if place.read() == 0x7777 * 3 {
                watch.locals.fetch_add(1, Ordering::Relaxed);
                place.write(place.read() + watch.add);
            }
        }
    }
    let double = cpu.xmm(0).expect("saved").f64(0);
    cpu.xmm_mut(0).expect("saved").set_f64(0, double + watch.add as f64);
    // Other code, with a deep stack and other registers.
    assert!(format!("{cpu:#}").len() > 1000);
}

#[test]
fn a_live_local_is_read_and_changed() {
    let Some(_lock) = lock() else { return };
    type Leaf = unsafe extern "sysv64" fn(i64, i64, f64) -> i64;
    for level in ["-O2", "-O3", "-O1"] {
        let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), &format!("hooked{level}.c"), SOURCE, &[level]);
        // SAFETY: their types in the source.
        let (leaf, label) =
            unsafe { (library.function::<Leaf>("leaf"), library.function::<extern "C" fn() -> *mut u8>("label")) };
        let (a, b) = (0x7777_i64, 0x1234_i64);
        let live = (a ^ b) as u64;
        // SAFETY: any numbers are arguments.
        let plain = unsafe { leaf(a, b, 5.0) };
        assert_eq!(plain, (a ^ b) + 3 * a + b + 5);
        let place = label();
        for add in [0, 10] {
            let state = Watch { live, add, ..Watch::default() };
            let frame = watch::bind(&state, place.wrapping_add(14).cast_const().cast()).expect("a slot");
            // SAFETY: no other thread runs this library's code.
            let result = unsafe {
                patch(place, frame.as_fn().as_ptr());
                leaf(a, b, 5.0)
            };
            // Once in the register, once in the red zone, once in xmm0.
            assert_eq!(result, plain + 3 * add as i64, "{level}");
            assert_eq!(state.seen.load(Ordering::Relaxed), 1);
            assert_eq!(state.locals.load(Ordering::Relaxed), 1, "the local lies in the red zone");
        }
    }
}
