//! Whose stack frame lies where, by the tables of functions that every program for x64 has ("x64 exception handling").

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;

/// `CONTEXT`: 1232 bytes, of which this names what is used.
#[repr(C, align(16))]
struct Context {
    _homes_to_rbx: [u64; 19],
    rsp: usize,
    _rbp_to_r15: [u64; 11],
    rip: usize,
    _vectors: [u64; 122],
}

const _: () = assert!(
    size_of::<Context>() == 1232
        && core::mem::offset_of!(Context, rsp) == 0x98
        && core::mem::offset_of!(Context, rip) == 0xf8
);

/// `RUNTIME_FUNCTION`: distances from the image's start.
#[repr(C)]
struct Function {
    start: u32,
    end: u32,
    unwind: u32,
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn RtlCaptureContext(context: *mut Context);
    fn RtlLookupFunctionEntry(code: usize, image: *mut usize, history: *mut c_void) -> *const Function;
    fn RtlVirtualUnwind(
        handlers: u32,
        image: usize,
        code: usize,
        function: *const Function,
        context: *mut Context,
        handler_data: *mut *mut c_void,
        frame: *mut usize,
        registers: *mut c_void,
    ) -> *const ();
}

/// The entry of the function that has this address in its code, and the image that it is relative to.
fn entry_of(code: usize) -> Option<(&'static Function, usize)> {
    let mut image = 0;
    // SAFETY: it looks the address up in tables. What it finds is a part of one, which stays as long as the code.
    unsafe { RtlLookupFunctionEntry(code, &raw mut image, ptr::null_mut()).as_ref() }.map(|entry| (entry, image))
}

/// Where the function begins that has this address in its code.
pub(crate) fn function_of(code: usize) -> Option<usize> {
    const CHAINED: u8 = 4;
    let (mut entry, image) = entry_of(code)?;
    loop {
        let info = ptr::with_exposed_provenance::<u8>(image + entry.unwind as usize);
        // SAFETY: `UNWIND_INFO`: version and flags, size of the prologue, the number of codes of two bytes, and one byte more.
        let (flags, codes) = unsafe { (*info >> 3, *info.add(2)) };
        if flags & CHAINED == 0 {
            return Some(image + entry.start as usize);
        }
        // A part of a function: behind the codes, of which there is an even number, is the entry of that.
        // SAFETY: as above.
        entry = unsafe { &*info.add(4 + 2 * usize::from(codes).next_multiple_of(2)).cast() };
    }
}

/// Passes where each running function goes on, and its stack pointer, innermost first, until `look` has seen enough or a
/// function is not known, as one without unwind tables.
fn walk<T>(mut look: impl FnMut(usize, usize) -> Option<T>) -> Option<T> {
    let mut context = MaybeUninit::<Context>::uninit();
    // SAFETY: it fills in what the unwinder reads.
    let context = unsafe {
        RtlCaptureContext(context.as_mut_ptr());
        context.assume_init_mut()
    };
    loop {
        if let Some(found) = look(context.rip, context.rsp) {
            return Some(found);
        }
        let (entry, image) = entry_of(context.rip)?;
        let (mut data, mut frame) = (ptr::null_mut(), 0);
        // SAFETY: the context is that of a running function, which has this entry; it becomes that of its caller.
        unsafe {
            RtlVirtualUnwind(0, image, context.rip, entry, context, &raw mut data, &raw mut frame, ptr::null_mut());
        }
    }
}

/// Where the running function begins that has `address`, on this thread's stack, in its frame; `None` if that is not
/// known.
pub(crate) fn function_at(address: usize) -> Option<usize> {
    // A return address in the outermost function so far whose frame begins at or below `address`.
    let mut code = None;
    walk(|rip, rsp| {
        if rsp > address {
            return Some(code);
        }
        // The address is that of the next instruction, which may be another function's.
        code = Some(rip.wrapping_sub(1));
        None
    })
    .flatten()
    .and_then(function_of)
}

/// Where the function begins that called all others on the stack that runs, as far as they are known.
pub(super) fn outermost_function() -> Option<usize> {
    let mut code = None;
    let _ = walk(|rip, _| {
        if rip != 0 {
            code = Some(rip.wrapping_sub(1));
        }
        None::<()>
    });
    code.and_then(function_of)
}
