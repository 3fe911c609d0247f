// `convention!`, and paths in `abi`.

#![allow(unused)]

use cbframe::{CType, cbframe, conventions::*, convention};

convention! {
    pub struct Unknown {
        ints: [rax, rxx, eax, xmm0, rsp],
        floats: [xmm0, rax, xmm16],
        results: [r8d, rax],
        preserves: [rbx, flag, flags, xmm6, xmm6],
    }
}

convention! {
    struct Fields {
        ints: [rax],
        integers: [rax],
        floats: xmm0,
        results: [],
        preserves: [],
        preserves: [],
        home: many,
        callee_pops: 8,
        aggregates: ByValue,
        hidden: xmm0 -> rax,
    }
}

convention! {
    struct Missing {
        ints: [rax],
        floats: [],
        results: [rax],
    }
}

convention! {}

convention! { struct NoBody; }

fn main() {}
