//! Conventions as data: which registers carry arguments and results, in which order, and what is preserved.
//!
//! What the data says of scalars is said here; of what else there is, each variant of [`Aggregates`] says whose rules
//! hold, or that there are none: such a signature is refused.

use super::{Cursor, Parts, Place, Pointer, Register, sysv64, vectorcall};
use crate::types::{Field, Kind, Message, Type, round_up};

/// A calling convention as data.
///
/// [`convention!`](crate::convention) writes one, and a type that stands for it; [`crate::conventions`] has some. What
/// is not named in a literal can be taken from another one:
///
/// ```
/// use cbframe::abi::{Abi, Architecture, Convention, Register, place};
/// use cbframe::CType;
///
/// const REVERSED: Convention = Convention {
///     name: "Reversed",
///     ints: &[Register::Integer(2), Register::Integer(6), Register::Integer(7)], // rdx, rsi, rdi
///     ..Convention::SCALARS
/// };
///
/// let placed = place(Abi::Named(&REVERSED), [("a", i32::TYPE), ("b", f64::TYPE), ("c", u64::TYPE)], i32::TYPE);
/// assert_eq!(placed.parameter(2).place.on(Architecture::X86_64).to_string(), "rsi");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convention {
    /// What layouts and messages call it.
    pub name: &'static str,
    /// The general registers that carry integers and pointers, in the order in which they are given out.
    pub ints: &'static [Register],
    /// The vector registers that carry floats and 16-byte vectors, in the order in which they are given out.
    pub floats: &'static [Register],
    /// Whether integers of 1 and 2 bytes, `bool` included, are passed like others; if not, they are refused.
    pub narrow_ints: bool,
    /// Whether each argument takes the next of both lists, though it is in one of the two registers, as on Windows.
    pub by_position: bool,
    /// The general registers of a result: an integer or a pointer is in the first.
    pub int_results: &'static [Register],
    /// The vector registers of a result: a float or a 16-byte vector is in the first.
    pub float_results: &'static [Register],
    /// How a result in memory is returned, if results can be in memory.
    pub hidden: Option<Hidden>,
    /// The rules for structs, unions and scalars of two registers.
    pub aggregates: Aggregates,
    /// Bytes of home space below the stack arguments.
    pub home: u32,
    /// An argument on the stack takes a multiple of so many bytes: 8, or 1 where arguments are laid out like the fields
    /// of a struct.
    pub slot: u32,
    /// Whether the return pops the arguments on the stack.
    pub callee_pops: bool,
    /// The registers that a function preserves, unless its result is in them. `rsp` need not be named, nor what System V
    /// preserves: rbx, rbp, r12 to r15.
    pub preserves: &'static [Register],
    /// Whether it preserves all vector registers of the CPU whole, ymm, zmm and opmasks, and not only the lowest 16 bytes
    /// of those in `preserves`.
    pub preserves_whole_vectors: bool,
    /// Whether a function preserves the flags.
    pub preserves_flags: bool,
    /// The alignment of the stack pointer in bytes before the call: 16, or 8.
    pub stack_align: u32,
}

/// How a result in memory is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The register that holds the address at entry: the first of [`Convention::ints`], of which it takes one, or
    /// none of them.
    pub arrives: Register,
    /// The register that holds the address on return.
    pub leaves: Register,
}

/// Whose rules hold for structs, unions, and scalars that do not fit one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aggregates {
    /// Nobody's: signatures with them are refused.
    Refused,
    /// System V's classification by eightbytes, with the registers of this convention: all of a value is in registers, or
    /// in memory.
    Eightbytes,
    /// Those of Go's ABIInternal: each field is assigned like an argument of its own, all of a value to registers or all
    /// of it to the stack. Up to four registers for one value.
    Fields,
    /// Those of vectorcall on 64-bit Windows: homogeneous vector aggregates in vector registers, other values of 1, 2, 4
    /// or 8 bytes as integers, and the rest by reference.
    Vectorcall,
}

