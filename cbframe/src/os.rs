//! What is asked of the operating system: a message on standard error, the end of the process, the name of a
//! thread, memory. Usable from a signal handler and without an allocator.

mod errno;
mod file;
mod memory;

pub(crate) use errno::Errno;
pub use errno::SavedErrno;
#[cfg(feature = "alloc")]
pub(crate) use errno::{errno, set_errno};
pub(crate) use file::{File, Mapping, mapping_at};
pub(crate) use memory::{Access, Region};

use core::arch::asm;
use core::fmt::{self, Write};

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

// System calls by number (Linux, `arch/x86/entry/syscalls/syscall_64.tbl`), so that the `no_std` core links with no C
// library.

const WRITE: usize = 1;
const GETPID: usize = 39;
const GETTID: usize = 186;
const TGKILL: usize = 234;
#[cfg(feature = "std")]
const MEMBARRIER: usize = 324;
const SIGABRT: usize = 6;
const EINTR: isize = 4;

/// # Safety
///
/// What the system call with this number asks for.
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize) -> isize {
    // SAFETY: the caller's promise; arguments that a call does not have are not looked at.
    unsafe { syscall_of_six(number, [a, b, c, 0, 0, 0]) }
}

/// # Safety
///
/// What the system call with this number asks for.
unsafe fn syscall_of_six(number: usize, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let result;
    // SAFETY: the kernel's convention: number in rax, arguments in these registers; rcx and r11 are clobbered.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            in("r9") f,
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

/// The number of this process.
pub(crate) fn process() -> usize {
    // SAFETY: `getpid` has no arguments and cannot fail.
    unsafe { syscall(GETPID, 0, 0, 0) as usize }
}

fn abort() -> ! {
    // SAFETY: the calls send a signal to this thread; where it is blocked or returns, `ud2` is left.
    unsafe {
        syscall(TGKILL, process(), current_thread(), SIGABRT);
        asm!("ud2", options(noreturn));
    }
}

/// The stack that the calling thread was started with; `None` if that is not known.
#[cfg(not(feature = "std"))]
pub(crate) fn stack() -> Option<core::ops::Range<usize>> {
    None
}

/// The stack that the calling thread was started with; `None` if that is not known.
#[cfg(feature = "std")]
pub(crate) fn stack() -> Option<core::ops::Range<usize>> {
    use core::ffi::{c_int, c_void};
    use core::mem::MaybeUninit;

    /// At least as large, and as aligned, as those of glibc and musl.
    #[repr(C)]
    struct Attributes([usize; 16]);

    // Of the C library that `std` is linked with.
    unsafe extern "C" {
        fn pthread_self() -> usize;
        fn pthread_getattr_np(thread: usize, attributes: *mut Attributes) -> c_int;
        fn pthread_attr_getstack(attributes: *const Attributes, start: *mut *mut c_void, size: *mut usize) -> c_int;
        fn pthread_attr_destroy(attributes: *mut Attributes) -> c_int;
    }

    let mut attributes = MaybeUninit::uninit();
    let (mut start, mut size) = (core::ptr::null_mut(), 0);
    // SAFETY: the calling thread exists; the attributes are initialized by the first call, if that succeeds, and
    // destroyed by the last.
    let found = unsafe {
        pthread_getattr_np(pthread_self(), attributes.as_mut_ptr()) == 0 && {
            let found = pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut size) == 0;
            pthread_attr_destroy(attributes.as_mut_ptr());
            found
        }
    };
    found.then(|| start.addr()..start.addr() + size)
}

/// Asks the kernel for barriers in other threads; whether it has them.
#[cfg(feature = "std")]
pub(crate) fn register_membarrier() -> bool {
    const REGISTER_PRIVATE_EXPEDITED: usize = 1 << 4;
    // SAFETY: it only changes what `membarrier` does.
    unsafe { syscall(MEMBARRIER, REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 }
}

/// Has each running thread of this process execute a full memory barrier; whether they have.
#[cfg(feature = "std")]
pub(crate) fn membarrier() -> bool {
    const PRIVATE_EXPEDITED: usize = 1 << 3;
    // SAFETY: barriers change nothing.
    unsafe { syscall(MEMBARRIER, PRIVATE_EXPEDITED, 0, 0) == 0 }
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
