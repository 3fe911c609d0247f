//! On x86-64.

use cbframe::{CType, CpuState, cbframe};
use cbframe_tests::guard::{self, Environment, Expected, pattern};
use cbframe_tests::hand::{self, FEW};

/// Calls `callback` through the guard as a function of the fields of `FEW` to a word, with environment `with`.
fn word(windows: bool, callback: *const (), with: Environment) -> u64 {
    guard::arm(callback, Expected::PLAIN, with);
    // SAFETY: the callbacks of this file that return a word take these arguments.
    unsafe { hand::few_word(windows, guard::entry(windows), &FEW) }
}

fn double(windows: bool, callback: *const ()) -> f64 {
    guard::arm(callback, Expected::PLAIN, Environment::SAME);
    // SAFETY: the callbacks of this file that return a double take these arguments.
    unsafe { hand::few_double(windows, guard::entry(windows), &FEW) }
}

/// The word `index` words above the return address.
fn on_stack(cpu: &CpuState, index: usize) -> u64 {
    // SAFETY: the tests pass as many arguments.
    unsafe { *(cpu.rsp as *const u64).add(1 + index) }
}

/// By the psABI: a, c, e, f, g in rdi, rsi, rdx, rcx, r8; b, d in xmm0, xmm1.
fn in_sysv64_places(cpu: &CpuState) -> bool {
    cpu.rdi as u32 == FEW.a as u32
        && cpu.rsi == FEW.c
        && [cpu.rdx as u16, cpu.rcx as u16, cpu.r8 as u16] == [FEW.e, FEW.f, FEW.g]
        && cpu.xmm(0).is_none_or(|xmm| xmm.f64(0) == FEW.b)
        && cpu.xmm(1).is_none_or(|xmm| xmm.f32(0) == FEW.d)
}

/// By Microsoft's convention: a in rcx, b in xmm1, c in r8, d in xmm3; e, f, g above the home space.
fn in_win64_places(cpu: &CpuState) -> bool {
    cpu.rcx as u32 == FEW.a as u32
        && cpu.r8 == FEW.c
        && [4, 5, 6].map(|i| on_stack(cpu, i) as u16) == [FEW.e, FEW.f, FEW.g]
        && cpu.xmm(1).is_none_or(|xmm| xmm.f64(0) == FEW.b)
        && cpu.xmm(3).is_none_or(|xmm| xmm.f32(0) == FEW.d)
}

macro_rules! raw {
    ($($name:ident: $($group:ident)*;)*) => { $(
        #[cbframe(abi = "raw", save($($group),*))]
        fn $name(#[state] windows: &bool, cpu: &mut CpuState) {
            let right = if *windows { in_win64_places(cpu) } else { in_sysv64_places(cpu) };
            let preserved = [cpu.rbx, cpu.rbp, cpu.r12, cpu.r13, cpu.r14, cpu.r15] == [3, 5, 12, 13, 14, 15].map(pattern);
            guard::trash();
            cpu.rax = if right && preserved { 0x600d } else { 0xbad };
        }
    )* };
}

raw! {
    with_gpr: gpr;
    with_flags: gpr flags;
    with_sse: gpr sse;
    with_x87: gpr x87;
    with_flags_sse: gpr flags sse;
    with_all: gpr flags sse x87;
}

#[test]
fn raw_callbacks_see_the_arguments_and_preserve_what_they_do_not_change() {
    macro_rules! each {
        ($($name:ident)*) => { $(
            for windows in [false, true] {
                // A raw callback is compiled for the native convention, in which the vector registers are not
                // preserved: without `save(sse)` it cannot serve a Windows caller on System V.
                let serves = !windows || cfg!(windows) || stringify!($name).contains("sse") || stringify!($name) == "with_all";
                let frame = $name::bind(windows).expect("a slot");
                for environment in [Environment::SAME, Environment::OTHER] {
                    assert_eq!(word(windows, frame.as_ptr(), environment), 0x600d, "{} {windows}", stringify!($name));
                    let report = guard::report();
                    if serves {
                        report.assert_clean(1, concat!("raw, ", stringify!($name)));
                    }
                }
            }
        )* };
    }
    each! { with_gpr with_flags with_sse with_x87 with_flags_sse with_all }
}

#[cbframe(abi = "raw")]
fn changes(#[state] register: &u32, cpu: &mut CpuState) {
    match register {
        3 => cpu.rbx += 1,
        5 => cpu.rbp += 1,
        6 => cpu.rsi += 1,
        7 => cpu.rdi += 1,
        12 => cpu.r12 += 1,
        13 => cpu.r13 += 1,
        14 => cpu.r14 += 1,
        15 => cpu.r15 += 1,
        vector => cpu.xmm_mut((vector - 16) as usize).expect("saved").bytes[9] ^= 0xff,
    }
}

