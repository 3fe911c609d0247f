//! Chipmunk 2D passes structs by value to its callbacks and takes them back by value: in registers (`cpVect`,
//! `cpSpaceDebugColor`), where no register is left on the stack, and as a result in memory (`cpBB`). The structs and the
//! pointer types are those that bindgen wrote.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

#[macro_use]
mod lanes;

mod bodies;
mod contours;
mod drawing;
mod indexes;
mod queries;
mod space;
