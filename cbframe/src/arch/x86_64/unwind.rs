//! Unwind directives: DWARF's, and those of Windows ("x64 exception handling").
//!
//! DWARF's are right at every instruction. Windows' describe a prologue and how the frame lies behind it; of an ending,
//! Windows knows some by sight: `add rsp`, `pop`, then `ret`, or a jump. So that no jump of a stub or an entry is taken for
//! one, a prologue goes on until behind it, or ends before. Elsewhere behind a prologue, where an entry moves the stack
//! pointer (`push`, `popfq`), they are wrong for that one instruction, on which only a debugger or a profiler can stop.

/// The directives of one of the two kinds: those that the target has.
#[cfg(not(any(windows, target_os = "uefi")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_unwind {
    ($(dwarf $($dwarf:literal),+)? $(; seh $($seh:literal),+)?) => {
        $crate::private::core::concat!($($($dwarf, "\n"),+)?)
    };
}

/// The directives of one of the two kinds: those that the target has.
///
/// The symbol of a `.seh_proc` is named nowhere in the tables, so that one that is none serves all functions.
#[cfg(any(windows, target_os = "uefi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_unwind {
    ($(dwarf $($dwarf:literal),+)? $(; seh $($seh:literal),+)?) => {
        $crate::private::core::concat!($($($seh, "\n"),+)?)
    };
}
