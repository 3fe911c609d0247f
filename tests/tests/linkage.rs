//! The library linked in every way there is: `tests/linkage/` holds the programs.
//!
//! What goes wrong here goes wrong in the linker, at load time or in one build profile only: statics that are
//! exported, relocations in `.text`, naked functions that are dropped, doubled or assembled out of order.

// The linkers are the host's; `.ci/windows` and `.ci/macos` look at objects, and `.ci/uefi` runs a program.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::ffi::OsString;
#[cfg(target_arch = "aarch64")]
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use cbframe_tests::child::output as run;
use cbframe_tests::system;

/// Given to cargo, so that flags for the programs leave the macros alone, which need not be built again.
const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// The command that runs a program of the target.
fn program(path: &Path) -> Command {
    let runner = std::env::var(system::RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace().map(OsString::from).chain([path.into()]);
    let mut command = Command::new(words.next().expect("the program, if nothing else"));
    command.args(words);
    command
}

/// How a program is built.
#[derive(Clone, Copy)]
struct Build<'a> {
    package: &'a str,
    profile: &'a str,
    flags: &'a [&'a str],
    features: &'a str,
}

impl<'a> Build<'a> {
    const fn new(package: &'a str, profile: &'a str) -> Self {
        Self { package, profile, flags: &[], features: "" }
    }

    /// Builds, and gives copies of `files`.
    #[track_caller]
    fn files<const N: usize>(self, files: [&str; N]) -> [PathBuf; N] {
        // Cargo would wait for another by itself; the copies have to be made before that one builds.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let Self { package, profile, flags, features } = self;
        // One directory, so that the macros are built once.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("linkage");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(sources());
        cargo.args(["build", "--quiet", "--locked", "--target", TARGET, "--package", package, "--profile", profile]);
        cargo.args(["--features", features]).arg("--target-dir").arg(&target);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        if flags.iter().any(|flag| flag.starts_with("-Z")) {
            cargo.env("RUSTC_BOOTSTRAP", "1");
        }
        run(&mut cargo);

        let built = target.join(TARGET).join(if profile == "dev" { "debug" } else { profile });
        let kept = target.join("kept").join(format!("{package} {profile} {features} {}", flags.join(" ")));
        std::fs::create_dir_all(&kept).unwrap();
        files.map(|file| {
            // By another process: a child that a second test starts at this moment would inherit our open file,
            // and a program that anybody holds open for writing does not run (`ETXTBSY`).
            run(Command::new("cp").arg(built.join(file)).arg(kept.join(file)));
            kept.join(file)
        })
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("linkage")
}

/// Builds and runs the package `program`.
#[track_caller]
fn run_program(build: Build<'_>) {
    let [program] = build.files(["program"]);
    assert_eq!(run(&mut self::program(&program)), "linked\n");
}

/// Compiles and links the C program `source`; gives its path, which is beside `library`.
#[track_caller]
fn compile(source: &str, library: &Path, arguments: &[&str]) -> PathBuf {
    let program = library.with_extension("main");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| system::GCC.into());
    let source = sources().join(source);
    run(Command::new(compiler).args(["-Wall", "-Werror", "-o"]).arg(&program).arg(source).args(arguments));
    program
}

