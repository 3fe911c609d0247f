//! Pools: a fixed number of stubs, a slot of data for each, and which of them are free.

use core::fmt;
use core::panic::Location;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::abi::Layout;
use crate::arch::{STUB_SIZE, stale_entry};
use crate::os;

/// The address of an entry; never called as a Rust function.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Entry(unsafe extern "C" fn());

impl Entry {
    /// The entry at `function`.
    ///
    /// # Safety
    ///
    /// `function` is a naked function that expects what a stub leaves: ctx on the stack above the return
    /// address; and it treats ctx as what the slot that is given this entry holds.
    pub const unsafe fn new(function: unsafe extern "C" fn()) -> Self {
        Self(function)
    }
}

/// The data of one stub. The stubs know this layout: the entry, then ctx.
#[repr(C)]
pub struct Slot {
    entry: AtomicPtr<()>,
    ctx: AtomicPtr<()>,
}

const _: () = assert!(size_of::<Slot>() == 16 && core::mem::offset_of!(Slot, ctx) == 8);

impl Slot {
    /// A slot that no stub's address has been given out for.
    #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for arrays of statics")]
    pub const EMPTY: Self = Self { entry: AtomicPtr::new(ptr::null_mut()), ctx: AtomicPtr::new(ptr::null_mut()) };

    /// A slot that never changes, for a stub of its own.
    pub const fn fixed(entry: Entry, ctx: *const ()) -> Self {
        Self { entry: AtomicPtr::new(entry.0 as *mut ()), ctx: AtomicPtr::new(ctx.cast_mut()) }
    }
}

/// What is known about a callback, for messages, `resolve` and the dump.
pub struct Meta {
    /// Its path.
    pub name: &'static str,
    /// Each parameter as it was written, in the order of the C signature.
    pub parameters: &'static [&'static str],
    /// Where its arguments lie, if every type is a `CType`.
    pub layout: Option<Layout>,
}

/// Diagnostics of one slot, kept from a `bind` until the next.
pub struct Record {
    meta: AtomicPtr<Meta>,
    bound: AtomicPtr<Location<'static>>,
    /// While the slot is bound: 1 if a call holds the `&mut` state, else 0. After: who freed it, as an odd
    /// number 2 × thread + 1, or the address of a `Location`.
    status: AtomicUsize,
    state: AtomicPtr<()>,
}

const _: () = assert!(size_of::<Record>() == 32 && align_of::<Location<'static>>() >= 2);

impl Record {
    /// The record of a slot that was never bound.
    #[expect(clippy::declare_interior_mutable_const, reason = "an initial value for arrays of statics")]
    pub const EMPTY: Self = Self {
        meta: AtomicPtr::new(ptr::null_mut()),
        bound: AtomicPtr::new(ptr::null_mut()),
        status: AtomicUsize::new(0),
        state: AtomicPtr::new(ptr::null_mut()),
    };

    fn meta(&self) -> Option<&'static Meta> {
        // SAFETY: null, or from the `&'static Meta` that a `bind` stored.
        unsafe { self.meta.load(Ordering::Relaxed).as_ref() }
    }

    fn bound(&self) -> Option<&'static Location<'static>> {
        // SAFETY: null, or from the `&'static Location` that a `bind` stored.
        unsafe { self.bound.load(Ordering::Relaxed).as_ref() }
    }
}

/// The exclusive use of a `&mut` state by one call.
pub struct Exclusive<'a> {
    record: &'a Record,
}

impl<'a> Exclusive<'a> {
    /// Takes the state for this call.
    ///
    /// A call while another holds the state, be it further up on the same stack or on another thread, aborts
    /// the process with a message.
    ///
    /// # Safety
    ///
    /// `ctx` is the ctx of a slot that was bound with exclusive state and is still bound.
    #[inline(always)]
    pub unsafe fn enter(ctx: *const ()) -> Self {
        // SAFETY: such a slot's ctx is the address of its record, which is static.
        let record = unsafe { &*ctx.cast::<Record>() };
        if record.status.swap(1, Ordering::Acquire) != 0 {
            report_busy(record);
        }
        Self { record }
    }

    /// The state; exclusive until `self` is dropped.
    #[inline(always)]
    pub fn state(&self) -> *mut () {
        self.record.state.load(Ordering::Relaxed)
    }
}

impl Drop for Exclusive<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.record.status.store(0, Ordering::Release);
    }
}

#[cold]
#[inline(never)]
fn report_busy(record: &Record) -> ! {
    let name = record.meta().map_or("a callback", |meta| meta.name);
    let bound = record.bound();
    os::die(format_args!(
        "`{name}` was called while another call of it was still running: its state is `&mut`, so calls may \
         neither nest nor overlap ({}). Take the state by `&` and use atomics or a lock inside, or bind a second \
         state.",
        Where("bound at ", bound)
    ))
}

