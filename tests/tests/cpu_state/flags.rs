//! The status flags and the direction flag: every combination, kept and set. The entry restores the status flags
//! without `popfq` as long as a handler sets none, so each bit has its own way back. And whatever is saved, Rust finds the
//! direction flag clear.

use std::arch::asm;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use cbframe::{CpuState, CpuSubset, Gpr, cbframe};

/// CF, PF, AF, ZF, SF, DF, OF.
const BITS: [u32; 7] = [0, 2, 4, 6, 7, 10, 11];

fn combinations() -> impl Iterator<Item = u64> {
    (0..128_u64).map(|chosen| BITS.iter().enumerate().fold(0, |flags, (i, bit)| flags | (chosen >> i & 1) << bit))
}

/// The flags after a call of `target` with `flags`.
fn call(target: *const (), flags: u64) -> u64 {
    let seen: u64;
    // SAFETY: `target` is a callback without arguments; bit 1 of the flags is always set, the others are those that
    // a program may set. The direction flag is clear again before Rust goes on.
    unsafe {
        asm!(
            "push {flags}",
            "popfq",
            "call rax",
            "pushfq",
            "cld",
            "pop rax",
            flags = in(reg) flags | 2,
            in("rax") target,
            lateout("rax") seen,
            clobber_abi("C"),
        );
    }
    seen & combinations().fold(0, |all, flags| all | flags)
}

/// Changes registers and flags as ordinary code does, the flags of the state not.
#[cbframe(abi = "raw", save(gpr, flags))]
fn keep(cpu: &mut CpuState) {
    cpu.rdx = cpu.rdi.wrapping_mul(3);
    drop(black_box(vec![1_u8; 300]));
}

/// The flags that `set` sets.
static WANTED: AtomicU64 = AtomicU64::new(0);

#[cbframe(abi = "raw")]
fn set(cpu: &mut CpuState) {
    let flags = cpu.rflags().expect("they are saved");
    let all = combinations().fold(0, |all, flags| all | flags);
    cpu.set_rflags(flags & !all | WANTED.load(Ordering::Relaxed));
}

#[test]
fn every_combination_is_kept() {
    for flags in combinations() {
        assert_eq!(call(keep::FN as *const (), flags), flags, "{flags:#x}");
    }
}

#[test]
fn every_combination_is_set() {
    for flags in combinations() {
        WANTED.store(flags, Ordering::Relaxed);
        for before in [0, 1, 0x400, 0x8d5, 0xcd5] {
            assert_eq!(call(set::FN as *const (), before), flags, "{before:#x} to {flags:#x}");
        }
    }
}

/// Calls `target` with the direction flag set, and with 20 and 22 where either convention has its arguments. The result,
/// and rsi and rdi after the call.
fn backwards(target: *const ()) -> (u64, [u64; 2]) {
    let (result, rsi, rdi): (u64, u64, u64);
    // SAFETY: `target` is a callback with two arguments or none that it does not find; there is home space for Windows.
    // The direction flag is clear again before Rust goes on.
    unsafe {
        asm!(
            "sub rsp, 32",
            "std",
            "call rax",
            "cld",
            "add rsp, 32",
            inlateout("rax") target => result,
            inlateout("rdi") 20_u64 => rdi,
            inlateout("rsi") 22_u64 => rsi,
            in("rcx") 20_u64,
            in("rdx") 22_u64,
            clobber_abi("sysv64"),
        );
    }
    (result, [rsi, rdi])
}

/// What a body with the arguments 20 and 22 gives if the direction flag is clear.
fn forwards(a: u64, b: u64) -> u64 {
    let flags: u64;
    // SAFETY: reads the flags.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags) };
    if flags & 0x400 == 0 { 100 * a + b } else { 0 }
}

macro_rules! forwards {
    ($($name:ident: $abi:literal [$($option:tt)*] ($($first:tt)*) $keeps:literal;)*) => {
        $(
            #[cbframe(abi = $abi $($option)*)]
            fn $name($($first)* a: u64, b: u64) -> u64 {
                forwards(a, b)
            }
        )*

        #[test]
        fn the_direction_flag_is_clear_in_rust() {
            $(
                let (result, registers) = backwards($name::FN as *const ());
                assert_eq!(result, 2022, "{}", stringify!($name));
                if $keeps {
                    assert_eq!(registers, [22, 20], "{}: rsi and rdi", stringify!($name));
                }
            )*
            for target in [raw_single::FN as *const (), raw_gpr::FN as *const (), sysv64_dots::FN as *const ()] {
                assert_eq!(backwards(target).0, 2022);
            }
            assert_eq!(backwards(win64_dots::FN as *const ()), (2022, [22, 20]));
        }
    };
}

forwards! {
    sysv64_typed: "sysv64" [, entry = "captured"] () false;
    sysv64_gpr: "sysv64" [, save(gpr)] (#[cpu] _cpu: &mut CpuState,) false;
    sysv64_flags: "sysv64" [, save(flags)] (#[cpu] _cpu: &mut CpuSubset,) false;
    sysv64_sse: "sysv64" [, save(sse)] (#[cpu] _cpu: &mut CpuSubset,) false;
    sysv64_avx: "sysv64" [, save(gpr, avx)] (#[cpu] _cpu: &mut CpuState,) false;
    win64_typed: "win64" [, entry = "captured"] () true;
    win64_gpr: "win64" [, save(gpr)] (#[cpu] _cpu: &mut CpuState,) true;
    win64_single: "win64" [, save(r11)] (#[cpu] _cpu: &mut CpuSubset,) true;
    win64_avx: "win64" [, save(avx)] (#[cpu] _cpu: &mut CpuSubset,) true;
}

#[cbframe(abi = "sysv64")]
fn sysv64_dots(a: u64, b: u64, args: ...) -> u64 {
    let _ = args;
    forwards(a, b)
}

#[cbframe(abi = "win64")]
fn win64_dots(a: u64, b: u64, args: ...) -> u64 {
    let _ = args;
    forwards(a, b)
}

#[cbframe(abi = "raw", save(rdi, rsi, rax))]
fn raw_single(cpu: &mut CpuSubset) {
    let [a, b] = [Gpr::Rdi, Gpr::Rsi].map(|register| cpu.gpr(register).expect("saved").u64());
    cpu.set_gpr(Gpr::Rax, forwards(a, b));
}

#[cbframe(abi = "raw", save(gpr))]
fn raw_gpr(cpu: &mut CpuState) {
    cpu.rax = forwards(cpu.rdi, cpu.rsi);
}
