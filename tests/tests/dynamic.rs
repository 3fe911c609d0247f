//! Callbacks and calls whose signature is known at run time only: what goes for them beside where values lie, which `call` and
//! `round_trip` test.
// What is said of registers is x86-64's; `aarch64` has its own.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use cbframe::abi::{Abi, CallingConvention, Signature};
use cbframe::conventions::{GoInternal, Regcall};
use cbframe::types::Type;
use cbframe::{CType, Call, DynFrame, Gpr, LongDouble, Object, Pool, Recorder, Value, call, convention, pool, resolve};
use cbframe_tests::child;

type Function = unsafe extern "C" fn(i32) -> i32;

fn of_int() -> Signature {
    Signature::new(Abi::C).named("x", Type::I32).ret(Type::I32).build().expect("a signature")
}

/// Calls a pointer that takes and returns an `int`.
fn call_int(pointer: *const (), x: i32) -> i32 {
    // SAFETY: the tests pass such pointers, whose frames live.
    unsafe { std::mem::transmute::<*const (), Function>(pointer)(x) }
}

#[test]
fn kinds_of_closures() {
    pool!(static OWN: 4);
    let signature = of_int();

    let mut frame = DynFrame::builder(&signature).pool(&OWN).new(|call| call.ret(call.arg::<i32>(0) + 1)).unwrap();
    let address = frame.as_ptr();
    assert_eq!(call_int(address, 41), 42);
    assert_eq!(frame.signature().to_string(), signature.to_string());
    frame.set(|call| call.ret(call.arg::<i32>(0) * 2));
    assert_eq!((frame.as_ptr(), call_int(address, 21)), (address, 42));
    let resolved = resolve(address).expect("a callback");
    assert!(resolved.is_bound() && resolved.name().contains("kinds_of_closures"), "{}", resolved.name());
    assert_eq!(OWN.stats().bound, 1);

    let mut sum = 0;
    let local = DynFrame::builder(&signature).pool(&OWN).local(|call| {
        sum += call.arg::<i32>(0);
        call.ret(sum);
    });
    let local = local.map_err(|_| "a slot").unwrap();
    assert_eq!([1, 2, 39].map(|x| call_int(local.as_ptr(), x)), [1, 3, 42]);
    drop(local);
    assert_eq!(sum, 42);

    let text = String::from("taken");
    let once = DynFrame::builder(&signature).pool(&OWN).once(move |call| {
        assert_eq!(OWN.stats().bound, 1); // its own slot is free already
        call.ret(text.len() as i32);
    });
    assert_eq!(call_int(once.unwrap().as_ptr(), 0), 5);
    assert_eq!(OWN.stats().bound, 1);

    let raw = frame.into_raw();
    assert_eq!(call_int(raw, 4), 8);
    // SAFETY: the address of such a frame.
    let again: DynFrame<'_> = unsafe { DynFrame::from_raw(raw) };
    drop(again);
    assert_eq!(OWN.stats().bound, 0);

    let leaked = DynFrame::builder(&signature).pool(&OWN).new(|call| call.ret(7)).unwrap().leak();
    assert_eq!(call_int(leaked as *const (), 0), 7);
}

#[test]
fn a_closure_that_drops_its_own_frame() {
    let signature = of_int();
    let kept: &'static Cell<Option<DynFrame<'static, cbframe::Local>>> = Box::leak(Box::new(Cell::new(None)));
    let frame = DynFrame::local(&signature, |call| {
        drop(kept.take());
        call.ret(call.arg::<i32>(0) - 1);
    });
    let frame = frame.map_err(|_| "a slot").unwrap();
    let address = frame.as_ptr();
    kept.set(Some(frame));
    assert_eq!(call_int(address, 43), 42);
    assert!(kept.take().is_none() && !resolve(address).is_some_and(|resolved| resolved.is_bound()));
}

#[test]
fn full_pools_give_closures_back() {
    pool!(static SMALL: 1);
    let signature = of_int();
    let _first = DynFrame::builder(&signature).pool(&SMALL).new(|call| call.ret(1)).unwrap();
    let text = String::from("mine");
    let full = DynFrame::builder(&signature).pool(&SMALL).new(move |call| call.ret(text.len() as i32)).unwrap_err();
    assert!(full.to_string().contains("SMALL"), "{full}");
    let closure = full.into_state();
    let frame = DynFrame::new(&signature, closure).unwrap();
    assert_eq!(call_int(frame.as_ptr(), 0), 4);
}

