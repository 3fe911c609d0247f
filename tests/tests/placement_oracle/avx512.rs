//! Emulates, on CPUs without AVX-512, the few instructions of it that compilers use to pass vectors of 64 bytes: moves
//! of whole zmm registers from and to memory and between registers. On any other CPU with AVX these are illegal
//! instructions, and a signal handler does what they say.

use std::cell::Cell;
use std::sync::Once;
use std::{io, mem, ptr};

use libc::{c_int, c_void, siginfo_t, ucontext_t};

/// Sees to it that the moves of AVX-512 work in this process.
pub(crate) fn make_available() {
    static ONCE: Once = Once::new();
    if is_x86_feature_detected!("avx512f") {
        return;
    }
    ONCE.call_once(|| {
        let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_illegal_instruction;
        // SAFETY: all zeros is an empty mask, no flags, the default action.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        (action.sa_sigaction, action.sa_flags) = (handler as usize, libc::SA_SIGINFO);
        // SAFETY: the handler has the signature that `SA_SIGINFO` asks for.
        let failed = unsafe { libc::sigaction(libc::SIGILL, &action, ptr::null_mut()) };
        assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    });
}

thread_local! {
    /// What this thread's zmm registers have that the CPU's ymm registers have not.
    static HIGH_HALVES: Cell<[[u8; 32]; 16]> = const { Cell::new([[0; 32]; 16]) };
}

extern "C" fn on_illegal_instruction(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes the context of the interrupted thread, which nobody else has.
    let mut cpu = Interrupted(unsafe { &mut *context.cast::<ucontext_t>() });
    if cpu.emulate().is_none() {
        // SAFETY: an array of bytes on the stack, to standard error.
        unsafe { libc::write(2, c"an illegal instruction that is not emulated\n".as_ptr().cast(), 44) };
        // SAFETY: no preconditions.
        unsafe { libc::abort() };
    }
}

/// What an instruction moves from or to.
#[derive(Clone, Copy)]
enum Operand {
    Register(usize),
    Memory(u64),
}

/// The registers of a thread, as the kernel stored them when a signal interrupted it.
struct Interrupted<'a>(&'a mut ucontext_t);

/// Where the XSAVE area has things (Intel, "Software Developer's Manual", volume 1, chapter 13).
const XMM: usize = 160;
const XSTATE_BV: usize = 512;
const YMM_HIGH: usize = 576;

