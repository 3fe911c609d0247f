//! Registers that are saved one by one: each is seen, changed and given back, and no other is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use cbframe::{CpuState, CpuSubset, Gpr, cbframe};

use crate::probe::{Call, NAMES, RSP, Registers, nothing};
use crate::raw::trash;

/// What a handler is to write, and what it has found: the register's bits.
static CHANGE: Mutex<Option<u128>> = Mutex::new(None);
static SEEN: Mutex<Option<u128>> = Mutex::new(None);

fn refused(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("refused");
    *payload.downcast::<String>().expect("a message with a name")
}

/// The body of all callbacks of this file; `register`: 0 to 15 a general one, 16 to 31 a vector register.
fn handle(cpu: &mut CpuSubset, register: usize) {
    for (number, other) in Gpr::ALL.into_iter().enumerate() {
        assert_eq!(cpu.gpr(other).is_some(), number == register, "{other} beside {register}");
        assert_eq!(cpu.xmm(number).is_some(), 16 + number == register, "xmm{number} beside {register}");
        assert_eq!(cpu.xmm_mut(number).is_some(), 16 + number == register);
    }
    assert!(cpu.rflags().is_none() && cpu.mxcsr().is_none() && cpu.x87().is_none());
    assert!(cpu.ymm(0).is_none() && cpu.zmm(0).is_none() && cpu.opmask(0).is_none());
    assert_eq!(cpu.rip(), Call::here());
    let change = *CHANGE.lock().expect("no panic");
    let seen = match register.checked_sub(16) {
        None => {
            let register = Gpr::ALL[register];
            if let Some(new) = change {
                cpu.set_gpr(register, new as u64);
            }
            u128::from(cpu.gpr(register).expect("saved").u64())
        }
        Some(number) => {
            if let Some(new) = change {
                // By lanes, of which each is stored alone.
                let xmm = cpu.xmm_mut(number).expect("saved");
                xmm.set_u64(0, new as u64);
                xmm.set_u64(1, (new >> 64) as u64);
            }
            u128::from_le_bytes(cpu.xmm(number).expect("saved").bytes)
        }
    };
    *SEEN.lock().expect("no panic") = Some(seen);
    trash(false, false);
}

