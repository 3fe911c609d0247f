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

use core::ffi::CStr;
use core::fmt;
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::{AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::ledger::{Ledger, ledger_words};
use super::map::{FreeMap, words};
use super::slot::{Record, Slot};
use crate::arch::{DISTANT_STUBS as SLOTS, STUB_SIZE, distant_stubs};
use crate::os::{Access, Errno, File, Mapping, Region, mapping_at};

/// How many blocks there can be: more than 16 million slots, for which the kernel's usual limit of 65530 mappings is
/// enough.
const BLOCKS: usize = 4096;

const PAGE: usize = 4096;

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
        (offset < STUBS && offset.is_multiple_of(STUB_SIZE)).then_some(offset / STUB_SIZE)
    }

    pub(super) fn slot(&self, index: usize) -> &Slot {
        &self.slots[index]
    }

    pub(super) fn record(&self, index: usize) -> &Record {
        &self.records[index]
    }

    pub(super) fn map(&self) -> FreeMap<'_> {
        FreeMap { words: &self.words, capacity: SLOTS }
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
    /// The slots that a block has.
    pub(super) const BLOCK: usize = SLOTS;

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
        Ledger { counts: &self.counts, words: &self.words, last: &self.last, empty: &self.empty, slots: SLOTS as u32 }
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
            if let Err(errno) = zeroed {
                ledger.give_back(number);
                return Err(Refusal::Memory(errno));
            }
            ledger.open(number);
            return Ok(number);
        }
        let block = map_block()?;
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
    fn tombstone(&self) -> Result<NonNull<u8>, Errno> {
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
            Err(other) => NonNull::new(other).map(NonNull::cast).ok_or(Errno::NOENT),
        }
    }
}

/// The stubs in the program, of which those of a block are a copy.
fn template() -> &'static [u8] {
    let table = distant_stubs as *const u8;
    // SAFETY: that many bytes of code, which nobody writes, follow the function's address, rounded up.
    unsafe { slice::from_raw_parts(table.wrapping_add(table.align_offset(PAGE)), STUBS) }
}

/// Maps a block: stubs, and zeros behind them.
fn map_block() -> Result<Region, Refusal> {
    const DATA: usize = size_of::<Block>().next_multiple_of(PAGE);
    let region = Region::reserve(STUBS + DATA, STUBS).map_err(Refusal::Memory)?;
    let stubs = region.start();
    // SAFETY: within the region.
    let data = unsafe { stubs.add(STUBS) };
    // SAFETY: the region is this function's.
    unsafe { Region::zeros(data, DATA) }.map_err(Refusal::Memory)?;
    // What will be slots and records serves for reading until then: this may run on the small stack of a signal handler.
    // SAFETY: the memory is this function's, and holds zeros.
    let (lines, name) = unsafe { slice::from_raw_parts_mut(data.as_ptr(), DATA) }.split_at_mut(DATA / 2);

    let template = template();
    let address = template.as_ptr().addr();
    let own = mapping_at(address, lines).map_err(Refusal::Proc)?.ok_or(Refusal::NoFile)?;
    if own.identity[2] == 0 || own.addresses.end < address + STUBS {
        return Err(Refusal::NoFile);
    }
    let identity = own.identity;
    let offset = own.offset + (address - own.addresses.start);
    let file = File::open(own.path).map_err(|errno| not_opened(&own, errno, name))?;
    if file.size().map_err(Refusal::Open)? < offset + STUBS {
        return Err(Refusal::Differs);
    }

    // The kernel shall say that it is the same file, in the same words: `fstat` names other devices for some file systems.
    // SAFETY: the region is this function's.
    unsafe { Region::file(stubs, STUBS, Access::Read, &file, offset) }.map_err(Refusal::Map)?;
    let seen = mapping_at(stubs.addr().get(), lines).map_err(Refusal::Proc)?.ok_or(Refusal::NoFile)?;
    if seen.identity != identity {
        return Err(Refusal::Replaced);
    }
    // Not by `mprotect`: what was not executable shall not become it.
    // SAFETY: the region is this function's.
    unsafe { Region::file(stubs, STUBS, Access::ReadExecute, &file, offset) }.map_err(Refusal::Map)?;
    // SAFETY: that many bytes are mapped there, of a file that is as long.
    if unsafe { slice::from_raw_parts(stubs.as_ptr(), STUBS) } != template {
        return Err(Refusal::Differs);
    }
    // SAFETY: the region is this function's, and what was read is not needed any more.
    unsafe { Region::zeros(data, DATA) }.map_err(Refusal::Memory)?;
    Ok(region)
}

