//! A signature in C, to ask a compiler about.

use std::fmt::Write as _;

use cbframe::abi::Abi;
use cbframe::types::{Kind, Type};

use crate::signature::Signature;

/// A function that calls another with arguments from memory: `gcc -O1 -S` shows where it puts them.
pub(crate) fn source(signature: &Signature) -> String {
    let mut c = C { text: String::from("#include <immintrin.h>\n#include <stdint.h>\n"), types: 0 };
    let types: Vec<String> = signature.parameters.iter().map(|(_, ty)| c.name(ty)).collect();
    let result = c.name(&signature.result);
    let abi = if signature.abi == Abi::Win64 { "ms_abi" } else { "sysv_abi" };
    let list = if types.is_empty() { "void".to_owned() } else { types.join(", ") };
    let pointers: String = types.iter().enumerate().map(|(i, ty)| format!(", {ty} *p{i}")).collect();
    let values: Vec<String> = (0..types.len()).map(|i| format!("*p{i}")).collect();
    let (space, assign) = match result.as_str() {
        "void" => (String::new(), ""),
        result => (format!(", {result} *r"), "*r = "),
    };
    let text = &mut c.text;
    writeln!(text, "typedef {result} (__attribute__(({abi})) *function)({list});").expect("a string");
    write!(text, "void call(function f{space}{pointers}) {{ {assign}f({}); }}", values.join(", ")).expect("a string");
    c.text
}

struct C {
    text: String,
    types: usize,
}

impl C {
    /// A type's name, which is declared before if it has to be.
    fn name(&mut self, ty: &Type) -> String {
        let name = match (ty.kind, ty.size) {
            (Kind::Void, _) => "void",
            (Kind::Bool, _) => "_Bool",
            (Kind::Int { signed: true }, 16) => "__int128",
            (Kind::Int { signed: false }, 16) => "unsigned __int128",
            (Kind::Int { signed: true } | Kind::Enum { signed: true, .. }, size) => {
                return format!("int{}_t", 8 * size);
            }
            (Kind::Int { .. } | Kind::Enum { .. }, size) => return format!("uint{}_t", 8 * size),
            (Kind::Float, 2) => "_Float16",
            (Kind::Float, 4) => "float",
            (Kind::Float, 8) => "double",
            (Kind::Float, _) => "__float128",
            (Kind::X87, _) => "long double",
            (Kind::Complex { element }, _) => return format!("_Complex {}", self.name(element)),
            (Kind::Vector, size) => return format!("__m{}", 8 * size),
            (Kind::Pointer { .. }, _) => "void *",
            (Kind::MaybeUninit { of }, _) => return self.name(of),
            (Kind::Struct { .. } | Kind::Union { .. }, _) => return self.aggregate(ty),
            (Kind::Array { element, len }, _) => {
                let element = self.name(element);
                self.types += 1;
                let name = format!("A{}", self.types);
                writeln!(self.text, "typedef {element} {name}[{len}];").expect("a string");
                return name;
            }
            _ => unreachable!("a kind that this target does not know"),
        };
        name.to_owned()
    }

    fn aggregate(&mut self, ty: &Type) -> String {
        let (keyword, fields) = match ty.kind {
            Kind::Union { fields } => ("union", fields),
            Kind::Struct { fields } => ("struct", fields),
            _ => unreachable!("no aggregate"),
        };
        let members: Vec<String> =
            fields.iter().enumerate().map(|(i, field)| format!(" {} f{i};", self.name(&field.ty))).collect();
        let natural = fields.iter().map(|field| field.ty.align).max().unwrap_or(1);
        let aligned =
            if ty.align > natural { format!(" __attribute__((aligned({})))", ty.align) } else { String::new() };
        self.types += 1;
        let name = format!("T{}", self.types);
        let pack = ty.align < natural;
        if pack {
            writeln!(self.text, "#pragma pack(push, {})", ty.align).expect("a string");
        }
        writeln!(self.text, "typedef {keyword}{aligned} {{{} }} {name};", members.concat()).expect("a string");
        if pack {
            writeln!(self.text, "#pragma pack(pop)").expect("a string");
        }
        let (size, align) = (ty.size, ty.align);
        writeln!(self.text, "_Static_assert(sizeof({name}) == {size} && _Alignof({name}) == {align}, \"\");")
            .expect("a string");
        name
    }
}
