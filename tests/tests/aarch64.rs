//! What is different on AArch64: registers by name in `abi = "custom"`, calls with every register, the floating-point
//! environment, what is refused at run time.
#![cfg(target_arch = "aarch64")]
#![allow(missing_docs, reason = "tests")]

use std::arch::{asm, naked_asm};
use std::ffi::c_int;
use std::panic::{catch_unwind, resume_unwind};

use cbframe::abi::{Abi, Parts, Place, Placement, Placing, Refusal, Register, Signature};
use cbframe::types::Type;
use cbframe::{CpuImage, CpuState, DynFrame, LongDouble, VaList, Value, call, cbframe};

/// Values for x0 to x30 and v0 to v31: no two alike.
fn word(number: usize) -> u64 {
    (0x0101_0101_0101_0101 * (number as u64 + 1)) ^ 0x00ff_0000_0000_0000
}

/// Calls `x[0]` through a frame in which every register holds its `word`, and gives what it leaves. x16, x17, x18, x29 and x30
/// excepted.
#[unsafe(naked)]
unsafe extern "C" fn through(_target: *const (), _words: *const [u64; 64], _out: *mut [u64; 64]) {
    naked_asm!(
        "stp x29, x30, [sp, #-208]!",
        "mov x29, sp",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "str x2, [sp, #160]",
        "mov x17, x0",
        "mov x16, x1",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "ldr d\\n, [x16, #256 + 8 * \\n]",
        ".endr",
        // A word on the stack, for who takes one from there.
        "ldr x9, [x16, #8 * 31]",
        "stp x9, xzr, [sp, #-16]!",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28",
        "ldr x\\n, [x16, #8 * \\n]",
        ".endr",
        "cmn xzr, xzr", // Z
        "blr x17",
        "add sp, sp, #16",
        "ldr x16, [x29, #160]",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28",
        "str x\\n, [x16, #8 * \\n]",
        ".endr",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "str d\\n, [x16, #256 + 8 * \\n]",
        ".endr",
        "mrs x17, nzcv",
        "str x17, [x16, #8 * 30]",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #208",
        "ret",
    )
}

/// Calls the callback, and checks that no register is another but those with these numbers, 32 and above being vector registers.
#[track_caller]
fn check(target: *const (), changed: &[(usize, u64)]) {
    let words: [u64; 64] = std::array::from_fn(word);
    let mut out = [0; 64];
    // SAFETY: the callback preserves what it does not return.
    unsafe { through(target, &raw const words, &raw mut out) };
    for number in (0..16).chain(19..29).chain(32..64) {
        let expected =
            changed.iter().find(|(register, _)| *register == number).map_or(word(number), |(_, value)| *value);
        assert_eq!(out[number], expected, "register {number}");
    }
    assert_eq!(out[30], 0x4000_0000, "the flags");
}

#[cbframe(abi = "custom", ret = "x5")]
fn custom(
    #[state] base: &u64,
    #[reg("x20")] a: u64,
    #[reg("w9")] b: u32,
    #[reg("d17")] c: f64,
    #[stack(0)] d: u64,
) -> u64 {
    assert_eq!((a, b, c.to_bits(), d), (word(20), word(9) as u32, word(32 + 17), word(31)));
    base + 1
}

#[cbframe(abi = "custom", ret = "w3")]
fn narrow(#[reg("w0")] a: i32) -> i32 {
    assert_eq!(a, word(0) as i32);
    -2
}

#[cbframe(abi = "custom", ret = "s30")]
fn single(#[reg("s31")] a: f32, #[reg("v8")] _b: std::arch::aarch64::uint8x16_t) -> f32 {
    assert_eq!(a.to_bits(), word(63) as u32);
    1.5
}

