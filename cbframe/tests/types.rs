//! `#[derive(CType)]` at run time: what is described is what the compiler laid out, and bits that are no value
//! are found, in the same way by compiled code and by the walk over a description.

use cbframe::CType;
use cbframe::types::{Field, Kind, Type};
use proptest::prelude::*;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, align_of, offset_of, size_of};
use std::ptr::NonNull;

#[derive(CType, Clone, Copy)]
#[repr(u8)]
enum Mode {
    Read,
    Write,
    Append = 7,
}

#[derive(CType, Clone, Copy)]
#[repr(i16)]
enum Step {
    Back = -2,
    Forth = 2,
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
enum Level {
    Low = -1,
    High = 1,
}

#[derive(CType, Clone, Copy)]
#[repr(C)]
enum Color {
    Red,
    Green,
}

#[derive(CType, Clone, Copy)]
#[repr(u64)]
enum Wide {
    Zero,
    Top = u64::MAX,
}

#[derive(CType)]
#[repr(transparent)]
struct Handle<Tag>(NonNull<u64>, PhantomData<Tag>);

#[derive(CType)]
#[repr(transparent)]
struct Notify(extern "C" fn(&u8));

#[derive(CType, Clone, Copy)]
#[repr(C)]
struct Flags {
    on: bool,
    modes: [Mode; 3],
}

#[derive(CType)]
#[repr(C)]
struct Outer<'a> {
    level: Level,
    step: Step,
    flags: [Flags; 2],
    r#type: f64,
    next: Option<&'a u32>,
    first: &'a u32,
    handle: Option<Handle<str8>>,
    notify: Option<Notify>,
    plain: fn(&Outer<'_>) -> f32,
    maybe: Option<unsafe extern "C" fn(&u8)>,
    raw: *const u64,
    value: Value,
    kind: PhantomData<u64>,
}

/// A type that is no `CType`.
#[allow(non_camel_case_types, reason = "the name of a marker")]
struct str8;

#[derive(CType)]
#[repr(C)]
union Value {
    flag: bool,
    bits: [u32; 3],
    mode: ManuallyDrop<Mode>,
}

#[derive(CType)]
#[repr(C)]
struct Generic<T, const N: usize>(u8, [T; N]);

#[derive(CType)]
#[repr(C)]
struct Empty;

/// The fields of a struct or a union.
fn fields(ty: &Type) -> &'static [Field] {
    match ty.kind {
        Kind::Struct { fields } | Kind::Union { fields } => fields,
        _ => panic!("{ty:?} has no fields"),
    }
}

/// Checks size, alignment and, if given, each field's offset and size.
macro_rules! assert_layout {
    ($ty:ty $(, $($field:tt: $field_ty:ty),*)?) => {{
        let ty = <$ty as CType>::TYPE;
        ty.check();
        assert_eq!((ty.size, ty.align), (size_of::<$ty>(), align_of::<$ty>()));
        $(
            let found: Vec<_> = fields(&ty).iter().map(|f| (f.name, f.offset, f.ty.size, f.ty.align)).collect();
            let expected = [
                $((stringify!($field).trim_start_matches("r#"), offset_of!($ty, $field), size_of::<$field_ty>(), align_of::<$field_ty>())),*
            ];
            assert_eq!(found, expected);
        )?
        ty
    }};
}

#[test]
fn layouts() {
    assert_layout!(Mode);
    assert_layout!(Step);
    assert_layout!(Level);
    assert_layout!(Wide);
    assert_layout!(Empty);
    assert_layout!(Notify);
    assert_layout!(Flags, on: bool, modes: [Mode; 3]);
    assert_layout!(Value, flag: bool, bits: [u32; 3], mode: Mode);
    assert_layout!(Generic<u16, 5>, 0: u8, 1: [u16; 5]);
    assert_layout!(Generic<Outer<'_>, 0>, 0: u8, 1: [Outer<'_>; 0]);
    let outer = assert_layout!(Outer<'_>,
        level: Level, step: Step, flags: [Flags; 2], r#type: f64, next: usize, first: usize, handle: usize,
        notify: usize, plain: usize, maybe: usize, raw: usize, value: Value, kind: ());
    assert_eq!(outer.name, "Outer");
}

