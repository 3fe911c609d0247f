//! Generates the signatures that are tested, on both sides, and builds the C side.

#[path = "build/conventions.rs"]
mod conventions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cbframe_signatures::rust::Style;
use cbframe_signatures::signatures::Target;
use cbframe_signatures::table::Table;
use cbframe_signatures::types::Cpu;
use cbframe_signatures::{c, rust, signatures};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=c");
    let target = Target::named(&env::var("TARGET").expect("cargo sets it"));
    let windows = target == Target::Windows;
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let has = |cpu: &Cpu| cpu.feature().is_none_or(|feature| features.split(',').any(|other| other == feature));
    let cpu = Cpu::ALL.into_iter().rev().find(has).expect("the last one is no feature");

    let table = Table::new(target);
    let signatures = signatures::signatures(&table, target);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let write = |name: &str, text: String| fs::write(out.join(name), text).expect("OUT_DIR can be written to");
    write("types.rs", rust::types(&table));
    let style = Style { types: false, test: true, cpu, spoil: None };
    for theme in ["types", "mixed", "variadic"] {
        let of_theme = signatures.iter().enumerate().filter(|(_, (of, _))| *of == theme);
        let modules = of_theme.map(|(index, (_, signature))| rust::module(index, signature, style));
        write(&format!("{theme}_signatures.rs"), modules.collect());
    }
    write("conventions.rs", conventions::conventions(windows).map(conventions::Convention::rust).collect());
    for &cpu in cpus(target) {
        write(&file(cpu), c::write(&table, signatures.iter().map(|(_, signature)| signature), cpu, None));
    }

    build_c(&out, target);
}

/// The C callers that need this CPU.
fn file(cpu: Cpu) -> String {
    format!("callers_{}.c", cpu.feature().unwrap_or("any"))
}

/// What callers may need of the CPU.
fn cpus(target: Target) -> &'static [Cpu] {
    if matches!(target, Target::Aarch64 | Target::I686 | Target::Riscv64) { &[Cpu::Any] } else { &Cpu::ALL }
}

fn build_c(out: &Path, target: Target) {
    let windows = target == Target::Windows;
    let compile_for = |cpu: Cpu, name: &str, level: u32, compiler: Option<&str>| {
        let mut build = cc::Build::new();
        let name = format!("cbt_{name}_{}", cpu.feature().unwrap_or("any"));
        build.file(out.join(file(cpu))).include("c").opt_level(level).debug(false).warnings(false);
        if target == Target::I686 {
            // rustc has SSE2 on this target. The x87 unit would change signaling NaNs.
            build.flag("-msse2").flag("-mfpmath=sse");
        }
        build.flag_if_supported("-Wno-psabi").define("CALLERS", name.as_str());
        if let Some(feature) = cpu.feature() {
            build.flag(format!("-m{feature}"));
        }
        if let Some(compiler) = compiler {
            build.compiler(compiler);
        }
        build.compile(&name);
    };
    let compile = |name: &str, level: u32, compiler: Option<&str>| {
        cpus(target).iter().for_each(|cpu| compile_for(*cpu, name, level, compiler));
    };
    compile("cc_o0", 0, None);
    compile("cc_o2", 2, None);
    println!("cargo::rustc-check-cfg=cfg(cbt_clang)");
    println!("cargo::rerun-if-env-changed=CBFRAME_CLANG");
    let clang = env::var("CBFRAME_CLANG").unwrap_or_else(|_| "clang-19".into());
    if Command::new(&clang).arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("cargo::rustc-cfg=cbt_clang");
        compile("clang_o0", 0, Some(&clang));
        compile("clang_o2", 2, Some(&clang));
        if !matches!(target, Target::Aarch64 | Target::I686 | Target::Riscv64) {
            conventions::conventions(windows).for_each(|convention| convention.compile(&clang, out, windows));
        }
    } else {
        println!(
            "cargo::warning=no `{clang}` (name one in CBFRAME_CLANG): no callbacks are called from clang's code, and tests/conventions.rs is empty"
        );
    }

    let mut build = cc::Build::new();
    let guard = match target {
        Target::Linux | Target::Windows => "c",
        Target::Aarch64 => "c/aarch64",
        Target::I686 => "c/x86",
        Target::Riscv64 => "c/riscv64",
    };
    build
        .file(format!("{guard}/guard.S"))
        .file(format!("{guard}/guard.c"))
        .file("c/hand.c")
        .file("c/switches.c")
        .warnings(true)
        .extra_warnings(true);
    build.compile("cbt_guard");

    let mut build = cc::Build::new();
    build.cpp(true).file("c/exceptions.cc").warnings(true).extra_warnings(true);
    build.compile("cbt_exceptions");
}
