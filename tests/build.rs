//! Generates the signatures that are tested, on both sides, and builds the C side.
//!
//! `CBFRAME_RANDOM_SIGNATURES=5000` in the environment makes up that many more, of each convention, from
//! `CBFRAME_SEED`.

#[path = "generator/mod.rs"]
mod generator;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use generator::{c, rust, signatures, types};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=generator");
    println!("cargo::rerun-if-changed=c");
    let windows = env::var_os("CARGO_CFG_WINDOWS").is_some();
    let (random, seed) = (number("CBFRAME_RANDOM_SIGNATURES", 0), number("CBFRAME_SEED", 1));

    let types = types::types();
    let signatures = signatures::signatures(&types, windows, random as usize, seed);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let write = |name: &str, text: String| fs::write(out.join(name), text).expect("OUT_DIR can be written to");
    write("types.rs", rust::types(&types));
    for theme in ["types", "mixed", "random"] {
        let of_theme = signatures.iter().enumerate().filter(|(_, signature)| signature.theme == theme);
        write(&format!("{theme}_signatures.rs"), rust::modules(of_theme));
    }
    write("callers.c", c::write(&types, &signatures));

    build_c(&out);
}

fn number(name: &str, default: u64) -> u64 {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn build_c(out: &Path) {
    let callers = out.join("callers.c");
    let compile = |name: &str, level: u32, compiler: Option<&str>| {
        let mut build = cc::Build::new();
        build.file(&callers).include("c").opt_level(level).debug(false).warnings(false);
        build.flag_if_supported("-Wno-psabi").define("CALLERS", format!("cbt_callers_{name}").as_str());
        if let Some(compiler) = compiler {
            build.compiler(compiler);
        }
        build.compile(&format!("cbt_callers_{name}"));
    };
    compile("o2", 2, None);
    compile("o0", 0, None);
    println!("cargo::rustc-check-cfg=cfg(cbt_clang)");
    println!("cargo::rerun-if-env-changed=CBFRAME_CLANG");
    let clang = env::var("CBFRAME_CLANG").unwrap_or_else(|_| "clang-19".into());
    if Command::new(&clang).arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("cargo::rustc-cfg=cbt_clang");
        compile("clang", 2, Some(&clang));
    } else {
        println!("cargo::warning=no `{clang}` (name one in CBFRAME_CLANG): no callbacks are called from clang's code");
    }

    let mut build = cc::Build::new();
    build.file("c/guard.S").file("c/guard.c").file("c/hand.c").warnings(true).extra_warnings(true);
    build.compile("cbt_guard");
}
