//! Calls with a signature that is known at run time only.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_int;
use core::fmt;
use core::mem::MaybeUninit;

use super::value::{Value, ValueError};
use crate::abi::Signature;
use crate::arch::{call_placed, lacks_registers, stack_limit, unwinds_nowhere};
use crate::os;

/// Why a call was not made, or what it returned is no value.
#[derive(Clone, Debug)]
pub struct CallError(Box<Why>);

#[derive(Clone, Debug)]
enum Why {
    Count { signature: Signature, given: usize },
    Argument { signature: Signature, index: usize, error: ValueError },
    Stack(usize),
    Registers(Signature),
    Unwinds(Signature),
    Result { signature: Signature, error: ValueError },
}

impl From<Why> for CallError {
    fn from(why: Why) -> Self {
        Self(Box::new(why))
    }
}

#[cfg(feature = "std")]
impl CallError {
    pub(super) fn of_argument(signature: &Signature, index: usize, error: ValueError) -> Self {
        Why::Argument { signature: signature.clone(), index, error }.into()
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Why::Count { signature, given } => {
                let due = signature.parameters().len();
                let (s, are) = if *given == 1 { ("", "is") } else { ("s", "are") };
                write!(f, "{given} argument{s} {are} given, and there are {due} parameters in `{}`", signature.head())
            }
            Why::Argument { signature, index, error } => {
                let name = signature.parameters()[*index].name;
                let space = if name.is_empty() { "" } else { " " };
                write!(f, "argument #{index}{space}{name}: {error}, by `{}`", signature.head())
            }
            Why::Stack(size) => {
                write!(f, "{size} bytes of arguments on the stack: a call has up to {}", stack_limit())
            }
            Why::Registers(signature) => {
                write!(f, "this CPU has not the registers that carry values of `{}`", signature.head())
            }
            Why::Unwinds(signature) => write!(
                f,
                "nothing can be thrown through a call with an argument in rbp on Windows, whose unwinder needs that register: `{}` must not unwind",
                signature.head()
            ),
            Why::Result { signature, error } => {
                write!(f, "the function has returned no value of its type: {error}, by `{}`", signature.head())
            }
        }
    }
}

impl core::error::Error for CallError {}

