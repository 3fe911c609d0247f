//! Unwind directives: DWARF's, and those of Windows ("x64 exception handling").
//!
//! DWARF's are right at every instruction. Windows' describe a prologue, how the frame lies behind it, and the endings that
//! Windows knows by sight (`add rsp`, `pop`, then `ret` or `jmp`): where an entry moves the stack pointer elsewhere, they are
//! wrong for that one instruction, on which only a debugger or a profiler can stop.

/// The directives of one of the two kinds: those that the target has.
#[cfg(not(windows))]
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
#[cfg(windows)]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_unwind {
    ($(dwarf $($dwarf:literal),+)? $(; seh $($seh:literal),+)?) => {
        $crate::private::core::concat!($($($seh, "\n"),+)?)
    };
}
