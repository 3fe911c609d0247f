//! A state of the CPU of one's own: what a call is made with, and what it leaves.

use core::mem::offset_of;
use core::ops::{Deref, DerefMut};

use super::outgoing::{MOST, Thunk};
use super::state::{CpuState, CpuSubset};
use crate::arch::intel::Fxsave;

/// A [`CpuState`] that lies in no entry's frame: made by a program to call something with it, or what such a call has left.
///
/// It has the groups `gpr`, `flags`, `sse` and `x87`, or, as a copy, those of them that there were, and no stack: words of one are
/// given to a call beside it. It takes about 700 bytes.
///
/// # Examples
///
/// ```
/// use cbframe::CpuImage;
///
/// extern "fastcall" fn scale(x: i32, by: i32, plus: i32) -> i32 {
///     x * by + plus
/// }
///
/// let mut cpu = CpuImage::new();
/// cpu.ecx = 3;
/// cpu.edx = 14;
/// // SAFETY: these are the registers in which fastcall has the first two arguments, and the third is on the stack.
/// let after = unsafe { cpu.call(scale as *const (), &[1]) };
/// assert_eq!(after.eax, 43);
/// ```
#[repr(C, align(16))]
pub struct CpuImage {
    /// As below a state in an entry's frame.
    fxsave: Fxsave,
    state: CpuState,
}

// The state finds it there.
const _: () = assert!(offset_of!(CpuImage, fxsave) == 0 && offset_of!(CpuImage, state) == size_of::<Fxsave>());

impl CpuImage {
    /// The flags of a program that has just started: interrupts are enabled, and bit 1 is always set (Intel SDM volume 1,
    /// section 3.4.3).
    const EFLAGS: u32 = 0x202;
    /// Exceptions masked, rounding to nearest (psABI for Intel386, section 2.3.3).
    const MXCSR: u32 = 0x1f80;
    /// The same for the x87 unit, with 64 bits of precision.
    const CONTROL: u16 = 0x037f;

    /// General and vector registers of 0, and the modes that a process starts with.
    #[must_use]
    pub const fn new() -> Self {
        Self { fxsave: Fxsave::empty(Self::CONTROL, Self::MXCSR), state: CpuState::image(Self::EFLAGS, Self::MXCSR) }
    }

    /// A copy of what a state has of the registers that images have.
    #[must_use]
    pub fn copy_of(cpu: &CpuSubset) -> Self {
        let mut image = Self::new();
        image.state.copy_from(cpu);
        if let Some(x87) = cpu.x87() {
            image.fxsave = x87.clone();
        }
        image
    }

    /// The state within an image that need not be initialized.
    pub(in crate::arch) const fn state(this: *mut Self) -> *mut CpuState {
        this.cast::<u8>().wrapping_add(offset_of!(Self, state)).cast()
    }
}

impl Default for CpuImage {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for CpuImage {
    type Target = CpuState;

    fn deref(&self) -> &CpuState {
        &self.state
    }
}

impl DerefMut for CpuImage {
    fn deref_mut(&mut self) -> &mut CpuState {
        &mut self.state
    }
}

/// As for the state.
impl core::fmt::Debug for CpuImage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&**self, f)
    }
}

impl CpuState {
    /// Calls `address` with these registers, and gives those that the function leaves.
    ///
    /// All that this state has is loaded: general registers but esp, flags, vector registers, mxcsr and the x87 unit; what was not
    /// saved is as in [`CpuImage::new`]. `eip` and `esp` do not count. Above the return address are the words of `stack`: there the
    /// arguments begin. The stack pointer is a multiple of 64 before the call. A handler can pass its own call on:
    /// `cpu.call(original, &[…])`.
    ///
    /// Whatever registers the function changes, the caller's are as they were afterwards, with mxcsr, the x87 unit's control
    /// word and the direction flag.
    ///
    /// # Safety
    ///
    /// - What is at `address` may be called so: these are the arguments of its convention, and they are valid.
    /// - It returns, and changes no more of the stack than its arguments; it does not unwind.
    ///
    /// # Panics
    ///
    /// If `stack` has more than 65472 bytes.
    #[must_use]
    pub unsafe fn call(&self, address: *const (), stack: &[u32]) -> CpuImage {
        // SAFETY: the caller's promise.
        unsafe { self.call_with(address, stack, false) }
    }

    /// The same for what may unwind: a panic, or an exception of another language, goes on in the caller.
    ///
    /// # Safety
    ///
    /// As for [`call`](Self::call), but that it may unwind, with ebx, esi, edi, ebp and esp as they have to be.
    ///
    /// # Panics
    ///
    /// As for [`call`](Self::call).
    #[must_use]
    pub unsafe fn call_unwind(&self, address: *const (), stack: &[u32]) -> CpuImage {
        // SAFETY: the caller's promise.
        unsafe { self.call_with(address, stack, true) }
    }

    #[inline]
    unsafe fn call_with(&self, address: *const (), stack: &[u32], unwind: bool) -> CpuImage {
        assert!(
            size_of_val(stack) <= MOST,
            "cbframe: {} bytes of arguments on the stack: a call has up to {MOST}",
            size_of_val(stack)
        );
        let mut image = CpuImage::copy_of(self);
        // SAFETY: the caller's promise.
        unsafe { Thunk::whole().call(&raw mut image, address, (stack.as_ptr(), stack.len()), unwind) };
        image.state.complete();
        image
    }
}
