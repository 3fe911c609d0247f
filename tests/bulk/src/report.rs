//! What is printed.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};
use std::time::Duration;

use cbframe_signatures::c;
use cbframe_signatures::compilers::Compiler;
use cbframe_signatures::signatures::Signature;
use cbframe_signatures::verdict::Verdict;

use crate::case;

/// What all signatures came to.
#[derive(Default)]
pub(crate) struct Totals {
    passed: BTreeMap<&'static str, usize>,
    failed: usize,
    skipped: BTreeMap<String, usize>,
    calls: u64,
    /// Signatures and calls, by lane.
    lanes: BTreeMap<String, (usize, u64)>,
    /// Signatures for which a compiler was left out, by the reason.
    left_out: BTreeMap<String, usize>,
    pub(crate) elapsed: Duration,
}

impl Totals {
    pub(crate) fn add(&mut self, signature: &Signature, verdict: &Verdict) {
        match verdict {
            Verdict::Passed(lanes) => {
                *self.passed.entry(signature.family.name()).or_default() += 1;
                for (lane, calls) in lanes {
                    let sum = self.lanes.entry(lane.clone()).or_default();
                    *sum = (sum.0 + 1, sum.1 + calls);
                    self.calls += calls;
                }
                for compiler in Compiler::ALL {
                    let (refuses, callee) = (compiler.refuses(signature), compiler.refuses_callee(signature));
                    let reasons = [(refuses, ""), (callee.filter(|_| refuses.is_none()), ", called")];
                    for (reason, called) in reasons {
                        let Some(reason) = reason else { continue };
                        *self.left_out.entry(format!("{compiler:?}{called}: {reason}")).or_default() += 1;
                    }
                }
            }
            Verdict::Skipped(feature) => *self.skipped.entry(feature.clone()).or_default() += 1,
            Verdict::Failed(_) => self.failed += 1,
        }
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        let passed = self.passed.values().sum::<usize>();
        let skipped = self.skipped.values().sum::<usize>();
        let rate = (passed + skipped + self.failed) as f64 / self.elapsed.as_secs_f64();
        let Self { failed, calls, .. } = self;
        format!("{passed} passed, {skipped} skipped, {failed} failed, {calls} calls, {rate:.0} signatures a second")
    }
}

impl Display for Totals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} in {:.0} s", self.line(), self.elapsed.as_secs_f64())?;
        for (abi, count) in &self.passed {
            writeln!(f, "  {abi}: {count} signatures")?;
        }
        for (lane, (count, calls)) in &self.lanes {
            writeln!(f, "  {lane}: {count} signatures, {calls} calls")?;
        }
        for (feature, count) in &self.skipped {
            writeln!(f, "  skipped, since the CPU has no {feature}: {count} signatures")?;
        }
        for (reason, count) in &self.left_out {
            writeln!(f, "  compiler left out: {reason}: {count} signatures")?;
        }
        Ok(())
    }
}

/// All there is to say about a signature that failed.
pub(crate) fn failure(seed: u64, index: u64, signature: &Signature, lines: &[String]) -> String {
    let mut out = format!("\nSignature {index} of seed {seed}. The smallest that fails:\n\n");
    signature.definitions().iter().for_each(|aggregate| out.push_str(&c::definition(aggregate)));
    let behind: Vec<_> = signature.split().1.iter().map(|ty| ty.c()).collect();
    let behind = if behind.is_empty() { String::new() } else { format!(" // ...: {}", behind.join(", ")) };
    let name = format!("{} callback", c::convention(signature.family));
    writeln!(out, "{};{behind}\n\n{}\n", c::prototype(signature, &name), case::known(signature)).unwrap();
    lines.iter().for_each(|line| writeln!(out, "{line}").unwrap());
    out
}
