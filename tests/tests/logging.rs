//! Loggers: callbacks that get a format and `...`, or a `va_list`, as C libraries pass them. What they print is compared
//! with what `snprintf` prints of the same arguments where C passes them.
#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, reason = "tests")]

#[path = "logging/formats.rs"]
mod formats;
#[path = "logging/printed.rs"]
mod printed;

use std::ffi::{c_char, c_int, c_void};
use std::sync::Mutex;

use cbframe::abi::Abi;
use cbframe::{CStrRef, VaList, cbframe};
use cbframe_tests::child::Library;
use cbframe_tests::system;
use printed::print;

/// What a logger has been told.
#[derive(Default)]
struct Log {
    texts: Mutex<Vec<String>>,
}

impl Log {
    /// Formats in each way that there is, which must agree.
    ///
    /// # Safety
    ///
    /// The arguments are those that the format asks for.
    unsafe fn add(&self, format: *const c_char, mut args: VaList<'_>) {
        // SAFETY: the caller's promise, here and below; each has a list of its own.
        let text = unsafe { args.format(format) };
        // SAFETY: as above.
        let one_by_one = unsafe { print(format, args.clone()) };
        // SAFETY: a format ends in a NUL.
        let written = unsafe { std::ffi::CStr::from_ptr(format) };
        assert_eq!(text, one_by_one, "{written:?}");
        if args.abi() == if cfg!(windows) { Abi::Win64 } else { Abi::SysV64 } {
            let mut copy = args.clone();
            // SAFETY: as above; the buffer is as large as is said.
            assert_eq!(text, unsafe { vsnprintf(format, copy.as_raw()) });
        }
        // SAFETY: `as_raw` gives what a C function would be passed.
        let passed_on = unsafe { VaList::from_raw_of(args.abi(), args.as_raw()) };
        // SAFETY: as above.
        assert_eq!(text, unsafe { passed_on.format(format) });
        self.texts.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.texts.lock().unwrap())
    }
}

unsafe fn vsnprintf(format: *const c_char, args: *mut c_void) -> String {
    unsafe extern "C" {
        fn vsnprintf(to: *mut c_char, size: usize, format: *const c_char, args: *mut c_void) -> c_int;
    }
    let mut text = vec![0_u8; 4096];
    // SAFETY: the caller's promise; so many bytes can be written.
    let length = unsafe { vsnprintf(text.as_mut_ptr().cast(), text.len(), format, args) };
    text.truncate(length.try_into().unwrap());
    String::from_utf8_lossy(&text).into_owned()
}

#[cbframe(abi = "sysv64")]
unsafe fn sysv64(#[state] log: &Log, _level: c_int, format: *const c_char, args: ...) {
    // SAFETY: the caller passes what the format says.
    unsafe { log.add(format, args) }
}

#[cbframe(abi = "win64")]
unsafe fn win64(#[state] log: &Log, _level: c_int, format: *const c_char, args: ...) {
    // SAFETY: the caller passes what the format says.
    unsafe { log.add(format, args) }
}

/// More named arguments than registers, and the list of a C function around it.
#[cbframe(abi = "sysv64")]
unsafe fn sysv64_list(#[state] log: &Log, format: *const c_char, list: *mut c_void) {
    // SAFETY: the caller passes what the format says.
    unsafe { log.add(format, VaList::from_raw_of(Abi::SysV64, list)) }
}

#[cbframe(abi = "win64")]
unsafe fn win64_list(#[state] log: &Log, format: *const c_char, list: *mut c_void) {
    // SAFETY: the caller passes what the format says.
    unsafe { log.add(format, VaList::from_raw_of(Abi::Win64, list)) }
}

type Address = *const c_void;

/// The C side, compiled by each compiler with each of these options; and whether that compiler has System V's lists.
fn libraries() -> Vec<(Library, bool)> {
    let source = formats::source();
    let clang = std::env::var("CBFRAME_CLANG").unwrap_or_else(|_| "clang-19".into());
    let mut libraries = Vec::new();
    for (compiler, target) in [(system::GCC, None), (&*clang, system::CLANG_TARGET)] {
        if compiler != system::GCC && !cfg!(cbt_clang) {
            eprintln!("skipped: no {clang}");
            continue;
        }
        for level in ["-O0", "-O2"] {
            // With unwind tables gcc 12 for Windows ends with an internal error, in `choose_baseaddr`.
            let options = [level, "-Wno-format", "-Wno-overflow", "-fno-asynchronous-unwind-tables"];
            let options: Vec<_> = options.into_iter().chain(target).collect();
            let library = Library::compile_by(compiler, env!("CARGO_TARGET_TMPDIR"), "formats.c", &source, &options);
            libraries.push((library, !cfg!(windows) || compiler == system::GCC));
        }
    }
    libraries
}

