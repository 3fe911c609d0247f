//! The registers at entry, readable and writable.

use core::mem::{MaybeUninit, offset_of};
use core::ops::Deref;

use super::capture::{Capture, Group, register_bit, vectors_top};
use super::registers::Gpr;
use super::simd::{Xmm, Ymm, Zmm};
use crate::abi::Register;
use crate::arch::Word;
use crate::arch::intel::Fxsave;

/// The registers of the CPU at the moment a callback was called. What a handler changes is in the registers
/// when the callback returns.
///
/// A callback gets one as its only parameter with `abi = "raw"`, and with `#[cpu]` beside the parameters of a
/// signature. The option `save(…)` says which registers it has, by groups and one by one:
///
/// | group | registers | reached through |
/// | --- | --- | --- |
/// | `gpr` | the 16 general registers and rip | the public fields, [`gpr`](Self::gpr), [`set_gpr`](Self::set_gpr) |
/// | `flags` | rflags | [`rflags`](CpuSubset::rflags), [`set_rflags`](CpuSubset::set_rflags) |
/// | `sse` | xmm0 to xmm15, mxcsr | [`xmm`](CpuSubset::xmm), [`xmm_mut`](CpuSubset::xmm_mut), [`mxcsr`](CpuSubset::mxcsr), [`set_mxcsr`](CpuSubset::set_mxcsr) |
/// | `avx` | those of `sse` and ymm0 to ymm15 | also [`ymm`](CpuSubset::ymm), [`ymm_mut`](CpuSubset::ymm_mut) |
/// | `avx512` | those of `avx`, zmm0 to zmm31 and the opmasks | also [`zmm`](CpuSubset::zmm), [`zmm_mut`](CpuSubset::zmm_mut), [`opmask`](CpuSubset::opmask), [`set_opmask`](CpuSubset::set_opmask) |
/// | `x87` | what `FXSAVE64` stores of the x87 unit | [`x87`](CpuSubset::x87), [`x87_mut`](CpuSubset::x87_mut) |
/// | `rax`, `xmm3`, … | that register | [`gpr`](CpuSubset::gpr), [`xmm`](CpuSubset::xmm) |
///
/// The default is `save(gpr, flags, sse)`, and with `abi = "custom"` these are always there. Without `gpr` the type is
/// [`CpuSubset`], which has the methods and not the fields: a field whose register was not saved would have to hold
/// something. Registers that are not saved are left to
/// the callback's calling convention (for `"raw"` that of the target's C): those it preserves are preserved, others are
/// clobbered.
///
/// `avx` and `avx512` are looked for when the callback is called, once in a program: where the CPU has no such registers,
/// or the operating system does not save them, the group is absent, `ymm` and `zmm` are `None`, and what there is of the
/// others is saved. (AVX-512 is F and BW.) What was saved is given back whole; with `avx` alone, bits 256 to 511 of zmm0 to
/// zmm15 are lost, as they are in every C function that uses AVX. Some CPUs execute SSE instructions more slowly while upper
/// halves are in use, and after a callback with either group they are. The entry's frame has about 0.5 KiB, with `avx`
/// 2.5 and with `avx512` 3.5.
///
/// `rip` is the return address and `rsp` the address of the word that held it. On return `rsp` becomes
/// `cpu.rsp + 8` (and `callee_pops` more) and execution goes on at `cpu.rip`; the word at `cpu.rsp` is overwritten with
/// `cpu.rip`. So a
/// handler that adds 16 to `rsp` has popped two words of arguments, and one that writes `rip` resumes elsewhere. `rsp` must
/// not become smaller: the entry's own frame lies there. A state stays where the entry made it: to exchange the contents of
/// two (`mem::swap`) is to change every register of both, and only right between callbacks that save the same registers.
///
/// Where user shadow stacks are enabled (CET SHSTK), `ret` compares `rip` with the CPU's own copy of the return address and
/// raises an exception if it is another: there a handler that changes `rip` has to put the new address onto the
/// shadow stack first (`wrssq`, if the system allows it, at the address that `rdsspq` gives). To pop arguments needs nothing: the
/// shadow stack has return addresses only. One that pops callers' frames as well has to drop as many of those (`incsspq`).
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
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "sysv64" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(12), 144);
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
    /// The groups that are there, as [`Group::bit`]s, those that were changed, and [`CpuState::SINGLE`].
    present: u32,
    /// With `SINGLE`: the registers that were saved one by one, as [`register_bit`]s.
    registers: MaybeUninit<u32>,
    unused: [MaybeUninit<u32>; 3],
    rflags: MaybeUninit<u64>,
    /// What the stub pushed. With `JUMP`: the stack pointer at the jump.
    ctx: MaybeUninit<usize>,
    /// rip: where execution goes on; the return address, in the very word that the caller pushed.
    pub rip: u64,
}

