//! Pools: stubs, a slot of data for each, and which of them are free. Their number is fixed, but for the shared pool's.

mod full;
mod growth;
mod hooks;
mod ledger;
mod map;
mod set;
mod slot;

#[cfg(all(test, loom))]
mod model;

/// What `ledger`, `map` and `set` are made of; the model has its own.
mod atomic {
    pub(super) use core::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering};
}

use core::fmt;
use core::iter;
use core::panic::Location;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::abi::Layout;
use crate::arch::{JUMP_STUB_SIZE, STUB_SIZE};

pub use full::PoolFull;
use growth::{Block, Growth, Refusal};
use map::FreeMap;
pub use map::words;
pub(crate) use slot::Owned;
pub(crate) use slot::{Ending, Freed, Release, report_stale_call};
pub use slot::{Entry, Exclusive, Meta, Name, Record, Slot};

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
    /// Where hooks go on, one for each stub; none if the stubs are called.
    pub resumes: &'static [AtomicPtr<()>],
}

impl Statics {
    #[inline]
    fn map(&'static self) -> FreeMap<'static> {
        FreeMap { words: self.words, capacity: self.slots.len() }
    }

    #[inline]
    const fn stub_size(&self) -> usize {
        if self.resumes.is_empty() { STUB_SIZE } else { JUMP_STUB_SIZE }
    }
}

/// Callable addresses, and the slots behind them.
///
/// The crate's own, [`Pool::shared`], serves every callback that names no other, and grows. [`pool!`](crate::pool!) makes
/// another one, of a fixed size: for a part of a program that must not run out because some other part leaks, or that must
/// not take more than it is given. A slot takes 16 bytes of code, 16 of data and 40 of diagnostics.
///
/// Binding and freeing are lock-free and never wait for another thread. Binding a `&'static` state allocates nothing
/// and is async-signal-safe, growth included; boxed states are as safe there as the allocator is.
///
/// # Growth
///
/// When every slot of the shared pool is bound, it maps a block of 4096 more, up to 4096 such blocks. Their stubs are a part
/// of the program's own file (or shared library's), mapped once more, to be read and executed; nothing is generated, no
/// memory is ever writable and executable, and none that could be written becomes executable. So this works where the
/// process may not do such things (`PR_SET_MDWE`, systemd's `MemoryDenyWriteExecute=`, SELinux without `execmem`). The file
/// is found through `/proc/self/maps` and mapped only if it is still the one that the program was started from, with the
/// same bytes. Where that is not so, or the system refuses, the pool keeps its size, and [`PoolFull`] says why.
///
/// A block that has no slot bound any more is given back to the system if there is another such block: its memory, not its
/// addresses, which the next block uses. A stale call into one that was given back aborts with a message, as other stale
/// calls do, but what was bound there is forgotten. Freed slots rest within their block, as long as it has others; blocks
/// are filled from the first one, so that the last ones become empty.
///
/// When a shared library whose copy of this crate has grown its pool is unloaded, the blocks stay mapped, for stale calls
/// cannot be told from others; their callbacks were in the library and must not be called, like all others of it. A
/// child of `fork` has all bindings of its parent, and both go on alone from there. A debugger that stops within one of the
/// two instructions of a stub in a block does not know its caller; anywhere else stacks are unwound as ever.
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
    /// It begins with 1024 slots, or as many as the environment variable `CBFRAME_SLOTS` said when the crate was built,
    /// and [grows](Self#growth).
    pub fn shared() -> &'static Self {
        &SHARED
    }

    /// The name: the path of the static.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many slots there are. The shared pool has more when it has grown.
    pub fn capacity(&self) -> usize {
        self.maps().map(|map| map.capacity).sum()
    }

    /// How the slots are used at this moment.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { capacity: 0, bound: 0, retired: 0 };
        for map in self.maps() {
            let (bound, retired) = map.count();
            stats.capacity += map.capacity;
            stats.bound += bound;
            stats.retired += retired;
        }
        stats
    }

    /// The callbacks that are bound at this moment, in the order of their slots. Those that are bound or
    /// freed while the iterator is used may be missing or there.
    pub fn live(&'static self) -> impl Iterator<Item = Resolved> {
        let statics = (self.statics)();
        let fixed = (0..statics.slots.len()).map(|index| SlotRef::fixed(statics, index));
        let blocks = self.growth().into_iter().flat_map(Growth::blocks);
        let grown = blocks.flat_map(|block| (0..Growth::BLOCK).map(move |index| SlotRef::grown(block, index)));
        fixed.chain(grown).filter(SlotRef::is_bound).filter_map(move |place| place.resolved(self))
    }

    /// Takes a slot that is not bound.
    pub(crate) fn take(&'static self) -> Option<Taken> {
        if !self.registered.load(Ordering::Relaxed) {
            self.register();
        }
        let statics = (self.statics)();
        let stub = match statics.map().find(&self.hint) {
            Some(index) => stub(statics, index),
            None => self.take_more(statics)?,
        };
        Some(Taken { pool: self, stub })
    }

    /// Takes a slot where no other seems to be left in the statics.
    #[inline(never)]
    fn take_more(&self, statics: &'static Statics) -> Option<NonNull<()>> {
        let grown = self.growth().and_then(Growth::take);
        grown.or_else(|| statics.map().take(&self.hint).map(|index| stub(statics, index)))
    }

    /// What the pool has beyond its statics.
    fn growth(&self) -> Option<&'static Growth> {
        static GROWTH: Growth = Growth::new();
        ptr::eq(self, &SHARED).then_some(&GROWTH)
    }

    /// Why the pool could not grow when it was last asked to.
    fn refusal(&self) -> Option<Refusal> {
        self.growth().and_then(Growth::refusal)
    }

    /// The maps of all slots.
    fn maps(&self) -> impl Iterator<Item = FreeMap<'static>> {
        let blocks = self.growth().into_iter().flat_map(Growth::blocks);
        iter::once((self.statics)().map()).chain(blocks.map(Block::map))
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

    /// The slot whose stub is at `address`.
    fn find(&self, address: usize) -> Option<SlotRef> {
        let statics = (self.statics)();
        let offset = address.checked_sub(stub(statics, 0).addr().get());
        let size = statics.stub_size();
        match offset.filter(|offset| offset / size < statics.slots.len()) {
            Some(offset) => offset.is_multiple_of(size).then(|| SlotRef::fixed(statics, offset / size)),
            None => self.growth()?.find(address).map(|(block, index)| SlotRef::grown(block, index)),
        }
    }
}

