//! What expansions leave to the architecture: shims and entries for each ABI string, and what names mean here.

/// Hands on what is between the braces if functions of this target can have the ABI that the string names, and refuses
/// it if not.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_only {
    ("sysv64" { $($expansion:tt)* }) => { $($expansion)* };
    ("sysv64-unwind" { $($expansion:tt)* }) => { $($expansion)* };
    ("win64" { $($expansion:tt)* }) => { $($expansion)* };
    ("win64-unwind" { $($expansion:tt)* }) => { $($expansion)* };
    ("efiapi" { $($expansion:tt)* }) => { $($expansion)* };
    ("custom" { $($expansion:tt)* }) => { $($expansion)* };
    ($abi:literal { $($expansion:tt)* }) => {
        $crate::private::core::compile_error!($crate::private::core::concat!(
            "cbframe: no function has the calling convention `", $abi, "` on x86-64; there are `C`, `system`, `sysv64` and ",
            "`win64`, each also with `-unwind`, `efiapi`, `raw` and `custom`"
        ));
    };
}

/// The bits of a group that `save(…)` names, or of what is saved if it is left out.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_save {
    (default) => { $crate::__cbframe_save!(group gpr) | $crate::__cbframe_save!(group flags) | $crate::__cbframe_save!(group sse) };
    (hook) => { $crate::__cbframe_save!(group gpr) | $crate::__cbframe_save!(group flags) | $crate::__cbframe_save!(group avx512) };
    (group gpr) => { $crate::private::Group::Gpr.bit() };
    (group flags) => { $crate::private::Group::Flags.bit() };
    (group sse) => { $crate::private::Group::Sse.bit() };
    (group x87) => { $crate::private::Group::X87.bit() };
    (group avx) => { $crate::private::Group::Avx.bit() };
    (group avx512) => { $crate::private::Group::Avx512.bit() };
    (group $name:ident) => {
        $crate::private::core::compile_error!($crate::private::core::concat!(
            "cbframe: `", $crate::private::core::stringify!($name), "` is no group of registers of x86-64; there are `gpr`, ",
            "`flags`, `sse`, `avx`, `avx512` and `x87`"
        ))
    };
}

/// A function that C calls, by the ABI string of its callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_extern {
    // rustc 1.95 follows System V for structs in `efiapi` functions that are compiled for Linux.
    ("efiapi" $($function:tt)*) => { unsafe extern "win64" fn $($function)* };
    ($abi:literal $($function:tt)*) => { unsafe extern $abi fn $($function)* };
}

/// What the captured entry of a callback with this ABI string calls: `"custom"` for a convention that rustc does not know.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_dispatcher {
    ("custom" $($function:tt)*) => { unsafe extern "sysv64" fn $($function)* };
    ($abi:literal $($function:tt)*) => { $crate::__cbframe_extern! { $abi $($function)* } };
}

/// The shims of the native lanes, the entries before them, and `__cbframe_native_entry`, which chooses one by a lane.
///
/// ```text
/// native! {
///     "sysv64",
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
    ("C", $($pieces:tt)*) => { $crate::__cbframe_native_c! { "C", $($pieces)* } };
    ("C-unwind", $($pieces:tt)*) => { $crate::__cbframe_native_c! { "C-unwind", $($pieces)* } };
    ("system", $($pieces:tt)*) => { $crate::__cbframe_native_c! { "system", $($pieces)* } };
    ("system-unwind", $($pieces:tt)*) => { $crate::__cbframe_native_c! { "system-unwind", $($pieces)* } };
    ("sysv64", $($pieces:tt)*) => { $crate::__cbframe_sysv64! { "sysv64", $($pieces)* } };
    ("sysv64-unwind", $($pieces:tt)*) => { $crate::__cbframe_sysv64! { "sysv64-unwind", $($pieces)* } };
    ("win64", $($pieces:tt)*) => { $crate::__cbframe_win64! { "win64", $($pieces)* } };
    ("win64-unwind", $($pieces:tt)*) => { $crate::__cbframe_win64! { "win64-unwind", $($pieces)* } };
    ("efiapi", $($pieces:tt)*) => { $crate::__cbframe_win64! { "win64", $($pieces)* } };
}

/// What `extern "C"` is on this target.
#[cfg(not(any(windows, target_os = "uefi")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native_c {
    ($($pieces:tt)*) => { $crate::__cbframe_sysv64! { $($pieces)* } };
}

/// What `extern "C"` is on this target.
#[cfg(any(windows, target_os = "uefi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_native_c {
    ($($pieces:tt)*) => { $crate::__cbframe_win64! { $($pieces)* } };
}

/// `__cbframe_native` for System V: a free register, or ctx in a [`Head`](super::Head).
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_sysv64 {
    ($abi:literal, lifetimes [$($lifetimes:tt)*] generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$($arg:ident: $ty:ty,)*] output [$($output:tt)*] call [$($call:tt)*]) => {
        $crate::__cbframe_direct! {
            $abi, lifetimes [$($lifetimes)*] generics [$($generics)*] types [$($types)*] lane [$lane]
            parameters [$($arg: $ty,)*] output [$($output)*] call [$($call)*]
        }

        unsafe extern $abi fn __cbframe_stack<$($lifetimes)* $($generics)* __CbframeHead: $crate::private::Head>(
            head: __CbframeHead, $($arg: $ty,)*
        ) $($output)* {
            // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
            unsafe { $($call)*(head.ctx(), $($arg,)*) }
        }
        $crate::__cbframe_stack_entry!(
            __cbframe_stack_entry [<$($generics)* __CbframeHead: $crate::private::Head>],
            __CbframeHead::PAD, __cbframe_stack::<$($types)* __CbframeHead>
        );

        const fn __cbframe_native_entry<$($generics)*>(lane: $crate::private::Lane) -> unsafe extern "C" fn() {
            match lane {
                $crate::private::Lane::Direct(_) => __cbframe_direct_entry::<$($types)*>,
                $crate::private::Lane::Stack(4) => __cbframe_stack_entry::<$($types)* $crate::private::Head4>,
                $crate::private::Lane::Stack(_) => __cbframe_stack_entry::<$($types)* $crate::private::Head8>,
                $crate::private::Lane::Captured => __cbframe_captured_entry::<$($types)*>,
            }
        }
    };
}

