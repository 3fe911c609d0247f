//! What bindgen made of the headers of libraries, for the tests.
#![allow(
    missing_docs,
    nonstandard_style,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "written by bindgen"
)]

/// Chipmunk 2D, a physics engine.
pub mod chipmunk {
    include!(concat!(env!("OUT_DIR"), "/chipmunk.rs"));
}

/// libclang, clang's parser as a library.
pub mod clang {
    include!(concat!(env!("OUT_DIR"), "/clang.rs"));
}

/// libxml2, a parser of XML.
pub mod xml {
    include!(concat!(env!("OUT_DIR"), "/xml.rs"));
}
