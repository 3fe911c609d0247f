//! The same tests for what knows signatures at run time only: callbacks, and callers.

use std::cell::RefCell;

use cbframe::abi::{Layout, Parameter, Signature};
use cbframe::types::Type;
use cbframe::{Call, DynFrame};

use crate::again;
use crate::call::{self, Caller, Run, State, Wire};
use crate::values::Value;

/// Both directions of one signature.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    signature: Signature,
    /// The same with all 32 bits of a result that is narrower.
    wide: Option<Signature>,
}

thread_local! {
    /// What [`caller`] calls.
    static CALLED: RefCell<Option<Known>> = const { RefCell::new(None) };
}

impl Known {
    pub(crate) fn new(signature: Signature) -> Self {
        let wide = (signature.result().ty.size < 4).then(|| {
            let start = Signature::new(signature.abi()).ret(Type::U32);
            let all = signature.parameters().iter().enumerate().fold(start, |all, (index, parameter)| {
                if signature.before_dots() == Some(index) {
                    all.dots().param(parameter.ty)
                } else {
                    all.param(parameter.ty)
                }
            });
            let all = if signature.before_dots() == Some(signature.parameters().len()) { all.dots() } else { all };
            all.build().expect("as before")
        });
        Self { signature, wide }
    }

    /// What a layout says of a signature; `None` for variadic ones, whose layout does not say all.
    pub(crate) fn of(layout: &Layout<'_>) -> Option<Self> {
        (!layout.is_variadic()).then(|| Self::new(again::signature(layout)))
    }

    /// What calls callbacks as the generated C callers do.
    pub(crate) fn callers(&self) -> [(Caller, &'static str); 2] {
        CALLED.set(Some(self.clone()));
        [(call_raw, "Signature::call_raw"), (call_values, "Signature::call")]
    }

    /// Calls callbacks that learn of their signature here.
    pub(crate) fn run(&self, run: &mut Run<'_>) {
        let state = State::new();
        let answer = |call: &mut Call<'_>| {
            state.arrive();
            let mut values = Vec::with_capacity(call.len());
            for (argument, parameter) in call.args().zip(self.signature.parameters()) {
                assert!(argument.ty == &parameter.ty && argument.name == parameter.name);
                let mut value = Value::JUNK;
                value.0[..argument.bytes().len()].copy_from_slice(argument.bytes());
                values.push(value);
            }
            let addresses: Vec<*const u8> = values.iter().map(|value| value.0.as_ptr().cast()).collect();
            // SAFETY: each has room for any of the types.
            unsafe { call::receive(&addresses) };
            let reply = call::reply().cast();
            // SAFETY: what the test expects for a result is one, and stays where it is while the callback runs.
            let value = unsafe { cbframe::Value::read(&self.signature.result().ty, reply) };
            call.ret(value.expect("a value of the result's type"));
        };
        let frame = DynFrame::new(&self.signature, answer).expect("a slot");
        run.stateful("dynamic", frame.as_ptr(), &state);
        let with_cpu = |call: &mut Call<'_>| {
            // SAFETY: nothing is changed.
            call::cpu(unsafe { call.cpu_mut() });
            answer(call);
        };
        let frame = DynFrame::builder(&self.signature).save().new(with_cpu).expect("a slot");
        run.stateful("dynamic, with the CPU", frame.as_ptr(), &state);
    }
}

/// The signature of this thread, and what is on the wire for a call by it: what is called, the arguments, and where the
/// result goes.
unsafe fn called(wire: *const Wire) -> (Signature, *const (), Vec<*const ()>, *mut ()) {
    // SAFETY: the test's own.
    let Wire { callback, arguments, result, wide, .. } = unsafe { &*wire };
    let Known { signature, wide: widened } = CALLED.with_borrow(|called| called.clone()).expect("a signature");
    let arguments = arguments[..signature.parameters().len()].iter().map(|value| value.cast()).collect();
    match widened {
        Some(widened) if !wide.is_null() => (widened, *callback, arguments, wide.cast()),
        _ => (signature, *callback, arguments, result.cast()),
    }
}

unsafe extern "C" fn call_raw(wire: *const Wire) {
    // SAFETY: the callback has this signature, and these are its arguments; there is room for any result.
    unsafe {
        let (signature, callback, arguments, result) = called(wire);
        signature.call_raw(callback, &arguments, result).expect("a call");
    }
}

unsafe extern "C" fn call_values(wire: *const Wire) {
    // SAFETY: as above; the values stay where they are.
    unsafe {
        let (signature, callback, arguments, result) = called(wire);
        let value = |(from, parameter): (&*const (), &Parameter)| cbframe::Value::read(&parameter.ty, from.cast());
        let values: Result<Vec<_>, _> = arguments.iter().zip(signature.parameters()).map(value).collect();
        let value = signature.call(callback, &values.expect("values")).expect("a call");
        value.bytes().as_ptr().copy_to_nonoverlapping(result.cast(), value.bytes().len());
    }
}
