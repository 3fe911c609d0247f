//! AVX-512 for a process that was told that there is, on a CPU that has none: a signal handler does what the instructions
//! would that the CPU refuses. The decoder is a library's, so the encodings are looked at too.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use cbframe::Zmm;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind, Register};

/// Whether there is one.
pub(crate) const IS_THERE: bool = true;

/// The registers that the CPU has not: of zmm0 to zmm15 the upper halves count.
struct File {
    zmm: UnsafeCell<[Zmm; 32]>,
    opmasks: UnsafeCell<[u64; 8]>,
}

// SAFETY: the child has one thread that uses it.
unsafe impl Sync for File {}

static FILE: File = File { zmm: UnsafeCell::new([Zmm { bytes: [0; 64] }; 32]), opmasks: UnsafeCell::new([0; 8]) };
/// How many instructions were executed for the CPU.
static EMULATED: AtomicUsize = AtomicUsize::new(0);

/// How many instructions were executed for the CPU.
pub(crate) fn executed() -> usize {
    EMULATED.load(Ordering::Relaxed)
}

/// What `vzeroupper`, and whoever uses AVX-512, does to the registers.
pub(crate) fn spoil() {
    // SAFETY: the child's one thread.
    unsafe {
        *FILE.zmm.get() = [Zmm { bytes: [0xee; 64] }; 32];
        *FILE.opmasks.get() = [0xeeee; 8];
    }
}

/// Executes what this process cannot.
pub(crate) fn start() {
    // SAFETY: the handler is a function of this type.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = emulate as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGILL, &raw const action, ptr::null_mut()), 0);
    }
}

/// Where the signal frame has the lower 32 bytes of a vector register (Intel SDM volume 1, section 13.4): 16 in the legacy
/// area, 16 in that of AVX.
fn halves(image: *mut u8, number: usize) -> [*mut u8; 2] {
    [image.wrapping_add(160 + 16 * number), image.wrapping_add(576 + 16 * number)]
}

extern "C" fn emulate(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes the context of the thread, whose code is readable where it has been stopped; the operand
    // is memory that the instruction would access.
    unsafe {
        let context = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext;
        let registers = &mut context.gregs;
        let rip = registers[libc::REG_RIP as usize] as u64;
        let code = std::slice::from_raw_parts(rip as *const u8, 15);
        let instruction = Decoder::with_ip(64, code, rip, DecoderOptions::NONE).decode();
        let image = context.fpregs.cast::<u8>();
        // XSTATE_BV: without these bits the upper halves, or all, are zero and are not in the frame.
        let components = image.add(512).cast::<u64>();
        if components.read() & 4 == 0 {
            image.add(576).write_bytes(0, 256);
        }
        if components.read() & 2 == 0 {
            image.add(160).write_bytes(0, 256);
        }
        components.write(components.read() | 6);
        let (zmm, opmasks) = (&mut *FILE.zmm.get(), &mut *FILE.opmasks.get());
        match instruction.code() {
            Code::EVEX_Vmovaps_zmmm512_k1z_zmm => {
                let (to, number) = (address(&instruction, 0, registers), instruction.op1_register().number());
                assert!(instruction.op_mask() == Register::None && to.is_multiple_of(64));
                let mut value = zmm[number];
                if number < 16 {
                    for (half, from) in halves(image, number).into_iter().enumerate() {
                        ptr::copy_nonoverlapping(from, value.bytes.as_mut_ptr().add(16 * half), 16);
                    }
                }
                (to as *mut Zmm).write(value);
            }
            Code::EVEX_Vmovaps_zmm_k1z_zmmm512 => {
                let (from, number) = (address(&instruction, 1, registers), instruction.op0_register().number());
                assert!(instruction.op_mask() == Register::None && from.is_multiple_of(64));
                let value = (from as *const Zmm).read();
                if number < 16 {
                    for (half, to) in halves(image, number).into_iter().enumerate() {
                        ptr::copy_nonoverlapping(value.bytes.as_ptr().add(16 * half), to, 16);
                    }
                }
                zmm[number] = value;
            }
            Code::VEX_Kmovq_m64_kr => {
                let (to, number) = (address(&instruction, 0, registers), instruction.op1_register().number());
                (to as *mut u64).write(opmasks[number]);
            }
            Code::VEX_Kmovq_kr_km64 => {
                let (from, number) = (address(&instruction, 1, registers), instruction.op0_register().number());
                opmasks[number] = (from as *const u64).read();
            }
            other => {
                eprintln!("unexpected instruction {other:?}");
                libc::abort();
            }
        }
        registers[libc::REG_RIP as usize] += instruction.len() as i64;
    }
    EMULATED.fetch_add(1, Ordering::Relaxed);
}

/// The address of a memory operand, which is relative to rax.
fn address(instruction: &Instruction, operand: u32, registers: &[i64; 23]) -> u64 {
    assert!(instruction.op_kind(operand) == OpKind::Memory && instruction.memory_base() == Register::RAX);
    assert!(instruction.memory_index() == Register::None);
    (registers[libc::REG_RAX as usize] as u64).wrapping_add(instruction.memory_displacement64())
}
