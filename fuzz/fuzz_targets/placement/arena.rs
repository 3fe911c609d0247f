//! Descriptions borrow for `'static`, and a fuzzer makes millions of them: here they are freed.

use std::any::Any;
use std::cell::RefCell;

/// Owns values that are borrowed as if it lived for ever.
pub(crate) struct Arena(RefCell<Vec<Box<dyn Any>>>);

impl Arena {
    /// # Safety
    ///
    /// No reference that [`keep`](Self::keep) or [`keep_all`](Self::keep_all) gives is used after the arena is
    /// dropped.
    pub(crate) unsafe fn new() -> Self {
        Self(RefCell::default())
    }

    pub(crate) fn keep<T: 'static>(&self, value: T) -> &'static T {
        &self.keep_all(vec![value])[0]
    }

    pub(crate) fn keep_all<T: 'static>(&self, values: Vec<T>) -> &'static [T] {
        let slice: *const [T] = values.as_slice();
        self.0.borrow_mut().push(Box::new(values));
        // SAFETY: the elements of a vector stay where they are when the vector is moved; it is not touched until it
        // is dropped with the arena, and `new`'s caller promises that nothing is used after that.
        unsafe { &*slice }
    }
}
