//! Formats that are made up, with arguments, as a C program that logs them.

use std::fmt::Write;

/// How many formats there are.
pub(crate) const COUNT: usize = if cfg!(windows) { 200 } else { 1000 };

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        (self.word() % n as u64) as usize
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Integer arguments: the length modifier and C's type.
const INTEGERS: [(&str, &str); 8] = [
    ("", "int"),
    ("hh", "int"),
    ("h", "int"),
    ("l", "long"),
    ("ll", "long long"),
    ("j", "intmax_t"),
    ("z", "size_t"),
    ("t", "ptrdiff_t"),
];

const STRINGS: [&str; 6] = ["", "x", "a longer string, with a comma", "ünï", "%d", "0123456789abcdef0123456789abcdef"];

/// A directive, and the C expressions of its arguments.
fn directive(random: &mut Random, arguments: &mut Vec<String>) -> String {
    let mut text = String::from("%");
    for flag in ['-', '+', ' ', '#', '0'] {
        if random.chance(15) {
            text.push(flag);
        }
    }
    if random.chance(30) {
        write!(text, "{}", 1 + random.below(40)).unwrap();
    } else if random.chance(15) {
        text.push('*');
        arguments.push(format!("(int){}", random.below(60) as i32 - 30));
    }
    let mut precision = |text: &mut String, random: &mut Random| {
        if random.chance(25) {
            write!(text, ".{}", random.below(20)).unwrap();
        } else if random.chance(15) {
            text.push_str(".*");
            // A negative one is none, but for Windows' oldest C library, which MinGW programs use: there it is 0.
            arguments.push(format!("(int){}", random.below(24) as i32 - if cfg!(windows) { 0 } else { 4 }));
        }
    };
    match random.below(10) {
        0..4 => {
            precision(&mut text, random);
            let (modifier, ty) = random.pick(&INTEGERS);
            text.push_str(modifier);
            text.push(random.pick(&['d', 'i', 'u', 'o', 'x', 'X']));
            let value = random.word() >> random.pick(&[0, 0, 16, 33, 48, 60]);
            arguments.push(format!("({ty})0x{value:x}ULL"));
        }
        4..7 => {
            precision(&mut text, random);
            let conversion = random.pick(&['f', 'F', 'e', 'E', 'g', 'G', 'a', 'A']);
            // That has no `F` either: it prints nothing and takes no argument.
            text.push(if cfg!(windows) { conversion.to_ascii_lowercase() } else { conversion });
            let bits = match random.below(8) {
                0 => random.word(),
                1 => f64::INFINITY.to_bits(),
                2 => (-0.0_f64).to_bits(),
                _ => ((random.word() as i64 >> random.pick(&[20, 40, 52])) as f64 / 128.0).to_bits(),
            };
            arguments.push(format!("real(0x{bits:x}ULL)"));
        }
        7 => {
            precision(&mut text, random);
            text.push('s');
            arguments.push(format!("\"{}\"", random.pick(&STRINGS)));
        }
        8 => {
            text.push('c');
            arguments.push(format!("(int)'{}'", char::from(b'a' + random.below(26) as u8)));
        }
        _ => {
            text.push('p');
            arguments.push(format!("(void *)0x{:x}ULL", random.word() >> 16));
        }
    }
    text
}

/// The format with this index, and its arguments; without `long double`, which only System V's C passes as the target's.
fn format(index: usize, long_double: bool) -> (String, Vec<String>) {
    let mut random = Random(0xf0_4a7 ^ (index as u64) << 20);
    let (mut text, mut arguments) = (String::new(), Vec::new());
    // Up to many more arguments than there are registers.
    for _ in 0..random.below(16) {
        text.push_str(random.pick(&["", " ", ", ", "%%", "é=", "[", "]"]));
        let directive = directive(&mut random, &mut arguments);
        text.push_str(&directive);
    }
    // Windows' C library has none.
    if random.chance(20) && long_double && !cfg!(windows) {
        text.push_str(" %.12Lg|%La");
        for _ in 0..2 {
            arguments.push(format!("{}.{:03}L / 7", random.below(100_000), random.below(1000)));
        }
        text.push_str("%d");
        arguments.push(format!("{}", random.below(9)));
    }
    text.push_str(random.pick(&["", "\\n", ".", " %%"]));
    (text, arguments)
}

/// What a failure shows.
pub(crate) fn directives(index: usize) -> String {
    let (text, arguments) = format(index, true);
    format!("{text} of {}", arguments.join(", "))
}

/// The C program: for each ABI, a function that logs with `...`, and one that passes lists.
pub(crate) fn source() -> String {
    let mut out = String::from(
        r#"
#define __USE_MINGW_ANSI_STDIO 0 // but the system's, as Rust has it
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef _WIN32
#define SYSV64 __attribute__((sysv_abi))
#undef WIN64
#define WIN64
#ifdef __clang__
#define NO_SYSV64_LIST // on this system
typedef void *sysv64_list;
#else
typedef __builtin_sysv_va_list sysv64_list;
#endif
typedef va_list win64_list;
#define SYSV64_START __builtin_sysv_va_start
#define SYSV64_END __builtin_sysv_va_end
#define WIN64_START va_start
#define WIN64_END va_end
#else
#define SYSV64
#define WIN64 __attribute__((ms_abi))
typedef va_list sysv64_list;
typedef __builtin_ms_va_list win64_list;
#define SYSV64_START va_start
#define SYSV64_END va_end
#define WIN64_START __builtin_ms_va_start
#define WIN64_END __builtin_ms_va_end
#endif
typedef void expect(const void *expected, const char *text);
static double real(unsigned long long bits) { double value; memcpy(&value, &bits, sizeof value); return value; }
typedef void SYSV64 list_sysv64(const char *format, sysv64_list list);
typedef void WIN64 list_win64(const char *format, win64_list list);
#ifndef NO_SYSV64_LIST
static void SYSV64 pass_to_sysv64(list_sysv64 *log, int level, const char *format, ...) {
    sysv64_list list;
    SYSV64_START(list, format);
    log(format, list);
    SYSV64_END(list);
    (void)level;
}
#endif
static void WIN64 pass_to_win64(list_win64 *log, int level, const char *format, ...) {
    win64_list list;
    WIN64_START(list, format);
    log(format, list);
    WIN64_END(list);
    (void)level;
}
"#,
    );
    for (name, ty, call, long_double) in [
        ("log_sysv64", "void SYSV64 log_sysv64_type(int, const char *, ...)", "log(", true),
        ("log_win64", "void WIN64 log_win64_type(int, const char *, ...)", "log(", false),
        ("pass_sysv64", "list_sysv64 pass_sysv64_type", "pass_to_sysv64(log, ", true),
        ("pass_win64", "list_win64 pass_win64_type", "pass_to_win64(log, ", false),
    ] {
        out.push_str(if name == "pass_sysv64" { "#ifndef NO_SYSV64_LIST\n" } else { "#if 1\n" });
        writeln!(out, "typedef {ty};\nvoid {name}({name}_type *log, expect *expect, const void *expected) {{").unwrap();
        out.push_str("    char text[4096];\n");
        for index in 0..COUNT {
            let (format, arguments) = format(index, long_double);
            let arguments: String = arguments.iter().map(|argument| format!(", {argument}")).collect();
            writeln!(out, "    {call}{index}, \"{format}\"{arguments});").unwrap();
            writeln!(out, "    snprintf(text, sizeof text, \"{format}\"{arguments});\n    expect(expected, text);")
                .unwrap();
        }
        out.push_str("}\n#endif\n");
    }
    out
}
