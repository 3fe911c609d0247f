//! Pools: a fixed number of stubs, a slot of data for each, and which of them are free.

mod full;
mod map;
mod slot;

use core::fmt;
use core::panic::Location;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::abi::Layout;
use crate::arch::STUB_SIZE;

pub use full::PoolFull;
use map::FreeMap;
pub use map::words;
pub use slot::{Entry, Exclusive, Meta, Record, Slot};
pub(crate) use slot::{Freed, report_stale_call};

/// The statics of a pool.
#[derive(Clone, Copy)]
pub struct Statics {
    /// The first stub, or up to 15 bytes before it.
    pub stubs: unsafe extern "C" fn(),
    /// The slots, one for each stub.
    pub slots: &'static [Slot],
    /// Their diagnostics.
    pub records: &'static [Record],
    /// Which slots are free: see `map`.
    pub words: &'static [AtomicU64],
}

impl Statics {
    #[inline]
    fn map(&'static self) -> FreeMap<'static> {
        FreeMap { words: self.words, capacity: self.slots.len() }
    }
}

/// A fixed number of callable addresses, and the slots behind them.
///
/// The crate's own, [`Pool::shared`], serves every callback that names no other. [`pool!`](crate::pool!) makes
/// another one: for a part of a program that must not run out because some other part leaks, or that needs
/// more. A slot takes 16 bytes of code, 16 of data and 32 of diagnostics.
///
/// Binding and freeing are lock-free and never wait for another thread. Binding a `&'static` state allocates nothing
/// and is async-signal-safe; boxed states are as safe there as the allocator is.
pub struct Pool {
    name: &'static str,
    statics: fn() -> &'static Statics,
    /// The word in which to look first.
    hint: AtomicUsize,
    registered: AtomicBool,
    next: AtomicPtr<Pool>,
}

/// The pools that have been used, a list linked through `Pool::next`.
static REGISTRY: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

impl Pool {
    #[doc(hidden)]
    pub const fn new(name: &'static str, statics: fn() -> &'static Statics) -> Self {
        Self {
            name,
            statics,
            hint: AtomicUsize::new(0),
            registered: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The pool that serves callbacks which name no other.
    ///
    /// It has 1024 slots, or as many as the environment variable `CBFRAME_SLOTS` said when the crate was built.
    pub fn shared() -> &'static Self {
        &SHARED
    }

    /// The name: the path of the static.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many slots there are.
    pub fn capacity(&self) -> usize {
        (self.statics)().slots.len()
    }

    /// How the slots are used at this moment.
    pub fn stats(&self) -> Stats {
        let map = (self.statics)().map();
        let (bound, retired) = map.count();
        Stats { capacity: map.capacity, bound, retired }
    }

    /// The callbacks that are bound at this moment, in the order of their addresses. Those that are bound or
    /// freed while the iterator is used may be missing or there.
    pub fn live(&'static self) -> impl Iterator<Item = Resolved> {
        (0..self.capacity()).filter_map(|index| self.resolved(index)).filter(Resolved::is_bound)
    }

    /// Takes a fresh slot.
    pub(crate) fn take(&'static self) -> Option<Taken> {
        if !self.registered.load(Ordering::Relaxed) {
            self.register();
        }
        let index = (self.statics)().map().take(&self.hint)?;
        Some(Taken { pool: self, index })
    }

    fn register(&'static self) {
        if self.registered.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut first = REGISTRY.load(Ordering::Relaxed);
        loop {
            self.next.store(first, Ordering::Relaxed);
            let this = ptr::from_ref(self).cast_mut();
            match REGISTRY.compare_exchange_weak(first, this, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    fn stub(&self, index: usize) -> NonNull<()> {
        stub((self.statics)(), index)
    }

    fn index_of(&self, address: usize) -> Option<usize> {
        let first = self.stub(0).addr().get();
        let offset = address.checked_sub(first)?;
        (offset % STUB_SIZE == 0 && offset / STUB_SIZE < self.capacity()).then_some(offset / STUB_SIZE)
    }

    fn resolved(&'static self, index: usize) -> Option<Resolved> {
        let statics = (self.statics)();
        let record = &statics.records[index];
        let is_bound = statics.map().is_bound(index);
        Some(Resolved { pool: self, index, meta: record.meta()?, bound_at: record.bound()?, is_bound })
    }
}

/// The address of a stub.
#[inline]
fn stub(statics: &Statics, index: usize) -> NonNull<()> {
    let table = statics.stubs as *const u8;
    let first = table.wrapping_add(table.align_offset(STUB_SIZE));
    let stub = first.wrapping_add(index * STUB_SIZE).cast_mut().cast();
    NonNull::new(stub).expect("code is not at address 0")
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).field("stats", &self.stats()).finish()
    }
}

/// How the slots of a [`Pool`] are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many slots there are.
    pub capacity: usize,
    /// How many are bound.
    pub bound: usize,
    /// How many are freed and resting; they are used again when no other is left.
    pub retired: usize,
}

/// A slot that was taken and is about to be bound.
pub(crate) struct Taken {
    pool: &'static Pool,
    index: usize,
}

/// What a slot is bound to.
pub(crate) struct Binding {
    pub(crate) entry: Entry,
    pub(crate) meta: &'static Meta,
    pub(crate) at: &'static Location<'static>,
    pub(crate) state: NonNull<()>,
    /// Whether ctx is the record, with the state's address inside, rather than the state.
    pub(crate) exclusive: bool,
}

impl Taken {
    /// Binds the slot: from here on the address may be called.
    pub(crate) fn bind(self, binding: Binding) -> Bound {
        let statics = (self.pool.statics)();
        let (record, slot) = (&statics.records[self.index], &statics.slots[self.index]);
        let state = binding.state.as_ptr();
        record.bind(binding.meta, binding.at, state);
        slot.bind(binding.entry, if binding.exclusive { record.ctx() } else { state });
        Bound { stub: stub(statics, self.index), pool: self.pool }
    }
}

/// A bound slot. Two words, so that it is returned in registers: through memory it would be stored by halves and
/// loaded whole, which waits.
pub(crate) struct Bound {
    stub: NonNull<()>,
    pool: &'static Pool,
}

impl Bound {
    /// The callable address.
    pub(crate) fn stub(&self) -> NonNull<()> {
        self.stub
    }

