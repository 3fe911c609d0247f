//! A call of a callback whose signature is known at run time only.

#[cfg(feature = "std")]
use alloc::boxed::Box;
use core::any::type_name;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use super::object::Object;
use super::prepared::{Prepared, Shape, Way};
#[cfg(feature = "std")]
use super::record::Record;
use super::value::{Value, ValueError};
use crate::LongDouble;
use crate::abi::{Parameter, Signature};
#[cfg(feature = "std")]
use crate::arch::stack_arguments;
use crate::arch::{CpuState, CpuSubset, Seen, VaArguments, gather, give_result, hidden};
use crate::os;
use crate::pool::Meta;
use crate::types::{CType, Float16, Float128, Invalid, Type};
use crate::va_list::VaList;

/// A scalar that is no reference: what [`Call::arg`] gives.
///
/// Integers, floats, `bool`, raw pointers, [`LongDouble`], [`Float16`] and [`Float128`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no scalar that `Call::arg` gives",
    label = "not an integer, float, `bool` or raw pointer",
    note = "`Call::value` gives arguments of every type as a `Value`, and `Call::read`, which is unsafe, any `CType`"
)]
pub trait Scalar: CType + Copy {}

macro_rules! scalars {
    ($($ty:ty)*) => { $(impl Scalar for $ty {})* };
}

scalars! {
    bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 Float16 Float128 LongDouble
}

impl<T> Scalar for *const T {}
impl<T> Scalar for *mut T {}

/// What [`Call::ret`] takes: what a [`Value`] is made from.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result that `Call::ret` takes",
    label = "not a scalar, a `Value` or an `Object`",
    note = "a struct of a type that is a `CType` is a result as `Object::of(&value)`"
)]
pub trait Reply<'v>: Into<Value<'v>> {
    /// The shape, of a scalar.
    #[doc(hidden)]
    const SHAPE: Shape = Shape::OTHER;
}

macro_rules! replies {
    ($($ty:ty)*) => { $(
        impl Reply<'_> for $ty {
            const SHAPE: Shape = Shape::of(&<$ty>::TYPE);
        }
    )* };
}

replies! {
    bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 Float16 Float128 LongDouble *mut ()
}

impl<T> Reply<'_> for *const T {
    const SHAPE: Shape = Shape::of(&Self::TYPE);
}
impl Reply<'_> for () {}
impl<'v> Reply<'v> for Value<'v> {}
impl<'v> Reply<'v> for Object<'v> {}

/// Room for the largest result that is not in memory.
#[repr(C, align(16))]
struct Buffer([MaybeUninit<u8>; 64]);

/// Whether a result was set.
#[derive(Clone, Copy)]
enum Given {
    Nothing,
    /// One that goes as a word, with zeros behind it.
    Word,
    Value,
}

/// A call that C makes of a [`DynFrame`](super::DynFrame): its arguments, and the result that it is to have.
///
/// Arguments are numbered from 0, as the parameters of the [`Signature`] are. One whose bits are no value of its type, a `bool`
/// of 2 or a null reference, aborts the process when it is asked for, with a message that names the callback and the
/// parameter.
pub struct Call<'c> {
    cpu: *mut CpuState,
    prepared: &'c Prepared,
    given: Given,
    // Of these three nothing is initialized that a call does not use.
    /// Where the caller wants a result in memory.
    hidden: MaybeUninit<*mut u8>,
    /// What is recorded of the call, by a recorder.
    #[cfg(feature = "std")]
    record: MaybeUninit<Box<Record>>,
    result: Buffer,
}

impl<'c> Call<'c> {
    /// # Safety
    ///
    /// `cpu` is a state of an entry for this signature, which nobody else has and nothing has changed.
    #[inline(always)]
    pub(super) unsafe fn new(cpu: *mut CpuState, prepared: &'c Prepared) -> Self {
        Self {
            cpu,
            prepared,
            given: Given::Nothing,
            hidden: MaybeUninit::uninit(),
            #[cfg(feature = "std")]
            record: MaybeUninit::uninit(),
            result: Buffer([MaybeUninit::uninit(); 64]),
        }
    }

