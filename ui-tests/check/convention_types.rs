// Conventions that make no sense, and signatures for which a convention has no rule.

#![allow(unused)]

use std::arch::x86_64::{__m128, __m256};

use cbframe::{CType, CpuState, Float16, LongDouble, cbframe, convention, conventions::*};

convention! {
    struct Popped { ints: [], floats: [], results: [rax], preserves: [], home: 32, callee_pops: true }
}

convention! {
    struct Hidden { ints: [rax], floats: [], results: [rax], preserves: [], hidden: rax -> rax }
}

convention! {
    struct Positions { ints: [rax], floats: [xmm0, xmm1], results: [rax], preserves: [], by_position: true }
}

convention! {
    struct Eightbytes { ints: [rax], floats: [xmm8], results: [rax], preserves: [], aggregates: Eightbytes }
}

convention! {
    struct Aligned { ints: [rax], floats: [xmm8], results: [rax], preserves: [], slot: 4 }
}

convention! {
    /// Nothing is wrong with it.
    struct NoFloats { ints: [rax], floats: [], results: [rax], preserves: [flags, rcx] }
}

#[derive(CType)]
#[repr(C)]
struct Pair {
    a: i64,
    b: i64,
}

#[cbframe(abi = Regcall)]
fn regcall(first: i32, pair: Pair, x: i128, y: LongDouble, z: Float16, w: __m256) -> Pair {
    pair
}

#[cbframe(abi = PreserveNoneClang19)]
fn preserve_none(first: u32, flag: bool, short: i16) {}

#[cbframe(abi = NoFloats)]
fn no_floats(x: f64) -> f64 {
    x
}

#[derive(CType)]
#[repr(C)]
struct Vector {
    x: f32,
    y: f32,
}

// Without a hidden pointer the sixth position is the sixth parameter.
#[cbframe(abi = Vectorcall)]
fn vectorcall(a: i32, b: i32, c: i32, d: i32, e: i32, f: Vector, g: Vector, h: LongDouble) -> Vector {
    f
}

#[cbframe(abi = Vectorcall)]
fn hidden(a: i32, b: i32, c: i32, d: i32, e: i32, f: Vector, g: __m128) -> Pair {
    Pair { a: 0, b: 0 }
}

#[derive(CType)]
#[repr(C)]
struct Numbers {
    of: [i32; 2],
}

#[derive(CType)]
#[repr(C)]
struct Five {
    a: i8,
    b: i8,
    c: i8,
    d: i8,
    e: i8,
}

#[cbframe(abi = GoInternal)]
fn go(#[cpu] cpu: &mut CpuState, a: Numbers, b: Five, c: __m128) -> Numbers {
    a
}

#[cbframe(abi = String)]
fn no_convention(x: i32) {}

#[cbframe(abi = Regcall, entry = "stack")]
fn no_entry(#[state] s: &u32, x: i32) {}

#[cbframe(abi = Regcall, ret = "eax")]
fn no_ret(#[reg("eax")] x: i32) -> i32 {
    x
}

fn main() {}
