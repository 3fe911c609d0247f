//! From one description of types and signatures: the C callers, the Rust callbacks, and what both are told.
//!
//! What is known here of a type is what C's rules say of its size and its fields. Both compilers confirm it, and
//! nothing here knows how a value is passed.

pub mod c;
pub mod compilers;
pub mod made;
pub mod random;
pub mod rust;
pub mod shrink;
pub mod signatures;
pub mod table;
pub mod types;
pub mod verdict;
pub mod ways;
