//! Processes that a test starts: itself once more, to see it die, and C compilers.

use std::ffi::{CString, OsString, c_void};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::system;

/// The environment variable that tells a child what to do.
const VARIABLE: &str = "CBFRAME_TESTS_CASE";

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Whether it has ended itself by `abort`.
    pub aborted: bool,
    /// Its exit status, if no signal killed it.
    pub code: Option<i32>,
    /// What it printed, between the lines of the test harness.
    pub stdout: String,
    /// What it reported.
    pub stderr: String,
}

impl Ended {
    /// The rest of the line that the child printed after `key=`.
    #[must_use]
    pub fn value(&self, key: &str) -> &str {
        // The harness may have begun the line.
        let found = self.stdout.lines().find_map(|line| line.split_once(key)?.1.strip_prefix('='));
        found.unwrap_or_else(|| panic!("the child printed no `{key}=`: {self:#?}"))
    }

    /// Fails unless the child has ended itself by `abort` after it had reported each of `texts`.
    #[track_caller]
    pub fn assert_aborted(&self, case: &str, texts: &[&str]) {
        assert!(self.aborted, "`{case}` should have aborted: {self:#?}");
        for text in texts {
            assert!(self.stderr.contains(text), "`{case}` should have reported `{text}`: {self:#?}");
        }
    }
}

/// What this process is to do; `None` unless [`run`] started it.
#[must_use]
pub fn case() -> Option<String> {
    let case = std::env::var(VARIABLE).ok()?;
    system::leave_no_dump();
    Some(case)
}

/// The command that runs the test `test` of this binary, and no other, with [`case`] being `case`.
///
/// # Panics
///
/// If the program does not know where it lies.
#[must_use]
pub fn command(test: &str, case: &str) -> Command {
    let program = std::env::current_exe().expect("the program has a path");
    // What cargo runs programs with that are not the machine's own.
    let runner = std::env::var(system::RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace().map(OsString::from).chain([program.into()]);
    let mut command = Command::new(words.next().expect("the program, if nothing else"));
    command.args(words);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(VARIABLE, case).env("RUST_BACKTRACE", "0");
    command
}

/// Runs [`command`] to its end.
///
/// # Panics
///
/// If the process cannot be started.
#[must_use]
pub fn run(test: &str, case: &str) -> Ended {
    let output = command(test, case).output().expect("the test binary runs");
    Ended {
        aborted: system::is_aborted(output.status),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A shared library that was compiled a moment ago and stays loaded.
pub struct Library(*mut c_void);

impl Library {
    /// Compiles `source`, which is C or C++ by the extension of `name`, with `options`, and loads it; `dir` is a
    /// folder for what is needed meanwhile.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn compile(dir: &str, name: &str, source: &str, options: &[&str]) -> Self {
        Self::compile_by(if name.ends_with(".cc") { system::GXX } else { system::GCC }, dir, name, source, options)
    }

    /// The same by a certain compiler.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn compile_by(compiler: &str, dir: &str, name: &str, source: &str, options: &[&str]) -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        // The folder is shared by the profiles, whose tests may run at the same time.
        let own = |name: &str| Path::new(dir).join(format!("{}-{serial}-{name}", std::process::id()));
        let (source_file, library) = (own(name), own(name).with_extension(system::LIBRARY));
        fs::write(&source_file, source).expect("the folder can be written to");
        let mut command = Command::new(compiler);
        command
            .args(["-shared", "-Wall", "-Wextra", "-Werror"])
            .args(system::SHARED)
            .args(system::FLAGS)
            .arg(&source_file);
        command.arg("-o").arg(&library).args(options);
        let output = system::tool(&mut command).unwrap_or_else(|error| panic!("{compiler}: {error}"));
        assert!(output.status.success(), "{compiler} refuses {name}: {}", String::from_utf8_lossy(&output.stderr));
        fs::remove_file(&source_file).expect("it was made a moment ago");
        // SAFETY: a library without constructors of its own.
        let loaded = unsafe { Self::load(&library) };
        // It stays mapped; Windows removes no file that is.
        if cfg!(unix) {
            fs::remove_file(&library).expect("it was made a moment ago");
        }
        loaded
    }

    /// Loads a library that was compiled before.
    ///
    /// # Safety
    ///
    /// Its constructors may run.
    ///
    /// # Panics
    ///
    /// If it cannot be loaded.
    #[must_use]
    pub unsafe fn load(path: &Path) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { system::load(path) })
    }

    /// The function `name` as a function pointer of type `F`, or the address of the variable `name`.
    ///
    /// # Safety
    ///
    /// `F` is a function pointer type, and that of the function, or a pointer to a variable of that type.
    ///
    /// # Panics
    ///
    /// If there is none of this name.
    #[must_use]
    pub unsafe fn function<F: Copy>(&self, name: &str) -> F {
        assert_eq!(size_of::<F>(), size_of::<usize>());
        let symbol = CString::new(name).expect("no NUL");
        // SAFETY: the library stays loaded; the name ends in a NUL.
        let address = unsafe { system::symbol(self.0, &symbol) };
        assert!(!address.is_null(), "there is no {name}");
        // SAFETY: the caller's promise; the size is right.
        unsafe { std::mem::transmute_copy(&address) }
    }
}

/// Runs a command to its end, which must be a good one; gives what it printed.
///
/// # Panics
///
/// If it cannot be started, or fails.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{error}", output.status);
    out.into_owned()
}
