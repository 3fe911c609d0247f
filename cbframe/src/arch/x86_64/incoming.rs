//! Entries for callbacks whose signature is known at run time only: each stores whatever registers may carry arguments.
//!
//! Stubs lead to one of a few entries, by what the signature needs: how wide vector registers are, and whether the result is
//! on the x87 stack or in a wide vector register. Of other conventions everything is stored and loaded, which preserves
//! whatever they preserve.

use core::ptr;

use super::capture::offset;
use super::capture::{Capture, Group, register_bit};
use super::state::CpuState;
use crate::abi::{Abi, Convention, Layout, Parameter, Part, Place, Pointer, Register, extension, win64};
use crate::arch::NATIVE;
use crate::arch::dynamic::{Head, Seen};
use crate::arch::moves::give_part;
use crate::pool::Entry;
use crate::{__cbframe_captured_entry as captured_entry, __cbframe_unwind as unwind};

/// Puts the result into its registers, or, if it is in memory already, hands its address back.
///
/// # Safety
///
/// `cpu` is a state of an entry for this signature, `from` has the bytes of the result, and `hidden` is what [`hidden`] gave.
#[inline]
pub(crate) unsafe fn give_result(cpu: *mut CpuState, abi: Abi, result: &Parameter, hidden: *mut u8, from: *const u8) {
    // SAFETY: the caller's promise; the entry loads the registers that the place names.
    unsafe {
        match (result.place, abi) {
            (Place::Registers(parts), Abi::SysV64 | Abi::Win64) => {
                let signed = extension(&result.ty) == 2;
                parts.as_slice().iter().for_each(|&part| give_part(cpu, Some(part), from, signed));
            }
            (Place::Registers(parts), _) => {
                let exact = matches!(abi, Abi::Custom);
                let signed = extension(&result.ty) == 2;
                parts.as_slice().iter().for_each(|&part| give_anywhere(cpu, part, from, signed, exact));
            }
            (Place::Hidden { leaves: Some(leaves), .. }, _) => {
                cpu.byte_offset(offset(leaves, 8)).cast::<u64>().write(hidden.expose_provenance() as u64);
            }
            _ => {}
        }
    }
}

/// Puts a piece of a result into its register where all registers are loaded, vector registers perhaps whole.
///
/// # Safety
///
/// As for [`give_result`].
unsafe fn give_anywhere(cpu: *mut CpuState, part: Part, from: *const u8, signed: bool, exact: bool) {
    let size = usize::from(part.size);
    // SAFETY: the caller's promise: the piece lies within the result, and the register has room for it.
    unsafe {
        let from = from.add(part.offset.into());
        match part.register {
            Register::Vector(number) => {
                let xmm = (*cpu).xmm_mut(number.into()).expect("the entry saves vector registers");
                ptr::copy_nonoverlapping(from, xmm.bytes.as_mut_ptr(), size);
            }
            Register::Integer(_) if exact && size != 4 => {
                ptr::copy_nonoverlapping(from, cpu.byte_offset(offset(part.register, 8)).cast(), size);
            }
            _ => give_part(cpu, Some(Part { offset: 0, ..part }), from, signed),
        }
    }
}

/// The registers that carry arguments or a result: these, and those of the variants before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Carriers {
    /// The first two for integers, and rax: System V's only.
    Two,
    Integers,
    Xmm,
    Ymm,
    Zmm,
}

/// Where a result is that is in no general or narrow vector register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rare {
    No,
    X87,
    X87Pair,
    Ymm,
    Zmm,
}

/// What a signature needs of its entry.
struct Needs {
    registers: Carriers,
    rare: Rare,
}

impl Needs {
    fn of(layout: &Layout<'_>) -> Self {
        let mut needs = Self { registers: Carriers::Two, rare: Rare::No };
        if layout.is_variadic() {
            needs.registers = Carriers::Xmm;
        }
        let two = register_bit(Convention::SYSV64.ints[0]) | register_bit(Convention::SYSV64.ints[1]);
        layout.parameters().iter().for_each(|parameter| needs.add(&parameter.place, two));
        let result = layout.result();
        needs.add(&result.place, register_bit(Register::RAX));
        if let Place::Registers(parts) = result.place {
            for part in parts.as_slice() {
                needs.rare = match (part.register, part.size) {
                    (Register::X87(0), _) if needs.rare == Rare::No => Rare::X87,
                    (Register::X87(_), _) => Rare::X87Pair,
                    (Register::Vector(_), 17..=32) => Rare::Ymm,
                    (Register::Vector(_), 33..) => Rare::Zmm,
                    _ => needs.rare,
                };
            }
        }
        if !matches!(layout.abi(), Abi::SysV64) || needs.rare != Rare::No {
            needs.registers = needs.registers.max(Carriers::Integers);
        }
        needs
    }

