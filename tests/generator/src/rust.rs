//! The Rust side: the types, the descriptions of types and signatures, and for each signature a module with its
//! callbacks and the function that tests them.

use std::fmt::Write;
use std::rc::Rc;

use crate::c;
use crate::compilers::Compiler;
use crate::signatures::{Family, Forms, Signature, Target};
use crate::table::Table;
use crate::types::{Aggregate, Cpu, Kind, Leaf, Scalar, Type, definitions};

/// The types of the table, with their derives and descriptions.
#[must_use]
pub fn types(table: &Table) -> String {
    let mut out = String::new();
    for ty in table.iter() {
        if let Some(scalar) = ty.scalar() {
            out.push_str(&scalar.in_rust);
            description(&mut out, ty);
        }
    }
    definitions(table.iter()).iter().for_each(|aggregate| described(&mut out, aggregate));
    let known: Vec<_> = table.iter().filter(|ty| ty.is_known()).map(|ty| format!("<{}>::TYPE", ty.rust())).collect();
    let (count, list) = (known.len(), known.join(", "));
    writeln!(out, "/// What cbframe knows of them.\npub const KNOWN: [cbframe::types::Type; {count}] = [{list}];")
        .unwrap();
    let scalars: String = table.iter().filter_map(|ty| ty.scalar()).map(|scalar| scalar.in_c.as_str()).collect();
    writeln!(out, "/// C's definitions of scalars.\npub const IN_C: &str = {scalars:?};").unwrap();
    let scalars: String = table.iter().filter_map(|ty| ty.scalar()).map(|scalar| scalar.in_rust.as_str()).collect();
    writeln!(out, "/// Rust's definitions of scalars.\npub const IN_RUST: &str = {scalars:?};").unwrap();
    out
}

/// The definition of a struct or a union.
#[must_use]
pub fn definition(aggregate: &Aggregate) -> String {
    let keyword = if aggregate.union { "union" } else { "struct" };
    let mut out = format!("{}pub {keyword} {} {{\n", aggregate.attributes(), aggregate.name);
    for (i, field) in aggregate.fields.iter().enumerate() {
        writeln!(out, "    pub {}: {},", Aggregate::field_name(i), field.rust()).unwrap();
    }
    out.push_str("}\n");
    out
}

/// The definition, rustc's word for the sizes and offsets, and the description.
fn described(out: &mut String, aggregate: &Rc<Aggregate>) {
    let (name, ty) = (&aggregate.name, Type::Aggregate(Rc::clone(aggregate)));
    let (size, align) = (ty.size(), ty.align());
    out.push_str(&definition(aggregate));
    write!(out, "const _: () = assert!(size_of::<{name}>() == {size} && align_of::<{name}>() == {align}").unwrap();
    for (i, offset) in aggregate.offsets().iter().enumerate() {
        write!(out, " && core::mem::offset_of!({name}, {}) == {offset}", Aggregate::field_name(i)).unwrap();
    }
    out.push_str(");\n");
    description(out, &ty);
}

fn description(out: &mut String, ty: &Type) {
    let narrow = match ty.scalar().map(|scalar| scalar.kind) {
        Some(Kind::Integer { signed }) if ty.size() < 4 => Some(signed),
        _ => None,
    };
    let leaf = |Leaf { path, offset, size, count, bits }: Leaf| {
        let bits = format!("{bits:?}").replace('[', "&[");
        format!("Leaf {{ path: {path:?}, offset: {offset}, size: {size}, count: {count:?}, bits: Bits::{bits} }}")
    };
    let view = |view| format!("&[{}]", ty.leaves(view).into_iter().map(leaf).collect::<Vec<_>>().join(", "));
    let views = (0..ty.views()).map(view).collect::<Vec<_>>().join(", ");
    writeln!(
        out,
        "pub static {}: Type = Type {{ name: {:?}, size: {}, align: {}, narrow: {narrow:?}, views: &[{views}] }};",
        constant(ty.name()),
        ty.name(),
        ty.size(),
        ty.align(),
    )
    .unwrap();
}

