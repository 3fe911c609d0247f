//! Where the pool cannot grow it says why, and serves what it has.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cbframe::{Pool, PoolFull};
use cbframe_tests::ban::Ban;
use cbframe_tests::child;

use super::{Added, BLOCK, SEVEN, add, alone, bind, built_with, fill};

/// Fails to bind one more; what the error says.
#[track_caller]
fn refused() -> String {
    let full: Result<Added, PoolFull<_>> = add::bind(&SEVEN);
    let text = full.expect_err("there is no slot").to_string();
    assert!(text.contains("cannot grow, because"), "{text}");
    text
}

/// The static slots serve, all of them, and no other.
#[track_caller]
fn the_static_size_stands(frames: Vec<Added>, why: &str) {
    let text = refused();
    assert!(text.contains(why), "{text}");
    let who = format!("all {0} slots are bound, {0} by `growth::add`, one of them at ", built_with());
    assert!(text.contains(&who) && text.contains("growth.rs"), "{text}");
    assert_eq!(Pool::shared().capacity(), built_with());
    for frame in &frames {
        // SAFETY: the frame lives.
        assert_eq!(unsafe { frame.as_fn()(2) }, 9);
    }
    drop(frames);
    for _ in 0..2 {
        let again = fill();
        assert!(refused().contains(why));
        drop(again);
    }
    assert_eq!((Pool::shared().stats().bound, Pool::shared().capacity()), (0, built_with()));
}

#[test]
fn no_new_executable_mapping() {
    alone("refused::no_new_executable_mapping", || {
        let frames = fill();
        Ban::Executable.begin().expect("the kernel has seccomp");
        the_static_size_stands(frames, "refuses to map the program's file once more (EACCES, error 13)");
    });
}

#[test]
fn no_address_space() {
    alone("refused::no_address_space", || {
        let frames = fill();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is one.
        assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) }, 0);
        let none = libc::rlimit { rlim_cur: 1 << 20, ..limit };
        // SAFETY: as above; what is mapped stays.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const none) }, 0);
        let text = refused();
        // SAFETY: as above.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
        assert!(text.contains("gives no more memory (ENOMEM, error 12)"), "{text}");
        // It asks again.
        let more: Vec<_> = (0..BLOCK).map(|_| bind()).collect();
        assert_eq!(Pool::shared().stats().bound, frames.len() + more.len());
    });
}

#[test]
fn no_proc() {
    alone("refused::no_proc", || {
        let frames = fill();
        // What `open` says where nothing is mounted at /proc.
        refuse_open();
        the_static_size_stands(frames, "/proc is not mounted");
    });
}

/// By a seccomp filter: `openat` fails with `ENOENT`.
fn refuse_open() {
    use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};
    let instruction = |code: u32, k: u32, jf: u8| sock_filter { code: code as u16, jt: 0, jf, k };
    let mut filter = [
        instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0),
        instruction(BPF_JMP | BPF_JEQ | BPF_K, libc::SYS_openat as u32, 1),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | libc::ENOENT as u32, 0),
        instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: a filter of that length. Only this thread's calls are looked at.
    let set = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
    };
    assert_eq!(set, 0);
}

