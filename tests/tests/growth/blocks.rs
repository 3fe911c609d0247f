//! Blocks that come and go, and what a slot of one is like.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use cbframe::{CpuState, Pool, PoolFull, cbframe, resolve};
use cbframe_tests::child;

use super::{Added, BLOCK, add, alone, bind, built_with, fill, maps, permissions, private};

/// As `map_block` in the library has it: stubs and slots, 40 bytes for each record, a page for the free map.
const MAPPED: usize = BLOCK * (16 + 16 + 40) + 4096;

/// How many mappings of this program's file are blocks of stubs.
fn blocks() -> usize {
    let program = std::env::current_exe().expect("it has a path");
    let program = program.to_str().expect("UTF-8");
    let executable = maps().iter().filter(|line| line.contains(" r-xp ") && line.ends_with(program)).count();
    // The program's own.
    executable - 1
}

#[test]
fn a_block_is_mapped_when_no_slot_is_left_and_not_before() {
    alone("blocks::a_block_is_mapped_when_no_slot_is_left_and_not_before", || {
        let mut frames = fill();
        let last = frames.pop();
        assert_eq!(blocks(), 0);
        drop(last);
        for _ in 0..3 * built_with() {
            drop(bind());
        }
        assert_eq!(blocks(), 0, "one slot is enough for one at a time");
        frames.extend([bind(), bind()]);
        assert_eq!((blocks(), Pool::shared().capacity()), (1, built_with() + BLOCK));
        for _ in 0..3 * BLOCK {
            drop(bind());
        }
        assert_eq!(blocks(), 1);
        frames.extend((1..BLOCK).map(|_| bind()));
        assert_eq!((blocks(), Pool::shared().stats().bound), (1, built_with() + BLOCK));
        frames.push(bind());
        assert_eq!(blocks(), 2);
        // Each has an address of its own, and each is called.
        let addresses: HashSet<_> = frames.iter().map(|frame| frame.as_ptr()).collect();
        assert_eq!(addresses.len(), frames.len());
        for frame in &frames {
            // SAFETY: the frame lives.
            assert_eq!(unsafe { frame.as_fn()(1) }, 8);
        }
    });
}

#[test]
fn slots_that_were_given_back_are_bound_again() {
    alone("blocks::slots_that_were_given_back_are_bound_again", || {
        let mut frames = fill();
        frames.extend((0..2 * BLOCK).map(|_| bind()));
        let capacity = Pool::shared().capacity();
        let addresses: HashSet<_> = frames.iter().map(|frame| frame.as_ptr()).collect();
        // Some of each block, so that none becomes empty; again and again.
        for round in 0..20 {
            let mut kept = Vec::new();
            for (i, frame) in frames.drain(..).enumerate() {
                if i % 7 == round % 7 {
                    kept.push(frame);
                }
            }
            let freed = capacity - kept.len();
            assert_eq!((Pool::shared().stats().bound, Pool::shared().capacity()), (kept.len(), capacity));
            kept.extend((0..freed).map(|_| bind()));
            assert!(kept.iter().all(|frame| addresses.contains(&frame.as_ptr())));
            assert_eq!((kept.len(), Pool::shared().capacity()), (capacity, capacity));
            frames = kept;
        }
        let stats = Pool::shared().stats();
        assert_eq!((stats.bound, stats.retired), (capacity, 0));
        let again: HashSet<_> = frames.iter().map(|frame| frame.as_ptr()).collect();
        assert_eq!(again.len(), capacity, "each once");
    });
}

#[test]
#[cfg_attr(any(target_arch = "aarch64", target_arch = "riscv64"), ignore = "the emulator counts memory of its own")]
fn empty_blocks_are_given_back_but_one() {
    alone("blocks::empty_blocks_are_given_back_but_one", || {
        let fixed = fill();
        let mut frames: Vec<Option<Added>> = (0..10 * BLOCK).map(|_| None).collect();
        let mut seen = HashSet::with_capacity(10 * BLOCK);
        let before = private();
        for round in 0..3 {
            for frame in &mut frames {
                let bound = bind();
                // SAFETY: the frame lives.
                assert_eq!(unsafe { bound.as_fn()(3) }, 10);
                // The addresses are used again, and only they.
                assert!(seen.insert(bound.as_ptr()) || round > 0);
                *frame = Some(bound);
            }
            assert_eq!(seen.len(), frames.len());
            assert!(private() - before > 10 * BLOCK * (16 + 5 * size_of::<usize>()));
            assert_eq!(Pool::shared().capacity(), built_with() + 10 * BLOCK);
            frames.fill_with(|| None);
            assert_eq!(Pool::shared().capacity(), built_with() + BLOCK, "one block is kept");
            // Of the other nine, the page with the free map. `seen` has touched its own memory meanwhile.
            let left = private() - before;
            assert!(left < MAPPED + 9 * 4096 + seen.capacity() * 32, "{left} bytes are left");
            assert_eq!(Pool::shared().live().count(), fixed.len());
            assert_eq!(blocks(), 10);
        }
        for address in seen {
            // Forgotten, or remembered as not bound.
            assert!(resolve(address).is_none_or(|found| !found.is_bound()));
        }
    });
}

