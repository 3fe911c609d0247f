//! Indirect branch tracking: whatever an indirect branch of a C caller or of cbframe may go to begins with `endbr64`.
//!
//! Looked at in linked programs: this one, in whichever profile the tests are built, and one that rustc compiled for
//! tracking, for which the nightly compiler has a flag.
// The disassembler reads ELF files; stubs and entries are the same instructions elsewhere.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, ptr};

use cbframe::{CpuState, Frame, LongDouble, Pool, bind_static, cbframe, pool, resolve};
use cbframe_tests::child::output as run;

const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
const STUB_SIZE: usize = 16;

static STATE: u64 = 1;
pool!(static PADS: 37);

#[cbframe(abi = "C", pool = PADS)]
fn direct(#[state] state: &u64, n: u64) -> u64 {
    state + n
}

#[cbframe(abi = "C", entry = "stack", pool = PADS)]
fn stack(#[state] state: &u64, n: u64) -> u64 {
    state + n
}

#[cbframe(abi = "win64", pool = PADS)]
fn behind(#[state] state: &u64, a: u64, b: u64, c: u64, d: u64) -> u64 {
    state + a + b + c + d
}

#[cbframe(abi = "C", pool = PADS)]
fn exclusive(#[state] state: &mut u64, n: u64) -> u64 {
    *state + n
}

#[cbframe(abi = "win64", pool = PADS)]
fn captured(#[state] state: &u64, #[cpu] cpu: &mut CpuState, n: u64) -> u64 {
    cpu.rcx + state + n
}

#[cbframe(abi = "raw", save(gpr, flags, sse, x87), pool = PADS)]
fn raw(#[state] state: &u64, cpu: &mut CpuState) {
    cpu.rax = *state;
}

#[cbframe(abi = "raw", enter = "jump")]
fn hook(#[state] state: &u64, cpu: &mut CpuState) {
    cpu.rax = *state;
}

#[cbframe(abi = "C")]
fn plain(n: u64) -> u64 {
    n
}

#[cbframe(abi = "win64", entry = "captured")]
fn plain_captured(n: u64) -> u64 {
    n
}

#[cbframe(abi = "raw")]
fn plain_raw(cpu: &mut CpuState) {
    cpu.rax = cpu.rdi;
}

#[cbframe(abi = "C", export = "cbframe_landing_pads_exported")]
fn exported(n: u64) -> u64 {
    n
}

#[cbframe(abi = "C")]
fn shared(#[state] state: &u64) -> u64 {
    *state
}

/// The code at `address`.
///
/// # Safety
///
/// There are `N` bytes of code.
unsafe fn code<const N: usize>(address: *const ()) -> [u8; N] {
    // SAFETY: the caller's promise; code is readable.
    unsafe { address.cast::<[u8; N]>().read_unaligned() }
}

#[track_caller]
fn assert_pad(address: *const (), what: &str) {
    // SAFETY: a function, which is longer than four bytes.
    assert_eq!(unsafe { code(address) }, ENDBR64, "{what}, at {address:?}, begins with no `endbr64`");
}

#[test]
fn what_c_is_given() {
    let functions: [(&str, *const ()); 7] = [
        ("plain::FN", plain::FN as *const ()),
        ("plain_captured::FN", plain_captured::FN as *const ()),
        ("plain_raw::FN", plain_raw::FN as *const ()),
        ("exported::FN", exported::FN as *const ()),
        ("bind_static!(direct)", bind_static!(direct, STATE) as *const ()),
        ("bind_static!(stack)", bind_static!(stack, STATE) as *const ()),
        ("bind_static!(captured)", bind_static!(captured, STATE) as *const ()),
    ];
    for (what, address) in functions {
        assert_pad(address, what);
    }
    unsafe extern "C" {
        fn cbframe_landing_pads_exported(n: u64) -> u64;
    }
    assert_pad(cbframe_landing_pads_exported as *const (), "the exported symbol");
}

/// The stubs with these numbers, which are a table of `pool`, and where their slots lead to, found as the CPU finds it: how
/// many lead somewhere.
///
/// `bound` is the address of one of them.
fn walk(pool: &'static Pool, bound: *const (), numbers: Range<usize>) -> usize {
    let found = resolve(bound).expect("it is bound");
    assert!(ptr::eq(found.pool(), pool));
    let first = bound.wrapping_byte_sub((found.index() - numbers.start) * STUB_SIZE);
    let mut leading = 0;
    for index in numbers.clone() {
        let stub = first.wrapping_byte_add((index - numbers.start) * STUB_SIZE);
        let what = format!("stub {index} of {}", pool.name());
        assert_pad(stub, &what);
        // SAFETY: a stub of the table.
        let code: [u8; STUB_SIZE] = unsafe { code(stub) };
        // push qword ptr [rip + ctx]; jmp qword ptr [rip + entry]
        assert_eq!((&code[4..6], &code[10..12]), (&[0xff, 0x35][..], &[0xff, 0x25][..]), "{what}: {code:02x?}");
        let distance = i32::from_le_bytes(code[12..].try_into().expect("four bytes"));
        let slot = stub.wrapping_byte_add(STUB_SIZE).wrapping_byte_offset(distance as isize);
        // SAFETY: the word that the stub's jump loads.
        let entry = unsafe { slot.cast::<*const ()>().read_volatile() };
        // Slots that were never bound lead nowhere, and nobody has their addresses.
        assert_eq!(entry.is_null(), resolve(stub).is_none(), "{what}");
        if !entry.is_null() {
            assert_pad(entry, &format!("the entry behind {what}"));
            leading += 1;
        }
    }
    leading
}

