//! The macros of `cbframe`; use them through that crate.

mod args;
mod ast;
mod c_type;
mod call;
mod convention;
mod custom;
mod derive;
mod expand;
mod frame;
mod lifetimes;
mod pointer;
mod registers;
mod report;
#[cfg(test)]
mod snapshot;
mod validate;

use proc_macro::TokenStream;

use crate::args::Args;
use crate::ast::Function;
use crate::report::Report;

/// Implements the trait `CType`: describes the C layout of a struct, a union or a field-less enum.
///
/// ```
/// use cbframe::CType;
///
/// #[derive(CType)]
/// #[repr(C)]
/// struct Event<'a> {
///     kind: Kind,
///     at: [f32; 2],
///     source: Option<&'a u32>,
///     done: Option<extern "C" fn(&Event)>,
/// }
///
/// #[derive(CType)]
/// #[repr(u32)]
/// enum Kind {
///     Press = 1,
///     Release,
/// }
///
/// assert_eq!(Event::TYPE.size, 32);
///
/// // Bits that are no value, which C can pass all the same, are found.
/// let bits = 3u32;
/// // SAFETY: aligned and initialized.
/// assert!(!unsafe { Kind::is_valid((&raw const bits).cast()) });
/// ```
///
/// # What it accepts
///
/// - **`#[repr(C)]` structs**: with named fields, tuple structs, unit structs; nested, with arrays, with
///   lifetimes, type and constant parameters. A type parameter that a field holds by value has to be a `CType`
///   itself; what is behind a pointer or in a `PhantomData` need not be.
/// - **`#[repr(C)]` unions.** Any bits count as a value of a union, since C does not say which member it holds.
/// - **`packed`, `packed(N)` and `align(N)`** beside `C`, for both: what `#pragma pack` or `__attribute__((packed))` and
///   `_Alignas` are in C. `N` of `align` is at most 64: a type that is aligned to more cannot keep its alignment where
///   it is passed on the stack.
/// - **`#[repr(transparent)]` structs** with one field, and beside it only fields that are written
///   `PhantomData<…>`, `PhantomPinned` or `()`. If the field is never null, `Option` of the struct is a `CType`.
/// - **Field-less enums** with `#[repr(C)]` or an integer of up to 64 bits, `#[repr(u8)]` for instance.
///
/// Each field's type has to be a `CType`, but one that is *written* as a function pointer, or as an `Option` of
/// one, is always accepted, even `extern "C" fn(&T)`, for which no trait can be implemented: so write such a
/// type in the field rather than by the name of an alias.
///
/// # What it refuses
///
/// Types whose layout is Rust's own (no `repr`, or `repr(Rust)`), enums with fields, enums without variants, enums with
/// an alignment of their own. For a struct of another crate there is [`c_type!`](macro@c_type).
///
/// The description is built from `size_of`, `align_of` and `offset_of!`, and a constant compares it with what C's
/// rules make of the fields, so that a difference is an error of `cargo check`. For a type with type or constant
/// parameters that is done for each use in a callback.
///
/// What it cannot see is a field whose type is not that of the C header: bindgen writes `u128` for a `long double` and an
/// array of floats for a vector, which C passes elsewhere. Write `LongDouble` and `__m128` there (the module `bindgen` in
/// cbframe's documentation has a build script that finds such bindings).
///
/// # A renamed dependency
///
/// Generated code finds the crate as `::cbframe`. `#[cbframe(crate = some::path)]`, below the derive, names
/// another place:
///
/// ```
/// mod ffi {
///     pub use cbframe as callbacks;
/// }
///
/// #[derive(ffi::callbacks::CType)]
/// #[cbframe(crate = ffi::callbacks)]
/// #[repr(transparent)]
/// struct Id(u32);
/// ```
///
/// Generated code works in a crate with `#![no_std]` and with `#![forbid(unsafe_code)]`: the `unsafe impl` is
/// not the user's.
#[proc_macro_derive(CType, attributes(cbframe))]
pub fn derive_c_type(input: TokenStream) -> TokenStream {
    derive::expand(input.into()).into()
}