/// At each edge of a block: a process that asks for or gives back memory is killed here.
#[test]
#[cfg_attr(any(target_arch = "aarch64", target_arch = "riscv64"), ignore = "the emulator has no seccomp")]
fn nothing_is_mapped_or_given_back_at_the_edge_of_a_block() {
    alone("blocks::nothing_is_mapped_or_given_back_at_the_edge_of_a_block", || {
        let mut frames = fill();
        frames.extend((0..2 * BLOCK).map(|_| bind()));
        // One more than fits: a third block.
        drop(bind());
        frames.reserve(4 * BLOCK);
        kill_if_mapping_changes();
        for _ in 0..1000 {
            // Across the edge and back, by one and by two.
            let one = bind();
            drop((bind(), bind()));
            drop(one);
            let last = frames.split_off(frames.len() - 2);
            frames.extend(last);
        }
        for _ in 0..100 {
            // The second block empties, and fills.
            frames.truncate(frames.len() - BLOCK + 1);
            frames.extend((1..BLOCK).map(|_| bind()));
        }
        println!("\nended=well");
        // SAFETY: ends the process at once; what else there is to do would give memory back.
        unsafe { libc::_exit(0) };
    });
}

/// By a seccomp filter: `mmap`, `munmap`, `mremap`, `mprotect` and `madvise` kill the process.
fn kill_if_mapping_changes() {
    use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};
    let instruction = |code: u32, k: u32, jt: u8| sock_filter { code: code as u16, jt, jf: 0, k };
    let calls = [libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_mprotect, libc::SYS_madvise];
    let mut filter = vec![instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0)];
    for (i, call) in calls.iter().enumerate() {
        filter.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, *call as u32, (calls.len() - i) as u8));
    }
    filter.push(instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0));
    filter.push(instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_KILL_PROCESS, 0));
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: a filter of that length. Only this thread's calls are looked at.
    let set = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
    };
    assert_eq!(set, 0);
}

#[test]
#[cfg_attr(any(target_arch = "aarch64", target_arch = "riscv64"), ignore = "the emulator maps shared memory once only")]
fn stale_calls_are_reported() {
    const TEST: &str = "blocks::stale_calls_are_reported";
    #[cbframe(abi = "C")]
    fn late(#[state] s: &u64) -> u64 {
        *s
    }
    let Some(case) = child::case() else {
        child::run(TEST, "dropped")
            .assert_aborted("dropped", &["`growth::blocks::late`", "blocks.rs", "dropped by thread"]);
        child::run(TEST, "freed").assert_aborted("freed", &["`growth::blocks::late`", "freed at", "blocks.rs"]);
        child::run(TEST, "given back")
            .assert_aborted("given back", &["a call to a callback that is not bound any more", "its block"]);
        return;
    };
    let _fixed = fill();
    let more: Vec<Added> = (0..2 * BLOCK).map(|_| bind()).collect();
    let frame = late::bind(5).expect("the pool grows");
    let f = frame.as_fn();
    // SAFETY: the frame lives.
    assert_eq!(unsafe { f() }, 5);
    match &case[..] {
        "dropped" => drop(frame),
        "freed" => frame.free(),
        _ => {
            // The last of three blocks becomes empty after the first.
            let (mut first, mut second) = (more, Vec::new());
            second.extend(first.drain(BLOCK..));
            drop(first);
            assert_eq!(Pool::shared().capacity(), built_with() + 3 * BLOCK);
            drop(frame);
            assert_eq!(Pool::shared().capacity(), built_with() + 2 * BLOCK);
            assert!(resolve(f as *const ()).is_none());
            assert_eq!(permissions(f as *const ()).as_deref(), Some("r-xp"));
            // SAFETY: none; that is what is tested.
            unsafe { f() };
            unreachable!();
        }
    }
    // SAFETY: none; that is what is tested.
    unsafe { f() };
}

