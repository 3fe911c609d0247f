//! Instructions per iteration, counted by callgrind.

use std::env;
use std::hint::black_box;
use std::process::Command;

use crate::calls::cycle;
use crate::targets::{Mode, Set, sets};

/// What runs under callgrind: the loop over the first target of the set called `name`, `n` times.
pub(crate) fn run(name: &str, n: i64) {
    let sets = sets();
    let set: &Set = sets.iter().find(|set| set.name == name).unwrap_or_else(|| panic!("no set is called {name}"));
    black_box(set.run(Mode::Same, 0, &cycle(), n));
}

/// The instructions that an iteration takes; `None` if there is no valgrind or it fails.
///
/// Two runs of this program, of which one calls more often: the difference is that of the calls alone.
pub(crate) fn count(name: &str) -> Option<f64> {
    const FEW: i64 = 1000;
    const MORE: i64 = 10_000;
    let (few, more) = (collected(name, FEW)?, collected(name, MORE)?);
    Some((more - few) as f64 / (MORE - FEW) as f64)
}

fn collected(name: &str, n: i64) -> Option<i64> {
    let program = env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["run", name, &n.to_string()])
        .output()
        .ok()?;
    // "==123== Collected : 4567"
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    if !output.status.success() {
        return None;
    }
    line.rsplit(' ').next()?.parse().ok()
}
