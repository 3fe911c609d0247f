//! What a layout says of registers and words of the stack: the notes in an annotated dump.

use core::fmt;

use crate::abi::{Layout, Parameter, Part, Place, Pointer, Register};
use crate::types::{Kind, Type};

/// What the arguments of a layout make of one place.
pub(super) struct Notes<'a> {
    pub(super) layout: &'a Layout<'a>,
}

impl Notes<'_> {
    /// Writes the notes on a register with these bytes, each behind two spaces: `  #0 level: i32 = 42`.
    pub(super) fn register(&self, f: &mut fmt::Formatter<'_>, register: Register, bytes: &[u8]) -> fmt::Result {
        for (number, parameter) in self.layout.parameters().iter().enumerate() {
            match parameter.place {
                Place::Registers(parts) => {
                    for part in parts.as_slice().iter().filter(|part| part.register == register) {
                        write_name(f, number, parameter)?;
                        write_part(f, &parameter.ty, part, bytes)?;
                    }
                }
                Place::Reference(Pointer::Register(pointer)) if pointer == register => {
                    write_name(f, number, parameter)?;
                    f.write_str(", its address")?;
                }
                _ => {}
            }
        }
        let result = self.layout.result();
        match result.place {
            Place::Hidden { arrives: Pointer::Register(pointer), .. } if pointer == register => {
                write!(f, "  result: {}, its address", result.ty.name)
            }
            _ => Ok(()),
        }
    }

    /// Writes the notes on the word of the stack at `offset`, as [`Place::Stack`] has it.
    pub(super) fn stack(&self, f: &mut fmt::Formatter<'_>, offset: u32, bytes: &[u8]) -> fmt::Result {
        for (number, parameter) in self.layout.parameters().iter().enumerate() {
            match parameter.place {
                Place::Stack(at) if (at..at + parameter.ty.size as u32).contains(&offset) => {
                    let size = (parameter.ty.size as u32 - (offset - at)).min(8) as u16;
                    let part = Part { register: Register::RAX, offset: (offset - at) as u16, size };
                    write_name(f, number, parameter)?;
                    write_part(f, &parameter.ty, &part, bytes)?;
                }
                Place::Reference(Pointer::Stack(at)) if at == offset => {
                    write_name(f, number, parameter)?;
                    f.write_str(", its address")?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, number: usize, Parameter { name, ty, .. }: &Parameter) -> fmt::Result {
    write!(f, "  #{number} {name}: {}", ty.name)
}

/// Writes the value, if the part is the whole of it and a scalar, or which bytes it has.
fn write_part(f: &mut fmt::Formatter<'_>, ty: &Type, part: &Part, bytes: &[u8]) -> fmt::Result {
    if usize::from(part.size) == ty.size {
        write_value(f, ty, bytes)
    } else {
        write!(f, ", bytes {} to {}", part.offset, part.offset + part.size - 1)
    }
}

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
