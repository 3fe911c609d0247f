//! Signatures as libffi knows them, and those that it does not.

use std::ptr;

use cbframe::abi::Abi;
use cbframe::types::{Kind, Type};
use libffi_sys::{
    FFI_TYPE_COMPLEX, FFI_TYPE_DOUBLE, FFI_TYPE_FLOAT, FFI_TYPE_LONGDOUBLE, FFI_TYPE_POINTER, FFI_TYPE_SINT8,
    FFI_TYPE_SINT16, FFI_TYPE_SINT32, FFI_TYPE_SINT64, FFI_TYPE_STRUCT, FFI_TYPE_UINT8, FFI_TYPE_UINT16,
    FFI_TYPE_UINT32, FFI_TYPE_UINT64, FFI_TYPE_VOID, ffi_abi, ffi_abi_FFI_GNUW64, ffi_abi_FFI_UNIX64, ffi_cif,
    ffi_prep_cif, ffi_status_FFI_OK, ffi_type,
};

use crate::shape::{self, Leaf};
use crate::signature::Signature;

/// libffi 3.6 has these; the crate does not name them.
const FFI_TYPE_UINT128: u16 = 16;
const FFI_TYPE_SINT128: u16 = 17;

/// Why libffi cannot make this call, or makes it otherwise than C compilers do. This is all that is left out.
pub(crate) fn exclusion(signature: &Signature) -> Option<&'static str> {
    match signature.abi {
        Abi::Win64 => matches!((shape::passed_as(&signature.result).kind, signature.result.size), (Kind::Vector, 32..))
            .then_some("libffi has no ymm and zmm registers"),
        _ => signature.types().any(may_be_a_vector).then_some("libffi passes nothing as a vector"),
    }
}

/// Whether a System V compiler passes `ty`, or a part of it, in a vector register as a whole.
///
/// A value of more than two eightbytes is either one such vector, or in memory.
fn may_be_a_vector(ty: &Type) -> bool {
    shape::leaves(ty).iter().any(|leaf| leaf.is_vector() && (ty.size <= 16 || ty.size == leaf.ty.size))
}

/// A call prepared. libffi keeps addresses of what is in here.
pub(crate) struct Call {
    pub(crate) cif: Box<ffi_cif>,
    /// The arguments in libffi's order, each the number of a parameter or a filler.
    pub(crate) arguments: Vec<Argument>,
    nodes: Nodes,
    types: Vec<*mut ffi_type>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    Parameter(usize),
    /// A Windows parameter without bytes: its address.
    Address(usize),
    /// 16 bytes of the stack.
    Filler,
}

impl Call {
    pub(crate) fn new(signature: &Signature) -> Self {
        let (arguments, types) = (Vec::new(), Vec::new());
        let mut call = Self { cif: Box::default(), arguments, nodes: Nodes::default(), types };
        let result = call.nodes.result(&signature.result, signature.abi);
        for (i, (_, ty)) in signature.parameters.iter().enumerate() {
            match (signature.abi, ty.size) {
                (Abi::Win64, 0) => {
                    let pointer = call.nodes.scalar(FFI_TYPE_POINTER, 8);
                    call.push(Argument::Address(i), pointer);
                }
                (Abi::Win64, _) => {
                    let node = call.nodes.windows(ty);
                    call.push(Argument::Parameter(i), node);
                }
                // Nowhere.
                (_, 0) => {}
                _ => {
                    // What is aligned to more than 16 bytes is in memory.
                    while ty.align > 16 && !call.prepare(signature.abi, result).is_multiple_of(ty.align) {
                        let filler = call.nodes.scalar(FFI_TYPE_LONGDOUBLE, 16);
                        call.push(Argument::Filler, filler);
                    }
                    let node = call.nodes.system_v(ty);
                    call.push(Argument::Parameter(i), node);
                }
            }
        }
        call.prepare(signature.abi, result);
        call
    }

    fn push(&mut self, argument: Argument, ty: *mut ffi_type) {
        self.arguments.push(argument);
        self.types.push(ty);
    }

    /// The bytes of arguments on the stack, with 16 for the alignment of a filler that could follow.
    fn prepare(&mut self, abi: Abi, result: *mut ffi_type) -> usize {
        let count = u32::try_from(self.types.len()).expect("a few");
        // SAFETY: the types are nodes, which live as long as `self`, as does the list that libffi points to until it
        // is prepared again.
        let status = unsafe { ffi_prep_cif(&mut *self.cif, number(abi), count, result, self.types.as_mut_ptr()) };
        assert_eq!(status, ffi_status_FFI_OK, "libffi refuses the signature");
        (self.cif.bytes as usize).next_multiple_of(16)
    }

