//! Asks the C compilers of other architectures and systems where they put arguments and results, and compares the answers
//! with the rules in `cbframe::abi`.
//!
//! As `placement_oracle` does, whose random signatures these are: C functions that a compiler of the target has compiled
//! call a spy, with arguments whose bytes tell which they are. But here all of it is a program for the target, which an
//! emulator runs (`qemu-user`): `runtime.c` and `spy.S` look where its input tells them to, and print what is there.
//!
//! Callers are compiled to assembly, which the target's gcc for Linux assembles: that of clang for Windows and macOS is taken
//! in the form of ELF.
//!
//! `CBFRAME_ORACLE` is the number of signatures for each convention and compiler, and `CBFRAME_ORACLE_FROM` the first one;
//! signature `n` is the same in every run. Where a compiler or an emulator is missing, that is said, and nothing is asked.

// The compilers are the host's, and know all systems.
#![cfg(target_os = "linux")]

mod broken_rules;
mod pops;
mod program;
mod targets;

#[path = "../placement_oracle/graffiti.rs"]
mod graffiti;
#[path = "../placement_oracle/signatures.rs"]
mod signatures;
#[path = "../placement_oracle/tally.rs"]
mod tally;

use std::env;

use cbframe::abi::{self, Abi, Place, SignatureError, X86Call};

use broken_rules::broken_rule;
use program::{Program, missing};
use signatures::{Dialect, Signature, Source};
use tally::Tally;
use targets::Compiler::{self, Clang, ClangMsvc, Gcc};

macro_rules! oracles {
    ($($name:ident $compiler:ident $abi:expr;)*) => { $(
        #[test]
        fn $name() {
            callers($compiler, $abi);
        }
    )* };
}

const fn linux(call: X86Call) -> Abi {
    Abi::X86 { call, windows: false }
}

const fn windows(call: X86Call) -> Abi {
    Abi::X86 { call, windows: true }
}

oracles! {
    aapcs64_gcc Gcc Abi::Aapcs64;
    aapcs64_clang Clang Abi::Aapcs64;
    apple_clang Clang Abi::AppleArm64;
    riscv64_gcc Gcc Abi::Lp64d;
    riscv64_clang Clang Abi::Lp64d;
    arm_gcc Gcc Abi::Aapcs;
    arm_clang Clang Abi::Aapcs;
    arm_vfp_gcc Gcc Abi::AapcsVfp;
    arm_vfp_clang Clang Abi::AapcsVfp;
    x86_cdecl_gcc Gcc linux(X86Call::Cdecl);
    x86_cdecl_clang Clang linux(X86Call::Cdecl);
    x86_stdcall_gcc Gcc linux(X86Call::Stdcall);
    x86_stdcall_clang Clang linux(X86Call::Stdcall);
    x86_fastcall_gcc Gcc linux(X86Call::Fastcall);
    x86_thiscall_gcc Gcc linux(X86Call::Thiscall);
    x86_regparm_1_gcc Gcc linux(X86Call::Regparm1);
    x86_regparm_2_gcc Gcc linux(X86Call::Regparm2);
    x86_regparm_3_gcc Gcc linux(X86Call::Regparm3);
    windows_cdecl_gcc Gcc windows(X86Call::Cdecl);
    windows_cdecl_clang Clang windows(X86Call::Cdecl);
    windows_cdecl_clang_msvc ClangMsvc windows(X86Call::Cdecl);
    windows_stdcall_gcc Gcc windows(X86Call::Stdcall);
    windows_stdcall_clang Clang windows(X86Call::Stdcall);
    windows_stdcall_clang_msvc ClangMsvc windows(X86Call::Stdcall);
    windows_fastcall_gcc Gcc windows(X86Call::Fastcall);
    windows_fastcall_clang Clang windows(X86Call::Fastcall);
    windows_fastcall_clang_msvc ClangMsvc windows(X86Call::Fastcall);
    windows_thiscall_gcc Gcc windows(X86Call::Thiscall);
    windows_thiscall_clang Clang windows(X86Call::Thiscall);
    windows_thiscall_clang_msvc ClangMsvc windows(X86Call::Thiscall);
    windows_regparm_3_gcc Gcc windows(X86Call::Regparm3);
}

