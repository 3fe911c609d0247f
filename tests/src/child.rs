//! Processes that a test starts: itself once more, to see it die, and C compilers.

use std::ffi::{CString, c_void};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The environment variable that tells a child what to do.
const VARIABLE: &str = "CBFRAME_TESTS_CASE";

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// The signal that killed it.
    pub signal: Option<i32>,
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

    /// Fails unless the child was killed by `SIGABRT` after it had reported each of `texts`.
    #[track_caller]
    pub fn assert_aborted(&self, case: &str, texts: &[&str]) {
        assert_eq!(self.signal, Some(libc::SIGABRT), "`{case}` should have aborted: {self:#?}");
        for text in texts {
            assert!(self.stderr.contains(text), "`{case}` should have reported `{text}`: {self:#?}");
        }
    }
}

/// What this process is to do; `None` unless [`run`] started it.
#[must_use]
pub fn case() -> Option<String> {
    let case = std::env::var(VARIABLE).ok()?;
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `none` is a limit; no core files are to be left behind.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    Some(case)
}

/// The command that runs the test `test` of this binary, and no other, with [`case`] being `case`.
///
/// # Panics
///
/// If the program does not know where it lies.
#[must_use]
pub fn command(test: &str, case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the program has a path"));
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
        signal: output.status.signal(),
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
        Self::compile_by(if name.ends_with(".cc") { "g++" } else { "gcc" }, dir, name, source, options)
    }

    /// The same by a certain compiler.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn compile_by(compiler: &str, dir: &str, name: &str, source: &str, options: &[&str]) -> Self {
        let language = if name.ends_with(".cc") { "c++" } else { "c" };
        // The folder is shared by the profiles, whose tests may run at the same time.
        let library = Path::new(dir).join(format!("{name}-{}.so", std::process::id()));
        let mut child = Command::new(compiler)
            .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-x", language, "-", "-o"])
            .arg(&library)
            .args(options)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{compiler}: {error}"));
        child.stdin.take().expect("piped").write_all(source.as_bytes()).expect("the compiler reads");
        assert!(child.wait().expect("it was started").success(), "{compiler} refuses {name}");
        // SAFETY: a library without constructors of its own.
        let loaded = unsafe { Self::load(&library) };
        std::fs::remove_file(&library).expect("it was made a moment ago");
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
        let name = CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
        // SAFETY: the caller's promise.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null(), "{} cannot be loaded", path.display());
        Self(handle)
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
        let address = unsafe { libc::dlsym(self.0, symbol.as_ptr()) };
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
