//! What a callback costs beside a native function with user data, what a bind costs beside a `Box`, and where peers
//! cannot make callbacks.
//!
//! See `README.md` for what is measured and how.

mod bind;
mod calls;
mod hardening;
mod instructions;
mod targets;

use std::env;

const USAGE: &str = "\
usage: cbframe-bench [--rounds N] [--calls N]       everything
       cbframe-bench calls|bind|instructions [...]  one part of it
       cbframe-bench run NAME N                     the loop over one target, N times (for callgrind, perf)
       cbframe-bench hardening [LIBRARY BAN]        peers in processes that get no new executable memory; one of them";

fn main() {
    let mut part = None;
    let mut options = calls::Options { rounds: 11, calls: 100_000 };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).filter(|&n| n >= 1);
        match argument.as_str() {
            "--rounds" => options.rounds = number().unwrap_or_else(|| usage()),
            // The slowest sets are called a tenth as often.
            "--calls" => options.calls = number().unwrap_or_else(|| usage()).max(10),
            "calls" | "bind" | "instructions" => part = Some(argument),
            "run" => {
                let (Some(name), Some(n)) = (arguments.next(), arguments.next().and_then(|n| n.parse().ok())) else {
                    usage()
                };
                return instructions::run(&name, n);
            }
            "hardening" => match (arguments.next(), arguments.next()) {
                (None, _) => return hardening::report(),
                (Some(library), Some(ban)) => {
                    if let Err(error) = hardening::run(&library, &ban) {
                        eprintln!("{error}");
                        std::process::exit(1);
                    }
                    return;
                }
                _ => usage(),
            },
            _ => usage(),
        }
    }
    match part.as_deref() {
        Some("calls") => calls::report(&options, |_| None),
        Some("bind") => bind::report(options.rounds),
        Some("instructions") => {
            for set in targets::sets() {
                match instructions::count(set.name) {
                    Some(count) => println!("{count:8.2} {}", set.name),
                    None => println!("       ? {} (valgrind is missing, or failed)", set.name),
                }
            }
        }
        _ => {
            // Before the other sets are bound.
            bind::report(options.rounds);
            println!();
            calls::report(&options, instructions::count);
        }
    }
}

fn usage() -> ! {
    eprintln!("{USAGE}");
    std::process::exit(2)
}