/// Where all that belongs to a slot is.
struct SlotRef {
    slot: &'static Slot,
    record: &'static Record,
    map: FreeMap<'static>,
    /// The number of the slot in the map.
    index: usize,
    /// The block, unless the slot is a static.
    block: Option<&'static Block>,
}

impl SlotRef {
    #[inline]
    fn fixed(statics: &'static Statics, index: usize) -> Self {
        let (slot, record) = (&statics.slots[index], &statics.records[index]);
        Self { slot, record, map: statics.map(), index, block: None }
    }

    #[inline]
    fn grown(block: &'static Block, index: usize) -> Self {
        Self { slot: block.slot(index), record: block.record(index), map: block.map(), index, block: Some(block) }
    }

    /// The slot of a stub.
    ///
    /// # Safety
    ///
    /// The stub is one of the pool's.
    #[inline]
    unsafe fn of(pool: &'static Pool, own: NonNull<()>) -> Self {
        let statics = (pool.statics)();
        let index = own.addr().get().wrapping_sub(stub(statics, 0).addr().get()) / statics.stub_size();
        if index < statics.slots.len() {
            return Self::fixed(statics, index);
        }
        // SAFETY: a stub that is not one of the statics' is a block's.
        let block = unsafe { Block::of(own) };
        Self::grown(block, own.addr().get().wrapping_sub(block.stub(0).addr().get()) / STUB_SIZE)
    }

    fn is_bound(&self) -> bool {
        self.map.is_bound(self.index) && self.record.owned().is_some()
    }

    /// What was last bound there.
    fn resolved(&self, pool: &'static Pool) -> Option<Resolved> {
        let before = self.block.map_or(0, |block| (pool.statics)().slots.len() + block.number() * Growth::BLOCK);
        let (meta, bound_at) = (self.record.meta()?, self.record.bound()?);
        Some(Resolved { pool, index: before + self.index, meta, bound_at, is_bound: self.is_bound() })
    }
}

