//! What the tests ask of the operating system: one file for each, with the same names.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// Whether an ABI string names the convention of Windows.
#[must_use]
pub fn is_win64(abi: &str) -> bool {
    abi.starts_with("win64") || abi == "efiapi" || cfg!(windows) && !abi.starts_with("sysv64")
}

/// The variable that tells what cargo runs programs of the target with, where they start programs themselves.
pub const RUNNER: &str = if cfg!(target_arch = "aarch64") {
    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"
} else if cfg!(target_arch = "riscv64") {
    "CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_RUNNER"
} else {
    "CBFRAME_TESTS_RUNNER"
};
