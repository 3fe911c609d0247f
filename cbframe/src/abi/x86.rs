//! 32-bit x86.

/// How a function of 32-bit x86 is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum X86Call {
    /// C's own: all arguments on the stack, which the caller pops.
    Cdecl,
    /// All arguments on the stack, which the return pops: that of the Windows API.
    Stdcall,
    /// The first two that fit in ecx and edx; the return pops the others.
    Fastcall,
    /// The first one that fits in ecx; the return pops the others: methods of C++ on Windows.
    Thiscall,
    /// `__attribute__((regparm(1)))` of GCC: one word in eax; the caller pops the others.
    Regparm1,
    /// `__attribute__((regparm(2)))`: two words in eax and edx.
    Regparm2,
    /// `__attribute__((regparm(3)))`: three words in eax, edx and ecx.
    Regparm3,
}

impl X86Call {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cdecl => "cdecl",
            Self::Stdcall => "stdcall",
            Self::Fastcall => "fastcall",
            Self::Thiscall => "thiscall",
            Self::Regparm1 => "regparm(1)",
            Self::Regparm2 => "regparm(2)",
            Self::Regparm3 => "regparm(3)",
        }
    }
}
