//! The registers at entry, readable and writable.

use core::mem::{MaybeUninit, offset_of};
use core::ops::Deref;

use super::capture::{Capture, Group, Registers};
use super::simd::V;
use crate::arch::Word;

/// The registers of the CPU at the moment a callback was called. What a handler changes is in the registers when the callback
/// returns.
///
/// A callback gets one as its only parameter with `abi = "raw"`, and with `#[cpu]` beside the parameters of a signature. The
/// option `save(…)` says which registers it has, by groups and one by one:
///
/// | group | registers | reached through |
/// | --- | --- | --- |
/// | `gpr` | x0 to x30, sp, pc | the public fields, [`x`](CpuSubset::x), [`set_x`](Self::set_x) |
/// | `flags` | NZCV | [`nzcv`](CpuSubset::nzcv), [`set_nzcv`](Self::set_nzcv) |
/// | `simd` | v0 to v31, FPCR, FPSR | [`v`](CpuSubset::v), [`v_mut`](Self::v_mut), [`fpcr`](CpuSubset::fpcr), [`set_fpcr`](Self::set_fpcr), [`fpsr`](CpuSubset::fpsr), [`set_fpsr`](Self::set_fpsr) |
/// | `x0`, `v3`, … | that register | [`x`](CpuSubset::x), [`v`](CpuSubset::v) |
///
/// The default is `save(gpr, flags, simd)`, and with `abi = "custom"` these are always there. Without `gpr` the type is
/// [`CpuSubset`], which has the methods and not the fields: a field whose register was not saved would have to hold something.
/// Registers that are not saved are left to the callback's calling convention (for `"raw"` the AAPCS64): those it preserves are
/// preserved, others are clobbered. Vector registers are those of Advanced SIMD; what SVE has above them is not saved, and
/// functions of the AAPCS64 do not preserve it. The entry's frame has 832 bytes.
///
/// x16 and x17 are not as the caller left them, and are not given back: any call may change them (AAPCS64, section 6.1.1), as
/// linkers' veneers do, and stubs.
///
/// `pc` is where execution goes on: at first the return address, which `x[30]` is too. On return the stack pointer becomes
/// `sp`, at first what it was at the call. It must stay a multiple of 16, and must not become smaller: the entry's own frame
/// lies there. A state stays where the entry made it: to exchange the contents of two (`mem::swap`) is to change every register
/// of both, and only right between callbacks that save the same registers.
///
/// Where a guarded control stack is enabled (FEAT_GCS), `ret` compares `pc` with the CPU's own copy of the return address and
/// raises an exception if it is another.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, cbframe};
///
/// /// Takes an `int` in w0, returns its square in w0.
/// #[cbframe(abi = "raw", save(gpr))]
/// fn square(cpu: &mut CpuState) {
///     let x = cpu.x[0] as i32;
///     cpu.x[0] = (x * x) as u64;
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(12), 144);
/// ```
#[repr(C, align(16))]
pub struct CpuState {
    /// x0 to x30: arguments and results begin at x0; x8 is where a result in memory is to go, x29 the frame pointer, x30 the
    /// return address.
    pub x: [u64; 31],
    /// The stack pointer.
    pub sp: u64,
    v: MaybeUninit<[V; 32]>,
    /// Where execution goes on.
    pub pc: u64,
    nzcv: MaybeUninit<u64>,
    fpcr: MaybeUninit<u64>,
    fpsr: MaybeUninit<u64>,
    /// The groups that are there, as [`Group::bit`]s, and [`CpuState::SINGLE`].
    present: u32,
    unused: MaybeUninit<u32>,
    /// With `SINGLE`: the registers that were saved one by one.
    registers: MaybeUninit<Registers>,
}

impl CpuState {
    /// In `present`: some registers were saved one by one.
    pub(super) const SINGLE: u32 = 1 << 7;
    /// In `present`: in a [`CpuImage`](super::CpuImage), with no stack above it.
    const IMAGE: u32 = 1 << 10;
    /// In `present`: what an image has.
    const ALL: u32 = Group::Gpr.bit() | Group::Flags.bit() | Group::Simd.bit() | Self::IMAGE;
    /// The offset of v0; the others follow.
    pub(super) const V: usize = offset_of!(Self, v);

    /// Lets the compiler know what the entry of `capture` has noted, so that what asks for it costs nothing.
    ///
    /// # Safety
    ///
    /// The state is of that entry, and no handler has had it.
    #[inline(always)]
    #[doc(hidden)]
    pub unsafe fn assume(this: *const Self, capture: Capture) {
        // SAFETY: the entry has stored both.
        unsafe {
            core::hint::assert_unchecked((*this).present == capture.present());
            if capture.all_singles() != 0 {
                core::hint::assert_unchecked((*this).registers.assume_init() == capture.all_singles());
            }
        }
    }

