//! The error of a pool without a slot to give.

use core::fmt;

use super::growth::Refusal;
use super::slot::Meta;
use super::{Pool, Resolved};

/// Every slot of a pool is bound: nothing was bound, and the state is given back.
///
/// The message says who holds the slots, and why the shared pool could not grow.
pub struct PoolFull<O> {
    pool: &'static Pool,
    refusal: Option<Refusal>,
    state: O,
}

impl<O> PoolFull<O> {
    /// Directly after [`Pool::take`] found nothing.
    pub(crate) fn new(pool: &'static Pool, state: O) -> Self {
        Self { pool, refusal: pool.refusal(), state }
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
        self.map(|_| ())
    }

    /// The error with what `f` makes of the state.
    pub(crate) fn map<Q>(self, f: impl FnOnce(O) -> Q) -> PoolFull<Q> {
        PoolFull { pool: self.pool, refusal: self.refusal, state: f(self.state) }
    }

    /// The pool that is full.
    pub fn pool(&self) -> &'static Pool {
        self.pool
    }
}

impl<O> fmt::Display for PoolFull<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, capacity) = (self.pool.name(), self.pool.capacity());
        write!(f, "the callback pool {name} is full: all {capacity} slots are bound")?;
        for (number, holder) in Holders::of(self.pool).iter().enumerate() {
            let before = if number == 0 { ", " } else { "; " };
            write!(f, "{before}{} by `{}`, one of them at {}", holder.slots, holder.one.name(), holder.one.bound_at())?;
        }
        if let Some(refusal) = self.refusal {
            write!(f, ". It cannot grow, because {refusal}")?;
        }
        f.write_str(". Drop frames that are not needed, ")?;
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

/// Those that hold the most slots of a pool, first the one with the most.
struct Holders {
    most: [Option<Holder>; Self::COUNT],
}

/// A callback that holds slots.
#[derive(Clone, Copy)]
struct Holder {
    /// One of its bindings.
    one: Resolved,
    slots: usize,
}

impl Holder {
    fn is(&self, meta: &'static Meta) -> bool {
        core::ptr::eq(self.one.meta, meta)
    }
}

impl Holders {
    /// How many are named.
    const COUNT: usize = 3;

    /// Looks at all slots twice, without allocating: the first time for the candidates.
    ///
    /// (J. Misra and D. Gries, Finding repeated elements, 1982: whatever is more than one in 33 is among 32 that are
    /// found by taking one of each away whenever there are 33.)
    fn of(pool: &'static Pool) -> Self {
        let mut candidates: [Option<Holder>; 32] = [None; 32];
        for one in pool.live() {
            if let Some(known) = candidates.iter_mut().flatten().find(|holder| holder.is(one.meta)) {
                known.slots += 1;
            } else if let Some(place) = candidates.iter_mut().find(|place| place.is_none()) {
                *place = Some(Holder { one, slots: 1 });
            } else {
                for place in &mut candidates {
                    *place = place
                        .filter(|holder| holder.slots > 1)
                        .map(|Holder { one, slots }| Holder { one, slots: slots - 1 });
                }
            }
        }
        candidates.iter_mut().flatten().for_each(|holder| holder.slots = 0);
        for one in pool.live() {
            if let Some(known) = candidates.iter_mut().flatten().find(|holder| holder.is(one.meta)) {
                known.slots += 1;
            }
        }
        candidates.sort_unstable_by_key(|place| core::cmp::Reverse(place.map_or(0, |holder| holder.slots)));
        let mut most = [None; Self::COUNT];
        most.copy_from_slice(&candidates[..Self::COUNT]);
        Self { most }
    }

    fn iter(&self) -> impl Iterator<Item = &Holder> {
        self.most.iter().flatten().filter(|holder| holder.slots > 0)
    }
}
