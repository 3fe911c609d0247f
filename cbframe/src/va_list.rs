//! The arguments behind `...`.

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

use crate::abi::Abi;
use crate::arch::{NATIVE, VaArguments};
use crate::types::{CType, Float16, Float128, NeverNull};
use crate::{LongDouble, os};

/// The arguments behind `...` that have not been taken yet: C's `va_list`.
///
/// A variadic callback has one as its last parameter, which is written `...` under the attribute. It is there for any ABI
/// that C has variadic functions of, and for all types that C passes: rustc 1.95 has no variadic functions of its own, and
/// when it does (`extern "C"` from 1.99 on) no structs, nor Windows' ABI on other systems.
///
/// Nothing in the call tells how many arguments there are or of which types: the parameters before them do, as a format
/// string does. So [`arg`](Self::arg) is `unsafe`. A copy (`clone`, C's `va_copy`) takes the same arguments once more.
///
/// Rules: psABI for AMD64, section 3.5.7 "Variable Argument Lists"; Microsoft, "x64 calling convention", "Varargs".
///
/// # Examples
///
/// ```
/// use cbframe::cbframe;
/// use std::ffi::c_int;
///
/// /// `int sum(int count, ...)`, of so many `int`s.
/// #[cbframe(abi = "C")]
/// fn sum(count: c_int, mut args: ...) -> c_int {
///     // SAFETY: the caller passes as many.
///     (0..count).map(|_| unsafe { args.arg::<c_int>() }).sum()
/// }
///
/// // SAFETY: there are three behind the first.
/// assert_eq!(unsafe { sum::FN(3, 1, 20, 300) }, 321);
/// ```
#[derive(Clone)]
pub struct VaList<'a> {
    arguments: VaArguments,
    call: PhantomData<&'a mut ()>,
}

