//! Files, and which of them are mapped where.

use core::ffi::CStr;
use core::ops::Range;

use super::{EINTR, Errno, number, syscall};

const CLOSE_ON_EXEC: usize = 0o2_000_000;
const NO_TERMINAL: usize = 0o400;
const NONBLOCK: usize = 0o4000;
const SEEK_END: usize = 2;
const AT_FDCWD: usize = -100_isize as usize;

/// A file, open for reading.
pub(crate) struct File(usize);

impl File {
    /// Opens a file.
    pub(crate) fn open(path: &CStr) -> Result<Self, Errno> {
        let flags = CLOSE_ON_EXEC | NO_TERMINAL | NONBLOCK;
        // SAFETY: the path ends in a NUL.
        retry(|| unsafe { syscall(number::OPENAT, AT_FDCWD, path.as_ptr().addr(), flags) }).map(Self)
    }

    /// Reads up to as many bytes as `buffer` has; 0 at the end of the file.
    fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: the buffer is writable and as long as that.
        retry(|| unsafe { syscall(number::READ, self.0, buffer.as_mut_ptr().addr(), buffer.len()) })
    }

    /// How long the file is.
    pub(crate) fn size(&self) -> Result<usize, Errno> {
        // SAFETY: changes nothing but this file's position.
        Errno::check(unsafe { syscall(number::LSEEK, self.0, 0, SEEK_END) })
    }

    pub(super) fn descriptor(&self) -> usize {
        self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this file's, and is not used again.
        unsafe { syscall(number::CLOSE, self.0, 0, 0) };
    }
}

fn retry(mut call: impl FnMut() -> isize) -> Result<usize, Errno> {
    loop {
        let result = call();
        if result != -EINTR {
            return Errno::check(result);
        }
    }
}

/// A mapping of this process.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mapping<'a> {
    pub(crate) addresses: Range<usize>,
    /// Where in the file it begins.
    pub(crate) offset: usize,
    /// Device and inode, as the kernel writes them: the same for two mappings only if they are of the same file.
    pub(crate) identity: [u64; 3],
    /// The file's path; something else, or nothing, if it is not that of a file.
    pub(crate) path: &'a CStr,
}

/// What is mapped at an address, according to `/proc/self/maps`. `buffer` has room for more than the longest path.
pub(crate) fn mapping_at(address: usize, buffer: &mut [u8]) -> Result<Option<Mapping<'_>>, Errno> {
    let file = File::open(c"/proc/self/maps")?;
    let mut used = 0;
    loop {
        let read = file.read(&mut buffer[used..])?;
        used += read;
        let mut start = 0;
        while let Some(length) = buffer[start..used].iter().position(|&byte| byte == b'\n') {
            let line = start..start + length + 1;
            buffer[start + length] = 0;
            if mapping(&buffer[line.clone()]).is_some_and(|mapping| mapping.addresses.contains(&address)) {
                return Ok(mapping(&buffer[line]));
            }
            start = line.end;
        }
        if read == 0 {
            return Ok(None);
        }
        buffer.copy_within(start..used, 0);
        used -= start;
    }
}

/// A line of `/proc/self/maps`, which ends in a NUL here: `start-end perms offset major:minor inode  path`, all numbers but
/// the inode in base 16.
fn mapping(line: &[u8]) -> Option<Mapping<'_>> {
    let mut rest = line;
    let mut field = |separator: u8, base: u32| {
        let length = rest.iter().position(|&byte| byte == separator)?;
        let digits = &rest[..length];
        rest = &rest[length + 1..];
        digits.iter().try_fold(0_u64, |number, &byte| {
            number.checked_mul(base.into())?.checked_add(char::from(byte).to_digit(base)?.into())
        })
    };
    let (start, end) = (field(b'-', 16)?, field(b' ', 16)?);
    // The permissions are no number.
    let _ = field(b' ', 16);
    let offset = field(b' ', 16)?;
    let identity = [field(b':', 16)?, field(b' ', 16)?, field(b' ', 10)?];
    let path = &rest[rest.iter().position(|&byte| byte != b' ')?..];
    let path = CStr::from_bytes_with_nul(path).ok()?;
    // A file may be larger than memory.
    let offset = usize::try_from(offset).ok()?;
    Some(Mapping { addresses: start as usize..end as usize, offset, identity, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps() {
        // proc(5), with a space in the path.
        let line = b"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/dbus daemon (deleted)\0";
        let path = c"/usr/bin/dbus daemon (deleted)";
        let expected = Mapping { addresses: 0x0040_0000..0x0045_2000, offset: 0x1000, identity: [8, 2, 173_521], path };
        assert_eq!(super::mapping(line), Some(expected));
        let anonymous = b"b2c0d000-b2c2e000 rw-p 00000000 00:00 0 \0";
        let expected = Mapping { addresses: 0xb2c0_d000..0xb2c2_e000, offset: 0, identity: [0; 3], path: c"" };
        assert_eq!(super::mapping(anonymous), Some(expected));
        let bad: [&[u8]; 5] = [
            b"",
            b"00400000",
            b"0040000g-00452000 r-xp 00000000 08:02 1 /a\0",
            b"1-2 r-xp 0 8:2 1",
            b"1-2 r 0 8:2 1 /a",
        ];
        for line in bad {
            assert_eq!(super::mapping(line), None);
        }
    }

    #[test]
    fn this_process_is_mapped() {
        // A buffer shorter than the file, which is read in pieces.
        let mut buffer = [0; 4200];
        let here = lines_of_maps as *const () as usize;
        let mapping = mapping_at(here, &mut buffer).expect("/proc is there").expect("code is mapped");
        assert!(mapping.addresses.contains(&here));
        let path = std::path::Path::new(mapping.path.to_str().expect("UTF-8")).to_path_buf();
        assert_eq!(path, std::env::current_exe().expect("/proc is there"));
        let stack = 0_u8;
        let mapping = mapping_at((&raw const stack).addr(), &mut buffer).expect("/proc is there").expect("mapped");
        assert_eq!(mapping.identity[2], 0);
        assert!(mapping_at(8, &mut buffer).expect("/proc is there").is_none(), "nothing is mapped at page 0");
        let opened = File::open(c"/proc/self/exe").expect("the program's file");
        assert_eq!(opened.size().expect("a size") as u64, std::fs::metadata(path).expect("there").len());
        assert!(File::open(c"/nonexistent").is_err_and(|errno| errno == Errno::NOENT));
    }
}