    /// All that the state of an image can have is there.
    pub(super) const fn complete(&mut self) {
        self.present = Self::ALL;
    }

    /// Notes that these registers, a sum of [`register_bit`](super::register_bit)s, are there and nothing else: an entry has
    /// stored them and noted nothing.
    ///
    /// # Safety
    ///
    /// It has, and the state is its own.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn show(this: *mut Self, registers: Registers) {
        // SAFETY: the caller's promise. The word below the state is the return address: see the captured entry.
        unsafe {
            (&raw mut (*this).pc).write(this.cast::<u64>().sub(1).read());
            (&raw mut (*this).present).write(Self::SINGLE);
            (&raw mut (*this).registers).write(MaybeUninit::new(registers));
        }
    }

    /// The state of an image: registers of 0, and the modes that a process starts with.
    pub(super) const fn image() -> Self {
        Self {
            x: [0; 31],
            sp: 0,
            v: MaybeUninit::new([V { bytes: [0; 16] }; 32]),
            pc: 0,
            nzcv: MaybeUninit::new(0),
            fpcr: MaybeUninit::new(0),
            fpsr: MaybeUninit::new(0),
            present: Self::ALL,
            unused: MaybeUninit::new(0),
            registers: MaybeUninit::new(0),
        }
    }

    /// Takes what `other` has of the registers that this, the state of an image, has.
    pub(super) fn copy_from(&mut self, other: &CpuSubset) {
        for number in 0..31 {
            if let Some(value) = other.x(number) {
                self.set_x(number, value);
            }
        }
        for number in 0..32 {
            if let (Some(to), Some(from)) = (self.v_mut(number), other.v(number)) {
                *to = *from;
            }
        }
        if let Some(nzcv) = other.nzcv() {
            self.set_nzcv(nzcv);
        }
        if let (Some(fpcr), Some(fpsr)) = (other.fpcr(), other.fpsr()) {
            self.fpcr.write(fpcr);
            self.fpsr.write(fpsr);
        }
        self.pc = other.pc();
        if other.has(Group::Gpr) {
            self.sp = other.state.sp;
        }
        self.present = Self::IMAGE | other.state.present & (Self::ALL | Self::SINGLE);
        self.registers = other.state.registers;
    }

    /// Changes x`number`: `cpu.set_x(0, -1_i32)`.
    ///
    /// # Panics
    ///
    /// If `number` is above 30.
    #[inline]
    #[track_caller]
    pub fn set_x(&mut self, number: usize, value: impl Into<Word>) {
        self.x[number] = value.into().0;
    }
}

/// The registers that were saved, where that is not the whole of `gpr`: what `save(x0, v0)` gives.
///
/// [`CpuState`] dereferences to it, so the methods are those of both. What was not saved is `None`, and cannot be changed: it
/// is the callback's calling convention that says what becomes of it. `pc` is always there, and sp cannot be changed:
/// `save(gpr)` lets a handler do that.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuSubset, cbframe};
///
/// /// Takes an `int` in w0, returns its square in w0.
/// #[cbframe(abi = "raw", save(x0))]
/// fn square(cpu: &mut CpuSubset) {
///     let x = cpu.x(0).expect("saved").i32();
///     cpu.set_x(0, x * x);
///     assert!(cpu.x(1).is_none() && cpu.v(0).is_none());
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
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

    /// Whether the register with this bit, one of `group`, was saved.
    #[inline]
    const fn saves(&self, group: Group, bit: Registers) -> bool {
        self.has(group)
            || self.state.present & CpuState::SINGLE != 0
                // SAFETY: an entry that sets `SINGLE` has stored them.
                && unsafe { self.state.registers.assume_init() } & bit != 0
    }

    /// x`number`; `None` if it was not saved.
    ///
    /// # Panics
    ///
    /// If `number` is above 30.
    #[inline]
    #[track_caller]
    pub fn x(&self, number: usize) -> Option<Word> {
        assert!(number < 31, "cbframe: x{number}: the general registers are x0 to x30");
        self.saves(Group::Gpr, 1 << number).then(|| Word(self.state.x[number]))
    }

    /// Changes x`number`.
    ///
    /// # Panics
    ///
    /// If it was not saved.
    #[inline]
    #[track_caller]
    pub fn set_x(&mut self, number: usize, value: impl Into<Word>) {
        assert!(self.x(number).is_some(), "cbframe: this callback does not save x{number}: add it to `save(…)`");
        self.state.set_x(number, value);
    }

    /// Where execution goes on: the return address.
    #[inline]
    pub const fn pc(&self) -> u64 {
        self.state.pc
    }

    /// Changes where execution goes on. See [`CpuState`] for what that asks for.
    #[inline]
    pub const fn set_pc(&mut self, address: u64) {
        self.state.pc = address;
    }

    /// The stack pointer at the call: there the caller's arguments on the stack begin.
    pub(super) fn stack_pointer(&self) -> *const u8 {
        assert!(
            self.has_stack(),
            "cbframe: an image of the CPU has no stack: words of one are given to a call beside it"
        );
        core::ptr::from_ref(&self.state).wrapping_add(1).cast()
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
        let words = self.stack_pointer().cast::<u64>();
        // SAFETY: the state is in an entry's frame. Eight words above it belong to the caller's frame or to those of its
        // callers: every stack ends in more than that.
        Some(core::array::from_fn(|i| unsafe { words.add(i).read_volatile() }))
    }

    /// The stack pointer, as the callback is to leave it; `None` without `save(gpr)`.
    #[inline]
    pub fn sp(&self) -> Option<u64> {
        self.has(Group::Gpr).then_some(self.state.sp)
    }

    /// The condition flags, in bits 28 to 31 as `mrs` reads them; `None` without `save(flags)`.
    #[inline]
    pub fn nzcv(&self) -> Option<u64> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Flags).then(|| unsafe { self.state.nzcv.assume_init() })
    }

    /// `v{number}`; `None` without `save(simd)` or the register itself.
    ///
    /// # Panics
    ///
    /// If `number` is above 31.
    #[inline]
    #[track_caller]
    pub fn v(&self, number: usize) -> Option<&V> {
        assert!(number < 32, "cbframe: v{number}: the vector registers are v0 to v31");
        let registers = self.state.v.as_ptr().cast::<V>();
        // SAFETY: an entry that saves the register has stored it there.
        self.saves(Group::Simd, 1 << (32 + number)).then(|| unsafe { &*registers.add(number) })
    }

    /// The control register of floating point; `None` without `save(simd)`.
    #[inline]
    pub fn fpcr(&self) -> Option<u64> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Simd).then(|| unsafe { self.state.fpcr.assume_init() })
    }

    /// The status register of floating point; `None` without `save(simd)`.
    #[inline]
    pub fn fpsr(&self) -> Option<u64> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Simd).then(|| unsafe { self.state.fpsr.assume_init() })
    }
}

