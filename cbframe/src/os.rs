//! What is asked of the operating system: a message on standard error, the end of the process, the name of a
//! thread, whose stack frame lies where, memory. Usable from a signal handler and without an allocator.
//!
//! One directory holds one system; each exports the same names, and this is the one place that selects.

#[cfg(not(target_os = "linux"))]
mod fixed;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "uefi"))]
mod stderr;
#[cfg(target_os = "uefi")]
mod uefi;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "macos")))]
mod unwinder;
#[cfg(windows)]
mod windows;

#[cfg(all(target_os = "uefi", feature = "std"))]
compile_error!(
    "cbframe: on UEFI there is no feature `std`: depend on cbframe with `default-features = false`, and `features = [\"alloc\"]` where the program has an allocator"
);

pub use system::SavedErrno;
#[cfg(all(debug_assertions, not(loom)))]
pub(crate) use system::process;
pub(crate) use system::{Refusal, Region, map_again, stack};
#[cfg(feature = "alloc")]
pub(crate) use system::{errno, set_errno};
#[cfg(feature = "std")]
pub(crate) use system::{function_at, function_of, membarrier, register_membarrier, stack_is_own, vsnprintf};

#[cfg(not(target_os = "uefi"))]
pub(crate) use stderr::report;
#[cfg(target_os = "uefi")]
pub(crate) use system::report;
#[cfg(target_os = "uefi")]
pub use system::set_report;

use core::fmt;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(target_os = "uefi")]
use uefi as system;
#[cfg(windows)]
use windows as system;

use system::{abort, current_thread};

/// Reports `cbframe: {message}`, on standard error where there is one, and ends the process.
///
/// Async-signal-safe: nothing is allocated and no lock is taken.
#[cold]
pub(crate) fn die(message: fmt::Arguments<'_>) -> ! {
    report(message);
    abort()
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
