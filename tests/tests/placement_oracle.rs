//! Asks a C compiler where it puts arguments and results, and compares the answer with `cbframe::abi::place`.
//!
//! Random signatures become C functions that call a *spy* through a function pointer, with arguments whose
//! bytes tell which they are: the high nibble is the parameter, the low one the byte. The spy, which has no
//! signature, dumps registers and stack. Wherever a [`Layout`] says that an argument lies, its bytes must be
//! found; and a result that the spy leaves in its [`Place`] must arrive in C.
//!
//! `CC` chooses the compiler, `CBFRAME_ORACLE` the number of signatures for each ABI. Signature `n` is the same
//! in every run.
//!
//! Left out, because compilers differ: arrays without bytes as fields (gcc counts a zero-length one of integers
//! as an integer, clang and rustc do not; clang 19 crashes on some arrays of empty structs) and, for Windows,
//! results without bytes (clang passes a hidden pointer, gcc and rustc do not).

#![cfg(all(target_arch = "x86_64", unix))]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;
use std::{env, fs, hint, ptr};

use cbframe::CType;
use cbframe::abi::{Abi, Layout, Place, Pointer, Register, place};
use cbframe::types::{Field, Kind, Type};

/// The most bytes that one argument has.
const MAX_SIZE: usize = 64;
/// The most parameters that a signature has.
const MAX_PARAMETERS: usize = 12;
/// How far above its stack arguments the caller's frames are looked at, in bytes.
const WINDOW: usize = 16 * 1024;

#[test]
fn system_v() {
    let failures: Vec<String> = Peer::new(Abi::SysV64, "sysv64").failures(Abi::SysV64).collect();
    assert!(failures.is_empty(), "{} signatures:\n\n{}", failures.len(), failures[0]);
}

#[test]
fn windows() {
    let failures: Vec<String> = Peer::new(Abi::Win64, "win64").failures(Abi::Win64).collect();
    assert!(failures.is_empty(), "{} signatures:\n\n{}", failures.len(), failures[0]);
}

/// The oracle sees wrong places: System V calls do not look like Windows calls, but for a few, such as those
/// of at most four floats. A wrong hidden pointer is left out, because the spy would write there.
#[test]
fn wrong_places_are_noticed() {
    let mut peer = Peer::new(Abi::SysV64, "wrong");
    peer.cases.retain(|(signature, _)| !matches!(signature.layout(Abi::Win64).result().place, Place::Hidden { .. }));
    let noticed = peer.failures(Abi::Win64).count();
    assert!(noticed * 10 > peer.cases.len() * 8, "{noticed} of {}", peer.cases.len());
}

/// Compiled C callers, one for each signature.
struct Peer {
    cases: Vec<(Signature, Caller)>,
}

/// Calls the first argument with the bytes of the arguments, [`MAX_SIZE`] for each, and stores the result.
type Caller = unsafe extern "C" fn(unsafe extern "C" fn(), *const u8, *mut u8);

impl Peer {
    fn new(abi: Abi, name: &str) -> Self {
        let count = env::var("CBFRAME_ORACLE").map_or(300, |count| count.parse().expect("CBFRAME_ORACLE: a number"));
        let mut source = Source::new(abi);
        let signatures: Vec<Signature> = (0..count).map(|index| source.signature(abi, index)).collect();
        let library = compile(name, &source.text);
        let callers = (0..count).map(|index| library.caller(index));
        Self { cases: signatures.into_iter().zip(callers).collect() }
    }

    /// Calls the spy with each signature; what it found that is not as the rules of `abi` have it.
    fn failures(&self, abi: Abi) -> impl Iterator<Item = String> {
        self.cases.iter().filter_map(move |(signature, caller)| {
            let layout = signature.layout(abi);
            let wrong = call(&layout, *caller);
            (!wrong.is_empty()).then(|| format!("{}\n{layout}\n{}", signature.prototype, wrong.join("\n")))
        })
    }
}

// ---- Random signatures, as descriptions and as C ----

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

