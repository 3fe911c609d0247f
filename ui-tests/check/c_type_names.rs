// Names that mean nothing.

mod foreign {
    #[repr(C)]
    pub struct Generic<T> {
        pub value: T,
        pub tag: u8,
    }
}

mod no_type {
    cbframe::c_type!(struct super::foreign::Nowhere { x: f64 });
}

mod no_field_type {
    cbframe::c_type!(struct super::foreign::Generic<u32> { value: Undeclared, tag: u8 });
}

// A description is of one type.
mod parameter {
    cbframe::c_type!(struct super::foreign::Generic<T> { value: T, tag: u8 });
}

fn main() {}
