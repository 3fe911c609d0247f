//! The registers at entry, readable and writable.

use core::mem::{MaybeUninit, offset_of};
use core::ops::Deref;

use super::capture::{Capture, Group, Registers};
use super::simd::F;
use crate::arch::Word;

/// The registers of the CPU at the moment a callback was called. What a handler changes is in the registers when the callback
/// returns.
///
/// A callback gets one as its only parameter with `abi = "raw"`, and with `#[cpu]` beside the parameters of a signature. The
/// option `save(…)` says which registers it has, by groups and one by one:
///
/// | group | registers | reached through |
/// | --- | --- | --- |
/// | `gpr` | x1 to x31, pc | the public fields, [`x`](CpuSubset::x), [`set_x`](Self::set_x) |
/// | `fpr` | f0 to f31, fcsr | [`f`](CpuSubset::f), [`f_mut`](Self::f_mut), [`fcsr`](CpuSubset::fcsr), [`set_fcsr`](Self::set_fcsr) |
///
/// The default is `save(gpr, fpr)`. Without `gpr` the type is [`CpuSubset`], which has the methods and not the fields: a field
/// whose register was not saved would have to hold something. Registers that are not saved are left to the callback's calling
/// convention (for `"raw"` LP64D): those it preserves are preserved, others are clobbered. Vector registers are not saved, and
/// functions of LP64D do not preserve them. The entry's frame has 624 bytes.
///
/// Registers have their numbers here: `x[10]` is a0. The stack pointer is `x[2]`. t0 and t2, `x[5]` and `x[7]`, are not as the
/// caller left them and are not given back: they carry nothing at a call, and stubs change them. Nor are gp and tp, `x[3]` and
/// `x[4]`, given back, which belong to the platform and to the thread. `x[0]` is 0, and stays so.
///
/// A narrow integer is extended to 64 bits where it is an argument or a result: with its sign, and with that of its 32 bits if
/// it is unsigned and has these. So a result of type `u32` is `cpu.set_x(10, result as i32)`. A float narrower than a register
/// has ones above it: see [`F`].
///
/// `pc` is where execution goes on: at first the return address, which `x[1]` is too. On return the stack pointer becomes
/// `x[2]`, at first what it was at the call. It must stay a multiple of 16, and must not become smaller: the entry's own frame
/// lies there. A state stays where the entry made it: to exchange the contents of two (`mem::swap`) is to change every register
/// of both, and only right between callbacks that save the same registers.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, cbframe};
///
/// /// Takes an `int` in a0, returns its square there.
/// #[cbframe(abi = "raw", save(gpr))]
/// fn square(cpu: &mut CpuState) {
///     let x = cpu.x[10] as i32;
///     cpu.set_x(10, x * x);
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(12), 144);
/// ```
#[repr(C, align(16))]
pub struct CpuState {
    /// x0 to x31: arguments and results begin at x10, which is called a0; x1 is the return address, x2 the stack pointer, x8 the
    /// frame pointer.
    pub x: [u64; 32],
    f: MaybeUninit<[F; 32]>,
    /// Where execution goes on.
    pub pc: u64,
    fcsr: MaybeUninit<u64>,
    /// The groups that are there, as [`Group::bit`]s, and [`CpuState::SINGLE`].
    present: u32,
    unused: MaybeUninit<u32>,
    /// With `SINGLE`: the registers that were saved one by one.
    registers: MaybeUninit<Registers>,
    /// What a0 to a7 held, for lists of arguments: those on the stack follow.
    spill: MaybeUninit<[u64; 8]>,
}