/// A type that stands for a [`Convention`], to be named in `abi = …`.
///
/// [`convention!`](crate::convention) defines both.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no calling convention",
    label = "not defined by `cbframe::convention!`",
    note = "conventions that rustc knows are strings: `abi = \"C\"`; others are types: see `cbframe::convention!` and `cbframe::conventions`"
)]
pub trait CallingConvention {
    /// The convention.
    const CONVENTION: &'static Convention;
}

const RAX: Register = Register::RAX;
const XMM0: Register = Register::Vector(0);

impl Convention {
    /// System V's, in the form of data.
    pub const SYSV64: Self = Self {
        name: "sysv64",
        ints: &[Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9],
        floats: &[
            XMM0,
            Register::Vector(1),
            Register::Vector(2),
            Register::Vector(3),
            Register::Vector(4),
            Register::Vector(5),
            Register::Vector(6),
            Register::Vector(7),
        ],
        narrow_ints: true,
        by_position: false,
        int_results: &[RAX, Register::RDX],
        float_results: &[XMM0, Register::Vector(1)],
        hidden: Some(Hidden { arrives: Register::RDI, leaves: RAX }),
        aggregates: Aggregates::Eightbytes,
        home: 0,
        slot: 8,
        callee_pops: false,
        preserves: &[],
        preserves_whole_vectors: false,
        preserves_flags: false,
        stack_align: 16,
    };

    /// Scalars only, all of them on the stack but the result, which is in rax or xmm0; the caller pops: a start for
    /// others.
    pub const SCALARS: Self = Self {
        name: "scalars",
        ints: &[],
        floats: &[],
        int_results: &[RAX],
        float_results: &[XMM0],
        hidden: None,
        aggregates: Aggregates::Refused,
        ..Self::SYSV64
    };

    /// Panics unless the data makes sense: no register is given out twice, each list has registers of its kind, and what
    /// the rules for aggregates need is there.
    ///
    /// # Panics
    ///
    /// When it does not. In a `const` the panic is a compile-time error.
    #[track_caller]
    pub const fn check(&self) {
        self.check_list("ints", self.ints, true);
        self.check_list("floats", self.floats, false);
        self.check_list("int_results", self.int_results, true);
        self.check_list("float_results", self.float_results, false);
        let mut i = 0;
        while i < self.preserves.len() {
            match self.preserves[i] {
                Register::Integer(number) if number < 16 => {}
                Register::Vector(number) if number < 16 => {}
                _ => self.wrong("`preserves` names what is neither a general register nor one of xmm0 to xmm15"),
            }
            i += 1;
        }
        if !matches!(self.slot, 1 | 8) {
            self.wrong("`slot` is 8 bytes, or 1");
        }
        if !matches!(self.stack_align, 8 | 16) {
            self.wrong("`stack_align` is 8 or 16 bytes");
        }
        if !self.home.is_multiple_of(8) {
            self.wrong("`home` is no multiple of 8 bytes");
        }
        if self.callee_pops && self.home != 0 {
            self.wrong("home space belongs to the caller, which pops it");
        }
        if self.stack_align < 16 && (self.preserves_flags || has_rbp(self.ints) || has_rbp(self.int_results)) {
            self.wrong("where the stack has to be aligned first, flags are not preserved and rbp carries no value");
        }
        match self.hidden {
            Some(Hidden { arrives: Register::Integer(4), .. } | Hidden { leaves: Register::Integer(4), .. }) => {
                self.wrong("the stack pointer carries no value")
            }
            Some(Hidden { arrives, leaves: Register::Integer(0..16) }) => self.check_arrival(arrives),
            Some(_) => self.wrong("`hidden` names what is no general register"),
            None => {}
        }
        self.check_aggregates();
    }

    /// Panics unless the address of a result arrives like a first argument or apart from all others.
    #[track_caller]
    const fn check_arrival(&self, arrives: Register) {
        let mut i = 0;
        while i < self.ints.len() {
            if super::same_register(self.ints[i], arrives) && i > 0 {
                self.wrong("the address of a result in memory arrives in the first of `ints`, or in none of them");
            }
            i += 1;
        }
        if !matches!(arrives, Register::Integer(0..16)) {
            self.wrong("`hidden` names what is no general register");
        }
        let first = !self.ints.is_empty() && super::same_register(self.ints[0], arrives);
        if matches!(self.aggregates, Aggregates::Vectorcall) && !first {
            self.wrong("`Vectorcall` has the address of a result in the first of `ints`");
        }
    }

