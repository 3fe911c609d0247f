//! `abi = "custom"`: a caller in assembly puts arguments where the callback says, and looks at every register after the
//! return: only what the callback names has changed.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

use std::sync::atomic::{AtomicU64, Ordering};

use cbframe::abi::Architecture;
use cbframe::{CType, CpuState, Frame, LongDouble, bind_static, cbframe, conventions, frame, pool};
use cbframe_tests::guard::trash;
use cbframe_tests::vectors::{Vectors, call, poison};

#[allow(dead_code, reason = "others need the rest")]
#[path = "cpu_state/probe.rs"]
mod probe;

use probe::{Call, DF, FLAGS, NAMES, RSP, Registers, WORD};

const RAX: usize = 0;
const RCX: usize = 1;
const RDX: usize = 2;
const RBX: usize = 3;
const RBP: usize = 5;
const RSI: usize = 6;
const R11: usize = 11;
const R14: usize = 14;

/// The address of a callback.
fn address(pointer: unsafe extern "C" fn()) -> *const () {
    pointer as *const ()
}

/// Calls `target` with every set of flags and with a different pattern in each register but those that `arrange` sets, and
/// compares every register after the return, rsp and flags included, with what `expected` makes of those before.
fn check(target: *const (), arrange: impl Fn(&mut Registers), expected: impl Fn(&mut Registers)) {
    let call = Call::lock();
    for flags in [0, FLAGS, 0x0d5, 0x801, DF | 0x40, 0x894] {
        let mut input = Registers::poison();
        input.rflags |= flags;
        input.image.mxcsr = 0xffa0;
        arrange(&mut input);
        // SAFETY: the target is a callback for these registers; it pops no more words than there are.
        let found = unsafe { call.call(target, &input) };
        let mut want = input;
        want.gpr[RSP] = 0;
        expected(&mut want);
        for ((name, found), want) in NAMES.iter().zip(found.gpr).zip(want.gpr) {
            assert_eq!(found, want, "{name}: {found:#x}, not {want:#x}, with flags {flags:#x}");
        }
        for (number, (found, want)) in found.image.xmm.iter().zip(want.image.xmm).enumerate() {
            assert_eq!(*found, want, "xmm{number}: {found:#x}, not {want:#x}");
        }
        assert_eq!(found.rflags & FLAGS, want.rflags & FLAGS, "flags");
        assert_eq!(found.image.mxcsr, want.image.mxcsr, "mxcsr");
        assert_eq!(found.image.control, want.image.control, "x87 control word");
        assert_eq!(found.returned_to, 1, "returned elsewhere");
    }
}

/// IDA: `int __usercall add@<eax>(int a@<ecx>, int b@<edx>)`.
#[cbframe(abi = "custom", ret = "eax")]
fn add(#[reg("ecx")] a: i32, #[reg("edx")] b: i32) -> i32 {
    trash();
    a.wrapping_add(b)
}

/// What an instruction that writes eax leaves in rax.
fn eax(value: i32) -> u64 {
    u64::from(value as u32)
}

#[test]
fn usercall() {
    check(
        address(add::FN),
        |registers| (registers.gpr[RCX], registers.gpr[RDX]) = (0xdead_beef_0000_0028, 0xffff_ffff_ffff_ffd6),
        |registers| registers.gpr[RAX] = eax(40 - 42),
    );
}

/// What C code that is compiled for AVX does: every ymm register is another, and clean at the end.
fn trash_vectors() {
    trash();
    // SAFETY: clobbers are declared; only called where the CPU has AVX.
    unsafe {
        std::arch::asm!(
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "vpcmpeqd xmm\\n, xmm\\n, xmm\\n",
            "vinsertf128 ymm\\n, ymm\\n, xmm\\n, 1",
            ".endr",
            "vzeroupper",
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _,
            out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _,
            out("xmm13") _, out("xmm14") _, out("xmm15") _,
        );
    }
}

/// Calls a callback with other bytes in each ymm register; `expected` makes of those what is expected after.
fn check_vectors(target: *const (), expected: impl Fn(&mut Vectors)) {
    if !is_x86_feature_detected!("avx") {
        eprintln!("skipped: the CPU has no AVX");
        return;
    }
    let input = poison();
    let (mut found, mut want) = (input, input);
    // SAFETY: the callback takes vector registers only, and preserves what the convention of this caller does.
    unsafe { call(&input, &mut found, target) };
    expected(&mut want);
    assert_eq!(found, want);
}

#[cbframe(abi = "custom", ret = "xmm3")]
fn negated(#[reg("xmm2")] x: f64) -> f64 {
    trash_vectors();
    -x
}

