// Fields that are no C types: the error is on the field's type.

use cbframe::CType;
use std::marker::PhantomData;

#[derive(CType)]
#[repr(C)]
struct Record<'a> {
    name: &'a str,
    letter: char,
    tags: Vec<u8>,
    callback: Option<Box<dyn Fn()>>,
}

struct Opaque;

#[derive(CType)]
#[repr(C)]
union Either {
    a: u32,
    b: std::mem::ManuallyDrop<Opaque>,
}

// Behind a pointer, or as a marker, anything goes.
#[derive(CType)]
#[repr(C)]
struct Handle<T> {
    object: *mut T,
    kind: PhantomData<T>,
}

#[derive(CType)]
#[repr(C)]
struct ByValue<T> {
    value: T,
}

const _: usize = <Handle<Opaque> as CType>::TYPE.size;
const _: usize = <ByValue<Opaque> as CType>::TYPE.size;

fn main() {}