/// Describes structs of other crates: implements the trait `CType` for them.
///
/// A derive stands on a definition, and `impl CType for libc::regmatch_t` belongs to the crate that has the trait or to
/// the one that has the type. This macro takes the fields once more, and implements `CType<Local>`, where `Local` is a
/// type of this crate that nobody has to name: the compiler finds the one implementation there is.
///
/// ```
/// use cbframe::abi::Architecture;
/// use cbframe::cbframe;
///
/// cbframe::c_type!(
///     struct libc::regmatch_t { rm_so: libc::regoff_t, rm_eo: libc::regoff_t }
/// );
///
/// #[cbframe(abi = "win64", entry = "captured")]
/// fn length(#[state] text: &String, found: libc::regmatch_t) -> usize {
///     text[found.rm_so as usize..found.rm_eo as usize].chars().count()
/// }
///
/// assert_eq!(length::LAYOUT.parameters()[0].place.on(Architecture::X86_64).to_string(), "rcx");
/// ```
///
/// There can be several structs in one call, each with `#[cfg(…)]` and `#[allow(…)]`. A tuple struct ends in a semicolon,
/// `struct krate::Pair(u32, f32);`. Paths may have lifetimes and types as arguments: `struct krate::Span<'a, u8> { … }`.
///
/// # What is proved
///
/// All of it while the crate is compiled, by code that is never run:
///
/// - Every field is listed: one that is missing, misspelt or private is an error. So is a `#[non_exhaustive]` struct,
///   which may get more fields.
/// - Each field has the type that is written, and that type is a `CType`, by a description of its own if need be. (A
///   type that is written as a function pointer, or as an `Option` of one, is accepted as in `#[derive(CType)]`.)
/// - The layout, `packed` or `align` included, is the one that C's rules give these fields.
/// - The struct is `repr(C)` or `repr(transparent)`. The compiler tells by its lint `improper_ctypes_definitions`; in
///   case it takes exception to something else, a SIMD vector among the fields for instance, write
///   `#[allow(improper_ctypes_definitions)]` before `struct`.
///
/// One thing cannot be seen: which of the two. It matters only where a single field has all bytes of the struct, and
/// there the macro asks for it: write `#[repr(C)]` or `#[repr(transparent)]` as the definition does.
///
/// # What it refuses
///
/// Unions and enums: nothing proves from outside that each member, or each value, is listed. Structs with private
/// fields. For these, `#[derive(CType)]` a type of your own that is defined like the foreign one. A struct with a
/// destructor and fields that are not `Copy`.
///
/// # Where a described type can be used
///
/// As a parameter and as the result of `#[cbframe]` functions, on every lane and behind `&T`; as a field of types with
/// `#[derive(CType)]` and of other described structs; in arrays, `ManuallyDrop` and `MaybeUninit`. Its fields are checked
/// as those of a derived type are: a `bool` of 2 aborts the process.
///
/// Not in a `FnPointer`: `as_fn_of::<Q>()` needs a `Q` whose parameters are `CType<()>`, which derived types are. `as_fn`
/// and `FN` give the callback's own pointer type. Nor for a type parameter: `Pair<T>` with `T: CType` takes what is
/// `CType<()>`.
///
/// # Two descriptions of one type
///
/// An implementation is seen by every crate that depends on this one. There the type can be used as well; and if there
/// is a second description, each use of the type is ambiguous: the compiler says "type annotations needed" and where
/// both are. One of them has to go. cbframe's features `libc` and `num-complex` are descriptions too, and a crate
/// elsewhere in the program may have enabled them. So a library that is meant for others had better define a
/// `#[repr(C)]` struct of its own with the same fields, and derive `CType`, than describe what another may describe.
///
/// # Options
///
/// Before the first struct, ending in a semicolon: `c_type!(crate = some::path, local = (); struct … )`.
///
/// - `crate = PATH`: where `cbframe` is, if it is not `::cbframe`.
/// - `local = ()`: implements `CType<()>`, as the derive does, without the limits above. That is for a type that this
///   crate itself defines but cannot put a derive on: bindings that are generated, for instance.
#[proc_macro]
pub fn c_type(input: TokenStream) -> TokenStream {
    c_type::expand(input.into()).into()
}

