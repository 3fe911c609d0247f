//! AVX-512 where the CPU has none: a child process is told that there is, and its signal handler does what the
//! instructions would that the CPU refuses. The decoder is a library's, so the encodings are looked at too. On a CPU with
//! AVX-512 the instructions are the CPU's own.

use std::arch::{asm, naked_asm};
use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use cbframe::{CpuState, Zmm, cbframe};
use cbframe_tests::child;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind, Register};

const CASE: &str = "emulated";

/// The registers that the CPU has not: of zmm0 to zmm15 the upper halves count.
struct File {
    zmm: UnsafeCell<[Zmm; 32]>,
    opmasks: UnsafeCell<[u64; 8]>,
}

// SAFETY: the child has one thread that uses it.
unsafe impl Sync for File {}

static FILE: File = File { zmm: UnsafeCell::new([Zmm { bytes: [0; 64] }; 32]), opmasks: UnsafeCell::new([0; 8]) };
/// How many instructions were executed for the CPU.
static EMULATED: AtomicUsize = AtomicUsize::new(0);

/// Where the signal frame has the lower 32 bytes of a vector register (Intel SDM volume 1, section 13.4): 16 in the legacy
/// area, 16 in that of AVX.
fn halves(image: *mut u8, number: usize) -> [*mut u8; 2] {
    [image.wrapping_add(160 + 16 * number), image.wrapping_add(576 + 16 * number)]
}

extern "C" fn emulate(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes the context of the thread, whose code is readable where it has been stopped; the operand
    // is memory that the instruction would access.
    unsafe {
        let context = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext;
        let registers = &mut context.gregs;
        let rip = registers[libc::REG_RIP as usize] as u64;
        let code = std::slice::from_raw_parts(rip as *const u8, 15);
        let instruction = Decoder::with_ip(64, code, rip, DecoderOptions::NONE).decode();
        let image = context.fpregs.cast::<u8>();
        // XSTATE_BV: without these bits the upper halves, or all, are zero and are not in the frame.
        let components = image.add(512).cast::<u64>();
        if components.read() & 4 == 0 {
            image.add(576).write_bytes(0, 256);
        }
        if components.read() & 2 == 0 {
            image.add(160).write_bytes(0, 256);
        }
        components.write(components.read() | 6);
        let (zmm, opmasks) = (&mut *FILE.zmm.get(), &mut *FILE.opmasks.get());
        match instruction.code() {
            Code::EVEX_Vmovaps_zmmm512_k1z_zmm => {
                let (to, number) = (address(&instruction, 0, registers), instruction.op1_register().number());
                assert!(instruction.op_mask() == Register::None && to.is_multiple_of(64));
                let mut value = zmm[number];
                if number < 16 {
                    for (half, from) in halves(image, number).into_iter().enumerate() {
                        ptr::copy_nonoverlapping(from, value.bytes.as_mut_ptr().add(16 * half), 16);
                    }
                }
                (to as *mut Zmm).write(value);
            }
            Code::EVEX_Vmovaps_zmm_k1z_zmmm512 => {
                let (from, number) = (address(&instruction, 1, registers), instruction.op0_register().number());
                assert!(instruction.op_mask() == Register::None && from.is_multiple_of(64));
                let value = (from as *const Zmm).read();
                if number < 16 {
                    for (half, to) in halves(image, number).into_iter().enumerate() {
                        ptr::copy_nonoverlapping(value.bytes.as_ptr().add(16 * half), to, 16);
                    }
                }
                zmm[number] = value;
            }
            Code::VEX_Kmovq_m64_kr => {
                let (to, number) = (address(&instruction, 0, registers), instruction.op1_register().number());
                (to as *mut u64).write(opmasks[number]);
            }
            Code::VEX_Kmovq_kr_km64 => {
                let (from, number) = (address(&instruction, 1, registers), instruction.op0_register().number());
                opmasks[number] = (from as *const u64).read();
            }
            other => {
                eprintln!("unexpected instruction {other:?}");
                libc::abort();
            }
        }
        registers[libc::REG_RIP as usize] += instruction.len() as i64;
    }
    EMULATED.fetch_add(1, Ordering::Relaxed);
}

/// The address of a memory operand, which is relative to rax.
fn address(instruction: &Instruction, operand: u32, registers: &[i64; 23]) -> u64 {
    assert!(instruction.op_kind(operand) == OpKind::Memory && instruction.memory_base() == Register::RAX);
    assert!(instruction.memory_index() == Register::None);
    (registers[libc::REG_RAX as usize] as u64).wrapping_add(instruction.memory_displacement64())
}

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
    if EMULATED.load(Ordering::Relaxed) > 0 {
        // SAFETY: the child's one thread. What `vzeroupper`, and whoever uses AVX-512, does to them.
        unsafe {
            *FILE.zmm.get() = [Zmm { bytes: [0xee; 64] }; 32];
            *FILE.opmasks.get() = [0xeeee; 8];
        }
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
        // SAFETY: the handler is a function of this type.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = emulate as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            assert_eq!(libc::sigaction(libc::SIGILL, &raw const action, ptr::null_mut()), 0);
        }
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
    println!("emulated={}", EMULATED.load(Ordering::Relaxed));
}
