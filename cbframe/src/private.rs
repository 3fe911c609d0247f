//! Everything that generated code names, and nothing else. Not part of the public interface.

mod convention;

pub use core;
pub use core::mem::MaybeUninit;
pub use core::option::Option;
pub use core::panic::Location;
pub use core::result::Result;
pub use core::sync::atomic::AtomicU64;

pub use crate::abi::{
    Abi, Aggregates, Architecture, CallingConvention, Convention, Hidden, Layout, Placed, Register, Spot,
};
pub use crate::activation::Running;
pub use crate::arch::*;
#[cfg(feature = "alloc")]
pub use crate::closure::{Abort, Site, bind_local, bind_once, bind_shared, call_local, call_once, call_shared};
pub use crate::closure::{Closure, Local, Once};
#[cfg(feature = "std")]
pub use crate::closure::{FallbackValue, value};
#[cfg(feature = "alloc")]
pub use crate::dynamic::{By, Named, Rules, Variadic, call_typed, call_typed_errno};
pub use crate::frame::{ExclusiveState, Exclusively, Frame, JumpTarget, Shared, SharedState};
pub use crate::os::SavedErrno;
pub use crate::panic::{NoUnwind, catch, fall_back};
pub use crate::pool::{Entry, Exclusive, Meta, Name, Pool, PoolFull, Record, Slot, Statics, words};
pub use crate::signature::{
    Aapcs64, Cdecl, Described, Description, Fastcall, FnPointer, Forced, Known, Lp64d, Stdcall, SysV64, Thiscall, Win64,
};
pub use crate::types::{CType, Field, Kind, NeverNull, Type};
pub use crate::va_list::{VaArg, VaList};
pub use crate::{
    __cbframe_captured_entry as captured_entry, __cbframe_convention_entry as convention_entry,
    __cbframe_dispatcher as dispatcher, __cbframe_extern as extern_fn, __cbframe_jump_entry as jump_entry,
    __cbframe_native as native, __cbframe_only as only, __cbframe_plain_entry as plain_entry, __cbframe_save as save,
    __cbframe_single_stub as single_stub, __cbframe_stub_table as stub_table,
};
pub use convention::{check_apart, check_cpu, check_passes, check_result_spot, check_returns, check_spot, place_spots};

use core::marker::PhantomData;
use core::mem;

use crate::abi::place_unnamed;
use crate::arch::{TARGET, VaArguments, abi_named};
use crate::{os, types};

/// A word that a shim is passed and does not look at.
pub type Unused = MaybeUninit<usize>;

/// The description of `F`, which is written as a function pointer type.
pub const fn fn_pointer<F>() -> Type {
    types::pointer::<F>("function pointer", false, 1)
}

/// The description of `O`, which is written as an `Option` of the function pointer type `F`.
pub const fn optional_fn_pointer<F, O: OptionOf<F>>() -> Type {
    types::pointer::<O>("function pointer", true, 1)
}

/// Proves that something called `Option` is the one of the standard library, around `T`.
///
/// # Safety
///
/// The type is `core::option::Option<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the `Option` of the standard library",
    label = "another type of that name"
)]
pub unsafe trait OptionOf<T> {}

// SAFETY: it is.
unsafe impl<T> OptionOf<T> for Option<T> {}

/// Whether the function pointer at `bits` is not null.
///
/// # Safety
///
/// As for [`CType::is_valid`], and `F` is a function pointer type.
#[inline(always)]
pub unsafe fn is_not_null<F>(bits: *const F) -> bool {
    // SAFETY: a function pointer has the size and alignment of a thin pointer to data.
    unsafe { types::address(bits) != 0 }
}

/// `ty`, the description of a field of type `T`.
///
/// # Panics
///
/// Unless they have the same size and alignment: an `impl CType` that was written by hand is wrong.
#[track_caller]
pub const fn field<T>(ty: Type) -> Type {
    if size_of::<T>() != ty.size || align_of::<T>() != ty.align {
        types::Message::new("cbframe: the `CType` of `")
            .text(ty.name)
            .text("` says that its size is ")
            .number(ty.size)
            .text(" and its alignment ")
            .number(ty.align)
            .text("; they are ")
            .number(size_of::<T>())
            .text(" and ")
            .number(align_of::<T>())
            .panic()
    }
    ty
}

