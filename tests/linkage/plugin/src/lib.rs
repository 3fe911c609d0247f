//! A Rust `dylib` with pools of its own and the library's inside: nothing may be exported that the linker would
//! need relocations in `.text` for.

use cbframe::{cbframe, pool};

pub use calls;
pub use cbframe::Frame;

pool!(pub static PLUGIN: 4);

/// Bound by the program, to slots of this library's.
#[cbframe(abi = "C", pool = PLUGIN)]
pub fn pooled(#[state] base: &i64, x: i64) -> i64 {
    base * x
}

#[cbframe(abi = "C")]
pub fn shared(#[state] base: &i64, x: i64) -> i64 {
    base - x
}

/// Code of this crate that is compiled in the one that uses it.
#[inline]
pub fn product(base: i64, x: i64) -> i64 {
    let frame = pooled::bind(base).unwrap();
    // SAFETY: the frame lives.
    unsafe { frame.as_fn()(x) }
}

/// The same, generic.
pub fn bound<O: cbframe::SharedState<'static, i64>>(
    base: O,
) -> Frame<'static, unsafe extern "C" fn(i64) -> i64, pooled> {
    pooled::bind(base).unwrap_or_else(|full| panic!("{full}"))
}