#[test]
fn on_threads_at_once() {
    let signature = of_int();
    let calls = AtomicUsize::new(0);
    let frame = DynFrame::new(&signature, |call| {
        calls.fetch_add(1, Ordering::Relaxed);
        call.ret(call.arg::<i32>(0) ^ 0x55);
    });
    let frame = frame.unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let frame = &frame;
            scope.spawn(move || {
                for x in 0..1000 {
                    assert_eq!(call_int(frame.as_ptr(), x + thread), (x + thread) ^ 0x55);
                }
            });
        }
    });
    drop(frame);
    assert_eq!(calls.into_inner(), 4000);
}

#[test]
fn values_for_c() {
    let signature = of_int();
    let frame = DynFrame::builder(&signature).or(-1).new(|call| match call.arg::<i32>(0) {
        0 => {}
        1 => panic!("in a callback"),
        2 => {
            call.ret(5);
            panic!("behind a result");
        }
        x => {
            call.ret(0);
            call.ret(x); // replaces it
        }
    });
    let frame = frame.unwrap();
    assert_eq!([0, 1, 2, 3].map(|x| call_int(frame.as_ptr(), x)), [-1, -1, -1, 3]);

    let resumed = catch_unwind(|| cbframe::resume_panics(|| call_int(frame.as_ptr(), 1)));
    assert_eq!(resumed.unwrap_err().downcast_ref(), Some(&"in a callback"));

    // On another thread than its own, a local closure is not run.
    let local = DynFrame::builder(&signature).or(-2).local(|call| call.ret(1)).map_err(|_| "a slot").unwrap();
    let address = local.as_ptr().expose_provenance();
    let refused = std::thread::spawn(move || call_int(std::ptr::with_exposed_provenance(address), 0)).join();
    assert_eq!((refused.unwrap(), call_int(local.as_ptr(), 0)), (-2, 1));

    // A result in memory.
    let triple = Type::array(Type::I64, 3).and_then(|array| Type::structure("Triple", &[("a", array)])).unwrap();
    let bytes: Vec<u8> = (0..24).collect();
    let fallback = Object::from_bytes(triple, &bytes).unwrap();
    let signature = Signature::new(Abi::C).ret(triple).build().unwrap();
    let frame = DynFrame::builder(&signature).or(fallback).new(|_| panic!("no triple")).unwrap();
    // SAFETY: it takes no arguments.
    let value = unsafe { signature.call(frame.as_ptr(), &[]) }.unwrap();
    let Value::Object(object) = value else { panic!("{value:?}") };
    // SAFETY: three words.
    assert_eq!(unsafe { object.read::<Triple>() }.unwrap().a.map(i64::to_le_bytes).concat(), bytes);
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Triple {
    a: [i64; 3],
}

#[test]
fn panics_pass_through_signatures_that_unwind() {
    let signature = Signature::new(Abi::C).param(Type::I32).unwind().build().unwrap();
    let recorder = Recorder::new(4);
    let builder = DynFrame::builder(&signature).record(&recorder);
    let frame = builder
        .new(|call| {
            if call.arg::<i32>(0) == 7 {
                panic!("seven")
            }
        })
        .unwrap();
    for x in [6, 7] {
        // SAFETY: its signature, which unwinds.
        let called = AssertUnwindSafe(|| unsafe { signature.call(frame.as_ptr(), &[Value::I32(x)]) });
        match catch_unwind(called) {
            Ok(value) => assert!(x == 6 && matches!(value, Ok(Value::Void))),
            Err(panic) => assert!(x == 7 && panic.downcast_ref() == Some(&"seven")),
        }
    }
    // SAFETY: as above.
    let typed = catch_unwind(AssertUnwindSafe(|| unsafe { call!(abi = "C-unwind", frame.as_ptr(), (7_i32)) }));
    assert_eq!(typed.unwrap_err().downcast_ref(), Some(&"seven"));
    let results: Vec<_> = recorder.records().iter().map(|record| record.result().is_some()).collect();
    assert_eq!(results, [true, false, false]);
}

#[test]
fn what_a_call_refuses() {
    extern "C" fn truth(x: i32) -> i32 {
        x
    }
    let point = Type::structure("Point", &[("x", Type::F64), ("y", Type::F64)]).unwrap();
    let other = Type::structure("Other", &[("x", Type::F64), ("y", Type::I64)]).unwrap();
    let signature =
        Signature::new(Abi::SysV64).named("n", Type::I32).named("at", point).ret(Type::BOOL).build().unwrap();
    let object = Object::build(point, &[Value::F64(1.0), Value::F64(2.0)]).unwrap();
    let wrong = Object::build(other, &[Value::F64(1.0), Value::I64(2)]).unwrap();
    // SAFETY: what is refused is not called.
    let error = |values: &[Value<'_>]| unsafe { signature.call(truth as *const (), values) }.unwrap_err().to_string();
    assert_eq!(
        error(&[]),
        "0 arguments are given, and there are 2 parameters in `sysv64 fn(n: i32, at: Point) -> bool`"
    );
    assert_eq!(
        error(&[Value::F32(1.0), object.clone().into()]),
        "argument #0 n: the value is a `f32`, and a `i32` is due, by `sysv64 fn(n: i32, at: Point) -> bool`"
    );
    assert_eq!(
        error(&[Value::I32(1), wrong.into()]),
        "argument #1 at: the value is a `Other`, and a `Point` is due, by `sysv64 fn(n: i32, at: Point) -> bool`"
    );
    // What comes back is no `bool`.
    let signature = Signature::new(Abi::C).param(Type::I32).ret(Type::BOOL).build().unwrap();
    // SAFETY: it returns the number, of which one byte is looked at.
    let called = |x| unsafe { signature.call(truth as *const (), &[Value::I32(x)]) };
    assert!(matches!(called(1), Ok(Value::Bool(true))));
    let error = called(7).unwrap_err().to_string();
    assert!(error.contains("the value is 7, which is not a bool (0 or 1)"), "{error}");
    assert_eq!(
        Object::build(point, &[Value::F64(1.0)]).unwrap_err().to_string(),
        "the value is a `number of values that it has not`, and a `Point` is due"
    );
}

#[test]
fn pointers_of_the_right_type() {
    let frame = DynFrame::new(&of_int(), |call| call.ret(call.arg::<i32>(0))).unwrap();
    assert!(frame.pointer::<Option<Function>>().unwrap().is_some());
    let misfit = frame.pointer::<unsafe extern "C" fn(i64) -> i32>().unwrap_err().to_string();
    for signature in ["fn(i64) -> i32", "fn(x: i32) -> i32"] {
        assert!(misfit.contains(&format!("{} {signature}", Abi::C.name())), "{misfit}");
    }
}

#[test]
fn the_state_of_the_cpu() {
    let signature = Signature::new(Abi::SysV64).param(Type::I64).ret(Type::I64).build().unwrap();
    let frame = DynFrame::new(&signature, |call| {
        assert_eq!(call.cpu().gpr(Gpr::Rdi).map(|word| word.i64()), Some(42));
        // What carries no argument is not there.
        assert!(call.cpu().gpr(Gpr::Rbx).is_none() && call.cpu().rflags().is_none() && call.cpu().xmm(0).is_none());
        call.ret(call.arg::<i64>(0));
    });
    let frame = frame.unwrap();
    // SAFETY: its signature.
    assert!(matches!(unsafe { signature.call(frame.as_ptr(), &[Value::I64(42)]) }, Ok(Value::I64(42))));

    let frame = DynFrame::builder(&signature).save().new(|call| {
        // SAFETY: the caller below expects this.
        let cpu = unsafe { call.cpu_mut() };
        cpu.r10 = 7;
        cpu.rax = 9; // a result that is set wins
        cpu.xmm_mut(3).unwrap().set_f64(0, 1.5);
        call.ret(1_i64);
    });
    let frame = frame.unwrap();
    let mut image = cbframe::CpuImage::new();
    image.rdi = 42;
    image.rbx = 0xbbbb;
    let flags = image.rflags().unwrap();
    image.set_rflags(flags | 0xd5);
    // SAFETY: the signature's one argument.
    let after = unsafe { image.call(frame.as_ptr(), &[]) };
    assert_eq!((after.rax, after.r10, after.rbx), (1, 7, 0xbbbb));
    assert_eq!(after.xmm(3).unwrap().f64(0), 1.5);
    assert_eq!(after.rflags().unwrap() & 0xd5, 0xd5);
}

#[test]
fn variadic_callbacks_and_calls() {
    let signature = Signature::new(Abi::C).named("count", Type::I32).dots().ret(Type::F64).build().unwrap();
    let frame = DynFrame::new(&signature, |call| {
        let mut list = call.va_list();
        // SAFETY: the caller passes as many pairs.
        let sum =
            (0..call.arg::<i32>(0)).map(|_| unsafe { f64::from(list.arg::<i32>()) * list.arg::<f64>() }).sum::<f64>();
        call.ret(sum);
    });
    let frame = frame.unwrap();
    type Sum = unsafe extern "C" fn(i32, ...) -> f64;
    let sum = frame.pointer::<Sum>().unwrap();
    // SAFETY: five pairs.
    let expected = unsafe { sum(5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5) };
    assert_eq!(expected, 1.5 + 5.0 + 10.5 + 18.0 + 27.5);

    let types = [Type::I32, Type::F64].into_iter().cycle().take(10);
    let start = Signature::new(Abi::C).param(Type::I32).dots().ret(Type::F64);
    let known = types.fold(start, |all, ty| all.param(ty)).build().unwrap();
    let values: Vec<Value<'_>> = std::iter::once(5.into())
        .chain((1..=5).flat_map(|x| [Value::I32(x), Value::F64(f64::from(x) + 0.5)]))
        .collect();
    // SAFETY: as above.
    let found = unsafe { known.call(frame.as_ptr(), &values) }.unwrap();
    assert!(matches!(found, Value::F64(x) if x == expected), "{found}");

    // One whose arguments behind `...` are known is called as any.
    let listed = DynFrame::new(&known, |call| {
        assert_eq!(call.args().map(|arg| arg.value.to_string()).collect::<Vec<_>>()[..3], ["5", "1", "1.5"]);
        call.ret(0.0);
    });
    // SAFETY: as above.
    unsafe { known.call(listed.unwrap().as_ptr(), &values) }.unwrap();
}

unsafe extern "C" {
    // MinGW's own has its compiler's `long double`, and that of the system Microsoft's.
    #[cfg_attr(windows, link_name = "__mingw_snprintf")]
    fn snprintf(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
    safe fn close(fd: c_int) -> c_int;
    fn strtold(text: *const c_char, end: *mut *mut c_char) -> LongDouble;
}

#[test]
#[allow(improper_ctypes, reason = "the address is all that is used of it")]
fn functions_of_the_c_library() {
    let mut text = [0_u8; 64];
    // SAFETY: the format asks for these.
    let length = unsafe {
        let format: *const c_char = c"%d %.2f %s %Lg".as_ptr();
        let word: *const c_char = c"word".as_ptr();
        let long = LongDouble::from_f64(0.125);
        call!(abi = "C", snprintf as *const (), (text.as_mut_ptr(), 64_usize, format, ..., -7, 2.5, word, long) -> c_int)
    };
    assert_eq!(&text[..length as usize], b"-7 2.50 word 0.125");

    // A `long double` comes back in st(0).
    // SAFETY: a string, and no end wanted.
    let value = unsafe {
        let digits: *const c_char = c"-2.5e3".as_ptr();
        call!(abi = "C", strtold as *const (), (digits, std::ptr::null_mut::<*mut c_char>()) -> LongDouble)
    };
    assert_eq!(value.to_f64(), -2500.0);

    // The errno of exactly this call.
    let bad = Signature::new(Abi::C).param(Type::I32).ret(Type::I32).build().unwrap();
    assert_eq!(close(-1), -1);
    // SAFETY: there is no such file.
    let (result, errno) = unsafe { call!(abi = "C", errno, close as *const (), (-1) -> c_int) };
    assert_eq!((result, errno), (-1, libc::EBADF));
    // SAFETY: as above.
    let (result, errno) = unsafe { bad.call_with_errno(close as *const (), &[Value::I32(-1)]) }.unwrap();
    assert!(matches!(result, Value::I32(-1)) && errno == libc::EBADF);
    extern "C" fn nothing(x: i32) -> i32 {
        x
    }
    // SAFETY: any number will do.
    let (result, errno) = unsafe { bad.call_with_errno(nothing as *const (), &[Value::I32(3)]) }.unwrap();
    assert!(matches!(result, Value::I32(3)) && errno == 0, "an error of another call is not this one's");
}

convention! {
    /// Arguments on the stack, which the function pops.
    struct Popping {
        ints: [rcx],
        floats: [],
        results: [rax],
        preserves: [],
        callee_pops: true,
    }
}

#[test]
fn conventions_that_are_data() {
    let signature = |abi| {
        let start = Signature::new(abi).ret(Type::I64);
        (0..9).fold(start, |all, _| all.param(Type::I64)).build().unwrap()
    };
    let values: Vec<Value<'_>> = (1..=9).map(|x| Value::I64(x * x)).collect();
    for abi in [Abi::Named(Regcall::CONVENTION), Abi::Named(GoInternal::CONVENTION), Abi::Named(Popping::CONVENTION)] {
        let signature = signature(abi);
        let frame = DynFrame::new(&signature, |call| {
            call.ret((0..9).map(|n| call.arg::<i64>(n) << n).sum::<i64>());
        });
        let frame = frame.unwrap();
        let expected: i64 = (1..=9).map(|x: i64| (x * x) << (x - 1)).sum();
        // SAFETY: its signature.
        let found = unsafe { signature.call(frame.as_ptr(), &values) }.unwrap();
        assert!(matches!(found, Value::I64(x) if x == expected), "{found}: {signature}");
    }
    // SAFETY: as above.
    let popped = unsafe {
        let frame =
            DynFrame::new(&signature(Abi::Named(Popping::CONVENTION)), |call| call.ret(call.arg::<i64>(8))).unwrap();
        let after = cbframe::CpuImage::new().call(frame.as_ptr(), &[0, 0, 0, 0, 0, 0, 0, 88]);
        (after.rax, after.popped())
    };
    assert_eq!(popped, (88, 64));
    // SAFETY: as above.
    let typed = unsafe {
        let frame =
            DynFrame::new(&signature(Abi::Named(Popping::CONVENTION)), |call| call.ret(call.arg::<i64>(8))).unwrap();
        call!(abi = Popping, frame.as_fn(), (1_i64, 2_i64, 3_i64, 4_i64, 5_i64, 6_i64, 7_i64, 8_i64, 9_i64) -> i64)
    };
    assert_eq!(typed, 9);
}

#[test]
fn recorded_calls() {
    let point = Type::structure("Point", &[("x", Type::F64), ("n", Type::I64)]).unwrap();
    let start = Signature::new(Abi::SysV64)
        .named("at", point)
        .named("far", Type::array(point, 2).and_then(|two| Type::structure("Line", &[("ends", two)])).unwrap());
    let signature = start.named("k", Type::U8).ret(Type::F64).build().unwrap();
    let recorder = Recorder::new(2);
    let frame = DynFrame::builder(&signature).record(&recorder).new(|call| {
        let Value::Object(at) = call.value(0) else { unreachable!() };
        let Some(Value::F64(x)) = at.field("x") else { unreachable!() };
        call.ret(x * f64::from(call.arg::<u8>(2)));
    });
    let frame = frame.unwrap();
    let at = |x: f64, n: i64| Object::build(point, &[x.into(), n.into()]).unwrap();
    for k in [1_u8, 2, 3] {
        let ends = Object::build(Type::array(point, 2).unwrap(), &[at(0.5, 1).into(), at(1.5, 2).into()]).unwrap();
        let line = Object::build(signature.parameters()[1].ty, &[ends.into()]).unwrap();
        // SAFETY: its signature.
        unsafe { signature.call(frame.as_ptr(), &[at(2.5, -3).into(), line.into(), k.into()]) }.unwrap();
    }
    assert_eq!(recorder.total(), 3);
    let records = recorder.records();
    assert_eq!(records.iter().map(|record| record.index()).collect::<Vec<_>>(), [1, 2]);
    let record = &records[1];
    let text = record.to_string();
    for line in [
        "sysv64 fn(at: Point, far: Line, k: u8) -> f64",
        "  at = Point { x: 2.5, n: -3 }",
        "  far = Line { ends: [Point { x: 0.5, n: 1 }, Point { x: 1.5, n: 2 }] }",
        "  k = 3",
        "  result = 7.5",
        "registers before:",
        "registers changed:",
    ] {
        assert!(text.lines().any(|found| found.ends_with(line)), "`{line}` in\n{text}");
    }
    // psABI: the struct in xmm0 and rdi, the integer in rsi, four words on the stack.
    assert_eq!((record.before().rdi as i64, record.before().rsi as u8), (-3, 3));
    assert_eq!(record.stack(), [0.5_f64.to_bits(), 1, 1.5_f64.to_bits(), 2]);
    assert_eq!(record.after().unwrap().xmm(0).unwrap().f64(0), 7.5);
    assert_eq!(record.before().rbx, record.after().unwrap().rbx);
    // SAFETY: its own callback, with no pointers among the arguments.
    assert!(matches!(unsafe { record.replay(frame.as_ptr()) }, Ok(Value::F64(7.5))));
    // SAFETY: no argument is by reference, and no result in memory.
    let after = unsafe { record.before().call(frame.as_ptr(), record.stack()) };
    assert_eq!(after.xmm(0).unwrap().f64(0), 7.5);
    assert_eq!(recorder.total(), 5);
    recorder.clear();
    assert!(recorder.records().is_empty());
}

/// Cases in which the process is aborted.
#[test]
fn aborts() {
    if let Some(case) = child::case() {
        return abort(&case);
    }
    for (case, texts) in [
        ("no value", &["has returned without a value", "a `i32`", "`ret`"][..]),
        ("panic", &["no way", "panicked", "`unwind` for a `Signature`, or give C a value by `or`"]),
        ("thread", &["is a local closure of"]),
        ("reentered", &["while another call of it was still running"]),
        ("stale", &["a call to", "which is not bound any more: bound at", "dynamic.rs", "dropped by"]),
        ("invalid", &["with a wrong value for its parameter `#1 flag: bool`: it is 2, which is not a bool"]),
        ("wrong type", &["argument 0 has the type `i32`, which is not laid out as `f64` is"]),
        ("wrong result", &["the result of", "the value is a `f64`, and a `i32` is due"]),
        ("no argument", &["there is no argument 1: the signature has 1"]),
        ("twice", &["a second call to"]),
    ] {
        child::run("aborts", case).assert_aborted(case, texts);
    }
}

fn abort(case: &str) {
    fn run(closure: impl Fn(&mut Call<'_>) + Send + Sync) {
        let frame = DynFrame::new(&of_int(), closure).map_err(|_| "full").unwrap();
        call_int(frame.as_ptr(), 1);
    }
    let signature = of_int();
    match case {
        "no value" => run(|_| {}),
        "panic" => run(|_| panic!("no way")),
        "wrong type" => run(|call| assert!(call.arg::<f64>(0) > 0.0)),
        "wrong result" => run(|call| call.ret(1.0)),
        "no argument" => run(|call| assert!(call.arg::<i32>(1) > 0)),
        "thread" => {
            let local = DynFrame::local(&signature, |call| call.ret(1)).map_err(|_| "full").unwrap();
            let address = local.as_ptr().expose_provenance();
            let _ = std::thread::spawn(move || call_int(std::ptr::with_exposed_provenance(address), 0)).join();
        }
        "reentered" => {
            let address = Cell::new(std::ptr::null());
            let local =
                DynFrame::local(&signature, |call| call.ret(call_int(address.get(), 0))).map_err(|_| "full").unwrap();
            address.set(local.as_ptr());
            call_int(local.as_ptr(), 0);
        }
        "stale" => {
            let frame = DynFrame::new(&signature, |call| call.ret(1)).unwrap();
            let address = frame.as_ptr();
            drop(frame);
            call_int(address, 0);
        }
        "twice" => {
            let frame = DynFrame::once(&signature, |call| call.ret(1)).unwrap();
            call_int(frame.as_ptr(), 0);
            call_int(frame.as_ptr(), 0);
        }
        "invalid" => {
            let signature = Signature::new(Abi::C).param(Type::I32).named("flag", Type::BOOL).build().unwrap();
            let frame = DynFrame::new(&signature, |call| assert!(call.arg::<bool>(1))).unwrap();
            let wrong = Signature::new(Abi::C).param(Type::I32).param(Type::U8).build().unwrap();
            // SAFETY: it aborts.
            let _ = unsafe { wrong.call(frame.as_ptr(), &[Value::I32(0), Value::U8(2)]) };
        }
        _ => panic!("no case {case}"),
    }
}

#[test]
fn the_shared_pool_is_the_default() {
    let before = Pool::shared().stats().bound;
    let frame = DynFrame::new(&of_int(), |call| call.ret(1)).unwrap();
    assert!(Pool::shared().stats().bound > 0 || before > 0);
    assert_eq!(resolve(frame.as_ptr()).unwrap().pool().name(), Pool::shared().name());
}
