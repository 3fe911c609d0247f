//! 32-bit x86: the state of the CPU, and how a call gets from a stub to Rust.
//!
//! What the stack looks like, lowest address first:
//!
//! ```text
//! at a stub       [return address] [arguments …]
//! at an entry     [eax] [return address] [arguments …]     eax is the address of the slot
//! ```
//!
//! Nothing is taken for granted of its alignment but that it is a multiple of 4: GCC has aligned it to 16 since version 4.5 only
//! (psABI for Intel386, version 1.1, section 2.2.2, against version 1.0 and earlier).
//!
//! Stubs and entries are in `entries`, what names mean here in `native`. What entries store and load is said in `capture`. The
//! captured state is in `state`, what it consists of in `registers` and `simd`; copies of it are in `snapshot`, its text in `dump`,
//! what it tells of arguments in `arguments` and `va_list`. Which entry a callback gets is in `lanes`, C types that only x86 has in
//! `vectors`. `outgoing` and `image` are about calls in the other direction, `incoming` about signatures that are known at run
//! time only. The x87 unit is in `arch/intel`.
//!
//! What there is not yet: shims that rustc passes arguments to, hooks, `abi = "custom"`, and conventions as data.

mod arguments;
mod capture;
mod custom;
mod dump;
mod entries;
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
mod va_list;
mod vectors;

use core::num::NonZeroUsize;

use super::foreign;
pub use super::intel::with_default_fenv;
use crate::abi::Target;

pub(super) use capture::offset;
pub use capture::{Capture, Group, Registers, register_bit};
pub use custom::give_exactly;
pub(crate) use entries::{DISTANT_STUBS, distant_stubs, stale_entry};
#[cfg(feature = "alloc")]
pub(crate) use incoming::{dynamic_entry, give_result, seen_arguments};
pub use lanes::{Lane, check_lane_parameter, check_lane_result, is_native, lane};
pub(crate) use lanes::{check_system, never_native_parameter, never_native_result};
#[cfg(feature = "alloc")]
pub(super) use outgoing::{MOST, Thunk, prepare_variadic, put_on_stack};
#[cfg(feature = "alloc")]
pub(crate) use outgoing::{lacks_registers, unwinds_nowhere};
pub(crate) use va_list::List as VaArguments;

/// What users name.
pub mod exports {
    pub use super::dump::Annotated;
    pub use super::image::CpuImage;
    pub use super::registers::Gpr;
    pub use super::simd::Xmm;
    pub use super::snapshot::{Diff, Snapshot};
    pub use super::state::{CpuState, CpuSubset};
    pub use crate::arch::intel::{F80, Fxsave, LongDouble};
}
pub use exports::*;

/// The bytes of code of one stub; a stub lies at a multiple of this.
pub(crate) const STUB_SIZE: usize = 16;

/// The bytes of code of one stub of the pool of hooks, of which nobody is given one.
pub(crate) const JUMP_STUB_SIZE: usize = 32;

/// The stack pointer of the function that this is inlined into.
#[inline(always)]
pub(crate) fn stack_pointer() -> NonZeroUsize {
    let pointer: usize;
    // SAFETY: reads a register. It is never 0 where code runs.
    unsafe {
        core::arch::asm!("mov {}, esp", out(reg) pointer, options(nomem, nostack, preserves_flags));
        NonZeroUsize::new_unchecked(pointer)
    }
}

/// An address in the code of the function that this is inlined into.
#[inline(always)]
pub(crate) fn instruction_pointer() -> usize {
    let pointer: usize;
    // SAFETY: pushes a word and pops it.
    unsafe { core::arch::asm!("call 2f", "2:", "pop {}", out(reg) pointer, options(preserves_flags)) };
    pointer
}

/// The target.
pub(crate) const TARGET: Target = Target::X86Linux;

/// `$macro! { $args "C" [crate::arch::Native<false>] }`, and the same for every other ABI string of function pointers on this
/// target, each with its convention.
macro_rules! with_abis {
    ($macro:ident $args:tt) => {
        crate::arch::with_conventions! { $macro $args }
        $macro! { $args "system" [crate::arch::Native<false>] }
        $macro! { $args "system-unwind" [crate::arch::Native<true>] }
        $macro! { $args "cdecl" [crate::arch::Native<false>] }
        $macro! { $args "cdecl-unwind" [crate::arch::Native<true>] }
        $macro! { $args "efiapi" [crate::arch::Native<false>] }
    };
}
pub(crate) use with_abis;

/// The same for one ABI string of each convention.
macro_rules! with_conventions {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [crate::arch::Native<false>] }
        $macro! { $args "C-unwind" [crate::arch::Native<true>] }
        $macro! { $args "stdcall" [crate::signature::Stdcall<false>] }
        $macro! { $args "stdcall-unwind" [crate::signature::Stdcall<true>] }
        $macro! { $args "fastcall" [crate::signature::Fastcall<false>] }
        $macro! { $args "fastcall-unwind" [crate::signature::Fastcall<true>] }
        $macro! { $args "thiscall" [crate::signature::Thiscall<false>] }
        $macro! { $args "thiscall-unwind" [crate::signature::Thiscall<true>] }
    };
}
pub(crate) use with_conventions;

/// The same for those with `...`.
macro_rules! with_variadic_abis {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [crate::arch::Native<false>] }
        $macro! { $args "cdecl" [crate::arch::Native<false>] }
    };
}
pub(crate) use with_variadic_abis;

/// What `extern "C"` is on this target.
pub type Native<const UNWIND: bool> = crate::signature::Cdecl<UNWIND>;
