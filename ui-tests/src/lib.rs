//! trybuild suites: see `tests/`.
