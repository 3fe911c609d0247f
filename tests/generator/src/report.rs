//! What is printed.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};
use std::time::Duration;

use cbframe_signatures::signatures::Signature;
use cbframe_signatures::table::Table;
use cbframe_signatures::types::Type;
use cbframe_signatures::verdict::Verdict;
use cbframe_signatures::{c, rust};

use crate::batch::{Profile, Workshop};
use crate::options::Options;
use crate::refusals;

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
    /// Adds a signature, with the verdicts of both profiles.
    pub(crate) fn add(&mut self, signature: &Signature, verdicts: [&Verdict; 2]) {
        match verdicts {
            [Verdict::Passed(debug), Verdict::Passed(release)] => {
                *self.passed.entry(signature.family.name()).or_default() += 1;
                for (lane, _) in debug {
                    self.lanes.entry(lane.clone()).or_default().0 += 1;
                }
                for (lane, calls) in debug.iter().chain(release) {
                    self.calls += calls;
                    self.lanes.entry(lane.clone()).or_default().1 += calls;
                }
                for (compiler, reason) in refusals(signature) {
                    *self.left_out.entry(format!("{compiler:?} {reason}")).or_default() += 1;
                }
            }
            [Verdict::Skipped(feature), Verdict::Skipped(_)] => *self.skipped.entry(feature.clone()).or_default() += 1,
            _ => self.failed += 1,
        }
    }

    fn signatures(&self) -> usize {
        self.passed.values().sum::<usize>()
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        let done = self.signatures() + self.failed + self.skipped.values().sum::<usize>();
        let rate = done as f64 * 60.0 / self.elapsed.as_secs_f64();
        format!(
            "{} passed, {} failed, {} calls, {rate:.0} signatures a minute",
            self.signatures(),
            self.failed,
            self.calls
        )
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
pub(crate) fn failure(
    options: &Options,
    workshop: &Workshop,
    index: u64,
    profile: Profile,
    (signature, lines): &(Signature, Vec<String>),
) -> String {
    let mut out = format!("\nSignature {index} of seed {}, {profile:?}. The smallest that fails:\n\n", options.seed);
    for aggregate in signature.definitions() {
        out.push_str(&rust::definition(&aggregate));
    }
    let (named, unnamed) = signature.split();
    let mut parameters: Vec<_> = named.iter().enumerate().map(|(i, ty)| format!("p{i}: {}", ty.rust())).collect();
    if signature.named.is_some() {
        let types: Vec<_> = unnamed.iter().map(Type::rust).collect();
        parameters.push(format!("... /* {} */", types.join(", ")));
    }
    let parameters = parameters.join(", ");
    let result = signature.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", ty.rust()));
    write!(out, "extern \"{}\" fn({parameters}){result}\n\n", signature.abi).unwrap();
    for aggregate in signature.definitions() {
        out.push_str(&c::definition(&aggregate));
    }
    write!(out, "{};\n\n", c::prototype(signature, &format!("{} callback", c::convention(signature.family)))).unwrap();
    writeln!(out, "{}", workshop.layout(&Table::new(options.made_for()), signature, profile)).unwrap();
    lines.iter().for_each(|line| writeln!(out, "{line}").unwrap());
    out
}