    /// What is to be done before the callback is run. (Not in `new`: what calls borrow is not moved into its place without a copy.)
    ///
    /// # Safety
    ///
    /// Nobody has changed the state.
    #[inline(always)]
    pub(super) unsafe fn begin(&mut self) {
        if self.prepared.prelude {
            // SAFETY: the caller's promise.
            unsafe { self.begin_at_length() };
        }
    }

    /// # Safety
    ///
    /// As for [`begin`](Self::begin).
    #[inline(never)]
    unsafe fn begin_at_length(&mut self) {
        if let Way::Memory = self.prepared.way {
            // SAFETY: the caller's promise.
            self.hidden.write(unsafe { hidden(self.cpu, self.prepared.signature.result()) });
        }
        #[cfg(feature = "std")]
        if self.prepared.recorder.is_some() {
            self.record.write(Record::begin(self));
        }
    }

    /// Has the call recorded, which has returned or was unwound.
    ///
    /// # Safety
    ///
    /// It ends once.
    #[cfg(feature = "std")]
    pub(super) unsafe fn end(&mut self, returned: bool) {
        let Some(recorder) = &self.prepared.recorder else { return };
        // SAFETY: `begin_at_length` has written it, and nobody else takes it.
        let record = unsafe { self.record.assume_init_read() };
        recorder.keep(record, returned.then_some(&*self));
    }

    /// Where the caller wants the result, if it wants it in memory.
    const fn hidden(&self) -> *mut u8 {
        match self.prepared.way {
            // SAFETY: `begin_at_length` has written it.
            Way::Memory => unsafe { self.hidden.assume_init() },
            _ => ptr::null_mut(),
        }
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &'c Signature {
        &self.prepared.signature
    }

    /// How many arguments there are, of those that the signature tells of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prepared.signature.parameters().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The argument `n` as a `T`.
    ///
    /// # Panics
    ///
    /// If there is no argument `n`, or `T` has not the shape of its type: another size, or another kind.
    ///
    /// # Examples
    ///
    /// See [`DynFrame`](super::DynFrame).
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn arg<T: Scalar>(&self, n: usize) -> T {
        let slot = self.prepared.slot(n);
        if const { Shape::of(&T::TYPE) }.fits(slot.shape) {
            // SAFETY: the argument lies there, and has the size of a `T`. Nobody changes the state while the call is
            // borrowed, but for registers that may be anything.
            let value = unsafe { self.cpu.byte_offset(slot.offset as isize).cast::<MaybeUninit<T>>().read_unaligned() };
            // SAFETY: the caller of the callback has initialized it.
            if unsafe { T::is_valid(value.as_ptr()) } {
                // SAFETY: it is a value.
                return unsafe { value.assume_init() };
            }
        }
        self.arg_at_length(n)
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn arg_at_length<T: Scalar>(&self, n: usize) -> T {
        // SAFETY: a scalar is no reference.
        unsafe { self.read(n) }
    }

    /// The argument `n` as a `T`, which may be a struct, a reference or any other [`CType`].
    ///
    /// # Safety
    ///
    /// What is a reference or holds pointers is used only as long as what it points to lives, and is not made twice where
    /// that would alias.
    ///
    /// # Panics
    ///
    /// As for [`arg`](Self::arg).
    #[must_use]
    #[track_caller]
    pub unsafe fn read<T: CType + Copy>(&self, n: usize) -> T {
        let parameter = self.parameter(n);
        assert!(
            T::TYPE.has_shape_of(&parameter.ty),
            "cbframe: argument {n} has the type `{}`, which is not laid out as `{}` is",
            parameter.ty.name,
            T::TYPE.name
        );
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast::<u8>();
        // SAFETY: as many bytes as the argument has, of a call with this signature.
        unsafe {
            match self.prepared.slot(n).spot.address(self.cpu) {
                Some(from) => ptr::copy_nonoverlapping(from, to, size_of::<T>()),
                None => gather(self.cpu, &parameter.place, parameter.ty.size, to),
            }
        }
        // SAFETY: aligned and readable; a caller that follows the signature has initialized what is no padding.
        unsafe {
            self.check(n, &parameter.ty, to);
            self.check(n, &T::TYPE, to);
            assert!(T::is_valid(value.as_ptr()), "cbframe: argument {n} is no value of `{}`", T::TYPE.name);
            value.assume_init()
        }
    }

    /// The argument `n`.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn value(&self, n: usize) -> Value<'_> {
        let Parameter { ty, place, .. } = self.parameter(n);
        // SAFETY: as many bytes as the argument has, of a call with this signature. What C passes is not changed but through
        // the call, which is borrowed.
        unsafe {
            if let Some(from) = self.prepared.slot(n).spot.address(self.cpu) {
                self.check(n, ty, from);
                return Value::read_valid(ty, from);
            }
            let mut object = Object::uninit(*ty);
            gather(self.cpu, place, ty.size, object.as_mut_ptr());
            self.check(n, ty, object.as_ptr());
            match Value::read_valid(ty, object.as_ptr()) {
                Value::Object(_) => Value::Object(object),
                scalar => scalar,
            }
        }
    }

