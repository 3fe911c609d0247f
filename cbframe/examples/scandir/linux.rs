//! The program; `main.rs` says what it does.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::error::Error;
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, io, ptr, slice};

use cbframe::{PoolFull, cbframe};

type Filter = unsafe extern "C" fn(*const libc::dirent) -> c_int;
type Compare = unsafe extern "C" fn(*mut *const libc::dirent, *mut *const libc::dirent) -> c_int;

unsafe extern "C" {
    fn scandir(path: *const c_char, list: *mut *mut *mut libc::dirent, filter: Filter, compare: Compare) -> c_int;
}

/// What entries are sorted by.
enum Key {
    Name,
    Size,
    Age,
}

/// What is wanted, and what is known of the entries so far.
struct Listing {
    directory: PathBuf,
    extension: Option<String>,
    key: Key,
    /// By name: the filter asks the system once, and the order does not.
    known: Mutex<HashMap<PathBuf, Metadata>>,
}

impl Listing {
    fn compare(&self, a: &libc::dirent, b: &libc::dirent) -> Ordering {
        let known = self.known.lock().expect("no callback panics");
        let (a_known, b_known) = (&known[name(a)], &known[name(b)]);
        let by_key = match self.key {
            Key::Name => Ordering::Equal,
            Key::Size => b_known.len().cmp(&a_known.len()),
            Key::Age => a_known.modified().ok().cmp(&b_known.modified().ok()),
        };
        by_key.then_with(|| name(a).cmp(name(b)))
    }
}

fn name(entry: &libc::dirent) -> &Path {
    // SAFETY: the name of an entry is NUL-terminated.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(entry.d_name.as_ptr()) }.to_bytes()))
}

#[cbframe(abi = "C")]
fn is_wanted(#[state] listing: &Listing, entry: &libc::dirent) -> c_int {
    let path = listing.directory.join(name(entry));
    let wanted = listing.extension.as_ref().is_none_or(|wanted| path.extension() == Some(OsStr::new(wanted)));
    let Ok(metadata) = path.symlink_metadata() else { return 0 };
    listing.known.lock().expect("no callback panics").insert(name(entry).to_owned(), metadata);
    wanted.into()
}

#[cbframe(abi = "C")]
fn compare(#[state] listing: &Listing, a: &&libc::dirent, b: &&libc::dirent) -> c_int {
    listing.compare(a, b) as c_int
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let listing = arguments()?;
    let path = CString::new(listing.directory.as_os_str().as_bytes())?;

    let filter = is_wanted::bind(&listing).map_err(PoolFull::without_state)?;
    let order = compare::bind(&listing).map_err(PoolFull::without_state)?;
    let mut list = ptr::null_mut();
    // SAFETY: `scandir` calls back before it returns, with entries and with the addresses of pointers to them.
    let count = unsafe { scandir(path.as_ptr(), &raw mut list, filter.as_fn_of(), order.as_fn_of()) };
    drop((filter, order));
    let Ok(count) = usize::try_from(count) else {
        return Err(format!("{}: {}", listing.directory.display(), io::Error::last_os_error()).into());
    };

    let known = listing.known.into_inner()?;
    // SAFETY: `scandir` allocated the list with so many entries.
    for &entry in unsafe { slice::from_raw_parts(list, count) } {
        // SAFETY: an entry of the list, which lives until it is freed.
        let name = name(unsafe { &*entry });
        println!("{:>12}  {}", known[name].len(), name.display());
        // SAFETY: it is not used again.
        unsafe { libc::free(entry.cast()) };
    }
    // SAFETY: as above.
    unsafe { libc::free(list.cast()) };
    Ok(())
}

/// What the command line asks for.
fn arguments() -> Result<Listing, Box<dyn Error>> {
    let mut listing =
        Listing { directory: PathBuf::from("."), extension: None, key: Key::Name, known: Mutex::default() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--by" => {
                listing.key = match arguments.next().as_deref() {
                    Some("name") => Key::Name,
                    Some("size") => Key::Size,
                    Some("age") => Key::Age,
                    _ => return Err("--by takes name, size or age".into()),
                }
            }
            "--extension" => listing.extension = Some(arguments.next().ok_or("--extension takes a name")?),
            path => listing.directory = PathBuf::from(path),
        }
    }
    Ok(listing)
}
