//! What expansions leave to the architecture: shims and entries for each ABI string, and what names mean here.

/// Hands on what is between the braces if functions of this target can have the ABI that the string names, and refuses it if
/// not.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_only {
    ("cdecl" { $($expansion:tt)* }) => { $($expansion)* };
    ("cdecl-unwind" { $($expansion:tt)* }) => { $($expansion)* };
    ("stdcall" { $($expansion:tt)* }) => { $($expansion)* };
    ("stdcall-unwind" { $($expansion:tt)* }) => { $($expansion)* };
    ("fastcall" { $($expansion:tt)* }) => { $($expansion)* };
    ("fastcall-unwind" { $($expansion:tt)* }) => { $($expansion)* };
    ("thiscall" { $($expansion:tt)* }) => { $($expansion)* };
    ("thiscall-unwind" { $($expansion:tt)* }) => { $($expansion)* };
    ("efiapi" { $($expansion:tt)* }) => { $($expansion)* };
    ("custom" { $($expansion:tt)* }) => {
        $crate::private::core::compile_error!(
            "cbframe: there is no `abi = \"custom\"` on 32-bit x86 yet; there are `C`, `cdecl`, `stdcall`, `fastcall`, `thiscall` and `raw`, whose handler sees every register"
        );
    };
    ($abi:literal { $($expansion:tt)* }) => {
        $crate::private::core::compile_error!($crate::private::core::concat!(
            "cbframe: no function has the calling convention `", $abi, "` on 32-bit x86; there are `C`, `system`, `cdecl`, ",
            "`stdcall`, `fastcall` and `thiscall`, each also with `-unwind`, `efiapi` and `raw`"
        ));
    };
}

/// The bits of a group that `save(…)` names, or of what is saved if it is left out.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_save {
    (default) => { $crate::__cbframe_save!(group gpr) | $crate::__cbframe_save!(group flags) | $crate::__cbframe_save!(group sse) };
    (hook) => { $crate::__cbframe_save!(default) };
    (group gpr) => { $crate::private::Group::Gpr.bit() };
    (group flags) => { $crate::private::Group::Flags.bit() };
    (group sse) => { $crate::private::Group::Sse.bit() };
    (group x87) => { $crate::private::Group::X87.bit() };
    (group $name:ident) => {
        $crate::private::core::compile_error!($crate::private::core::concat!(
            "cbframe: `", $crate::private::core::stringify!($name), "` is no group of registers that is saved on 32-bit x86; there ",
            "are `gpr`, `flags`, `sse` and `x87`"
        ))
    };
}

/// A function that C calls, by the ABI string of its callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_extern {
    ($abi:literal $($function:tt)*) => { unsafe extern $abi fn $($function)* };
}

/// What the captured entry of a callback with this ABI string calls: both arguments are in registers.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_dispatcher {
    ("C-unwind" $($function:tt)*) => { unsafe extern "fastcall-unwind" fn $($function)* };
    ("system-unwind" $($function:tt)*) => { unsafe extern "fastcall-unwind" fn $($function)* };
    ("cdecl-unwind" $($function:tt)*) => { unsafe extern "fastcall-unwind" fn $($function)* };
    ("stdcall-unwind" $($function:tt)*) => { unsafe extern "fastcall-unwind" fn $($function)* };
    ("fastcall-unwind" $($function:tt)*) => { unsafe extern "fastcall-unwind" fn $($function)* };
    ("thiscall-unwind" $($function:tt)*) => { unsafe extern "fastcall-unwind" fn $($function)* };
    ($abi:literal $($function:tt)*) => { unsafe extern "fastcall" fn $($function)* };
}

/// `__cbframe_native_entry`, which chooses an entry by a lane: there is the captured one.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native {
    ($abi:literal, lifetimes [$($lifetimes:tt)*] generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$($arg:ident: $ty:ty,)*] output [$($output:tt)*] call [$($call:tt)*]) => {
        const fn __cbframe_native_entry<$($generics)*>(lane: $crate::private::Lane) -> unsafe extern "C" fn() {
            match lane {
                $crate::private::Lane::Captured => __cbframe_captured_entry::<$($types)*>,
            }
        }
    };
}

/// There are no hooks.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_jump_entry {
    ($name:ident, $capture:expr, $dispatch:path) => {
        $crate::private::core::compile_error!(
            "cbframe: there are no hooks (`enter = \"jump\"`) on 32-bit x86 yet; callbacks that are called are"
        );
        unsafe extern "C" fn $name() {}
    };
}

/// The stubs of the pool of hooks, which nobody is given.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_jump_stub_table {
    ($name:ident, $count:expr, $slots:path, $resumes:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            $crate::private::core::arch::naked_asm!(".balign 32", ".rept {count} * 16", "ud2", ".endr", count = const $count)
        }
    };
}