/// Where `abi` puts the parameters and the result.
fn placed(signature: &Signature, abi: Abi) -> Result<abi::Signature, SignatureError> {
    let before = signature.before_dots.unwrap_or(usize::MAX);
    let mut builder = abi::Signature::new(abi).ret(signature.result);
    for (i, &ty) in signature.parameters.iter().enumerate() {
        builder = if i == before { builder.dots() } else { builder }.param(ty);
    }
    if before == signature.parameters.len() { builder.dots() } else { builder }.build()
}

/// The number that a variable of the environment holds.
fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

/// Whether there is all that it takes to ask, as there has to be in a CI run.
fn available(compiler: Compiler, abi: Abi) -> bool {
    let Some(what) = missing(compiler, abi) else { return true };
    assert!(env::var_os("CI").is_none(), "no `{what}`: {compiler:?} has to be asked about {abi} of {}", abi.target());
    eprintln!("no `{what}`: {compiler:?} is not asked about {abi} of {}", abi.target());
    false
}

/// The signatures that `compiler` is asked about, which `abi` has a place for; the others are counted.
fn source<'a>(compiler: Compiler, abi: Abi, dialect: &'a Dialect, tally: &mut Tally) -> Source<'a> {
    let from = number("CBFRAME_ORACLE_FROM", 0);
    let mut source = Source::new(dialect, from..from + number("CBFRAME_ORACLE", 300));
    source.signatures.retain(|signature| {
        let reason = match placed(signature, abi) {
            Ok(placed) => broken_rule(compiler, &placed),
            Err(error) => Some(program::reason(&error)),
        };
        reason.inspect(|reason| tally.leave_out(reason, 1)).is_none()
    });
    source
}

/// Calls the spy from functions of `compiler`'s.
fn callers(compiler: Compiler, abi: Abi) {
    if !available(compiler, abi) {
        return;
    }
    let (dialect, mut tally) = (compiler.dialect(abi), Tally::default());
    let source = source(compiler, abi, &dialect, &mut tally);
    let program = Program::build(compiler, abi, &source);
    for (signature, wrong) in source.signatures.iter().zip(program.run(&source, abi, abi)) {
        let placed = placed(signature, abi).expect("the others have been left out");
        tally.add(signature, &placed.layout(), &wrong);
    }
    tally.report(&format!("{abi} callers of {compiler:?} for {}", abi.target()));
}

/// The oracle sees wrong places: callers of one convention are looked at as if they had another one, but for results in
/// memory, which the spy would write anywhere.
#[test]
fn wrong_places_are_noticed() {
    for (abi, other) in [
        (Abi::Aapcs64, Abi::AppleArm64),
        (Abi::Aapcs, Abi::AapcsVfp),
        (Abi::AapcsVfp, Abi::Aapcs),
        (linux(X86Call::Regparm3), linux(X86Call::Regparm2)),
        (linux(X86Call::Cdecl), linux(X86Call::Regparm1)),
    ] {
        if !available(Gcc, abi) {
            continue;
        }
        let (dialect, mut tally) = (Gcc.dialect(abi), Tally::default());
        let mut source = source(Gcc, abi, &dialect, &mut tally);
        // Those that the two place differently.
        source.signatures.retain(|signature| {
            let places = |abi| {
                let placed = placed(signature, abi).ok()?;
                let layout = placed.layout();
                let all = layout.parameters().iter().chain([layout.result()]);
                Some(all.map(|it| it.place).collect::<Vec<_>>())
            };
            let (ours, others) = (places(abi), places(other));
            let hidden = |places: &Option<Vec<Place>>| {
                places.as_ref().is_none_or(|all| all.iter().any(|place| matches!(place, Place::Hidden { .. })))
            };
            ours != others && !hidden(&ours) && !hidden(&others)
        });
        let all = Program::build(Gcc, abi, &source).run(&source, abi, other);
        let noticed = all.iter().filter(|wrong| !wrong.is_empty()).count();
        assert!(noticed > 0 && noticed * 100 >= all.len() * 95, "{abi} as {other}: {noticed} of {}", all.len());
    }
}
