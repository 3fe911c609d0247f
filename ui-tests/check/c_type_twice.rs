// Two descriptions of one type.

mod foreign {
    #[repr(C)]
    pub struct Point {
        pub x: f64,
        pub y: f64,
    }
}

mod one {
    cbframe::c_type!(struct super::foreign::Point { x: f64, y: f64 });
}

mod two {
    cbframe::c_type!(struct super::foreign::Point { x: f64, y: f64 });
}

// The feature `libc` is the other one.
cbframe::c_type!(struct libc::timespec { tv_sec: libc::time_t, tv_nsec: libc::c_long });

#[cbframe::cbframe(abi = "C")]
fn parameter(#[state] _s: &u32, _x: foreign::Point, _behind: &foreign::Point) {}

#[cbframe::cbframe(abi = "sysv64", entry = "captured")]
fn result(#[state] _s: &u32) -> libc::timespec {
    libc::timespec { tv_sec: 0, tv_nsec: 0 }
}

#[derive(cbframe::CType)]
#[repr(C)]
struct Line {
    ends: [foreign::Point; 2],
}

fn main() {}
