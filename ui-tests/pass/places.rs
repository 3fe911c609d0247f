//! Where callbacks can stand, and how they can be written.

#![deny(warnings, missing_docs, unreachable_pub)]

use std::ffi::c_int;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use cbframe::{CpuState, Frame, bind_static, cbframe, pool, resolve};

/// Another name of the crate.
pub mod ffi {
    pub use cbframe as callbacks;
}

/// With a private type in a public function, a documented and public callback.
pub mod public {
    struct Private(i32);

    /// Documented.
    #[cbframe::cbframe(abi = "C")]
    #[allow(private_interfaces)]
    pub fn documented(#[state] private: &Private, x: i32) -> i32 {
        private.0 + x
    }

    #[cbframe::cbframe(abi = "C", crate = super::ffi::callbacks)]
    pub(crate) fn renamed(#[state] x: &i32) -> i32 {
        *x
    }

    #[cbframe::cbframe(abi = "C")]
    pub(in crate::public) fn inner() {}

    pub(crate) fn run() {
        let frame = documented::bind(Private(1)).unwrap();
        // SAFETY: the frame lives.
        assert_eq!(unsafe { frame.as_fn()(2) }, 3);
        inner::FN();
    }
}

#[cbframe(abi = "C")]
fn parameters(#[state] _: &u8, mut a: c_int, _: f64, _unused: f64, r#type: c_int) -> c_int {
    a += r#type;
    a
}

#[cbframe(abi = "C")]
fn r#match(r#in: i32) -> i32 {
    r#in
}

#[cbframe(abi = "C")]
fn state_last(a: i32, #[state] s: &i32) -> i32 {
    a - s
}

#[cbframe(abi = "C", name = Handle)]
fn handle(#[state] s: &mut i32) -> i32 {
    *s += 1;
    *s
}

// `name` is for this: the type of a function is a type's.
#[expect(non_camel_case_types, reason = "a name of C's")]
struct taken;

#[cbframe(abi = "C", name = Taken)]
#[expect(non_snake_case, reason = "as above")]
fn Taken(_: i32) {}

#[cbframe(abi = "C")]
unsafe fn read(#[state] s: &i32, at: *const i32) -> i32 {
    // SAFETY: the caller's promise.
    s + unsafe { *at }
}

#[cbframe(abi = "C")]
fn longest<'a, 'b>(#[state] _s: &u8, a: &'a i32, b: &'b i32, c: &'a i32) -> &'a i32 {
    if a < b { a } else { c }
}

#[cbframe(abi = "C")]
fn elided(a: &mut i32) -> &mut i32 {
    *a += 1;
    a
}

#[cbframe(abi = "C")]
fn forever(#[state] s: &u8) -> &'static i32 {
    if *s == 0 { &0 } else { &1 }
}

/// Borrows, so that C has no name for it.
#[derive(Clone, Copy)]
#[repr(C)]
struct View<'a>(*const u8, PhantomData<&'a u8>);

#[cbframe(abi = "C")]
fn views<'a>(a: View<'a>, _: View<'_>, #[state] context: &Context<'_>) -> View<'a> {
    context.0.fetch_add(1, Ordering::Relaxed);
    a
}

struct Context<'c>(&'c AtomicI32);

type Number = i32;
type Callback = unsafe extern "C" fn(Number) -> Number;

#[cbframe(abi = "C")]
fn pointers(
    f: extern "C" fn(&Number) -> Number,
    g: Option<Callback>,
    h: Option<for<'a> extern "C" fn(&'a u8)>,
) -> Number {
    assert!(g.is_none() && h.is_none());
    f(&41)
}

#[cbframe(abi = "C", on_panic = -1)]
fn panics(#[state] s: &i32) -> i32 {
    assert_ne!(*s, 0);
    *s
}

#[cbframe(abi = "C", on_panic = std::process::abort())]
fn aborts() -> i32 {
    1
}

#[cbframe(abi = "C-unwind")]
fn unwinds(#[state] s: &i32) -> i32 {
    *s
}

#[cbframe(abi = "C", export = "cbframe_test_places_exported")]
fn exported(x: i32) -> i32 {
    x + 1
}

unsafe extern "C" {
    safe fn cbframe_test_places_exported(x: i32) -> i32;
}

#[cbframe(abi = "C")]
#[cfg(any())]
fn absent(_: Nothing) {}

#[cfg(any())]
#[cbframe(abi = "C")]
fn absent_too(_: Nothing) {}

#[cbframe(abi = "C")]
#[cfg(all())]
#[inline]
#[must_use]
#[cold]
fn present() -> i32 {
    7
}

#[cbframe(abi = "C")]
#[deprecated = "for the test"]
fn deprecated(#[state] s: &i32) -> i32 {
    *s
}

// A boxed closure as the state, which takes any reference.
#[cbframe(abi = "C")]
fn closure(#[state] f: &Box<dyn Fn(&i32) -> i32 + Send + Sync>, x: i32) -> i32 {
    f(&x)
}