/// Defines a calling convention as data, and a type that stands for it in `abi = …`.
///
/// ```
/// use cbframe::abi::Architecture;
/// use cbframe::{cbframe, convention};
///
/// convention! {
///     /// The register calls of an imaginary 64-bit Delphi.
///     pub struct Register {
///         ints: [rax, rdx, rcx],
///         floats: [xmm0, xmm1],
///         results: [rax, xmm0],
///         preserves: [rsi, rdi],
///         callee_pops: true,
///     }
/// }
///
/// #[cbframe(abi = Register)]
/// fn scale(#[state] factor: &f64, this: *const u8, x: f64, flags: u32) -> f64 {
///     x * factor
/// }
///
/// assert_eq!(scale::LAYOUT.parameters()[2].place.on(Architecture::X86_64).to_string(), "edx");
/// ```
///
/// Registers are called by the names of the whole, `rax` and `xmm0`. The fields, of which the first four are required:
///
/// - `ints`, `floats`: the registers that carry integers and pointers, and floats and 16-byte vectors, in the order in
///   which they are given out. An argument for which none is left is on the stack.
/// - `results`: the registers for results. An integer is in the first general one, a float in the first vector one.
/// - `preserves`: registers that a function preserves, and `flags`. The stack pointer and what System V preserves, rbx, rbp
///   and r12 to r15, are preserved without being named. A register that holds the result is not. Of vector registers 16
///   bytes are preserved, unless
/// - `preserves_whole_vectors: true`: all vector registers that the CPU has are preserved whole, ymm, zmm and opmasks too,
///   for callers that are compiled for AVX or AVX-512.
/// - `narrow_ints: false`: integers of 1 and 2 bytes are refused as arguments.
/// - `by_position: true`: each argument takes the next of both lists, as on Windows; they are of the same length.
/// - `callee_pops: true`: the return pops the arguments on the stack.
/// - `home: 32`: bytes that the caller leaves free between the return address and the arguments on the stack.
/// - `slot: 1`: arguments on the stack are laid out like the fields of a struct; otherwise each takes a multiple of 8 bytes.
/// - `stack_align: 8`: the stack pointer is a multiple of 8 before the call, and not of 16.
/// - `aggregates`: the rules for structs and unions, `Refused`, `Eightbytes`, `Fields` or `Vectorcall`: see
///   `cbframe::abi::Aggregates`. By default a signature that has any is refused.
/// - `hidden: rdi -> rax`: how the address of a result in memory arrives and leaves, where the rules for aggregates have
///   such results.
///
/// `crate = PATH;` before the first struct says where `cbframe` is, if it is not `::cbframe`.
///
/// The pointers to a callback with such a convention have the type `unsafe extern "C" fn()`: they are addresses, which only
/// code of that convention can call.
#[proc_macro]
pub fn convention(input: TokenStream) -> TokenStream {
    convention::expand(input.into()).into()
}