    /// Adds the registers of a place, of which those `few` are nothing to speak of.
    fn add(&mut self, place: &Place, few: u32) {
        let mut add = |register, size| {
            let needed = match (register, size) {
                (Register::Vector(_), ..=16) => Carriers::Xmm,
                (Register::Vector(_), ..=32) => Carriers::Ymm,
                (Register::Vector(_), _) => Carriers::Zmm,
                (Register::Integer(_), _) if register_bit(register) & few != 0 => Carriers::Two,
                _ => Carriers::Integers,
            };
            self.registers = self.registers.max(needed);
        };
        match *place {
            Place::Registers(parts) => parts.as_slice().iter().for_each(|part| add(part.register, part.size)),
            Place::Reference(Pointer::Register(register)) => add(register, 8),
            // The address of a result is the first argument; it leaves in rax.
            _ => {}
        }
    }
}

impl Capture {
    /// For any signature of System V or Windows x64 that needs no more.
    const fn any(abi: Abi, registers: Carriers, rare: Rare, groups: u32) -> Self {
        let (count, home) = if let Abi::Win64 = abi { (4, 32) } else { (8, 0) };
        let mut result = register_bit(Register::RAX);
        if registers as u8 > Carriers::Two as u8 {
            result |= register_bit(Register::RDX);
        }
        if registers as u8 > Carriers::Integers as u8 {
            result |= 0b11 << 16;
        }
        let wide = if matches!(registers, Carriers::Ymm | Carriers::Zmm) { (1 << count) - 1 } else { 0 };
        let (ymm, zmm) = if matches!(registers, Carriers::Zmm) { (0, wide) } else { (wide, 0) };
        if rare.registers().0 != 0 {
            result &= !(1 << 16);
        }
        let capture = Self::dynamic(argument_registers(abi, registers), result, groups, home);
        let capture = capture.with_rare((ymm, zmm), rare.registers());
        // What a head has for `run` is of this target's own convention.
        if matches!((abi, NATIVE), (Abi::SysV64, Abi::SysV64) | (Abi::Win64, Abi::Win64)) {
            capture.with_head()
        } else {
            capture
        }
    }

    /// For any signature of another convention: every register is stored, and loaded.
    const fn all(_: Abi, _: Carriers, rare: Rare, groups: u32) -> Self {
        Self::dynamic(0, 0, groups, 0).with_rare((0, 0), rare.registers())
    }
}

/// The registers that may carry arguments.
const fn argument_registers(abi: Abi, registers: Carriers) -> u32 {
    let (integers, count): (&[Register], u32) = match abi {
        Abi::Win64 => (&win64::INTEGERS, 4),
        _ => (Convention::SYSV64.ints, 8),
    };
    let end = if matches!(registers, Carriers::Two) { 2 } else { integers.len() };
    let (mut arguments, mut i) = (0, 0);
    while i < end {
        arguments |= register_bit(integers[i]);
        i += 1;
    }
    if registers as u8 > Carriers::Integers as u8 { arguments | ((1 << count) - 1) << 16 } else { arguments }
}

impl Rare {
    /// The bytes of a result in vector register 0, and how many registers of the x87 stack it has.
    const fn registers(self) -> (u32, u32) {
        match self {
            Self::No => (0, 0),
            Self::X87 => (0, 1),
            Self::X87Pair => (0, 2),
            Self::Ymm => (32, 0),
            Self::Zmm => (64, 0),
        }
    }
}

/// Runs what ctx leads to, where the convention is not this target's own: then the entry calls it itself.
///
/// # Safety
///
/// The entry passes its own state, and the slot's ctx.
unsafe extern "sysv64-unwind" fn sysv64(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: the caller's promise: such a slot's ctx leads to a head.
    unsafe { ((*ctx.cast::<Head>()).run)(cpu, ctx) }
}

