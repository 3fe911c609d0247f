//! The pool of hooks: its stubs are jumped to.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64};

use super::{Pool, Record, Slot, Statics, words};
use crate::__cbframe_jump_stub_table as jump_stub_table;

/// How many hooks there can be.
const COUNT: usize = 256;

static SLOTS: [Slot; COUNT] = [Slot::EMPTY; COUNT];
static RECORDS: [Record; COUNT] = [Record::EMPTY; COUNT];
static WORDS: [AtomicU64; words(COUNT)] = [const { AtomicU64::new(0) }; words(COUNT)];
static RESUMES: [AtomicPtr<()>; COUNT] = [const { AtomicPtr::new(ptr::null_mut()) }; COUNT];

jump_stub_table!(__cbframe_jump_stubs, COUNT, SLOTS, RESUMES);

// The one function that names the statics: inlined elsewhere it would make rustc export them.
#[inline(never)]
fn statics() -> &'static Statics {
    static STATICS: Statics =
        Statics { stubs: __cbframe_jump_stubs, slots: &SLOTS, records: &RECORDS, words: &WORDS, resumes: &RESUMES };
    &STATICS
}

static HOOKS: Pool = Pool::new("cbframe::hooks", statics);

impl Pool {
    /// The pool of hooks (`enter = "jump"`), of 256.
    pub fn hooks() -> &'static Self {
        &HOOKS
    }
}