/// Makes a function a C callback.
///
/// The function stays as it is and can be called from Rust. Beside it stands a type of the same name with
///
/// | without `#[state]` | with `#[state]` |
/// | --- | --- |
/// | `FN`: the C function pointer, a constant | `bind(state)`: a `Frame` that owns the state and a C function pointer |
/// | `as_fn_of::<Q>()`: the same as another pointer type of the same layout | `leak(state)`: a C function pointer for ever |
/// | | `bind_static!(name, STATE)`: a constant C function pointer for a `static` state |
///
/// and, for both, `LAYOUT` (where arguments and result lie) and `NAME`.
///
/// # Parameters
///
/// - `#[state] s: &S`: what was bound. `S` must be `Sync`: C may call on any thread, and more than once at a time.
/// - `#[state] s: &mut S`: the same, used by one call at a time: a nested or overlapping call is found and aborts the
///   process with a message. `S` must be `Send`.
/// - `#[cpu] cpu: &mut CpuState`: the registers as they were when C called. Changes are in the registers on return; the
///   result wins over changes of the registers that it lies in. Pointers to such a callback are `unsafe` to call,
///   since it can change what its caller keeps in registers.
/// - `mut args: ...`, as the last one: the arguments behind those of the other parameters, as a `cbframe::VaList<'_>`, which
///   is also what Rust code passes that calls the function itself. Pointers to such a callback are `unsafe` to call. There is
///   no `#[cpu]` beside it.
/// - With `abi = "custom"`, each of the others says where it arrives: `#[reg("…")]` or `#[stack(N)]`. See
///   [below](#conventions-of-ones-own).
/// - All others are the C signature, in this order. Types: whatever rustc takes in an `extern` function, and every
///   `CType`. A parameter is a name or `_`. Parameters whose type is a `CType` are checked: a value that Rust does not allow aborts the
///   process with a message. Other types arrive unchecked, as in an ordinary `extern` function.
///
/// The function may be generic over lifetimes, and `unsafe`; it has to be the latter if rustc would pass one of its types
/// otherwise than C does, `LongDouble` for instance, because then only C may call the pointer.
///
/// # Options
///
/// - `abi = "…"`, required: `"C"`, `"system"`, `"sysv64"`, `"win64"`, `"efiapi"`; `"C-unwind"`, `"system-unwind"`,
///   `"sysv64-unwind"`, `"win64-unwind"`, out of which a panic may go; `"raw"`, whose only parameter beside a state is
///   `cpu: &mut CpuState`; `"custom"`, and types that stand for conventions: see [below](#conventions-of-ones-own). A panic in
///   a callback of another ABI aborts the process, with the callback's name.
/// - `pool = PATH`: the pool that `bind` takes a slot from; the shared one by default.
/// - `on_panic = EXPR`: what C gets if the function panics; evaluated then, without the parameters in sight. A panic in it
///   aborts the process, and so does an exception of another language. The panic itself is dropped, unless C was called
///   inside of `cbframe::resume_panics`: then it goes on in Rust when C is back, and until then callbacks with `on_panic`
///   return their value without running, and without a check of their arguments. Needs the feature `std`.
/// - `save(…)`: the registers that the state of the CPU has: the groups `gpr`, `flags`, `sse`, `avx`, `avx512` and `x87`, and
///   single ones, `rdi` or `xmm0`; `(gpr, flags, sse)` by default. On AArch64 `gpr`, `flags` and `simd`, all of them by default,
///   and `x0` or `v0`. Without `gpr` the parameter is `cpu: &mut CpuSubset`.
/// - `save_errno`: C's errno is, when the callback returns, what it was when it was called. (Rust code changes it by whatever it
///   asks of the system.)
/// - `save_fenv`: for a C caller that may have changed its floating-point environment, MXCSR and the x87 unit's: other
///   rounding, exceptions that trap, flush to zero, 53 bits of precision. Rust code must not run in that: it is
///   compiled for the modes of a program's start, which this option sets for the time of the call; the caller
///   gets its own back, exceptions that have happened included. (`CpuState` shows the caller's MXCSR, with or without.) Where the modes are
///   the usual ones it is two stores and a comparison.
/// - `name = Ident`: another name for the type beside the function.
/// - `export = "symbol"`: without `#[state]`, exports the C function under this name. With a type that rustc does not
///   pass as C does, it needs `entry = "captured"` beside it.
/// - `entry = "direct" | "stack" | "captured"`: the entry, which is chosen by the signature by default; for tests and
///   measurements.
/// - `enter = "jump"`, with `abi = "raw"` and `#[state]`: a hook, which a patched function jumps to from its middle. All
///   registers and flags, and the red zone, are as they were when the function goes on, at the address that
///   `bind(state, resume)` is given, unless the handler changes them. See `JumpTarget`.
/// - `ret = "…"`, `callee_pops = N`: with `abi = "custom"`, the register of the result, and the bytes of arguments that the
///   return pops.
/// - `crate = PATH`: where `cbframe` is, if it is not `::cbframe`.
///
/// # Conventions of one's own
///
/// With `abi = "custom"` every parameter says where it arrives, and `ret` where the result goes. What IDA writes as
/// `int __usercall add@<eax>(int a@<ecx>, obj *this@<rsi>, float k)` is
///
/// ```
/// use cbframe::cbframe;
///
/// struct Object {
///     id: i32,
/// }
///
/// #[cbframe(abi = "custom", ret = "eax", callee_pops = 8)]
/// fn add(#[state] offset: &i32, #[reg("ecx")] a: i32, #[reg("rsi")] this: *const Object, #[stack(0)] k: f32) -> i32 {
///     // SAFETY: the caller passes an object.
///     unsafe { (*this).id + a + offset + k as i32 }
/// }
///
/// let frame = add::bind(40)?;
/// let address: unsafe extern "C" fn() = frame.as_fn(); // for code of that convention
/// println!("{}", add::LAYOUT);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - `#[reg("…")]`: a register by the name that assemblers have for it, `rax`, `eax`, `ax`, `al`, `r8d`, `xmm0`. It is as wide
///   as the type, or wider: then the value is in its low bytes. Integers, pointers and structs of 1, 2, 4 or 8 bytes are in
///   general registers, floats and 16-byte vectors in vector registers; who has the bits of a float in a general register
///   asks for them, as `u32` or `u64`.
/// - `#[stack(N)]`: the value lies N bytes above the return address's end. Any type can be there.
/// - `ret = "…"`: the register of the result, whose name has exactly its width. The rest of that register is what an
///   instruction which writes these bytes makes of it: behind 4 bytes in a general register (`ecx`) the upper half is zero;
///   behind 1 or 2 bytes (`cl`, `cx`), and above a float in a vector register, everything is as it was.
/// - `callee_pops = N`: the return pops N bytes of arguments, as `ret N` does. (A handler that changes `rsp` of its
///   `CpuState` has them popped above that.)
/// - **Everything else is preserved, bit for bit**: the other general registers, all vector registers and opmasks that the CPU
///   has, mxcsr and the flags, also those in which arguments arrived. The x87 stack is empty, as for every call in C, or
///   has room, and the stack pointer aligned: a multiple of 16 before the call.
///
/// A convention that many functions share is data: [`convention!`](macro@convention) defines a type for it, and
/// `abi = TYPE` names that; no parameter has an attribute then. `cbframe::conventions` has some of compilers:
///
/// ```
/// use cbframe::abi::Architecture;
/// use cbframe::{cbframe, conventions::Regcall};
///
/// #[cbframe(abi = Regcall)]
/// fn half(x: f64, n: i64) -> f64 {
///     x / 2.0 + n as f64
/// }
///
/// assert_eq!(half::LAYOUT.parameters()[1].place.on(Architecture::X86_64).to_string(), "rax");
/// ```
///
/// In both cases every type has to be a `CType`, and one for which the convention has no rule is refused. Rust has no type
/// for pointers to such functions: `FN`, `as_fn()` and `leak` give an `unsafe extern "C" fn()`, which is an address and
/// not to be called from Rust; there is no `as_fn_of`. The captured entry serves them all. No panic or exception leaves them.
///
/// # Where it cannot be
///
/// On a method, and inside an `impl` or `trait` block: a type cannot stand there. In a crate that forbids
/// `unsafe_code`: the expansion has some.
#[proc_macro_attribute]
pub fn cbframe(options: TokenStream, item: TokenStream) -> TokenStream {
    callback(options.into(), item.into()).into()
}

