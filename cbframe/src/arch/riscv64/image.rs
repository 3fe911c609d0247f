//! A state of the CPU of one's own: what a call is made with, and what it leaves.

use core::ops::{Deref, DerefMut};

use super::outgoing::{MOST, Thunk};
use super::state::{CpuState, CpuSubset};

/// A [`CpuState`] that lies in no entry's frame: made by a program to call something with it, or what such a call has left.
///
/// It has the groups `gpr` and `fpr`, or, as a copy, those of them that there were, and no stack: words of one are
/// given to a call beside it.
///
/// # Examples
///
/// ```
/// use cbframe::CpuImage;
///
/// extern "C" fn scale(x: f64, by: i64) -> f64 {
///     x * by as f64
/// }
///
/// let mut cpu = CpuImage::new();
/// cpu.x[10] = 2;
/// cpu.f_mut(10).unwrap().set_f64(0, 1.5);
/// // SAFETY: these are the registers in which the LP64D has the arguments, and none is on the stack.
/// let after = unsafe { cpu.call(scale as *const (), &[]) };
/// assert_eq!(after.f(10).unwrap().f64(0), 3.0);
/// ```
#[repr(C)]
pub struct CpuImage {
    state: CpuState,
}

impl CpuImage {
    /// Registers of 0, and the modes that a process starts with.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: CpuState::image() }
    }

    /// A copy of what a state has of the registers that images have.
    #[must_use]
    pub fn copy_of(cpu: &CpuSubset) -> Self {
        let mut image = Self::new();
        image.state.copy_from(cpu);
        image
    }

    /// The state within an image that need not be initialized.
    pub(in crate::arch) const fn state(this: *mut Self) -> *mut CpuState {
        this.cast()
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
    /// All that this state has is loaded but ra, gp, tp, t0 and t2: general and floating-point registers, and fcsr; what was not
    /// saved is as in [`CpuImage::new`]. `pc` and the stack pointer, `x[2]`, do not count. Where the
    /// stack pointer points are the words of `stack`: there the arguments begin. A handler can pass its own call on:
    /// `cpu.call(original, &[…])`.
    ///
    /// Whatever registers the function changes, the caller's are as they were afterwards, with fcsr.
    ///
    /// # Safety
    ///
    /// - What is at `address` may be called so: these are the arguments of its convention, and they are valid.
    /// - It returns, with the stack pointer as it was, and changes no more of the stack than its arguments; it does not unwind.
    ///
    /// # Panics
    ///
    /// If `stack` has more than 65472 bytes.
    #[must_use]
    pub unsafe fn call(&self, address: *const (), stack: &[u64]) -> CpuImage {
        // SAFETY: the caller's promise.
        unsafe { self.call_with(address, stack, false) }
    }

    /// The same for what may unwind: a panic, or an exception of another language, goes on in the caller.
    ///
    /// # Safety
    ///
    /// As for [`call`](Self::call), but that it may unwind, with the callee-saved registers and sp as they have to be.
    ///
    /// # Panics
    ///
    /// As for [`call`](Self::call).
    #[must_use]
    pub unsafe fn call_unwind(&self, address: *const (), stack: &[u64]) -> CpuImage {
        // SAFETY: the caller's promise.
        unsafe { self.call_with(address, stack, true) }
    }

    #[inline]
    unsafe fn call_with(&self, address: *const (), stack: &[u64], unwind: bool) -> CpuImage {
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
