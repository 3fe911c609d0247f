//! What came of signatures, as the process says that calls.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What came of a signature.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every call was right. The number of calls for each lane.
    Passed(Vec<(String, u64)>),
    /// The CPU lacks this.
    Skipped(String),
    /// What was wrong.
    Failed(Vec<String>),
}

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn ended(status: ExitStatus) -> String {
    status.signal().map_or_else(|| status.to_string(), |signal| format!("killed by signal {signal}"))
}

/// What a process has said.
#[derive(Debug)]
pub struct Heard {
    verdicts: Vec<Verdict>,
    /// The last lane that was called.
    last: Option<String>,
    /// Whether it said nothing more for too long.
    hangs: bool,
}

impl Heard {
    /// The verdicts of `count` signatures, as far as the process got: the last one may be that of its end. What it said beside
    /// them is in the file `errors`.
    #[must_use]
    pub fn verdicts(self, count: usize, status: ExitStatus, errors: &Path) -> Vec<Verdict> {
        let Self { mut verdicts, last, hangs } = self;
        if verdicts.len() < count {
            let how = if hangs { "hangs".into() } else { ended(status) };
            let mut lines = vec![format!("{how} in {}", last.as_deref().unwrap_or("no call"))];
            let said = fs::read(errors).unwrap_or_default();
            lines.extend(String::from_utf8_lossy(&said).lines().take(20).map(Into::into));
            verdicts.push(Verdict::Failed(lines));
        }
        verdicts
    }
}

/// Reads what `cbframe_tests::program` says in a process, which `kill` kills.
///
/// # Panics
///
/// If it says something else.
pub fn listen(out: impl Read + Send + 'static, kill: impl FnOnce()) -> Heard {
    let (sender, receiver) = mpsc::channel();
    let out = BufReader::new(out);
    let reader = thread::spawn(move || {
        // The process may end in the middle of a line.
        out.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    let (mut verdicts, mut lanes, mut wrong, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
    let hangs = loop {
        let line = match receiver.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Disconnected) => break false,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                kill();
                break true;
            }
        };
        let mut words = line.splitn(3, ' ');
        let (word, _index, rest) = (words.next().unwrap_or(""), words.next(), words.next().unwrap_or(""));
        match word {
            "calls" => last = Some(rest.to_owned()),
            "lane" => {
                let (calls, lane) = rest.split_once(' ').expect("a number and a lane");
                lanes.push((lane.to_owned(), calls.parse().expect("a number")));
            }
            "wrong" => wrong.push(rest.to_owned()),
            "skipped" => verdicts.push(Verdict::Skipped(rest.to_owned())),
            "done" => {
                last = None;
                let (lanes, wrong) = (std::mem::take(&mut lanes), std::mem::take(&mut wrong));
                verdicts.push(if wrong.is_empty() { Verdict::Passed(lanes) } else { Verdict::Failed(wrong) });
            }
            _ => {}
        }
    };
    reader.join().expect("it reads");
    Heard { verdicts, last, hangs }
}
