//! The spy that compiled callers call: it looks where arguments are, and leaves a result.

use std::cell::RefCell;
use std::mem::offset_of;
use std::{array, hint, ptr};

use cbframe::abi::{Layout, Place, Pointer, Register};
use cbframe::types::Type;

use crate::graffiti::{RESULT, compare, graffiti};
use crate::signatures::{MAX_PARAMETERS, MAX_SIZE};
use crate::x86_64::Vectors;

/// Calls the first argument with the bytes of the arguments, [`MAX_SIZE`] for each, and stores the result.
pub(crate) type Caller = unsafe extern "C" fn(unsafe extern "C" fn(), *const u8, *mut u8);

/// How far above its stack arguments the caller's frames are looked at, in bytes.
const WINDOW: usize = 16 * 1024;

/// The registers at entry, and then those that the spy returns with.
#[repr(C)]
struct Cpu {
    /// By number: rax, rcx, rdx, a hole, the address of the stack arguments, holes, rsi, rdi, r8, r9.
    integer: [u64; 10],
    /// The low bytes as far as the spy knows the registers.
    vector: [[u8; 64]; 16],
    /// st(0) and st(1) of a result.
    x87: [[u8; 16]; 2],
    /// How many of these there are.
    x87_count: u64,
}

/// Where [`Cpu::integer`] has the address of the stack arguments: the number of rsp.
const STACK: usize = 4;

// The return address and the frame together are a multiple of 16 bytes.
const _: () = assert!(size_of::<Cpu>() % 16 == 8);

macro_rules! spy {
    ($name:ident, $move:literal, $register:literal) => {
        /// Fits every signature: hands all registers to [`observe`], and then has them as `observe` leaves them.
        /// Those that only Windows preserves are among them.
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            std::arch::naked_asm!(
                "endbr64",
                "sub rsp, {size}",
                "mov [rsp], rax",
                "mov [rsp + 8], rcx",
                "mov [rsp + 16], rdx",
                "lea rax, [rsp + {size} + 8]", // behind the return address
                "mov [rsp + 32], rax",
                "mov [rsp + 48], rsi",
                "mov [rsp + 56], rdi",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                concat!($move, " [rsp + {vector} + 64 * \\n], ", $register, "\\n"),
                ".endr",
                "mov rdi, rsp",
                "call {observe}",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                concat!($move, " ", $register, "\\n, [rsp + {vector} + 64 * \\n]"),
                ".endr",
                "cmp qword ptr [rsp + {x87_count}], 1",
                "jb 3f",
                "je 2f",
                "fld tbyte ptr [rsp + {x87} + 16]",
                "2: fld tbyte ptr [rsp + {x87}]",
                "3: mov rax, [rsp]",
                "mov rdx, [rsp + 16]",
                "mov rsi, [rsp + 48]",
                "mov rdi, [rsp + 56]",
                "add rsp, {size}",
                "ret",
                size = const size_of::<Cpu>(),
                vector = const offset_of!(Cpu, vector),
                x87 = const offset_of!(Cpu, x87),
                x87_count = const offset_of!(Cpu, x87_count),
                observe = sym observe,
            )
        }
    };
}

spy!(spy_xmm, "movups", "xmm");
spy!(spy_ymm, "vmovups", "ymm");
spy!(spy_zmm, "vmovups", "zmm");

