//! C's tokens, as far as declarations have them.

use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use crate::parse::ParseError;

/// A token and the bytes of the text that it is.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) is: Is,
    pub(super) range: Range<usize>,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// An identifier or a keyword.
    Word,
    Number,
    /// A character constant.
    Character,
    String,
    Punctuation(&'static str),
    /// A line `#pragma pack(…)`.
    Pack,
    /// Behind the last one.
    End,
}

/// Longer ones first.
const PUNCTUATION: [&str; 34] = [
    "...", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "->", "(", ")", "[", "]", "{", "}", ",", ";", ":", "*", "=",
    "&", "|", "^", "~", "!", "+", "-", "/", "%", "<", ">", "?", ".",
];

/// The tokens of a text, the last of which is [`Is::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at = skip(text, at)?;
        let Some(first) = text[at..].chars().next() else {
            tokens.push(Token { is: Is::End, range: at..at });
            return Ok(tokens);
        };
        let (is, len) = match first {
            '"' => (Is::String, quoted(text, at, first)?),
            '\'' => (Is::Character, quoted(text, at, first)?),
            _ if is_digit_at(text, at) => (Is::Number, number(&text[at..])),
            _ if is_word(first) => (Is::Word, text[at..].find(|c| !is_word(c)).unwrap_or(text.len() - at)),
            _ => match PUNCTUATION.iter().find(|token| text[at..].starts_with(**token)) {
                Some(token) => (Is::Punctuation(token), token.len()),
                None if first == '#' && text[at..].starts_with("#pragma pack") => {
                    (Is::Pack, text[at..].find('\n').unwrap_or(text.len() - at))
                }
                None if first == '#' => {
                    let what = "a line for the preprocessor: give the text as `cc -E -P` leaves it";
                    return Err(ParseError::new(text, at..at + 1, what));
                }
                None => {
                    let what = format!("C has no `{}`", first.escape_debug());
                    return Err(ParseError::new(text, at..at + first.len_utf8(), what));
                }
            },
        };
        tokens.push(Token { is, range: at..at + len });
        at += len;
    }
}

/// The offset behind white space and comments.
fn skip(text: &str, mut at: usize) -> Result<usize, ParseError> {
    loop {
        let rest = &text[at..];
        at += if rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '\u{b}') {
            1
        } else if rest.starts_with("\\\n") {
            2
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            match comment.find("*/") {
                Some(end) => end + 4,
                None => return Err(ParseError::new(text, at..at + 2, "this comment does not end")),
            }
        } else {
            return Ok(at);
        };
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

fn is_digit_at(text: &str, at: usize) -> bool {
    let rest = text[at..].strip_prefix('.').unwrap_or(&text[at..]);
    rest.starts_with(|c: char| c.is_ascii_digit())
}

/// The length of the number at the beginning of `text` (C17, 6.4.8).
fn number(text: &str) -> usize {
    let mut before = '0';
    text.find(|c: char| {
        let is_part = is_word(c) || c == '.' || matches!(c, '+' | '-') && matches!(before, 'e' | 'E' | 'p' | 'P');
        before = c;
        !is_part
    })
    .unwrap_or(text.len())
}

/// The length of the string or character constant at `at`.
fn quoted(text: &str, at: usize, quote: char) -> Result<usize, ParseError> {
    let mut characters = text[at + 1..].char_indices();
    while let Some((offset, c)) = characters.next() {
        match c {
            '\n' => break,
            '\\' => drop(characters.next()),
            c if c == quote => return Ok(offset + 2),
            _ => {}
        }
    }
    Err(ParseError::new(text, at..at + 1, format!("this {quote} has no counterpart in its line")))
}
