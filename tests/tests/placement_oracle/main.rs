//! Asks two C compilers where they put arguments and results, and compares the answers with `cbframe::abi::place`.
//!
//! Random signatures (`signatures.rs`) become C. There are two ways to ask:
//!
//! - *Callers* (`spy.rs`): C functions of gcc's and of clang's call a spy through a function pointer, with arguments
//!   whose bytes tell which they are (`graffiti.rs`). The spy dumps registers and stack. Wherever a [`Layout`] says
//!   that an argument lies, its bytes must be found; and a result that the spy leaves in its [`Place`] must arrive in
//!   C. This proves that compiled callers and the layout agree, to the byte.
//! - *Callees* (`llvm_ir.rs`): clang's LLVM IR for a function of the signature says into which pieces each parameter
//!   was taken apart and what lies in memory. This proves the same of clang's callees but for the sizes of pieces, and
//!   needs no CPU that has the registers.
//!
//! The compilers are `gcc` and `clang-19`, or what `CBFRAME_GCC` and `CBFRAME_CLANG` name; one may be missing. Signatures
//! on which a compiler is known to break the rules are left out for that compiler, each with the reason, and counted
//! (`broken_rules.rs`). `CBFRAME_ORACLE` is the number of signatures for each ABI and compiler, and `CBFRAME_ORACLE_FROM`
//! the first one; signature `n` is the same in every run.
//!
//! AVX is used where the CPU has it; of AVX-512 the few instructions that occur are emulated where it has not
//! (`avx512.rs`).

// The compilers are the host's, and know the conventions of both systems.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

mod avx512;
mod broken_rules;
mod compilers;
mod graffiti;
mod llvm_ir;
mod signatures;
mod spy;
mod tally;
mod x86_64;

use std::env;

use cbframe::abi::{Abi, Place};

use broken_rules::broken_rule;
use compilers::Compiler;
use signatures::{Dialect, Source};
use tally::Tally;
use x86_64::Vectors;

#[test]
fn system_v_callers_of_gcc() {
    callers(Compiler::Gcc, Abi::SysV64);
}

#[test]
fn system_v_callers_of_clang() {
    callers(Compiler::Clang, Abi::SysV64);
}

/// What macOS has of System V.
#[test]
fn macos_callers_of_clang() {
    callers(Compiler::ClangForMacos, Abi::SysV64);
}

#[test]
fn system_v_callees_of_clang() {
    callees(Abi::SysV64);
}

#[test]
fn windows_callers_of_gcc() {
    callers(Compiler::Gcc, Abi::Win64);
}

#[test]
fn windows_callers_of_clang() {
    callers(Compiler::Clang, Abi::Win64);
}

#[test]
fn windows_callees_of_clang() {
    callees(Abi::Win64);
}

/// The oracle sees wrong places: System V calls do not look like Windows calls, but for a few, such as those
/// of at most four floats. A wrong hidden pointer is left out, because the spy would write there.
#[test]
fn wrong_places_are_noticed() {
    let compiler = Compiler::Gcc.find().or_else(|| Compiler::Clang.find()).expect("a C compiler");
    let (mut noticed, mut asked) = (0, 0);
    sources(Abi::SysV64, |vectors, source| {
        if !available(vectors) {
            return;
        }
        let library = compiler.callers(vectors, source);
        for signature in &source.signatures {
            let layout = signature.layout(Abi::Win64);
            if !matches!(layout.result().place, Place::Hidden { .. }) {
                asked += 1;
                noticed += usize::from(!spy::call(&layout, library.caller(signature.index), vectors).is_empty());
            }
        }
    });
    assert!(noticed * 10 > asked * 8, "{noticed} of {asked}");
}

/// Calls the spy from functions of `compiler`'s.
fn callers(compiler: Compiler, abi: Abi) {
    if compiler.find().is_none() {
        return;
    }
    let name = format!("{abi} callers of {compiler:?}");
    let mut tally = Tally::default();
    sources_for(compiler, abi, |vectors, source| {
        if !available(vectors) {
            return tally.leave_out("the CPU has no AVX", source.signatures.len());
        }
        let library = compiler.callers(vectors, source);
        for signature in &source.signatures {
            let layout = signature.layout(abi);
            match broken_rule(compiler, &layout) {
                Some(reason) => tally.leave_out(reason, 1),
                None => {
                    let wrong = spy::call(&layout, library.caller(signature.index), vectors);
                    tally.add(signature, &layout, &wrong);
                }
            }
        }
    });
    tally.report(&name);
}

/// Reads how clang takes parameters.
fn callees(abi: Abi) {
    if Compiler::Clang.find().is_none() {
        return;
    }
    let name = format!("{abi} callees of Clang");
    let mut tally = Tally::default();
    sources(abi, |vectors, source| {
        let ir = Compiler::llvm_ir(vectors, source);
        for signature in &source.signatures {
            let layout = signature.layout(abi);
            match broken_rule(Compiler::Clang, &layout) {
                Some(reason) => tally.leave_out(reason, 1),
                None => {
                    let wrong = llvm_ir::differences(&ir, signature.index, &layout);
                    tally.add(signature, &layout, &wrong);
                }
            }
        }
    });
    tally.report(&name);
}

/// Whether this CPU, with the help of the emulation, can run callers with these vectors.
fn available(vectors: Vectors) -> bool {
    if vectors == Vectors::Zmm && is_x86_feature_detected!("avx") {
        avx512::make_available();
    }
    vectors == Vectors::Xmm || is_x86_feature_detected!("avx")
}

/// How many signatures one chunk of files has.
const CHUNK: usize = 500;

/// Calls `each` with the signatures that are asked about, in sources of one file each.
fn sources(abi: Abi, each: impl FnMut(Vectors, &Source<'_>)) {
    sources_for(Compiler::Gcc, abi, each);
}

/// The same with the types that the compiler has.
fn sources_for(compiler: Compiler, abi: Abi, mut each: impl FnMut(Vectors, &Source<'_>)) {
    let number = |name: &str, default| {
        env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
    };
    let from = number("CBFRAME_ORACLE_FROM", 0);
    let end = from + number("CBFRAME_ORACLE", 300);
    for start in (from..end).step_by(CHUNK) {
        for vectors in Vectors::ALL {
            let mut dialect = Dialect::x86_64(abi, vectors);
            if compiler == Compiler::ClangForMacos {
                // It has no `__float128`, and no headers of the system.
                dialect.rare.retain(|(c, _)| !c.contains("float128"));
                let lines =
                    dialect.prelude.lines().filter(|line| !line.contains("float128") && !line.contains("<string.h>"));
                dialect.prelude = lines.map(|line| format!("{line}\n")).collect();
                dialect.prelude.push_str("void *memcpy(void *, const void *, size_t);\n");
            }
            let indices = (start..end.min(start + CHUNK)).filter(|&index| Vectors::of(index) == vectors);
            each(vectors, &Source::new(&dialect, indices));
        }
    }
}
