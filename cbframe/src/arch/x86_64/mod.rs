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
//! Stubs and entries are in `entries`, their unwind directives in `unwind`, and what they do with the registers beyond SSE in
//! `wide`; shims for each ABI string are in `native`. What entries store and load is said in `capture`, for conventions that rustc
//! does not know also in `convention`. The captured state is in `state`, what it consists of in `registers` and `simd`; copies of
//! it are in `snapshot`, its text in `dump`, what it tells of arguments in `arguments` and `va_list`. Which entry a callback gets is
//! in `lanes`, C types that only x86 has in `vectors`. The x87 unit is in `arch/intel`; how values get out of a state and into it is
//! in `arch/moves.rs`.

mod arguments;
#[cfg(feature = "alloc")]
mod calls;
mod capture;
mod convention;
mod dump;
mod entries;
mod hooks;
mod image;
#[cfg(feature = "alloc")]
mod incoming;
mod lanes;
mod native;
mod outgoing;
mod registers;
mod simd;
mod snapshot;
mod state;
mod unwind;
mod va_list;
mod vectors;
mod wide;

use core::num::NonZeroUsize;

use super::foreign;
pub use super::intel::with_default_fenv;
use crate::abi::Target;

#[cfg(feature = "alloc")]
pub(super) use calls::{Thunk, prepare_variadic, put_on_stack};
#[cfg(feature = "alloc")]
pub(crate) use calls::{lacks_registers, unwinds_nowhere};
pub(super) use capture::offset;
pub use capture::{Capture, Group, JUMP, Registers, register_bit};
pub use convention::give_exactly;
pub(crate) use entries::{DISTANT_STUBS, distant_stubs, stale_entry};
pub(crate) use hooks::JUMP_STUB_SIZE;
#[cfg(feature = "alloc")]
pub(crate) use incoming::{dynamic_entry, give_result, seen_arguments};
pub use lanes::{Head, Head4, Head8, Lane, check_lane_parameter, check_lane_result, is_native, lane};
pub(crate) use lanes::{check_system, never_native_parameter, never_native_result};
#[cfg(feature = "alloc")]
pub(super) use outgoing::MOST;
pub(crate) use va_list::List as VaArguments;
pub use wide::{VECTORS, find_vectors};

/// What users name.
pub mod exports {
    pub use super::dump::Annotated;
    pub use super::image::CpuImage;
    pub use super::registers::Gpr;
    pub use super::simd::{Xmm, Ymm, Zmm};
    pub use super::snapshot::{Diff, Snapshot};
    pub use super::state::{CpuState, CpuSubset};
    pub use crate::arch::intel::{F80, Fxsave, LongDouble};
}
pub use exports::*;

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

/// What `extern "C"` is on this target.
#[cfg(any(windows, target_os = "uefi"))]
pub type Native<const UNWIND: bool> = crate::signature::Win64<UNWIND>;
/// What `extern "C"` is on this target.
#[cfg(not(any(windows, target_os = "uefi")))]
pub type Native<const UNWIND: bool> = crate::signature::SysV64<UNWIND>;

/// `$macro! { $args "C" [crate::arch::Native<false>] }`, and the same for every other ABI string of function pointers on this
/// target, each with its convention.
macro_rules! with_abis {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [crate::arch::Native<false>] }
        $macro! { $args "C-unwind" [crate::arch::Native<true>] }
        $macro! { $args "system" [crate::arch::Native<false>] }
        $macro! { $args "system-unwind" [crate::arch::Native<true>] }
        crate::arch::with_conventions! { $macro $args }
        $macro! { $args "efiapi" [crate::signature::Win64<false>] }
    };
}
pub(crate) use with_abis;

/// The same for one ABI string of each convention.
macro_rules! with_conventions {
    ($macro:ident $args:tt) => {
        $macro! { $args "sysv64" [crate::signature::SysV64<false>] }
        $macro! { $args "sysv64-unwind" [crate::signature::SysV64<true>] }
        $macro! { $args "win64" [crate::signature::Win64<false>] }
        $macro! { $args "win64-unwind" [crate::signature::Win64<true>] }
    };
}
pub(crate) use with_conventions;

/// The same for those with `...`.
macro_rules! with_variadic_abis {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [crate::arch::Native<false>] }
        $macro! { $args "sysv64" [crate::signature::SysV64<false>] }
        $macro! { $args "win64" [crate::signature::Win64<false>] }
    };
}
pub(crate) use with_variadic_abis;