#[test]
fn kinds() {
    let pointer = |nullable, pointee_align| Kind::Pointer { nullable, pointee_align };
    let kinds: Vec<Kind> = fields(&Outer::TYPE).iter().map(|field| field.ty.kind).collect();
    assert_eq!(kinds[0], Kind::Enum { signed: true, values: &[-1, 1] });
    assert_eq!(kinds[1], Kind::Enum { signed: true, values: &[-2, 2] });
    assert_eq!(kinds[3], Kind::Float);
    assert_eq!(kinds[4], pointer(true, 4));
    assert_eq!(kinds[5], pointer(false, 4));
    assert_eq!(
        kinds[6..=10],
        [pointer(true, 1), pointer(true, 1), pointer(false, 1), pointer(true, 1), pointer(true, 1)]
    );
    assert!(matches!(kinds[11], Kind::Union { .. }));

    assert_eq!(Color::TYPE.kind, Kind::Enum { signed: false, values: &[0, 1] });
    assert_eq!(Wide::TYPE.kind, Kind::Enum { signed: false, values: &[0, u64::MAX as i128] });
    assert_eq!((Notify::TYPE.name, Notify::TYPE.kind), ("Notify", pointer(false, 1)));
    assert_eq!(<Option<Notify>>::TYPE.kind, pointer(true, 1));
}

/// Memory for a `T` with these bytes, zeros after them.
fn holding<T>(bytes: &[u8]) -> MaybeUninit<T> {
    let mut memory = MaybeUninit::<T>::zeroed();
    let len = bytes.len().min(size_of::<T>());
    // SAFETY: both are valid for `len` bytes, and the memory is new.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory.as_mut_ptr().cast(), len) };
    memory
}

/// What is wrong with these bytes as a `T`, after asserting that compiled code and the description agree.
fn invalid<T: CType>(bytes: &[u8]) -> Option<String> {
    let memory = holding::<T>(bytes);
    // SAFETY: aligned, and `size_of::<T>()` bytes, all initialized.
    let is_valid = unsafe { T::is_valid(memory.as_ptr()) };
    // SAFETY: as before; `check` is part of every derived type.
    let found = unsafe { T::TYPE.find_invalid(memory.as_ptr().cast()) };
    assert_eq!(is_valid, found.is_none(), "{}: {found:?} in {bytes:02x?}", T::TYPE.name);
    found.map(|found| found.to_string())
}

#[test]
fn values_that_exist() {
    assert_eq!(invalid::<bool>(&[1]), None);
    assert_eq!(invalid::<Mode>(&[7]), None);
    assert_eq!(invalid::<Step>(&(-2i16).to_le_bytes()), None);
    assert_eq!(invalid::<Level>(&(-1i32).to_le_bytes()), None);
    assert_eq!(invalid::<Wide>(&[0xff; 8]), None);
    assert_eq!(invalid::<Option<&u32>>(&[0; 8]), None);
    assert_eq!(invalid::<Option<Notify>>(&[0; 8]), None);
    assert_eq!(invalid::<Value>(&[0xff; 12]), None);
    assert_eq!(invalid::<Empty>(&[]), None);
    assert_eq!(invalid::<Generic<f32, 4>>(&[0xff; 20]), None);
}

