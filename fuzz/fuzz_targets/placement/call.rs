//! A real call: libffi calls a callback with the values, which looks for each at the place that the layout gives it,
//! and leaves the result at its place.

use std::arch::asm;
use std::ffi::c_void;
use std::sync::Mutex;

use cbframe::abi::{Architecture, Layout, Parameter, Place, Pointer, Register};
use cbframe::types::Type;
use cbframe::{CpuState, F80, cbframe};
use libffi_sys::ffi_call;

use crate::libffi::{self, Argument};
use crate::shape;
use crate::signature::{Random, Signature};

/// Has libffi make the call, if it can.
#[inline(never)]
pub(crate) fn check(signature: &Signature, layout: &Layout<'_>, random: &mut Random, wrong: &mut Vec<String>) {
    if libffi::exclusion(signature).is_some() {
        return;
    }
    let mut prepared = libffi::Call::new(signature);
    prepared.check_sizes(wrong);
    if prepared.cif.bytes as usize != layout.stack_size() {
        wrong.push(format!("libffi pushes {} bytes, the layout has {}", prepared.cif.bytes, layout.stack_size()));
        return;
    }

    let arguments: Vec<Buffer> =
        signature.parameters.iter().map(|(_, ty)| Buffer::new(&random.bytes(ty.size))).collect();
    let result = random.bytes(signature.result.size);
    let mut space = Buffer::new(&vec![0xee; result.len()]);
    let end_of_stack;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) end_of_stack, options(nomem, nostack, preserves_flags)) };
    let call = Call {
        layout,
        arguments: &arguments,
        result: &result,
        space: space.address(),
        end_of_stack,
        seen: Mutex::default(),
    };

    let filler = Buffer::new(&[0xdd; 16]);
    let addresses: Vec<*mut c_void> = arguments.iter().map(Buffer::as_ptr).collect();
    let mut values: Vec<*mut c_void> = prepared
        .arguments
        .iter()
        .map(|argument| match *argument {
            Argument::Parameter(index) => addresses[index],
            Argument::Address(index) => (&raw const addresses[index]).cast_mut().cast(),
            Argument::Filler => filler.as_ptr(),
        })
        .collect();
    let frame = spy::bind(&call).expect("a slot: each is freed at once");
    let function = Some(frame.as_fn());
    // SAFETY: prepared; as many values as there are arguments, each readable for its size and what libffi copies with
    // it, and as much space for the result. `spy` fits any signature of either ABI: it pops nothing, and restores what
    // both preserve. A result at a wrong place is in registers that a C function may change.
    unsafe { ffi_call(&mut *prepared.cif, function, space.as_mut_ptr(), values.as_mut_ptr()) };

    let mut seen = call.seen.lock().expect("no panic in `spy`");
    wrong.append(&mut seen.wrong);
    if seen.calls != 1 {
        wrong.push(format!("the callback was called {} times", seen.calls));
    }
    compare("the result that libffi hands back", &signature.result, space.bytes(result.len()), &result, wrong);
}

/// Memory for a value, aligned for each, with room behind it: libffi copies whole words.
struct Buffer(Vec<Line>);

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u8; 64]);

impl Buffer {
    fn new(bytes: &[u8]) -> Self {
        let mut lines = vec![Line([0; 64]); bytes.len() / 64 + 2];
        for (line, bytes) in lines.iter_mut().zip(bytes.chunks(64)) {
            line.0[..bytes.len()].copy_from_slice(bytes);
        }
        Self(lines)
    }

    fn as_ptr(&self) -> *mut c_void {
        self.0.as_ptr().cast_mut().cast()
    }

    fn as_mut_ptr(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }

    fn address(&self) -> usize {
        self.as_ptr().expose_provenance()
    }

    fn bytes(&self, count: usize) -> &[u8] {
        assert!(count <= 64 * self.0.len());
        // SAFETY: a `Line` is 64 bytes without padding.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), count) }
    }
}

/// A call that is under way.
struct Call<'a> {
    layout: &'a Layout<'a>,
    /// What libffi was given.
    arguments: &'a [Buffer],
    /// What it has to hand back.
    result: &'a [u8],
    /// Where it has the callback leave a result in memory.
    space: usize,
    /// The end of libffi's frames.
    end_of_stack: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: usize,
    wrong: Vec<String>,
}

#[cbframe(abi = "raw", save(gpr, flags, sse, x87))]
fn spy(#[state] call: &Call<'_>, cpu: &mut CpuState) {
    let mut seen = call.seen.lock().expect("no panic before");
    seen.calls += 1;
    for (i, Parameter { name, ty, place, .. }) in call.layout.parameters().iter().enumerate() {
        let name = format!("#{i} `{name}`");
        match call.find(cpu, i, place, ty) {
            Ok(found) => compare(&name, ty, &found, call.arguments[i].bytes(ty.size), &mut seen.wrong),
            Err(reason) => seen.wrong.push(format!("{name}: {reason}")),
        }
    }
    if let Err(reason) = call.give(cpu) {
        seen.wrong.push(format!("the result: {reason}"));
    }
}