    /// What this slot is bound to.
    pub(crate) fn resolved(&self) -> Resolved {
        self.pool.resolved(self.index((self.pool.statics)())).expect("a bound slot has a record")
    }

    #[inline]
    fn index(&self, statics: &Statics) -> usize {
        (self.stub.addr().get() - stub(statics, 0).addr().get()) / STUB_SIZE
    }

    /// Gives the slot back. A call of the address aborts from now on, until it is bound again.
    ///
    /// # Safety
    ///
    /// Called once, and the slot is not used after.
    pub(crate) unsafe fn free(&self, by: Freed) {
        let statics = (self.pool.statics)();
        let index = self.index(statics);
        let (record, slot) = (&statics.records[index], &statics.slots[index]);
        record.free(by);
        slot.free(record);
        statics.map().free(index);
    }
}

/// What is bound, or was last bound, at an address that [`resolve`] was asked for.
#[derive(Clone, Copy)]
pub struct Resolved {
    pool: &'static Pool,
    index: usize,
    meta: &'static Meta,
    bound_at: &'static Location<'static>,
    is_bound: bool,
}

impl Resolved {
    /// The path of the callback.
    pub fn name(&self) -> &'static str {
        self.meta.name
    }

    /// Where its arguments lie; `None` if a type is no [`CType`](crate::CType) and for `abi = "raw"`.
    pub fn layout(&self) -> Option<&'static Layout> {
        self.meta.layout.as_ref()
    }

    /// Where it was bound.
    pub fn bound_at(&self) -> &'static Location<'static> {
        self.bound_at
    }

    /// Whether it is still bound; if not, a call of the address aborts.
    pub fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// The pool of the slot.
    pub fn pool(&self) -> &'static Pool {
        self.pool
    }

    /// The number of the slot in its pool.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The address.
    pub fn address(&self) -> *const () {
        self.pool.stub(self.index).as_ptr()
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("name", &self.name())
            .field("bound_at", &format_args!("{}", self.bound_at))
            .field("is_bound", &self.is_bound)
            .field("pool", &self.pool.name)
            .field("index", &self.index)
            .finish()
    }
}

/// What is bound at `address`: the way back from a C function pointer to the callback.
///
/// `None` if no pool of this program (of this copy of the crate) has a stub there, or if it was never bound.
/// Takes any address, and never reads from it.
///
/// # Examples
///
/// ```
/// use cbframe::{cbframe, resolve};
///
/// #[cbframe(abi = "C")]
/// fn add(#[state] base: &i32, x: i32) -> i32 {
///     base + x
/// }
///
/// let frame = add::bind(1)?;
/// let found = resolve(frame.as_ptr()).expect("it is bound");
/// assert!(found.name().ends_with("::add") && found.is_bound());
/// assert!(resolve(std::ptr::null()).is_none());
/// # Ok::<(), cbframe::PoolFull<i32>>(())
/// ```
pub fn resolve(address: *const ()) -> Option<Resolved> {
    let mut pool = REGISTRY.load(Ordering::Acquire);
    // SAFETY: the registry holds addresses of statics.
    while let Some(candidate) = unsafe { pool.as_ref() } {
        if let Some(index) = candidate.index_of(address.addr()) {
            return candidate.resolved(index);
        }
        pool = candidate.next.load(Ordering::Relaxed);
    }
    None
}

