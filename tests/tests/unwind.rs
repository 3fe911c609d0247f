//! The stack seen from a callback, panics that leave it through frames of C, and C++ exceptions that pass through.
#![allow(missing_docs, reason = "tests")]

#[cfg(not(any(target_arch = "aarch64", target_arch = "riscv64")))]
#[path = "unwind/steps.rs"]
mod steps;

use std::arch::naked_asm;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use cbframe::{__cbframe_unwind as unwind, CpuImage, convention};
use cbframe::{CType, CpuState, bind_static, cbframe};
use cbframe_tests::child::Library;
use cbframe_tests::system::{is_win64, walk};

static STATE: u32 = 3;

thread_local! {
    static TRACE: RefCell<String> = const { RefCell::new(String::new()) };
    /// Return addresses and the frames' canonical addresses, innermost first.
    static FRAMES: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
    static ENDS: Cell<Ends> = const { Cell::new(Ends::Returns) };
    static GUARDS: Cell<u32> = const { Cell::new(0) };
    /// Whether `record` does nothing.
    static STEPPING: Cell<bool> = const { Cell::new(false) };
}

/// How `record` ends.
#[derive(Clone, Copy)]
enum Ends {
    Returns,
    Panics,
    /// With an exception of C++.
    Throws(Thrower),
}

type Thrower = extern "C-unwind" fn(u64) -> u64;

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        GUARDS.set(GUARDS.get() + 1);
    }
}

/// The body of all callbacks.
#[inline(never)]
fn record(x: u64) -> u64 {
    if STEPPING.get() {
        return x + 1;
    }
    let _guard = Guard;
    match ENDS.get() {
        Ends::Returns => {}
        Ends::Panics => resume_unwind(Box::new(x)),
        Ends::Throws(thrower) => return thrower(x),
    }
    TRACE.set(Backtrace::force_capture().to_string());
    let mut frames = Vec::new();
    walk(&mut |address, rsp| frames.push((address, rsp)));
    FRAMES.set(frames);
    x + 1
}

/// Calls the address `target` with `x` as the first argument of both conventions.
///
/// Frame: [home space and stack arguments: 56] [rdi] [rsi] [return address]
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "sysv64-unwind" fn frame_of_assembly(x: u64, target: *const ()) -> u64 {
    naked_asm!(
        unwind!(dwarf ".cfi_startproc"; seh ".seh_proc .Lframe"),
        "sub rsp, 72",
        unwind!(dwarf ".cfi_def_cfa_offset 80"; seh ".seh_stackalloc 72", ".seh_endprologue"),
        "mov rcx, rdi",
        "call rsi",
        ".globl cbframe_tests_after_call",
        "cbframe_tests_after_call:",
        "add rsp, 72",
        unwind!(dwarf ".cfi_def_cfa_offset 8"),
        "ret",
        unwind!(dwarf ".cfi_endproc"; seh ".seh_endproc"),
    )
}

#[cfg(target_arch = "x86")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn frame_of_assembly(x: u64, target: *const ()) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "sub esp, 60",
        ".cfi_def_cfa_offset 64",
        "mov eax, [esp + 64]",
        "mov [esp], eax",
        "mov eax, [esp + 68]",
        "mov [esp + 4], eax",
        "call [esp + 72]",
        ".globl cbframe_tests_after_call",
        "cbframe_tests_after_call:",
        "add esp, 60",
        ".cfi_def_cfa_offset 4",
        "ret",
        ".cfi_endproc",
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn frame_of_assembly(x: u64, target: *const ()) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-80]!",
        ".cfi_def_cfa_offset 80",
        ".cfi_offset x29, -80",
        ".cfi_offset x30, -72",
        "blr x1",
        ".globl cbframe_tests_after_call",
        "cbframe_tests_after_call:",
        "ldp x29, x30, [sp], #80",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
    )
}

