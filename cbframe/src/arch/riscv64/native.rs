//! What expansions leave to the architecture: shims and entries for each ABI string, and what names mean here.

/// Hands on what is between the braces if functions of this target can have the ABI that the string names, and refuses it if
/// not.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_only {
    ("efiapi" { $($expansion:tt)* }) => { $($expansion)* };
    ($abi:literal { $($expansion:tt)* }) => {
        $crate::private::core::compile_error!($crate::private::core::concat!(
            "cbframe: no function has the calling convention `", $abi, "` on RISC-V; there are `C` and `system`, each also ",
            "with `-unwind`, and `efiapi`, which are all the same, and `raw`"
        ));
    };
}

/// The bits of a group that `save(…)` names, or of what is saved if it is left out.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_save {
    (default) => { $crate::__cbframe_save!(group gpr) | $crate::__cbframe_save!(group fpr) };
    (hook) => { $crate::__cbframe_save!(default) };
    (group gpr) => { $crate::private::Group::Gpr.bit() };
    (group fpr) => { $crate::private::Group::Fpr.bit() };
    (group $name:ident) => {
        $crate::private::core::compile_error!($crate::private::core::concat!(
            "cbframe: `", $crate::private::core::stringify!($name), "` is no group of registers of RISC-V; there are `gpr` and `fpr`"
        ))
    };
}

/// A function that C calls, by the ABI string of its callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_extern {
    ($abi:literal $($function:tt)*) => { unsafe extern $abi fn $($function)* };
}

/// What the captured entry of a callback with this ABI string calls.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_dispatcher {
    ($abi:literal $($function:tt)*) => { $crate::__cbframe_extern! { $abi $($function)* } };
}

/// The shims of the native lanes, the entries before them, and `__cbframe_native_entry`, which chooses one by a lane.
///
/// ```text
/// native! {
///     "C",
///     // of shims only; of shims and entries; what entries are given for the latter
///     lifetimes ['a,] generics [F: Fn(i32) -> i32,] types [F,]
///     lane [LANE]
///     parameters [a: i32, b: f64,] output [-> i32]
///     // called with ctx and the arguments
///     call [call::<F>]
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native {
    ($abi:literal, lifetimes [$($lifetimes:tt)*] generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$($arg:ident: $ty:ty,)*] output [$($output:tt)*] call [$($call:tt)*]) => {
        // One shim for both lanes: behind all other parameters ctx is in the next register, or on the stack.
        unsafe extern $abi fn __cbframe_behind<$($lifetimes)* $($generics)*>($($arg: $ty,)* ctx: *const ()) $($output)* {
            // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
            unsafe { $($call)*(ctx, $($arg,)*) }
        }
        $crate::__cbframe_direct_entry!(
            __cbframe_direct_entry [<$($generics)*>], $lane.register(), __cbframe_behind::<$($types)*>
        );
        $crate::__cbframe_stack_entry!(
            __cbframe_stack_entry [<$($generics)*>], $lane.words(), __cbframe_behind::<$($types)*>
        );

        const fn __cbframe_native_entry<$($generics)*>(lane: $crate::private::Lane) -> unsafe extern "C" fn() {
            match lane {
                $crate::private::Lane::Direct(_) => __cbframe_direct_entry::<$($types)*>,
                $crate::private::Lane::Stack(_) => __cbframe_stack_entry::<$($types)*>,
                $crate::private::Lane::Captured => __cbframe_captured_entry::<$($types)*>,
            }
        }
    };
}

/// There are no hooks: see [`JUMP_STUB_SIZE`](super::JUMP_STUB_SIZE).
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_jump_entry {
    ($name:ident, $capture:expr, $dispatch:path) => {
        $crate::private::core::compile_error!(
            "cbframe: there are no hooks (`enter = \"jump\"`) on RISC-V: it has no branch to an address that leaves every register as it is; callbacks that are called are"
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
            $crate::private::core::arch::naked_asm!(".option push", ".option norelax", ".option norvc", ".balign 32", ".rept {count} * 8", "unimp", ".endr", ".option pop", count = const $count)
        }
    };
}
