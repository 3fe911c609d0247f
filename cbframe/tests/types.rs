//! `#[derive(CType)]` at run time: what is described is what the compiler laid out, and bits that are no value
//! are found, in the same way by compiled code and by the walk over a description.

mod c;
mod layout;

use cbframe::types::{Field, Kind, Type};
use cbframe::{CStrRef, CType};
use layout::Counterpart;
use proptest::prelude::*;
use std::arch::x86_64::{__m128i, __m256};
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

#[derive(CType)]
#[repr(C, packed)]
struct Packed<'a> {
    on: bool,
    first: &'a u64,
    level: Level,
    callback: extern "C" fn(&u8),
    maybe: Option<extern "C" fn(&u8)>,
    rest: [Flags; 2],
}

/// Packed to 2: what is aligned to more begins at an even offset, even if it has no bytes.
#[derive(CType)]
#[repr(C, packed(2))]
struct Packed2 {
    tag: u8,
    nested: PackedGeneric<bool>,
    none: [u64; 0],
    last: u8,
    wide: i128,
    empty: [u32; 0],
}

#[derive(CType, Clone, Copy)]
#[repr(packed(4), C)]
struct PackedGeneric<T>(u8, T, f64);

#[derive(CType)]
#[repr(C, packed(2))]
union PackedUnion {
    byte: u8,
    wide: u64,
    odd: [u8; 5],
}

#[derive(CType)]
#[repr(C)]
#[repr(align(64))]
struct Aligned {
    on: bool,
    mode: Mode,
}

/// Less than it would be aligned to anyway.
#[derive(CType)]
#[repr(C, align(2))]
struct AlignedLess(u8, u64);

#[derive(CType)]
#[repr(C, align(32))]
union AlignedUnion {
    bytes: [u64; 5],
    nested: ManuallyDrop<Nested>,
}

/// A union in a struct in a union.
#[derive(CType)]
#[repr(C)]
struct Nested {
    wide: u128,
    value: Value,
    none: [__m256; 0],
    vector: __m128i,
    maybe: MaybeUninit<Flags>,
    kept: ManuallyDrop<Flags>,
}

/// Stands for another crate.
mod foreign {
    use super::Mode;

    #[repr(C)]
    pub(crate) struct Entry<'a> {
        pub(crate) key: &'a u16,
        pub(crate) on: bool,
        pub(crate) mode: Mode,
    }

    #[repr(C, packed(2))]
    pub(crate) struct Table<'a> {
        pub(crate) tag: u8,
        pub(crate) entries: [Entry<'a>; 2],
        pub(crate) compare: Option<fn(&u8) -> bool>,
        pub(crate) hash: fn(&u8) -> u64,
    }

    #[repr(transparent)]
    pub(crate) struct Switch(pub(crate) bool);
}

