//! Expansions kept as files under `snapshots/`, so that a change of a macro shows what it does to its output.

use proc_macro2::{TokenStream, TokenTree};
use std::path::Path;
use syn::{File, Item};

/// Compares `expansion`, formatted, with `snapshots/{name}.rs`.
///
/// With `UPDATE_SNAPSHOTS=1` in the environment it writes the file instead.
#[track_caller]
pub(crate) fn assert(name: &str, expansion: TokenStream) {
    let mut file: File = syn::parse2(expansion).expect("an expansion is a list of items");
    file.items = file.items.into_iter().flat_map(handed_on).collect();
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

/// The items that `only!` hands on where the target has the ABI; any other item as it is.
fn handed_on(item: Item) -> Vec<Item> {
    match &item {
        Item::Macro(only) if only.mac.path.segments.last().is_some_and(|name| name.ident == "only") => {
            let Some(TokenTree::Group(group)) = only.mac.tokens.clone().into_iter().last() else {
                panic!("`only!` is given an ABI and the items in braces")
            };
            syn::parse2::<File>(group.stream()).expect("items").items
        }
        _ => vec![item],
    }
}
