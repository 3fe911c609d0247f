//! What a state tells beyond its registers: typed views, words of the stack, arguments by layout, differences, annotations.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use cbframe::{CType, CpuState, Gpr, Word, Xmm, Ymm, Zmm, cbframe};
use cbframe_tests::child::Library;

#[test]
fn words_are_every_type_of_their_low_bits() {
    let word = Word(0x8899_aabb_ccdd_eeff);
    assert_eq!((word.u8(), word.u16(), word.u32(), word.u64()), (0xff, 0xeeff, 0xccdd_eeff, 0x8899_aabb_ccdd_eeff));
    assert_eq!((word.i8(), word.i16(), word.i32()), (-1, -0x1101, -0x3322_1101));
    assert_eq!(word.i64(), 0x8899_aabb_ccdd_eeff_u64 as i64);
    assert_eq!(word.usize() as isize, word.isize());
    assert_eq!((Word::from(-1_i8).0, Word::from(0xff_u8).0, Word::from(true).0), (u64::MAX, 0xff, 1));
    assert_eq!((Word::from(-2_i16).i64(), Word::from(-2_i32).0 >> 32), (-2, 0xffff_ffff));
    assert_eq!((Word::from(1.0_f64).0, Word::from(1.0_f32).0), (0x3ff0 << 48, 0x3f80_0000));
    assert_eq!((Word(0x3ff8 << 48).f64(), Word(0xffff_ffff_3fc0_0000).f32()), (1.5, 1.5));
    let place = 5_u32;
    assert_eq!(Word::from(&raw const place).pointer::<u32>().cast_const(), &raw const place);
}

/// Every lane of every type, against the bytes.
#[test]
fn lanes_are_the_bytes_they_lie_in() {
    macro_rules! check {
        ($register:ident $size:literal: $($get:ident $set:ident $ty:ident)*) => { $(
            let bytes: [u8; $size] = std::array::from_fn(|byte| (byte * 37 + 11) as u8);
            let width = size_of::<$ty>();
            for lane in 0..$size / width {
                let of = <$ty>::from_le_bytes(bytes[lane * width..][..width].try_into().unwrap());
                assert_eq!($register { bytes }.$get(lane).to_le_bytes(), of.to_le_bytes());
                let mut other = $register { bytes: [0xcc; $size] };
                other.$set(lane, of);
                let mut expected = [0xcc; $size];
                expected[lane * width..][..width].copy_from_slice(&bytes[lane * width..][..width]);
                assert_eq!(other.bytes, expected);
            }
            assert!(catch_unwind(|| $register { bytes }.$get($size / width)).is_err(), "no such lane");
        )* };
        ($($register:ident $size:literal;)*) => { $(
            check!($register $size: u8 set_u8 u8 u16 set_u16 u16 u32 set_u32 u32 u64 set_u64 u64 i8 set_i8 i8
                i16 set_i16 i16 i32 set_i32 i32 i64 set_i64 i64 f32 set_f32 f32 f64 set_f64 f64);
        )* };
    }
    check! { Xmm 16; Ymm 32; Zmm 64; }
    assert_eq!(format!("{:?}", Xmm { bytes: std::array::from_fn(|i| i as u8) }), "0x0f0e0d0c0b0a09080706050403020100");
}

#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Point {
    x: f64,
    id: u32,
}

#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Large {
    words: [u64; 3],
}

#[derive(CType, Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Mode {
    Slow = 1,
    Fast = 2,
}

static TEXTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("refused");
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| (*payload.downcast_ref::<&str>().unwrap()).to_owned())
}

