//! AVX-512, also where the CPU has none (`emulator`).

use std::arch::{asm, naked_asm};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use cbframe::{CpuState, Zmm, cbframe};
use cbframe_tests::child;

use crate::emulator;

const CASE: &str = "emulated";

/// Calls `target` with these registers, and stores those after it.
#[unsafe(naked)]
unsafe extern "sysv64" fn call(
    input: &[Zmm; 32],
    output: &mut [Zmm; 32],
    masks: &[u64; 8],
    after: &mut [u64; 8],
    target: *const (),
) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "mov rbx, rsi",
        "mov rbp, rcx",
        "mov rax, rdi",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "vmovaps zmm\\n, [rax + 64 * \\n]",
        ".endr",
        "mov rax, rdx",
        ".irp n, 0,1,2,3,4,5,6,7",
        "kmovq k\\n, [rax + 8 * \\n]",
        ".endr",
        "call r8",
        "mov rax, rbx",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "vmovaps [rax + 64 * \\n], zmm\\n",
        ".endr",
        "mov rax, rbp",
        ".irp n, 0,1,2,3,4,5,6,7",
        "kmovq [rax + 8 * \\n], k\\n",
        ".endr",
        "vzeroupper",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}

fn poison() -> [Zmm; 32] {
    std::array::from_fn(|number| Zmm { bytes: std::array::from_fn(|byte| (19 * number + byte * 5 + 3) as u8) })
}

fn masks() -> [u64; 8] {
    std::array::from_fn(|number| 0x0123_4567_89ab_cdef_u64.rotate_left(8 * number as u32))
}

/// Which register the handler is to change: 0 to 31 vectors, 32 to 39 opmasks.
static CHANGE: AtomicUsize = AtomicUsize::new(usize::MAX);

fn handle(cpu: &mut CpuState) {
    for (number, expected) in poison().iter().enumerate() {
        assert_eq!(cpu.zmm(number).expect("present"), expected, "zmm{number}");
        if number < 16 {
            assert_eq!(cpu.ymm(number).expect("present").bytes, expected.bytes[..32], "ymm{number}");
            assert_eq!(cpu.xmm(number).expect("present").bytes, expected.bytes[..16], "xmm{number}");
        }
    }
    for (number, expected) in masks().into_iter().enumerate() {
        assert_eq!(cpu.opmask(number), Some(expected), "k{number}");
    }
    match CHANGE.load(Ordering::Relaxed) {
        number @ ..32 => cpu.zmm_mut(number).expect("present").set_u64(6, 0x77),
        number @ 32..40 => cpu.set_opmask(number - 32, 0x99),
        _ => {}
    }
    if emulator::executed() > 0 {
        emulator::spoil();
    } else {
        // SAFETY: clobbers of the C ABI, under which this function and its callers are compiled.
        unsafe {
            asm!(
                ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "vpternlogd zmm\\n, zmm\\n, zmm\\n, 255",
                ".endr",
                ".irp n, 0,1,2,3,4,5,6,7",
                "kxnorq k\\n, k\\n, k\\n",
                ".endr",
                "vzeroupper",
                clobber_abi("C"),
            );
        }
    }
}

#[cbframe(abi = "raw", save(gpr, flags, avx512))]
fn flags(cpu: &mut CpuState) {
    handle(cpu);
}

#[cbframe(abi = "raw", save(gpr, avx512, x87))]
fn x87(cpu: &mut CpuState) {
    handle(cpu);
}

#[cbframe(abi = "raw", enter = "jump")]
fn hook(#[state] _s: &(), cpu: &mut CpuState) {
    handle(cpu);
}

/// Jumps to the hook.
#[unsafe(naked)]
unsafe extern "C" fn hooked() {
    naked_asm!(
        "jmp [rip + {target}]",
        ".globl cbframe_tests_avx512_resume",
        "cbframe_tests_avx512_resume:",
        "ret",
        target = sym TARGET,
    )
}

static TARGET: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

unsafe extern "C" {
    static cbframe_tests_avx512_resume: u8;
}

#[test]
fn every_register_is_seen_changed_and_given_back() {
    if !is_x86_feature_detected!("avx512bw") && !emulator::IS_THERE {
        eprintln!("skipped: the CPU has no AVX-512, and only on Linux is there an emulator");
        return;
    }
    if child::case().as_deref() != Some(CASE) {
        let ended = child::run("avx512::every_register_is_seen_changed_and_given_back", CASE);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        // 40 registers are stored and loaded by the caller, and by the callback.
        let emulated: usize = ended.value("emulated").parse().expect("a number");
        let real = is_x86_feature_detected!("avx512bw");
        assert_eq!(emulated, if real { 0 } else { 41 * 3 * 4 * 40 });
        return;
    }
    if !is_x86_feature_detected!("avx512bw") {
        emulator::start();
        cbframe::private::VECTORS.store(3, Ordering::Relaxed);
    }
    let frame = hook::bind((), (&raw const cbframe_tests_avx512_resume).cast()).expect("a slot");
    TARGET.store(frame.as_fn().as_ptr().cast_mut(), Ordering::Relaxed);
    for target in [flags::FN as *const (), x87::FN as *const (), hooked as *const ()] {
        for change in (0..40).chain([usize::MAX]) {
            CHANGE.store(change, Ordering::Relaxed);
            let (mut after, mut after_masks) = ([Zmm { bytes: [0; 64] }; 32], [0; 8]);
            // SAFETY: a raw callback that does no harm.
            unsafe { call(&poison(), &mut after, &masks(), &mut after_masks, target) };
            let (mut expected, mut expected_masks) = (poison(), masks());
            match change {
                ..32 => expected[change].bytes[48..56].copy_from_slice(&0x77_u64.to_le_bytes()),
                32..40 => expected_masks[change - 32] = 0x99,
                _ => {}
            }
            assert_eq!(after, expected, "after a change of {change}");
            assert_eq!(after_masks, expected_masks, "after a change of {change}");
        }
    }
    println!("emulated={}", emulator::executed());
}
