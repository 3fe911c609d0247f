//! The captured lane by its registers: what a callback reads there is what the C caller had there, and what it
//! writes is what the caller gets.

#![allow(clippy::too_many_arguments, reason = "the point")]

#[cfg(target_arch = "aarch64")]
#[path = "captured/aarch64.rs"]
mod aarch64;
#[cfg(target_arch = "riscv64")]
#[path = "captured/riscv64.rs"]
mod riscv64;
#[cfg(target_arch = "x86")]
#[path = "captured/x86.rs"]
mod x86;
#[cfg(target_arch = "x86_64")]
#[path = "captured/x86_64.rs"]
mod x86_64;
