//! A program for a target: compiled callers, and the spy that they call.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio, id};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use cbframe::abi::{Abi, Layout, Part, Place, Pointer, Register, SignatureError};
use cbframe::types::Type;

use crate::graffiti::{RESULT, compare, graffiti};
use crate::placed;
use crate::signatures::Source;
use crate::targets::{Compiler, Machine};

/// The command that is missing to ask, if one is.
pub(crate) fn missing(compiler: Compiler, abi: Abi) -> Option<&'static str> {
    let machine = Machine::of(abi);
    let commands = [compiler.command(abi)[0], machine.linux[0], machine.emulator];
    let is_missing =
        |command: &&&str| !Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success());
    if let Some(command) = commands.iter().find(is_missing) {
        return Some(command);
    }
    // gcc is always there, but may have no library for the target.
    let linked = Command::new(machine.linux[0])
        .args(&machine.linux[1..])
        .args(["-static", "-x", "c", "-o", "/dev/null", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .and_then(|mut gcc| {
            gcc.stdin
                .take()
                .expect("piped")
                .write_all(b"#include <stdio.h>\nint main(void) { return puts(\"\"); }\n")?;
            gcc.wait()
        });
    if linked.is_ok_and(|status| status.success()) { None } else { Some("a C library for the target") }
}

/// Why a signature was refused, without what is particular to it.
pub(crate) fn reason(error: &SignatureError) -> &'static str {
    let text = error.to_string();
    let reason = text.rsplit(": ").next().unwrap_or(&text);
    String::leak(format!("refused, {reason}"))
}

pub(crate) struct Program(PathBuf);

impl Program {
    /// Compiles the callers of `source`.
    pub(crate) fn build(compiler: Compiler, abi: Abi, source: &Source<'_>) -> Self {
        let path = file();
        let program = path("program");
        let mut table = String::from("\nvoid (*const callers[])(spy_fn *, const char *, char *) = {");
        for signature in &source.signatures {
            write!(table, "call_{}, ", signature.index).unwrap();
        }
        let c = source.callers() + &table + "0};\n";
        let assembly = path("s");
        fs::write(&assembly, for_elf(&compile(compiler, abi, "-O0", &c))).expect("the assembly can be written");
        let linux = Machine::of(abi).linux;
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign_oracle");
        run(Command::new(linux[0])
            .args(&linux[1..])
            .args(["-O1", "-static", "-no-pie", "-fno-pie", "-z", "noexecstack", "-o"])
            .args([&program, &assembly, &runtime.join("runtime.c"), &runtime.join("spy.S")]));
        fs::remove_file(assembly).expect("it was written above");
        Self(program)
    }

    /// What is wrong with each signature, which has the convention `abi`, as `rules` place it.
    pub(crate) fn run(self, source: &Source<'_>, abi: Abi, rules: Abi) -> Vec<Vec<String>> {
        let placed: Vec<_> = source.signatures.iter().map(|signature| placed(signature, rules)).collect();
        let layouts: Vec<_> =
            placed.iter().map(|it| it.as_ref().expect("others have been left out").layout()).collect();
        let mut all = Vec::new();
        // Behind one at which the program crashes, it is started again.
        while all.len() < layouts.len() {
            let text = self.answers(abi, &layouts, all.len());
            let mut found = HashMap::new();
            for line in text.lines() {
                let (name, hex) = line.split_once(' ').expect("a name and a value");
                found.insert(name, hex);
                // The last line of each.
                if name != "result" {
                    continue;
                }
                let (layout, mut wrong) = (&layouts[all.len()], Vec::new());
                for (i, parameter) in layout.parameters().iter().enumerate() {
                    check(&i.to_string(), i, &parameter.ty, &found, &mut wrong);
                }
                check("result", RESULT, &layout.result().ty, &found, &mut wrong);
                all.push(wrong);
                found.clear();
            }
            if all.len() < layouts.len() {
                all.push(vec!["the program crashes".into()]);
            }
        }
        fs::remove_file(&self.0).expect("it was linked");
        all
    }

