//! The compilers that are asked.

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, mem};

use crate::signatures::Source;
use crate::spy::Caller;
use crate::x86_64::Vectors;

/// One of the compilers that are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    Gcc,
    Clang,
    /// clang for macOS.
    ClangForMacos,
}

impl Compiler {
    fn command(self) -> String {
        let (variable, default) = match self {
            Self::Gcc => ("CBFRAME_GCC", "gcc"),
            Self::Clang | Self::ClangForMacos => ("CBFRAME_CLANG", "clang-19"),
        };
        env::var(variable).unwrap_or_else(|_| default.into())
    }

    /// This compiler, if it is there, as it has to be in a CI run.
    pub(crate) fn find(self) -> Option<Self> {
        let command = self.command();
        if Command::new(&command).arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Some(self);
        }
        assert!(env::var_os("CI").is_none(), "no `{command}`: {self:?} has to be asked");
        eprintln!("no `{command}` (CBFRAME_GCC and CBFRAME_CLANG name others): {self:?} is not asked");
        None
    }

    /// Compiles and loads the callers of `source`.
    pub(crate) fn callers(self, vectors: Vectors, source: &Source<'_>) -> Library {
        let object = match self {
            Self::Gcc | Self::Clang => self.compile(vectors, &source.callers(), "so", &["-shared", "-fPIC"]),
            // LLVM IR has what clang has decided; nothing else of that target is in it, so that it is compiled for this one.
            Self::ClangForMacos => {
                let flags = ["--target=x86_64-apple-macosx", "-ffreestanding", "-S", "-emit-llvm", "-fPIC"];
                let ir = self.compile(vectors, &source.callers(), "ll", &flags);
                let text = fs::read_to_string(&ir).expect("the compiler wrote it");
                fs::remove_file(ir).expect("it is there");
                let of_target = |line: &&str| !line.starts_with("target ");
                let text = text.lines().filter(of_target).collect::<Vec<_>>().join("\n");
                Self::Clang.compile(vectors, &text, "so", &["-shared", "-fPIC", "-x", "ir"])
            }
        };
        let library = Library::load(&object);
        fs::remove_file(object).expect("the compiler wrote it");
        library
    }

    /// clang's LLVM IR for the callees of `source`.
    pub(crate) fn llvm_ir(vectors: Vectors, source: &Source<'_>) -> String {
        let flags = ["-S", "-emit-llvm", "-fno-discard-value-names"];
        let file = Self::Clang.compile(vectors, &source.callees(), "ll", &flags);
        let text = fs::read_to_string(&file).expect("the compiler wrote it");
        fs::remove_file(file).expect("it is there");
        text
    }

    fn compile(self, vectors: Vectors, c: &str, extension: &str, flags: &[&str]) -> PathBuf {
        // No two files of a name: `dlopen` would find the first.
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let stem = format!("oracle-{}-{}", id(), FILES.fetch_add(1, Ordering::Relaxed));
        let path = |extension| Path::new(env!("CARGO_TARGET_TMPDIR")).join(&stem).with_extension(extension);
        let (source, output) = (path("c"), path(extension));
        fs::write(&source, c).expect("the source can be written");
        let width: &[&str] = match vectors {
            Vectors::Xmm => &[],
            Vectors::Ymm => &["-mavx"],
            Vectors::Zmm => &["-mavx512f"],
        };
        let command = self.command();
        let status = Command::new(&command)
            .args(["-O0", "-w", "-Wno-psabi"])
            .args(width)
            .args(flags)
            .arg("-o")
            .args([&output, &source])
            .status()
            .unwrap_or_else(|error| panic!("`{command}` cannot be started: {error}"));
        assert!(status.success(), "`{command}` refuses {}", source.display());
        fs::remove_file(source).expect("it was written above");
        output
    }
}

/// A shared object that stays loaded.
pub(crate) struct Library(*mut libc::c_void);

impl Library {
    fn load(path: &Path) -> Self {
        let path = CString::new(path.to_str().expect("a path in UTF-8")).expect("a path without NUL");
        // SAFETY: a C string; the object has no constructors.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        if library.is_null() {
            // SAFETY: there is a C string after a failure.
            let message = unsafe { CStr::from_ptr(libc::dlerror()) };
            panic!("dlopen: {message:?}");
        }
        Self(library)
    }

    /// `call_{index}`.
    pub(crate) fn caller(&self, index: usize) -> Caller {
        let symbol = CString::new(format!("call_{index}")).expect("no NUL");
        // SAFETY: an open library and a C string.
        let address = unsafe { libc::dlsym(self.0, symbol.as_ptr()) };
        assert!(!address.is_null(), "{symbol:?} is missing");
        // SAFETY: `Source::callers` has the symbol with this signature.
        unsafe { mem::transmute::<*mut libc::c_void, Caller>(address) }
    }
}