impl CpuState {
    /// In `present`: some registers were saved one by one.
    pub(super) const SINGLE: u32 = 1 << 7;
    /// In `present`: a hook's, whose stack pointer is in the word of ctx.
    pub(super) const JUMP: u32 = 1 << 6;
    /// In `present`: in a [`CpuImage`](super::CpuImage), with no stack above it.
    const IMAGE: u32 = 1 << 10;
    /// In `present`: some vector register may have been changed.
    const CHANGED_XMM: u32 = 1 << 8;
    /// In `present`: flags other than the status flags may have to be set.
    const CHANGED_FLAGS: u32 = 1 << 9;

    /// Lets the compiler know what the entry of `capture` has noted, so that what asks for it costs nothing.
    ///
    /// # Safety
    ///
    /// The state is of that entry, and no handler has had it.
    #[inline(always)]
    #[doc(hidden)]
    pub unsafe fn assume(this: *const Self, capture: Capture) {
        const UNKNOWN: u32 = Group::Avx.bit() | Group::Avx512.bit() | CpuState::JUMP | CpuState::CHANGED_FLAGS;
        // SAFETY: the entry has stored both; the first but for what is only known when it runs.
        unsafe {
            core::hint::assert_unchecked((*this).present & !UNKNOWN == capture.present() & !UNKNOWN);
            if capture.singles() != 0 {
                core::hint::assert_unchecked((*this).registers.assume_init() == capture.singles());
            }
        }
    }

    /// In `present`: what an image has.
    const ALL: u32 = Group::Gpr.bit() | Group::Flags.bit() | Group::Sse.bit() | Group::X87.bit() | Self::IMAGE;

    /// All that the state of an image can have is there.
    pub(super) const fn complete(&mut self) {
        self.present = Self::ALL;
    }

    /// Notes that these registers, a sum of [`register_bit`]s, are there and nothing else: an entry has stored them and noted
    /// nothing.
    ///
    /// # Safety
    ///
    /// It has, and the state is its own.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn show(this: *mut Self, registers: u32) {
        // SAFETY: the caller's promise.
        unsafe {
            (&raw mut (*this).present).write(Self::SINGLE);
            (&raw mut (*this).registers).write(MaybeUninit::new(registers));
        }
    }

    /// The state of an image: registers of 0.
    pub(super) const fn image(rflags: u64, mxcsr: u32) -> Self {
        Self {
            rdi: 0,
            rsi: 0,
            rdx: 0,
            rcx: 0,
            r8: 0,
            r9: 0,
            xmm: MaybeUninit::new([Xmm { bytes: [0; 16] }; 16]),
            rax: 0,
            rbx: 0,
            rbp: 0,
            rsp: 0,
            r10: 0,
            r11: 0,
            r12: 0,
            r13: 0,
            r14: 0,
            r15: 0,
            mxcsr: MaybeUninit::new(mxcsr),
            present: Self::ALL,
            registers: MaybeUninit::new(0),
            unused: [MaybeUninit::new(0); 3],
            rflags: MaybeUninit::new(rflags),
            ctx: MaybeUninit::new(0),
            rip: 0,
        }
    }

    /// Takes what `other` has of the registers that this, the state of an image, has; the x87 unit is not among them.
    pub(super) fn copy_from(&mut self, other: &CpuSubset) {
        for register in Gpr::ALL {
            if let Some(value) = other.gpr(register) {
                self.set_gpr(register, value);
            }
        }
        for number in 0..16 {
            if let (Some(to), Some(from)) = (self.xmm_mut(number), other.xmm(number)) {
                *to = *from;
            }
        }
        if let Some(rflags) = other.rflags() {
            self.set_rflags(rflags);
        }
        if let Some(mxcsr) = other.mxcsr() {
            self.set_mxcsr(mxcsr);
        }
        self.rip = other.rip();
        self.present = Self::IMAGE
            | other.state.present & (Self::ALL | Self::SINGLE) & !Self::IMAGE
            | if other.has(Group::Avx) { Group::Sse.bit() } else { 0 };
        self.registers = other.state.registers;
    }

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

    /// The offsets of the general registers, by number.
    const fn field(register: Gpr) -> usize {
        Self::integer(register as u8)
    }

    /// The general register `register`.
    #[inline]
    pub fn gpr(&self, register: Gpr) -> Word {
        // SAFETY: the offset is that of a field of this type.
        Word(unsafe { core::ptr::from_ref(self).byte_add(Self::field(register)).cast::<u64>().read() })
    }

    /// Changes the general register `register`: `cpu.set_gpr(Gpr::Rax, -1_i32)`.
    #[inline]
    pub fn set_gpr(&mut self, register: Gpr, value: impl Into<Word>) {
        // SAFETY: the offset is that of a field of this type.
        unsafe { core::ptr::from_mut(self).byte_add(Self::field(register)).cast::<u64>().write(value.into().0) }
    }
}

