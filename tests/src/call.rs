//! Calls a callback from generated C through the guard, with arguments and a result whose bytes tell where they
//! belong, and compares what arrives on either side.

use core::mem::MaybeUninit;
use std::cell::RefCell;
use std::fmt::Write;

use cbframe::CpuState;

use crate::guard::{self, Environment};

/// A type, as the generator knows it.
#[derive(Debug)]
pub struct Type {
    /// Its name.
    pub name: &'static str,
    /// `sizeof`.
    pub size: usize,
    /// `_Alignof`.
    pub align: usize,
    /// For an integer narrower than 32 bits, whether it is signed.
    pub narrow: Option<bool>,
    /// The bytes that are no padding.
    pub leaves: &'static [Leaf],
}

/// A scalar within a type.
#[derive(Debug)]
pub struct Leaf {
    /// Where it is.
    pub offset: usize,
    /// `sizeof`.
    pub size: usize,
    /// What its values are.
    pub bits: Bits,
}

/// Which bits are values.
#[derive(Debug)]
pub enum Bits {
    /// Any.
    Any,
    /// 0 and 1.
    Bool,
    /// These.
    OneOf(&'static [i64]),
    /// The address of something, aligned.
    Address,
    /// Also null.
    AddressOrNull,
}

/// A signature, as the generator knows it.
#[derive(Debug)]
pub struct Signature {
    /// The name of its module.
    pub name: &'static str,
    /// Its place in the tables of C callers.
    pub index: usize,
    /// Whether the convention is that of Windows.
    pub windows: bool,
    /// Whether the result is in memory.
    pub hidden: bool,
    /// Whether clang's code calls it too.
    pub clang: bool,
    /// The parameters.
    pub parameters: &'static [&'static Type],
    /// The result.
    pub result: Option<&'static Type>,
}

/// Enough for a value of any of the types.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Value([MaybeUninit<u8>; 192]);

impl Value {
    const JUNK: Self = Self([MaybeUninit::new(0xcc); 192]);
}

/// What a C caller is given: `struct cbt_wire` in `c/callers.h`.
#[repr(C)]
struct Wire {
    callback: *const (),
    arguments: [*const Value; 16],
    result: *mut Value,
    wide: *mut u32,
}

type Caller = unsafe extern "C" fn(*const Wire);

unsafe extern "C" {
    #[link_name = "cbt_callers_o2"]
    static GCC_O2: [Option<Caller>; 0];
    #[link_name = "cbt_callers_o0"]
    static GCC_O0: [Option<Caller>; 0];
    #[cfg(cbt_clang)]
    #[link_name = "cbt_callers_clang"]
    static CLANG: [Option<Caller>; 0];
}

/// The C callers of a signature, with the names of their compilers.
fn callers(signature: &Signature) -> impl Iterator<Item = (&'static str, Caller)> {
    let tables = [
        ("cc -O2", &raw const GCC_O2),
        ("cc -O0", &raw const GCC_O0),
        #[cfg(cbt_clang)]
        ("clang -O2", &raw const CLANG),
    ];
    let (index, clang) = (signature.index, signature.clang);
    tables.into_iter().filter_map(move |(name, table)| {
        // SAFETY: the generator wrote each table with a place for each signature.
        let caller = unsafe { *table.cast::<Option<Caller>>().add(index) };
        assert!(caller.is_some() || !clang, "{name} has no caller for this signature");
        Some((name, caller?))
    })
}

/// State that callbacks are bound to.
#[derive(Debug)]
pub struct State {
    magic: u64,
}

const MAGIC: u64 = 0x57a7_e057_a7e0_57a7;

impl State {
    /// A state.
    #[allow(clippy::new_without_default, reason = "it is constant")]
    pub const fn new() -> Self {
        Self { magic: MAGIC }
    }

    /// Records that the callback got this state.
    #[inline(never)]
    pub fn arrive(&self) {
        CALL.with_borrow_mut(|call| {
            call.state = if self.magic == MAGIC { self } else { std::ptr::without_provenance(1) };
        });
    }
}

/// One call, as the callback sees it.
struct Call {
    received: Vec<(usize, Value)>,
    result: Value,
    state: *const State,
    windows: bool,
    environment: Environment,
    /// What is wrong with the registers.
    notes: String,
}

thread_local! {
    static CALL: RefCell<Call> = const {
        RefCell::new(Call {
            received: Vec::new(),
            result: Value::JUNK,
            state: std::ptr::null(),
            windows: false,
            environment: Environment::SAME,
            notes: String::new(),
        })
    };
}

/// Records the argument at `index`.
#[inline(never)]
pub fn receive<T>(index: usize, argument: &T) {
    CALL.with_borrow_mut(|call| {
        assert_eq!(call.received.len(), index);
        let mut value = Value::JUNK;
        assert!(size_of::<T>() <= size_of::<Value>());
        // SAFETY: the argument's bytes, initialized or not, fit into the value.
        unsafe {
            std::ptr::copy_nonoverlapping(std::ptr::from_ref(argument).cast(), value.0.as_mut_ptr(), size_of::<T>())
        };
        // An over-aligned parameter's address is part of its type.
        if !std::ptr::from_ref(argument).is_aligned() {
            call.notes.push_str("a parameter is misaligned; ");
        }
        call.received.push((size_of::<T>(), value));
    });
}