macro_rules! arguments {
    ($($abi:literal $typed:ident $raw:ident;)*) => { $(
        /// Only its layout is used.
        #[expect(dead_code, reason = "see above")]
        #[allow(clippy::too_many_arguments, reason = "so that some are in memory")]
        #[cbframe(abi = $abi)]
        fn $typed(level: i32, at: Point, name: *const u8, flag: bool, large: Large, mode: Mode, f: f32, a: i64, b: i8, c: u16)
            -> Large {
            let _ = (level, at, name, flag, mode, f, a, b, c);
            large
        }

        #[cbframe(abi = "raw")]
        fn $raw(cpu: &mut CpuState) {
            let layout = $typed::LAYOUT;
            // SAFETY: the C callers below pass these.
            unsafe {
                assert_eq!(cpu.arg::<i32>(layout, 0), -42);
                assert_eq!(cpu.arg::<Point>(layout, 1), Point { x: 0.5, id: 7 });
                assert_eq!(cpu.arg::<*const u8>(layout, 2).addr(), 0x1234);
                assert!(cpu.arg::<bool>(layout, 3));
                assert_eq!(cpu.arg::<Large>(layout, 4), Large { words: [1, 2, 3] });
                assert_eq!(cpu.arg::<Mode>(layout, 5), Mode::Fast);
                assert_eq!(cpu.arg::<f32>(layout, 6), -1.5);
                assert_eq!(cpu.arg::<i64>(layout, 7), i64::MIN);
                assert_eq!(cpu.arg::<i8>(layout, 8), -8);
                assert_eq!(cpu.arg::<u16>(layout, 9), 0xfff9);
                // The same bits as another type, and what does not fit.
                assert_eq!(cpu.arg::<u32>(layout, 0), -42_i32 as u32);
                for (text, message) in [
                    ("not laid out as `f32`", panic_of(|| _ = cpu.arg::<f32>(layout, 0))),
                    ("not laid out as `i64`", panic_of(|| _ = cpu.arg::<i64>(layout, 0))),
                    ("not laid out as `Large`", panic_of(|| _ = cpu.arg::<Large>(layout, 1))),
                    ("not a value of Mode", panic_of(|| _ = cpu.arg::<Mode>(layout, 8))),
                    ("there is no argument 10", panic_of(|| _ = cpu.arg::<i32>(layout, 10))),
                ] {
                    assert!(message.contains(text), "{message}");
                }
            }
            TEXTS.lock().unwrap().push(format!("{:#}", cpu.display_with(layout)));
        }
    )* };
}

arguments! {
    "sysv64" typed_sysv64 raw_sysv64;
    "win64" typed_win64 raw_win64;
}

#[test]
fn arguments_are_found_by_layout_and_noted_in_the_dump() {
    let source = "
        typedef struct { double x; unsigned id; } Point;
        typedef struct { unsigned long long words[3]; } Large;
        #define CALL(name, abi) \\
            typedef Large (abi *name##_function)(int, Point, const char *, _Bool, Large, unsigned char, float, long long, \\
                signed char, unsigned short); \\
            void name(name##_function f) { \\
                Point at = { 0.5, 7 }; Large large = {{ 1, 2, 3 }}; \\
                f(-42, at, (const char *)0x1234, 1, large, 2, -1.5f, 1LL << 63, -8, 0xfff9); \\
            }
        CALL(sysv64, __attribute__((sysv_abi)))
        CALL(win64, __attribute__((ms_abi)))
    ";
    let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "views.c", source, &["-O2", "-Wno-attributes"]);
    TEXTS.lock().unwrap().clear();
    for (name, target) in [("sysv64", raw_sysv64::FN as *const ()), ("win64", raw_win64::FN as *const ())] {
        // SAFETY: its type in the source above; the raw callbacks read arguments, and the result is not looked at.
        unsafe { library.function::<extern "C" fn(*const ())>(name)(target) };
    }
    let texts = TEXTS.lock().unwrap();
    let notes = |text: &str, start: &str| {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{text}"));
        line.split_once("  #").map_or_else(String::new, |(_, notes)| notes.to_owned())
    };
    // psABI 3.2.3: the result's address in rdi, then the integers; the struct in xmm0 and rdx.
    let sysv64 = &texts[0];
    assert!(
        sysv64.lines().any(|line| line.starts_with("rdi") && line.ends_with("  result: Large, its address")),
        "{sysv64}"
    );
    // What an argument is known to be is not shown as anything else.
    for line in ["rsi = 0xffffffd6  #0 level: i32 = -42", "rcx = 0x1234  #2 name: pointer = 0x1234"] {
        assert!(sysv64.lines().any(|found| found == line), "no {line} in\n{sysv64}");
    }
    for (start, expected) in [
        ("rsi", "0 level: i32 = -42"),
        ("rdx", "1 at: Point, bytes 8 to 15"),
        ("rcx", "2 name: pointer = 0x1234"),
        ("r8", "3 flag: bool = true"),
        ("r9", "5 mode: Mode = 2"),
        ("rax", ""),
        ("xmm0", "1 at: Point, bytes 0 to 7"),
        ("xmm1", "6 f: f32 = -1.5"),
        ("[rsp+0x0", ""),
        ("[rsp+0x8", "4 large: Large, bytes 0 to 7"),
        ("[rsp+0x18]", "4 large: Large, bytes 16 to 23"),
        ("[rsp+0x20]", "7 a: i64 = -9223372036854775808"),
        ("[rsp+0x28]", "8 b: i8 = -8"),
        ("[rsp+0x30]", "9 c: u16 = 65529"),
    ] {
        assert_eq!(notes(sysv64, start), expected, "{sysv64}");
    }
    // By positions: the result's address, level, the address of the point, name; the rest above the home space.
    let win64 = &texts[1];
    assert!(
        win64.lines().any(|line| line.starts_with("rcx") && line.ends_with("  result: Large, its address")),
        "{win64}"
    );
    for (start, expected) in [
        ("rdx", "0 level: i32 = -42"),
        ("r8", "1 at: Point, its address"),
        ("r9", "2 name: pointer = 0x1234"),
        ("[rsp+0x28]", "3 flag: bool = true"),
        ("[rsp+0x30]", "4 large: Large, its address"),
        ("[rsp+0x38]", "5 mode: Mode = 2"),
    ] {
        assert_eq!(notes(win64, start), expected, "{win64}");
    }
}

