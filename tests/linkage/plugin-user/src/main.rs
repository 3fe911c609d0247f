//! A program on top of a Rust `dylib`.

use std::sync::Arc;

use cbframe::cbframe;

#[cbframe(abi = "C", pool = plugin::PLUGIN)]
fn own(#[state] base: &i64, x: i64) -> i64 {
    base + x
}

fn main() {
    plugin::calls::run();
    assert_eq!(plugin::product(6, 7), 42);
    let (generic, shared, own) =
        (plugin::bound(Arc::new(5)), plugin::shared::bind(Box::new(5)).unwrap(), own::bind(5).unwrap());
    // SAFETY: the frames live.
    assert_eq!(unsafe { (generic.as_fn()(3), shared.as_fn()(3), own.as_fn()(3)) }, (15, 2, 8));
    assert_eq!(plugin::PLUGIN.stats().bound, 2);
    // There is one copy of the library.
    assert!(cbframe::resolve(generic.as_ptr()).unwrap().name().ends_with("::pooled"));
    println!("linked");
}
