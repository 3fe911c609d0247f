//! Compiles signatures on both sides, and runs them in child processes.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cbframe_signatures::rust::Style;
use cbframe_signatures::signatures::Signature;
use cbframe_signatures::table::Table;
use cbframe_signatures::types::Cpu;
use cbframe_signatures::verdict::{Verdict, listen};
use cbframe_signatures::ways::{C, clang, succeed};
use cbframe_signatures::{c, rust};

use crate::options::Options;

/// How Rust is compiled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    pub(crate) const ALL: [Self; 2] = [Self::Debug, Self::Release];

    /// Its folder below that of the target.
    const fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Everything that the batches have in common.
pub(crate) struct Workshop {
    /// The package `cbframe-tests`.
    tests: PathBuf,
    /// Where the libraries are.
    dir: PathBuf,
    /// Where the batches are compiled, by nobody else.
    work: PathBuf,
    rustflags: Vec<String>,
    target: Option<Target>,
    cpu: Cpu,
    spoil: Option<fn(&Signature) -> String>,
}

/// A target that is not the host.
struct Target {
    name: String,
    /// Its gcc, which links.
    gcc: String,
    /// What runs its programs: a program and arguments.
    runner: Vec<String>,
}

impl Target {
    fn new(name: &str) -> Result<Self, String> {
        let variable = |what: &str| {
            let variable = format!("CARGO_TARGET_{}_{what}", name.to_uppercase().replace('-', "_"));
            env::var(&variable).map_err(|_| format!("{variable} is not set"))
        };
        // x86-64 runs the programs of 32-bit x86.
        let runner = if name.starts_with("i686") { String::new() } else { variable("RUNNER")? };
        let runner = runner.split_whitespace().map(Into::into).collect();
        Ok(Self { name: name.into(), gcc: variable("LINKER")?, runner })
    }

    /// What tells compilers the target that have several. (rustc has SSE2 on 32-bit x86. The x87 unit would change signaling NaNs.)
    fn flags(&self) -> &'static [&'static str] {
        if self.name.starts_with("i686") { &["-m32", "-msse2", "-mfpmath=sse"] } else { &[] }
    }

    /// The command that runs a program of this target, or of the host.
    fn run(this: Option<&Self>, program: &Path) -> Command {
        let mut words = this.iter().flat_map(|target| &target.runner);
        let Some(first) = words.next() else { return Command::new(program) };
        let mut command = Command::new(first);
        command.args(words).arg(program);
        command
    }
}

