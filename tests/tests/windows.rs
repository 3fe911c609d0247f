//! Windows calls back: functions that give callbacks no user data, or nearly none.
#![cfg(windows)]
#![allow(missing_docs, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use cbframe::abi::{Abi, CallingConvention, Signature};
use cbframe::types::Type;
use cbframe::{CStrRef, CType, DynFrame, Frame, Value, cbframe, convention};

type Handle = *mut c_void;

#[link(name = "user32")]
unsafe extern "system" {
    fn RegisterClassExA(class: *const WindowClass) -> u16;
    fn CreateWindowExA(
        extended: u32,
        class: *const c_char,
        name: *const c_char,
        style: u32,
        x: c_int,
        y: c_int,
        width: c_int,
        height: c_int,
        parent: Handle,
        menu: Handle,
        instance: Handle,
        parameter: *const c_void,
    ) -> Handle;
    fn DestroyWindow(window: Handle) -> c_int;
    fn SendMessageA(window: Handle, message: u32, w: usize, l: isize) -> isize;
    fn DefWindowProcA(window: Handle, message: u32, w: usize, l: isize) -> isize;
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn EnumSystemLocalesA(callback: Option<unsafe extern "system" fn(CStrRef<'_>) -> c_int>, flags: u32) -> c_int;
    fn AddVectoredExceptionHandler(
        first: u32,
        handler: Option<unsafe extern "system" fn(*const Exception) -> i32>,
    ) -> Handle;
    fn RemoveVectoredExceptionHandler(handler: Handle) -> u32;
    fn RaiseException(code: u32, flags: u32, count: u32, arguments: *const usize);
    fn GetModuleHandleA(name: *const c_char) -> Handle;
}

unsafe extern "C" {
    fn qsort(base: *mut c_void, count: usize, size: usize, compare: Option<unsafe extern "C" fn(&u32, &u32) -> c_int>);
}

/// The C library's own comparator has no user data: suffixes of a text, by the number of the byte where one begins.
#[test]
fn qsort_of_the_c_library_sorts_suffixes() {
    #[cbframe(abi = "C")]
    fn compare(#[state] text: &&[u8], a: &u32, b: &u32) -> c_int {
        text[*a as usize..].cmp(&text[*b as usize..]) as c_int
    }
    let text: &[u8] = b"she sells sea shells on the sea shore";
    let mut suffixes: Vec<u32> = (0..text.len() as u32).collect();
    let frame = compare::bind(text).unwrap();
    // SAFETY: so many elements, of which the comparator is given two; the frame lives.
    unsafe { qsort(suffixes.as_mut_ptr().cast(), suffixes.len(), 4, Some(frame.as_fn())) };
    assert!(suffixes.is_sorted_by_key(|start| &text[*start as usize..]));
    assert_eq!(suffixes.iter().copied().collect::<BTreeSet<_>>().len(), text.len(), "each once");
}

/// `LOCALE_ENUMPROCA` gets a string and nothing else.
#[test]
fn locales_go_into_a_list() {
    const LCID_INSTALLED: u32 = 1;
    struct List {
        found: Vec<String>,
        most: usize,
    }
    #[cbframe(abi = "system")]
    fn locale(#[state] list: &mut List, name: CStrRef<'_>) -> c_int {
        list.found.push(name.to_str().expect("digits").to_owned());
        (list.found.len() < list.most).into()
    }
    let locales = |most: usize| {
        let mut list = List { found: Vec::new(), most };
        let frame = locale::bind(&mut list).unwrap();
        // SAFETY: it calls back before it returns.
        assert_ne!(unsafe { EnumSystemLocalesA(Some(frame.as_fn()), LCID_INSTALLED) }, 0);
        drop(frame);
        list.found
    };
    let found = locales(usize::MAX);
    assert_eq!(locales(5), found[..5], "it stops when the callback says so");
    let numbers: BTreeSet<_> =
        found.iter().map(|name| u32::from_str_radix(name, 16).expect("a number in base 16")).collect();
    assert_eq!(numbers.len(), found.len());
    assert!(numbers.contains(&0x409), "English of the United States: {found:?}");
}

/// `EXCEPTION_RECORD`, as far as it is looked at.
#[derive(CType)]
#[repr(C)]
struct Record {
    code: u32,
    flags: u32,
}

/// `EXCEPTION_POINTERS`.
#[derive(CType)]
#[repr(C)]
struct Exception {
    record: *const Record,
    context: *mut c_void,
}

/// A handler of exceptions, which the system calls in the middle of whatever raised one.
#[test]
fn exceptions_reach_a_closure() {
    const OURS: u32 = 0xe0cb_f4a0;
    let count = AtomicU32::new(0);
    let frame = Frame::<unsafe extern "system" fn(*const Exception) -> i32>::new(|exception: *const Exception| {
        // SAFETY: the system passes the record of the exception.
        if unsafe { (*(*exception).record).code } != OURS {
            return 0;
        }
        count.fetch_add(1, Ordering::Relaxed);
        -1
    })
    .unwrap();
    // SAFETY: the handler is removed before the frame goes.
    unsafe {
        let handler = AddVectoredExceptionHandler(1, Some(frame.as_fn()));
        assert!(!handler.is_null());
        for _ in 0..5 {
            RaiseException(OURS, 0, 0, null());
        }
        assert_ne!(RemoveVectoredExceptionHandler(handler), 0);
    }
    assert_eq!(count.load(Ordering::Relaxed), 5);
}

/// `WNDCLASSEXA`.
#[repr(C)]
struct WindowClass {
    size: u32,
    style: u32,
    procedure: Option<unsafe extern "system" fn(Handle, u32, usize, isize) -> isize>,
    class_extra: c_int,
    window_extra: c_int,
    instance: Handle,
    icon: Handle,
    cursor: Handle,
    background: Handle,
    menu: *const c_char,
    name: *const c_char,
    small_icon: Handle,
}

const WM_CREATE: u32 = 1;
const WM_DESTROY: u32 = 2;
const WM_USER: u32 = 0x400;

/// What a window has been sent.
#[derive(Default)]
struct Window {
    messages: Mutex<Vec<u32>>,
}

#[cbframe(abi = "system", save_errno)]
fn procedure(#[state] state: &Window, window: Handle, message: u32, w: usize, l: isize) -> isize {
    state.messages.lock().unwrap().push(message);
    match message {
        WM_USER => w as isize * 100 + l,
        // SAFETY: what this function was called with.
        _ => unsafe { DefWindowProcA(window, message, w, l) },
    }
}

/// Two classes whose procedures differ in their state only; messages are sent from within a procedure too.
#[test]
fn a_window_procedure_for_each_state() {
    const HWND_MESSAGE: Handle = -3_isize as Handle;
    thread_local!(static SENT: RefCell<Vec<isize>> = const { RefCell::new(Vec::new()) });
    let states = [Window::default(), Window::default()];
    let frames = states.each_ref().map(|state| procedure::bind(state).unwrap());
    let names: [&CStr; 2] = [c"cbframe first", c"cbframe second"];
    // SAFETY: the classes are registered once, with procedures that live as long as their windows.
    unsafe {
        let instance = GetModuleHandleA(null());
        let windows: Vec<_> = frames
            .iter()
            .zip(names)
            .map(|(frame, name)| {
                let class = WindowClass {
                    size: size_of::<WindowClass>() as u32,
                    style: 0,
                    procedure: Some(frame.as_fn()),
                    class_extra: 0,
                    window_extra: 0,
                    instance,
                    icon: null_mut(),
                    cursor: null_mut(),
                    background: null_mut(),
                    menu: null(),
                    name: name.as_ptr(),
                    small_icon: null_mut(),
                };
                assert_ne!(RegisterClassExA(&raw const class), 0);
                let (name, none) = (name.as_ptr(), null_mut());
                let window = CreateWindowExA(0, name, name, 0, 0, 0, 0, 0, HWND_MESSAGE, none, instance, null());
                assert!(!window.is_null(), "{}", std::io::Error::last_os_error());
                window
            })
            .collect();
        SENT.with_borrow_mut(|sent| sent.push(SendMessageA(windows[0], WM_USER, 7, 5)));
        SENT.with_borrow_mut(|sent| sent.push(SendMessageA(windows[1], WM_USER, 8, -1)));
        windows.into_iter().for_each(|window| assert_ne!(DestroyWindow(window), 0));
    }
    drop(frames);
    assert_eq!(SENT.take(), [705, 799]);
    for state in states {
        let messages = state.messages.into_inner().unwrap();
        assert_eq!(messages.iter().filter(|message| **message == WM_USER).count(), 1);
        let place = |of: u32| messages.iter().position(|message| *message == of).expect("it was sent");
        assert!(place(WM_CREATE) < place(WM_USER) && place(WM_USER) < place(WM_DESTROY), "{messages:?}");
    }
}

convention! {
    /// The register by which Windows' unwinder finds the frame of a call carries an argument.
    struct InRbp {
        ints: [rbp],
        floats: [],
        results: [rax],
        preserves: [],
    }
}

#[test]
fn nothing_is_thrown_through_a_call_with_an_argument_in_rbp() {
    let signature = Signature::new(Abi::Named(InRbp::CONVENTION)).param(Type::I64).ret(Type::I64);
    let frame = DynFrame::new(&signature.clone().build().unwrap(), |call| call.ret(call.arg::<i64>(0) + 1)).unwrap();
    let call = |signature: Signature| {
        // SAFETY: the signature of the callback, which throws nothing.
        unsafe { signature.call(frame.as_ptr(), &[Value::I64(41)]) }
    };
    assert!(matches!(call(signature.clone().build().unwrap()), Ok(Value::I64(42))));
    let error = call(signature.unwind().build().unwrap()).unwrap_err().to_string();
    assert!(error.contains("an argument in rbp") && error.contains("must not unwind"), "{error}");
}