/// Panics, `&mut` states, captured registers: whatever a slot serves, it serves in a block.
#[test]
fn every_kind_of_callback_works_in_a_block() {
    #[cbframe(abi = "C-unwind")]
    fn thrower(#[state] s: &u64, x: u64) -> u64 {
        resume_unwind(Box::new(*s + x))
    }
    #[cbframe(abi = "C-unwind", entry = "captured")]
    fn captured_thrower(#[state] s: &u64, x: u64) -> u64 {
        resume_unwind(Box::new(*s + x))
    }
    #[cfg_attr(target_arch = "x86_64", cbframe(abi = "sysv64-unwind", entry = "stack"))]
    #[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "C-unwind"))]
    fn stack_thrower(#[state] s: &u64, x: u64) -> u64 {
        resume_unwind(Box::new(*s + x))
    }
    #[cbframe(abi = "C")]
    fn exclusive(#[state] s: &mut u64, x: u64) -> u64 {
        *s += x;
        *s
    }
    #[cfg_attr(target_arch = "x86_64", cbframe(abi = "win64"))]
    #[cfg_attr(not(target_arch = "x86_64"), cbframe(abi = "system"))]
    fn windows(#[state] s: &u64, #[cpu] cpu: &mut CpuState, x: u64) -> u64 {
        #[cfg(target_arch = "x86_64")]
        assert_eq!(cpu.rcx, x);
        #[cfg(target_arch = "aarch64")]
        assert_eq!(cpu.x[0], x);
        #[cfg(target_arch = "riscv64")]
        assert_eq!(cpu.x[10], x);
        // SAFETY: the caller has passed it.
        #[cfg(target_arch = "x86")]
        assert_eq!(unsafe { cpu.stack_word(1) }.u32(), x as u32);
        s + x
    }
    alone("blocks::every_kind_of_callback_works_in_a_block", || {
        let _fixed = fill();
        let frames = (thrower::bind(1).expect("grows"), captured_thrower::bind(2).expect("grows"));
        let stack = stack_thrower::bind(3).expect("grows");
        for i in 0..100 {
            // SAFETY: the frames live.
            let panics = unsafe {
                [
                    catch_unwind(|| frames.0.as_fn()(i)),
                    catch_unwind(|| frames.1.as_fn()(i)),
                    catch_unwind(AssertUnwindSafe(|| stack.as_fn()(i))),
                ]
            };
            let payloads = panics.map(|panic| *panic.expect_err("it panics").downcast::<u64>().expect("its payload"));
            assert_eq!(payloads, [1 + i, 2 + i, 3 + i]);
        }
        let (mut state, frame) = (5, windows::bind(6).expect("grows"));
        let exclusive = exclusive::bind(&mut state).expect("grows");
        // SAFETY: the frames live.
        assert_eq!(unsafe { (exclusive.as_fn()(1), exclusive.as_fn()(1), frame.as_fn()(4)) }, (6, 7, 10));
        for address in [frames.0.as_ptr(), stack.as_ptr(), exclusive.as_ptr(), frame.as_ptr()] {
            assert_eq!(blocks(), 1);
            assert_eq!(permissions(address).as_deref(), Some("r-xp"));
            assert!(address.addr().is_multiple_of(16));
            // SAFETY: a stub is 16 bytes of code.
            let code = unsafe { address.cast::<[u8; 16]>().read() };
            #[cfg(target_arch = "aarch64")]
            {
                // Arm ARM: `bti c`, `adr x16, +65536`, `ldr x17, +65536` from the stub on, `br x17`.
                let word = |at: usize| u32::from_le_bytes(code[at..at + 4].try_into().expect("four bytes"));
                assert_eq!((word(0), word(12)), (0xd503_245f, 0xd61f_0220));
                let distance = |word: u32| word >> 5 & 0x7_ffff;
                let adr = distance(word(4)) << 2 | word(4) >> 29 & 3;
                assert_eq!((word(4) & 0x9f00_001f, adr + 4), (0x1000_0010, 0x1_0000));
                assert_eq!((word(8) & 0xff00_001f, 4 * distance(word(8)) + 8), (0x5800_0011, 0x1_0000));
            }
            #[cfg(target_arch = "riscv64")]
            {
                // RISC-V ISA manual: `auipc t0, 16`, which adds 65536; `ld t2, 0(t0)`; `jr t2`.
                let word = |at: usize| u32::from_le_bytes(code[at..at + 4].try_into().expect("four bytes"));
                assert_eq!([word(0), word(4), word(8)], [0x0001_0297, 0x0002_b383, 0x0003_8067]);
            }
            #[cfg(target_arch = "x86")]
            {
                // Intel SDM: `endbr32`, `push eax`, `mov eax, imm32`, `jmp`, of one byte or four.
                assert_eq!(code[..6], [0xf3, 0x0f, 0x1e, 0xfb, 0x50, 0xb8]);
                let slot = u32::from_le_bytes(code[6..10].try_into().expect("four bytes"));
                assert_eq!(slot as usize, address.addr() & 0xffff);
                assert!(matches!(code[10], 0xe9 | 0xeb));
            }
            #[cfg(target_arch = "x86_64")]
            {
                // Intel SDM: `endbr64`, `push [rip + disp32]`, `jmp [rip + disp32]`; ctx behind entry, 64 KiB from the stub.
                assert_eq!(code[..6], [0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x35]);
                assert_eq!(code[10..12], [0xff, 0x25]);
                let word = |at: usize| u32::from_le_bytes(code[at..at + 4].try_into().expect("four bytes"));
                assert_eq!((word(6) + 10, word(12) + 16), (0x1_0008, 0x1_0000));
            }
        }
    });
}