impl Workshop {
    /// Builds the libraries that the generated programs use.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let program = env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
        let built = program.ancestors().nth(2).ok_or("this program is not where cargo puts programs")?;
        let rustflags: Vec<String> = options.rustflags.split_whitespace().map(Into::into).collect();
        let target = options.target.as_deref().map(Target::new).transpose()?;
        let folder: String = options.rustflags.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '+').collect();
        let dir = built.join("signatures").join(if folder.is_empty() { "plain" } else { &folder });
        fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in a folder").to_owned();
        for profile in Profile::ALL {
            let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--quiet", "--lib", "--package", "cbframe", "--package", "cbframe-tests"]);
            cargo.arg("--manifest-path").arg(tests.join("Cargo.toml")).arg("--target-dir").arg(&dir);
            cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\u{1f}")).env("CARGO_INCREMENTAL", "0");
            cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
            if profile == Profile::Release {
                cargo.arg("--release");
            }
            if let Some(Target { name, .. }) = &target {
                cargo.args(["--target", name]);
            }
            let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
            if !status.success() {
                return Err("the libraries do not compile".into());
            }
        }
        let (cpu, work) = (vectors(&rustflags)?, dir.join(format!("work-{}", std::process::id())));
        Ok(Self { tests, dir, work, rustflags, target, cpu, spoil: options.spoil })
    }

    /// Judges each signature, for each profile; the files are those of the worker `worker`. `alone` says whether each
    /// has a process of its own.
    pub(crate) fn judge(
        &self,
        worker: usize,
        table: &Table,
        signatures: &[Signature],
        profiles: &[Profile],
        alone: bool,
    ) -> Vec<Vec<Verdict>> {
        let programs = self.compile_callers(worker, table, signatures).and_then(|objects| {
            profiles
                .iter()
                .map(|profile| self.compile(worker, signatures, *profile, &objects))
                .collect::<Result<Vec<_>, _>>()
        });
        match programs {
            Ok(programs) => {
                let target = self.target.as_ref();
                programs.iter().map(|program| run_all(target, program, signatures.len(), alone)).collect()
            }
            Err(message) if signatures.len() == 1 => {
                let verdict = Verdict::Failed(message.lines().take(60).map(Into::into).collect());
                vec![vec![verdict]; profiles.len()]
            }
            // Half of them at a time, down to the one that is at fault.
            Err(_) => {
                let (first, second) = signatures.split_at(signatures.len() / 2);
                let first = self.judge(worker, table, first, profiles, alone);
                let second = self.judge(worker, table, second, profiles, alone);
                first.into_iter().zip(second).map(|(first, second)| [first, second].concat()).collect()
            }
        }
    }

    /// How cbframe has placed the signature; empty if it does not know every type.
    pub(crate) fn layout(&self, table: &Table, signature: &Signature, profile: Profile) -> String {
        let signature = std::slice::from_ref(signature);
        let objects = self.compile_callers(0, table, signature);
        let program = objects.and_then(|objects| self.compile(0, signature, profile, &objects));
        let target = self.target.as_ref();
        let output = program.map(|program| Target::run(target, &program).args(["0", "1", "layout"]).output());
        match output {
            Ok(Ok(output)) => String::from_utf8_lossy(&output.stdout).into_owned(),
            _ => String::new(),
        }
    }

    fn write(&self, worker: usize, name: &str, text: &str) -> PathBuf {
        let dir = self.work.join(worker.to_string());
        let path = dir.join(name);
        let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, text));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// The C side, by each compiler.
    fn compile_callers(&self, worker: usize, table: &Table, signatures: &[Signature]) -> Result<Vec<PathBuf>, String> {
        let compile = |c: C| {
            let object = format!("{}.o", c.table());
            let callers = self.write(worker, "callers.c", &c::write(table, signatures.iter(), c.cpu, None));
            let object = callers.with_file_name(object);
            let mut command = match &self.target {
                None => Command::new(if c.clang { clang() } else { "gcc".into() }),
                Some(target) if !c.clang => Command::new(&target.gcc),
                Some(target) => {
                    let mut command = Command::new(clang());
                    // Rust names the extensions in its name, clang does not.
                    command.arg(format!("--target={}", target.name.replacen("riscv64gc-", "riscv64-", 1)));
                    command
                }
            };
            command.arg("-c").arg(&callers).arg("-o").arg(&object).arg("-I").arg(self.tests.join("c"));
            command.args([c.level, "-w", "-Wno-psabi", "-fPIC"]).arg(format!("-DCALLERS={}", c.table()));
            command.args(self.target.iter().flat_map(Target::flags));
            command.args(c.cpu.feature().map(|feature| format!("-m{feature}")));
            succeed(&mut command).map(|()| object)
        };
        C::ways(signatures).into_iter().map(compile).collect()
    }

    /// The program, which the C side is linked into.
    fn compile(
        &self,
        worker: usize,
        signatures: &[Signature],
        profile: Profile,
        objects: &[PathBuf],
    ) -> Result<PathBuf, String> {
        let main = self.write(worker, "main.rs", &self.program(signatures));
        let mut program = main.with_file_name(profile.folder());
        // Its compiler appends that where there is none.
        if self.target.as_ref().is_some_and(|target| target.name.contains("windows")) {
            program.set_extension("exe");
        }
        let host = self.dir.join(profile.folder());
        let libraries = self
            .target
            .as_ref()
            .map_or_else(|| host.clone(), |target| self.dir.join(&target.name).join(profile.folder()));
        let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command.arg(main).arg("-o").arg(&program).args(["--edition", "2024", "--cap-lints", "allow", "-Cdebuginfo=0"]);
        for library in ["cbframe", "cbframe_tests"] {
            let path = libraries.join(format!("lib{library}.rlib"));
            command.arg("--extern").arg(format!("{library}={}", path.display()));
        }
        // Macros are the host's.
        for libraries in [&libraries, &host] {
            command.arg("-L").arg(format!("dependency={}", libraries.join("deps").display()));
        }
        if let Some(Target { name, gcc, .. }) = &self.target {
            command.args(["--target", name]).arg(format!("-Clinker={gcc}"));
        }
        command.args(objects.iter().map(|object| format!("-Clink-arg={}", object.display()))).args(&self.rustflags);
        if profile == Profile::Release {
            command.args(["-Copt-level=3", "-Ccodegen-units=1"]);
        }
        succeed(&mut command)?;
        Ok(program)
    }

    /// The source of the program.
    fn program(&self, signatures: &[Signature]) -> String {
        let mut out = String::from(PREAMBLE);
        let style = Style { types: true, test: false, cpu: self.cpu, spoil: self.spoil };
        for (index, signature) in signatures.iter().enumerate() {
            out.push_str(&rust::module(index, signature, style));
        }
        let ways = C::ways(signatures);
        out.push_str("unsafe extern \"C\" {\n");
        for c in &ways {
            writeln!(out, "    static {}: [Option<call::Caller>; {}];", c.table(), signatures.len()).unwrap();
        }
        out.push_str("}\nfn main() {\n    let callers = [\n");
        for c in &ways {
            writeln!(
                out,
                "        call::Callers {{ clang: {}, name: \"{} {}\", cpu: {:?}, table: (&raw const {}).cast() }},",
                c.clang,
                c.compiler(),
                c.level,
                c.cpu.feature(),
                c.table()
            )
            .unwrap();
        }
        out.push_str("    ];\n    program::main(&callers, &[\n");
        for Signature { name, .. } in signatures {
            writeln!(out, "        (&{name}::SIGNATURE, {name}::run),").unwrap();
        }
        out.push_str("    ]);\n}\n");
        out
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // Nothing depends on it, and there may be nothing to remove.
        drop(fs::remove_dir_all(&self.work));
    }
}

