//! POSIX `nftw` walks a directory tree and has no user-data pointer either.
//!
//! ```text
//! cargo run --example nftw            # the current directory
//! cargo run --example nftw -- /usr/share/doc
//! ```

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("`nftw` is a function of POSIX");
}
