//! A call with every register set, and every register read after it.

use std::arch::naked_asm;
use std::cell::UnsafeCell;
use std::mem::offset_of;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The image that `FXSAVE64` writes and `FXRSTOR64` reads (Intel SDM volume 1, table 10-2).
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Image {
    pub(crate) control: u16,
    pub(crate) status: u16,
    pub(crate) tags: u8,
    reserved: u8,
    opcode: u16,
    pointers: [u64; 2],
    pub(crate) mxcsr: u32,
    mxcsr_mask: u32,
    pub(crate) st: [[u8; 16]; 8],
    pub(crate) xmm: [u128; 16],
    unused: [u64; 12],
}

const _: () = assert!(size_of::<Image>() == 512);

/// Every register; `gpr` by the number that instructions encode, with rsp relative to what it was at the call.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Registers {
    pub(crate) image: Image,
    pub(crate) gpr: [u64; 16],
    pub(crate) rflags: u64,
    /// After the call: 1 if it returned to where it came from, 2 if to [`Call::elsewhere`].
    pub(crate) returned_to: u64,
    /// After the call: rsp as it was at the call.
    pub(crate) rsp: u64,
}

pub(crate) const RSP: usize = 4;
/// rax, rcx, … in the order of their numbers.
pub(crate) const NAMES: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

/// CF, PF, AF, ZF, SF, DF, OF: what a program may change, and what a callback must find and leave.
pub(crate) const FLAGS: u64 = 0xcd5;
pub(crate) const DF: u64 = 0x400;
/// IF and the bit that is always set.
const ALWAYS: u64 = 0x202;

impl Registers {
    /// A different pattern in each register; x87 and SSE control as programs find them at their start.
    pub(crate) fn poison() -> Self {
        let mut image = Image {
            control: 0x37f,
            status: 0,
            tags: 0,
            reserved: 0,
            opcode: 0,
            pointers: [0; 2],
            mxcsr: 0x1f80,
            mxcsr_mask: 0,
            st: [[0; 16]; 8],
            xmm: [0; 16],
            unused: [0; 12],
        };
        for (number, xmm) in image.xmm.iter_mut().enumerate() {
            *xmm = 0xf0e0_d0c0_b0a0_9080_7060_5040_3020_1000_u128 + 0x0101_0101_0101_0101_0101 * number as u128;
        }
        let gpr = std::array::from_fn(|number| 0xa5b4_c3d2_e1f0_0000 ^ (0x0101_0101_0101_0101 * (number as u64 + 1)));
        Self { image, gpr, rflags: ALWAYS, returned_to: 0, rsp: 0 }
    }

    /// With eight values on the x87 stack, `top` being the register of st(0).
    pub(crate) fn with_x87(mut self, top: u16) -> Self {
        self.image.tags = 0xff;
        self.image.status = top << 11;
        for (number, st) in self.image.st.iter_mut().enumerate() {
            // A normal number: the integer bit is set, the exponent is near the bias.
            st[..8].copy_from_slice(&(0x8123_4567_89ab_cd00 + number as u64).to_le_bytes());
            st[8..10].copy_from_slice(&(0x4000 + number as u16).to_le_bytes());
        }
        self
    }
}

/// Words above the place of the return address, so that a handler may pop arguments, and their contents.
pub(crate) const WORDS: usize = 10;
pub(crate) const WORD: u64 = 0x5151_5151_0000_0000;

/// Where the assembly keeps what must not be in a register. One call at a time: see [`Call`].
#[repr(C, align(16))]
struct Scratch {
    host: UnsafeCell<Image>,
    input: UnsafeCell<*const Registers>,
    output: UnsafeCell<*mut Registers>,
    target: UnsafeCell<*const ()>,
    rsp: UnsafeCell<u64>,
    rdi: UnsafeCell<u64>,
    mark: UnsafeCell<u64>,
}

// SAFETY: used by the assembly only, under the lock of `Call`.
unsafe impl Sync for Scratch {}

static SCRATCH: Scratch = Scratch {
    host: UnsafeCell::new(Image {
        control: 0,
        status: 0,
        tags: 0,
        reserved: 0,
        opcode: 0,
        pointers: [0; 2],
        mxcsr: 0,
        mxcsr_mask: 0,
        st: [[0; 16]; 8],
        xmm: [0; 16],
        unused: [0; 12],
    }),
    input: UnsafeCell::new(std::ptr::null()),
    output: UnsafeCell::new(std::ptr::null_mut()),
    target: UnsafeCell::new(std::ptr::null()),
    rsp: UnsafeCell::new(0),
    rdi: UnsafeCell::new(0),
    mark: UnsafeCell::new(0),
};

