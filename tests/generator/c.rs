//! The C side: for each signature a function that calls the callback with the arguments it is given.

use std::fmt::Write;

use crate::generator::signatures::{Family, Signature};
use crate::generator::types::{Shape, Types};

/// Writes the file. It is compiled several times, with another `CALLERS` (the name of the table) each time.
pub(crate) fn write(types: &Types, signatures: &[Signature<'_>]) -> String {
    let mut out = String::from("#include \"callers.h\"\n#include <stddef.h>\n\n");
    for ty in types.iter() {
        out.push_str(&ty.in_c);
    }
    for (index, signature) in signatures.iter().enumerate() {
        if signature.with_clang() {
            caller(&mut out, index, signature);
        } else {
            out.push_str("#ifndef __clang__\n");
            caller(&mut out, index, signature);
            writeln!(out, "#else\n#define caller_{index} 0\n#endif").unwrap();
        }
    }
    out.push_str("const cbt_caller CALLERS[] = {\n");
    for index in 0..signatures.len() {
        writeln!(out, "    caller_{index},").unwrap();
    }
    out.push_str("};\n");
    out
}

fn caller(out: &mut String, index: usize, signature: &Signature<'_>) {
    let abi = match signature.family {
        Family::SysV64 => "SYSV64",
        Family::Win64 => "WIN64",
    };
    let (mut types, mut values) = (Vec::new(), Vec::new());
    writeln!(out, "\n// {}\nstatic void caller_{index}(const struct cbt_wire *wire) {{", signature.name).unwrap();
    for (i, ty) in signature.parameters.iter().enumerate() {
        writeln!(out, "    {} a{i};\n    memcpy(&a{i}, wire->arguments[{i}], sizeof a{i});", ty.c).unwrap();
        types.push(ty.c.as_str());
        values.push(format!("a{i}"));
    }
    let types = if types.is_empty() { "void".into() } else { types.join(", ") };
    let values = values.join(", ");
    let call = |result: &str| format!("(({result} ({abi} *)({types}))wire->callback)({values})");
    match signature.result {
        None => writeln!(out, "    {};", call("void")).unwrap(),
        Some(ty) => {
            if let Shape::Integer { signed } = ty.shape
                && ty.size < 4
            {
                // Takes all of eax for the result: `Run::extends` says where that is looked at.
                let wide = call(if signed { "int" } else { "unsigned" });
                writeln!(out, "    if (wire->wide) {{\n        *wire->wide = {wide};\n        return;\n    }}")
                    .unwrap();
            }
            writeln!(out, "    {} r = {};\n    memcpy(wire->result, &r, sizeof r);", ty.c, call(&ty.c)).unwrap();
        }
    }
    out.push_str("}\n");
}
