//! A fixed list of types: every scalar, and aggregates of every class.

use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

use crate::signatures::Target;
use crate::types::{Aggregate, Bits, Field, Kind, Leaf, Scalar, Type};

/// Types by name and in order.
#[derive(Debug)]
pub struct Table {
    target: Target,
    list: Vec<Type>,
    index: HashMap<String, usize>,
}

impl Table {
    /// The table for a target.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let mut table = Self { target, list: Vec::new(), index: HashMap::new() };
        table.scalars();
        table.registers();
        table.memory();
        table.foreign();
        table
    }

    /// The type of this name.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Type {
        &self.list[*self.index.get(name).unwrap_or_else(|| panic!("no type `{name}`"))]
    }

    /// Every type.
    pub fn iter(&self) -> impl Iterator<Item = &Type> {
        self.list.iter()
    }

    /// Whether words have 32 bits.
    #[must_use]
    pub fn has_narrow_words(&self) -> bool {
        self.target == Target::I686
    }

    /// Whether `long double` is an IEEE 754 binary128.
    fn has_quads(&self) -> bool {
        matches!(self.target, Target::Aarch64 | Target::Riscv64)
    }

    /// Whether every compiler has `_Float16`: gcc 12 has not on RISC-V.
    fn has_halves(&self) -> bool {
        self.target != Target::Riscv64
    }

    /// Whether vectors are passed.
    fn has_vectors(&self) -> bool {
        self.target != Target::Riscv64
    }

    fn add(&mut self, ty: Type) {
        let name = ty.name().to_owned();
        assert!(self.index.insert(name.clone(), self.list.len()).is_none(), "`{name}` twice");
        self.list.push(ty);
    }

    fn scalar(&mut self, name: &str, rust: &str, c: &str, size: usize, kind: Kind, bits: Bits) {
        self.defined(name, [rust, c], size, kind, bits, [String::new(), String::new()]);
    }

    /// `names` and `definitions` are those in Rust and in C.
    fn defined(&mut self, name: &str, names: [&str; 2], size: usize, kind: Kind, bits: Bits, definitions: [String; 2]) {
        // The x87 unit, which returns floats, makes quiet NaNs of others.
        let quiet = self.target == Target::I686 && matches!(kind, Kind::Float | Kind::Complex(4 | 8));
        let bits = if quiet { Bits::Quiet } else { bits };
        let leaf = |path: &str, offset, size| Leaf { path: path.into(), offset, size, count: None, bits: bits.clone() };
        // The x87 unit's own format has 80 bits.
        let float = |size| if size >= 12 && !self.has_quads() { 10 } else { size };
        let leaves = match kind {
            Kind::LongDouble => vec![leaf("", 0, float(size))],
            Kind::Complex(of) => vec![leaf(".re", 0, float(of)), leaf(".im", of, float(of))],
            _ => vec![leaf("", 0, size)],
        };
        let align = match if let Kind::Complex(of) = kind { of } else { size } {
            // psABI for Intel386, table 2.1.
            8 | 12 if self.target == Target::I686 && kind != Kind::Vector => 4,
            align => align,
        };
        let ([rust, c], [in_rust, in_c]) = (names.map(String::from), definitions);
        self.add(Type::Scalar(Rc::new(Scalar {
            name: name.into(),
            rust,
            c,
            size,
            align,
            kind,
            leaves,
            in_rust,
            in_c,
        })));
    }

    fn enumeration(&mut self, name: &str, repr: &str, c: &str, size: usize, values: &[i64]) {
        let signed = values.iter().any(|value| *value < 0);
        let (mut rust, mut constants) = (String::new(), String::new());
        for (i, value) in values.iter().enumerate() {
            write!(rust, " V{i} = {value},").unwrap();
            write!(constants, " {name}_V{i} = {value},").unwrap();
        }
        let in_rust = format!("#[derive(Clone, Copy, CType)]\n#[repr({repr})]\npub enum {name} {{{rust} }}\n");
        let in_c = if c == "enum" {
            format!("typedef enum {{{constants} }} {name};\n")
        } else {
            format!("typedef {c} {name};\n")
        };
        let bits = Bits::OneOf(values.to_vec());
        self.defined(name, [name, name], size, Kind::Integer { signed }, bits, [in_rust, in_c]);
    }

    /// A field's type: `f32`, `SPair`, `[u8; 3]`, `[[u8; 2]; 3]`.
    fn field(&self, text: &str) -> Field {
        match text.strip_prefix('[') {
            None => Field::plain(self.get(text).clone()),
            Some(array) => {
                let (element, length) = array.strip_suffix(']').and_then(|a| a.rsplit_once("; ")).expect("an array");
                let mut field = self.field(element);
                field.lengths.insert(0, length.parse().expect("a length"));
                field
            }
        }
    }

    fn aggregate(&mut self, name: &str, fields: &[&str], change: impl FnOnce(&mut Aggregate)) {
        let fields = fields.iter().map(|text| self.field(text)).collect();
        let (name, packed, aligned) = (name.into(), None, None);
        let mut aggregate = Aggregate { name, union: false, packed, aligned, fields, derived: true };
        change(&mut aggregate);
        self.add(Type::Aggregate(Rc::new(aggregate)));
    }

    fn structure(&mut self, name: &str, fields: &[&str]) {
        self.aggregate(name, fields, |_| {});
    }

    fn union(&mut self, name: &str, fields: &[&str]) {
        self.aggregate(name, fields, |aggregate| aggregate.union = true);
    }

    fn scalars(&mut self) {
        let (signed, unsigned) = (Kind::Integer { signed: true }, Kind::Integer { signed: false });
        for (bits, size) in [(8, 1), (16, 2), (32, 4), (64, 8)] {
            self.scalar(&format!("i{bits}"), &format!("i{bits}"), &format!("int{bits}_t"), size, signed, Bits::Any);
            self.scalar(&format!("u{bits}"), &format!("u{bits}"), &format!("uint{bits}_t"), size, unsigned, Bits::Any);
        }
        let word = if self.target == Target::I686 { 4 } else { 8 };
        self.scalar("isize", "isize", "intptr_t", word, signed, Bits::Any);
        self.scalar("usize", "usize", "uintptr_t", word, unsigned, Bits::Any);
        self.scalar("bool", "bool", "_Bool", 1, unsigned, Bits::Bool);
        self.scalar("f32", "f32", "float", 4, Kind::Float, Bits::Any);
        self.scalar("f64", "f64", "double", 8, Kind::Float, Bits::Any);
        let (address, nullable) = (Bits::Address, Bits::AddressOrNull);
        self.scalar("ConstPointer", "*const c_void", "const void *", word, unsigned, Bits::Any);
        self.scalar("MutPointer", "*mut u64", "uint64_t *", word, unsigned, Bits::Any);
        self.scalar("Reference", "&'static u64", "const uint64_t *", word, unsigned, address.clone());
        self.scalar("OptionReference", "Option<&'static u64>", "const uint64_t *", word, unsigned, nullable.clone());
        self.scalar("NonNullPointer", "NonNull<c_void>", "void *", word, unsigned, address.clone());
        self.scalar("OptionNonNull", "Option<NonNull<u16>>", "uint16_t *", word, unsigned, nullable.clone());
        self.scalar("Function", "extern \"C\" fn(i32) -> i32", "function", word, unsigned, address);
        let option = "Option<unsafe extern \"C\" fn(*mut c_void)>";
        self.scalar("OptionFunction", option, "function", word, unsigned, nullable);
        if word == 8 {
            self.scalar("i128", "i128", "__int128", 16, Kind::Wide, Bits::Any);
            self.scalar("u128", "u128", "unsigned __int128", 16, Kind::Wide, Bits::Any);
        }
        let aarch64 = self.target == Target::Aarch64;
        let (long, quad) = if self.has_quads() { (Kind::Quad, "long double") } else { (Kind::LongDouble, "__float128") };
        let size = if word == 8 { 16 } else { 12 };
        self.scalar("LongDouble", "LongDouble", "long double", size, long, Bits::Any);
        if self.has_halves() {
            self.scalar("Float16", "Float16", "_Float16", 2, Kind::Half, Bits::Any);
        }
        self.scalar("Float128", "Float128", quad, 16, Kind::Quad, Bits::Any);
        self.scalar("ComplexFloat", "Complex<f32>", "_Complex float", 8, Kind::Complex(4), Bits::Any);
        self.scalar("ComplexDouble", "Complex<f64>", "_Complex double", 16, Kind::Complex(8), Bits::Any);
        let long = Kind::Complex(size);
        self.scalar("ComplexLongDouble", "Complex<LongDouble>", "_Complex long double", 2 * size, long, Bits::Any);
        if aarch64 {
            for (name, rust, size) in [
                ("m64f", "float32x2_t", 8),
                ("m64i", "int32x2_t", 8),
                ("m128", "float32x4_t", 16),
                ("m128d", "float64x2_t", 16),
                ("m128i", "int64x2_t", 16),
            ] {
                self.scalar(name, rust, name, size, Kind::Vector, Bits::Any);
            }
        } else if self.has_vectors() {
            let wide: &[_] = if word == 8 { &[(128, 16), (256, 32), (512, 64)] } else { &[(128, 16)] };
            for &(bits, size) in wide {
                for suffix in ["", "d", "i"] {
                    let name = format!("m{bits}{suffix}");
                    self.scalar(&name, &format!("__{name}"), &name, size, Kind::Vector, Bits::Any);
                }
            }
        }
        self.enumeration("EnumU8", "u8", "uint8_t", 1, &[1, 0x22, 0xfe]);
        self.enumeration("EnumI8", "i8", "int8_t", 1, &[-128, -3, 0x11]);
        self.enumeration("EnumI16", "i16", "int16_t", 2, &[-3, 0x1234]);
        self.enumeration("EnumI32", "i32", "int32_t", 4, &[-5, 7, 0x7fff_ffff]);
        self.enumeration("EnumI64", "i64", "int64_t", 8, &[-5, 0x1122_3344_5566_7788]);
        self.enumeration("EnumC", "C", "enum", 4, &[0, 1, 1000]);
        // C knows an enum of `unsigned` as well, which is what gcc makes of `EnumC`.
        self.enumeration("EnumCSigned", "C", "enum", 4, &[-1, 3]);
        for (name, rust, c, kind, size) in
            [("Handle", "*mut c_void", "void *", unsigned, word), ("Meters", "f64", "double", Kind::Float, 8)]
        {
            let in_rust =
                format!("#[derive(Clone, Copy, CType)]\n#[repr(transparent)]\npub struct {name}(pub {rust});\n");
            self.defined(name, [name, c], size, kind, Bits::Any, [in_rust, String::new()]);
        }
    }

    /// Structs and unions that System V puts into registers. `I` and `S` in a name: the classes of the eightbytes.
    fn registers(&mut self) {
        for n in 1..=17 {
            self.structure(&format!("Bytes{n}"), &[&format!("[u8; {n}]")]);
        }
        self.structure("IOne", &["i64"]);
        self.structure("IMixed", &["i32", "f32"]);
        self.structure("IFloatFirst", &["f32", "u8"]);
        self.structure("IPadded", &["u8", "u32"]);
        self.structure("I3", &["u16", "u8"]);
        self.structure("IBool", &["bool", "bool", "EnumU8"]);
        self.structure("IPointer", &["ConstPointer"]);
        self.structure("S4", &["f32"]);
        self.structure("S8", &["f64"]);
        self.structure("SPair", &["f32", "f32"]);
        self.structure("Two64", &["i64", "u64"]);
        self.structure("II12", &["i32", "i32", "i32"]);
        self.structure("IIPadded", &["u8", "u64"]);
        self.structure("IIOdd", &["u64", "u8"]);
        self.structure("IIPointer", &["NonNullPointer", "EnumI32", "bool"]);
        self.structure("IS", &["i64", "f64"]);
        self.structure("ISSmall", &["u8", "f64"]);
        self.structure("ISMerged", &["i32", "f32", "f32"]);
        self.structure("ISPadded", &["u64", "f32"]);
        self.structure("SI", &["f64", "i64"]);
        self.structure("SISmall", &["f64", "u16"]);
        self.structure("SIFloats", &["f32", "f32", "i32"]);
        self.structure("SIMixed", &["[f32; 2]", "u8", "f32"]);
        self.structure("SS", &["f64", "f64"]);
        self.structure("SS12", &["[f32; 3]"]);
        self.structure("SS16", &["f32", "f64"]);
        self.structure("SSFloats", &["[f32; 4]"]);
        self.structure("NestedS", &["SPair", "S4"]);
        self.structure("NestedI", &["I3", "IFloatFirst"]);
        self.structure("NestedSI", &["S8", "IPadded"]);
        self.structure("NestedArray", &["[SPair; 2]"]);
        self.structure("NestedGrid", &["[[u8; 2]; 3]", "[S4; 2]"]);
        self.structure("Empty", &[]);
        self.structure("WithEmpty", &["f32", "Empty", "f32"]);
        self.union("UnionI", &["u32", "f32"]);
        self.union("UnionS", &["f64", "[f32; 2]"]);
        self.union("UnionI3", &["[u8; 3]", "u8"]);
        self.union("UnionIS", &["SS", "u64"]);
        self.union("UnionSI", &["[f32; 4]", "SISmall"]);
        self.union("UnionII", &["[u8; 12]", "f64"]);
        self.structure("HasUnion", &["f32", "UnionI", "UnionS"]);
        if !self.has_narrow_words() {
            self.structure("IIWide", &["i128"]);
        }
        if self.has_halves() {
            self.structure("SHalf", &["Float16"]);
            self.structure("SHalves", &["[Float16; 4]"]);
            self.structure("IHalf", &["Float16", "u8"]);
        }
        self.structure("SQuad", &["Float128"]);
        self.structure("SComplex", &["ComplexFloat"]);
        self.structure("SSComplex", &["ComplexDouble"]);
        self.structure("SSComplexes", &["[ComplexFloat; 2]"]);
        if self.has_vectors() {
            self.structure("SVector", &["m128"]);
            self.union("UnionVector", &["m128i", "[u32; 4]"]);
        }
        if self.target == Target::Aarch64 {
            // Homogeneous aggregates, and nearly.
            self.structure("HVector64", &["m64f", "m64i"]);
            self.structure("HVectors", &["[m128; 3]"]);
            self.union("HUnion", &["[f32; 3]", "SPair"]);
            self.structure("NoHVectors", &["m64f", "m128"]);
            self.structure("HVectorEmpty", &["Empty", "m128", "Empty"]);
        } else if matches!(self.target, Target::Linux | Target::Windows) {
            self.structure("SVector256", &["m256d"]);
            self.structure("SVector512", &["m512i"]);
            self.structure("SVectorEmpty", &["Empty", "m256", "Empty"]);
            self.union("UnionVector256", &["m256i", "m256"]);
        }
        self.structure("X87", &["LongDouble"]);
        self.union("UnionX87", &["LongDouble", "LongDouble"]);
        let mut with = |name: &str, packed: Option<usize>, aligned: Option<usize>, fields: &[&str]| {
            self.aggregate(name, fields, |aggregate| (aggregate.packed, aggregate.aligned) = (packed, aligned));
        };
        with("IPacked", Some(1), None, &["u16", "u8", "u8", "f32"]);
        with("ISPacked", Some(1), None, &["u64", "f64"]);
        with("IIPacked2", Some(2), None, &["u64", "u16"]);
        with("IIPacked4", Some(4), None, &["i32", "[f32; 2]"]);
        with("IAligned2", None, Some(2), &["u8"]);
        with("IAligned8", None, Some(8), &["f32", "u8"]);
        with("IAligned16", None, Some(16), &["i32"]);
        with("SSAligned16", None, Some(16), &["f64", "f32"]);
    }

    /// Structs and unions of class MEMORY.
    fn memory(&mut self) {
        self.structure("M24", &["i64", "f64", "i64"]);
        self.structure("M24Doubles", &["[f64; 3]"]);
        self.structure("M24Padded", &["u8", "u64", "u8"]);
        self.structure("M20", &["[i32; 5]"]);
        self.structure("M32", &["[u8; 32]"]);
        self.structure("M32Mixed", &["SS", "Two64"]);
        self.structure("M64", &["[f32; 7]", "IBool", "[NestedSI; 2]"]);
        self.union("MUnion", &["[f64; 3]", "u8"]);
        self.structure("MX87Pair", &["LongDouble", "LongDouble"]);
        self.structure("MX87Int", &["LongDouble", "i32"]);
        self.structure("MComplex", &["ComplexLongDouble"]);
        self.union("MUnionX87", &["LongDouble", "f64"]);
        if self.has_vectors() {
            self.structure("MVectorFloat", &["m128", "f32"]);
            self.structure("MVectors", &["[m128d; 2]"]);
        }
        self.structure("MQuads", &["Float128", "Float128"]);
        let wide = if self.has_narrow_words() { "i64" } else { "i128" };
        let mut with = |name: &str, packed: Option<usize>, aligned: Option<usize>, fields: &[&str]| {
            self.aggregate(name, fields, |aggregate| (aggregate.packed, aggregate.aligned) = (packed, aligned));
        };
        with("MPacked", Some(1), None, &["u8", "u32"]);
        with("MPackedFloats", Some(1), None, &["u16", "f64", "f32"]);
        with("MPacked2", Some(2), None, &["u16", "f64"]);
        with("MPackedWide", Some(1), None, &[wide, "u8"]);
        with("MPackedNested", Some(1), None, &["u8", "IPadded"]);
        with("MAligned32", None, Some(32), &["u64", "f32"]);
        with("MAligned64", None, Some(64), &["u8"]);
    }

    /// Types that cbframe knows nothing of, where rustc alone can pass them.
    fn foreign(&mut self) {
        let derived = matches!(self.target, Target::Aarch64 | Target::I686 | Target::Riscv64);
        let mut foreign = |name: &str, align: Option<usize>, fields: &[&str]| {
            self.aggregate(name, fields, |aggregate| (aggregate.aligned, aggregate.derived) = (align, derived));
        };
        foreign("ForeignI", None, &["u8", "u16"]);
        foreign("ForeignIS", None, &["u32", "f64"]);
        foreign("ForeignM", None, &["u64", "f64", "u8"]);
        foreign("Aligned16", Some(16), &["u64"]);
        foreign("Aligned32", Some(32), &["u64", "f32"]);
        foreign("Aligned64", Some(64), &["f64", "[u8; 11]"]);
    }
}
