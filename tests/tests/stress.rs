//! Many calls, from C; and deep ones.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::too_many_arguments, reason = "so that some are in memory")]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use cbframe::{CType, CpuState, cbframe};
use cbframe_tests::child::Library;

/// One eightbyte of each class.
#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Pair {
    real: f64,
    whole: i64,
}

/// In memory.
#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Triple {
    first: i64,
    second: f64,
    third: i64,
}

const SWAPS: &str = r#"
    #include <stdint.h>
    struct pair { double real; int64_t whole; };
    struct triple { int64_t first; double second; int64_t third; };

    /* The callback swaps the two members, so after an even number of calls all is as before. */
    #define LOOPS(name, abi) \
        int64_t name##_pair(struct pair (abi *swap)(struct pair), struct pair value, int64_t n) { \
            int64_t wrong = 0; \
            for (int64_t i = 0; i < n; i++) { \
                struct pair before = value; \
                value = swap(value); \
                wrong += value.real != (double)before.whole || value.whole != (int64_t)before.real; \
                value.whole += i % 2; \
            } \
            return wrong; \
        } \
        int64_t name##_triple(struct triple (abi *swap)(struct triple), struct triple value, int64_t n) { \
            int64_t wrong = 0; \
            for (int64_t i = 0; i < n; i++) { \
                struct triple before = value; \
                value = swap(value); \
                wrong += value.first != before.third || value.third != before.first || value.second != -before.second; \
                value.first += i % 2; \
            } \
            return wrong; \
        }
    #ifdef __x86_64__
    LOOPS(sysv, __attribute__((sysv_abi)))
    LOOPS(win, __attribute__((ms_abi)))
    #else
    LOOPS(sysv, )
    #endif
"#;

const MILLION: i64 = 1_000_000;

fn swap_pair(calls: &AtomicU64, value: Pair) -> Pair {
    calls.fetch_add(1, Ordering::Relaxed);
    Pair { real: value.whole as f64, whole: value.real as i64 }
}

fn swap_triple(calls: &AtomicU64, value: Triple) -> Triple {
    calls.fetch_add(1, Ordering::Relaxed);
    Triple { first: value.third, second: -value.second, third: value.first }
}

