//! Random signatures, placed while the program runs and called by libffi: see `README.md`.

#![no_main]

mod arena;
mod c;
mod call;
mod invariants;
mod libffi;
mod shape;
mod signature;
mod validity;

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use cbframe::abi::{Layout, place};
use libfuzzer_sys::fuzz_target;

use crate::arena::Arena;
use crate::signature::{Signature, Source};

fuzz_target!(init: let_expected_panics_pass(), |data: &[u8]| run(data));

fn run(data: &[u8]) {
    // SAFETY: it is dropped at the end of this function, which hands nothing out.
    let arena = unsafe { Arena::new() };
    let (signature, mut random) = Source::new(data, &arena).signature();

    let mut can_be_placed = signature.is_of_c();
    for ty in signature.types() {
        let (checked, consistent) = (quietly(|| ty.check()).is_some(), shape::is_consistent(ty));
        // What no memory holds may be refused.
        let right = checked == consistent || consistent && signature.is_huge();
        assert!(right, "consistent: {consistent}, but `check` returns: {checked}: {ty:#?}");
        can_be_placed &= checked;
    }
    let layout = match quietly(|| layout(&signature, &arena)) {
        Some(layout) if can_be_placed => layout,
        Some(layout) => panic!("placed, though it is no C signature:\n{signature:#?}\n{layout}"),
        None if can_be_placed && !signature.is_huge() => panic!("not placed:\n{signature:#?}"),
        None => return,
    };
    let shown = layout.to_string();
    if signature.is_huge() || !signature.is_of_x86_64() {
        return;
    }
    let mut wrong = Vec::new();
    invariants::check(&signature, &layout, &mut wrong);
    let half = Signature { parameters: &signature.parameters[..signature.parameters.len() / 2], ..signature };
    invariants::begins_like(&crate::layout(&half, &arena), &layout, &mut wrong);
    signature.types().for_each(|ty| validity::check(ty, &mut random, &mut wrong));
    if wrong.is_empty() {
        call::check(&signature, &layout, &mut random, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\n\n{shown}\n\n{}", c::source(&signature), wrong.join("\n"));
}

/// The layout of a signature.
///
/// # Panics
///
/// As [`place`] does.
fn layout(signature: &Signature, arena: &Arena) -> Layout<'static> {
    let Signature { abi, parameters, result } = *signature;
    macro_rules! by_count {
        ($($n:literal)*) => {
            match parameters.len() {
                $($n => {
                    let parameters: [_; $n] = parameters.try_into().expect("the length was matched");
                    arena.keep(place(abi, parameters, result)).layout(abi, false)
                })*
                n => unreachable!("{n} parameters"),
            }
        };
    }
    by_count!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

thread_local! {
    /// Whether a panic is what a test asks for.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// libFuzzer's hook ends the process at every panic; after this, only at those outside of [`quietly`].
fn let_expected_panics_pass() {
    let fatal = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !EXPECTED.get() {
            fatal(panic);
        }
    }));
}

/// What `f` returns, or `None` if it panics.
fn quietly<T>(f: impl FnOnce() -> T) -> Option<T> {
    EXPECTED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    EXPECTED.set(false);
    result.ok()
}
