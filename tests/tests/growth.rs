//! The shared pool beyond the size that it was built with.
//!
//! Each test is a process of its own: the pool is one for all, and some take away from their process what growth needs.
// Only on Linux does the shared pool grow; that it says so elsewhere is in `pool.rs`.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "tests")]

#[path = "growth/blocks.rs"]
mod blocks;
#[cfg(target_arch = "x86_64")] // programs of the machine
#[path = "growth/programs.rs"]
mod programs;
#[cfg(target_arch = "x86_64")] // programs of the machine
#[path = "growth/refused.rs"]
mod refused;
#[path = "growth/size.rs"]
mod size;
#[path = "growth/threads.rs"]
mod threads;

use cbframe::{Frame, Pool, cbframe};
use cbframe_tests::child::{self, Ended};

/// What most tests bind.
#[cbframe(abi = "C")]
fn add(#[state] base: &u64, x: u64) -> u64 {
    base + x
}

type Added = Frame<'static, unsafe extern "C" fn(u64) -> u64, add>;

/// The slots of a block, as the documentation of `Pool` says.
const BLOCK: usize = if cfg!(target_arch = "x86") { 4094 } else { 4096 };

/// A state that every binding may share.
static SEVEN: u64 = 7;

fn bind() -> Added {
    add::bind(&SEVEN).expect("the pool grows")
}

/// Binds all that is left of the static slots.
fn fill() -> Vec<Added> {
    let pool = Pool::shared();
    let frames: Vec<_> = (pool.stats().bound..built_with()).map(|_| bind()).collect();
    assert_eq!((pool.stats().bound, pool.capacity()), (built_with(), built_with()));
    frames
}

/// How many slots the shared pool begins with.
fn built_with() -> usize {
    option_env!("CBFRAME_SLOTS").map_or(1024, |text| text.parse().expect("a number"))
}

/// The lines of `/proc/self/maps`.
fn maps() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/self/maps").expect("/proc is there");
    text.lines().map(str::to_owned).collect()
}

/// The permissions of what is mapped at an address: `r-xp` and so on.
fn permissions(address: *const ()) -> Option<String> {
    maps().into_iter().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let parse = |text| usize::from_str_radix(text, 16).expect("a number");
        (parse(start)..parse(end)).contains(&address.addr()).then(|| rest[..4].to_owned())
    })
}

/// Private memory of this process, in bytes.
fn private() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is there");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux 4.5");
    line.trim().strip_suffix(" kB").expect("in units of 1024").trim().parse::<usize>().expect("a number") * 1024
}

/// Runs `body` in a process of its own, which must come to a good end.
#[track_caller]
fn alone(test: &str, body: impl FnOnce()) {
    match child::case() {
        Some(_) => {
            body();
            println!("\nended=well");
        }
        None => ended_well(&child::run(test, "alone")),
    }
}

#[track_caller]
fn ended_well(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.value("ended"), "well");
}
