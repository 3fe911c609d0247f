//! Frames that live as long as a call.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use crate::frame::Frame;

/// Keeps frames until [`scope`] ends.
pub struct Scope<'env> {
    frames: RefCell<Vec<Box<dyn Kept + 'env>>>,
}

/// A frame of any type.
trait Kept {}

impl<P, C> Kept for Frame<'_, P, C> {}

/// Runs `run` with a scope that keeps frames, and drops them when `run` has returned or panicked, the last one first.
///
/// The pointers are as [`unsafe` to call](Frame#calling-the-pointer) as those of any frame: nothing ties them to the
/// scope, so C must have let go of them when it ends.
///
/// # Examples
///
/// ```
/// use cbframe::{Frame, PoolFull, scope};
///
/// type Add = unsafe extern "C" fn(i32);
///
/// # fn main() -> Result<(), PoolFull<()>> {
/// let (mut sum, mut product) = (0, 1);
/// scope(|s| {
///     let add = s.keep(Frame::<Add>::local(|x| sum += x).map_err(PoolFull::without_state)?);
///     let multiply = s.keep(Frame::<Add>::local(|x| product *= x).map_err(PoolFull::without_state)?);
///     for x in 1..=4 {
///         // SAFETY: the scope has not ended.
///         unsafe {
///             add(x);
///             multiply(x);
///         }
///     }
///     Ok(())
/// })?;
/// assert_eq!((sum, product), (10, 24));
/// # Ok(())
/// # }
/// ```
pub fn scope<'env, R>(run: impl FnOnce(&Scope<'env>) -> R) -> R {
    run(&Scope { frames: RefCell::new(Vec::new()) })
}

impl<'env> Scope<'env> {
    /// Keeps a frame; gives its pointer, which may be called until the scope ends.
    pub fn keep<P: Copy + 'env, C: 'env>(&self, frame: Frame<'env, P, C>) -> P {
        let pointer = frame.as_fn();
        self.frames.borrow_mut().push(Box::new(frame));
        pointer
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        let frames = self.frames.get_mut();
        while frames.pop().is_some() {}
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("frames", &self.frames.borrow().len()).finish()
    }
}
