//! The tool itself: it finds callbacks that are wrong, and says which signature and which byte, or that the process
//! died, with the smallest signature of which that is true.

use std::process::Command;

/// What the tool prints if callbacks with a `double` behind a struct that has an `int16_t` are wrong in this way.
fn spoilt(how: &str) -> String {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cbframe-signatures"));
    // A few of these signatures are such.
    let output =
        tool.args(["--seed", "1", "--count", "60", "--batch", "10", "--spoil", how]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "pub struct A {\n    pub a: i16,\n}\n",
        "fn(p0: A, p1: f64)\n",
        "typedef struct { int16_t a; } A;\n",
        "callback(A, double);\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    text
}

#[test]
fn a_wrong_byte_is_found() {
    let text = spoilt("value");
    assert!(text.contains("captured, called by clang -O2: 5 of 5 calls went wrong"), "{text}");
    // Which byte of which parameter, in which call; what the layout is.
    assert!(text.contains("with low codes, p1 in f64 is wrong from byte 3 (offset 3) on:"), "{text}");
    assert!(text.contains("p1: f64") || text.contains("p1  f64"), "{text}");
}

#[test]
fn a_dead_process_is_found() {
    let text = spoilt("process");
    assert!(text.contains("killed by signal 6 in stateless, called by gcc -O0"), "{text}");
}
