//! Messages on standard error.

use core::fmt::{self, Write};

use super::system::write_stderr;

/// Prints `cbframe: {message}` on standard error; async-signal-safe.
#[cold]
pub(crate) fn report(message: fmt::Arguments<'_>) {
    let mut out = Stderr { buffer: [0; 512], used: 0 };
    // Standard error that cannot be written to leaves nothing to do.
    let _ = writeln!(out, "cbframe: {message}");
    out.flush();
}

/// Collects text, so that a message of ordinary length is one `write`.
struct Stderr {
    buffer: [u8; 512],
    used: usize,
}

impl Stderr {
    fn flush(&mut self) {
        write_stderr(&self.buffer[..self.used]);
        self.used = 0;
    }
}

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.used == self.buffer.len() {
                self.flush();
            }
            self.buffer[self.used] = byte;
            self.used += 1;
        }
        Ok(())
    }
}
