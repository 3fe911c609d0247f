//! What belongs to the caller beside its registers: errno, and the floating-point environment.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

use std::hint::black_box;
use std::sync::LazyLock;

use cbframe::{CpuState, CpuSubset, LongDouble, cbframe, frame};
use cbframe_tests::child::Library;
use cbframe_tests::system::set_errno;

/// Callers with modes of their own: `fenv_call` rounds up, counts denormals as zero and flushes results, traps on division by
/// zero, overflow and invalid operations, and has the x87 unit calculate with 53 bits. (Intel SDM volume 1, sections 8.1.5,
/// 8.1.10 and 10.2.3.) C's own functions for that are others on each system.
const SOURCE: &str = "
    #include <errno.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <xmmintrin.h>
    #ifdef _WIN32
    #include <windows.h>
    #endif

    struct x87 { uint16_t control, _1, status, _2; uint32_t rest[5]; };

    enum { INVALID = 1, ZERO_DIVIDE = 4, OVERFLOWED = 8, UNDERFLOWED = 0x10, ALL = 0x3d };

    static struct x87 x87(void)
    {
        struct x87 env;
        __asm__ volatile(\"fnstenv %0\\n\\tfldcw %0\" : \"=m\"(env));
        return env;
    }

    static void modes(char *text)
    {
        struct x87 env = x87();
        unsigned mxcsr = _mm_getcsr();
        snprintf(text, 100, \"mxcsr %x control %x exceptions %x\", mxcsr & ~0x3f, env.control, (mxcsr | env.status) & ALL);
    }

    #define FENV_CALL(name, convention) \\
    double name(double (convention *f)(double, double), double a, double b, char *before, char *after) \\
    { \\
        struct x87 host = x87(), env = host; \\
        unsigned mxcsr = _mm_getcsr(); \\
        env.control = (0x27f | 0x800) & ~(INVALID | ZERO_DIVIDE | OVERFLOWED); \\
        env.status &= ~0xff; \\
        __asm__ volatile(\"fldenv %0\" : : \"m\"(env)); \\
        _mm_setcsr((0x1f80 | 0x4000 | 0x8040 | UNDERFLOWED) & ~((INVALID | ZERO_DIVIDE | OVERFLOWED) << 7)); \\
        modes(before); \\
        double result = f(a, b); \\
        modes(after); \\
        __asm__ volatile(\"fldenv %0\" : : \"m\"(host)); \\
        _mm_setcsr(mxcsr); \\
        return result; \\
    }
    FENV_CALL(fenv_call, )
    FENV_CALL(fenv_call_sysv64, __attribute__((sysv_abi)))

    /* An exception that is pending, and unmasked. */
    void pending_call(void (*f)(void), char *before, char *after)
    {
        struct x87 host = x87(), env = host;
        env.status |= ZERO_DIVIDE;
        env.control &= ~ZERO_DIVIDE;
        __asm__ volatile(\"fldenv %0\" : : \"m\"(env));
        f();
        __asm__ volatile(\"fnstenv %0\" : \"=m\"(env));
        __asm__ volatile(\"fldenv %0\" : : \"m\"(host));
        snprintf(before, 100, \"%x\", ZERO_DIVIDE);
        snprintf(after, 100, \"%x\", env.status & ALL & ~env.control);
    }

    /* errno, if Windows' last error agrees. */
    #define ERRNO_CALL(name, convention) \\
    int name(int (convention *f)(int), int number) \\
    { \\
        errno = number; \\
        SET_LAST_ERROR(number); \\
        f(5); \\
        return LAST_ERROR() == errno ? errno : -1000; \\
    }
    #ifdef _WIN32
    #define SET_LAST_ERROR(number) SetLastError(number)
    #define LAST_ERROR() ((int)GetLastError())
    #else
    #define SET_LAST_ERROR(number)
    #define LAST_ERROR() errno
    #endif
    ERRNO_CALL(errno_call, )
    ERRNO_CALL(errno_call_sysv64, __attribute__((sysv_abi)))
";

struct Callers {
    /// For callbacks of C's convention, and of System V's.
    fenv: [FenvCall; 2],
    pending: unsafe extern "C" fn(*const (), *mut u8, *mut u8),
    errno: [unsafe extern "C" fn(*const (), i32) -> i32; 2],
}

static CALLERS: LazyLock<Callers> = LazyLock::new(|| {
    let options = ["-O1", "-frounding-math"];
    let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "environment.c", SOURCE, &options);
    // SAFETY: their types in the source above.
    unsafe {
        Callers {
            fenv: ["fenv_call", "fenv_call_sysv64"].map(|name| library.function(name)),
            pending: library.function("pending_call"),
            errno: ["errno_call", "errno_call_sysv64"].map(|name| library.function(name)),
        }
    }
});

type FenvCall = unsafe extern "C" fn(*const (), f64, f64, *mut u8, *mut u8) -> f64;

/// The result of a call, by this ABI string, with these modes, and what they were before and after it.
fn fenv_call(abi: &str, target: *const (), a: f64, b: f64) -> (f64, String, String) {
    let (mut before, mut after) = ([0_u8; 100], [0_u8; 100]);
    // SAFETY: its type in the source above; the targets below take two doubles.
    let result =
        unsafe { CALLERS.fenv[usize::from(abi == "sysv64")](target, a, b, before.as_mut_ptr(), after.as_mut_ptr()) };
    let text = |bytes: [u8; 100]| String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap()).into_owned();
    (result, text(before), text(after))
}

/// The modes of this function: MXCSR but for what has happened, and the x87 control word.
fn modes() -> (u32, u16) {
    let (mut mxcsr, mut control) = (0_u32, 0_u16);
    // SAFETY: stores to these variables.
    unsafe { std::arch::asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &mut mxcsr, in(reg) &mut control) };
    (mxcsr & !0x3f, control)
}

/// Calculates what would trap, be rounded up or be flushed in the caller's modes.
fn calculate(a: f64, b: f64) -> f64 {
    assert_eq!(modes(), (0x1f80, 0x37f));
    assert_eq!(black_box(1.0_f64) / black_box(3.0), 1.0 / 3.0);
    assert!((black_box(1.0_f64) / black_box(0.0)).is_infinite());
    assert!((black_box(0.0_f64) / black_box(0.0)).is_nan());
    assert_eq!(black_box(f64::MIN_POSITIVE) / 2.0, f64::from_bits(1 << 51));
    a / b
}

macro_rules! callbacks {
    ($($name:ident [abi = $abi:literal $($option:tt)*] [$($parameter:tt)*];)*) => {
        $(#[cbframe(abi = $abi $($option)*, save_fenv)]
        fn $name(#[state] s: &u32, $($parameter)* a: f64, b: f64) -> f64 {
            assert_eq!(*s, 5);
            calculate(a, b)
        })*
        fn callbacks() -> Vec<(&'static str, &'static str, *const ())> {
            vec![$((stringify!($name), $abi, $name::leak(&5).expect("a slot") as *const ()),)*]
        }
    };
}

callbacks! {
    direct [abi = "C"] [];
    stack [abi = "sysv64", entry = "stack"] [];
    captured [abi = "sysv64", entry = "captured"] [];
    cpu [abi = "sysv64"] [#[cpu] _cpu: &mut CpuState,];
    subset [abi = "sysv64", save(xmm0)] [#[cpu] _cpu: &mut CpuSubset,];
    x87 [abi = "sysv64", save(gpr, flags, avx, x87)] [#[cpu] _cpu: &mut CpuState,];
    unwinding [abi = "C-unwind"] [];
    falling_back [abi = "C", on_panic = 7.5] [];
}

#[cbframe(abi = "C", save_fenv)]
fn stateless(a: f64, b: f64) -> f64 {
    calculate(a, b)
}

#[test]
fn rust_runs_in_its_environment_and_the_caller_gets_its_own_back() {
    let closure = frame!(abi = "C", save_fenv, |a: f64, b: f64| -> f64 { calculate(a, b) }).expect("a slot");
    let targets = callbacks()
        .into_iter()
        .chain([("stateless", "C", stateless::FN as *const ()), ("closure", "C", closure.as_ptr())]);
    for (name, abi, target) in targets {
        let (result, before, after) = fenv_call(abi, target, 2.0, 3.0);
        // To nearest: rounding up would give another last bit.
        assert_eq!(result.to_bits(), (2.0_f64 / 3.0).to_bits(), "{name}");
        assert_eq!(after, before, "{name}");
        // Up, flushed, zero; all masked but three; 53 bits. Underflow has happened.
        assert_eq!(before, "mxcsr d940 control a72 exceptions 10");
    }
}

/// Without the option the callback runs in the caller's modes: so the callers do what they should.
#[test]
fn without_the_option_the_modes_are_the_callers() {
    #[cbframe(abi = "C")]
    fn plain(a: f64, b: f64) -> f64 {
        assert_ne!(modes(), (0x1f80, 0x37f));
        black_box(a) / black_box(b)
    }
    let (result, _, after) = fenv_call("C", plain::FN as *const (), 2.0, 3.0);
    assert_eq!(result.to_bits(), (2.0_f64 / 3.0).to_bits() + 1, "rounded up");
    assert!(after.ends_with("exceptions 30"), "inexact beside underflow: {after}");
}

/// The state shows what the caller has, and what is written there is what it gets.
#[test]
fn a_handler_sees_and_changes_the_callers_mxcsr() {
    #[cbframe(abi = "sysv64", save_fenv)]
    fn change(#[cpu] cpu: &mut CpuState, a: f64, b: f64) -> f64 {
        let mxcsr = cpu.mxcsr().expect("saved");
        assert_eq!(mxcsr & 0xe040, 0xc040, "round up, flush to zero, denormals are zero");
        cpu.set_mxcsr(mxcsr & !0x8040);
        calculate(a, b)
    }
    let (_, before, after) = fenv_call("sysv64", change::FN as *const (), 2.0, 3.0);
    let mxcsr = |text: &str| u32::from_str_radix(text.split(' ').nth(1).unwrap(), 16).unwrap();
    assert_eq!(mxcsr(&after), mxcsr(&before) & !0x8040);
}

/// An x87 exception that the caller has not taken yet neither interrupts Rust nor is lost.
#[test]
fn a_pending_exception_stays_pending() {
    #[cbframe(abi = "C", save_fenv)]
    fn long_double() {
        let (mut found, one, three) = (0.0_f64, LongDouble::from(1.0), LongDouble::from(3.0));
        // SAFETY: loads and stores these variables; the x87 stack is empty again.
        unsafe {
            std::arch::asm!(
                "fld tbyte ptr [{}]", "fld tbyte ptr [{}]", "fdivp", "fstp qword ptr [{}]",
                in(reg) &one, in(reg) &three, in(reg) &mut found, out("st(0)") _, out("st(1)") _
            );
        }
        assert_eq!(found, 1.0 / 3.0);
    }
    let (mut before, mut after) = ([0_u8; 100], [0_u8; 100]);
    // SAFETY: its type in the source above.
    unsafe { (CALLERS.pending)(long_double::FN as *const (), before.as_mut_ptr(), after.as_mut_ptr()) };
    assert_eq!(before, after);
}

/// A panic that goes on, and one that is caught: the environment is given back in both cases.
#[test]
fn panics_give_the_environment_back() {
    #[cbframe(abi = "C", save_fenv, save_errno, on_panic = 7.5)]
    fn caught(a: f64, _b: f64) -> f64 {
        set_errno(99);
        panic!("{a}")
    }
    let (result, before, after) = fenv_call("C", caught::FN as *const (), 2.0, 3.0);
    assert_eq!((result, after), (7.5, before));
}

macro_rules! errnos {
    ($($name:ident [abi = $abi:literal $($option:tt)*];)*) => {
        $(#[cbframe(abi = $abi $($option)*)]
        fn $name(#[state] s: &i32, x: i32) -> i32 {
            set_errno(*s);
            x
        })*
        fn errnos() -> Vec<(&'static str, &'static str, *const ())> {
            vec![$((stringify!($name), $abi, $name::leak(&77).expect("a slot") as *const ()),)*]
        }
    };
}

errnos! {
    errno_direct [abi = "C", save_errno];
    errno_stack [abi = "sysv64", entry = "stack", save_errno];
    errno_captured [abi = "C", entry = "captured", save_errno];
    errno_unwind [abi = "C-unwind", save_errno];
    errno_both [abi = "C", save_errno, save_fenv];
    lost [abi = "C"];
}

#[test]
fn errno_is_kept_where_that_was_asked_for() {
    let closure = frame!(abi = "C", save_errno, |x: i32| -> i32 {
        set_errno(44);
        x
    });
    let closure = closure.expect("a slot");
    for (name, abi, target) in errnos().into_iter().chain([("closure", "C", closure.as_ptr())]) {
        for number in [0, libc::ERANGE, -1] {
            // SAFETY: the callbacks take and give an int.
            let found = unsafe { CALLERS.errno[usize::from(abi == "sysv64")](target, number) };
            assert_eq!(found, if name == "lost" { 77 } else { number }, "{name}");
        }
    }
}

/// Either of the two alone; and what has happened before the call, which is no mode.
#[test]
fn each_control_register_alone() {
    #[cbframe(abi = "C", save_fenv)]
    fn callback() {
        assert_eq!(modes(), (0x1f80, 0x37f));
        black_box(black_box(1.0_f64) / black_box(0.0));
    }
    for (mxcsr, control) in
        [(0x7f80_u32, 0x37f_u16), (0x1f80, 0xc7f), (0x9fc0, 0x37f), (0x1f80, 0x27f), (0x1fbf, 0x37f)]
    {
        let (mut mxcsrs, mut controls) = ([mxcsr, 0, 0x1f80], [control, 0, 0x37f]);
        // SAFETY: the modes are those of a program's start again before Rust calculates.
        unsafe {
            std::arch::asm!(
                "mov r12, rsp", "and rsp, -16",
                "ldmxcsr [r13]", "fldcw [r14]", "call rax", "stmxcsr [r13 + 4]", "fnstcw [r14 + 2]",
                "ldmxcsr [r13 + 8]", "fldcw [r14 + 4]", "mov rsp, r12",
                in("rax") callback::FN as *const (),
                in("r13") &mut mxcsrs, in("r14") &mut controls,
                out("r12") _, clobber_abi("C"),
            );
        }
        // Where the modes were the usual ones, the callback's own exceptions are there as after any C function.
        let happened = if (mxcsr & !0x3f, control) == (0x1f80, 0x37f) { 4 } else { 0 };
        assert_eq!((mxcsrs[1], controls[1]), (mxcsr | happened, control));
    }
}