/// The registers that were saved, where that is not the whole of `gpr`: what `save(rdi, xmm0)` gives.
///
/// [`CpuState`] dereferences to it, so the methods are those of both. What was not saved is `None`, and cannot be changed:
/// it is the callback's calling convention that says what becomes of it. `rip` is always there, and rsp is not: `save(gpr)`
/// lets a handler change it.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuSubset, Gpr, cbframe};
///
/// /// Takes an `int` in edi, returns its square in eax.
/// #[cbframe(abi = "raw", save(rdi, rax))]
/// fn square(cpu: &mut CpuSubset) {
///     let x = cpu.gpr(Gpr::Rdi).expect("saved").i32();
///     cpu.set_gpr(Gpr::Rax, x * x);
///     assert!(cpu.gpr(Gpr::Rsi).is_none() && cpu.xmm(0).is_none());
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "sysv64" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(-12), 144);
/// ```
#[repr(transparent)]
pub struct CpuSubset {
    state: CpuState,
}

impl Deref for CpuState {
    type Target = CpuSubset;

    #[inline]
    fn deref(&self) -> &CpuSubset {
        // SAFETY: `repr(transparent)` around this type; every register that it shows is saved in a `CpuState` too.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

impl CpuSubset {
    #[inline]
    const fn has(&self, group: Group) -> bool {
        self.state.present & group.bit() != 0
    }

    /// Whether a general register, or an xmm register, was saved.
    #[inline]
    fn saves(&self, register: Register) -> bool {
        let group = match register {
            Register::Integer(_) => Group::Gpr,
            _ => Group::Sse,
        };
        self.has(group)
            || self.state.present & CpuState::SINGLE != 0
                // SAFETY: an entry that sets `SINGLE` has stored them.
                && unsafe { self.state.registers.assume_init() } & register_bit(register) != 0
    }

    /// The general register `register`; `None` if it was not saved.
    #[inline]
    pub fn gpr(&self, register: Gpr) -> Option<Word> {
        self.saves(Register::Integer(register as u8)).then(|| self.state.gpr(register))
    }

    /// Changes the general register `register`.
    ///
    /// # Panics
    ///
    /// If it was not saved.
    #[inline]
    #[track_caller]
    pub fn set_gpr(&mut self, register: Gpr, value: impl Into<Word>) {
        assert!(
            self.saves(Register::Integer(register as u8)),
            "cbframe: this callback does not save {register}: add it to `save(…)`"
        );
        self.state.set_gpr(register, value);
    }

    /// Where execution goes on: the return address.
    #[inline]
    pub const fn rip(&self) -> u64 {
        self.state.rip
    }

    /// Changes where execution goes on. See [`CpuState`] for what that asks for.
    #[inline]
    pub const fn set_rip(&mut self, address: u64) {
        self.state.rip = address;
    }

    /// The flags, as `pushfq` stores them; `None` without `save(flags)`.
    #[inline]
    pub fn rflags(&self) -> Option<u64> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Flags).then(|| unsafe { self.state.rflags.assume_init() })
    }

    /// `xmm{number}`; `None` without `save(sse)` or the register itself.
    ///
    /// # Panics
    ///
    /// If `number` is above 15: for xmm16 to xmm31 see [`zmm`](Self::zmm).
    #[inline]
    #[track_caller]
    pub fn xmm(&self, number: usize) -> Option<&Xmm> {
        assert!(number < 16, "cbframe: xmm{number}: the vector registers are xmm0 to xmm15");
        // SAFETY: an entry that saves the register has stored it there, aligned to its size, in its own frame.
        self.saves(Register::Vector(number as u8)).then(|| unsafe { &*vector(&self.state, number).cast() })
    }

