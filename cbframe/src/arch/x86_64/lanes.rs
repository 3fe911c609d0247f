//! Which entry a callback gets.

use core::mem::MaybeUninit;

use super::foreign;
use crate::abi::{Abi, Place, Placed, Register};
use crate::signature::{Forced, Known};
use crate::types::{Field, Kind, Message, Type};

/// How the arguments of a callback, and ctx, get to Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// rustc passes the arguments; ctx is in the integer register with this number, which no parameter uses.
    Direct(u8),
    /// rustc passes the arguments; ctx is in memory that the shim takes for a parameter. The number tells the shims
    /// apart: on System V the words of the [`Head`], on Windows the parameters before the extra words.
    Stack(u8),
    /// The dispatcher takes the arguments out of a [`CpuState`](super::CpuState): rustc would pass one of them, or the result,
    /// otherwise than C does.
    Captured,
}

impl Lane {
    /// The register of the direct lane; on the others, where the direct entry is not used, any.
    pub const fn register(self) -> u8 {
        match self {
            Self::Direct(register) => register,
            Self::Stack(_) | Self::Captured => 0,
        }
    }
}

/// Whether rustc passes floats in general registers, which C does nowhere: on UEFI, as its code is to leave vector registers
/// alone. Callers from C use them all the same (UEFI specification 2.10, section 2.3.4.2, "Detailed Calling Conventions").
const SOFT_FLOAT: bool = !cfg!(target_feature = "sse");

/// Whether rustc passes the parameters and the result as C does; what it knows of a type that is no `CType` is all
/// that anybody knows.
pub const fn is_native<const N: usize>(abi: Abi, parameters: &[Known; N], result: Known) -> bool {
    let mut native = is_native_type(abi, &result.ty);
    let mut i = 0;
    while i < N {
        native &= is_native_type(abi, &parameters[i].ty);
        i += 1;
    }
    native
}

const fn is_native_type(abi: Abi, ty: &Option<Type>) -> bool {
    // What is unknown may have a float in it.
    let Some(ty) = ty else { return !SOFT_FLOAT };
    // What is passed by reference on Windows is aligned to 16 bytes: more than that rustc expects, but neither
    // Microsoft promises nor gcc does it.
    let aligned = match abi {
        Abi::SysV64 => true,
        Abi::Win64 => ty.align <= 16,
        // No convention of rustc's.
        Abi::Named(_) | Abi::Custom => false,
        _ => foreign(abi),
    };
    aligned && never_native(ty).is_none() && ty.widest_vector() <= VECTOR_REGISTER
}

/// The size of the vector registers that rustc may use in this build: functions with wider vectors it refuses.
const VECTOR_REGISTER: usize = if cfg!(target_feature = "avx512f") {
    64
} else if cfg!(target_feature = "avx") {
    32
} else {
    16
};

/// The name of what rustc passes otherwise than C does in a value of this type: a scalar that it knows as a struct of
/// bytes only, or a packed struct whose unaligned field without bytes it overlooks.
const fn never_native(ty: &Type) -> Option<&'static str> {
    match ty.kind {
        Kind::X87 => Some(ty.name),
        Kind::Float if SOFT_FLOAT || !matches!(ty.size, 4 | 8) => Some(ty.name),
        Kind::Vector if SOFT_FLOAT => Some(ty.name),
        Kind::Complex { element } | Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => {
            never_native(element)
        }
        Kind::Struct { fields } | Kind::Union { fields } => {
            let mut i = 0;
            while i < fields.len() {
                let Field { ty: field, .. } = &fields[i];
                let found = never_native(field);
                if found.is_some() {
                    return found;
                }
                if field.size == 0 && field.align > ty.align {
                    return Some(ty.name);
                }
                i += 1;
            }
            None
        }
        Kind::Float
        | Kind::Void
        | Kind::Bool
        | Kind::Int { .. }
        | Kind::Pointer { .. }
        | Kind::Enum { .. }
        | Kind::Vector => None,
    }
}

/// Panics if compilers for macOS pass a value of this type otherwise than System V's ABI has it: those of Apple's keep to an older
/// text of its rule 5(b) (clang's `honorsRevision0_98`), by which a `long double` that shares its bytes with something else does not
/// put all of it into memory.
#[track_caller]
pub(crate) const fn check_system(ty: &Type) {
    const fn has_x87(ty: &Type, in_union: bool) -> bool {
        match ty.kind {
            Kind::X87 => in_union,
            Kind::Complex { element } | Kind::Array { element, .. } | Kind::MaybeUninit { of: element } => {
                has_x87(element, in_union)
            }
            Kind::Struct { fields } => any_has_x87(fields, in_union),
            Kind::Union { fields } => any_has_x87(fields, true),
            _ => false,
        }
    }
    const fn any_has_x87(fields: &[Field], in_union: bool) -> bool {
        let mut i = 0;
        while i < fields.len() {
            if has_x87(&fields[i].ty, in_union) {
                return true;
            }
            i += 1;
        }
        false
    }
    if cfg!(target_vendor = "apple") && has_x87(ty, false) {
        Message::new("cbframe: compilers for macOS do not agree with the ABI about unions with a `long double`: pass `")
            .text(ty.name)
            .text("` by pointer")
            .panic()
    }
}

