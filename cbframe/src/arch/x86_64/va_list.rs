//! The lists of arguments behind `...`: System V's `va_list`, and that of Windows x64.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use super::foreign;
use super::state::CpuState;
use crate::abi::{self, Abi, Cursor, Part, Parts, Place, Register};
use crate::arch::moves::stack_arguments;
use crate::types::{CType, round_up};

/// System V's `va_list` (psABI, section 3.5.7, figure 3.34).
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Tag {
    /// The offset in `reg_save_area` of the next integer register; `INTEGERS_END` if there is none.
    gp_offset: u32,
    /// The offset in `reg_save_area` of the next vector register.
    fp_offset: u32,
    /// The next argument on the stack.
    overflow_arg_area: *mut u8,
    /// What the registers held at the call: six integer ones, then eight vector ones.
    reg_save_area: *mut u8,
}

/// The offset behind the integer registers in a register save area.
const INTEGERS_END: u32 = 6 * 8;
/// The offset behind the vector registers.
const VECTORS_END: u32 = INTEGERS_END + 8 * 16;

/// The arguments that are left.
#[derive(Clone, Copy)]
pub(crate) enum List {
    /// Those of a System V call.
    SysV64(Tag),
    /// Those of a Windows call: words in memory, the home space of the registers included.
    Win64(*mut u8),
}

/// Where arguments of type `T` lie behind `...`.
struct Unnamed<T>(PhantomData<T>);

impl<T: CType> Unnamed<T> {
    const SYSV64: Place = abi::unnamed(Abi::SysV64, &T::TYPE);
    const WIN64: Place = abi::unnamed(Abi::Win64, &T::TYPE);
}

impl List {
    /// The arguments behind those of the parameters.
    ///
    /// # Safety
    ///
    /// `cpu` is what the captured entry of a variadic callback passed to the dispatcher, unchanged; `end` is what its
    /// parameters have taken. The list is used while that entry runs.
    #[inline(always)]
    pub(crate) unsafe fn of(cpu: *mut CpuState, abi: Abi, end: &Cursor) -> Self {
        let stack = stack_arguments(cpu).cast_mut();
        match abi {
            Abi::SysV64 => Self::SysV64(Tag {
                gp_offset: 8 * u32::from(end.integers),
                fp_offset: INTEGERS_END + 16 * u32::from(end.vectors),
                overflow_arg_area: stack.wrapping_add(end.stack as usize),
                reg_save_area: cpu.cast(),
            }),
            Abi::Win64 => {
                // "x64 calling convention", "Varargs": a float is in the integer register of its position too; in the home
                // space, integer registers make one array with the arguments on the stack.
                // SAFETY: the entry has stored these registers; the caller has reserved four words.
                unsafe {
                    let home = stack.cast::<u64>();
                    home.write((&raw const (*cpu).rcx).read_volatile());
                    home.add(1).write((&raw const (*cpu).rdx).read_volatile());
                    home.add(2).write((&raw const (*cpu).r8).read_volatile());
                    home.add(3).write((&raw const (*cpu).r9).read_volatile());
                }
                let positions = if end.integers < 4 { 8 * usize::from(end.integers) } else { end.stack as usize };
                Self::Win64(stack.wrapping_add(positions))
            }
            Abi::Named(_) | Abi::Custom => no_list(),
            _ => foreign(abi),
        }
    }

    /// A copy of the list that a C function was passed as `raw`.
    ///
    /// # Safety
    ///
    /// It was passed as a `va_list` of this ABI, and is not used up.
    pub(crate) unsafe fn from_raw(abi: Abi, raw: *mut c_void) -> Self {
        match abi {
            // SAFETY: the caller's promise. The type is an array of one, so what is passed is its address.
            Abi::SysV64 => Self::SysV64(unsafe { raw.cast::<Tag>().read() }),
            Abi::Win64 => Self::Win64(raw.cast()),
            Abi::Named(_) | Abi::Custom => no_list(),
            _ => foreign(abi),
        }
    }

    /// What a C function with a parameter of type `va_list` is passed.
    pub(crate) const fn as_raw(&mut self) -> *mut c_void {
        match self {
            Self::SysV64(tag) => ptr::from_mut(tag).cast(),
            Self::Win64(next) => next.cast(),
        }
    }

