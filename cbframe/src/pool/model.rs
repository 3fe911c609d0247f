//! The allocator under loom: the same source, of atomics whose every interleaving is tried.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p cbframe --release --lib loom`
#![allow(dead_code, unreachable_pub, reason = "the model uses a part, and nobody else does")]

use std::vec::Vec;

use ::loom::model::Builder;
use ::loom::sync::Arc;
use ::loom::thread;

use atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use ledger::{Ledger, ledger_words};
use map::{FreeMap, words};

#[path = "ledger.rs"]
mod ledger;
#[path = "map.rs"]
mod map;
#[path = "set.rs"]
mod set;

mod atomic {
    pub(super) use ::loom::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering};
}

fn zeros(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// Tries every order in which a thread is interrupted at most so often; with three threads all orders would take hours.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// A free map, and something for each slot that only its owner touches.
struct Map {
    words: Vec<AtomicU64>,
    hint: AtomicUsize,
    /// Loom reports an access that another thread's does not come before.
    slots: Vec<::loom::cell::UnsafeCell<usize>>,
}

// SAFETY: that each slot is used by its owner alone is what is tested.
unsafe impl Sync for Map {}
// SAFETY: as above.
unsafe impl Send for Map {}

impl Map {
    /// All slots bound but `free`, of which the ones in `retired` rest.
    fn new(capacity: usize, free: &[usize], retired: &[usize]) -> Arc<Self> {
        let map = Self {
            words: zeros(words(capacity)),
            hint: AtomicUsize::new(0),
            slots: (0..capacity).map(|_| ::loom::cell::UnsafeCell::new(0)).collect(),
        };
        // The bits directly: as many operations would be as many points at which threads change.
        for at in 0..capacity.div_ceil(16) {
            let bits = |kept: &dyn Fn(&usize) -> bool| {
                (0..16)
                    .filter(|bit| kept(&(at * 16 + bit)) && at * 16 + bit < capacity)
                    .fold(0, |all, bit| all | 1 << bit)
            };
            let taken: u64 = bits(&|slot| !free.contains(slot) || retired.contains(slot));
            let resting: u64 = bits(&|slot| retired.contains(slot));
            map.words[at].store(taken | resting << 16, Ordering::Relaxed);
            let (fresh_set, retired_set) = (capacity.div_ceil(16), capacity.div_ceil(16) + 1);
            if bits(&|slot| free.contains(slot) && !retired.contains(slot)) == 0 {
                map.words[fresh_set].fetch_or(1 << at, Ordering::Relaxed);
            }
            if resting != 0 {
                map.words[retired_set].fetch_or(1 << at, Ordering::Relaxed);
            }
        }
        Arc::new(map)
    }

    fn map(&self) -> FreeMap<'_> {
        FreeMap { words: &self.words, capacity: self.slots.len() }
    }

    fn take(&self) -> Option<usize> {
        let index = self.map().take(&self.hint)?;
        self.use_slot(index);
        Some(index)
    }

    fn use_slot(&self, index: usize) {
        // SAFETY: the caller owns the slot.
        self.slots[index].with_mut(|slot| unsafe { *slot += 1 });
    }

    fn free(&self, index: usize) {
        self.use_slot(index);
        self.map().free(index);
    }
}

/// As many slots are free as threads want one: each gets one, the two words of the map notwithstanding.
#[test]
fn loom_a_take_fails_only_if_all_are_bound() {
    check(3, || {
        let map = Map::new(32, &[3, 17], &[17]);
        let other = {
            let map = map.clone();
            thread::spawn(move || {
                let index = map.take().expect("one is free for each");
                map.free(index);
                let index = map.take().expect("one is free for each");
                map.use_slot(index);
                index
            })
        };
        let index = map.take().expect("one is free for each");
        map.use_slot(index);
        assert_ne!(other.join().expect("no panic"), index, "a slot is given twice");
        assert!(map.map().is_full() && map.take().is_none());
    });
}

