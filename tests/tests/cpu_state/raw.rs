//! Raw callbacks, for each set of groups: every register is seen, can be changed, and is left alone otherwise.

use std::arch::asm;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use cbframe::{CpuState, F80, Fxsave, cbframe};

use crate::probe::{Call, DF, FLAGS, NAMES, RSP, Registers, WORD, nothing};

/// What a handler found.
struct Seen {
    gpr: [u64; 16],
    rip: u64,
    rflags: Option<u64>,
    xmm: Option<[u128; 16]>,
    mxcsr: Option<u32>,
    x87: Option<Fxsave>,
    /// The flags in the handler itself.
    inside: u64,
    /// The words from `rsp` on.
    stack: [u64; 3],
}

static SEEN: Mutex<Option<Seen>> = Mutex::new(None);
type Action = Box<dyn Fn(&mut CpuState) + Send>;
static ACTION: Mutex<Option<Action>> = Mutex::new(None);

fn gpr(cpu: &mut CpuState) -> [&mut u64; 16] {
    [
        &mut cpu.rax,
        &mut cpu.rcx,
        &mut cpu.rdx,
        &mut cpu.rbx,
        &mut cpu.rsp,
        &mut cpu.rbp,
        &mut cpu.rsi,
        &mut cpu.rdi,
        &mut cpu.r8,
        &mut cpu.r9,
        &mut cpu.r10,
        &mut cpu.r11,
        &mut cpu.r12,
        &mut cpu.r13,
        &mut cpu.r14,
        &mut cpu.r15,
    ]
}

/// The body of all callbacks: notes what it sees, does what it is asked, and leaves no register as it was.
pub(crate) fn handle(cpu: &mut CpuState) {
    let inside;
    // SAFETY: reads the flags.
    unsafe { asm!("pushfq", "pop {}", out(reg) inside) };
    let stack = cpu.rsp as *const u64;
    *SEEN.lock().expect("no panic") = Some(Seen {
        gpr: gpr(cpu).map(|register| *register),
        rip: cpu.rip,
        rflags: cpu.rflags(),
        xmm: cpu.xmm(0).map(|_| std::array::from_fn(|n| u128::from_le_bytes(cpu.xmm(n).expect("as xmm0").bytes))),
        mxcsr: cpu.mxcsr(),
        x87: cpu.x87().cloned(),
        inside,
        // SAFETY: the return address, and words that the probe has put there.
        stack: std::array::from_fn(|word| unsafe { stack.add(word).read() }),
    });
    if let Some(action) = &*ACTION.lock().expect("no panic") {
        action(cpu);
    }
    trash(cpu.mxcsr().is_some(), cpu.x87().is_some());
}

/// Changes every register that a function may change, and with the groups also those that it may not.
pub(crate) fn trash(sse: bool, x87: bool) {
    // SAFETY: the clobbers are declared. The control words are changed only where the entry restores them, and no
    // floating-point arithmetic happens between here and there.
    unsafe {
        if x87 {
            asm!("fninit", "fldpi", "fld1", "fdivp", "fldcw [{}]", in(reg) &0x0c7f_u16);
        }
        if sse {
            asm!("ldmxcsr [{}]", in(reg) &0x3f9f_u32);
        }
        asm!(
            "mov rax, -1", "mov rcx, -2", "mov rdx, -3", "mov rsi, -4", "mov rdi, -5", "mov r8, -6", "mov r9, -7",
            "mov r10, -8", "mov r11, -9", "mov r12, -10", "mov r13, -11", "mov r14, -12", "mov r15, -13",
            "pcmpeqd xmm0, xmm0", "pcmpeqd xmm1, xmm1", "pcmpeqd xmm2, xmm2", "pcmpeqd xmm3, xmm3",
            "pcmpeqd xmm4, xmm4", "pcmpeqd xmm5, xmm5", "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7",
            "pcmpeqd xmm8, xmm8", "pcmpeqd xmm9, xmm9", "pcmpeqd xmm10, xmm10", "pcmpeqd xmm11, xmm11",
            "pcmpeqd xmm12, xmm12", "pcmpeqd xmm13, xmm13", "pcmpeqd xmm14, xmm14", "pcmpeqd xmm15, xmm15",
            "add eax, 1",
            out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
            out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
        );
    }
}

