//! Conventions of `cbframe::conventions`, against clang: its callers call callbacks, and the places that layouts say are
//! compared with those of its callees. Built without clang, there is nothing here.
#![cfg(all(target_arch = "x86_64", cbt_clang))]
#![allow(missing_docs, reason = "tests")]
#![cfg_attr(windows, allow(unused_imports, reason = "clang for Windows has vectorcall only"))]

use std::arch::x86_64::__m128;
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use cbframe::abi::{Layout, Place, Pointer, Register};
use cbframe::conventions::{PreserveAll, PreserveMost, PreserveNoneClang19, Regcall, Vectorcall};
use cbframe::types::{Kind, Type};
use cbframe::{CType, DynFrame, Float16, LongDouble, Value, cbframe};
use cbframe_tests::again;
use cbframe_tests::guard::trash;
use num_complex::Complex;

#[allow(dead_code, reason = "others need the rest")]
#[path = "cpu_state/probe.rs"]
mod probe;

#[path = "conventions/preserved.rs"]
mod preserved;

use probe::{Call, Registers, WORD, WORDS};

macro_rules! structs {
    ($($name:ident { $($field:ident: $ty:ty),* })*) => { $(
        #[derive(CType, Clone, Copy)]
        #[repr(C)]
        struct $name { $($field: $ty),* }
    )* };
}

// As in `build/conventions.rs`.
structs! {
    Byte { a: i8 }
    Pair { a: i64, b: i64 }
    Mixed { a: i32, b: f32 }
    Three { a: i32, b: i32, c: i32 }
    Two { a: f32, b: f32 }
    One { a: f64 }
    Four { a: f64, b: f64, c: f64, d: f64 }
    Five { a: f64, b: f64, c: f64, d: f64, e: f64 }
    Fs { a: [f32; 3] }
    Vs { a: __m128, b: __m128 }
    Nested { a: Two, b: [f32; 2] }
}

#[allow(
    improper_ctypes_definitions,
    clippy::too_many_arguments,
    clippy::used_underscore_binding,
    reason = "signatures at random"
)]
mod generated {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/conventions.rs"));

    // Those of clang for Linux.
    #[cfg(not(windows))]
    mod of_linux {
        use super::*;

        pub(crate) static REGCALL: &Tested = &regcall::CONVENTION;
        pub(crate) static PRESERVE_MOST: &Tested = &preserve_most::CONVENTION;
        pub(crate) static PRESERVE_ALL: &Tested = &preserve_all::CONVENTION;
        pub(crate) static PRESERVE_NONE: &Tested = &preserve_none::CONVENTION;
    }
    #[cfg(not(windows))]
    pub(crate) use of_linux::*;
    pub(crate) static VECTORCALL: &Tested = &vectorcall::CONVENTION;
}

/// What clang made of a signature.
#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    caller: *const (),
    callee: *const (),
}

struct Case {
    address: unsafe extern "C" fn(),
    layout: &'static Layout<'static>,
    stateful: bool,
    /// Which parameters are `bool`s.
    booleans: u32,
}

struct Tested {
    cases: &'static [Case],
    /// At -O0 and at -O2.
    tables: [*const Entry; 2],
    windows: bool,
}

// SAFETY: constants.
unsafe impl Sync for Tested {}

/// The room of one value.
const ROOM: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Values([[u8; ROOM]; 20]);

#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(C)]
struct Live {
    words: [u64; 12],
    doubles: [u64; 12],
}

/// Where clang's callees put their arguments.
#[unsafe(no_mangle)]
static mut cbt_seen: Values = Values([[0; ROOM]; 20]);
/// What clang's callees return.
#[unsafe(no_mangle)]
static mut cbt_reply: Values = Values([[0; ROOM]; 20]);

/// The only user of the two.
static LOCK: Mutex<()> = Mutex::new(());

#[derive(Default)]
struct Seen {
    arguments: Vec<Vec<u8>>,
    states: u32,
    calls: u32,
}

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

