//! The C side: for each signature a function that calls the callback with the arguments it is given, and where it is asked for
//! one that is called.

use std::fmt::Write;
use std::rc::Rc;

use crate::compilers::Compiler;
use crate::signatures::{Family, Signature};
use crate::table::Table;
use crate::types::{Aggregate, Cpu, Kind, Type};

/// What a file has besides callers.
#[derive(Clone, Copy, Debug)]
pub struct Callees {
    /// Statements for the callee of a signature that make it do something wrong.
    pub spoil: Option<fn(&Signature) -> String>,
}

/// Writes a file with the callers of those signatures that need this of the CPU, and the callees. It is compiled several
/// times, with another `CALLERS` (the name of the table; that of the other is `CALLEES`) each time, and so that the compiler
/// may use this CPU: what clang passes in registers does not depend on the function that calls, but on the file that it is
/// in.
#[must_use]
pub fn write<'s>(
    table: &Table,
    signatures: impl Iterator<Item = &'s Signature>,
    cpu: Cpu,
    callees: Option<Callees>,
) -> String {
    let mut out = String::from("#include \"callers.h\"\n#include <stddef.h>\n\n");
    for scalar in table.iter().filter_map(|ty| ty.scalar()) {
        out.push_str(&scalar.in_c);
    }
    if callees.is_some() {
        out.push_str("struct cbt_host cbt_host;\n");
    }
    let (mut callers, mut called) = (String::new(), String::new());
    // gcc takes 20 ms to change from one convention to the other: what has Windows' is behind all else.
    let mut windows = String::new();
    for signature in signatures {
        if signature.cpu() != cpu {
            callers.push_str("    0,\n");
            called.push_str("    0,\n");
            continue;
        }
        let definitions = signature.definitions();
        let named = |out: &mut String, write: &dyn Fn(&mut String)| {
            // Each signature has types of its own.
            let names = || definitions.iter().map(|aggregate| &aggregate.name);
            names().for_each(|name| writeln!(out, "#define {name} {}_{name}", signature.name).unwrap());
            write(out);
            names().for_each(|name| writeln!(out, "#undef {name}").unwrap());
        };
        let caller_name = format!("caller_{}", signature.name);
        named(&mut out, &|out| {
            for aggregate in &definitions {
                out.push_str(&definition(aggregate));
                let ty = Type::Aggregate(Rc::clone(aggregate));
                confirm(out, aggregate, ty.size(), ty.align());
            }
            let refuses = |compiler: Compiler| compiler.refuses(signature);
            unless_refused(out, &caller_name, refuses, |out| caller(out, &caller_name, signature));
        });
        writeln!(callers, "    {caller_name},").unwrap();
        if let Some(Callees { spoil }) = callees {
            let name = format!("callee_{}", signature.name);
            let refuses =
                |compiler: Compiler| compiler.refuses(signature).or_else(|| compiler.refuses_callee(signature));
            let spoil = spoil.map_or(String::new(), |spoil| spoil(signature));
            let out = if signature.family == Family::Win64 { &mut windows } else { &mut out };
            named(out, &|out| unless_refused(out, &name, refuses, |out| callee(out, &name, signature, &spoil)));
            writeln!(called, "    (function){name},").unwrap();
        }
    }
    out.push_str(&windows);
    write!(out, "const cbt_caller CALLERS[] = {{\n{callers}}};\n").unwrap();
    if callees.is_some() {
        write!(out, "const function CALLEES[] = {{\n{called}}};\n").unwrap();
    }
    out
}

/// A definition of `name` for those compilers that do not refuse it; for others it is 0.
fn unless_refused(
    out: &mut String,
    name: &str,
    refuses: impl Fn(Compiler) -> Option<&'static str>,
    define: impl FnOnce(&mut String),
) {
    let condition = match (refuses(Compiler::Gcc).is_some(), refuses(Compiler::Clang).is_some()) {
        (false, false) => "1",
        (true, false) => "defined(__clang__)",
        (false, true) => "!defined(__clang__)",
        (true, true) => "0",
    };
    writeln!(out, "#if {condition}").unwrap();
    define(out);
    writeln!(out, "#else\n#define {name} 0\n#endif").unwrap();
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
        Family::Aapcs64 => "CBT_AAPCS64",
        Family::Lp64d => "CBT_LP64D",
        Family::Cdecl => "CBT_CDECL",
        Family::Stdcall => "CBT_STDCALL",
        Family::Fastcall => "CBT_FASTCALL",
        Family::Thiscall => "CBT_THISCALL",
    }
}

fn caller(out: &mut String, name: &str, signature: &Signature) {
    writeln!(out, "static void {name}(const struct cbt_wire *wire) {{").unwrap();
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

/// A function that gives the host what it is called with, and returns what the host says.
fn callee(out: &mut String, name: &str, signature: &Signature, spoil: &str) {
    let (named, unnamed) = signature.split();
    let mut parameters: Vec<_> = named.iter().enumerate().map(|(i, ty)| format!("{} p{i}", ty.c())).collect();
    parameters.extend(signature.named.map(|_| "...".into()));
    let parameters = if parameters.is_empty() { "void".into() } else { parameters.join(", ") };
    let convention = convention(signature.family);
    let result = signature.result.as_ref().map_or("void", |ty| ty.c());
    writeln!(out, "static {convention} {result} {name}({parameters}) {{").unwrap();
    if signature.named.is_some() {
        // Windows' lists have another type.
        writeln!(out, "    {convention}_LIST list;\n    {convention}_START(list, p{});", named.len() - 1).unwrap();
        for (i, ty) in unnamed.iter().enumerate() {
            let (i, ty) = (named.len() + i, ty.c());
            writeln!(out, "    {ty} p{i} = __builtin_va_arg(list, {ty});").unwrap();
        }
        writeln!(out, "    {convention}_END(list);").unwrap();
    }
    // Clang expects its callers to have extended what is narrower than 32 bits.
    let extended = signature.parameters.iter().enumerate().map(|(i, ty)| match ty.scalar() {
        Some(scalar) if matches!(scalar.kind, Kind::Integer { .. }) && scalar.size < 4 => format!("(uint32_t)p{i}, "),
        _ => "0, ".into(),
    });
    let extended: String = extended.collect();
    let addresses: String = (0..signature.parameters.len()).map(|i| format!("&p{i}, ")).collect();
    writeln!(out, "    {spoil}cbt_host.receive((const void *[]){{{addresses}0}}, (uint32_t[]){{{extended}0}});")
        .unwrap();
    match &signature.result {
        None => out.push_str("    cbt_host.reply();\n"),
        Some(ty) => {
            writeln!(out, "    {} r;\n    memcpy(&r, cbt_host.reply(), sizeof r);\n    return r;", ty.c()).unwrap();
        }
    }
    out.push_str("}\n");
}