/// A callback under test.
struct Subject {
    name: &'static str,
    address: fn() -> *const (),
    flags: bool,
    sse: bool,
    x87: bool,
}

macro_rules! subjects {
    ($($name:ident [$($save:tt)*] $flags:literal $sse:literal $x87:literal;)*) => {
        mod fixed {
            use super::*;
            $(#[cbframe(abi = "raw" $($save)*)] pub(super) fn $name(cpu: &mut CpuState) { handle(cpu) })*
        }
        mod bound {
            use super::*;
            $(#[cbframe(abi = "raw" $($save)*)]
            pub(super) fn $name(#[state] s: &u32, cpu: &mut CpuState) {
                assert_eq!(*s, 99);
                handle(cpu);
            })*
        }
        const SUBJECTS: &[Subject] = &[
            $(Subject { name: concat!("fixed ", stringify!($name)), address: || fixed::$name::FN as *const (),
                flags: $flags, sse: $sse, x87: $x87 },
            Subject { name: concat!("bound ", stringify!($name)),
                address: || bound::$name::leak(&99).expect("a free slot") as *const (),
                flags: $flags, sse: $sse, x87: $x87 },)*
        ];
    };
}

subjects! {
    default [] true true false;
    gpr [, save(gpr)] false false false;
    gpr_flags [, save(gpr, flags)] true false false;
    gpr_sse [, save(gpr, sse)] false true false;
    gpr_x87 [, save(gpr, x87)] false false true;
    gpr_flags_sse [, save(gpr, flags, sse)] true true false;
    gpr_flags_x87 [, save(gpr, flags, x87)] true false true;
    gpr_sse_x87 [, save(gpr, sse, x87)] false true true;
    all [, save(gpr, flags, sse, x87)] true true true;
    gpr_avx [, save(gpr, avx)] false true false;
    gpr_flags_avx [, save(gpr, flags, avx)] true true false;
    gpr_flags_avx512 [, save(gpr, flags, avx512)] true true false;
    all_wide [, save(gpr, flags, avx512, x87)] true true true;
}

impl Subject {
    /// Poison that this subject is to hand back.
    fn poison(&self, flags: u64, top: u16) -> Registers {
        let mut poison = Registers::poison();
        poison.rflags |= flags;
        if self.x87 {
            poison = poison.with_x87(top);
            // Round up, 53 bits; exceptions that have happened.
            poison.image.control = 0x0a7f;
            poison.image.status |= 0x4522;
        }
        if self.sse {
            // Round up, flush to zero, denormals are zero; exceptions that have happened.
            poison.image.mxcsr = 0xdff5;
        }
        poison
    }

    fn run(&self, call: &Call, input: &Registers, action: Option<Action>) -> (Registers, Seen) {
        *ACTION.lock().expect("no panic") = action;
        // SAFETY: a raw callback whose action the test has chosen.
        let output = unsafe { call.call((self.address)(), input) };
        (output, SEEN.lock().expect("no panic").take().expect("the handler has run"))
    }

    /// The registers that have to be as in `expected`.
    fn assert_after(&self, what: &str, after: &Registers, expected: &Registers) {
        let name = self.name;
        for (number, register) in NAMES.iter().enumerate() {
            let (after, expected) = (after.gpr[number], expected.gpr[number]);
            assert_eq!(after, expected, "{name}, {what}: {register} is {after:#x}, not {expected:#x}");
        }
        assert_eq!(after.returned_to, expected.returned_to, "{name}, {what}: rip");
        if self.flags {
            assert_eq!(after.rflags, expected.rflags, "{name}, {what}: rflags {:#x}", after.rflags);
        }
        let (after, expected) = (&after.image, &expected.image);
        // Both control words are preserved by every ABI: without the group, too.
        assert_eq!(after.mxcsr, expected.mxcsr, "{name}, {what}: mxcsr {:#x}", after.mxcsr);
        assert_eq!(after.control, expected.control, "{name}, {what}: x87 control {:#x}", after.control);
        if self.sse {
            for number in 0..16 {
                let (after, expected) = (after.xmm[number], expected.xmm[number]);
                assert_eq!(after, expected, "{name}, {what}: xmm{number} is {after:#x}, not {expected:#x}");
            }
        }
        if self.x87 {
            assert_eq!(after.status, expected.status, "{name}, {what}: x87 status {:#x}", after.status);
            assert_eq!(after.tags, expected.tags, "{name}, {what}: x87 tags {:#x}", after.tags);
            for number in 0..8 {
                assert_eq!(after.st[number][..10], expected.st[number][..10], "{name}, {what}: st({number})");
            }
        }
    }
}

/// The registers after a call that changes none, and a check that the probe does what it says.
fn unchanged(call: &Call, input: &Registers) -> Registers {
    // SAFETY: `nothing` returns.
    let base = unsafe { call.call(nothing as *const (), input) };
    for (number, register) in NAMES.iter().enumerate().filter(|(number, _)| *number != RSP) {
        assert_eq!(base.gpr[number], input.gpr[number], "the probe changes {register}");
    }
    assert_eq!((base.returned_to, base.gpr[RSP]), (1, 0));
    assert_eq!(base.rflags & FLAGS, input.rflags & FLAGS);
    assert_eq!(base.image.xmm, input.image.xmm);
    let of = |r: &Registers| (r.image.mxcsr, r.image.control, r.image.status, r.image.tags);
    assert_eq!(of(&base), of(input));
    base
}

fn each_flag() -> impl Iterator<Item = u64> {
    (0..12).map(|bit| 1 << bit).filter(|flag| FLAGS & flag != 0)
}

#[test]
fn every_register_is_seen() {
    let call = Call::lock();
    for subject in SUBJECTS {
        let name = subject.name;
        for (index, flags) in each_flag().chain([0, FLAGS]).enumerate() {
            let input = subject.poison(flags, index as u16 % 8);
            let base = unchanged(&call, &input);
            let (after, seen) = subject.run(&call, &input, None);
            for (number, register) in NAMES.iter().enumerate() {
                let expected = if number == RSP { after.rsp - 8 } else { input.gpr[number] };
                let found = seen.gpr[number];
                assert_eq!(found, expected, "{name}: {register} is {found:#x}, not {expected:#x}");
            }
            assert_eq!(seen.rip, Call::here(), "{name}: rip");
            assert_eq!(seen.stack, [Call::here(), WORD, WORD + 1], "{name}: the stack");
            assert_eq!(seen.rflags, subject.flags.then_some(base.rflags), "{name}: rflags");
            assert_eq!(seen.xmm, subject.sse.then_some(input.image.xmm), "{name}: xmm");
            assert_eq!(seen.mxcsr, subject.sse.then_some(input.image.mxcsr), "{name}: mxcsr");
            assert_eq!(seen.x87.is_some(), subject.x87, "{name}: x87");
            if let Some(x87) = seen.x87 {
                let image = &input.image;
                assert_eq!((x87.control, x87.status, x87.tags), (image.control, image.status, image.tags), "{name}");
                for number in 0..8 {
                    let bytes = x87.st(number).expect("all are full").bytes;
                    assert_eq!(bytes, image.st[number][..10], "{name}: st({number})");
                }
            }
            assert_eq!(seen.inside & DF, 0, "{name}: the direction flag is clear in Rust, with {flags:#x} outside");
        }
    }
}

#[test]
fn what_is_not_changed_stays() {
    let call = Call::lock();
    for subject in SUBJECTS {
        for (index, flags) in each_flag().chain([0, FLAGS]).enumerate() {
            let input = subject.poison(flags, index as u16 % 8);
            let base = unchanged(&call, &input);
            let (after, _) = subject.run(&call, &input, None);
            subject.assert_after("unchanged", &after, &base);
        }
    }
}

/// Runs `action`, and expects what `expect` makes of the registers after a call that changes nothing.
fn changed(
    call: &Call,
    subject: &Subject,
    what: &str,
    action: impl Fn(&mut CpuState) + Send + 'static,
    expect: impl FnOnce(&mut Registers),
) {
    let input = subject.poison(if subject.flags { 0x801 } else { 0 }, 5);
    let mut expected = unchanged(call, &input);
    expect(&mut expected);
    let (after, _) = subject.run(call, &input, Some(Box::new(action)));
    subject.assert_after(what, &after, &expected);
}

#[test]
fn every_general_register_can_be_changed() {
    let call = Call::lock();
    for subject in SUBJECTS {
        for number in (0..16).filter(|number| *number != RSP) {
            let new = 0x0123_4567_89ab_cd00 + number as u64;
            let action = move |cpu: &mut CpuState| *gpr(cpu)[number] = new;
            changed(&call, subject, NAMES[number], action, |after| after.gpr[number] = new);
        }
        let all = |cpu: &mut CpuState| {
            gpr(cpu).into_iter().enumerate().filter(|(n, _)| *n != RSP).for_each(|(n, register)| *register = n as u64);
        };
        changed(&call, subject, "all", all, |after| {
            (0..16).filter(|n| *n != RSP).for_each(|n| after.gpr[n] = n as u64);
        });
    }
}

#[test]
fn arguments_can_be_popped_and_the_return_address_changed() {
    let call = Call::lock();
    for subject in SUBJECTS {
        for words in [1, 2, 5] {
            let pop = move |cpu: &mut CpuState| cpu.rsp += 8 * words;
            changed(&call, subject, "rsp", pop, |after| after.gpr[RSP] += 8 * words);
        }
        let jump = |cpu: &mut CpuState| cpu.rip = Call::elsewhere();
        changed(&call, subject, "rip", jump, |after| after.returned_to = 2);
        let both = |cpu: &mut CpuState| {
            cpu.rip = Call::elsewhere();
            cpu.rsp += 16;
            cpu.rax = 1;
            cpu.rcx = 2;
        };
        changed(&call, subject, "rip and rsp", both, |after| {
            (after.returned_to, after.gpr[0], after.gpr[1]) = (2, 1, 2);
            after.gpr[RSP] += 16;
        });
    }
}

#[test]
fn every_flag_can_be_changed() {
    let call = Call::lock();
    for subject in SUBJECTS.iter().filter(|subject| subject.flags) {
        for flag in each_flag() {
            let toggle = move |cpu: &mut CpuState| cpu.set_rflags(cpu.rflags().expect("saved") ^ flag);
            changed(&call, subject, "a flag", toggle, |after| after.rflags ^= flag);
        }
    }
}

#[test]
fn every_vector_register_and_mxcsr_can_be_changed() {
    let call = Call::lock();
    for subject in SUBJECTS.iter().filter(|subject| subject.sse) {
        for number in 0..16 {
            for lane in 0..2 {
                let action = move |cpu: &mut CpuState| cpu.xmm_mut(number).expect("saved").set_u64(lane, 0x77);
                changed(&call, subject, "xmm", action, |after| {
                    let shift = 64 * lane;
                    after.image.xmm[number] &= !(u128::from(u64::MAX) << shift);
                    after.image.xmm[number] |= 0x77 << shift;
                });
            }
        }
        for mxcsr in [0x1f80, 0x3f80, 0x5f81, 0x7fbf, 0x9fc0] {
            changed(&call, subject, "mxcsr", move |cpu| cpu.set_mxcsr(mxcsr), |after| after.image.mxcsr = mxcsr);
        }
    }
}

#[test]
fn every_x87_register_can_be_changed() {
    let call = Call::lock();
    for subject in SUBJECTS.iter().filter(|subject| subject.x87) {
        for number in 0..8 {
            let value = F80::from_f64(-1.5);
            let action = move |cpu: &mut CpuState| cpu.x87_mut().expect("saved").set_st(number, value);
            changed(&call, subject, "st", action, |after| after.image.st[number][..10].copy_from_slice(&value.bytes));
        }
        for control in [0x037f, 0x0c7f, 0x007f] {
            let action = move |cpu: &mut CpuState| cpu.x87_mut().expect("saved").control = control;
            changed(&call, subject, "x87 control", action, |after| after.image.control = control);
        }
        for tags in [0, 0x0f, 0x80, 0x55] {
            // The contents of empty registers stay.
            let action = move |cpu: &mut CpuState| cpu.x87_mut().expect("saved").tags = tags;
            changed(&call, subject, "x87 tags", action, |after| after.image.tags = tags);
        }
    }
}

/// `fld1; fldpi; fldz` leave 0, pi, 1 and five empty registers; `set_st` fills one of these.
#[test]
fn empty_x87_registers_are_told_from_full_ones() {
    let call = Call::lock();
    let subject = SUBJECTS.iter().find(|subject| subject.name == "fixed all").expect("it is there");
    for top in 0..8_u16 {
        let mut input = Registers::poison().with_x87(top);
        // Only st(0) to st(2) are full: the registers top, top + 1, top + 2.
        input.image.tags = (0b111_u32 << top | 0b111 >> (8 - top)) as u8;
        let base = unchanged(&call, &input);
        let action = |cpu: &mut CpuState| {
            let x87 = cpu.x87_mut().expect("saved");
            for number in 0..8 {
                assert_eq!(x87.st(number).is_some(), number < 3, "st({number})");
            }
            x87.set_st(3, F80::from_f64(4.0));
            assert!(x87.st(3).is_some());
        };
        let (after, _) = subject.run(&call, &input, Some(Box::new(action)));
        let mut expected = base;
        expected.image.tags |= 1 << ((top + 3) % 8);
        expected.image.st[3][..10].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0x01, 0x40]);
        subject.assert_after("st(3)", &after, &expected);
    }
}