/// The one slot moves from word to word.
#[test]
fn loom_a_slot_is_found_when_another_is_freed_first() {
    check(3, || {
        let map = Map::new(32, &[20], &[20]);
        let other = {
            let map = map.clone();
            thread::spawn(move || {
                // First a slot of the other word, then the one that is free: never are all bound.
                map.free(4);
                map.take().expect("two are free, of which one may be taken")
            })
        };
        let index = map.take().expect("there is always one");
        assert_ne!(other.join().expect("no panic"), index);
        assert!(map.map().is_full());
    });
}

/// Frees and takes in one word, whose slots rest meanwhile. Afterwards the sets know where to look.
#[test]
fn loom_nothing_is_lost() {
    check(3, || {
        let map = Map::new(18, &[0, 16, 17], &[16, 17]);
        let threads = [1, 2].map(|mine| {
            let map = map.clone();
            thread::spawn(move || {
                map.free(mine);
                map.take().expect("more are free than are taken")
            })
        });
        let taken = threads.map(|thread| thread.join().expect("no panic"));
        assert_ne!(taken[0], taken[1]);
        assert_eq!(map.map().count().0, 15);
        // By the sets alone, but for the word that a hint names.
        for _ in 0..3 {
            map.map().find(&AtomicUsize::new(0)).expect("a set has lost a word");
        }
        assert!(map.map().is_full());
    });
}

/// One slot is free at every moment, each time another one.
#[test]
fn loom_a_map_is_full_only_if_all_are_bound() {
    for retired in [&[][..], &[20]] {
        check(3, move || {
            let map = Map::new(32, &[20], retired);
            let other = {
                let map = map.clone();
                thread::spawn(move || {
                    map.free(4);
                    map.take().expect("two are free")
                })
            };
            assert!(!map.map().is_full(), "there is always one");
            assert_eq!(other.join().expect("no panic"), 20);
        });
    }
}

/// A slot goes from thread to thread, and so does what they do with it: loom reports a use that the next one does not
/// come after.
#[test]
fn loom_what_was_done_to_a_slot_is_over() {
    check(2, || {
        let map = Map::new(16, &[], &[]);
        let find = |map: &Map| {
            let index = map.map().find(&map.hint);
            index.inspect(|&index| map.use_slot(index))
        };
        // Two are freed by one thread; of the others one takes a retired slot, and the other what became fresh by that.
        let freeing = {
            let map = map.clone();
            thread::spawn(move || {
                map.free(1);
                map.free(2);
            })
        };
        let other = {
            let map = map.clone();
            thread::spawn(move || find(&map))
        };
        let mine = find(&map);
        freeing.join().expect("no panic");
        let other = other.join().expect("no panic");
        assert!(mine.is_none() || mine != other, "a slot is given twice");
    });
}

/// A ledger of blocks, and the memory of each.
struct Blocks {
    counts: Vec<AtomicU32>,
    words: Vec<AtomicU64>,
    last: AtomicUsize,
    empty: AtomicIsize,
    slots: u32,
    /// Held shared while a slot of the block is used, and exclusively while it is given back.
    memory: Vec<::loom::cell::UnsafeCell<u32>>,
}

// SAFETY: what is tested.
unsafe impl Sync for Blocks {}
// SAFETY: as above.
unsafe impl Send for Blocks {}

impl Blocks {
    /// Two blocks with so many slots that are used.
    fn new(slots: u32, used: [u32; 2]) -> Arc<Self> {
        let blocks = Self {
            counts: used.iter().map(|&used| AtomicU32::new(used + 1)).collect(),
            words: zeros(ledger_words(2)),
            last: AtomicUsize::new(0),
            empty: AtomicIsize::new(used.iter().filter(|&&used| used == 0).count() as isize),
            slots,
            memory: used.iter().map(|_| ::loom::cell::UnsafeCell::new(0)).collect(),
        };
        for (block, &used) in used.iter().enumerate() {
            if used < slots {
                blocks.words[0].fetch_or(1 << block, Ordering::Relaxed);
            }
        }
        Arc::new(blocks)
    }

