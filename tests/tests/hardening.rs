//! Processes in which no memory may become executable: callbacks are made, called and freed as ever.
// What is refused here is refused by the kernel of Linux.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

#[path = "hardening/uses.rs"]
mod uses;

use std::fs;
use std::io::Error;

use cbframe_tests::ban::{Attempt, Ban};
use cbframe_tests::child;

/// Runs `test` in a child for each ban and each of `situations`, and gives how it ended to `check`.
fn children(test: &str, situations: &[&str], check: impl Fn(&str, &child::Ended)) {
    for ban in Ban::ALL {
        for situation in situations {
            let case = format!("{} {situation}", ban.name());
            let ended = child::run(test, &case);
            let skipped = ended.stdout.lines().find_map(|line| line.split_once("skipped=")).map(|(_, reason)| reason);
            match skipped {
                // The filter with the same meaning is there on every kernel.
                Some(reason) => println!("{case}: skipped: {reason}"),
                None => check(&case, &ended),
            }
        }
    }
}

/// Puts this child under the ban that `case` names, and shows that it holds; `before` is done first, and told what else
/// `case` says. Whether the kernel knows the ban.
fn begin(case: &str, before: impl FnOnce(&str)) -> bool {
    let (name, situation) = case.split_once(' ').expect("two words");
    let ban = Ban::named(name).expect("a ban");
    for attempt in Attempt::ALL {
        attempt.make().unwrap_or_else(|error| panic!("{attempt:?} is refused before the ban: {error}"));
    }
    before(situation);
    match ban.begin() {
        Err(error) if ban == Ban::WriteExecute && error.raw_os_error() == Some(libc::EINVAL) => {
            println!("\nskipped=PR_SET_MDWE: {error} (Linux has it from 6.3 on)");
            return false;
        }
        result => result.expect("the kernel has seccomp filters"),
    }
    assert_held(ban);
    true
}

/// The ban refuses what it should, and nothing else.
fn assert_held(ban: Ban) {
    for attempt in Attempt::ALL {
        let error = attempt.make().err().as_ref().and_then(Error::raw_os_error);
        assert_eq!(error, ban.refuses(attempt).then_some(libc::EACCES), "{attempt:?} under {ban:?}");
    }
}

/// What of the address space is executable, as `/proc/self/maps` has it.
fn executable() -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").expect("a process has maps");
    maps.lines()
        .filter(|line| line.split(' ').nth(1).is_some_and(|flags| flags.contains('x')))
        .map(str::to_owned)
        .collect()
}

/// In this process, where Valgrind and AddressSanitizer can see it.
#[test]
fn without_a_ban() {
    let frames = uses::Held::new(3);
    uses::all();
    uses::threads();
    frames.iter().for_each(|frame| frame.check(3));
}

#[test]
fn callbacks_need_no_new_code() {
    const TEST: &str = "callbacks_need_no_new_code";
    let Some(case) = child::case() else {
        return children(TEST, &["fresh", "used"], |case, ended| {
            assert_eq!((ended.code, ended.value("done")), (Some(0), "yes"), "{case}: {ended:#?}");
        });
    };
    let mut frames = Vec::new();
    let begun = begin(&case, |situation| {
        if situation == "used" {
            uses::all();
            frames = uses::Held::new(3);
        }
    });
    if !begun {
        return;
    }
    let before = executable();
    frames.iter().for_each(|frame| frame.check(3));
    uses::all();
    uses::threads();
    let after = executable();
    assert_eq!(before, after, "cbframe maps nothing that is executable");
    assert!(!after.iter().any(|line| line.contains("rwx")), "{after:#?}");
    println!("\ndone=yes");
}

#[test]
fn stale_calls_are_reported() {
    const TEST: &str = "stale_calls_are_reported";
    let Some(case) = child::case() else {
        return children(TEST, &["dropped"], |case, ended| {
            ended.assert_aborted(case, &["uses::sysv64::stack`, which is not bound any more", "dropped by thread"]);
        });
    };
    if begin(&case, |_| ()) {
        uses::call_after_drop();
    }
}
