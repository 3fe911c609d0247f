// What a transparent struct is transparent around has to be seen.

use cbframe::CType;
use std::marker::PhantomData;

struct Marker;

#[derive(CType)]
#[repr(transparent)]
struct Tagged(u32, Marker);

#[derive(CType)]
#[repr(transparent)]
struct Nothing;

#[derive(CType)]
#[repr(transparent)]
struct OnlyMarkers(PhantomData<u8>, ());

mod tricks {
    pub struct PhantomData(pub u64);
}

#[derive(CType)]
#[repr(transparent)]
struct Bytes((), [u8; 0], tricks::PhantomData);

#[derive(CType)]
#[repr(transparent)]
struct NoBytes([u8; 0], tricks::PhantomData);

// `Option` is a pointer only around what is never null.
#[derive(CType)]
#[repr(transparent)]
struct Id(u32);

#[derive(CType)]
#[repr(C)]
struct Lookup {
    id: Option<Id>,
}

fn main() {}