#[cfg(target_arch = "riscv64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn frame_of_assembly(x: u64, target: *const ()) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "addi sp, sp, -80",
        ".cfi_def_cfa_offset 80",
        "sd ra, 72(sp)",
        ".cfi_offset ra, -8",
        "jalr a1",
        ".globl cbframe_tests_after_call",
        "cbframe_tests_after_call:",
        "ld ra, 72(sp)",
        ".cfi_restore ra",
        "addi sp, sp, 80",
        ".cfi_def_cfa_offset 0",
        "ret",
        ".cfi_endproc",
    )
}

unsafe extern "C" {
    static cbframe_tests_after_call: u8;
}

macro_rules! lanes {
    ($($name:ident [abi = $abi:literal $($option:tt)*] [$($state:tt)*] [$($word:ident)*] $pointer:ident;)*) => {
        $(
            #[allow(clippy::too_many_arguments, reason = "so that some are in memory")]
            #[cbframe(abi = $abi $($option)*)]
            fn $name($($state)* x: u64, $($word: u64),*) -> u64 {
                $(let _ = $word;)*
                record(x)
            }
        )*

        /// Every lane, its convention and its address.
        fn lanes() -> Vec<(&'static str, &'static str, *const ())> {
            vec![$((stringify!($name), $abi, lanes!(@$pointer $name) as *const ())),*]
        }
    };
    (@function $name:ident) => { $name::FN };
    (@bound $name:ident) => { $name::leak(&STATE).expect("a free slot") };
    (@exclusive $name:ident) => { $name::leak(STATE).expect("a free slot") };
    (@fixed $name:ident) => { bind_static!($name, STATE) };
}

