//! Each register that a convention preserves, by LLVM 19's `X86CallingConv.td` (`CSR_64_RT_MostRegs`, `CSR_64_RT_AllRegs`,
//! `CSR_SysV64_RegCall`, `CSR_Win64`) and Microsoft's documentation.

use std::arch::naked_asm;
use std::ops::RangeInclusive;
use std::sync::Mutex;

use cbframe::conventions::{GoInternal, PreserveAll, PreserveMost, PreserveNoneClang19, Regcall, Vectorcall};
use cbframe::{CType, CpuState, cbframe, convention, frame};
use cbframe_tests::guard::{self, trash};

use crate::probe::{Call, DF, FLAGS, NAMES, RSP, Registers, WORD};

const NO_VECTORS: RangeInclusive<usize> = RangeInclusive::new(1, 0);

macro_rules! preserved {
    ($($convention:ident $name:ident $integer:ident $float:ident [$($register:literal)*] $vectors:expr;)*) => { $(
        #[cbframe(abi = $convention)]
        fn $name() {
            trash();
        }

        #[cbframe(abi = $convention)]
        fn $integer(a: u64) -> u64 {
            trash();
            !a
        }

        #[cbframe(abi = $convention)]
        fn $float(a: f64) -> f64 {
            trash();
            -a
        }
    )*

    /// Calls callbacks, which destroy what they may, and looks at each register that has to be preserved.
    #[test]
    fn registers() {
        $(
            check(stringify!($convention), &[$($register),*], $vectors, [$name::FN, $integer::FN, $float::FN]);
        )*
    } };
}

preserved! {
    Regcall regcall regcall_integer regcall_float [3 5 12 13 14 15] 8..=15;
    PreserveMost most most_integer most_float [0 1 2 3 5 6 7 8 9 10 12 13 14 15] NO_VECTORS;
    PreserveAll all all_integer all_float [0 1 2 3 5 6 7 8 9 10 12 13 14 15] 0..=15;
    PreserveNoneClang19 none none_integer none_float [5] NO_VECTORS;
    Vectorcall vector vector_integer vector_float [3 5 6 7 12 13 14 15] 6..=15;
    // "R14: current goroutine, same"; "X15: zero value, same"; the frame pointer is callee-save.
    GoInternal go go_integer go_float [5 14] 15..=15;
}

fn check(what: &str, integers: &[usize], vectors: RangeInclusive<usize>, callbacks: [unsafe extern "C" fn(); 3]) {
    for (kind, callback) in callbacks.into_iter().enumerate() {
        let input = Registers::poison();
        // SAFETY: the callback takes what is in the registers.
        let found = unsafe { Call::lock().call(callback as *const (), &input) };
        assert_eq!((found.gpr[RSP], found.returned_to), (0, 1), "rsp: {what}");
        for &number in integers {
            // A result is where it is.
            if kind != 1 || number != 0 {
                assert_eq!(found.gpr[number], input.gpr[number], "{}: {what} {kind}", NAMES[number]);
            }
        }
        for number in vectors.clone() {
            if kind != 2 || number != 0 {
                assert_eq!(found.image.xmm[number], input.image.xmm[number], "xmm{number}: {what} {kind}");
            }
        }
        assert_eq!(found.rflags & DF, 0);
    }
}

convention! {
    /// Of this crate's own: everything about it is unusual.
    struct Own {
        ints: [rbp, r11, rax],
        floats: [xmm12, xmm3],
        results: [rbx, xmm9],
        preserves: [rax, rcx, rdi, r11, flags, xmm0, xmm12],
        callee_pops: true,
    }
}

#[expect(clippy::too_many_arguments, reason = "so that some are in memory")]
#[cbframe(abi = Own)]
fn own(#[state] s: &u64, a: u8, x: f32, b: u64, y: f64, c: i16, z: f64, d: u32) -> i8 {
    trash();
    let p = Registers::poison();
    assert_eq!((a, b, c), (p.gpr[5] as u8, p.gpr[11], p.gpr[0] as i16));
    assert_eq!((x.to_bits(), y.to_bits()), (p.image.xmm[12] as u32, p.image.xmm[3] as u64));
    assert_eq!((z.to_bits(), d), (WORD, (WORD + 1) as u32));
    *s as i8
}