/// The same for Windows x64.
///
/// # Safety
///
/// As for [`sysv64`].
unsafe extern "win64-unwind" fn win64(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: as above.
    unsafe { ((*ctx.cast::<Head>()).run)(cpu, ctx) }
}

/// The same for a convention whose return may pop arguments.
///
/// # Safety
///
/// As for [`sysv64`], and the entry saves `gpr`.
unsafe extern "sysv64-unwind" fn convention(cpu: *mut CpuState, ctx: *const ()) {
    // SAFETY: as above; the head may be gone when the callback has run.
    unsafe {
        let pops = (*ctx.cast::<Head>()).pops;
        ((*ctx.cast::<Head>()).run)(cpu, ctx);
        (*cpu).rsp += u64::from(pops);
    }
}

const SEEN: u32 = Group::Gpr.bit() | Group::Flags.bit() | Group::Sse.bit();
const EVERYTHING: u32 = SEEN | Group::Avx512.bit();

/// A module with the entries of each needs, `$dispatch` being called, and a function that chooses.
macro_rules! entries {
    ($choose:ident, $capture:ident, $abi:expr, $groups:expr, $dispatch:path; $($name:ident $registers:ident $rare:ident,)*) => {
        fn $choose(needs: &Needs) -> Option<unsafe extern "C" fn()> {
            $(captured_entry!($name, Capture::$capture($abi, Carriers::$registers, Rare::$rare, $groups), $dispatch);)*
            match (needs.registers, needs.rare) {
                $((Carriers::$registers, Rare::$rare) => Some($name),)*
                _ => None,
            }
        }
    };
}

macro_rules! sysv64_entries {
    ($($choose:ident $groups:expr;)*) => { $(
        entries! {
            $choose, any, Abi::SysV64, $groups, sysv64;
            two Two No,
            integers Integers No,
            xmm Xmm No,
            ymm Ymm No,
            zmm Zmm No,
            integers_x87 Integers X87,
            xmm_x87 Xmm X87,
            ymm_x87 Ymm X87,
            zmm_x87 Zmm X87,
            integers_x87_pair Integers X87Pair,
            xmm_x87_pair Xmm X87Pair,
            ymm_x87_pair Ymm X87Pair,
            zmm_x87_pair Zmm X87Pair,
            ymm_ymm Ymm Ymm,
            zmm_ymm Zmm Ymm,
            zmm_zmm Zmm Zmm,
        }
    )* };
}

macro_rules! win64_entries {
    ($($choose:ident $groups:expr;)*) => { $(
        entries! {
            $choose, any, Abi::Win64, $groups, win64;
            integers Integers No,
            xmm Xmm No,
            ymm_ymm Ymm Ymm,
            zmm_zmm Zmm Zmm,
        }
    )* };
}

macro_rules! convention_entries {
    ($($choose:ident $groups:expr, $dispatch:path;)*) => { $(
        entries! {
            $choose, all, Abi::Custom, $groups, $dispatch;
            xmm Xmm No,
            xmm_x87 Xmm X87,
            xmm_x87_pair Xmm X87Pair,
        }
    )* };
}

sysv64_entries! {
    sysv64_subset 0;
    sysv64_seen SEEN;
}
win64_entries! {
    win64_subset 0;
    win64_seen SEEN;
}
convention_entries! {
    convention_seen SEEN, convention;
    convention_everything EVERYTHING, convention;
}