impl CpuState {
    /// In `present`: some registers were saved one by one.
    pub(super) const SINGLE: u32 = 1 << 7;
    /// In `present`: in a [`CpuImage`](super::CpuImage), with no stack above it.
    const IMAGE: u32 = 1 << 10;
    /// In `present`: what an image has.
    const ALL: u32 = Group::Gpr.bit() | Group::Fpr.bit() | Self::IMAGE;
    /// The offset of f0; the others follow.
    pub(super) const F: usize = offset_of!(Self, f);
    /// The offset of what a0 held, below the arguments on the stack.
    pub(super) const SPILL: usize = offset_of!(Self, spill);

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
            x: [0; 32],
            f: MaybeUninit::new([F { bytes: [0; 8] }; 32]),
            pc: 0,
            fcsr: MaybeUninit::new(0),
            present: Self::ALL,
            unused: MaybeUninit::new(0),
            registers: MaybeUninit::new(0),
            spill: MaybeUninit::uninit(),
        }
    }

    /// Takes what `other` has of the registers that this, the state of an image, has.
    pub(super) fn copy_from(&mut self, other: &CpuSubset) {
        for number in 1..32 {
            if let Some(value) = other.x(number) {
                self.set_x(number, value);
            }
        }
        for number in 0..32 {
            if let (Some(to), Some(from)) = (self.f_mut(number), other.f(number)) {
                *to = *from;
            }
        }
        if let Some(fcsr) = other.fcsr() {
            self.fcsr.write(fcsr);
        }
        self.pc = other.pc();
        self.present = Self::IMAGE | other.state.present & (Self::ALL | Self::SINGLE);
        self.registers = other.state.registers;
    }

    /// Changes x`number`: `cpu.set_x(10, -1_i32)`.
    ///
    /// # Panics
    ///
    /// If `number` is above 31.
    #[inline]
    #[track_caller]
    pub fn set_x(&mut self, number: usize, value: impl Into<Word>) {
        self.x[number] = value.into().0;
    }
}

/// The registers that were saved, where that is not the whole of `gpr`: what `save(fpr)` gives.
///
/// [`CpuState`] dereferences to it, so the methods are those of both. What was not saved is `None`, and cannot be changed: it
/// is the callback's calling convention that says what becomes of it. `pc` is always there.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuSubset, cbframe};
///
/// /// Takes a `double` in fa0, returns its square there.
/// #[cbframe(abi = "raw", save(fpr))]
/// fn square(cpu: &mut CpuSubset) {
///     let x = cpu.f(10).expect("saved").f64(0);
///     cpu.f_mut(10).expect("saved").set_f64(0, x * x);
///     assert!(cpu.x(10).is_none());
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(f64) -> f64 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(-1.5), 2.25);
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
    /// If `number` is above 31.
    #[inline]
    #[track_caller]
    pub fn x(&self, number: usize) -> Option<Word> {
        assert!(number < 32, "cbframe: x{number}: the general registers are x0 to x31");
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
        self.has(Group::Gpr).then_some(self.state.x[2])
    }

    /// `f{number}`; `None` without `save(fpr)`.
    ///
    /// # Panics
    ///
    /// If `number` is above 31.
    #[inline]
    #[track_caller]
    pub fn f(&self, number: usize) -> Option<&F> {
        assert!(number < 32, "cbframe: f{number}: the floating-point registers are f0 to f31");
        let registers = self.state.f.as_ptr().cast::<F>();
        // SAFETY: an entry that saves the register has stored it there.
        self.saves(Group::Fpr, 1 << (32 + number)).then(|| unsafe { &*registers.add(number) })
    }

    /// The control and status register of floating point: the rounding mode in bits 5 to 7, flags of exceptions below; `None`
    /// without `save(fpr)`.
    #[inline]
    pub fn fcsr(&self) -> Option<u64> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Fpr).then(|| unsafe { self.state.fcsr.assume_init() })
    }
}

/// What changes registers, for both types: through `DerefMut` what is written could not be made of what is read.
macro_rules! changes {
    ($($ty:ident $this:ident $state:expr;)*) => { $(
        impl $ty {
            /// `f{number}`, to be changed; `None` without `save(fpr)`.
            ///
            /// # Panics
            ///
            /// If `number` is above 31.
            #[inline]
            #[track_caller]
            pub fn f_mut(&mut self, number: usize) -> Option<&mut F> {
                self.f(number)?;
                let $this = self;
                let registers = $state.f.as_mut_ptr().cast::<F>();
                // SAFETY: as for `f`; `self` is borrowed exclusively.
                Some(unsafe { &mut *registers.add(number) })
            }

            /// Changes the control and status register of floating point.
            ///
            /// # Panics
            ///
            /// Without `save(fpr)`.
            #[inline]
            #[track_caller]
            pub fn set_fcsr(&mut self, value: u64) {
                assert!(self.has(Group::Fpr), "cbframe: this callback does not save fcsr: add `fpr` to `save(…)`");
                let $this = self;
                $state.fcsr.write(value);
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
    assert!(offset_of!(CpuState, x) == 0 && CpuState::F == 256 && offset_of!(CpuState, pc) == 512);
    assert!(offset_of!(CpuState, fcsr) == 520 && offset_of!(CpuState, present) == 528);
    assert!(offset_of!(CpuState, registers) == 536 && CpuState::SPILL == 544 && size_of::<CpuState>() == 608);
    assert!(Group::Gpr.bit() == 1 && Group::Fpr.bit() == 2 && CpuState::SINGLE == 128);
};
