//! C functions and data that a test compiles.

use std::ffi::{CString, c_void};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A shared library that was compiled a moment ago and stays loaded.
pub(crate) struct Library(*mut c_void);

impl Library {
    /// Compiles `source` and loads it.
    pub(crate) fn compile(name: &str, source: &str) -> Self {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.so", std::process::id()));
        let mut compiler = Command::new("gcc")
            .args(["-std=gnu11", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-x", "c", "-", "-o"])
            .arg(&library)
            .stdin(Stdio::piped())
            .spawn()
            .expect("gcc");
        compiler.stdin.take().expect("piped").write_all(source.as_bytes()).expect("the compiler reads");
        assert!(compiler.wait().expect("it was started").success(), "the compiler refuses {source}");
        let path = CString::new(library.to_str().expect("UTF-8")).expect("no NUL");
        // SAFETY: a library without constructors of its own.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null(), "{} cannot be loaded", library.display());
        std::fs::remove_file(&library).expect("it was made a moment ago");
        Self(handle)
    }

    /// The address of `name`.
    pub(crate) fn symbol(&self, name: &str) -> *const c_void {
        let symbol = CString::new(name).expect("no NUL");
        // SAFETY: the library stays loaded; the name ends in a NUL.
        let address = unsafe { libc::dlsym(self.0, symbol.as_ptr()) };
        assert!(!address.is_null(), "there is no `{name}`");
        address
    }
}
