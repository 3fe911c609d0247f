// `save(…)`.

#![allow(unused)]

use cbframe::{CpuState, CpuSubset, cbframe};

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

#[cbframe(abi = "raw", save(gpr, rax))]
fn in_group(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save(gpr, avx, xmm3))]
fn in_vectors(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save(rsp))]
fn stack_pointer(cpu: &mut CpuSubset) {}

#[cbframe(abi = "raw", save(gpr, ymm3, zmm31, k1, mxcsr, rflags))]
fn by_group(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save(eax, xmm16))]
fn no_such(cpu: &mut CpuSubset) {}

#[cbframe(abi = "raw", save(eax))]
fn of_another_architecture(cpu: &mut CpuSubset) {}

#[cbframe(abi = "win64", save(rcx, rcx))]
fn register_twice(#[cpu] cpu: &mut CpuSubset) {}

#[cbframe(abi = "raw", save(rdi))]
fn fields(cpu: &mut CpuState) {}

#[cbframe(abi = "raw", save(gpr))]
fn subset(cpu: &mut CpuSubset) {}

type Alias = CpuState;

// The name is not known to the macro, the type to the compiler.
#[cbframe(abi = "C", save(rdi))]
fn alias(#[cpu] cpu: &mut Alias) {}

fn main() {}
