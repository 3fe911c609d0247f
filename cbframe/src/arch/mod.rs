//! The machine: registers, the entry sequences and the code that moves values between registers and Rust.
//!
//! One directory holds one architecture; each exports the same names, and this is the one place that selects.

#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    any(target_os = "linux", target_os = "macos", target_os = "windows", target_os = "uefi")
))]
mod x86_64;
#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    any(target_os = "linux", target_os = "macos", target_os = "windows", target_os = "uefi")
))]
pub use x86_64::*;

#[cfg(not(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    any(target_os = "linux", target_os = "macos", target_os = "windows", target_os = "uefi")
)))]
compile_error!("cbframe: this target is not supported yet; x86_64 Linux, Windows, macOS and UEFI are");
