//! The registers at entry, readable and writable.

use core::fmt;
use core::mem::{MaybeUninit, offset_of};

use super::lanes::Group;
use super::x87::Fxsave;

/// A 128-bit vector register.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Xmm {
    /// The bytes, lowest lane first.
    pub bytes: [u8; 16],
}

macro_rules! lanes {
    ($($get:ident $set:ident $ty:ident $n:literal $size:literal;)*) => { $(
        #[doc = concat!("Lane `lane` as `", stringify!($ty), "`, 0 being the lowest.\n\n# Panics\n\nIf there is no such lane: there are ", stringify!($n), ".")]
        #[inline]
        #[track_caller]
        pub fn $get(&self, lane: usize) -> $ty {
            assert!(lane < $n, concat!("cbframe: an xmm register has ", stringify!($n), " lanes of type ", stringify!($ty), ", no lane {}"), lane);
            // SAFETY: the lane lies within the register; `Xmm` is aligned to 16.
            unsafe { self.bytes.as_ptr().cast::<$ty>().add(lane).read() }
        }

        #[doc = concat!("Changes lane `lane` and no other.\n\n# Panics\n\nIf there is no such lane: there are ", stringify!($n), ".")]
        #[inline]
        #[track_caller]
        pub fn $set(&mut self, lane: usize, value: $ty) {
            assert!(lane < $n, concat!("cbframe: an xmm register has ", stringify!($n), " lanes of type ", stringify!($ty), ", no lane {}"), lane);
            // SAFETY: the lane lies within the register; `Xmm` is aligned to 16.
            unsafe { self.bytes.as_mut_ptr().cast::<$ty>().add(lane).write(value) }
        }
    )* };
}

impl Xmm {
    lanes! {
        f32 set_f32 f32 4 4;
        f64 set_f64 f64 2 8;
        u32 set_u32 u32 4 4;
        u64 set_u64 u64 2 8;
    }
}

impl fmt::Debug for Xmm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#034x}", u128::from_le_bytes(self.bytes))
    }
}

/// The registers of the CPU at the moment a callback was called. What a handler changes is in the registers
/// when the callback returns.
///
/// A callback gets one as its only parameter with `abi = "raw"`, and with `#[cpu]` beside the parameters of a
/// signature. The option `save(…)` says which groups of registers it has:
///
/// | group | registers | reached through |
/// | --- | --- | --- |
/// | `gpr` | the 16 general registers and rip; always there | the public fields |
/// | `flags` | rflags | [`rflags`](Self::rflags), [`set_rflags`](Self::set_rflags) |
/// | `sse` | xmm0 to xmm15, mxcsr | [`xmm`](Self::xmm), [`xmm_mut`](Self::xmm_mut), [`mxcsr`](Self::mxcsr), [`set_mxcsr`](Self::set_mxcsr) |
/// | `x87` | what `FXSAVE64` stores of the x87 unit | [`x87`](Self::x87), [`x87_mut`](Self::x87_mut) |
///
/// The default is `save(gpr, flags, sse)`, and with `abi = "custom"` these are always there. Registers outside the saved groups are left to the callback's
/// calling convention (for `"raw"` that of the target's C): those it preserves are preserved, others are
/// clobbered.
///
/// `rip` is the return address and `rsp` the address of the word that held it. On return `rsp` becomes
/// `cpu.rsp + 8` (and `callee_pops` more) and execution goes on at `cpu.rip`; the word at `cpu.rsp` is overwritten with `cpu.rip`. So a
/// handler that adds 16 to `rsp` has popped two words of arguments. `rsp` must not become smaller: the entry's
/// own frame lies there. A state stays where the entry made it: to exchange the contents of two (`mem::swap`)
/// is to change every register of both, and only right between callbacks that save the same groups.
///
/// The first fields are in the order of System V's register save area (psABI, figure 3.33), so that a `va_list`
/// can point to them.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, cbframe};
///
/// /// Takes an `int` in edi, returns its square in eax.
/// #[cbframe(abi = "raw", save(gpr))]
/// fn square(cpu: &mut CpuState) {
///     let x = cpu.rdi as i32;
///     cpu.rax = (x * x) as u64;
/// }
///
/// # #[cfg(not(windows))] {
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "sysv64" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(12), 144);
/// # }
/// ```
#[repr(C, align(16))]
pub struct CpuState {
    /// rdi: System V's first integer argument.
    pub rdi: u64,
    /// rsi.
    pub rsi: u64,
    /// rdx: also the second half of a 16-byte result on System V.
    pub rdx: u64,
    /// rcx: Windows' first integer argument.
    pub rcx: u64,
    /// r8.
    pub r8: u64,
    /// r9.
    pub r9: u64,
    xmm: MaybeUninit<[Xmm; 16]>,
    /// rax: where integer results go.
    pub rax: u64,
    /// rbx.
    pub rbx: u64,
    /// rbp.
    pub rbp: u64,
    /// rsp: the address of the word that held the return address.
    pub rsp: u64,
    /// r10.
    pub r10: u64,
    /// r11.
    pub r11: u64,
    /// r12.
    pub r12: u64,
    /// r13.
    pub r13: u64,
    /// r14.
    pub r14: u64,
    /// r15.
    pub r15: u64,
    mxcsr: MaybeUninit<u32>,
    /// The groups that are there, as [`Group::bit`]s, and those that were changed.
    present: u32,
    rflags: MaybeUninit<u64>,
    /// What the stub pushed; scratch after the dispatcher was called.
    ctx: MaybeUninit<usize>,
    /// rip: the return address, in the very word that the caller pushed.
    pub rip: u64,
}