static MINUS_THREE: u64 = -3_i64 as u64;

/// Flags, argument registers that are preserved, and a stack that the callback pops, in a convention of this crate.
#[test]
fn convention_of_ones_own() {
    for flags in [0, FLAGS, 0x0d5, 0x801, DF | 0x40] {
        let mut input = Registers::poison();
        input.rflags |= flags;
        // SAFETY: the callback takes what is in the registers, and pops two words.
        let found = unsafe { Call::lock().call(cbframe::bind_static!(own, MINUS_THREE) as *const (), &input) };
        assert_eq!((found.gpr[RSP], found.returned_to), (16, 1));
        assert_eq!(found.rflags & FLAGS, flags & FLAGS);
        for number in [0, 1, 5, 7, 11, 12, 13, 14, 15] {
            assert_eq!(found.gpr[number], input.gpr[number], "{}", NAMES[number]);
        }
        for number in [0, 12] {
            assert_eq!(found.image.xmm[number], input.image.xmm[number], "xmm{number}");
        }
        assert_eq!(found.gpr[3] as u32 as i32, -3);
    }
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct GoString {
    pointer: u64,
    length: i64,
}

/// What a callback saw on the stack.
static ON_STACK: Mutex<Option<[u64; 4]>> = Mutex::new(None);

/// Nine words in registers; then a string, and narrow values side by side on the stack.
#[expect(clippy::too_many_arguments, reason = "so that some are in memory")]
#[cbframe(abi = GoInternal)]
fn on_any_stack(
    #[state] state: &u64,
    registers: GoString,
    c: i64,
    d: i64,
    e: i64,
    f: i64,
    g: i64,
    h: i64,
    first: GoString,
    i: i32,
    narrow: u32,
    short: u16,
    byte: u8,
) -> GoString {
    trash();
    let p = Registers::poison();
    assert_eq!((registers.pointer, registers.length as u64, c as u64), (p.gpr[0], p.gpr[3], p.gpr[1]));
    assert_eq!([d, e, f, g, h].map(|word| word as u64), [7, 6, 8, 9, 10].map(|number| p.gpr[number]));
    assert_eq!(i, p.gpr[11] as i32);
    let narrow = u64::from(narrow) | u64::from(short) << 32 | u64::from(byte) << 48;
    *ON_STACK.lock().expect("no panic") = Some([first.pointer, first.length as u64, narrow, *state]);
    GoString { pointer: 0x1111, length: -2 }
}

static SEVEN: u64 = 7;

/// Calls a callback with the stack pointer off by a word; its first stack argument is the return address of this.
#[unsafe(naked)]
unsafe extern "C" fn off_by_a_word() {
    naked_asm!("call qword ptr [rip + {target}]", "ret", target = sym TARGET)
}

static TARGET: Address = Address(cbframe::bind_static!(on_any_stack, SEVEN));

#[repr(transparent)]
struct Address(unsafe extern "C" fn());

/// Go does not align the stack.
#[test]
fn unaligned_stack() {
    let _ = guard::report();
    let input = Registers::poison();
    for (target, aligned) in [(TARGET.0, true), (off_by_a_word as unsafe extern "C" fn(), false)] {
        // SAFETY: the callback takes what is in the registers, and on the stack.
        let found = unsafe { Call::lock().call(target as *const (), &input) };
        assert_eq!((found.gpr[RSP], found.returned_to), (0, 1));
        assert_eq!((found.gpr[0], found.gpr[3]), (0x1111, -2_i64 as u64));
        assert_eq!(
            (found.gpr[5], found.gpr[14], found.image.xmm[15]),
            (input.gpr[5], input.gpr[14], input.image.xmm[15])
        );
        let seen = ON_STACK.lock().expect("no panic").take().expect("a call");
        let word = |index: u64| if aligned { WORD + index } else { WORD + index - 1 };
        let low = |word: u64| word & 0x00ff_ffff_ffff_ffff;
        assert_eq!(seen[1..], [word(1), low(word(2)), 7], "aligned: {aligned}");
        assert_eq!(seen[0] == WORD, aligned);
    }
    assert_eq!(guard::report().misaligned, 0);
}

/// Closures, whose entries are generic.
#[test]
fn closures() {
    let (mut calls, offset) = (0, 2.5);
    let input = Registers::poison();
    let call = |address: unsafe extern "C" fn()| {
        // SAFETY: the callbacks take what is in the registers.
        unsafe { Call::lock().call(address as *const (), &input) }
    };
    let regcall = frame!(abi = Regcall, move |a: i16, b: u64, c: f64| -> f64 {
        trash();
        assert_eq!((a, b, c.to_bits()), (input.gpr[0] as i16, input.gpr[1], input.image.xmm[0] as u64));
        offset
    });
    let found = call(regcall.expect("a slot").as_fn());
    assert_eq!((found.image.xmm[0] as u64, found.image.xmm[8]), (offset.to_bits(), input.image.xmm[8]));
    let go = frame!(abi = GoInternal, local, |a: u8, b: GoString| -> u64 {
        trash();
        calls += 1;
        u64::from(a) ^ b.pointer ^ b.length as u64
    })
    .expect("a slot");
    let found = call(go.as_fn());
    assert_eq!(found.gpr[0], (input.gpr[0] & 0xff) ^ input.gpr[3] ^ input.gpr[1]);
    drop(go);
    assert_eq!(calls, 1);
}

/// A handler that sees the CPU: what it changes is changed, preserved registers too.
#[cbframe(abi = PreserveAll)]
fn meddling(#[cpu] cpu: &mut CpuState, a: u64) -> u64 {
    assert_eq!((cpu.rdi, cpu.rax), (a, Registers::poison().gpr[0]));
    cpu.rcx = 5;
    cpu.xmm_mut(9).expect("saved").set_u64(0, 6);
    trash();
    a + 1
}

#[test]
fn cpu() {
    let input = Registers::poison();
    // SAFETY: the callback takes what is in the registers.
    let found = unsafe { Call::lock().call(meddling::FN as *const (), &input) };
    let mut want = input;
    (want.gpr[0], want.gpr[1], want.gpr[RSP]) = (input.gpr[7] + 1, 5, 0);
    want.image.xmm[9] = want.image.xmm[9] >> 64 << 64 | 6;
    // All but r11.
    (want.gpr[11], want.image.mxcsr) = (found.gpr[11], found.image.mxcsr);
    assert_eq!((found.gpr, found.image.xmm), (want.gpr, want.image.xmm));
}

convention! {
    /// The stack is aligned, with an odd number of words on it, which are popped.
    struct Both {
        ints: [],
        floats: [xmm1],
        results: [rdx],
        preserves: [rax, rcx, xmm1],
        callee_pops: true,
        stack_align: 8,
    }
}

#[cbframe(abi = Both)]
fn both(a: u32, x: f64, b: u64, c: u8) -> u64 {
    trash();
    assert_eq!(x.to_bits(), Registers::poison().image.xmm[1] as u64);
    u64::from(a) + b + u64::from(c)
}

#[test]
fn aligned_and_popped() {
    let input = Registers::poison();
    // SAFETY: the callback takes what is in the registers and on the stack, and pops three words.
    let found = unsafe { Call::lock().call(both::FN as *const (), &input) };
    assert_eq!((found.gpr[RSP], found.returned_to), (24, 1));
    assert_eq!(found.gpr[2], WORD + 1 + u64::from(WORD as u32) + 2);
    for number in [0, 1, 3, 5, 12, 13, 14, 15] {
        assert_eq!(found.gpr[number], input.gpr[number], "{}", NAMES[number]);
    }
    assert_eq!(found.image.xmm[1], input.image.xmm[1]);
}
