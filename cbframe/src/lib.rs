//! Rust functions with state as bare C function pointers, in any calling convention, without generating code at run
//! time.
//!
//! A C function pointer carries no state, and Rust defines functions only in the conventions that rustc knows.
//! [`#[cbframe]`](macro@cbframe) removes both limits. It leaves a function as it is and puts a type of the same name
//! beside it, which makes C function pointers: one constant for a function without state, one for each state that is
//! bound for a function with `#[state]`.
//!
//! ```
//! use cbframe::{PoolFull, cbframe};
//! use std::ffi::{c_int, c_void};
//!
//! # unsafe extern "C" {
//! #     fn qsort(
//! #         base: *mut c_void, n: usize, size: usize,
//! #         compare: Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>,
//! #     );
//! # }
//! /// `qsort` has no user-data pointer; this comparator has a state all the same.
//! #[cbframe(abi = "C")]
//! fn compare(#[state] direction: &i32, a: &i32, b: &i32) -> c_int {
//!     direction * (a.cmp(b) as c_int)
//! }
//!
//! let mut numbers = [3, 1, 2];
//! let descending = compare::bind(-1)?;
//! // SAFETY: `qsort` calls back before it returns, with the addresses of two elements.
//! unsafe { qsort(numbers.as_mut_ptr().cast(), 3, 4, descending.as_fn_of()) };
//! assert_eq!(numbers, [3, 2, 1]);
//! # Ok::<(), PoolFull<i32>>(())
//! ```
//!
//! # How a call flows
//!
//! ```text
//! C caller ── call ──▶ stub k      endbr64
//!                                  push [rip + slot_k.ctx]
//!                                  jmp  [rip + slot_k.entry]
//!           ┌──────────────────────────┼───────────────────────────────┐
//!    direct entry                stack entry                     captured entry
//!    pop <free arg register>     call shim                       build CpuState
//!    jmp shim                    ret                             call dispatch(&mut CpuState, ctx)
//!           │                          │                         restore, ret
//!    extern "sysv64"             extern "sysv64"                       │
//!    fn shim(a, b, ctx) -> R     fn shim(head, a, b) -> R        arguments read from their places
//!           └──────────────────────────┴──▶ your function ◀────────────┘
//! ```
//!
//! A *stub* is 16 bytes of code that were assembled when the program was built, one callable address; a *slot* is its
//! 16 bytes of data; a [`Pool`] has both: the shared one begins with 1024 and [grows](Pool#growth), those of [`pool!`] have a
//! fixed number. Binding a state writes a slot, and nothing else: no memory
//! is ever both writable and executable. The *entry* is written for the signature by the attribute, and the compiler
//! chooses among three: rustc passes the arguments and the state goes along in a free argument register (*direct*) or
//! in memory that rustc takes for a first argument (*stack*); or the entry stores the registers into a [`CpuState`]
//! and the arguments are read from the places that the ABI gives them (*captured*), which is how a callback gets to
//! see every register.
//!
//! # Closures
//!
//! A function pointer type is a signature, and a closure behind it is a callback too:
//!
//! ```
//! use cbframe::{Frame, PoolFull};
//!
//! type Hook = Option<unsafe extern "C" fn(i32) -> i32>; // as bindgen writes it
//!
//! let base = 40;
//! let hook = Frame::<Hook>::new(move |x| base + x)?;
//! let pointer: Hook = hook.as_fn();
//! // SAFETY: the frame lives.
//! assert_eq!(unsafe { pointer.unwrap()(2) }, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | | the closure | calls |
//! | --- | --- | --- |
//! | [`Frame::new`] | `Fn + Send + Sync` | on any thread, also at once |
//! | [`Frame::local`] | `FnMut` | on its thread, one at a time; others are refused |
//! | [`Frame::once`] | `FnOnce + Send` | one, which frees the slot |
//! | [`Frame::guarded`] | `Fn + Send + Sync + 'static` | as `new`; may be exchanged and freed while they run |
//! | [`Frame::raw`] | `Fn(&mut CpuState) + Send + Sync` | with whatever arguments |
//!
//! [`frame!`](macro@frame) takes what function pointer types cannot say: references, types without [`CType`], the CPU beside
//! the arguments. [`Frame::builder`] chooses the pool and a value for C where a callback would abort the process;
//! [`scope`](fn@scope) keeps frames for the time of a call.
//!
//! # Variadic callbacks
//!
//! `...` as the last parameter gives a [`VaList`], in every ABI and on every toolchain:
//!
//! ```
//! use cbframe::{CStrRef, cbframe};
//! use std::ffi::c_int;
//!
//! /// `void (*)(int level, const char *format, ...)`: a logger that C calls like `printf`.
//! #[cbframe(abi = "C")]
//! unsafe fn log(#[state] lowest: &c_int, level: c_int, format: CStrRef<'_>, args: ...) {
//!     if level >= *lowest {
//!         // SAFETY: the caller passes the arguments that its format asks for.
//!         eprintln!("{}", unsafe { args.format(format.as_ptr()) });
//!     }
//! }
//! ```
//!
//! # The CPU
//!
//! A callback with `#[cpu] cpu: &mut CpuState`, and one with `abi = "raw"`, sees the registers as they were when C called,
//! and changes them; `save(…)` says which, by groups up to AVX-512 or one by one. [`CpuState`] has the table. Arguments of
//! another signature are read by its layout ([`arg`](CpuSubset::arg)), text is [annotated](CpuSubset::display_with) by one,
//! and [snapshots](CpuSubset::snapshot) are compared.
//!
//! With `enter = "jump"` such a callback is a hook: reached by a jump from the middle of a function that somebody has
//! patched, of which it leaves every register, flag and local as it was but for what it changes. See [`JumpTarget`].
//!
//! # Signatures known at run time
//!
//! Language runtimes, debuggers and bridges learn of signatures while they run. [`abi::Signature`] is one as a value: put
//! together from [`types::Type`]s, or parsed from C or from Rust (the features below), placed, and kept in a
//! [`SignatureCache`](abi::SignatureCache). [`DynFrame`] is a callback that has one, and [`Signature::call`](abi::Signature::call)
//! calls a function that does:
//!
//! ```
//! use cbframe::abi::{Abi, Signature};
//! use cbframe::types::Type;
//! use cbframe::{DynFrame, Value};
//!
//! let signature = Signature::new(Abi::C).named("x", Type::F64).named("by", Type::I32).ret(Type::F64).build()?;
//! let frame = DynFrame::new(&signature, |call| call.ret(call.arg::<f64>(0) * f64::from(call.arg::<i32>(1))))?;
//! // SAFETY: this is the signature of the callback.
//! let result = unsafe { signature.call(frame.as_ptr(), &[Value::F64(1.5), Value::I32(3)])? };
//! assert_eq!(result.to_string(), "4.5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Recorder`] keeps the last calls of such callbacks, annotated, and makes them again. Where the convention is none of
//! data's, an [algorithm](abi::Placement) places the arguments.
//!
//! # Calls in the other direction
//!
//! [`call!`](macro@call) calls an address by any convention that is known here, with types that the compiler checks;
//! [`CpuState::call`] loads all registers, calls, and gives those that the function leaves.
//!
//! # Panics
//!
//! A panic, or an exception of another language, that leaves a callback whose ABI does not unwind aborts the process with
//! the callback's name (built with `panic = "abort"`, without the name). With `on_panic`, or [`Builder::or`], C gets a value
//! instead, and inside of [`resume_panics`] the panic goes on in Rust when C is back.
//!
//! # `longjmp`, coroutines, `fork`
//!
//! A `&mut` state and a [local](Frame::local) closure are held by one call at a time. A call that `longjmp` has left, as
//! Lua's errors do, gives them up as soon as another call is made: that finds, with the unwinder if need be, that another
//! function's frame lies where the call's did. A call on a coroutine's stack holds them until it returns, since it may be
//! resumed. A call that returns when it was taken for over aborts the process with the callback's name: this needs a stack
//! that was cut out of the thread's own, or copied away. (Rust promises nothing about jumps over frames with destructors;
//! gcc's and glibc's is what is tested, and that of Windows. Without the feature `std` a call that was left holds its state for
//! ever.)
//!
//! After `fork` the child has a copy of every pool and every state, at the same addresses: frames may be called, dropped and
//! bound anew there, and neither process sees what the other does. Binding and freeing take no lock, so this holds in a child
//! of a process with other threads too, boxed states as far as the allocator allows; [guarded](Frame::guarded) frames do take
//! one when they are made, exchanged or freed. What other threads had bound stays taken in the child, and a `&mut` state that
//! one of them was using stays in use: a call of it aborts. States that both processes drop are dropped twice, once in each.
//!
//! # Which types
//!
//! A typed callback takes every type that rustc takes in an `extern` function of its ABI. For a [`CType`] cbframe knows
//! where it lies: that makes the direct entry, layouts ([`abi::Layout`]), [`Frame::as_fn_of`] and the captured lane
//! possible, and values are checked before they become a `T`: a null reference, a `bool` of 2 or an unknown enum value
//! aborts the process with a message that names the callback and the parameter. An argument whose type is no `CType`
//! arrives unchecked, as in an ordinary `extern` fn.
//!
//! | C | Rust |
//! | --- | --- |
//! | integers, `__int128`, `_Bool`, `float`, `double` | `i8` … `u128`, `bool`, `f32`, `f64` |
//! | pointers | `*const T`, `*mut T`, `&T`, `&mut T`, `NonNull<T>`, function pointers; `Option` of the last four |
//! | `const char *`, a string | `*const c_char`, [`CStrRef`] |
//! | `struct`, `union`, `enum` | `#[derive(CType)]`, also `packed` and `align(N)` up to 64; [`c_type!`] for a struct of another crate |
//! | arrays as fields | `[T; N]` |
//! | SIMD vectors: `__m128`, `__m256d`, `__m512i` and so on | those of [`core::arch`] |
//! | `long double`, `_Float16`, `__float128` | [`LongDouble`], [`Float16`], [`Float128`] |
//! | `_Complex` | `Complex` of the crate num-complex, with the feature of that name |
//! | whatever C may leave uninitialized | `MaybeUninit<T>` |
//!
//! rustc knows neither `long double` nor `_Float16` nor `__float128`, and takes 256- and 512-bit vectors only where it
//! is compiled for a CPU that has them (`-C target-feature=+avx`). A callback with such a type, be it within a struct, is
//! served by the captured lane: it works, on any CPU that has the registers, and costs what that lane costs. Because
//! Rust code that called its pointer would pass the first three wrongly, a callback with one of these has to be an
//! `unsafe fn`. A vector is where compilers for a CPU with its registers have it; C code that passes a `__m256` must
//! have been compiled with AVX enabled. (rustc's lint on types that are not FFI-safe speaks up for a vector result:
//! `#[allow(improper_ctypes_definitions)]`.)
//!
//! How bindgen's structs get the derive: [`bindgen`].
//! What GCC and Clang do not agree about on Windows x64 is listed with [`abi::Abi::Win64`].
//!
//! # Targets and conventions
//!
//! | target | `"C"`, `"system"` | `"sysv64"` | `"win64"`, `"efiapi"` | `"raw"`, `"custom"` |
//! | --- | --- | --- | --- | --- |
//! | x86_64 Linux | System V | yes | yes | yes |
//! | x86_64 Windows | Windows | yes | yes | yes |
//! | x86_64 UEFI, without `std` | Windows | yes | yes | yes |
//! | x86_64 macOS, never run | System V | yes | yes | yes |
//! | aarch64 Linux | AAPCS64 | no | no; `"efiapi"` is AAPCS64 | yes |
//! | i686 Linux | cdecl | no | no; `"efiapi"` is cdecl | `"raw"` |
//!
//! On 32-bit x86
//!
//! - there are `"cdecl"`, `"stdcall"`, `"fastcall"` and `"thiscall"` besides, as GCC has them, each also with `-unwind`; `regparm` is
//!   known to [`abi`] and the parsers only;
//! - all callbacks take the captured lane, which aligns the stack for Rust whatever the caller has left: `entry = "direct"` is refused;
//! - [`CpuState`] has eax to esp, eip, eflags, and with the groups `sse` and `x87` xmm0 to xmm7 and the FXSAVE area;
//! - there are no hooks, and no conventions of one's own.
//!
//! On AArch64
//!
//! - the state of the CPU is another: [`CpuState`] has x0 to x30, sp, pc, the flags, and with the group `simd` v0 to v31, FPCR and
//!   FPSR. x16 and x17 are the stubs' (and any linker's); `raw` callbacks get x0 to x7 first, and x8 for a result in memory;
//! - a callback with a state has to know where its arguments lie: a type that is no [`CType`] is refused there;
//! - `long double` is a binary128, and `float32x4_t` and its kin are C types. rustc 1.95 passes aggregates of several vectors,
//!   and small structs with `align(16)`, otherwise than C: callbacks with them are `unsafe fn`s, as those with a `long double`;
//! - there are no hooks, since no branch to an address leaves every register as it is, and no conventions as data;
//! - every target of an indirect branch begins with `bti c`; a guarded control stack (GCS) asks of a handler that changes `pc`
//!   what a shadow stack asks elsewhere;
//! - the shared pool grows where pages have 4 KiB, and says so where they are larger;
//! - all of it was tested under qemu-user.
//!
//! On Windows
//!
//! - the shared pool does not [grow](Pool#growth): `CBFRAME_SLOTS` says how many callbacks there can be, and [`pool!`] makes more;
//! - `save_errno` keeps `GetLastError`, and errno of the C library that the program is linked with;
//! - `raw` callbacks get the registers of the Windows convention, `rcx`, `rdx`, `r8` and `r9` first;
//! - hooks keep the 128 bytes below the stack pointer as everywhere, though the system itself does not when it raises an
//!   exception there;
//! - unwind tables are those of the system (`.pdata`): panics, exceptions of C++ and structured ones go through all entries,
//!   and a debugger finds the caller from every one, but in the middle of those of hooks and for single instructions behind a
//!   call;
//! - with MinGW `long double` is [`LongDouble`]; Microsoft's compiler has `double` for it. Where the two compilers differ in how
//!   a value is passed, [`abi::Abi::Win64`] says which one is followed;
//! - fibers are what coroutines are elsewhere.
//!
//! `x86_64-pc-windows-gnu` is tested under Wine; for `x86_64-pc-windows-msvc` the crate is compiled and its unwind tables are
//! looked at, and that is all.
//!
//! On UEFI (`x86_64-unknown-uefi`, tested with OVMF)
//!
//! - there is no feature `std`: `default-features = false`, with `alloc` if the program has an allocator;
//! - messages go where `set_report` says, and what ends a process elsewhere raises an invalid-opcode exception;
//! - a thread is a processor, by the number of its APIC: a local closure may run on its own only;
//! - rustc passes floats in general registers there, which C does not: callbacks with floats take the captured lane and have to be an
//!   `unsafe fn`, as with [`LongDouble`], and Rust calls them by [`call!`](macro@call); what is no [`CType`] is refused;
//! - debug builds are not linked at present, for want of a personality routine;
//! - nothing unwinds, there is no errno for `save_errno` to keep, and the shared pool does not grow.
//!
//! For `x86_64-apple-darwin` the crate is compiled, and the objects are looked at: no machine has run them. The shared pool does not
//! grow, guarded closures have barriers in their calls, and unions with a `long double` are refused, which Apple's compilers pass
//! otherwise than System V's ABI has it.
//!
//! Conventions that rustc does not know are written for one function, with `abi = "custom"` and a register for each parameter
//! ([`#[cbframe]`](macro@cbframe#conventions-of-ones-own)), or as data for many ([`convention!`](macro@convention)).
//! [`conventions`] has `vectorcall` of Windows, `regcall`, `preserve_most`, `preserve_all`, `preserve_none` and Go's.
//!
//! rustc 1.95 itself passes structs wrongly when Rust *calls* an `extern "efiapi"` pointer in a program for Linux;
//! callbacks follow the convention. `-unwind` forms (all but `efiapi`, `raw` and `custom`) let panics and foreign exceptions
//! through. Other targets do not build yet, and say so.
//!
//! # Guarantees
//!
//! - Nothing is compiled at run time, and no memory is ever writable and executable or becomes executable after it was
//!   written. Up to its static size a pool asks for no executable memory at all; beyond it the shared pool maps a part of
//!   the program's own file once more.
//! - A callback without state, with `&S`, or of [`Frame::new`], executes no allocation, lock, atomic or thread-local access
//!   of cbframe's; with `on_panic` it reads one global variable. (Built with debug assertions, each call of a frame that
//!   owns its state is noted in a table, to find frames that are dropped in use.)
//! - Every target of an indirect branch begins with `endbr64`. User shadow stacks are satisfied by all entries but those of
//!   [hooks](JumpTarget), as long as a handler leaves `rip` in its [`CpuState`] alone. Callers compiled with kcfi check the *type*
//!   of what they call: stubs carry no type hash, so such callers must exempt the call.
//! - Control Flow Guard on Windows checks the *address*, against a table of functions that the linker makes of a program that
//!   is linked with `/guard:cf`. `FN` and what [`bind_static!`] gives are functions and are in it; the stub of a [`Frame`]
//!   lies within a function, so that a caller compiled with `/guard:cf` is ended there (`FAST_FAIL_GUARD_ICALL_CHECK_FAILURE`).
//!   Exempt such callers (`__declspec(guard(nocf))`). Code that is compiled without it, as Windows' own older interfaces and
//!   most C libraries are, calls any address.
//!   A linked program is marked for IBT or SHSTK (`.note.gnu.property`) only if every object in it is. With
//!   `-Zcf-protection=full` all of cbframe's are; the standard library's and many a system's start files are not.
//! - Registers and flags that the ABI preserves are preserved.
//!
//! # Features
//!
//! - `std` (default): `on_panic`, [`Builder::or`], [`resume_panics`], [`Frame::guarded`], [`DynFrame::guarded`]. Implies `alloc`.
//! - `alloc`: closures, [`frame!`](macro@frame), and binding `S`, `Box<S>` and `Arc<S>`. Without it `&S` and `&mut S` can be
//!   bound.
//! - `libc`: [`CType`] for structs of the crate `libc` that are passed by value, such as `timespec`, `tm`, `in_addr`,
//!   `sockaddr_in`, `iovec`, `pollfd` and `epoll_event`; for others there is [`c_type!`].
//! - `parse-c` and `parse-rust`: signatures from C declarations and from Rust's function pointer types, in `parse`.
//! - `num-complex`: [`CType`] for `num_complex::Complex` of `f32`, `f64` and [`LongDouble`], as C's `_Complex`.
//!
//! The environment variable `CBFRAME_SLOTS`, when the crate is built, sets the static size of the shared pool (1024).
#![no_std]
// What only closures use.
#![cfg_attr(not(feature = "alloc"), allow(dead_code, unused_imports))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The macros name this crate as users do.
extern crate self as cbframe;

