//! What C and Rust leave to the target: how large `long` is, and what `long double` is.

use crate::abi::{Abi, Aggregates, Target};
use crate::types::{Kind, Type};

/// What C leaves to the target: the sizes and formats of its types.
///
/// [`DataModel::of`] gives that of an ABI. Another is made of one:
///
/// ```
/// use cbframe::abi::Abi;
/// use cbframe::parse::{CDeclarations, DataModel, LongDoubleFormat};
///
/// // MinGW: Windows' sizes, GCC's `long double`.
/// let mingw = DataModel { long_double: LongDoubleFormat::X87, ..DataModel::LLP64 };
/// let types = CDeclarations::with_model(Abi::Win64, mingw);
/// assert_eq!(types.ty("long double")?.size, 16);
/// # Ok::<(), cbframe::parse::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataModel {
    /// The size in bytes of pointers, and with them of `size_t`, `ptrdiff_t` and `intptr_t`.
    pub pointer: usize,
    /// The size of `long` in bytes.
    pub long: usize,
    /// The alignment in bytes of `long long` and `double` in structs.
    pub align_of_8: usize,
    /// What `long double` is.
    pub long_double: LongDoubleFormat,
    /// Whether plain `char` is signed.
    pub signed_char: bool,
    /// The type of `wchar_t`.
    pub wchar: Type,
    /// The type of `wint_t`.
    pub wint: Type,
    /// Whether there is `__int128`.
    pub int128: bool,
    /// Whether there is `__float128`.
    pub float128: bool,
    /// Whether an enum has the type that its values need, as GCC and Clang have it; if not, it is `int`, as Microsoft's
    /// compiler has it.
    pub enums_by_value: bool,
    /// Whether there are structs without fields, of no bytes.
    pub empty_structs: bool,
    /// What `va_list` is.
    pub va_list: VaListType,
    /// No vector is aligned to more than so many bytes.
    pub vector_align: usize,
}

/// What C's `long double` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LongDoubleFormat {
    /// The 80 bits of x86's x87, in 16 bytes; in 12 where pointers have 4.
    X87,
    /// The same as `double`.
    Double,
    /// IEEE 754 binary128.
    Quad,
}

/// What C's `va_list` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaListType {
    /// A pointer.
    Pointer,
    /// An array of one struct, which as a parameter is a pointer (psABI for AMD64, figure 3.34).
    Array,
    /// A struct: of five fields where pointers have 8 bytes (AAPCS64, section 10.1.5), of one pointer where they have 4
    /// (AAPCS32, section 8.1.4).
    Struct,
}

impl DataModel {
    /// 64-bit x86 other than Windows, as GCC and Clang have it: psABI for AMD64, figure 3.1.
    pub const LP64: Self = Self {
        pointer: 8,
        long: 8,
        align_of_8: 8,
        long_double: LongDoubleFormat::X87,
        signed_char: true,
        wchar: Type::I32,
        wint: Type::U32,
        int128: true,
        float128: true,
        enums_by_value: true,
        empty_structs: true,
        va_list: VaListType::Array,
        vector_align: 64,
    };

    /// 64-bit Windows, as Microsoft's compiler has it. It has no `__int128` and no `__float128`; others that compile for
    /// Windows have.
    pub const LLP64: Self = Self {
        long: 4,
        long_double: LongDoubleFormat::Double,
        wchar: Type::U16,
        wint: Type::U16,
        enums_by_value: false,
        empty_structs: false,
        va_list: VaListType::Pointer,
        ..Self::LP64
    };

    /// 32-bit x86 Linux, as GCC and Clang have it: psABI for Intel386, table 2.1.
    pub const X86_LINUX: Self = Self {
        pointer: 4,
        long: 4,
        align_of_8: 4,
        wchar: Type::I32,
        int128: false,
        va_list: VaListType::Pointer,
        ..Self::LP64
    };

    /// 32-bit Windows, as Microsoft's compiler has it.
    pub const X86_WINDOWS: Self = Self { pointer: 4, int128: false, float128: false, ..Self::LLP64 };

    /// AArch64 Linux: AAPCS64, section 10.
    pub const AARCH64_LINUX: Self = Self {
        long_double: LongDoubleFormat::Quad,
        signed_char: false,
        wchar: Type::U32,
        float128: false,
        va_list: VaListType::Struct,
        ..Self::LP64
    };

    /// macOS and iOS on AArch64: "Writing ARM64 code for Apple platforms".
    pub const AARCH64_APPLE: Self = Self {
        long_double: LongDoubleFormat::Double,
        wint: Type::I32,
        float128: false,
        va_list: VaListType::Pointer,
        ..Self::LP64
    };

