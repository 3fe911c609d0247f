//! The feature `num-complex`: C's `_Complex`.
#![cfg(feature = "num-complex")]

mod c;
mod layout;

use std::ffi::{c_int, c_void};

use c::Library;
use cbframe::{CType, LongDouble, cbframe};
use layout::Counterpart;
use num_complex::Complex;

/// Calls with values that the C side checks.
const CALLERS: &str = r"
int call_float(float _Complex (*f)(float _Complex, int)) {
    return f(__builtin_complex(1.5f, -2.5f), 2) == __builtin_complex(3.f, -5.f);
}
int call_double(double _Complex (*f)(double _Complex, int)) {
    return f(__builtin_complex(1.5, -2.5), 2) == __builtin_complex(3., -5.);
}
int call_long_double(long double _Complex (*f)(long double _Complex, int)) {
    return f(__builtin_complex(1.5L, -2.5L), 2) == __builtin_complex(3.L, -5.L);
}
";

#[cbframe(abi = "C")]
fn float(z: Complex<f32>, factor: c_int) -> Complex<f32> {
    z * factor as f32
}

#[cbframe(abi = "C", entry = "captured")]
fn float_captured(#[state] zero: &f32, z: Complex<f32>, factor: c_int) -> Complex<f32> {
    z * factor as f32 + *zero
}

#[cbframe(abi = "C")]
fn double(z: Complex<f64>, factor: c_int) -> Complex<f64> {
    z * f64::from(factor)
}

#[cbframe(abi = "C", entry = "captured")]
fn double_captured(#[state] zero: &f64, z: Complex<f64>, factor: c_int) -> Complex<f64> {
    z * f64::from(factor) + *zero
}

#[cbframe(abi = "C")]
unsafe fn long_double(z: Complex<LongDouble>, factor: c_int) -> Complex<LongDouble> {
    let times = |part: LongDouble| LongDouble::from(f64::from(part) * f64::from(factor));
    Complex::new(times(z.re), times(z.im))
}

#[test]
fn as_c_has_them() {
    let counterpart = |ty, c: &str| Counterpart { ty, c: c.to_owned(), fields: &[] };
    layout::assert_layouts(
        "num_complex",
        "",
        &[
            counterpart(Complex::<f32>::TYPE, "float _Complex"),
            counterpart(Complex::<f64>::TYPE, "double _Complex"),
            counterpart(Complex::<LongDouble>::TYPE, "long double _Complex"),
        ],
    );
}

#[test]
fn by_value_from_c() {
    let library = Library::compile("num_complex_by_value", CALLERS);
    let assert_called = |name: &str, callback: *const c_void| {
        // SAFETY: the function's type, but for the parameter, which is a function pointer.
        let call: unsafe extern "C" fn(*const c_void) -> c_int = unsafe { std::mem::transmute(library.symbol(name)) };
        // SAFETY: a callback of the signature that this calls, which lives.
        assert_eq!(unsafe { call(callback) }, 1, "{name}");
    };
    let float_captured = float_captured::bind(0.0).expect("a slot");
    let double_captured = double_captured::bind(0.0).expect("a slot");
    assert_called("call_float", float::FN as *const c_void);
    assert_called("call_float", float_captured.as_fn() as *const c_void);
    assert_called("call_double", double::FN as *const c_void);
    assert_called("call_double", double_captured.as_fn() as *const c_void);
    assert_called("call_long_double", long_double::FN as *const c_void);
}
