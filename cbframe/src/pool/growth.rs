//! How the shared pool grows: more stubs without more code.
//!
//! ```text
//! block: [stubs: 64 KiB of the program's file, mapped again] [slots: 64 KiB] [records] [free map …]
//!         read and execute, never written                     anonymous memory, read and write
//! ```
//!
//! The stubs of a block find their slots by distance alone ([`distant_stubs`]), so the block of the program's file that
//! holds them serves wherever it is mapped. No page is ever writable and executable, and none that was written becomes
//! executable.
//!
//! No lock: each thread that finds no room maps a block for itself and then makes it known. So a signal handler may
//! interrupt this, and do it itself, and a child of `fork` is never left with a lock that nobody holds.
//!
//! A block that is given back keeps its addresses, its stubs and its free map; slots and records are freed. So whoever
//! reads them at this moment (`resolve`, `live`) reads zeros, nothing that is not mapped; and in place of the slots there
//! is a *tombstone*, one for all such blocks, through which a stale call is reported.

use core::fmt;
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::{AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::ledger::{Ledger, ledger_words};
use super::map::{FreeMap, words};
use super::slot::{Record, Slot};
use crate::arch::{DISTANT_STUBS, STUB_SIZE, distant_stubs};
use crate::os::{self, Region, map_again};

/// How many blocks there can be: more than 16 million slots, for which the kernel's usual limit of 65530 mappings is
/// enough.
const BLOCKS: usize = 4096;

const PAGE: usize = 4096;

/// The slots of a block. There may be fewer stubs, whose last ones are then without.
const SLOTS: usize = DISTANT_STUBS.next_power_of_two();

/// The bytes of a block's stubs; their first is at a multiple of this, and their slots follow.
const STUBS: usize = SLOTS * STUB_SIZE;

const _: () = assert!(size_of::<[Slot; SLOTS]>() == STUBS && STUBS.is_multiple_of(PAGE));

/// What lies behind the stubs of a block. All zero at first.
#[repr(C)]
pub(super) struct Block {
    slots: [Slot; SLOTS],
    records: [Record; SLOTS],
    words: [AtomicU64; words(SLOTS)],
    hint: AtomicUsize,
    number: AtomicUsize,
}

const _: () = assert!(size_of::<[Record; SLOTS]>().is_multiple_of(PAGE));

impl Block {
    /// The block of a stub.
    ///
    /// # Safety
    ///
    /// The stub is one of a block's.
    pub(super) unsafe fn of(stub: NonNull<()>) -> &'static Self {
        let stubs = ptr::with_exposed_provenance::<u8>(stub.addr().get() & !(STUBS - 1));
        // SAFETY: the stubs of a block are at a multiple of their size, and the block follows them. It is never unmapped.
        unsafe { &*stubs.wrapping_add(STUBS).cast() }
    }

    /// The stub at `index`.
    pub(super) fn stub(&self, index: usize) -> NonNull<()> {
        let first = ptr::from_ref(self).cast::<u8>().wrapping_sub(STUBS);
        let stub = first.wrapping_add(index * STUB_SIZE).cast_mut().cast();
        NonNull::new(stub).expect("a block is not at address 0")
    }

    /// Which of the block's stubs is at `address`.
    pub(super) fn index_of(&self, address: usize) -> Option<usize> {
        let offset = address.checked_sub(self.stub(0).addr().get())?;
        (offset < DISTANT_STUBS * STUB_SIZE && offset.is_multiple_of(STUB_SIZE)).then_some(offset / STUB_SIZE)
    }

    pub(super) fn slot(&self, index: usize) -> &Slot {
        &self.slots[index]
    }

    pub(super) fn record(&self, index: usize) -> &Record {
        &self.records[index]
    }

    pub(super) fn map(&self) -> FreeMap<'_> {
        FreeMap { words: &self.words, capacity: DISTANT_STUBS }
    }

    /// The number of the block.
    pub(super) fn number(&self) -> usize {
        self.number.load(Ordering::Relaxed)
    }

    /// Takes a slot that the ledger has counted.
    #[inline]
    fn take(&self) -> NonNull<()> {
        self.stub(self.map().take(&self.hint).expect("a slot for each that is counted"))
    }
}

