//! Code of the program, mapped once more: from its file, found through `/proc/self/maps`. No page is ever writable and
//! executable, and none that was written becomes executable.

use core::ffi::CStr;
use core::{fmt, slice};

use super::Errno;
use super::file::{File, Mapping, mapping_at};
use super::memory::{Access, Region};

/// What `code` and `data` are multiples of.
const PAGE: usize = 4096;

/// Maps `code`, which lies in the program, once more, at a multiple of its size, and behind it `data` bytes of zeros. Code
/// and data are pages, the latter twice as long as the longest path.
pub(crate) fn map_again(code: &'static [u8], data: usize) -> Result<Region, Refusal> {
    let (size, data_size) = (code.len(), data);
    let region = Region::reserve(size + data_size, size)?;
    if !region.has_pages_of(PAGE) {
        return Err(Refusal::Pages);
    }
    let start = region.start();
    // SAFETY: within the region.
    let data = unsafe { start.add(size) };
    // SAFETY: the region is this function's.
    unsafe { Region::zeros(data, data_size) }?;
    // What will be data serves for reading until then: this may run on the small stack of a signal handler.
    // SAFETY: the memory is this function's, and holds zeros.
    let (lines, name) = unsafe { slice::from_raw_parts_mut(data.as_ptr(), data_size) }.split_at_mut(data_size / 2);

    let address = code.as_ptr().addr();
    let own = mapping_at(address, lines).map_err(Refusal::Proc)?.ok_or(Refusal::NoFile)?;
    if own.identity[2] == 0 || own.addresses.end < address + size {
        return Err(Refusal::NoFile);
    }
    let identity = own.identity;
    let offset = own.offset + (address - own.addresses.start);
    let file = File::open(own.path).map_err(|errno| not_opened(&own, errno, name))?;
    if file.size().map_err(Refusal::Open)? < offset + size {
        return Err(Refusal::Differs);
    }

    // The kernel shall say that it is the same file, in the same words: `fstat` names other devices for some file systems.
    // SAFETY: the region is this function's.
    unsafe { Region::file(start, size, Access::Read, &file, offset) }?;
    let seen = mapping_at(start.addr().get(), lines).map_err(Refusal::Proc)?.ok_or(Refusal::NoFile)?;
    if seen.identity != identity {
        return Err(Refusal::Replaced);
    }
    // Not by `mprotect`: what was not executable shall not become it.
    // SAFETY: the region is this function's.
    unsafe { Region::file(start, size, Access::ReadExecute, &file, offset) }?;
    // SAFETY: that many bytes are mapped there, of a file that is as long.
    if unsafe { slice::from_raw_parts(start.as_ptr(), size) } != code {
        return Err(Refusal::Differs);
    }
    // SAFETY: the region is this function's, and what was read is not needed any more.
    unsafe { Region::zeros(data, data_size) }?;
    Ok(region)
}

/// Why the program's file could not be opened. `name` has room for its path.
fn not_opened(own: &Mapping<'_>, errno: Errno, name: &mut [u8]) -> Refusal {
    let Some(path) = own.path.to_bytes().strip_suffix(b" (deleted)").filter(|_| errno == Errno::NOENT) else {
        return Refusal::Open(errno);
    };
    name[..path.len()].copy_from_slice(path);
    name[path.len()] = 0;
    match CStr::from_bytes_until_nul(name).map(File::open) {
        Ok(Ok(_)) => Refusal::Replaced,
        _ => Refusal::Deleted,
    }
}

/// Why code is not mapped again.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// The code is not that of a file, in one piece.
    NoFile,
    /// The program's file is not there any more.
    Deleted,
    /// The name of the program's file is that of another file now.
    Replaced,
    /// The program's file does not hold the program's code.
    Differs,
    /// No memory.
    Memory(Errno),
    /// `/proc/self/maps` cannot be read.
    Proc(Errno),
    /// The program's file cannot be opened.
    Open(Errno),
    /// It cannot be mapped.
    Map(Errno),
    /// Pages are larger than those of which the code is made.
    Pages,
}

impl Refusal {
    /// As a number that is not 0.
    pub(crate) fn bits(self) -> u32 {
        let (kind, errno) = match self {
            Self::NoFile => (1, None),
            Self::Deleted => (2, None),
            Self::Replaced => (3, None),
            Self::Differs => (4, None),
            Self::Memory(errno) => (5, Some(errno)),
            Self::Proc(errno) => (6, Some(errno)),
            Self::Open(errno) => (7, Some(errno)),
            Self::Map(errno) => (8, Some(errno)),
            Self::Pages => (9, None),
        };
        kind << 16 | u32::from(errno.map_or(0, |errno| errno.0))
    }

    /// What has these [`bits`](Self::bits).
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        let errno = Errno(bits as u16);
        Some(match bits >> 16 {
            1 => Self::NoFile,
            2 => Self::Deleted,
            3 => Self::Replaced,
            4 => Self::Differs,
            5 => Self::Memory(errno),
            6 => Self::Proc(errno),
            7 => Self::Open(errno),
            8 => Self::Map(errno),
            9 => Self::Pages,
            _ => return None,
        })
    }
}

/// Completes "it cannot grow, because".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => f.write_str("the program's code is not mapped from a file, in one piece"),
            Self::Deleted => f.write_str("the program's file was deleted"),
            Self::Replaced => f.write_str("the program's file was replaced by another one"),
            Self::Differs => f.write_str("the program's file does not hold the program's code any more"),
            Self::Memory(errno) => write!(f, "the system gives no more memory ({errno})"),
            Self::Proc(Errno::NOENT) => write!(f, "/proc is not mounted"),
            Self::Proc(errno) => write!(f, "/proc/self/maps cannot be read ({errno})"),
            Self::Open(errno) => write!(f, "the program's file cannot be opened ({errno})"),
            Self::Pages => write!(f, "the system's pages have more than {PAGE} bytes"),
            Self::Map(errno) => write!(f, "the system refuses to map the program's file once more ({errno})"),
        }
    }
}