/// Calls `target` with the registers of `input`, stores those after the return, and puts everything right again.
#[unsafe(naked)]
unsafe extern "sysv64" fn call(input: *const Registers, output: *mut Registers, target: *const ()) {
    naked_asm!(
        "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
        "pushfq",
        "mov [rip + {scratch} + {IN}], rdi",
        "mov [rip + {scratch} + {OUT}], rsi",
        "mov [rip + {scratch} + {TARGET}], rdx",
        "fxsave64 [rip + {scratch} + {HOST}]",
        // Seven words and the return address: rsp is a multiple of 16, and stays one.
        "sub rsp, 8 * {words}",
        "mov rcx, {words}",
        "mov rax, {word}",
        "2:",
        "lea rdx, [rax + rcx - 1]",
        "mov [rsp + 8 * rcx - 8], rdx",
        "dec rcx",
        "jnz 2b",
        "mov [rip + {scratch} + {RSP}], rsp",
        "fxrstor64 [rdi + {image}]",
        "push qword ptr [rdi + {rflags}]",
        "popfq",
        "mov rax, [rdi + {gpr} + 0]",
        "mov rcx, [rdi + {gpr} + 8]",
        "mov rdx, [rdi + {gpr} + 16]",
        "mov rbx, [rdi + {gpr} + 24]",
        "mov rbp, [rdi + {gpr} + 40]",
        "mov rsi, [rdi + {gpr} + 48]",
        "mov r8, [rdi + {gpr} + 64]",
        "mov r9, [rdi + {gpr} + 72]",
        "mov r10, [rdi + {gpr} + 80]",
        "mov r11, [rdi + {gpr} + 88]",
        "mov r12, [rdi + {gpr} + 96]",
        "mov r13, [rdi + {gpr} + 104]",
        "mov r14, [rdi + {gpr} + 112]",
        "mov r15, [rdi + {gpr} + 120]",
        "mov rdi, [rdi + {gpr} + 56]",
        "call qword ptr [rip + {scratch} + {TARGET}]",
        ".globl cbframe_tests_here",
        "cbframe_tests_here:",
        "mov qword ptr [rip + {scratch} + {MARK}], 1",
        "jmp 3f",
        ".globl cbframe_tests_elsewhere",
        "cbframe_tests_elsewhere:",
        "mov qword ptr [rip + {scratch} + {MARK}], 2",
        "3:", // still nothing but rip has changed
        "mov [rip + {scratch} + {RDI}], rdi",
        "mov rdi, [rip + {scratch} + {OUT}]",
        "mov [rdi + {gpr} + 0], rax",
        "mov [rdi + {gpr} + 8], rcx",
        "mov [rdi + {gpr} + 16], rdx",
        "mov [rdi + {gpr} + 24], rbx",
        "mov [rdi + {gpr} + 32], rsp",
        "mov [rdi + {gpr} + 40], rbp",
        "mov [rdi + {gpr} + 48], rsi",
        "mov [rdi + {gpr} + 64], r8",
        "mov [rdi + {gpr} + 72], r9",
        "mov [rdi + {gpr} + 80], r10",
        "mov [rdi + {gpr} + 88], r11",
        "mov [rdi + {gpr} + 96], r12",
        "mov [rdi + {gpr} + 104], r13",
        "mov [rdi + {gpr} + 112], r14",
        "mov [rdi + {gpr} + 120], r15",
        "mov rax, [rip + {scratch} + {RDI}]",
        "mov [rdi + {gpr} + 56], rax",
        "mov rsp, [rip + {scratch} + {RSP}]",
        "pushfq",
        "pop qword ptr [rdi + {rflags}]",
        "mov rax, [rip + {scratch} + {MARK}]",
        "mov [rdi + {returned_to}], rax",
        "mov rax, [rip + {scratch} + {RSP}]",
        "mov [rdi + {rsp}], rax",
        "sub [rdi + {gpr} + 32], rax",
        "fxsave64 [rdi + {image}]",
        "fxrstor64 [rip + {scratch} + {HOST}]",
        "add rsp, 8 * {words}",
        "popfq",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "ret",
        scratch = sym SCRATCH,
        HOST = const offset_of!(Scratch, host),
        IN = const offset_of!(Scratch, input),
        OUT = const offset_of!(Scratch, output),
        TARGET = const offset_of!(Scratch, target),
        RSP = const offset_of!(Scratch, rsp),
        RDI = const offset_of!(Scratch, rdi),
        MARK = const offset_of!(Scratch, mark),
        image = const offset_of!(Registers, image),
        gpr = const offset_of!(Registers, gpr),
        rflags = const offset_of!(Registers, rflags),
        returned_to = const offset_of!(Registers, returned_to),
        rsp = const offset_of!(Registers, rsp),
        words = const WORDS,
        word = const WORD,
    )
}

unsafe extern "C" {
    static cbframe_tests_here: u8;
    static cbframe_tests_elsewhere: u8;
}

/// A function that does nothing: what the probe itself changes.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn nothing() {
    naked_asm!("ret")
}

/// The right to make calls.
pub(crate) struct Call {
    _lock: MutexGuard<'static, ()>,
}

impl Call {
    pub(crate) fn lock() -> Self {
        static LOCK: Mutex<()> = Mutex::new(());
        Self { _lock: LOCK.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// The address that a call is to return to.
    pub(crate) fn here() -> u64 {
        (&raw const cbframe_tests_here).addr() as u64
    }

    /// Another address at which a call may be continued.
    pub(crate) fn elsewhere() -> u64 {
        (&raw const cbframe_tests_elsewhere).addr() as u64
    }

    /// The registers after a call of `target` with those of `input`.
    ///
    /// # Safety
    ///
    /// `target` is a function that does no harm with these registers and [`WORDS`] words on the stack, whichever
    /// of its ABI's registers it changes; it returns with rsp as it was or up to [`WORDS`] words higher.
    pub(crate) unsafe fn call(&self, target: *const (), input: &Registers) -> Registers {
        let mut output = Registers::poison();
        // SAFETY: the caller's promise; this lock holder is the only user of the scratch space.
        unsafe { call(input, &mut output, target) };
        output
    }
}
