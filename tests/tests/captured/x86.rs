//! On 32-bit x86.

use cbframe::{CType, CpuState, CpuSubset, Gpr, cbframe};
use cbframe_tests::guard::{self, Environment, Expected};
use cbframe_tests::hand::{self, FEW};
use cbframe_tests::machine::pattern;

/// Calls `callback` through the guard as a function of the fields of `FEW` to a word, with environment `with`.
fn word(callback: *const (), with: Environment) -> u64 {
    guard::arm(callback, Expected::PLAIN, with);
    // SAFETY: the callbacks of this file that return a word take these arguments.
    unsafe { hand::few_word(false, guard::entry(false), &FEW) }
}

fn double(callback: *const ()) -> f64 {
    guard::arm(callback, Expected::x87(1), Environment::SAME);
    // SAFETY: the callbacks of this file that return a double take these arguments.
    unsafe { hand::few_double(false, guard::entry(false), &FEW) }
}

/// By cdecl: all on the stack, above the return address.
fn in_places(cpu: &CpuSubset) -> bool {
    // SAFETY: the caller has passed nine words.
    let word = |n| unsafe { cpu.stack_word(n) };
    let long = |n| u64::from(word(n).u32()) | u64::from(word(n + 1).u32()) << 32;
    word(0).u32() == cpu.eip()
        && word(1).i32() == FEW.a
        && long(2) == FEW.b.to_bits()
        && long(4) == FEW.c
        && word(6).f32() == FEW.d
        && [word(7).u16(), word(8).u16(), word(9).u16()] == [FEW.e, FEW.f, FEW.g]
}

macro_rules! raw {
    ($($name:ident: $($group:ident)*;)*) => {
        $(
            #[cbframe(abi = "raw", save($($group),*))]
            fn $name(#[state] answer: &u64, cpu: &mut CpuState) {
                let preserved = [(3, cpu.ebx), (5, cpu.ebp), (6, cpu.esi), (7, cpu.edi)];
                let preserved = preserved.into_iter().all(|(number, found)| u64::from(found) == pattern(number));
                let right = in_places(cpu) && preserved;
                guard::trash();
                let answer = if right { *answer } else { 0xbad };
                cpu.eax = answer as u32;
                cpu.edx = (answer >> 32) as u32;
            }
        )*

        #[test]
        fn raw_callbacks_see_the_arguments_and_preserve_what_they_do_not_change() {
            $(
                let frame = $name::bind(0x1234_0000_600d).expect("a slot");
                for environment in [Environment::SAME, Environment::OTHER] {
                    assert_eq!(word(frame.as_ptr(), environment), 0x1234_0000_600d, stringify!($name));
                    guard::report().assert_clean(1, concat!("raw, ", stringify!($name)));
                }
            )*
        }
    };
}

raw! {
    with_gpr: gpr;
    with_flags: gpr flags;
    with_sse: gpr sse;
    with_x87: gpr x87;
    with_all: gpr flags sse x87;
}

#[cbframe(abi = "raw", save(gpr, flags, sse, x87))]
fn changes(#[state] register: &Option<Gpr>, cpu: &mut CpuState) {
    match *register {
        Some(register) => cpu.set_gpr(register, cpu.gpr(register).u32() ^ 1),
        None => cpu.set_mxcsr(cpu.mxcsr().expect("saved") ^ 0x8000),
    }
}

#[test]
fn a_raw_callback_changes_exactly_the_register_that_it_writes() {
    for register in [Gpr::Ebx, Gpr::Ebp, Gpr::Esi, Gpr::Edi] {
        let frame = changes::bind(Some(register)).expect("a slot");
        word(frame.as_ptr(), Environment::SAME);
        let old = pattern(register as u32);
        assert_eq!(guard::report().violations, format!("{register} is {:#x}, not {old:#x}; ", old ^ 1));
    }
    let frame = changes::bind(None).expect("a slot");
    word(frame.as_ptr(), Environment::SAME);
    assert_eq!(guard::report().violations, "the control part of MXCSR is 0x9f80, not 0x1f80; ");
}

