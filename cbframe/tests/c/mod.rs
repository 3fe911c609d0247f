//! C functions and data that a test compiles.

#[allow(dead_code, unreachable_pub, unused_imports, reason = "others need the rest")]
#[path = "../../../tests/src/system/mod.rs"]
mod system;

use std::ffi::{CString, c_void};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A shared library that was compiled a moment ago and stays loaded.
pub(crate) struct Library(*mut c_void);

impl Library {
    /// Compiles `source` and loads it.
    pub(crate) fn compile(name: &str, source: &str) -> Self {
        let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let (file, library) = (own.with_extension("c"), own.with_extension(system::LIBRARY));
        fs::write(&file, source).expect("the folder can be written to");
        let mut compiler = Command::new(system::GCC);
        compiler
            .args(["-std=gnu11", "-shared", "-Wall", "-Wextra", "-Werror"])
            .args(system::FLAGS)
            .args(system::SHARED);
        let output = system::tool(compiler.arg(&file).arg("-o").arg(&library)).expect("a compiler");
        assert!(output.status.success(), "the compiler refuses {source}: {}", String::from_utf8_lossy(&output.stderr));
        fs::remove_file(&file).expect("it was made a moment ago");
        // SAFETY: a library without constructors of its own.
        Self(unsafe { system::load(&library) })
    }

    /// The address of `name`.
    pub(crate) fn symbol(&self, name: &str) -> *const c_void {
        let symbol = CString::new(name).expect("no NUL");
        // SAFETY: the library stays loaded.
        let address = unsafe { system::symbol(self.0, &symbol) };
        assert!(!address.is_null(), "there is no `{name}`");
        address
    }
}
