// What can be bound, and what else cannot.

#![allow(unused)]

use cbframe::{bind_static, cbframe};
use std::rc::Rc;
use std::sync::Arc;

struct S(u32);

#[cbframe(abi = "C")]
fn shared(#[state] s: &S) {}

#[cbframe(abi = "C")]
fn exclusive(#[state] s: &mut S) {}

static STATE: S = S(1);
static OTHER: u32 = 1;

fn main() {
    // Others hold the value too.
    exclusive::bind(Arc::new(S(1)));
    exclusive::bind(&S(1));
    exclusive::bind(Rc::new(S(1)));

    // Dropped on whatever thread the frame is.
    shared::bind(Rc::new(S(1)));
    shared::bind(&mut S(1));

    shared::bind(1_u32);
    shared::bind(Box::new(1_u32));
    shared::leak(Arc::new(1_u32));

    bind_static!(shared, OTHER);
    bind_static!(exclusive, STATE);
    let local = S(1);
    bind_static!(shared, local);
}