cbframe::c_type! {
    struct foreign::Entry<'a> { key: &'a u16, on: bool, mode: Mode }

    // The lint is right that `fn` is not C's.
    #[allow(improper_ctypes_definitions)]
    struct foreign::Table<'a> {
        tag: u8,
        entries: [foreign::Entry<'a>; 2],
        compare: Option<fn(&u8) -> bool>,
        hash: fn(&u8) -> u64,
    }

    #[repr(transparent)]
    struct foreign::Switch(bool);
}

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
fn layouts_packed_and_aligned() {
    let packed = assert_layout!(Packed<'_>, on: bool, first: usize, level: Level, callback: usize, maybe: usize, rest: [Flags; 2]);
    assert_eq!((packed.size, packed.align), (1 + 8 + 4 + 8 + 8 + 8, 1));
    let packed = assert_layout!(Packed2, tag: u8, nested: PackedGeneric<bool>, none: [u64; 0], last: u8, wide: i128, empty: [u32; 0]);
    assert_eq!((packed.size, packed.align, fields(&packed)[4].offset), (2 + 12 + 2 + 16, 2, 16));
    assert_layout!(PackedGeneric<u16>, 0: u8, 1: u16, 2: f64);
    assert_layout!(PackedGeneric<AlignedLess>, 0: u8, 1: AlignedLess, 2: f64);
    let packed = assert_layout!(PackedUnion, byte: u8, wide: u64, odd: [u8; 5]);
    assert_eq!((packed.size, packed.align), (8, 2));
    let aligned = assert_layout!(Aligned, on: bool, mode: Mode);
    assert_eq!((aligned.size, aligned.align), (64, 64));
    assert_layout!(AlignedLess, 0: u8, 1: u64);
    assert_layout!(Nested, wide: u128, value: Value, none: [__m256; 0], vector: __m128i, maybe: Flags, kept: Flags);
    let aligned = assert_layout!(AlignedUnion, bytes: [u64; 5], nested: Nested);
    assert_eq!((aligned.size, aligned.align), (64, 32));
}

/// The same types in C.
const DEFINITIONS: &str = r#"
// Or gcc 12 aligns vectors of 32 bytes to 16.
#pragma GCC target("avx")
#include <stdbool.h>
#include <stdint.h>
typedef long long m128i __attribute__((vector_size(16)));
typedef float m256 __attribute__((vector_size(32)));
struct flags { bool on; uint8_t modes[3]; };
union value { bool flag; uint32_t bits[3]; uint8_t mode; };
struct __attribute__((packed)) packed_whole {
    bool on; const uint64_t *first; enum { LOW = -1, HIGH } level; void (*callback)(void); void (*maybe)(void); struct flags rest[2];
};
#pragma pack(push, 4)
struct packed_generic { uint8_t _0; bool _1; double _2; };
#pragma pack(pop)
#pragma pack(push, 2)
struct packed2 { uint8_t tag; struct packed_generic nested; uint64_t none[0]; uint8_t last; __int128 wide; uint32_t empty[0]; };
union packed_union { uint8_t byte; uint64_t wide; uint8_t odd[5]; };
#pragma pack(pop)
struct aligned_whole { _Alignas(64) bool on; uint8_t mode; };
struct __attribute__((aligned(2))) aligned_less { uint8_t _0; uint64_t _1; };
struct nested {
    unsigned __int128 wide; union value value; m256 none[0]; m128i vector;
    struct flags maybe; struct flags kept;
};
union aligned_union { _Alignas(32) uint64_t bytes[5]; struct nested nested; };
"#;

#[test]
fn as_c_has_them() {
    const TUPLE: &[(&str, &str)] = &[("0", "_0"), ("1", "_1"), ("2", "_2")];
    let counterpart = |ty, c: &str| Counterpart { ty, c: c.to_owned(), fields: TUPLE };
    layout::assert_layouts(
        "types",
        DEFINITIONS,
        &[
            counterpart(Flags::TYPE, "struct flags"),
            counterpart(Value::TYPE, "union value"),
            counterpart(Packed::TYPE, "struct packed_whole"),
            counterpart(PackedGeneric::<bool>::TYPE, "struct packed_generic"),
            counterpart(Packed2::TYPE, "struct packed2"),
            counterpart(PackedUnion::TYPE, "union packed_union"),
            counterpart(Aligned::TYPE, "struct aligned_whole"),
            counterpart(AlignedLess::TYPE, "struct aligned_less"),
            counterpart(Nested::TYPE, "struct nested"),
            counterpart(AlignedUnion::TYPE, "union aligned_union"),
        ],
    );
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
    described_invalid::<T, ()>(bytes)
}

/// The same for what is a `CType` by any description.
fn described_invalid<T: CType<L>, L>(bytes: &[u8]) -> Option<String> {
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
    assert_eq!(invalid::<CStrRef<'_>>(&[1]), None);
    assert_eq!(invalid::<Option<CStrRef<'_>>>(&[0; 8]), None);
    assert_eq!(invalid::<Value>(&[0xff; 12]), None);
    assert_eq!(invalid::<Empty>(&[]), None);
    assert_eq!(invalid::<Generic<f32, 4>>(&[0xff; 20]), None);
    assert_eq!(invalid::<PackedUnion>(&[0xff; 8]), None);
    assert_eq!(invalid::<AlignedUnion>(&[0xff; 64]), None);
    let mut nested = [0xff; size_of::<Nested>()];
    nested[offset_of!(Nested, kept)..][..4].copy_from_slice(&[1, 0, 1, 7]);
    assert_eq!(invalid::<Nested>(&nested), None);
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
    assert_eq!(message(invalid::<CStrRef<'_>>(&[0; 8])), " is null, which is not a value of CStrRef");
    let misaligned = message(invalid::<Option<&u32>>(&[6]));
    assert_eq!(misaligned, " is 0x6, which is not aligned to 4 bytes as a value of reference is");
    assert_eq!(message(invalid::<Flags>(&[1, 0, 1, 2])), ".modes[2] is 0x2, which is not a value of Mode (0, 1, 7)");
    assert_eq!(
        message(invalid::<Generic<Flags, 2>>(&[0, 0, 0, 0, 0, 9])),
        ".1[1].on is 9, which is not a bool (0 or 1)"
    );

    assert_eq!(message(invalid::<Aligned>(&[1, 2])), ".mode is 0x2, which is not a value of Mode (0, 1, 7)");
    assert_eq!(message(invalid::<Packed2>(&[0, 0, 0, 2])), ".nested.1 is 2, which is not a bool (0 or 1)");
    let mut packed = [0; size_of::<Packed<'_>>()];
    (packed[1], packed[9]) = (8, 1);
    assert_eq!(message(invalid::<Packed<'_>>(&packed)), ".callback is null, which is not a value of function pointer");
    packed[13] = 1;
    assert_eq!(invalid::<Packed<'_>>(&packed), None);
    packed[1] = 4;
    let misaligned = ".first is 0x4, which is not aligned to 8 bytes as a value of reference is";
    assert_eq!(message(invalid::<Packed<'_>>(&packed)), misaligned);

    let mut table = [0; size_of::<foreign::Table<'_>>()];
    (table[2], table[18]) = (8, 8);
    assert_eq!(
        message(described_invalid::<foreign::Table<'_>, _>(&table)),
        ".hash is null, which is not a value of function pointer"
    );
    table[2 + 2 * size_of::<foreign::Entry<'_>>() + 8] = 1;
    assert_eq!(described_invalid::<foreign::Table<'_>, _>(&table), None);
    table[18 + offset_of!(foreign::Entry<'_>, mode)] = 9;
    assert_eq!(
        message(described_invalid::<foreign::Table<'_>, _>(&table)),
        ".entries[1].mode is 0x9, which is not a value of Mode (0, 1, 7)"
    );
    table[2] = 7;
    assert_eq!(
        message(described_invalid::<foreign::Table<'_>, _>(&table)),
        ".entries[0].key is 0x7, which is not aligned to 2 bytes as a value of reference is"
    );
    assert_eq!(message(described_invalid::<foreign::Switch, _>(&[3])), " is 3, which is not a bool (0 or 1)");

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
        invalid::<Packed<'_>>(&bytes);
        invalid::<Packed2>(&bytes);
        invalid::<[PackedGeneric<Mode>; 3]>(&bytes);
        invalid::<Aligned>(&bytes);
        invalid::<Nested>(&bytes);
        described_invalid::<foreign::Table<'_>, _>(&bytes);
        described_invalid::<[foreign::Entry<'_>; 2], _>(&bytes);
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

/// A number that looks where it is asked about.
#[repr(transparent)]
struct Aware(u64);

// SAFETY: a transparent struct is described as what it is around; no more values are.
unsafe impl CType for Aware {
    const TYPE: Type = u64::TYPE;

    unsafe fn is_valid(bits: *const Self) -> bool {
        assert!(bits.is_aligned());
        // SAFETY: aligned, and the caller promises the rest.
        unsafe { bits.cast::<u64>().read() == 0x0807_0605_0403_0201 }
    }
}

#[derive(CType)]
#[repr(C, packed)]
struct Unaligned<T>(u8, T, Option<fn()>, fn());

mod packed {
    #[repr(C, packed(4))]
    pub(crate) struct Described(pub(crate) u32, pub(crate) super::Aware);
}

cbframe::c_type!(struct packed::Described(u32, Aware););

/// A field of a packed struct is not asked about where it lies, but the same bytes are.
#[test]
fn unaligned_fields() {
    for offset in 0..8 {
        let mut memory = [1u8; 48];
        memory[offset + 1..][..8].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        // SAFETY: within the memory, all of it initialized; these types are aligned to 1.
        assert!(unsafe { <Unaligned<Aware>>::is_valid(memory.as_ptr().add(offset).cast()) });
        memory[offset + 3] = 0;
        // SAFETY: as before.
        assert!(!unsafe { <Unaligned<Aware>>::is_valid(memory.as_ptr().add(offset).cast()) });
    }
    let words = [0u32, 0x0403_0201, 0x0807_0605, 0, 0];
    for (offset, expected) in [true, false, false].into_iter().enumerate() {
        // SAFETY: aligned to 4, within the memory.
        let found = unsafe { <packed::Described as CType<_>>::is_valid(words.as_ptr().add(offset).cast()) };
        assert_eq!(found, expected);
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
    let whole = Kind::Struct { fields: FIELDS };
    let first = Kind::Struct { fields: FIELDS.split_at(1).0 };
    assert_eq!(inconsistency(ty(12, 4, whole)), "cbframe: the offset of `T.b` is 8; in C it is 4");
    // Packed, but not so; or not meant to be packed.
    assert_eq!(
        inconsistency(ty(5, 1, whole)),
        "cbframe: the offset of `T.b` is 8; in C it is 1, aligned to 1 and not to 4"
    );
    assert_eq!(
        inconsistency(ty(8, 4, Kind::Union { fields: FIELDS })),
        "cbframe: the offset of `T.b` is 8; in C it is 0"
    );
    assert_eq!(inconsistency(ty(2, 1, first)), "cbframe: the size of `T` is 2; in C it is 1");
    assert_eq!(
        inconsistency(ty(1, 2, first)),
        "cbframe: the size of `T` is 1; in C it is 2, aligned to 2 and not to 1"
    );
    let array = ty(12, 4, Kind::Array { element: ELEMENT, len: 4 });
    assert_eq!(inconsistency(array), "cbframe: the size of `T` is 12; in C it is 16");
    // Would wrap to 0.
    let endless = inconsistency(ty(0, 4, Kind::Array { element: ELEMENT, len: 1 << (usize::BITS - 1) }));
    assert_eq!(endless, "cbframe: the size of `T` is 0, which is not that of so many elements");
    let endless = inconsistency(ty(usize::MAX - 3, 4, whole));
    assert!(endless.ends_with(", which is not one that fits into memory"), "{endless}");
    assert_eq!(inconsistency(ty(8, 1, Kind::Float)), "cbframe: the alignment of `T` is 1; in C it is 8");
    assert_eq!(inconsistency(ty(8, 4, Kind::Vector)), "cbframe: the alignment of `T` is 4; in C it is 8");
    let pointer = Kind::Pointer { nullable: true, pointee_align: 1 };
    assert_eq!(inconsistency(ty(8, 4, pointer)), "cbframe: the alignment of `T` is 4; in C it is 8");
    // What 32-bit x86 and Arm have.
    for (size, align, kind) in
        [(8, 4, Kind::Float), (8, 4, Kind::Int { signed: true }), (16, 8, Kind::Vector), (4, 4, pointer)]
    {
        ty(size, align, kind).check();
    }
    let unknown = "which is not one that C has for this kind";
    assert_eq!(inconsistency(ty(16, 1, Kind::Bool)), format!("cbframe: the size of `T` is 16, {unknown}"));
    assert_eq!(inconsistency(ty(4, 3, Kind::Float)), "cbframe: the alignment of `T` is 3, which is not a power of two");
}