    /// `ymm{number}`; `None` without `save(avx)`, and where the CPU has no AVX.
    ///
    /// # Panics
    ///
    /// If `number` is above 15.
    #[inline]
    #[track_caller]
    pub fn ymm(&self, number: usize) -> Option<&Ymm> {
        assert!(number < 16, "cbframe: ymm{number}: AVX has ymm0 to ymm15");
        // SAFETY: as for `xmm`.
        self.has(Group::Avx).then(|| unsafe { &*vector(&self.state, number).cast() })
    }

    /// `zmm{number}`; `None` without `save(avx512)`, and where the CPU has no AVX-512 (F and BW).
    ///
    /// # Panics
    ///
    /// If `number` is above 31.
    #[inline]
    #[track_caller]
    pub fn zmm(&self, number: usize) -> Option<&Zmm> {
        assert!(number < 32, "cbframe: zmm{number}: AVX-512 has zmm0 to zmm31");
        // SAFETY: as for `xmm`.
        self.has(Group::Avx512).then(|| unsafe { &*vector(&self.state, number).cast() })
    }

    /// The opmask register `k{number}`; `None` without `save(avx512)`, and where the CPU has no AVX-512 (F and BW).
    ///
    /// # Panics
    ///
    /// If `number` is above 7.
    #[inline]
    #[track_caller]
    pub fn opmask(&self, number: usize) -> Option<u64> {
        let mask = mask(&self.state, number);
        // SAFETY: as for `xmm`.
        self.has(Group::Avx512).then(|| unsafe { mask.read() })
    }

    /// The control and status register of SSE; `None` without `save(sse)`.
    #[inline]
    pub fn mxcsr(&self) -> Option<u32> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Sse).then(|| unsafe { self.state.mxcsr.assume_init() })
    }

    /// The state of the x87 unit; `None` without `save(x87)`.
    #[inline]
    pub fn x87(&self) -> Option<&Fxsave> {
        let area = core::ptr::from_ref(self).cast::<Fxsave>().wrapping_sub(1);
        // SAFETY: an entry that saves the group has the area right below the state, in the same frame; it is
        // reached through `self` only.
        self.has(Group::X87).then(|| unsafe { &*area })
    }

    /// The stack pointer at the call, where the return address lies, or at the jump.
    pub(super) fn stack_pointer(&self) -> *const u8 {
        if self.state.present & CpuState::JUMP != 0 {
            // SAFETY: a hook's entry has stored it there.
            let pointer = unsafe { self.state.ctx.assume_init() };
            return core::ptr::with_exposed_provenance(pointer);
        }
        assert!(
            self.has_stack(),
            "cbframe: an image of the CPU has no stack: words of one are given to a call beside it"
        );
        core::ptr::from_ref(self).cast::<u8>().wrapping_add(offset_of!(CpuState, rip))
    }

    /// Whether this lies in an entry's frame, and not in an image.
    const fn has_stack(&self) -> bool {
        self.state.present & CpuState::IMAGE == 0
    }

    /// The words of the stack from there on; `None` in an image.
    pub(super) fn stack(&self) -> Option<[u64; 8]> {
        if !self.has_stack() {
            return None;
        }
        // A hook's stack may have any alignment.
        let words = self.stack_pointer().cast::<[u8; 8]>();
        // SAFETY: the state is in an entry's frame. Eight words above it belong to the caller's frame or to those of its
        // callers: every stack ends in more than that.
        Some(core::array::from_fn(|i| u64::from_le_bytes(unsafe { words.add(i).read_volatile() })))
    }
}

/// Where vector register `number` lies, if it was saved. The address may be written through if that of the state may.
#[inline]
fn vector(state: *const CpuState, number: usize) -> *const u8 {
    // SAFETY: the callers have a reference.
    let present = unsafe { (*state).present };
    if present & Group::Avx.bit() != 0 {
        vectors_top(state).wrapping_sub(64 * (number + 1))
    } else {
        state.cast::<u8>().wrapping_add(CpuState::XMM + size_of::<Xmm>() * number)
    }
}

/// Where opmask register `number` lies, if it was saved: behind the last vector register.
#[inline]
#[track_caller]
fn mask(state: *const CpuState, number: usize) -> *const u64 {
    assert!(number < 8, "cbframe: k{number}: the opmask registers are k0 to k7");
    vector(state, 32).cast::<u64>().wrapping_add(number)
}

