//! The library linked in every way there is: `tests/linkage/` holds the programs.
//!
//! What goes wrong here goes wrong in the linker, at load time or in one build profile only: statics that are
//! exported, relocations in `.text`, naked functions that are dropped, doubled or assembled out of order.

// The linkers are the host's; `.ci/windows` and `.ci/macos` look at objects, and `.ci/uefi` runs a program.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use cbframe_tests::child::output as run;

/// Given to cargo, so that flags for the programs leave the macros alone, which need not be built again.
const TARGET: &str = "x86_64-unknown-linux-gnu";

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
    assert_eq!(run(&mut Command::new(program)), "linked\n");
}

/// Compiles and links the C program `source`; gives its path, which is beside `library`.
#[track_caller]
fn compile(source: &str, library: &Path, arguments: &[&str]) -> PathBuf {
    let program = library.with_extension("main");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
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
            run(&mut Command::new(program));
        }

        let program = compile("c-library/dlopen.c", &shared, &["-ldl"]);
        run(Command::new(program).arg(&shared));
        let expected = ["linkage_add", "linkage_rdi", "linkage_bind", "linkage_run"];
        assert_eq!(exported(&shared), BTreeSet::from(expected.map(str::to_owned)), "{profile}");
    }
}

#[test]
fn without_std_and_allocator() {
    for profile in ["small", "abort"] {
        let [archive] = Build::new("bare", profile).files(["libbare.a"]);
        let program = compile("bare/main.c", &archive, &[archive.to_str().unwrap()]);
        run(&mut Command::new(program));
    }
}

#[test]
fn rust_dylib() {
    let sysroot =
        run(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).args(["--print", "sysroot"]));
    let std = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib");
    for profile in ["dev", "release"] {
        let flags = &["-Cprefer-dynamic", "-Clink-arg=-Wl,-z,text"];
        let build = Build { flags, ..Build::new("plugin-user", profile) };
        let [program, plugin] = build.files(["plugin-user", "libplugin.so"]);
        let path = std::env::join_paths([plugin.parent().unwrap(), &std]).unwrap();
        assert_eq!(run(Command::new(program).env("LD_LIBRARY_PATH", path)), "linked\n");
    }
}
