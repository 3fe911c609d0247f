//! `cbframe/docs/bindgen.md` shows code that is compiled here.
#![allow(missing_docs, reason = "tests")]

/// The lines of a text, without indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

#[test]
fn code_in_the_documentation_is_ours() {
    let page = include_str!("../../../cbframe/docs/bindgen.md");
    let sources = [
        include_str!("../build/chipmunk.rs"),
        include_str!("../src/lib.rs"),
        include_str!("chipmunk/indexes.rs"),
        include_str!("chipmunk/indexes.rs"),
    ];
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks.len(), sources.len());
    for (block, source) in blocks.into_iter().zip(sources) {
        let quoted = lines(block.strip_prefix("rust,ignore\n").expect("it is Rust"));
        // Here the script is a module of a larger one.
        let source = source.replace("pub(crate) ", "");
        assert!(lines(&source).windows(quoted.len()).any(|passage| passage == quoted), "nobody compiles {block}");
    }
}
