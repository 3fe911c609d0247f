//! The same tests for what knows signatures at run time only: callbacks, and callers.

use std::cell::RefCell;

use cbframe::abi::{Layout, Signature};
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
    /// What a layout says of a signature; `None` for variadic ones, whose layout does not say all.
    pub(crate) fn of(layout: &Layout<'_>) -> Option<Self> {
        if layout.is_variadic() {
            return None;
        }
        let signature = again::signature(layout);
        let wide = (layout.result().ty.size < 4).then(|| {
            let parameters = signature.parameters().iter();
            let start = Signature::new(layout.abi()).ret(Type::U32);
            parameters.fold(start, |all, parameter| all.param(parameter.ty)).build().expect("as before")
        });
        Some(Self { signature, wide })
    }

    /// What calls callbacks as the generated C callers do.
    pub(crate) fn caller(&self) -> Caller {
        CALLED.set(Some(self.clone()));
        caller
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

/// Calls the callback on the wire by the signature of this thread.
unsafe extern "C" fn caller(wire: *const Wire) {
    // SAFETY: the test's own.
    let Wire { callback, arguments, result, wide, .. } = unsafe { &*wire };
    let Known { signature, wide: widened } = CALLED.with_borrow(|called| called.clone()).expect("a signature");
    let arguments = arguments.map(|value| value.cast::<()>());
    let arguments = &arguments[..signature.parameters().len()];
    let (signature, result) = match widened {
        Some(widened) if !wide.is_null() => (widened, wide.cast::<()>()),
        _ => (signature, result.cast()),
    };
    // SAFETY: the callback has this signature, and these are its arguments; there is room for any result.
    unsafe { signature.call_raw(*callback, arguments, result) }.expect("a call");
}