/// Destroys registers, and gives the result that the test expects.
#[inline(always)]
pub fn reply<T>() -> T {
    guard::trash();
    CALL.with_borrow(|call| {
        assert!(size_of::<T>() <= size_of::<Value>());
        // SAFETY: the test wrote a value of the result's type there.
        unsafe { (&raw const call.result).cast::<T>().read() }
    })
}

/// Checks a captured state against what the guard has put into the registers.
pub fn cpu(cpu: &CpuState) {
    CALL.with_borrow_mut(|call| {
        let (windows, environment) = (call.windows, call.environment);
        let mut expect = |name: &str, found: u64, expected: u64| {
            if found != expected {
                write!(call.notes, "{name} is {found:#x}, not {expected:#x}; ").expect("a string");
            }
        };
        expect("rbx", cpu.rbx, guard::pattern(3));
        expect("rbp", cpu.rbp, guard::pattern(5));
        expect("r12", cpu.r12, guard::pattern(12));
        expect("r13", cpu.r13, guard::pattern(13));
        expect("r14", cpu.r14, guard::pattern(14));
        expect("r15", cpu.r15, guard::pattern(15));
        expect("r11", cpu.r11, 0xa5a5_a5a5_a5a5_a511);
        if windows {
            expect("rsi", cpu.rsi, guard::pattern(6));
            expect("rdi", cpu.rdi, guard::pattern(7));
        }
        // SAFETY: the guard has called with its return address there.
        expect("the word at rsp", unsafe { *(cpu.rsp as *const u64) }, cpu.rip);
        expect("rsp modulo 16", cpu.rsp % 16, 8);
        if let Some(flags) = cpu.rflags() {
            expect("the direction flag", flags >> 10 & 1, 0);
        }
        if let (Some(mxcsr), true) = (cpu.mxcsr(), environment.mxcsr != 0) {
            expect("mxcsr", mxcsr.into(), environment.mxcsr.into());
        }
        if let (Some(x87), true) = (cpu.x87(), environment.x87 != 0) {
            expect("the x87 control word", x87.control.into(), environment.x87.into());
        }
        for number in 6..16 {
            if let (Some(xmm), true) = (cpu.xmm(number), windows) {
                let (low, high) = xmm.bytes.split_at(8);
                let half = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("8 bytes"));
                expect("a vector register", half(low), guard::pattern(16 + number as u64));
                expect("a vector register", half(high), guard::pattern(48 + number as u64));
            }
        }
    });
}