    #[track_caller]
    const fn check_aggregates(&self) {
        match self.aggregates {
            Aggregates::Eightbytes => {
                if self.by_position || self.int_results.len() < 2 || self.float_results.len() < 2 {
                    self.wrong("`Eightbytes` needs registers counted apart, and two of each kind for results");
                }
                if self.slot != 8 || self.stack_align != 16 {
                    self.wrong("`Eightbytes` has slots of 8 bytes and a stack aligned to 16");
                }
                if self.hidden.is_none() {
                    self.wrong("`Eightbytes` needs `hidden`, registers for the address of a result in memory");
                }
            }
            Aggregates::Vectorcall => {
                if !self.by_position || self.ints.len() != 4 || !is_first_vectors(self.floats, 6) {
                    self.wrong("`Vectorcall` counts by position, with 4 general registers and xmm0 to xmm5");
                }
                if !is_first_vectors(self.float_results, 4) || self.int_results.is_empty() {
                    self.wrong("`Vectorcall` has results in one general register and in xmm0 to xmm3");
                }
                if self.home != 32 || self.slot != 8 || self.stack_align != 16 || self.hidden.is_none() {
                    self.wrong("`Vectorcall` has 32 bytes of home space, slots of 8 bytes, and results in memory");
                }
            }
            Aggregates::Fields | Aggregates::Refused => {
                if self.hidden.is_some() {
                    self.wrong("no result is in memory by these rules: remove `hidden`");
                }
                let fields = matches!(self.aggregates, Aggregates::Fields);
                if self.by_position && (fields || self.ints.len() != self.floats.len()) {
                    self.wrong("arguments by position are scalars, in lists of the same length");
                }
            }
        }
    }

    #[track_caller]
    const fn check_list(&self, list: &str, registers: &[Register], general: bool) {
        let mut i = 0;
        while i < registers.len() {
            match registers[i] {
                Register::Integer(4) => self.wrong("the stack pointer carries no value"),
                Register::Integer(0..16) if general => {}
                Register::Vector(0..16) if !general => {}
                _ => self.about(list, if general { "are general registers" } else { "are xmm0 to xmm15" }).panic(),
            }
            let mut j = 0;
            while j < i {
                if super::same_register(registers[i], registers[j]) {
                    self.about(list, "name a register twice").panic();
                }
                j += 1;
            }
            i += 1;
        }
    }

    const fn about(&self, list: &str, what: &str) -> Message {
        Message::new("cbframe: the `").text(list).text("` of `").text(self.name).text("` ").text(what)
    }

    #[track_caller]
    const fn wrong(&self, what: &str) -> ! {
        Message::new("cbframe: the convention `").text(self.name).text("`: ").text(what).panic()
    }

    /// Whether a result of this type, which is not refused, is in memory.
    pub(crate) const fn hides(&self, result: &Type) -> bool {
        matches!(start(self, result).1, Place::Hidden { .. })
    }

    /// Why no argument of this type can be placed in this position, a hidden pointer being the first, or no result without
    /// one, if so: to stand behind the name of the type.
    pub(crate) const fn refusal(&self, ty: &Type, position: Option<usize>) -> Option<&'static str> {
        let is_result = position.is_none();
        // A caller that has these has been compiled for their registers, which may mean more of them to be preserved.
        if ty.widest_vector() > 16 {
            return Some("a vector of more than 16 bytes, which is not supported");
        }
        if !self.narrow_ints && !is_result && ty.size < 4 {
            return Some("narrower than 32 bits, for which there is no rule: declare it with 32 bits on both sides");
        }
        match self.aggregates {
            Aggregates::Eightbytes => None,
            Aggregates::Vectorcall => vectorcall::refusal(ty, position),
            Aggregates::Refused => match scalar(ty) {
                None if matches!(ty.kind, Kind::Void) => None,
                None => Some("no scalar of one register: pass its address on both sides"),
                Some(bank) if is_result && !Pieces::NONE.and(bank, 0, ty.size).fits(self, Cursor::START, true) => {
                    Some("a result for which there is no register")
                }
                Some(_) => None,
            },
            Aggregates::Fields if ty.widest_vector() > 0 => Some("a vector, which Go has not"),
            Aggregates::Fields => match pieces(ty, Pieces::NONE, 0) {
                Pieced::In(pieces) if is_result && !pieces.fits(self, Cursor::START, true) => Some(ON_STACK),
                Pieced::OnStack if is_result => Some(ON_STACK),
                Pieced::In(_) | Pieced::OnStack => None,
                Pieced::Refused(reason) => Some(reason),
            },
        }
    }
}