#[test]
fn where_slots_lead() {
    let mut state = 1;
    let frames = (
        direct::bind(&STATE).expect("a slot"),
        stack::bind(&STATE).expect("a slot"),
        behind::bind(&STATE).expect("a slot"),
        exclusive::bind(&mut state).expect("a slot"),
        captured::bind(&STATE).expect("a slot"),
        raw::bind(&STATE).expect("a slot"),
        hook::bind(&STATE, ptr::null()).expect("a slot"),
    );
    // Freed: what reports a stale call.
    drop(direct::bind(&STATE).expect("a slot"));
    assert_eq!(walk(&PADS, frames.0.as_ptr(), 0..PADS.capacity()), 7);

    let shared_pool = Pool::shared();
    let (first, fixed) = (shared::bind(&STATE).expect("a slot"), shared_pool.capacity());
    drop(shared::bind(&STATE).expect("a slot"));
    assert!(walk(shared_pool, first.as_ptr(), 0..fixed) >= 2);
    // Stubs that were mapped when the pool grew: a block of 64 KiB.
    let mut more: Vec<_> = (0..fixed + 3).map(|_| shared::bind(&STATE).expect("the pool grows")).collect();
    let capacity = shared_pool.capacity();
    let last = more.pop().expect("many");
    drop(more.pop());
    assert_eq!((capacity - fixed) * STUB_SIZE, 64 << 10);
    assert!(walk(shared_pool, last.as_ptr(), fixed..capacity) >= 2);
}

/// Entries of closures, which are generic functions of the library.
#[test]
fn where_closures_lead() {
    pool!(static CLOSURES: 16);
    type Few = unsafe extern "sysv64" fn(u64) -> u64;
    type Many = unsafe extern "sysv64" fn(u64, u64, u64, u64, u64, u64, u64) -> u64;
    type Windows = unsafe extern "win64" fn(u64, u64, u64, u64, u64) -> u64;
    type Captured = unsafe extern "sysv64" fn(LongDouble) -> u64;
    let frames = (
        Frame::<Few>::builder().pool(&CLOSURES).new(|a| a).expect("a slot"),
        Frame::<Few>::builder().pool(&CLOSURES).guarded(|a| a).expect("a slot"),
        Frame::<Few>::builder().pool(&CLOSURES).local(|a| a).expect("a slot"),
        Frame::<Few>::builder().pool(&CLOSURES).once(|a| a).expect("a slot"),
        Frame::<Many>::builder().pool(&CLOSURES).new(|a, b, c, d, e, f, g| a + b + c + d + e + f + g).expect("a slot"),
        Frame::<Windows>::builder().pool(&CLOSURES).new(|a, b, c, d, e| a + b + c + d + e).expect("a slot"),
        Frame::<Captured>::builder().pool(&CLOSURES).new(|_| 1).expect("a slot"),
    );
    assert_eq!(walk(&CLOSURES, frames.0.as_ptr(), 0..CLOSURES.capacity()), 7);
}

/// A linked program.
struct Program {
    file: Vec<u8>,
    /// Name, address and size of each of its functions.
    functions: Vec<(String, usize, usize)>,
}

impl Program {
    fn read(path: &Path) -> Self {
        let listed = run(Command::new("nm").args(["--defined-only", "--print-size", "--format=posix"]).arg(path));
        let functions = listed.lines().filter_map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let [name, "t" | "T", address, size] = fields[..] else { return None };
            // Of what the start files of C define, the size is missing.
            let number = |text| usize::from_str_radix(text, 16).unwrap_or(0);
            Some((name.to_owned(), number(address), number(size)))
        });
        Self { functions: functions.collect(), file: fs::read(path).expect("a file") }
    }

    /// What is at `address` when the program runs, `N` bytes of it.
    fn at<const N: usize>(&self, address: usize) -> [u8; N] {
        // `Elf64_Ehdr` and `Elf64_Phdr`.
        let number = |at: usize, size: usize| {
            self.file[at..][..size].iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
        };
        let (headers, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
        let offset = (0..count).map(|i| headers + i * size).find_map(|header| {
            let (kind, offset, start, length) =
                (number(header, 4), number(header + 8, 8), number(header + 16, 8), number(header + 32, 8));
            let within = address.checked_sub(start).filter(|within| within + N <= length)?;
            (kind == libc::PT_LOAD as usize).then_some(offset + within)
        });
        self.file[offset.expect("it is loaded")..][..N].try_into().expect("that many")
    }

    /// Looks at all that indirect branches may go to, by the names that expansions give: how many there are of each.
    fn check(&self) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        for (symbol, address, size) in &self.functions {
            let Some(name) = target(symbol) else { continue };
            // A table begins at the first multiple of its stubs' size; everything else has one way in.
            let size_of_stub = match name {
                "__cbframe_stubs" | "distant_stubs" => Some(STUB_SIZE),
                "__cbframe_jump_stubs" => Some(2 * STUB_SIZE),
                _ => None,
            };
            let begins: Vec<usize> = match size_of_stub {
                Some(stub) => (address.next_multiple_of(stub)..address + size).step_by(stub).collect(),
                None => vec![*address],
            };
            assert!(!begins.is_empty(), "{symbol} is empty");
            for begin in &begins {
                assert_eq!(self.at(*begin), ENDBR64, "{symbol}, at {begin:#x}, begins with no `endbr64`");
            }
            *found.entry(name.to_owned()).or_default() += begins.len();
        }
        found
    }
}

