use std::path::PathBuf;
use std::{env, fs};

use bindgen::Builder;
use bindgen::callbacks::{DeriveInfo, ParseCallbacks};

pub(crate) fn main() {
    println!("cargo::rustc-link-lib=chipmunk");
    let builder = bindgen::builder()
        .header_contents("all.h", "#include <chipmunk/chipmunk.h>\n#include <chipmunk/cpMarch.h>")
        .allowlist_item("(cp|CP_).*")
        .prepend_enum_name(false);
    write("chipmunk.rs", builder, DeriveCType { except: &[] });
}

/// Puts `#[derive(CType)]` on each struct, union and enum that bindgen writes, but for those with these names in C.
#[derive(Debug)]
pub(crate) struct DeriveCType {
    pub(crate) except: &'static [&'static str],
}

impl ParseCallbacks for DeriveCType {
    fn add_derives(&self, info: &DeriveInfo<'_>) -> Vec<String> {
        if self.except.contains(&info.name) { vec![] } else { vec!["cbframe::CType".to_owned()] }
    }
}

/// Writes the declarations where `include!` finds them.
pub(crate) fn write(file: &str, builder: Builder, derive: DeriveCType) {
    let builder = builder.parse_callbacks(Box::new(derive)).parse_callbacks(Box::new(bindgen::CargoCallbacks::new()));
    let text = builder.generate_comments(false).generate().expect("the header is installed").to_string();
    for wrong in ["u128", "pub type __m"] {
        assert!(!text.contains(wrong), "`{wrong}`: `long double` and vectors are not passed as what bindgen writes");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join(file), text).expect("OUT_DIR can be written to");
}