#[test]
fn conventions_of_ones_own_change_their_result_and_nothing_else() {
    let frame = custom::bind(41).expect("a slot");
    check(frame.as_ptr(), &[(5, 42)]);
    check(narrow::FN as *const (), &[(3, 0xffff_fffe)]);
    check(single::FN as *const (), &[(62, 1.5_f32.to_bits().into())]);
    // SAFETY: this is the convention of the callback.
    let sum = unsafe {
        call!(abi = "custom", ret = "x5", custom::bind(41).expect("a slot").leak(),
            (#[reg("x20")] word(20), #[reg("w9")] word(9) as u32, #[reg("d17")] f64::from_bits(word(49)), #[stack(0)] word(31)) -> u64)
    };
    assert_eq!(sum, 42);
}

struct Backwards;

// SAFETY: its callers are this test's.
unsafe impl Placement for Backwards {
    fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal> {
        for index in 0..values.parameters().len() {
            let size = values.parameters()[index].ty.size;
            values.put(index, Place::Registers(Parts::whole(Register::Integer(28 - index as u8), size)));
        }
        let size = values.result().ty.size;
        values.put_result(Place::Registers(Parts::whole(Register::Vector(31), size)));
        Ok(())
    }
}

#[test]
fn conventions_as_algorithms() {
    let signature =
        Signature::custom().param(Type::U64).param(Type::I64).ret(Type::F64).build_by(&Backwards).expect("placed");
    assert!(signature.to_string().contains("x28") && signature.to_string().contains("d31"), "{signature}");
    let frame = DynFrame::new(&signature, |call| call.ret(call.arg::<u64>(0) as f64 - call.arg::<i64>(1) as f64))
        .expect("a slot");
    // SAFETY: this is the callback's signature.
    let result = unsafe { signature.call(frame.as_ptr(), &[Value::U64(40), Value::I64(-2)]) }.expect("a call");
    assert!(matches!(result, Value::F64(42.0)), "{result:?}");
    check(frame.as_ptr(), &[(63, (word(28) as f64 - word(27) as i64 as f64).to_bits())]);

    struct Taken(u8);
    // SAFETY: it is refused.
    unsafe impl Placement for Taken {
        fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal> {
            values.put(0, Place::Registers(Parts::whole(Register::Integer(self.0), 8)));
            Ok(())
        }
    }
    for register in [16, 17, 18, 30, 31, 40] {
        assert!(Signature::custom().param(Type::U64).build_by(&Taken(register)).is_err(), "x{register}");
    }
}

/// What every register holds, summed up, in every register.
#[unsafe(naked)]
unsafe extern "C" fn adds_one() {
    naked_asm!(
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28,29",
        "add x\\n, x\\n, #1",
        ".endr",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "rev64 v\\n\\().16b, v\\n\\().16b",
        ".endr",
        "ldr x0, [sp, #8]",
        "mrs x16, nzcv",
        "eor x16, x16, #0xf0000000",
        "msr nzcv, x16",
        "msr fpcr, xzr",
        "ret",
    )
}

#[test]
fn calls_with_every_register() {
    let mut cpu = CpuImage::new();
    cpu.x = std::array::from_fn(word);
    for number in 0..32 {
        cpu.v_mut(number).expect("there").set_u64(0, word(32 + number));
        cpu.v_mut(number).expect("there").set_u64(1, !word(32 + number));
    }
    cpu.set_nzcv(0x6000_0000);
    cpu.set_fpcr(1 << 22);
    for count in [2, 600] {
        let stack: Vec<u64> = (0..count).collect();
        // SAFETY: the function changes registers and nothing else.
        let after = unsafe { cpu.call(adds_one as *const (), &stack) };
        assert_eq!(after.x[0], 1, "the second word of the stack");
        for number in (1..16).chain(19..30) {
            assert_eq!(after.x[number], word(number) + 1, "x{number}");
        }
        for number in 0..32 {
            let v = after.v(number).expect("there");
            assert_eq!([v.u64(0), v.u64(1)], [word(32 + number), !word(32 + number)].map(u64::swap_bytes), "v{number}");
        }
        assert_eq!((after.nzcv(), after.fpcr()), (Some(0x9000_0000), Some(0)));
    }
    let fpcr: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, fpcr", out(reg) fpcr) };
    assert_eq!(fpcr, 0, "the caller's");
}

extern "C-unwind" fn panics(x: u64, y: f64) -> f64 {
    if x == 13 {
        resume_unwind(Box::new(y));
    }
    y * x as f64
}

#[test]
fn calls_by_signature_and_their_panics() {
    // SAFETY: this is the function's signature.
    let call = |x: u64| unsafe { call!(abi = "C-unwind", panics as *const (), (x, 2.5) -> f64) };
    assert_eq!(call(4), 10.0);
    let payload = catch_unwind(|| call(13)).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<f64>(), Some(&2.5));

    let mut cpu = CpuImage::new();
    cpu.x[0] = 13;
    cpu.v_mut(0).expect("there").set_f64(0, 1.5);
    // SAFETY: as above.
    let payload = catch_unwind(|| unsafe { cpu.call_unwind(panics as *const (), &[]) }).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<f64>(), Some(&1.5));

    let mut text = [0_u8; 64];
    // SAFETY: the buffer is as large as is said, and the arguments are what the format asks for.
    let length = unsafe {
        call!(abi = "C", libc::snprintf as *const (),
            (text.as_mut_ptr(), 64_usize, c"%d %.1f %s %Lg".as_ptr(), ..., 40, 1.5, c"word".as_ptr(), LongDouble::from(0.25)) -> c_int)
    };
    assert_eq!(&text[..length as usize], b"40 1.5 word 0.25");
}

#[cbframe(abi = "C")]
unsafe fn sum(count: c_int, mut args: ...) -> f64 {
    let copy = args.clone();
    let mut sum = 0.0;
    for _ in 0..count {
        // SAFETY: the caller passes an int, a double and a `long double` each time.
        sum += unsafe { f64::from(args.arg::<c_int>()) + args.arg::<f64>() + f64::from(args.arg::<LongDouble>()) };
    }
    // SAFETY: as above.
    let text = unsafe { copy.format(c"%d %.2f %Lf".as_ptr()) };
    assert_eq!(text, "1 0.50 0.250000");
    sum
}

