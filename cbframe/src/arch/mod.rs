//! The machine: registers, the entry sequences and the code that moves values between registers and Rust.
//!
//! One file holds one architecture; each exports the same names, and this is the one place that selects.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("cbframe: this architecture is not supported yet; x86_64 is");