    /// The argument `n`, or what is wrong with it.
    #[cfg(feature = "std")]
    pub(super) fn try_value(&self, n: usize) -> Result<Value<'_>, ValueError> {
        let Parameter { ty, place, .. } = self.parameter(n);
        // SAFETY: as for `value`.
        unsafe {
            if let Some(from) = self.prepared.slot(n).spot.address(self.cpu) {
                return Value::read(ty, from);
            }
            let mut object = Object::uninit(*ty);
            gather(self.cpu, place, ty.size, object.as_mut_ptr());
            Value::read(ty, object.as_ptr()).map(|value| value.to_owned())
        }
    }

    /// The result, when it is in place.
    #[cfg(feature = "std")]
    pub(super) fn result(&self) -> Result<Value<'static>, ValueError> {
        // SAFETY: there it was put.
        unsafe { Value::read(&self.prepared.signature.result().ty, self.result_at()).map(|value| value.to_owned()) }
    }

    /// Where the arguments on the stack begin.
    #[cfg(feature = "std")]
    pub(super) fn arguments_on_stack(&self) -> *const u8 {
        stack_arguments(self.cpu)
    }

    /// The name of the callback.
    #[cfg(feature = "std")]
    pub(super) fn name(&self) -> &'static str {
        self.prepared.meta.name()
    }

    /// The arguments, each with its name and type.
    pub fn args(&self) -> impl ExactSizeIterator<Item = Argument<'_>> {
        (0..self.len()).map(|index| {
            let Parameter { name, ty, .. } = self.parameter(index);
            Argument { index, name, ty, value: self.value(index) }
        })
    }

    /// The arguments behind `...`.
    ///
    /// # Panics
    ///
    /// Unless the signature ends in `...`, without the types of what is behind it.
    #[must_use]
    #[track_caller]
    pub fn va_list(&self) -> VaList<'_> {
        let signature = &self.prepared.signature;
        assert!(
            signature.before_dots() == Some(self.len()),
            "cbframe: `va_list` is for signatures that end in `...`; where the types behind it are known, they are arguments"
        );
        // SAFETY: the entry of a variadic callback, whose state has not been changed; it runs while the call is borrowed.
        unsafe { VaList::new(VaArguments::of(self.cpu, signature.layout().abi(), signature.end())) }
    }

    /// Sets the result. Later ones replace it.
    ///
    /// # Panics
    ///
    /// If the value has not the type of the result, or is none that it allows: a `bool` of 2.
    #[inline]
    #[track_caller]
    pub fn ret<'v, T: Reply<'v>>(&mut self, value: T) {
        if T::SHAPE.fits(self.prepared.result) {
            let to = &raw mut self.result;
            // SAFETY: a word, which the buffer has. What is behind the value is zero, as it is to be in a register.
            unsafe {
                to.cast::<u64>().write(0);
                to.cast::<T>().write(value);
            }
            self.given = Given::Word;
            return;
        }
        self.ret_value(value.into());
    }

    #[inline(never)]
    #[track_caller]
    fn ret_value(&mut self, value: Value<'_>) {
        if let Some(error) = value.misfit(&self.prepared.signature.result().ty) {
            refuse(self.prepared.meta, &error);
        }
        // SAFETY: the value has as many bytes as the result.
        unsafe { self.give(value.as_ptr()) };
    }

    /// # Safety
    ///
    /// `from` has the bytes of a result.
    unsafe fn give(&mut self, from: *const u8) {
        let to = match self.prepared.way {
            Way::Memory => self.hidden(),
            _ => (&raw mut self.result).cast(),
        };
        // SAFETY: the caller's promise, and that of C for a result in memory; the buffer has eight bytes and more.
        unsafe {
            if let Way::Word = self.prepared.way {
                to.cast::<u64>().write(0);
            }
            ptr::copy_nonoverlapping(from, to, self.prepared.signature.result().ty.size);
        }
        self.given = Given::Value;
    }

    /// Where the result is put together. What registers hold fits into the buffer.
    #[cfg(feature = "std")]
    const fn result_at(&self) -> *const u8 {
        match self.prepared.way {
            Way::Memory => self.hidden(),
            _ => (&raw const self.result).cast(),
        }
    }

    /// The registers that the callback was called with, as far as they were saved: those that may carry arguments, or
    /// all, see [`DynBuilder::save`](super::DynBuilder::save).
    #[must_use]
    pub fn cpu(&self) -> &CpuSubset {
        // SAFETY: the entry's, which is this call's as long as it lasts; every register that it shows was saved.
        unsafe {
            if self.prepared.seen == Seen::Arguments {
                CpuState::show(self.cpu, self.prepared.shown);
            }
            &*self.cpu.cast_const().cast()
        }
    }

    /// The state of the CPU, to be changed: what is in it when the callback returns is in the registers then, but for those of
    /// the result. Arguments that are asked for later are taken from the changed registers.
    ///
    /// # Panics
    ///
    /// Without [`save`](super::DynBuilder::save).
    ///
    /// # Safety
    ///
    /// The caller's registers are left as its convention, and what it does next, need them.
    #[track_caller]
    pub unsafe fn cpu_mut(&mut self) -> &mut CpuState {
        assert!(
            self.prepared.seen == Seen::State,
            "cbframe: this callback does not save the state of the CPU: bind it with `DynFrame::builder(…).save()`"
        );
        // SAFETY: the entry's, which is this call's as long as it lasts.
        unsafe { &mut *self.cpu }
    }

    /// Puts the result into its place: that which was set, or the fallback.
    ///
    /// # Safety
    ///
    /// The entry's state, whose registers the entry loads next.
    #[inline(always)]
    pub(super) unsafe fn finish(&mut self, answer: Answer) {
        if let (Given::Word, Answer::Done) = (self.given, answer) {
            // SAFETY: the buffer has the word, which goes there; the entry loads it.
            unsafe {
                let word = (&raw const self.result).cast::<u64>().read();
                self.cpu.byte_offset(self.prepared.word as isize).cast::<u64>().write(word);
            }
            return;
        }
        if let (Way::Nothing, false) = (self.prepared.way, self.prepared.prelude) {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { self.finish_otherwise(answer) };
    }

    /// # Safety
    ///
    /// As for [`finish`](Self::finish).
    #[inline(never)]
    unsafe fn finish_otherwise(&mut self, answer: Answer) {
        if !matches!(self.prepared.way, Way::Nothing) {
            if matches!((self.given, answer), (Given::Nothing, _) | (_, Answer::Fallback)) {
                self.fall_back(answer);
            }
            let signature = &self.prepared.signature;
            let from = (&raw const self.result).cast();
            // SAFETY: the caller's promise; the buffer has the result if it is not in memory.
            unsafe { give_result(self.cpu, signature.abi(), signature.result(), self.hidden(), from) };
        }
        #[cfg(feature = "std")]
        // SAFETY: this is its end.
        unsafe {
            self.end(true);
        }
    }

    #[cold]
    #[inline(never)]
    fn fall_back(&mut self, answer: Answer) {
        let name = self.prepared.meta.name();
        let ty = self.prepared.signature.result().ty.name;
        let what = format_args!("`{name}` has returned without a value, and its signature has a result, a `{ty}`");
        match (&self.prepared.fallback, answer) {
            (None, _) => {
                os::die(format_args!("{what}: call `ret`, or give C a value with `DynFrame::builder(…).or(…)`."))
            }
            (Some(_), Answer::Done) => os::report(format_args!("{what}. It returned its fallback value.")),
            (Some(_), Answer::Fallback) => {}
        }
        if let Some(fallback) = &self.prepared.fallback {
            // SAFETY: it has the type of the result.
            unsafe { self.give(fallback.as_ptr()) };
        }
    }

    #[track_caller]
    fn parameter(&self, n: usize) -> &'c Parameter {
        match self.prepared.signature.parameters().get(n) {
            Some(parameter) => parameter,
            None => no_argument(n, self.len()),
        }
    }

    /// Aborts unless the bytes of argument `n` are a value of this type.
    ///
    /// # Safety
    ///
    /// As for [`Type::find_invalid`].
    unsafe fn check(&self, n: usize, ty: &Type, bytes: *const u8) {
        // SAFETY: the caller's promise.
        if let Some(invalid) = unsafe { ty.find_invalid(bytes) } {
            self.report_invalid(n, &invalid);
        }
    }

    #[cold]
    fn report_invalid(&self, n: usize, invalid: &Invalid) -> ! {
        let Parameter { name, ty, .. } = self.parameter(n);
        let (callback, space) = (self.prepared.meta.name(), if name.is_empty() { "" } else { " " });
        os::die(format_args!(
            "`{callback}` was called with a wrong value for its parameter `#{n}{space}{name}: {}`: it{invalid}. The caller \
             passed it, or declares the function pointer otherwise than the signature does.",
            ty.name
        ))
    }
}

