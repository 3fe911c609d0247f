//! Texts for panics in a `const`, where `format!` cannot be.

/// The text of a panic, put together where `format!` cannot be: in a `const`.
pub(crate) struct Message {
    bytes: [u8; 256],
    len: usize,
}

impl Message {
    pub(crate) const fn new(text: &str) -> Self {
        Self { bytes: [0; 256], len: 0 }.text(text)
    }

    /// Appends `text`, as far as there is room.
    pub(crate) const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Appends `number` in decimal.
    pub(crate) const fn number(self, number: usize) -> Self {
        let shorter = if number >= 10 { self.number(number / 10) } else { self };
        let digit = [b'0' + (number % 10) as u8];
        match core::str::from_utf8(&digit) {
            Ok(digit) => shorter.text(digit),
            Err(_) => shorter,
        }
    }

    /// Panics with this text.
    #[track_caller]
    pub(crate) const fn panic(&self) -> ! {
        let bytes = self.bytes.split_at(self.len).0;
        match core::str::from_utf8(bytes) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("cbframe: a type's description is inconsistent"),
        }
    }
}
