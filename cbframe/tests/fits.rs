//! Which function pointer types stand for the same signature: `Layout::fits`.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use cbframe::{CType, FnPointer};

#[derive(CType)]
#[repr(C)]
struct Mixed {
    _x: f64,
    _n: i64,
}

#[derive(CType)]
#[repr(C)]
struct Swapped {
    _n: i64,
    _x: f64,
}

#[derive(CType)]
#[repr(C)]
struct Floats {
    _x: f32,
    _y: f32,
}

/// Whether a callback with the signature `C` can be called through `P`.
fn fits<C: FnPointer, P: FnPointer>() -> bool {
    C::LAYOUT.fits(P::LAYOUT)
}

#[test]
fn pointers_are_pointers() {
    type Declared = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;
    assert!(fits::<unsafe extern "C" fn(&'static i32, Option<&'static mut i32>) -> i32, Declared>());
    assert!(fits::<extern "C" fn(NonNull<u8>, extern "C" fn()) -> u32, Declared>());
    assert!(fits::<extern "C" fn(usize, u64) -> u32, Declared>());
    assert!(!fits::<extern "C" fn(&'static i32) -> i32, Declared>());
    assert!(!fits::<extern "C" fn(&'static i32, &'static i32, &'static i32) -> i32, Declared>());
    assert!(!fits::<extern "C" fn(&'static i32, f64) -> i32, Declared>());
    assert!(!fits::<extern "C" fn(&'static i32, &'static i32) -> i64, Declared>());
    assert!(!fits::<extern "C" fn(&'static i32, &'static i32), Declared>());
}

#[test]
fn a_narrow_integer_is_extended_by_whoever_has_it_first() {
    // The System V psABI leaves the upper bits open; gcc and clang extend to 32 bits and clang relies on it.
    assert!(!fits::<extern "sysv64" fn(i8), extern "sysv64" fn(u8)>());
    assert!(!fits::<extern "sysv64" fn(i16), extern "sysv64" fn(u16)>());
    assert!(!fits::<extern "sysv64" fn() -> i8, extern "sysv64" fn() -> bool>());
    assert!(!fits::<extern "win64" fn() -> i16, extern "win64" fn() -> u16>());
    assert!(fits::<extern "sysv64" fn(bool), extern "sysv64" fn(u8)>());
    assert!(fits::<extern "sysv64" fn(i32) -> i64, extern "sysv64" fn(u32) -> u64>());
}

#[test]
fn structs_by_where_they_lie() {
    assert!(!fits::<extern "sysv64" fn(Mixed), extern "sysv64" fn(Swapped)>());
    assert!(!fits::<extern "sysv64" fn() -> Mixed, extern "sysv64" fn() -> Swapped>());
    // Both by reference there.
    assert!(fits::<extern "win64" fn(Mixed), extern "win64" fn(Swapped)>());
    assert!(fits::<extern "sysv64" fn(Floats), extern "sysv64" fn(f64)>());
    assert!(!fits::<extern "win64" fn(Floats), extern "win64" fn(f64)>());
    assert!(fits::<extern "win64" fn(Floats), extern "win64" fn(u64)>());
    // The same registers up to there, another one behind.
    assert!(!fits::<extern "sysv64" fn(Floats, i32), extern "sysv64" fn(i64, i32)>());
}

#[test]
fn conventions_and_unwinding() {
    assert!(!fits::<extern "sysv64" fn(i32), extern "win64" fn(i32)>());
    assert!(fits::<extern "efiapi" fn(i32), extern "win64" fn(i32)>());
    // A pointer type without `-unwind` promises that nothing leaves through it.
    assert!(!fits::<extern "sysv64-unwind" fn(i32), extern "sysv64" fn(i32)>());
    assert!(fits::<extern "sysv64" fn(i32), extern "sysv64-unwind" fn(i32)>());
}