/// Calls the C function `name`, which logs each format, and compares.
fn compare(library: &Library, name: &str, log: &Log, callback: Address) {
    // SAFETY: the C function's type.
    let run = unsafe {
        library.function::<unsafe extern "C" fn(Address, extern "C" fn(&Expected, CStrRef<'_>), &Expected)>(name)
    };
    let expected = Expected::default();
    // SAFETY: the callback's type is the one that the C function calls; both live.
    unsafe { run(callback, expect, &expected) };
    let (found, expected) = (log.take(), expected.0.into_inner().unwrap());
    assert_eq!(expected.len(), formats::COUNT);
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "{name}, format {index}: {}", formats::directives(index));
    }
    let long = expected.iter().filter(|text| text.len() > 256).count();
    assert!(long > 0, "some are longer than the first buffer");
}

#[derive(Default)]
struct Expected(Mutex<Vec<String>>);

extern "C" fn expect(expected: &Expected, text: CStrRef<'_>) {
    expected.0.lock().unwrap().push(text.to_string_lossy().into_owned());
}

#[test]
fn formats_behind_dots_and_in_lists() {
    for (library, has_sysv64_lists) in libraries() {
        let log = Log::default();
        compare(&library, "log_sysv64", &log, sysv64::bind(&log).unwrap().as_ptr().cast());
        compare(&library, "log_win64", &log, win64::bind(&log).unwrap().as_ptr().cast());
        if has_sysv64_lists {
            compare(&library, "pass_sysv64", &log, sysv64_list::bind(&log).unwrap().as_ptr().cast());
        }
        compare(&library, "pass_win64", &log, win64_list::bind(&log).unwrap().as_ptr().cast());
    }
}

/// libretro's interface (`retro_log_printf_t`, and the struct that a core asks its frontend for).
const CORE: &str = r#"
#include <stdbool.h>
enum retro_log_level { RETRO_LOG_DEBUG, RETRO_LOG_INFO, RETRO_LOG_WARN, RETRO_LOG_ERROR };
typedef void (*retro_log_printf_t)(enum retro_log_level level, const char *fmt, ...);
struct retro_log_callback { retro_log_printf_t log; };
typedef bool (*retro_environment_t)(unsigned cmd, void *data);
#define RETRO_ENVIRONMENT_GET_LOG_INTERFACE 27

static retro_log_printf_t out;
void retro_set_environment(retro_environment_t environment) {
    struct retro_log_callback logging;
    if (environment(RETRO_ENVIRONMENT_GET_LOG_INTERFACE, &logging)) out = logging.log;
}
bool retro_load_game(const char *path, unsigned long long size) {
    out(RETRO_LOG_INFO, "[core] loading \"%s\", %llu bytes (%.1f KiB)\n", path, size, size / 1024.0);
    for (unsigned bank = 0; bank < 3; bank++)
        out(RETRO_LOG_DEBUG, "[core] bank %u at %#010x, %c%c, gain %+.2f %.2f %.2f %.2f %.2f %.2f %.2f %.2f %.2f\n", bank,
            0x8000u + bank * 0x2000, 'A' + bank, '!', .5, 1., 1.5, 2., 2.5, 3., 3.5, 4., 4.5 + bank);
    out(RETRO_LOG_ERROR, "[core] no firmware\n");
    return false;
}
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq, cbframe::CType)]
#[repr(C)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Default)]
struct Frontend {
    lines: Mutex<Vec<(Level, String)>>,
}

#[cbframe(abi = "C", name = RetroLog)]
unsafe fn retro_log(#[state] frontend: &Frontend, level: Level, format: CStrRef<'_>, args: ...) {
    // SAFETY: a core passes what its format says.
    let text = unsafe { args.format(format.as_ptr()) };
    frontend.lines.lock().unwrap().push((level, text));
}

