// Frames and pointers that outlive what they borrow.

#![allow(unused)]

use cbframe::{Frame, cbframe};

#[cbframe(abi = "C")]
fn shared(#[state] s: &u32) {}

#[cbframe(abi = "C")]
fn exclusive(#[state] s: &mut u32) {}

struct Context<'a>(&'a u32);

#[cbframe(abi = "C")]
fn context(#[state] s: &Context<'_>) {}

#[cbframe(abi = "C")]
fn static_context(#[state] s: &Context<'static>) {}

#[cbframe(abi = "C")]
fn any(#[state] f: &Box<dyn Fn(&u8) + Send + Sync>, x: &u8) {
    f(x);
}

fn escapes() -> Frame<'static, unsafe extern "C" fn(), shared> {
    let local = 1;
    shared::bind(&local).unwrap()
}

fn escapes_inside() -> Frame<'static, unsafe extern "C" fn(), context> {
    let local = 1;
    context::bind(Context(&local)).unwrap()
}

fn outlives() {
    let frame;
    {
        let local = 1;
        frame = shared::bind(&local).unwrap();
    }
    frame.as_fn();
}

fn outlives_boxed() {
    let frame;
    {
        let local = 1;
        frame = context::bind(Box::new(Context(&local))).unwrap();
    }
    frame.as_fn();
}

// The drop of the frame is a use.
fn changed() {
    let mut local = 1;
    let frame = exclusive::bind(&mut local).unwrap();
    local = 2;
}

fn moved() {
    let local = Box::new(1);
    let frame = shared::bind(&*local).unwrap();
    drop(local);
}

fn leaked_frame() {
    let local = 1;
    shared::bind(&local).unwrap().leak();
}

fn leaked() {
    let local = 1;
    let pointer: extern "C" fn() = shared::leak(&local).unwrap();
}

fn leaked_inside() {
    let local = 1;
    context::leak(Context(&local));
}

fn not_static() {
    let local = 1;
    static_context::bind(Context(&local));
}

// A closure that demands more of its argument than the callback was written for.
fn demanding(keep: &'static std::sync::Mutex<Option<&'static u8>>) {
    let closure: Box<dyn Fn(&'static u8) + Send + Sync> = Box::new(move |x| *keep.lock().unwrap() = Some(x));
    any::bind(closure);
}

fn main() {}
