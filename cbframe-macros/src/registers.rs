//! Registers by the names that assemblers have for them.

use proc_macro2::TokenStream;
use quote::quote;

/// What has registers of these names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Architecture {
    X86_64,
    X86,
    Aarch64,
    Riscv64,
}

/// A register, or the low bytes of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Register {
    architecture: Architecture,
    /// A vector register, or a general one.
    vector: bool,
    /// The number that instructions encode.
    number: u8,
    /// How many low bytes are meant.
    pub(crate) size: u8,
}

/// The names of the eight old general registers by their numbers, and of their 1, 2, 4 and 8 low bytes.
const OLD: [[&str; 4]; 8] = [
    ["al", "ax", "eax", "rax"],
    ["cl", "cx", "ecx", "rcx"],
    ["dl", "dx", "edx", "rdx"],
    ["bl", "bx", "ebx", "rbx"],
    ["spl", "sp", "esp", "rsp"],
    ["bpl", "bp", "ebp", "rbp"],
    ["sil", "si", "esi", "rsi"],
    ["dil", "di", "edi", "rdi"],
];

/// The stack pointer's number on x86-64.
const RSP: u8 = 4;

impl Register {
    /// The register with this name.
    ///
    /// # Errors
    ///
    /// What to write instead, if it is none that carries a value.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match all().find(|(known, _)| known == name) {
            Some((_, Self { architecture: Architecture::X86_64, vector: false, number: RSP, .. })) => {
                Err(format!("`{name}`: the stack pointer carries no value; it is where the return address is"))
            }
            Some((_, register)) => Ok(register),
            None => Err(unknown(name)),
        }
    }

    /// The register of 32-bit x86 with this name, as a whole; its vector registers have the names of those of x86-64.
    pub(crate) fn of_x86(name: &str) -> Option<Self> {
        let number =
            (0..).zip(OLD).find_map(|(number, names)| (names[2] == name && number != RSP).then_some(number))?;
        Some(Self { architecture: Architecture::X86, vector: false, number, size: 4 })
    }

    /// The register of RISC-V with this name, as a whole: that of the ABI, or the number of a floating-point register.
    pub(crate) fn of_riscv(name: &str) -> Option<Self> {
        // "RISC-V ABIs Specification", section 1.
        if name == "ra" {
            return Some(Self { architecture: Architecture::Riscv64, vector: false, number: 1, size: 8 });
        }
        let (prefix, digits) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        let number = digits.parse::<u8>().ok()?;
        let (vector, number) = match (prefix, number) {
            ("t", 0..=2) => (false, number + 5),
            ("t", 3..=6) => (false, number + 25),
            ("s", 0..=1) => (false, number + 8),
            ("s", 2..=11) => (false, number + 16),
            ("a", 0..=7) => (false, number + 10),
            ("f", 0..=31) => (true, number),
            ("ft", 0..=7) => (true, number),
            ("ft", 8..=11) => (true, number + 20),
            ("fs", 0..=1) => (true, number + 8),
            ("fs", 2..=11) => (true, number + 16),
            ("fa", 0..=7) => (true, number + 10),
            _ => return None,
        };
        Some(Self { architecture: Architecture::Riscv64, vector, number, size: 8 })
    }

    /// Whether the two share bits.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        Self { size: 0, ..self } == Self { size: 0, ..other }
    }

    /// Whether it is a whole register.
    pub(crate) fn is_whole(self) -> bool {
        self.size == if self.vector { 16 } else { 8 }
    }

    /// Whether x86-64 has it.
    pub(crate) fn is_of_x86_64(self) -> bool {
        self.architecture == Architecture::X86_64
    }

    /// Whether it is a general register.
    pub(crate) fn is_general(self) -> bool {
        !self.vector
    }

    /// A `cbframe::abi::Register`, the register as a whole.
    pub(crate) fn tokens(self, private: &TokenStream) -> TokenStream {
        let number = self.number;
        if self.vector {
            quote!(#private::Register::Vector(#number))
        } else {
            quote!(#private::Register::Integer(#number))
        }
    }

    /// A `cbframe::abi::Architecture`.
    pub(crate) fn architecture(self, private: &TokenStream) -> TokenStream {
        match self.architecture {
            Architecture::X86_64 => quote!(#private::Architecture::X86_64),
            Architecture::X86 => quote!(#private::Architecture::X86),
            Architecture::Aarch64 => quote!(#private::Architecture::Aarch64),
            Architecture::Riscv64 => quote!(#private::Architecture::Riscv64),
        }
    }

    /// The name of the whole register.
    pub(crate) fn whole(self) -> String {
        let same = |&(_, other): &(String, Self)| other.is_whole() && self.overlaps(other);
        all().find(same).map_or_else(String::new, |(name, _)| name)
    }
}

/// Every register with its names.
fn all() -> impl Iterator<Item = (String, Register)> {
    x86_64().chain(aarch64())
}

fn x86_64() -> impl Iterator<Item = (String, Register)> {
    const NUMBERED: [(&str, u8); 4] = [("b", 1), ("w", 2), ("d", 4), ("", 8)];
    let register = |vector, number, size| Register { architecture: Architecture::X86_64, vector, number, size };
    let old = (0..).zip(OLD).flat_map(move |(number, names)| {
        names.into_iter().zip([1, 2, 4, 8]).map(move |(name, size)| (name.to_owned(), register(false, number, size)))
    });
    let new = (8..16).flat_map(move |number| {
        NUMBERED.into_iter().map(move |(suffix, size)| (format!("r{number}{suffix}"), register(false, number, size)))
    });
    let vectors = (0..16).map(move |number| (format!("xmm{number}"), register(true, number, 16)));
    old.chain(new).chain(vectors)
}

fn aarch64() -> impl Iterator<Item = (String, Register)> {
    let names = |vector, prefix, size, count| {
        (0..count).map(move |number| {
            (format!("{prefix}{number}"), Register { architecture: Architecture::Aarch64, vector, number, size })
        })
    };
    let general = names(false, "x", 8, 31).chain(names(false, "w", 4, 31));
    let vectors = [("v", 16), ("q", 16), ("d", 8), ("s", 4)];
    general.chain(vectors.into_iter().flat_map(move |(prefix, size)| names(true, prefix, size, 32)))
}

/// A message for a name that is not known.
fn unknown(name: &str) -> String {
    if let "ah" | "bh" | "ch" | "dh" = name {
        return format!("`{name}`: name the low bytes, `{}x`, and take the second of them", &name[..1]);
    }
    if name.starts_with("ymm") || name.starts_with("zmm") {
        return format!("`{name}`: values lie in the low 16 bytes of vector registers, `xmm{}`", &name[3..]);
    }
    let lower = name.to_lowercase();
    let nearest = all().map(|(known, _)| (distance(&lower, &known), known)).min();
    match nearest {
        Some((0..=1, known)) => format!("unknown register `{name}`: did you mean `{known}`?"),
        _ => format!(
            "unknown register `{name}`: there are `rax`, `eax`, `ax`, `al` and their kin, `r8` to `r15` with `r8d`, `r8w` and \
             `r8b`, and `xmm0` to `xmm15`; on AArch64 `x0` to `x30`, `w0` to `w30`, and `v0` to `v31` with their `d` and `s`"
        ),
    }
}

/// How many characters have to be put in, taken out or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Architecture, Register, distance};

    #[test]
    fn names_of_assemblers() {
        // Intel SDM volume 1, section 3.4.1.1, and table 3-2.
        for (name, number, size) in [
            ("rax", 0, 8),
            ("ecx", 1, 4),
            ("dx", 2, 2),
            ("bl", 3, 1),
            ("ebp", 5, 4),
            ("sil", 6, 1),
            ("di", 7, 2),
            ("r8", 8, 8),
            ("r9d", 9, 4),
            ("r10w", 10, 2),
            ("r15b", 15, 1),
        ] {
            let register = Register { architecture: Architecture::X86_64, vector: false, number, size };
            assert_eq!(Register::parse(name), Ok(register), "{name}");
        }
        let xmm15 = Register { architecture: Architecture::X86_64, vector: true, number: 15, size: 16 };
        assert_eq!(Register::parse("xmm15"), Ok(xmm15));
        // Arm ARM, sections C1.2.5 and B1.2.1.
        for (name, vector, number, size) in [
            ("x0", false, 0, 8),
            ("w30", false, 30, 4),
            ("v31", true, 31, 16),
            ("q7", true, 7, 16),
            ("d8", true, 8, 8),
            ("s1", true, 1, 4),
        ] {
            let register = Register { architecture: Architecture::Aarch64, vector, number, size };
            assert_eq!(Register::parse(name), Ok(register), "{name}");
        }
        assert_eq!(Register::parse("s3").map(Register::whole), Ok("v3".to_owned()));
        assert_eq!(Register::parse("r13b").map(Register::whole), Ok("r13".to_owned()));
    }

    #[test]
    fn names_of_riscv() {
        for (name, vector, number) in [
            ("ra", false, 1),
            ("t2", false, 7),
            ("t6", false, 31),
            ("s1", false, 9),
            ("s11", false, 27),
            ("a0", false, 10),
            ("a7", false, 17),
            ("f0", true, 0),
            ("f31", true, 31),
            ("ft7", true, 7),
            ("ft11", true, 31),
            ("fs2", true, 18),
            ("fa0", true, 10),
        ] {
            let register = Register { architecture: Architecture::Riscv64, vector, number, size: 8 };
            assert_eq!(Register::of_riscv(name), Some(register), "{name}");
        }
        for name in ["a8", "a01", "f32", "fa8", "ra1", "t7", "s12", "sp", "x10", "a", "fcsr", ""] {
            assert_eq!(Register::of_riscv(name), None, "{name}");
        }
    }

    #[test]
    fn others_are_refused() {
        for (name, hint) in [
            ("esp", "stack pointer"),
            ("eex", "`eax`"),
            ("EAX", "`eax`"),
            ("r8l", "`r8`"),
            ("ah", "`ax`"),
            ("ymm3", "`xmm3`"),
            ("rip", "unknown"),
            ("xmm16", "`xmm1"),
            ("", "unknown"),
        ] {
            let message = Register::parse(name).expect_err(name);
            assert!(message.contains(hint), "{message}");
        }
    }

    #[test]
    fn distances() {
        assert_eq!(
            [distance("", "abc"), distance("rax", "eax"), distance("rsx", "rsi"), distance("ab", "b")],
            [3, 1, 1, 1]
        );
    }
}