impl Call<'_> {
    /// The bytes of the argument `index`, which is at `place`.
    fn find(&self, cpu: &CpuState, index: usize, place: &Place, ty: &Type) -> Result<Vec<u8>, String> {
        match *place {
            Place::Nothing => Ok(Vec::new()),
            Place::Registers(parts) => {
                let mut value = vec![0; ty.size];
                for part in parts.as_slice() {
                    let (offset, size) = (usize::from(part.offset), usize::from(part.size));
                    value[offset..][..size].copy_from_slice(&register(cpu, part.register)[..size]);
                }
                Ok(value)
            }
            Place::Stack(offset) => self.pushed(cpu, offset, ty.size),
            Place::Reference(pointer) => {
                let word = match pointer {
                    Pointer::Register(found) => register(cpu, found)[..8].to_vec(),
                    Pointer::Stack(offset) => self.pushed(cpu, offset, 8)?,
                };
                let address = usize::from_le_bytes(word.try_into().expect("8 bytes"));
                let is_original = address == self.arguments[index].address();
                let is_copy = address > cpu.rsp as usize && address + ty.size <= self.end_of_stack;
                if !is_original && !is_copy {
                    return Err(format!("{address:#x} is not the argument's address"));
                }
                // SAFETY: the argument, or a copy in libffi's frame.
                Ok(unsafe { read(address, ty.size) })
            }
            place => Err(format!("no argument is at {}", place.on(Architecture::X86_64))),
        }
    }

    /// Bytes among those that libffi pushed.
    fn pushed(&self, cpu: &CpuState, offset: u32, size: usize) -> Result<Vec<u8>, String> {
        let offset = offset as usize;
        if offset + size > self.layout.stack_size() {
            return Err(format!("nothing was pushed at {offset}"));
        }
        // SAFETY: above the return address there are as many bytes as the layout has, which `check` compared with
        // libffi's count.
        Ok(unsafe { read(cpu.rsp as usize + 8 + offset, size) })
    }

    /// Leaves the result at its place, and noise in what else could hold one.
    fn give(&self, cpu: &mut CpuState) -> Result<(), String> {
        let hidden = match self.layout.result().place {
            Place::Hidden { arrives: Pointer::Register(arrives), .. } => {
                usize::from_le_bytes(register(cpu, arrives)[..8].try_into().expect("8 bytes"))
            }
            _ => 0,
        };
        (cpu.rax, cpu.rdx) = (!0, !0);
        for i in 0..2 {
            cpu.xmm_mut(i).expect("saved").bytes = [0xff; 16];
        }
        match self.layout.result().place {
            Place::Nothing => Ok(()),
            Place::Registers(parts) => {
                for part in parts.as_slice() {
                    let (offset, size) = (usize::from(part.offset), usize::from(part.size));
                    set(cpu, part.register, &self.result[offset..][..size])?;
                }
                Ok(())
            }
            Place::Hidden { leaves: Some(leaves), .. } if hidden == self.space => {
                let to = std::ptr::with_exposed_provenance_mut::<u8>(hidden);
                // SAFETY: the space for the result.
                unsafe { to.copy_from_nonoverlapping(self.result.as_ptr(), self.result.len()) };
                set(cpu, leaves, &hidden.to_le_bytes())
            }
            Place::Hidden { .. } => Err(format!("{hidden:#x} is not the address of its space")),
            place => Err(format!("no result is at {}", place.on(Architecture::X86_64))),
        }
    }
}

/// # Safety
///
/// There are `size` readable bytes at `address`.
unsafe fn read(address: usize, size: usize) -> Vec<u8> {
    let from = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: the caller's promise.
    (0..size).map(|i| unsafe { from.add(i).read_volatile() }).collect()
}

fn register(cpu: &CpuState, register: Register) -> [u8; 16] {
    let word = match register {
        Register::Integer(0) => cpu.rax,
        Register::Integer(1) => cpu.rcx,
        Register::Integer(2) => cpu.rdx,
        Register::Integer(6) => cpu.rsi,
        Register::Integer(7) => cpu.rdi,
        Register::Integer(8) => cpu.r8,
        Register::Integer(9) => cpu.r9,
        Register::Vector(n) => return cpu.xmm(usize::from(n)).expect("saved").bytes,
        register => unreachable!("`invariants` refuses {register:?}"),
    };
    u128::from(word).to_le_bytes()
}

/// Puts `bytes` into the low bytes of a register, and noise above them.
fn set(cpu: &mut CpuState, register: Register, bytes: &[u8]) -> Result<(), String> {
    let mut whole = [0xff; 16];
    whole[..bytes.len()].copy_from_slice(bytes);
    let word = u128::from_le_bytes(whole) as u64;
    match register {
        Register::Integer(0) => cpu.rax = word,
        Register::Integer(2) => cpu.rdx = word,
        Register::Vector(n @ 0..2) => cpu.xmm_mut(usize::from(n)).expect("saved").bytes = whole,
        Register::X87(n) => {
            let x87 = cpu.x87_mut().expect("saved");
            if n == 0 {
                // The stack is empty at a call and grows downwards.
                x87.status = x87.status & !(7 << 11) | 7 << 11;
            } else {
                // st(0) becomes st(1).
                let first = x87.st(0).ok_or("st(1) without st(0)")?;
                x87.status = x87.status & !(7 << 11) | 6 << 11;
                x87.set_st(0, first);
            }
            x87.set_st(usize::from(n), F80 { bytes: bytes.try_into().expect("10 bytes") });
        }
        register => return Err(format!("no result is in {register:?}")),
    }
    Ok(())
}

/// Compares the bytes that are not padding.
fn compare(name: &str, ty: &Type, found: &[u8], expected: &[u8], wrong: &mut Vec<String>) {
    let values = shape::value_bytes(ty);
    if (0..ty.size).any(|i| values[i] && found[i] != expected[i]) {
        wrong.push(format!("{name}: found {found:02x?}, expected {expected:02x?}"));
    }
}
