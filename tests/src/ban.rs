//! What hardened processes live under: no memory becomes executable once they run.
#![cfg_attr(target_pointer_width = "32", allow(clippy::useless_conversion, reason = "C's `long` is wider elsewhere"))]

use std::fs::File;
use std::io::Error;
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use libc::{PROT_EXEC, PROT_READ, PROT_WRITE, c_int, c_long, c_ulong, c_void, sock_filter, sock_fprog};

/// What a process may not do any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ban {
    /// Everything is allowed.
    Nothing,
    /// `PR_SET_MDWE`: the kernel makes no mapping writable and executable, nor executable what it was not.
    WriteExecute,
    /// The same from a seccomp filter, as service managers had it before the kernel.
    WriteExecuteFilter,
    /// A seccomp filter lets no mapping begin or become executable, be it of a file: the process has the code that it
    /// started with.
    Executable,
}

impl Ban {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::WriteExecute, Self::WriteExecuteFilter, Self::Executable];

    /// A name, for command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::WriteExecute => "mdwe",
            Self::WriteExecuteFilter => "mdwe-filter",
            Self::Executable => "exec-filter",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ban| ban.name() == name)
    }

    /// Puts the process under the ban, for good.
    ///
    /// # Errors
    ///
    /// If the kernel does not know it.
    pub fn begin(self) -> Result<(), Error> {
        match self {
            Self::Nothing => Ok(()),
            Self::WriteExecute => {
                let gain: c_ulong = libc::PR_MDWE_REFUSE_EXEC_GAIN.into();
                // SAFETY: takes no pointers.
                done(unsafe { libc::prctl(libc::PR_SET_MDWE, gain, 0_usize, 0_usize, 0_usize) }.into())
            }
            Self::WriteExecuteFilter => filter(PROT_WRITE | PROT_EXEC),
            Self::Executable => filter(PROT_EXEC),
        }
    }

    /// Whether it refuses `attempt`.
    #[must_use]
    pub const fn refuses(self, attempt: Attempt) -> bool {
        match self {
            Self::Nothing => false,
            // A mapping that is executable from the start and never writable is code from a file, or zeros.
            Self::WriteExecute | Self::WriteExecuteFilter => !matches!(attempt, Attempt::Zeros | Attempt::File),
            Self::Executable => true,
        }
    }
}

/// Ways to executable memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// Memory that is writable and executable.
    Writable,
    /// Memory that is made executable after it was writable.
    Changed,
    /// The same by `pkey_mprotect`.
    ChangedWithKey,
    /// Memory that is executable and was never writable.
    Zeros,
    /// The program's own file.
    File,
}

impl Attempt {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Writable, Self::Changed, Self::ChangedWithKey, Self::Zeros, Self::File];

    /// Tries it, and undoes what came of it.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    ///
    /// # Panics
    ///
    /// If there is no memory, or the program has no file.
    pub fn make(self) -> Result<(), Error> {
        const SIZE: usize = 4096;
        let file = File::open("/proc/self/exe").expect("the program has a file");
        let map = |protection: c_int, descriptor: c_int| {
            let flags = libc::MAP_PRIVATE | if descriptor < 0 { libc::MAP_ANONYMOUS } else { 0 };
            // SAFETY: a new mapping, wherever there is room.
            let memory = unsafe { libc::mmap(ptr::null_mut(), SIZE, protection, flags, descriptor, 0) };
            if memory == libc::MAP_FAILED { Err(Error::last_os_error()) } else { Ok(Mapping(memory, SIZE)) }
        };
        let read_execute = PROT_READ | PROT_EXEC;
        match self {
            Self::Writable => map(read_execute | PROT_WRITE, -1).map(drop),
            Self::Zeros => map(read_execute, -1).map(drop),
            Self::File => map(read_execute, file.as_raw_fd()).map(drop),
            Self::Changed | Self::ChangedWithKey => {
                let page = map(PROT_READ | PROT_WRITE, -1).expect("a page");
                let (call, key): (c_long, c_int) = match self {
                    Self::Changed => (libc::SYS_mprotect, 0),
                    // No key: the kernel need not have any.
                    _ => (libc::SYS_pkey_mprotect, -1),
                };
                // SAFETY: nobody uses the page.
                done(unsafe { libc::syscall(call, page.0, page.1, read_execute, key) })
            }
        }
    }
}

