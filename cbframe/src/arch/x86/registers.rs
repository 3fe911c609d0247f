//! General registers and their names.

use core::fmt;

/// A general register; the numbers are those that instructions encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Gpr {
    /// eax.
    Eax,
    /// ecx.
    Ecx,
    /// edx.
    Edx,
    /// ebx.
    Ebx,
    /// esp.
    Esp,
    /// ebp.
    Ebp,
    /// esi.
    Esi,
    /// edi.
    Edi,
}

impl Gpr {
    /// All of them, by number.
    pub const ALL: [Self; 8] = [Self::Eax, Self::Ecx, Self::Edx, Self::Ebx, Self::Esp, Self::Ebp, Self::Esi, Self::Edi];

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 8] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
        NAMES[self as usize]
    }
}

/// The name.
impl fmt::Display for Gpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