/// Defines the entry `$name` for callers whose stack pointer is a multiple of 8 only, as `__cbframe_aligning_entry` does, for
/// any layout: how many words are to be copied, and popped, is in the head that ctx leads to.
///
/// ```text
///   rsp at the inner entry ▸ [ctx] [return into this] [arguments …]  alignment  [bytes to pop] [rcx] [rax] [rbp] [ctx]
///                            [return address] [arguments …]
/// ```
macro_rules! aligning_entry {
    ($name:ident, $inner:expr) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                unwind!(
                    dwarf ".cfi_startproc", ".cfi_def_cfa_offset 16";
                    seh ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "endbr64",
                "push rbp",
                unwind!(dwarf ".cfi_adjust_cfa_offset 8", ".cfi_offset rbp, -24"; seh ".seh_pushreg rbp"),
                "mov rbp, rsp",
                unwind!(dwarf ".cfi_def_cfa_register rbp"; seh ".seh_setframe rbp, 0", ".seh_endprologue"),
                "push rax",
                "push rcx",
                "mov rax, [rbp + 8]", // ctx
                "mov ecx, [rax + 12]",
                "push rcx",
                "mov ecx, [rax + 8]", // words
                "lea rax, [rcx + 1]",
                "and rax, -2",
                "shl rax, 3",
                "and rsp, -16",
                "sub rsp, rax",
                "3:",
                "sub rcx, 1",
                "jb 4f",
                "mov rax, [rbp + 24 + 8 * rcx]",
                "mov [rsp + 8 * rcx], rax",
                "jmp 3b",
                "4:",
                "mov rax, [rbp - 8]",
                "mov rcx, [rbp - 16]",
                "call 2f",
                "push rax",
                "push rcx",
                "mov rcx, [rbp - 24]",
                // The return address moves up, over what is popped; ctx is not needed any more.
                "mov rax, [rbp + 16]",
                "mov [rbp + 16 + rcx], rax",
                "lea rax, [rbp + 16 + rcx]",
                "mov [rbp + 8], rax",
                "pop rcx",
                "pop rax",
                "mov rsp, rbp",
                "pop rbp",
                // Functions of their own to Windows, as in `__cbframe_aligning_entry`.
                unwind!(
                    dwarf ".cfi_remember_state", ".cfi_restore rbp", ".cfi_def_cfa rsp, 16";
                    seh ".seh_endproc", ".seh_proc .Lcbframe", ".seh_stackalloc 8"
                ),
                "mov rsp, [rsp]",
                unwind!(dwarf ".cfi_def_cfa_offset 8"; seh ".seh_endprologue", ".seh_endproc"),
                "ret",
                unwind!(dwarf ".cfi_restore_state"; seh ".seh_proc .Lcbframe"),
                "2:",
                "push qword ptr [rbp + 8]", // ctx, as a stub does
                unwind!(; seh ".seh_stackalloc 8"),
                "jmp {inner}",
                unwind!(dwarf ".cfi_endproc"; seh ".seh_endprologue", ".seh_endproc"),
                ".balign 64",
                inner = sym $inner,
            )
        }
    };
}

fn aligning(needs: &Needs, everything: bool) -> Option<unsafe extern "C" fn()> {
    captured_entry!(seen, Capture::all(Abi::Custom, Carriers::Xmm, Rare::No, SEEN), sysv64);
    captured_entry!(all, Capture::all(Abi::Custom, Carriers::Xmm, Rare::No, EVERYTHING), sysv64);
    aligning_entry!(align_seen, seen);
    aligning_entry!(align_all, all);
    if needs.rare != Rare::No {
        return None;
    }
    Some(if everything { align_all } else { align_seen })
}

/// The registers that [`dynamic_entry`] has stored for callbacks of this layout which see the arguments' only.
pub(crate) fn seen_arguments(layout: &Layout<'_>) -> u32 {
    argument_registers(layout.abi(), Needs::of(layout).registers)
}

/// The entry for callbacks of this layout whose ctx leads to a [`Head`]; `None` if there is none. It notes in the state what is
/// there unless the callback sees the arguments' registers only.
///
/// # Panics
///
/// If the convention is one of another architecture, or a type is refused on this system.
pub(crate) fn dynamic_entry(layout: &Layout<'_>, seen: Seen) -> Option<Entry> {
    crate::arch::check_system_of(layout);
    let needs = Needs::of(layout);
    let function = match (layout.abi(), seen) {
        (Abi::SysV64, Seen::Arguments) => sysv64_subset(&needs),
        (Abi::SysV64, Seen::State) => sysv64_seen(&needs),
        (Abi::Win64, Seen::Arguments) => win64_subset(&needs),
        (Abi::Win64, Seen::State) => win64_seen(&needs),
        (Abi::Named(convention), _) => {
            let needs = Needs { registers: Carriers::Xmm, ..needs };
            match (convention.stack_align < 16, convention.preserves_whole_vectors) {
                (true, everything) => aligning(&needs, everything),
                (false, true) => convention_everything(&needs),
                (false, false) => convention_seen(&needs),
            }
        }
        (Abi::Custom, _) => convention_everything(&Needs { registers: Carriers::Xmm, ..needs }),
        (abi, _) => super::foreign(abi),
    };
    // SAFETY: each entry passes ctx on to its dispatcher, which takes it for the address of a head.
    function.map(|function| unsafe { Entry::new(function) })
}
