//! What is asked of the operating system: a message on standard error, the end of the process, the name of a
//! thread. Usable from a signal handler and without an allocator.

use core::arch::asm;
use core::fmt::{self, Write};

/// Prints `cbframe: {message}` on standard error and aborts the process.
///
/// Async-signal-safe: nothing is allocated and no lock is taken.
#[cold]
pub(crate) fn die(message: fmt::Arguments<'_>) -> ! {
    let mut out = Stderr { buffer: [0; 512], used: 0 };
    // Standard error that cannot be written to leaves nothing to do but to abort all the same.
    let _ = writeln!(out, "cbframe: {message}");
    out.flush();
    abort()
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

// System calls by number (Linux, `arch/x86/entry/syscalls/syscall_64.tbl`), so that the `no_std` core links with no C
// library.

const WRITE: usize = 1;
const GETPID: usize = 39;
const GETTID: usize = 186;
const TGKILL: usize = 234;
const SIGABRT: usize = 6;
const EINTR: isize = 4;

/// # Safety
///
/// What the system call with this number asks for.
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result;
    // SAFETY: the kernel's convention: number in rax, arguments in rdi, rsi, rdx; rcx and r11 are clobbered.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result
}

fn write_stderr(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the range is readable; 2 is standard error.
        let written = unsafe { syscall(WRITE, 2, bytes.as_ptr() as usize, bytes.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => bytes = &bytes[written.min(bytes.len())..],
            Err(_) if written == -EINTR => {}
            _ => return,
        }
    }
}

fn current_thread() -> usize {
    // SAFETY: `gettid` has no arguments and cannot fail.
    unsafe { syscall(GETTID, 0, 0, 0) as usize }
}

fn abort() -> ! {
    // SAFETY: the calls send a signal to this thread; where it is blocked or returns, `ud2` is left.
    unsafe {
        let process = syscall(GETPID, 0, 0, 0) as usize;
        syscall(TGKILL, process, current_thread(), SIGABRT);
        asm!("ud2", options(noreturn));
    }
}

/// A thread, by a number that no other thread has, and with `std` no later one either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thread(usize);

impl Thread {
    /// The calling thread.
    #[inline]
    pub(crate) fn current() -> Self {
        #[cfg(not(feature = "std"))]
        return Self(current_thread());
        #[cfg(feature = "std")]
        {
            std::thread_local! {
                static THREAD: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
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
    fn name() -> usize {
        static SERIAL: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
        let serial = SERIAL.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        serial << 32 | current_thread()
    }

    /// The thread in 63 bits.
    pub(crate) const fn bits(self) -> usize {
        self.0 & (usize::MAX >> 1)
    }

    /// The thread with these [`bits`](Self::bits).
    pub(crate) const fn from_bits(bits: usize) -> Self {
        Self(bits)
    }
}

/// The number that debuggers and `ps` show.
impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {}", self.0 as u32)
    }
}
