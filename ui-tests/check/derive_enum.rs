// Enums that C has no counterpart of.

use cbframe::CType;

#[derive(CType)]
#[repr(C)]
enum Event {
    Quit,
    Key { code: u32 },
    Click(i32, i32),
}

#[derive(CType)]
#[repr(u8)]
enum Parentheses {
    A(),
    B {},
}

#[derive(CType)]
enum Never {}

#[derive(CType)]
#[repr(u8)]
enum Generic<const N: usize> {
    A,
}

#[derive(CType)]
#[repr(transparent)]
enum Transparent {
    A(u8),
}

fn main() {}