#[cold]
#[track_caller]
fn no_argument(n: usize, len: usize) -> ! {
    panic!("cbframe: there is no argument {n}: the signature has {len}")
}

#[cold]
#[track_caller]
fn refuse(meta: &Meta, error: &ValueError) -> ! {
    panic!("cbframe: the result of `{}`: {error}", meta.name())
}

/// How a callback has ended.
#[derive(Clone, Copy)]
pub enum Answer {
    /// It has returned.
    Done,
    /// It could not be run, or has panicked.
    Fallback,
}

/// An argument of a [`Call`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Argument<'c> {
    /// Its index.
    pub index: usize,
    /// The name of the parameter; empty where there is none.
    pub name: &'static str,
    /// The type of the parameter.
    pub ty: &'c Type,
    /// The value.
    pub value: Value<'c>,
}

impl Argument<'_> {
    /// The bytes of the value; those of padding need not be initialized.
    #[must_use]
    pub const fn bytes(&self) -> &[MaybeUninit<u8>] {
        self.value.bytes()
    }
}

/// The callback, and each argument on a line of its own.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("callback", &self.prepared.meta.name())
            .field("arguments", &fmt::from_fn(|f| f.debug_list().entries(self.args()).finish()))
            .finish()
    }
}

/// What is told of a callback that is this closure.
pub(super) struct Told<F>(core::marker::PhantomData<F>);

impl<F> Told<F> {
    pub(super) const META: &'static Meta =
        &Meta { name: crate::pool::Name::Type(type_name::<F>), parameters: &[], layout: None };
}