#[cfg(target_arch = "aarch64")]
lanes! {
    function [abi = "C-unwind"] [] [] function;
    function_captured [abi = "C-unwind", entry = "captured"] [] [a b c d e f g] function;
    function_cpu [abi = "C-unwind"] [#[cpu] _c: &mut CpuState,] [] function;
    native [abi = "C-unwind"] [#[state] _s: &u32,] [] bound;
    direct [abi = "C-unwind", entry = "direct"] [#[state] _s: &u32,] [a b] bound;
    stack [abi = "C-unwind", entry = "stack"] [#[state] _s: &u32,] [a b c d e f g] bound;
    captured [abi = "C-unwind", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
    cpu [abi = "C-unwind", save(gpr)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
    cpu_x0 [abi = "C-unwind", save(x0, v0)] [#[state] _s: &u32, #[cpu] _c: &mut cbframe::CpuSubset,] [] bound;
    fixed [abi = "C-unwind"] [#[state] _s: &u32,] [] fixed;
    fixed_captured [abi = "C-unwind", entry = "captured"] [#[state] _s: &u32,] [] fixed;
    system [abi = "system-unwind"] [#[state] _s: &u32,] [] bound;
    system_function [abi = "system-unwind"] [] [] function;
    direct_exclusive [abi = "C-unwind", entry = "direct"] [#[state] _s: &mut u32,] [a b] exclusive;
    stack_exclusive [abi = "C-unwind", entry = "stack"] [#[state] _s: &mut u32,] [a b c d e f g] exclusive;
    captured_exclusive [abi = "C-unwind", entry = "captured"] [#[state] _s: &mut u32,] [a b] exclusive;
    cpu_exclusive [abi = "system-unwind"] [#[state] _s: &mut u32, #[cpu] _c: &mut CpuState,] [] exclusive;
}

#[cfg(target_arch = "riscv64")]
lanes! {
    function [abi = "C-unwind"] [] [] function;
    function_captured [abi = "C-unwind", entry = "captured"] [] [a b c d e f g] function;
    function_cpu [abi = "C-unwind"] [#[cpu] _c: &mut CpuState,] [] function;
    native [abi = "C-unwind"] [#[state] _s: &u32,] [] bound;
    direct [abi = "C-unwind", entry = "direct"] [#[state] _s: &u32,] [a b] bound;
    stack [abi = "C-unwind", entry = "stack"] [#[state] _s: &u32,] [a b c d e f g] bound;
    captured [abi = "C-unwind", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
    cpu [abi = "C-unwind", save(gpr)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
    cpu_a0 [abi = "C-unwind", save(a0, fa0)] [#[state] _s: &u32, #[cpu] _c: &mut cbframe::CpuSubset,] [] bound;
    fixed [abi = "C-unwind"] [#[state] _s: &u32,] [] fixed;
    fixed_captured [abi = "C-unwind", entry = "captured"] [#[state] _s: &u32,] [] fixed;
    system [abi = "system-unwind"] [#[state] _s: &u32,] [] bound;
    system_function [abi = "system-unwind"] [] [] function;
    direct_exclusive [abi = "C-unwind", entry = "direct"] [#[state] _s: &mut u32,] [a b] exclusive;
    stack_exclusive [abi = "C-unwind", entry = "stack"] [#[state] _s: &mut u32,] [a b c d e f g] exclusive;
    captured_exclusive [abi = "C-unwind", entry = "captured"] [#[state] _s: &mut u32,] [a b] exclusive;
    cpu_exclusive [abi = "system-unwind"] [#[state] _s: &mut u32, #[cpu] _c: &mut CpuState,] [] exclusive;
}

#[cfg(target_arch = "x86")]
lanes! {
    function [abi = "C-unwind"] [] [] function;
    function_cpu [abi = "cdecl-unwind"] [#[cpu] _c: &mut CpuState,] [] function;
    native [abi = "C-unwind"] [#[state] _s: &u32,] [] bound;
    captured [abi = "C-unwind", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
    cpu [abi = "C-unwind", save(gpr)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
    cpu_x87 [abi = "cdecl-unwind", save(gpr, flags, sse, x87)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
    cpu_flags [abi = "C-unwind", save(flags, edx)] [#[state] _s: &u32, #[cpu] _c: &mut cbframe::CpuSubset,] [] bound;
    fixed [abi = "C-unwind"] [#[state] _s: &u32,] [] fixed;
    system [abi = "system-unwind"] [#[state] _s: &u32,] [] bound;
}

#[cfg(target_arch = "x86_64")]
lanes! {
    function [abi = "C-unwind"] [] [] function;
    function_captured [abi = "sysv64-unwind", entry = "captured"] [] [a b c d e f] function;
    function_cpu [abi = "sysv64-unwind"] [#[cpu] _c: &mut CpuState,] [] function;
    native [abi = "C-unwind"] [#[state] _s: &u32,] [] bound;
    direct [abi = "sysv64-unwind", entry = "direct"] [#[state] _s: &u32,] [a b] bound;
    stack [abi = "sysv64-unwind", entry = "stack"] [#[state] _s: &u32,] [a b] bound;
    spilled [abi = "sysv64-unwind"] [#[state] _s: &u32,] [a b c d e f g] bound;
    captured [abi = "sysv64-unwind", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
    cpu [abi = "sysv64-unwind", save(gpr)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
    cpu_x87 [abi = "sysv64-unwind", save(gpr, flags, sse, x87)] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [] bound;
    fixed [abi = "C-unwind"] [#[state] _s: &u32,] [] fixed;
    fixed_captured [abi = "C-unwind", entry = "captured"] [#[state] _s: &u32,] [] fixed;
    system [abi = "system-unwind"] [#[state] _s: &u32,] [] bound;
    system_function [abi = "system-unwind"] [] [] function;
    direct_exclusive [abi = "sysv64-unwind", entry = "direct"] [#[state] _s: &mut u32,] [a b] exclusive;
    stack_exclusive [abi = "sysv64-unwind", entry = "stack"] [#[state] _s: &mut u32,] [a b] exclusive;
    captured_exclusive [abi = "C-unwind", entry = "captured"] [#[state] _s: &mut u32,] [a b] exclusive;
    cpu_exclusive [abi = "system-unwind"] [#[state] _s: &mut u32, #[cpu] _c: &mut CpuState,] [] exclusive;
    win_function [abi = "win64-unwind"] [] [] function;
    win_function_captured [abi = "win64-unwind", entry = "captured"] [] [a b c d e] function;
    win_direct [abi = "win64-unwind"] [#[state] _s: &u32,] [a b] bound;
    win_stack [abi = "win64-unwind"] [#[state] _s: &u32,] [a b c] bound;
    win_spilled [abi = "win64-unwind"] [#[state] _s: &u32,] [a b c d e] bound;
    win_captured [abi = "win64-unwind", entry = "captured"] [#[state] _s: &u32,] [a b] bound;
    win_cpu [abi = "win64-unwind"] [#[state] _s: &u32, #[cpu] _c: &mut CpuState,] [a] bound;
    win_fixed [abi = "win64-unwind"] [#[state] _s: &u32,] [] fixed;
    win_direct_exclusive [abi = "win64-unwind"] [#[state] _s: &mut u32,] [a b] exclusive;
    win_stack_exclusive [abi = "win64-unwind"] [#[state] _s: &mut u32,] [a b c d] exclusive;
    win_captured_exclusive [abi = "win64-unwind", entry = "captured"] [#[state] _s: &mut u32,] [a] exclusive;
}

#[cbframe(abi = "raw")]
fn raw(cpu: &mut CpuState) {
    answer(cpu);
}

#[cfg(not(any(target_arch = "aarch64", target_arch = "riscv64")))]
#[cbframe(abi = "raw", save(gpr, flags, sse, x87))]
fn raw_bound(#[state] _s: &u32, cpu: &mut CpuState) {
    answer(cpu);
}

#[cfg(target_arch = "aarch64")]
#[cbframe(abi = "raw", save(gpr, flags, simd))]
fn raw_bound(#[state] _s: &u32, cpu: &mut CpuState) {
    answer(cpu);
}

#[cfg(target_arch = "riscv64")]
#[cbframe(abi = "raw", save(gpr, fpr))]
fn raw_bound(#[state] _s: &u32, cpu: &mut CpuState) {
    answer(cpu);
}

#[cfg(target_arch = "x86")]
fn answer(cpu: &mut CpuState) {
    // SAFETY: the caller has passed two words.
    let (low, high) = unsafe { (cpu.stack_word(1).u32(), cpu.stack_word(2).u32()) };
    let result = record(u64::from(low) | u64::from(high) << 32);
    (cpu.eax, cpu.edx) = (result as u32, (result >> 32) as u32);
}

#[cfg(target_arch = "x86_64")]
fn answer(cpu: &mut CpuState) {
    cpu.rax = record(cpu.rdi);
}

#[cfg(target_arch = "aarch64")]
fn answer(cpu: &mut CpuState) {
    cpu.x[0] = record(cpu.x[0]);
}

#[cfg(target_arch = "riscv64")]
fn answer(cpu: &mut CpuState) {
    cpu.x[10] = record(cpu.x[10]);
}

#[cbframe(abi = "C")]
fn plain(#[state] _s: &u32, x: u64) -> u64 {
    record(x)
}

#[cbframe(abi = "efiapi")]
fn efi(#[state] _s: &u32, x: u64) -> u64 {
    record(x)
}

#[cfg(target_arch = "aarch64")]
#[cbframe(abi = "custom", ret = "x0")]
fn custom(#[state] _s: &u32, #[reg("w0")] x: u32) -> u64 {
    record(x.into())
}

#[cfg(target_arch = "x86_64")]
#[cbframe(abi = "custom", ret = "rax")]
fn custom(#[state] _s: &u32, #[reg("edi")] x: u32) -> u64 {
    record(x.into())
}

#[cfg(target_arch = "x86_64")]
convention! {
    /// Its callers do not align the stack.
    struct Unaligned {
        ints: [rdi],
        floats: [],
        results: [rax],
        preserves: [rsi, xmm3],
        stack_align: 8,
    }
}

#[cfg(target_arch = "x86_64")]
#[cbframe(abi = Unaligned)]
fn unaligned(#[state] _s: &u32, x: u64, _a: u64, _b: u8, _c: f64) -> u64 {
    record(x)
}

#[cfg(target_arch = "x86_64")]
#[cbframe(abi = Unaligned)]
fn unaligned_function(x: u64, _a: u64, _b: u8) -> u64 {
    record(x)
}

/// Those whose callbacks may unwind, and others.
fn all_lanes() -> Vec<(&'static str, *const ())> {
    let mut lanes: Vec<_> = lanes().into_iter().map(|(lane, _, target)| (lane, target)).collect();
    lanes.extend([
        ("raw", raw::FN as *const ()),
        ("raw_bound", raw_bound::leak(&STATE).expect("a free slot") as *const ()),
        ("plain", plain::leak(&STATE).expect("a free slot") as *const ()),
        ("efi", efi::leak(&STATE).expect("a free slot") as *const ()),
        #[cfg(not(any(target_arch = "x86", target_arch = "riscv64")))]
        ("custom", custom::leak(&STATE).expect("a free slot") as *const ()),
    ]);
    #[cfg(target_arch = "x86_64")]
    lanes.extend([
        ("unaligned", unaligned::leak(&STATE).expect("a free slot") as *const ()),
        ("unaligned_function", unaligned_function::FN as *const ()),
    ]);
    lanes
}

/// The frame that every trace has to come to.
#[inline(never)]
fn the_outermost_function(target: *const ()) -> u64 {
    // SAFETY: a callback of one of the lanes, which takes any integers.
    let result = unsafe { frame_of_assembly(41, target) };
    std::hint::black_box(result)
}

#[test]
fn a_backtrace_goes_from_the_callback_to_the_thread() {
    for (lane, target) in all_lanes() {
        assert_eq!(the_outermost_function(target), 42, "{lane}");
        let trace = TRACE.take();
        // Innermost first. Each name is on the way from here to the first frame of the thread.
        let mut rest = trace.as_str();
        // A test runs on a thread of its own, whose first frame is no `main`.
        let (caller, outermost) = ("unwind::frame_of_assembly", "unwind::the_outermost_function");
        for name in ["unwind::record", caller, outermost, "__rust_begin_short_backtrace"] {
            let (_, after) = rest.split_once(name).unwrap_or_else(|| panic!("{lane}: no {name} in\n{trace}"));
            rest = after;
        }
        // And the frame of the caller is found where it is: its return address, once, and a stack that only grows.
        let frames = FRAMES.take();
        let after_call = (&raw const cbframe_tests_after_call).addr();
        assert_eq!(frames.iter().filter(|frame| frame.0 == after_call).count(), 1, "{lane}: {frames:x?}");
        assert!(frames.is_sorted_by_key(|frame| frame.1), "{lane}: {frames:x?}");
    }
}

/// Whatever registers the function was called with, rbp among them.
#[cfg(target_arch = "x86_64")]
#[test]
fn what_a_call_with_every_register_throws() {
    extern "sysv64-unwind" fn throws(code: u64, _: u64, _: u64, _: u64, _: u64, _: u64, on_the_stack: u64) {
        resume_unwind(Box::new(code + on_the_stack));
    }

    let mut image = CpuImage::new();
    (image.rdi, image.rbp, image.rbx) = (40, 0x7777, 0x8888);
    for _ in 0..2 {
        // SAFETY: the function's arguments.
        let called =
            catch_unwind(std::panic::AssertUnwindSafe(|| unsafe { image.call_unwind(throws as *const (), &[2]) }));
        assert_eq!(called.err().unwrap().downcast_ref::<u64>(), Some(&42));
    }
}

/// A C++ compiler takes this too.
const RELAYS: &str = r#"
    #include <stdint.h>

    static __thread int cleanups;
    struct line { uint64_t words[8]; } __attribute__((aligned(64)));

    #ifdef __cplusplus
    struct local {
        uint64_t value = 0x1234567890abcdefu;
        ~local() { cleanups += value == 0x1234567890abcdefu; }
    };
    #define LOCAL local local
    #ifdef RETHROWS
    #define RELAY(call) try { return (call) + x; } catch (...) { cleanups += 100; throw; }
    #endif
    extern "C" {
    #else
    static void cleanup(uint64_t *local) { cleanups += *local == 0x1234567890abcdefu; }
    #define LOCAL uint64_t local __attribute__((cleanup(cleanup))) = 0x1234567890abcdefu
    #endif
    #ifndef RELAY
    #define RELAY(call) return (call) + x;
    #endif

    int taken(void) { int n = cleanups; cleanups = 0; return n; }

    /* A relay keeps values in preserved registers across the call. */
    #ifdef __x86_64__
    #define SYSV __attribute__((sysv_abi))
    #define WIN __attribute__((ms_abi))
    #else
    #define SYSV
    #define WIN
    #endif
    typedef uint64_t (SYSV *sysv)(uint64_t, ...);
    __attribute__((noinline)) uint64_t relay(sysv f, uint64_t x) {
        LOCAL;
        RELAY(f(x, 2, 3, 4, 5, 6, 7, 8))
    }
    typedef uint64_t (WIN *win)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    __attribute__((noinline)) uint64_t relay_win(win f, uint64_t x) {
        LOCAL;
        RELAY(f(x, 2, 3, 4, 5, 6))
    }
    typedef uint64_t (SYSV *of_line)(uint64_t, struct line);
    __attribute__((noinline)) uint64_t relay_line(of_line f, uint64_t x) {
        LOCAL;
        struct line line = { { 1, 2, 3, 4, 5, 6, 7, 8 } };
        RELAY(f(x, line))
    }
    #ifdef __cplusplus
    }
    #endif
"#;

type Relay = unsafe extern "C-unwind" fn(*const (), u64) -> u64;

struct Relays {
    language: &'static str,
    sysv: Relay,
    win: Relay,
    line: Relay,
    taken: unsafe extern "C" fn() -> c_int,
    /// What `taken` says after a panic.
    unwound: c_int,
}

impl Relays {
    fn compile(language: &'static str, file: &str, options: &[&str], unwound: c_int) -> Self {
        let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), file, RELAYS, options);
        // SAFETY: the types of the functions above.
        unsafe {
            Self {
                language,
                sysv: library.function("relay"),
                win: library.function("relay_win"),
                line: library.function("relay_line"),
                taken: library.function("taken"),
                unwound,
            }
        }
    }

    /// The relay whose functions the lane has.
    fn to(&self, lane: &str, abi: &str) -> Relay {
        match lane {
            "line" => self.line,
            _ if is_win64(abi) => self.win,
            _ => self.sysv,
        }
    }
}

fn relays() -> &'static [Relays; 3] {
    static RELAYS: OnceLock<[Relays; 3]> = OnceLock::new();
    RELAYS.get_or_init(|| {
        [
            Relays::compile("C", "relays.c", &["-O2", "-fexceptions", "-Wno-psabi"], 1),
            Relays::compile("C++", "relays.cc", &["-O2", "-Wno-psabi"], 1),
            // `catch (...)` sees the panic too.
            Relays::compile("C++ that rethrows", "rethrowing_relays.cc", &["-O2", "-Wno-psabi", "-DRETHROWS"], 101),
        ]
    })
}

/// In memory, and aligned such that the stack entry pads with eight words.
#[derive(CType, Clone, Copy)]
#[repr(C, align(64))]
struct Line {
    words: [u64; 8],
}

#[cfg(not(target_arch = "x86_64"))]
#[cbframe(abi = "C-unwind")]
fn line(#[state] _s: &mut u32, x: u64, line: Line) -> u64 {
    assert_eq!(line.words, [1, 2, 3, 4, 5, 6, 7, 8]);
    record(x)
}

#[cfg(target_arch = "x86_64")]
#[cbframe(abi = "sysv64-unwind", entry = "stack")]
fn line(#[state] _s: &mut u32, x: u64, line: Line) -> u64 {
    assert_eq!(line.words, [1, 2, 3, 4, 5, 6, 7, 8]);
    record(x)
}

/// The lanes out of which a panic may go, also those that only C calls here.
fn unwinding_lanes() -> Vec<(&'static str, &'static str, *const ())> {
    let mut lanes = lanes();
    lanes.push(("line", "sysv64-unwind", line::leak(STATE).expect("a free slot") as *const ()));
    lanes
}

/// Calls through `depth` frames of C and as many of Rust.
fn nested(relay: Relay, target: *const (), x: u64, depth: u32) -> u64 {
    let _guard = Guard;
    // Values that a compiler keeps in preserved registers, so that an unwinder has to restore them.
    let kept: [u64; 6] = std::array::from_fn(|i| std::hint::black_box(x + i as u64));
    let result = catch_unwind(|| {
        if depth > 1 {
            return nested(relay, target, x, depth - 1);
        }
        // SAFETY: `target` is a callback of the relay's convention, which takes integers.
        unsafe { relay(target, x) }
    });
    for (i, value) in kept.into_iter().enumerate() {
        assert_eq!(value, x + i as u64, "a preserved register");
    }
    match result {
        Ok(result) => result,
        Err(payload) => resume_unwind(payload),
    }
}

#[test]
fn a_panic_passes_through_frames_of_c_and_cxx() {
    for relays @ Relays { language, taken, unwound, .. } in relays() {
        for (lane, abi, target) in unwinding_lanes() {
            let at = format!("{lane}, {language}");
            for round in 0..3 {
                let x = 1000 + round;
                ENDS.set(Ends::Returns);
                GUARDS.set(0);
                assert_eq!(nested(relays.to(lane, abi), target, x, 3), 2 * x + 1, "{at}");
                assert_eq!(GUARDS.get(), 4, "{at}");
                // SAFETY: the function has no arguments.
                assert_eq!(unsafe { taken() }, 1, "{at}");

                ENDS.set(Ends::Panics);
                GUARDS.set(0);
                let payload = catch_unwind(|| nested(relays.to(lane, abi), target, x, 3)).expect_err("it panics");
                assert_eq!(payload.downcast_ref::<u64>(), Some(&x), "{at}: the payload, and with it the argument");
                assert_eq!(GUARDS.get(), 4, "{at}: every guard has run");
                // SAFETY: as above.
                assert_eq!(unsafe { taken() }, *unwound, "{at}: the cleanup has run");
            }
        }
    }
}

/// The callback's own nesting: Rust, C, callback, C, callback, and the panic goes through all of them.
#[test]
fn a_panic_passes_through_nested_callbacks() {
    // The relays are System V's where there is another.
    #[cfg_attr(target_arch = "x86_64", cbframe(abi = "sysv64-unwind", entry = "captured"))]
    #[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C-unwind", entry = "captured"))]
    fn descend(#[state] relay: &Relay, depth: u64) -> u64 {
        let _guard = Guard;
        if depth == 0 {
            resume_unwind(Box::new("the bottom"));
        }
        // SAFETY: as below.
        unsafe { relay(AGAIN.get().expect("set").0, depth - 1) }
    }
    struct Address(*const ());
    // SAFETY: an address of code.
    unsafe impl Send for Address {}
    // SAFETY: as above.
    unsafe impl Sync for Address {}
    static AGAIN: OnceLock<Address> = OnceLock::new();

    let [c, cxx, _] = relays();
    // Frames of both languages in turns.
    let f = descend::leak(cxx.sysv).expect("a free slot");
    AGAIN.get_or_init(|| Address(descend::leak(c.sysv).expect("a free slot") as *const ()));
    GUARDS.set(0);
    // SAFETY: a callback of the relay's type.
    let payload = catch_unwind(|| unsafe { (cxx.sysv)(f as *const (), 20) }).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"the bottom"));
    assert_eq!(GUARDS.get(), 21);
    // SAFETY: the functions have no arguments. The relay passes x, and 20 to 0 come by.
    assert_eq!(unsafe { ((cxx.taken)(), (c.taken)()) }, (2, 19));
}

const CXX: &str = r#"
    #include <cstdint>
    #include <stdexcept>

    struct Counter { int &n; ~Counter() { n++; } };
    static thread_local int destructors;
    struct alignas(64) Line { uint64_t words[8]; };
    #ifdef __x86_64__
    #define SYSV __attribute__((sysv_abi))
    #define WIN __attribute__((ms_abi))
    #else
    #define SYSV
    #define WIN
    #endif
    typedef uint64_t (SYSV *SysV)(uint64_t, ...);
    typedef uint64_t (SYSV *OfLine)(uint64_t, Line);
    typedef uint64_t (WIN *Win)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

    template <typename Call> static int64_t caught(uint64_t x, Call call) {
        Counter counter { destructors };
        try {
            Counter inner { destructors };
            return (int64_t)call();
        } catch (const std::runtime_error &error) {
            return -(int64_t)x - error.what()[0];
        }
    }
    extern "C" {
        uint64_t thrower(uint64_t x) {
            Counter counter { destructors };
            if (x % 2) throw std::runtime_error("odd");
            return x;
        }
        int64_t catcher(SysV f, uint64_t x) {
            return caught(x, [=] { return f(x, 2, 3, 4, 5, 6, 7, 8); });
        }
        int64_t catcher_win(Win f, uint64_t x) {
            return caught(x, [=] { return f(x, 2, 3, 4, 5, 6); });
        }
        int64_t catcher_line(OfLine f, uint64_t x) {
            return caught(x, [=] { return f(x, Line { { 1, 2, 3, 4, 5, 6, 7, 8 } }); });
        }
        int destructed() { int n = destructors; destructors = 0; return n; }
    }
"#;

type Catcher = unsafe extern "C" fn(*const (), u64) -> i64;

/// C++ calls the callback, which calls a function of C++ that throws.
#[test]
fn a_cxx_exception_passes_through_callbacks() {
    let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "exceptions.cc", CXX, &["-O2", "-Wno-psabi"]);
    // SAFETY: the types of the functions above.
    let (thrower, destructed) =
        unsafe { (library.function("thrower"), library.function::<unsafe extern "C" fn() -> c_int>("destructed")) };
    // SAFETY: as above.
    let [sysv, win, line]: [Catcher; 3] =
        ["catcher", "catcher_win", "catcher_line"].map(|name| unsafe { library.function(name) });
    ENDS.set(Ends::Throws(thrower));
    for (lane, abi, target) in unwinding_lanes() {
        let catcher = match lane {
            "line" => line,
            _ if is_win64(abi) => win,
            _ => sysv,
        };
        for (x, expected) in [(4, 4), (7, -7 - i64::from(b'o')), (9, -9 - i64::from(b'o')), (8, 8)] {
            GUARDS.set(0);
            // SAFETY: the callbacks are of the type that the catcher calls.
            assert_eq!(unsafe { catcher(target, x) }, expected, "{lane}");
            assert_eq!(GUARDS.get(), 1, "{lane}: the guard in the callback");
            // SAFETY: no arguments.
            assert_eq!(unsafe { destructed() }, 3, "{lane}");
        }
    }
}