static STATE: u64 = 0x57a7_e057_a7e0_57a7;
/// The bytes of results.
const REPLY: u8 = 0xa1;

fn bytes<T>(value: &T) -> &[u8] {
    // SAFETY: none of the types has padding but `bool`s' neighbours, of which there are none.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// The state has arrived.
fn arrive(state: &u64) {
    SEEN.with_borrow_mut(|seen| seen.states += u32::from(*state == STATE));
}

/// The arguments have arrived.
#[inline(never)]
fn see(arguments: &[&[u8]]) {
    SEEN.with_borrow_mut(|seen| {
        seen.calls += 1;
        seen.arguments = arguments.iter().map(|bytes| bytes.to_vec()).collect();
    });
}

/// A result whose bytes are [`REPLY`] and those above it; of one byte, 1.
#[inline(never)]
fn reply<T>() -> T {
    let bytes: [u8; ROOM] = reply_bytes(size_of::<T>());
    // SAFETY: any bytes are an integer, a pointer or a float, and 1 is a `bool`.
    unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }
}

fn reply_bytes(size: usize) -> [u8; ROOM] {
    if size == 1 { [1; ROOM] } else { std::array::from_fn(|i| REPLY.wrapping_add(i as u8)) }
}

impl Tested {
    fn entry(&self, table: usize, index: usize) -> Entry {
        // SAFETY: the table has an entry for each case.
        unsafe { self.tables[table].add(index).read() }
    }

    /// clang calls callbacks. Each argument has other bytes.
    fn callers(&self) {
        for (index, case) in self.cases.iter().enumerate() {
            for table in 0..2 {
                self.call(case, self.entry(table, index).caller, &format!("-O{}: {}", 2 * table, case.layout));
            }
        }
    }