/// The function that a mangled name stands for, if it is one in assembly: stubs, entries, and what is `FN`.
fn target(symbol: &str) -> Option<&str> {
    const EXPANDED: [&str; 4] = ["__cbframe_fn", "__cbframe_stub", "__cbframe_stubs", "__cbframe_jump_stubs"];
    const CRATE: [&str; 3] = ["find_vectors", "stale_entry", "distant_stubs"];
    // Both ways of mangling put the length before a name; the newer one an underscore between them.
    let named = |name: &str| {
        let length = name.len();
        symbol.contains(&format!("{length}{name}")) || symbol.contains(&format!("{length}_{name}"))
    };
    if let Some(name) = CRATE.into_iter().find(|name| named(name)) {
        return Some(name);
    }
    let at = symbol.rfind("__cbframe_")?;
    let before = symbol[..at].trim_end_matches('_');
    let length = &before[before.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
    let name = symbol.get(at..at + length.parse::<usize>().ok()?)?;
    // Those of closures have the names of others.
    let of_closures = symbol.contains("7closure5enter") || symbol.contains("closure..enter");
    let name = if of_closures { name.strip_prefix("__cbframe_")? } else { name };
    (EXPANDED.contains(&name) || name.ends_with("_entry")).then_some(name)
}

#[test]
fn every_stub_and_entry_of_this_program() {
    let found = Program::read(&std::env::current_exe().expect("the program has a path")).check();
    for name in [
        "__cbframe_captured_entry",
        "__cbframe_direct_entry",
        "__cbframe_behind_4_entry",
        "__cbframe_stack_entry",
        "__cbframe_plain_entry",
        "__cbframe_stub",
        "__cbframe_fn",
        "stale_entry",
        "direct_entry",
        "stack_entry",
        "behind_4_entry",
        "captured_entry",
        "distant_stubs",
    ] {
        assert!(found.contains_key(name), "there is no {name} among {found:?}");
    }
    assert!(found["__cbframe_stubs"] >= PADS.capacity(), "{found:?}");
    assert_eq!(found["__cbframe_jump_stubs"], Pool::hooks().capacity());
    assert_eq!(found["distant_stubs"], (64 << 10) / STUB_SIZE);
    println!("{found:?}");
}

#[test]
fn a_program_compiled_for_tracking() {
    let toolchains = Command::new("rustup").args(["toolchain", "list"]).output();
    let toolchains = toolchains
        .map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    let Some(nightly) = toolchains.split_whitespace().find(|name| name.starts_with("nightly-")) else {
        println!("skipped: -Zcf-protection needs a nightly compiler, and there is none: {toolchains}");
        return;
    };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("landing_pads");
    let mut cargo = Command::new("rustup");
    cargo.args(["run", nightly, "cargo", "build", "--quiet", "--locked", "--package", "program"]);
    cargo.args(["--target", "x86_64-unknown-linux-gnu", "--target-dir"]).arg(&target);
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("linkage"));
    // This test was started by another cargo, for another compiler.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_cargo(name)) {
        cargo.env_remove(name);
    }
    run(cargo.env("RUSTFLAGS", "-Zcf-protection=full"));
    let program: PathBuf = target.join("x86_64-unknown-linux-gnu/debug/program");
    assert_eq!(run(&mut Command::new(&program)), "linked\n");

    let program = Program::read(&program);
    let found = program.check();
    assert!(found["__cbframe_stubs"] >= 1024 && found["stale_entry"] == 1 && found["find_vectors"] == 1, "{found:?}");
    // The flag arrived: without it, rustc begins no function so. (With it, those that nothing can jump to do not, either.)
    let is_plain = |symbol: &str| symbol.contains("7program") && !symbol.contains("__cbframe_");
    let plain = program.functions.iter().filter(|(symbol, ..)| is_plain(symbol));
    assert!(
        plain.map(|(_, at, _)| program.at(*at)).any(|start| start == ENDBR64),
        "the program was compiled without -Zcf-protection"
    );
}

fn is_of_cargo(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == "RUSTC"
        || name == "CARGO"
        || name.starts_with("RUSTUP_")
        || name.starts_with("CARGO_ENCODED")
        || name == "RUSTFLAGS"
}