/// The name of the description of the type `name`.
fn constant(name: &str) -> String {
    format!("TYPE_{}", name.to_uppercase())
}

/// How modules are written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether a module defines its types itself.
    pub types: bool,
    /// Whether the test is a `#[test]`.
    pub test: bool,
    /// What vectors rustc passes in registers.
    pub cpu: Cpu,
    /// Statements for a callback of the signature that make it do something wrong.
    pub spoil: Option<fn(&Signature) -> String>,
}

/// The function pointer type.
fn pointer(signature: &Signature) -> String {
    let named = signature.split().0.iter().enumerate().map(|(i, ty)| format!("p{i}: {}", ty.rust()));
    let parameters: Vec<_> = named.chain(signature.named.map(|_| "...".into())).collect();
    let arrow = signature.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", ty.rust()));
    format!("unsafe extern \"{}\" fn({}){arrow}", signature.abi, parameters.join(", "))
}

/// The module of a signature that is at `index` in the tables of C callers.
#[must_use]
pub fn module(index: usize, signature: &Signature, style: Style) -> String {
    let Signature { name, family, parameters, result, forms, .. } = signature;
    let mut out = format!("mod {name} {{\nuse super::*;\n");
    if style.types {
        signature.definitions().iter().for_each(|aggregate| described(&mut out, aggregate));
    }
    let described: Vec<_> = parameters.iter().map(|ty| format!("&{}", constant(ty.name()))).collect();
    let described_result = result.as_ref().map_or("None".into(), |ty| format!("Some(&{})", constant(ty.name())));
    let [gcc, clang] = Compiler::ALL.map(|compiler| compiler.refuses(signature));
    let windows = *family == Family::Win64;
    writeln!(
        out,
        "pub static SIGNATURE: Signature = Signature {{\n    name: \"{name}\", index: {index}, windows: {windows}, \
         cpu: {:?}, gcc: {gcc:?}, clang: {clang:?},\n    parameters: &[{}], result: {described_result},\n    \
         in_c: [{:?}, {:?}], in_rust: [{:?}, {:?}],\n}};",
        signature.cpu().feature(),
        described.join(", "),
        signature.definitions().iter().map(|aggregate| c::definition(aggregate)).collect::<String>(),
        c::prototype(signature, name),
        signature.definitions().iter().map(|aggregate| definition(aggregate)).collect::<String>(),
        pointer(signature),
    )
    .unwrap();

    let mut module = Module { signature, style, functions: out, statements: String::new() };
    if signature.named.is_some() {
        module.variadic();
        return module.finish(Some("stateful"));
    }
    let known = signature.is_known();
    let stateful = Form { name: "", options: "", first: STATE, start: ARRIVE };
    let bound = |name: &str, what: &str| {
        format!("let f = {name}::bind(&state).unwrap(); run.stateful(\"{what}\", f.as_ptr(), &state); drop(f);")
    };
    if *forms != Forms::Entries || !known {
        module.form(PLAIN, "run.lane(\"stateless\", plain::FN as *const ());");
    }
    // The fixed signatures see to it that the direct entry is the one that is chosen where it can be.
    if known && !style.types && is_native(signature, style.cpu) && signature.has_free_register() {
        let direct = Form { name: "direct", options: ", entry = \"direct\"", ..stateful };
        module.form(direct, &bound("direct", "direct"));
    } else {
        let call = if is_native(signature, style.cpu) {
            "let f = chosen::bind(&state).unwrap(); run.chosen(f.as_ptr(), &state); drop(f);"
        } else {
            &bound("chosen", "captured by necessity")
        };
        module.form(Form { name: "chosen", ..stateful }, call);
    }
    // Elsewhere there is one of the two; System V always has this one.
    if *family == Family::SysV64 && known && is_native(signature, style.cpu) {
        let stack = Form { name: "stack", options: ", entry = \"stack\"", ..stateful };
        module.form(stack, &bound("stack", "stack"));
    }
    if *forms == Forms::All {
        module.native_forms();
    }
    if known && *forms != Forms::Entries && parameters.len() <= 16 {
        module.closures();
    }
    if known {
        let captured = Form { name: "captured", options: ", entry = \"captured\"", ..stateful };
        module.form(captured, &format!("run.captured(); {}", bound("captured", "captured")));
        if *forms == Forms::All {
            module.captured_forms();
        }
    }
    module.finish(known.then_some("captured"))
}