    fn ledger(&self) -> Ledger<'_> {
        Ledger { counts: &self.counts, words: &self.words, last: &self.last, empty: &self.empty, slots: self.slots }
    }

    fn use_block(&self, block: usize) {
        // SAFETY: a block is used while a slot of it is counted.
        self.memory[block].with(|memory| unsafe { *memory });
    }

    fn release(&self, block: usize) {
        self.use_block(block);
        if self.ledger().release(block) {
            // SAFETY: the block is this thread's.
            self.memory[block].with_mut(|memory| unsafe { *memory += 1 });
            self.ledger().give_back(block);
        }
    }

    /// A slot of a block, perhaps of one that was given back.
    fn take(&self) -> Option<usize> {
        let block = self.ledger().reserve_in_last().or_else(|| self.ledger().reserve()).or_else(|| {
            let block = self.ledger().reopen()?;
            // SAFETY: the block is this thread's.
            self.memory[block].with_mut(|memory| unsafe { *memory += 1 });
            self.ledger().open(block);
            Some(block)
        })?;
        self.use_block(block);
        Some(block)
    }
}

/// A block is given back only when nobody uses it, and opened by one thread.
#[test]
fn loom_blocks_are_given_back_when_empty() {
    check(3, || {
        let blocks = Blocks::new(2, [1, 1]);
        let threads = [0, 1].map(|mine| {
            let blocks = blocks.clone();
            thread::spawn(move || {
                blocks.release(mine);
                let block = blocks.take().expect("there is room for four");
                blocks.use_block(block);
                block
            })
        });
        let taken = threads.map(|thread| thread.join().expect("no panic"));
        for block in 0..2 {
            let used = taken.iter().filter(|&&taken| taken == block).count();
            let count = blocks.counts[block].load(Ordering::Relaxed);
            assert!(count == used as u32 + 1 || used == 0 && !blocks.ledger().is_open(block));
        }
        let empty = (0..2).filter(|&block| blocks.counts[block].load(Ordering::Relaxed) == 1).count();
        assert_eq!(blocks.empty.load(Ordering::Relaxed), empty as isize);
    });
}

/// Two threads have used the block that one of them gives back.
#[test]
fn loom_a_block_is_given_back_after_its_last_use() {
    check(3, || {
        let blocks = Blocks::new(2, [2, 0]);
        let other = {
            let blocks = blocks.clone();
            thread::spawn(move || blocks.release(0))
        };
        blocks.release(0);
        other.join().expect("no panic");
        assert!(!blocks.ledger().is_open(0) && blocks.ledger().is_open(1));
        assert_eq!(blocks.take(), Some(1));
    });
}

/// A block that was given back is opened by one thread, and used by another after that.
#[test]
fn loom_a_block_is_used_after_it_was_opened() {
    check(3, || {
        let blocks = Blocks::new(2, [2, 0]);
        blocks.empty.store(0, Ordering::Relaxed);
        blocks.ledger().give_back(1);
        let other = {
            let blocks = blocks.clone();
            thread::spawn(move || blocks.take())
        };
        let taken = [blocks.take(), other.join().expect("no panic")];
        assert!(taken.contains(&Some(1)) && !taken.contains(&Some(0)));
    });
}

/// No block is overlooked that has room when all is still.
#[test]
fn loom_blocks_with_room_are_found() {
    check(3, || {
        let blocks = Blocks::new(1, [1, 1]);
        let other = {
            let blocks = blocks.clone();
            thread::spawn(move || {
                blocks.release(1);
                blocks.take()
            })
        };
        blocks.release(0);
        let mine = blocks.take();
        let others = other.join().expect("no panic");
        let taken = [mine, others].into_iter().flatten().count();
        let (mut found, mut seen) = (0, [mine, others].into_iter().flatten().collect::<Vec<_>>());
        while let Some(block) = blocks.take() {
            assert!(!seen.contains(&block), "a slot is counted twice");
            seen.push(block);
            found += 1;
        }
        assert_eq!(taken + found, 2, "a block was lost");
    });
}