impl Signature {
    /// Calls the function at `address` with these arguments, which are checked: there are as many as the signature has
    /// parameters, each of the type of its parameter, and a value of it.
    ///
    /// Arguments behind `...` are those whose types the signature names behind [`dots`](crate::abi::SignatureBuilder::dots).
    ///
    /// # Safety
    ///
    /// - What is at `address` is a function of this signature. It returns, or unwinds where the signature says so.
    /// - It may be called with these values: pointers among them are what it takes them for.
    ///
    /// # Errors
    ///
    /// If an argument is missing, too many, or none of its type; if the arguments on the stack are more than 65472 bytes, or
    /// the CPU has no registers that are wide enough. Nothing has been called then. And, behind the call, if what the function
    /// has returned is no value of the result's type: a `bool` of 2.
    ///
    /// # Panics
    ///
    /// If the convention is none of this target.
    ///
    /// # Examples
    ///
    /// ```
    /// use cbframe::Value;
    /// use cbframe::abi::{Abi, Signature};
    /// use cbframe::types::Type;
    ///
    /// extern "sysv64" fn scale(x: f64, by: i32) -> f64 {
    ///     x * f64::from(by)
    /// }
    ///
    /// let signature = Signature::new(Abi::SysV64).param(Type::F64).param(Type::I32).ret(Type::F64).build()?;
    /// // SAFETY: this is the signature of `scale`, which takes any values.
    /// let result = unsafe { signature.call(scale as *const (), &[Value::F64(1.5), Value::I32(2)])? };
    /// assert!(matches!(result, Value::F64(3.0)));
    ///
    /// let error = unsafe { signature.call(scale as *const (), &[Value::F64(1.5)]) }.unwrap_err();
    /// assert_eq!(error.to_string(), "1 argument is given, and there are 2 parameters in `sysv64 fn(f64, i32) -> f64`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn call(&self, address: *const (), arguments: &[Value<'_>]) -> Result<Value<'static>, CallError> {
        // SAFETY: the caller's promise.
        unsafe { self.call_checked(address, arguments, None) }
    }

    /// The same, with the errno of exactly that call: it is set to 0 before, and read before anything else can change it. C's
    /// errno stays what the call has left.
    ///
    /// # Safety
    ///
    /// As for [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// As for [`call`](Self::call).
    pub unsafe fn call_with_errno(
        &self,
        address: *const (),
        arguments: &[Value<'_>],
    ) -> Result<(Value<'static>, c_int), CallError> {
        let mut errno = 0;
        // SAFETY: the caller's promise.
        let value = unsafe { self.call_checked(address, arguments, Some(&mut errno))? };
        Ok((value, errno))
    }

    unsafe fn call_checked(
        &self,
        address: *const (),
        arguments: &[Value<'_>],
        errno: Option<&mut c_int>,
    ) -> Result<Value<'static>, CallError> {
        let parameters = self.parameters();
        if arguments.len() != parameters.len() {
            return Err(Why::Count { signature: self.clone(), given: arguments.len() }.into());
        }
        for (index, (value, parameter)) in arguments.iter().zip(parameters).enumerate() {
            if let Some(error) = value.misfit(&parameter.ty) {
                return Err(Why::Argument { signature: self.clone(), index, error }.into());
            }
        }
        self.check()?;
        // Most calls have few; the others are put into the heap.
        const FEW: usize = 16;
        let few: [*const u8; FEW];
        let many: Vec<*const u8>;
        let pointers: &[*const u8] = if arguments.len() <= FEW {
            few = core::array::from_fn(|i| arguments.get(i).map_or(core::ptr::null(), Value::as_ptr));
            &few[..arguments.len()]
        } else {
            many = arguments.iter().map(Value::as_ptr).collect();
            &many
        };
        let ty = self.result().ty;
        // SAFETY: the values have the parameters' types; the caller's promise.
        unsafe { self.call_into(ty.size, |to| invoke(self, address, pointers, to, errno)) }
    }

    /// Calls with room for a result of so many bytes, and gives that.
    ///
    /// # Safety
    ///
    /// `call` writes the result to the address.
    unsafe fn call_into(&self, size: usize, call: impl FnOnce(*mut u8)) -> Result<Value<'static>, CallError> {
        #[derive(Clone, Copy)]
        #[repr(C, align(64))]
        struct Line([u8; 64]);

        let ty = self.result().ty;
        let mut inline = MaybeUninit::<Line>::uninit();
        let mut heap: Vec<MaybeUninit<Line>> = Vec::new();
        let to: *mut u8 = if size <= size_of::<Line>() {
            inline.as_mut_ptr().cast()
        } else {
            heap.resize(size.div_ceil(size_of::<Line>()), MaybeUninit::uninit());
            heap.as_mut_ptr().cast()
        };
        call(to);
        // SAFETY: the result is there.
        match unsafe { Value::read(&ty, to) } {
            Ok(value) => Ok(value.to_owned()),
            Err(error) => Err(Why::Result { signature: self.clone(), error }.into()),
        }
    }

    /// Calls the function at `address` without checks: `arguments` are the addresses of values, one for each parameter, and
    /// `result` is where the result goes. This is what `ffi_call` of libffi does.
    ///
    /// The addresses of arguments need not be aligned.
    ///
    /// # Safety
    ///
    /// - As for [`call`](Self::call); and the addresses lead to values of the parameters' types.
    /// - `result` is aligned to the type of the result and writable for as many bytes as it has, or dangling if it has none.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call), but for what the arguments are, of which only the number is known.
    ///
    /// # Panics
    ///
    /// As for [`call`](Self::call).
    pub unsafe fn call_raw(
        &self,
        address: *const (),
        arguments: &[*const ()],
        result: *mut (),
    ) -> Result<(), CallError> {
        if arguments.len() != self.parameters().len() {
            return Err(Why::Count { signature: self.clone(), given: arguments.len() }.into());
        }
        self.check()?;
        // SAFETY: pointers to bytes are pointers.
        let arguments = unsafe { core::slice::from_raw_parts(arguments.as_ptr().cast(), arguments.len()) };
        // SAFETY: the caller's promise.
        unsafe { invoke(self, address, arguments, result.cast(), None) };
        Ok(())
    }

    /// What is wrong with any call of such a function.
    fn check(&self) -> Result<(), CallError> {
        let layout = self.layout();
        let size = layout.stack_size();
        if size > stack_limit() {
            return Err(Why::Stack(size).into());
        }
        if lacks_registers(&layout) {
            return Err(Why::Registers(self.clone()).into());
        }
        if unwinds_nowhere(&layout) {
            return Err(Why::Unwinds(self.clone()).into());
        }
        Ok(())
    }

    /// The first line of the table: the signature as such.
    pub(super) fn head(&self) -> impl fmt::Display {
        use alloc::string::ToString;

        let mut text = self.to_string();
        text.truncate(text.find('\n').unwrap_or(text.len()));
        text
    }
}

/// Makes the call.
///
/// # Safety
///
/// As for [`Signature::call_raw`].
unsafe fn invoke(
    signature: &Signature,
    address: *const (),
    arguments: &[*const u8],
    result: *mut u8,
    errno: Option<&mut c_int>,
) {
    let layout = signature.layout();
    match errno {
        // SAFETY: the caller's promise.
        None => unsafe { call_placed(&layout, address, arguments, result) },
        Some(errno) => {
            os::set_errno(0);
            // SAFETY: the caller's promise.
            unsafe { call_placed(&layout, address, arguments, result) };
            *errno = os::errno();
        }
    }
}
