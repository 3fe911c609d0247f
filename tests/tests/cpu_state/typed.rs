//! `#[cpu]` beside typed parameters: the registers hold the arguments, and the result wins over the registers.

use cbframe::{CType, CpuState, cbframe};

use crate::probe::{Call, NAMES, Registers, nothing};
use crate::raw::handle;

#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Mixed {
    real: f64,
    whole: i64,
}

#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Large {
    words: [u64; 4],
}

const LARGE: Large = Large { words: [0x11, 0x22, 0x33, 0x44] };

/// The word `index` above the return address.
fn word(cpu: &CpuState, index: usize) -> u64 {
    // SAFETY: the callers below pass that many.
    unsafe { (cpu.rsp as *const u64).add(1 + index).read() }
}

macro_rules! sysv64 {
    ($($name:ident [$($state:tt)*] [$($option:tt)*];)*) => { $(
        #[expect(clippy::too_many_arguments, reason = "so that some are in memory")]
        #[cbframe(abi = "sysv64" $($option)*)]
        fn $name($($state)* a: i32, b: i64, #[cpu] cpu: &mut CpuState, c: u8, x: f64, d: u16, e: i64, f: *const u8,
            g: i64, y: f32, h: i16, large: Large) -> i64
        {
            // psABI 3.2.3: the order of the integer registers; the rest in memory, a word each.
            assert_eq!((cpu.rdi as i32, cpu.rsi as i64, cpu.rdx as u8, cpu.rcx as u16), (a, b, c, d));
            assert_eq!((cpu.r8 as i64, cpu.r9), (e, f as u64));
            assert_eq!((word(cpu, 0) as i64, word(cpu, 1) as i16), (g, h));
            assert_eq!(std::array::from_fn(|i| word(cpu, 2 + i)), large.words);
            if let Some(xmm) = cpu.xmm(0) {
                assert_eq!((xmm.f64(0), cpu.xmm(1).expect("as xmm0").f32(0)), (x, y));
            }
            assert_eq!((a, b, c, x, d, e, f as usize), (-1, i64::MIN, 3, 0.5, 5, -6, 7));
            assert_eq!((g, y, h, large), (i64::MAX, -2.5, -9, LARGE));
            cpu.rax = 1;
            -42
        }
    )* };
}