/// Runs `test` in a copy of this program, which may do with its file what it likes.
#[track_caller]
fn in_a_copy(test: &str, body: impl FnOnce(&Path)) {
    let program = std::env::current_exe().expect("it has a path");
    if child::case().is_some() {
        body(&program);
        println!("\nended=well");
        return;
    }
    let name = test.replace("::", "-");
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    // By another process: a child that a second test starts at this moment would inherit our open file, and a
    // program that anybody holds open for writing does not run (`ETXTBSY`).
    assert!(Command::new("cp").arg(&program).arg(&copy).status().expect("cp runs").success());
    let original = child::command(test, "copy");
    let mut command = Command::new(&copy);
    command.args(original.get_args());
    command.envs(original.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = command.output().expect("the copy runs");
    for left in [copy.clone(), copy.with_extension("other")] {
        // It may be gone.
        let _ = fs::remove_file(left);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("ended=well"), "{output:?}");
}

#[test]
fn a_deleted_program() {
    in_a_copy("refused::a_deleted_program", |program| {
        let frames = fill();
        fs::remove_file(program).expect("deleted");
        the_static_size_stands(frames, "the program's file was deleted");
    });
}

/// As package managers do it: the new file takes the old one's name.
#[test]
fn a_replaced_program() {
    in_a_copy("refused::a_replaced_program", |program| {
        let frames = fill();
        let other = program.with_extension("other");
        fs::copy(program, &other).expect("copied");
        fs::rename(&other, program).expect("renamed");
        // The same bytes, but nobody has said so.
        the_static_size_stands(frames, "the program's file was replaced by another one");
    });
}

/// A file whose name is the one that `/proc/self/maps` shows for a deleted program is not that program.
#[test]
fn a_program_that_is_only_named_deleted() {
    in_a_copy("refused::a_program_that_is_only_named_deleted", |program| {
        let frames = fill();
        let other = PathBuf::from(format!("{} (deleted)", program.display()));
        fs::copy(program, &other).expect("copied");
        fs::remove_file(program).expect("deleted");
        let text = refused();
        fs::remove_file(other).expect("deleted");
        assert!(text.contains("the program's file was replaced by another one"), "{text}");
        the_static_size_stands(frames, "the program's file was deleted");
    });
}

/// A program that was moved is still the same.
#[test]
fn a_moved_program() {
    in_a_copy("refused::a_moved_program", |program| {
        let mut frames = fill();
        fs::rename(program, program.with_extension("other")).expect("renamed");
        frames.extend((0..2 * BLOCK).map(|i| add::bind(i as u64).expect("the pool grows")));
        for (i, frame) in frames[built_with()..].iter().enumerate() {
            // SAFETY: the frame lives.
            assert_eq!(unsafe { frame.as_fn()(1) }, i as u64 + 1);
        }
    });
}

/// Blocks that the program has stay when its file goes, and are used again after they were given back.
#[test]
fn a_program_that_is_deleted_after_it_has_grown() {
    in_a_copy("refused::a_program_that_is_deleted_after_it_has_grown", |program| {
        let _fixed = fill();
        for round in 0..3 {
            let mut frames: Vec<_> =
                (0..3 * BLOCK).map(|i| add::bind(i as u64 * round).expect("three blocks are there")).collect();
            if round == 0 {
                fs::remove_file(program).expect("deleted");
            }
            let text = refused();
            assert!(text.contains("the program's file was deleted"), "{text}");
            for (i, frame) in frames.iter().enumerate() {
                // SAFETY: the frame lives.
                assert_eq!(unsafe { frame.as_fn()(1) }, i as u64 * round + 1);
            }
            frames.clear();
            assert_eq!(Pool::shared().capacity(), built_with() + BLOCK, "two were given back");
        }
    });
}

/// Code that somebody has changed in memory, as debuggers do, is not what the file holds.
#[test]
fn a_changed_program() {
    alone("refused::a_changed_program", || {
        let frames = fill();
        let stub = template() as u64;
        // Here the kernel lets a process write to its own code, as to that of one that it debugs.
        let memory = fs::OpenOptions::new().read(true).write(true).open("/proc/self/mem").expect("/proc is there");
        let mut before = [0];
        memory.read_exact_at(&mut before, stub).expect("it is mapped");
        memory.write_all_at(&[0xcc], stub).expect("it may be written");
        let text = refused();
        assert!(text.contains("the program's file does not hold the program's code any more"), "{text}");
        memory.write_all_at(&before, stub).expect("it may be written");
        drop(bind());
        assert_eq!(Pool::shared().capacity(), frames.len() + BLOCK);
    });
}

/// The block of stubs in this program's code: 64 KiB that are the same 16 bytes again and again.
fn template() -> usize {
    // Intel SDM: `endbr64`; `push [rip + 0xfffe]`; `jmp [rip + 0xfff0]`.
    const STUB: [u8; 16] = [0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x35, 0xfe, 0xff, 0, 0, 0xff, 0x25, 0xf0, 0xff, 0, 0];
    let program = std::env::current_exe().expect("it has a path");
    let program = program.to_str().expect("UTF-8");
    let line = super::maps().into_iter().find(|line| line.contains(" r-xp ") && line.ends_with(program));
    let line = line.expect("the program has code");
    let (start, end) = line.split_once(' ').and_then(|(range, _)| range.split_once('-')).expect("a range");
    let parse = |text| usize::from_str_radix(text, 16).expect("a number");
    let pages = (parse(start)..parse(end) - (BLOCK * 16 - 1)).step_by(4096);
    // SAFETY: within the code.
    let code = |page| unsafe { std::slice::from_raw_parts(page as *const u8, BLOCK * 16) };
    let mut found = pages.filter(|&page| code(page).chunks_exact(16).all(|stub| stub == STUB));
    found.next().expect("the block is in the program")
}