/// The address of a stub.
#[inline]
fn stub(statics: &Statics, index: usize) -> NonNull<()> {
    let table = statics.stubs as *const u8;
    let first = table.wrapping_add(table.align_offset(statics.stub_size()));
    let stub = first.wrapping_add(index * statics.stub_size()).cast_mut().cast();
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

/// A slot that was taken and is about to be bound. Two words, like [`Bound`].
pub(crate) struct Taken {
    pool: &'static Pool,
    stub: NonNull<()>,
}

/// What a slot is bound to.
pub(crate) struct Binding {
    pub(crate) entry: Entry,
    pub(crate) meta: &'static Meta,
    pub(crate) at: &'static Location<'static>,
    pub(crate) owned: Owned,
    /// Whether ctx is the record, with the state's address inside, rather than the state.
    pub(crate) exclusive: bool,
}

impl Taken {
    /// Says where the hook, which the slot is to be, goes on.
    pub(crate) fn resume_at(&self, address: *const ()) {
        let statics = (self.pool.statics)();
        // SAFETY: the stub was taken from the pool.
        let SlotRef { index, .. } = unsafe { SlotRef::of(self.pool, self.stub) };
        statics.resumes[index].store(address.cast_mut(), Ordering::Relaxed);
    }

    /// Binds the slot: from here on the address may be called.
    pub(crate) fn bind(self, binding: Binding) -> Bound {
        // SAFETY: the stub was taken from the pool.
        let SlotRef { slot, record, .. } = unsafe { SlotRef::of(self.pool, self.stub) };
        record.bind(&binding);
        slot.bind(binding.entry, if binding.exclusive { record.ctx() } else { binding.owned.state.as_ptr() });
        Bound { stub: self.stub, pool: self.pool }
    }
}

/// A bound slot, and no owner of it. Two words, so that it is returned in registers: through memory it would be stored by halves and
/// loaded whole, which waits.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    stub: NonNull<()>,
    pool: &'static Pool,
}

// SAFETY: the address of code, which is the same on every thread; and the pool is shared.
unsafe impl Send for Bound {}

// SAFETY: as above.
unsafe impl Sync for Bound {}

impl Bound {
    /// The callable address.
    pub(crate) fn stub(&self) -> NonNull<()> {
        self.stub
    }

    /// What this slot is bound to.
    pub(crate) fn resolved(&self) -> Resolved {
        self.place().resolved(self.pool).expect("a bound slot has a record")
    }

    #[inline]
    fn place(&self) -> SlotRef {
        // SAFETY: the stub was taken from the pool.
        unsafe { SlotRef::of(self.pool, self.stub) }
    }

    /// Binds the slot to something else. What it was bound to is the caller's.
    ///
    /// # Safety
    ///
    /// No call of the address runs, or begins meanwhile.
    pub(crate) unsafe fn rebind(&self, binding: Binding) {
        Taken { pool: self.pool, stub: self.stub }.bind(binding);
    }

    /// The slot that is bound at `address`, and its state.
    pub(crate) fn at(address: *const ()) -> Option<(Self, Owned)> {
        let found = resolve(address).filter(Resolved::is_bound)?;
        let bound = Self { stub: NonNull::new(found.address().cast_mut())?, pool: found.pool };
        let owned = bound.place().record.owned()?;
        Some((bound, owned))
    }

    /// Notes that the slot was freed, and leaves it as it is: who has bound it answers its calls, until it
    /// [rebinds](Self::rebind) it.
    #[cfg(feature = "std")]
    pub(crate) fn rest(&self, by: Freed) {
        self.place().record.rest(by);
    }

    /// Reports a call of the slot, which is resting.
    #[cfg(feature = "std")]
    pub(crate) fn report_stale(&self) -> ! {
        // SAFETY: it is the slot's record.
        unsafe { report_stale_call(self.place().record) }
    }

    /// Gives the slot back. A call of the address aborts from now on, until it is bound again.
    ///
    /// # Safety
    ///
    /// Called once, and the slot is not used after.
    pub(crate) unsafe fn free(&self, by: Freed) {
        let SlotRef { slot, record, map, index, block } = self.place();
        record.free(by);
        slot.free(record);
        match (block, self.pool.growth()) {
            (Some(block), Some(growth)) => growth.free(block, index),
            _ => map.free(index),
        }
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
        self.meta.name()
    }

    /// Where its arguments lie; `None` if a type is no [`CType`](crate::CType) and for `abi = "raw"`.
    pub fn layout(&self) -> Option<&'static Layout<'static>> {
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

    /// The number of the slot in its pool; those of blocks come behind those that the pool began with.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The address.
    pub fn address(&self) -> *const () {
        let statics = (self.pool.statics)();
        let stub = match self.index.checked_sub(statics.slots.len()) {
            None => stub(statics, self.index),
            Some(index) => {
                let block = self.pool.growth().and_then(|growth| growth.block(index / Growth::BLOCK));
                block.expect("it was found there").stub(index % Growth::BLOCK)
            }
        };
        stub.as_ptr()
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
        if let Some(place) = candidate.find(address.addr()) {
            return place.resolved(candidate);
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
                    resumes: &[],
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
