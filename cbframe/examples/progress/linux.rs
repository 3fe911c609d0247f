//! The program; `main.rs` says what it does.

use std::env;
use std::error::Error;
use std::ffi::c_int;
use std::fmt::{self, Write};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use cbframe::{bind_static, cbframe};

/// How far the computation is. It is all atomics, since the handler interrupts whoever changes it.
struct Progress {
    at: AtomicU64,
    end: AtomicU64,
    primes: AtomicU64,
    stop: AtomicBool,
}

static PROGRESS: Progress = Progress {
    at: AtomicU64::new(0),
    end: AtomicU64::new(300_000),
    primes: AtomicU64::new(0),
    stop: AtomicBool::new(false),
};

/// The handler of a timer and of Ctrl-C. It may do only what is async-signal-safe: no allocation, no lock, and of libc
/// only what POSIX lists, such as `write`.
#[cbframe(abi = "C")]
fn on_signal(#[state] progress: &Progress, signal: c_int) {
    progress.stop.fetch_or(signal == libc::SIGINT, Relaxed);
    let (at, end) = (progress.at.load(Relaxed), progress.end.load(Relaxed));
    let mut line = Line { bytes: [0; 80], len: 0 };
    // A line that is too long is cut.
    let _ = writeln!(line, "{:3} %, {} primes", at * 100 / end, progress.primes.load(Relaxed));
    // SAFETY: `errno` is this thread's, and whoever is interrupted may be about to read it; the bytes are readable.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len);
        *libc::__errno_location() = errno;
    }
}

/// Text in a fixed space.
struct Line {
    bytes: [u8; 80],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// What `exit` calls, wherever in the program it is called.
#[cbframe(abi = "C")]
fn at_exit(#[state] start: &Instant) {
    let (found, at) = (PROGRESS.primes.load(Relaxed), PROGRESS.at.load(Relaxed));
    println!("{found} primes up to {at}, in {:.1?}", start.elapsed());
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    if let Some(end) = env::args().nth(1) {
        PROGRESS.end.store(end.parse::<u64>()?.max(1), Relaxed);
    }

    // SAFETY: a leaked callback may be called until the process ends.
    unsafe { libc::atexit(at_exit::leak(Instant::now())?) };
    // For a `static` state the pointer is a constant.
    const HANDLER: extern "C" fn(c_int) = bind_static!(on_signal, PROGRESS);
    let tenth = libc::timeval { tv_sec: 0, tv_usec: 100_000 };
    let timer = libc::itimerval { it_interval: tenth, it_value: tenth };
    // SAFETY: the handler does nothing but what a handler may.
    unsafe {
        libc::signal(libc::SIGALRM, HANDLER as libc::sighandler_t);
        libc::signal(libc::SIGINT, HANDLER as libc::sighandler_t);
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut());
    }

    for number in 2..=PROGRESS.end.load(Relaxed) {
        if PROGRESS.stop.load(Relaxed) {
            break;
        }
        let is_prime = (2..).take_while(|divisor| divisor * divisor <= number).all(|divisor| number % divisor != 0);
        PROGRESS.primes.fetch_add(is_prime.into(), Relaxed);
        PROGRESS.at.store(number, Relaxed);
    }
    Ok(())
}
