//! Calls that the generator does not make: narrow arguments with other bits above them, and callbacks that are
//! called while others run.

use std::sync::OnceLock;

use cbframe::{CpuState, bind_static, cbframe};
use cbframe_tests::guard::{self, Environment, Expected};
use cbframe_tests::hand;
use cbframe_tests::types::EnumI16;

/// Defines a callback on each lane, with the same parameters and the same body.
macro_rules! on_each_lane {
    ($abi:tt $module:ident ($($name:ident: $ty:ty),*) $(-> $result:ty)? $body:block) => {
        #[allow(dead_code, clippy::too_many_arguments, reason = "a test uses what it needs")]
        mod $module {
            use super::*;
            #[cbframe(abi = $abi)]
            pub(super) fn stateless($($name: $ty),*) $(-> $result)? $body
            #[cbframe(abi = $abi)]
            pub(super) fn native(#[state] _s: &u8, $($name: $ty),*) $(-> $result)? $body
            #[cbframe(abi = $abi)]
            pub(super) fn exclusive(#[state] _s: &mut u8, $($name: $ty),*) $(-> $result)? $body
            #[cbframe(abi = $abi, entry = "captured")]
            pub(super) fn captured(#[state] _s: &u8, $($name: $ty),*) $(-> $result)? $body
            #[cbframe(abi = $abi)]
            pub(super) fn cpu(#[state] _s: &u8, #[cpu] _cpu: &mut CpuState, $($name: $ty),*) $(-> $result)? $body

            /// A callback of each lane, for ever.
            pub(super) fn lanes() -> &'static [(&'static str, usize)] {
                static LANES: OnceLock<Vec<(&'static str, usize)>> = OnceLock::new();
                static STATE: u8 = 9;
                LANES.get_or_init(|| {
                    vec![
                        ("stateless", stateless::FN as usize),
                        ("native", native::leak(1).expect("a slot") as usize),
                        ("bind_static!", bind_static!(native, STATE) as usize),
                        ("captured", captured::leak(1).expect("a slot") as usize),
                        ("cpu", cpu::leak(1).expect("a slot") as usize),
                    ]
                })
            }
        }
    };
}

/// The words whose low bits are the values that `narrow_*` expect. The psABI and Microsoft leave open what is
/// above an argument (psABI 3.2.3: for `_Bool`, above its eight bits).
const NARROW: [u64; 12] = [
    0xa5a5_a5a5_5a5a_5a81, // i8
    0x5a5a_a5a5_7f7f_7f82, // u8
    0xffff_ffff_1234_8383, // i16
    0x1111_1111_ffff_0484, // u16
    0x7777_7777_8585_8585, // i32
    0x8888_8888_0686_8686, // u32
    0x9999_9999_9999_9901, // bool
    0x00ff_00ff_00ff_0078, // i8
    0xeeee_eeee_7fff_8989, // u16
    0xdddd_dddd_dddd_dd00, // bool
    0xcccc_cccc_0b8b_8b8b, // i32
    0x3333_3333_3333_1234, // EnumI16
];

/// The indices of the arguments that are wrong, as bits.
#[allow(clippy::too_many_arguments, reason = "the point")]
fn wrong(a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: bool, h: i8, i: u16, j: bool, k: i32, l: EnumI16) -> u64 {
    guard::trash();
    // Widened at run time, by what the compiler knows of the value in the register.
    let found: [i64; 12] = std::hint::black_box([
        a.into(),
        b.into(),
        c.into(),
        d.into(),
        e.into(),
        f.into(),
        g.into(),
        h.into(),
        i.into(),
        j.into(),
        k.into(),
        l as i64,
    ]);
    let expected = [
        -0x7f,
        0x82,
        0x8383_u16 as i16 as i64,
        0x0484,
        0x8585_8585_u32 as i32 as i64,
        0x0686_8686,
        1,
        0x78,
        0x8989,
        0,
        0x0b8b_8b8b,
        0x1234,
    ];
    (0..12).filter(|i| found[*i] != expected[*i]).map(|i| 1 << i).sum()
}

#[cfg(target_arch = "x86_64")]
on_each_lane! { "sysv64" narrow_sysv64
    (a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: bool, h: i8, i: u16, j: bool, k: i32, l: EnumI16) -> u64 {
        wrong(a, b, c, d, e, f, g, h, i, j, k, l)
    }
}
#[cfg(not(target_arch = "x86_64"))]
on_each_lane! { "C" narrow_c
    (a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: bool, h: i8, i: u16, j: bool, k: i32, l: EnumI16) -> u64 {
        wrong(a, b, c, d, e, f, g, h, i, j, k, l)
    }
}
#[cfg(not(target_arch = "x86_64"))]
use {narrow_c as narrow, narrow_c as narrow_other, step_c as step_first, step_c as step_other};
#[cfg(target_arch = "x86_64")]
use {narrow_sysv64 as narrow, narrow_win64 as narrow_other, step_sysv64 as step_first, step_win64 as step_other};
#[cfg(target_arch = "x86_64")]
on_each_lane! { "win64" narrow_win64
    (a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: bool, h: i8, i: u16, j: bool, k: i32, l: EnumI16) -> u64 {
        wrong(a, b, c, d, e, f, g, h, i, j, k, l)
    }
}

#[test]
fn what_lies_above_a_narrow_argument_does_not_matter() {
    for (windows, lanes) in [(false, narrow::lanes()), (true, narrow_other::lanes())] {
        for (lane, callback) in lanes {
            guard::arm(*callback as *const (), Expected::PLAIN, Environment::SAME);
            // SAFETY: twelve words are passed as twelve integers are.
            let wrong = unsafe { hand::words(windows, guard::entry(windows), &NARROW) };
            assert_eq!(wrong, 0, "windows {windows}, {lane}: one bit for each wrong argument");
            guard::report().assert_clean(1, lane);
        }
    }
}

const WORDS: [u64; 7] = [11, 22, 33, 44, 55, 66, 77];

/// Every lane of both conventions.
fn all() -> Vec<(bool, &'static str, usize)> {
    let lanes = |windows, lanes: &'static [(&'static str, usize)]| lanes.iter().map(move |(l, p)| (windows, *l, *p));
    lanes(false, step_first::lanes()).chain(lanes(true, step_other::lanes())).collect()
}

/// The callback of depth `depth`, which C calls through the guard.
fn call(depth: u32) -> u64 {
    let all = all();
    let (windows, _, callback) = all[depth as usize * 3 % all.len()];
    guard::arm(callback as *const (), Expected::PLAIN, Environment::SAME);
    let mut words = WORDS;
    words[6] += u64::from(depth);
    // SAFETY: the callback is of this type.
    unsafe { hand::step(windows, guard::entry(windows), depth, f64::from(depth), &words) }
}

/// What every callback does: the next one, by way of C.
fn step(depth: u32, x: f64, words: [u64; 7]) -> u64 {
    let deeper = if depth == 0 { 1 } else { call(depth - 1) };
    guard::trash();
    (deeper << 1) + u64::from(depth) + x as u64 + words.iter().sum::<u64>()
}

/// The same without C and callbacks.
fn expected(depth: u32) -> u64 {
    let deeper = if depth == 0 { 1 } else { expected(depth - 1) };
    let sum = WORDS.iter().sum::<u64>() + u64::from(depth);
    let result = (deeper << 1) + 2 * u64::from(depth) + sum;
    let last = WORDS[6] + u64::from(depth);
    (result ^ WORDS[0] ^ u64::from(depth)).wrapping_add(last + 3 * u64::from(depth))
}

#[cfg(target_arch = "x86_64")]
on_each_lane! { "sysv64" step_sysv64
    (depth: u32, x: f64, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
        step(depth, x, [a, b, c, d, e, f, g])
    }
}
#[cfg(not(target_arch = "x86_64"))]
on_each_lane! { "C" step_c
    (depth: u32, x: f64, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
        step(depth, x, [a, b, c, d, e, f, g])
    }
}
#[cfg(target_arch = "x86_64")]
on_each_lane! { "win64" step_win64
    (depth: u32, x: f64, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
        step(depth, x, [a, b, c, d, e, f, g])
    }
}

#[test]
fn callbacks_nest_on_every_lane_and_across_conventions() {
    let depth = 40;
    assert_eq!(call(depth), expected(depth));
    guard::report().assert_clean(u64::from(depth) + 1, "nested calls");
}

#[test]
fn an_exclusive_callback_may_be_called_again_after_it_has_returned() {
    let mut state = 1;
    let frame = step_first::exclusive::bind(&mut state).expect("a slot");
    for _ in 0..3 {
        guard::arm(frame.as_ptr(), Expected::PLAIN, Environment::SAME);
        // SAFETY: the callback is of this type, and its frame lives.
        let result = unsafe { hand::step(false, guard::entry(false), 0, 0.0, &WORDS) };
        assert_eq!(result, expected(0));
    }
    guard::report().assert_clean(3, "exclusive");
    drop(frame);
    let frame = narrow_other::exclusive::bind(&mut state).expect("a slot");
    guard::arm(frame.as_ptr(), Expected::PLAIN, Environment::SAME);
    // SAFETY: as above.
    assert_eq!(unsafe { hand::words(true, guard::entry(true), &NARROW) }, 0);
    guard::report().assert_clean(1, "exclusive");
}
