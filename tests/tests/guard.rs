//! The guard itself: it lets a good callback through and finds what a bad one does.

#[cfg(target_arch = "aarch64")]
#[path = "guard/aarch64.rs"]
mod aarch64;
#[cfg(target_arch = "riscv64")]
#[path = "guard/riscv64.rs"]
mod riscv64;
#[cfg(target_arch = "x86")]
#[path = "guard/x86.rs"]
mod x86;
#[cfg(target_arch = "x86_64")]
#[path = "guard/x86_64.rs"]
mod x86_64;
