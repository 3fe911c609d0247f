//! The error of a pool without a slot to give.

use core::fmt;

use super::Pool;

/// Every slot of a pool is bound: nothing was bound, and the state is given back.
pub struct PoolFull<O> {
    pool: &'static Pool,
    state: O,
}

impl<O> PoolFull<O> {
    pub(crate) const fn new(pool: &'static Pool, state: O) -> Self {
        Self { pool, state }
    }

    /// The state that was not bound.
    pub fn into_state(self) -> O {
        self.state
    }

    /// The error without the state, which is dropped: one that outlives what the state borrows, so that `?` can
    /// pass it on.
    ///
    /// ```
    /// use cbframe::{PoolFull, cbframe};
    ///
    /// #[cbframe(abi = "C")]
    /// fn add(#[state] sum: &mut i64, x: i32) {
    ///     *sum += i64::from(x);
    /// }
    ///
    /// fn run() -> Result<i64, Box<dyn std::error::Error>> {
    ///     let mut sum = 0;
    ///     let frame = add::bind(&mut sum).map_err(PoolFull::without_state)?;
    ///     // SAFETY: the frame lives.
    ///     unsafe { frame.as_fn()(3) };
    ///     drop(frame);
    ///     Ok(sum)
    /// }
    /// # assert_eq!(run().unwrap(), 3);
    /// ```
    pub fn without_state(self) -> PoolFull<()> {
        PoolFull { pool: self.pool, state: () }
    }

    /// The pool that is full.
    pub fn pool(&self) -> &'static Pool {
        self.pool
    }
}

impl<O> fmt::Display for PoolFull<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, capacity) = (self.pool.name(), self.pool.capacity());
        write!(
            f,
            "the callback pool {name} is full: all {capacity} slots are bound. Drop frames that are not needed, "
        )?;
        if core::ptr::eq(self.pool, Pool::shared()) {
            f.write_str("build with CBFRAME_SLOTS set to a larger number, or use a pool of your own (`cbframe::pool!`)")
        } else {
            f.write_str("or give the pool more slots")
        }
    }
}

impl<O> fmt::Debug for PoolFull<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolFull").field("pool", &self.pool.name()).finish_non_exhaustive()
    }
}

impl<O> core::error::Error for PoolFull<O> {}
