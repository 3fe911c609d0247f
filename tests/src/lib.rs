//! C peers and what the tests share.

pub mod again;
#[cfg(target_os = "linux")]
pub mod ban;
pub mod call;
pub mod callee;
pub mod child;
mod dynamic;
pub mod guard;
pub mod hand;
pub mod machine;
pub mod program;
mod signature;
pub mod system;
pub mod types;
mod values;
#[cfg(target_arch = "x86_64")]
pub mod vectors;