thread_local! {
    /// The call that is under way.
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

struct Call {
    layout: Layout<'static>,
    /// What is not as it should be.
    wrong: Vec<String>,
}

/// Calls a spy that knows the registers `vectors` with arguments that `layout` describes; what was wrong with them or
/// with the result.
#[inline(never)]
pub(crate) fn call(layout: &Layout<'static>, caller: Caller, vectors: Vectors) -> Vec<String> {
    // Between this frame and the caller's: `Cpu::read` stays within it.
    let window = hint::black_box([0u8; WINDOW]);
    let mut arguments = [0u8; MAX_SIZE * MAX_PARAMETERS];
    for (i, parameter) in layout.parameters().iter().enumerate() {
        let value = graffiti(i, &parameter.ty);
        arguments[i * MAX_SIZE..][..value.len()].copy_from_slice(&value);
    }
    let mut result = [0u8; MAX_SIZE];
    let spy = match vectors {
        Vectors::Xmm => spy_xmm,
        Vectors::Ymm => spy_ymm,
        Vectors::Zmm => spy_zmm,
    };

    CALL.set(Some(Call { layout: *layout, wrong: Vec::new() }));
    // SAFETY: the buffers have `MAX_SIZE` bytes for each value, none of which is larger; the spy is called with
    // the ABI that it expects, any, and preserves what either ABI preserves. A wrong result can only be stored.
    unsafe { caller(spy, arguments.as_ptr(), result.as_mut_ptr()) };
    hint::black_box(&window);
    let mut wrong = CALL.take().expect("set above").wrong;

    if !empty_x87() {
        wrong.push("the result: a register of the x87 stack is left over".into());
    }
    let ty = &layout.result().ty;
    compare("the result", ty, &result[..ty.size], &graffiti(RESULT, ty), &mut wrong);
    wrong
}

/// Empties the x87 stack; whether it was empty.
fn empty_x87() -> bool {
    let mut environment = [0u16; 14];
    // SAFETY: `fnstenv` writes 28 bytes; `fninit` leaves the x87 unit as Rust code expects it.
    unsafe { std::arch::asm!("fnstenv [{}]", "fninit", in(reg) &raw mut environment, options(nostack)) };
    // The tag word: two bits for each register, both set in an empty one.
    environment[4] == 0xffff
}

/// What the spy calls.
extern "sysv64" fn observe(cpu: &mut Cpu) {
    CALL.with_borrow_mut(|call| {
        let Some(Call { layout, wrong }) = call else { return };
        for (i, parameter) in layout.parameters().iter().enumerate() {
            let (name, ty) = (format!("#{i}"), &parameter.ty);
            match cpu.read(&parameter.place, ty) {
                Some(found) => compare(&name, ty, &found, &graffiti(i, ty), wrong),
                None => wrong.push(format!("{name}: no aligned address of the caller's stack is there")),
            }
        }
        let result = layout.result();
        cpu.write(&result.place, &graffiti(RESULT, &result.ty), wrong);
    });
}

impl Cpu {
    /// The bytes at a place, or `None` if an address there is not aligned or none of the caller's stack.
    fn read(&self, place: &Place, ty: &Type) -> Option<Vec<u8>> {
        let address = match *place {
            Place::Nothing => return Some(Vec::new()),
            Place::Registers(parts) => {
                let mut value = vec![0; ty.size];
                for part in parts.as_slice() {
                    let (offset, size) = (usize::from(part.offset), usize::from(part.size));
                    match part.register {
                        Register::Integer(n) => {
                            value[offset..][..size]
                                .copy_from_slice(&self.integer[usize::from(n)].to_le_bytes()[..size]);
                        }
                        Register::Vector(n) => {
                            value[offset..][..size].copy_from_slice(&self.vector[usize::from(n)][..size]);
                        }
                        other => panic!("{other:?} has no arguments"),
                    }
                }
                return Some(value);
            }
            Place::Stack(offset) => {
                let address = self.integer[STACK] + u64::from(offset);
                return address.is_multiple_of(ty.align as u64).then(|| self.memory(address, ty.size))?;
            }
            Place::Reference(Pointer::Register(register)) => self.address(register),
            Place::Reference(Pointer::Stack(offset)) => {
                let word = self.memory(self.integer[STACK] + u64::from(offset), 8)?;
                u64::from_le_bytes(word.try_into().expect("8 bytes"))
            }
            other => panic!("{other:?} is no place of an argument"),
        };
        // Microsoft asks for no more than 16, and gcc's copies are not aligned to more.
        address.is_multiple_of(ty.align.min(16) as u64).then(|| self.memory(address, ty.size))?
    }

    fn address(&self, register: Register) -> u64 {
        match register {
            Register::Integer(n) => self.integer[usize::from(n)],
            other => panic!("{other:?} has no addresses"),
        }
    }

    /// Whether memory lies in the frames of the C caller and of [`call`].
    fn in_window(&self, address: u64, size: usize) -> bool {
        let offset = address.wrapping_sub(self.integer[STACK]);
        offset < (WINDOW - MAX_SIZE) as u64 && size <= MAX_SIZE
    }

    fn memory(&self, address: u64, size: usize) -> Option<Vec<u8>> {
        // SAFETY: above the spy's frame there are at least `WINDOW` bytes, those of the array in `call`.
        self.in_window(address, size).then(|| unsafe { bytes_at(address, size) })
    }

    /// Leaves the result at its place, and noise in whatever else could hold one.
    fn write(&mut self, place: &Place, value: &[u8], wrong: &mut Vec<String>) {
        let hidden = match *place {
            Place::Hidden { arrives: Pointer::Register(register), .. } => self.address(register),
            _ => 0,
        };
        (self.integer[0], self.integer[2]) = (u64::MAX, u64::MAX);
        (self.vector[0], self.vector[1]) = ([0xff; 64], [0xff; 64]);
        self.x87_count = 0;
        match *place {
            Place::Nothing => {}
            Place::Registers(parts) => {
                for part in parts.as_slice() {
                    let bytes = &value[usize::from(part.offset)..][..usize::from(part.size)];
                    match part.register {
                        Register::Integer(n) => {
                            let word = array::from_fn(|i| bytes.get(i).copied().unwrap_or(0xff));
                            self.integer[usize::from(n)] = u64::from_le_bytes(word);
                        }
                        Register::Vector(n) => self.vector[usize::from(n)][..bytes.len()].copy_from_slice(bytes),
                        Register::X87(n) => {
                            self.x87[usize::from(n)][..bytes.len()].copy_from_slice(bytes);
                            self.x87_count += 1;
                        }
                        other => panic!("{other:?} is no register of x86-64"),
                    }
                }
            }
            Place::Hidden { leaves: Some(Register::Integer(n)), .. } => {
                self.integer[usize::from(n)] = hidden;
                if self.in_window(hidden, value.len()) {
                    let space = ptr::with_exposed_provenance_mut(hidden as usize);
                    // SAFETY: the space that the caller keeps for the result, in its frame. That this is it is
                    // what the test is about: were the rule wrong, the test could crash, but not pass.
                    unsafe { ptr::copy_nonoverlapping(value.as_ptr(), space, value.len()) };
                } else {
                    wrong.push("the result: no address of the caller's stack is there".into());
                }
            }
            other => panic!("{other:?} is no place of a result"),
        }
    }
}

/// # Safety
///
/// There are `size` readable bytes.
unsafe fn bytes_at(address: u64, size: usize) -> Vec<u8> {
    // SAFETY: the caller's promise.
    (0..size).map(|i| unsafe { ptr::with_exposed_provenance::<u8>(address as usize).add(i).read_volatile() }).collect()
}