#[repr(C)]
struct LogInterface {
    log: Option<unsafe extern "C" fn(Level, CStrRef<'_>, ...)>,
}

#[cbframe(abi = "C")]
unsafe fn environment(#[state] log: &LogInterface, command: u32, data: *mut c_void) -> bool {
    if command == 27 {
        // SAFETY: with this command, that is what the core has passed.
        unsafe { data.cast::<LogInterface>().write(LogInterface { log: log.log }) };
    }
    command == 27
}

#[test]
fn a_libretro_core_logs_to_its_frontend() {
    let library = Library::compile(env!("CARGO_TARGET_TMPDIR"), "core.c", CORE, &["-O2"]);
    let frontend = Frontend::default();
    let log = RetroLog::bind(&frontend).unwrap();
    let interface = LogInterface { log: Some(log.as_fn()) };
    let environment = environment::bind(&interface).unwrap();
    // SAFETY: the functions' types; the frames live.
    let loaded = unsafe {
        library.function::<unsafe extern "C" fn(*const ())>("retro_set_environment")(environment.as_ptr());
        library.function::<unsafe extern "C" fn(*const c_char, u64) -> bool>("retro_load_game")(
            c"hänschen.sfc".as_ptr(),
            3072,
        )
    };
    assert!(!loaded);
    let bank = |n: u32, letter, last| {
        let gains = "+0.50 1.00 1.50 2.00 2.50 3.00 3.50 4.00";
        (Level::Debug, format!("[core] bank {n} at {:#010x}, {letter}!, gain {gains} {last}\n", 0x8000 + 0x2000 * n))
    };
    let expected = [
        (Level::Info, "[core] loading \"hänschen.sfc\", 3072 bytes (3.0 KiB)\n".to_owned()),
        bank(0, 'A', "4.50"),
        bank(1, 'B', "5.50"),
        bank(2, 'C', "6.50"),
        (Level::Error, "[core] no firmware\n".to_owned()),
    ];
    assert_eq!(*frontend.lines.lock().unwrap(), expected);
}

/// A list that is walked twice, and in part.
#[cbframe(abi = "C")]
unsafe fn twice(count: c_int, mut args: ...) -> f64 {
    let mut copy = args.clone();
    // SAFETY: the caller passes pairs of an int and a double, as many as it says.
    unsafe {
        let first: f64 = (0..count).map(|_| f64::from(args.arg::<c_int>()) * args.arg::<f64>()).sum();
        let mut middle = copy.clone();
        let second: f64 = (0..count).map(|_| f64::from(copy.arg::<c_int>()) * copy.arg::<f64>()).sum();
        // A copy is as far as its original was.
        let _ = (middle.arg::<c_int>(), middle.arg::<f64>());
        let rest: f64 = (1..count).map(|_| f64::from(middle.arg::<c_int>()) * middle.arg::<f64>()).sum();
        assert_eq!(first, second);
        first * 1000.0 + rest
    }
}

#[test]
fn a_copy_takes_the_same_once_more() {
    // SAFETY: pairs, as many as are said. More than there are registers.
    let sum = unsafe { twice::FN(8, 1, 2.0, 2, 2.0, 3, 2.0, 4, 2.0, 5, 2.0, 6, 2.0, 7, 2.0, 8, 0.5) };
    assert_eq!(sum, 60_058.0);
}

#[derive(Clone, Copy, cbframe::CType)]
#[repr(C)]
struct InMemory {
    bytes: [u8; 20],
}

/// C goes on where Rust has stopped: behind a value that is no multiple of eight bytes.
#[cbframe(abi = "C")]
unsafe fn partly(format: *const c_char, mut args: ...) -> c_int {
    // SAFETY: the caller passes five ints, the struct, and what the format says.
    unsafe {
        let sum = (0..5).map(|_| args.arg::<c_int>()).sum();
        assert_eq!(args.arg::<InMemory>().bytes, [7; 20]);
        assert_eq!(vsnprintf(format, args.as_raw()), "6 seven 8.5");
        sum
    }
}

#[test]
fn c_goes_on_where_rust_has_stopped() {
    let behind = InMemory { bytes: [7; 20] };
    // SAFETY: what the callback takes.
    let sum = unsafe { partly::FN(c"%d %s %.1f".as_ptr(), 1, 2, 3, 4, 5, behind, 6, c"seven".as_ptr(), 8.5) };
    assert_eq!(sum, 15);
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    static TEXT: Mutex<String> = Mutex::new(String::new());
    #[cbframe(abi = "C")]
    unsafe fn log(format: *const c_char, args: ...) {
        // SAFETY: the caller passes a string.
        *TEXT.lock().unwrap() = unsafe { args.format(format) };
    }
    let latin = c"caf\xe9";
    // SAFETY: a string, as the format says.
    unsafe { log::FN(c"<%s>".as_ptr(), latin.as_ptr()) };
    assert_eq!(*TEXT.lock().unwrap(), "<caf\u{fffd}>");
}
