//! Calling conventions as algorithms, where data does not say enough.

use core::ops::Range;

use super::{Abi, Parameter, Part, Parts, Place, Pointer, Register};
use crate::types::Type;

/// A calling convention of one's own: an algorithm that places the parameters and the result of a [`Signature`], for
/// [`SignatureBuilder::build_by`].
///
/// Conventions that are lists of registers are data: see [`Convention`](super::Convention). This is for the rest.
///
/// A function of such a convention changes no register but those of its result, and no flag; one that is called may change
/// all. The stack pointer is a multiple of 16 before the call.
///
/// What is placed is checked: each value has a place for all of its bytes, in registers that exist, of which none is given
/// out twice, or on the stack, where nothing overlaps.
///
/// # Safety
///
/// The places are those in which callers of the convention have the arguments, and find the result.
///
/// # Examples
///
/// A convention that gives out registers from either end, integers from rax up and pointers from r15 down:
///
/// ```
/// use cbframe::abi::{Parts, Place, Placement, Placing, Refusal, Register, Signature};
/// use cbframe::types::{Kind, Type};
/// use cbframe::{DynFrame, Value};
///
/// struct FromEitherEnd;
///
/// // SAFETY: the callers of this example are made by the same rules.
/// unsafe impl Placement for FromEitherEnd {
///     fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal> {
///         let (mut low, mut high) = ([0, 1, 2, 3].into_iter(), [15, 14, 13, 12].into_iter());
///         for index in 0..values.parameters().len() {
///             let ty = values.parameters()[index].ty;
///             let number = match ty.kind {
///                 Kind::Pointer { .. } => high.next(),
///                 Kind::Int { .. } => low.next(),
///                 _ => return Err(Refusal::of(index, "neither an integer nor a pointer")),
///             };
///             let number = number.ok_or(Refusal::of(index, "one more than there are registers"))?;
///             let register = Register::Integer(number);
///             values.put(index, Place::Registers(Parts::whole(register, ty.size)));
///         }
///         let size = values.result().ty.size;
///         values.put_result(Place::Registers(Parts::whole(Register::Integer(0), size)));
///         Ok(())
///     }
/// }
///
/// let signature =
///     Signature::custom().param(Type::I64).param(Type::POINTER).ret(Type::I64).build_by(&FromEitherEnd)?;
/// assert!(signature.to_string().contains("r15"));
///
/// let frame = DynFrame::new(&signature, |call| {
///     let at = call.arg::<*const i64>(1);
///     // SAFETY: the caller passes the address of a number.
///     call.ret(call.arg::<i64>(0) + unsafe { *at });
/// })?;
/// let number = 40_i64;
/// // SAFETY: this is the callback's signature, and the address is that of a number.
/// let sum = unsafe { signature.call(frame.as_ptr(), &[Value::I64(2), Value::from(&raw const number)])? };
/// assert!(matches!(sum, Value::I64(42)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Signature`]: super::Signature
/// [`SignatureBuilder::build_by`]: super::SignatureBuilder::build_by
pub unsafe trait Placement {
    /// Gives everything that has bytes a place.
    ///
    /// # Errors
    ///
    /// What it is for which the convention has none.
    fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal>;
}

/// For what a [`Placement`] has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) index: Option<usize>,
    pub(super) reason: &'static str,
}

impl Refusal {
    /// For the parameter `index`. The reason says what its type is, to stand behind "what is": "a struct, which goes by address".
    #[must_use]
    pub const fn of(index: usize, reason: &'static str) -> Self {
        Self { index: Some(index), reason }
    }

    /// For the result.
    #[must_use]
    pub const fn of_result(reason: &'static str) -> Self {
        Self { index: None, reason }
    }
}

/// What a [`Placement`] has to place. Everything is [`Place::Nothing`] at first.
#[derive(Debug)]
pub struct Placing<'a> {
    pub(super) parameters: &'a mut [Parameter],
    pub(super) result: &'a mut Parameter,
    pub(super) stack: u32,
    pub(super) pops: u32,
}

