//! The machine: registers, the entry sequences and the code that moves values between registers and Rust.
//!
//! One directory holds one architecture; each exports the same names, and this is the one place that selects. What is beside
//! the directories is the same for all of them.

mod arguments;
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
mod binary128;
#[cfg(feature = "alloc")]
mod calls;
#[cfg(feature = "alloc")]
mod dynamic;
mod lanes;
mod moves;
mod notes;
mod word;

#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little", target_os = "linux"))]
mod aarch64;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod intel;
#[cfg(all(target_arch = "riscv64", target_pointer_width = "64", target_os = "linux"))]
mod riscv64;
#[cfg(all(target_arch = "x86", target_pointer_width = "32", target_os = "linux"))]
mod x86;
#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    any(target_os = "linux", target_os = "macos", target_os = "windows", target_os = "uefi")
))]
mod x86_64;

#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little", target_os = "linux"))]
use aarch64 as machine;
#[cfg(all(target_arch = "riscv64", target_pointer_width = "64", target_os = "linux"))]
use riscv64 as machine;
#[cfg(all(target_arch = "x86", target_pointer_width = "32", target_os = "linux"))]
use x86 as machine;
#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    any(target_os = "linux", target_os = "macos", target_os = "windows", target_os = "uefi")
))]
use x86_64 as machine;

#[cfg(not(any(
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little", target_os = "linux"),
    all(target_arch = "riscv64", target_pointer_width = "64", target_os = "linux"),
    all(target_arch = "x86", target_pointer_width = "32", target_os = "linux"),
    all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        any(target_os = "linux", target_os = "macos", target_os = "windows", target_os = "uefi")
    )
)))]
compile_error!(
    "cbframe: this target is not supported yet; x86_64 Linux, Windows, macOS and UEFI, and i686, aarch64 and riscv64gc Linux are"
);

use crate::abi::Abi;
use crate::types::Message;

#[cfg(feature = "alloc")]
pub(crate) use calls::{call_placed, stack_limit};
#[cfg(feature = "alloc")]
pub(crate) use dynamic::{Head as DynamicHead, Seen, Spot, gather, hidden};
pub use machine::*;
#[cfg(feature = "std")]
pub(crate) use moves::stack_arguments;
pub use moves::{give, hidden_result, take};
pub use word::Word;

/// The convention that an ABI string names on this target, and whether calls may unwind.
pub(crate) const fn abi_named(name: &str) -> Option<(Abi, bool)> {
    Abi::named(name, TARGET)
}

/// Panics: the convention is one of another architecture.
#[cold]
#[track_caller]
pub(crate) const fn foreign(abi: Abi) -> ! {
    Message::new("cbframe: `")
        .text(abi.name())
        .text("` is a convention of ")
        .text(abi.architecture().name())
        .text(", which no function has on this target, ")
        .text(TARGET.name())
        .panic()
}

/// Panics if the convention is one of another architecture.
#[track_caller]
pub(crate) const fn check_native(abi: Abi) {
    if abi.architecture() as u8 != TARGET.architecture() as u8 {
        foreign(abi)
    }
}

/// Panics if a value of a signature has a type that is refused on this system.
#[cfg(feature = "alloc")]
#[track_caller]
pub(crate) fn check_system_of(layout: &crate::abi::Layout<'_>) {
    layout.parameters().iter().chain([layout.result()]).for_each(|parameter| check_system(&parameter.ty));
}

/// The convention that `extern "C"` is on this target.
pub(crate) const NATIVE: Abi = TARGET.c();

impl crate::abi::Target {
    /// The target that this crate is compiled for.
    pub const HOST: Self = TARGET;
}

impl crate::abi::Abi {
    /// What `extern "C"` is on this target.
    pub const C: Self = NATIVE;
}
