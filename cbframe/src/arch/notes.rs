//! What a layout says of registers and words of the stack: the notes in an annotated dump.

use core::fmt;

use super::moves::WORD;
use crate::abi::{Layout, Parameter, Part, Place, Pointer, Register};
use crate::types::{Kind, Type};

/// What the arguments of a layout make of one place.
pub(in crate::arch) struct Notes<'a> {
    pub(in crate::arch) layout: &'a Layout<'a>,
}

/// What one place holds of an argument.
pub(in crate::arch) struct Note<'a> {
    /// Which parameter; `None` for the result.
    number: Option<usize>,
    parameter: &'a Parameter,
    /// Which part of it; `None` for its address.
    part: Option<Part>,
}

impl Notes<'_> {
    /// The notes on a register.
    pub(in crate::arch) fn on_register(&self, register: Register) -> impl Iterator<Item = Note<'_>> {
        let arguments = self.find(move |parameter| match parameter.place {
            Place::Registers(parts) => {
                parts.as_slice().iter().find(|part| part.register == register).map(|part| Some(*part))
            }
            Place::Reference(Pointer::Register(pointer)) => (pointer == register).then_some(None),
            _ => None,
        });
        let result = self.layout.result();
        let hidden =
            matches!(result.place, Place::Hidden { arrives: Pointer::Register(arrives), .. } if arrives == register);
        arguments.chain(hidden.then_some(Note { number: None, parameter: result, part: None }))
    }

    /// The notes on the word of the stack at `offset`, as [`Place::Stack`] has it.
    pub(in crate::arch) fn on_stack(&self, offset: u32) -> impl Iterator<Item = Note<'_>> {
        self.find(move |parameter| match parameter.place {
            Place::Stack(at) if (at..at + parameter.ty.size as u32).contains(&offset) => {
                let size = (parameter.ty.size as u32 - (offset - at)).min(WORD.into()) as u16;
                Some(Some(Part { register: Register::RAX, offset: (offset - at) as u16, size }))
            }
            Place::Reference(Pointer::Stack(at)) => (at == offset).then_some(None),
            _ => None,
        })
    }

    /// Notes on parameters, with the part that `part_of` finds, if it finds any.
    fn find(&self, part_of: impl Fn(&Parameter) -> Option<Option<Part>>) -> impl Iterator<Item = Note<'_>> {
        let parameters = self.layout.parameters().iter().enumerate();
        parameters.filter_map(move |(number, parameter)| {
            Some(Note { number: Some(number), parameter, part: part_of(parameter)? })
        })
    }
}

impl Note<'_> {
    /// Writes the note on a place with these bytes, behind two spaces: `  #0 level: i32 = 42`.
    pub(in crate::arch) fn write(&self, f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
        let Parameter { name, ty, .. } = self.parameter;
        match self.number {
            Some(number) => write!(f, "  #{number} {name}: {}", ty.name)?,
            None => write!(f, "  result: {}", ty.name)?,
        }
        match self.part {
            None => f.write_str(", its address"),
            Some(part) if usize::from(part.size) == ty.size => write_value(f, ty, bytes),
            Some(part) => write!(f, ", bytes {} to {}", part.offset, part.offset + part.size - 1),
        }
    }
}

/// Writes the value of a scalar.
fn write_value(f: &mut fmt::Formatter<'_>, ty: &Type, bytes: &[u8]) -> fmt::Result {
    let mut raw = [0; 8];
    let Some(found) = bytes.get(..ty.size).filter(|found| found.len() <= raw.len()) else { return Ok(()) };
    raw[..found.len()].copy_from_slice(found);
    let raw = u64::from_le_bytes(raw);
    let unused = 64 - 8 * ty.size as u32;
    match ty.passed_as().kind {
        Kind::Bool if raw <= 1 => write!(f, " = {}", raw == 1),
        Kind::Int { signed: true } | Kind::Enum { signed: true, .. } => {
            write!(f, " = {}", (raw << unused) as i64 >> unused)
        }
        Kind::Bool | Kind::Int { .. } | Kind::Enum { .. } => write!(f, " = {raw}"),
        Kind::Float if ty.size == 8 => write!(f, " = {:?}", f64::from_bits(raw)),
        Kind::Float if ty.size == 4 => write!(f, " = {:?}", f32::from_bits(raw as u32)),
        Kind::Pointer { .. } => write!(f, " = {raw:#x}"),
        _ => Ok(()),
    }
}