/// Memory that is given back.
struct Mapping(*mut c_void, usize);

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped for this, and nothing refers to it.
        unsafe { libc::munmap(self.0, self.1) };
    }
}

fn done(result: c_long) -> Result<(), Error> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// The kernel's number for this architecture (`linux/audit.h`): the machine's, with 64 bits or not, the low byte first.
const AUDIT_ARCH: u32 = if cfg!(target_arch = "x86") {
    0x4000_0000 | libc::EM_386 as u32
} else {
    0x8000_0000 | 0x4000_0000 | libc::EM_X86_64 as u32
};

/// The call of which libc makes mappings: on 32-bit x86, `mmap` is an older one.
#[cfg(target_arch = "x86")]
const MMAP: c_long = libc::SYS_mmap2;
#[cfg(not(target_arch = "x86"))]
const MMAP: c_long = libc::SYS_mmap;

/// System calls with this bit are those of x32, with other numbers.
const X32: u32 = 0x4000_0000;

// Offsets in `struct seccomp_data`: the call's number, the architecture, the instruction's address, six arguments. The
// third is the protection, of which the low half is looked at: it is an `int`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const PROTECTION: u32 = 16 + 2 * 8;

/// Has the kernel refuse `mmap` with all of `mapped` in its protection, and `mprotect` and `pkey_mprotect` with
/// `PROT_EXEC`; on all threads, and in all children.
fn filter(mapped: c_int) -> Result<(), Error> {
    let load = |offset| instruction(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
    let equal = |value, then, otherwise| instruction(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise);
    let number = |call: c_long| u32::try_from(call).expect("a small number");
    let mut program = [
        load(ARCHITECTURE),
        equal(AUDIT_ARCH, 0, 11), // another's calls: refused
        load(NUMBER),
        instruction(BPF_JMP | BPF_JGE | BPF_K, X32, 9, 0), // refused
        equal(number(MMAP), 3, 0),
        equal(number(libc::SYS_mprotect), 5, 0),
        equal(number(libc::SYS_pkey_mprotect), 4, 0),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
        load(PROTECTION),
        instruction(BPF_ALU | BPF_AND | BPF_K, mapped as u32, 0, 0),
        equal(mapped as u32, 2, 3), // refused, or allowed
        load(PROTECTION),
        instruction(BPF_JMP | libc::BPF_JSET | BPF_K, PROT_EXEC as u32, 0, 1),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | libc::EACCES as u32, 0, 0),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    install(&mut program)
}

/// Has the kernel refuse the system call with this number, on all threads, and in all children.
///
/// # Errors
///
/// If it takes no filter.
pub fn refuse(call: c_long) -> Result<(), Error> {
    install(&mut [
        instruction(BPF_LD | BPF_W | BPF_ABS, NUMBER, 0, 0),
        instruction(BPF_JMP | BPF_JEQ | BPF_K, u32::try_from(call).expect("a small number"), 0, 1),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32, 0, 0),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ])
}

/// Puts the process under a filter.
fn install(program: &mut [sock_filter]) -> Result<(), Error> {
    let program = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: takes no pointers. Without it only root may set a filter.
    done(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_usize, 0_usize, 0_usize, 0_usize) }.into())?;
    let (operation, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
    // SAFETY: `program` is a filter of that length, which the kernel checks and copies.
    done(unsafe { libc::syscall(libc::SYS_seccomp, operation, flags, &raw const program) })
}

/// An instruction of classic BPF; if it compares, how many to leave out after it then and otherwise.
fn instruction(code: u32, value: u32, then: u8, otherwise: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: then, jf: otherwise, k: value }
}