    /// 64-bit RISC-V Linux: "RISC-V ABIs Specification", chapter 4.
    pub const RISCV64: Self = Self {
        long_double: LongDoubleFormat::Quad,
        signed_char: false,
        float128: false,
        va_list: VaListType::Pointer,
        ..Self::LP64
    };

    /// 32-bit Arm Linux: AAPCS32, section 8.
    pub const ARM: Self = Self {
        pointer: 4,
        long: 4,
        long_double: LongDoubleFormat::Double,
        signed_char: false,
        wchar: Type::U32,
        int128: false,
        float128: false,
        va_list: VaListType::Struct,
        vector_align: 8,
        ..Self::LP64
    };

    /// That of the platform to which a calling convention belongs: [`Abi::target`], but Windows also for
    /// [`Vectorcall`](crate::conventions::Vectorcall).
    ///
    /// A function with another convention than its platform's, such as GCC's `ms_abi` on Linux, has the types of the
    /// platform nonetheless.
    #[must_use]
    pub const fn of(abi: Abi) -> Self {
        match abi.target() {
            _ if matches!(abi, Abi::Named(convention) if matches!(convention.aggregates, Aggregates::Vectorcall)) => {
                Self::LLP64
            }
            Target::X86_64Unix => Self::LP64,
            Target::X86_64Windows => Self::LLP64,
            Target::X86Linux => Self::X86_LINUX,
            Target::X86Windows => Self::X86_WINDOWS,
            Target::Aarch64Linux => Self::AARCH64_LINUX,
            Target::Aarch64Apple => Self::AARCH64_APPLE,
            Target::Riscv64Linux => Self::RISCV64,
            Target::ArmEabi | Target::ArmEabihf => Self::ARM,
        }
    }

    /// An integer type by its size in bytes: 1, 2, 4, 8 or 16.
    pub(super) fn int(&self, size: usize, signed: bool) -> Type {
        match (size, signed) {
            (1, true) => Type::I8,
            (1, false) => Type::U8,
            (2, true) => Type::I16,
            (2, false) => Type::U16,
            (4, true) => Type::I32,
            (4, false) => Type::U32,
            (8, true) => Type { align: self.align_of_8, ..Type::I64 },
            (8, false) => Type { align: self.align_of_8, ..Type::U64 },
            (_, true) => Type::I128,
            (_, false) => Type::U128,
        }
    }

    /// `double`.
    pub(super) fn double(&self) -> Type {
        Type { align: self.align_of_8, ..Type::F64 }
    }

    /// `long double`.
    #[cfg(feature = "parse-c")]
    pub(super) fn long_double(&self) -> Type {
        match self.long_double {
            LongDoubleFormat::X87 if self.pointer == 4 => Type { size: 12, align: 4, ..Type::LONG_DOUBLE },
            LongDoubleFormat::X87 => Type::LONG_DOUBLE,
            LongDoubleFormat::Double => self.double(),
            LongDoubleFormat::Quad => Type::F128,
        }
    }

    /// A pointer.
    pub(super) fn pointer(&self) -> Type {
        Type { size: self.pointer, align: self.pointer, ..Type::POINTER }
    }

    /// A vector; an error says which sizes there are.
    #[cfg(feature = "parse-c")]
    pub(super) fn vector(&self, size: usize) -> Result<Type, crate::types::TypeError> {
        Type::vector(size).map(|ty| Type { align: ty.align.min(self.vector_align), ..ty })
    }

    /// The struct that `va_list` is, or is an array of.
    #[cfg(feature = "parse-c")]
    pub(super) fn va_list_struct(&self) -> Type {
        use crate::types::Field;

        const fn field(name: &'static str, offset: usize, ty: Type) -> Field {
            Field { name, offset, ty }
        }
        const X86_64: [Field; 4] = [
            field("gp_offset", 0, Type::U32),
            field("fp_offset", 4, Type::U32),
            field("overflow_arg_area", 8, Type::POINTER),
            field("reg_save_area", 16, Type::POINTER),
        ];
        const AARCH64: [Field; 5] = [
            field("__stack", 0, Type::POINTER),
            field("__gr_top", 8, Type::POINTER),
            field("__vr_top", 16, Type::POINTER),
            field("__gr_offs", 24, Type::I32),
            field("__vr_offs", 28, Type::I32),
        ];
        const ARM: [Field; 1] = [field("__ap", 0, Type { size: 4, align: 4, ..Type::POINTER })];
        let (name, fields): (_, &'static [Field]) = match (self.va_list, self.pointer) {
            (VaListType::Struct, 4) => ("__va_list", &ARM),
            (VaListType::Struct, _) => ("__va_list", &AARCH64),
            _ => ("__va_list_tag", &X86_64),
        };
        let size = fields.last().map_or(0, |last| last.offset + last.ty.size);
        Type { name, size, align: self.pointer, kind: Kind::Struct { fields } }
    }
}