/// Why the program's file could not be opened. `name` has room for its path.
fn not_opened(own: &Mapping<'_>, errno: Errno, name: &mut [u8]) -> Refusal {
    let Some(path) = own.path.to_bytes().strip_suffix(b" (deleted)").filter(|_| errno == Errno::NOENT) else {
        return Refusal::Open(errno);
    };
    name[..path.len()].copy_from_slice(path);
    name[path.len()] = 0;
    match CStr::from_bytes_until_nul(name).map(File::open) {
        Ok(Ok(_)) => Refusal::Replaced,
        _ => Refusal::Deleted,
    }
}

/// Why a pool does not grow.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    /// As large as it gets.
    Limit,
    /// The code is not that of a file, in one piece.
    NoFile,
    /// The program's file is not there any more.
    Deleted,
    /// The name of the program's file is that of another file now.
    Replaced,
    /// The program's file does not hold the program's code.
    Differs,
    /// No memory.
    Memory(Errno),
    /// `/proc/self/maps` cannot be read.
    Proc(Errno),
    /// The program's file cannot be opened.
    Open(Errno),
    /// It cannot be mapped.
    Map(Errno),
}

impl Refusal {
    /// As a number that is not 0.
    fn bits(self) -> u32 {
        let (kind, errno) = match self {
            Self::Limit => (1, None),
            Self::NoFile => (2, None),
            Self::Deleted => (3, None),
            Self::Replaced => (4, None),
            Self::Differs => (5, None),
            Self::Memory(errno) => (6, Some(errno)),
            Self::Proc(errno) => (7, Some(errno)),
            Self::Open(errno) => (8, Some(errno)),
            Self::Map(errno) => (9, Some(errno)),
        };
        kind << 16 | u32::from(errno.map_or(0, |errno| errno.0))
    }

    /// What has these [`bits`](Self::bits).
    fn from_bits(bits: u32) -> Option<Self> {
        let errno = Errno(bits as u16);
        Some(match bits >> 16 {
            1 => Self::Limit,
            2 => Self::NoFile,
            3 => Self::Deleted,
            4 => Self::Replaced,
            5 => Self::Differs,
            6 => Self::Memory(errno),
            7 => Self::Proc(errno),
            8 => Self::Open(errno),
            9 => Self::Map(errno),
            _ => return None,
        })
    }
}

/// Completes "it cannot grow, because".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => write!(f, "there are {BLOCKS} blocks of {SLOTS} slots already"),
            Self::NoFile => f.write_str("the program's code is not mapped from a file, in one piece"),
            Self::Deleted => f.write_str("the program's file was deleted"),
            Self::Replaced => f.write_str("the program's file was replaced by another one"),
            Self::Differs => f.write_str("the program's file does not hold the program's code any more"),
            Self::Memory(errno) => write!(f, "the system gives no more memory ({errno})"),
            Self::Proc(Errno::NOENT) => write!(f, "/proc is not mounted"),
            Self::Proc(errno) => write!(f, "/proc/self/maps cannot be read ({errno})"),
            Self::Open(errno) => write!(f, "the program's file cannot be opened ({errno})"),
            Self::Map(errno) => write!(f, "the system refuses to map the program's file once more ({errno})"),
        }
    }
}
