// `save(…)`.

#![allow(unused)]

use cbframe::{CpuState, cbframe};

#[cbframe(abi = "raw", save(gpr, mmx))]
fn unknown(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save(gpr, sse, gpr))]
fn twice(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save(sse))]
fn without_gpr(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save())]
fn empty(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save = gpr)]
fn equals(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save)]
fn bare(cpu: &mut CpuState) {}

#[cbframe(abi = "win64", save(gpr))]
fn without_cpu(a: i32) {}

fn main() {}
