//! The text of a `CpuState`.

use std::arch::asm;
use std::sync::Mutex;

use cbframe::{CpuState, cbframe};

static TEXT: Mutex<[String; 3]> = Mutex::new([String::new(), String::new(), String::new()]);

fn dump(cpu: &mut CpuState) {
    *TEXT.lock().unwrap() = [format!("{cpu}"), format!("{cpu:#}"), format!("{cpu:?}")];
}

#[cbframe(abi = "raw", save(gpr, flags, sse, x87))]
fn all(cpu: &mut CpuState) {
    dump(cpu);
}

#[cbframe(abi = "raw", save(gpr))]
fn little(cpu: &mut CpuState) {
    dump(cpu);
}

/// Calls `target` with values in a few registers, 1 and pi on the x87 stack, the carry flag set; gives the address
/// of the word of the return address.
fn call(target: unsafe extern "C" fn()) -> u64 {
    let rsp: u64;
    // SAFETY: all that a C function may change is declared as changed; the x87 stack is empty again at the end.
    unsafe {
        asm!(
            "fninit", // systems begin with different control words
            "fldpi",
            "fld1",
            "push {word}",
            "push {word}",
            "stc",
            "call rax",
            "lea rax, [rsp - 8]",
            "add rsp, 16",
            "fstp st(0)",
            "fstp st(0)",
            word = in(reg) 0x1122_3344_5566_7788_u64,
            inlateout("rax") target as *const () => rsp,
            in("rdi") (-2.5_f64).to_bits(),
            in("rsi") -7_i64,
            in("r9") 1.5_f32.to_bits(),
            in("xmm3") 1.25_f64,
            clobber_abi("C"),
        );
    }
    rsp
}

/// The words of the line that begins with `name`.
fn line<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no line {name} in\n{text}")).split_whitespace().collect()
}

#[test]
fn the_dump_shows_every_group() {
    let rsp = call(all::FN);
    let [text, alternate, debug] = &TEXT.lock().unwrap().clone();
    assert_eq!(text, debug);
    for text in [text, alternate] {
        assert_eq!(line(text, "rsi")[1..], ["0xfffffffffffffff9", "NaN", "-7", "NaN"]);
        assert_eq!(line(text, "rdi")[1..3], ["0xc004000000000000", "-2.500000e0"]);
        assert_eq!(line(text, "r9")[1..], ["0x000000003fc00000", "5.284267e-315", "1069547520", "1.500000e0"]);
        for name in ["rax", "rbx", "rcx", "rdx", "rbp", "r8", "r10", "r11", "r12", "r13", "r14", "r15", "rip"] {
            assert_eq!(line(text, name).len(), 5, "{name}");
        }
        assert_eq!(line(text, "rsp")[1], format!("{rsp:#018x}"));
        assert_eq!(line(text, "[rsp+0x0")[2], line(text, "rip")[1], "the return address");
        for offset in ["[rsp+0x8", "[rsp+0x10]"] {
            assert_eq!(line(text, offset).last(), Some(&"0x1122334455667788"));
        }
        assert!(line(text, "xmm3").contains(&"1.25"), "{text}");
        assert_eq!(line(text, "xmm3")[1], "0x00000000000000003ff4000000000000");
        assert_eq!(line(text, "st(0)")[1], "1.0");
        assert_eq!(line(text, "st(1)")[1], "3.141592653589793");
        assert!(!text.contains("st(2)"), "an empty register is not shown:\n{text}");
        assert!(line(text, "mxcsr")[1].starts_with("0x0000"), "{text}");
    }
    assert!(line(alternate, "flags").contains(&"CF") && !line(alternate, "flags").contains(&"DF"));
    assert_eq!(line(alternate, "x87")[1..5], ["fcw", "0x037f", "fsw", "0x3000"]);
    assert!(!text.contains("fcw") && !text.lines().any(|line| line.starts_with("flags")));
    for number in 0..16 {
        line(alternate, &format!("xmm{number}"));
    }

    call(little::FN);
    let [text, alternate, _] = &TEXT.lock().unwrap().clone();
    for text in [text, alternate] {
        assert_eq!(line(text, "rsi")[3], "-7");
        for absent in ["xmm", "mxcsr", "st(", "flags", "x87"] {
            assert!(!text.contains(absent), "{absent} is not there:\n{text}");
        }
    }
}
