//! Conversions of the 80-bit format, compared with the CPU's and with a C compiler's `long double`.

use std::arch::asm;

use cbframe::F80;
use cbframe_tests::child::Library;

/// `fld` of a double, `fstp` of 80 bits.
fn fld(value: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    // SAFETY: reads 8 bytes and writes 10; the x87 stack is empty before and after.
    unsafe { asm!("fld qword ptr [{}]", "fstp tbyte ptr [{}]", in(reg) &value, in(reg) &mut bytes, out("st(0)") _) };
    bytes
}

/// `fld` of 80 bits, `fstp` of a double.
fn fst(bytes: [u8; 10]) -> u64 {
    let mut value = 0_u64;
    // SAFETY: reads 10 bytes and writes 8; the x87 stack is empty before and after.
    unsafe { asm!("fld tbyte ptr [{}]", "fstp qword ptr [{}]", in(reg) &bytes, in(reg) &mut value, out("st(0)") _) };
    value
}

/// xorshift64*, of which only the distribution matters.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn check_from(bits: u64) {
    let found = F80::from_f64(f64::from_bits(bits)).bytes;
    let mut expected = fld(bits);
    // The one difference, and documented: loading makes a signaling NaN quiet, converting leaves it as it is.
    let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    if exponent == 0x7ff && fraction != 0 && fraction >> 51 == 0 {
        expected[7] &= !0x40;
    }
    assert_eq!(found, expected, "{bits:#018x}");
}

fn check_to(bytes: [u8; 10]) {
    let (found, expected) = (F80 { bytes }.to_f64().to_bits(), fst(bytes));
    assert_eq!(found, expected, "{bytes:02x?}: {found:#018x}, the CPU has {expected:#018x}");
}

fn f80(head: u16, significand: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&significand.to_le_bytes());
    bytes[8..].copy_from_slice(&head.to_le_bytes());
    bytes
}

/// Around the bits at which something happens: rounding, the integer bit, the quiet bit.
fn significands() -> Vec<u64> {
    let mut all = vec![0, 1, 2, u64::MAX, u64::MAX - 1, 0x7ff, 0x800, 0x801, 0xbff, 0xc00, 0x1400, 0x1800];
    for bit in 0..64 {
        all.extend([1 << bit, (1_u64 << bit) - 1, u64::MAX << bit, 1 << 63 | 1 << bit, 1 << 63 | 3 << bit]);
    }
    all
}

#[test]
fn from_f64_is_what_the_cpu_loads() {
    let mut special: Vec<u64> = (0..64).flat_map(|bit| [1 << bit, u64::MAX << bit, (1 << bit) - 1]).collect();
    for exponent in [0, 1, 2, 0x3fe, 0x3ff, 0x400, 0x7fd, 0x7fe, 0x7ff_u64] {
        for fraction in [0, 1, 1 << 51, (1 << 51) - 1, (1 << 51) + 1, (1 << 52) - 1] {
            special.extend([exponent << 52 | fraction, 1 << 63 | exponent << 52 | fraction]);
        }
    }
    special.into_iter().for_each(check_from);
    let mut random = Random(1);
    for _ in 0..1_000_000 {
        check_from(random.next());
        // Subnormal, infinite and NaN are rare otherwise.
        check_from(random.next() & !(0x7ff << 52));
        check_from(random.next() | 0x7ff << 52);
    }
}

#[test]
fn to_f64_is_what_the_cpu_stores() {
    let exponents =
        (0..4).chain(0x3bc0..0x3c10).chain(0x3fff - 3..0x3fff + 3).chain(0x43f0..0x4410).chain(0x7ff0..0x8000);
    for exponent in exponents {
        for significand in significands() {
            check_to(f80(exponent, significand));
            check_to(f80(exponent | 0x8000, significand));
        }
    }
    let mut random = Random(2);
    for _ in 0..1_000_000 {
        let (head, significand) = (random.next() as u16, random.next());
        check_to(f80(head, significand));
        // Where a double has an exponent, with the integer bit set; and just below.
        let near = (0x3bb0 + head % 0x860) | head & 0x8000;
        check_to(f80(near, significand | 1 << 63));
        // Ties.
        check_to(f80(near, (significand | 1 << 63) & !0xfff | 0x400));
        check_to(f80(head | 0x7fff, significand));
    }
}

#[test]
fn there_and_back_is_the_same() {
    let mut random = Random(3);
    for _ in 0..1_000_000 {
        let value = f64::from_bits(random.next());
        let back = F80::from_f64(value).to_f64();
        if value.is_nan() {
            assert_eq!(back.to_bits(), value.to_bits() | 1 << 51, "quiet, the payload kept");
        } else {
            assert_eq!(back.to_bits(), value.to_bits());
        }
    }
}

#[test]
fn c_agrees() {
    let source = "
        #include <string.h>
        double narrow(const unsigned char *bytes) {
            long double wide = 0;
            memcpy(&wide, bytes, 10);
            return (double)wide;
        }
        void widen(double value, unsigned char *bytes) {
            long double wide = value;
            memcpy(bytes, &wide, 10);
        }
    ";
    let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "f80.c", source, &["-O2"]);
    // SAFETY: their types in the source above.
    let (narrow, widen): (unsafe extern "C" fn(*const u8) -> f64, unsafe extern "C" fn(f64, *mut u8)) =
        unsafe { (library.function("narrow"), library.function("widen")) };
    let mut random = Random(4);
    for _ in 0..100_000 {
        let value = f64::from_bits(random.next());
        if value.is_nan() {
            continue;
        }
        let mut wide = [0; 10];
        // SAFETY: 10 bytes.
        unsafe { widen(value, wide.as_mut_ptr()) };
        assert_eq!(F80::from_f64(value).bytes, wide);
        // Other bits below those of a double, so that it is rounded.
        wide[0] = random.next() as u8;
        wide[1] = random.next() as u8;
        if wide[7] & 0x80 != 0 {
            // SAFETY: 10 bytes.
            assert_eq!(F80 { bytes: wide }.to_f64().to_bits(), unsafe { narrow(wide.as_ptr()) }.to_bits());
        }
    }
}
