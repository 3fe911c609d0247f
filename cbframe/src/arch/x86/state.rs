//! The registers at entry, readable and writable.

use core::mem::{MaybeUninit, offset_of};
use core::ops::Deref;

use super::capture::{Capture, Group, Registers, register_bit};
use super::registers::Gpr;
use super::simd::Xmm;
use crate::abi::Register;
use crate::arch::Word;
use crate::arch::intel::Fxsave;

/// The registers of the CPU at the moment a callback was called. What a handler changes is in the registers when the callback
/// returns.
///
/// A callback gets one as its only parameter with `abi = "raw"`, and with `#[cpu]` beside the parameters of a signature. The
/// option `save(…)` says which registers it has, by groups and one by one:
///
/// | group | registers | reached through |
/// | --- | --- | --- |
/// | `gpr` | the 8 general registers and eip | the public fields, [`gpr`](Self::gpr), [`set_gpr`](Self::set_gpr) |
/// | `flags` | eflags | [`eflags`](CpuSubset::eflags), [`set_eflags`](CpuSubset::set_eflags) |
/// | `sse` | xmm0 to xmm7, mxcsr | [`xmm`](CpuSubset::xmm), [`xmm_mut`](CpuSubset::xmm_mut), [`mxcsr`](CpuSubset::mxcsr), [`set_mxcsr`](CpuSubset::set_mxcsr) |
/// | `x87` | what `FXSAVE` stores of the x87 unit | [`x87`](CpuSubset::x87), [`x87_mut`](CpuSubset::x87_mut) |
/// | `eax`, `xmm3`, … | that register | [`gpr`](CpuSubset::gpr), [`xmm`](CpuSubset::xmm) |
///
/// The default is `save(gpr, flags, sse)`. Without `gpr` the type is [`CpuSubset`], which has the methods and not the fields: a
/// field whose register was not saved would have to hold something. Registers that are not saved are left to the callback's
/// calling convention (for `"raw"` cdecl): those it preserves are preserved, others are clobbered. The entry's frame has 200
/// bytes, with `x87` 512 more.
///
/// `eip` is the return address and `esp` the address of the word that held it. On return `esp` becomes `cpu.esp + 4` (and as much
/// more as the convention pops) and execution goes on at `cpu.eip`; the word at `cpu.esp` is overwritten with `cpu.eip`, and what
/// is below it with what the entry needs. So a handler that adds 8 to `esp` has popped two words of arguments, and one that writes
/// `eip` resumes elsewhere. `esp` must not become smaller: the entry's own frame lies there. A state stays where the entry made it:
/// to exchange the contents of two (`mem::swap`) is to change every register of both, and only right between callbacks that save
/// the same registers.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuState, cbframe};
///
/// /// Takes an `int` on the stack, returns its square in eax.
/// #[cbframe(abi = "raw", save(gpr))]
/// fn square(cpu: &mut CpuState) {
///     // SAFETY: this callback is called with one word.
///     let x = unsafe { cpu.stack_word(1) }.i32();
///     cpu.eax = (x * x) as u32;
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
/// assert_eq!(f(12), 144);
/// ```
#[repr(C)]
pub struct CpuState {
    /// ecx: fastcall's and thiscall's first word.
    pub ecx: u32,
    /// edx: also the upper half of an 8-byte integer result.
    pub edx: u32,
    /// ebx.
    pub ebx: u32,
    /// esp: the address of the word that held the return address.
    pub esp: u32,
    /// ebp.
    pub ebp: u32,
    /// esi.
    pub esi: u32,
    /// edi.
    pub edi: u32,
    mxcsr: MaybeUninit<u32>,
    xmm: MaybeUninit<[Xmm; 8]>,
    /// A result in st(0).
    st: MaybeUninit<[u32; 4]>,
    /// The groups that are there, as [`Group::bit`]s, and [`CpuState::SINGLE`].
    present: u32,
    /// With `SINGLE`: the registers that were saved one by one, as [`register_bit`]s.
    registers: MaybeUninit<Registers>,
    unused: MaybeUninit<u32>,
    eflags: MaybeUninit<u32>,
    /// eax: where integer results go.
    pub eax: u32,
    /// eip: where execution goes on; the return address, in the very word that the caller pushed.
    pub eip: u32,
}

impl CpuState {
    /// In `present`: some registers were saved one by one.
    pub(super) const SINGLE: u32 = 1 << 7;
    /// In `present`: in a [`CpuImage`](super::CpuImage), with no stack above it.
    const IMAGE: u32 = 1 << 10;
    /// In `present`: what an image has.
    const ALL: u32 = Group::Gpr.bit() | Group::Flags.bit() | Group::Sse.bit() | Group::X87.bit() | Self::IMAGE;
    /// The offset of xmm0; the others follow.
    pub(super) const XMM: usize = offset_of!(Self, xmm);
    /// The offset of a result in st(0).
    pub(super) const ST: usize = offset_of!(Self, st);

