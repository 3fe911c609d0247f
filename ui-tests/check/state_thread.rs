// A state that C may use on any thread.

#![allow(unused)]

use cbframe::cbframe;
use std::cell::Cell;
use std::rc::Rc;

#[cbframe(abi = "C")]
fn shared(#[state] s: &Cell<u32>) {}

#[cbframe(abi = "C")]
fn exclusive(#[state] s: &mut Rc<u32>) {}

struct Context<'a>(&'a Cell<u32>);

// Sync with one lifetime only.
unsafe impl Sync for Context<'static> {}

#[cbframe(abi = "C")]
fn some_lifetimes(#[state] s: &Context<'_>) {}

// `Sync` and not `Send`: it may be called on any thread, and dropped on this one only.
struct Guard(*const u8);

unsafe impl Sync for Guard {}

#[cbframe(abi = "C")]
fn guard(#[state] s: &Guard) {}

fn main() {
    let frame = guard::bind(Guard(std::ptr::null())).unwrap();
    std::thread::spawn(move || drop(frame));
}
