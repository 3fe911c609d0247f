// A `CType` written by hand that is not true is found where it is a field.

use cbframe::CType;
use cbframe::types::{Kind, Type};

#[repr(C)]
struct Half(u32);

unsafe impl CType for Half {
    const TYPE: Type = Type { name: "Half", size: 8, align: 4, kind: Kind::Int { signed: false } };
}

#[derive(CType)]
#[repr(C)]
struct Pair {
    first: Half,
    second: u32,
}

struct Loose(u32);

unsafe impl CType for Loose {
    const TYPE: Type = Type { name: "Loose", size: 4, align: 8, kind: Kind::Int { signed: false } };
}

#[derive(CType)]
#[repr(C)]
union Either {
    loose: std::mem::ManuallyDrop<Loose>,
    int: u32,
}

#[derive(CType)]
#[repr(C)]
enum TooWide {
    A = 1 << 40,
}

fn main() {}