/// Defines a [`Pool`] of its own as a static.
///
/// `pool!(pub static NAME: 256);` with the number of slots, from 1 to 1 048 576, as a constant expression.
///
/// # Examples
///
/// ```
/// use cbframe::{cbframe, pool};
///
/// pool!(static MENU: 2);
///
/// #[cbframe(abi = "C", pool = MENU)]
/// fn chosen(#[state] entry: &u32) -> u32 {
///     *entry
/// }
///
/// let first = chosen::bind(1).unwrap();
/// let second = chosen::bind(2).unwrap();
/// let full = chosen::bind(3).unwrap_err();
/// assert!(full.to_string().contains("MENU"));
/// assert_eq!(full.into_state(), 3);
/// drop((first, second));
/// assert_eq!(MENU.stats().bound, 0);
/// ```
#[macro_export]
macro_rules! pool {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $slots:expr $(;)?) => {
        $(#[$meta])*
        $vis static $name: $crate::Pool = {
            const __CBFRAME_COUNT: $crate::private::core::primitive::usize = $slots;
            static __CBFRAME_SLOTS: [$crate::private::Slot; __CBFRAME_COUNT] =
                [$crate::private::Slot::EMPTY; __CBFRAME_COUNT];
            static __CBFRAME_RECORDS: [$crate::private::Record; __CBFRAME_COUNT] =
                [$crate::private::Record::EMPTY; __CBFRAME_COUNT];
            static __CBFRAME_WORDS: [$crate::private::AtomicU64; $crate::private::words(__CBFRAME_COUNT)] =
                [const { $crate::private::AtomicU64::new(0) }; $crate::private::words(__CBFRAME_COUNT)];
            $crate::private::stub_table!(__cbframe_stubs, __CBFRAME_COUNT, __CBFRAME_SLOTS);
            // The one function that names the statics: inlined elsewhere it would make rustc export them.
            #[inline(never)]
            fn __cbframe_statics() -> &'static $crate::private::Statics {
                static __CBFRAME_STATICS: $crate::private::Statics = $crate::private::Statics {
                    stubs: __cbframe_stubs,
                    slots: &__CBFRAME_SLOTS,
                    records: &__CBFRAME_RECORDS,
                    words: &__CBFRAME_WORDS,
                };
                &__CBFRAME_STATICS
            }
            $crate::Pool::new(
                $crate::private::core::concat!(
                    $crate::private::core::module_path!(),
                    "::",
                    $crate::private::core::stringify!($name)
                ),
                __cbframe_statics,
            )
        };
    };
}

crate::pool!(static SHARED: shared_slots());

/// The size of the shared pool: `CBFRAME_SLOTS` at build time.
const fn shared_slots() -> usize {
    let Some(text) = option_env!("CBFRAME_SLOTS") else { return 1024 };
    match usize::from_str_radix(text, 10) {
        Ok(slots) if slots >= 1 && slots <= 1 << 20 => slots,
        _ => panic!("cbframe: the environment variable CBFRAME_SLOTS must be a number from 1 to 1048576"),
    }
}

/// A constant C function pointer for a callback with a `static` state: no slot of a pool, nothing to free.
///
/// `bind_static!(callback, STATE)` is a constant expression; `callback` is a `#[cbframe]` function with
/// `#[state] s: &S`, and `STATE` a `static` of type `S`. The pointer is safe to call if the function is.
///
/// # Examples
///
/// ```
/// use cbframe::{bind_static, cbframe};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// #[cbframe(abi = "C")]
/// fn count(#[state] calls: &AtomicU32) {
///     calls.fetch_add(1, Ordering::Relaxed);
/// }
///
/// static CALLS: AtomicU32 = AtomicU32::new(0);
/// static HOOK: extern "C" fn() = bind_static!(count, CALLS);
///
/// HOOK();
/// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
/// ```
#[macro_export]
macro_rules! bind_static {
    ($callback:ty, $state:expr $(,)?) => {{
        static __CBFRAME_SLOT: $crate::private::Slot = <$callback>::__cbframe_slot(&$state);
        $crate::private::single_stub!(__cbframe_stub, __CBFRAME_SLOT);
        // SAFETY: the stub is that of a slot which was made by, and is bound to, this callback.
        unsafe { <$callback>::__cbframe_pointer(__cbframe_stub) }
    }};
}