impl CpuState {
    /// In `present`: some vector register may have been changed.
    const CHANGED_XMM: u32 = 1 << 8;
    /// In `present`: flags other than the status flags may have to be set.
    const CHANGED_FLAGS: u32 = 1 << 9;

    /// The offset of xmm0; the others follow.
    pub(super) const XMM: usize = offset_of!(Self, xmm);
    /// The offset of the word of ctx; rip is the next, and the last.
    pub(super) const CTX: usize = offset_of!(Self, ctx);

    /// The position of the general register that instructions encode as `number` among those of a state.
    pub(super) const fn position(number: u8) -> usize {
        const POSITIONS: [usize; 16] = [6, 3, 2, 7, 9, 8, 1, 0, 4, 5, 10, 11, 12, 13, 14, 15];
        POSITIONS[number as usize]
    }

    /// The offset of the general register that instructions encode as `number`.
    pub(super) const fn integer(number: u8) -> usize {
        let position = Self::position(number);
        8 * position + if position < 6 { 0 } else { size_of::<[Xmm; 16]>() }
    }

    #[inline]
    const fn has(&self, group: Group) -> bool {
        self.present & group.bit() != 0
    }

    /// The flags, as `pushfq` stores them; `None` without `save(flags)`.
    #[inline]
    pub fn rflags(&self) -> Option<u64> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Flags).then(|| unsafe { self.rflags.assume_init() })
    }

    /// Changes the flags.
    ///
    /// # Panics
    ///
    /// Without `save(flags)`.
    #[inline]
    #[track_caller]
    pub fn set_rflags(&mut self, value: u64) {
        assert!(self.has(Group::Flags), "cbframe: this callback does not save rflags: add `flags` to `save(…)`");
        self.rflags.write(value);
        self.present |= Self::CHANGED_FLAGS;
    }

    /// `xmm{number}`; `None` without `save(sse)`.
    ///
    /// # Panics
    ///
    /// If `number` is above 15.
    #[inline]
    #[track_caller]
    pub fn xmm(&self, number: usize) -> Option<&Xmm> {
        assert!(number < 16, "cbframe: xmm{number}: the vector registers are xmm0 to xmm15");
        // SAFETY: an entry that saves the group has stored all of them.
        self.has(Group::Sse).then(|| unsafe { &self.xmm.assume_init_ref()[number] })
    }

    /// `xmm{number}`, to be changed; `None` without `save(sse)`.
    ///
    /// # Panics
    ///
    /// If `number` is above 15.
    #[inline]
    #[track_caller]
    pub fn xmm_mut(&mut self, number: usize) -> Option<&mut Xmm> {
        assert!(number < 16, "cbframe: xmm{number}: the vector registers are xmm0 to xmm15");
        self.present |= Self::CHANGED_XMM;
        // SAFETY: an entry that saves the group has stored all of them.
        self.has(Group::Sse).then(|| unsafe { &mut self.xmm.assume_init_mut()[number] })
    }

    /// The control and status register of SSE; `None` without `save(sse)`.
    #[inline]
    pub fn mxcsr(&self) -> Option<u32> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Sse).then(|| unsafe { self.mxcsr.assume_init() })
    }

    /// Changes mxcsr.
    ///
    /// # Panics
    ///
    /// Without `save(sse)`, and if a bit above 15 is set, for which the CPU would raise an exception (Intel SDM
    /// volume 1, section 10.2.3).
    #[inline]
    #[track_caller]
    pub fn set_mxcsr(&mut self, value: u32) {
        assert!(self.has(Group::Sse), "cbframe: this callback does not save mxcsr: add `sse` to `save(…)`");
        assert!(value >> 16 == 0, "cbframe: mxcsr = {value:#x}: bits 16 to 31 are reserved");
        self.mxcsr.write(value);
    }

    /// The state of the x87 unit; `None` without `save(x87)`.
    #[inline]
    pub fn x87(&self) -> Option<&Fxsave> {
        let area = core::ptr::from_ref(self).cast::<Fxsave>().wrapping_sub(1);
        // SAFETY: an entry that saves the group has the area right below the state, in the same frame; it is
        // reached through `self` only.
        self.has(Group::X87).then(|| unsafe { &*area })
    }

    /// The state of the x87 unit, to be changed; `None` without `save(x87)`.
    #[inline]
    pub fn x87_mut(&mut self) -> Option<&mut Fxsave> {
        let area = core::ptr::from_mut(self).cast::<Fxsave>().wrapping_sub(1);
        // SAFETY: as for `x87`; `self` is borrowed exclusively.
        self.has(Group::X87).then(|| unsafe { &mut *area })
    }

    /// The general registers in the order in which they are shown.
    fn named(&self) -> [(&'static str, u64); 17] {
        [
            ("rax", self.rax),
            ("rbx", self.rbx),
            ("rcx", self.rcx),
            ("rdx", self.rdx),
            ("rsi", self.rsi),
            ("rdi", self.rdi),
            ("rbp", self.rbp),
            ("rsp", self.rsp),
            ("r8", self.r8),
            ("r9", self.r9),
            ("r10", self.r10),
            ("r11", self.r11),
            ("r12", self.r12),
            ("r13", self.r13),
            ("r14", self.r14),
            ("r15", self.r15),
            ("rip", self.rip),
        ]
    }

    /// The words of the stack from the return address on.
    fn stack(&self) -> [u64; 8] {
        let words = core::ptr::from_ref(self).wrapping_byte_add(offset_of!(Self, rip)).cast::<u64>();
        // SAFETY: a `CpuState` exists only in an entry's frame. Eight words above it belong to the caller's
        // frame or to those of its callers: every stack ends in more than that.
        core::array::from_fn(|i| unsafe { words.add(i).read_volatile() })
    }
}

