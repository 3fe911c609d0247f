//! The vector registers beyond SSE: every byte is seen, can be changed, and is given back; and where the CPU has none, the
//! group is absent.

use std::arch::naked_asm;
use std::arch::x86_64::__m256i;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

use cbframe::private::VECTORS;
use cbframe::{CpuState, Ymm, cbframe};

use cbframe_tests::vectors::{Vectors, call, poison};

use crate::raw::trash;

type Action = Box<dyn Fn(&mut CpuState) + Send>;
static ACTION: Mutex<Option<Action>> = Mutex::new(None);
static SEEN: Mutex<Option<Vectors>> = Mutex::new(None);
/// The tests of this file share the two above.
static LOCK: Mutex<()> = Mutex::new(());

fn handle(cpu: &mut CpuState) {
    let vectors: Vectors = std::array::from_fn(|number| *cpu.ymm(number).expect("the CPU has AVX"));
    for (number, ymm) in vectors.iter().enumerate() {
        assert_eq!(cpu.xmm(number).expect("in avx").bytes, ymm.bytes[..16], "one register, two views");
    }
    *SEEN.lock().expect("no panic") = Some(vectors);
    if let Some(action) = &*ACTION.lock().expect("no panic") {
        action(cpu);
    }
    trash(true, cpu.x87().is_some());
    // SAFETY: clobbers are declared.
    unsafe {
        std::arch::asm!(
            "vpcmpeqd ymm0, ymm0, ymm0", "vmovaps ymm1, ymm0", "vmovaps ymm2, ymm0", "vmovaps ymm3, ymm0",
            "vmovaps ymm4, ymm0", "vmovaps ymm5, ymm0", "vmovaps ymm6, ymm0", "vmovaps ymm7, ymm0", "vmovaps ymm8, ymm0",
            "vmovaps ymm9, ymm0", "vmovaps ymm10, ymm0", "vmovaps ymm11, ymm0", "vmovaps ymm12, ymm0",
            "vmovaps ymm13, ymm0", "vmovaps ymm14, ymm0", "vmovaps ymm15, ymm0",
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _,
            out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _,
            out("xmm13") _, out("xmm14") _, out("xmm15") _,
        );
    }
}

macro_rules! subjects {
    ($($name:ident [$($save:tt)*];)*) => {
        $(#[cbframe(abi = "raw", save($($save)*))] fn $name(cpu: &mut CpuState) { handle(cpu) })*
        mod bound {
            use super::*;
            $(#[cbframe(abi = "raw", save($($save)*))]
            pub(super) fn $name(#[state] s: &u32, cpu: &mut CpuState) {
                assert_eq!(*s, 55);
                handle(cpu);
            })*
        }
        fn subjects() -> Vec<(&'static str, *const ())> {
            vec![$(
                (stringify!($name), $name::FN as *const ()),
                (stringify!($name), bound::$name::leak(&55).expect("a free slot") as *const ()),
            )*]
        }
    };
}

subjects! {
    avx [gpr, avx];
    flags_avx [gpr, flags, avx];
    avx_x87 [gpr, avx, x87];
    avx512 [gpr, flags, avx512];
    all [gpr, flags, sse, avx, avx512, x87];
}

fn run(target: *const (), action: Option<Action>) -> (Vectors, Vectors) {
    *ACTION.lock().expect("no panic") = action;
    let mut output = [Ymm { bytes: [0; 32] }; 16];
    // SAFETY: a raw callback that does no harm.
    unsafe { call(&poison(), &mut output, target) };
    (output, SEEN.lock().expect("no panic").take().expect("the handler has run"))
}

#[test]
fn every_byte_is_seen_and_given_back() {
    if !is_x86_feature_detected!("avx") {
        return eprintln!("skipped: the CPU has no AVX");
    }
    let _lock = LOCK.lock();
    for (name, target) in subjects() {
        let (after, seen) = run(target, None);
        assert_eq!(seen, poison(), "{name}");
        assert_eq!(after, poison(), "{name}");
    }
}

#[test]
fn every_register_can_be_changed() {
    if !is_x86_feature_detected!("avx") {
        return eprintln!("skipped: the CPU has no AVX");
    }
    let _lock = LOCK.lock();
    for (name, target) in subjects() {
        for number in 0..16 {
            for lane in 0..4 {
                let change = move |cpu: &mut CpuState| cpu.ymm_mut(number).expect("AVX").set_u64(lane, 0x77);
                let (after, _) = run(target, Some(Box::new(change)));
                let mut expected = poison();
                expected[number].bytes[8 * lane..][..8].copy_from_slice(&0x77_u64.to_le_bytes());
                assert_eq!(after, expected, "{name}, ymm{number}, lane {lane}");
            }
            let change = move |cpu: &mut CpuState| cpu.xmm_mut(number).expect("AVX").set_u32(3, 0x99);
            let (after, _) = run(target, Some(Box::new(change)));
            let mut expected = poison();
            expected[number].bytes[12..16].copy_from_slice(&0x99_u32.to_le_bytes());
            assert_eq!(after, expected, "{name}, xmm{number}");
        }
    }
}

/// The ways out on which registers are loaded apart: with flags that only `popfq` sets, and with another rsp.
#[test]
fn every_register_can_be_changed_on_every_path() {
    /// Calls `$target` with a word more on the stack, which the handler pops.
    #[unsafe(naked)]
    unsafe extern "C" fn with_word() {
        naked_asm!(
            "mov rax, [rip + {target}]",
            "push rax",
            "call rax",
            "ret",
            target = sym TARGET,
        )
    }
    static TARGET: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());
    if !is_x86_feature_detected!("avx") {
        return eprintln!("skipped: the CPU has no AVX");
    }
    let _lock = LOCK.lock();
    let all = |cpu: &mut CpuState| (0..16).for_each(|n| cpu.ymm_mut(n).expect("AVX").set_u64(3, n as u64));
    let mut expected = poison();
    expected.iter_mut().enumerate().for_each(|(n, ymm)| ymm.set_u64(3, n as u64));
    for (name, target) in subjects() {
        let flags = move |cpu: &mut CpuState| {
            all(cpu);
            if let Some(flags) = cpu.rflags() {
                cpu.set_rflags(flags ^ 1);
            }
        };
        assert_eq!(run(target, Some(Box::new(flags))).0, expected, "{name}, flags");
        let pop = move |cpu: &mut CpuState| {
            all(cpu);
            cpu.rsp += 8;
        };
        TARGET.store(target.cast_mut(), Ordering::Relaxed);
        assert_eq!(run(with_word as *const (), Some(Box::new(pop))).0, expected, "{name}, rsp");
    }
}

