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

#[derive(CType)]
#[repr(C, packed)]
struct Packed(u8, u32);

#[derive(CType)]
#[repr(C, packed(2))]
struct Packed2(u8, u32);

#[derive(CType)]
#[repr(C)]
#[repr(align(16))]
struct Aligned(u32);

#[derive(CType)]
#[repr(u8)]
struct NoEnum(u8);

#[derive(CType)]
#[repr(i128)]
enum Wide {
    A,
}

fn main() {}
