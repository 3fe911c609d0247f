//! POSIX `scandir` lists a directory by two callbacks, a filter and an order, and has user data for neither. Here both
//! share one state.
//!
//! ```text
//! cargo run --example scandir                          # the current directory, by name
//! cargo run --example scandir -- --by size --extension rs cbframe/src
//! ```

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("`scandir` is a function of POSIX");
}
