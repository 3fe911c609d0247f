//! Makes the modules of the macro crate modules of the target `derive`.
//!
//! A crate of procedural macros exports nothing else, so its sources are copied, without the functions that the
//! compiler calls.

use std::path::{Path, PathBuf};
use std::{env, fs};

use quote::ToTokens;
use syn::{File, Item, UseTree};

fn main() {
    let sources = Path::new("../cbframe-macros/src");
    println!("cargo::rerun-if-changed={}", sources.display());
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("macros");
    copy(sources, &target);

    let root = target.join("lib.rs");
    let text = fs::read_to_string(&root).expect("the macro crate has a root");
    let mut file: File = syn::parse_file(&text).expect("it compiles");
    // An included file has no inner attributes, and documentation of its own is one.
    file.attrs.clear();
    file.items.retain(|item| !is_about_the_compiler(item));
    fs::write(&root, file.into_token_stream().to_string()).expect("the copy can be written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the directory can be made");
    for entry in fs::read_dir(from).expect("the directory can be read") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("the file can be copied");
        }
    }
}

/// Whether an item exists in a crate of procedural macros only: such a macro, and what it takes.
fn is_about_the_compiler(item: &Item) -> bool {
    match item {
        Item::Fn(function) => function.attrs.iter().any(|attribute| {
            ["proc_macro", "proc_macro_derive", "proc_macro_attribute"]
                .iter()
                .any(|name| attribute.path().is_ident(name))
        }),
        Item::Use(item) => matches!(&item.tree, UseTree::Path(path) if path.ident == "proc_macro"),
        _ => false,
    }
}
