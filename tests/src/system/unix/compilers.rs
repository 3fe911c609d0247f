//! What compiles programs of the target.

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub use riscv64::*;
#[cfg(target_arch = "x86")]
pub use x86::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    /// What cargo is told, besides, to build for the target.
    pub const TARGET: &[&str] = &[];
    /// The compiler of C.
    pub const GCC: &str = "gcc";
    /// That of C++.
    pub const GXX: &str = "g++";
    /// What tells the compilers the target, if they have several.
    pub const FLAGS: &[&str] = &[];
    /// What tells clang the target, if it is not that of the machine.
    pub const CLANG_TARGET: Option<&str> = None;
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    /// What cargo is told, besides, to build for the target.
    pub const TARGET: &[&str] = &["--target", "aarch64-unknown-linux-gnu"];
    /// The compiler of C.
    pub const GCC: &str = "aarch64-linux-gnu-gcc";
    /// That of C++.
    pub const GXX: &str = "aarch64-linux-gnu-g++";
    /// What tells the compilers the target, if they have several.
    pub const FLAGS: &[&str] = &[];
    /// What tells clang the target, if it is not that of the machine.
    pub const CLANG_TARGET: Option<&str> = Some("--target=aarch64-linux-gnu");
}

#[cfg(target_arch = "riscv64")]
mod riscv64 {
    /// What cargo is told, besides, to build for the target.
    pub const TARGET: &[&str] = &["--target", "riscv64gc-unknown-linux-gnu"];
    /// The compiler of C.
    pub const GCC: &str = "riscv64-linux-gnu-gcc";
    /// That of C++.
    pub const GXX: &str = "riscv64-linux-gnu-g++";
    /// What tells the compilers the target, if they have several.
    pub const FLAGS: &[&str] = &[];
    /// What tells clang the target, if it is not that of the machine.
    pub const CLANG_TARGET: Option<&str> = Some("--target=riscv64-linux-gnu");
}

#[cfg(target_arch = "x86")]
mod x86 {
    /// What cargo is told, besides, to build for the target.
    pub const TARGET: &[&str] = &["--target", "i686-unknown-linux-gnu"];
    /// The compiler of C.
    pub const GCC: &str = "gcc";
    /// That of C++.
    pub const GXX: &str = "g++";
    /// What tells the compilers the target, if they have several.
    pub const FLAGS: &[&str] = &["-m32", "-msse2"];
    /// What tells clang the target, if it is not that of the machine.
    pub const CLANG_TARGET: Option<&str> = Some("-m32");
}