/// Whether rustc passes these types as C does. On Windows it relies on more alignment of what is passed by reference
/// than C gives.
fn is_native(signature: &Signature, cpu: Cpu) -> bool {
    // On 32-bit x86 rustc relies on more alignment of the stack than C gives.
    if signature.target == Target::I686 {
        return false;
    }
    let aligned = signature.family == Family::SysV64 || signature.types().all(|ty| ty.align() <= 16);
    aligned && signature.cpu() <= cpu && !signature.types().any(|ty| differs(signature.family, ty))
}

/// Whether rustc passes a value of this type, or may pass it, otherwise than C does. On AArch64 rustc 1.95 knows aggregates of
/// vectors only up to 16 bytes, and takes the alignment of a small struct for that of its fields.
fn differs(family: Family, ty: &Type) -> bool {
    let differs = |aggregate: &Rc<Aggregate>| {
        if ty.size() > 16 { ty.has(|scalar| scalar.kind == Kind::Vector) } else { aggregate.aligned >= Some(16) }
    };
    ty.is_opaque()
        || match family {
            Family::SysV64 | Family::Win64 => false,
            Family::Aapcs64 => ty.aggregate().is_some_and(differs),
            Family::Lp64d => ty.size() <= 16 && differs_on_riscv(ty),
            Family::Cdecl | Family::Stdcall => differs_on_x86(ty),
            Family::Fastcall => differs_on_x86(ty) || ty.aggregate().is_some(),
            // rustc has half of an integer of eight bytes in ecx, unless a word before it is there.
            Family::Thiscall => {
                let integer = ty.size() == 8 && ty.has(|scalar| matches!(scalar.kind, Kind::Integer { .. }));
                differs_on_x86(ty) || ty.aggregate().is_some() || integer
            }
        }
}

/// Structs with floats, if a field is a pointer, which rustc counts as an integer, or lies where its own alignment does not put
/// it.
fn differs_on_riscv(ty: &Type) -> bool {
    let is_float = |scalar: &Scalar| matches!(scalar.kind, Kind::Float | Kind::Complex(_));
    let is_pointer = |scalar: &Scalar| scalar.c.contains('*') || scalar.c == "function";
    let moved = |aggregate: &Rc<Aggregate>| aggregate.packed.is_some() || aggregate.aligned.is_some();
    let mut definitions = definitions([ty].into_iter()).into_iter();
    ty.aggregate().is_some() && ty.has(is_float) && (ty.has(is_pointer) || definitions.any(|it| moved(&it)))
}

/// Complex numbers, and vectors within aggregates.
fn differs_on_x86(ty: &Type) -> bool {
    ty.has(|scalar| matches!(scalar.kind, Kind::Complex(_)))
        || ty.aggregate().is_some() && ty.has(|scalar| scalar.kind == Kind::Vector)
}

/// How the function of a module differs from the others.
#[derive(Clone, Copy)]
struct Form<'f> {
    name: &'f str,
    /// Further options of the attribute.
    options: &'f str,
    /// The first parameter.
    first: &'f str,
    /// The first statement.
    start: &'f str,
}

