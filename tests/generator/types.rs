//! The C types that generated signatures are made of, with what both languages must agree on.

use std::collections::HashMap;
use std::fmt::Write;

/// A type, in C and in Rust.
#[derive(Clone)]
pub(crate) struct Type {
    /// What tests and descriptions call it; for a struct, its name in both languages.
    pub(crate) name: String,
    pub(crate) rust: String,
    pub(crate) c: String,
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// The bytes that are no padding.
    pub(crate) leaves: Vec<Leaf>,
    /// Whether cbframe knows its layout.
    pub(crate) c_type: bool,
    pub(crate) shape: Shape,
    /// The definitions.
    pub(crate) in_rust: String,
    pub(crate) in_c: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An integer, with its sign, or a pointer.
    Integer {
        signed: bool,
    },
    Float,
    Aggregate,
    /// A scalar of 16 bytes.
    Wide,
}

#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) offset: usize,
    pub(crate) size: usize,
    /// Which bits are values: the name of a variant of `cbframe_tests::call::Bits`, with its fields.
    pub(crate) bits: String,
}

/// Every type, by name and in order.
pub(crate) struct Types {
    list: Vec<Type>,
    index: HashMap<String, usize>,
}

impl Types {
    pub(crate) fn get(&self, name: &str) -> &Type {
        &self.list[*self.index.get(name).unwrap_or_else(|| panic!("no type `{name}`"))]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Type> {
        self.list.iter()
    }

    fn add(&mut self, ty: Type) {
        assert!(self.index.insert(ty.name.clone(), self.list.len()).is_none(), "`{}` twice", ty.name);
        self.list.push(ty);
    }

    fn scalar(&mut self, name: &str, rust: &str, c: &str, size: usize, shape: Shape, bits: &str) {
        let leaves = vec![Leaf { offset: 0, size, bits: bits.into() }];
        let (name, rust, c) = (name.into(), rust.into(), c.into());
        let (in_rust, in_c) = (String::new(), String::new());
        self.add(Type { name, rust, c, size, align: size, leaves, c_type: true, shape, in_rust, in_c });
    }

    fn enumeration(&mut self, name: &str, repr: &str, c: &str, size: usize, values: &[i64]) {
        let signed = values.iter().any(|value| *value < 0);
        let bits = format!("OneOf(&{values:?})");
        self.scalar(name, name, name, size, Shape::Integer { signed }, &bits);
        let ty = self.list.last_mut().expect("just added");
        let (mut rust, mut constants) = (String::new(), String::new());
        for (i, value) in values.iter().enumerate() {
            write!(rust, " V{i} = {value},").unwrap();
            write!(constants, " {name}_V{i} = {value},").unwrap();
        }
        ty.in_rust = format!("#[derive(Clone, Copy, CType)]\n#[repr({repr})]\npub enum {name} {{{rust} }}\n");
        ty.in_c = if c == "enum" {
            format!("typedef enum {{{constants} }} {name};\n")
        } else {
            format!("typedef {c} {name};\n")
        };
    }

    /// A field's type: `f32`, `Pair`, `[u8; 3]`, `[[u8; 2]; 3]`. Gives the element and the dimensions.
    fn field(&self, text: &str) -> (&Type, Vec<usize>) {
        match text.strip_prefix('[') {
            None => (self.get(text), Vec::new()),
            Some(array) => {
                let (element, len) = array.strip_suffix(']').and_then(|a| a.rsplit_once("; ")).expect("an array");
                let (element, mut dimensions) = self.field(element);
                dimensions.insert(0, len.parse().expect("a length"));
                (element, dimensions)
            }
        }
    }

    /// `union` or `struct`, possibly over-aligned; `c_type` is false for one that gets no derive.
    fn aggregate(&mut self, name: &str, fields: &[(&str, &str)], kind: Kind) {
        let Kind { union, align: least, c_type } = kind;
        let (mut end, mut align, mut leaves) = (0_usize, 1, Vec::new());
        let (mut in_rust, mut in_c, mut checks) = (String::new(), String::new(), String::new());
        for (field, text) in fields {
            let (element, dimensions) = self.field(text);
            let count = dimensions.iter().product::<usize>();
            let offset = if union { 0 } else { end.next_multiple_of(element.align) };
            end = end.max(offset + count * element.size);
            align = align.max(element.align);
            for i in 0..count {
                let at = offset + i * element.size;
                let moved = element.leaves.iter().map(|l| Leaf { offset: l.offset + at, ..l.clone() });
                if union {
                    // Any bits are a value of a union.
                    leaves.extend(moved.map(|l| Leaf { bits: "Any".into(), ..l }));
                } else {
                    leaves.extend(moved);
                }
            }
            let rust = text.replace(element.name.as_str(), &element.rust);
            writeln!(in_rust, "    pub {field}: {rust},").unwrap();
            let suffix: String = dimensions.iter().map(|n| format!("[{n}]")).collect();
            write!(in_c, " {} {field}{suffix};", element.c).unwrap();
            writeln!(checks, "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name}\");").unwrap();
            if !union {
                writeln!(checks, "//rust assert!(core::mem::offset_of!({name}, {field}) == {offset});").unwrap();
            }
        }
        let size = end.next_multiple_of(align.max(least));
        align = align.max(least);
        writeln!(checks, "_Static_assert(sizeof({name}) == {size} && _Alignof({name}) == {align}, \"{name}\");")
            .unwrap();
        let keyword = if union { "union" } else { "struct" };
        let (rust_checks, c_checks): (Vec<_>, Vec<_>) = checks.lines().partition(|line| line.starts_with("//rust "));
        let rust_checks: String = rust_checks.iter().map(|line| line.trim_start_matches("//rust ")).collect();
        let derive = if c_type { "Clone, Copy, CType" } else { "Clone, Copy" };
        let repr = if least > 1 { format!("C, align({least})") } else { "C".into() };
        let attribute = if least > 1 { format!(" __attribute__((aligned({least})))") } else { String::new() };
        let in_rust = format!(
            "#[derive({derive})]\n#[repr({repr})]\npub {keyword} {name} {{\n{in_rust}}}\n\
             const _: () = {{ assert!(size_of::<{name}>() == {size} && align_of::<{name}>() == {align}); {rust_checks} }};\n"
        );
        let in_c = format!("typedef {keyword} {{{in_c} }}{attribute} {name};\n{}\n", c_checks.join("\n"));
        let (name, shape) = (name.to_owned(), Shape::Aggregate);
        let (rust, c) = (name.clone(), name.clone());
        self.add(Type { name, rust, c, size, align, leaves, c_type, shape, in_rust, in_c });
    }

    fn structure(&mut self, name: &str, fields: &[(&str, &str)]) {
        self.aggregate(name, fields, Kind { union: false, align: 1, c_type: true });
    }

    fn union(&mut self, name: &str, fields: &[(&str, &str)]) {
        self.aggregate(name, fields, Kind { union: true, align: 1, c_type: true });
    }

    /// A struct without `CType`.
    fn foreign(&mut self, name: &str, align: usize, fields: &[(&str, &str)]) {
        self.aggregate(name, fields, Kind { union: false, align, c_type: false });
    }
}

struct Kind {
    union: bool,
    align: usize,
    c_type: bool,
}

/// The table.
pub(crate) fn types() -> Types {
    let mut types = Types { list: Vec::new(), index: HashMap::new() };
    scalars(&mut types);
    registers(&mut types);
    memory(&mut types);
    foreign(&mut types);
    types
}

fn scalars(types: &mut Types) {
    let (signed, unsigned) = (Shape::Integer { signed: true }, Shape::Integer { signed: false });
    for (bits, size) in [(8, 1), (16, 2), (32, 4), (64, 8)] {
        types.scalar(&format!("i{bits}"), &format!("i{bits}"), &format!("int{bits}_t"), size, signed, "Any");
        types.scalar(&format!("u{bits}"), &format!("u{bits}"), &format!("uint{bits}_t"), size, unsigned, "Any");
    }
    types.scalar("isize", "isize", "intptr_t", 8, signed, "Any");
    types.scalar("usize", "usize", "uintptr_t", 8, unsigned, "Any");
    types.scalar("bool", "bool", "_Bool", 1, unsigned, "Bool");
    types.scalar("f32", "f32", "float", 4, Shape::Float, "Any");
    types.scalar("f64", "f64", "double", 8, Shape::Float, "Any");
    types.scalar("ConstPointer", "*const c_void", "const void *", 8, unsigned, "Any");
    types.scalar("MutPointer", "*mut Two64", "void *", 8, unsigned, "Any");
    types.scalar("Reference", "&'static u64", "const uint64_t *", 8, unsigned, "Address");
    types.scalar("OptionReference", "Option<&'static u64>", "const uint64_t *", 8, unsigned, "AddressOrNull");
    types.scalar("NonNullPointer", "NonNull<c_void>", "void *", 8, unsigned, "Address");
    types.scalar("OptionNonNull", "Option<NonNull<u16>>", "uint16_t *", 8, unsigned, "AddressOrNull");
    types.scalar("Function", "extern \"C\" fn(i32) -> i32", "function", 8, unsigned, "Address");
    let option = "Option<unsafe extern \"C\" fn(*mut c_void)>";
    types.scalar("OptionFunction", option, "function", 8, unsigned, "AddressOrNull");
    types.enumeration("EnumU8", "u8", "uint8_t", 1, &[1, 0x22, 0xfe]);
    types.enumeration("EnumI8", "i8", "int8_t", 1, &[-128, -3, 0x11]);
    types.enumeration("EnumI16", "i16", "int16_t", 2, &[-3, 0x1234]);
    types.enumeration("EnumI32", "i32", "int32_t", 4, &[-5, 7, 0x7fff_ffff]);
    types.enumeration("EnumI64", "i64", "int64_t", 8, &[-5, 0x1122_3344_5566_7788]);
    types.enumeration("EnumC", "C", "enum", 4, &[0, 1, 1000]);
    // C knows an enum of `unsigned` as well, which is what gcc makes of `EnumC`.
    types.enumeration("EnumCSigned", "C", "enum", 4, &[-1, 3]);
    for (name, rust, c, inner) in
        [("Handle", "*mut c_void", "void *", "MutPointer"), ("Meters", "f64", "double", "f64")]
    {
        let inner = types.get(inner).clone();
        types.scalar(name, name, c, 8, inner.shape, &inner.leaves[0].bits);
        let in_rust = format!("#[derive(Clone, Copy, CType)]\n#[repr(transparent)]\npub struct {name}(pub {rust});\n");
        types.list.last_mut().expect("just added").in_rust = in_rust;
    }
}

/// Structs and unions that System V puts into registers. `I` and `S` in a name: the classes of the eightbytes.
fn registers(types: &mut Types) {
    for n in 1..=17 {
        types.structure(&format!("Bytes{n}"), &[("bytes", &format!("[u8; {n}]"))]);
    }
    types.structure("IOne", &[("a", "i64")]);
    types.structure("IMixed", &[("a", "i32"), ("b", "f32")]);
    types.structure("IFloatFirst", &[("a", "f32"), ("b", "u8")]);
    types.structure("IPadded", &[("a", "u8"), ("b", "u32")]);
    types.structure("I3", &[("a", "u16"), ("b", "u8")]);
    types.structure("IBool", &[("a", "bool"), ("b", "bool"), ("c", "EnumU8")]);
    types.structure("IPointer", &[("a", "ConstPointer")]);
    types.structure("S4", &[("a", "f32")]);
    types.structure("S8", &[("a", "f64")]);
    types.structure("SPair", &[("a", "f32"), ("b", "f32")]);
    types.structure("Two64", &[("a", "i64"), ("b", "u64")]);
    types.structure("II12", &[("a", "i32"), ("b", "i32"), ("c", "i32")]);
    types.structure("IIPadded", &[("a", "u8"), ("b", "u64")]);
    types.structure("IIOdd", &[("a", "u64"), ("b", "u8")]);
    types.structure("IIPointer", &[("a", "NonNullPointer"), ("b", "EnumI32"), ("c", "bool")]);
    types.structure("IS", &[("a", "i64"), ("b", "f64")]);
    types.structure("ISSmall", &[("a", "u8"), ("b", "f64")]);
    types.structure("ISMerged", &[("a", "i32"), ("b", "f32"), ("c", "f32")]);
    types.structure("ISPadded", &[("a", "u64"), ("b", "f32")]);
    types.structure("SI", &[("a", "f64"), ("b", "i64")]);
    types.structure("SISmall", &[("a", "f64"), ("b", "u16")]);
    types.structure("SIFloats", &[("a", "f32"), ("b", "f32"), ("c", "i32")]);
    types.structure("SIMixed", &[("a", "[f32; 2]"), ("b", "u8"), ("c", "f32")]);
    types.structure("SS", &[("a", "f64"), ("b", "f64")]);
    types.structure("SS12", &[("a", "[f32; 3]")]);
    types.structure("SS16", &[("a", "f32"), ("b", "f64")]);
    types.structure("SSFloats", &[("a", "[f32; 4]")]);
    types.structure("NestedS", &[("a", "SPair"), ("b", "S4")]);
    types.structure("NestedI", &[("a", "I3"), ("b", "IFloatFirst")]);
    types.structure("NestedSI", &[("a", "S8"), ("b", "IPadded")]);
    types.structure("NestedArray", &[("a", "[SPair; 2]")]);
    types.structure("NestedGrid", &[("a", "[[u8; 2]; 3]"), ("b", "[S4; 2]")]);
    types.structure("Empty", &[]);
    types.structure("WithEmpty", &[("a", "f32"), ("e", "Empty"), ("b", "f32")]);
    types.union("UnionI", &[("a", "u32"), ("b", "f32")]);
    types.union("UnionS", &[("a", "f64"), ("b", "[f32; 2]")]);
    types.union("UnionI3", &[("a", "[u8; 3]"), ("b", "u8")]);
    types.union("UnionIS", &[("a", "SS"), ("b", "u64")]);
    types.union("UnionSI", &[("a", "[f32; 4]"), ("b", "SISmall")]);
    types.union("UnionII", &[("a", "[u8; 12]"), ("b", "f64")]);
    types.structure("HasUnion", &[("a", "f32"), ("b", "UnionI"), ("c", "UnionS")]);
}

/// Structs and unions of class MEMORY.
fn memory(types: &mut Types) {
    types.structure("M24", &[("a", "i64"), ("b", "f64"), ("c", "i64")]);
    types.structure("M24Doubles", &[("a", "[f64; 3]")]);
    types.structure("M24Padded", &[("a", "u8"), ("b", "u64"), ("c", "u8")]);
    types.structure("M20", &[("a", "[i32; 5]")]);
    types.structure("M32", &[("a", "[u8; 32]")]);
    types.structure("M32Mixed", &[("a", "SS"), ("b", "Two64")]);
    types.structure("M64", &[("a", "[f32; 7]"), ("b", "IBool"), ("c", "[NestedSI; 2]")]);
    types.union("MUnion", &[("a", "[f64; 3]"), ("b", "u8")]);
}

/// Types that cbframe knows nothing of: rustc alone passes them.
fn foreign(types: &mut Types) {
    types.foreign("ForeignI", 1, &[("a", "u8"), ("b", "u16")]);
    types.foreign("ForeignIS", 1, &[("a", "u32"), ("b", "f64")]);
    types.foreign("ForeignM", 1, &[("a", "u64"), ("b", "f64"), ("c", "u8")]);
    types.foreign("Aligned16", 16, &[("a", "u64")]);
    types.foreign("Aligned32", 32, &[("a", "u64"), ("b", "f32")]);
    types.foreign("Aligned64", 64, &[("a", "f64"), ("b", "[u8; 11]")]);
    types.scalar("i128", "i128", "__int128", 16, Shape::Wide, "Any");
    types.list.last_mut().expect("just added").c_type = false;
}