    /// What libffi makes of structs: the size and the alignment of those that it laid out itself.
    pub(crate) fn check_sizes(&self, wrong: &mut Vec<String>) {
        for (node, ty) in &self.nodes.laid_out {
            // SAFETY: a node, which lives as long as `self`.
            let node = unsafe { &**node };
            if (node.size, usize::from(node.alignment)) != (ty.size, ty.align) {
                wrong.push(format!("libffi: size {}, alignment {} of {ty:#?}", node.size, node.alignment));
            }
        }
    }
}

const fn number(abi: Abi) -> ffi_abi {
    match abi {
        // Not `FFI_WIN64`, which is Microsoft's: there, `long double` is `double`.
        Abi::Win64 => ffi_abi_FFI_GNUW64,
        _ => ffi_abi_FFI_UNIX64,
    }
}

/// Types as libffi has them, linked by addresses.
#[derive(Default)]
struct Nodes {
    nodes: Vec<*mut ffi_type>,
    lists: Vec<Box<[*mut ffi_type]>>,
    /// Structs whose layout libffi works out.
    laid_out: Vec<(*mut ffi_type, Type)>,
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in self.nodes.drain(..) {
            // SAFETY: from `Box::into_raw`, once.
            drop(unsafe { Box::from_raw(node) });
        }
    }
}

impl Nodes {
    fn node(&mut self, type_: u16, size: usize, align: usize, elements: Option<Vec<*mut ffi_type>>) -> *mut ffi_type {
        let elements = elements.map_or(ptr::null_mut(), |mut elements| {
            elements.push(ptr::null_mut());
            self.lists.push(elements.into());
            self.lists.last_mut().expect("just pushed").as_mut_ptr()
        });
        // libffi has a stack that is aligned to 16 bytes: fillers bring a value to the offset of one aligned to more.
        let alignment = align.min(16) as u16;
        self.nodes.push(Box::into_raw(Box::new(ffi_type { size, alignment, type_, elements })));
        *self.nodes.last().expect("just pushed")
    }

    fn scalar(&mut self, type_: u16, size: usize) -> *mut ffi_type {
        self.node(type_, size, size, None)
    }

    /// A type that is no aggregate, as libffi has it, if it has it.
    fn simple(&mut self, ty: &Type) -> Option<*mut ffi_type> {
        let type_ = match (ty.kind, ty.size) {
            (Kind::Complex { element }, _) => {
                let element = self.simple(element)?;
                return Some(self.node(FFI_TYPE_COMPLEX, ty.size, ty.align, Some(vec![element])));
            }
            (Kind::Void, _) => FFI_TYPE_VOID,
            (Kind::X87, _) => FFI_TYPE_LONGDOUBLE,
            // `_Float16` is of class SSE and, on Windows, in an xmm register, like a `float`.
            (Kind::Float, 2 | 4) => FFI_TYPE_FLOAT,
            (Kind::Float, 8) => FFI_TYPE_DOUBLE,
            (Kind::Pointer { .. }, _) => FFI_TYPE_POINTER,
            (Kind::Int { signed: true } | Kind::Enum { signed: true, .. }, size) => match size {
                1 => FFI_TYPE_SINT8,
                2 => FFI_TYPE_SINT16,
                4 => FFI_TYPE_SINT32,
                8 => FFI_TYPE_SINT64,
                _ => FFI_TYPE_SINT128,
            },
            (Kind::Bool | Kind::Int { .. } | Kind::Enum { .. }, size) => match size {
                1 => FFI_TYPE_UINT8,
                2 => FFI_TYPE_UINT16,
                4 => FFI_TYPE_UINT32,
                8 => FFI_TYPE_UINT64,
                _ => FFI_TYPE_UINT128,
            },
            _ => return None,
        };
        Some(self.node(type_, ty.size, ty.align, None))
    }

    fn result(&mut self, ty: &Type, abi: Abi) -> *mut ffi_type {
        if ty.size == 0 {
            self.scalar(FFI_TYPE_VOID, 1)
        } else if abi == Abi::Win64 {
            match shape::passed_as(ty).kind {
                // In xmm0, where libffi has only this type of 16 bytes.
                Kind::Vector => self.scalar(FFI_TYPE_UINT128, 16),
                _ => self.windows(ty),
            }
        } else if ty.size == 16 && shape::leaves(ty).iter().all(Leaf::is_x87) && !shape::is_unaligned(ty, 0) {
            // libffi finds the class X87 of such a struct, but then takes it from rax and rdx.
            self.scalar(FFI_TYPE_LONGDOUBLE, 16)
        } else {
            self.system_v(ty)
        }
    }