    /// What the program prints for these layouts, of which those before `from` are left out.
    fn answers(&self, abi: Abi, layouts: &[Layout<'_>], from: usize) -> String {
        let mut input = String::new();
        for (number, layout) in layouts.iter().enumerate().skip(from) {
            describe(&mut input, number, layout);
        }
        let emulator = Machine::of(abi).emulator;
        let mut child = Command::new(emulator)
            .arg(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("`{emulator}` cannot be started: {error}"));
        let mut stdin = child.stdin.take().expect("piped");
        let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("it was started");
        // A program that has crashed does not read on.
        let _ = writer.join().expect("the writer does not panic");
        String::from_utf8(output.stdout).expect("hexadecimal digits")
    }
}

/// A new file, by its extension.
fn file() -> impl Fn(&str) -> PathBuf {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let stem = format!("foreign-{}-{}", id(), FILES.fetch_add(1, Ordering::Relaxed));
    move |extension| Path::new(env!("CARGO_TARGET_TMPDIR")).join(&stem).with_extension(extension)
}

/// The assembly that `compiler` makes of `c`.
pub(crate) fn compile(compiler: Compiler, abi: Abi, level: &str, c: &str) -> String {
    let path = file();
    let (source, assembly) = (path("c"), path("s"));
    fs::write(&source, c).expect("the source can be written");
    let command = compiler.command(abi);
    let options = [level, "-w", "-Wno-psabi", "-fno-asynchronous-unwind-tables", "-S", "-o"];
    run(Command::new(command[0]).args(&command[1..]).args(options).args([&assembly, &source]));
    let text = fs::read_to_string(&assembly).expect("the compiler wrote it");
    for file in [source, assembly] {
        fs::remove_file(file).expect("it was written above");
    }
    text
}

/// What a compiler for Windows writes for its own object format, is left out.
fn for_elf(assembly: &str) -> String {
    let is_coff = |line: &&str| {
        let line = line.trim_start();
        [".def", ".scl", ".endef", ".linkonce", ".addrsig", ".subsections_via_symbols", ".build_version"]
            .iter()
            .any(|directive| line.starts_with(directive))
    };
    let lines = assembly.lines().filter(|line| !is_coff(line));
    lines.map(|line| line.replace(".section .rdata,\"dr\"", ".section .rodata") + "\n").collect()
}

fn run(command: &mut Command) {
    let Output { status, stderr, .. } =
        command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
}

/// Compares what the program has found with what was passed.
fn check(name: &str, index: usize, ty: &Type, found: &HashMap<&str, &str>, wrong: &mut Vec<String>) {
    let hex = found.get(name).unwrap_or(&"nothing");
    let bytes: Option<Vec<u8>> =
        (0..ty.size).map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()).collect();
    match bytes {
        Some(bytes) => compare(&format!("#{name}"), ty, &bytes, &graffiti(index, ty), wrong),
        None => wrong.push(format!("#{name}: {hex}")),
    }
}

/// Writes what `runtime.c` reads.
fn describe(input: &mut String, number: usize, layout: &Layout<'_>) {
    writeln!(input, "{number} {} {}", layout.parameters().len(), layout.pops()).unwrap();
    for (i, parameter) in layout.parameters().iter().enumerate() {
        value(input, &parameter.place, &graffiti(i, &parameter.ty));
    }
    value(input, &layout.result().place, &graffiti(RESULT, &layout.result().ty));
}

fn value(input: &mut String, place: &Place, bytes: &[u8]) {
    let none: &[Part] = &[];
    let (kind, parts, at, leaves) = match place {
        Place::Nothing => (0, none, 0, None),
        Place::Registers(parts) => (1, parts.as_slice(), 0, None),
        Place::Stack(offset) => (2, none, *offset, None),
        Place::Split(parts, offset) => (3, parts.as_slice(), *offset, None),
        Place::Reference(Pointer::Register(register)) => (4, none, integer(*register), None),
        Place::Reference(Pointer::Stack(offset)) => (5, none, *offset, None),
        Place::Hidden { arrives: Pointer::Register(register), leaves } => (6, none, integer(*register), *leaves),
        Place::Hidden { arrives: Pointer::Stack(offset), leaves } => (7, none, *offset, *leaves),
        other => panic!("{other:?} is unknown"),
    };
    write!(input, "{kind} {}", parts.len()).unwrap();
    for Part { register, offset, size } in parts {
        let (bank, number) = match register {
            Register::Integer(number) => (0, number),
            Register::Vector(number) => (1, number),
            Register::X87(number) => (2, number),
            other => panic!("{other:?} is unknown"),
        };
        write!(input, " {bank} {number} {offset} {size}").unwrap();
    }
    // A number that is not there is 0.
    let leaves = leaves.map_or(0, |register| integer(register) + 1);
    write!(input, " {at} {leaves} {} ", bytes.len()).unwrap();
    bytes.iter().for_each(|byte| write!(input, "{byte:02x}").unwrap());
    input.push('\n');
}

fn integer(register: Register) -> u32 {
    match register {
        Register::Integer(number) => number.into(),
        other => panic!("{other:?} has no addresses"),
    }
}
