//! A generated program: calls the callbacks of the signatures that it was compiled with, and says on standard output
//! what it found. `cbframe-signatures` reads that.

use std::io::Write;
use std::{env, io};

use crate::call::{Callers, Run, Signature};

/// A signature, and what calls its callbacks.
pub type Case = (&'static Signature, fn(&mut Run<'_>));

/// Runs the cases from the one whose index is the first argument to the one before that of the second argument; with
/// a third argument, prints the layout of the first instead.
///
/// # Panics
///
/// If there are no such arguments, or nobody reads the output.
pub fn main(callers: &[Callers], cases: &[Case]) {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [from, to] = [0, 1].map(|at| arguments[at].parse::<usize>().expect("an index"));
    if arguments.len() > 2 {
        let (signature, run) = cases[from];
        if let Ok(Some(layout)) = Run::of(signature, &[], &mut |_, _| (), run).map(|outcome| outcome.layout) {
            println!("{layout}");
        }
        return;
    }
    for (index, (signature, run)) in cases.iter().enumerate().take(to).skip(from) {
        test(index, signature, callers, io::stdout().lock(), *run);
    }
}

/// Runs the signature at `index` as `run` says, and says `to` what it found.
///
/// # Panics
///
/// If nobody reads that.
pub fn test(
    index: usize,
    signature: &'static Signature,
    callers: &[Callers],
    mut to: impl Write,
    run: impl FnOnce(&mut Run<'_>),
) {
    // What was said is read even if the next call kills the process.
    let mut say = |line: &str| {
        to.write_all(format!("{line}\n").as_bytes()).and_then(|()| to.flush()).expect("somebody reads");
    };
    let mut progress = |lane: &str, compiler: &str| say(&format!("calls {index} {lane}, called by {compiler}"));
    match Run::of(signature, callers, &mut progress, run) {
        Err(feature) => say(&format!("skipped {index} {feature}")),
        Ok(outcome) => {
            outcome.lanes.iter().for_each(|(lane, calls)| say(&format!("lane {index} {calls} {lane}")));
            outcome.wrong.iter().for_each(|line| say(&format!("wrong {index} {line}")));
            say(&format!("done {index}"));
        }
    }
}