struct Signature {
    parameters: Vec<Type>,
    result: Type,
    /// The signature in C, with the types that it needs.
    prototype: String,
}

impl Signature {
    fn layout(&self, abi: Abi) -> Layout {
        let parameters: Vec<_> = self.parameters.iter().map(|&ty| ("", ty)).collect();
        macro_rules! by_count {
            ($($n:literal)*) => {
                match parameters.len() {
                    $($n => {
                        let parameters: [_; $n] = parameters.try_into().expect("the length was matched");
                        leak(place(abi, parameters, self.result)).layout(abi, false)
                    })*
                    n => unreachable!("{n} parameters"),
                }
            };
        }
        by_count!(0 1 2 3 4 5 6 7 8 9 10 11 12)
    }
}

/// Descriptions borrow for `'static`, and a test run makes few.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A type and how C declares something of it: `{base} name{suffix}`.
struct Declared {
    ty: Type,
    base: String,
    suffix: String,
}

impl Declared {
    fn plain(ty: Type, base: &str) -> Self {
        Self { ty, base: base.into(), suffix: String::new() }
    }
}

/// C source as it grows.
struct Source {
    text: String,
    random: Random,
    /// How many of a hundred scalars are floats.
    floats: usize,
    /// How many types have been declared.
    types: usize,
}

impl Source {
    fn new(abi: Abi) -> Self {
        let attribute = match abi {
            Abi::Win64 => "__attribute__((ms_abi))",
            _ => "__attribute__((sysv_abi))",
        };
        let text = format!(
            "#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n#define ABI {attribute}\n\
             typedef void spy_fn(void);\n"
        );
        Self { text, random: Random(0), floats: 0, types: 0 }
    }

    /// Declares the function `call_{index}`.
    fn signature(&mut self, abi: Abi, index: usize) -> Signature {
        // On its own, so that the number of signatures does not change them.
        self.random = Random(index as u64);
        let start = self.text.len();
        // Each signature has its own mixture, so that either kind of register runs out in some.
        self.floats = [5, 40, 90][self.random.below(3)];
        let aggregates = self.random.below(100);
        let count = self.random.below(MAX_PARAMETERS + 1).max(self.random.below(MAX_PARAMETERS + 1));
        let parameters: Vec<Declared> = (0..count).map(|_| self.value(aggregates)).collect();
        let result = loop {
            let result =
                if self.random.below(10) == 0 { Declared::plain(<() as CType>::TYPE, "void") } else { self.value(60) };
            let void = matches!(result.ty.kind, Kind::Void);
            if void || abi != Abi::Win64 || result.ty.size > 0 {
                break result;
            }
        };

        let bases: Vec<&str> = parameters.iter().map(|parameter| parameter.base.as_str()).collect();
        let list = if bases.is_empty() { "void".into() } else { bases.join(", ") };
        writeln!(self.text, "typedef {} (ABI *fn_{index})({list});", result.base).unwrap();
        let prototype = self.text[start..].to_owned();

        let names: Vec<String> = (0..parameters.len()).map(|i| format!("p{i}")).collect();
        writeln!(self.text, "void call_{index}(spy_fn *spy, const char *in, char *out) {{").unwrap();
        for (i, base) in bases.iter().enumerate() {
            writeln!(self.text, "  {base} p{i}; memcpy(&p{i}, in + {}, sizeof p{i});", i * MAX_SIZE).unwrap();
        }
        let call = format!("((fn_{index})spy)({})", names.join(", "));
        if matches!(result.ty.kind, Kind::Void) {
            writeln!(self.text, "  {call};\n}}").unwrap();
        } else {
            writeln!(self.text, "  {} r = {call}; memcpy(out, &r, sizeof r);\n}}", result.base).unwrap();
        }
        Signature { parameters: parameters.iter().map(|p| p.ty).collect(), result: result.ty, prototype }
    }

    /// A parameter or a result, an aggregate in so many of a hundred cases.
    fn value(&mut self, aggregates: usize) -> Declared {
        if self.random.below(100) >= aggregates {
            return self.scalar();
        }
        loop {
            let value = self.aggregate(0);
            if value.ty.size <= MAX_SIZE {
                return value;
            }
        }
    }