impl Interrupted<'_> {
    /// Does the instruction that the thread is at, if it is one of these: `vmovups`, `vmovupd`, `vmovaps`, `vmovapd`,
    /// `vmovdqu32`, `vmovdqu64`, `vmovdqa32` and `vmovdqa64` of zmm registers below 16, without a mask.
    fn emulate(&mut self) -> Option<()> {
        let start = self.integer(libc::REG_RIP);
        let mut at = start;
        let (escape, p0, p1, p2) = (byte(&mut at), byte(&mut at), byte(&mut at), byte(&mut at));
        // EVEX: map 0F, no second source, 512 bits, no mask, no broadcast.
        if escape != 0x62 || p0 & 0x1f != 0x11 || p1 & 0x7c != 0x7c || p2 != 0x48 {
            return None;
        }
        let (aligned, store) = match (byte(&mut at), p1 & 3) {
            (opcode @ (0x10 | 0x11), 0 | 1) => (false, opcode == 0x11),
            (opcode @ (0x28 | 0x29), 0 | 1) => (true, opcode == 0x29),
            (opcode @ (0x6f | 0x7f), prefix @ (1 | 2)) => (prefix == 1, opcode == 0x7f),
            _ => return None,
        };
        // The upper bits of the register numbers are inverted.
        let [r, x, b] = [7, 6, 5].map(|bit| usize::from(!p0 >> bit & 1) << 3);
        let modrm = byte(&mut at);
        let register = usize::from(modrm >> 3 & 7) | r;
        let operand = match modrm >> 6 {
            3 => Operand::Register(usize::from(modrm & 7) | b | x << 1),
            mode => {
                let address = self.address(&mut at, mode, modrm & 7, x, b);
                if aligned && !address.is_multiple_of(64) {
                    return None;
                }
                Operand::Memory(address)
            }
        };
        let register = Operand::Register(register);
        let (from, to) = if store { (register, operand) } else { (operand, register) };
        let value = self.load(from)?;
        self.store(to, value)?;
        self.0.uc_mcontext.gregs[libc::REG_RIP as usize] = at as i64;
        Some(())
    }

    /// The address of a memory operand, by its ModRM, SIB and displacement.
    fn address(&self, at: &mut u64, mode: u8, rm: u8, x: usize, b: usize) -> u64 {
        const NUMBERED: [c_int; 16] = [
            libc::REG_RAX,
            libc::REG_RCX,
            libc::REG_RDX,
            libc::REG_RBX,
            libc::REG_RSP,
            libc::REG_RBP,
            libc::REG_RSI,
            libc::REG_RDI,
            libc::REG_R8,
            libc::REG_R9,
            libc::REG_R10,
            libc::REG_R11,
            libc::REG_R12,
            libc::REG_R13,
            libc::REG_R14,
            libc::REG_R15,
        ];
        let value = |n: u8, upper: usize| self.integer(NUMBERED[usize::from(n) | upper]);
        let (base, index) = match rm {
            4 => {
                let sib = byte(at);
                let index = if sib >> 3 & 7 == 4 && x == 0 { 0 } else { value(sib >> 3 & 7, x) << (sib >> 6) };
                (sib & 7, index)
            }
            rm => (rm, 0),
        };
        let displacement = match mode {
            // In units of the operand's size.
            1 => i64::from(byte(at) as i8) * 64,
            0 if base != 5 => 0,
            _ => i64::from(i32::from_le_bytes([byte(at), byte(at), byte(at), byte(at)])),
        };
        let base = match (mode, rm, base) {
            // No base: an absolute address with a SIB byte, one relative to the instruction's end without.
            (0, 4, 5) => 0,
            (0, _, 5) => *at,
            _ => value(base, b),
        };
        base.wrapping_add(index).wrapping_add_signed(displacement)
    }

    fn integer(&self, register: c_int) -> u64 {
        self.0.uc_mcontext.gregs[register as usize] as u64
    }

    fn load(&mut self, from: Operand) -> Option<[u8; 64]> {
        match from {
            // SAFETY: the instruction reads these bytes; were they not readable, it would fault as this does.
            Operand::Memory(address) => Some(unsafe { pointer(address).cast::<[u8; 64]>().read_unaligned() }),
            Operand::Register(n) => {
                let high = *HIGH_HALVES.get().get(n)?;
                let mut value = [0; 64];
                value[..16].copy_from_slice(self.area(XMM, n));
                value[16..32].copy_from_slice(self.area(YMM_HIGH, n));
                value[32..].copy_from_slice(&high);
                Some(value)
            }
        }
    }

    fn store(&mut self, to: Operand, value: [u8; 64]) -> Option<()> {
        match to {
            // SAFETY: the instruction writes these bytes; were they not writable, it would fault as this does.
            Operand::Memory(address) => unsafe { pointer(address).cast::<[u8; 64]>().write_unaligned(value) },
            Operand::Register(n) => {
                let mut high_halves = HIGH_HALVES.get();
                high_halves.get_mut(n)?.copy_from_slice(&value[32..]);
                HIGH_HALVES.set(high_halves);
                self.area(XMM, n).copy_from_slice(&value[..16]);
                self.area(YMM_HIGH, n).copy_from_slice(&value[16..32]);
            }
        }
        Some(())
    }

    /// The 16 bytes of register `n` in one of the two areas that have such, to be read and written.
    fn area(&mut self, start: usize, n: usize) -> &mut [u8; 16] {
        let xsave = self.0.uc_mcontext.fpregs.cast::<u8>();
        let component = if start == XMM { 1 << 1 } else { 1 << 2 };
        // SAFETY: on a CPU with AVX the kernel stores an XSAVE area, in the standard format, of which this is a part.
        let present = unsafe { &mut *xsave.add(XSTATE_BV).cast::<u64>() };
        // SAFETY: the same; the parts are apart.
        let area = unsafe { &mut *xsave.add(start).cast::<[[u8; 16]; 16]>() };
        // A component in its initial state, all zeros, is not stored.
        if *present & component == 0 {
            *present |= component;
            *area = [[0; 16]; 16];
        }
        &mut area[n]
    }
}

fn pointer(address: u64) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address as usize)
}

/// The byte of an instruction at `at`, which moves on.
fn byte(at: &mut u64) -> u8 {
    let from = pointer(*at);
    *at += 1;
    // SAFETY: the instruction that is being executed, byte by byte as its length becomes known.
    unsafe { from.read() }
}
