//! Expansions kept as files under `snapshots/`, so that a change of a macro shows what it does to its output.

use proc_macro2::TokenStream;
use std::path::Path;

/// Compares `expansion`, formatted, with `snapshots/{name}.rs`.
///
/// With `UPDATE_SNAPSHOTS=1` in the environment it writes the file instead.
#[track_caller]
pub(crate) fn assert(name: &str, expansion: TokenStream) {
    let file = syn::parse2(expansion).expect("an expansion is a list of items");
    let actual = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name).with_extension("rs");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("the directory can be made");
        std::fs::write(&path, &actual).expect("the snapshot can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = actual.lines().zip(expected.lines().chain(std::iter::repeat(""))).position(|(a, e)| a != e);
    assert!(
        actual == expected,
        "snapshots/{name}.rs, line {}: if the change is wanted, run with UPDATE_SNAPSHOTS=1\n\n{actual}",
        differs.unwrap_or(actual.lines().count()) + 1,
    );
}
