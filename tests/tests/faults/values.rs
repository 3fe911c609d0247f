//! Bit patterns that are no value of the parameter's type, on every lane.

use std::ptr::NonNull;

use cbframe::{CType, cbframe};
use cbframe_tests::child;

#[derive(CType, Clone, Copy)]
#[repr(C)]
enum Mode {
    Low = 1,
    High = 5,
}

/// In one register on both conventions.
#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Small {
    on: bool,
    mode: Mode,
}

/// In memory on System V, by reference on Windows.
#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Outer {
    id: i32,
    inners: [Small; 3],
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Named {
    name: &'static u16,
    call: Option<extern "C" fn()>,
}

/// What C passes for [`Small`].
#[derive(Clone, Copy)]
#[repr(C)]
struct RawSmall(u8, u32);
/// What C passes for [`Outer`].
#[derive(Clone, Copy)]
#[repr(C)]
struct RawOuter(i32, [RawSmall; 3]);
/// What C passes for [`Named`].
#[derive(Clone, Copy)]
#[repr(C)]
struct RawNamed(usize, usize);

const SMALL: RawSmall = RawSmall(1, 5);
static STATE: u32 = 77;
static TARGET: u64 = 5;

fn target() -> usize {
    (&raw const TARGET).addr()
}

fn reached() {
    println!("reached=yes");
}

/// Each wrong call, and what the message must hold: the parameter, and the value.
const CASES: [(&str, &str, &str); 13] = [
    ("flag", "`value: bool`", "value is 2, which is not a bool"),
    ("flag255", "`value: bool`", "value is 255, which is not a bool"),
    ("mode", "`value: Mode`", "value is 0x3, which is not a value of Mode (1, 5)"),
    ("null", "`value: &u32`", "value is null"),
    ("misaligned", "`value: &u32`", "is not aligned to 4 bytes"),
    ("exclusive", "`value: &mut u64`", "value is null"),
    ("optional", "`value: Option<&u32>`", "is not aligned to 4 bytes"),
    ("nonnull", "`value: NonNull<u8>`", "value is null"),
    ("function", "`value: extern \"C\" fn()`", "value is null"),
    ("small", "`value: Small`", "value.mode is 0x9, which is not a value of Mode (1, 5)"),
    ("outer", "`value: Outer`", "value.inners[1].on is 7, which is not a bool"),
    ("outer_mode", "`value: Outer`", "value.inners[2].mode is 0x0, which is not a value of Mode"),
    ("named", "`value: Named`", "value.name is null"),
];

macro_rules! word {
    ($name:ident) => {
        usize
    };
}

/// A module of callbacks on one lane, called as functions of the ABI `$caller` (outside Windows, rustc passes structs
/// to `efiapi` functions as System V has it), with `$pad` integers before the value; `run` makes a right call, then the
/// wrong one.
macro_rules! lanes {
    ($($lane:ident $abi:tt from $caller:tt [$($option:tt)*] [$($state:tt)*] $kind:ident [$($pad:ident)*] $($safety:ident)?;)*) => {
        $(
        mod $lane {
            use super::*;

            lanes! { @callbacks [abi = $abi, $($option)*] [$($safety)?] [$($state)*] [$($pad)*]
                flag(bool); mode(Mode); reference(&u32); exclusive(&mut u64); optional(Option<&u32>);
                nonnull(NonNull<u8>); function(extern "C" fn()); small(Small); outer(Outer); named(Named);
            }

            macro_rules! call {
                ($callback:ident($raw:ty): $right:expr, $wrong:expr) => {{
                    let pointer = lanes!(@pointer $kind $callback);
                    // SAFETY: the C type has the size and, field by field, the shape of the callback's.
                    let f: unsafe extern $caller fn($(word!($pad),)* $raw) = unsafe { std::mem::transmute(pointer) };
                    $(let $pad = 0xdead_beef_usize;)*
                    // SAFETY: a right call, and one that must not arrive.
                    unsafe {
                        f($($pad,)* $right);
                        f($($pad,)* $wrong);
                    }
                }};
            }

            pub(super) fn run(case: &str) {
                let right = target();
                match case {
                    "flag" => call!(flag(u8): 1, 2),
                    "flag255" => call!(flag(u8): 0, 255),
                    "mode" => call!(mode(u32): 5, 3),
                    "null" => call!(reference(usize): right, 0),
                    "misaligned" => call!(reference(usize): right, right + 2),
                    "exclusive" => call!(exclusive(usize): right, 0),
                    "optional" => call!(optional(usize): 0, right + 1),
                    "nonnull" => call!(nonnull(usize): 1, 0),
                    "function" => call!(function(usize): 1, 0),
                    "small" => call!(small(RawSmall): SMALL, RawSmall(0, 9)),
                    "outer" => call!(outer(RawOuter): RawOuter(-1, [SMALL; 3]),
                        RawOuter(-1, [SMALL, RawSmall(7, 5), SMALL])),
                    "outer_mode" => call!(outer(RawOuter): RawOuter(-1, [SMALL; 3]),
                        RawOuter(-1, [SMALL, SMALL, RawSmall(1, 0)])),
                    "named" => call!(named(RawNamed): RawNamed(right, 0), RawNamed(0, 0)),
                    _ => panic!("no case {case}"),
                }
            }
        }
        )*

        const LANES: &[(&str, fn(&str))] = &[$((stringify!($lane), $lane::run)),*];
    };
    (@callbacks $options:tt $safety:tt $state:tt $pads:tt $($name:ident($ty:ty);)*) => {
        $(lanes! { @callback $options $safety $state $pads $name $ty })*
    };
    (@callback [$($option:tt)*] [$($safety:ident)?] [$($state:tt)*] [$($pad:ident)*] $name:ident $ty:ty) => {
        #[cbframe($($option)*)]
        $($safety)? fn $name($($state)* $($pad: usize,)* value: $ty) {
            let _ = value;
            $(assert_eq!($pad, 0xdead_beef);)*
            reached();
        }
    };
    (@pointer stateless $callback:ident) => { $callback::FN };
    (@pointer bound $callback:ident) => { $callback::bind(&STATE).expect("a free slot").forever() };
}