/// Panics if a lane was asked for that this signature cannot have because rustc would pass it wrongly.
#[track_caller]
const fn refuse_forced(forced: Forced) {
    assert!(
        matches!(forced, Forced::No),
        "cbframe: rustc passes a parameter or the result otherwise than C does, so only `entry = \"captured\"` serves this signature"
    );
}

/// The same for a parameter of a function of this convention: in all of them.
pub(crate) const fn never_native_parameter(_: Abi, ty: &Type, _words: usize) -> Option<&'static str> {
    never_native(ty)
}

/// The same for a result.
pub(crate) const fn never_native_result(_: Abi, ty: &Type) -> Option<&'static str> {
    never_native(ty)
}

/// The lane of a callback.
///
/// # Panics
///
/// When the lane that was asked for does not exist.
#[track_caller]
pub const fn lane<const N: usize>(
    abi: Abi,
    placed: &Option<Placed<N>>,
    parameters: &[Known; N],
    result: Known,
    forced: Forced,
) -> Lane {
    match abi {
        // The dispatcher passes what rustc does not.
        Abi::Named(_) | Abi::Custom => Lane::Captured,
        _ if !is_native(abi, parameters, result) => {
            refuse_forced(forced);
            Lane::Captured
        }
        Abi::SysV64 => sysv64_lane(placed, parameters, forced),
        Abi::Win64 => win64_lane(N + is_hidden(&result) as usize, is_hidden(&result), forced),
        _ => foreign(abi),
    }
}

#[track_caller]
const fn sysv64_lane<const N: usize>(placed: &Option<Placed<N>>, parameters: &[Known; N], forced: Forced) -> Lane {
    match (placed, forced) {
        (Some(Placed { next: Some(Register::Integer(register)), .. }), Forced::No | Forced::Direct) => {
            Lane::Direct(*register)
        }
        (_, Forced::Direct) => panic!(
            "cbframe: `entry = \"direct\"` needs a free integer register, and a `CType` for every parameter and the result"
        ),
        _ => {
            // Shifting the stack arguments by a multiple of 32 keeps their alignment up to 32 bytes.
            let (mut align, mut i) = (0, 0);
            while i < N {
                if parameters[i].align > align {
                    align = parameters[i].align;
                }
                i += 1;
            }
            Lane::Stack(if align <= 32 { 4 } else { 8 })
        }
    }
}

/// The lane of a Windows x64 callback with so many positions, the first of which is the address of its result if `hidden`.
#[track_caller]
const fn win64_lane(positions: usize, hidden: bool, forced: Forced) -> Lane {
    const REGISTERS: [u8; 4] = [1, 2, 8, 9];
    match forced {
        Forced::No | Forced::Direct if positions < 4 => Lane::Direct(REGISTERS[positions]),
        Forced::No | Forced::Stack if positions >= 4 => Lane::Stack(4 - hidden as u8),
        _ => panic!(
            "cbframe: on Windows x64 the direct entry serves up to three positions, a hidden result pointer included, and the stack entry four or more"
        ),
    }
}

/// Whether a result is returned in memory on Windows x64, as far as that is known.
const fn is_hidden(result: &Known) -> bool {
    match result.ty {
        Some(ty) => matches!(crate::abi::place(Abi::Win64, [], ty).result.place, Place::Hidden { .. }),
        None => !matches!(result.size, 0 | 1 | 2 | 4 | 8),
    }
}

/// Panics if a native lane has to know more of this parameter than its size.
#[track_caller]
pub const fn check_lane_parameter(_: Abi, _: Known) {}

/// Panics if a native lane has to know more of this result than its size: whether it is returned in memory, which is true
/// of a struct of 16 bytes on Windows, but not of a vector or a scalar.
#[track_caller]
pub const fn check_lane_result(abi: Abi, result: Known) {
    assert!(
        !matches!((abi, result), (Abi::Win64, Known { ty: None, size: 16 | 32 | 64, .. })),
        "cbframe: whether a result of this size is in memory on Windows x64 depends on what it is: derive `CType` for it"
    );
}

/// The first parameter of a stack shim on System V: a struct of class MEMORY, so that it takes no register and
/// lies where the entry's padding, ctx and the return address already are.
///
/// # Safety
///
/// The type is larger than 16 bytes, a multiple of 32 bytes in size, and ends in ctx and one word more.
pub unsafe trait Head {
    /// The bytes below ctx.
    const PAD: usize;

    /// The word of ctx.
    fn ctx(&self) -> *const ();
}

macro_rules! heads {
    ($($(#[$meta:meta])* $name:ident $pad:literal;)*) => { $(
        $(#[$meta])*
        #[repr(C)]
        pub struct $name {
            _pad: [MaybeUninit<usize>; $pad],
            ctx: *const (),
            _return_address: MaybeUninit<usize>,
        }

        const _: () = assert!(size_of::<$name>() % 32 == 0);

        // SAFETY: the assertion above, and the fields.
        unsafe impl Head for $name {
            const PAD: usize = 8 * $pad;

            #[inline(always)]
            fn ctx(&self) -> *const () {
                self.ctx
            }
        }
    )* };
}

heads! {
    /// Four words: for parameters of an alignment up to 32.
    Head4 2;
    /// Eight words: for parameters of an alignment up to 64.
    Head8 6;
}
