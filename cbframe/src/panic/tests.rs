//! The list of scopes against what is true of simulated stacks.

use std::vec;

use super::*;

const OWN: Range<usize> = 10_000..20_000;
/// The upper ends of stacks, the thread's own first; coroutines lie on both sides of it.
const TOPS: [usize; 4] = [20_000, 9_000, 30_000, 40_000];

fn scopes() -> Scopes {
    Scopes { entered: Vec::new(), serial: 0, own_stack: Some(OWN) }
}

fn panic_at(scopes: &mut Scopes, here: usize) {
    let dropped = scopes.bury(here);
    if let Some(scope) = scopes.around(here) {
        scope.keep(&mut Some(Waiting::new(Box::new(here))));
    }
    drop(dropped);
}

#[test]
fn no_two_scopes_have_one_frame() {
    let mut scopes = scopes();
    let (outer, _) = scopes.enter(19_000);
    let (jumped_over, _) = scopes.enter(15_000);
    // A coroutine that lies higher is suspended, and the stack has grown back.
    let (suspended, _) = scopes.enter(30_000);
    let (again, _) = scopes.enter(15_000);
    panic_at(&mut scopes, 14_000);
    assert!(waits(&mut scopes, again));
    assert!(scopes.leave(jumped_over).0.is_none(), "left");
    assert!(!waits(&mut scopes, outer));
    assert!(!waits(&mut scopes, suspended));
    assert!(scopes.entered.is_empty());
}

#[test]
fn a_serial_number_tells_scopes_at_one_address_apart() {
    let mut scopes = scopes();
    let (first, _) = scopes.enter(15_000);
    let (second, _) = scopes.enter(15_000);
    assert!(scopes.leave(first).0.is_none());
    assert!(scopes.leave(second).0.is_some());
}

fn waits(scopes: &mut Scopes, key: Key) -> bool {
    scopes.leave(key).0.expect("it lives").waiting.is_some()
}

#[test]
fn the_panic_of_a_scope_goes_outwards_when_its_frame_is_used_again() {
    let mut scopes = scopes();
    let (outer, _) = scopes.enter(19_000);
    scopes.enter(15_000);
    panic_at(&mut scopes, 14_000);
    let (again, dropped) = scopes.enter(15_000);
    assert!(dropped.is_empty());
    assert!(!waits(&mut scopes, again));
    assert!(waits(&mut scopes, outer));
}

#[test]
fn the_stack_of_a_coroutine_is_used_again() {
    let mut scopes = scopes();
    let (abandoned, _) = scopes.enter(30_000);
    panic_at(&mut scopes, 29_000);
    let (again, dropped) = scopes.enter(30_000);
    assert_eq!(dropped.len(), 1);
    panic_at(&mut scopes, 29_000);
    assert!(waits(&mut scopes, again));
    assert!(scopes.leave(abandoned).0.is_none());
}

#[test]
fn a_coroutine_without_a_scope() {
    let mut scopes = scopes();
    let (outer, _) = scopes.enter(19_000);
    let (inner, _) = scopes.enter(15_000);
    panic_at(&mut scopes, 29_000);
    assert!(waits(&mut scopes, inner));
    panic_at(&mut scopes, 9_000);
    assert!(waits(&mut scopes, outer));
    // And with none anywhere.
    panic_at(&mut scopes, 9_000);
    let (suspended, _) = scopes.enter(30_000);
    panic_at(&mut scopes, 19_000);
    assert!(!waits(&mut scopes, suspended), "the thread's own stack is in no coroutine's scope");
}

/// A frame that has not ended.
struct Frame {
    address: usize,
    /// Its scope, and whether a panic waits in it, as it should be.
    scope: Option<(Key, bool)>,
}

#[test]
fn random_calls_jumps_and_switches() {
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let mut resumed = [0; 2];
    for _ in 0..300 {
        let mut scopes = scopes();
        let mut stacks: [Vec<Frame>; 4] = Default::default();
        // Each coroutine begins with a scope: where it has none, it is not defined which it is in.
        for (stack, top) in stacks.iter_mut().zip(TOPS).skip(1) {
            let (key, _) = scopes.enter(top - 16);
            stack.push(Frame { address: top - 16, scope: Some((key, false)) });
        }
        let mut current = 0;
        let leave = |scopes: &mut Scopes, frame: Frame, resumed: &mut [u32; 2]| {
            let Some((key, waits)) = frame.scope else { return };
            let scope = scopes.leave(key).0.expect("a scope that runs is known");
            assert_eq!(scope.waiting.is_some(), waits);
            resumed[usize::from(waits)] += 1;
        };
        for _ in 0..400 {
            let stack = &mut stacks[current];
            let here = stack.last().map_or(TOPS[current], |frame| frame.address);
            match random(16) {
                // Calls something.
                0..4 if stack.len() < 15 => stack.push(Frame { address: here - 16 * (1 + random(30)), scope: None }),
                // Enters a scope.
                4..8 if stack.len() < 15 => {
                    let address = here - 16 * (1 + random(30));
                    let (key, _) = scopes.enter(address);
                    stack.push(Frame { address, scope: Some((key, false)) });
                }
                // Returns.
                8..12 if stack.len() > usize::from(current != 0) => {
                    let frame = stack.pop().expect("there is one");
                    leave(&mut scopes, frame, &mut resumed);
                }
                // Jumps over some frames of the thread's own stack: a panic that waits there belongs to the next scope.
                12 if current == 0 && !stack.is_empty() => {
                    let over = stack.split_off(random(stack.len()));
                    let waits = over.iter().any(|frame| frame.scope.is_some_and(|(_, waits)| waits));
                    if let Some((_, outer)) = stack.iter_mut().rev().find_map(|frame| frame.scope.as_mut()) {
                        *outer |= waits;
                    }
                }
                // Goes on on another stack.
                13 | 14 => current = random(4),
                // A callback panics.
                15 => {
                    panic_at(&mut scopes, here - 8);
                    if let Some((_, waits)) = stack.iter_mut().rev().find_map(|frame| frame.scope.as_mut()) {
                        *waits = true;
                    }
                }
                _ => {}
            }
        }
        // Everything returns, in some order of the stacks.
        let mut order = vec![0, 1, 2, 3];
        order.rotate_left(random(4));
        for current in order {
            for frame in stacks[current].drain(..).rev() {
                leave(&mut scopes, frame, &mut resumed);
            }
        }
    }
    assert!(resumed.iter().all(|count| *count > 1_000), "{resumed:?}");
}
