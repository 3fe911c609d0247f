//! C peers and what the tests share.