/// A place in the source, if it is known.
struct Where(&'static str, Option<&'static Location<'static>>);

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(location) => write!(f, "{}{location}", self.0),
            None => write!(f, "{}an unknown place", self.0),
        }
    }
}

/// A call of a stub whose slot is not bound any more. `record` is the slot's.
pub(crate) unsafe extern "sysv64" fn report_stale_call(record: *const Record) -> ! {
    // SAFETY: a freed slot's ctx is the address of its record, which is static.
    let record = unsafe { &*record };
    let name = record.meta().map_or("a callback", |meta| meta.name);
    let bound = Where("bound at ", record.bound());
    let status = record.status.load(Ordering::Relaxed);
    let advice = "C still holds its pointer: unregister the callback before its frame goes, or `leak` the frame.";
    match status {
        0 => os::die(format_args!("a call to `{name}`, which is being freed; {bound}. {advice}")),
        _ if status & 1 == 1 => os::die(format_args!(
            "a call to `{name}`, which is not bound any more: {bound}, dropped by thread {}. {advice}",
            status >> 1
        )),
        _ => {
            let location = ptr::with_exposed_provenance::<Location<'static>>(status);
            // SAFETY: an even status that is not 0 is the address of a `&'static Location` (`Freed`).
            let freed = Where("freed at ", unsafe { location.as_ref() });
            os::die(format_args!("a call to `{name}`, which is not bound any more: {bound}, {freed}. {advice}"))
        }
    }
}

/// Who gave a slot back.
pub(crate) enum Freed {
    /// `free()` at this place.
    At(&'static Location<'static>),
    /// A drop, on the calling thread.
    Dropped,
}

/// The statics of a pool.
#[derive(Clone, Copy)]
pub struct Statics {
    /// The first stub, or up to 15 bytes before it.
    pub stubs: unsafe extern "C" fn(),
    /// The slots, one for each stub.
    pub slots: &'static [Slot],
    /// Their diagnostics.
    pub records: &'static [Record],
    /// Which slots are free: see [`Pool`].
    pub words: &'static [AtomicU64],
}

/// How many slots a word of the free map holds.
const PER_WORD: usize = 16;

/// What a word of the free map counts frees in.
const ONE_FREE: u64 = 1 << (2 * PER_WORD);

/// How many words the free map of a pool of `slots` slots has.
pub const fn words(slots: usize) -> usize {
    assert!(slots >= 1 && slots <= 1 << 20, "cbframe: a pool has between 1 and 1048576 slots");
    slots.div_ceil(PER_WORD)
}

