//! Programs of the machine that runs Wine, which a program under Wine can start but not wait for: whoever has started this
//! process runs them (`tests/wine`). Elsewhere they are run as any program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, io, thread};

/// The environment variable with the folder in which commands are left.
const VARIABLE: &str = "CBFRAME_TESTS_HOST";

/// Runs a command to its end, with nothing to read.
///
/// # Errors
///
/// If it cannot be started.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    match env::var_os(VARIABLE) {
        None => command.output(),
        Some(folder) => ask(Path::new(&folder), command),
    }
}

/// Leaves the command, a word on each line, and waits for what becomes of it.
fn ask(folder: &Path, command: &Command) -> io::Result<Output> {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let word = |word: &OsStr| outside(word.to_str().expect("UTF-8"));
    let mut words = vec!["env".to_owned()];
    if let Some(dir) = command.get_current_dir() {
        words.extend(["-C".into(), word(dir.as_os_str())]);
    }
    let (mut options, mut set) = (Vec::new(), Vec::new());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => set.push(format!("{}={}", word(name), word(value))),
            None => options.extend(["-u".into(), word(name)]),
        }
    }
    words.extend(options);
    words.extend(set);
    words.extend([command.get_program()].into_iter().chain(command.get_args()).map(word));
    assert!(words.iter().all(|word| !word.contains('\n')), "a word of a command is a line");
    let text = words.join("\n") + "\n";
    let name = format!("{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
    let file = |extension: &str| -> PathBuf { folder.join(format!("{name}.{extension}")) };
    fs::write(file("new"), text)?;
    fs::rename(file("new"), file("command"))?;
    while !file("status").exists() {
        thread::sleep(Duration::from_millis(10));
    }
    let code: u32 = fs::read_to_string(file("status"))?.trim().parse().map_err(io::Error::other)?;
    if code == 127 {
        return Err(io::ErrorKind::NotFound.into());
    }
    let output = Output { status: status(code), stdout: fs::read(file("stdout"))?, stderr: fs::read(file("stderr"))? };
    for extension in ["status", "stdout", "stderr"] {
        fs::remove_file(file(extension))?;
    }
    Ok(output)
}

/// What is `/folder/file` outside may be `\\?\Z:\folder\file` or `/folder\file` in here.
fn outside(word: &str) -> String {
    let path = word.trim_start_matches(r"\\?\").trim_start_matches("Z:");
    if path.starts_with(['/', '\\']) { path.replace('\\', "/") } else { word.into() }
}

fn status(code: u32) -> ExitStatus {
    std::os::windows::process::ExitStatusExt::from_raw(code)
}
