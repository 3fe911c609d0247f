//! What has come of the questions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cbframe::abi::Layout;

use crate::signatures::Signature;

/// What has come of the questions.
#[derive(Default)]
pub(crate) struct Tally {
    asked: usize,
    /// How many were not asked, by reason.
    left_out: BTreeMap<&'static str, usize>,
    /// What is wrong with each signature with which something is.
    failures: Vec<String>,
}

impl Tally {
    pub(crate) fn leave_out(&mut self, reason: &'static str, count: usize) {
        *self.left_out.entry(reason).or_default() += count;
    }

    pub(crate) fn add(&mut self, signature: &Signature, layout: &Layout<'_>, wrong: &[String]) {
        self.asked += 1;
        if !wrong.is_empty() {
            let Signature { index, prototype, .. } = signature;
            self.failures.push(format!("signature {index}\n{prototype}\n{layout}\n{}", wrong.join("\n")));
        }
    }

    pub(crate) fn report(mut self, name: &str) {
        let mut text = format!("{name}: {} signatures", self.asked);
        for (reason, count) in &self.left_out {
            write!(text, ", left out {count}: {reason}").unwrap();
        }
        eprintln!("{text}");
        // The smallest tell most.
        self.failures.sort_by_key(String::len);
        let smallest = self.failures.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n\n");
        assert!(self.failures.is_empty(), "{} of {} signatures:\n\n{smallest}", self.failures.len(), self.asked);
    }
}