    /// The same arguments for a function of the target's C library (`VaList::format`), if each is a word or lies in registers:
    /// `arguments` says which are floats. `words` is to live as long as the list.
    ///
    /// # Safety
    ///
    /// There are so many, each an integer or a `double`.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn native(
        mut self,
        arguments: impl Iterator<Item = bool>,
        words: &mut alloc::vec::Vec<u64>,
    ) -> Self {
        match self {
            // Where no register is left, System V's are an array of words too.
            Self::Win64(next) if matches!(crate::arch::NATIVE, Abi::SysV64) => Self::SysV64(Tag {
                gp_offset: INTEGERS_END,
                fp_offset: VECTORS_END,
                overflow_arg_area: next,
                reg_save_area: ptr::null_mut(),
            }),
            Self::SysV64(_) if matches!(crate::arch::NATIVE, Abi::Win64) => {
                // SAFETY: the caller's promise. A word may be uninitialized beyond an `int`; it was stored from a register.
                words.extend(arguments.map(|is_float| unsafe {
                    if is_float { self.take::<f64>().assume_init().to_bits() } else { self.take::<u64>().assume_init() }
                }));
                Self::Win64(words.as_mut_ptr().cast())
            }
            list => list,
        }
    }

    /// The ABI that this is a list of.
    pub(crate) const fn abi(&self) -> Abi {
        match self {
            Self::SysV64(_) => Abi::SysV64,
            Self::Win64(_) => Abi::Win64,
        }
    }

    /// Takes the next argument.
    ///
    /// # Safety
    ///
    /// There is one, and its type is `T`.
    #[inline(always)]
    pub(crate) unsafe fn take<T: CType>(&mut self) -> MaybeUninit<T> {
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast::<u8>();
        // SAFETY: the caller's promise; `to` is a `T`'s worth of memory.
        unsafe {
            match self {
                Self::SysV64(tag) => tag.take(const { &Unnamed::<T>::SYSV64 }, size_of::<T>(), align_of::<T>(), to),
                Self::Win64(next) => {
                    let word = *next;
                    *next = word.add(8);
                    let from = match Unnamed::<T>::WIN64 {
                        Place::Reference(_) => word.cast::<*mut u8>().read(),
                        _ => word,
                    };
                    ptr::copy_nonoverlapping(from, to, size_of::<T>());
                }
            }
        }
        value
    }
}

#[cold]
#[track_caller]
fn no_list() -> ! {
    panic!("cbframe: only C's own calling conventions have lists of arguments")
}

impl Tag {
    /// Takes an argument of this place and size to `to`.
    ///
    /// # Safety
    ///
    /// As for [`List::take`].
    #[inline(always)]
    unsafe fn take(&mut self, place: &'static Place, size: usize, align: usize, to: *mut u8) {
        match place {
            Place::Nothing => return,
            Place::Registers(parts) => {
                let (integers, vectors) = (8 * count(parts, false), 16 * count(parts, true));
                // All pieces in registers, or none.
                if self.gp_offset + integers <= INTEGERS_END && self.fp_offset + vectors <= VECTORS_END {
                    // SAFETY: the registers were saved; a piece lies within its value.
                    unsafe {
                        self.take_part(parts.get(0), to);
                        self.take_part(parts.get(1), to);
                    }
                    self.gp_offset += integers;
                    self.fp_offset += vectors;
                    return;
                }
            }
            _ => {}
        }
        // On the stack, aligned to its own alignment and to 8.
        let from = self.overflow_arg_area;
        let from = from.wrapping_add(round_up(from.addr(), align.max(8)) - from.addr());
        // SAFETY: the caller's promise: the argument is there.
        unsafe { ptr::copy_nonoverlapping(from, to, size) };
        self.overflow_arg_area = from.wrapping_add(round_up(size, 8));
    }

    /// # Safety
    ///
    /// The register of the piece was saved, and the piece lies within the value at `to`.
    #[inline(always)]
    unsafe fn take_part(&self, part: Option<Part>, to: *mut u8) {
        let Some(part) = part else { return };
        let from = match part.register {
            // The places are those from the first register on; the fields of a state are in their order.
            Register::Integer(number) => self.gp_offset as usize + CpuState::integer(number),
            Register::Vector(number) | Register::X87(number) => self.fp_offset as usize + 16 * usize::from(number),
        };
        let mut at = 0;
        while at < part.size {
            let size = if part.size - at < 8 { part.size - at } else { 8 };
            // SAFETY: the caller's promise; registers are saved as words of 8 bytes. Volatile for the reason that `read` in
            // `moves` has.
            unsafe {
                let word = self.reg_save_area.add(from + usize::from(at)).cast::<MaybeUninit<u64>>().read_volatile();
                ptr::copy_nonoverlapping(word.as_ptr().cast(), to.add((part.offset + at).into()), size.into());
            }
            at += 8;
        }
    }
}

/// How many vector registers, or others, the pieces lie in.
#[inline(always)]
const fn count(parts: &Parts, vectors: bool) -> u32 {
    const fn is(part: Option<Part>, vectors: bool) -> u32 {
        match part {
            Some(part) => (matches!(part.register, Register::Vector(_)) == vectors) as u32,
            None => 0,
        }
    }
    is(parts.get(0), vectors) + is(parts.get(1), vectors)
}
