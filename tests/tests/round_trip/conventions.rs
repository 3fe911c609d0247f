//! Conventions of this test's own: one as data, and one as an algorithm.

use cbframe::abi::{Part, Parts, Place, Placement, Placing, Pointer, Refusal, Register};
use cbframe::convention;

use super::random;

convention! {
    /// The return pops, arguments are in registers that are preserved, and r11 is one of them.
    pub(crate) struct Pops {
        ints: [rbp, r11, rax, rdx],
        floats: [xmm12, xmm3, xmm0],
        results: [rbx, rdx, xmm9, xmm1],
        hidden: rbp -> rbx,
        aggregates: Eightbytes,
        preserves: [rax, rcx, rdi, r11, flags, xmm0, xmm12],
        callee_pops: true,
    }

    /// The same for callers that do not align the stack.
    pub(crate) struct PopsUnaligned {
        ints: [rcx],
        floats: [xmm1],
        results: [rdx, xmm2],
        preserves: [rax, rcx, xmm1],
        callee_pops: true,
        stack_align: 8,
    }
}

/// A convention that draws lots, always the same with the same seed: in up to four registers, on the stack, with gaps and
/// unaligned, or by reference.
pub(crate) struct Lots(pub(crate) u64);

/// What has not been given out.
struct Free {
    state: u64,
    integers: Vec<u8>,
    vectors: Vec<u8>,
    stack: u32,
}

impl Free {
    fn below(&mut self, n: usize) -> usize {
        (random(&mut self.state) % n as u64) as usize
    }

    fn take(&mut self, vector: bool) -> Option<Register> {
        let len = if vector { self.vectors.len() } else { self.integers.len() };
        let at = self.below(len.max(1));
        let list = if vector { &mut self.vectors } else { &mut self.integers };
        let number = (at < len).then(|| list.swap_remove(at))?;
        Some(if vector { Register::Vector(number) } else { Register::Integer(number) })
    }

    /// Up to four pieces of any sizes.
    fn registers(&mut self, size: usize) -> Option<Place> {
        let (mut parts, mut offset) = (Vec::new(), 0);
        while offset < size {
            let vector = self.below(2) == 0;
            let most = if vector { 16 } else { 8 };
            let piece = if self.below(3) == 0 { 1 + self.below(most) } else { most }.min(size - offset);
            let register = self.take(vector)?;
            parts.push(Part { register, offset: offset as u16, size: piece as u16 });
            offset += piece;
        }
        Parts::new(&parts).map(Place::Registers)
    }

    fn stack(&mut self, size: usize) -> u32 {
        let gap = if self.below(3) == 0 { self.below(20) as u32 } else { 0 };
        let at = self.stack + gap;
        self.stack = at + size as u32;
        at
    }

    fn pointer(&mut self) -> Pointer {
        match self.take(false) {
            Some(register) if self.below(3) > 0 => Pointer::Register(register),
            _ => Pointer::Stack(self.stack(8)),
        }
    }
}

// SAFETY: nobody calls but `Signature::call`, which goes by the same places.
unsafe impl Placement for Lots {
    fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal> {
        let start = |state| Free {
            state,
            integers: (0..16).filter(|n| *n != 4).collect(),
            vectors: (0..16).collect(),
            stack: 0,
        };
        let mut free = start(self.0);
        let size = values.result().ty.size;
        if size > 0 {
            let in_registers = free.below(4) > 0;
            // Registers of a result may be those of arguments.
            let mut left = start(!self.0);
            let place = left.registers(size).filter(|_| in_registers).unwrap_or_else(|| Place::Hidden {
                arrives: free.pointer(),
                leaves: (free.below(2) == 0).then(|| left.take(false).unwrap_or(Register::Integer(0))),
            });
            values.put_result(place);
        }
        for index in 0..values.parameters().len() {
            let size = values.parameters()[index].ty.size;
            let place = match free.below(6) {
                _ if size == 0 => Place::Nothing,
                0 => Place::Reference(free.pointer()),
                1 => Place::Stack(free.stack(size)),
                _ => free.registers(size).unwrap_or_else(|| Place::Stack(free.stack(size))),
            };
            values.put(index, place);
        }
        // As much as there is, or more, which nobody looks at.
        values.stack(if free.below(4) == 0 { free.stack.next_multiple_of(8) + 16 } else { 0 });
        if free.below(2) == 0 {
            values.pops(8 * free.below(1 + free.stack as usize / 8) as u32);
        }
        Ok(())
    }
}