const STATE: &str = "#[state] s: &State, ";
const EXCLUSIVE: &str = "#[state] s: &mut State, ";
const CPU: &str = "#[cpu] cpu: &mut CpuState, ";
const ARRIVE: &str = "s.arrive(); ";

const PLAIN: Form<'_> = Form { name: "plain", options: "", first: "", start: "" };

struct Module<'s> {
    signature: &'s Signature,
    style: Style,
    functions: String,
    /// What the test does.
    statements: String,
}

impl Module<'_> {
    /// Adds a callback, and to the test its call.
    fn form(&mut self, form: Form<'_>, call: &str) {
        let Form { name, options, first, start } = form;
        let Signature { abi, result, .. } = self.signature;
        // Only a panic that leaves the callback has something to do with `on_panic`.
        let options = if abi.ends_with("-unwind") && options.contains("on_panic") { "" } else { options };
        let (named, unnamed) = self.signature.split();
        let declared = named.iter().enumerate().map(|(i, ty)| format!("p{i}: {}", ty.rust()));
        let list = self.signature.named.map(|_| "mut args: ...".into());
        let declared = declared.chain(list).collect::<Vec<_>>().join(", ");
        let take = |(i, ty): (usize, &Type)| {
            format!("let p{i} = unsafe {{ args.arg::<{}>() }}; ", ty.rust(), i = named.len() + i)
        };
        let taken: String = unnamed.iter().enumerate().map(take).collect();
        // Rust code must not call pointers to such callbacks, cbframe says.
        let qualifier =
            if self.signature.types().any(|ty| differs(self.signature.family, ty)) { "unsafe " } else { "" };
        let arrow = result.as_ref().map_or(String::new(), |ty| format!(" -> {}", ty.rust()));
        let body = self.body();
        writeln!(
            self.functions,
            "#[cbframe(abi = \"{abi}\"{options})]\n{qualifier}fn {name}({first}{declared}){arrow} {{ {start}{taken}{body} }}"
        )
        .unwrap();
        writeln!(self.statements, "    {call}").unwrap();
    }

    /// What a callback does.
    fn body(&self) -> String {
        let Signature { parameters, result, .. } = self.signature;
        let addresses = (0..parameters.len()).map(|i| format!("(&raw const p{i}).cast()"));
        let addresses = addresses.collect::<Vec<_>>().join(", ");
        let spoil = self.style.spoil.map_or(String::new(), |spoil| spoil(self.signature));
        let reply = match result {
            None => "let _ = call::reply();".into(),
            Some(ty) => format!("unsafe {{ call::reply().cast::<{}>().read() }}", ty.rust()),
        };
        format!("{spoil}unsafe {{ call::receive(&[{addresses}]) }}; {reply}")
    }

    /// Closures, which take the lane that the signature has.
    fn closures(&mut self) {
        let Signature { abi, parameters, result, .. } = self.signature;
        let types = parameters.iter().map(Type::rust).collect::<Vec<_>>().join(", ");
        let arrow = result.as_ref().map_or(String::new(), |ty| format!(" -> {}", ty.rust()));
        let names = (0..parameters.len()).map(|i| format!("p{i}")).collect::<Vec<_>>().join(", ");
        let body = self.body();
        // Safe pointers are as good, and optional ones.
        let shared = format!("Frame::<unsafe extern \"{abi}\" fn({types}){arrow}>::new");
        let local = format!("Frame::<Option<extern \"{abi}\" fn({types}){arrow}>>::local");
        for (name, frame, calls) in [("closure", shared, ""), ("local closure", local, "calls += 1; ")] {
            writeln!(
                self.statements,
                "    {{ #[allow(unused_mut, unused)] let mut calls = 0; let s = &state; \
                 let f = {frame}(|{names}| {{ {calls}s.arrive(); {body} }}).unwrap(); \
                 run.stateful(\"{name}\", f.as_ptr(), &state); drop(f); }}"
            )
            .unwrap();
        }
    }

    /// What a callback with `...` can be.
    fn variadic(&mut self) {
        self.statements.push_str("    run.captured();\n");
        self.form(PLAIN, "run.lane(\"variadic, stateless\", plain::FN as *const ());");
        self.form(
            Form { name: "stateful", options: "", first: STATE, start: ARRIVE },
            "let f = stateful::bind(&state).unwrap(); run.stateful(\"variadic\", f.as_ptr(), &state);",
        );
    }

    /// The less common ways to write a callback, on the native lane.
    fn native_forms(&mut self) {
        self.form(
            Form { name: "fixed", options: "", first: STATE, start: ARRIVE },
            "{ static STATE: State = State::new(); let f = bind_static!(fixed, STATE); \
             run.stateful(\"bind_static!\", f as *const (), &STATE); }",
        );
        self.form(
            Form { name: "exclusive", options: "", first: EXCLUSIVE, start: ARRIVE },
            "{ let mut state = State::new(); let at: *const State = &state; let f = exclusive::bind(&mut state).unwrap(); \
             run.stateful(\"exclusive\", f.as_ptr(), at); }",
        );
        self.form(
            Form { name: "boxed", options: ", on_panic = std::process::abort()", first: STATE, start: ARRIVE },
            "{ let state = Box::new(State::new()); let at: *const State = &*state; let f = boxed::bind(state).unwrap(); \
             run.stateful(\"boxed, on_panic\", f.as_ptr(), at); }",
        );
    }

    /// The same on the captured lane.
    fn captured_forms(&mut self) {
        let options = ", entry = \"captured\"";
        self.form(
            Form { name: "exclusive_captured", options, first: EXCLUSIVE, start: ARRIVE },
            "{ let mut state = State::new(); let at: *const State = &state; \
             let f = exclusive_captured::bind(&mut state).unwrap(); \
             run.stateful(\"exclusive, captured\", f.as_ptr(), at); }",
        );
        self.form(
            Form { name: "stateless_captured", options, ..PLAIN },
            "run.lane(\"stateless, captured\", stateless_captured::FN as *const ());",
        );
        self.form(
            Form { name: "fixed_captured", options, first: STATE, start: ARRIVE },
            "{ static STATE: State = State::new(); let f = bind_static!(fixed_captured, STATE); \
             run.stateful(\"bind_static!, captured\", f as *const (), &STATE); }",
        );
        self.form(
            Form { name: "cpu", first: CPU, start: "call::cpu(cpu); ", ..PLAIN },
            "run.lane(\"cpu\", cpu::FN as *const ());",
        );
        self.form(
            Form {
                name: "cpu_and_state",
                options: match self.signature.family {
                    Family::SysV64 | Family::Win64 => ", save(gpr, flags, avx512, x87)",
                    Family::Aapcs64 => ", save(gpr, flags, simd)",
                    Family::Lp64d => ", save(gpr, fpr)",
                    _ => ", save(gpr, flags, sse, x87)",
                },
                first: &format!("{STATE}{CPU}"),
                start: "s.arrive(); call::cpu(cpu); ",
            },
            "let f = cpu_and_state::bind(&state).unwrap(); run.stateful(\"cpu and state\", f.as_ptr(), &state);",
        );
    }

    /// `layout`: the callback that is asked for the layout.
    fn finish(self, layout: Option<&str>) -> String {
        let Self { mut functions, statements, style, .. } = self;
        let layout = layout.map_or(String::new(), |name| format!("    run.layout({name}::LAYOUT);\n"));
        write!(functions, "pub fn run(run: &mut Run<'_>) {{\n{layout}    let state = State::new();\n{statements}}}\n")
            .unwrap();
        if style.test {
            functions.push_str("#[test]\nfn every_lane() {\n    call::test(&SIGNATURE, run);\n}\n");
        }
        functions.push_str("}\n");
        functions
    }
}
