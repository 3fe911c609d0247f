//! What the firmware gives: text, memory, the end.

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::ptr::{self, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use r_efi::efi;

static SYSTEM: AtomicPtr<efi::SystemTable> = AtomicPtr::new(null_mut());

/// Keeps the table that the program was started with.
pub fn start(system: *mut efi::SystemTable) {
    SYSTEM.store(system, Relaxed);
}

fn system() -> &'static efi::SystemTable {
    // SAFETY: the program's own, which is there until it exits from boot services.
    unsafe { &*SYSTEM.load(Relaxed) }
}

pub fn boot() -> &'static efi::BootServices {
    // SAFETY: as above.
    unsafe { &*system().boot_services }
}

/// Panics unless the firmware has done it.
#[track_caller]
pub fn done(status: efi::Status) {
    assert_eq!(status, efi::Status::SUCCESS);
}

/// The console.
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for unit in text.encode_utf16() {
            let mut text = [unit, 0];
            let out = system().con_out;
            // SAFETY: the program's console; the text ends in a 0.
            let status = unsafe { ((*out).output_string)(out, text.as_mut_ptr()) };
            if status != efi::Status::SUCCESS {
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}

macro_rules! println {
    ($($message:tt)*) => {{
        use core::fmt::Write;
        write!($crate::firmware::Console, "{}\r\n", format_args!($($message)*)).unwrap()
    }};
}
pub(crate) use println;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("FAILED: {info}");
    // SAFETY: nothing comes after it.
    unsafe {
        ((*system().runtime_services).reset_system)(efi::RESET_SHUTDOWN, efi::Status::ABORTED, 0, null_mut());
    }
    loop {}
}

/// The firmware's pool, whose memory is aligned to 8.
struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

// SAFETY: memory of the firmware's pool is nobody else's until it is freed.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut memory = ptr::null_mut();
        if layout.align() <= 8 {
            // What fails leaves the null.
            let _ = (boot().allocate_pool)(efi::LOADER_DATA, layout.size(), &raw mut memory);
        }
        memory.cast()
    }

    unsafe fn dealloc(&self, memory: *mut u8, _: Layout) {
        let _ = (boot().free_pool)(memory.cast());
    }
}
