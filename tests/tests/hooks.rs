//! Hooks: callbacks that are reached by a jump from the middle of a function. Each register and flag, and the 128 bytes below
//! the stack pointer, are as they were when the function goes on, but for what the handler has changed.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

#[path = "hooks/patched.rs"]
mod patched;
#[path = "hooks/registers.rs"]
mod registers;
