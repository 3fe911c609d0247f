//! Which slots of a pool are free.
//!
//! A slot is *fresh* (may be bound), *bound*, or *retired* (freed, and resting so that a stale call is found rather than
//! passed to the next callback at this address). Each word of the map holds two bits for 16 slots: bit `i` is set unless
//! slot `i` is fresh, bit `16 + i` is set if it is retired; and in its upper half how often one of them was freed. So one
//! atomic operation moves a slot from any state to the next. Retired slots are used again when no fresh one is left, a word
//! after the other around the map. Behind these words are two sets of them, of those with fresh and of those with
//! retired slots, so that neither is searched for.

use super::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::set::{Set, set_words};

/// How many slots a word of the free map holds.
const PER_WORD: usize = 16;

/// What a word of the free map counts frees in.
const ONE_FREE: u64 = 1 << (2 * PER_WORD);

/// How many words the free map of a pool of `slots` slots has.
pub const fn words(slots: usize) -> usize {
    assert!(slots >= 1 && slots <= 1 << 20, "cbframe: a pool has between 1 and 1048576 slots");
    let words = slots.div_ceil(PER_WORD);
    words + 2 * set_words(words)
}

/// The map of a pool; all zero is one of fresh slots.
#[derive(Clone, Copy)]
pub(super) struct FreeMap<'a> {
    pub(super) words: &'a [AtomicU64],
    /// How many slots there are.
    pub(super) capacity: usize,
}

impl<'a> FreeMap<'a> {
    /// Takes a slot, if there is one; `hint` remembers the word where one was found.
    #[inline]
    pub(super) fn take(self, hint: &AtomicUsize) -> Option<usize> {
        loop {
            if let Some(index) = self.find(hint) {
                return Some(index);
            }
            if self.is_full() {
                return None;
            }
        }
    }

    /// As [`take`](Self::take), but a slot that is being freed at this moment may be overlooked.
    #[inline(always)]
    pub(super) fn find(self, hint: &AtomicUsize) -> Option<usize> {
        let at = hint.load(Ordering::Relaxed);
        match take_fresh(&self.words[at], self.exists(at)) {
            Some(bit) => Some(at * PER_WORD + bit),
            None => self.find_elsewhere(at, hint),
        }
    }

    #[inline(never)]
    fn find_elsewhere(self, first: usize, hint: &AtomicUsize) -> Option<usize> {
        if self.fresh().is_empty() && self.retired().is_empty() { None } else { self.search(first, hint) }
    }

    /// Takes a slot of another word than the one at `first`: a fresh one, or else a retired one.
    #[inline(never)]
    fn search(self, first: usize, hint: &AtomicUsize) -> Option<usize> {
        let found = |at: usize, bit: usize| {
            hint.store(at, Ordering::Relaxed);
            Some(at * PER_WORD + bit)
        };
        while let Some(at) = self.fresh().around(first) {
            match take_fresh(&self.words[at], self.exists(at)) {
                Some(bit) => return found(at, bit),
                None => self.fresh().remove(at, || self.word(at).fresh(self.exists(at)) != 0),
            }
        }
        while let Some(at) = self.retired().around(first + 1) {
            match take_retired(&self.words[at]) {
                Some((bit, others)) => {
                    if others {
                        self.fresh().insert(at);
                    }
                    return found(at, bit);
                }
                None => self.retired().remove(at, || self.word(at).retired != 0),
            }
        }
        None
    }

    /// Gives a bound slot back.
    #[inline]
    pub(super) fn free(self, index: usize) {
        let at = index / PER_WORD;
        // The bit is clear, so that adding sets it.
        let retired = 1 << (PER_WORD + index % PER_WORD);
        let before = Word::of(self.words[at].fetch_add(retired + ONE_FREE, Ordering::Release));
        if before.retired == 0 {
            self.retired().insert(at);
        }
    }

    /// Whether a slot is bound.
    pub(super) fn is_bound(self, index: usize) -> bool {
        let word = Word::of(self.words[index / PER_WORD].load(Ordering::Acquire));
        word.bound() >> (index % PER_WORD) & 1 == 1
    }

    /// How many slots are bound, and how many retired.
    pub(super) fn count(self) -> (usize, usize) {
        (0..self.length()).map(|at| self.word(at)).fold((0, 0), |(bound, retired), word| {
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
    pub(super) fn is_full(self) -> bool {
        self.is_full_with(|| ())
    }

    /// [`is_full`](Self::is_full), with something that happens between the rounds.
    fn is_full_with(self, between: impl FnOnce()) -> bool {
        let frees = || {
            let mut frees = 0_u64;
            for at in 0..self.length() {
                // Acquire: the second round comes after the first.
                let word = Word::of(self.words[at].load(Ordering::Acquire));
                if word.bound() != self.exists(at) {
                    // Whoever freed a slot here may not have come to that.
                    if word.retired == 0 {
                        self.fresh().insert(at)
                    } else {
                        self.retired().insert(at)
                    }
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

    /// How many words there are, without the sets.
    #[inline]
    fn length(self) -> usize {
        self.capacity.div_ceil(PER_WORD)
    }

    fn word(self, at: usize) -> Word {
        Word::of(self.words[at].load(Ordering::Relaxed))
    }

    /// The words that have fresh slots.
    #[inline]
    fn fresh(self) -> Set<'a> {
        let length = self.length();
        Set::full(&self.words[length..][..set_words(length)], length)
    }

    /// The words that have retired slots.
    #[inline]
    fn retired(self) -> Set<'a> {
        let length = self.length();
        Set::empty(&self.words[length + set_words(length)..], length)
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

    const fn fresh(&self, exists: u16) -> u16 {
        !self.taken & exists
    }
}

/// Takes the first fresh slot of a word.
#[inline]
fn take_fresh(word: &AtomicU64, exists: u16) -> Option<usize> {
    let mut now = word.load(Ordering::Relaxed);
    loop {
        let fresh = Word::of(now).fresh(exists);
        if fresh == 0 {
            return None;
        }
        let bit = fresh.trailing_zeros();
        // Acquire: what whoever freed the slot did to it is over. Release: whoever sees that it is bound sees what this
        // thread has freed before, without which `is_full` would be wrong.
        match word.compare_exchange_weak(now, now | 1 << bit, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return Some(bit as usize),
            Err(changed) => now = changed,
        }
    }
}

/// Takes the first retired slot of a word, and makes the others fresh; which, and whether there are others.
fn take_retired(word: &AtomicU64) -> Option<(usize, bool)> {
    let mut now = word.load(Ordering::Relaxed);
    loop {
        let retired = Word::of(now).retired;
        if retired == 0 {
            return None;
        }
        let bit = retired.trailing_zeros();
        let others = u64::from(retired) & !(1 << bit);
        let taken = now & !(u64::from(retired) << PER_WORD | others);
        // As above. It also passes on to the takers of the others what those who freed them have released.
        match word.compare_exchange_weak(now, taken, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return Some((bit as usize, others != 0)),
            Err(changed) => now = changed,
        }
    }
}

#[cfg(all(test, not(loom)))]
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
