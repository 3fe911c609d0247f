//! Compiles C, loads it, and runs it in child processes.

use std::env;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::ExitStatusExt;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use cbframe_signatures::c::{self, Callees};
use cbframe_signatures::signatures::Signature;
use cbframe_signatures::table::Table;
use cbframe_signatures::verdict::{Verdict, listen};
use cbframe_signatures::ways::{C, FOR_HOST, clang};

use crate::case::{Case, Loaded};
use crate::options::Options;

/// Where batches are compiled.
pub(crate) struct Workshop {
    work: PathBuf,
    /// How many batches there were: no two libraries have the same name.
    batches: usize,
    callees: Callees,
}

/// Levels of optimization, as options.
pub(crate) type Levels = &'static [&'static str];

/// Every level.
pub(crate) const LEVELS: Levels = &["-O0", "-O2"];

/// Compilers at work on a batch.
pub(crate) struct Compiling {
    dir: PathBuf,
    levels: Levels,
    running: Vec<(C, Child)>,
}

impl Compiling {
    fn library(dir: &Path, c: C) -> PathBuf {
        dir.join(c.table()).with_extension("so")
    }

    /// The libraries.
    fn finish(self) -> Result<Vec<(C, PathBuf)>, String> {
        let Self { dir, running, .. } = self;
        let finish = |(c, mut child): (C, Child)| {
            let (status, library) = (child.wait().expect("it was started"), Self::library(&dir, c));
            if status.success() {
                return Ok((c, library));
            }
            let said = fs::read(library.with_extension("err")).unwrap_or_default();
            Err(format!("{c:?} fails ({status})\n{}", String::from_utf8_lossy(&said)))
        };
        // All of them, before anything else is written.
        let finished: Vec<_> = running.into_iter().map(finish).collect();
        finished.into_iter().collect()
    }
}

impl Workshop {
    pub(crate) fn new(options: &Options) -> Self {
        let program = env::current_exe().expect("this program is somewhere");
        let target = program.ancestors().nth(2).expect("where cargo puts programs");
        let work = target.join("bulk").join(std::process::id().to_string());
        Self { work, batches: 0, callees: Callees { spoil: options.spoil } }
    }

    /// Starts the compilers.
    pub(crate) fn compile(&mut self, table: &Table, signatures: &[Signature], levels: Levels) -> Compiling {
        self.batches += 1;
        let dir = self.work.join(self.batches.to_string());
        fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        let start = |c: C| {
            let library = Compiling::library(&dir, c);
            let source = dir.join(c.cpu.feature().unwrap_or("any")).with_extension("c");
            if !source.exists() {
                let text = c::write(table, signatures.iter(), c.cpu, Some(self.callees));
                fs::write(&source, text).expect("the folder was just made");
            }
            let headers = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("c");
            let mut command = Command::new(if c.clang { clang() } else { "gcc".into() });
            command.arg(source).arg("-o").arg(&library).arg("-I").arg(headers);
            command.args([
                "-shared",
                "-fPIC",
                c.level,
                "-w",
                "-Wno-psabi",
                "-DCALLERS=cbt_callers",
                "-DCALLEES=cbt_callees",
            ]);
            if c.clang {
                command.arg("-fno-crash-diagnostics");
            }
            command.args(FOR_HOST).args(c.cpu.feature().map(|feature| format!("-m{feature}")));
            let errors = File::create(library.with_extension("err")).expect("the folder was just made");
            (c, command.stderr(errors).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
        };
        let ways = C::ways(signatures).into_iter().filter(|c| levels.contains(&c.level));
        Compiling { running: ways.map(start).collect(), dir, levels }
    }

    /// Judges the signatures that were compiled; `alone` says whether each has a process of its own.
    pub(crate) fn judge(
        &mut self,
        table: &Table,
        signatures: &[Signature],
        compiling: Compiling,
        alone: bool,
    ) -> Vec<Verdict> {
        let (dir, levels) = (compiling.dir.clone(), compiling.levels);
        let verdicts = match compiling.finish() {
            Ok(libraries) => run_all(&dir, &libraries, signatures, alone),
            Err(message) if signatures.len() == 1 => {
                vec![Verdict::Failed(message.lines().take(60).map(Into::into).collect())]
            }
            // Half of them at a time, down to the one that is at fault.
            Err(_) => {
                let (first, second) = signatures.split_at(signatures.len() / 2);
                [first, second]
                    .map(|half| {
                        let compiling = self.compile(table, half, levels);
                        self.judge(table, half, compiling, alone)
                    })
                    .concat()
            }
        };
        // Nothing depends on it.
        drop(fs::remove_dir_all(dir));
        verdicts
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // Nothing depends on it, and there may be nothing to remove.
        drop(fs::remove_dir_all(&self.work));
    }
}

fn run_all(dir: &Path, libraries: &[(C, PathBuf)], signatures: &[Signature], alone: bool) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    while verdicts.len() < signatures.len() {
        let from = verdicts.len();
        let to = if alone { from + 1 } else { signatures.len() };
        verdicts.extend(run(dir, libraries, signatures, from, to));
    }
    verdicts
}

/// Runs the signatures from `from` to the one before `to` in a copy of this process, as far as it gets: the last verdict may be
/// that of its end.
fn run(dir: &Path, libraries: &[(C, PathBuf)], signatures: &[Signature], from: usize, to: usize) -> Vec<Verdict> {
    let errors = dir.join("stderr");
    let stderr = File::create(&errors).expect("the folder is there");
    let mut pipe = [0; 2];
    // SAFETY: room for two descriptors, which are owned from here on.
    let (out, into) = unsafe {
        assert_eq!(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (File::from_raw_fd(pipe[0]), File::from_raw_fd(pipe[1]))
    };
    // SAFETY: no other thread runs, which might hold a lock: `listen` has joined its own.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no process");
    if child == 0 {
        // SAFETY: both descriptors are open.
        unsafe { libc::dup2(stderr.as_raw_fd(), libc::STDERR_FILENO) };
        let done = catch_unwind(|| {
            let loaded: Vec<_> = libraries.iter().map(|(c, library)| Loaded::new(*c, library)).collect();
            for (index, signature) in signatures.iter().enumerate().take(to).skip(from) {
                Case::new(index, signature).run(&loaded, &into);
            }
        });
        // SAFETY: nothing is to be done at the end, least of all what the parent does.
        unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) };
    }
    drop(into);
    let heard = listen(out, || {
        // SAFETY: a child that was not waited for.
        unsafe { libc::kill(child, libc::SIGKILL) };
    });
    let mut status = 0;
    // SAFETY: as above.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    heard.verdicts(to - from, ExitStatus::from_raw(status), &errors)
}