/// The shim with ctx as its last parameter, and the direct entry.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_direct {
    ($abi:literal, lifetimes [$($lifetimes:tt)*] generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$($arg:ident: $ty:ty,)*] output [$($output:tt)*] call [$($call:tt)*]) => {
        unsafe extern $abi fn __cbframe_direct<$($lifetimes)* $($generics)*>($($arg: $ty,)* ctx: *const ()) $($output)* {
            // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
            unsafe { $($call)*(ctx, $($arg,)*) }
        }
        $crate::__cbframe_direct_entry!(
            __cbframe_direct_entry [<$($generics)*>], $lane.register(), __cbframe_direct::<$($types)*>
        );
    };
}

/// `__cbframe_native` for Windows: a free position, or ctx behind the fourth position, of which a hidden result pointer
/// may be the first.
#[doc(hidden)]
#[macro_export]
macro_rules! __cbframe_win64 {
    // Up to two parameters, and a hidden result pointer: a register is left.
    ($abi:literal, lifetimes $lifetimes:tt generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$($a:ident: $A:ty, $($b:ident: $B:ty,)?)?] output $output:tt call $call:tt) => {
        $crate::__cbframe_direct! {
            $abi, lifetimes $lifetimes generics [$($generics)*] types [$($types)*] lane [$lane]
            parameters [$($a: $A, $($b: $B,)?)?] output $output call $call
        }

        const fn __cbframe_native_entry<$($generics)*>(lane: $crate::private::Lane) -> unsafe extern "C" fn() {
            match lane {
                $crate::private::Lane::Direct(_) => __cbframe_direct_entry::<$($types)*>,
                $crate::private::Lane::Stack(_) | $crate::private::Lane::Captured => __cbframe_captured_entry::<$($types)*>,
            }
        }
    };

    // Three: a register is left unless a hidden result pointer takes it.
    ($abi:literal, lifetimes $lifetimes:tt generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty,] output $output:tt call $call:tt) => {
        $crate::__cbframe_direct! {
            $abi, lifetimes $lifetimes generics [$($generics)*] types [$($types)*] lane [$lane]
            parameters [$a: $A, $b: $B, $c: $C,] output $output call $call
        }
        $crate::__cbframe_win64! {
            @behind __cbframe_behind_3 __cbframe_behind_3_entry $abi, $lifetimes [$($generics)*] [$($types)*]
            [$a: $A, $b: $B, $c: $C,] [] $output $call
        }

        const fn __cbframe_native_entry<$($generics)*>(lane: $crate::private::Lane) -> unsafe extern "C" fn() {
            match lane {
                $crate::private::Lane::Direct(_) => __cbframe_direct_entry::<$($types)*>,
                $crate::private::Lane::Stack(_) => __cbframe_behind_3_entry::<$($types)*>,
                $crate::private::Lane::Captured => __cbframe_captured_entry::<$($types)*>,
            }
        }
    };

    ($abi:literal, lifetimes $lifetimes:tt generics [$($generics:tt)*] types [$($types:tt)*] lane [$lane:expr]
        parameters [$a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty, $d:ident: $D:ty, $($arg:ident: $ty:ty,)*]
        output $output:tt call $call:tt) => {
        $crate::__cbframe_win64! {
            @behind __cbframe_behind_3 __cbframe_behind_3_entry $abi, $lifetimes [$($generics)*] [$($types)*]
            [$a: $A, $b: $B, $c: $C,] [$d: $D, $($arg: $ty,)*] $output $call
        }
        $crate::__cbframe_win64! {
            @behind __cbframe_behind_4 __cbframe_behind_4_entry $abi, $lifetimes [$($generics)*] [$($types)*]
            [$a: $A, $b: $B, $c: $C, $d: $D,] [$($arg: $ty,)*] $output $call
        }

        const fn __cbframe_native_entry<$($generics)*>(lane: $crate::private::Lane) -> unsafe extern "C" fn() {
            match lane {
                $crate::private::Lane::Stack(3) => __cbframe_behind_3_entry::<$($types)*>,
                $crate::private::Lane::Stack(_) => __cbframe_behind_4_entry::<$($types)*>,
                $crate::private::Lane::Direct(_) | $crate::private::Lane::Captured => __cbframe_captured_entry::<$($types)*>,
            }
        }
    };

    (@behind $shim:ident $entry:ident $abi:literal, [$($lifetimes:tt)*] [$($generics:tt)*] [$($types:tt)*]
        [$($b:ident: $before:ty,)*] [$($a:ident: $after:ty,)*] [$($output:tt)*] [$($call:tt)*]) => {
        unsafe extern $abi fn $shim<$($lifetimes)* $($generics)*>(
            $($b: $before,)*
            ctx: *const (),
            _: $crate::private::Unused, _: $crate::private::Unused, _: $crate::private::Unused,
            _: $crate::private::Unused, _: $crate::private::Unused,
            $($a: $after,)*
        ) $($output)* {
            // SAFETY: the arguments are those of the C caller, and ctx is that of the slot.
            unsafe { $($call)*(ctx, $($b,)* $($a,)*) }
        }
        $crate::__cbframe_stack_entry!($entry [<$($generics)*>], 32, $shim::<$($types)*>);
    };
}
