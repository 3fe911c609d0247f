// A generic type has a layout only where it is used.

use cbframe::CType;
use cbframe::types::{Kind, Type};

struct Loose(u32);

unsafe impl CType for Loose {
    const TYPE: Type = Type { name: "Loose", size: 4, align: 1, kind: Kind::Struct { fields: &[] } };
}

#[derive(CType)]
#[repr(C)]
struct Tagged<T> {
    tag: u8,
    value: T,
}

fn place<T: CType>() {
    const { T::TYPE.check() }
}

fn main() {
    place::<Tagged<u32>>();
    place::<Tagged<Loose>>();
}