/// Keeps the callback bound, whatever the pointer's type.
trait Forever {
    type Pointer;
    fn forever(self) -> Self::Pointer;
}

impl<P: Copy, C> Forever for cbframe::Frame<'static, P, C> {
    type Pointer = P;
    fn forever(self) -> P {
        self.leak()
    }
}

#[cfg(target_arch = "x86_64")]
lanes! {
    stateless "sysv64" from "sysv64" [] [] stateless [];
    stateless_captured "sysv64" from "sysv64" [entry = "captured"] [] stateless [];
    stateless_win "win64" from "win64" [] [] stateless [];
    stateless_win_captured "win64" from "win64" [entry = "captured"] [] stateless [a b c d];
    native "C" from "C" [] [#[state] _s: &u32,] bound [];
    direct "sysv64" from "sysv64" [entry = "direct"] [#[state] _s: &u32,] bound [a];
    stack "sysv64" from "sysv64" [entry = "stack"] [#[state] _s: &u32,] bound [];
    stack_spilled "sysv64" from "sysv64" [] [#[state] _s: &u32,] bound [a b c d e f];
    captured "sysv64" from "sysv64" [entry = "captured"] [#[state] _s: &u32,] bound [];
    captured_spilled "sysv64" from "sysv64" [entry = "captured"] [#[state] _s: &u32,] bound [a b c d e f g];
    win_direct "win64" from "win64" [] [#[state] _s: &u32,] bound [];
    win_stack "win64" from "win64" [entry = "stack"] [#[state] _s: &u32,] bound [a b c];
    win_stack_spilled "win64" from "win64" [] [#[state] _s: &u32,] bound [a b c d];
    win_captured "win64" from "win64" [entry = "captured"] [#[state] _s: &u32,] bound [a];
    win_captured_spilled "win64" from "win64" [entry = "captured"] [#[state] _s: &u32,] bound [a b c d];
    efi "efiapi" from "win64" [] [#[state] _s: &u32,] bound [];
}

// `fastcall` and `thiscall` of structs is refused for safe functions: rustc and GCC do not agree which registers these use up. Here
// the words before them take all registers by either's rules.
#[cfg(target_arch = "x86")]
lanes! {
    stateless "C" from "C" [] [] stateless [];
    stateless_captured "C" from "C" [entry = "captured"] [] stateless [];
    native "C" from "C" [] [#[state] _s: &u32,] bound [];
    spilled "C" from "C" [] [#[state] _s: &u32,] bound [a b c d];
    stdcall "stdcall" from "stdcall" [] [#[state] _s: &u32,] bound [a b];
    fastcall "fastcall" from "fastcall" [] [#[state] _s: &u32,] bound [a b c] unsafe;
    thiscall "thiscall" from "thiscall" [] [#[state] _s: &u32,] bound [a b] unsafe;
    efi "efiapi" from "C" [] [#[state] _s: &u32,] bound [];
}

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
lanes! {
    stateless "C" from "C" [] [] stateless [];
    stateless_captured "C" from "C" [entry = "captured"] [] stateless [];
    native "C" from "C" [] [#[state] _s: &u32,] bound [];
    direct "C" from "C" [entry = "direct"] [#[state] _s: &u32,] bound [a];
    stack "C" from "C" [] [#[state] _s: &u32,] bound [];
    stack_spilled "C" from "C" [] [#[state] _s: &u32,] bound [a b c d e f g h];
    captured "C" from "C" [entry = "captured"] [#[state] _s: &u32,] bound [];
    captured_spilled "C" from "C" [entry = "captured"] [#[state] _s: &u32,] bound [a b c d e f g h];
}

/// Runs in children only.
#[test]
fn scene() {
    let Some(case) = child::case() else { return };
    let (lane, case) = case.split_once(' ').expect("lane and case");
    let (_, run) = LANES.iter().find(|(name, _)| *name == lane).expect("a lane");
    run(case);
}

#[test]
fn wrong_values_are_named() {
    for (lane, _) in LANES {
        for (case, parameter, value) in CASES {
            let case = format!("{lane} {case}");
            let ended = child::run("values::scene", &case);
            assert_eq!(ended.value("reached"), "yes", "{case}: the right call before");
            let callback = format!("faults::values::{lane}::");
            ended.assert_aborted(&case, &["cbframe: ", &callback, parameter, value]);
            assert_eq!(ended.stdout.matches("reached").count(), 1, "{case}: the wrong call arrived");
        }
    }
}
