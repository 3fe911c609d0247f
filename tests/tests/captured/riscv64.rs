//! On RISC-V.

use cbframe::{CType, CpuState, CpuSubset, cbframe};
use cbframe_tests::guard::{self, Environment, Expected, pattern};
use cbframe_tests::hand::{self, FEW};
use cbframe_tests::machine::PRESERVED;

/// Calls `callback` through the guard as a function of the fields of `FEW` to a word, with environment `with`.
fn word(callback: *const (), with: Environment) -> u64 {
    guard::arm(callback, Expected::PLAIN, with);
    // SAFETY: the callbacks of this file that return a word take these arguments.
    unsafe { hand::few_word(false, guard::entry(false), &FEW) }
}

fn double(callback: *const ()) -> f64 {
    guard::arm(callback, Expected::PLAIN, Environment::SAME);
    // SAFETY: the callbacks of this file that return a double take these arguments.
    unsafe { hand::few_double(false, guard::entry(false), &FEW) }
}

/// By LP64D: a, c, e, f, g in a0 to a4; b, d in fa0, fa1.
fn in_places(cpu: &CpuState) -> bool {
    cpu.x[10] as i64 == i64::from(FEW.a)
        && cpu.x[11] == FEW.c
        && [cpu.x[12], cpu.x[13], cpu.x[14]] == [FEW.e, FEW.f, FEW.g].map(u64::from)
        && cpu.f(10).is_none_or(|f| f.f64(0) == FEW.b)
        && cpu.f(11).is_none_or(|f| f.f32(0) == FEW.d && f.u32(1) == u32::MAX)
}

macro_rules! raw {
    ($($name:ident: $($group:ident)*;)*) => {
        $(
            #[cbframe(abi = "raw", save($($group),*))]
            fn $name(#[state] answer: &u64, cpu: &mut CpuState) {
                let preserved = PRESERVED.iter().all(|number| cpu.x[*number] == pattern(*number as u64));
                let right = in_places(cpu) && preserved && cpu.x[1] == cpu.pc && cpu.x[2] % 16 == 0;
                guard::trash();
                cpu.x[10] = if right { *answer } else { 0xbad };
            }
        )*

        #[test]
        fn raw_callbacks_see_the_arguments_and_preserve_what_they_do_not_change() {
            $(
                let frame = $name::bind(0x600d).expect("a slot");
                for environment in [Environment::SAME, Environment::OTHER] {
                    assert_eq!(word(frame.as_ptr(), environment), 0x600d, stringify!($name));
                    guard::report().assert_clean(1, concat!("raw, ", stringify!($name)));
                }
            )*
        }
    };
}

raw! {
    with_gpr: gpr;
    with_all: gpr fpr;
}

#[cbframe(abi = "raw")]
fn changes(#[state] register: &u32, cpu: &mut CpuState) {
    match register {
        100 => cpu.set_fcsr(cpu.fcsr().expect("saved") ^ 2 << 5),
        number @ 0..32 => cpu.x[*number as usize] += 1,
        float => cpu.f_mut((float - 32) as usize).expect("saved").bytes[1] ^= 0xff,
    }
}

#[test]
fn a_raw_callback_changes_exactly_the_register_that_it_writes() {
    for number in PRESERVED.iter().flat_map(|number| [*number as u32, *number as u32 + 32]) {
        let frame = changes::bind(number).expect("a slot");
        word(frame.as_ptr(), Environment::SAME);
        let old = pattern(number.into());
        let (name, new) =
            if number < 32 { (format!("x{number}"), old + 1) } else { (format!("f{}", number - 32), old ^ 0xff00) };
        assert_eq!(guard::report().violations, format!("{name} is {new:#x}, not {old:#x}; "));
    }
    let frame = changes::bind(100).expect("a slot");
    word(frame.as_ptr(), Environment::SAME);
    assert_eq!(guard::report().violations, "mode is 0x40, not 0; ");
}

#[cbframe(abi = "raw")]
fn returns_double(#[state] value: &f64, cpu: &mut CpuState) {
    cpu.f_mut(10).expect("saved").set_f64(0, *value);
}

#[cbframe(abi = "raw", save(fpr))]
fn returns_double_alone(#[state] value: &f64, cpu: &mut CpuSubset) {
    assert!(cpu.x(10).is_none() && cpu.sp().is_none());
    assert_eq!(cpu.f(10).expect("saved").f64(0), FEW.b);
    cpu.f_mut(10).expect("saved").set_f64(0, *value);
}

#[test]
fn a_raw_result_in_a_floating_point_register() {
    let value = -1234.5;
    for frame in [
        returns_double::bind(value).expect("a slot").into_ptr(),
        returns_double_alone::bind(value).expect("a slot").into_ptr(),
    ] {
        assert_eq!(double(frame), value);
        guard::report().assert_clean(1, "raw");
    }
}

/// The frames of different callbacks as what they have in common.
trait IntoPtr {
    fn into_ptr(self) -> *const ();
}

impl<P: Copy, C> IntoPtr for cbframe::Frame<'static, P, C> {
    fn into_ptr(self) -> *const () {
        let pointer = self.as_ptr();
        std::mem::forget(self);
        pointer
    }
}

#[cbframe(abi = "raw", save(a0, a4, s4))]
fn single(cpu: &mut CpuSubset) {
    assert!(cpu.x(11).is_none() && cpu.f(10).is_none() && cpu.sp().is_none());
    assert_eq!((cpu.x(20).expect("saved").u64(), cpu.x(14).expect("saved").u16()), (pattern(20), FEW.g));
    assert_ne!(cpu.pc(), 0);
    guard::trash();
    cpu.set_x(10, 7_u64);
    cpu.set_x(20, 8_u64);
}

