//! How the blocks of a growing pool are used.
//!
//! Each block has a count of its slots that are bound or about to be. Whoever binds raises it before the block's free map
//! is looked at, and whoever frees lowers it after: so there is a slot for everyone who has raised it, and an *empty* block,
//! which counts none, is used by nobody. Then it can be *closed*, by an atomic operation on the count, and belongs to the
//! thread that closed it; which gives its memory back and leaves the block to whoever needs one next.

use super::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use super::set::{Set, set_words};

/// A block that is not there yet, or belongs to one thread.
const CLOSED: u32 = 0;

/// A block that is open and has no slot in use. Each slot counts one more.
const EMPTY: u32 = 1;

/// A block whose memory was given back.
const RETURNED: u32 = u32::MAX;

/// How many words the sets of a ledger of `blocks` blocks have.
pub(super) const fn ledger_words(blocks: usize) -> usize {
    2 * set_words(blocks)
}

/// The counts of all blocks; all zero before there are any.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) counts: &'a [AtomicU32],
    /// [`ledger_words`] words.
    pub(super) words: &'a [AtomicU64],
    /// The block that was found last.
    pub(super) last: &'a AtomicUsize,
    /// How many blocks are open and have no slot that is used.
    pub(super) empty: &'a AtomicIsize,
    /// How many slots a block has.
    pub(super) slots: u32,
}

impl<'a> Ledger<'a> {
    /// Finds a slot to bind in the block where one was found last, and counts it.
    #[inline]
    pub(super) fn reserve_in_last(self) -> Option<usize> {
        Some(self.last.load(Ordering::Relaxed)).filter(|&last| self.raise(last))
    }

    /// Finds a block with a slot to bind, and counts it: the first of them, so that the last ones become empty.
    pub(super) fn reserve(self) -> Option<usize> {
        loop {
            let block = self.room().around(0)?;
            if self.raise(block) {
                self.last.store(block, Ordering::Relaxed);
                return Some(block);
            }
            self.room().remove(block, || self.has_room(block));
        }
    }

    /// A slot of a block is not bound any more; whether the block is the caller's now, to be given back.
    ///
    /// That is so if it is empty, and another one is: what is bound and freed at the edge of a block neither maps nor
    /// unmaps, since between two of either a whole block is bound.
    pub(super) fn release(self, block: usize) -> bool {
        // Release: whoever closes the block, or takes the slot, comes after what was done to it.
        let before = self.counts[block].fetch_sub(1, Ordering::Release);
        if before == EMPTY + self.slots {
            self.room().insert(block);
        }
        before == EMPTY + 1 && self.empty.fetch_add(1, Ordering::Relaxed) >= 1 && self.close(block)
    }

    fn close(self, block: usize) -> bool {
        let closed = self.counts[block].compare_exchange(EMPTY, CLOSED, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if closed {
            self.empty.fetch_sub(1, Ordering::Relaxed);
        }
        closed
    }

    /// The memory of a block that was the caller's is given back: anyone may [`reopen`](Self::reopen) it.
    pub(super) fn give_back(self, block: usize) {
        self.counts[block].store(RETURNED, Ordering::Release);
        self.returned().insert(block);
    }

    /// A block that was given back, for the caller alone.
    pub(super) fn reopen(self) -> Option<usize> {
        loop {
            let block = self.returned().from(0)?;
            let count = &self.counts[block];
            let mine = count.compare_exchange(RETURNED, CLOSED, Ordering::Acquire, Ordering::Relaxed).is_ok();
            self.returned().remove(block, || count.load(Ordering::Relaxed) == RETURNED);
            if mine {
                return Some(block);
            }
        }
    }

    /// Opens a block that is the caller's, or new, with one of its slots counted for the caller.
    pub(super) fn open(self, block: usize) {
        self.counts[block].store(EMPTY + 1, Ordering::Release);
        if self.slots > 1 {
            self.room().insert(block);
        }
    }

    /// Whether a block has a slot that could be bound. If so, it will be found.
    pub(super) fn look(self, block: usize) -> bool {
        let room = self.has_room(block);
        if room {
            // Whoever made it may not have come to that.
            self.room().insert(block);
        }
        room
    }

    fn has_room(self, block: usize) -> bool {
        self.has_room_at(self.counts[block].load(Ordering::Relaxed))
    }

    /// Whether a block with this count has room.
    fn has_room_at(self, count: u32) -> bool {
        (EMPTY..EMPTY + self.slots).contains(&count)
    }

    /// Whether a block has memory.
    pub(super) fn is_open(self, block: usize) -> bool {
        (EMPTY..=EMPTY + self.slots).contains(&self.counts[block].load(Ordering::Acquire))
    }

    /// Counts one slot more, if there is one.
    #[inline]
    fn raise(self, block: usize) -> bool {
        let count = &self.counts[block];
        let mut now = count.load(Ordering::Relaxed);
        while self.has_room_at(now) {
            // Acquire: what was done to the slots that are free is over.
            match count.compare_exchange_weak(now, now + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    if now == EMPTY {
                        self.empty.fetch_sub(1, Ordering::Relaxed);
                    }
                    return true;
                }
                Err(changed) => now = changed,
            }
        }
        false
    }

    /// The blocks that have room.
    fn room(self) -> Set<'a> {
        Set::empty(&self.words[..set_words(self.counts.len())], self.counts.len())
    }

    /// The blocks whose memory was given back.
    fn returned(self) -> Set<'a> {
        Set::empty(&self.words[set_words(self.counts.len())..], self.counts.len())
    }
}