/// The dump: general registers as hexadecimal, `f64`, `i32` and `f32`; the stack from the return address on; with
/// the groups that were saved, mxcsr, xmm registers by lane and the live x87 registers. `{:#}` adds rflags with
/// the names of the set flags, the xmm registers that are zero, and the x87 unit's control words.
impl fmt::Display for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = f.alternate();
        writeln!(f, "{:<5} {:<18} {:>24} {:>12} {:>16}", "", "hex", "f64", "i32", "f32")?;
        for (name, value) in self.named() {
            let (double, int) = (f64::from_bits(value), value as i32);
            let float = f32::from_bits(value as u32);
            writeln!(f, "{name:<5} {value:#018x} {double:>24.6e} {int:>12} {float:>16.6e}")?;
        }
        if let (Some(flags), true) = (self.rflags(), all) {
            write!(f, "flags {flags:#018x}")?;
            for (bit, name) in FLAGS {
                if flags >> bit & 1 == 1 {
                    write!(f, " {name}")?;
                }
            }
            writeln!(f)?;
        }
        if let Some(mxcsr) = self.mxcsr() {
            writeln!(f, "mxcsr {mxcsr:#010x}")?;
        }
        for number in 0..16 {
            let Some(xmm) = self.xmm(number) else { break };
            if all || xmm.bytes != [0; 16] {
                let [a, b, c, d] = core::array::from_fn(|lane| xmm.f32(lane));
                writeln!(
                    f,
                    "xmm{number:<2} {xmm:?}  f64 {:?} {:?}  f32 {a:?} {b:?} {c:?} {d:?}",
                    xmm.f64(0),
                    xmm.f64(1)
                )?;
            }
        }
        if let Some(x87) = self.x87() {
            if all {
                let Fxsave { control, status, tags, opcode, instruction, data, .. } = x87;
                writeln!(
                    f,
                    "x87   fcw {control:#06x} fsw {status:#06x} tags {tags:#04x} fop {opcode:#06x} \
                     fip {instruction:#x} fdp {data:#x} mxcsr mask {:#x}",
                    x87.mxcsr_mask()
                )?;
            }
            for index in 0..8 {
                if let Some(value) = x87.st(index) {
                    writeln!(f, "st({index}) {value:?}")?;
                }
            }
        }
        for (i, word) in self.stack().iter().enumerate() {
            writeln!(f, "[rsp+{:<#4x}] {word:#018x}", 8 * i)?;
        }
        Ok(())
    }
}

