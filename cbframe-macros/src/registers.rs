//! Registers by the names that assemblers have for them.

use proc_macro2::TokenStream;
use quote::quote;

/// A register, or the low bytes of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Register {
    /// The low `size` bytes of the general register that instructions encode as `number`.
    Integer { number: u8, size: u8 },
    /// `xmm{number}`.
    Vector(u8),
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

/// The stack pointer's number.
const RSP: u8 = 4;

impl Register {
    /// The register with this name.
    ///
    /// # Errors
    ///
    /// What to write instead, if it is none that carries a value.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match all().find(|(known, _)| known == name) {
            Some((_, Self::Integer { number: RSP, .. })) => {
                Err(format!("`{name}`: the stack pointer carries no value; it is where the return address is"))
            }
            Some((_, register)) => Ok(register),
            None => Err(unknown(name)),
        }
    }

    /// Whether the two share bits.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer { number: a, .. }, Self::Integer { number: b, .. }) | (Self::Vector(a), Self::Vector(b)) => {
                a == b
            }
            _ => false,
        }
    }

    /// Whether it is a whole register.
    pub(crate) fn is_whole(self) -> bool {
        !matches!(self, Self::Integer { size: 1..=4, .. })
    }

    /// A `cbframe::abi::Register`, the register as a whole.
    pub(crate) fn tokens(self, private: &TokenStream) -> TokenStream {
        match self {
            Self::Integer { number, .. } => quote!(#private::Register::Integer(#number)),
            Self::Vector(number) => quote!(#private::Register::Vector(#number)),
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
    let old = (0..).zip(OLD).flat_map(|(number, names)| {
        names
            .into_iter()
            .zip([1, 2, 4, 8])
            .map(move |(name, size)| (name.to_owned(), Register::Integer { number, size }))
    });
    let new = (8..16).flat_map(|number| {
        let names = [("b", 1), ("w", 2), ("d", 4), ("", 8)];
        names.into_iter().map(move |(suffix, size)| (format!("r{number}{suffix}"), Register::Integer { number, size }))
    });
    let vectors = (0..16).map(|number| (format!("xmm{number}"), Register::Vector(number)));
    old.chain(new).chain(vectors)
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
             `r8b`, and `xmm0` to `xmm15`"
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
    use super::{Register, distance};

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
            assert_eq!(Register::parse(name), Ok(Register::Integer { number, size }), "{name}");
        }
        assert_eq!(Register::parse("xmm15"), Ok(Register::Vector(15)));
        assert_eq!(Register::parse("r13b").map(Register::whole), Ok("r13".to_owned()));
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