#[test]
fn a_raw_callback_changes_exactly_the_register_that_it_writes() {
    let integers = [(3, "rbx"), (5, "rbp"), (12, "r12"), (13, "r13"), (14, "r14"), (15, "r15"), (6, "rsi"), (7, "rdi")];
    let vectors = (6..16).map(|i| (16 + i, format!("xmm{i}[1]")));
    for (number, name) in integers.map(|(i, name)| (i, name.to_owned())).into_iter().chain(vectors) {
        let frame = changes::bind(number).expect("a slot");
        let of_windows = matches!(number, 6 | 7 | 16..);
        for windows in [false, true] {
            if of_windows && !windows {
                continue;
            }
            word(windows, frame.as_ptr(), Environment::SAME);
            let (found, expected) = match number {
                16.. => {
                    let high = pattern(u64::from(number) + 32);
                    (high ^ 0xff00, high)
                }
                _ => (pattern(number.into()) + 1, pattern(number.into())),
            };
            assert_eq!(guard::report().violations, format!("{name} is {found:#x}, not {expected:#x}; "));
        }
    }
}

#[cbframe(abi = "raw")]
fn returns_double(#[state] value: &f64, cpu: &mut CpuState) {
    let bytes = value.to_le_bytes();
    cpu.xmm_mut(0).expect("saved").bytes[..8].copy_from_slice(&bytes);
}

#[test]
fn a_raw_result_in_a_vector_register() {
    let frame = returns_double::bind(-1234.5).expect("a slot");
    for windows in [false, true] {
        assert_eq!(double(windows, frame.as_ptr()), -1234.5);
        guard::report().assert_clean(1, "raw");
    }
}

macro_rules! both {
    ($abi:tt $name:ident $typed_wins:ident $places:ident) => {
        #[cbframe(abi = $abi)]
        fn $name(#[cpu] cpu: &mut CpuState, a: i32, b: f64, c: u64, d: f32, e: u16, f: u16, g: u16) -> u64 {
            guard::trash();
            let same = (a, b, c, d, e, f, g) == (FEW.a, FEW.b, FEW.c, FEW.d, FEW.e, FEW.f, FEW.g);
            // A typed result wins over what is written to its register.
            cpu.rax = 0xbad;
            if same && $places(cpu) { 0x600d } else { 0xbad }
        }

        #[cbframe(abi = $abi)]
        fn $typed_wins(#[cpu] cpu: &mut CpuState, _: i32, b: f64, _: u64, d: f32, _: u16, _: u16, _: u16) -> f64 {
            cpu.xmm_mut(0).expect("saved").bytes = [0x42; 16];
            guard::trash();
            b + f64::from(d)
        }
    };
}

both! { "sysv64" both_sysv64 double_sysv64 in_sysv64_places }
both! { "win64" both_win64 double_win64 in_win64_places }

#[test]
fn typed_arguments_and_registers_agree() {
    for (windows, callback) in [(false, both_sysv64::FN as *const ()), (true, both_win64::FN as *const ())] {
        for environment in [Environment::SAME, Environment::OTHER] {
            assert_eq!(word(windows, callback, environment), 0x600d, "windows {windows}");
            guard::report().assert_clean(1, "#[cpu]");
        }
    }
    for (windows, callback) in [(false, double_sysv64::FN as *const ()), (true, double_win64::FN as *const ())] {
        assert_eq!(double(windows, callback), 1.75, "windows {windows}");
        guard::report().assert_clean(1, "#[cpu]");
    }
}

#[derive(Clone, Copy, CType)]
#[repr(C)]
struct Large {
    words: [u64; 4],
}

macro_rules! hidden {
    ($abi:tt $name:ident $register:ident) => {
        /// Loses the register with the address of the result, which the lane has to have remembered.
        #[cbframe(abi = $abi)]
        fn $name(#[cpu] cpu: &mut CpuState) -> Large {
            cpu.$register = 0;
            cpu.rax = 0;
            guard::trash();
            Large { words: [1, 2, 3, u64::MAX] }
        }
    };
}

hidden! { "sysv64" hidden_sysv64 rdi }
hidden! { "win64" hidden_win64 rcx }

#[test]
fn the_address_of_a_result_in_memory_is_remembered() {
    for (windows, callback) in [(false, hidden_sysv64::FN as *const ()), (true, hidden_win64::FN as *const ())] {
        let mut to = hand::Large { words: [0; 4] };
        guard::arm(callback, Expected::HIDDEN, Environment::SAME);
        // SAFETY: the callback is of this type.
        unsafe { hand::large(windows, guard::entry(windows), &mut to) };
        assert_eq!(to.words, [1, 2, 3, u64::MAX]);
        guard::report().assert_clean(1, "hidden result");
    }
}
