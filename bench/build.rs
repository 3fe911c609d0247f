//! Compiles the loops that call: with the optimization of an ordinary C library, whatever this profile's is.

fn main() {
    println!("cargo::rerun-if-changed=c/loops.c");
    cc::Build::new()
        .file("c/loops.c")
        .opt_level(2)
        // A loop that straddles a cache line may cost a cycle more than its like that does not.
        .flag("-falign-loops=64")
        .warnings_into_errors(true)
        .compile("loops");
}
