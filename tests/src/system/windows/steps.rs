//! One instruction at a time, and the stack seen from there.

use std::ffi::c_void;
use std::ops::Range;
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// `CONTEXT`, of which this names what is used.
#[derive(Clone)]
#[repr(C, align(16))]
struct Context {
    _homes_to_segments: [u32; 17],
    flags: u32,
    _debug_to_rbx: [u64; 10],
    rsp: usize,
    _rbp_to_r15: [u64; 11],
    rip: usize,
    _vectors: [u64; 122],
}

const _: () = assert!(
    size_of::<Context>() == 1232
        && std::mem::offset_of!(Context, flags) == 0x44
        && std::mem::offset_of!(Context, rsp) == 0x98
        && std::mem::offset_of!(Context, rip) == 0xf8
);

/// `EXCEPTION_POINTERS`.
#[repr(C)]
struct Exception {
    record: *const u32,
    context: *mut Context,
}

unsafe extern "system" {
    fn AddVectoredExceptionHandler(
        first: u32,
        handler: unsafe extern "system" fn(*const Exception) -> i32,
    ) -> *const ();
    fn RtlCaptureContext(context: *mut Context);
    fn RtlLookupFunctionEntry(code: usize, image: *mut usize, history: *mut c_void) -> *const ();
    fn RtlVirtualUnwind(
        handlers: u32,
        image: usize,
        code: usize,
        function: *const (),
        context: *mut Context,
        data: *mut *mut c_void,
        frame: *mut usize,
        registers: *mut c_void,
    ) -> *const ();
}

/// A thread that was interrupted behind an instruction.
pub struct Interrupted(*const Context);

/// What is called behind each instruction.
type Handler = fn(&Interrupted);

static HANDLER: AtomicPtr<()> = AtomicPtr::new(null_mut());
/// Whether the trap flag, which the system clears, is to be set again.
static STEPPING: AtomicBool = AtomicBool::new(false);

unsafe extern "system" fn on_exception(exception: *const Exception) -> i32 {
    const SINGLE_STEP: u32 = 0x8000_0004;
    const CONTINUE_SEARCH: i32 = 0;
    const CONTINUE_EXECUTION: i32 = -1;
    // SAFETY: the system passes an exception, whose record begins with the code; `on_step` has stored a handler.
    unsafe {
        let exception = &*exception;
        if exception.record.read() != SINGLE_STEP {
            return CONTINUE_SEARCH;
        }
        let handler = std::mem::transmute::<*mut (), Handler>(HANDLER.load(Ordering::Relaxed));
        handler(&Interrupted(exception.context));
        if STEPPING.load(Ordering::Relaxed) {
            (*exception.context).flags |= 0x100;
        }
    }
    CONTINUE_EXECUTION
}

/// Has `handler` called behind each instruction that is executed with the trap flag set.
///
/// # Panics
///
/// If the system refuses.
pub fn on_step(handler: Handler) {
    if HANDLER.swap(handler as *mut (), Ordering::Relaxed).is_null() {
        // SAFETY: `on_exception` is a handler of this kind.
        assert!(!unsafe { AddVectoredExceptionHandler(1, on_exception) }.is_null());
    }
}

/// Calls `f`, which may set the trap flag; it is clear when this returns.
pub fn stepping<R>(f: impl FnOnce() -> R) -> R {
    STEPPING.store(true, Ordering::Relaxed);
    let result = f();
    STEPPING.store(false, Ordering::Relaxed);
    result
}

impl Interrupted {
    /// Where it goes on.
    #[must_use]
    pub fn address(&self) -> usize {
        // SAFETY: the context of the exception.
        unsafe { (*self.0).rip }
    }

    /// As [`walk`], from where it was interrupted.
    pub fn walk(&self, look: &mut dyn FnMut(usize, usize)) {
        // SAFETY: as above.
        walk_from(unsafe { (*self.0).clone() }, look);
    }
}

/// Passes each running function, innermost first: where it goes on, and its stack pointer.
pub fn walk(look: &mut dyn FnMut(usize, usize)) {
    let mut context = std::mem::MaybeUninit::uninit();
    // SAFETY: it fills the context in.
    walk_from(
        unsafe {
            RtlCaptureContext(context.as_mut_ptr());
            context.assume_init()
        },
        look,
    );
}

fn walk_from(mut context: Context, look: &mut dyn FnMut(usize, usize)) {
    let mut innermost = true;
    while context.rip != 0 {
        look(context.rip, context.rsp);
        let (mut image, mut data, mut frame) = (0, null_mut(), 0);
        // SAFETY: the context is that of a running function, and becomes that of its caller. A function without an entry
        // is one that calls nobody: the return address is all it has on the stack.
        unsafe {
            let entry = RtlLookupFunctionEntry(context.rip, &raw mut image, null_mut());
            if !entry.is_null() {
                RtlVirtualUnwind(
                    0,
                    image,
                    context.rip,
                    entry,
                    &raw mut context,
                    &raw mut data,
                    &raw mut frame,
                    null_mut(),
                );
            } else if innermost {
                context.rip = (context.rsp as *const usize).read();
                context.rsp += 8;
            } else {
                return;
            }
        }
        innermost = false;
    }
}

/// The functions of this program, by the compiler's name.
///
/// # Panics
///
/// If the program has no symbols.
#[must_use]
pub fn functions() -> Vec<(Range<usize>, String)> {
    let program = std::env::current_exe().expect("the program has a path");
    let program =
        program.to_str().expect("UTF-8").trim_start_matches("\\\\?\\").trim_start_matches("Z:").replace('\\', "/");
    let mut nm = Command::new("x86_64-w64-mingw32-nm");
    let output = super::tool(nm.args(["-n", "--defined-only"]).arg(program)).expect("nm runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let number = |text: &str| usize::from_str_radix(text, 16).expect("a hexadecimal number");
    let symbols: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let &[address, "t" | "T", name] = &fields[..] else { return None };
            Some((number(address), name))
        })
        .collect();
    let (linked, _) = symbols.iter().find(|(_, name)| name.contains("on_exception")).expect("it is one of them");
    let moved = (on_exception as *const ()).addr().wrapping_sub(*linked);
    // Symbols have no sizes; a function ends where the next one begins.
    symbols
        .windows(2)
        .map(|pair| (pair[0].0.wrapping_add(moved)..pair[1].0.wrapping_add(moved), pair[0].1.to_owned()))
        .collect()
}