macro_rules! singles {
    ($($name:ident $number:literal;)*) => {
        mod fixed {
            use super::*;
            $(#[cbframe(abi = "raw", save($name))] pub(super) fn $name(cpu: &mut CpuSubset) { handle(cpu, $number) })*
        }
        mod bound {
            use super::*;
            $(#[cbframe(abi = "raw", save($name))]
            pub(super) fn $name(#[state] s: &u32, cpu: &mut CpuSubset) {
                assert_eq!(*s, 77);
                handle(cpu, $number);
            })*
        }
        fn subjects() -> Vec<(usize, &'static str, *const ())> {
            vec![
                $(($number, stringify!($name), fixed::$name::FN as *const ()),
                ($number, stringify!($name), bound::$name::leak(&77).expect("a free slot") as *const ()),)*
            ]
        }
    };
}

singles! {
    rax 0; rcx 1; rdx 2; rbx 3; rbp 5; rsi 6; rdi 7; r8 8; r9 9; r10 10; r11 11; r12 12; r13 13; r14 14; r15 15;
    xmm0 16; xmm1 17; xmm2 18; xmm3 19; xmm4 20; xmm5 21; xmm6 22; xmm7 23;
    xmm8 24; xmm9 25; xmm10 26; xmm11 27; xmm12 28; xmm13 29; xmm14 30; xmm15 31;
}

fn of(registers: &Registers, number: usize) -> u128 {
    match number.checked_sub(16) {
        None => registers.gpr[number].into(),
        Some(number) => registers.image.xmm[number],
    }
}

#[test]
fn each_register_alone_is_seen_changed_and_given_back() {
    let call = Call::lock();
    let input = Registers::poison();
    // SAFETY: a function that does nothing.
    let base = unsafe { call.call(nothing as *const (), &input) };
    let new = 0x1122_3344_5566_7788_99aa_bbcc_ddee_ff00_u128;
    for (number, name, address) in subjects() {
        for change in [None, Some(if number < 16 { new & u128::from(u64::MAX) } else { new })] {
            *CHANGE.lock().expect("no panic") = change;
            // SAFETY: a raw callback that changes one register.
            let after = unsafe { call.call(address, &input) };
            let expected = change.unwrap_or(of(&input, number));
            assert_eq!(SEEN.lock().expect("no panic").take(), Some(expected), "{name} is seen");
            assert_eq!(of(&after, number), expected, "{name}, changed: {}", change.is_some());
            // What the ABI preserves is preserved as ever.
            for other in [3, RSP, 5, 12, 13, 14, 15].into_iter().filter(|&other| other != number) {
                assert_eq!(after.gpr[other], base.gpr[other], "{}, beside {name}", NAMES[other]);
            }
            assert_eq!((after.returned_to, after.image.mxcsr), (1, base.image.mxcsr));
        }
    }
}

/// Several, of both kinds, beside a group; and typed arguments, whose registers are saved but not shown.
#[test]
fn some_registers_beside_groups() {
    #[cbframe(abi = "raw", save(rdi, flags, xmm3, rax))]
    fn some(cpu: &mut CpuSubset) {
        assert!(cpu.gpr(Gpr::Rsi).is_none() && cpu.xmm(2).is_none());
        let sum = cpu.gpr(Gpr::Rdi).expect("saved").u64().wrapping_add(cpu.xmm(3).expect("saved").u64(0));
        cpu.set_gpr(Gpr::Rax, sum);
        cpu.set_rflags(cpu.rflags().expect("saved") ^ 1);
        trash(false, false);
    }
    #[cbframe(abi = "raw", save(gpr, xmm9))]
    fn whole(cpu: &mut CpuState) {
        assert!(cpu.xmm(8).is_none() && cpu.mxcsr().is_none());
        cpu.rax = cpu.rdi.wrapping_add(cpu.xmm(9).expect("saved").u64(0));
        trash(false, false);
    }
    #[cbframe(abi = "sysv64", save(rsi))]
    fn typed(a: u64, b: u64, c: f64, #[cpu] cpu: &mut CpuSubset) -> u64 {
        assert_eq!(cpu.gpr(Gpr::Rsi).expect("saved").u64(), b);
        assert!(cpu.gpr(Gpr::Rdi).is_none() && cpu.xmm(0).is_none() && cpu.rflags().is_none());
        let message = refused(|| cpu.set_gpr(Gpr::Rdi, 1));
        assert!(message.contains("does not save rdi"), "{message}");
        cpu.set_gpr(Gpr::Rsi, 5_u8);
        trash(false, false);
        a.wrapping_add(c.to_bits())
    }
    let call = Call::lock();
    let mut input = Registers::poison();
    input.rflags |= 0x800;
    // SAFETY: a function that does nothing.
    let base = unsafe { call.call(nothing as *const (), &input) };
    // SAFETY: the raw callback above.
    let after = unsafe { call.call(some::FN as *const (), &input) };
    assert_eq!(after.gpr[0], input.gpr[7].wrapping_add(input.image.xmm[3] as u64));
    assert_eq!(after.rflags, base.rflags ^ 1);
    assert_eq!((after.gpr[7], after.image.xmm[3]), (input.gpr[7], input.image.xmm[3]));
    // SAFETY: the raw callback above.
    let after = unsafe { call.call(whole::FN as *const (), &input) };
    assert_eq!(after.gpr[0], input.gpr[7].wrapping_add(input.image.xmm[9] as u64));
    assert_eq!((after.gpr[1..].to_vec(), after.image.xmm[9]), (base.gpr[1..].to_vec(), input.image.xmm[9]));
    // SAFETY: integers and floats of any value are arguments.
    let after = unsafe { call.call(typed::FN as *const (), &input) };
    assert_eq!(after.gpr[0], input.gpr[7].wrapping_add(input.image.xmm[0] as u64));
    assert_eq!(after.gpr[6], 5);
}

/// The return address is there without `gpr`, and can be changed.
#[test]
fn a_subset_can_continue_elsewhere() {
    #[cbframe(abi = "raw", save(rax))]
    fn elsewhere(cpu: &mut CpuSubset) {
        assert_eq!(cpu.rip(), Call::here());
        cpu.set_rip(Call::elsewhere());
    }
    let call = Call::lock();
    // SAFETY: the raw callback above.
    let after = unsafe { call.call(elsewhere::FN as *const (), &Registers::poison()) };
    assert_eq!(after.returned_to, 2);
}
