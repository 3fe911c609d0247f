//! Token streams: from text, changed, and looked through.

use libfuzzer_sys::arbitrary::Unstructured;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// How deep delimiters are nested: what parses tokens does so recursively.
const MAX_DEPTH: usize = 32;

/// The tokens of `text`, if it has some.
pub(crate) fn parse(text: &str) -> Option<TokenStream> {
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return None;
        }
    }
    text.parse().ok()
}

/// What replaces a token, or comes in between.
const WORDS: &[&str] = &[
    "r#type",
    "fn",
    "_",
    "dyn",
    "impl",
    "for",
    "crate",
    "self",
    "Self",
    "super",
    "mut",
    "struct",
    "union",
    "enum",
    "unsafe",
    "extern",
    "where",
    "const",
    "C",
    "packed",
    "packed(2)",
    "align(16)",
    "align(128)",
    "transparent",
    "u8",
    "u128",
    "Option",
    "PhantomData",
    "NonNull",
    "CpuState",
    "abi",
    "save",
    "pool",
    "'a",
    "'static",
    "'_",
    "&",
    "*",
    "<",
    ">",
    "::",
    ":",
    ",",
    ";",
    "=",
    "!",
    "?",
    "#",
    "..",
    "...",
    "->",
    "-",
    "0",
    "1u8",
    "0xffff_ffff_ffff_ffff_ff",
    "1.5",
    "\"C\"",
    "\"\"",
    "\"raw\"",
    "\"\\0\"",
    "c\"C\"",
    "b'x'",
    "()",
    "[]",
    "{}",
    "#[state]",
    "#[cpu]",
    "#[cbframe(crate = x)]",
    "#[repr(C)]",
    "#[cfg(unix)]",
    "#[allow(unused)]",
    "#![inner]",
    "<T as U>::V",
    "$x",
];

/// `tokens` with one thing changed, at any depth.
pub(crate) fn mutate(tokens: TokenStream, bytes: &mut Unstructured<'_>) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut below = |end: usize| bytes.int_in_range(0..=end - 1).unwrap_or(0);
    let at = below(tokens.len() + 1);
    if let Some(TokenTree::Group(group)) = tokens.get(at)
        && below(4) > 0
    {
        let mut changed = Group::new(group.delimiter(), mutate(group.stream(), bytes));
        changed.set_span(group.span());
        tokens[at] = changed.into();
        return tokens.into_iter().collect();
    }
    let word = parse(WORDS[below(WORDS.len())]).expect("words are tokens");
    match below(6) {
        0 if at < tokens.len() => drop(tokens.splice(at..=at, word)),
        1 if at < tokens.len() => drop(tokens.remove(at)),
        2 if at < tokens.len() => tokens.insert(at, tokens[at].clone()),
        3 if at + 1 < tokens.len() => tokens.swap(at, at + 1),
        // The invisible group that `macro_rules!` leaves around what it matched.
        4 => {
            let end = at + below(tokens.len() - at + 1);
            let group = Group::new(Delimiter::None, tokens[at..end].iter().cloned().collect());
            tokens.splice(at..end, [group.into()]);
        }
        _ => drop(tokens.splice(at..at, word)),
    }
    tokens.into_iter().collect()
}

/// The identifiers in `tokens`, raw ones as raw ones, at every depth.
pub(crate) fn idents(tokens: TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident),
            TokenTree::Group(group) => found.extend(idents(group.stream())),
            _ => {}
        }
    }
    found
}

/// `tokens` as a parser goes through them: what is in an invisible group stands where the group does.
pub(crate) fn visible(tokens: TokenStream) -> Vec<TokenTree> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => found.extend(visible(group.stream())),
            token => found.push(token),
        }
    }
    found
}

/// Whether an invisible group is somewhere in `tokens`: text does not show it.
pub(crate) fn has_invisible_group(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::None || has_invisible_group(group.stream()),
        _ => false,
    })
}
