//! The machine: registers, the entry sequences and the code that moves values between registers and Rust.
//!
//! One directory holds one architecture; each exports the same names, and this is the one place that selects.

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64", target_os = "linux"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64", target_os = "linux"))]
pub use x86_64::*;

#[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", target_os = "linux")))]
compile_error!("cbframe: this target is not supported yet; x86_64 Linux is");
