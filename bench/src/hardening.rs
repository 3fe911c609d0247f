//! What a callback with state asks of the kernel: cbframe and its peers, each in a process of its own that may get no new
//! executable memory.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use cbframe::cbframe;

use self::ban::{Attempt, Ban};

// The tests live under the same bans; all of their crate would take minutes to compile.
#[path = "../../tests/src/ban.rs"]
#[allow(dead_code, unreachable_pub, reason = "a module of another crate, which uses all of it")]
mod ban;

/// A library, and how it binds a state, which is known when the program runs, and calls it; with what comes of that.
type Library = (&'static str, fn(u64) -> Result<u64, String>);

const LIBRARIES: [Library; 3] = [("cbframe", with_cbframe), ("libffi", with_libffi), ("closure-ffi", with_closure_ffi)];

#[cbframe(abi = "C")]
fn add(#[state] base: &u64, n: u64) -> u64 {
    base + n
}

fn with_cbframe(base: u64) -> Result<u64, String> {
    let frame = add::bind(base).map_err(|full| full.to_string())?;
    // SAFETY: the frame lives.
    Ok(unsafe { frame.as_fn()(2) })
}

fn with_libffi(base: u64) -> Result<u64, String> {
    libffi::low::try_closure_alloc().ok_or("`ffi_closure_alloc` returns null")?;
    let closure = move |n: u64| base + n;
    let closure = libffi::high::Closure1::new(&closure);
    Ok(closure.code_ptr().call(2))
}

fn with_closure_ffi(base: u64) -> Result<u64, String> {
    use closure_ffi::{BareFn, cc, jit_alloc::GlobalJitAlloc};
    let add = move |n: u64| base + n;
    let closure: BareFn<unsafe extern "C" fn(u64) -> u64> =
        BareFn::try_with_cc_in(cc::C, add, GlobalJitAlloc).map_err(|error| format!("{error:?}"))?;
    // SAFETY: the closure lives.
    Ok(unsafe { closure.bare()(2) })
}

/// Prints the table: what each library maps, and what becomes of it under each ban.
pub(crate) fn report() {
    print!("| | maps as executable |");
    for ban in Ban::ALL {
        print!(" {} |", title(ban));
    }
    println!("\n| --- | --- |{}", " --- |".repeat(Ban::ALL.len()));
    let child = |library: &str, ban: &str| {
        let program = env::current_exe().expect("the program has a path");
        outcome(&Command::new(program).args(["hardening", library, ban]).output().expect("the program starts"))
    };
    for (library, _) in LIBRARIES {
        print!("| {library} | {} |", child(library, MAPS));
        for ban in Ban::ALL {
            print!(" {} |", child(library, ban.name()));
        }
        println!();
    }
}

const fn title(ban: Ban) -> &'static str {
    match ban {
        Ban::Nothing => "nothing is refused",
        Ban::WriteExecute => "`PR_SET_MDWE`",
        Ban::WriteExecuteFilter => "the same by seccomp",
        Ban::Executable => "seccomp: no new `PROT_EXEC`",
    }
}

/// How a child ended, in a few words.
fn outcome(output: &Output) -> String {
    let last = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned();
    match (output.status.signal(), output.status.success()) {
        (Some(signal), _) => format!("**killed by signal {signal}** {}", last(&output.stderr)),
        (None, true) => last(&output.stdout),
        (None, false) => format!("**fails**: {}", last(&output.stderr)),
    }
}

/// In place of a ban: what is mapped meanwhile.
const MAPS: &str = "maps";

/// The child: makes a callback under the ban and calls it.
pub(crate) fn run(library: &str, ban: &str) -> Result<(), String> {
    let (_, call) = LIBRARIES.iter().find(|(name, _)| *name == library).ok_or("no such library")?;
    let base = u64::from(std::process::id());
    let works = || match call(base)? {
        sum if sum == base + 2 => Ok("works".to_owned()),
        sum => Err(format!("{sum} instead of {}", base + 2)),
    };
    if ban == MAPS {
        let before = mappings();
        works()?;
        println!("{}", executable(&before, &mappings()));
        return Ok(());
    }
    let ban = Ban::named(ban).ok_or("no such ban")?;
    if let Err(error) = ban.begin() {
        println!("the kernel has no such ban: {error}");
        return Ok(());
    }
    for attempt in Attempt::ALL {
        if attempt.make().is_err() != ban.refuses(attempt) {
            return Err(format!("the ban does not hold: {attempt:?}"));
        }
    }
    println!("{}", works()?);
    Ok(())
}

/// A line of `/proc/self/maps`.
#[derive(PartialEq)]
struct Mapping {
    range: String,
    flags: String,
    file: String,
}

fn mappings() -> Vec<Mapping> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("a process has maps");
    let mapping = |line: &str| {
        // Addresses, flags, offset, device, inode, path.
        let fields: Vec<_> = line.split_whitespace().collect();
        Mapping { range: fields[0].to_owned(), flags: fields[1].to_owned(), file: fields[5..].join(" ") }
    };
    maps.lines().map(mapping).collect()
}

/// The executable mappings that are new.
fn executable(before: &[Mapping], after: &[Mapping]) -> String {
    let new: Vec<_> = after
        .iter()
        .filter(|mapping| mapping.flags.contains('x') && !before.contains(mapping))
        .map(|Mapping { flags, file, .. }| {
            let name = if file.is_empty() { "memory" } else { file.rsplit('/').next().unwrap_or_default() };
            let writable = |other: &Mapping| !file.is_empty() && other.file == *file && other.flags == "rw-s";
            let twice = if after.iter().any(writable) { ", and at another address as `rw-s`" } else { "" };
            format!("{name} as `{flags}`{twice}")
        })
        .collect();
    if new.is_empty() { "nothing".to_owned() } else { new.join("; ") }
}
