//! What a C caller really passes: the whole state of the CPU at the moment libc calls back.
//!
//! ```text
//! cargo run --example inspect
//! ```

use std::mem::transmute;
use std::sync::atomic::{AtomicUsize, Ordering};

use cbframe::{CpuState, bind_static, cbframe, resolve};

/// A raw handler: no signature, any address. It dumps the first call and answers each as a comparator would, from
/// rdi and rsi (rcx and rdx on Windows) to rax.
#[cbframe(abi = "raw", save(gpr, flags, sse, x87))]
fn spy(#[state] calls: &AtomicUsize, cpu: &mut CpuState) {
    if calls.fetch_add(1, Ordering::Relaxed) == 0 {
        println!("the first call of the comparator, as libc made it:\n\n{cpu:#}");
    }
    let (a, b) = if cfg!(windows) { (cpu.rcx, cpu.rdx) } else { (cpu.rdi, cpu.rsi) };
    // SAFETY: `qsort` passes the addresses of two elements, which are `f64`s here.
    let (a, b) = unsafe { (*(a as *const f64), *(b as *const f64)) };
    cpu.rax = a.total_cmp(&b) as i64 as u64;
}

/// The same with names: typed arguments, and the registers that they came in.
#[cbframe(abi = "C")]
fn named(#[state] calls: &AtomicUsize, #[cpu] cpu: &mut CpuState, a: &f64, b: &f64) -> i32 {
    if calls.fetch_add(1, Ordering::Relaxed) == 0 {
        println!("the first typed call: a = {a}, b = {b}, return address {:#x}\n{}\n", cpu.rip, named::LAYOUT);
    }
    a.total_cmp(b) as i32
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = [3.25, -1.5, 1e9, 0.0];
    let (count, size) = (numbers.len(), size_of::<f64>());

    let frame = spy::bind(AtomicUsize::new(0))?;
    // SAFETY: `qsort` calls back before it returns, with the addresses of two elements.
    unsafe { libc::qsort(numbers.as_mut_ptr().cast(), count, size, frame.as_fn_of()) };
    println!("sorted: {numbers:?}\nthe way back from the address: {:?}\n", resolve(frame.as_ptr()));

    // A `static` state needs no frame: the pointer is a constant.
    const COMPARE: unsafe extern "C" fn(&f64, &f64) -> i32 = bind_static!(named, CALLS);
    numbers.reverse();
    // SAFETY: as above; a reference to an element is passed like a pointer to it.
    unsafe {
        let compare = transmute::<unsafe extern "C" fn(&f64, &f64) -> i32, Comparator>(COMPARE);
        libc::qsort(numbers.as_mut_ptr().cast(), count, size, Some(compare));
    }
    println!("sorted again, in {} calls: {numbers:?}", CALLS.load(Ordering::Relaxed));
    Ok(())
}

/// The comparator as `<stdlib.h>` declares it.
type Comparator = unsafe extern "C" fn(*const libc::c_void, *const libc::c_void) -> libc::c_int;