#[test]
fn long_doubles_behind_dots() {
    // SAFETY: `sum` takes these.
    let sum = unsafe {
        call!(abi = "C", sum::FN as *const (), (4_i32, ..., 1, 0.5, LongDouble::from(0.25), 10, 0.5, LongDouble::from(0.25),
            100, 0.5, LongDouble::from(0.25), 1000, 0.5, LongDouble::from(0.25)) -> f64)
    };
    assert_eq!(sum, 1114.0);
    assert_eq!(size_of::<VaList<'_>>(), 32);
}

#[test]
fn long_double_is_what_c_makes_of_it() {
    let mut text = [0_u8; 64];
    for value in
        [0.0, -0.0, 1.0, -0.1, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::INFINITY, std::f64::consts::PI, 2e-310]
    {
        let long = LongDouble::from_f64(value);
        // SAFETY: as for `snprintf` above.
        let length = unsafe {
            call!(abi = "C", libc::snprintf as *const (), (text.as_mut_ptr(), 64_usize, c"%La".as_ptr(), ..., long) -> c_int)
        };
        let found = std::str::from_utf8(&text[..length as usize]).expect("ASCII").to_owned();
        // SAFETY: as above; a `strtold` of what was printed.
        let (back, mut end) = (0_u8, std::ptr::null_mut::<u8>());
        let _ = back;
        // SAFETY: the text ends in a NUL.
        let again: LongDouble =
            unsafe { call!(abi = "C", libc_strtold as *const (), (text.as_ptr(), &raw mut end) -> LongDouble) };
        assert_eq!((again.to_bits(), long.to_f64().to_bits()), (long.to_bits(), value.to_bits()), "{value:e}: {found}");
    }
    // Ties to even, and what is too small or too large.
    let one = LongDouble::from_f64(1.0).to_bits();
    for (bits, expected) in [
        (one | 1 << 59, 1.0),
        (one | 3 << 59, 1.0 + 2.0 * f64::EPSILON),
        (one | ((1 << 59) + 1), 1.0 + f64::EPSILON),
        (one | ((1 << 60) - 1), 1.0 + f64::EPSILON),
        ((16383 + 1024) << 112, f64::INFINITY),
        ((16383 - 1074) << 112, 5e-324),
        ((16383 - 1075) << 112, 0.0),
        ((16383 - 1075) << 112 | 1, 5e-324),
        (1, 0.0),
    ] {
        assert_eq!(LongDouble::from_bits(bits).to_f64(), expected, "{bits:#x}");
    }
    assert!(LongDouble::from_f64(f64::NAN).to_f64().is_nan());
}

unsafe extern "C" {
    #[link_name = "strtold"]
    fn libc_strtold();
}

#[cbframe(abi = "C", save_fenv)]
fn in_default_environment(#[state] _s: &u8, x: f64) -> f64 {
    x / 3.0
}

#[cbframe(abi = "C", save_errno)]
fn changes_errno(#[state] number: &i32, x: i32) -> i32 {
    cbframe_tests::system::set_errno(*number);
    x + 1
}

#[test]
fn the_environment_of_the_caller_is_kept() {
    let frame = in_default_environment::bind(0).expect("a slot");
    let f = frame.as_fn();
    let (result, after, status): (f64, u64, u64);
    // SAFETY: rounds towards infinity for one call, through which the mode has to get.
    unsafe {
        let toward = 1_u64 << 22;
        asm!(
            "msr fpcr, x1", "msr fpsr, xzr", "blr x2", "mrs x0, fpcr", "mrs x1, fpsr", "msr fpcr, xzr",
            in("x2") f, lateout("x0") after, inlateout("x1") toward => status,
            inlateout("v0") 1.0_f64 => result, clobber_abi("C"),
        );
    }
    assert_eq!((result.to_bits(), after, status), ((1.0_f64 / 3.0).to_bits(), 1 << 22, 0));

    let frame = changes_errno::bind(7).expect("a slot");
    cbframe_tests::system::set_errno(5);
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(1) }, 2);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(5));
}

/// A handler that passes its own call on.
#[cbframe(abi = "C")]
fn passes_on(#[state] calls: &std::sync::atomic::AtomicU32, #[cpu] cpu: &mut CpuState, x: u64, y: f64) -> f64 {
    calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // SAFETY: `panics` has this signature.
    let after = unsafe { cpu.call(panics as *const (), &[]) };
    assert_eq!(after.v(0).expect("there").f64(0), y * x as f64);
    after.v(0).expect("there").f64(0) + 1.0
}

#[test]
fn a_call_is_passed_on() {
    let frame = passes_on::bind(std::sync::atomic::AtomicU32::new(0)).expect("a slot");
    // SAFETY: the frame lives; the handler changes nothing.
    assert_eq!(unsafe { frame.as_fn()(4, 2.5) }, 11.0);
}

#[test]
fn what_another_target_has_is_refused() {
    let foreign = [Abi::SysV64, Abi::Win64, Abi::AppleArm64, Abi::Lp64d];
    for abi in foreign {
        let signature = Signature::new(abi).param(Type::I32).build().expect("it can be placed");
        let message = catch_unwind(|| DynFrame::new(&signature, |_| {}).map(drop)).expect_err("refused");
        let message = message.downcast::<String>().expect("a text");
        assert!(message.contains("AArch64 Linux") && message.contains(abi.name()), "{message}");
    }
}