/// The symbols that a shared library gives to others.
#[track_caller]
fn exported(library: &Path) -> BTreeSet<String> {
    let symbols = run(Command::new("nm").args(["--dynamic", "--defined-only", "--format=posix"]).arg(library));
    symbols.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn every_optimization_level() {
    for profile in ["dev", "one", "two", "release", "small", "abort"] {
        run_program(Build::new("program", profile));
    }
}

#[test]
fn link_time_optimization() {
    for profile in ["thin", "fat"] {
        run_program(Build::new("program", profile));
    }
}

#[test]
fn kinds_of_executables() {
    for flags in [
        // Position-independent (the default) without relocations in `.text`; at a fixed address; with libc inside.
        &["-Clink-arg=-Wl,-z,text"][..],
        &["-Crelocation-model=static"],
        &["-Ctarget-feature=+crt-static"],
        &["-Ctarget-feature=+crt-static", "-Crelocation-model=static"],
        // Every naked function is assembled, and nothing is dropped.
        &["-Clink-dead-code"],
    ] {
        run_program(Build { flags, ..Build::new("program", "dev") });
        run_program(Build { flags, ..Build::new("program", "release") });
    }
}

#[test]
fn two_copies_of_the_library() {
    for profile in ["dev", "fat"] {
        run_program(Build { features: "second", ..Build::new("program", profile) });
    }
}

#[test]
fn c_library() {
    for profile in ["dev", "release", "thin", "fat"] {
        let flags = &["-Clink-arg=-Wl,-z,text"];
        let build = Build { flags, ..Build::new("c-library", profile) };
        let [archive, shared] = build.files(["libc_library.a", "libc_library.so"]);

        // What a Rust `staticlib` needs of the system.
        let archive = archive.to_str().unwrap();
        let libraries = [archive, "-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];
        for position in ["-pie", "-no-pie"] {
            let program = compile("c-library/main.c", Path::new(archive), &[&libraries[..], &[position]].concat());
            run(&mut self::program(&program));
        }

        let program = compile("c-library/dlopen.c", &shared, &["-ldl"]);
        run(self::program(&program).arg(&shared));
        let expected = ["linkage_add", "linkage_rdi", "linkage_bind", "linkage_run"];
        assert_eq!(exported(&shared), BTreeSet::from(expected.map(str::to_owned)), "{profile}");
    }
}

#[test]
fn without_std_and_allocator() {
    for profile in ["small", "abort"] {
        let [archive] = Build::new("bare", profile).files(["libbare.a"]);
        let program = compile("bare/main.c", &archive, &[archive.to_str().unwrap()]);
        run(&mut self::program(&program));
    }
}

/// Each landing pad of branch target identification, where the CPU enforces it: in a program all of whose functions have one,
/// for which rustc has a flag of nightly compilers, and in which a stub or an entry has lost it.
#[cfg(target_arch = "aarch64")]
#[test]
fn branch_targets() {
    const PAD: [u8; 4] = [0x5f, 0x24, 0x03, 0xd5];
    const NOP: [u8; 4] = [0x1f, 0x20, 0x03, 0xd5];
    let flags = &["-Zbranch-protection=bti"];
    let [archive] = Build { flags, ..Build::new("bare", "abort") }.files(["libbare.a"]);
    let options = "-O1 -fno-builtin -nostdlib -nostartfiles -static -mbranch-protection=bti -Wl,-z,force-bti -Wl,-no-warnings -lgcc";
    let options: Vec<_> = [archive.to_str().unwrap()].into_iter().chain(options.split(' ')).collect();
    let linked = compile("bare/start.c", &archive, &options);
    let property = run(Command::new("aarch64-linux-gnu-readelf").arg("-n").arg(&linked));
    assert!(property.contains("BTI"), "{property}");
    let enforcing = |path: &Path| program(path).env("QEMU_CPU", "max").output().expect("it runs").status;
    assert!(enforcing(&linked).success());

    // At a fixed address, in one segment that begins with the file: see `readelf -l`.
    let (symbols, code) = (run(Command::new("aarch64-linux-gnu-nm").arg(&linked)), std::fs::read(&linked).unwrap());
    let base = 0x40_0000;
    let mut broken = 0;
    for (address, name) in symbols.lines().filter_map(|line| line.split_once(' ')) {
        // Those of stateless callbacks are called directly.
        let entries = ["__cbframe_direct_entry", "__cbframe_captured_entry", "__cbframe_stubs"];
        if !entries.iter().any(|entry| name.contains(entry)) {
            continue;
        }
        let at = usize::from_str_radix(address, 16).expect("a number") - base;
        let mut without = code.clone();
        // The first stubs of a table.
        let length = if name.contains("stubs") { 1024 } else { 4 };
        for word in without[at..at + length].chunks_exact_mut(4) {
            if *word == PAD {
                word.copy_from_slice(&NOP);
            }
        }
        let copy = linked.with_extension("broken");
        std::fs::write(&copy, without).unwrap();
        run(Command::new("chmod").arg("+x").arg(&copy));
        broken += u32::from(enforcing(&copy).signal() == Some(libc::SIGILL));
    }
    assert!(broken >= 6, "without its landing pad an entry or a stub is not reached: {broken}");
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "where the standard library is a shared one too")]
fn rust_dylib() {
    let sysroot =
        run(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).args(["--print", "sysroot"]));
    let std = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib");
    for profile in ["dev", "release"] {
        let flags = &["-Cprefer-dynamic", "-Clink-arg=-Wl,-z,text"];
        let build = Build { flags, ..Build::new("plugin-user", profile) };
        let [program, plugin] = build.files(["plugin-user", "libplugin.so"]);
        let path = std::env::join_paths([plugin.parent().unwrap(), &std]).unwrap();
        assert_eq!(run(self::program(&program).env("LD_LIBRARY_PATH", path)), "linked\n");
    }
}