#[test]
fn a_child_of_fork_has_what_its_parent_bound() {
    alone("blocks::a_child_of_fork_has_what_its_parent_bound", || {
        let mut frames = fill();
        frames.extend((0..2 * BLOCK).map(|i| add::bind(i as u64).expect("the pool grows")));
        // SAFETY: this process has no other thread that holds anything.
        let child = unsafe { libc::fork() };
        // Both sides bind, call and free, each for itself.
        for (i, frame) in frames[built_with()..].iter().enumerate() {
            // SAFETY: the frame lives.
            assert_eq!(unsafe { frame.as_fn()(1) }, i as u64 + 1);
        }
        frames.truncate(built_with() + 5);
        let base = if child == 0 { 1 << 40 } else { 1 << 50 };
        frames.extend((0..3 * BLOCK as u64).map(|i| add::bind(base + i).expect("the pool grows")));
        for (i, frame) in frames[built_with() + 5..].iter().enumerate() {
            // SAFETY: the frame lives.
            assert_eq!(unsafe { frame.as_fn()(1) }, base + i as u64 + 1);
        }
        assert_eq!(Pool::shared().stats().bound, frames.len());
        if child == 0 {
            // SAFETY: ends this process without the tests of its parent.
            unsafe { libc::_exit(17) };
        }
        let mut status = 0;
        // SAFETY: waits for the child.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 17, "{status:#x}");
    });
}

/// Locked memory cannot be given back, but used again.
#[test]
fn memory_that_is_locked_serves_as_well() {
    alone("blocks::memory_that_is_locked_serves_as_well", || {
        let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: `limit` is one; to lock memory changes none of it.
        let locked = unsafe {
            libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit);
            libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE)
        };
        if locked != 0 {
            println!("\nmemory cannot be locked here: {}", std::io::Error::last_os_error());
            return;
        }
        let _fixed = fill();
        let one = bind();
        // What was read while the block was mapped is not taken for what was bound.
        let first = one.as_ptr();
        assert!((1..BLOCK).all(|i| resolve(first.wrapping_byte_add(16 * i)).is_none()));
        for round in 0..3 {
            let frames: Vec<_> =
                (0..3 * BLOCK as u64).map(|i| add::bind(i << 8 | round).expect("the pool grows")).collect();
            for (i, frame) in frames.iter().enumerate() {
                // SAFETY: the frame lives.
                assert_eq!(unsafe { frame.as_fn()(1) }, ((i as u64) << 8 | round) + 1);
            }
        }
        assert_eq!(Pool::shared().live().count(), built_with() + 1);
    });
}

/// Slots that are there are bound although no file can be opened any more.
#[test]
fn what_is_bound_needs_no_file() {
    alone("blocks::what_is_bound_needs_no_file", || {
        let mut frames = fill();
        frames.extend((0..BLOCK).map(|_| bind()));
        frames.truncate(built_with() + 1);
        let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is one: no file can be opened.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
        frames.extend((1..BLOCK).map(|_| bind()));
        let full: Result<Added, PoolFull<_>> = add::bind(&super::SEVEN);
        let text = full.expect_err("no file can be opened").to_string();
        assert!(text.contains("/proc/self/maps cannot be read (EMFILE, error 24)"), "{text}");
        for frame in &frames {
            // SAFETY: the frame lives.
            assert_eq!(unsafe { frame.as_fn()(1) }, 8);
        }
    });
}