/// What addresses point to.
#[repr(align(64))]
struct Arena(#[allow(dead_code, reason = "only its address counts")] [u64; 512]);

static ARENA: Arena = Arena([0x0a0a_0a0a_0a0a_0a0a; 512]);

/// How many sets of values a signature is called with.
const ROUNDS: u32 = 5;

/// The bytes of a value of type `ty`: in the first rounds, the high half of each says who it belongs to and the
/// low half which byte it is. Padding is junk.
fn value(ty: &Type, who: usize, round: u32, random: &mut u64) -> Value {
    let mut value = Value::JUNK;
    for (i, leaf) in ty.leaves.iter().enumerate() {
        let choice = who + i + round as usize;
        let address = || (&raw const ARENA).addr() as u64 + 64 * (choice as u64 % 64);
        let word = match leaf.bits {
            Bits::Any => None,
            Bits::Bool => Some(choice as u64 & 1),
            Bits::OneOf(values) => Some(values[choice % values.len()] as u64),
            Bits::AddressOrNull if choice.is_multiple_of(3) => Some(0),
            Bits::Address | Bits::AddressOrNull => Some(address()),
        };
        for byte in 0..leaf.size {
            let at = leaf.offset + byte;
            let graffito = (who << 4 | at & 15) as u8;
            value.0[at].write(match (word, round) {
                (Some(word), _) => word.to_le_bytes()[byte],
                (None, 0) => graffito,
                (None, 1) => !graffito,
                (None, 2) => 0xff,
                _ => {
                    // xorshift64
                    *random ^= *random << 13;
                    *random ^= *random >> 7;
                    *random ^= *random << 17;
                    (*random >> 24) as u8
                }
            });
        }
    }
    value
}

/// The bytes of a value that are no padding.
fn significant(ty: &Type, value: &Value) -> Vec<u8> {
    let is_padding = |at: &usize| !ty.leaves.iter().any(|leaf| (leaf.offset..leaf.offset + leaf.size).contains(at));
    // SAFETY: bytes that are no padding are initialized.
    (0..ty.size).filter(|at| !is_padding(at)).map(|at| unsafe { value.0[at].assume_init() }).collect()
}

/// The bits of eax for an integer narrower than 32 bits.
fn extended(ty: &Type, value: &Value) -> u32 {
    let bytes = significant(ty, value);
    let zero_extended = bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    let unused = 32 - 8 * bytes.len() as u32;
    if ty.narrow == Some(true) { ((zero_extended << unused) as i32 >> unused) as u32 } else { zero_extended }
}

/// The test of one signature: the same calls on each lane.
#[derive(Debug)]
pub struct Run {
    signature: &'static Signature,
    /// What arrived on the first lane.
    first: Option<(&'static str, Vec<Vec<u8>>)>,
    lanes: usize,
    /// Whether the next lane extends a result that is narrower than 32 bits. No caller relies on it: the psABI
    /// does not ask for it, neither gcc nor clang expects it, and rustc does it no more. The captured lane does.
    extends: bool,
}

impl Run {
    /// Nothing has run.
    pub fn new(signature: &'static Signature) -> Self {
        Self { signature, first: None, lanes: 0, extends: false }
    }

    /// The lanes from here on are captured ones.
    pub fn captured(&mut self) {
        self.extends = true;
    }

    /// Calls the stateless callback `callback`.
    pub fn lane(&mut self, lane: &'static str, callback: *const ()) {
        self.stateful(lane, callback, std::ptr::null());
    }

    /// Calls `callback`, which is bound to `state`.
    pub fn stateful(&mut self, lane: &'static str, callback: *const (), state: *const State) {
        let mut arrived = Vec::new();
        for (compiler, caller) in callers(self.signature) {
            for round in 0..ROUNDS {
                let what = format!("{}, {lane}, called by {compiler}, values {round}", self.signature.name);
                self.call(&what, caller, round, callback, state, &mut arrived);
            }
        }
        assert!(!arrived.is_empty() || self.signature.parameters.is_empty() && self.signature.result.is_none());
        self.lanes += 1;
        match &self.first {
            None => self.first = Some((lane, arrived)),
            Some((first, expected)) => {
                assert!(*expected == arrived, "{}: {first} and {lane} differ", self.signature.name);
            }
        }
    }

    /// Every lane has been called.
    pub fn finish(self) {
        assert!(self.lanes >= 2, "{}: a stateless and a stateful form at least", self.signature.name);
    }

    fn call(
        &self,
        what: &str,
        caller: Caller,
        round: u32,
        callback: *const (),
        state: *const State,
        arrived: &mut Vec<Vec<u8>>,
    ) {
        let Signature { windows, hidden, parameters, result, .. } = *self.signature;
        let environment = if round == 1 { Environment::OTHER } else { Environment::SAME };
        let mut random = 0x9e37_79b9 + u64::from(round);
        let sent: Vec<_> = parameters.iter().enumerate().map(|(i, ty)| value(ty, i, round, &mut random)).collect();
        let returned = result.map_or(Value::JUNK, |ty| value(ty, 14, round, &mut random));
        let narrow = result.filter(|ty| ty.narrow.is_some());
        for wide in [false, true] {
            if wide && (narrow.is_none() || !self.extends) {
                continue;
            }
            CALL.with_borrow_mut(|call| {
                call.received.clear();
                call.notes.clear();
                (call.result, call.state) = (returned, std::ptr::null());
                (call.windows, call.environment) = (windows, environment);
            });
            let (mut got, mut eax) = (Value::JUNK, 0xcccc_cccc);
            let mut wire = Wire {
                callback: guard::entry(windows),
                arguments: [std::ptr::null(); 16],
                result: &mut got,
                wide: if wide { &mut eax } else { std::ptr::null_mut() },
            };
            for (i, value) in sent.iter().enumerate() {
                wire.arguments[i] = value;
            }
            guard::arm(callback, hidden, environment);
            // SAFETY: the caller was generated for this signature, whose values these are; the frame is alive.
            unsafe { caller(&wire) };

            guard::report().assert_clean(1, what);
            CALL.with_borrow(|call| {
                assert_eq!(call.notes, "", "{what}");
                assert_eq!(call.state, state, "{what}: the state");
                assert_eq!(call.received.len(), sent.len(), "{what}: arguments");
                for (i, ((ty, sent), (size, received))) in parameters.iter().zip(&sent).zip(&call.received).enumerate()
                {
                    assert_eq!(*size, ty.size, "{what}: size_of argument {i}, {}", ty.name);
                    let received = significant(ty, received);
                    same(what, &format!("argument {i}"), ty, &received, &significant(ty, sent));
                    if !wide {
                        arrived.push(received);
                    }
                }
            });
            if wide {
                let ty = narrow.expect("checked above");
                let expected = extended(ty, &returned);
                assert_eq!(
                    eax, expected,
                    "{what}: eax is {eax:#x}, not {expected:#x}, for a result of type {}",
                    ty.name
                );
            } else if let Some(ty) = result {
                let got = significant(ty, &got);
                same(what, "the result", ty, &got, &significant(ty, &returned));
                arrived.push(got);
            }
        }
    }
}

fn same(what: &str, part: &str, ty: &Type, found: &[u8], expected: &[u8]) {
    assert!(found == expected, "{what}: {part}, {}, is\n  {found:02x?}, not\n  {expected:02x?}", ty.name);
}
