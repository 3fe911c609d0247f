//! A bridge between a script and cbframe: callbacks whose signatures the script writes as C text, and calls of the script's own.
//!
//! What is exported has the C ABI. Where something is refused the result is null, and `bridge_error` says why.

mod answers;
mod calls;

use std::error::Error;
use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use cbframe::abi::{Abi, Signature};
use cbframe::parse::CDeclarations;
use cbframe::{CStrRef, DynFrame, Local, Pool, cbframe};

/// What the script has declared.
static DECLARED: LazyLock<Mutex<CDeclarations>> = LazyLock::new(|| Mutex::new(CDeclarations::new(Abi::C)));
/// Why the last function that failed did. No thread-local, whose destructor would keep the library loaded.
static ERROR: Mutex<Option<CString>> = Mutex::new(None);

/// What may go wrong.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// A callback, as the script holds it.
pub struct Bridge {
    frame: Frame,
    heard: Arc<Heard>,
    /// What `bridge_heard` gave last.
    text: CString,
}

enum Frame {
    Shared(DynFrame<'static>),
    Local(DynFrame<'static, Local>),
}

/// What became of the calls of a callback.
#[derive(Default)]
struct Heard {
    /// How many are over.
    calls: AtomicI64,
    /// The arguments of the last.
    arguments: Mutex<String>,
}

/// Counts a call when it is over, also if it is unwound.
struct Counted<'a>(&'a Heard);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signature(text: CStrRef<'_>) -> Outcome<Signature> {
    Ok(locked(&DECLARED).signature(text.to_str()?)?)
}

/// The value, or what says that there is none, with the reason put down.
fn or_error<T>(outcome: Outcome<T>, none: T) -> T {
    outcome.unwrap_or_else(|error| {
        *locked(&ERROR) = CString::new(error.to_string()).ok();
        none
    })
}

/// Makes a callback, or null.
fn bridge(make: impl FnOnce(Arc<Heard>) -> Outcome<Frame>) -> *mut Bridge {
    let heard = Arc::new(Heard::default());
    let made =
        make(heard.clone()).map(|frame| Box::into_raw(Box::new(Bridge { frame, heard, text: CString::default() })));
    or_error(made, ptr::null_mut())
}

/// `const char *bridge_error(void)`: why the last function that failed did. Null if none has; the text is there until
/// the next one does.
#[cbframe(abi = "C", export = "bridge_error")]
fn error() -> *const c_char {
    locked(&ERROR).as_ref().map_or(ptr::null(), |error| error.as_ptr())
}

/// `bool bridge_declare(const char *text)`: declares structs, unions and enums.
#[cbframe(abi = "C", export = "bridge_declare")]
fn declare(text: CStrRef<'_>) -> bool {
    let add = || -> Outcome<bool> {
        locked(&DECLARED).add(text.to_str()?)?;
        Ok(true)
    };
    or_error(add(), false)
}

/// `void (*bridge_address(bridge *))(void)`: what is called.
#[cbframe(abi = "C", export = "bridge_address")]
fn address(bridge: &Bridge) -> *const () {
    match &bridge.frame {
        Frame::Shared(frame) => frame.as_ptr(),
        Frame::Local(frame) => frame.as_ptr(),
    }
}

/// `const char *bridge_heard(bridge *)`: the arguments of the last call that `bridge_record` heard of, as Rust shows them. The
/// text is there until the next `bridge_heard`.
#[cbframe(abi = "C", export = "bridge_heard")]
fn heard(bridge: &mut Bridge) -> *const c_char {
    bridge.text = CString::new(locked(&bridge.heard.arguments).as_str()).unwrap_or_default();
    bridge.text.as_ptr()
}

/// `int64_t bridge_calls(bridge *)`: how many calls are over.
#[cbframe(abi = "C", export = "bridge_calls")]
fn count(bridge: &Bridge) -> i64 {
    bridge.heard.calls.load(Ordering::Relaxed)
}

/// `int64_t bridge_live(void)`: how many callbacks there are.
#[cbframe(abi = "C", export = "bridge_live")]
fn live() -> i64 {
    Pool::shared().live().count() as i64
}

/// `void bridge_free(bridge *)`: drops the callback.
///
/// # Safety
///
/// It is not used any more.
#[cbframe(abi = "C", export = "bridge_free")]
unsafe fn free(bridge: *mut Bridge) {
    // SAFETY: `bridge` made it, and it is not used any more.
    drop(unsafe { Box::from_raw(bridge) });
}

fn set_errno(errno: c_int) {
    // SAFETY: this thread's errno.
    unsafe { *libc::__errno_location() = errno };
}