    /// The offset of the general register that instructions encode as `number`.
    pub(super) const fn integer(number: u8) -> usize {
        if number == 0 { offset_of!(Self, eax) } else { 4 * (number as usize - 1) }
    }

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
            if capture.singles() != 0 {
                core::hint::assert_unchecked((*this).registers.assume_init() == capture.singles());
            }
        }
    }

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
    pub(crate) unsafe fn show(this: *mut Self, registers: Registers) {
        // SAFETY: the caller's promise.
        unsafe {
            (&raw mut (*this).present).write(Self::SINGLE);
            (&raw mut (*this).registers).write(MaybeUninit::new(registers));
        }
    }

    /// The state of an image: registers of 0.
    pub(super) const fn image(eflags: u32, mxcsr: u32) -> Self {
        Self {
            ecx: 0,
            edx: 0,
            ebx: 0,
            esp: 0,
            ebp: 0,
            esi: 0,
            edi: 0,
            mxcsr: MaybeUninit::new(mxcsr),
            xmm: MaybeUninit::new([Xmm { bytes: [0; 16] }; 8]),
            st: MaybeUninit::new([0; 4]),
            present: Self::ALL,
            registers: MaybeUninit::new(0),
            unused: MaybeUninit::new(0),
            eflags: MaybeUninit::new(eflags),
            eax: 0,
            eip: 0,
        }
    }

    /// Takes what `other` has of the registers that this, the state of an image, has; the x87 unit is not among them.
    pub(super) fn copy_from(&mut self, other: &CpuSubset) {
        for register in Gpr::ALL {
            if let Some(value) = other.gpr(register) {
                self.set_gpr(register, value);
            }
        }
        for number in 0..8 {
            if let (Some(to), Some(from)) = (self.xmm_mut(number), other.xmm(number)) {
                *to = *from;
            }
        }
        if let Some(eflags) = other.eflags() {
            self.set_eflags(eflags);
        }
        if let Some(mxcsr) = other.mxcsr() {
            self.set_mxcsr(mxcsr);
        }
        self.eip = other.eip();
        self.present = Self::IMAGE | other.state.present & (Self::ALL | Self::SINGLE);
        self.registers = other.state.registers;
    }

    /// The general register `register`.
    #[inline]
    pub fn gpr(&self, register: Gpr) -> Word {
        // SAFETY: the offset is that of a field of this type.
        Word(unsafe { core::ptr::from_ref(self).byte_add(Self::integer(register as u8)).cast::<u32>().read() })
    }

    /// Changes the general register `register`: `cpu.set_gpr(Gpr::Eax, -1_i32)`.
    #[inline]
    pub fn set_gpr(&mut self, register: Gpr, value: impl Into<Word>) {
        // SAFETY: the offset is that of a field of this type.
        unsafe { core::ptr::from_mut(self).byte_add(Self::integer(register as u8)).cast::<u32>().write(value.into().0) }
    }
}

