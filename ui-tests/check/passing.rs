// Types that C cannot pass, or not so.

#![allow(unused)]

use cbframe::cbframe;

#[cbframe(abi = "sysv64")]
fn unit(x: (), y: i32) {}

#[cbframe(abi = "sysv64")]
fn array(#[state] s: &u32, x: [u8; 4], y: i32) {}

#[cbframe(abi = "C")]
fn array_result() -> [u8; 4] {
    [0; 4]
}

#[cbframe(abi = "win64", entry = "captured")]
fn captured(x: ()) -> [u8; 4] {
    [0; 4]
}

type Unit = ();
type Four = [u8; 4];

#[cbframe(abi = "C")]
fn aliases(#[state] s: &u32, x: Unit, y: Four) -> Four {
    y
}

#[derive(Clone, Copy)]
#[repr(C, align(128))]
struct Page([u8; 128]);

#[cbframe(abi = "sysv64")]
fn aligned(#[state] s: &u32, x: Page) {}

#[repr(C)]
struct Pair(u64, u64);

// In memory or in xmm0?
#[cbframe(abi = "win64")]
fn pair(#[state] s: &u32) -> Pair {
    Pair(0, 0)
}

// Nothing depends on it here.
#[cbframe(abi = "sysv64")]
fn pair_sysv64(#[state] s: &u32) -> Pair {
    Pair(0, 0)
}

// Rust passes this; nobody knows where.
#[cbframe(abi = "sysv64")]
fn pair_argument(#[state] s: &u32, x: Pair) {}

const _: &cbframe::abi::Layout = pair_argument::LAYOUT;

fn main() {}
