use crate::chipmunk::{DeriveCType, write};

pub(crate) fn main() {
    println!("cargo::rustc-link-lib=xml2");
    let builder = bindgen::builder()
        .header_contents("all.h", "#include <libxml/parser.h>\n#include <stdio.h>")
        .clang_arg("-I/usr/include/libxml2")
        .allowlist_function("xmlReadMemory|xmlFreeDoc|xmlSetGenericErrorFunc|open_memstream|fclose")
        .prepend_enum_name(false);
    // Its own parser's structures, and C's of files, are behind pointers.
    write("xml.rs", builder, DeriveCType { except: &[] });
}
