//! Whose stack frame lies where, by the unwinder that `std` is linked with. (Itanium C++ ABI: Exception Handling, level
//! 1; `_Unwind_Backtrace`, `_Unwind_GetCFA` and `_Unwind_FindEnclosingFunction` are extensions that all have.)

use core::ffi::{c_int, c_void};

#[repr(C)]
struct Context([u8; 0]);

type Trace = unsafe extern "C" fn(*mut Context, *mut c_void) -> c_int;

unsafe extern "C" {
    fn _Unwind_Backtrace(trace: Trace, argument: *mut c_void) -> c_int;
    fn _Unwind_GetCFA(context: *mut Context) -> usize;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
    fn _Unwind_FindEnclosingFunction(code: *mut c_void) -> *mut c_void;
}

/// Where the function begins that has this address in its code.
pub(crate) fn function_of(code: usize) -> Option<usize> {
    // SAFETY: it looks the address up in tables.
    let function = unsafe { _Unwind_FindEnclosingFunction(core::ptr::without_provenance_mut(code)) };
    Some(function.addr()).filter(|function| *function != 0)
}

struct Search {
    address: usize,
    /// A return address in the outermost function so far whose frame begins at or below `address`.
    code: Option<usize>,
    /// Whether a frame above has been seen, so that this is the one.
    found: bool,
}

/// # Safety
///
/// `search` is a [`Search`].
unsafe extern "C" fn look(context: *mut Context, search: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const STOP: c_int = 5;
    // SAFETY: the caller's promise; the context is the unwinder's, of a frame that it has come to.
    let (search, lowest, code) =
        unsafe { (&mut *search.cast::<Search>(), _Unwind_GetCFA(context), _Unwind_GetIP(context)) };
    // In a trace this is the frame's own stack pointer: the canonical frame address of what it has called.
    if lowest > search.address {
        search.found = true;
        return STOP;
    }
    // The address is that of the next instruction, which may be another function's.
    search.code = Some(code.wrapping_sub(1));
    GO_ON
}

/// Where the running function begins that has `address`, on this thread's stack, in its frame; `None` if that is not
/// known, as behind a function without unwind tables.
pub(crate) fn function_at(address: usize) -> Option<usize> {
    let mut search = Search { address, code: None, found: false };
    // SAFETY: `look` gets the search, which lives until this returns.
    unsafe { _Unwind_Backtrace(look, (&raw mut search).cast()) };
    search.code.filter(|_| search.found).and_then(function_of)
}