pub mod abi;
mod activation;
mod arch;
mod closure;
pub mod conventions;
#[cfg(feature = "alloc")]
mod dynamic;
mod frame;
mod os;
mod panic;
#[cfg(any(feature = "parse-c", feature = "parse-rust"))]
pub mod parse;
mod pool;
mod signature;
pub mod types;
mod va_list;

pub use arch::Word;
pub use arch::exports::*;
pub use cbframe_macros::{CType, c_type, cbframe, convention};
#[cfg(feature = "alloc")]
pub use cbframe_macros::{call, frame};
#[cfg(feature = "alloc")]
pub use closure::{Abort, Builder, Fallback, Scope, scope};
pub use closure::{Closure, Local, Once, Raw};
#[cfg(feature = "std")]
pub use closure::{FallbackValue, Guarded};
#[cfg(feature = "alloc")]
pub use dynamic::{
    Address, Argument, Arguments, Call, CallError, DynBuilder, DynFrame, Dynamic, Misfit, Object, Reply, Scalar, Value,
    ValueError,
};
#[cfg(feature = "std")]
pub use dynamic::{Record, Recorder};
pub use frame::{ExclusiveState, Frame, JumpTarget, SharedState};
#[cfg(target_os = "uefi")]
pub use os::set_report;
#[cfg(feature = "std")]
pub use panic::resume_panics;
pub use pool::{Pool, PoolFull, Resolved, Stats, resolve};
pub use signature::{ClosurePointer, FnPointer};
pub use types::{CStrRef, CType, Float16, Float128, NeverNull};
pub use va_list::{VaArg, VaList};

#[cfg(doc)]
#[doc = include_str!("../docs/bindgen.md")]
pub mod bindgen {}

#[doc(hidden)]
pub mod private;
