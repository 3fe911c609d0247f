//! Types and signatures, as the generator writes them down.

/// A type, as the generator knows it.
#[derive(Debug)]
pub struct Type {
    /// Its name.
    pub name: &'static str,
    /// `sizeof`.
    pub size: usize,
    /// `_Alignof`.
    pub align: usize,
    /// For an integer narrower than 32 bits, whether it is signed.
    pub narrow: Option<bool>,
    /// The bytes that are no padding. Unions hold other members in each.
    pub views: &'static [&'static [Leaf]],
}

/// Scalars in a row: one, or those of an array.
#[derive(Debug)]
pub struct Leaf {
    /// How C names it, behind the name of the variable.
    pub path: &'static str,
    /// Where the first one is.
    pub offset: usize,
    /// The size of one.
    pub size: usize,
    /// How many there are, for the elements of an array.
    pub count: Option<usize>,
    /// What their values are.
    pub bits: Bits,
}

/// Which bits are values.
#[derive(Debug)]
pub enum Bits {
    /// Any.
    Any,
    /// Those of a float, but for signaling NaNs.
    Quiet,
    /// 0 and 1.
    Bool,
    /// These.
    OneOf(&'static [i64]),
    /// The address of something, aligned.
    Address,
    /// Also null.
    AddressOrNull,
}

/// A signature, as the generator knows it.
#[derive(Debug)]
pub struct Signature {
    /// The name of its module.
    pub name: &'static str,
    /// Its place in the tables of C callers.
    pub index: usize,
    /// Whether the convention is that of Windows.
    pub windows: bool,
    /// The feature that the CPU needs to have.
    pub cpu: Option<&'static str>,
    /// Why there is no caller that gcc has compiled.
    pub gcc: Option<&'static str>,
    /// Why there is no caller that clang has compiled.
    pub clang: Option<&'static str>,
    /// The parameters.
    pub parameters: &'static [&'static Type],
    /// The result.
    pub result: Option<&'static Type>,
    /// In C: structs and unions, and a prototype.
    pub in_c: [&'static str; 2],
    /// In Rust: structs and unions, and a function pointer type.
    pub in_rust: [&'static str; 2],
}

impl Signature {
    /// The type of the parameter at `index`, or behind the last one that of the result.
    pub(crate) fn ty(&self, index: usize) -> &'static Type {
        self.parameters.get(index).copied().or(self.result).expect("a parameter, or the result")
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = &'static Type> {
        self.parameters.iter().copied().chain(self.result)
    }

    /// Whether this CPU can make the calls.
    pub(crate) fn can_run(&self) -> bool {
        self.cpu.is_none_or(crate::machine::has)
    }
}
