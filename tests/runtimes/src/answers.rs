//! Callbacks: what they do with a call.

use std::ffi::{CStr, c_char, c_int};
use std::sync::Arc;

use cbframe::abi::Signature;
use cbframe::types::Type;
use cbframe::{CStrRef, CType, Call, DynFrame, Value, cbframe};

use crate::{Bridge, Counted, Frame, Heard, Outcome, bridge, locked, set_errno, signature};

/// A copy of the result that a script wants C to get.
struct Reply {
    ty: Type,
    bytes: Vec<u8>,
}

impl Reply {
    /// # Safety
    ///
    /// `from` leads to a value of the signature's result, unless that is `void`.
    unsafe fn new(signature: &Signature, from: *const u8) -> Self {
        let ty = signature.result().ty;
        let bytes = match ty.size {
            0 => Vec::new(),
            // SAFETY: the caller's promise; the runtimes fill padding with zeros.
            size => unsafe { std::slice::from_raw_parts(from, size) }.to_vec(),
        };
        Self { ty, bytes }
    }

    fn value(&self) -> Outcome<Value<'_>> {
        // SAFETY: the bytes of a value, which stay as they are.
        Ok(unsafe { Value::read(&self.ty, self.bytes.as_ptr()) }?)
    }
}

/// `bridge *bridge_record(const char *signature, const void *reply, int err)`: a callback that keeps what it was called with, sets
/// errno unless `err` is 0, and returns what `reply` points to.
///
/// # Safety
///
/// `reply` leads to a value of the signature's result, unless that is `void`.
#[cbframe(abi = "C", export = "bridge_record")]
unsafe fn record(text: CStrRef<'_>, reply: *const u8, errno: c_int) -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(text)?;
        // SAFETY: the caller's promise.
        let reply = unsafe { Reply::new(&signature, reply) };
        reply.value()?;
        let frame = DynFrame::new(&signature, move |call| {
            let _counted = Counted(&heard);
            let arguments: Vec<String> = call.args().map(|argument| argument.value.to_string()).collect();
            *locked(&heard.arguments) = arguments.join(", ");
            call.ret(reply.value().expect("a value"));
            if errno != 0 {
                set_errno(errno);
            }
        })?;
        Ok(Frame::Shared(frame))
    })
}

/// Calls `target` with the arguments of a call, and returns what that returns.
fn forward(call: &mut Call<'_>, signature: &Signature, target: usize, heard: &Heard) {
    let _counted = Counted(heard);
    let arguments: Vec<Value<'_>> = call.args().map(|argument| argument.value).collect();
    // SAFETY: whoever made the callback promises that the function has this signature.
    let result = unsafe { signature.call(target as *const (), &arguments) };
    drop(arguments);
    call.ret(result.expect("a call with arguments of the same signature"));
}

fn forwarding(
    signature: &Signature,
    target: *const (),
    heard: Arc<Heard>,
) -> impl Fn(&mut Call<'_>) + Send + Sync + use<> {
    let (signature, target) = (signature.clone(), target as usize);
    move |call| forward(call, &signature, target, &heard)
}

/// `bridge *bridge_forward(const char *signature, void (*target)(void))`: a callback that calls `target` with what it was called
/// with, and returns what that returns.
///
/// # Safety
///
/// `target` has the signature, and lives as long as the callback.
#[cbframe(abi = "C", export = "bridge_forward")]
unsafe fn forward_all(text: CStrRef<'_>, target: *const ()) -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(text)?;
        Ok(Frame::Shared(DynFrame::new(&signature, forwarding(&signature, target, heard))?))
    })
}

/// `bridge *bridge_forward_unwinding(const char *signature, void (*target)(void))`: the same, for targets that may be left by
/// unwinding.
///
/// # Safety
///
/// As for [`forward_all`].
#[cbframe(abi = "C", export = "bridge_forward_unwinding")]
unsafe fn forward_unwinding(text: CStrRef<'_>, target: *const ()) -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(text)?.to_builder().unwind().build()?;
        Ok(Frame::Shared(DynFrame::new(&signature, forwarding(&signature, target, heard))?))
    })
}