impl VaList<'_> {
    /// The list of a call.
    ///
    /// # Safety
    ///
    /// It is one for as long as this lives.
    #[inline(always)]
    pub(crate) const unsafe fn new(arguments: VaArguments) -> Self {
        Self { arguments, call: PhantomData }
    }

    /// A copy of a `va_list` of the target's C, for functions that take one as a parameter.
    ///
    /// `raw` is what such a parameter is: on System V, where C passes arrays so, the address of the list
    /// (`*mut __va_list_tag` in bindgen's words); on Windows the list, a pointer, itself. The C caller's list is not changed.
    ///
    /// # Safety
    ///
    /// - `raw` was passed as a `va_list`, and no argument has been taken from it that shall be taken here.
    /// - The call whose arguments these are does not return while the result is used.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cbframe::{VaList, cbframe};
    /// use std::ffi::{c_char, c_int, c_void};
    ///
    /// /// FFmpeg's `void (*)(void *, int, const char *, va_list)`, for `av_log_set_callback`.
    /// #[cbframe(abi = "C")]
    /// unsafe fn log(_context: *mut c_void, level: c_int, format: *const c_char, args: *mut c_void) {
    ///     // SAFETY: the caller passes a format and the arguments that go with it.
    ///     let text = unsafe { VaList::from_raw(args).format(format) };
    ///     eprint!("{level}: {text}");
    /// }
    /// ```
    #[inline]
    #[must_use]
    pub unsafe fn from_raw(raw: *mut c_void) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::from_raw_of(NATIVE, raw) }
    }

    /// The same for a `va_list` of another ABI: `__builtin_ms_va_list` and `__builtin_sysv_va_list` of GCC and Clang.
    ///
    /// # Panics
    ///
    /// For a convention that C has no variadic functions of.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw).
    #[inline]
    #[must_use]
    pub unsafe fn from_raw_of(abi: Abi, raw: *mut c_void) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::new(VaArguments::from_raw(abi, raw)) }
    }

    /// What a C function with a parameter of type `va_list` is passed: `vsnprintf` and its kin.
    ///
    /// Such a function takes arguments out of this list, and C does not say how many. Pass it those of a copy, if they shall
    /// be taken once more: `args.clone().as_raw()`. The pointer is valid until `self` is used, moved or dropped.
    #[inline]
    pub const fn as_raw(&mut self) -> *mut c_void {
        self.arguments.as_raw()
    }

    /// The ABI of the call: which functions may be passed what [`as_raw`](Self::as_raw) gives.
    #[inline]
    #[must_use]
    pub const fn abi(&self) -> Abi {
        self.arguments.abi()
    }

    /// Takes the next argument.
    ///
    /// A type that C promotes (C17, 6.5.2.2, paragraph 6) is refused at compile time: a caller that is given a `float` passes
    /// a `double`, and `int` for every narrower integer. A struct of another crate is taken as a `#[repr(C)]` one of your own
    /// around it.
    ///
    /// Aborts the process, with a message, if the argument is no value of the type: a null reference, an enum value that does
    /// not exist.
    ///
    /// # Safety
    ///
    /// The caller passed one more argument, of this type or of one that C calls compatible: C17, 7.16.1.1, paragraph 2
    /// (the signed and the unsigned integer are, for a value that both have; pointers to characters and to `void` are).
    #[inline(always)]
    #[track_caller]
    pub unsafe fn arg<T: VaArg>(&mut self) -> T {
        // SAFETY: the caller's promise.
        let value = unsafe { self.arguments.take::<T>() };
        // SAFETY: the caller has passed a `T`, or what has the bytes of one.
        if !unsafe { T::is_valid(value.as_ptr()) } {
            refuse(&value);
        }
        // SAFETY: it is valid.
        unsafe { value.assume_init() }
    }

    /// What `printf` would print with the format `fmt` and these arguments; bytes that are not UTF-8 are replaced. The list
    /// stays as it is.
    ///
    /// The C library of the target does it, so sizes are those of its C: for the arguments of a Windows call in a program for
    /// Linux, `%ld` is 64 bits.
    ///
    /// # Panics
    ///
    /// If C reports an error, as it does for `%lc` of what is no character; and if the ABI is not the target's own and the
    /// format has a `long double`, which the two pass in different ways.
    ///
    /// # Safety
    ///
    /// `fmt` is the address of a string, and the arguments left are those that it asks for.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::{CStrRef, cbframe};
    /// use std::cell::RefCell;
    /// use std::ffi::c_int;
    ///
    /// thread_local!(static LAST: RefCell<String> = RefCell::default());
    ///
    /// /// `void log(int level, const char *format, ...)`
    /// #[cbframe(abi = "C")]
    /// unsafe fn log(_level: c_int, format: CStrRef<'_>, args: ...) {
    ///     // SAFETY: the caller passes what the format says.
    ///     let text = unsafe { args.format(format.as_ptr()) };
    ///     LAST.set(text);
    /// }
    ///
    /// // SAFETY: an int and a double are what the format says.
    /// unsafe { log::FN(1, c"%d%% in %.1f s".into(), 42_i32, 0.5_f64) };
    /// assert_eq!(LAST.take(), "42% in 0.5 s");
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    #[track_caller]
    pub unsafe fn format(&self, fmt: *const core::ffi::c_char) -> alloc::string::String {
        let mut native = self.arguments;
        let mut words = alloc::vec::Vec::new();
        if self.abi() != NATIVE {
            // SAFETY: the caller's promise.
            let directives = Directives(unsafe { core::ffi::CStr::from_ptr(fmt) }.to_bytes());
            for directive in directives.clone() {
                assert!(
                    !directive.is_long_double,
                    "cbframe: a `long double` behind `...` of another ABI cannot be printed: take the arguments one by one"
                );
            }
            // SAFETY: the caller's promise: these are the arguments.
            native = unsafe { native.native(directives.flat_map(Directive::arguments), &mut words) };
        }
        let print = |to: &mut [u8]| {
            let mut arguments = native;
            // SAFETY: so many bytes can be written; the caller's promise, of which each call gets a list of its own.
            let length = unsafe { os::vsnprintf(to.as_mut_ptr().cast(), to.len(), fmt, arguments.as_raw()) };
            usize::try_from(length).expect("cbframe: vsnprintf reports an error in the format or its arguments")
        };
        let mut text = alloc::vec![0; 256];
        let mut length = print(&mut text);
        if length >= text.len() {
            text.resize(length + 1, 0);
            length = print(&mut text);
        }
        text.truncate(length);
        alloc::string::String::from_utf8_lossy(&text).into_owned()
    }
}

