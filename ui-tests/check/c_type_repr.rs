// Whether a struct is laid out as C does it.

mod foreign {
    pub struct NoRepr {
        pub x: u32,
        pub y: u32,
    }
}

cbframe::c_type!(struct foreign::NoRepr { x: u32, y: u32 });

fn main() {}
