//! The status flags and the direction flag: every combination, kept and set. The entry restores the status flags
//! without `popfq` as long as a handler sets none, so each bit has its own way back.

use std::arch::asm;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use cbframe::{CpuState, cbframe};

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
