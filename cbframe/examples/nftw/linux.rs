//! The program; `main.rs` says what it does.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{env, io};

use cbframe::{CType, PoolFull, cbframe};

/// `struct FTW` of `<ftw.h>`.
#[derive(CType)]
#[repr(C)]
struct Ftw {
    base: c_int,
    level: c_int,
}

type Visit = unsafe extern "C" fn(*const c_char, *const libc::stat, c_int, *mut Ftw) -> c_int;

unsafe extern "C" {
    fn nftw(path: *const c_char, visit: Visit, open_directories: c_int, flags: c_int) -> c_int;
}

/// `FTW_F`: a file. `FTW_D`: a directory, before what is in it.
const FILE: c_int = 0;
const DIRECTORY: c_int = 1;
/// `FTW_PHYS`: do not follow symbolic links.
const PHYSICAL: c_int = 1;

/// What is known when the walk is over.
#[derive(Default)]
struct Census {
    directories: usize,
    deepest: c_int,
    bytes: u64,
    by_extension: BTreeMap<String, (usize, u64)>,
}

/// The state is `&mut`: a walk calls back from one thread, one call at a time, and cbframe checks that it does.
#[cbframe(abi = "C")]
fn visit(
    #[state] census: &mut Census,
    path: *const c_char,
    stat: Option<&libc::stat>,
    kind: c_int,
    position: &mut Ftw,
) -> c_int {
    // SAFETY: `nftw` passes a NUL-terminated path.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    census.deepest = census.deepest.max(position.level);
    match (kind, stat) {
        (DIRECTORY, _) => census.directories += 1,
        (FILE, Some(stat)) => {
            let bytes = u64::try_from(stat.st_size).unwrap_or(0);
            let extension = path.extension().map_or("(none)".into(), |e| e.to_string_lossy().into_owned());
            let entry = census.by_extension.entry(extension).or_default();
            *entry = (entry.0 + 1, entry.1 + bytes);
            census.bytes += bytes;
        }
        _ => {}
    }
    0
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let root = env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let path = CString::new(root.as_str())?;

    let mut census = Census::default();
    let frame = visit::bind(&mut census).map_err(PoolFull::without_state)?;
    // SAFETY: `nftw` calls back before it returns, with what `visit` expects.
    let result = unsafe { nftw(path.as_ptr(), frame.as_fn_of(), 16, PHYSICAL) };
    drop(frame);
    if result != 0 {
        return Err(format!("{root}: {}", io::Error::last_os_error()).into());
    }

    let mut kinds: Vec<_> = census.by_extension.into_iter().collect();
    kinds.sort_by_key(|&(_, (_, bytes))| std::cmp::Reverse(bytes));
    println!("{:>12} {:>8}  extension", "bytes", "files");
    for (extension, (files, bytes)) in kinds.iter().take(12) {
        println!("{bytes:>12} {files:>8}  {extension}");
    }
    println!(
        "{} directories, {} deep, {} bytes in all, under {root}",
        census.directories, census.deepest, census.bytes
    );
    Ok(())
}