#[test]
fn messages() {
    let message = |found: Option<String>| found.expect("these bits are no value");
    assert_eq!(message(invalid::<bool>(&[2])), " is 2, which is not a bool (0 or 1)");
    assert_eq!(message(invalid::<Mode>(&[3])), " is 0x3, which is not a value of Mode (0, 1, 7)");
    assert_eq!(message(invalid::<Step>(&[0])), " is 0x0, which is not a value of Step (-2, 2)");
    assert_eq!(
        message(invalid::<Level>(&[0xfe, 0xff, 0xff, 0xff])),
        " is 0xfffffffe, which is not a value of Level (-1, 1)"
    );
    assert_eq!(message(invalid::<&u32>(&[0; 8])), " is null, which is not a value of reference");
    assert_eq!(message(invalid::<Handle<u8>>(&[0; 8])), " is null, which is not a value of Handle");
    assert_eq!(message(invalid::<Notify>(&[0; 8])), " is null, which is not a value of Notify");
    let misaligned = message(invalid::<Option<&u32>>(&[6]));
    assert_eq!(misaligned, " is 0x6, which is not aligned to 4 bytes as a value of reference is");
    assert_eq!(message(invalid::<Flags>(&[1, 0, 1, 2])), ".modes[2] is 0x2, which is not a value of Mode (0, 1, 7)");
    assert_eq!(
        message(invalid::<Generic<Flags, 2>>(&[0, 0, 0, 0, 0, 9])),
        ".1[1].on is 9, which is not a bool (0 or 1)"
    );

    let mut outer = [0; size_of::<Outer<'_>>()];
    outer[offset_of!(Outer<'_>, level)] = 1;
    outer[offset_of!(Outer<'_>, step)] = 2;
    outer[offset_of!(Outer<'_>, first)] = 8;
    assert_eq!(message(invalid::<Outer<'_>>(&outer)), ".plain is null, which is not a value of function pointer");
    outer[offset_of!(Outer<'_>, plain)] = 1;
    assert_eq!(invalid::<Outer<'_>>(&outer), None);
}

/// Bytes of which a good part are values of small types.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => 0u8..3, 1 => Just(7u8), 1 => Just(0xff_u8), 1 => any::<u8>()];
    proptest::collection::vec(byte, size_of::<Outer<'_>>())
}

proptest! {
    /// `invalid` asserts that both ways agree.
    #[test]
    fn compiled_code_and_description_agree(bytes in bytes()) {
        invalid::<bool>(&bytes);
        invalid::<Mode>(&bytes);
        invalid::<Step>(&bytes);
        invalid::<Level>(&bytes);
        invalid::<Color>(&bytes);
        invalid::<Wide>(&bytes);
        invalid::<&u16>(&bytes);
        invalid::<Option<&mut u64>>(&bytes);
        invalid::<Option<Handle<str8>>>(&bytes);
        invalid::<Flags>(&bytes);
        invalid::<Value>(&bytes);
        invalid::<Generic<Flags, 3>>(&bytes);
        invalid::<Generic<Option<&u32>, 2>>(&bytes);
        invalid::<Outer<'_>>(&bytes);
    }

    /// An `Outer` that is right but for one byte.
    #[test]
    fn one_byte_of_a_struct(at in 0..size_of::<Outer<'_>>(), byte in any::<u8>()) {
        let mut outer = [0; size_of::<Outer<'_>>()];
        for (offset, value) in [
            (offset_of!(Outer<'_>, level), 1),
            (offset_of!(Outer<'_>, step), 2),
            (offset_of!(Outer<'_>, first), 4),
            (offset_of!(Outer<'_>, plain), 1),
        ] {
            outer[offset] = value;
        }
        prop_assert_eq!(invalid::<Outer<'_>>(&outer), None);
        outer[at] = byte;
        invalid::<Outer<'_>>(&outer);
    }
}

/// The message of the panic of `check`.
fn inconsistency(ty: Type) -> String {
    let panic = std::panic::catch_unwind(|| ty.check()).expect_err("a wrong description");
    *panic.downcast::<String>().expect("a formatted message")
}

#[test]
fn wrong_descriptions() {
    const FIELDS: &[Field] =
        &[Field { name: "a", offset: 0, ty: u8::TYPE }, Field { name: "b", offset: 8, ty: u32::TYPE }];
    const ELEMENT: &Type = &u32::TYPE;
    let ty = |size, align, kind| Type { name: "T", size, align, kind };
    let packed = ty(5, 1, Kind::Struct { fields: FIELDS });
    assert_eq!(inconsistency(packed), "cbframe: the offset of `T.b` is 8; in C it is 4");
    assert_eq!(
        inconsistency(ty(8, 4, Kind::Union { fields: FIELDS })),
        "cbframe: the offset of `T.b` is 8; in C it is 0"
    );
    let first = FIELDS.split_at(1).0;
    assert_eq!(
        inconsistency(ty(1, 2, Kind::Struct { fields: first })),
        "cbframe: the alignment of `T` is 2; in C it is 1"
    );
    assert_eq!(inconsistency(ty(2, 1, Kind::Struct { fields: first })), "cbframe: the size of `T` is 2; in C it is 1");
    let array = ty(12, 4, Kind::Array { element: ELEMENT, len: 4 });
    assert_eq!(inconsistency(array), "cbframe: the size of `T` is 12; in C it is 16");
    let unknown = "which is not one that C has for this kind";
    assert_eq!(inconsistency(ty(16, 1, Kind::Bool)), format!("cbframe: the size of `T` is 16, {unknown}"));
    assert_eq!(inconsistency(ty(4, 3, Kind::Float)), "cbframe: the alignment of `T` is 3, which is not a power of two");
}