    /// Windows looks at the size of an aggregate only.
    fn windows(&mut self, ty: &Type) -> *mut ffi_type {
        self.simple(shape::passed_as(ty))
            .unwrap_or_else(|| self.node(FFI_TYPE_STRUCT, ty.size, ty.align, Some(Vec::new())))
    }

    fn system_v(&mut self, ty: &Type) -> *mut ffi_type {
        let ty = shape::passed_as(ty);
        if let Some(simple) = self.simple(ty) {
            return simple;
        }
        if shape::is_unaligned(ty, 0) {
            // "has unaligned fields": MEMORY. libffi does not look at that.
            self.in_memory(ty)
        } else if shape::all(ty, &is_plain) {
            self.plain(ty)
        } else {
            self.exact(ty)
        }
    }

    /// A struct of class MEMORY, by a union that libffi cannot have of itself: of a `long double` and a `double`.
    fn in_memory(&mut self, ty: &Type) -> *mut ffi_type {
        let elements = vec![
            self.node(FFI_TYPE_LONGDOUBLE, 0, 1, None),
            self.node(FFI_TYPE_DOUBLE, 0, 1, None),
            self.node(FFI_TYPE_VOID, ty.size, 1, None),
        ];
        self.node(FFI_TYPE_STRUCT, ty.size, ty.align, Some(elements))
    }

    /// A struct or an array, laid out by libffi. It has no arrays: structs are the same.
    fn plain(&mut self, ty: &Type) -> *mut ffi_type {
        let ty = shape::passed_as(ty);
        if let Some(simple) = self.simple(ty) {
            return simple;
        }
        let elements = match ty.kind {
            Kind::Struct { fields } => fields.iter().map(|field| self.plain(&field.ty)).collect(),
            Kind::Array { element, len } => (0..len).map(|_| self.plain(element)).collect(),
            _ => unreachable!("checked by `is_plain`"),
        };
        let node = self.node(FFI_TYPE_STRUCT, 0, 0, Some(elements));
        self.laid_out.push((node, *ty));
        node
    }

    /// An aggregate with every field where it is. Between fields lies `void`, which has no class; in a union, each
    /// member is followed by as many bytes less than none, so that the next begins where it did and libffi merges
    /// their classes.
    fn exact(&mut self, ty: &Type) -> *mut ffi_type {
        let ty = shape::passed_as(ty);
        if let Some(simple) = self.simple(ty) {
            return simple;
        }
        if has_lone_x87up(ty) {
            return self.in_memory(ty);
        }
        let members: Vec<(usize, Type)> = match ty.kind {
            Kind::Struct { fields } | Kind::Union { fields } => {
                fields.iter().map(|field| (field.offset, field.ty)).collect()
            }
            Kind::Array { element, len } => (0..len).map(|i| (i * element.size, *element)).collect(),
            // A vector, in something that is in memory whatever its fields are.
            _ => (0..ty.size).step_by(8).map(|offset| (offset, WORD)).collect(),
        };
        let (mut elements, mut at) = (Vec::new(), 0);
        for (offset, member) in members.iter().filter(|(_, member)| member.size > 0) {
            if *offset != at {
                elements.push(self.node(FFI_TYPE_VOID, offset.wrapping_sub(at), 1, None));
            }
            elements.push(self.exact(member));
            at = offset + member.size;
        }
        self.node(FFI_TYPE_STRUCT, ty.size, ty.align, Some(elements))
    }
}

const WORD: Type = Type { name: "u64", size: 8, align: 8, kind: Kind::Int { signed: false } };

/// Whether `ty` is a union of class MEMORY because in its second eightbyte is X87UP, but not X87 in its first: libffi
/// looks for that from the third eightbyte on.
fn has_lone_x87up(ty: &Type) -> bool {
    let leaves = shape::leaves(ty);
    let is_integer =
        |offset: usize| leaves.iter().any(|leaf| leaf.is_integer() && leaf.offset < offset + 8 && leaf.end() > offset);
    ty.size == 16 && leaves.iter().any(Leaf::is_x87) && is_integer(0) && !is_integer(8)
}

/// Whether libffi comes to the same layout by itself: no unions, nothing packed or aligned to more than its fields,
/// and no fields without bytes.
fn is_plain(ty: &Type) -> bool {
    match ty.kind {
        Kind::Union { .. } | Kind::Vector => false,
        Kind::Float => ty.size <= 8,
        Kind::Struct { fields } => {
            let align = fields.iter().map(|field| field.ty.align).max().unwrap_or(1);
            ty.size > 0 && ty.align == align && fields.iter().all(|field| field.ty.size > 0)
        }
        Kind::Array { .. } => ty.size > 0,
        _ => true,
    }
}