    /// The same for callbacks that learn of their signature here.
    fn dynamic_callers(&self) {
        for (index, case) in self.cases.iter().enumerate() {
            let signature = again::signature(case.layout);
            let answer = |call: &mut cbframe::Call<'_>| {
                trash();
                let arguments: Vec<_> = call.args().collect();
                // SAFETY: none of the types has padding.
                let bytes =
                    |bytes: &[MaybeUninit<u8>]| unsafe { bytes.iter().map(|byte| byte.assume_init()).collect() };
                let bytes: Vec<Vec<u8>> = arguments.iter().map(|argument| bytes(argument.bytes())).collect();
                see(&bytes.iter().map(Vec::as_slice).collect::<Vec<_>>());
                let ty = signature.result().ty;
                if ty.size > 0 {
                    let reply = reply_bytes(significant(&ty));
                    // SAFETY: any bytes are an integer, a pointer or a float, and 1 is a `bool`.
                    call.ret(unsafe { Value::read(&ty, reply.as_ptr()) }.expect("a value"));
                }
            };
            let frame = DynFrame::new(&signature, answer).expect("a slot");
            let case = Case { address: frame.as_fn(), stateful: false, ..*case };
            for table in 0..2 {
                let what = format!("dynamic, -O{}: {signature}", 2 * table);
                self.call(&case, self.entry(table, index).caller, &what);
            }
        }
    }

    /// Calls clang's callees by a signature that is known at run time only.
    fn dynamic_callees(&self) {
        let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, case) in self.cases.iter().enumerate() {
            let signature = again::signature(case.layout);
            let values = values(case);
            let parameters = signature.parameters();
            let arguments: Vec<*const ()> =
                values.0[..parameters.len()].iter().map(|value| value.as_ptr().cast()).collect();
            let size = significant(&signature.result().ty);
            for table in 0..2 {
                let mut result = Values([[0xee; ROOM]; 20]);
                // SAFETY: the lock holder is the only user; the callee is that of the signature, and its values are.
                let seen = unsafe {
                    cbt_seen = Values([[0; ROOM]; 20]);
                    cbt_reply = Values([reply_bytes(size); 20]);
                    let callee = self.entry(table, index).callee;
                    signature.call_raw(callee, &arguments, (&raw mut result).cast()).expect("a call");
                    ptr::read(&raw const cbt_seen)
                };
                for (i, parameter) in parameters.iter().enumerate() {
                    let size = significant(&parameter.ty);
                    assert_eq!(seen.0[i][..size], values.0[i][..size], "parameter {i}, -O{}: {signature}", 2 * table);
                }
                assert_eq!(result.0[0][..size], reply_bytes(size)[..size], "result, -O{}: {signature}", 2 * table);
            }
        }
    }

    fn call(&self, case: &Case, caller: *const (), what: &str) {
        let parameters = case.layout.parameters();
        let values = values(case);
        let mut out = Values([[0xee; ROOM]; 20]);
        let mut live = Live {
            words: std::array::from_fn(|i| 0x1357_9bdf_0246_8ace * (i as u64 + 1)),
            doubles: std::array::from_fn(|i| 0x3ff1_2345_6789_abcd + i as u64),
        };
        let before = live;
        SEEN.take();
        // SAFETY: the caller is that of the signature, of the convention that its compiler has for C.
        unsafe {
            let (values, out, live) = ((&raw const values).cast::<u8>(), (&raw mut out).cast::<u8>(), &raw mut live);
            if self.windows {
                let caller: unsafe extern "win64" fn(unsafe extern "C" fn(), *const u8, *mut u8, *mut Live) =
                    std::mem::transmute(caller);
                caller(case.address, values, out, live);
            } else {
                let caller: unsafe extern "sysv64" fn(unsafe extern "C" fn(), *const u8, *mut u8, *mut Live) =
                    std::mem::transmute(caller);
                caller(case.address, values, out, live);
            }
        }
        let seen = SEEN.take();
        assert_eq!((seen.calls, seen.states), (1, case.stateful.into()), "calls, states: {what}");
        for (i, (parameter, found)) in parameters.iter().zip(&seen.arguments).enumerate() {
            let size = significant(&parameter.ty);
            assert_eq!(found[..size], values.0[i][..size], "parameter {i} of {what}");
        }
        assert_eq!(seen.arguments.len(), parameters.len());
        let size = significant(&case.layout.result().ty);
        assert_eq!(out.0[0][..size], reply_bytes(size)[..size], "result of {what}");
        assert!(out.0[0][size..].iter().all(|&byte| byte == 0xee));
        assert_eq!(live, before, "what the caller had in registers: {what}");
    }

    /// Calls clang's callees with other bytes in each register and each stack word, and looks whether they find what the
    /// layout says; and the result where it says.
    fn callees(&self) {
        let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let mut called = 0;
        for (index, case) in self.cases.iter().enumerate() {
            for table in 0..2 {
                called += u32::from(self.callee(case, self.entry(table, index).callee, table));
            }
        }
        // All but those with too many arguments on the stack.
        assert!(called as usize >= self.cases.len(), "{called} of {}", self.cases.len());
    }

    fn callee(&self, case: &Case, callee: *const (), table: usize) -> bool {
        let (layout, size) = (case.layout, significant(&case.layout.result().ty));
        let on_stack = |place: &Place| matches!(place, Place::Reference(Pointer::Stack(_)));
        if layout.stack_size() > 8 * WORDS || layout.parameters().iter().any(|parameter| on_stack(&parameter.place)) {
            return false;
        }
        let mut input = Registers::poison();
        let referred = Values([[0x42; ROOM]; 20]);
        let mut hidden = Values([[0; ROOM]; 20]);
        for parameter in layout.parameters() {
            if let Place::Reference(Pointer::Register(Register::Integer(number))) = parameter.place {
                input.gpr[usize::from(number)] = (&raw const referred).addr() as u64;
            }
        }
        if let Place::Hidden { arrives: Pointer::Register(Register::Integer(number)), .. } = layout.result().place {
            input.gpr[usize::from(number)] = (&raw mut hidden).expose_provenance() as u64;
        }
        // SAFETY: the lock holder is the only user; the callee is that of the signature, and its pointers point to values.
        let (output, seen) = unsafe {
            cbt_seen = Values([[0; ROOM]; 20]);
            cbt_reply = Values([reply_bytes(size); 20]);
            let output = Call::lock().call(callee, &input);
            (output, ptr::read(&raw const cbt_seen))
        };
        for (i, parameter) in layout.parameters().iter().enumerate() {
            let size = significant(&parameter.ty);
            let mut want = at(&parameter.place, size, &input, &referred);
            let mut found = seen.0[i][..size].to_vec();
            if case.booleans >> i & 1 == 1 {
                // A register's bits are no `bool`: clang may take the lowest.
                (want[0], found[0]) = (want[0] & 1, found[0] & 1);
            }
            assert_eq!(found, want, "parameter {i}, -O{}: {layout}", 2 * table);
        }
        let found = match layout.result().place {
            Place::Hidden { leaves, .. } => {
                let Some(Register::Integer(number)) = leaves else { panic!("{layout}") };
                assert_eq!(output.gpr[usize::from(number)], (&raw const hidden).addr() as u64, "{layout}");
                hidden.0[0][..size].to_vec()
            }
            place => at(&place, size, &output, &referred),
        };
        assert_eq!(found, reply_bytes(size)[..size], "result, -O{}: {layout}", 2 * table);
        true
    }
}

