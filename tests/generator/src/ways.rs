//! The ways in which C is compiled.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::signatures::Signature;
use crate::types::Cpu;

/// How C is compiled.
#[derive(Clone, Copy, Debug)]
pub struct C {
    /// By clang, and not by gcc.
    pub clang: bool,
    /// The level of optimization, as an option.
    pub level: &'static str,
    /// What the compiler may use.
    pub cpu: Cpu,
}

impl C {
    /// Every way that is of use for these signatures.
    #[must_use]
    pub fn ways(signatures: &[Signature]) -> Vec<Self> {
        let needed = |cpu: &Cpu| signatures.iter().any(|signature| signature.cpu() == *cpu);
        let with = |cpu| {
            [(false, "-O0"), (false, "-O2"), (true, "-O0"), (true, "-O2")].map(|(clang, level)| Self {
                clang,
                level,
                cpu,
            })
        };
        Cpu::ALL.into_iter().filter(needed).flat_map(with).collect()
    }

    /// The name of the compiler.
    #[must_use]
    pub const fn compiler(&self) -> &'static str {
        if self.clang { "clang" } else { "gcc" }
    }

    /// The name of the table of callers.
    #[must_use]
    pub fn table(&self) -> String {
        let level = self.level.trim_start_matches("-O");
        format!("cbt_{}_{level}_{}", self.compiler(), self.cpu.feature().unwrap_or("any"))
    }
}

/// What tells the compilers the target that this is compiled for. (rustc has SSE2 on 32-bit x86. The x87 unit would change signaling
/// NaNs.)
pub const FOR_HOST: &[&str] = if cfg!(target_arch = "x86") { &["-m32", "-msse2", "-mfpmath=sse"] } else { &[] };

/// The clang to use: `CBFRAME_CLANG`, as for the other tests.
#[must_use]
pub fn clang() -> String {
    env::var("CBFRAME_CLANG").unwrap_or_else(|_| "clang-19".into())
}

/// Runs a compiler.
///
/// # Errors
///
/// What it says if it fails.
pub fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let program = Path::new(command.get_program()).display().to_string();
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} fails ({})\n{text}", output.status))
}