    fn scalar(&mut self) -> Declared {
        if self.random.below(100) < self.floats {
            let is_float = self.random.below(2) == 0;
            return if is_float { Declared::plain(f32::TYPE, "float") } else { Declared::plain(f64::TYPE, "double") };
        }
        let (base, ty) = match self.random.below(9) {
            0 => ("_Bool", bool::TYPE),
            1 => ("int8_t", i8::TYPE),
            2 => ("uint8_t", u8::TYPE),
            3 => ("int16_t", i16::TYPE),
            4 => ("uint16_t", u16::TYPE),
            5 => ("int32_t", i32::TYPE),
            6 => ("uint32_t", u32::TYPE),
            7 => ("int64_t", i64::TYPE),
            _ => ("void *", <*const c_void>::TYPE),
        };
        Declared::plain(ty, base)
    }

    fn member(&mut self, depth: usize) -> Declared {
        match self.random.below(10) {
            0..2 if depth < 3 => self.aggregate(depth),
            2..4 if depth < 3 => {
                let Declared { ty, base, suffix } = self.member(depth + 1);
                if ty.size == 0 {
                    return self.scalar();
                }
                let len = 1 + self.random.below(4);
                let kind = Kind::Array { element: leak(ty), len };
                let ty = Type { name: "array", size: ty.size * len, align: ty.align, kind };
                Declared { ty, base, suffix: format!("[{len}]{suffix}") }
            }
            _ => self.scalar(),
        }
    }

    /// Declares a struct or a union, by C's rules, and has C confirm size, alignment and offsets.
    fn aggregate(&mut self, depth: usize) -> Declared {
        let is_union = self.random.below(4) == 0;
        // Empty ones are rare, ones with more fields than registers have bytes are not needed.
        let count = if self.random.below(20) == 0 { 0 } else { 1 + self.random.below(4) };
        let members: Vec<Declared> = (0..count).map(|_| self.member(depth + 1)).collect();

        let name: &'static str = String::leak(format!("T{}", self.types));
        self.types += 1;
        let (mut size, mut align, mut fields) = (0, 1, Vec::new());
        let mut body = String::new();
        for (i, Declared { ty, base, suffix }) in members.into_iter().enumerate() {
            let name: &'static str = String::leak(format!("f{i}"));
            let offset = if is_union { 0 } else { usize::next_multiple_of(size, ty.align) };
            (size, align) = (size.max(offset + ty.size), align.max(ty.align));
            write!(body, " {base} {name}{suffix};").unwrap();
            fields.push(Field { name, offset, ty });
        }
        size = size.next_multiple_of(align);

        let keyword = if is_union { "union" } else { "struct" };
        writeln!(self.text, "typedef {keyword} {{{body} }} {name};").unwrap();
        write!(self.text, "_Static_assert(sizeof({name}) == {size} && _Alignof({name}) == {align}").unwrap();
        for field in &fields {
            write!(self.text, " && offsetof({name}, {}) == {}", field.name, field.offset).unwrap();
        }
        writeln!(self.text, ", \"{name}\");").unwrap();

        let fields: &'static [Field] = Vec::leak(fields);
        let kind = if is_union { Kind::Union { fields } } else { Kind::Struct { fields } };
        Declared::plain(Type { name, size, align, kind }, name)
    }
}

// ---- The shared object ----

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

/// A shared object that stays loaded.
struct Library(*mut c_void);

