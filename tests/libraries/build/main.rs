//! Declares two C libraries from the headers that are installed.

mod chipmunk;
mod clang;

fn main() {
    chipmunk::main();
    clang::main();
}
