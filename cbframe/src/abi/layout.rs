//! Layouts: what is asked of a placed signature, and whether two are the same.

use super::{Abi, Parameter, Parts, Place, Pointer, Register};
use crate::types::{Kind, Type};

/// Where every parameter and the result of a signature lie.
///
/// [`Display`](core::fmt::Display) prints a table, one line for each.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub(crate) abi: Abi,
    pub(crate) unwind: bool,
    pub(crate) variadic: bool,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) result: Parameter,
    pub(crate) stack: u32,
    pub(crate) pops: u32,
}

impl<'a> Layout<'a> {
    /// The calling convention.
    pub const fn abi(&self) -> Abi {
        self.abi
    }

    /// Panics if no function pointer type of Rust has this convention.
    #[track_caller]
    pub(crate) const fn check_callable(&self) {
        assert!(
            self.abi.is_of_rust(),
            "cbframe: Rust has no function pointer type for this calling convention: `FN` and `as_fn` give an address that only code of the convention can call"
        );
    }

    /// Panics if Rust code that calls a pointer of this layout would pass something otherwise than C does.
    #[track_caller]
    pub(crate) const fn check_safe(&self) {
        crate::private::check_safe_result(self.abi, crate::private::known(self.result.ty));
        let (mut words, mut i) = (0, 0);
        while i < self.parameters.len() {
            let ty = &self.parameters[i].ty;
            crate::private::check_safe_type(self.abi, ty, words);
            words += crate::abi::x86::is_word(ty) as usize;
            i += 1;
        }
    }

    /// Whether a panic or a foreign exception may leave the callback (the `-unwind` ABI strings).
    pub const fn unwinds(&self) -> bool {
        self.unwind
    }

    /// Whether arguments may follow those of the parameters: `...`.
    pub const fn is_variadic(&self) -> bool {
        self.variadic
    }

    /// The same for a signature that ends in `...`.
    pub(crate) const fn variadic(self) -> Self {
        Self { variadic: true, ..self }
    }

    /// The parameters in the order of their declaration.
    pub const fn parameters(&self) -> &'a [Parameter] {
        self.parameters
    }

    /// The result.
    pub const fn result(&self) -> &Parameter {
        &self.result
    }

    /// Bytes of arguments on the stack, the home space of Windows included, a multiple of the size of a pointer.
    pub const fn stack_size(&self) -> usize {
        self.stack as usize
    }

    /// Bytes of arguments on the stack that the return pops.
    pub const fn pops(&self) -> u32 {
        self.pops
    }

    /// Whether a callback with the layout `self` can be called through a pointer whose type has the layout
    /// `pointer`: each argument and the result lie in the same places and are, where they are narrower than 32
    /// bits, extended in the same way; and nothing unwinds through a pointer type that says nothing does.
    ///
    /// Names do not count, nor does what a pointer points to. Rust has no pointer types for [`Abi::Named`] and
    /// [`Abi::Custom`]: these fit nothing.
    pub const fn fits(&self, pointer: &Layout<'_>) -> bool {
        if !self.abi.is_of_rust()
            || !self.abi.same(pointer.abi)
            || self.unwind && !pointer.unwind
            || self.variadic != pointer.variadic
            || self.parameters.len() != pointer.parameters.len()
            || !same_place(&self.result.place, &pointer.result.place)
            || self.result.ty.size != pointer.result.ty.size
            || extension(&self.result.ty) != extension(&pointer.result.ty)
        {
            return false;
        }
        let mut i = 0;
        while i < self.parameters.len() {
            let (a, b) = (&self.parameters[i], &pointer.parameters[i]);
            // gcc, clang and rustc extend narrow arguments in the caller, and clang and rustc rely on it.
            if a.ty.size != b.ty.size || !same_place(&a.place, &b.place) || extension(&a.ty) != extension(&b.ty) {
                return false;
            }
            i += 1;
        }
        true
    }
}

/// How an integer narrower than 32 bits is extended: 0 not at all, 1 with zeros, 2 with its sign.
#[inline(always)]
pub(crate) const fn extension(ty: &Type) -> u8 {
    match ty.passed_as().kind {
        Kind::Bool => 1,
        Kind::Int { signed } | Kind::Enum { signed, .. } if ty.size < 4 => 1 + signed as u8,
        _ => 0,
    }
}

pub(super) const fn same_register(a: Register, b: Register) -> bool {
    match (a, b) {
        (Register::Integer(a), Register::Integer(b))
        | (Register::Vector(a), Register::Vector(b))
        | (Register::X87(a), Register::X87(b)) => a == b,
        _ => false,
    }
}

const fn same_pointer(a: Pointer, b: Pointer) -> bool {
    match (a, b) {
        (Pointer::Register(a), Pointer::Register(b)) => same_register(a, b),
        (Pointer::Stack(a), Pointer::Stack(b)) => a == b,
        _ => false,
    }
}

/// `PartialEq` for `const` code.
const fn same_place(a: &Place, b: &Place) -> bool {
    match (a, b) {
        (Place::Nothing, Place::Nothing) => true,
        (Place::Stack(a), Place::Stack(b)) => *a == *b,
        (Place::Reference(a), Place::Reference(b)) => same_pointer(*a, *b),
        (Place::Hidden { arrives: a, .. }, Place::Hidden { arrives: b, .. }) => same_pointer(*a, *b),
        (Place::Registers(a), Place::Registers(b)) => same_parts(a, b),
        (Place::Split(a, at), Place::Split(b, offset)) => same_parts(a, b) && *at == *offset,
        _ => false,
    }
}

const fn same_parts(a: &Parts, b: &Parts) -> bool {
    let (a, b) = (a.as_slice(), b.as_slice());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if !same_register(a[i].register, b[i].register) || a[i].offset != b[i].offset || a[i].size != b[i].size {
            return false;
        }
        i += 1;
    }
    true
}
