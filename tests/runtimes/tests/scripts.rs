//! Runs the scripts of `lua/` and `python/`, each in a process of its own, which is to end well and to report nothing but what is told
//! here. The assertions are theirs.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// What runs scripts.
#[derive(Clone, Copy)]
struct Runtime {
    program: &'static str,
    /// A script is run once with each of these.
    options: &'static [&'static [&'static str]],
    /// The folder of the scripts, and the ending of their names.
    folder: &'static str,
    ending: &'static str,
}

/// With its compiler, and without.
const LUAJIT: Runtime = Runtime { program: "luajit", options: &[&[], &["-joff"]], folder: "lua", ending: "lua" };
const PYTHON: Runtime = Runtime { program: "python3", options: &[&[]], folder: "python", ending: "py" };

/// How a script ended.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    /// All of it.
    told: String,
}

/// The library, which cargo builds beside this program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("the program has a path");
    let library = program.with_file_name("libcbframe_runtimes.so");
    assert!(library.exists(), "{} was not built", library.display());
    library
}

impl Runtime {
    fn scripts(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder)
    }

    /// Runs a script with each of the options.
    fn run(self, script: &str, argument: Option<&str>) -> impl Iterator<Item = Ended> {
        let Self { program, options, ending, .. } = self;
        options.iter().map(move |options| {
            let mut command = Command::new(program);
            command
                .args(*options)
                .arg(format!("{script}.{ending}"))
                .arg(library())
                .args(argument)
                .current_dir(self.scripts());
            command.env("RUST_BACKTRACE", "0").env("PYTHONDONTWRITEBYTECODE", "1");
            let output = command
                .output()
                .unwrap_or_else(|error| panic!("{program}: {error}. These tests need luajit and python3"));
            let (status, stdout) = (output.status, String::from_utf8_lossy(&output.stdout).into_owned());
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let told = format!("{command:?}: {status}\n{stdout}{stderr}");
            Ended { status, stdout, stderr, told }
        })
    }

    /// Runs a script, which reports `report` so many times, and nothing if that is empty.
    #[track_caller]
    fn passes(self, script: &str, (report, times): (&str, usize)) {
        for Ended { status, stderr, told, .. } in self.run(script, None) {
            assert!(status.success(), "{told}");
            match report {
                "" => assert!(stderr.is_empty(), "{told}"),
                _ => assert_eq!(stderr.matches(report).count(), times, "{told}"),
            }
        }
    }

    /// Fails unless these are all scripts that there are.
    #[track_caller]
    fn has_no_others(self, scripts: &[&[&str]]) {
        let all: BTreeSet<String> =
            scripts.iter().copied().flatten().map(|name| format!("{name}.{}", self.ending)).collect();
        let entries = std::fs::read_dir(self.scripts()).expect("scripts");
        let found = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        assert_eq!(found.collect::<BTreeSet<_>>(), all);
    }
}

/// A test for each script, and a list of them.
macro_rules! scripts {
    ($module:ident $runtime:ident: $($name:ident $(($report:literal $times:literal))?)*) => {
        mod $module {
            use super::$runtime as RUNTIME;

            pub(super) const ALL: &[&str] = &[$(stringify!($name)),*];

            $(
                #[test]
                fn $name() {
                    RUNTIME.passes(stringify!($name), [$(($report, $times),)? ("", 0)][0]);
                }
            )*
        }
    };
}

scripts! { luajit LUAJIT:
    values structs variadic errnos nesting unwinding unload
    panics ("the bridge breaks under" 4)
    threads ("It returned its fallback value." 8)
}

scripts! { python PYTHON:
    values variadic errnos nesting threads unload
    panics ("the bridge breaks under" 4)
}

#[test]
fn no_script_is_forgotten() {
    LUAJIT.has_no_others(&[luajit::ALL, &["bridge", "dies"]]);
    PYTHON.has_no_others(&[python::ALL, &["bridge"]]);
}

#[test]
fn an_error_through_a_frame_that_does_not_unwind() {
    const UNWINDING: &str = "use a pointer type with -unwind, or `unwind` for a `Signature`\n";
    for (kind, what) in [
        ("forward", "and its caller is C, which cannot be unwound"),
        ("forward_here", "which `or` does not catch, and its caller is C"),
    ] {
        for Ended { status, stdout, stderr, told } in LUAJIT.run("dies", Some(kind)) {
            assert_eq!(status.signal(), Some(6), "{told}");
            assert_eq!(stdout, "before\n");
            let report = format!("was left by an exception of another language, {what}: {UNWINDING}");
            assert!(
                stderr.starts_with("cbframe: `cbframe_runtimes::answers::forwarding") && stderr.ends_with(&report),
                "{told}"
            );
        }
    }
}
