//! UEFI: no processes, threads, files or standard error. What a program has instead, it says ([`set_report`]).

use core::arch::asm;
use core::arch::x86_64::__cpuid;
use core::ffi::c_int;
use core::fmt;
use core::mem;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

pub(crate) use super::fixed::{Refusal, Region, map_again};

/// Why pools keep their size.
pub(super) const PROGRAM_IS_MAPPED_ONCE: &str = "UEFI keeps no file of a program";

/// What [`set_report`] was given, or null.
static REPORT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says what is done with messages, which go to standard error on other targets: why a call could not be made, say of a
/// callback that is not bound any more. Until then they go nowhere.
///
/// Such a message may be the last thing that the program does: when `report` returns, `ud2` raises an invalid-opcode exception,
/// of which the firmware tells. So `report` may as well end the program itself, by `ResetSystem`. It runs where the call was, that
/// is at any task priority level, and allocates nothing.
///
/// ```no_run
/// cbframe::set_report(|message| {
///     // write!(serial, "{message}\n")
/// });
/// ```
pub fn set_report(report: fn(fmt::Arguments<'_>)) {
    REPORT.store(report as *mut (), Ordering::Release);
}

/// Passes `cbframe: {message}` on.
#[cold]
pub(crate) fn report(message: fmt::Arguments<'_>) {
    let report = REPORT.load(Ordering::Acquire);
    if !report.is_null() {
        // SAFETY: it was made of such a pointer.
        let report = unsafe { mem::transmute::<*mut (), fn(fmt::Arguments<'_>)>(report) };
        report(format_args!("cbframe: {message}"));
    }
}

/// Raises an exception, which ends in the firmware's handler.
pub(super) fn abort() -> ! {
    // SAFETY: nothing comes after it.
    unsafe { asm!("ud2", options(noreturn, nostack)) }
}

/// The processor, as there may be several (`EFI_MP_SERVICES_PROTOCOL`), each with one thread: the number of its local APIC, above 0.
pub(super) fn current_thread() -> usize {
    // Intel SDM volume 2, CPUID: leaf 0 says which is the last leaf; EDX of leaf 0x0b, where EBX is not 0, is the number in 32
    // bits, the upper eight of EBX of leaf 1 are that number up to 255.
    if __cpuid(0).eax >= 0x0b {
        let topology = __cpuid(0x0b);
        if topology.ebx != 0 {
            return topology.edx as usize + 1;
        }
    }
    (__cpuid(1).ebx >> 24) as usize + 1
}

/// The number of the only process.
#[cfg(debug_assertions)]
pub(crate) fn process() -> usize {
    1
}

/// The stack is not known.
pub(crate) fn stack() -> Option<Range<usize>> {
    None
}

/// There is no errno: it is 0.
#[cfg(feature = "alloc")]
pub(crate) fn errno() -> c_int {
    0
}

/// There is no errno.
#[cfg(feature = "alloc")]
pub(crate) fn set_errno(_errno: c_int) {}

/// C's errno, of which there is none to save.
pub struct SavedErrno(());

impl SavedErrno {
    /// Nothing.
    #[must_use]
    pub fn read() -> Self {
        Self(())
    }
}