#[cbframe(abi = "raw", save(x87))]
fn returns_double(#[state] value: &f64, cpu: &mut CpuSubset) {
    assert!(cpu.gpr(Gpr::Eax).is_none() && cpu.xmm(0).is_none() && cpu.eflags().is_none() && cpu.mxcsr().is_none());
    assert!(in_places(cpu));
    let x87 = cpu.x87_mut().expect("saved");
    // As `fld` does: the top moves down.
    x87.status = x87.status & !0x3800 | x87.status.wrapping_sub(0x800) & 0x3800;
    x87.set_st(0, cbframe::F80::from_f64(*value));
}

#[test]
fn a_raw_result_on_the_x87_stack() {
    let frame = returns_double::bind(-1234.5).expect("a slot");
    assert_eq!(double(frame.as_ptr()), -1234.5);
    guard::report().assert_clean(1, "raw");
}

#[cbframe(abi = "raw", save(eax, edx, esi, xmm7))]
fn single(cpu: &mut CpuSubset) {
    assert!(cpu.gpr(Gpr::Ecx).is_none() && cpu.xmm(0).is_none());
    assert_eq!(u64::from(cpu.gpr(Gpr::Esi).expect("saved").u32()), pattern(6));
    assert_eq!(cpu.xmm(7).expect("saved").bytes, [0xa5; 16]);
    guard::trash();
    cpu.set_gpr(Gpr::Eax, 7_u32);
    cpu.set_gpr(Gpr::Edx, 0_u32);
    cpu.set_gpr(Gpr::Esi, 8_u32);
}

#[test]
fn registers_that_are_saved_alone() {
    assert_eq!(word(single::FN as *const (), Environment::SAME), 7);
    assert_eq!(guard::report().violations, format!("esi is 0x8, not {:#x}; ", pattern(6)));
}

#[cbframe(abi = "C")]
fn both(#[cpu] cpu: &mut CpuState, a: i32, b: f64, c: u64, d: f32, e: u16, f: u16, g: u16) -> u64 {
    guard::trash();
    let same = (a, b, c, d, e, f, g) == (FEW.a, FEW.b, FEW.c, FEW.d, FEW.e, FEW.f, FEW.g);
    // A typed result wins over what is written to its registers.
    (cpu.eax, cpu.edx) = (0xbad, 0xbad);
    if same && in_places(cpu) { 0x600d } else { 0xbad }
}

#[test]
fn typed_arguments_and_registers_agree() {
    for environment in [Environment::SAME, Environment::OTHER] {
        assert_eq!(word(both::FN as *const (), environment), 0x600d);
        guard::report().assert_clean(1, "#[cpu]");
    }
}

#[derive(Clone, Copy, CType)]
#[repr(C)]
struct Large {
    words: [u64; 4],
}

/// Loses the register for the address of the result, which the lane has to have remembered.
#[cbframe(abi = "C")]
fn hidden(#[cpu] cpu: &mut CpuState) -> Large {
    cpu.eax = 0;
    guard::trash();
    Large { words: [1, 2, 3, u64::MAX] }
}

#[test]
fn the_address_of_a_result_in_memory_is_remembered() {
    let mut to = hand::Large { words: [0; 4] };
    guard::arm(hidden::FN as *const (), Expected::of(hidden::LAYOUT), Environment::SAME);
    // SAFETY: the callback is of this type.
    unsafe { hand::large(false, guard::entry(false), &mut to) };
    assert_eq!(to.words, [1, 2, 3, u64::MAX]);
    guard::report().assert_clean(1, "hidden result");
}

/// Goes on elsewhere, with another stack pointer: at `landing`, as if two words had been popped.
#[cbframe(abi = "raw")]
fn resumes_elsewhere(cpu: &mut CpuState) {
    cpu.esp += 8;
    cpu.eip = landing as *const () as u32;
    cpu.set_eflags(cpu.eflags().expect("saved") & !0x8d5 | 0x41); // carry and zero
    cpu.eax = 42;
    cpu.edi = 7;
}

/// Gives the sum of eax, edi, what is above the popped words, and 100 if carry and zero are set.
#[unsafe(naked)]
unsafe extern "C" fn landing() {
    std::arch::naked_asm!(
        "ja 2f",
        "jnc 2f",
        "jnz 2f",
        "lea eax, [eax + 100]",
        "2:",
        "add eax, edi",
        "pop ecx",
        "add eax, ecx",
        "pop edi",
        "pop ebp",
        "ret",
    );
}

#[unsafe(naked)]
unsafe extern "C" fn calls(_callback: *const ()) -> u32 {
    std::arch::naked_asm!(
        "mov eax, [esp + 4]",
        "push ebp",
        "push edi",
        "push 1000",
        "push 0", // popped
        "push 0",
        "call eax",
        "ud2",
    );
}