#[cbframe(abi = "custom", ret = "xmm0")]
fn single(#[state] _state: &u8) -> f32 {
    trash_vectors();
    1.5
}

#[cbframe(abi = conventions::PreserveAll)]
fn all_preserved(x: f32) -> u32 {
    trash_vectors();
    x.to_bits()
}

#[test]
fn vector_registers_are_preserved_whole() {
    // Of the register of the result, what is above it too.
    check_vectors(address(negated::FN), |vectors| {
        let x = vectors[2].f64(0);
        vectors[3].set_f64(0, -x);
    });
    let frame = single::bind(0).unwrap();
    check_vectors(frame.as_ptr(), |vectors| vectors[0].set_f32(0, 1.5));
    check_vectors(address(all_preserved::FN), |_| {});
}

struct Object {
    id: i32,
}

/// What the crate's documentation begins with.
#[cbframe(abi = "custom", ret = "ecx", callee_pops = 8)]
fn method(
    #[state] calls: &AtomicU64,
    #[reg("eax")] n: i32,
    #[reg("esi")] flags: u32,
    #[reg("rbx")] this: *mut Object,
    #[stack(0)] k: f32,
) -> i32 {
    calls.fetch_add(1, Ordering::Relaxed);
    trash();
    assert_eq!((flags, k.to_bits()), (0x7777_8888, WORD as u32));
    // SAFETY: the caller below passes the address of an object.
    unsafe { (*this).id + n }
}

static CALLS: AtomicU64 = AtomicU64::new(0);

#[test]
fn state_and_callee_pops() {
    let mut object = Object { id: 5 };
    let this = &raw mut object as u64;
    let arrange = |registers: &mut Registers| {
        registers.gpr[RAX] = 0xffff_0000_ffff_fffd;
        registers.gpr[RSI] = 0x1111_2222_7777_8888;
        registers.gpr[RBX] = this;
    };
    let expected = |registers: &mut Registers| {
        registers.gpr[RCX] = eax(2);
        registers.gpr[RSP] = 8;
    };
    let calls = AtomicU64::new(0);
    let bound = method::bind(&calls).expect("a slot");
    check(address(bound.as_fn()), arrange, expected);
    drop(bound);
    assert_eq!(calls.load(Ordering::Relaxed), 6);

    check(address(bind_static!(method, CALLS)), arrange, expected);
    check(address(method::leak(&CALLS).expect("a slot")), arrange, expected);
    assert_eq!(CALLS.load(Ordering::Relaxed), 12);
}

#[derive(CType, Clone, Copy, PartialEq, Debug)]
#[repr(C)]
struct Pair {
    low: u16,
    high: i16,
}

#[derive(CType, Clone, Copy, PartialEq, Debug)]
#[repr(C)]
struct Long {
    words: [u64; 3],
}

/// A parameter in every general register that can carry one, under names of every width, and in xmm registers.
#[expect(clippy::too_many_arguments, reason = "every register")]
#[cbframe(abi = "custom", ret = "xmm7", callee_pops = 48)]
fn every(
    #[reg("al")] a: u8,
    #[reg("cx")] b: i16,
    #[reg("edx")] c: u32,
    #[reg("rbx")] d: u64,
    #[reg("bpl")] e: i8,
    #[reg("si")] f: u16,
    #[reg("edi")] g: Pair,
    #[reg("r8")] h: *const u8,
    #[reg("r9d")] i: i32,
    #[reg("r10w")] j: i16,
    #[reg("r11b")] k: u8,
    #[reg("r12")] l: i64,
    #[reg("r13d")] m: u32,
    #[reg("r14")] n: u64,
    #[reg("r15")] o: u64,
    #[reg("xmm15")] x: f64,
    #[reg("xmm0")] y: f32,
    #[reg("xmm8")] z: std::arch::x86_64::__m128i,
    #[stack(24)] late: Long,
    #[stack(8)] early: u8,
    #[stack(9)] packed: u32,
) -> f64 {
    trash();
    let p = Registers::poison();
    let low = |number: usize| p.gpr[number];
    assert_eq!((a, b, c, d), (low(0) as u8, low(1) as i16, low(2) as u32, low(3)));
    assert_eq!((e, f, h as u64), (low(5) as i8, low(6) as u16, low(8)));
    assert_eq!(g, Pair { low: low(7) as u16, high: (low(7) >> 16) as i16 });
    assert_eq!((i, j, k, l), (low(9) as i32, low(10) as i16, low(11) as u8, low(12) as i64));
    assert_eq!((m, n, o), (low(13) as u32, low(14), low(15)));
    assert_eq!((x.to_bits(), y.to_bits()), (p.image.xmm[15] as u64, p.image.xmm[0] as u32));
    // SAFETY: any bits are a `u128`.
    assert_eq!(unsafe { std::mem::transmute::<std::arch::x86_64::__m128i, u128>(z) }, p.image.xmm[8]);
    assert_eq!(late, Long { words: [WORD + 3, WORD + 4, WORD + 5] });
    assert_eq!(early, (WORD + 1) as u8);
    assert_eq!(packed, ((WORD + 1) >> 8) as u32);
    -0.125
}

