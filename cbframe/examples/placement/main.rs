//! A calling convention that is defined by an algorithm. The caller is in assembly, for x86-64 only: see `x86_64.rs`.

#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "x86_64")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    x86_64::main()
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("the caller of this example is in assembly for x86-64");
}