#[test]
fn a_handler_chooses_where_to_go_on() {
    // SAFETY: the handler goes on at `landing`, which returns to here.
    assert_eq!(unsafe { calls(resumes_elsewhere::FN as *const ()) }, 42 + 100 + 7 + 1000);
}

/// Something whose address has to be a multiple of 16, in a function that keeps it there.
#[cbframe(abi = "C")]
fn aligned(#[state] s: &u32, a: u32, b: u32) -> u32 {
    #[repr(align(16))]
    struct Aligned([u32; 4]);
    let local = std::hint::black_box(Aligned([a, b, *s, 1]));
    assert_eq!((&raw const local).addr() % 16, 0);
    guard::trash();
    local.0.iter().sum()
}

#[cbframe(abi = "stdcall")]
fn aligned_stdcall(#[state] s: &u32, a: u32, b: u32) -> u32 {
    aligned(s, a, b)
}

/// Calls with a stack pointer that is so many words off a multiple of 16, and checks that what the callee is to preserve is.
#[unsafe(naked)]
unsafe extern "C" fn call_unaligned(_callback: *const (), _words: u32, _pops: u32) -> u32 {
    std::arch::naked_asm!(
        "push ebp",
        "mov ebp, esp",
        "push ebx",
        "and esp, -16",
        "mov eax, [ebp + 12]",
        "shl eax, 2",
        "sub esp, eax",
        "mov ebx, esp",
        "push 20",
        "push 300",
        "call [ebp + 8]",
        "add esp, 8",
        "sub esp, [ebp + 16]",
        "cmp esp, ebx",
        "je 2f",
        "xor eax, eax",
        "2:",
        "mov ebx, [ebp - 4]",
        "mov esp, ebp",
        "pop ebp",
        "ret",
    );
}

#[test]
fn the_stack_is_aligned_whatever_the_caller_left() {
    let c = aligned::bind(4000).expect("a slot");
    let stdcall = aligned_stdcall::bind(4000).expect("a slot");
    for words in 0..4 {
        guard::arm(std::ptr::null(), Expected::PLAIN, Environment::SAME);
        // SAFETY: the callbacks take two words, and pop as many bytes.
        unsafe {
            assert_eq!(call_unaligned(c.as_ptr(), words, 0), 4321);
            assert_eq!(call_unaligned(stdcall.as_ptr(), words, 8), 4321);
        }
        assert_eq!(guard::report().misaligned, 0, "{words}");
    }
}

#[cbframe(abi = "fastcall")]
fn dumps(#[cpu] cpu: &mut CpuState, level: i32, weight: f32, a: u32, b: f64) -> u32 {
    let text = format!("{:#}", cpu.display_with(dumps::LAYOUT));
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::trim_end).unwrap_or_default();
    assert_eq!(line("ecx "), "ecx = 0x2a  #0 level: i32 = 42", "{text}");
    assert_eq!(line("edx "), "edx = 0x11  #2 a: u32 = 17", "{text}");
    assert!(line("[esp+0x4 ]").ends_with("#1 weight: f32 = 0.5"), "{text}");
    assert!(line("flags").starts_with("flags 0x"), "{text}");
    // SAFETY: arguments are those of the layout.
    unsafe {
        assert_eq!((cpu.arg::<i32>(dumps::LAYOUT, 0), cpu.arg::<f32>(dumps::LAYOUT, 1)), (level, weight));
        assert_eq!((cpu.arg::<u32>(dumps::LAYOUT, 2), cpu.arg::<f64>(dumps::LAYOUT, 3)), (a, b));
    }
    let before = cpu.snapshot();
    cpu.ecx ^= 1;
    cpu.xmm_mut(7).expect("saved").set_u8(15, 0x77);
    let after = cpu.snapshot();
    let changes = before.diff(&after).to_string();
    assert_eq!(changes.lines().map(|line| &line[..4]).collect::<Vec<_>>(), ["ecx ", "xmm7"], "{changes}");
    a + b as u32
}

#[test]
fn the_state_as_text_and_its_arguments() {
    // SAFETY: the handler changes registers that no caller relies on.
    assert_eq!(unsafe { dumps::FN(42, 0.5, 17, 4.0) }, 21);
}
