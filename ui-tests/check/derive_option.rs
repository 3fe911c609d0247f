// Something else that is called `Option`, around a function pointer.

use cbframe::CType;

struct Option<T>(T, u8);

#[derive(CType)]
#[repr(C)]
struct Callbacks<T> {
    notify: Option<extern "C" fn(&T)>,
}

#[derive(CType)]
#[repr(transparent)]
struct Callback(Option<extern "C" fn(&u8)>);

fn main() {}