/// Compiles if the pointer is one to a `T`.
pub const fn declared<T, F: Is<T>>(_: *const F) {}

/// That a field has the type `T`.
#[diagnostic::on_unimplemented(message = "the type of this field is `{Self}`, not `{T}`", label = "it is `{Self}`")]
pub trait Is<T> {}

impl<T> Is<T> for T {}

/// Panics if it matters whether the struct `ty`, of which that is not known, is `repr(transparent)`.
#[track_caller]
pub const fn check_lone(ty: &Type) {
    let Kind::Struct { fields } = ty.kind else { return };
    let mut i = 0;
    while i < fields.len() {
        let field = &fields[i].ty;
        let aggregate = matches!(field.passed_as().kind, Kind::Struct { .. } | Kind::Union { .. } | Kind::Array { .. });
        if field.size > 0 && field.size == ty.size && !aggregate {
            types::Message::new("cbframe: C may pass `")
                .text(ty.name)
                .text("`, a struct around a single field, otherwise than that field: write `#[repr(C)]` or `#[repr(transparent)]` before `struct`, as its definition does")
                .panic()
        }
        i += 1;
    }
}

/// A copy, aligned, of the field of type `T` at an offset in a struct, where it may be unaligned.
///
/// # Safety
///
/// The struct is readable, and the field lies within it.
#[inline(always)]
pub unsafe fn copy_of<T, S>(bits: *const S, offset: usize) -> MaybeUninit<T> {
    // SAFETY: the caller's promise; `MaybeUninit` makes none about the bytes.
    unsafe { bits.byte_add(offset).cast::<MaybeUninit<T>>().read_unaligned() }
}

/// The description of `T`, a `#[repr(transparent)]` struct around a field of type `inner`.
#[track_caller]
pub const fn transparent<T>(name: &'static str, inner: Type) -> Type {
    // The macro saw only how the other fields are written.
    assert!(
        size_of::<T>() == inner.size && align_of::<T>() == inner.align,
        "cbframe: in a `#[repr(transparent)]` struct, a field written `PhantomData`, `PhantomPinned` or `()` has bytes"
    );
    Type { name, ..inner }
}

/// The description of `T`, a `#[repr(C)]` enum.
///
/// Its integer is as large as C's `int`. GCC, Clang and rustc make it unsigned unless a value is negative; MSVC
/// makes it signed, which no convention can tell from the outside for 32 bits.
#[track_caller]
pub const fn c_enum<T>(name: &'static str, values: &'static [i128]) -> Type {
    assert!(
        size_of::<T>() == size_of::<core::ffi::c_int>(),
        "cbframe: a `#[repr(C)]` enum whose values do not fit into C's `int`: write its integer, `#[repr(i64)]` say"
    );
    let (mut signed, mut i) = (false, 0);
    while i < values.len() {
        signed |= values[i] < 0;
        i += 1;
    }
    types::scalar::<T>(name, Kind::Enum { signed, values })
}

/// A description of a type that the derive refused: just bytes.
///
/// Compilation has failed already. It is consistent, so that nothing else that uses the type fails as well.
pub struct Refused<T>(core::marker::PhantomData<T>);

impl<T> Refused<T> {
    const BYTES: Type = Type {
        name: "bytes",
        size: size_of::<T>(),
        align: 1,
        kind: Kind::Array { element: &u8::TYPE, len: size_of::<T>() },
    };
    const FIELDS: &[Field] = &[Field { name: "bytes", offset: 0, ty: Self::BYTES }];

    pub const TYPE: Type = types::scalar::<T>("refused", Kind::Struct { fields: Self::FIELDS });
}

/// Asks whether a type is a `CType`: its inherent items, which exist only if it is, shadow those of [`NotCType`].
///
/// Their names are such that no other trait in scope has them.
pub struct Probe<T, L = ()>(PhantomData<(T, L)>);

