//! The Rust side: the types, the descriptions of types and signatures, and for each signature a module with its
//! callbacks and its test.

use std::fmt::Write;

use crate::generator::signatures::{Family, Signature};
use crate::generator::types::{Shape, Type, Types};

/// The types with their derives, and `DESCRIPTIONS`.
pub(crate) fn types(types: &Types) -> String {
    let mut out = String::new();
    for ty in types.iter() {
        out.push_str(&ty.in_rust);
    }
    for ty in types.iter() {
        let Type { name, size, align, .. } = ty;
        let narrow = match ty.shape {
            Shape::Integer { signed } if *size < 4 => format!("Some({signed})"),
            _ => "None".into(),
        };
        let leaves = ty
            .leaves
            .iter()
            .map(|leaf| format!("Leaf {{ offset: {}, size: {}, bits: Bits::{} }}", leaf.offset, leaf.size, leaf.bits));
        let leaves = leaves.collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "pub static {}: Type = Type {{ name: \"{name}\", size: {size}, align: {align}, narrow: {narrow}, leaves: &[{leaves}] }};",
            constant(name)
        )
        .unwrap();
    }
    out
}

/// The name of the description of the type `name`.
fn constant(name: &str) -> String {
    format!("TYPE_{}", name.to_uppercase())
}

/// The modules of the signatures of one theme. `first` is the index of each in the table of C callers.
pub(crate) fn modules<'s, 'a: 's>(signatures: impl Iterator<Item = (usize, &'s Signature<'a>)>) -> String {
    let mut out = String::new();
    for (index, signature) in signatures {
        module(&mut out, index, signature);
    }
    out
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

fn module(out: &mut String, index: usize, signature: &Signature<'_>) {
    let Signature { name, family, parameters, result, .. } = signature;
    let described: Vec<_> = parameters.iter().map(|ty| format!("&{}", constant(&ty.name))).collect();
    let described_result = result.map_or("None".into(), |ty| format!("Some(&{})", constant(&ty.name)));
    let windows = *family == Family::Win64;
    writeln!(
        out,
        "mod {name} {{\n    use super::*;\n    static SIGNATURE: Signature = Signature {{\n        name: \"{name}\", \
         index: {index}, windows: {windows}, hidden: {}, clang: {},\n        parameters: &[{}], \
         result: {described_result},\n    }};",
        signature.is_hidden(),
        signature.with_clang(),
        described.join(", ")
    )
    .unwrap();

    let plain = Form { name: "plain", options: "", first: "", start: "" };
    let stateful = Form { first: STATE, start: ARRIVE, ..plain };
    let mut test = String::new();
    let mut form = |form: Form<'_>, call: &str| {
        function(out, signature, form);
        writeln!(test, "        {call}").unwrap();
    };

    form(plain, "run.lane(\"stateless\", plain::FN as *const ());");
    let bound = |name: &str, what: &str| {
        format!("let f = {name}::bind(&state).unwrap(); run.stateful(\"{what}\", f.as_ptr(), &state); drop(f);")
    };
    if signature.is_known() && signature.has_free_register() {
        form(Form { name: "direct", options: ", entry = \"direct\"", ..stateful }, &bound("direct", "direct"));
    } else {
        form(Form { name: "chosen", ..stateful }, &bound("chosen", "chosen entry"));
    }
    // Windows has one of the two; System V always has this one.
    if !windows && signature.is_known() {
        form(Form { name: "stack", options: ", entry = \"stack\"", ..stateful }, &bound("stack", "stack"));
    }
    if signature.forms {
        native_forms(plain, &mut form);
    }
    if signature.is_known() {
        let captured = Form { name: "captured", options: ", entry = \"captured\"", ..stateful };
        form(captured, &format!("run.captured(); {}", bound("captured", "captured")));
        if signature.forms {
            captured_forms(plain, &mut form);
        }
    }
    writeln!(
        out,
        "    #[test]\n    fn every_lane() {{\n        let state = State::new();\n        \
         let mut run = Run::new(&SIGNATURE);\n{test}        run.finish();\n    }}\n}}"
    )
    .unwrap();
}

/// The less common ways to write a callback, on the native lane.
fn native_forms(plain: Form<'_>, form: &mut dyn FnMut(Form<'_>, &str)) {
    let stateful = Form { first: STATE, start: ARRIVE, ..plain };
    form(
        Form { name: "fixed", ..stateful },
        "{ static STATE: State = State::new(); let f = bind_static!(fixed, STATE); \
         run.stateful(\"bind_static!\", f as *const (), &STATE); }",
    );
    form(
        Form { name: "exclusive", first: EXCLUSIVE, ..stateful },
        "{ let mut state = State::new(); let at: *const State = &state; let f = exclusive::bind(&mut state).unwrap(); \
         run.stateful(\"exclusive\", f.as_ptr(), at); }",
    );
    form(
        Form { name: "boxed", options: ", on_panic = std::process::abort()", ..stateful },
        "{ let state = Box::new(State::new()); let at: *const State = &*state; let f = boxed::bind(state).unwrap(); \
         run.stateful(\"boxed, on_panic\", f.as_ptr(), at); }",
    );
}

/// The same on the captured lane.
fn captured_forms(plain: Form<'_>, form: &mut dyn FnMut(Form<'_>, &str)) {
    let options = ", entry = \"captured\"";
    form(
        Form { name: "exclusive_captured", options, first: EXCLUSIVE, start: ARRIVE },
        "{ let mut state = State::new(); let at: *const State = &state; \
         let f = exclusive_captured::bind(&mut state).unwrap(); \
         run.stateful(\"exclusive, captured\", f.as_ptr(), at); }",
    );
    form(
        Form { name: "stateless_captured", options, ..plain },
        "run.lane(\"stateless, captured\", stateless_captured::FN as *const ());",
    );
    form(
        Form { name: "fixed_captured", options, first: STATE, start: ARRIVE },
        "{ static STATE: State = State::new(); let f = bind_static!(fixed_captured, STATE); \
         run.stateful(\"bind_static!, captured\", f as *const (), &STATE); }",
    );
    form(
        Form { name: "cpu", first: CPU, start: "call::cpu(cpu); ", ..plain },
        "run.lane(\"cpu\", cpu::FN as *const ());",
    );
    form(
        Form {
            name: "cpu_and_state",
            options: ", save(gpr, flags, sse, x87)",
            first: &format!("{STATE}{CPU}"),
            start: "s.arrive(); call::cpu(cpu); ",
        },
        "let f = cpu_and_state::bind(&state).unwrap(); run.stateful(\"cpu and state\", f.as_ptr(), &state);",
    );
}

fn function(out: &mut String, signature: &Signature<'_>, form: Form<'_>) {
    let Form { name, options, first, start } = form;
    // Only a panic that leaves the callback has something to do with `on_panic`.
    let options = if signature.abi.ends_with("-unwind") && options.contains("on_panic") { "" } else { options };
    let abi = signature.abi;
    let parameters = signature.parameters.iter().enumerate().map(|(i, ty)| format!("a{i}: {}", ty.rust));
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let receive = (0..signature.parameters.len()).map(|i| format!("call::receive({i}, &a{i}); "));
    let receive = receive.collect::<String>();
    let (arrow, reply) = match signature.result {
        None => (String::new(), "call::reply::<()>()".to_owned()),
        Some(ty) => (format!(" -> {}", ty.rust), "call::reply()".to_owned()),
    };
    writeln!(
        out,
        "    #[cbframe(abi = \"{abi}\"{options})]\n    fn {name}({first}{parameters}){arrow} {{ {start}{receive}{reply} }}"
    )
    .unwrap();
}
