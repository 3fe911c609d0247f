//! How many bytes of arguments the return of a function of 32-bit x86 pops: what compilers have written behind `ret`.

use std::collections::HashMap;

use cbframe::abi::{Abi, X86Call};

use crate::program::compile;
use crate::tally::Tally;
use crate::targets::Compiler::{self, Clang, ClangMsvc, Gcc};
use crate::{available, linux, placed, source, windows};

#[test]
fn callees_of_linux() {
    for call in [X86Call::Cdecl, X86Call::Stdcall, X86Call::Fastcall, X86Call::Thiscall, X86Call::Regparm3] {
        callees(Gcc, linux(call));
    }
    callees(Clang, linux(X86Call::Cdecl));
    callees(Clang, linux(X86Call::Stdcall));
}

#[test]
fn callees_of_windows() {
    for call in [X86Call::Cdecl, X86Call::Stdcall, X86Call::Fastcall, X86Call::Thiscall] {
        for compiler in [Gcc, Clang, ClangMsvc] {
            callees(compiler, windows(call));
        }
    }
    callees(Gcc, windows(X86Call::Regparm3));
}

fn callees(compiler: Compiler, abi: Abi) {
    if !available(compiler, abi) {
        return;
    }
    let (dialect, mut tally) = (compiler.dialect(abi), Tally::default());
    let source = source(compiler, abi, &dialect, &mut tally);
    let assembly = compile(compiler, abi, "-O1", &source.callees());
    let found = pops(&assembly);
    for signature in &source.signatures {
        let placed = placed(signature, abi).expect("the others have been left out");
        let found = found.get(&signature.index);
        let wrong = match found {
            Some(found) if *found == placed.layout().pops() => Vec::new(),
            _ => vec![format!("the compiler pops {found:?}")],
        };
        tally.add(signature, &placed.layout(), &wrong);
    }
    tally.report(&format!("{abi} callees of {compiler:?} for {}", abi.target()));
}

/// The operand of the first `ret` behind each label `callee_{index}`, which Windows decorates.
fn pops(assembly: &str) -> HashMap<usize, u32> {
    let (mut found, mut current) = (HashMap::new(), None);
    for line in assembly.lines() {
        if line.contains(':')
            && let Some((_, name)) = line.split_once("callee_")
            && !line.starts_with(['\t', ' ', '#'])
        {
            let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
            current = name[..digits].parse().ok();
        }
        let mut words = line.split_whitespace();
        if let (Some("ret" | "retl"), Some(index)) = (words.next(), current) {
            let bytes = words.next().and_then(|operand| operand.strip_prefix('$')).map_or(Ok(0), str::parse);
            found.entry(index).or_insert(bytes.expect("a number"));
        }
    }
    found
}
