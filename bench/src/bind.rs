//! Nanoseconds per bind and drop.

use std::hint::black_box;

use cbframe::{Frame, Pool, cbframe};

use crate::calls::{median, time};

#[cbframe(abi = "C")]
fn callback(#[state] state: &i64, a: i64) -> i64 {
    state.wrapping_add(a)
}

#[cbframe(abi = "C")]
fn exclusive(#[state] state: &mut i64, a: i64) -> i64 {
    *state = state.wrapping_add(a);
    *state
}

static STATE: i64 = 42;

fn boxes(n: i64) {
    for _ in 0..n {
        drop(black_box(Box::new(black_box(42_i64))));
    }
}

/// What has a C function pointer: the address, so that no part of a bind can be left out.
fn used<P: Copy, C>(frame: Frame<'_, P, C>) {
    black_box(frame.as_ptr());
    drop(frame);
}

fn owned(n: i64) {
    for _ in 0..n {
        used(callback::bind(black_box(42_i64)).expect("a slot"));
    }
}

fn owned_exclusive(n: i64) {
    for _ in 0..n {
        used(exclusive::bind(black_box(42_i64)).expect("a slot"));
    }
}

fn borrowed(n: i64) {
    for _ in 0..n {
        used(callback::bind(black_box(&STATE)).expect("a slot"));
    }
}

/// Prints the table of binds.
pub(crate) fn report(rounds: usize) {
    // Short runs and many of them: a noisy machine changes its speed more slowly.
    const COUNT: usize = 2_000;
    let rounds = 50 * rounds;
    let pool = Pool::shared();
    println!("| bind + drop | ns | × `Box` | to reach |");
    println!("| --- | --- | --- | --- |");
    table(rounds, COUNT, "");
    // The worst case: the few slots that are left lie in one word of the map, and rest after each use.
    let full: Vec<_> =
        (pool.stats().bound..pool.capacity() - 1).map(|_| callback::bind(&STATE).expect("a slot")).collect();
    table(rounds, COUNT, ", all other slots bound");
    drop(full);
}

fn table(rounds: usize, n: usize, suffix: &str) {
    type Loop = fn(i64);
    let rows: [(&str, Loop, Option<f64>); 4] = [
        ("`Box<i64>`", boxes, None),
        ("`bind(42_i64)`", owned, Some(4.0)),
        ("`bind(42_i64)`, `&mut` state", owned_exclusive, None),
        ("`bind(&STATE)`", borrowed, None),
    ];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        for ((_, run, _), times) in rows.iter().zip(&mut times) {
            times.push(time(n, *run));
        }
    }
    for ((name, _, limit), these) in rows.iter().zip(&times) {
        let ratio = median(these.iter().zip(&times[0]).map(|(this, boxed)| this / boxed));
        let limit = match limit {
            Some(limit) if suffix.is_empty() => {
                format!("{limit:.1}{}", if ratio <= *limit { "" } else { " **missed**" })
            }
            _ => String::new(),
        };
        println!("| {name}{suffix} | {:.1} | {ratio:.2} | {limit} |", median(these.iter().copied()));
    }
}