pool!(static MENU: 4);

macro_rules! callback {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($state:ident: $S:ty $(, $arg:ident: $ty:ty)*) -> $ret:ty $body:block
     abi $abi:literal pool $pool:path as $Item:ident or $fallback:expr) => {
        $(#[$meta])*
        #[cbframe(abi = $abi, pool = $pool, name = $Item, on_panic = $fallback)]
        $vis fn $name(#[state] $state: $S $(, $arg: $ty)*) -> $ret $body
    };
}

callback! {
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn generated(state: &i32, a: Option<&i32>, f: extern "C" fn(&i32) -> i32) -> i32 {
        state + a.copied().unwrap_or(0) + f(state)
    }
    abi "sysv64" pool MENU as Generated or 0
}

macro_rules! captured {
    ($S:ty, $C:ty) => {
        #[cbframe(abi = "win64", crate = $crate::ffi::callbacks, save(gpr, sse))]
        fn captured(#[state] s: &$S, #[cpu] cpu: &mut $C, x: $S) -> $S {
            *s + x + cpu.rcx as $S
        }
    };
}

captured!(i32, CpuState);

extern "C" fn double(x: &i32) -> i32 {
    2 * x
}

/// A frame is a type that can be named.
struct Holder<'a>(Frame<'a, unsafe extern "C" fn(i32) -> i32, state_last>);

fn main() {
    #[cbframe(abi = "C")]
    fn local(#[state] s: &i32, x: i32) -> i32 {
        #[cbframe(abi = "C")]
        fn nested(x: i32) -> i32 {
            x + 1
        }
        s + nested::FN(x)
    }
    {
        // The same name in an inner block.
        #[cbframe(abi = "C")]
        fn local() {}
        local::FN();
    }
    assert_eq!(local::leak(1).unwrap()(2), 4);
    assert_eq!((|| local::leak(1).unwrap()(2))(), 4);

    public::run();
    assert_eq!(public::renamed::leak(3).unwrap()(), 3);
    assert_eq!(parameters::leak(0).unwrap()(1, 0.0, 0.0, 2), 3);
    assert_eq!(parameters(&0, 1, 0.0, 0.0, 2), 3);
    assert_eq!(parameters::LAYOUT.to_string().lines().count(), 6);
    assert!(parameters::LAYOUT.to_string().contains("type: i32") && !parameters::LAYOUT.to_string().contains("r#"));
    assert_eq!((r#match::NAME, r#match::FN(1)), ("match", 1));
    let holder = Holder(state_last::bind(Arc::new(1)).unwrap());
    // SAFETY: the frame lives.
    assert_eq!(unsafe { holder.0.as_fn()(3) }, 2);
    let frame = Handle::bind(1).unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { (frame.as_fn()(), frame.as_fn()()) }, (2, 3));
    let _ = taken;
    Taken::FN(1);
    // SAFETY: the pointer is that of a reference.
    assert_eq!(unsafe { read::leak(1).unwrap()(&2) }, 3);
    assert_eq!(*longest::leak(0).unwrap()(&1, &2, &3), 1);
    let mut x = 1;
    *elided::FN(&mut x) += 1;
    assert_eq!(x, 3);
    assert_eq!(*forever::leak(1).unwrap()(), 1);

    let calls = AtomicI32::new(0);
    let byte = 1;
    let frame = views::bind(Context(&calls)).unwrap();
    let view = View(&byte, PhantomData);
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(view, view).0 }, &raw const byte);
    drop(frame);
    assert_eq!(calls.into_inner(), 1);

    assert_eq!(pointers::FN(double, None, None), 82);
    assert_eq!(aborts::FN(), 1);
    static ONE: i32 = 1;
    assert_eq!(bind_static!(unwinds, ONE)(), 1);
    assert_eq!(bind_static!(panics, ONE)(), 1);
    assert_eq!(cbframe_test_places_exported(1), 2);
    assert_eq!(exported::FN(1), 2);
    assert_eq!(present::FN(), 7);
    #[expect(deprecated, reason = "it is")]
    let pointer = deprecated::leak(5).unwrap();
    assert_eq!(pointer(), 5);
    let add: Box<dyn Fn(&i32) -> i32 + Send + Sync> = Box::new(|x| x + 1);
    let closure = closure::leak(Box::new(add)).unwrap();
    assert_eq!(closure(1), 2);

    let frame = Generated::bind(1).unwrap();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { frame.as_fn()(Some(&10), double) }, 13);
    assert_eq!((MENU.stats().bound, Generated::NAME), (1, "generated"));
    assert!(resolve(frame.as_ptr()).unwrap().name().ends_with("::generated"));
    let frame = captured::bind(1).unwrap();
    // SAFETY: as above; rcx is the first argument.
    assert_eq!(unsafe { frame.as_fn()(10) }, 21);
}
