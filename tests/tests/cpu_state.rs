//! What a handler sees of the CPU, and what the CPU holds after it: compared with what was put into the registers,
//! by a caller in assembly that knows nothing of cbframe.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

#[path = "cpu_state/avx512.rs"]
mod avx512;
#[path = "cpu_state/dump.rs"]
mod dump;
#[cfg_attr(target_os = "linux", path = "cpu_state/emulator.rs")]
#[cfg_attr(not(target_os = "linux"), path = "cpu_state/no_emulator.rs")]
mod emulator;
#[path = "cpu_state/f80.rs"]
mod f80;
#[path = "cpu_state/flags.rs"]
mod flags;
#[path = "cpu_state/probe.rs"]
mod probe;
#[path = "cpu_state/raw.rs"]
mod raw;
#[path = "cpu_state/single.rs"]
mod single;
#[path = "cpu_state/typed.rs"]
mod typed;
#[path = "cpu_state/views.rs"]
mod views;
#[path = "cpu_state/wide.rs"]
mod wide;