impl Placing<'_> {
    /// The parameters, with the places that they have been given.
    #[must_use]
    pub const fn parameters(&self) -> &[Parameter] {
        self.parameters
    }

    /// The result.
    #[must_use]
    pub const fn result(&self) -> &Parameter {
        self.result
    }

    /// Gives the parameter `index` a place. What is on the stack adds to what there is of it.
    ///
    /// # Panics
    ///
    /// If there is no such parameter.
    #[track_caller]
    pub fn put(&mut self, index: usize, place: Place) {
        self.parameters[index].place = place;
        self.reach(on_stack(&self.parameters[index]));
    }

    /// Gives the result a place: registers, or, for a result in memory, [`Place::Hidden`]. If the address of that is on the stack,
    /// it adds to what there is of it.
    pub fn put_result(&mut self, place: Place) {
        self.result.place = place;
        self.reach(on_stack(self.result));
    }

    /// Has as much on the stack.
    fn reach(&mut self, bytes: Range<usize>) {
        self.stack = self.stack.max(u32::try_from(bytes.end.next_multiple_of(8)).unwrap_or(u32::MAX));
    }

    /// Has so many bytes of arguments on the stack, if that is more than what the parameters take.
    pub fn stack(&mut self, bytes: u32) {
        self.stack = self.stack.max(bytes);
    }

    /// Has the return pop so many bytes of arguments.
    pub const fn pops(&mut self, bytes: u32) {
        self.pops = bytes;
    }

    /// What is wrong: with which parameter, or with the result or the whole if with none.
    pub(super) fn wrong(&self) -> Option<(Option<usize>, &'static str)> {
        if !self.pops.is_multiple_of(8) || self.pops > self.stack || self.pops > 0xfff8 {
            return Some((None, "the return pops what is no number of words on the stack, or more than 65528 bytes"));
        }
        let mut taken = Taken { integers: 0, vectors: 0 };
        if let Place::Hidden { arrives: Pointer::Register(register), .. } = self.result.place
            && !(matches!(register, Register::Integer(_)) && taken.take(register))
        {
            return Some((None, "the address of the result is in no register that carries one"));
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            if let Some(what) = self.wrong_with(index, parameter, &mut taken) {
                return Some((Some(index), what));
            }
        }
        let mut taken = Taken { integers: 0, vectors: 0 };
        let what = match self.result.place {
            Place::Nothing if self.result.ty.size == 0 => None,
            Place::Registers(parts) => taken.wrong(&self.result.ty, &parts),
            Place::Hidden { leaves: Some(register), .. }
                if !(matches!(register, Register::Integer(_)) && taken.take(register)) =>
            {
                Some("the address of the result leaves in no register that carries one")
            }
            Place::Hidden { .. } => None,
            _ => Some("the result is neither in registers nor in memory whose address is passed"),
        };
        what.map(|what| (None, what))
    }

    fn wrong_with(&self, index: usize, parameter: &Parameter, taken: &mut Taken) -> Option<&'static str> {
        match parameter.place {
            Place::Nothing if parameter.ty.size == 0 => return None,
            Place::Nothing => return Some("the value has no place"),
            Place::Registers(parts) => return taken.wrong(&parameter.ty, &parts),
            Place::Reference(Pointer::Register(register @ Register::Integer(_))) if taken.take(register) => {
                return None;
            }
            Place::Reference(Pointer::Register(_)) => return Some("its address is in no register that is free"),
            Place::Stack(_) | Place::Reference(Pointer::Stack(_)) => {}
            Place::Hidden { .. } | Place::Split(..) => return Some("no parameter has such a place"),
        }
        let bytes = on_stack(parameter);
        let before = self.parameters[..index].iter().chain([&*self.result]).map(on_stack);
        let overlaps = before.into_iter().any(|other| other.start < bytes.end && bytes.start < other.end);
        overlaps.then_some("it overlaps another one on the stack, or the address of the result")
    }
}

/// The bytes of the stack that a parameter, its address, or that of a result has.
const fn on_stack(parameter: &Parameter) -> Range<usize> {
    let (start, size) = match parameter.place {
        Place::Stack(offset) => (offset as usize, parameter.ty.size),
        Place::Reference(Pointer::Stack(offset)) | Place::Hidden { arrives: Pointer::Stack(offset), .. } => {
            (offset as usize, 8)
        }
        _ => (0, 0),
    };
    start..start + size
}

/// Registers that carry something already.
struct Taken {
    integers: u32,
    vectors: u32,
}

impl Taken {
    /// Takes a register; whether it can carry something, and was free.
    fn take(&mut self, register: Register) -> bool {
        let (taken, number) = match register {
            _ if !Abi::Custom.architecture().carries(register) => return false,
            Register::Integer(number) => (&mut self.integers, number),
            Register::Vector(number) => (&mut self.vectors, number),
            Register::X87(_) => return false,
        };
        let free = *taken >> number & 1 == 0;
        *taken |= 1 << number;
        free
    }

    /// What is wrong with these registers for a value.
    fn wrong(&mut self, ty: &Type, parts: &Parts) -> Option<&'static str> {
        let mut end = 0;
        for &Part { register, offset, size } in parts.as_slice() {
            if offset != end || size == 0 {
                return Some("its pieces leave bytes out, or overlap");
            }
            end += size;
            let fits = match register {
                Register::Integer(_) => size <= 8,
                Register::Vector(_) => size <= 16,
                Register::X87(_) => false,
            };
            if !fits {
                return Some("a piece is in no register of its size");
            }
            if !self.take(register) {
                return Some("a piece is in a register that carries something else");
            }
        }
        (usize::from(end) != ty.size).then_some("its pieces are not all of it")
    }
}
