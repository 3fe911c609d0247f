// A single field: C may pass it otherwise than a struct around it.

mod foreign {
    use std::marker::PhantomData;

    #[repr(transparent)]
    pub struct Celsius(pub f32);

    #[repr(transparent)]
    pub struct Tagged(pub u64, pub PhantomData<u8>);

    #[repr(C)]
    pub struct Lone {
        pub value: f32,
    }

    #[repr(C)]
    pub struct Wrapped {
        pub lone: Lone,
    }

    // Not even one of its members makes a union a struct.
    #[repr(C)]
    pub union Number {
        pub int: u32,
        pub float: f32,
    }
}

mod unsaid {
    use super::foreign;
    use std::marker::PhantomData;

    cbframe::c_type!(
        struct foreign::Celsius(f32);
        struct foreign::Tagged(u64, PhantomData<u8>);
        struct foreign::Lone { value: f32 }
        struct foreign::Wrapped { lone: foreign::Lone }
    );
}

mod said {
    use super::foreign;

    cbframe::c_type!(
        #[repr(C)]
        struct foreign::Number { float: f32 }
    );
}

fn main() {}
