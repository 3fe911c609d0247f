//! libc calls back: comparators and walkers, functions at exit and a signal handler, none of which get user data.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::cmp::Ordering;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};
use std::{env, mem, process, slice};

use cbframe::{CType, bind_static, cbframe};

/// A directory for one test, removed with what is in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("cbframe-{test}-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// A text whose suffixes are sorted: an element is no more than the number of the byte where a suffix begins.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn suffix(&self, start: u32) -> &[u8] {
        &self.0[start as usize..]
    }
}

#[cbframe(abi = "C")]
fn compare_suffixes(#[state] text: &Text<'_>, a: &u32, b: &u32) -> c_int {
    text.suffix(*a).cmp(text.suffix(*b)) as c_int
}

/// Where a word is, as seen from a suffix: 0 if the suffix begins with it.
#[cbframe(abi = "C")]
fn compare_word(#[state] text: &Text<'_>, word: &&str, suffix: &u32) -> c_int {
    let suffix = text.suffix(*suffix);
    if suffix.starts_with(word.as_bytes()) { 0 } else { word.as_bytes().cmp(suffix) as c_int }
}

/// Full-text search in numbers only: `qsort` and `bsearch` look up the text in the state.
#[test]
fn qsort_and_bsearch_search_a_text() {
    let source = include_str!("libc.rs");
    let text = Text(source.as_bytes());
    let mut suffixes: Vec<u32> = (0..source.len() as u32).rev().collect();
    let (count, size) = (suffixes.len(), size_of::<u32>());

    let frame = compare_suffixes::bind(&text).unwrap();
    // SAFETY: `qsort` calls back before it returns, with the addresses of two elements.
    unsafe { libc::qsort(suffixes.as_mut_ptr().cast(), count, size, frame.as_fn_of()) };
    drop(frame);
    assert!(suffixes.is_sorted_by_key(|&start| &source.as_bytes()[start as usize..]));

    let frame = compare_word::bind(&text).unwrap();
    for word in ["qsort", "#[test]", "e", "//! libc calls", "fn main\u{28}"] {
        let (key, base) = ((&raw const word).cast(), suffixes.as_ptr());
        // SAFETY: `bsearch` calls back before it returns, with the key and the address of an element.
        let found = unsafe { libc::bsearch(key, base.cast(), count, size, frame.as_fn_of()) };
        let mut places: Vec<u32> = Vec::new();
        if !found.is_null() {
            let at = (found.addr() - base.addr()) / size;
            let has_word = |start: &&u32| source.as_bytes()[**start as usize..].starts_with(word.as_bytes());
            places.extend(suffixes[at..].iter().take_while(has_word));
            places.extend(suffixes[..at].iter().rev().take_while(has_word));
            places.sort();
        }
        let expected: Vec<u32> = source.match_indices(word).map(|(at, _)| at as u32).collect();
        assert_eq!(places, expected, "{word}");
    }
}

type Filter = unsafe extern "C" fn(*const libc::dirent) -> c_int;
type Compare = unsafe extern "C" fn(*mut *const libc::dirent, *mut *const libc::dirent) -> c_int;

unsafe extern "C" {
    fn scandir(
        directory: *const c_char,
        list: *mut *mut *mut libc::dirent,
        filter: Option<Filter>,
        compare: Option<Compare>,
    ) -> c_int;
    fn versionsort(a: *mut *const libc::dirent, b: *mut *const libc::dirent) -> c_int;
}

fn name_of(entry: &libc::dirent) -> &str {
    // SAFETY: a name is a C string.
    unsafe { CStr::from_ptr(entry.d_name.as_ptr()) }.to_str().unwrap()
}

/// Names with one of these extensions.
struct Extensions(Vec<&'static str>);

#[cbframe(abi = "C")]
fn has_extension(#[state] wanted: &Extensions, entry: &libc::dirent) -> c_int {
    name_of(entry).rsplit_once('.').is_some_and(|(_, extension)| wanted.0.contains(&extension)).into()
}

/// How names are ordered.
enum Order {
    /// Numbers within a name count as numbers.
    Natural,
    /// As a list says; all others after those.
    Listed(&'static [&'static str]),
}

impl Order {
    fn compare(&self, a: &str, b: &str) -> Ordering {
        /// The text before a number, the number, and the rest.
        fn split(name: &str) -> (&str, Option<u64>, &str) {
            let start = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
            let digits = name[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len() - start);
            (&name[..start], name[start..start + digits].parse().ok(), &name[start + digits..])
        }
        match self {
            Self::Natural => split(a).cmp(&split(b)),
            Self::Listed(list) => {
                let place = |name| list.iter().position(|listed| *listed == name).unwrap_or(list.len());
                place(a).cmp(&place(b)).then_with(|| a.cmp(b))
            }
        }
    }
}