const PREAMBLE: &str = "\
#![allow(warnings)]
use std::ffi::c_void;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;
use cbframe::{CType, CpuState, Frame, bind_static, cbframe};
use cbframe_tests::call::{self, Bits, Leaf, Run, Signature, State, Type};
use cbframe_tests::program;
use cbframe_tests::types::*;
";

/// Which vectors rustc passes in registers with these flags.
fn vectors(rustflags: &[String]) -> Result<Cpu, String> {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output =
        command.args(["--print", "cfg"]).args(rustflags).output().map_err(|error| format!("rustc: {error}"))?;
    let cfg = String::from_utf8_lossy(&output.stdout);
    let has = |cpu: &Cpu| cpu.feature().is_none_or(|feature| cfg.contains(&format!("target_feature=\"{feature}\"")));
    Ok(Cpu::ALL.into_iter().rev().find(has).expect("the last one is no feature"))
}

/// Runs the signatures that the program has, `alone` each in a process of its own.
fn run_all(target: Option<&Target>, program: &Path, count: usize, alone: bool) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    while verdicts.len() < count {
        let from = verdicts.len();
        verdicts.extend(run(target, program, from, if alone { from + 1 } else { count }));
    }
    verdicts
}

/// Runs the signatures from `from` to the one before `to`, as far as the process gets: the last verdict may be that of
/// its end.
fn run(target: Option<&Target>, program: &Path, from: usize, to: usize) -> Vec<Verdict> {
    let errors = program.with_extension("stderr");
    let stderr = File::create(&errors).expect("the folder was just written to");
    let mut child = Target::run(target, program)
        .args([from.to_string(), to.to_string()])
        .stdout(Stdio::piped())
        .stderr(stderr)
        .env("RUST_BACKTRACE", "0")
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let out = child.stdout.take().expect("it is piped");
    let heard = listen(out, || child.kill().expect("it was started"));
    let status = child.wait().expect("it was started");
    heard.verdicts(to - from, status, &errors)
}