#[test]
fn registers_that_are_saved_alone() {
    assert_eq!(word(single::FN as *const (), Environment::SAME), 7);
    assert_eq!(guard::report().violations, format!("x20 is 0x8, not {:#x}; ", pattern(20)));
}

#[cbframe(abi = "C")]
fn both(#[cpu] cpu: &mut CpuState, a: i32, b: f64, c: u64, d: f32, e: u16, f: u16, g: u16) -> u64 {
    guard::trash();
    let same = (a, b, c, d, e, f, g) == (FEW.a, FEW.b, FEW.c, FEW.d, FEW.e, FEW.f, FEW.g);
    let same = same && in_places(cpu);
    // A typed result wins over what is written to its register.
    cpu.x[10] = 0xbad;
    if same { 0x600d } else { 0xbad }
}

#[cbframe(abi = "C")]
fn typed_wins(#[cpu] cpu: &mut CpuState, _: i32, b: f64, _: u64, d: f32, _: u16, _: u16, _: u16) -> f64 {
    cpu.f_mut(10).expect("saved").bytes = [0x42; 8];
    guard::trash();
    b + f64::from(d)
}

#[test]
fn typed_arguments_and_registers_agree() {
    for environment in [Environment::SAME, Environment::OTHER] {
        assert_eq!(word(both::FN as *const (), environment), 0x600d);
        guard::report().assert_clean(1, "#[cpu]");
    }
    assert_eq!(double(typed_wins::FN as *const ()), 1.75);
    guard::report().assert_clean(1, "#[cpu]");
}

#[derive(Clone, Copy, CType)]
#[repr(C)]
struct Large {
    words: [u64; 4],
}

/// Loses the register with the address of the result, which the lane has to have remembered.
#[cbframe(abi = "C")]
fn hidden(#[cpu] cpu: &mut CpuState) -> Large {
    cpu.x[10] = 0;
    guard::trash();
    Large { words: [1, 2, 3, u64::MAX] }
}

#[test]
fn the_address_of_a_result_in_memory_is_remembered() {
    let mut to = hand::Large { words: [0; 4] };
    guard::arm(hidden::FN as *const (), Expected::HIDDEN, Environment::SAME);
    // SAFETY: the callback is of this type.
    unsafe { hand::large(false, guard::entry(false), &mut to) };
    assert_eq!(to.words, [1, 2, 3, u64::MAX]);
    guard::report().assert_clean(1, "hidden result");
}

/// Goes on elsewhere, with another stack pointer: at `landing`, as if two words had been popped.
#[cbframe(abi = "raw")]
fn resumes_elsewhere(cpu: &mut CpuState) {
    cpu.x[2] += 16;
    cpu.pc = landing as *const () as u64;
    cpu.x[10] = 42;
}

/// Gives the sum of a0 and what is above the popped words.
#[unsafe(naked)]
unsafe extern "C" fn landing() {
    std::arch::naked_asm!(
        "ld a1, 0(sp)",
        "add a0, a0, a1",
        "ld s0, 16(sp)",
        "ld ra, 24(sp)",
        "addi sp, sp, 32",
        "ret"
    );
}

#[unsafe(naked)]
unsafe extern "C" fn calls(_callback: *const ()) -> u64 {
    std::arch::naked_asm!(
        "addi sp, sp, -48", // of which 16 are popped
        "sd s0, 32(sp)",
        "sd ra, 40(sp)",
        "li t0, 1000",
        "sd t0, 16(sp)",
        "jalr a0",
        "unimp",
    );
}

#[test]
fn a_handler_chooses_where_to_go_on() {
    // SAFETY: the handler goes on at `landing`, which returns to here.
    assert_eq!(unsafe { calls(resumes_elsewhere::FN as *const ()) }, 42 + 1000);
}

#[cbframe(abi = "C")]
fn dumps(
    #[cpu] cpu: &mut CpuState,
    level: i64,
    weight: f64,
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    h: u64,
) -> u64 {
    let text = format!("{:#}", cpu.display_with(dumps::LAYOUT));
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::trim_end).unwrap_or_default();
    assert_eq!(line("x10 "), "x10 = 0x2a  #0 level: i64 = 42", "{text}");
    assert!(line("f10 ").ends_with("#1 weight: f64 = 0.5"), "{text}");
    assert_eq!(line("x17 "), "x17 = 0x11  #8 g: u64 = 17", "{text}");
    assert!(line("[sp+0x0 ]").ends_with(" = 0x12  #9 h: u64 = 18"), "{text}");
    assert!(line("fcsr").starts_with("fcsr  0x"), "{text}");
    // SAFETY: the caller has passed a word on the stack; arguments are those of the layout.
    unsafe {
        assert_eq!(cpu.stack_word(0).u64(), h);
        assert_eq!((cpu.arg::<i64>(dumps::LAYOUT, 0), cpu.arg::<f64>(dumps::LAYOUT, 1)), (level, weight));
        assert_eq!(cpu.arg::<u64>(dumps::LAYOUT, 9), h);
    }
    let before = cpu.snapshot();
    cpu.x[28] ^= 1;
    cpu.f_mut(31).expect("saved").set_u8(7, 0x77);
    let after = cpu.snapshot();
    let changes = before.diff(&after).to_string();
    assert_eq!(changes.lines().map(|line| &line[..4]).collect::<Vec<_>>(), ["x28 ", "f31 "], "{changes}");
    a + b + c + d + e + f + g + h
}

#[test]
fn the_state_as_text_and_its_arguments() {
    // SAFETY: the handler changes registers that no caller relies on.
    assert_eq!(unsafe { dumps::FN(42, 0.5, 1, 2, 3, 4, 5, 6, 17, 18) }, 56);
}
