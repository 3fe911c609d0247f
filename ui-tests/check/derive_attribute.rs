// `#[cbframe(…)]` on a type.

use cbframe::CType;

#[derive(CType)]
#[cbframe(krate = cbframe)]
#[repr(C)]
struct Misspelled(u8);

#[derive(CType)]
#[cbframe(crate = "cbframe")]
#[repr(C)]
struct Quoted(u8);

#[derive(CType)]
#[cbframe(crate = cbframe, crate = cbframe)]
#[repr(C)]
struct Twice(u8);

#[derive(CType)]
#[cbframe]
#[repr(C)]
struct Empty(u8);

#[derive(CType)]
#[repr(C)]
struct Elsewhere {
    #[cbframe(crate = cbframe)]
    x: u8,
}

fn main() {}
