//! What holds for every layout, whatever its types.

use cbframe::abi::{Abi, Architecture, Layout, Parameter, Part, Place, Pointer, Register};

use crate::shape;
use crate::signature::Signature;

/// Checks one layout by itself.
pub(crate) fn check(signature: &Signature, layout: &Layout<'_>, wrong: &mut Vec<String>) {
    let mut taken = Taken { abi: signature.abi, registers: Vec::new(), stack: Vec::new() };
    let mut ensure = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };

    let result = layout.result();
    ensure(result.ty == signature.result, "the result has another type".into());
    ensure(layout.parameters().len() == signature.parameters.len(), "the count of parameters".into());
    match result.place {
        Place::Nothing => ensure(result.ty.size == 0, "a result with bytes is nowhere".into()),
        Place::Registers(parts) => covers(result, parts.as_slice(), signature.abi, &mut ensure),
        Place::Hidden { arrives, leaves } => {
            match arrives {
                Pointer::Register(register) => taken.registers.push(register),
                Pointer::Stack(_) => ensure(false, "the hidden address is on the stack".into()),
            }
            ensure(leaves == Some(Register::Integer(0)), format!("the hidden address leaves in {leaves:?}"));
        }
        place => ensure(false, format!("a result at {}", place.on(Architecture::X86_64))),
    }
    for (parameter, (name, ty)) in layout.parameters().iter().zip(signature.parameters) {
        ensure((parameter.name, parameter.ty) == (*name, *ty), format!("`{name}` is another parameter"));
        match parameter.place {
            Place::Nothing => ensure(ty.size == 0, format!("`{name}` has bytes, but is nowhere")),
            Place::Registers(parts) => {
                covers(parameter, parts.as_slice(), signature.abi, &mut ensure);
                taken.registers.extend(parts.as_slice().iter().map(|part| part.register));
            }
            Place::Stack(offset) => taken.stack.push((offset as usize, ty.size, ty.align)),
            Place::Reference(Pointer::Register(register)) => taken.registers.push(register),
            Place::Reference(Pointer::Stack(offset)) => taken.stack.push((offset as usize, 8, 8)),
            place => ensure(false, format!("an argument at {}", place.on(Architecture::X86_64))),
        }
    }
    taken.check(layout.stack_size(), &mut ensure);
    ensure(layout.fits(layout), "the layout does not fit itself".into());
}

/// Checks that the first parameters of a signature lie where they lie without the others.
pub(crate) fn begins_like(part: &Layout<'_>, whole: &Layout<'_>, wrong: &mut Vec<String>) {
    let places = |parameters: &[Parameter]| parameters.iter().map(|parameter| parameter.place).collect::<Vec<_>>();
    let (few, all) = (places(part.parameters()), places(whole.parameters()));
    if part.result().place != whole.result().place || few != all[..few.len()] {
        wrong.push(format!("later parameters move earlier ones:\n{part}"));
    }
}

/// Every byte that is not padding is in exactly one piece, and each piece fits its register.
fn covers(parameter: &Parameter, parts: &[Part], abi: Abi, ensure: &mut impl FnMut(bool, String)) {
    let (name, ty) = (parameter.name, &parameter.ty);
    let mut covered = vec![0u8; ty.size];
    let mut end = 0;
    for Part { register, offset, size } in parts {
        let (start, size) = (usize::from(*offset), usize::from(*size));
        let fits = match register {
            Register::Integer(_) => size <= 8,
            // A vector register holds one eightbyte, or a vector.
            Register::Vector(_) => size <= 8 || [16, 32, 64].contains(&size),
            Register::X87(_) => size == 10,
            _ => false,
        };
        ensure(size > 0 && fits, format!("`{name}`: {size} bytes in {}", register.on(Architecture::X86_64)));
        ensure(start.is_multiple_of(8), format!("`{name}`: a piece begins within an eightbyte, at {start}"));
        ensure(start >= end, format!("`{name}`: the pieces are not in their order"));
        ensure(start + size <= ty.size, format!("`{name}`: {} has bytes behind the end", register.on(Architecture::X86_64)));
        covered.iter_mut().skip(start).take(size).for_each(|count| *count += 1);
        end = start + size;
    }
    ensure(!parts.is_empty(), format!("`{name}`: no registers"));
    ensure(abi != Abi::Win64 || parts.len() == 1, format!("`{name}`: Windows splits no value"));
    let values = shape::value_bytes(ty);
    let lost = (0..ty.size).find(|&i| if values[i] { covered[i] != 1 } else { covered[i] > 1 });
    ensure(lost.is_none(), format!("`{name}`: the byte {lost:?} is in no register, or in two"));
}

/// What the hidden pointer and the parameters take.
struct Taken {
    abi: Abi,
    registers: Vec<Register>,
    /// Offset, size, alignment.
    stack: Vec<(usize, usize, usize)>,
}

impl Taken {
    fn check(&self, stack_size: usize, ensure: &mut impl FnMut(bool, String)) {
        for (i, register) in self.registers.iter().enumerate() {
            let carries = match (self.abi, register) {
                // rdi, rsi, rdx, rcx, r8, r9.
                (Abi::SysV64, Register::Integer(n)) => [7, 6, 2, 1, 8, 9].contains(n),
                (Abi::SysV64, Register::Vector(n)) => *n < 8,
                (Abi::Win64, Register::Integer(n)) => [1, 2, 8, 9].contains(n),
                (Abi::Win64, Register::Vector(n)) => *n < 4,
                _ => false,
            };
            ensure(carries, format!("{} carries no arguments", register.on(Architecture::X86_64)));
            ensure(!self.registers[..i].contains(register), format!("two parameters are in {}", register.on(Architecture::X86_64)));
        }
        let mut end = if self.abi == Abi::Win64 { 32 } else { 0 };
        // Parameters are in their order on the stack.
        for &(offset, size, align) in &self.stack {
            ensure(offset >= end, format!("two parameters are at {offset} on the stack"));
            ensure(offset.is_multiple_of(align.max(8)), format!("{offset} on the stack is not aligned to {align}"));
            end = offset + size.next_multiple_of(8);
        }
        ensure(stack_size == end, format!("{stack_size} bytes of stack, but {end} are used"));
    }
}