impl fmt::Debug for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The flags' positions and names (Intel SDM volume 1, section 3.4.3).
const FLAGS: [(u32, &str); 16] = [
    (0, "CF"),
    (2, "PF"),
    (4, "AF"),
    (6, "ZF"),
    (7, "SF"),
    (8, "TF"),
    (9, "IF"),
    (10, "DF"),
    (11, "OF"),
    (14, "NT"),
    (16, "RF"),
    (17, "VM"),
    (18, "AC"),
    (19, "VIF"),
    (20, "VIP"),
    (21, "ID"),
];

const _: () = {
    // What the captured entry calls them (`__cbframe_names`).
    assert!(offset_of!(CpuState, xmm) == 48 && offset_of!(CpuState, rax) == 304 && offset_of!(CpuState, rsp) == 328);
    assert!(offset_of!(CpuState, mxcsr) == 384 && offset_of!(CpuState, present) == 388);
    assert!(offset_of!(CpuState, rflags) == 392 && offset_of!(CpuState, rip) == 408);
    assert!(Group::Gpr.bit() == 1 && Group::Flags.bit() == 2 && Group::Sse.bit() == 4 && Group::X87.bit() == 8);
    assert!(CpuState::CHANGED_XMM == 0x100 && CpuState::CHANGED_FLAGS == 0x200);
    // The last words are those that are on the stack at the entry.
    assert!(size_of::<CpuState>() == 416 && offset_of!(CpuState, ctx) == 400);
    // System V's register save area: six integer registers, then the vector registers. The other integer registers
    // follow those.
    let fields = [
        offset_of!(CpuState, rax),
        offset_of!(CpuState, rcx),
        offset_of!(CpuState, rdx),
        offset_of!(CpuState, rbx),
        offset_of!(CpuState, rsp),
        offset_of!(CpuState, rbp),
        offset_of!(CpuState, rsi),
        offset_of!(CpuState, rdi),
        offset_of!(CpuState, r8),
        offset_of!(CpuState, r9),
        offset_of!(CpuState, r10),
        offset_of!(CpuState, r11),
        offset_of!(CpuState, r12),
        offset_of!(CpuState, r13),
        offset_of!(CpuState, r14),
        offset_of!(CpuState, r15),
    ];
    let mut number = 0;
    while number < 16 {
        assert!(fields[number as usize] == CpuState::integer(number));
        number += 1;
    }
};