/// `bridge *bridge_forward_here(const char *signature, void (*target)(void), const void *elsewhere)`: the same for a runtime
/// that only this thread may enter: on another one the callback returns what `elsewhere` points to.
///
/// # Safety
///
/// As for [`forward_all`] and [`record`].
#[cbframe(abi = "C", export = "bridge_forward_here")]
unsafe fn forward_here(text: CStrRef<'_>, target: *const (), elsewhere: *const u8) -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(text)?;
        // SAFETY: the caller's promise.
        let elsewhere = unsafe { Reply::new(&signature, elsewhere) };
        let builder = DynFrame::builder(&signature).or(elsewhere.value()?);
        Ok(Frame::Local(builder.local(forwarding(&signature, target, heard)).map_err(|full| full.without_state())?))
    })
}

/// `bridge *bridge_panic(const char *signature, const void *instead)`: a callback that panics, for which C gets what `instead`
/// points to.
///
/// # Safety
///
/// As for [`record`].
#[cbframe(abi = "C", export = "bridge_panic")]
unsafe fn panicking(text: CStrRef<'_>, instead: *const u8) -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(text)?;
        // SAFETY: the caller's promise.
        let instead = unsafe { Reply::new(&signature, instead) };
        let frame = DynFrame::builder(&signature).or(instead.value()?).new(move |call| {
            let _counted = Counted(&heard);
            panic!("the bridge breaks under {} arguments", call.len());
        })?;
        Ok(Frame::Shared(frame))
    })
}

/// `bridge *bridge_format(void)`: `int (*)(char *to, size_t size, const char *format, ...)`, C's `snprintf`.
#[cbframe(abi = "C", export = "bridge_format")]
fn format() -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(c"int (*)(char *, size_t, const char *, ...)".into())?;
        let frame = DynFrame::new(&signature, move |call| {
            let _counted = Counted(&heard);
            let (to, size) = (call.arg::<*mut c_char>(0), call.arg::<usize>(1));
            // SAFETY: what the caller of an `snprintf` passes.
            let text = unsafe { call.va_list().format(call.arg(2)) };
            if let Some(last) = size.checked_sub(1) {
                let kept = text.len().min(last);
                // SAFETY: the caller has room for `size` bytes.
                unsafe {
                    to.copy_from_nonoverlapping(text.as_ptr().cast(), kept);
                    to.add(kept).write(0);
                }
            }
            call.ret(text.len() as c_int);
        })?;
        Ok(Frame::Shared(frame))
    })
}

/// `struct pair { float x; float y; }`: in one vector register.
#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Pair {
    x: f32,
    y: f32,
}

/// `struct triple { double x; double y; double z; }`: in memory.
#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Triple {
    x: f64,
    y: f64,
    z: f64,
}

/// `bridge *bridge_sum(void)`: `double (*)(const char *kinds, ...)`, the sum of what is behind `...`. Each letter of `kinds` is the
/// type of one argument: `int`, `long long`, `double`, `string`, of which the length counts, `pair` or `triple`.
#[cbframe(abi = "C", export = "bridge_sum")]
fn sum() -> *mut Bridge {
    bridge(|heard| {
        let signature = signature(c"double (*)(const char *, ...)".into())?;
        let frame = DynFrame::new(&signature, move |call| {
            let _counted = Counted(&heard);
            // SAFETY: the caller passes a string.
            let kinds = unsafe { CStr::from_ptr(call.arg(0)) };
            let mut list = call.va_list();
            let one = |kind: &u8| {
                // SAFETY: the caller passes what `kinds` says.
                unsafe {
                    match kind {
                        b'i' => f64::from(list.arg::<c_int>()),
                        b'l' => list.arg::<i64>() as f64,
                        b'd' => list.arg::<f64>(),
                        b's' => CStr::from_ptr(list.arg()).count_bytes() as f64,
                        b'p' => {
                            let Pair { x, y } = list.arg();
                            f64::from(x + y)
                        }
                        b't' => {
                            let Triple { x, y, z } = list.arg();
                            x + y + z
                        }
                        _ => f64::NAN,
                    }
                }
            };
            let sum: f64 = kinds.to_bytes().iter().map(one).sum();
            call.ret(sum);
        })?;
        Ok(Frame::Shared(frame))
    })
}