/// Compiles and loads `source`.
fn compile(name: &str, source: &str) -> Library {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let stem = format!("oracle-{name}-{}", std::process::id());
    let (c, object) = (directory.join(format!("{stem}.c")), directory.join(format!("{stem}.so")));
    fs::write(&c, source).expect("the source can be written");

    let cc = env::var("CC").unwrap_or_else(|_| "cc".into());
    let mut words = cc.split_whitespace();
    let status = Command::new(words.next().expect("CC: a program"))
        .args(words)
        .args(["-O0", "-w", "-shared", "-fPIC", "-o"])
        .args([&object, &c])
        .status()
        .unwrap_or_else(|error| panic!("the C compiler `{cc}` cannot be started: {error}"));
    assert!(status.success(), "`{cc}` refuses {}", c.display());

    let path = CString::new(object.to_str().expect("a path in UTF-8")).expect("a path without NUL");
    const RTLD_NOW: c_int = 2;
    // SAFETY: a C string; the object has no constructors.
    let library = unsafe { dlopen(path.as_ptr(), RTLD_NOW) };
    if library.is_null() {
        // SAFETY: after a failure the message is a C string, or null.
        let message = unsafe { dlerror().as_ref().map(|message| CStr::from_ptr(message)) };
        panic!("dlopen: {message:?}");
    }
    for file in [c, object] {
        fs::remove_file(file).expect("the file was written above");
    }
    Library(library)
}

impl Library {
    fn caller(&self, index: usize) -> Caller {
        let symbol = CString::new(format!("call_{index}")).expect("no NUL");
        // SAFETY: an open library and a C string.
        let address = unsafe { dlsym(self.0, symbol.as_ptr()) };
        assert!(!address.is_null(), "{symbol:?} is missing");
        // SAFETY: `Source::signature` defined the symbol with this signature.
        unsafe { std::mem::transmute::<*mut c_void, Caller>(address) }
    }
}

// ---- The spy ----

/// The registers at entry, by number.
#[repr(C)]
struct Cpu {
    /// rax, rcx, rdx, a hole, the address of the stack arguments, holes, rsi, rdi, r8, r9.
    integer: [u64; 10],
    vector: [[u8; 16]; 16],
    /// Makes the frame end where the stack is aligned.
    _pad: u64,
}

/// Where [`Cpu::integer`] has the address of the stack arguments: the number of rsp.
const STACK: usize = 4;

// The return address and the frame together are a multiple of 16 bytes.
const _: () = assert!(size_of::<Cpu>() % 16 == 8);

/// Fits every signature: hands all registers to [`observe`], and then has them as `observe` leaves them. Those
/// that only Windows preserves are among them.
#[unsafe(naked)]
unsafe extern "C" fn spy() {
    std::arch::naked_asm!(
        "endbr64",
        "sub rsp, {size}",
        "mov [rsp], rax",
        "mov [rsp + 8], rcx",
        "mov [rsp + 16], rdx",
        "lea rax, [rsp + {size} + 8]", // behind the return address
        "mov [rsp + 32], rax",
        "mov [rsp + 48], rsi",
        "mov [rsp + 56], rdi",
        "mov [rsp + 64], r8",
        "mov [rsp + 72], r9",
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
        "movups [rsp + {vector} + 16 * \\n], xmm\\n",
        ".endr",
        "mov rdi, rsp",
        "call {observe}",
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
        "movups xmm\\n, [rsp + {vector} + 16 * \\n]",
        ".endr",
        "mov rax, [rsp]",
        "mov rdx, [rsp + 16]",
        "mov rsi, [rsp + 48]",
        "mov rdi, [rsp + 56]",
        "add rsp, {size}",
        "ret",
        size = const size_of::<Cpu>(),
        vector = const offset_of!(Cpu, vector),
        observe = sym observe,
    )
}

