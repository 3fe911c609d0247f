//! The C side: for each signature a function that calls the callback with the arguments it is given.

use std::fmt::Write;
use std::rc::Rc;

use crate::compilers::Compiler;
use crate::signatures::{Family, Signature};
use crate::table::Table;
use crate::types::{Aggregate, Cpu, Kind, Type};

/// Writes a file with the callers of those signatures that need this of the CPU. It is compiled several times, with
/// another `CALLERS` (the name of the table) each time, and so that the compiler may use this CPU: what clang passes in
/// registers does not depend on the function that calls, but on the file that it is in.
#[must_use]
pub fn write<'s>(table: &Table, signatures: impl Iterator<Item = &'s Signature>, cpu: Cpu) -> String {
    let mut out = String::from("#include \"callers.h\"\n#include <stddef.h>\n\n");
    for scalar in table.iter().filter_map(|ty| ty.scalar()) {
        out.push_str(&scalar.in_c);
    }
    let mut callers = Vec::new();
    for signature in signatures {
        if signature.cpu() != cpu {
            callers.push("0".into());
            continue;
        }
        let refuses = |compiler: Compiler| compiler.refuses(signature).is_some();
        let condition = match (refuses(Compiler::Gcc), refuses(Compiler::Clang)) {
            (false, false) => "1",
            (true, false) => "defined(__clang__)",
            (false, true) => "!defined(__clang__)",
            (true, true) => "0",
        };
        writeln!(out, "\n#if {condition}").unwrap();
        caller(&mut out, signature);
        writeln!(out, "#else\n#define caller_{} 0\n#endif", signature.name).unwrap();
        callers.push(format!("caller_{}", signature.name));
    }
    out.push_str("const cbt_caller CALLERS[] = {\n");
    callers.iter().for_each(|caller| writeln!(out, "    {caller},").unwrap());
    out.push_str("};\n");
    out
}

/// The definition of a struct or a union.
#[must_use]
pub fn definition(aggregate: &Aggregate) -> String {
    let Aggregate { name, union, packed, aligned, fields, .. } = aggregate;
    let fields: String = fields
        .iter()
        .enumerate()
        .map(|(i, field)| {
            let suffix: String = field.lengths.iter().map(|length| format!("[{length}]")).collect();
            format!(" {} {}{suffix};", field.ty.c(), Aggregate::field_name(i))
        })
        .collect();
    let keyword = if *union { "union" } else { "struct" };
    let mut attributes = String::new();
    if *packed == Some(1) {
        attributes.push_str(" __attribute__((packed))");
    }
    if let Some(n) = aligned {
        write!(attributes, " __attribute__((aligned({n})))").unwrap();
    }
    let definition = format!("typedef {keyword} {{{fields} }}{attributes} {name};\n");
    match packed {
        Some(n) if *n > 1 => format!("#pragma pack(push, {n})\n{definition}#pragma pack(pop)\n"),
        _ => definition,
    }
}

/// C's word for the sizes and offsets.
fn confirm(out: &mut String, aggregate: &Aggregate, size: usize, align: usize) {
    let name = &aggregate.name;
    writeln!(out, "_Static_assert(sizeof({name}) == {size} && _Alignof({name}) == {align}, \"{name}\");").unwrap();
    for (i, offset) in aggregate.offsets().iter().enumerate() {
        let field = Aggregate::field_name(i);
        writeln!(out, "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");").unwrap();
    }
}

/// The type of the callback, as a declaration of `name`.
#[must_use]
pub fn prototype(signature: &Signature, name: &str) -> String {
    let mut types: Vec<_> = signature.split().0.iter().map(|ty| ty.c()).collect();
    types.extend(signature.named.map(|_| "..."));
    let types = if types.is_empty() { "void".into() } else { types.join(", ") };
    format!("{} {name}({types})", signature.result.as_ref().map_or("void", |ty| ty.c()))
}

/// The attribute that chooses a convention, as `callers.h` spells it.
#[must_use]
pub const fn convention(family: Family) -> &'static str {
    match family {
        Family::SysV64 => "CBT_SYSV64",
        Family::Win64 => "CBT_WIN64",
        Family::Aapcs64 => "",
    }
}

fn caller(out: &mut String, signature: &Signature) {
    writeln!(out, "static void caller_{}(const struct cbt_wire *wire) {{", signature.name).unwrap();
    for aggregate in signature.definitions() {
        out.push_str(&definition(&aggregate));
        let ty = Type::Aggregate(Rc::clone(&aggregate));
        confirm(out, &aggregate, ty.size(), ty.align());
    }
    let mut values = Vec::new();
    for (i, ty) in signature.parameters.iter().enumerate() {
        writeln!(out, "    {} p{i};\n    memcpy(&p{i}, wire->arguments[{i}], sizeof p{i});", ty.c()).unwrap();
        values.push(format!("p{i}"));
    }
    let values = values.join(", ");
    let call = |ty: &str| format!("(({ty})wire->callback)({values})");
    let plain = prototype(signature, &format!("({} *)", convention(signature.family)));
    match &signature.result {
        None => writeln!(out, "    {};", call(&plain)).unwrap(),
        Some(ty) => {
            if let Some(scalar) = ty.scalar()
                && let Kind::Integer { signed } = scalar.kind
                && scalar.size < 4
            {
                // Takes all of eax for the result: `Run::extends` says where that is looked at.
                let wide = plain.replacen(ty.c(), if signed { "int" } else { "unsigned" }, 1);
                writeln!(
                    out,
                    "    if (wire->wide) {{\n        *wire->wide = {};\n        return;\n    }}",
                    call(&wide)
                )
                .unwrap();
            }
            writeln!(out, "    {} r = {};\n    memcpy(wire->result, &r, sizeof r);", ty.c(), call(&plain)).unwrap();
        }
    }
    out.push_str("}\n");
}