/// Typed arguments and results beside the group: the result wins in its register, all others are the caller's.
#[test]
fn typed_results_win() {
    #[cbframe(abi = "sysv64", save(gpr, avx))]
    fn typed(x: f64, #[cpu] cpu: &mut CpuState, y: f64) -> f64 {
        assert_eq!((cpu.xmm(0).expect("saved").f64(0), cpu.xmm(1).expect("saved").f64(0)), (x, y));
        cpu.xmm_mut(0).expect("saved").set_f64(0, 99.0);
        handle(cpu);
        2.5
    }
    if !is_x86_feature_detected!("avx") {
        return eprintln!("skipped: the CPU has no AVX");
    }
    let _lock = LOCK.lock();
    let (after, _) = run(typed::FN as *const (), None);
    assert_eq!(after[0].f64(0), 2.5);
    assert_eq!(after[1..], poison()[1..]);
}

/// What the library says of a CPU without AVX, which this process takes its own for meanwhile.
#[test]
fn where_the_cpu_has_none_the_group_is_absent() {
    #[cbframe(abi = "raw", save(gpr, avx512))]
    fn without(cpu: &mut CpuState) {
        assert!(cpu.ymm(0).is_none() && cpu.ymm(15).is_none() && cpu.ymm_mut(7).is_none());
        assert!(cpu.zmm(0).is_none() && cpu.zmm(31).is_none() && cpu.zmm_mut(31).is_none() && cpu.opmask(0).is_none());
        for (number, ymm) in poison().iter().enumerate() {
            assert_eq!(cpu.xmm(number).expect("SSE is always there").bytes, ymm.bytes[..16]);
        }
        assert!(cpu.mxcsr().is_some());
        cpu.xmm_mut(5).expect("saved").set_u16(7, 0x1234);
        trash(true, false);
        cpu.rax = 1;
    }
    if !is_x86_feature_detected!("avx") {
        return eprintln!("skipped: the probe needs AVX");
    }
    let _lock = LOCK.lock();
    VECTORS.store(1, Ordering::Relaxed);
    let (mut after, mut expected) = ([Ymm { bytes: [0; 32] }; 16], poison());
    // SAFETY: a raw callback that does no harm.
    unsafe { call(&poison(), &mut after, without::FN as *const ()) };
    expected[5].bytes[14..16].copy_from_slice(&[0x34, 0x12]);
    for number in 0..16 {
        assert_eq!(after[number].bytes[..16], expected[number].bytes[..16], "xmm{number}");
    }
    // Nobody has looked: the next call does, without an effect on any register.
    for (name, target) in subjects() {
        VECTORS.store(0, Ordering::Relaxed);
        let (after, seen) = run(target, None);
        assert_eq!((after, seen), (poison(), poison()), "{name}");
        let found = 2 + u8::from(is_x86_feature_detected!("avx512bw"));
        assert_eq!(VECTORS.load(Ordering::Relaxed), found, "as the standard library finds it");
    }
}

/// Arguments and a result of 32 bytes beside the group: they are where the registers show them, and all others stay whole.
#[test]
fn wide_arguments_and_results() {
    #[allow(improper_ctypes_definitions, reason = "the point")]
    #[cbframe(abi = "sysv64", save(gpr, avx))]
    fn typed(a: __m256i, #[cpu] cpu: &mut CpuState, b: __m256i) -> __m256i {
        // SAFETY: 32 bytes each.
        let [a, b] = [a, b].map(|vector| unsafe { std::mem::transmute::<__m256i, Ymm>(vector) });
        assert_eq!((Some(&a), Some(&b)), (cpu.ymm(0), cpu.ymm(1)));
        handle(cpu);
        let sum = Ymm { bytes: std::array::from_fn(|i| a.bytes[i] ^ b.bytes[i]) };
        // SAFETY: 32 bytes.
        unsafe { std::mem::transmute::<Ymm, __m256i>(sum) }
    }
    if !is_x86_feature_detected!("avx") {
        return eprintln!("skipped: the CPU has no AVX");
    }
    let _lock = LOCK.lock();
    let (after, seen) = run(typed::FN as *const (), None);
    assert_eq!(seen, poison());
    let mut expected = poison();
    expected[0].bytes = std::array::from_fn(|i| poison()[0].bytes[i] ^ poison()[1].bytes[i]);
    assert_eq!(after, expected);
}