thread_local! {
    /// The call that is under way.
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

struct Call {
    layout: Layout,
    /// What is not as it should be.
    wrong: Vec<String>,
}

/// Calls the spy with arguments that `layout` describes; what was wrong with them or with the result.
#[inline(never)]
fn call(layout: &Layout, caller: Caller) -> Vec<String> {
    // Between this frame and the caller's: `Cpu::read` stays within it.
    let window = hint::black_box([0u8; WINDOW]);
    let mut arguments = [0u8; MAX_SIZE * MAX_PARAMETERS];
    for (i, parameter) in layout.parameters().iter().enumerate() {
        let value = graffiti(i, &parameter.ty);
        arguments[i * MAX_SIZE..][..value.len()].copy_from_slice(&value);
    }
    let mut result = [0u8; MAX_SIZE];

    CALL.set(Some(Call { layout: *layout, wrong: Vec::new() }));
    // SAFETY: the buffers have `MAX_SIZE` bytes for each value, none of which is larger; the spy is called with
    // the ABI that it expects, any, and preserves what either ABI preserves. A wrong result can only be stored.
    unsafe { caller(spy, arguments.as_ptr(), result.as_mut_ptr()) };
    hint::black_box(&window);
    let mut wrong = CALL.take().expect("set above").wrong;

    let ty = &layout.result().ty;
    compare("the result", ty, &result[..ty.size], &graffiti(RESULT, ty), &mut wrong);
    wrong
}

/// What the spy calls.
extern "sysv64" fn observe(cpu: &mut Cpu) {
    CALL.with_borrow_mut(|call| {
        let Some(Call { layout, wrong }) = call else { return };
        for (i, parameter) in layout.parameters().iter().enumerate() {
            let (name, ty) = (format!("#{i}"), &parameter.ty);
            match cpu.read(&parameter.place, ty) {
                Some(found) => compare(&name, ty, &found, &graffiti(i, ty), wrong),
                None => wrong.push(format!("{name}: no address of the caller's stack is there")),
            }
        }
        let result = layout.result();
        cpu.write(&result.place, &graffiti(RESULT, &result.ty), wrong);
    });
}

impl Cpu {
    /// The bytes at a place, or `None` if an address there is none of the caller's stack.
    fn read(&self, place: &Place, ty: &Type) -> Option<Vec<u8>> {
        let address = match *place {
            Place::Nothing => return Some(Vec::new()),
            Place::Registers(parts) => {
                let mut value = vec![0; ty.size];
                for part in parts.as_slice() {
                    let (offset, size) = (usize::from(part.offset), usize::from(part.size));
                    value[offset..][..size].copy_from_slice(&self.register(part.register)[..size]);
                }
                return Some(value);
            }
            Place::Stack(offset) => self.integer[STACK] + u64::from(offset),
            Place::Reference(Pointer::Register(register)) => self.address(register),
            Place::Reference(Pointer::Stack(offset)) => {
                let word = self.memory(self.integer[STACK] + u64::from(offset), 8)?;
                u64::from_le_bytes(word.try_into().expect("8 bytes"))
            }
            other => panic!("{other:?} is no place of an argument"),
        };
        (address % ty.align as u64 == 0).then(|| self.memory(address, ty.size))?
    }

    fn register(&self, register: Register) -> [u8; 16] {
        match register {
            Register::Integer(n) => u128::from(self.integer[usize::from(n)]).to_le_bytes(),
            Register::Vector(n) => self.vector[usize::from(n)],
            other => panic!("{other:?} is no register of x86-64"),
        }
    }

    fn address(&self, register: Register) -> u64 {
        self.register(register)[..8].iter().rev().fold(0, |address, &byte| address << 8 | u64::from(byte))
    }

    /// Whether memory lies in the frames of the C caller and of [`call`].
    fn in_window(&self, address: u64, size: usize) -> bool {
        let offset = address.wrapping_sub(self.integer[STACK]);
        offset < (WINDOW - MAX_SIZE) as u64 && size <= MAX_SIZE
    }

    fn memory(&self, address: u64, size: usize) -> Option<Vec<u8>> {
        // SAFETY: above the spy's frame there are at least `WINDOW` bytes, those of the array in `call`.
        self.in_window(address, size).then(|| unsafe { bytes_at(address, size) })
    }

    /// Leaves the result at its place, and noise in whatever else could hold one.
    fn write(&mut self, place: &Place, value: &[u8], wrong: &mut Vec<String>) {
        let hidden = match *place {
            Place::Hidden { arrives, .. } => self.address(arrives),
            _ => 0,
        };
        (self.integer[0], self.integer[2]) = (u64::MAX, u64::MAX);
        (self.vector[0], self.vector[1]) = ([0xff; 16], [0xff; 16]);
        match *place {
            Place::Nothing => {}
            Place::Registers(parts) => {
                for part in parts.as_slice() {
                    let (offset, size) = (usize::from(part.offset), usize::from(part.size));
                    let mut bytes = [0xff; 16];
                    bytes[..size].copy_from_slice(&value[offset..][..size]);
                    match part.register {
                        Register::Vector(n) => self.vector[usize::from(n)] = bytes,
                        Register::Integer(n) => {
                            self.integer[usize::from(n)] = u128::from_le_bytes(bytes) as u64;
                        }
                        other => panic!("{other:?} is no register of x86-64"),
                    }
                }
            }
            Place::Hidden { leaves: Register::Integer(n), .. } => {
                self.integer[usize::from(n)] = hidden;
                if self.in_window(hidden, value.len()) {
                    let space = ptr::with_exposed_provenance_mut(hidden as usize);
                    // SAFETY: the space that the caller keeps for the result, in its frame. That this is it is
                    // what the test is about: were the rule wrong, the test could crash, but not pass.
                    unsafe { ptr::copy_nonoverlapping(value.as_ptr(), space, value.len()) };
                } else {
                    wrong.push("the result: no address of the caller's stack is there".into());
                }
            }
            other => panic!("{other:?} is no place of a result"),
        }
    }
}

/// # Safety
///
/// There are `size` readable bytes.
unsafe fn bytes_at(address: u64, size: usize) -> Vec<u8> {
    // SAFETY: the caller's promise.
    (0..size).map(|i| unsafe { ptr::with_exposed_provenance::<u8>(address as usize).add(i).read_volatile() }).collect()
}

/// The index that stands for the result in [`graffiti`].
const RESULT: usize = 15;

/// Bytes that tell the value and their own number, as far as a `bool` lets them.
fn graffiti(index: usize, ty: &Type) -> Vec<u8> {
    let mut value: Vec<u8> = (0..ty.size).map(|byte| (index << 4 | ((byte + byte / 16) & 15)) as u8).collect();
    walk(ty, 0, &mut |scalar, offset| {
        if matches!(scalar.kind, Kind::Bool) {
            value[offset] = (index & 1) as u8;
        }
    });
    value
}

/// Calls `visit` with every scalar and its offset.
fn walk(ty: &Type, offset: usize, visit: &mut impl FnMut(&Type, usize)) {
    match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => {
            fields.iter().for_each(|field| walk(&field.ty, offset + field.offset, visit));
        }
        Kind::Array { element, len } => (0..len).for_each(|i| walk(element, offset + i * element.size, visit)),
        _ => visit(ty, offset),
    }
}

