//! What is wrong with a text, and where in it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::error::Error;
use core::fmt;
use core::ops::Range;

/// Why a text is no signature or no declaration, and where in it.
///
/// [`Display`](fmt::Display) prints the line and underlines the place:
///
/// ```text
/// parameter #1: there is no type `pont`: declare it first
///   |
/// 1 | double (*)(int, pont)
///   |                 ^^^^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(Box<Found>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    message: String,
    line: usize,
    column: usize,
    /// The text of the line.
    text: String,
    /// How many characters of it are wrong, at least one.
    width: usize,
}

impl ParseError {
    /// `message` about the bytes `range` of `text`.
    pub(super) fn new(text: &str, range: Range<usize>, message: impl Into<String>) -> Self {
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.floor_char_boundary(range.end.clamp(start, text.len()));
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let stop = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        Self(Box::new(Found {
            message: message.into(),
            line: text[..start].matches('\n').count() + 1,
            column: text[begin..start].chars().count() + 1,
            // What would move the caret, or more than it, is not printed.
            text: text[begin..stop]
                .trim_end()
                .chars()
                .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
                .collect(),
            width: text[start..end.min(stop)].trim_end().chars().count().max(1),
        }))
    }

    /// The same, which was found in this parameter.
    pub(super) fn in_parameter(mut self, index: usize, name: Option<&str>) -> Self {
        let name = name.map_or(String::new(), |name| format!(", `{name}`"));
        self.0.message = format!("parameter #{index}{name}: {}", self.0.message);
        self
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The line of the text, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// The column in that line, in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { message, line, column, text, width } = &*self.0;
        let number = line.to_string();
        let margin = number.len();
        writeln!(f, "{message}\n{:margin$} |\n{number} | {text}", "")?;
        write!(f, "{:margin$} | ", "")?;
        for c in text.chars().chain(core::iter::repeat(' ')).take(column - 1) {
            f.write_str(if c == '\t' { "\t" } else { " " })?;
        }
        f.write_str(&"^".repeat(*width))
    }
}

impl Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let text = "int\t(größe,\n  x\u{1b}yz) \r\n";
        let error = |range| ParseError::new(text, range, "no");
        assert_eq!(error(0..3).to_string(), "no\n  |\n1 | int\t(größe,\n  | ^^^");
        let at = text.find("größe").unwrap();
        assert_eq!(error(at..at + 7).to_string(), "no\n  |\n1 | int\t(größe,\n  |    \t ^^^^^");
        let at = text.find("yz").unwrap();
        assert_eq!((error(at..at + 2).line(), error(at..at + 2).column()), (2, 5));
        assert_eq!(error(at..text.len()).to_string(), "no\n  |\n2 |   x\u{fffd}yz)\n  |     ^^^");
        // Behind the end, and in the middle of a character.
        assert_eq!(error(900..901).line(), 3);
        assert_eq!(error(7..8).in_parameter(1, Some("a")).message(), "parameter #1, `a`: no");
    }
}
