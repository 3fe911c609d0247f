//! x86-64: the state of the CPU, and how a call gets from a stub to Rust.
//!
//! What the stack looks like, lowest address first:
//!
//! ```text
//!                                                              rsp mod 16
//! at a stub       [return address] [arguments …]                   8
//! at an entry     [ctx] [return address] [arguments …]             0
//! ```
//!
//! but for hooks, which are jumped to: see `hooks`.
//!
//! Stubs and entries are in `entries`, their unwind directives in `unwind`, and what they do with the registers beyond SSE in `wide`; what they store and load is
//! said in `capture`, for conventions that rustc does not know also in `convention`. The captured state is in `state`, what
//! it consists of in `registers`, `simd` and `x87`; copies of it are in `snapshot`, its text in `dump` and `notes`, what it
//! tells of arguments in `arguments` and `va_list`. Which entry a callback gets is in `lanes`, how values get out of a state
//! and into it in `moves`, C types that only x86 has in `vectors` and `x87`.

mod arguments;
#[cfg(feature = "alloc")]
mod calls;
mod capture;
mod convention;
mod dump;
mod entries;
mod fenv;
mod hooks;
mod image;
#[cfg(feature = "alloc")]
mod incoming;
mod lanes;
mod moves;
mod notes;
mod outgoing;
mod registers;
mod shims;
mod simd;
mod snapshot;
mod state;
mod unwind;
mod va_list;
mod vectors;
mod wide;
mod x87;

use core::num::NonZeroUsize;

use crate::abi::{Abi, Architecture, Target};
#[cfg(not(any(windows, target_os = "uefi")))]
use crate::signature::SysV64;
#[cfg(any(windows, target_os = "uefi"))]
use crate::signature::Win64;
use crate::types::Message;

#[cfg(feature = "alloc")]
pub(crate) use calls::{call_placed, lacks_registers, stack_limit, unwinds_nowhere};
pub use capture::{Capture, Group, JUMP, register_bit};
pub use convention::give_exactly;
pub use dump::Annotated;
pub(crate) use entries::{DISTANT_STUBS, distant_stubs, stale_entry};
pub use fenv::with_default_fenv;
pub(crate) use hooks::JUMP_STUB_SIZE;
pub use image::CpuImage;
#[cfg(feature = "alloc")]
pub(crate) use incoming::{
    Head as DynamicHead, Seen, Spot, dynamic_entry, gather, give_result, hidden, seen_arguments,
};
pub use lanes::{Head, Head4, Head8, Lane, is_native, sysv64_lane, win64_hidden, win64_lane};
pub(crate) use lanes::{check_system, never_native};
#[cfg(feature = "std")]
pub(crate) use moves::stack_arguments;
pub use moves::{give, hidden_result, take};
pub use registers::{Gpr, Word};
pub(crate) use shims::Enter;
#[cfg(feature = "alloc")]
pub(crate) use shims::raw_entry;
pub use simd::{Xmm, Ymm, Zmm};
pub use snapshot::{Diff, Snapshot};
pub use state::{CpuState, CpuSubset};
pub(crate) use va_list::List as VaArguments;
pub use wide::{VECTORS, find_vectors};
pub use x87::{F80, Fxsave, LongDouble};

/// The bytes of code of one stub; a stub lies at a multiple of this.
pub(crate) const STUB_SIZE: usize = 16;

/// The stack pointer of the function that this is inlined into.
#[inline(always)]
pub(crate) fn stack_pointer() -> NonZeroUsize {
    let pointer: usize;
    // SAFETY: reads a register. It is never 0 where code runs.
    unsafe {
        core::arch::asm!("mov {}, rsp", out(reg) pointer, options(nomem, nostack, preserves_flags));
        NonZeroUsize::new_unchecked(pointer)
    }
}

/// An address in the code of the function that this is inlined into.
#[inline(always)]
pub(crate) fn instruction_pointer() -> usize {
    let pointer: usize;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("lea {}, [rip]", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// The target.
pub(crate) const TARGET: Target =
    if cfg!(any(windows, target_os = "uefi")) { Target::X86_64Windows } else { Target::X86_64Unix };

/// The convention that an ABI string names on this target, and whether calls may unwind.
pub(crate) const fn abi_named(name: &str) -> Option<(Abi, bool)> {
    Abi::named(name, TARGET)
}

/// Panics: the convention is one of another architecture.
#[cold]
#[track_caller]
pub(crate) const fn foreign(abi: Abi) -> ! {
    Message::new("cbframe: `")
        .text(abi.name())
        .text("` is a convention of ")
        .text(abi.architecture().name())
        .text(", which no function has on this target, ")
        .text(TARGET.name())
        .panic()
}

/// Panics if the convention is one of another architecture.
#[track_caller]
pub(crate) const fn check_native(abi: Abi) {
    if !matches!(abi.architecture(), Architecture::X86_64) {
        foreign(abi)
    }
}

/// The convention that `extern "C"` is on this target.
pub(crate) const NATIVE: Abi = TARGET.c();

impl crate::abi::Abi {
    /// What `extern "C"` is on this target.
    pub const C: Self = NATIVE;
}

/// What `extern "C"` is on this target.
#[cfg(any(windows, target_os = "uefi"))]
pub type Native<const UNWIND: bool> = Win64<UNWIND>;
/// What `extern "C"` is on this target.
#[cfg(not(any(windows, target_os = "uefi")))]
pub type Native<const UNWIND: bool> = SysV64<UNWIND>;

/// `$macro! { $args "C" Native<false> }`, and the same for every other ABI string of function pointers on this
/// architecture, each with its convention.
macro_rules! with_abis {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [Native<false>] }
        $macro! { $args "C-unwind" [Native<true>] }
        $macro! { $args "system" [Native<false>] }
        $macro! { $args "system-unwind" [Native<true>] }
        $macro! { $args "sysv64" [crate::signature::SysV64<false>] }
        $macro! { $args "sysv64-unwind" [crate::signature::SysV64<true>] }
        $macro! { $args "win64" [crate::signature::Win64<false>] }
        $macro! { $args "win64-unwind" [crate::signature::Win64<true>] }
        $macro! { $args "efiapi" [crate::signature::Win64<false>] }
    };
}
pub(crate) use with_abis;

/// Keeps the block for the convention that `extern "C"` is on this target.
#[cfg(any(windows, target_os = "uefi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native {
    (sysv64 { $($sysv64:tt)* } win64 { $($win64:tt)* }) => { $($win64)* };
}

/// Keeps the block for the convention that `extern "C"` is on this target.
#[cfg(not(any(windows, target_os = "uefi")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native {
    (sysv64 { $($sysv64:tt)* } win64 { $($win64:tt)* }) => { $($sysv64)* };
}