const ON_STACK: &str = "a result on the stack, which is not supported";

/// Whether these are xmm0 and the next ones, `count` of them.
const fn is_first_vectors(registers: &[Register], count: usize) -> bool {
    let mut i = 0;
    while i < registers.len() {
        if !super::same_register(registers[i], Register::Vector(i as u8)) {
            return false;
        }
        i += 1;
    }
    registers.len() == count
}

const fn has_rbp(registers: &[Register]) -> bool {
    let mut i = 0;
    while i < registers.len() {
        if let Register::Integer(5) = registers[i] {
            return true;
        }
        i += 1;
    }
    false
}

/// The kind of register that a value is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bank {
    Ints,
    Floats,
}

/// Where a scalar of one register goes; `None` for everything else.
const fn scalar(ty: &Type) -> Option<Bank> {
    match ty.passed_as().kind {
        Kind::Bool | Kind::Int { .. } | Kind::Pointer { .. } | Kind::Enum { .. } if ty.size <= 8 => Some(Bank::Ints),
        Kind::Float if matches!(ty.size, 4 | 8) => Some(Bank::Floats),
        Kind::Vector if ty.size == 16 => Some(Bank::Floats),
        _ => None,
    }
}

/// The place of the result, and the cursor before the first parameter.
pub(super) const fn start(convention: &Convention, result: &Type) -> (Cursor, Place) {
    match convention.aggregates {
        Aggregates::Eightbytes => sysv64::start(convention, result),
        Aggregates::Vectorcall => vectorcall::start(convention, result),
        Aggregates::Refused | Aggregates::Fields => {
            let cursor = Cursor { stack: convention.home, ..Cursor::START };
            let place = match pieces(result, Pieces::NONE, 0) {
                Pieced::In(pieces) => pieces.in_registers(convention, Cursor::START, true).1,
                Pieced::OnStack | Pieced::Refused(_) => Place::Nothing,
            };
            (cursor, place)
        }
    }
}

/// The place of the next parameter, and the cursor behind it.
pub(super) const fn next(convention: &Convention, cursor: Cursor, ty: &Type) -> (Cursor, Place) {
    match convention.aggregates {
        Aggregates::Eightbytes => return sysv64::next(convention, cursor, ty),
        Aggregates::Vectorcall => return vectorcall::next(convention, cursor, ty),
        Aggregates::Refused | Aggregates::Fields => {}
    }
    if let Pieced::In(pieces) = pieces(ty, Pieces::NONE, 0)
        && pieces.fits(convention, cursor, false)
    {
        return pieces.in_registers(convention, cursor, false);
    }
    let align = if convention.slot as usize > ty.align { convention.slot as usize } else { ty.align };
    let (cursor, offset) = cursor.push(round_up(ty.size, convention.slot as usize), align);
    (cursor, Place::Stack(offset))
}

/// The scalars that a value consists of, each for one register.
#[derive(Clone, Copy)]
struct Pieces {
    pieces: [(Bank, u16, u16); 4],
    len: usize,
}

impl Pieces {
    const NONE: Self = Self { pieces: [(Bank::Ints, 0, 0); 4], len: 0 };

    const fn and(mut self, bank: Bank, offset: usize, size: usize) -> Self {
        self.pieces[self.len] = (bank, offset as u16, size as u16);
        self.len += 1;
        self
    }

