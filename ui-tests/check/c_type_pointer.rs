// A described type is none of a function pointer's, nor a generic one's.

mod foreign {
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Point {
        pub x: f64,
        pub y: f64,
    }
}

cbframe::c_type!(struct foreign::Point { x: f64, y: f64 });

#[cbframe::cbframe(abi = "C")]
fn stateless(_: foreign::Point) {}

#[cbframe::cbframe(abi = "C")]
fn stateful(#[state] _s: &u32, _: foreign::Point) {}

#[derive(cbframe::CType)]
#[repr(C)]
struct Pair<T>(T, T);

const _: usize = <Pair<foreign::Point> as cbframe::CType>::TYPE.size;

fn main() {
    let _: unsafe extern "C" fn(foreign::Point) = stateless::as_fn_of();
    let frame = stateful::bind(1).unwrap();
    let _ = frame.as_fn_of::<Option<unsafe extern "C" fn(foreign::Point)>>();
}