impl fmt::Debug for VaList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaList").field("abi", &self.abi()).finish_non_exhaustive()
    }
}

/// The directives of a format (C17, 7.21.6.1): `%`, flags, width, precision, length, conversion.
#[cfg(feature = "std")]
#[derive(Clone)]
struct Directives<'f>(&'f [u8]);

/// What a directive takes.
#[cfg(feature = "std")]
struct Directive {
    /// How many asterisks: integers that come before the value.
    asterisks: usize,
    is_long_double: bool,
    /// `%` for none.
    conversion: u8,
}

#[cfg(feature = "std")]
impl Iterator for Directives<'_> {
    type Item = Directive;

    fn next(&mut self) -> Option<Directive> {
        let start = self.0.iter().position(|byte| *byte == b'%')? + 1;
        // Those of POSIX, glibc and Microsoft, too.
        let is_modifier = |byte: &u8| b"-+ #0'I123456789*.$hlLjztqw".contains(byte);
        let end = start + self.0[start..].iter().position(|byte| !is_modifier(byte))?;
        let (modifiers, conversion) = (&self.0[start..end], self.0[end]);
        self.0 = &self.0[end + 1..];
        let asterisks = modifiers.iter().filter(|byte| **byte == b'*').count();
        Some(Directive { asterisks, is_long_double: modifiers.contains(&b'L'), conversion })
    }
}

#[cfg(feature = "std")]
impl Directive {
    /// Whether each argument that it takes is a float.
    fn arguments(self) -> impl Iterator<Item = bool> {
        let value = match self.conversion {
            b'%' => None,
            conversion => Some(b"aAeEfFgG".contains(&conversion)),
        };
        core::iter::repeat_n(false, self.asterisks).chain(value)
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse<T: CType>(value: &MaybeUninit<T>) -> ! {
    let (at, ty) = (core::panic::Location::caller(), T::TYPE);
    // SAFETY: as for the check that failed, which read the same bytes.
    let invalid = unsafe { ty.find_invalid(value.as_ptr().cast()) };
    let detail: &dyn fmt::Display = match &invalid {
        Some(invalid) => invalid,
        None => &" is none",
    };
    os::die(format_args!(
        "an argument behind `...` that was taken as a `{}`, at {at},{detail}. The caller passed it.",
        ty.name
    ))
}

/// A type that C passes through `...` as it is.
///
/// # Examples
///
/// ```compile_fail
/// fn first(args: &mut cbframe::VaList<'_>) -> f32 {
///     // C passes a `double`: `args.arg::<f64>() as f32`.
///     unsafe { args.arg::<f32>() }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "C passes no `{Self}` through `...`",
    label = "not a type that an argument behind `...` has",
    note = "C promotes arguments behind `...`: ask for `c_int` instead of `bool`, `c_char` and integers of 8 or 16 bits, and for `f64` instead of `f32`, and convert what you get (C17, 6.5.2.2, paragraph 6)",
    note = "a struct, union or enum of your own: `#[derive(CType)]`; one of another crate: a `#[repr(C)]` struct around it with that derive"
)]
pub trait VaArg: CType {}

macro_rules! arguments {
    ($([$($generics:tt)*] $ty:ty;)*) => { $( impl<$($generics)*> VaArg for $ty {} )* };
}

arguments! {
    [] i32;
    [] i64;
    [] i128;
    [] isize;
    [] u32;
    [] u64;
    [] u128;
    [] usize;
    [] f64;
    [] Float16;
    [] Float128;
    [] LongDouble;
    [T] *const T;
    [T] *mut T;
    [T] &T;
    [T] &mut T;
    [T] NonNull<T>;
    [T: NeverNull] Option<T>;
    [T: VaArg] MaybeUninit<T>;
    [T: VaArg] ManuallyDrop<T>;
}

#[cfg(feature = "num-complex")]
arguments! {
    [] num_complex::Complex<f32>;
    [] num_complex::Complex<f64>;
    [] num_complex::Complex<LongDouble>;
}
