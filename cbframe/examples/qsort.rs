//! libc's `qsort` has no user-data pointer; this sorts lines through it with a comparator that carries state.
//!
//! ```text
//! cargo run --example qsort                          # sorts this file's own lines
//! cargo run --example qsort -- --by words README.md
//! du -a | cargo run --example qsort -- --by number --reverse -
//! ```

use std::cmp::Ordering;
use std::error::Error;
use std::ffi::c_int;
use std::io::{self, Read, Write};
use std::sync::atomic::{self, AtomicUsize};
use std::{env, fs};

use cbframe::{PoolFull, cbframe};

/// What lines are sorted by.
#[derive(Clone, Copy)]
enum Key {
    Text,
    Length,
    Words,
    Number,
}

/// The state of the comparator: chosen at run time, and counting.
struct Order {
    key: Key,
    reverse: bool,
    comparisons: AtomicUsize,
}

impl Order {
    fn of(&self, a: &str, b: &str) -> Ordering {
        let words = |line: &str| line.split_whitespace().count();
        let number = |line: &str| line.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        let by_key = match self.key {
            Key::Text => a.cmp(b),
            Key::Length => a.chars().count().cmp(&b.chars().count()),
            Key::Words => words(a).cmp(&words(b)),
            Key::Number => number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal),
        };
        let ordering = by_key.then_with(|| a.cmp(b));
        if self.reverse { ordering.reverse() } else { ordering }
    }
}

/// What C sees: `int (*)(const void *, const void *)`. Its first parameter stays on this side.
#[cbframe(abi = "C")]
fn compare(#[state] order: &Order, a: &&str, b: &&str) -> c_int {
    order.comparisons.fetch_add(1, atomic::Ordering::Relaxed);
    order.of(a, b) as c_int
}

fn main() -> Result<(), Box<dyn Error>> {
    let (order, text) = arguments()?;
    let mut lines: Vec<&str> = text.lines().collect();

    let frame = compare::bind(&order).map_err(PoolFull::without_state)?;
    // SAFETY: `qsort` calls the comparator with pointers to two elements of the array, before it returns; `as_fn_of`
    // has checked that the binding's pointer type has the comparator's layout.
    unsafe { libc::qsort(lines.as_mut_ptr().cast(), lines.len(), size_of::<&str>(), frame.as_fn_of()) };
    drop(frame);

    let mut out = io::stdout().lock();
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    let comparisons = order.comparisons.into_inner();
    writeln!(out, "\n{} lines, {comparisons} comparisons, through this callback:\n{}", lines.len(), compare::LAYOUT)?;
    Ok(())
}

/// The order and the text that the command line asks for.
fn arguments() -> Result<(Order, String), Box<dyn Error>> {
    let mut order = Order { key: Key::Text, reverse: false, comparisons: AtomicUsize::new(0) };
    let mut text = None;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--reverse" => order.reverse = true,
            "--by" => {
                order.key = match arguments.next().as_deref() {
                    Some("text") => Key::Text,
                    Some("length") => Key::Length,
                    Some("words") => Key::Words,
                    Some("number") => Key::Number,
                    _ => return Err("--by takes text, length, words or number".into()),
                }
            }
            "-" => {
                let mut input = String::new();
                io::stdin().read_to_string(&mut input)?;
                text = Some(input);
            }
            path => {
                text = Some(fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?);
            }
        }
    }
    let text = text.unwrap_or_else(|| include_str!("qsort.rs").to_owned());
    Ok((order, text))
}
