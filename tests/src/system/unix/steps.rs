//! One instruction at a time, and the stack seen from there.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A thread that was interrupted behind an instruction.
pub struct Interrupted(*mut libc::ucontext_t);

/// What is called behind each instruction.
type Handler = fn(&Interrupted);

static HANDLER: AtomicPtr<()> = AtomicPtr::new(null_mut());

extern "C" fn on_trap(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: `on_step` has stored one.
    let handler = unsafe { std::mem::transmute::<*mut (), Handler>(HANDLER.load(Ordering::Relaxed)) };
    handler(&Interrupted(context.cast()));
}

/// Has `handler` called behind each instruction that is executed with the trap flag set.
///
/// # Panics
///
/// If the system refuses.
pub fn on_step(handler: Handler) {
    HANDLER.store(handler as *mut (), Ordering::Relaxed);
    // SAFETY: all bytes zero is a valid value: an empty mask. `on_trap` is a handler of this kind.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_trap as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGTRAP, &raw const action, null_mut()), 0);
    }
}

/// Calls `f`, which may set the trap flag; it is clear when this returns.
#[cfg(target_arch = "x86")]
pub fn stepping<R>(f: impl FnOnce() -> R) -> R {
    let result = f();
    // SAFETY: clears the trap flag.
    unsafe { std::arch::asm!("pushfd", "and dword ptr [esp], -257", "popfd") };
    result
}

/// Calls `f`, which may set the trap flag; it is clear when this returns.
#[cfg(target_arch = "x86_64")]
pub fn stepping<R>(f: impl FnOnce() -> R) -> R {
    let result = f();
    // SAFETY: clears the trap flag.
    unsafe { std::arch::asm!("pushfq", "and qword ptr [rsp], -257", "popfq") };
    result
}

impl Interrupted {
    /// Where it goes on.
    #[must_use]
    pub fn address(&self) -> usize {
        // SAFETY: the kernel passes this with `SA_SIGINFO`.
        let machine = unsafe { &(*self.0).uc_mcontext };
        #[cfg(target_arch = "x86_64")]
        return machine.gregs[libc::REG_RIP as usize] as usize;
        #[cfg(target_arch = "x86")]
        return machine.gregs[libc::REG_EIP as usize] as usize;
        #[cfg(target_arch = "aarch64")]
        return machine.pc as usize;
        #[cfg(target_arch = "riscv64")]
        return machine.__gregs[libc::REG_PC] as usize;
    }

    /// As [`walk`], from where it was interrupted.
    pub fn walk(&self, look: &mut dyn FnMut(usize, usize)) {
        // The unwinder goes through the frame of the signal.
        walk(look);
    }
}

/// Passes each running function, innermost first: where it goes on, and its stack pointer.
pub fn walk(mut look: &mut dyn FnMut(usize, usize)) {
    type Step = extern "C" fn(*mut c_void, *mut c_void) -> c_int;

    // LSB Core specification, "Interfaces for libgcc_s".
    unsafe extern "C" {
        fn _Unwind_Backtrace(step: Step, data: *mut c_void) -> c_int;
        fn _Unwind_GetIP(context: *mut c_void) -> usize;
        fn _Unwind_GetCFA(context: *mut c_void) -> usize;
    }

    extern "C" fn step(context: *mut c_void, data: *mut c_void) -> c_int {
        // SAFETY: the address of a function is passed below; the context is that of the step.
        unsafe { (*data.cast::<&mut dyn FnMut(usize, usize)>())(_Unwind_GetIP(context), _Unwind_GetCFA(context)) };
        0
    }

    // SAFETY: `step` takes what it is given here.
    unsafe { _Unwind_Backtrace(step, (&raw mut look).cast()) };
}

/// The functions of this program, by the compiler's name.
///
/// # Panics
///
/// If the program has no symbols.
#[must_use]
pub fn functions() -> Vec<(Range<usize>, String)> {
    let program = std::env::current_exe().expect("the program has a path");
    let output = Command::new("nm").args(["-S", "--defined-only"]).arg(program).output().expect("nm runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // SAFETY: null pointers are what the structure has before it is filled in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: an address in this program.
    assert_ne!(unsafe { libc::dladdr(HANDLER.as_ptr().cast(), &raw mut info) }, 0);
    let number = |text: &str| usize::from_str_radix(text, 16).expect("a hexadecimal number");
    let functions = text.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let &[address, size, "t" | "T", name] = &fields[..] else { return None };
        let begin = info.dli_fbase.addr() + number(address);
        Some((begin..begin + number(size), name.to_owned()))
    });
    functions.collect()
}
