//! What only C has of a platform.

use crate::abi::{Abi, Architecture, CallingConvention, Target};
use crate::conventions::Vectorcall;
use crate::parse::model::Platform;
use crate::types::{Field, Kind, Type};

impl Platform {
    /// That to which a convention belongs.
    pub(super) fn of(abi: Abi) -> Self {
        Self::new(match abi {
            Abi::Named(convention) if *convention == *Vectorcall::CONVENTION => Target::X86_64Windows,
            abi => abi.target(),
        })
    }

    /// Whether it has x86's types.
    pub(super) fn is_x86(&self) -> bool {
        matches!(self.target.architecture(), Architecture::X86 | Architecture::X86_64)
    }

    /// Whether there is `__int128`: where pointers have 8 bytes. (Microsoft's compiler has none; others for Windows have.)
    pub(super) fn has_int128(&self) -> bool {
        self.model.pointer.size == 8
    }

    /// `wint_t`.
    pub(super) fn wint(&self) -> Type {
        match self.target {
            _ if self.is_windows() => Type::U16,
            Target::Aarch64Apple => Type::I32,
            _ => Type::U32,
        }
    }

    /// What `va_list` is: `None` if it is a pointer, and otherwise a struct, and whether it is that or an array of one.
    pub(super) fn va_list(&self) -> Option<(Type, bool)> {
        const fn field(name: &'static str, offset: usize, ty: Type) -> Field {
            Field { name, offset, ty }
        }
        const fn structure(name: &'static str, size: usize, align: usize, fields: &'static [Field]) -> Type {
            Type { name, size, align, kind: Kind::Struct { fields } }
        }
        /// psABI for AMD64, figure 3.34.
        const X86_64: &[Field] = &[
            field("gp_offset", 0, Type::U32),
            field("fp_offset", 4, Type::U32),
            field("overflow_arg_area", 8, Type::POINTER),
            field("reg_save_area", 16, Type::POINTER),
        ];
        /// AAPCS64, section 10.1.5.
        const AARCH64: &[Field] = &[
            field("__stack", 0, Type::POINTER),
            field("__gr_top", 8, Type::POINTER),
            field("__vr_top", 16, Type::POINTER),
            field("__gr_offs", 24, Type::I32),
            field("__vr_offs", 28, Type::I32),
        ];
        /// AAPCS, section 8.1.4.
        const ARM: &[Field] = &[field("__ap", 0, Target::ArmEabi.data_model().pointer)];
        match self.target {
            Target::X86_64Unix => Some((structure("__va_list_tag", 24, 8, X86_64), true)),
            Target::Aarch64Linux => Some((structure("__va_list", 32, 8, AARCH64), false)),
            Target::ArmEabi | Target::ArmEabihf => Some((structure("__va_list", 4, 4, ARM), false)),
            Target::X86_64Windows
            | Target::X86Linux
            | Target::X86Windows
            | Target::Aarch64Apple
            | Target::Riscv64Linux => None,
        }
    }
}
