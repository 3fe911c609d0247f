//! Calls that must not be made: each is made in a process of its own, which has to die of `SIGABRT` with a message
//! that says what was wrong. And panics: what they leave behind, and where they end.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::too_many_arguments, reason = "so that some are in memory")]

#[path = "faults/exclusive.rs"]
mod exclusive;
#[path = "faults/panics.rs"]
mod panics;
#[path = "faults/stale.rs"]
mod stale;
#[path = "faults/values.rs"]
mod values;
