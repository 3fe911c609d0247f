//! Which slots of a pool are free.
//!
//! A slot is *fresh* (may be bound), *bound*, or *retired* (freed, and resting so that a stale call is found rather than
//! passed to the next callback at this address). Each word of the map holds two bits for 16 slots: bit `i` is set unless
//! slot `i` is fresh, bit `16 + i` is set if it is retired; and in its upper half how often one of them was freed. So one
//! atomic operation moves a slot from any state to the next. Retired slots become fresh when no fresh one is left.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many slots a word of the free map holds.
const PER_WORD: usize = 16;

/// What a word of the free map counts frees in.
const ONE_FREE: u64 = 1 << (2 * PER_WORD);

/// How many words the free map of a pool of `slots` slots has.
pub const fn words(slots: usize) -> usize {
    assert!(slots >= 1 && slots <= 1 << 20, "cbframe: a pool has between 1 and 1048576 slots");
    slots.div_ceil(PER_WORD)
}

/// The map of a pool.
#[derive(Clone, Copy)]
pub(super) struct FreeMap<'a> {
    pub(super) words: &'a [AtomicU64],
    /// How many slots there are.
    pub(super) capacity: usize,
}

impl FreeMap<'_> {
    /// Takes a fresh slot; `hint` remembers the word where one was found.
    pub(super) fn take(self, hint: &AtomicUsize) -> Option<usize> {
        let first = hint.load(Ordering::Relaxed);
        loop {
            for at in (first..self.words.len()).chain(0..first) {
                if let Some(bit) = take_fresh(&self.words[at], self.exists(at)) {
                    if at != first {
                        hint.store(at, Ordering::Relaxed);
                    }
                    return Some(at * PER_WORD + bit);
                }
            }
            // Not `any`, which would stop at the first.
            let refreshed = self.words.iter().fold(false, |any, word| refresh(word) | any);
            if !refreshed && self.is_full() {
                return None;
            }
        }
    }

    /// Gives a bound slot back.
    #[inline]
    pub(super) fn free(self, index: usize) {
        // The bit is clear, so that adding sets it.
        let retired = 1 << (PER_WORD + index % PER_WORD);
        self.words[index / PER_WORD].fetch_add(retired + ONE_FREE, Ordering::Release);
    }

    /// Whether a slot is bound.
    pub(super) fn is_bound(self, index: usize) -> bool {
        let word = Word::of(self.words[index / PER_WORD].load(Ordering::Acquire));
        word.bound() >> (index % PER_WORD) & 1 == 1
    }

    /// How many slots are bound, and how many retired.
    pub(super) fn count(self) -> (usize, usize) {
        let words = self.words.iter().map(|word| Word::of(word.load(Ordering::Relaxed)));
        words.fold((0, 0), |(bound, retired), word| {
            (bound + word.bound().count_ones() as usize, retired + word.retired.count_ones() as usize)
        })
    }

    /// The bits of the slots that exist in the word at index `word`.
    fn exists(self, word: usize) -> u16 {
        match self.capacity - word * PER_WORD {
            rest if rest < PER_WORD => (1 << rest) - 1,
            _ => u16::MAX,
        }
    }

    /// Whether there was a moment, during this call, in which every slot was bound.
    ///
    /// That each was bound when it was looked at is not enough: the one free slot may move between words meanwhile.
    /// But if nothing was freed between two looks at each word, then all were bound between the first round and the
    /// second.
    fn is_full(self) -> bool {
        self.is_full_with(|| ())
    }

    /// [`is_full`](Self::is_full), with something that happens between the rounds.
    fn is_full_with(self, between: impl FnOnce()) -> bool {
        let frees = || {
            let mut frees = 0_u64;
            for (at, word) in self.words.iter().enumerate() {
                // Acquire: the second round comes after the first.
                let word = Word::of(word.load(Ordering::Acquire));
                if word.bound() != self.exists(at) {
                    return None;
                }
                frees += u64::from(word.frees);
            }
            Some(frees)
        };
        let first = frees();
        between();
        first.is_some() && frees() == first
    }
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

    const fn bound(&self) -> u16 {
        self.taken & !self.retired
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_only_if_nothing_was_freed_meanwhile() {
        const SLOTS: usize = 3 * PER_WORD + 5;
        let (words, hint) = ([const { AtomicU64::new(0) }; words(SLOTS)], AtomicUsize::new(0));
        let map = FreeMap { words: &words, capacity: SLOTS };
        for index in 0..SLOTS {
            assert!(!map.is_full());
            assert_eq!(map.take(&hint), Some(index));
        }
        assert!(map.is_full());
        assert_eq!(map.take(&hint), None);
        // Another slot was free all the time, but never when it was looked at.
        assert!(!map.is_full_with(|| {
            map.free(7);
            assert_eq!(map.take(&hint), Some(7));
        }));
        assert!(map.is_full());
        map.free(SLOTS - 1);
        assert!(!map.is_full());
        assert_eq!((map.count(), map.is_bound(SLOTS - 1), map.is_bound(0)), ((SLOTS - 1, 1), false, true));
    }
}