/// The blocks of a pool.
pub(super) struct Growth {
    blocks: [AtomicPtr<Block>; BLOCKS],
    /// How many numbers of blocks were given out.
    numbers: AtomicUsize,
    counts: [AtomicU32; BLOCKS],
    words: [AtomicU64; ledger_words(BLOCKS)],
    last: AtomicUsize,
    empty: AtomicIsize,
    /// What lies in place of the slots of blocks that were given back, once one was.
    tombstone: AtomicPtr<[Slot; SLOTS]>,
    /// Why the last attempt to grow failed: [`Refusal::bits`].
    refusal: AtomicU32,
}

/// The record that the slots of a tombstone lead to.
pub(super) static BURIED: Record = Record::EMPTY;

impl Growth {
    /// The stubs that a block has.
    pub(super) const BLOCK: usize = DISTANT_STUBS;

    pub(super) const fn new() -> Self {
        Self {
            blocks: [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS],
            numbers: AtomicUsize::new(0),
            counts: [const { AtomicU32::new(0) }; BLOCKS],
            words: [const { AtomicU64::new(0) }; ledger_words(BLOCKS)],
            last: AtomicUsize::new(0),
            empty: AtomicIsize::new(0),
            tombstone: AtomicPtr::new(ptr::null_mut()),
            refusal: AtomicU32::new(0),
        }
    }