impl<T: CType<L>, L> Probe<T, L> {
    /// What is known of a `CType`.
    pub const __CBFRAME_KNOWN: Known = Known { ty: Some(T::TYPE), size: size_of::<T>(), align: align_of::<T>() };

    /// Aborts unless the argument is a value of its type.
    ///
    /// # Safety
    ///
    /// The argument was passed by a caller that follows the signature.
    #[inline(always)]
    pub unsafe fn __cbframe_check(argument: &MaybeUninit<T>, meta: &'static Meta, index: usize) {
        // SAFETY: aligned and readable; a caller that follows the signature initialized what has to be.
        if !unsafe { T::is_valid(argument.as_ptr()) } {
            invalid(argument, &const { T::TYPE }, meta, index);
        }
    }
}

/// What is known of every type.
pub trait NotCType {
    /// What the argument of `__cbframe_check` is.
    type Argument;
    /// The size and the alignment.
    const __CBFRAME_KNOWN: Known;

    /// Nothing can be checked.
    ///
    /// # Safety
    ///
    /// None: this mirrors the other one.
    #[inline(always)]
    unsafe fn __cbframe_check(_: &MaybeUninit<Self::Argument>, _: &'static Meta, _: usize) {}
}

impl<T> NotCType for Probe<T> {
    type Argument = T;
    const __CBFRAME_KNOWN: Known = Known { ty: None, size: size_of::<T>(), align: align_of::<T>() };
}

/// What is known of a type with this description.
pub const fn known(ty: Type) -> Known {
    Known { ty: Some(ty), size: ty.size, align: ty.align }
}

/// Aborts unless the argument, which is written as a function pointer, is one.
///
/// # Safety
///
/// As for [`Probe::__cbframe_check`].
#[inline(always)]
pub unsafe fn check_fn_pointer<F>(argument: &MaybeUninit<F>, meta: &'static Meta, index: usize) {
    // SAFETY: the caller's promise.
    if !unsafe { is_not_null(argument.as_ptr()) } {
        invalid(argument, &const { fn_pointer::<F>() }, meta, index);
    }
}

/// Reports an argument. It is copied on this path, so that the good one leaves it in its register.
#[inline(always)]
fn invalid<T>(argument: &MaybeUninit<T>, ty: &Type, meta: &'static Meta, index: usize) -> ! {
    // SAFETY: `MaybeUninit` has no destructor, and the original is not used again.
    let copy = unsafe { core::ptr::read(argument) };
    report_invalid(copy.as_ptr().cast(), ty, meta, index)
}

#[cold]
#[inline(never)]
fn report_invalid(argument: *const u8, ty: &Type, meta: &'static Meta, index: usize) -> ! {
    let (name, parameter) = (meta.name(), meta.parameters[index]);
    let its_name = parameter.split(':').next().unwrap_or(parameter);
    // SAFETY: as for the check that failed, which read the same bytes.
    match unsafe { ty.find_invalid(argument) } {
        Some(invalid) => os::die(format_args!(
            "`{name}` was called with a wrong value for its parameter `{parameter}`: {its_name}{invalid}. The caller \
             passed it, or declares the function pointer otherwise than the callback does."
        )),
        None => os::die(format_args!("`{name}` was called with a wrong value for its parameter `{parameter}`")),
    }
}

/// A parameter's check at compile time.
///
/// # Panics
///
/// If C has no such parameter, or none of this alignment can be passed on.
#[track_caller]
pub const fn check_parameter(known: Known) {
    if let Some(ty) = &known.ty {
        crate::abi::check_parameter(ty);
        crate::arch::check_system(ty);
    }
    assert!(
        known.align <= 64,
        "cbframe: a parameter aligned to more than 64 bytes cannot be passed on; take it by pointer"
    );
}

/// The result's check at compile time.
///
/// # Panics
///
/// If C has no such result.
#[track_caller]
pub const fn check_result(known: Known) {
    if let Some(ty) = &known.ty {
        crate::abi::check_result(ty);
        crate::arch::check_system(ty);
    }
}

/// Panics if Rust code that calls a pointer to the callback would pass the parameter at `index` otherwise than C: in safe code it
/// must not be able to.
#[track_caller]
pub const fn check_safe<const N: usize>(abi: Abi, parameters: &[Known; N], index: usize) {
    let (mut words, mut i) = (0, 0);
    while i < index {
        if let Some(ty) = &parameters[i].ty {
            words += crate::abi::x86::is_word(ty) as usize;
        }
        i += 1;
    }
    if let Some(ty) = &parameters[index].ty {
        check_safe_type(abi, ty, words);
    }
}

/// The same for a parameter of this type behind so many words.
#[track_caller]
pub(crate) const fn check_safe_type(abi: Abi, ty: &Type, words: usize) {
    if let Some(culprit) = crate::arch::never_native_parameter(abi, ty, words) {
        refuse_safe(culprit)
    }
}

/// The same for the result.
#[track_caller]
pub const fn check_safe_result(abi: Abi, known: Known) {
    if let Some(ty) = &known.ty
        && let Some(culprit) = crate::arch::never_native_result(abi, ty)
    {
        refuse_safe(culprit)
    }
}

#[track_caller]
const fn refuse_safe(culprit: &str) -> ! {
    types::Message::new("cbframe: rustc passes `")
        .text(culprit)
        .text("` otherwise than C does, so that a call of this callback's pointer from Rust would be undefined behaviour: declare the function `unsafe fn`, and let only C call the pointer")
        .panic()
}

/// Panics unless rustc can pass the parameters and the result, as the entry of an exported callback needs it.
#[track_caller]
pub const fn check_export<const N: usize>(abi: Abi, parameters: &[Known; N], result: Known) {
    assert!(
        is_native(abi, parameters, result),
        "cbframe: rustc passes a parameter or the result otherwise than C does: `export` needs `entry = \"captured\"` beside it"
    );
}

/// Places a signature if each of its types is a `CType` that C can pass.
pub const fn place_known<const N: usize>(
    abi: Abi,
    names: [&'static str; N],
    parameters: [Known; N],
    result: Known,
) -> Option<Placed<N>> {
    place_as(abi, names, parameters, result, None)
}

/// The same for a signature that ends in `...`: some conventions pass its parameters otherwise.
pub const fn place_variadic<const N: usize>(
    abi: Abi,
    names: [&'static str; N],
    parameters: [Known; N],
    result: Known,
) -> Option<Placed<N>> {
    place_as(abi, names, parameters, result, Some(N))
}

const fn place_as<const N: usize>(
    abi: Abi,
    names: [&'static str; N],
    parameters: [Known; N],
    result: Known,
    before_dots: Option<usize>,
) -> Option<Placed<N>> {
    let Some(result) = result.ty else { return None };
    if !convention::returns(abi, &result) {
        return None;
    }
    let mut typed = [("", result); N];
    let mut i = 0;
    while i < N {
        match parameters[i].ty {
            // What C cannot pass is reported by `check_parameter`, what the convention cannot by `check_passes`, on the
            // parameter.
            Some(ty) if convention::passes(abi, i, &ty, &result) => typed[i] = (names[i], ty),
            _ => return None,
        }
        i += 1;
    }
    Some(place_unnamed(abi, typed, result, before_dots))
}

/// The places that a dispatcher goes by. Without any, it is never called: every type is rustc's business, or was
/// refused where it stands.
pub const fn places<const N: usize>(placed: &Option<Placed<N>>) -> Placed<N> {
    match placed {
        Some(placed) => *placed,
        None => Placed::NOWHERE,
    }
}

/// The layout to show, if there is one.
pub const fn layout<const N: usize>(placed: &'static Option<Placed<N>>, abi: (Abi, bool)) -> Option<Layout<'static>> {
    match placed {
        Some(placed) => Some(placed.layout(abi.0, abi.1)),
        None => None,
    }
}

/// The same for a signature that ends in `...`.
pub const fn variadic_layout<const N: usize>(
    placed: &'static Option<Placed<N>>,
    abi: (Abi, bool),
) -> Option<Layout<'static>> {
    match layout(placed, abi) {
        Some(layout) => Some(layout.variadic()),
        None => None,
    }
}

/// The arguments behind `...`.
///
/// # Safety
///
/// `cpu` is what the captured entry of a variadic callback with these parameters passed to the dispatcher, unchanged. The
/// list is used while the callback runs.
#[inline(always)]
pub unsafe fn va_list<'a, const N: usize>(cpu: *mut CpuState, abi: Abi, placed: &Placed<N>) -> VaList<'a> {
    // SAFETY: the caller's promise.
    unsafe { VaList::new(VaArguments::of(cpu, abi, &placed.end)) }
}

/// The layout.
///
/// # Panics
///
/// If there is none.
#[track_caller]
pub const fn known_layout(layout: &'static Option<Layout<'static>>) -> &'static Layout<'static> {
    match layout {
        Some(layout) => layout,
        None => {
            panic!("cbframe: this callback has no known layout: a parameter or the result is not a `CType`; derive it")
        }
    }
}

/// What a callback that is not raw tells of itself.
pub const fn description(layout: &Option<Layout<'static>>) -> Description {
    match layout {
        Some(layout) => Description::Layout(*layout),
        None => Description::Unknown,
    }
}

/// The bit of a register that `save(…)` names, by the architecture that has one of that name.
///
/// # Panics
///
/// If that is another.
#[track_caller]
pub const fn saved_bit(architecture: Architecture, name: &str, register: Register) -> Registers {
    check_register(architecture, name, register);
    register_bit(register)
}

/// The low `size` bytes of a register, which are called so.
///
/// # Panics
///
/// If another architecture has it, or it carries nothing there.
#[track_caller]
pub const fn spot(architecture: Architecture, name: &'static str, register: Register, size: u8) -> Spot {
    check_register(architecture, name, register);
    if !architecture.carries(register) {
        types::Message::new("cbframe: `").text(name).text("` carries no value from one function to another").panic()
    }
    Spot::Register { name, register, size }
}

/// Panics unless the register is one of this target's.
#[track_caller]
pub const fn check_register(architecture: Architecture, name: &str, register: Register) {
    // Those of x86-64 have the same names.
    let xmm = matches!(
        (architecture, TARGET.architecture(), register),
        (Architecture::X86_64, Architecture::X86, Register::Vector(0..8))
    );
    if !xmm && architecture as u8 != TARGET.architecture() as u8 {
        types::Message::new("cbframe: `")
            .text(name)
            .text("` is a register of ")
            .text(architecture.name())
            .text(", and this target is ")
            .text(TARGET.name())
            .panic()
    }
}

/// The convention and the unwinding that an ABI string means on this target.
///
/// # Panics
///
/// If there is none; the attribute refuses such strings before.
pub const fn abi(name: &str) -> (Abi, bool) {
    abi_named(name).expect("cbframe: no ABI of this target")
}

/// Requires what a `&S` that C uses on any thread needs.
pub const fn require_shared<S: Sync>() {}

/// Requires what a `&mut S` that C uses on any thread needs.
pub const fn require_exclusive<S: Send>() {}

/// What `bind_static!` finds in a callback with `#[state] s: &mut S`.
///
/// # Panics
///
/// Always.
#[track_caller]
pub const fn not_shared() -> Slot {
    panic!(
        "cbframe: everyone may use a `static`, so `bind_static!` takes a callback with `#[state] s: &S`, not `&mut S`"
    )
}

/// The pointer of a stateless callback as another pointer type with the same layout.
pub const fn cast_fn<C: Described, Q: FnPointer>(function: unsafe extern "C" fn()) -> Q {
    const {
        assert!(
            Q::UNSAFE,
            "cbframe: `as_fn_of` gives `unsafe` pointers: safe code could pass what is no value of the callback's parameter; write `unsafe extern`, or use `FN`"
        );
        C::DESCRIPTION.assert_fits(Q::LAYOUT);
    }
    // SAFETY: `Q` is a function pointer or `Option` of one, with the layout of this function.
    unsafe { mem::transmute_copy(&function) }
}