/// What changes registers, for both types: through `DerefMut` what is written could not be made of what is read.
macro_rules! changes {
    ($($ty:ident $this:ident $state:expr;)*) => { $(
        impl $ty {
            /// Changes the condition flags: bits 28 to 31.
            ///
            /// # Panics
            ///
            /// Without `save(flags)`.
            #[inline]
            #[track_caller]
            pub fn set_nzcv(&mut self, value: u64) {
                assert!(self.has(Group::Flags), "cbframe: this callback does not save the flags: add `flags` to `save(…)`");
                let $this = self;
                $state.nzcv.write(value);
            }

            /// `v{number}`, to be changed; `None` without `save(simd)` or the register itself.
            ///
            /// # Panics
            ///
            /// If `number` is above 31.
            #[inline]
            #[track_caller]
            pub fn v_mut(&mut self, number: usize) -> Option<&mut V> {
                self.v(number)?;
                let $this = self;
                let registers = $state.v.as_mut_ptr().cast::<V>();
                // SAFETY: as for `v`; `self` is borrowed exclusively.
                Some(unsafe { &mut *registers.add(number) })
            }

            /// Changes the control register of floating point. What its bits do depends on the CPU.
            ///
            /// # Panics
            ///
            /// Without `save(simd)`.
            #[inline]
            #[track_caller]
            pub fn set_fpcr(&mut self, value: u64) {
                assert!(self.has(Group::Simd), "cbframe: this callback does not save fpcr: add `simd` to `save(…)`");
                let $this = self;
                $state.fpcr.write(value);
            }

            /// Changes the status register of floating point.
            ///
            /// # Panics
            ///
            /// Without `save(simd)`.
            #[inline]
            #[track_caller]
            pub fn set_fpsr(&mut self, value: u64) {
                assert!(self.has(Group::Simd), "cbframe: this callback does not save fpsr: add `simd` to `save(…)`");
                let $this = self;
                $state.fpsr.write(value);
            }
        }
    )* };
}

changes! {
    CpuState this this;
    CpuSubset this this.state;
}

const _: () = {
    // What the captured entry calls them (`__cbframe_names`).
    assert!(offset_of!(CpuState, x) == 0 && offset_of!(CpuState, sp) == 248 && offset_of!(CpuState, v) == 256);
    assert!(offset_of!(CpuState, pc) == 768 && offset_of!(CpuState, nzcv) == 776 && offset_of!(CpuState, fpcr) == 784);
    assert!(offset_of!(CpuState, fpsr) == 792 && offset_of!(CpuState, present) == 800);
    assert!(offset_of!(CpuState, registers) == 808 && size_of::<CpuState>() == 816);
    assert!(Group::Gpr.bit() == 1 && Group::Flags.bit() == 2 && Group::Simd.bit() == 4 && CpuState::SINGLE == 128);
};