/// The registers that were saved, where that is not the whole of `gpr`: what `save(ecx, xmm0)` gives.
///
/// [`CpuState`] dereferences to it, so the methods are those of both. What was not saved is `None`, and cannot be changed: it
/// is the callback's calling convention that says what becomes of it. `eip` is always there, and esp is not: `save(gpr)` lets a
/// handler change it.
///
/// # Examples
///
/// ```
/// use cbframe::{CpuSubset, Gpr, cbframe};
///
/// /// Takes an `int` in ecx, returns its square in eax.
/// #[cbframe(abi = "raw", save(ecx, eax))]
/// fn square(cpu: &mut CpuSubset) {
///     let x = cpu.gpr(Gpr::Ecx).expect("saved").i32();
///     cpu.set_gpr(Gpr::Eax, x * x);
///     assert!(cpu.gpr(Gpr::Edx).is_none() && cpu.xmm(0).is_none());
/// }
///
/// // SAFETY: the pointer type says what the handler expects.
/// let f: extern "fastcall" fn(i32) -> i32 = unsafe { std::mem::transmute(square::FN) };
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
    pub const fn eip(&self) -> u32 {
        self.state.eip
    }

    /// Changes where execution goes on. See [`CpuState`] for what that asks for.
    #[inline]
    pub const fn set_eip(&mut self, address: u32) {
        self.state.eip = address;
    }

    /// The flags, as `pushfd` stores them; `None` without `save(flags)`.
    #[inline]
    pub fn eflags(&self) -> Option<u32> {
        // SAFETY: an entry that saves the group has stored it.
        self.has(Group::Flags).then(|| unsafe { self.state.eflags.assume_init() })
    }

    /// `xmm{number}`; `None` without `save(sse)` or the register itself.
    ///
    /// # Panics
    ///
    /// If `number` is above 7.
    #[inline]
    #[track_caller]
    pub fn xmm(&self, number: usize) -> Option<&Xmm> {
        assert!(number < 8, "cbframe: xmm{number}: the vector registers are xmm0 to xmm7");
        let registers = self.state.xmm.as_ptr().cast::<Xmm>();
        // SAFETY: an entry that saves the register has stored it there.
        self.saves(Register::Vector(number as u8)).then(|| unsafe { &*registers.add(number) })
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
        let area = fxsave(core::ptr::from_ref(self).cast());
        // SAFETY: an entry that saves the group has the area there, in the same frame, and so has an image; it is reached through
        // `self` only.
        self.has(Group::X87).then(|| unsafe { &*area })
    }

    /// The stack pointer at the call, where the return address lies.
    pub(super) fn stack_pointer(&self) -> *const u8 {
        assert!(
            self.has_stack(),
            "cbframe: an image of the CPU has no stack: words of one are given to a call beside it"
        );
        core::ptr::from_ref(self).cast::<u8>().wrapping_add(offset_of!(CpuState, eip))
    }

    /// Whether this lies in an entry's frame, and not in an image.
    const fn has_stack(&self) -> bool {
        self.state.present & CpuState::IMAGE == 0
    }

    /// The words of the stack from there on; `None` in an image.
    pub(super) fn stack(&self) -> Option<[u32; 16]> {
        if !self.has_stack() {
            return None;
        }
        let words = self.stack_pointer().cast::<u32>();
        // SAFETY: the state is in an entry's frame. Sixteen words above it belong to the caller's frame or to those of its
        // callers: every stack ends in more than that.
        Some(core::array::from_fn(|i| unsafe { words.add(i).read_volatile() }))
    }
}

/// Where the FXSAVE area lies that belongs to a state: below it, at a multiple of 16. It may be written through if the state may.
#[inline]
fn fxsave(state: *const CpuState) -> *const Fxsave {
    state.cast::<Fxsave>().wrapping_sub(1).map_addr(|address| address & !15)
}

/// The methods that change what was saved, for both types: `DerefMut` would borrow a whole `CpuState` before their arguments are
/// read from it.
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
            pub fn set_eflags(&mut self, value: u32) {
                assert!(self.has(Group::Flags), "cbframe: this callback does not save eflags: add `flags` to `save(…)`");
                self.raw_mut().eflags.write(value);
            }

            /// `xmm{number}`, to be changed; `None` without `save(sse)` or the register itself.
            ///
            /// # Panics
            ///
            /// If `number` is above 7.
            #[inline]
            #[track_caller]
            pub fn xmm_mut(&mut self, number: usize) -> Option<&mut Xmm> {
                self.xmm(number)?;
                let registers = self.raw_mut().xmm.as_mut_ptr().cast::<Xmm>();
                // SAFETY: as for `xmm`; `self` is borrowed exclusively.
                Some(unsafe { &mut *registers.add(number) })
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
                let area = fxsave(core::ptr::from_mut(self).cast()).cast_mut();
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
    assert!(offset_of!(CpuState, esp) == 12 && offset_of!(CpuState, ebp) == 16);
    assert!(offset_of!(CpuState, esi) == 20 && offset_of!(CpuState, edi) == 24 && offset_of!(CpuState, mxcsr) == 28);
    assert!(CpuState::XMM == 32 && CpuState::ST == 160 && offset_of!(CpuState, present) == 176);
    assert!(offset_of!(CpuState, registers) == 180 && offset_of!(CpuState, eflags) == 188);
    assert!(Group::Gpr.bit() == 1 && Group::Flags.bit() == 2 && Group::Sse.bit() == 4 && Group::X87.bit() == 8);
    assert!(CpuState::SINGLE == 128);
    // The last words are those that are on the stack at the entry, and the arguments follow.
    assert!(offset_of!(CpuState, eax) == 192 && offset_of!(CpuState, eip) == 196);
    assert!(size_of::<CpuState>() == 200 && align_of::<CpuState>() == 4);
    let fields = [
        offset_of!(CpuState, eax),
        offset_of!(CpuState, ecx),
        offset_of!(CpuState, edx),
        offset_of!(CpuState, ebx),
        offset_of!(CpuState, esp),
        offset_of!(CpuState, ebp),
        offset_of!(CpuState, esi),
        offset_of!(CpuState, edi),
    ];
    let mut number = 0;
    while number < 8 {
        assert!(fields[number as usize] == CpuState::integer(number));
        number += 1;
    }
};
