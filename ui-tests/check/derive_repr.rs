// Types whose layout C cannot share.

use cbframe::CType;

#[derive(CType)]
struct NoRepr {
    x: u32,
}

// The type's uses are no errors of their own.
#[derive(CType)]
#[repr(C)]
struct Outer {
    inner: NoRepr,
}

#[derive(CType)]
enum NoInteger {
    A,
}

#[derive(CType)]
union NoOrder {
    a: u8,
    b: u32,
}

#[derive(CType)]
#[repr(Rust)]
struct Explicit(u32);

// Without `C`, packing says nothing of the order.
#[derive(CType)]
#[repr(packed)]
struct Packed(u8, u32);

#[derive(CType)]
#[repr(C, align(128))]
struct Page([u8; 128]);

#[derive(CType)]
#[repr(C)]
#[repr(align(4096))]
union Pages {
    bytes: [u8; 4096],
}

#[derive(CType)]
#[repr(u8, align(2))]
enum AlignedEnum {
    A,
}

// Rust's own rules.
#[derive(CType)]
#[repr(C, packed, align(4))]
struct Both(u8);

#[derive(CType)]
#[repr(transparent, align(4))]
struct TransparentAndAligned(u8);

#[derive(CType)]
#[repr(C, packed(3))]
struct Three(u8);

#[derive(CType)]
#[repr(C, align(2, 2))]
struct Twice(u8);

#[derive(CType)]
#[repr(u8)]
struct NoEnum(u8);

#[derive(CType)]
#[repr(i128)]
enum Wide {
    A,
}

fn main() {}
