//! One signature: what the calls need, made while the process runs.

use std::fs::File;
use std::path::Path;

use cbframe::abi::{self, Abi, X86Call};
use cbframe_signatures::c;
use cbframe_signatures::compilers::Compiler;
use cbframe_signatures::signatures::{Family, Signature};
use cbframe_signatures::types::{self, Kind};
use cbframe_signatures::ways::C;
use cbframe_tests::call::{Bits, Caller, Callers, Leaf, Run, Signature as Told, Type};
use cbframe_tests::callee::{HOST, Host};
use cbframe_tests::child::Library;
use cbframe_tests::{again, program};

/// A library of C functions.
pub(crate) struct Loaded {
    callers: Callers,
    /// What functions are called that C defines.
    called: &'static str,
    callees: *const Option<unsafe extern "C" fn()>,
}

impl Loaded {
    pub(crate) fn new(c: C, library: &Path) -> Self {
        let (name, called) = match (c.clang, c.level) {
            (false, "-O0") => ("gcc -O0", "function of gcc -O0"),
            (false, _) => ("gcc -O2", "function of gcc -O2"),
            (true, "-O0") => ("clang -O0", "function of clang -O0"),
            (true, _) => ("clang -O2", "function of clang -O2"),
        };
        // SAFETY: it has no constructors; these are the types of its variables, one of which is set before anything is called.
        unsafe {
            let library = Library::load(library);
            library.function::<*mut Host>("cbt_host").write(HOST);
            let table: *const Option<Caller> = library.function("cbt_callers");
            let callers = Callers { clang: c.clang, name, cpu: c.cpu.feature(), table };
            Self { callers, called, callees: library.function("cbt_callees") }
        }
    }
}

/// A signature, as what calls it knows it.
pub(crate) struct Case {
    index: usize,
    told: &'static Told,
    known: abi::Signature,
    /// Why there is no function of gcc's, and of clang's.
    no_callees: [Option<&'static str>; 2],
}

const fn x86(call: X86Call) -> Abi {
    Abi::X86 { call, windows: false }
}

/// The signature as cbframe reads it.
pub(crate) fn known(signature: &Signature) -> abi::Signature {
    let abi = match signature.family {
        Family::SysV64 => Abi::SysV64,
        Family::Win64 => Abi::Win64,
        Family::Aapcs64 => Abi::Aapcs64,
        Family::Lp64d => Abi::Lp64d,
        Family::Cdecl => x86(X86Call::Cdecl),
        Family::Stdcall => x86(X86Call::Stdcall),
        Family::Fastcall => x86(X86Call::Fastcall),
        Family::Thiscall => x86(X86Call::Thiscall),
    };
    let types: String = signature.definitions().iter().map(|aggregate| c::definition(aggregate)).collect();
    let prototype = c::prototype(&Signature { named: None, ..signature.clone() }, "f");
    let parsed = again::from_c(abi, [&types, &prototype]);
    let mut builder = abi::Signature::new(abi).ret(parsed.result().ty);
    for (index, parameter) in parsed.parameters().iter().enumerate() {
        builder = if signature.named == Some(index) { builder.dots() } else { builder };
        builder = builder.param(parameter.ty);
    }
    builder = if signature.named == Some(parsed.parameters().len()) { builder.dots() } else { builder };
    builder = if signature.abi.ends_with("-unwind") { builder.unwind() } else { builder };
    let built = builder.build().unwrap_or_else(|error| panic!("{types}{prototype}\n{error}"));
    // What C's compilers say of the types, and what cbframe says.
    for (ty, placed) in signature.types().zip(built.parameters().iter().chain([built.result()])) {
        assert_eq!((ty.size(), ty.align()), (placed.ty.size, placed.ty.align), "{types}{}", ty.name());
    }
    built
}

impl Case {
    /// Leaves some memory behind for each.
    pub(crate) fn new(index: usize, signature: &Signature) -> Self {
        let [gcc, clang] = Compiler::ALL.map(|compiler| compiler.refuses(signature));
        let told = Told {
            name: Box::leak(signature.name.clone().into()),
            index,
            windows: signature.family == Family::Win64,
            cpu: signature.cpu().feature(),
            gcc,
            clang,
            parameters: Box::leak(signature.parameters.iter().map(describe).collect()),
            result: signature.result.as_ref().map(describe),
            in_c: [""; 2],
            in_rust: [""; 2],
        };
        let no_callees =
            Compiler::ALL.map(|compiler| compiler.refuses(signature).or_else(|| compiler.refuses_callee(signature)));
        Self { index, told: Box::leak(Box::new(told)), known: known(signature), no_callees }
    }

    /// Tests it, and says what was found.
    pub(crate) fn run(self, loaded: &[Loaded], to: &File) {
        let Self { index, told, known, no_callees } = self;
        let callers: Vec<_> = loaded.iter().map(|loaded| loaded.callers).collect();
        program::test(index, told, &callers, to, |run: &mut Run<'_>| {
            run.known(known);
            for Loaded { callers, called, callees } in loaded.iter().filter(|loaded| loaded.callers.cpu == told.cpu) {
                // SAFETY: there is something for each signature.
                let callee = unsafe { *callees.add(index) };
                assert_eq!(callee.is_none(), no_callees[usize::from(callers.clang)].is_some(), "{called}");
                if let Some(callee) = callee {
                    run.callee(called, callee as *const ());
                }
            }
        });
    }
}

/// What the generator writes down of a type, as it writes it down in Rust.
fn describe(ty: &types::Type) -> &'static Type {
    let narrow = match ty.scalar().map(|scalar| scalar.kind) {
        Some(Kind::Integer { signed }) if ty.size() < 4 => Some(signed),
        _ => None,
    };
    let leaf = |types::Leaf { path, offset, size, count, bits }: types::Leaf| {
        let bits = match bits {
            types::Bits::Any => Bits::Any,
            types::Bits::Quiet => Bits::Quiet,
            types::Bits::Bool => Bits::Bool,
            types::Bits::OneOf(values) => Bits::OneOf(values.leak()),
            types::Bits::Address => Bits::Address,
            types::Bits::AddressOrNull => Bits::AddressOrNull,
        };
        Leaf { path: path.leak(), offset, size, count, bits }
    };
    let view = |view| -> &'static [Leaf] { ty.leaves(view).into_iter().map(leaf).collect::<Vec<_>>().leak() };
    let views = (0..ty.views()).map(view).collect::<Vec<_>>().leak();
    let name = String::from(ty.name()).leak();
    Box::leak(Box::new(Type { name, size: ty.size(), align: ty.align(), narrow, views }))
}