#[cbframe(abi = "C")]
fn compare_names(#[state] order: &Order, a: &&libc::dirent, b: &&libc::dirent) -> c_int {
    order.compare(name_of(a), name_of(b)) as c_int
}

/// The names that `scandir` finds.
///
/// # Safety
///
/// The functions may be called as `scandir` does.
unsafe fn scan(directory: &Path, filter: Option<Filter>, compare: Option<Compare>) -> Vec<String> {
    let (path, mut list) = (c_path(directory), null_mut());
    // SAFETY: the caller's promise; `scandir` allocates the list and its entries.
    unsafe {
        let count = scandir(path.as_ptr(), &raw mut list, filter, compare);
        let entries = slice::from_raw_parts(list, usize::try_from(count).expect("the directory can be read"));
        let names = entries.iter().map(|&entry| name_of(&*entry).to_owned()).collect();
        entries.iter().for_each(|&entry| libc::free(entry.cast()));
        libc::free(list.cast());
        names
    }
}

#[test]
fn scandir_filters_and_sorts() {
    let scratch = Scratch::new("scandir");
    for name in ["part10.txt", "part9.txt", "part100.md", "part2.txt", "notes.md", "part2.bin", "a", "b7.md"] {
        File::create(scratch.0.join(name)).unwrap();
    }

    let texts = has_extension::bind(Extensions(vec!["txt", "md"])).unwrap();
    let natural = compare_names::bind(Order::Natural).unwrap();
    let listed = compare_names::bind(Order::Listed(&["part9.txt", "notes.md"])).unwrap();
    // SAFETY: the frames live.
    let (ours, of_libc, listed) = unsafe {
        (
            scan(&scratch.0, texts.as_fn_of(), natural.as_fn_of()),
            scan(&scratch.0, texts.as_fn_of(), Some(versionsort)),
            scan(&scratch.0, texts.as_fn_of(), listed.as_fn_of()),
        )
    };
    assert_eq!(ours, of_libc);
    assert_eq!(ours, ["b7.md", "notes.md", "part2.txt", "part9.txt", "part10.txt", "part100.md"]);
    assert_eq!(listed, ["part9.txt", "notes.md", "b7.md", "part10.txt", "part100.md", "part2.txt"]);
}

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

/// `FTW_F`: a file.
const FILE: c_int = 0;

/// The files of a walk, until one of them has a name that is looked for.
struct Walk {
    wanted: Option<&'static str>,
    files: Vec<(PathBuf, u64, c_int)>,
}

#[cbframe(abi = "C")]
fn visit(#[state] walk: &mut Walk, path: *const c_char, stat: &libc::stat, kind: c_int, place: &Ftw) -> c_int {
    // SAFETY: `nftw` passes a path.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    if kind == FILE {
        walk.files.push((Path::new(OsStr::from_bytes(path)).to_owned(), stat.st_size as u64, place.level));
    }
    let name = str::from_utf8(&path[place.base as usize..]).ok();
    if walk.wanted.is_some() && walk.wanted == name { 42 } else { 0 }
}

#[test]
fn nftw_walks_and_stops() {
    fn files(directory: &Path, level: c_int) -> Vec<(PathBuf, u64, c_int)> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
        let list = |entry: fs::DirEntry| match entry.metadata().unwrap() {
            found if found.is_dir() => files(&entry.path(), level + 1),
            found => vec![(entry.path(), found.len(), level)],
        };
        entries.flat_map(list).collect()
    }

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let walk = |wanted| {
        let mut walk = Walk { wanted, files: Vec::new() };
        let frame = visit::bind(&mut walk).unwrap();
        // SAFETY: `nftw` calls back before it returns.
        let result = unsafe { nftw(c_path(root).as_ptr(), frame.as_fn_of(), 8, 0) };
        drop(frame);
        (result, walk.files)
    };

    let (result, mut found) = walk(None);
    let mut expected = files(root, 1);
    found.sort();
    expected.sort();
    assert_eq!((result, found), (0, expected));

    let (result, found) = walk(Some("libc.rs"));
    assert_eq!(result, 42, "what the callback returned");
    assert!(found.last().unwrap().0.ends_with("libc.rs"), "it was not called again");
}

/// Removes a directory.
#[cbframe(abi = "C")]
fn remove(#[state] directory: &PathBuf) {
    fs::remove_dir_all(directory).unwrap();
}

/// A line for a file.
struct Line {
    file: PathBuf,
    text: String,
}

#[cbframe(abi = "C")]
fn append(#[state] line: &Line) {
    let mut file = File::options().append(true).create(true).open(&line.file).unwrap();
    writeln!(file, "{}", line.text).unwrap();
}