/// An argument whose register was not saved is refused, not guessed.
#[test]
fn arguments_in_registers_that_were_not_saved_are_refused() {
    #[expect(dead_code, reason = "its layout is used")]
    #[cbframe(abi = "sysv64")]
    fn of(a: i32, b: f64) -> f64 {
        f64::from(a) + b
    }
    #[cbframe(abi = "raw", save(gpr))]
    fn raw(cpu: &mut CpuState) {
        // SAFETY: it is called so.
        let a = unsafe { cpu.arg::<i32>(of::LAYOUT, 0) };
        // SAFETY: as above.
        let message = panic_of(|| _ = unsafe { cpu.arg::<f64>(of::LAYOUT, 1) });
        assert!(message.contains("vector register 0, which this callback does not save"), "{message}");
        cpu.set_gpr(Gpr::Rax, a);
    }
    // SAFETY: the pointer type says what the handler expects.
    let f: extern "sysv64" fn(i32, f64) -> i32 = unsafe { std::mem::transmute(raw::FN) };
    assert_eq!(f(-3, 0.5), -3);
}

/// A difference for each register that is changed, and for no other.
#[test]
fn differences_name_what_changed() {
    #[cbframe(abi = "raw", save(gpr, flags, avx, x87))]
    fn raw(cpu: &mut CpuState) {
        let before = cpu.snapshot();
        assert!(before.diff(&cpu.snapshot()).is_empty() && before.diff(&before).to_string().is_empty());
        for register in Gpr::ALL {
            let old = cpu.gpr(register);
            cpu.set_gpr(register, old.0 ^ 0xf0);
            let expected = format!("{register:<5} {old:?} -> {:?}\n", Word(old.0 ^ 0xf0));
            assert_eq!(before.diff(&cpu.snapshot()).to_string(), expected);
            cpu.set_gpr(register, old);
        }
        let flags = cpu.rflags().expect("saved");
        cpu.set_rflags(flags ^ 1);
        assert_eq!(before.diff(&cpu.snapshot()).to_string(), format!("flags {flags:#x} -> {:#x}\n", flags ^ 1));
        cpu.set_rflags(flags);
        let wide = cpu.ymm(0).is_some();
        for number in 0..16 {
            let old = *cpu.xmm(number).expect("saved");
            cpu.xmm_mut(number).expect("saved").bytes[3] ^= 0xff;
            let text = before.diff(&cpu.snapshot()).to_string();
            let name = format!("{}{number}", if wide { "ymm" } else { "xmm" });
            assert!(text.starts_with(&format!("{name:<5} 0x")) && text.lines().count() == 1, "{text}");
            *cpu.xmm_mut(number).expect("saved") = old;
        }
        let control = cpu.x87().expect("saved").control;
        cpu.x87_mut().expect("saved").control ^= 0x300;
        let text = before.diff(&cpu.snapshot()).to_string();
        assert!(text.starts_with(&format!("fcw   {control:#x} -> {:#x}\n", control ^ 0x300)), "{text}");
        cpu.x87_mut().expect("saved").control ^= 0x300;
        cpu.rip ^= 1;
        assert!(before.diff(&cpu.snapshot()).to_string().starts_with("rip   0x"));
        cpu.rip ^= 1;
        let back = cpu.snapshot();
        assert!(before.diff(&back).is_empty());
        cpu.rax = 1;
    }
    // SAFETY: the handler changes rax only.
    let f: extern "C" fn() -> u32 = unsafe { std::mem::transmute(raw::FN) };
    assert_eq!(f(), 1);
}
