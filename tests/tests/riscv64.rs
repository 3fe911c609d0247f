//! What is different on RISC-V: calls with every register, the floating-point environment, narrow integers and floats in
//! registers, what is refused at run time.
#![cfg(target_arch = "riscv64")]
#![allow(missing_docs, reason = "tests")]

use std::arch::{asm, naked_asm};
use std::ffi::c_int;
use std::panic::{catch_unwind, resume_unwind};

use cbframe::abi::{Abi, Signature};
use cbframe::types::Type;
use cbframe::{CpuImage, CpuState, DynFrame, LongDouble, VaList, Value, call, cbframe};

/// Values for x0 to x31 and f0 to f31: no two alike.
fn word(number: usize) -> u64 {
    (0x0101_0101_0101_0101 * (number as u64 + 1)) ^ 0x00ff_0000_0000_0000
}

/// Adds one to every general register, and exchanges neighbouring floating-point registers.
#[unsafe(naked)]
unsafe extern "C" fn adds_one() {
    naked_asm!(
        ".option push",
        ".option arch, +d",
        ".irp n, 6,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "addi x\\n, x\\n, 1",
        ".endr",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "fneg.d f\\n, f\\n",
        ".endr",
        "ld a0, 8(sp)",
        "fsrmi 2",
        "ret",
        ".option pop",
    )
}

#[test]
fn calls_with_every_register() {
    let mut cpu = CpuImage::new();
    cpu.x = std::array::from_fn(word);
    for number in 0..32 {
        cpu.f_mut(number).expect("there").set_u64(0, word(32 + number));
    }
    cpu.set_fcsr(1 << 5);
    for count in [2, 600] {
        let stack: Vec<u64> = (0..count).collect();
        // SAFETY: the function changes registers and nothing else.
        let after = unsafe { cpu.call(adds_one as *const (), &stack) };
        assert_eq!(after.x[10], 1, "the second word of the stack");
        for number in [6, 8, 9].into_iter().chain(11..32) {
            assert_eq!(after.x[number], word(number) + 1, "x{number}");
        }
        for number in 0..32 {
            assert_eq!(after.f(number).expect("there").u64(0), word(32 + number) ^ 1 << 63, "f{number}");
        }
        assert_eq!(after.fcsr(), Some(2 << 5));
    }
    let fcsr: u64;
    // SAFETY: reads a register.
    unsafe { asm!("frcsr {}", out(reg) fcsr) };
    assert_eq!(fcsr & 0xe0, 0, "the caller's");
}

/// Called by a signature that is known at run time, and calling by one: all bits of the registers.
#[test]
fn narrow_values_fill_their_registers() {
    #[unsafe(naked)]
    unsafe extern "C" fn same(_: u64) -> u64 {
        naked_asm!("ret")
    }
    #[unsafe(naked)]
    unsafe extern "C" fn bits_of_float(_: f64) -> u64 {
        naked_asm!(".option push", ".option arch, +d", "fmv.x.d a0, fa0", "ret", ".option pop")
    }
    #[unsafe(naked)]
    unsafe extern "C" fn from_stack() -> u64 {
        naked_asm!("ld a0, 0(sp)", "ret")
    }
    for (value, ty, bits) in [
        (Value::U32(0x8000_0001), Type::U32, 0xffff_ffff_8000_0001),
        (Value::I32(-2), Type::I32, -2_i64 as u64),
        (Value::U16(0xfffe), Type::U16, 0xfffe),
        (Value::I16(-2), Type::I16, -2_i64 as u64),
        (Value::U8(0xfe), Type::U8, 0xfe),
        (Value::I8(-2), Type::I8, -2_i64 as u64),
        (Value::F32(1.5), Type::F32, 0xffff_ffff_0000_0000 | u64::from(1.5_f32.to_bits())),
    ] {
        let is_float = matches!(value, Value::F32(_));
        let signature = Signature::new(Abi::C).param(ty).ret(Type::U64).build().expect("placed");
        let function = if is_float { bits_of_float as *const () } else { same as *const () };
        // SAFETY: the functions take what they are given, and give its bits.
        let result = unsafe { signature.call(function, std::slice::from_ref(&value)) }.expect("a call");
        assert!(matches!(result, Value::U64(found) if found == bits), "{value:?}: {result:?}");

        if !is_float {
            let eight = (0..8).fold(Signature::new(Abi::C), |builder, _| builder.param(Type::U64));
            let signature = eight.param(ty).ret(Type::U64).build().expect("placed");
            let mut values: Vec<_> = (0..8).map(Value::U64).collect();
            values.push(value.to_owned());
            // SAFETY: as above.
            let result = unsafe { signature.call(from_stack as *const (), &values) }.expect("a call");
            assert!(matches!(result, Value::U64(found) if found == bits), "{value:?} on the stack: {result:?}");
        }

        let signature = Signature::new(Abi::C).ret(ty).build().expect("placed");
        let given = value.to_owned();
        let frame = DynFrame::new(&signature, move |call| call.ret(given.clone())).expect("a slot");
        // SAFETY: the callback has no parameters.
        let after = unsafe { CpuImage::new().call(frame.as_ptr(), &[]) };
        let found = if is_float { after.f(10).expect("there").u64(0) } else { after.x[10] };
        assert_eq!(found, bits, "{value:?} from a callback");
    }
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
    cpu.x[10] = 13;
    cpu.f_mut(10).expect("there").set_f64(0, 1.5);
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
    assert!(size_of::<VaList<'_>>() > 0);
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
    let (result, after): (f64, u64);
    // SAFETY: rounds towards infinity for one call, through which the mode has to get.
    unsafe {
        asm!(
            "fscsr {toward}", "jalr {f}", "frcsr a0", "fscsr zero",
            toward = in(reg) 3_u64 << 5, f = in(reg) f, lateout("a0") after,
            inlateout("fa0") 1.0_f64 => result, clobber_abi("C"),
        );
    }
    assert_eq!((result.to_bits(), after), ((1.0_f64 / 3.0).to_bits(), 3 << 5));

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
    assert_eq!(after.f(10).expect("there").f64(0), y * x as f64);
    after.f(10).expect("there").f64(0) + 1.0
}

#[test]
fn a_call_is_passed_on() {
    let frame = passes_on::bind(std::sync::atomic::AtomicU32::new(0)).expect("a slot");
    // SAFETY: the frame lives; the handler changes nothing.
    assert_eq!(unsafe { frame.as_fn()(4, 2.5) }, 11.0);
}

#[test]
fn what_another_target_has_is_refused() {
    let foreign = [Abi::SysV64, Abi::Win64, Abi::AppleArm64, Abi::Aapcs64];
    for abi in foreign {
        let signature = Signature::new(abi).param(Type::I32).build().expect("it can be placed");
        let message = catch_unwind(|| DynFrame::new(&signature, |_| {}).map(drop)).expect_err("refused");
        let message = message.downcast::<String>().expect("a text");
        assert!(message.contains("64-bit RISC-V Linux") && message.contains(abi.name()), "{message}");
    }
}