static STATELESS: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_million_swaps_by_value_from_c() {
    macro_rules! lanes {
        ($($name:ident [$($option:tt)*] [$($state:tt)*] $calls:ident $kind:ident;)*) => {{
            $(
                mod $name {
                    use super::*;
                    #[cbframe($($option)*)]
                    pub(super) fn pair($($state)* value: Pair) -> Pair {
                        swap_pair(&$calls, value)
                    }
                    #[cbframe($($option)*)]
                    pub(super) fn triple($($state)* value: Triple) -> Triple {
                        swap_triple(&$calls, value)
                    }
                }
            )*
            [$((stringify!($name), lanes!(@$kind $name pair), lanes!(@$kind $name triple))),*]
        }};
        (@function $name:ident $callback:ident) => { ($name::$callback::FN as *const (), &STATELESS) };
        (@bound $name:ident $callback:ident) => {{
            let state: &'static AtomicU64 = Box::leak(Box::default());
            ($name::$callback::leak(state).expect("a free slot") as *const (), state)
        }};
    }
    #[cfg(target_arch = "x86_64")]
    let lanes = lanes! {
        function [abi = "sysv64"] [] STATELESS function;
        direct [abi = "sysv64", entry = "direct"] [#[state] calls: &AtomicU64,] calls bound;
        stack [abi = "sysv64", entry = "stack"] [#[state] calls: &AtomicU64,] calls bound;
        captured [abi = "sysv64", entry = "captured"] [#[state] calls: &AtomicU64,] calls bound;
        cpu [abi = "sysv64"] [#[state] calls: &AtomicU64, #[cpu] _cpu: &mut CpuState,] calls bound;
        win_direct [abi = "win64"] [#[state] calls: &AtomicU64,] calls bound;
        win_captured [abi = "win64", entry = "captured"] [#[state] calls: &AtomicU64,] calls bound;
    };
    #[cfg(target_arch = "x86")]
    let lanes = lanes! {
        function [abi = "C"] [] STATELESS function;
        native [abi = "C"] [#[state] calls: &AtomicU64,] calls bound;
        cpu [abi = "C"] [#[state] calls: &AtomicU64, #[cpu] _cpu: &mut CpuState,] calls bound;
    };
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
    let lanes = lanes! {
        function [abi = "C"] [] STATELESS function;
        direct [abi = "C", entry = "direct"] [#[state] calls: &AtomicU64,] calls bound;
        stack [abi = "C"] [#[state] calls: &AtomicU64,] calls bound;
        captured [abi = "C", entry = "captured"] [#[state] calls: &AtomicU64,] calls bound;
        cpu [abi = "C"] [#[state] calls: &AtomicU64, #[cpu] _cpu: &mut CpuState,] calls bound;
    };
    let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "swaps.c", SWAPS, &["-O2"]);
    type Loop<T> = unsafe extern "C" fn(*const (), T, i64) -> i64;
    for (lane, pair, triple) in lanes {
        let abi = if lane.starts_with("win_") { "win" } else { "sysv" };
        // SAFETY: the types of the functions above.
        let (pairs, triples): (Loop<Pair>, Loop<Triple>) =
            unsafe { (library.function(&format!("{abi}_pair")), library.function(&format!("{abi}_triple"))) };
        let before = pair.1.load(Ordering::Relaxed);
        // SAFETY: callbacks of the types that C calls.
        let wrong = unsafe { pairs(pair.0, Pair { real: -3.0, whole: 77 }, MILLION) };
        assert_eq!((wrong, pair.1.load(Ordering::Relaxed) - before), (0, MILLION as u64), "{lane}");
        let before = triple.1.load(Ordering::Relaxed);
        // SAFETY: as above.
        let wrong = unsafe { triples(triple.0, Triple { first: i64::MIN, second: 0.5, third: -1 }, MILLION) };
        assert_eq!((wrong, triple.1.load(Ordering::Relaxed) - before), (0, MILLION as u64), "{lane}");
    }
}

/// Six mixed arguments and two states.
#[test]
fn two_live_callbacks_of_one_function_keep_their_states() {
    type Tag = (u64, &'static str);
    fn mix((number, text): &Tag, a: i8, b: f32, c: u64, d: f64, e: *const u8, f: i16) -> f64 {
        let sum = f64::from(a) + f64::from(b) + c as f64 + d + e.addr() as f64 + f64::from(f);
        sum * *number as f64 + text.len() as f64
    }
    // With a = -1, b = 0.5, c = 3, d = -0.25, e = 40, f = -6, the sum is 36.25.
    macro_rules! lanes {
        ($($name:ident [$($option:tt)*];)*) => { $(
            #[cbframe($($option)*)]
            fn $name(#[state] tag: &Tag, a: i8, b: f32, c: u64, d: f64, e: *const u8, f: i16) -> f64 {
                mix(tag, a, b, c, d, e, f)
            }
            let (one, two) = ($name::bind((2, "")).expect("free"), $name::bind((1000, "seven..")).expect("free"));
            let (f, g) = (one.as_fn(), two.as_fn());
            assert_ne!(f as *const (), g as *const ());
            for _ in 0..1000 {
                // SAFETY: the frames live.
                let found = unsafe {
                    (
                        black_box(f)(-1, 0.5, 3, -0.25, 40 as *const u8, -6),
                        black_box(g)(-1, 0.5, 3, -0.25, 40 as *const u8, -6),
                        black_box(f)(1, 0.5, 1, -0.5, std::ptr::dangling(), 1),
                    )
                };
                assert_eq!(found, (72.5, 36_257.0, 8.0), stringify!($name));
            }
        )* };
    }
    #[cfg(target_arch = "x86_64")]
    lanes! {
        native [abi = "C"];
        direct [abi = "sysv64", entry = "direct"];
        stack [abi = "sysv64", entry = "stack"];
        captured [abi = "sysv64", entry = "captured"];
        win_stack [abi = "win64"];
        win_captured [abi = "win64", entry = "captured"];
    }
    #[cfg(target_arch = "x86")]
    lanes! {
        native [abi = "C"];
        stdcall [abi = "stdcall"];
        fastcall [abi = "fastcall"];
        thiscall [abi = "thiscall"];
    }
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
    lanes! {
        native [abi = "C"];
        direct [abi = "C", entry = "direct"];
        stack [abi = "C"];
        captured [abi = "C", entry = "captured"];
    }
}

/// The levels of one recursion.
const DEPTH: u64 = 100_000;
const STATE: u64 = 0x5717e;

/// Each level calls the next through the callback, and then looks at its own arguments again.
#[inline(never)]
fn descend(state: &u64, level: u64, real: f64, pair: Pair, again: impl FnOnce(u64) -> u64) -> u64 {
    let below = if level == 0 { 0 } else { again(level - 1) };
    assert_eq!(black_box(*state), STATE, "the state at level {level}");
    let (level, real, pair) = (black_box(level), black_box(real), black_box(pair));
    assert_eq!(real, level as f64 * 0.5, "an argument of level {level}");
    assert_eq!(pair, arguments(level), "an argument of level {level}");
    assert_eq!(below, level * (level + 1) / 2 - level, "the result at level {level}");
    below + level
}

fn arguments(level: u64) -> Pair {
    Pair { real: -(level as f64), whole: !level as i64 }
}

thread_local! {
    static AGAIN: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
}

#[test]
fn a_recursion_is_as_deep_as_the_stack() {
    macro_rules! lanes {
        ($($name:ident $abi:tt [$($option:tt)*] [$($state:tt)*] $value:ident [$($word:ident)*] $kind:ident;)*) => {{
            $(
                mod $name {
                    use super::*;

                    pub(super) fn again(level: u64) -> u64 {
                        type Pointer = unsafe extern $abi fn(u64, f64, Pair, $(lanes!(@word $word)),*) -> u64;
                        // SAFETY: `run` has stored this lane's callback, whose frame lives.
                        let f = unsafe { std::mem::transmute::<*const (), Pointer>(AGAIN.get()) };
                        $(let $word = level ^ 0xff;)*
                        // SAFETY: as above.
                        unsafe { f(level, level as f64 * 0.5, arguments(level), $($word),*) }
                    }

                    #[cbframe(abi = $abi, $($option)*)]
                    pub(super) fn callback($($state)* level: u64, real: f64, pair: Pair, $($word: u64),*) -> u64 {
                        let result = descend(&$value, level, real, pair, again);
                        $(assert_eq!($word, level ^ 0xff, "a word of level {level}");)*
                        result
                    }
                }
            )*
            [$((
                stringify!($name),
                lanes!(@$kind $name) as *const () as usize,
                $name::again as fn(u64) -> u64,
            )),*]
        }};
        (@word $word:ident) => { u64 };
        (@function $name:ident) => { $name::callback::FN };
        (@bound $name:ident) => { $name::callback::leak(STATE).expect("a free slot") };
    }
    #[cfg(target_arch = "x86_64")]
    let lanes = lanes! {
        function "C" [] [] STATE [] function;
        direct "sysv64" [entry = "direct"] [#[state] s: &u64,] s [a] bound;
        stack "sysv64" [entry = "stack"] [#[state] s: &u64,] s [a b] bound;
        spilled "sysv64" [] [#[state] s: &u64,] s [a b c d e f g] bound;
        captured "sysv64" [entry = "captured"] [#[state] s: &u64,] s [a b c d e f g] bound;
        cpu "sysv64" [] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a b c d e] bound;
        cpu_x87 "sysv64" [save(gpr, flags, sse, x87)] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a] bound;
        win_direct "win64" [] [#[state] s: &u64,] s [] bound;
        win_spilled "win64" [] [#[state] s: &u64,] s [a b c] bound;
        win_captured "win64" [entry = "captured"] [#[state] s: &u64,] s [a b c] bound;
    };
    #[cfg(target_arch = "x86")]
    let lanes = lanes! {
        function "C" [] [] STATE [] function;
        native "C" [] [#[state] s: &u64,] s [a] bound;
        stdcall "stdcall" [] [#[state] s: &u64,] s [a b c] bound;
        cpu "C" [] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a b c d e] bound;
        cpu_x87 "stdcall" [save(gpr, flags, sse, x87)] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a] bound;
    };
    #[cfg(target_arch = "aarch64")]
    let lanes = lanes! {
        function "C" [] [] STATE [] function;
        direct "C" [entry = "direct"] [#[state] s: &u64,] s [a] bound;
        stack "C" [] [#[state] s: &u64,] s [a b] bound;
        spilled "C" [] [#[state] s: &u64,] s [a b c d e f g] bound;
        captured "C" [entry = "captured"] [#[state] s: &u64,] s [a b c d e f g] bound;
        cpu "C" [] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a b c d e] bound;
        cpu_x87 "C" [save(gpr, flags, simd)] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a] bound;
    };
    #[cfg(target_arch = "riscv64")]
    let lanes = lanes! {
        function "C" [] [] STATE [] function;
        direct "C" [entry = "direct"] [#[state] s: &u64,] s [a] bound;
        stack "C" [] [#[state] s: &u64,] s [a b] bound;
        spilled "C" [] [#[state] s: &u64,] s [a b c d e f g] bound;
        captured "C" [entry = "captured"] [#[state] s: &u64,] s [a b c d e f g] bound;
        cpu "C" [] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a b c d e] bound;
        cpu_x87 "C" [save(gpr, fpr)] [#[state] s: &u64, #[cpu] _cpu: &mut CpuState,] s [a] bound;
    };
    for (lane, address, again) in lanes {
        let thread = std::thread::Builder::new().stack_size(DEPTH as usize * 8192).spawn(move || {
            AGAIN.set(address as *const ());
            again(DEPTH)
        });
        let result = thread.expect("a thread").join().unwrap_or_else(|_| panic!("{lane} failed"));
        assert_eq!(result, DEPTH * (DEPTH + 1) / 2, "{lane}");
    }
}

/// A raw callback that calls itself: each level finds its own state of the CPU again.
#[test]
fn raw_callbacks_recurse() {
    #[cbframe(abi = "raw")]
    fn raw(cpu: &mut CpuState) {
        #[cfg(target_arch = "x86")]
        {
            // SAFETY: the caller has passed two words for each of four arguments.
            let word = |n| unsafe { cpu.stack_word(n) }.u32();
            let long = |n| u64::from(word(n)) | u64::from(word(n + 1)) << 32;
            let (level, before) = (long(1), (cpu.esi, cpu.ebx, cpu.esp, cpu.eip));
            let below = if level == 0 { 0 } else { call(level - 1) };
            assert_eq!(before, (cpu.esi, cpu.ebx, cpu.esp, cpu.eip));
            assert_eq!((long(3), f64::from_bits(long(7))), (!level, level as f64));
            let sum = below + level;
            (cpu.eax, cpu.edx) = (sum as u32, (sum >> 32) as u32);
        }
        #[cfg(target_arch = "aarch64")]
        {
            let (level, before) = (cpu.x[0], (cpu.x, cpu.sp, cpu.pc, cpu.v(1).map(|v| v.bytes)));
            let below = if level == 0 { 0 } else { call(level - 1) };
            assert_eq!(before, (cpu.x, cpu.sp, cpu.pc, cpu.v(1).map(|v| v.bytes)));
            assert_eq!(cpu.x[1], !level);
            assert_eq!(cpu.v(1).expect("saved").f64(0), level as f64);
            cpu.x[0] = below + level;
        }
        #[cfg(target_arch = "riscv64")]
        {
            let (level, before) = (cpu.x[10], (cpu.x, cpu.pc, cpu.f(11).map(|f| f.bytes)));
            let below = if level == 0 { 0 } else { call(level - 1) };
            assert_eq!(before, (cpu.x, cpu.pc, cpu.f(11).map(|f| f.bytes)));
            assert_eq!(cpu.x[11], !level);
            assert_eq!(cpu.f(11).expect("saved").f64(0), level as f64);
            cpu.x[10] = below + level;
        }
        #[cfg(target_arch = "x86_64")]
        {
            let (level, before) = (cpu.rdi, (cpu.rsi, cpu.rbx, cpu.rsp, cpu.rip, cpu.xmm(1).map(|xmm| xmm.bytes)));
            let below = if level == 0 { 0 } else { call(level - 1) };
            assert_eq!(before, (cpu.rsi, cpu.rbx, cpu.rsp, cpu.rip, cpu.xmm(1).map(|xmm| xmm.bytes)));
            assert_eq!((cpu.rdi, cpu.rsi), (level, !level));
            assert_eq!(cpu.xmm(1).expect("saved").f64(0), level as f64);
            cpu.rax = below + level;
        }
    }
    fn call(level: u64) -> u64 {
        // SAFETY: the callback takes its arguments where this type puts them.
        #[cfg(target_arch = "x86_64")]
        let f: extern "sysv64" fn(u64, u64, f64, f64) -> u64 = unsafe { std::mem::transmute(raw::FN) };
        // SAFETY: as above.
        #[cfg(not(target_arch = "x86_64"))]
        let f: extern "C" fn(u64, u64, f64, f64) -> u64 = unsafe { std::mem::transmute(raw::FN) };
        f(level, !level, 0.0, level as f64)
    }
    let thread = std::thread::Builder::new().stack_size(DEPTH as usize * 8192).spawn(|| call(DEPTH));
    assert_eq!(thread.expect("a thread").join().expect("no panic"), DEPTH * (DEPTH + 1) / 2);
}
