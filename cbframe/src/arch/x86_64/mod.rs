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
//! Stubs and entries are in `entries`, the captured state in `state`, the lanes and what moves values in
//! `lanes`, C types that only x86 has in `vectors` and `x87`.

mod entries;
mod lanes;
mod state;
mod vectors;
mod x87;

pub(crate) use entries::stale_entry;
pub(crate) use lanes::never_native;
pub use lanes::{
    Capture, Group, Head, Head4, Head8, Lane, give, hidden_result, is_native, sysv64_lane, take, win64_hidden,
    win64_lane,
};
pub use state::{CpuState, Xmm};
pub use x87::{F80, Fxsave, LongDouble};

/// The bytes of code of one stub; a stub lies at a multiple of this.
pub(crate) const STUB_SIZE: usize = 16;

/// The convention that an ABI string names on this target, and whether calls may unwind.
pub(crate) const fn abi_named(name: &str) -> Option<(crate::abi::Abi, bool)> {
    crate::abi::Abi::named(name, cfg!(windows))
}

/// `$macro! { $args "C" }`, and the same for every other ABI string of function pointers on this architecture.
macro_rules! with_abis {
    ($macro:ident $args:tt) => {
        $macro! { $args "C" }
        $macro! { $args "C-unwind" }
        $macro! { $args "system" }
        $macro! { $args "system-unwind" }
        $macro! { $args "sysv64" }
        $macro! { $args "sysv64-unwind" }
        $macro! { $args "win64" }
        $macro! { $args "win64-unwind" }
        $macro! { $args "efiapi" }
    };
}
pub(crate) use with_abis;

/// Keeps the block for the convention that `extern "C"` is on this target.
#[cfg(windows)]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native {
    (sysv64 { $($sysv64:tt)* } win64 { $($win64:tt)* }) => { $($win64)* };
}

/// Keeps the block for the convention that `extern "C"` is on this target.
#[cfg(not(windows))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native {
    (sysv64 { $($sysv64:tt)* } win64 { $($win64:tt)* }) => { $($sysv64)* };
}
