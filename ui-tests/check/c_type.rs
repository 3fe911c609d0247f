// What `c_type!` is asked for, and cannot do.

mod foreign {
    #[repr(C)]
    pub struct Point {
        pub x: f64,
        pub y: f64,
    }

    #[repr(C)]
    pub union Number {
        pub int: u32,
        pub float: f32,
    }

    #[repr(C)]
    pub enum Mode {
        Read,
        Write,
    }
}

mod refused {
    cbframe::c_type!(
        union super::foreign::Number { int: u32, float: f32 }
        enum super::foreign::Mode { Read, Write }

        #[derive(Clone)]
        #[repr(packed)]
        struct super::foreign::Point {
            #[cfg(unix)]
            x: f64,
            y: f64,
        }
    );

    // The types' uses are no errors of their own.
    #[cbframe::cbframe(abi = "C", entry = "captured")]
    fn uses(#[state] s: &u32, a: super::foreign::Number, b: super::foreign::Mode, c: super::foreign::Point) {
        let _ = (s, a, b, c);
    }
}

mod syntax {
    cbframe::c_type!();
    cbframe::c_type!(Point { x: f64, y: f64 });
    cbframe::c_type!(struct super::foreign::Point);
    cbframe::c_type!(struct super::foreign::Point(f64, f64) struct super::foreign::Mode { a: u8 });
    cbframe::c_type!(struct super::foreign::Point { x, y });
}

mod option {
    cbframe::c_type!(krate = cbframe; struct super::foreign::Point { x: f64, y: f64 });
    cbframe::c_type!(crate = cbframe, crate = cbframe; struct super::foreign::Point { x: f64, y: f64 });
    cbframe::c_type!(local = Here; struct super::foreign::Point { x: f64, y: f64 });
    cbframe::c_type!(crate = cbframe struct super::foreign::Point { x: f64, y: f64 });
}

fn main() {}
