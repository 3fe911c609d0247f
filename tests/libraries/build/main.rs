//! Declares C libraries from the headers that are installed.

mod chipmunk;
mod clang;
mod xml;

fn main() {
    chipmunk::main();
    clang::main();
    xml::main();
}