/// The value in the low 8 bytes; the others are as they were.
fn low(xmm: u128, value: u64) -> u128 {
    xmm >> 64 << 64 | u128::from(value)
}

#[test]
fn every_register() {
    check(
        address(every::FN),
        |_| {},
        |registers| {
            let xmm = &mut registers.image.xmm[7];
            *xmm = low(*xmm, (-0.125_f64).to_bits());
            registers.gpr[RSP] = 48;
        },
    );
}

macro_rules! results {
    ($($name:ident $register:literal $ty:ty = $value:expr, |$registers:ident| $expected:expr;)*) => { $(
        #[cbframe(abi = "custom", ret = $register)]
        fn $name(#[reg("rdx")] first: u64) -> $ty {
            trash();
            assert_eq!(first, Registers::poison().gpr[RDX]);
            $value
        }
    )*
    /// A result takes no more of its register than it has bytes; but a name of 32 bits clears the upper half.
    #[test]
    fn results() {
        $( check(address($name::FN), |_| {}, |$registers| $expected); )*
    } };
}

results! {
    byte "r11b" u8 = 0x85, |r| r.gpr[R11] = r.gpr[R11] & !0xff | 0x85;
    signed_byte "bpl" i8 = -2, |r| r.gpr[RBP] = r.gpr[RBP] & !0xff | 0xfe;
    boolean "dl" bool = true, |r| r.gpr[RDX] = r.gpr[RDX] & !0xff | 1;
    half "si" i16 = -3, |r| r.gpr[RSI] = r.gpr[RSI] & !0xffff | 0xfffd;
    word "r14d" i32 = -4, |r| r.gpr[R14] = 0xffff_fffc;
    double_word "rbx" i64 = -5, |r| r.gpr[RBX] = -5_i64 as u64;
    pointer "r14" *const u8 = std::ptr::without_provenance(0x1234), |r| r.gpr[R14] = 0x1234;
    pair "ecx" Pair = Pair { low: 0x8001, high: -2 }, |r| r.gpr[RCX] = 0xfffe_8001;
    float "xmm13" f32 = 1.5, |r| r.image.xmm[13] = r.image.xmm[13] & !0xffff_ffff | 0x3fc0_0000;
    double "xmm0" f64 = 1.5, |r| r.image.xmm[0] = low(r.image.xmm[0], 0x3ff8_0000_0000_0000);
}

/// A vector takes all of it.
#[allow(improper_ctypes_definitions, reason = "a vector")]
#[cbframe(abi = "custom", ret = "xmm5")]
fn vector(#[reg("xmm5")] x: std::arch::x86_64::__m128i) -> std::arch::x86_64::__m128i {
    // SAFETY: any bits are either.
    unsafe { std::mem::transmute(!std::mem::transmute::<std::arch::x86_64::__m128i, u128>(x)) }
}

#[test]
fn vectors() {
    check(address(vector::FN), |_| {}, |registers| registers.image.xmm[5] ^= u128::MAX);
}

#[cbframe(abi = "custom")]
fn nothing() {
    trash();
}

#[test]
fn nothing_at_all() {
    check(address(nothing::FN), |_| {}, |_| {});
}

#[derive(Default)]
struct Sum {
    total: u64,
}

pool!(static FEW: 2);

/// A state of one call at a time, and an 80-bit float on the stack, which rustc could not pass.
#[cbframe(abi = "custom", ret = "rdx", on_panic = 77, pool = FEW)]
fn collect(#[state] sum: &mut Sum, #[stack(16)] x: LongDouble, #[reg("rax")] n: u64) -> u64 {
    trash();
    assert_eq!(x.to_f80().bytes[..8], (WORD + 2).to_le_bytes());
    assert!(sum.total < 4, "enough");
    sum.total += n;
    sum.total
}

#[test]
fn exclusive_state_and_panics() {
    let mut sum = Sum::default();
    let bound = collect::bind(&mut sum).expect("a slot");
    assert_eq!(FEW.stats().bound, 1);
    let target = address(bound.as_fn());
    let call = Call::lock();
    for expected in [2, 4, 77, 77] {
        let mut input = Registers::poison();
        input.gpr[RAX] = 2;
        // SAFETY: the callback preserves every register but rdx.
        let found = unsafe { call.call(target, &input) };
        assert_eq!(found.gpr[RDX], expected);
        let mut want = input;
        (want.gpr[RSP], want.gpr[RDX]) = (0, expected);
        assert_eq!((found.gpr, found.image.xmm), (want.gpr, want.image.xmm));
    }
    drop(bound);
    assert_eq!(sum.total, 4);
}

