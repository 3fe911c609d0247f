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

/// A number for the calling thread that debuggers and `ps` show.
pub(crate) fn thread_id() -> usize {
    #[cfg(not(feature = "std"))]
    return current_thread();
    #[cfg(feature = "std")]
    {
        std::thread_local! {
            static ID: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
        }
        // The system call would cost more than the rest of dropping a frame. A `Cell` of an integer has no
        // destructor, so it is there until the thread ends.
        ID.with(|id| {
            if id.get() == 0 {
                id.set(current_thread());
            }
            id.get()
        })
    }
}
