//! Sets of numbers in which a member is found quickly, however large they are.
//!
//! A bit for each number, above each word of bits one that says whether there are members in it, and so on up to a single
//! word. What the members have in common is known elsewhere and changes there: a set is where to look for it. The rule
//! that keeps both together: whoever makes it true inserts, *after*; whoever finds it untrue removes, and then looks
//! *again*. So a number for which it is true is in the set, or somebody is about to insert it.

use super::atomic::{AtomicU64, Ordering};

const BITS: usize = u64::BITS as usize;

/// How many words a set of the numbers below `numbers` has.
#[inline]
pub(super) const fn set_words(numbers: usize) -> usize {
    if numbers <= BITS { 1 } else { numbers.div_ceil(BITS) + set_words(numbers.div_ceil(BITS)) }
}

/// A set of numbers.
#[derive(Clone, Copy)]
pub(super) struct Set<'a> {
    /// The bits, and then the set of those of their words that have members.
    words: &'a [AtomicU64],
    /// The members are below this.
    numbers: usize,
    /// A word without members.
    none: u64,
}

impl<'a> Set<'a> {
    /// A set that is empty while all words are 0.
    pub(super) const fn empty(words: &'a [AtomicU64], numbers: usize) -> Self {
        Self { words, numbers, none: 0 }
    }

    /// A set that holds every number while all words are 0.
    pub(super) const fn full(words: &'a [AtomicU64], numbers: usize) -> Self {
        Self { words, numbers, none: u64::MAX }
    }

    /// Inserts a number: it has just become a member.
    pub(super) fn insert(self, number: usize) {
        let (word, bit) = (&self.words[number / BITS], 1 << (number % BITS));
        // Release: whoever removes the number after this, and looks again, sees why it was inserted.
        let before = if self.none == 0 {
            word.fetch_or(bit, Ordering::Release)
        } else {
            word.fetch_and(!bit, Ordering::Release)
        };
        if before == self.none
            && let Some(above) = self.above()
        {
            above.insert(number / BITS);
        }
    }

    /// Removes a number that was found not to be a member, unless it is one when looked at `again`.
    pub(super) fn remove(self, number: usize, again: impl FnOnce() -> bool) {
        let (word, bit) = (&self.words[number / BITS], 1 << (number % BITS));
        // Acquire: see `insert`.
        let _ = if self.none == 0 {
            word.fetch_and(!bit, Ordering::Acquire)
        } else {
            word.fetch_or(bit, Ordering::Acquire)
        };
        if again() {
            self.insert(number);
        }
    }

    /// The first member from `first` on, or else the first of all.
    pub(super) fn around(self, first: usize) -> Option<usize> {
        self.from(first).or_else(|| self.from(0))
    }

    /// The first member from `first` on.
    pub(super) fn from(self, first: usize) -> Option<usize> {
        let bits = if first < self.numbers { self.members(first / BITS) & u64::MAX << (first % BITS) } else { 0 };
        let (word, bits) = if bits == 0 { self.next_word(first / BITS + 1)? } else { (first / BITS, bits) };
        let found = word * BITS + bits.trailing_zeros() as usize;
        if found < self.numbers {
            return Some(found);
        }
        // All bits of a complement are set at first, those of numbers that do not exist too.
        self.remove(found, || false);
        None
    }

    /// Whether there are no members, which the uppermost word says.
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.words.last().is_some_and(|word| word.load(Ordering::Relaxed) == self.none)
    }

    /// The first word, from `first` on, that has members.
    fn next_word(self, mut first: usize) -> Option<(usize, u64)> {
        let above = self.above()?;
        loop {
            let word = above.from(first)?;
            match self.members(word) {
                0 => above.remove(word, || self.members(word) != 0),
                bits => return Some((word, bits)),
            }
            first = word;
        }
    }

    /// The members in a word.
    fn members(self, word: usize) -> u64 {
        self.words[word].load(Ordering::Relaxed) ^ self.none
    }

    /// The set of the words that have members.
    fn above(self) -> Option<Self> {
        let here = self.numbers.div_ceil(BITS);
        (here > 1).then(|| Self { words: &self.words[here..], numbers: here, ..self })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeSet;
    use std::vec::Vec;

    use super::*;

    /// Against a `BTreeSet`, of sizes around those where a level is added.
    #[test]
    fn members_are_found() {
        for numbers in [1, 63, 64, 65, 4095, 4096, 4097, 70_000, 262_145] {
            for full in [false, true] {
                let words: Vec<_> = (0..set_words(numbers)).map(|_| AtomicU64::new(0)).collect();
                let set = if full { Set::full(&words, numbers) } else { Set::empty(&words, numbers) };
                let mut model: BTreeSet<_> = if full { (0..numbers).collect() } else { BTreeSet::new() };
                let mut random = numbers as u64;
                let mut next = |below: usize| {
                    random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                    (random >> 33) as usize % below
                };
                if full {
                    // Few are left, so that whole words have none.
                    let kept = next(numbers);
                    (0..numbers).filter(|&number| number != kept).for_each(|number| set.remove(number, || false));
                    model.retain(|&number| number == kept);
                }
                for _ in 0..300 {
                    let number = next(numbers);
                    match next(5) {
                        0 => {
                            set.insert(number);
                            model.insert(number);
                        }
                        1 | 2 => {
                            let number = set.around(number).unwrap_or(number);
                            set.remove(number, || false);
                            model.remove(&number);
                        }
                        3 => {
                            let was = model.contains(&number);
                            set.remove(number, || was);
                        }
                        _ => {}
                    }
                    let first = next(numbers + 1);
                    assert_eq!(set.from(first), model.range(first..).next().copied(), "{numbers} from {first}");
                    let around = model.range(first..).chain(&model).next().copied();
                    assert_eq!(set.around(first), around, "{numbers} around {first}");
                }
            }
        }
    }
}