sysv64! {
    fixed [] [];
    fixed_gpr [] [, save(gpr)];
    bound [#[state] _s: &u32,] [];
    bound_all [#[state] _s: &u32,] [, save(gpr, flags, sse, x87)];
}

#[test]
fn sysv64_arguments_are_where_the_registers_show_them() {
    macro_rules! check {
        ($($f:expr),*) => { $(
            // SAFETY: the frames live for ever.
            let result = unsafe { $f(-1, i64::MIN, 3, 0.5, 5, -6, 7 as *const u8, i64::MAX, -2.5, -9, LARGE) };
            assert_eq!(result, -42);
        )* };
    }
    check!(fixed::FN, fixed_gpr::FN, bound::leak(&1).unwrap(), bound_all::leak(&1).unwrap());
}

macro_rules! win64 {
    ($($name:ident [$($state:tt)*] [$($option:tt)*];)*) => { $(
        #[expect(clippy::too_many_arguments, reason = "so that some are in memory")]
        #[cbframe(abi = "win64" $($option)*)]
        fn $name($($state)* #[cpu] cpu: &mut CpuState, a: i32, b: f32, c: Large, d: f64, e: i64, f: f32, g: Large,
            h: u8) -> f64
        {
            // One position each; a struct of 32 bytes by reference; home space below the fifth.
            assert_eq!(cpu.rcx as i32, a);
            // SAFETY: a reference to the caller's copy.
            assert_eq!(unsafe { *(cpu.r8 as *const Large) }, c);
            assert_eq!((word(cpu, 4) as i64, f32::from_bits(word(cpu, 5) as u32), word(cpu, 7) as u8), (e, f, h));
            // SAFETY: a reference to the caller's copy.
            assert_eq!(unsafe { *(word(cpu, 6) as *const Large) }, g);
            if let Some(xmm) = cpu.xmm(1) {
                assert_eq!((xmm.f32(0), cpu.xmm(3).expect("as xmm1").f64(0)), (b, d));
                cpu.xmm_mut(0).expect("as xmm1").set_f64(0, 1.0);
            }
            assert_eq!((a, b, c, d, e, f, h), (-1, 2.5, LARGE, -0.25, i64::MIN, 6.5, 8));
            assert_eq!(g, Large { words: [9; 4] });
            cpu.rcx = 0;
            cpu.r8 = 0;
            -42.5
        }
    )* };
}

win64! {
    win_fixed [] [];
    win_fixed_gpr [] [, save(gpr)];
    win_bound [#[state] _s: &u32,] [];
    win_bound_all [#[state] _s: &u32,] [, save(gpr, flags, sse, x87)];
}

#[test]
fn win64_arguments_are_where_the_registers_show_them() {
    macro_rules! check {
        ($($f:expr),*) => { $(
            // SAFETY: the frames live for ever.
            let result = unsafe { $f(-1, 2.5, LARGE, -0.25, i64::MIN, 6.5, Large { words: [9; 4] }, 8) };
            assert_eq!(result, -42.5);
        )* };
    }
    check!(win_fixed::FN, win_fixed_gpr::FN, win_bound::leak(&1).unwrap(), win_bound_all::leak(&1).unwrap());
}

/// Overwrites everything that a result may be in or be found through, of what both conventions let a function change.
fn overwrite(cpu: &mut CpuState) {
    for register in [&mut cpu.rax, &mut cpu.rdx, &mut cpu.rcx, &mut cpu.r8, &mut cpu.r11] {
        *register = 0x6666_6666_6666_6666;
    }
    for number in 0..2 {
        if let Some(xmm) = cpu.xmm_mut(number) {
            xmm.bytes = [0x66; 16];
        }
    }
}

macro_rules! results {
    ($($name:ident -> $ty:ty = $value:expr;)*) => {
        mod sysv {
            use super::*;
            $(#[cbframe(abi = "sysv64")]
            pub(super) fn $name(#[cpu] cpu: &mut CpuState, x: i64) -> $ty {
                assert_eq!(x, 12);
                overwrite(cpu);
                $value
            })*
        }
        mod sysv_gpr {
            use super::*;
            $(#[cbframe(abi = "sysv64", save(gpr))]
            pub(super) fn $name(#[cpu] cpu: &mut CpuState, x: i64) -> $ty {
                assert_eq!(x, 12);
                overwrite(cpu);
                $value
            })*
        }
        mod win {
            use super::*;
            $(#[cbframe(abi = "win64")]
            pub(super) fn $name(#[cpu] cpu: &mut CpuState, x: i64) -> $ty {
                assert_eq!(x, 12);
                overwrite(cpu);
                $value
            })*
        }

        #[test]
        fn the_result_wins_over_the_registers() {
            $(
                // SAFETY: registers that the ABIs let a function change.
                unsafe {
                    assert_eq!(sysv::$name::FN(12), $value);
                    assert_eq!(sysv_gpr::$name::FN(12), $value);
                    assert_eq!(win::$name::FN(12), $value);
                }
            )*
        }
    };
}

results! {
    int -> i64 = -3;
    narrow -> i8 = -4;
    boolean -> bool = true;
    real -> f64 = 0.75;
    short_real -> f32 = 0.5;
    mixed -> Mixed = Mixed { real: 1.25, whole: -8 };
    large -> Large = LARGE;
}

/// What the ABI lets a function change is as the handler wrote it, except for the result; everything else stays.
#[test]
fn registers_beside_the_result_are_the_handlers() {
    #[cbframe(abi = "sysv64")]
    fn sysv(#[cpu] cpu: &mut CpuState) -> i64 {
        overwrite(cpu);
        cpu.r10 = 10;
        cpu.rbx = 0xb;
        cpu.set_rflags(cpu.rflags().expect("saved") | 1);
        handle(cpu);
        77
    }
    #[cbframe(abi = "win64")]
    fn win(#[state] _s: &u32, #[cpu] cpu: &mut CpuState) -> i64 {
        overwrite(cpu);
        cpu.r10 = 10;
        cpu.rbx = 0xb;
        cpu.set_rflags(cpu.rflags().expect("saved") | 1);
        handle(cpu);
        77
    }
    let call = Call::lock();
    for target in [sysv::FN as *const (), win::leak(&1).expect("a free slot") as *const ()] {
        let input = Registers::poison();
        // SAFETY: the callbacks above, and a function that does nothing.
        let (base, after) = unsafe { (call.call(nothing as *const (), &input), call.call(target, &input)) };
        let mut expected = base.gpr;
        let new = 0x6666_6666_6666_6666;
        (expected[0], expected[1], expected[2], expected[8], expected[11]) = (77, new, new, new, new);
        (expected[3], expected[10]) = (0xb, 10);
        for (number, register) in NAMES.iter().enumerate() {
            assert_eq!(after.gpr[number], expected[number], "{register}");
        }
        assert_eq!(after.rflags, base.rflags | 1);
        for number in 0..16 {
            let new = u128::from_le_bytes([0x66; 16]);
            let expected = if number < 2 { new } else { base.image.xmm[number] };
            assert_eq!(after.image.xmm[number], expected, "xmm{number}");
        }
        assert_eq!((after.image.mxcsr, after.image.control), (base.image.mxcsr, base.image.control));
    }
}

/// The registers that a function of each convention preserves, whatever the handler does to the real ones.
#[test]
fn preserved_registers_are_preserved_on_every_lane() {
    macro_rules! lanes {
        ($($name:ident [$($option:tt)*] [$($role:tt)*] [$($word:ident)*];)*) => {{
            $(#[allow(clippy::too_many_arguments, reason = "so that some are in memory")]
            #[cbframe($($option)*)]
            fn $name(#[state] _s: &u32, $($role)* $($word: u64),*) -> u64 {
                $(let _ = $word;)*
                trash();
                5
            })*
            [$((stringify!($name), $name::leak(&1).expect("a free slot") as *const ())),*]
        }};
    }
    fn trash() {
        // SAFETY: the clobbers are declared; rbx is saved by hand, rbp cannot be clobbered.
        unsafe {
            std::arch::asm!(
                "push rbx", "mov ebx, 1", "pop rbx",
                "mov rsi, -4", "mov rdi, -5", "mov r12, -10", "mov r13, -11", "mov r14, -12", "mov r15, -13",
                "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7", "pcmpeqd xmm8, xmm8", "pcmpeqd xmm9, xmm9",
                "pcmpeqd xmm10, xmm10", "pcmpeqd xmm11, xmm11", "pcmpeqd xmm12, xmm12", "pcmpeqd xmm13, xmm13",
                "pcmpeqd xmm14, xmm14", "pcmpeqd xmm15, xmm15",
                out("rsi") _, out("rdi") _, out("r12") _, out("r13") _, out("r14") _, out("r15") _,
                out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            );
        }
    }
    const SYSV: &[usize] = &[3, 4, 5, 12, 13, 14, 15];
    const WIN: &[usize] = &[3, 4, 5, 6, 7, 12, 13, 14, 15];
    let sysv = lanes! {
        sysv_direct [abi = "sysv64", entry = "direct"] [] [a b];
        sysv_stack [abi = "sysv64", entry = "stack"] [] [a b];
        sysv_spilled [abi = "sysv64"] [] [a b c d e f g h];
        sysv_captured [abi = "sysv64", entry = "captured"] [] [a b c d e f g h];
        sysv_cpu [abi = "sysv64", save(gpr)] [#[cpu] _cpu: &mut CpuState,] [a b];
    };
    let win = lanes! {
        win_direct [abi = "win64"] [] [a b];
        win_stack [abi = "win64"] [] [a b c d];
        win_spilled [abi = "win64"] [] [a b c d e f];
        win_captured [abi = "win64", entry = "captured"] [] [a b c d e];
        win_cpu [abi = "win64", save(gpr)] [#[cpu] _cpu: &mut CpuState,] [a b];
        efi [abi = "efiapi"] [] [a b];
    };
    let call = Call::lock();
    let sysv = sysv.map(|(name, address)| (name, address, SYSV, 16));
    let win = win.map(|(name, address)| (name, address, WIN, 6));
    for (name, address, registers, vectors) in sysv.into_iter().chain(win) {
        let mut input = Registers::poison();
        (input.image.mxcsr, input.image.control) = (0x7f80, 0x0c7f);
        // SAFETY: the frames were bound above and are alive; integers of any value are arguments.
        let (base, after) = unsafe { (call.call(nothing as *const (), &input), call.call(address, &input)) };
        assert_eq!(after.gpr[0], 5, "{name}");
        for &number in registers {
            assert_eq!(after.gpr[number], base.gpr[number], "{name}: {}", NAMES[number]);
        }
        for number in vectors..16 {
            assert_eq!(after.image.xmm[number], base.image.xmm[number], "{name}: xmm{number}");
        }
        let of = |r: &Registers| (r.image.mxcsr, r.image.control, r.image.tags);
        assert_eq!(of(&after), of(&base), "{name}: mxcsr, x87 control, x87 tags");
    }
}