/// The handler may change what it likes; the result wins, and what is popped is popped above `rsp`.
#[cbframe(abi = "custom", ret = "eax", callee_pops = 16)]
fn meddling(#[reg("r9")] a: u64, #[cpu] cpu: &mut CpuState, #[stack(8)] b: u64) -> u32 {
    assert_eq!((cpu.r9, a, b), (a, Registers::poison().gpr[9], WORD + 1));
    assert!(cpu.rflags().is_some() && cpu.mxcsr().is_some());
    cpu.rax = 1;
    cpu.rdi = 0x99;
    cpu.xmm_mut(3).expect("saved").set_u64(1, 7);
    let flags = cpu.rflags().expect("saved");
    cpu.set_rflags(flags ^ 0x41);
    cpu.rsp += 8;
    trash();
    0xffff_fff0
}

#[test]
fn changed_state_of_the_cpu() {
    check(
        address(meddling::FN),
        |_| {},
        |registers| {
            registers.gpr[RAX] = 0xffff_fff0;
            registers.gpr[7] = 0x99;
            registers.image.xmm[3] = registers.image.xmm[3] as u64 as u128 | 7 << 64;
            registers.rflags ^= 0x41;
            registers.gpr[RSP] = 24;
        },
    );
}

/// The whole x87 unit as well.
#[cbframe(abi = "custom", save(gpr, x87), ret = "al")]
fn floats(#[cpu] cpu: &mut CpuState) -> u8 {
    let full = cpu.x87().expect("saved").st(0).is_some();
    u8::from(full && cpu.rflags().is_some() && cpu.xmm(15).is_some())
}

#[test]
fn saved_x87() {
    let input = Registers::poison().with_x87(3);
    // SAFETY: the callback preserves every register but al.
    let found = unsafe { Call::lock().call(address(floats::FN), &input) };
    assert_eq!((found.gpr[RAX], found.image.st), (input.gpr[RAX] & !0xff | 1, input.image.st));
}

#[test]
fn closures() {
    let offset = 100;
    let shared = frame!(abi = "custom", ret = "edx", |#[reg("ebx")] a: i32, #[stack(0)] b: u32| -> i32 {
        trash();
        a + b as i32 + offset
    })
    .expect("a slot");
    check(
        address(shared.as_fn()),
        |registers| registers.gpr[RBX] = 0x1_0000_0007,
        |registers| registers.gpr[RDX] = eax(7 + WORD as u32 as i32 + 100),
    );
    let mut count = 0;
    let local =
        frame!(abi = "custom", local, callee_pops = 8, |#[reg("bl")] a: u8| count += u64::from(a)).expect("a slot");
    check(address(local.as_fn()), |registers| registers.gpr[RBX] = 0x103, |registers| registers.gpr[RSP] = 8);
    drop(local);
    assert_eq!(count, 6 * 3);
}

#[cbframe(abi = "custom", ret = "rcx", export = "cbframe_tests_custom_export")]
fn exported(#[reg("rax")] a: u64) -> u64 {
    trash();
    a + 1
}

// SAFETY: an address.
unsafe extern "C" {
    fn cbframe_tests_custom_export();
}

#[test]
fn exported_symbol() {
    check(
        address(cbframe_tests_custom_export),
        |registers| registers.gpr[RAX] = 11,
        |registers| registers.gpr[RCX] = 12,
    );
    assert_eq!(exported(1), 2);
}

#[test]
fn layout() {
    assert_eq!(
        every::LAYOUT
            .parameters()
            .iter()
            .map(|parameter| parameter.place.on(Architecture::X86_64).to_string())
            .collect::<Vec<_>>()
            .join("; "),
        "al; cx; edx; rbx; bpl; si; edi; r8; r9d; r10w; r11b; r12; r13d; r14; r15; xmm15; xmm0; xmm8; \
         stack, [rsp+32] at entry; stack, [rsp+16] at entry; stack, [rsp+17] at entry"
    );
    assert_eq!(every::LAYOUT.result().place.on(Architecture::X86_64).to_string(), "xmm7");
    assert!(method::LAYOUT.to_string().starts_with("custom fn(n: i32, flags: u32, this: pointer, k: f32) -> i32"));
    let _: Option<Frame<'_, unsafe extern "C" fn(), method>> = None;
}
