//! What is asked of the operating system: a message on standard error, the end of the process, the name of a
//! thread, whose stack frame lies where, memory. Usable from a signal handler and without an allocator.
//!
//! One directory holds one system; each exports the same names, and this is the one place that selects.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

pub use system::SavedErrno;
#[cfg(all(debug_assertions, not(loom)))]
pub(crate) use system::process;
pub(crate) use system::{Refusal, Region, map_again, stack};
#[cfg(feature = "alloc")]
pub(crate) use system::{errno, set_errno};
#[cfg(feature = "std")]
pub(crate) use system::{function_at, function_of, membarrier, register_membarrier, stack_is_own, vsnprintf};

use core::fmt::{self, Write};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(windows)]
use windows as system;

use system::{abort, current_thread, write_stderr};

/// Prints `cbframe: {message}` on standard error and aborts the process.
///
/// Async-signal-safe: nothing is allocated and no lock is taken.
#[cold]
pub(crate) fn die(message: fmt::Arguments<'_>) -> ! {
    report(message);
    abort()
}

/// Prints `cbframe: {message}` on standard error; async-signal-safe.
#[cold]
pub(crate) fn report(message: fmt::Arguments<'_>) {
    let mut out = Stderr { buffer: [0; 512], used: 0 };
    // Standard error that cannot be written to leaves nothing to do.
    let _ = writeln!(out, "cbframe: {message}");
    out.flush();
}

/// Collects text, so that a message of ordinary length is one `write`.
struct Stderr {
    buffer: [u8; 512],
    used: usize,
}

impl Stderr {
    fn flush(&mut self) {
        write_stderr(&self.buffer[..self.used]);
        self.used = 0;
    }
}

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.used == self.buffer.len() {
                self.flush();
            }
            self.buffer[self.used] = byte;
            self.used += 1;
        }
        Ok(())
    }
}

/// A thread, by a number that no other thread has, and with `std` no later one either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thread(u64);

impl Thread {
    /// The calling thread.
    #[inline]
    pub(crate) fn current() -> Self {
        #[cfg(not(feature = "std"))]
        return Self(current_thread() as u64);
        #[cfg(feature = "std")]
        {
            std::thread_local! {
                static THREAD: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
            }
            // A `Cell` of an integer has no destructor, so it is there until the thread ends.
            THREAD.with(|thread| {
                if thread.get() == 0 {
                    thread.set(Self::name());
                }
                Self(thread.get())
            })
        }
    }

    /// The kernel's number, and above it a serial number: the kernel gives the numbers of threads that have ended to
    /// others. After a `fork` the child's thread keeps the name that it had in the parent.
    #[cfg(feature = "std")]
    #[cold]
    fn name() -> u64 {
        static SERIAL: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
        let serial = SERIAL.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        (serial as u64) << 32 | current_thread() as u64
    }

    /// The thread in one bit less than a word has, to be shown: where words are short, without the serial number.
    pub(crate) const fn bits(self) -> usize {
        self.0 as usize & (usize::MAX >> 1)
    }

    /// The thread with these [`bits`](Self::bits).
    pub(crate) const fn from_bits(bits: usize) -> Self {
        Self(bits as u64)
    }
}

/// The number that debuggers and `ps` show.
impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {}", self.0 as u32)
    }
}