/// What a handler may be asked for that it has not.
#[test]
fn absent_groups_are_none() {
    #[cbframe(abi = "raw", save(gpr))]
    fn absent(cpu: &mut CpuState) {
        assert_eq!((cpu.rflags(), cpu.mxcsr()), (None, None));
        assert!(cpu.xmm(0).is_none() && cpu.xmm(15).is_none() && cpu.xmm_mut(7).is_none());
        assert!(cpu.x87().is_none() && cpu.x87_mut().is_none());
        let refused = |f: fn(&mut CpuState), text: &str, cpu: &mut CpuState| {
            let payload = catch_unwind(AssertUnwindSafe(|| f(cpu))).expect_err("refused");
            let message = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = message.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a message");
            assert!(message.contains(text), "{message}");
        };
        refused(|cpu| cpu.set_rflags(2), "add `flags` to `save", cpu);
        refused(|cpu| cpu.set_mxcsr(0x1f80), "add `sse` to `save", cpu);
        refused(|cpu| _ = cpu.xmm(16), "xmm16", cpu);
        cpu.rax = 1;
    }
    // SAFETY: it writes rax.
    let f: extern "sysv64" fn() -> u64 = unsafe { std::mem::transmute(absent::FN) };
    assert_eq!(f(), 1);
}

/// The CPU would raise an exception for these: it must not come to that.
#[test]
fn reserved_bits_of_mxcsr_are_refused() {
    #[cbframe(abi = "raw")]
    fn reserved(cpu: &mut CpuState) {
        cpu.rax = 0;
        for bit in 16..32 {
            let refused = catch_unwind(AssertUnwindSafe(|| cpu.set_mxcsr(0x1f80 | 1 << bit))).is_err();
            cpu.rax += u64::from(refused);
        }
    }
    // SAFETY: it writes rax.
    let f: extern "sysv64" fn() -> u64 = unsafe { std::mem::transmute(reserved::FN) };
    assert_eq!(f(), 16);
}