    fn ledger(&self) -> Ledger<'_> {
        Ledger {
            counts: &self.counts,
            words: &self.words,
            last: &self.last,
            empty: &self.empty,
            slots: DISTANT_STUBS as u32,
        }
    }

    /// The block with a number, if there is one.
    pub(super) fn block(&self, number: usize) -> Option<&'static Block> {
        // SAFETY: null, or a block, which is never unmapped.
        unsafe { self.blocks.get(number)?.load(Ordering::Acquire).as_ref() }
    }

    /// All blocks that have memory.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &'static Block> {
        let numbers = self.numbers.load(Ordering::Relaxed).min(BLOCKS);
        (0..numbers).filter(|&number| self.ledger().is_open(number)).filter_map(|number| self.block(number))
    }

    /// The block and the number in it of the stub at `address`.
    pub(super) fn find(&self, address: usize) -> Option<(&'static Block, usize)> {
        self.blocks().find_map(|block| Some((block, block.index_of(address)?)))
    }

    /// Takes a slot of a block, and maps another block if none has one.
    #[inline]
    pub(super) fn take(&self) -> Option<NonNull<()>> {
        match self.ledger().reserve_in_last() {
            Some(number) => Some(self.block(number).expect("a block with room is known").take()),
            None => self.take_elsewhere(),
        }
    }

    #[inline(never)]
    fn take_elsewhere(&self) -> Option<NonNull<()>> {
        loop {
            if let Some(number) = self.ledger().reserve() {
                return Some(self.block(number).expect("a block with room is known").take());
            }
            match self.grow() {
                Ok(number) => return Some(self.block(number).expect("it was opened").take()),
                Err(refusal) => self.refusal.store(refusal.bits(), Ordering::Relaxed),
            }
            // Only if it cannot grow does it matter that somebody may be about to say where there is room.
            if !self.blocks().any(|block| self.ledger().look(block.number())) {
                return None;
            }
        }
    }

    /// Gives a slot back.
    pub(super) fn free(&self, block: &'static Block, index: usize) {
        block.map().free(index);
        if self.ledger().release(block.number()) {
            self.bury(block);
            self.ledger().give_back(block.number());
        }
    }

    /// Why the pool could not grow when it was last asked to; `None` if it always could.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        Refusal::from_bits(self.refusal.load(Ordering::Relaxed))
    }

    /// Opens a block that has no slot in use, in which one slot is counted for the caller.
    #[cold]
    fn grow(&self) -> Result<usize, Refusal> {
        let ledger = self.ledger();
        if let Some(number) = ledger.reopen() {
            let block = self.block(number).expect("it was open");
            // SAFETY: the block is this thread's.
            let zeroed = unsafe { Region::zeros(NonNull::from(&block.slots).cast(), STUBS) };
            if let Err(refusal) = zeroed {
                ledger.give_back(number);
                return Err(Refusal::System(refusal));
            }
            ledger.open(number);
            return Ok(number);
        }
        const DATA: usize = size_of::<Block>().next_multiple_of(PAGE);
        let block = map_again(template(), DATA).map_err(Refusal::System)?;
        let Ok(number) = self
            .numbers
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| (number < BLOCKS).then_some(number + 1))
        else {
            return Err(Refusal::Limit);
        };
        let start = block.start();
        block.leak();
        // SAFETY: a block is made of atomics, for which zeros are values; the memory lies behind the stubs, is as large and
        // as aligned, and stays.
        let block: &'static Block = unsafe { &*start.as_ptr().add(STUBS).cast() };
        let _ = start.expose_provenance();
        block.number.store(number, Ordering::Relaxed);
        self.blocks[number].store(ptr::from_ref(block).cast_mut(), Ordering::Release);
        ledger.open(number);
        Ok(number)
    }

    /// Frees the memory of a block that is this thread's.
    #[cold]
    fn bury(&self, block: &'static Block) {
        let (slots, records) = (NonNull::from(&block.slots).cast(), NonNull::from(&block.records).cast());
        // SAFETY: the block is this thread's, and its records are not needed any more.
        unsafe { Region::give_back(records, size_of_val(&block.records)) };
        // SAFETY: nor are its slots; a tombstone is shared.
        let buried = self.tombstone().and_then(|tombstone| unsafe { Region::duplicate(tombstone, STUBS, slots) });
        if buried.is_err() {
            // SAFETY: as above. A stale call jumps to address 0 then.
            unsafe { Region::give_back(slots, STUBS) };
        }
    }

    /// Slots that are not written any more, all of them freed.
    fn tombstone(&self) -> Result<NonNull<u8>, os::Refusal> {
        if let Some(tombstone) = NonNull::new(self.tombstone.load(Ordering::Acquire)) {
            return Ok(tombstone.cast());
        }
        let region = Region::shared(STUBS)?;
        let tombstone = region.start().cast::<[Slot; SLOTS]>();
        // SAFETY: slots are made of atomics, for which zeros are values; the memory is as large and as aligned.
        for slot in unsafe { tombstone.as_ref() } {
            slot.free(&BURIED);
        }
        region.protect()?;
        match self.tombstone.compare_exchange(ptr::null_mut(), tombstone.as_ptr(), Ordering::Release, Ordering::Acquire)
        {
            Ok(_) => {
                region.leak();
                Ok(tombstone.cast())
            }
            Err(other) => Ok(NonNull::new(other).expect("one that is known has an address").cast()),
        }
    }
}

/// The stubs in the program, of which those of a block are a copy.
fn template() -> &'static [u8] {
    let table = distant_stubs as *const u8;
    // SAFETY: that many bytes of code, which nobody writes, follow the function's address, rounded up.
    unsafe { slice::from_raw_parts(table.wrapping_add(table.align_offset(PAGE)), STUBS) }
}

/// Why a pool does not grow.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    /// As large as it gets.
    Limit,
    /// The system gives no more memory, or does not map the stubs again.
    System(os::Refusal),
}

impl Refusal {
    const LIMIT: u32 = u32::MAX;

    /// As a number that is not 0.
    fn bits(self) -> u32 {
        match self {
            Self::Limit => Self::LIMIT,
            Self::System(refusal) => refusal.bits(),
        }
    }

    /// What has these [`bits`](Self::bits).
    fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            Self::LIMIT => Some(Self::Limit),
            bits => os::Refusal::from_bits(bits).map(Self::System),
        }
    }
}

/// Completes "it cannot grow, because".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => write!(f, "there are {BLOCKS} blocks of {SLOTS} slots already"),
            Self::System(refusal) => refusal.fmt(f),
        }
    }
}