    const fn count(&self, bank: Bank) -> u8 {
        let (mut count, mut i) = (0, 0);
        while i < self.len {
            count += (self.pieces[i].0 as u8 == bank as u8) as u8;
            i += 1;
        }
        count
    }

    /// Whether there are registers for all of them.
    const fn fits(&self, convention: &Convention, cursor: Cursor, is_result: bool) -> bool {
        let (ints, floats) = banks(convention, is_result);
        let (int, float) = (self.count(Bank::Ints), self.count(Bank::Floats));
        (int == 0 || cursor.integers as usize + int as usize <= ints.len())
            && (float == 0 || cursor.vectors as usize + float as usize <= floats.len())
    }

    /// The next registers, which are there.
    const fn in_registers(&self, convention: &Convention, mut cursor: Cursor, is_result: bool) -> (Cursor, Place) {
        let (ints, floats) = banks(convention, is_result);
        let (mut parts, mut i) = (Parts::NONE, 0);
        while i < self.len {
            let (bank, offset, size) = self.pieces[i];
            let register = match bank {
                Bank::Ints => ints[cursor.integers as usize],
                Bank::Floats => floats[cursor.vectors as usize],
            };
            parts = parts.and(register, offset as usize, size as usize);
            cursor = match bank {
                _ if convention.by_position && !is_result => cursor.and(1, 1),
                Bank::Ints => cursor.and(1, 0),
                Bank::Floats => cursor.and(0, 1),
            };
            i += 1;
        }
        (cursor, if self.len == 0 { Place::Nothing } else { Place::Registers(parts) })
    }
}

const fn banks(convention: &Convention, is_result: bool) -> (&'static [Register], &'static [Register]) {
    if is_result { (convention.int_results, convention.float_results) } else { (convention.ints, convention.floats) }
}

/// What a value consists of.
enum Pieced {
    /// Of these.
    In(Pieces),
    /// Of what is on the stack.
    OnStack,
    /// Of what this is, for which there is no rule.
    Refused(&'static str),
}

/// The scalars of a value at `offset`, added to those before it.
///
/// "Go internal ABI specification", "Function call argument and result passing": "If T is a struct type, recursively
/// register-assign each field of V. If T is an array type of length 0, do nothing. If T is an array type of length 1,
/// recursively register-assign its one element. If T is an array type of length > 1, fail."
const fn pieces(ty: &Type, mut before: Pieces, offset: usize) -> Pieced {
    if let Some(bank) = scalar(ty) {
        if before.len == before.pieces.len() {
            return Pieced::Refused("a struct of more than four registers");
        }
        return Pieced::In(before.and(bank, offset, ty.size));
    }
    // So four registers have no more than 64 bytes of a value, with all padding.
    if ty.align > 8 {
        return Pieced::Refused("aligned to more than 8 bytes, as nothing is in Go");
    }
    match ty.passed_as().kind {
        Kind::Void => Pieced::In(before),
        Kind::Struct { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { offset: at, ty, .. } = &fields[i];
                match pieces(ty, before, offset + *at) {
                    Pieced::In(more) => before = more,
                    other => return other,
                }
                i += 1;
            }
            Pieced::In(before)
        }
        // "If T is a complex type, recursively register-assign its real and imaginary parts."
        Kind::Complex { element: element @ Type { kind: Kind::Float, .. } } => match pieces(element, before, offset) {
            Pieced::In(more) => pieces(element, more, offset + element.size),
            other => other,
        },
        Kind::Array { len: 0, .. } => Pieced::In(before),
        Kind::Array { element, len: 1 } => pieces(element, before, offset),
        Kind::Array { .. } => Pieced::OnStack,
        Kind::Union { .. } => Pieced::Refused("a union, which Go has not"),
        _ => Pieced::Refused("no scalar that Go has"),
    }
}

impl Pointer {
    /// The pointer of the position `position`, where registers carry the first of them.
    pub(super) const fn at(convention: &Convention, position: u8) -> Self {
        let position = position as usize;
        if position < convention.ints.len() {
            Self::Register(convention.ints[position])
        } else {
            Self::Stack(convention.home + 8 * (position - convention.ints.len()) as u32)
        }
    }
}