/// Compares the bytes that are not padding.
fn compare(name: &str, ty: &Type, found: &[u8], expected: &[u8], wrong: &mut Vec<String>) {
    let significant = significant(ty);
    if (0..ty.size).any(|i| significant[i] && found[i] != expected[i]) {
        wrong.push(format!("{name}: found {found:02x?}, expected {expected:02x?}"));
    }
}

/// Which bytes a compiler has to pass on.
///
/// Of a union clang passes what its most aligned, then largest member has, and so loses what others have in
/// that member's padding (LLVM issues 76017 and 83388). Such bytes do not count.
fn significant(ty: &Type) -> Vec<bool> {
    let mut all = vec![false; ty.size];
    let mut add = |ty: &Type, offset: usize| {
        for (byte, is_significant) in all[offset..].iter_mut().zip(significant(ty)) {
            *byte |= is_significant;
        }
    };
    match ty.kind {
        Kind::Struct { fields } => fields.iter().for_each(|field| add(&field.ty, field.offset)),
        Kind::Array { element, len } => (0..len).for_each(|i| add(element, i * element.size)),
        Kind::Union { fields } => {
            fields.iter().for_each(|field| add(&field.ty, 0));
            // The first of several.
            let stored = fields.iter().rev().max_by_key(|field| (field.ty.align, field.ty.size));
            for (byte, kept) in all.iter_mut().zip(stored.map_or(Vec::new(), |field| significant(&field.ty))) {
                *byte &= kept;
            }
        }
        _ => all.fill(true),
    }
    all
}