/// A fixed number of callable addresses, and the slots behind them.
///
/// The crate's own, [`Pool::shared`], serves every callback that names no other. [`pool!`](crate::pool!) makes
/// another one: for a part of a program that must not run out because some other part leaks, or that needs
/// more. A slot takes 16 bytes of code, 16 of data and 32 of diagnostics.
///
/// Binding and freeing are lock-free and never wait for another thread. Binding a `&'static` state allocates nothing
/// and is async-signal-safe; boxed states are as safe there as the allocator is.
// A slot is fresh (may be bound), bound, or retired (freed, and resting so that a stale call is found rather than
// passed to the next callback at this address). Each word of the free map holds two bits for 16 slots: bit `i` is
// set unless slot `i` is fresh, bit `16 + i` is set if it is retired; and in its upper half how often one of them was
// freed. So one atomic operation moves a slot from any state to the next. Retired slots become fresh when no fresh
// one is left.
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
        let statics = (self.statics)();
        let (mut bound, mut retired) = (0, 0);
        for word in statics.words {
            let word = Word::of(word.load(Ordering::Relaxed));
            bound += (word.taken & !word.retired).count_ones() as usize;
            retired += word.retired.count_ones() as usize;
        }
        Stats { capacity: statics.slots.len(), bound, retired }
    }

    /// The callbacks that are bound at this moment, in the order of their addresses. Those that are bound or
    /// freed while the iterator is used may be missing or there.
    pub fn live(&'static self) -> impl Iterator<Item = Resolved> {
        (0..self.capacity()).filter_map(|index| self.resolved(index)).filter(Resolved::is_bound)
    }

    /// Takes a fresh slot.
    pub(crate) fn take(&'static self) -> Option<Taken> {
        let statics = (self.statics)();
        let capacity = statics.slots.len();
        if !self.registered.load(Ordering::Relaxed) {
            self.register();
        }
        let first = self.hint.load(Ordering::Relaxed);
        loop {
            for at in (first..statics.words.len()).chain(0..first) {
                if let Some(bit) = take_fresh(&statics.words[at], exists(at, capacity)) {
                    if at != first {
                        self.hint.store(at, Ordering::Relaxed);
                    }
                    return Some(Taken { pool: self, index: at * PER_WORD + bit });
                }
            }
            // Not `any`, which would stop at the first.
            let refreshed = statics.words.iter().fold(false, |any, word| refresh(word) | any);
            if !refreshed && is_full(statics.words, capacity) {
                return None;
            }
        }
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
        let word = statics.words[index / PER_WORD].load(Ordering::Acquire);
        let (word, bit) = (Word::of(word), index % PER_WORD);
        Some(Resolved {
            pool: self,
            index,
            meta: record.meta()?,
            bound_at: record.bound()?,
            is_bound: (word.taken & !word.retired) >> bit & 1 == 1,
        })
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

/// A word of the free map, taken apart.
struct Word {
    /// The slots that are not fresh.
    taken: u16,
    /// The slots that are retired.
    retired: u16,
    /// How often one of them was freed.
    frees: u32,
}

impl Word {
    const fn of(word: u64) -> Self {
        Self { taken: word as u16, retired: (word >> PER_WORD) as u16, frees: (word >> (2 * PER_WORD)) as u32 }
    }
}

/// The bits of the slots that exist in the word at index `word`.
fn exists(word: usize, capacity: usize) -> u16 {
    match capacity - word * PER_WORD {
        rest if rest < PER_WORD => (1 << rest) - 1,
        _ => u16::MAX,
    }
}

/// Takes the first fresh slot of a word.
fn take_fresh(word: &AtomicU64, exists: u16) -> Option<usize> {
    let mut now = word.load(Ordering::Relaxed);
    loop {
        let fresh = !Word::of(now).taken & exists;
        if fresh == 0 {
            return None;
        }
        let bit = fresh.trailing_zeros();
        // Acquire: what whoever freed the slot did to it is over.
        match word.compare_exchange_weak(now, now | 1 << bit, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return Some(bit as usize),
            Err(changed) => now = changed,
        }
    }
}

/// Makes the retired slots of a word fresh; whether there were any.
fn refresh(word: &AtomicU64) -> bool {
    let mut now = word.load(Ordering::Relaxed);
    loop {
        let retired = u64::from(Word::of(now).retired);
        if retired == 0 {
            return false;
        }
        // AcqRel: passes on to the taker what the ones who freed these slots have released.
        let fresh = now & !(retired | retired << PER_WORD);
        match word.compare_exchange_weak(now, fresh, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(changed) => now = changed,
        }
    }
}

/// Whether there was a moment, during this call, in which every slot was bound.
///
/// That each was bound when it was looked at is not enough: the one free slot may move between words meanwhile. But
/// if nothing was freed between two looks at each word, then all were bound between the first round and the second.
fn is_full(words: &[AtomicU64], capacity: usize) -> bool {
    let frees = || {
        let mut frees = 0_u64;
        for (at, word) in words.iter().enumerate() {
            // Acquire: the second round comes after the first.
            let word = Word::of(word.load(Ordering::Acquire));
            if word.taken != exists(at, capacity) || word.retired != 0 {
                return None;
            }
            frees += u64::from(word.frees);
        }
        Some(frees)
    };
    frees().is_some_and(|first| frees() == Some(first))
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
        record.meta.store(ptr::from_ref(binding.meta).cast_mut(), Ordering::Relaxed);
        record.bound.store(ptr::from_ref(binding.at).cast_mut(), Ordering::Relaxed);
        record.status.store(0, Ordering::Relaxed);
        record.state.store(state, Ordering::Relaxed);
        let ctx = if binding.exclusive { ptr::from_ref(record).cast_mut().cast() } else { state };
        slot.ctx.store(ctx, Ordering::Relaxed);
        slot.entry.store(binding.entry.0 as *mut (), Ordering::Release);
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
        let status = match by {
            Freed::At(location) => ptr::from_ref(location).expose_provenance(),
            Freed::Dropped => os::thread_id() << 1 | 1,
        };
        record.status.store(status, Ordering::Relaxed);
        slot.ctx.store(ptr::from_ref(record).cast_mut().cast(), Ordering::Relaxed);
        slot.entry.store(stale_entry as *mut (), Ordering::Release);
        // The bit is clear, so that adding sets it.
        let retired = 1 << (PER_WORD + index % PER_WORD);
        statics.words[index / PER_WORD].fetch_add(retired + ONE_FREE, Ordering::Release);
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