/// Makes a closure a C callback: a `Frame` for it, as `Frame::<P>::new` gives, without a pointer type.
///
/// ```
/// use cbframe::frame;
/// use std::ffi::{c_int, c_void};
///
/// struct Item {
///     price: u32,
/// }
/// type Compare = Option<unsafe extern "C" fn(*const c_void, *const c_void) -> c_int>;
/// # unsafe extern "C" {
/// #     fn qsort(base: *mut c_void, n: usize, size: usize, compare: Compare);
/// # }
///
/// let mut items = [Item { price: 3 }, Item { price: 1 }];
/// let descending = true;
/// let compare = frame!(abi = "C", as = Compare, move |a: &Item, b: &Item| -> c_int {
///     if descending { b.price.cmp(&a.price) as c_int } else { a.price.cmp(&b.price) as c_int }
/// })?;
/// // SAFETY: `qsort` calls back before it returns, with the addresses of two items.
/// unsafe { qsort(items.as_mut_ptr().cast(), 2, size_of::<Item>(), compare.as_fn()) };
/// assert_eq!(items[0].price, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The closure is the last argument. Its parameters have types, and its result has one unless it is `()`: they are the C
/// signature. All types are allowed that are in `#[cbframe]` functions, references with elided lifetimes and types that
/// are no `CType` among them; they cannot name type parameters of the function around. `#[cpu] cpu: &mut CpuState` is
/// the state of the CPU here too, and `args: ...` the arguments behind the others.
///
/// # Options
///
/// - `abi = "…"` or `abi = TYPE`, required; `pool = PATH`, `save(…)`, `save_errno`, `save_fenv`, `entry = "…"`, `ret = "…"`,
///   `callee_pops = N`, `crate = PATH`: as for `#[cbframe]`.
/// - `local`: the closure is an `FnMut` that belongs to this thread, as in `Frame::local`. `once`: it is an `FnOnce`, as
///   in `Frame::once`. Otherwise it is `Fn + Send + Sync`.
/// - `or = VALUE`: what C gets if the closure panics or cannot be run, as with `Builder::or`.
/// - `as = POINTER`: the pointer type that the frame has, from a binding, `Option` of one included. The compiler checks
///   that the layout is the closure's. Without it, the type is the `unsafe extern` one of the closure's own parameters.
#[proc_macro]
pub fn frame(input: TokenStream) -> TokenStream {
    frame::expand(input.into()).into()
}

