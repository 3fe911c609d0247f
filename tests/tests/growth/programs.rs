//! Programs at fixed addresses and at any, shared libraries, two copies of the library: each finds its own file.

use std::path::{Path, PathBuf};
use std::process::Command;

use cbframe_tests::child::output as run;

const MANIFEST: &str = r#"
[package]
name = "growing"
version = "0.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib", "rlib"]
[workspace]
[dependencies]
cbframe = { path = "ROOT/cbframe" }
second = { path = "ROOT/tests/linkage/second" }
"#;

const LIBRARY: &str = r#"
use std::sync::Mutex;

/// `$name`: binds so many, calls each, and says how many are wrong. Of those that are right it keeps one, and gives its
/// address.
macro_rules! copy {
    ($name:ident $library:ident) => {
        pub mod $name {
            use super::*;
            use $library::{Frame, Pool, cbframe};

            #[cbframe(abi = "C", crate = $library)]
            fn add(#[state] s: &u64, x: u64) -> u64 { s + x }

            type Added = Frame<'static, unsafe extern "C" fn(u64) -> u64, add>;
            static KEPT: Mutex<Vec<Added>> = Mutex::new(Vec::new());

            #[unsafe(export_name = concat!("grow_", stringify!($name)))]
            pub extern "C" fn grow(count: u64, kept: &mut *const ()) -> u64 {
                let mut frames: Vec<_> = (0..count).map(|i| add::bind(i << 8).expect("the pool grows")).collect();
                // SAFETY: the frames live.
                let calls = (0..count).zip(&frames);
                // SAFETY: the frames live.
                let mut wrong = calls.filter(|(i, frame)| unsafe { frame.as_fn()(*i) } != (i << 8) + i).count() as u64;
                wrong += u64::from(Pool::shared().stats().bound as u64 != count);
                wrong += u64::from(Pool::shared().capacity() as u64 <= count - 4096);
                let last = frames.pop().expect("some");
                *kept = last.as_ptr();
                wrong += u64::from($library::resolve(*kept).is_none_or(|found| !found.name().ends_with("::add")));
                KEPT.lock().unwrap().push(last);
                wrong
            }
        }
    };
}
copy!(one cbframe);
copy!(two second);
"#;

const PROGRAM: &str = r#"
use std::ffi::{CString, c_char, c_int, c_void};
use growing::{one, two};

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
}

type Grow = extern "C" fn(u64, &mut *const ()) -> u64;

fn grow(grow: Grow, count: u64) -> *const () {
    let mut kept = std::ptr::null();
    assert_eq!(grow(count, &mut kept), 0);
    kept
}

/// How often the file is mapped to be executed.
fn executable(path: &str) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(" r-xp ") && line.ends_with(path)).count()
}

fn main() {
    let library = std::env::args().nth(1).unwrap();
    let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    let code = executable(&program);
    // Two copies of cbframe in one file, each with stubs of its own.
    let addresses = [grow(one::grow, 10_000), grow(two::grow, 5_000)];
    assert!(cbframe::resolve(addresses[0]).is_some() && second::resolve(addresses[0]).is_none());
    assert!(cbframe::resolve(addresses[1]).is_none() && second::resolve(addresses[1]).is_some());
    // Of three blocks two are empty, of which one was given back; of one none.
    assert_eq!(executable(&program), code + 3 + 1);

    // And a third and a fourth in a library.
    let path = CString::new(library.clone()).unwrap();
    let mut gone = Vec::new();
    for round in 1..3 {
        // SAFETY: a library without constructors of its own.
        let handle = unsafe { dlopen(path.as_ptr(), 2) };
        assert!(!handle.is_null(), "it is loaded");
        let code = executable(&library);
        for name in [c"grow_one", c"grow_two"] {
            // SAFETY: the function is there, and of this type.
            let function = unsafe { std::mem::transmute::<*mut c_void, Grow>(dlsym(handle, name.as_ptr())) };
            let address = grow(function, 6_000);
            assert!(cbframe::resolve(address).is_none() && second::resolve(address).is_none());
            assert!(!gone.contains(&address), "an address of an earlier load is given again");
            gone.push(address);
        }
        assert_eq!(executable(&library), code + 4);
        // SAFETY: nothing of the library is used any more.
        assert_eq!(unsafe { dlclose(handle) }, 0);
        assert_eq!(executable(&library), 4 * round, "the library is gone, its blocks are not");
    }
    // The program's own are as they were.
    for (address, expected) in addresses.into_iter().zip([9_999, 4_999]) {
        // SAFETY: it was kept.
        let f = unsafe { std::mem::transmute::<*const (), extern "C" fn(u64) -> u64>(address) };
        assert_eq!(f(1), (expected << 8) + 1);
    }
    println!("grown");
}
"#;

/// `ET_EXEC` or `ET_DYN` (System V ABI, "ELF Header").
fn elf_type(file: &Path) -> u8 {
    std::fs::read(file).expect("it was built")[16]
}

#[test]
fn each_kind_of_program_grows() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("growing-{}", std::process::id()));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    std::fs::create_dir_all(dir.join("src")).expect("a folder");
    let manifest = MANIFEST.replace("ROOT", root.to_str().expect("UTF-8"));
    for (name, text) in [("Cargo.toml", &manifest[..]), ("src/lib.rs", LIBRARY), ("src/main.rs", PROGRAM)] {
        std::fs::write(dir.join(name), text).expect("written");
    }
    // The same versions of the same packages: nothing needs to be fetched.
    std::fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock")).expect("copied");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&dir).args(arguments).env("CARGO_TARGET_DIR", dir.join("target")).env_remove("RUSTFLAGS");
        run(&mut cargo);
    };
    let (program, library) = (dir.join("target/debug/growing"), dir.join("target/debug/libgrowing.so"));
    cargo(&["build", "--quiet", "--offline", "--jobs", "2", "--lib"]);
    for (model, expected) in [("pie", 3), ("static", 2)] {
        let model = format!("-Crelocation-model={model}");
        cargo(&["rustc", "--quiet", "--offline", "--jobs", "2", "--bin", "growing", "--", &model]);
        assert_eq!(elf_type(&program), expected);
        assert_eq!(run(Command::new(&program).arg(&library)), "grown\n");
    }
    std::fs::remove_dir_all(dir).expect("removed");
}