/// The environment variable that makes [`atexit_calls_in_reverse`] the process that exits.
const DIRECTORY: &str = "CBFRAME_ATEXIT_DIRECTORY";

/// At exit, functions are called in the reverse order of their registration (C11, 7.22.4.4).
#[test]
fn atexit_calls_in_reverse() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        let file = Path::new(&directory).join("log");
        let line =
            |text| append::leak(Line { file: file.clone(), text: format!("{text} of {}", process::id()) }).unwrap();
        let work = Path::new(&directory).join("work");
        fs::create_dir(&work).unwrap();
        fs::write(work.join("file"), "text").unwrap();
        for function in [line("first"), line("second"), remove::leak(work).unwrap(), line("third")] {
            // SAFETY: leaked callbacks may be called at any time.
            assert_eq!(unsafe { libc::atexit(function) }, 0);
        }
        process::exit(3);
    }

    let scratch = Scratch::new("atexit");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["atexit_calls_in_reverse", "--exact"]).env(DIRECTORY, &scratch.0).stdout(Stdio::null());
    let mut child = child.spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let log = fs::read_to_string(scratch.0.join("log")).unwrap();
    let expected = ["third", "second", "first"].map(|text| format!("{text} of {}\n", child.id()));
    assert_eq!(log, expected.concat());
    assert!(!scratch.0.join("work").exists());
}

/// What a signal handler tells the program. A handler may run between any two instructions, so it may do little:
/// atomics, and the few functions that POSIX lists as async-signal-safe, of which `write` is one.
struct Mailbox {
    count: AtomicU32,
    /// The end of a pipe to write to.
    pipe: AtomicI32,
}

#[cbframe(abi = "C")]
fn on_signal(#[state] mailbox: &Mailbox, signal: c_int, info: &libc::siginfo_t, _context: *mut c_void) {
    mailbox.count.fetch_add(1, Relaxed);
    // SAFETY: the signals of this test are queued with a value.
    let letter = [signal, unsafe { info.si_value() }.sival_ptr.addr() as c_int];
    // SAFETY: `errno` is this thread's; the letter is readable, and so short that a pipe takes all of it or nothing.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(mailbox.pipe.load(Relaxed), letter.as_ptr().cast(), size_of_val(&letter));
        *libc::__errno_location() = errno;
    }
}

unsafe extern "C" {
    fn pthread_sigqueue(thread: libc::pthread_t, signal: c_int, value: libc::sigval) -> c_int;
}

/// One handler, two mailboxes: each address of the handler is a constant, with a `static` for a state.
#[test]
fn signals_arrive_in_their_mailboxes() {
    static MAILBOXES: [Mailbox; 2] = [const { Mailbox { count: AtomicU32::new(0), pipe: AtomicI32::new(-1) } }; 2];
    const HANDLERS: [extern "C" fn(c_int, &libc::siginfo_t, *mut c_void); 2] =
        [bind_static!(on_signal, MAILBOXES[0]), bind_static!(on_signal, MAILBOXES[1])];

    let signals = [libc::SIGRTMIN(), libc::SIGRTMIN() + 1];
    let pipes = [0, 1].map(|i| {
        let (reader, writer) = io::pipe().unwrap();
        MAILBOXES[i].pipe.store(writer.as_raw_fd(), Relaxed);
        // SAFETY: zeros are a `sigaction`, which is then filled in; the handler does only what a handler may.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = HANDLERS[i] as libc::sighandler_t;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
            assert_eq!(libc::sigaction(signals[i], &raw const action, null_mut()), 0);
        }
        (reader, writer)
    });

    // A signal for the thread itself arrives before the call returns.
    for value in 1..=30 {
        let signal = signals[usize::from(value % 3 == 0)];
        let value = libc::sigval { sival_ptr: without_provenance_mut(value) };
        // SAFETY: the thread is this one.
        assert_eq!(unsafe { pthread_sigqueue(libc::pthread_self(), signal, value) }, 0);
    }
    assert_eq!(MAILBOXES.each_ref().map(|mailbox| mailbox.count.load(Relaxed)), [20, 10]);

    for (signal, (mut reader, writer)) in signals.into_iter().zip(pipes) {
        // SAFETY: the handler is not needed any more.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
        drop(writer);
        let mut letters = Vec::new();
        reader.read_to_end(&mut letters).unwrap();
        let of_this = |value: &i32| signals[usize::from(value % 3 == 0)] == signal;
        let expected = (1..=30).filter(of_this).flat_map(|value| [signal, value]).flat_map(i32::to_ne_bytes);
        assert_eq!(letters, Vec::from_iter(expected));
    }
}
