// What `#[state]` promises the function is what every bound state can keep.

#![allow(unused)]

use cbframe::cbframe;
use std::cell::Cell;

struct S(u32);

// The function could keep it.
#[cbframe(abi = "C")]
fn forever(#[state] s: &'static S) {}

#[cbframe(abi = "C")]
fn forever_mut(#[state] s: &'static mut S) {}

type Forever = &'static S;

#[cbframe(abi = "C")]
fn alias(#[state] s: Forever) {}

macro_rules! forever {
    () => { &'static S };
}

#[cbframe(abi = "C")]
fn from_macro(#[state] s: forever!()) {}

// Where the lifetime of what is bound belongs is written: `Context<'_>`.
struct Context<'a>(&'a u32);

#[cbframe(abi = "C")]
fn hidden(#[state] s: &Context) {}

// `S` has a size: `dyn` is bound in a `Box`, `str` as a `&str`.
#[cbframe(abi = "C")]
fn object(#[state] f: &(dyn Fn() + Sync)) {}

#[cbframe(abi = "C")]
fn text(#[state] s: &str) {}

#[cbframe(abi = "C")]
fn slice(#[state] s: &mut [u8]) {}

fn main() {}
