//! Targets: which convention an ABI string names there, and what C's types are.
//!
//! All of them are known on every host, so that tools can speak of one from another.

use core::fmt;

use super::{Abi, Register, X86Call};
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

impl Architecture {
    /// Whether the register can carry a value where a convention is not the architecture's own. Not the stack pointer, nor on
    /// AArch64 x16 to x18, which veneers and the platform have, and the return address.
    pub(crate) const fn carries(self, register: Register) -> bool {
        match (self, register) {
            (Self::X86_64, Register::Integer(number)) => number < 16 && number != 4,
            (Self::X86_64, Register::Vector(number)) => number < 16,
            (Self::Aarch64, Register::Integer(number)) => number < 30 && !matches!(number, 16..=18),
            (Self::Aarch64, Register::Vector(number)) => number < 32,
            _ => false,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An architecture with what its systems have agreed on: the conventions of C, and its types.
///
/// ```
/// use cbframe::abi::{Abi, Target};
///
/// assert_eq!(Target::X86_64Windows.c(), Abi::Win64);
/// assert_eq!(Target::X86Linux.data_model().double.align, 4);
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

    /// What C's types are.
    #[must_use]
    pub const fn data_model(self) -> &'static DataModel {
        /// `size` bytes, aligned to `align`.
        const fn scalar(name: &'static str, size: usize, align: usize, kind: Kind) -> Type {
            Type { name, size, align, kind }
        }
        const fn int(name: &'static str, size: usize, signed: bool) -> Type {
            scalar(name, size, size, Kind::Int { signed })
        }
        const I8: Type = int("i8", 1, true);
        const U8: Type = int("u8", 1, false);
        const U16: Type = int("u16", 2, false);
        const I32: Type = int("i32", 4, true);
        const U32: Type = int("u32", 4, false);
        const POINTER: Kind = Kind::Pointer { nullable: true, pointee_align: 1 };
        const DOUBLE: Type = scalar("f64", 8, 8, Kind::Float);

        /// 64-bit Unix on x86-64.
        const LP64: DataModel = DataModel {
            pointer: scalar("pointer", 8, 8, POINTER),
            char: I8,
            wchar: I32,
            long: int("i64", 8, true),
            unsigned_long: int("u64", 8, false),
            long_long: int("i64", 8, true),
            unsigned_long_long: int("u64", 8, false),
            double: DOUBLE,
            long_double: scalar("LongDouble", 16, 16, Kind::X87),
            size: int("u64", 8, false),
        };
        /// 32-bit systems whose 8-byte scalars are aligned to 8.
        const ILP32: DataModel = DataModel {
            pointer: scalar("pointer", 4, 4, POINTER),
            char: U8,
            wchar: U32,
            long: I32,
            unsigned_long: U32,
            long_double: DOUBLE,
            size: U32,
            ..LP64
        };
        match self {
            Self::X86_64Unix => &LP64,
            Self::X86_64Windows => {
                &const { DataModel { wchar: U16, long: I32, unsigned_long: U32, long_double: DOUBLE, ..LP64 } }
            }
            // "System V Application Binary Interface, Intel386 Architecture Processor Supplement", table 2.1.
            Self::X86Linux => {
                &const {
                    DataModel {
                        char: I8,
                        wchar: I32,
                        long_long: scalar("i64", 8, 4, Kind::Int { signed: true }),
                        unsigned_long_long: scalar("u64", 8, 4, Kind::Int { signed: false }),
                        double: scalar("f64", 8, 4, Kind::Float),
                        long_double: scalar("LongDouble", 12, 4, Kind::X87),
                        ..ILP32
                    }
                }
            }
            Self::X86Windows => &const { DataModel { char: I8, wchar: U16, ..ILP32 } },
            Self::Aarch64Linux => {
                &const {
                    let long_double = scalar("LongDouble", 16, 16, Kind::Float);
                    DataModel { char: U8, wchar: U32, long_double, ..LP64 }
                }
            }
            Self::Aarch64Apple => &const { DataModel { long_double: DOUBLE, ..LP64 } },
            Self::Riscv64Linux => {
                &const { DataModel { char: U8, long_double: scalar("LongDouble", 16, 16, Kind::Float), ..LP64 } }
            }
            Self::ArmEabi | Self::ArmEabihf => &ILP32,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a target's C compilers have for the types whose size, alignment or signedness C leaves open. What is not here is
/// the same everywhere: `short` has 2 bytes, `int` and `float` 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataModel {
    /// A pointer that may be null.
    pub pointer: Type,
    /// `char`.
    pub char: Type,
    /// `wchar_t`.
    pub wchar: Type,
    /// `long`.
    pub long: Type,
    /// `unsigned long`.
    pub unsigned_long: Type,
    /// `long long`, and `int64_t`.
    pub long_long: Type,
    /// `unsigned long long`, and `uint64_t`.
    pub unsigned_long_long: Type,
    /// `double`.
    pub double: Type,
    /// `long double`. On Windows, Microsoft's: a `double`. MinGW has one of 80 bits, in 12 or 16 bytes.
    pub long_double: Type,
    /// `size_t`.
    pub size: Type,
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
    /// [`Named`](Self::Named) are conventions of x86-64 so far; with [`Custom`](Self::Custom) registers are those of the target
    /// that this is compiled for.
    #[must_use]
    pub const fn target(self) -> Target {
        match self {
            Self::SysV64 | Self::Named(_) => Target::X86_64Unix,
            Self::Custom => match Target::HOST {
                Target::X86_64Windows => Target::X86_64Unix,
                target => target,
            },
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
        self.target().data_model().pointer.size
    }
}