/// Arguments, each with other bytes.
fn values(case: &Case) -> Values {
    let mut values = Values([[0; ROOM]; 20]);
    for (i, value) in values.0.iter_mut().enumerate() {
        *value = std::array::from_fn(|j| (i as u8 * 11).wrapping_add(j as u8 * 3).wrapping_add(0x85));
        if case.booleans >> i & 1 == 1 {
            value[0] = (i % 3 == 0).into();
        }
    }
    values
}

/// How many bytes of a value of this type count.
const fn significant(ty: &Type) -> usize {
    if let Kind::X87 = ty.kind { 10 } else { ty.size }
}

/// The bytes in a place.
fn at(place: &Place, size: usize, registers: &Registers, referred: &Values) -> Vec<u8> {
    match place {
        Place::Nothing => Vec::new(),
        Place::Registers(parts) => {
            let mut bytes = vec![0; size];
            for part in parts.as_slice() {
                let register = match part.register {
                    Register::Integer(number) => u128::from(registers.gpr[usize::from(number)]),
                    Register::Vector(number) => registers.image.xmm[usize::from(number)],
                    Register::X87(number) => u128::from_le_bytes(registers.image.st[usize::from(number)]),
                    other => panic!("{other:?}"),
                };
                let (offset, size) = (usize::from(part.offset), usize::from(part.size));
                bytes[offset..offset + size].copy_from_slice(&register.to_le_bytes()[..size]);
            }
            bytes
        }
        Place::Stack(offset) => {
            let words = (0..WORDS as u64).flat_map(|i| (WORD + i).to_le_bytes());
            words.skip(*offset as usize).take(size).collect()
        }
        Place::Reference(_) => referred.0.as_flattened()[..size].to_vec(),
        other => panic!("{other:?}"),
    }
}

macro_rules! conventions {
    ($($callers:ident $callees:ident $tested:ident;)*) => { $(
        #[test]
        fn $callers() {
            generated::$tested.callers();
            generated::$tested.dynamic_callers();
        }

        #[test]
        fn $callees() {
            generated::$tested.callees();
            generated::$tested.dynamic_callees();
        }
    )* };
}

#[cfg(not(windows))]
conventions! {
    regcall regcall_callees REGCALL;
    preserve_most preserve_most_callees PRESERVE_MOST;
    preserve_all preserve_all_callees PRESERVE_ALL;
    preserve_none preserve_none_callees PRESERVE_NONE;
}

conventions! {
    vectorcall vectorcall_callees VECTORCALL;
}
