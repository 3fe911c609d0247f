//! What a user sees: the errors of wrong code, and code that must compile whatever surrounds it.
//!
//! trybuild only checks, unless a set has a case that passes. Some errors exist only in a build, a wrong operand
//! of `naked_asm!` or a constant of a generic type for instance, so there are two sets.
//!
//! One file: `cargo test -p cbframe-ui-tests -- ui trybuild=derive_repr`. `TRYBUILD=overwrite` writes what is
//! expected anew.

use trybuild::TestCases;

/// Errors that `cargo check` finds.
#[test]
fn check() {
    TestCases::new().compile_fail("check/*.rs");
}

/// Errors that only `cargo build` finds, and what has none.
#[test]
fn build() {
    let cases = TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("build/*.rs");
}
