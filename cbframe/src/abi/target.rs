//! Targets: which convention an ABI string names there.
//!
//! All of them are known on every host, so that tools can speak of one from another.

use core::fmt;

use super::{Abi, X86Call};
use crate::types::{Kind, Type};

/// An instruction set, as far as the names of registers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Architecture {
    /// x86-64.
    X86_64,
    /// 32-bit x86.
    X86,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm.
    Arm,
    /// 64-bit RISC-V.
    Riscv64,
}

impl Architecture {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86-64",
            Self::X86 => "32-bit x86",
            Self::Aarch64 => "AArch64",
            Self::Arm => "32-bit Arm",
            Self::Riscv64 => "64-bit RISC-V",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An architecture with what its systems have agreed on: which conventions there are, and which is that of C.
///
/// ```
/// use cbframe::abi::{Abi, Target};
///
/// assert_eq!(Target::X86_64Windows.c(), Abi::Win64);
/// assert_eq!(Target::ArmEabihf.abis(), [Abi::AapcsVfp, Abi::Aapcs]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// x86-64 with System V's ABI: Linux, macOS, the BSDs.
    X86_64Unix,
    /// x86-64 Windows, and UEFI.
    X86_64Windows,
    /// 32-bit x86 Linux.
    X86Linux,
    /// 32-bit x86 Windows.
    X86Windows,
    /// AArch64 with the AAPCS64 as it is written: Linux, the BSDs.
    Aarch64Linux,
    /// AArch64 with Apple's changes: macOS, iOS.
    Aarch64Apple,
    /// RISC-V with 64 bits and double-precision floats: `riscv64gc` Linux.
    Riscv64Linux,
    /// 32-bit Arm whose C passes floats in core registers: `eabi`, `gnueabi`.
    ArmEabi,
    /// 32-bit Arm whose C passes floats in VFP registers: `eabihf`, `gnueabihf`.
    ArmEabihf,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::X86_64Unix,
        Self::X86_64Windows,
        Self::X86Linux,
        Self::X86Windows,
        Self::Aarch64Linux,
        Self::Aarch64Apple,
        Self::Riscv64Linux,
        Self::ArmEabi,
        Self::ArmEabihf,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64Unix => "x86-64 Unix",
            Self::X86_64Windows => "x86-64 Windows",
            Self::X86Linux => "32-bit x86 Linux",
            Self::X86Windows => "32-bit x86 Windows",
            Self::Aarch64Linux => "AArch64 Linux",
            Self::Aarch64Apple => "AArch64 macOS",
            Self::Riscv64Linux => "64-bit RISC-V Linux",
            Self::ArmEabi => "32-bit Arm Linux, soft float",
            Self::ArmEabihf => "32-bit Arm Linux, hard float",
        }
    }

    /// The architecture.
    #[must_use]
    pub const fn architecture(self) -> Architecture {
        match self {
            Self::X86_64Unix | Self::X86_64Windows => Architecture::X86_64,
            Self::X86Linux | Self::X86Windows => Architecture::X86,
            Self::Aarch64Linux | Self::Aarch64Apple => Architecture::Aarch64,
            Self::Riscv64Linux => Architecture::Riscv64,
            Self::ArmEabi | Self::ArmEabihf => Architecture::Arm,
        }
    }

    /// The convention of its C.
    #[must_use]
    pub const fn c(self) -> Abi {
        match self {
            Self::X86_64Unix => Abi::SysV64,
            Self::X86_64Windows => Abi::Win64,
            Self::X86Linux | Self::X86Windows => self.x86(X86Call::Cdecl),
            Self::Aarch64Linux => Abi::Aapcs64,
            Self::Aarch64Apple => Abi::AppleArm64,
            Self::Riscv64Linux => Abi::Lp64d,
            Self::ArmEabi => Abi::Aapcs,
            Self::ArmEabihf => Abi::AapcsVfp,
        }
    }

    /// Every convention that it has a name for, that of C first.
    #[must_use]
    pub const fn abis(self) -> &'static [Abi] {
        const fn x86(windows: bool) -> [Abi; 7] {
            [
                Abi::X86 { call: X86Call::Cdecl, windows },
                Abi::X86 { call: X86Call::Stdcall, windows },
                Abi::X86 { call: X86Call::Fastcall, windows },
                Abi::X86 { call: X86Call::Thiscall, windows },
                Abi::X86 { call: X86Call::Regparm1, windows },
                Abi::X86 { call: X86Call::Regparm2, windows },
                Abi::X86 { call: X86Call::Regparm3, windows },
            ]
        }
        match self {
            Self::X86_64Unix => &[Abi::SysV64, Abi::Win64],
            Self::X86_64Windows => &[Abi::Win64, Abi::SysV64],
            Self::X86Linux => &const { x86(false) },
            Self::X86Windows => &const { x86(true) },
            Self::Aarch64Linux => &[Abi::Aapcs64],
            Self::Aarch64Apple => &[Abi::AppleArm64],
            Self::Riscv64Linux => &[Abi::Lp64d],
            Self::ArmEabi => &[Abi::Aapcs, Abi::AapcsVfp],
            Self::ArmEabihf => &[Abi::AapcsVfp, Abi::Aapcs],
        }
    }

    const fn x86(self, call: X86Call) -> Abi {
        Abi::X86 { call, windows: matches!(self, Self::X86Windows) }
    }

    /// A pointer that may be null, as its C has it. Its size is also that of a word of the stack.
    pub(super) const fn pointer(self) -> Type {
        let size = match self.architecture() {
            Architecture::X86_64 | Architecture::Aarch64 | Architecture::Riscv64 => 8,
            Architecture::X86 | Architecture::Arm => 4,
        };
        Type { name: "pointer", size, align: size, kind: Kind::Pointer { nullable: true, pointee_align: 1 } }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Abi {
    /// The convention that an `extern` string of Rust names on a target, and whether a panic or a foreign exception may
    /// leave such a function; `None` for strings that are no convention of that target.
    ///
    /// ```
    /// use cbframe::abi::{Abi, Target, X86Call};
    ///
    /// assert_eq!(Abi::named("C-unwind", Target::X86_64Unix), Some((Abi::SysV64, true)));
    /// assert_eq!(Abi::named("efiapi", Target::X86_64Unix), Some((Abi::Win64, false)));
    /// assert_eq!(Abi::named("stdcall", Target::X86_64Windows), None);
    /// let stdcall = Abi::X86 { call: X86Call::Stdcall, windows: true };
    /// assert_eq!(Abi::named("system", Target::X86Windows), Some((stdcall, false)));
    /// ```
    pub const fn named(name: &str, target: Target) -> Option<(Self, bool)> {
        let (name, unwind) = match name.as_bytes() {
            [name @ .., b'-', b'u', b'n', b'w', b'i', b'n', b'd'] => (name, true),
            name => (name, false),
        };
        let abi = match (target.architecture(), name) {
            (_, b"C") => target.c(),
            (Architecture::X86, b"system") if matches!(target, Target::X86Windows) => target.x86(X86Call::Stdcall),
            (_, b"system") => target.c(),
            (_, b"efiapi") if unwind => return None,
            (Architecture::X86_64, b"efiapi") => Self::Win64,
            (Architecture::Arm, b"efiapi") => Self::Aapcs,
            (_, b"efiapi") => target.c(),
            (Architecture::X86_64, b"sysv64") => Self::SysV64,
            (Architecture::X86_64, b"win64") => Self::Win64,
            (Architecture::X86, b"cdecl") => target.x86(X86Call::Cdecl),
            (Architecture::X86, b"stdcall") => target.x86(X86Call::Stdcall),
            (Architecture::X86, b"fastcall") => target.x86(X86Call::Fastcall),
            (Architecture::X86, b"thiscall") => target.x86(X86Call::Thiscall),
            (Architecture::Arm, b"aapcs") => Self::Aapcs,
            _ => return None,
        };
        Some((abi, unwind))
    }

    /// What layouts and messages call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SysV64 => "sysv64",
            Self::Win64 => "win64",
            Self::X86 { call, .. } => call.name(),
            Self::Aapcs64 => "aapcs64",
            Self::AppleArm64 => "apple-arm64",
            Self::Lp64d => "lp64d",
            Self::Aapcs => "aapcs",
            Self::AapcsVfp => "aapcs-vfp",
            Self::Named(convention) => convention.name,
            Self::Custom => "custom",
        }
    }

    /// The target whose C has this convention, or that has it beside that of its C.
    ///
    /// [`Named`](Self::Named) and [`Custom`](Self::Custom) are conventions of x86-64 so far.
    #[must_use]
    pub const fn target(self) -> Target {
        match self {
            Self::SysV64 | Self::Named(_) | Self::Custom => Target::X86_64Unix,
            Self::Win64 => Target::X86_64Windows,
            Self::X86 { windows: false, .. } => Target::X86Linux,
            Self::X86 { windows: true, .. } => Target::X86Windows,
            Self::Aapcs64 => Target::Aarch64Linux,
            Self::AppleArm64 => Target::Aarch64Apple,
            Self::Lp64d => Target::Riscv64Linux,
            Self::Aapcs => Target::ArmEabi,
            Self::AapcsVfp => Target::ArmEabihf,
        }
    }

    /// The architecture, whose registers are meant.
    #[must_use]
    pub const fn architecture(self) -> Architecture {
        self.target().architecture()
    }

    /// The size of a pointer in bytes, which is also that of a word of the stack.
    #[must_use]
    pub const fn pointer_size(self) -> usize {
        self.target().pointer().size
    }
}