/// The methods that change what was saved, for both types: `DerefMut` would borrow a whole `CpuState` before their
/// arguments are read from it.
macro_rules! changes {
    ($($name:ident $this:ident $raw:expr;)*) => { $(
        impl $name {
            #[inline]
            fn raw_mut(&mut self) -> &mut CpuState {
                let $this = self;
                $raw
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
                self.raw_mut().rflags.write(value);
                self.raw_mut().present |= CpuState::CHANGED_FLAGS;
            }

            /// `xmm{number}`, to be changed; `None` without `save(sse)` or the register itself.
            ///
            /// # Panics
            ///
            /// If `number` is above 15.
            #[inline]
            #[track_caller]
            pub fn xmm_mut(&mut self, number: usize) -> Option<&mut Xmm> {
                assert!(number < 16, "cbframe: xmm{number}: the vector registers are xmm0 to xmm15");
                self.raw_mut().present |= CpuState::CHANGED_XMM;
                // SAFETY: as for `xmm`; `self` is borrowed exclusively.
                self.saves(Register::Vector(number as u8)).then(|| unsafe { &mut *vector(self.raw_mut(), number).cast_mut().cast() })
            }

            /// `ymm{number}`, to be changed; `None` without `save(avx)`, and where the CPU has no AVX.
            ///
            /// # Panics
            ///
            /// If `number` is above 15.
            #[inline]
            #[track_caller]
            pub fn ymm_mut(&mut self, number: usize) -> Option<&mut Ymm> {
                assert!(number < 16, "cbframe: ymm{number}: AVX has ymm0 to ymm15");
                // SAFETY: as for `xmm_mut`.
                self.has(Group::Avx).then(|| unsafe { &mut *vector(self.raw_mut(), number).cast_mut().cast() })
            }

            /// `zmm{number}`, to be changed; `None` without `save(avx512)`, and where the CPU has no AVX-512 (F and BW).
            ///
            /// # Panics
            ///
            /// If `number` is above 31.
            #[inline]
            #[track_caller]
            pub fn zmm_mut(&mut self, number: usize) -> Option<&mut Zmm> {
                assert!(number < 32, "cbframe: zmm{number}: AVX-512 has zmm0 to zmm31");
                // SAFETY: as for `xmm_mut`.
                self.has(Group::Avx512).then(|| unsafe { &mut *vector(self.raw_mut(), number).cast_mut().cast() })
            }

            /// Changes the opmask register `k{number}`.
            ///
            /// # Panics
            ///
            /// If `number` is above 7, and where [`opmask`](CpuSubset::opmask) is `None`.
            #[inline]
            #[track_caller]
            pub fn set_opmask(&mut self, number: usize, value: u64) {
                let mask = mask(self.raw_mut(), number).cast_mut();
                assert!(
                    self.has(Group::Avx512),
                    "cbframe: this callback does not save the opmask registers: add `avx512` to `save(…)`, and ask `opmask` whether the CPU has them"
                );
                // SAFETY: as for `xmm_mut`.
                unsafe { mask.write(value) }
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
                self.raw_mut().mxcsr.write(value);
            }

            /// The state of the x87 unit, to be changed; `None` without `save(x87)`.
            #[inline]
            pub fn x87_mut(&mut self) -> Option<&mut Fxsave> {
                let area = core::ptr::from_mut(self).cast::<Fxsave>().wrapping_sub(1);
                // SAFETY: as for `x87`; `self` is borrowed exclusively.
                self.has(Group::X87).then(|| unsafe { &mut *area })
            }
        }
    )* };
}

changes! {
    CpuState this this;
    CpuSubset this &mut this.state;
}

const _: () = {
    // What the captured entry calls them (`__cbframe_names`).
    assert!(offset_of!(CpuState, xmm) == 48 && offset_of!(CpuState, rax) == 304 && offset_of!(CpuState, rsp) == 328);
    assert!(offset_of!(CpuState, mxcsr) == 384 && offset_of!(CpuState, present) == 388);
    assert!(
        offset_of!(CpuState, registers) == 392
            && offset_of!(CpuState, rbx) == 312
            && offset_of!(CpuState, rflags) == 408
            && offset_of!(CpuState, rip) == 424
    );
    assert!(Group::Gpr.bit() == 1 && Group::Flags.bit() == 2 && Group::Sse.bit() == 4 && Group::X87.bit() == 8);
    assert!(Group::Avx.bit() == 16 && Group::Avx512.bit() == 32 && CpuState::SINGLE == 128);
    assert!(CpuState::CHANGED_XMM == 0x100 && CpuState::CHANGED_FLAGS == 0x200);
    // The last words are those that are on the stack at the entry.
    assert!(size_of::<CpuState>() == 432 && offset_of!(CpuState, ctx) == 416);
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