/// Calls an address with a convention that rustc may not know: the other direction of [`macro@cbframe`].
///
/// ```
/// use cbframe::conventions::Regcall;
/// use cbframe::{call, cbframe};
///
/// #[cbframe(abi = Regcall)]
/// fn half(x: f64, n: i64) -> f64 {
///     x / 2.0 + n as f64
/// }
///
/// // SAFETY: this is its convention, and these are its types.
/// let result = unsafe { call!(abi = Regcall, half::FN, (3.0, 40_i64) -> f64) };
/// assert_eq!(result, 41.5);
/// ```
///
/// The last two arguments are the address, a pointer or an `unsafe extern "C" fn()`, and the call: values in parentheses, each of a
/// type that is a `CType`, and behind `->` the type of the result, if there is one. The types are the signature: where
/// arguments lie is worked out when the program is compiled, and what the convention has no place for does not
/// compile. A number without a suffix is an `i32` or an `f64`.
///
/// # Options
///
/// - `abi = "…"`, required: the strings of [`macro@cbframe`], but `"raw"`, for which there is `CpuState::call`; `abi = TYPE`: a convention
///   that [`convention!`](macro@convention) or `cbframe::conventions` defines.
/// - `errno`: the result is a pair of the function's result and the errno of exactly this call, which is set to 0 before.
/// - `crate = PATH`: where `cbframe` is, if it is not `::cbframe`.
/// - with `abi = "custom"`: `ret = "…"`, and `#[reg("…")]` or `#[stack(N)]` before each argument, as for callbacks. Every
///   register may be changed by the function; what the program has in them is kept.
///
/// ```
/// use cbframe::{call, cbframe};
///
/// #[cbframe(abi = "custom", ret = "ecx", callee_pops = 8)]
/// fn add(#[reg("eax")] n: i32, #[stack(0)] k: f32) -> i32 {
///     n + k as i32
/// }
///
/// // SAFETY: as it is declared.
/// let sum = unsafe { call!(abi = "custom", ret = "ecx", add::FN, (#[reg("eax")] 40, #[stack(0)] 2.5_f32) -> i32) };
/// assert_eq!(sum, 42);
/// ```
///
/// Arguments behind `...` are those of a variadic function; a type that C promotes is refused, as for `VaList::arg`:
///
/// ```
/// use cbframe::call;
/// use std::ffi::{c_char, c_int};
///
/// # unsafe extern "C" { fn snprintf(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int; }
/// let mut text = [0_u8; 16];
/// // SAFETY: the format asks for these arguments, and the text fits.
/// let length = unsafe {
///     let format: *const c_char = c"%d %.1f".as_ptr();
///     call!(abi = "C", snprintf as *const (), (text.as_mut_ptr(), 16_usize, format, ..., 40, 1.5) -> c_int)
/// };
/// assert_eq!((&text[..6], length), (&b"40 1.5"[..], 6));
/// ```
///
/// # Safety
///
/// The call is `unsafe`: what is at the address is a function of this convention and these types, may be called with these
/// values, and returns, or unwinds where the ABI string ends in `-unwind`.
///
/// # Panics
///
/// If the CPU has no vector registers as wide as a type needs; if the result is no value of its type, as a `bool` of 2 is not.
#[proc_macro]
pub fn call(input: TokenStream) -> TokenStream {
    call::expand(input.into()).into()
}

fn callback(options: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut report = Report::default();
    let args = Args::parse(options, &mut report);
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            report.push(error);
            // The item as it was, so that an editor still knows it.
            return [report.into_tokens(), item].into_iter().collect();
        }
    };
    match validate::check(&args, &function, false, &mut report) {
        Some(callback) if report.is_empty() => expand::expand(&callback),
        _ => [report.into_tokens(), function.plain(&args.private())].into_iter().collect(),
    }
}
