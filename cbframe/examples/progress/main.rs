//! A long computation that tells how far it is: a signal handler and a function at exit, each with a state.
//!
//! ```text
//! cargo run --example progress            # counts primes; Ctrl-C ends it early
//! cargo run --example progress -- 3000000
//! ```

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this program is one for Linux: it lives on signals");
}
