// A description that is not the definition.

#![allow(unused)]

mod foreign {
    #[repr(C)]
    pub struct Point {
        pub x: f64,
        pub y: f64,
    }

    #[repr(C)]
    pub struct Pair(pub u32, pub f32);

    #[repr(C)]
    pub struct Secret {
        pub known: u32,
        unknown: u32,
    }

    #[repr(C)]
    pub struct Span<'a> {
        pub start: &'a u8,
        pub length: usize,
    }

    #[repr(C)]
    pub union Number {
        pub int: u32,
        pub float: f32,
    }

    #[repr(C)]
    pub struct Named {
        pub name: &'static str,
        pub tag: char,
    }
}

mod missing {
    cbframe::c_type!(struct super::foreign::Point { x: f64 });
    cbframe::c_type!(struct super::foreign::Pair(u32););
}

mod misspelt {
    cbframe::c_type!(struct super::foreign::Span<'a> { start: &'a u8, lenght: usize });
}

mod too_many {
    cbframe::c_type!(struct super::foreign::Point { x: f64, y: f64, z: f64 });
}

mod wrong_type {
    // The same size is not enough.
    cbframe::c_type!(struct super::foreign::Pair(i32, f64););
    cbframe::c_type!(struct super::foreign::Span<'a> { start: *const u8, length: usize });
}

mod private {
    cbframe::c_type!(struct super::foreign::Secret { known: u32, unknown: u32 });
}

mod hidden {
    cbframe::c_type!(struct super::foreign::Secret { known: u32 });
}

mod not_a_struct {
    cbframe::c_type!(struct super::foreign::Number { int: u32, float: f32 });
}

mod no_c_type {
    cbframe::c_type!(struct super::foreign::Named { name: &'static str, tag: char });
}

// Only `()` is anything to the crate that defines the type.
mod not_ours {
    cbframe::c_type!(local = (); struct libc::regmatch_t { rm_so: libc::regoff_t, rm_eo: libc::regoff_t });
}

fn main() {}
