//! AArch64: the state of the CPU, and how a call gets from a stub to Rust.
//!
//! Nothing is on the stack when an entry is reached: the stack pointer is the caller's, a multiple of 16 (AAPCS64, section
//! 6.4.5.1), and where it points the arguments on the stack begin. x16 is the address of the slot.
//!
//! Stubs and entries are in `entries`, shims for each ABI string in `native`; what entries store and load is said in `capture`.
//! The captured state is in `state`, its vector registers in `simd`; copies of it are in `snapshot`, its text in `dump`, what
//! it tells of arguments in `arguments` and `va_list`. Which entry a callback gets is in `lanes`, C types that differ from
//! those of other architectures are in `vectors`, and in `binary128` beside this directory. `outgoing`, `calls` and `image` are about calls in the
//! other direction, `incoming` about signatures that are known at run time only.
//!
//! What there is not: hooks. They would have to go on in the function that has jumped to them with every register as it was,
//! and each branch to an address that is not known when the program is built needs a register.

mod arguments;
mod capture;
mod custom;
mod dump;
mod entries;
mod fenv;
mod image;
#[cfg(feature = "alloc")]
mod incoming;
mod lanes;
mod native;
mod outgoing;
mod simd;
mod snapshot;
mod state;
mod va_list;
mod vectors;

use core::num::NonZeroUsize;

use super::foreign;
use crate::abi::Target;

pub(super) use capture::offset;
pub use capture::{Capture, Group, Registers, register_bit};
pub use custom::give_exactly;
pub(crate) use entries::{DISTANT_STUBS, distant_stubs, stale_entry};
pub use fenv::with_default_fenv;
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
        pub use super::simd::V;
    pub use super::snapshot::{Diff, Snapshot};
    pub use super::state::{CpuState, CpuSubset};
    pub use crate::arch::binary128::LongDouble;
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
        core::arch::asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags));
        NonZeroUsize::new_unchecked(pointer)
    }
}

/// An address in the code of the function that this is inlined into.
#[inline(always)]
pub(crate) fn instruction_pointer() -> usize {
    let pointer: usize;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("adr {}, .", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// The target.
pub(crate) const TARGET: Target = Target::Aarch64Linux;

/// `$macro! { $args "C" [Native<false>] }`, and the same for every other ABI string of function pointers on this target, each
/// with its convention.
macro_rules! with_abis {
    ($macro:ident $args:tt) => {
        crate::arch::with_conventions! { $macro $args }
        $macro! { $args "system" [crate::arch::Native<false>] }
        $macro! { $args "system-unwind" [crate::arch::Native<true>] }
        $macro! { $args "efiapi" [crate::arch::Native<false>] }
    };
}
pub(crate) use with_abis;

/// The same for one ABI string of each convention.
macro_rules! with_conventions {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [crate::arch::Native<false>] }
        $macro! { $args "C-unwind" [crate::arch::Native<true>] }
    };
}
pub(crate) use with_conventions;

/// The same for those with `...`.
macro_rules! with_variadic_abis {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" [crate::arch::Native<false>] }
    };
}
pub(crate) use with_variadic_abis;

/// What `extern "C"` is on this target.
pub type Native<const UNWIND: bool> = crate::signature::Aapcs64<UNWIND>;
