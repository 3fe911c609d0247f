use crate::chipmunk::{DeriveCType, write};

/// Where Debian's `libclang-19-dev` is; its headers and its library are in no directory that compilers search.
const LLVM: &str = "/usr/lib/llvm-19";

pub(crate) fn main() {
    println!("cargo::rustc-env=LLVM={LLVM}");
    println!("cargo::rustc-link-search=native={LLVM}/lib");
    println!("cargo::rustc-link-lib=clang");
    let builder = bindgen::builder()
        .header_contents("all.h", "#include <clang-c/Index.h>")
        .clang_arg(format!("-I{LLVM}/include"))
        .allowlist_item("(clang_|CX).*")
        .prepend_enum_name(false)
        .rustified_enum("CXChildVisitResult");
    // It has bit-fields. libclang's functions take its address; none takes it by value.
    write("clang.rs", builder, DeriveCType { except: &["CXIndexOptions"] });
}
