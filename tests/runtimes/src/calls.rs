//! Calls of functions that a script gives.

use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::Mutex;

use cbframe::abi::{Abi, Signature};
use cbframe::types::Type;
use cbframe::{CStrRef, Value, cbframe};

use crate::{Outcome, locked, or_error, signature};

/// What `bridge_call` gave last.
static RESULT: Mutex<Option<CString>> = Mutex::new(None);

/// `const char *bridge_call(const char *signature, const char *behind, void (*function)(void), const void *const *arguments,
/// int *err)`: calls with the values that `arguments` point to, and shows the result. The types of those behind `...` are in
/// `behind`, parted by commas; it is null where there are none. What `err` points to, if that is not null, is set to the
/// call's errno. The text is there until the next call.
///
/// # Safety
///
/// The function has the signature, and the arguments are of its types.
#[cbframe(abi = "C", export = "bridge_call")]
unsafe fn call(
    text: CStrRef<'_>,
    behind: Option<CStrRef<'_>>,
    function: *const (),
    arguments: *const *const u8,
    errno: *mut c_int,
) -> *const c_char {
    let call = || -> Outcome<*const c_char> {
        let mut signature = signature(text)?;
        if let Some(behind) = behind {
            let behind = CString::new([b"void (*)(", behind.to_bytes(), b")"].concat())?;
            let behind = crate::signature(behind.as_c_str().into())?;
            let builder = signature.to_builder().dots();
            signature = behind.parameters().iter().fold(builder, |all, one| all.param(one.ty)).build()?;
        }
        let parameters = signature.parameters().iter().enumerate();
        // SAFETY: the caller's promise.
        let values = parameters.map(|(n, parameter)| unsafe { Value::read(&parameter.ty, *arguments.add(n)) });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let result = if errno.is_null() {
            // SAFETY: the caller's promise.
            unsafe { signature.call(function, &values)? }
        } else {
            // SAFETY: the caller's promise.
            let (result, found) = unsafe { signature.call_with_errno(function, &values)? };
            // SAFETY: the caller's own.
            unsafe { errno.write(found) };
            result
        };
        Ok(locked(&RESULT).insert(CString::new(result.to_string())?).as_ptr())
    };
    or_error(call(), ptr::null())
}

/// `int64_t bridge_on_threads(int64_t (*function)(int64_t), int64_t threads, int64_t calls)`: calls the function so many times with
/// 0, 1, … on each of so many new threads, all at once, and gives the sum of what it returned; -1 if a call failed.
#[cbframe(abi = "C", export = "bridge_on_threads")]
fn on_threads(function: *const (), threads: i64, calls: i64) -> i64 {
    let function = function as usize;
    let call_all = move || -> Option<i64> {
        let signature = Signature::new(Abi::C).param(Type::I64).ret(Type::I64).build().ok()?;
        let mut sum = 0;
        for n in 0..calls {
            // SAFETY: the script passes a function of this signature.
            match unsafe { signature.call(function as *const (), &[Value::I64(n)]) } {
                Ok(Value::I64(result)) => sum += result,
                _ => return None,
            }
        }
        Some(sum)
    };
    let threads: Vec<_> = (0..threads).map(|_| std::thread::spawn(call_all)).collect();
    threads.into_iter().map(|thread| thread.join().ok().flatten()).sum::<Option<i64>>().unwrap_or(-1)
}
