//! The tool itself: it finds C functions that are wrong, and says which signature and which byte, or that the process died,
//! with the smallest signature of which that is true.

use std::process::Command;

/// What the tool prints if C functions whose last parameter is a `double` behind others are wrong in this way.
fn spoilt(how: &str) -> String {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cbframe-bulk"));
    let output =
        tool.args(["--count", "60", "--batch", "30", "--abi", "sysv64", "--spoil", how]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("void CBT_SYSV64 callback(int32_t, double);\n"), "{text}");
    assert!(text.contains("  #1      f64  8 B  xmm0\n"), "{text}");
    text
}

#[test]
fn a_wrong_byte_is_found() {
    let text = spoilt("value");
    let called = "function of gcc -O0, called by Signature::call_raw: 5 of 5 calls went wrong";
    assert!(text.contains(called), "{text}");
    assert!(text.contains("with low codes, p1 in f64 is wrong from byte 3 (offset 3) on:"), "{text}");
}

#[test]
fn a_dead_process_is_found() {
    let text = spoilt("process");
    assert!(text.contains("killed by signal 4 in function of gcc -O0, called by Signature::call_raw"), "{text}");
}
