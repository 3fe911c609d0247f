//! Layouts as text.
